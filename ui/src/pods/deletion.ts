import type { Pod } from './pod';

/** What a deletion needs to know of a pod. Of pods that were picked by their identity there is no more. */
export type Target = Pick<Pod, 'cluster' | 'namespace' | 'name' | 'uid'> & Partial<Pod>;

/** The most pods that are deleted at once. */
export const MOST = 200;
/** The most pods that are tried first. */
export const TRIED = 20;
/** How many calls are on their way at a time. */
const AT_ONCE = 4;

/** What has become of one pod. */
export type Fate =
  | { readonly kind: 'untried' | 'trying' | 'may' | 'deleting' | 'deleted' | 'stopped' }
  /** The server's code and sentence, and the request's ID. */
  | {
      readonly kind: 'refused' | 'failed';
      readonly code: number;
      readonly message: string;
      readonly requestId: string;
    };

export interface Options {
  /** Seconds; absent: the pod's own grace period. */
  readonly gracePeriod?: number;
  readonly force?: boolean;
}

/** What is known of a deletion. Each change makes a new object. */
export interface DeletionState {
  readonly fates: readonly Fate[];
  /** `choosing` until {@link Deletion.run}, then `running` until each pod has its fate. */
  readonly phase: 'trying' | 'choosing' | 'running' | 'done';
}

/** A refusal of a call. */
export interface Refused {
  readonly code: number;
  readonly message: string;
  readonly requestId: string;
}

/**
 * The deletion of some pods: tried first where they are few, then done, four at a time. Each call names
 * the pod's uid, so that a successor of the same name is never hit.
 */
export class Deletion {
  readonly targets: readonly Target[];
  readonly #call: (path: string) => Promise<unknown>;
  readonly #read: (error: unknown) => Refused;
  readonly #listeners = new Set<() => void>();
  #state: DeletionState;
  #isStopped = false;

  /**
   * @param call Sends a DELETE to a path with its query.
   * @param read Reads what a failed call says.
   */
  constructor(targets: readonly Target[], call: (path: string) => Promise<unknown>, read: (error: unknown) => Refused) {
    this.targets = targets.slice(0, MOST);
    this.#call = call;
    this.#read = read;
    this.#state = { fates: this.targets.map(() => ({ kind: 'untried' })), phase: 'choosing' };
  }

  readonly state = (): DeletionState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Asks for each pod whether it may be deleted, if they are few enough. */
  async try(): Promise<void> {
    if (this.targets.length > TRIED) return;
    this.#publish({ phase: 'trying' });
    await this.#each(async (target, place) => {
      this.#decide(place, { kind: 'trying' });
      try {
        await this.#call(pathOf(target, { dryRun: 'true' }));
        this.#decide(place, { kind: 'may' });
      } catch (error) {
        this.#decide(place, { kind: 'refused', ...this.#read(error) });
      }
    });
    this.#publish({ phase: 'choosing' });
  }

  /** Deletes the pods that were not refused. */
  async run({ gracePeriod, force }: Options): Promise<void> {
    this.#publish({ phase: 'running' });
    const query: Record<string, string> = {};
    if (force === true) query['force'] = 'true';
    else if (gracePeriod !== undefined) query['gracePeriod'] = String(gracePeriod);
    await this.#each(async (target, place) => {
      if (this.#state.fates[place]?.kind === 'refused') return;
      if (this.#isStopped) {
        this.#decide(place, { kind: 'stopped' });
        return;
      }
      this.#decide(place, { kind: 'deleting' });
      try {
        await this.#call(pathOf(target, query));
        this.#decide(place, { kind: 'deleted' });
      } catch (error) {
        this.#decide(place, { kind: 'failed', ...this.#read(error) });
      }
    });
    this.#publish({ phase: 'done' });
  }

  /** Ends what has not begun. */
  readonly stop = (): void => {
    this.#isStopped = true;
  };

  /** Does the work for each pod, a few at a time, in order. */
  async #each(work: (target: Target, place: number) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async () => {
      for (let place = next++; place < this.targets.length; place = next++) {
        const target = this.targets[place];
        if (target !== undefined) await work(target, place);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  #decide(place: number, fate: Fate): void {
    this.#publish({ fates: this.#state.fates.with(place, fate) });
  }

  #publish(change: Partial<DeletionState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** Returns how many pods have some fate. */
export function count(fates: readonly Fate[], ...kinds: Fate['kind'][]): number {
  return fates.filter(({ kind }) => kinds.includes(kind)).length;
}

function pathOf({ cluster, namespace, name, uid }: Target, query: Record<string, string>): string {
  const path = ['api', 'clusters', cluster, 'namespaces', namespace, 'pods', name].map(encodeURIComponent).join('/');
  return `/${path}?${new URLSearchParams({ uid, ...query }).toString()}`;
}
