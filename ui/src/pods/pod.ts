import type { components } from '../api/schema';

/** A pod in a list of several clusters. */
export type Pod = components['schemas']['PodOfClusterItem'];

/**
 * Splits a pod's name into the workload's part and the suffix that its owners have generated.
 *
 * The name of a ReplicaSet ends with the hash of its template if a Deployment made it: 5 to 10
 * letters of Kubernetes' safe alphabet (`rand.SafeEncodeString`).
 */
export function splitName({ name, owner }: Pick<Pod, 'name' | 'owner'>): { workload: string; suffix: string } {
  const whole = { workload: name, suffix: '' };
  if (owner === null || !name.startsWith(`${owner.name}-`)) return whole;
  if (owner.kind === 'StatefulSet') return whole;
  const hash = owner.kind === 'ReplicaSet' ? /-[0-9a-z]{5,10}$/.exec(owner.name) : null;
  const workload = hash === null ? owner.name : owner.name.slice(0, hash.index);
  return { workload, suffix: name.slice(workload.length) };
}

/** Returns an image's last part with its tag, without a digest. */
export function shortImage(image: string): string {
  const [path] = image.split('@');
  return (path ?? image).slice((path ?? image).lastIndexOf('/') + 1);
}
