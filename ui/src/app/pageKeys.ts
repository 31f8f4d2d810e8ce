import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';

import { type Action, IS_MAC, isTyping, KeyReader } from './keys';

/** What a page does for keys that act anywhere. */
export type PageActions = Partial<Record<Action, () => void>>;

/** Follows the keys that act anywhere, except where one types. */
export function usePageKeys(actions: PageActions): void {
  const navigate = useNavigate();
  const current = useRef(actions);
  useEffect(() => {
    current.current = actions;
  }, [actions]);
  useEffect(() => {
    const reader = new KeyReader();
    const go: PageActions = {
      goPods: () => void navigate({ to: '/pods' }),
      goNotWell: () => void navigate({ to: '/' }),
      goClusters: () => void navigate({ to: '/clusters/{-$name}', params: { name: undefined } }),
    };
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isTyping(event.target)) return;
      const action = reader.read(event, 'anywhere', event.timeStamp, IS_MAC);
      const act = action === undefined ? undefined : (current.current[action] ?? go[action]);
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => {
      window.removeEventListener('keydown', onKeyDown);
    };
  }, [navigate]);
}
