import styles from './ClusterName.module.css';

interface ClusterNameProps {
  readonly name: string;
  /** The cluster's colour, from 0; absent if it has none. */
  readonly number?: number | undefined;
}

/** A cluster's colour and name. */
export function ClusterName({ name, number }: ClusterNameProps) {
  const colour = number === undefined ? 'none' : `src${(number % 8) + 1}`;
  return (
    <span className={`${styles.cluster} ${styles[colour]}`}>
      <span className={styles.name}>{name}</span>
    </span>
  );
}
