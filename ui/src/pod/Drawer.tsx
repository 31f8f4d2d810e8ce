import { useTranslation } from 'react-i18next';

import type { ComponentProps } from 'react';

import styles from './Drawer.module.css';
import { PodPanel } from './PodPanel';

/** One pod beside the list. */
export function Drawer(props: ComponentProps<typeof PodPanel>) {
  const { t } = useTranslation();
  return (
    <aside className={styles.drawer} aria-label={t('pod.label', { name: props.place.name })}>
      <PodPanel {...props} />
    </aside>
  );
}
