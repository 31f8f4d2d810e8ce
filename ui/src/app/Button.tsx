import type { ComponentProps } from 'react';

import styles from './Button.module.css';

/**
 * How a button looks. `primary` is the one action that a view is for, `quiet` stands in a bar,
 * `danger` leads to what can't be undone, and `kill` does it.
 */
export type ButtonLook = 'plain' | 'primary' | 'quiet' | 'danger' | 'kill';

interface ButtonProps extends ComponentProps<'button'> {
  look?: ButtonLook;
  /** Whether it shows an icon alone; its name is then its `aria-label`. */
  isIcon?: boolean;
}

/** Returns the class names of a button. */
export function buttonNames(look: ButtonLook = 'plain', isIcon = false, more?: string): string {
  const quiet = look === 'danger' ? styles.quiet : undefined;
  return [styles.button, quiet, styles[look], isIcon && styles.iconOnly, more].filter(Boolean).join(' ');
}

/** A button. It submits nothing unless its `type` says so. */
export function Button({ look = 'plain', isIcon = false, type = 'button', className, ...rest }: ButtonProps) {
  return <button {...rest} type={type} className={buttonNames(look, isIcon, className)} />;
}
