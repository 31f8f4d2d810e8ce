import { type Json, list, object, text } from './json';

/** What a container's spec says under one heading, in Kubernetes' own words. */
export interface Fact {
  readonly name:
    'ports' | 'startupProbe' | 'readinessProbe' | 'livenessProbe' | 'mounts' | 'environment' | 'security' | 'command';
  readonly values: readonly string[];
}

/**
 * Returns what a container's spec says of its command, ports, probes, mounts, environment and security.
 * Headings without a value are left out. Of the environment there are the names only.
 */
export function factsOf(spec: Json): Fact[] {
  const facts: Fact[] = [
    { name: 'command', values: words([...strings(spec['command']), ...strings(spec['args'])]) },
    { name: 'ports', values: list(spec['ports']).map(portOf) },
    { name: 'startupProbe', values: probeOf(spec['startupProbe']) },
    { name: 'readinessProbe', values: probeOf(spec['readinessProbe']) },
    { name: 'livenessProbe', values: probeOf(spec['livenessProbe']) },
    { name: 'mounts', values: list(spec['volumeMounts']).map(mountOf) },
    { name: 'environment', values: environmentOf(spec) },
    { name: 'security', values: securityOf(object(spec['securityContext'])) },
  ];
  return facts.filter(({ values }) => values.length > 0);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** Joins the words of a command, those with spaces in quotes. */
function words(all: readonly string[]): string[] {
  return all.length === 0
    ? []
    : [all.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ')];
}

function portOf(port: Json): string {
  const name = text(port['name']);
  return `${name === '' ? '' : `${name} `}${shown(port['containerPort'])}/${text(port['protocol']) || 'TCP'}`;
}

function probeOf(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const probe = object(value);
  const http = object(probe['httpGet']);
  const [tcp, grpc, exec] = [object(probe['tcpSocket']), object(probe['grpc']), object(probe['exec'])];
  let what = '';
  if (probe['httpGet'] !== undefined) {
    const scheme = (text(http['scheme']) || 'HTTP').toLowerCase();
    what = `GET ${scheme}://${text(http['host'])}:${shown(http['port'])}${text(http['path']) || '/'}`;
  } else if (probe['tcpSocket'] !== undefined) what = `tcp :${shown(tcp['port'])}`;
  else if (probe['grpc'] !== undefined) what = `grpc :${shown(grpc['port'])}`;
  else if (probe['exec'] !== undefined) what = words(strings(exec['command'])).join('');
  const settings = ['initialDelaySeconds', 'periodSeconds', 'timeoutSeconds', 'failureThreshold']
    .filter((name) => probe[name] !== undefined)
    .map((name) => `${name} ${shown(probe[name])}`);
  return [[what, ...settings].filter((part) => part !== '').join(', ')];
}

function mountOf(mount: Json): string {
  const path = [text(mount['mountPath']), text(mount['subPath'])].filter((part) => part !== '').join(' ← ');
  return `${path} (${text(mount['name'])}${mount['readOnly'] === true ? ', readOnly' : ''})`;
}

function environmentOf(spec: Json): string[] {
  const names = list(spec['env']).map((variable) => {
    const from = object(variable['valueFrom']);
    const secret = text(object(from['secretKeyRef'])['name']);
    const map = text(object(from['configMapKeyRef'])['name']);
    const source = secret !== '' ? ` (secret ${secret})` : map !== '' ? ` (configMap ${map})` : '';
    return `${text(variable['name'])}${source}`;
  });
  const all = list(spec['envFrom']).map((from) => {
    const secret = text(object(from['secretRef'])['name']);
    return secret !== '' ? `* (secret ${secret})` : `* (configMap ${text(object(from['configMapRef'])['name'])})`;
  });
  return [...names, ...all];
}

function securityOf(context: Json): string[] {
  return Object.entries(context).map(
    ([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : shown(value)}`,
  );
}

function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
