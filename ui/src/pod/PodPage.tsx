import { useNavigate, useParams, useRouter, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { Foot } from '../app/Foot';
import { Head, LiveMark } from '../app/Head';
import { useList, useLive } from '../app/live';
import { usePageKeys } from '../app/pageKeys';
import { useTitle } from '../app/title';
import { EVERYTHING, writeQuery } from '../pods/query';
import { useDeletion } from '../pods/useDeletion';
import { PodPanel } from './PodPanel';
import { type Place, pageOf, readSpot, tabOf, writeSpot } from './place';

/** One pod as a page of its own, so that it has all the room. */
export function PodPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { history } = useRouter();
  const place = usePlace();
  const { cluster, namespace, name } = place;
  const { summary } = useLive();
  const { clusters, connection } = useList(summary);
  const { begin, dialog, line } = useDeletion(clusters);
  useTitle(name, undefined, connection.phase === 'open');
  usePageKeys({});
  const number = clusters.findIndex((one) => one.name === cluster);
  const toList = () => {
    if (history.canGoBack()) history.back();
    else
      void navigate({ to: '/pods', search: writeQuery({ ...EVERYTHING, cluster: [cluster], namespace: [namespace] }) });
  };
  return (
    <>
      <Head title={t('nav.pods')} sub={name}>
        <LiveMark connection={connection} clusters={clusters} />
      </Head>
      <PodPanel
        place={place}
        clusterNumber={number < 0 || clusters.length > 8 ? undefined : number}
        onPlace={(next) => {
          void navigate({ to: pageOf(next), search: writeSpot(next), replace: true });
        }}
        onClose={toList}
        onDelete={(pod) => {
          begin([pod]);
        }}
      />
      <Foot region="pod">{line}</Foot>
      {dialog}
    </>
  );
}

function usePlace(): Place {
  const { cluster = '', namespace = '', name = '', tab = '' } = useParams({ strict: false });
  const search = useSearch({ strict: false });
  return { cluster, namespace, name, ...readSpot(search), tab: tabOf(tab) };
}
