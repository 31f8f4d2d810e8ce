import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { base } from '../app/base';
import { Button } from '../app/Button';
import { useTicking } from '../app/clock';
import { copyText } from '../app/copyText';
import { Icon, StateMark } from '../app/icons';
import { type MenuItem, MoreMenu } from '../app/MoreMenu';
import { useTimes } from '../app/times';
import { ClusterName } from '../clusters/ClusterName';
import { short } from '../pods/age';
import { NameCell } from '../pods/cells';
import type { Pod } from '../pods/pod';
import { EVERYTHING, type PodQuery, writeQuery } from '../pods/query';
import { classOf } from '../pods/status';
import { stringifySearch } from '../app/search';
import styles from './PodHead.module.css';
import { pageOf, type Place, writeSpot } from './place';

interface PodHeadProps {
  readonly place: Place;
  readonly row: Pod | undefined;
  readonly clusterNumber: number | undefined;
  /** Opens the list's next or previous pod; absent where there is no list. */
  readonly onMove?: ((step: 1 | -1) => void) | undefined;
  readonly onDelete?: (() => void) | undefined;
  /** Shows the pod as a page; absent where it is one. */
  readonly onPage?: (() => void) | undefined;
  readonly onClose: () => void;
}

/** The name of a pod, where it runs, and what can be done with it. */
export function PodHead({ place, row, clusterNumber, onMove, onDelete, onPage, onClose }: PodHeadProps) {
  const { t } = useTranslation();
  const items: MenuItem[] = [
    { label: t('pod.copyLink'), onSelect: () => void copyText(linkOf(place)) },
    { label: t('pod.copyKubectl'), onSelect: () => void copyText(kubectlOf(place)) },
  ];
  if (onPage !== undefined) items.push({ label: t('pod.openPage'), keyName: '⇧↵', onSelect: onPage });
  if (onDelete !== undefined) {
    items.push({ label: t('pod.delete'), keyName: '⌃D', onSelect: onDelete, isDanger: true });
  }
  return (
    <header className={styles.head}>
      <div className={styles.line}>
        {row !== undefined && <StateMark shape={classOf(row)} />}
        <h2 className={styles.title}>
          <NameCell pod={{ name: place.name, owner: row?.owner ?? null }} />
        </h2>
        <Tool label={t('pod.copyName')} icon="copy" onClick={() => void copyText(place.name)} />
        <span className={styles.tools}>
          <MoreMenu label={t('pod.moreOf', { name: place.name })} items={items} />
          {onMove !== undefined && (
            <>
              <Tool
                label={t('pod.previous')}
                icon="up"
                shortcut="k"
                onClick={() => {
                  onMove(-1);
                }}
              />
              <Tool
                label={t('pod.next')}
                icon="down"
                shortcut="j"
                onClick={() => {
                  onMove(1);
                }}
              />
            </>
          )}
          <Tool label={t('pod.close')} icon="close" shortcut="Escape" onClick={onClose} />
        </span>
      </div>
      <Crumb place={place} row={row} clusterNumber={clusterNumber} />
    </header>
  );
}

/** Where the pod is, each part of it a link to what is also there. */
function Crumb({ place, row, clusterNumber }: Pick<PodHeadProps, 'place' | 'row' | 'clusterNumber'>) {
  const { t } = useTranslation();
  const { exact } = useTimes();
  const createdAt = row?.createdAt ?? '';
  const age = useTicking((now) => (createdAt === '' ? '' : short(now - Date.parse(createdAt))));
  const cluster = [place.cluster];
  const namespace = [place.namespace];
  const owner = row?.owner ?? null;
  return (
    <div className={styles.crumb}>
      <To query={{ cluster }}>
        <ClusterName name={place.cluster} number={clusterNumber} />
      </To>
      <Icon name="right" size="small" />
      <To query={{ cluster, namespace }}>{place.namespace}</To>
      {owner !== null && (
        <>
          <Icon name="right" size="small" />
          <span className={styles.shrink}>
            <To query={{ cluster, namespace, owner: [`${owner.kind}/${owner.name}`] }}>
              {owner.kind} {owner.name}
            </To>
          </span>
        </>
      )}
      {row !== undefined && row.nodeName !== '' && (
        <span className={styles.dot}>
          <To query={{ cluster, nodeName: [row.nodeName] }}>{row.nodeName}</To>
        </span>
      )}
      {row !== undefined && row.podIP !== '' && <span className={styles.dot}>{row.podIP}</span>}
      {age !== '' && (
        <span className={styles.dot} title={exact(createdAt)}>
          {t('pod.old', { age })}
        </span>
      )}
    </div>
  );
}

function To({ query, children }: { query: Partial<PodQuery>; children: ReactNode }) {
  return (
    <Link to="/pods" search={writeQuery({ ...EVERYTHING, ...query })}>
      {children}
    </Link>
  );
}

interface ToolProps {
  readonly label: string;
  readonly icon: 'copy' | 'up' | 'down' | 'close';
  readonly shortcut?: string;
  readonly onClick: () => void;
}

function Tool({ label, icon, shortcut, onClick }: ToolProps) {
  return (
    <Button look="quiet" isIcon aria-label={label} aria-keyshortcuts={shortcut} title={label} onClick={onClick}>
      <Icon name={icon} />
    </Button>
  );
}

/** Returns the address of a pod's page for somebody else. */
function linkOf(place: Place): string {
  return `${location.origin}${base}${pageOf(place)}${stringifySearch(writeSpot(place))}`;
}

/** Returns the command that describes the pod, for a terminal with a kubeconfig. */
function kubectlOf({ cluster, namespace, name }: Place): string {
  const quoted = /^[\w.:@/-]+$/.test(cluster) ? cluster : `'${cluster.replaceAll("'", String.raw`'\''`)}'`;
  return `kubectl --context ${quoted} --namespace ${namespace} describe pod ${name}`;
}
