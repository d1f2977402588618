import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from '@tanstack/react-router';

import { parseSearch, stringifySearch } from './lib/search.ts';
import { Broken } from './routes/broken.tsx';
import { NotFound } from './routes/not-found.tsx';

const root = createRootRoute({
  component: Outlet,
  notFoundComponent: NotFound,
  errorComponent: Broken,
});

const under = () => root;

// The pages. `crates/server/src/route/table/app.rs` has the same addresses.
const pages = [
  createRoute({
    getParentRoute: under,
    path: '/',
    component: lazyRouteComponent(() => import('./routes/home.tsx'), 'Home'),
  }),
  createRoute({
    getParentRoute: under,
    path: '/sign-in',
    component: lazyRouteComponent(() => import('./routes/sign-in/page.tsx'), 'SignIn'),
  }),
  createRoute({
    getParentRoute: under,
    path: '/sign-up',
    component: lazyRouteComponent(() => import('./routes/sign-up/page.tsx'), 'SignUp'),
  }),
  createRoute({
    getParentRoute: under,
    path: '/forgot-password',
    component: lazyRouteComponent(
      () => import('./routes/forgot-password/page.tsx'),
      'ForgotPassword',
    ),
  }),
  createRoute({
    getParentRoute: under,
    path: '/reset-password',
    component: lazyRouteComponent(
      () => import('./routes/reset-password/page.tsx'),
      'ResetPassword',
    ),
  }),
  createRoute({
    getParentRoute: under,
    path: '/verify-email',
    component: lazyRouteComponent(() => import('./routes/verify-email/page.tsx'), 'VerifyEmail'),
  }),
  createRoute({
    getParentRoute: under,
    path: '/invitations/accept',
    component: lazyRouteComponent(
      () => import('./routes/invitations/accept/page.tsx'),
      'AcceptInvitation',
    ),
  }),
  createRoute({
    getParentRoute: under,
    path: '/auth',
    component: lazyRouteComponent(() => import('./routes/auth/page.tsx'), 'Consent'),
  }),
  createRoute({
    getParentRoute: under,
    path: '/settings/account',
    component: lazyRouteComponent(() => import('./routes/settings/account/page.tsx'), 'Account'),
  }),
  createRoute({
    getParentRoute: under,
    path: '/settings/organization-members',
    component: lazyRouteComponent(
      () => import('./routes/settings/organization-members/page.tsx'),
      'OrganizationMembers',
    ),
  }),
] as const;

export const router = createRouter({
  routeTree: root.addChildren(pages),
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
