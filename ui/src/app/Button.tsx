import type { ComponentProps } from 'react';

import styles from './Button.module.css';

interface ButtonProps extends ComponentProps<'button'> {
  /** `primary` is the one action that a view is for. */
  look?: 'plain' | 'primary';
}

/** A button. It submits nothing unless its `type` says so. */
export function Button({ look = 'plain', type = 'button', className, ...rest }: ButtonProps) {
  return <button {...rest} type={type} className={[styles.button, styles[look], className].filter(Boolean).join(' ')} />;
}
