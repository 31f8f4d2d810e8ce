import type { components } from './schema';

type Schemas = components['schemas'];

export type User = Schemas['User'];
/** The caller's account, with the times at which its token and its session end. */
export type Account = Schemas['Account'];
/** A page of the pods of all clusters. */
export type PodList = Schemas['PodOfClusterList'];
export type Login = Schemas['Session'];
