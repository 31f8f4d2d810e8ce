import type { components } from '../api/schema';

type Schemas = components['schemas'];

/** A row of a live query, as far as this folder needs to know it. */
export interface Item {
  /** The name of its cluster. */
  readonly cluster: string;
  readonly uid: string;
}

/** The counts of a query's matches, by field. */
export type Facets = Readonly<Record<string, readonly { value: string; count: number }[]>>;

/** How current a cluster is. */
export type ClusterState = Schemas['ListedCluster'];

export type ServerFrame = Schemas['LiveServerFrame'];
export type ClientFrame = Schemas['LiveClientFrame'];
/** The filters and the sort of a live query, by the API's names. */
export type LiveQuery = NonNullable<Schemas['LiveClientFrameSubscribe']['query']>;
