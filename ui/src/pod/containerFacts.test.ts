import { expect, test } from 'vitest';

import { factsOf } from './containerFacts';

test('a container’s spec is told by headings, without values of its environment', () => {
  const facts = factsOf({
    command: ['sh', '-c', 'sleep 1; exit'],
    ports: [
      { containerPort: 8080, name: 'http' },
      { containerPort: 53, protocol: 'UDP' },
    ],
    readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 10 },
    livenessProbe: { exec: { command: ['cat', '/tmp/ok'] } },
    volumeMounts: [{ mountPath: '/data', name: 'data', readOnly: true }],
    env: [
      { name: 'MODE', value: 'secret value' },
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'api', key: 'token' } } },
    ],
    envFrom: [{ configMapRef: { name: 'shared' } }],
    securityContext: { runAsUser: 1000, capabilities: { drop: ['ALL'] } },
  });
  expect(Object.fromEntries(facts.map(({ name, values }) => [name, values]))).toEqual({
    command: ['sh -c "sleep 1; exit"'],
    ports: ['http 8080/TCP', '53/UDP'],
    readinessProbe: ['GET http://:http/healthz, periodSeconds 10'],
    livenessProbe: ['cat /tmp/ok'],
    mounts: ['/data (data, readOnly)'],
    environment: ['MODE', 'TOKEN (secret api)', '* (configMap shared)'],
    security: ['runAsUser 1000', 'capabilities {"drop":["ALL"]}'],
  });
  expect(JSON.stringify(facts)).not.toContain('secret value');
});

test('a bare container has no headings', () => {
  expect(factsOf({ name: 'app', image: 'a' })).toEqual([]);
});
