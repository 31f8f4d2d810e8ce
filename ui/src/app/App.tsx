import { CSPProvider } from '@base-ui/react/csp-provider';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect, useState } from 'react';

import { session } from '../api/client';
import { onTick } from '../api/wake';
import { makeRouter } from './router';

/** The whole page. */
export function App() {
  const [queries] = useState(
    () => new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 60_000 } } }),
  );
  const [router] = useState(() => makeRouter(queries));
  useEffect(
    () =>
      onTick(() => {
        session.check();
      }),
    [],
  );
  useEffect(
    () =>
      session.onReturn(() => {
        // What has failed meanwhile is asked again.
        void queries.invalidateQueries();
        void router.invalidate();
      }),
    [queries, router],
  );
  return (
    // The content security policy refuses style elements that a library makes.
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </CSPProvider>
  );
}
