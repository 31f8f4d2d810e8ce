import { useEffect } from 'react';

/** Shows a page's name in the browser's tab, with how many pods are not well. */
export function useTitle(title: string, count = 0, isLive = true): void {
  useEffect(() => {
    document.title = `${count > 0 ? `(${count}) ` : ''}${title} · Podgate`;
  }, [title, count]);
  useEffect(() => {
    document.documentElement.dataset['live'] = String(isLive);
  }, [isLive]);
}
