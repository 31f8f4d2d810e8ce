import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';

import { AccountPage } from '../account/AccountPage';
import { LogInPage } from '../account/LogInPage';
import { isLoggedOut, me } from '../account/session';
import { PodsPage } from '../pods/PodsPage';
import { base } from './base';
import { Frame } from './Frame';
import { ErrorPage, NotFoundPage } from './messages';
import { lazily } from './release';
import { parseSearch, safeNext, stringifySearch } from './search';
import { Shell } from './Shell';

const rootRoute = createRootRouteWithContext<{ queries: QueryClient }>()({ component: Shell });

const logInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  validateSearch: (search: Record<string, unknown>): { next?: string } =>
    search['next'] === undefined ? {} : { next: safeNext(search['next']) },
  component: LogInPage,
});

/** Every page that needs a session. Without one, the log-in comes first and leads back. */
const sessionRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'session',
  component: Frame,
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queries.query({ ...me, staleTime: 'static' });
    } catch (error) {
      if (!isLoggedOut(error)) throw error;
      const next = location.href === '/' ? {} : { next: location.href };
      // The router's way to leave a route is to throw this.
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw redirect({ to: '/login', search: next, replace: true });
    }
  },
});

const startRoute = createRoute({ getParentRoute: () => sessionRoute, path: '/', component: PodsPage });
const podsRoute = createRoute({ getParentRoute: () => sessionRoute, path: '/pods', component: PodsPage });
const accountRoute = createRoute({ getParentRoute: () => sessionRoute, path: '/me', component: AccountPage });

const PodPage = lazyRouteComponent(() => lazily(() => import('../pod/PodPage')), 'PodPage');
const podRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: '/c/$cluster/ns/$namespace/pods/$name/{-$tab}',
  component: PodPage,
});

const ClustersPage = lazyRouteComponent(() => lazily(() => import('../clusters/ClustersPage')), 'ClustersPage');
// One route, so that opening the panel beside the clusters does not draw them anew.
const clustersRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: '/clusters/{-$name}',
  component: ClustersPage,
});

const routeTree = rootRoute.addChildren([
  logInRoute,
  sessionRoute.addChildren([startRoute, podsRoute, podRoute, clustersRoute, accountRoute]),
]);

/** Makes the router of the page. */
export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree,
    basepath: base === '' ? '/' : base,
    context: { queries },
    parseSearch,
    stringifySearch,
    defaultErrorComponent: ErrorPage,
    defaultNotFoundComponent: NotFoundPage,
    // The router's own scroll restoration would put a script into the page.
    scrollRestoration: false,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
