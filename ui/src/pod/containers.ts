import type { components } from '../api/schema';
import { type Fact, factsOf } from './containerFacts';
import { type Json, list, number, object, text } from './json';

export type Detail = components['schemas']['PodDetail'];

/** A container of a pod, as its spec and its status have it. */
export interface ContainerView {
  readonly name: string;
  readonly kind: 'regular' | 'init' | 'sidecar' | 'debug';
  readonly image: string;
  readonly state: 'running' | 'waiting' | 'ended' | 'unknown';
  /** Why it waits, or how it ended; empty while it runs. */
  readonly reason: string;
  /** What the kubelet says of it while it waits; empty else. */
  readonly message: string;
  readonly isReady: boolean;
  readonly restarts: number;
  /** When its present state began, RFC 3339; empty if it is not known. */
  readonly since: string;
  /** The end of its present or last run. */
  readonly end?: End;
  readonly limits: Readonly<Record<string, string>>;
  readonly requests: Readonly<Record<string, string>>;
  /** Its ports, probes, mounts, environment and security, as its spec has them. */
  readonly facts: readonly Fact[];
}

/** How a run ended. */
export interface End {
  readonly exitCode: number;
  readonly signal: number;
  readonly reason: string;
  readonly startedAt: string;
  readonly finishedAt: string;
}

function texts(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(object(value)).map(([name, amount]) => [name, String(amount)]));
}

/** Returns a pod's containers in the order in which they start: init containers, then the others. */
export function containersOf({ spec, status }: Pick<Detail, 'spec' | 'status'>): ContainerView[] {
  const [specs, statuses] = [spec, status];
  const kinds = [
    ['init', 'initContainers', 'initContainerStatuses'],
    ['regular', 'containers', 'containerStatuses'],
    ['debug', 'ephemeralContainers', 'ephemeralContainerStatuses'],
  ] as const;
  return kinds.flatMap(([kind, ofSpec, ofStatus]) =>
    list(specs[ofSpec]).map((container) => {
      const found = list(statuses[ofStatus]).find(({ name }) => name === container['name']);
      const isSidecar = kind === 'init' && container['restartPolicy'] === 'Always';
      return view(isSidecar ? 'sidecar' : kind, container, found ?? {});
    }),
  );
}

function view(kind: ContainerView['kind'], spec: Json, status: Json): ContainerView {
  const state = object(status['state']);
  const [running, waiting, ended] = ['running', 'waiting', 'terminated'].map((name) => object(state[name]));
  const last = object(object(status['lastState'])['terminated']);
  const resources = object(spec['resources']);
  const common = {
    name: text(spec['name']),
    kind,
    image: text(spec['image']),
    isReady: status['ready'] === true,
    restarts: number(status['restartCount']),
    limits: texts(resources['limits']),
    requests: texts(resources['requests']),
    facts: factsOf(spec),
    message: '',
  };
  if (state['terminated'] !== undefined && ended !== undefined) {
    return {
      ...common,
      state: 'ended',
      reason: text(ended['reason']),
      since: text(ended['finishedAt']),
      end: endOf(ended),
    };
  }
  const before = last['exitCode'] === undefined ? {} : { end: endOf(last) };
  if (state['running'] !== undefined) {
    return { ...common, ...before, state: 'running', reason: '', since: text(running?.['startedAt']) };
  }
  if (state['waiting'] !== undefined) {
    return {
      ...common,
      ...before,
      state: 'waiting',
      reason: text(waiting?.['reason']),
      message: text(waiting?.['message']),
      since: '',
    };
  }
  return { ...common, ...before, state: 'unknown', reason: '', since: '' };
}

function endOf(ended: Json): End {
  return {
    exitCode: number(ended['exitCode']),
    signal: number(ended['signal']),
    reason: text(ended['reason']),
    startedAt: text(ended['startedAt']),
    finishedAt: text(ended['finishedAt']),
  };
}

/** Returns the containers whose logs are read most first: regular ones, then sidecars, then the others. */
export function forLogs(containers: readonly ContainerView[]): string[] {
  const order = { regular: 0, sidecar: 1, init: 2, debug: 3 };
  return [...containers].sort((a, b) => order[a.kind] - order[b.kind]).map(({ name }) => name);
}
