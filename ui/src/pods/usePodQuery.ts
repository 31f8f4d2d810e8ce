import { useNavigate, useRouterState } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';

import { type Place, readPlace, writePlace } from '../pod/place';
import { isSameQuery, NOT_WELL, type PodQuery, readQuery, writeQuery } from './query';

/** The query and the open pod of the URL, and what changes them. */
export interface PodUrl {
  readonly query: PodQuery;
  readonly place: Place | undefined;
  readonly setQuery: (query: PodQuery, isTyping: boolean) => void;
  readonly setPlace: (place: Place | undefined, isMoving: boolean) => void;
}

/**
 * Returns the query and the open pod of the URL, and what changes them. Typing and moving on replace
 * the URL; everything else can be gone back from.
 */
export function usePodQuery(): PodUrl {
  const navigate = useNavigate();
  const isStart = useRouterState({ select: ({ location }) => !location.pathname.endsWith('/pods') });
  const searchText = useRouterState({ select: ({ location }) => location.searchStr });
  const search = useRouterState({ select: ({ location }) => location.search });
  // The text decides whether the query is another one: the router makes a new object each time.
  const query = useMemo(() => (isStart ? NOT_WELL : readQuery(search)), [isStart, searchText]);
  const place = useMemo(() => (isStart ? undefined : readPlace(search)), [isStart, searchText]);
  const setQuery = useCallback(
    (next: PodQuery, isTyping: boolean) => {
      if (isSameQuery(next, query)) return;
      const to = { ...writeQuery(next), ...writePlace(place) };
      void navigate({ to: '/pods', search: to, replace: isTyping && !isStart });
    },
    [navigate, query, place, isStart],
  );
  const setPlace = useCallback(
    (next: Place | undefined, isMoving: boolean) => {
      void navigate({ to: '/pods', search: { ...writeQuery(query), ...writePlace(next) }, replace: isMoving });
    },
    [navigate, query],
  );
  return { query, place, setQuery, setPlace };
}
