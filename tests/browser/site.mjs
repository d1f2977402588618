// Every page of the site, as tests and screenshots visit it.
import { ask, organization, person } from './stage.mjs';

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const asking = (more) =>
  `/auth?${new URLSearchParams({ code_challenge: CHALLENGE, code_challenge_method: 'S256', ...more })}`;

export const PAGES = [
  { name: 'home', path: '/', heading: 'Every model behind one API' },
  {
    name: 'sign-in-elsewhere-failed',
    path: '/sign-in?error=email_unverified',
    heading: 'Sign in',
    act: (page) => page.getByRole('link', { name: 'Continue with Work' }).waitFor(),
  },
  {
    name: 'second-factor-waits',
    path: '/sign-in?second_factor=required',
    heading: 'Second factor',
  },
  { name: 'not-found', path: '/no/such/page', heading: 'This page does not exist' },
  { name: 'sign-in', path: '/sign-in', heading: 'Sign in' },
  {
    name: 'sign-in-failed',
    path: '/sign-in',
    heading: 'Sign in',
    act: async (page) => {
      await page.getByLabel('E-mail').fill('nobody@example.test');
      await page.getByLabel('Password', { exact: true }).fill('not the password');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').waitFor();
    },
  },
  { name: 'sign-up', path: '/sign-up', heading: 'Sign up' },
  { name: 'forgot-password', path: '/forgot-password', heading: 'Set a new password' },
  { name: 'reset-password', path: '/reset-password#token=abc', heading: 'Set a new password' },
  { name: 'verify-email', path: '/verify-email#token=abc', heading: 'Sign in to verify your e-mail' },
  { name: 'invitation', path: '/invitations/accept#token=abc', heading: 'You are invited' },
  {
    name: 'auth',
    path: asking({
      callback_url: 'https://studio.example/oauth/callback?state=7f3a',
      key_label: 'Studio on my laptop',
      limit: '20',
      usage_limit_type: 'monthly',
    }),
    heading: 'Authorization request',
    signedIn: true,
    act: (page) => page.getByRole('button', { name: 'Authorize' }).waitFor(),
  },
  {
    name: 'auth-refused',
    path: asking({ callback_url: 'https://studio.example@evil.example/' }),
    heading: "This request can't be granted",
    signedIn: true,
  },
  {
    name: 'auth-code',
    path: asking({ key_label: 'Command line' }),
    heading: 'Your code',
    signedIn: true,
    begin: 'Authorization request',
  },
  {
    name: 'account',
    path: '/settings/account',
    heading: 'Account',
    signedIn: true,
    act: (page) => page.getByText('This one').waitFor(),
  },
  {
    name: 'account-second-factor',
    path: '/settings/account',
    heading: 'Account',
    signedIn: true,
    act: async (page) => {
      await page.getByRole('button', { name: 'Turn it on' }).click();
      await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('img', { name: 'The secret as a QR code' }).waitFor();
    },
  },
  {
    name: 'members',
    path: '/settings/organization-members',
    heading: 'Members of Acme',
    acting: true,
    act: (page) => page.getByText('grace@example.test').waitFor(),
  },
  {
    name: 'members-leave',
    path: '/settings/organization-members',
    heading: 'Members of Acme',
    acting: true,
    act: async (page) => {
      await page.getByRole('button', { name: 'Leave' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'sso',
    path: '/settings/organization-members?tab=sso',
    heading: 'Members of Acme',
    acting: true,
    act: (page) => page.getByText('Enabled since').waitFor(),
  },
  {
    name: 'security',
    path: '/settings/organization-members?tab=security',
    heading: 'Members of Acme',
    acting: true,
    act: (page) => page.getByText('There is no token yet.').waitFor(),
  },
  {
    name: 'account-menu',
    path: '/settings/account',
    heading: 'Account',
    signedIn: true,
    act: async (page) => {
      await page.getByText('This one').waitFor();
      await page.getByRole('button', { name: /^Signed in as/ }).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).waitFor();
    },
  },
];

/** Somebody who acts for an organization with something on each of its pages. */
export async function acting() {
  const somebody = await person('grace');
  const acme = await organization(somebody, 'Acme', 'enterprise');
  const at = `/api/v1/session/organizations/${acme}`;
  const invitation = { email: 'grace@example.test', role: 'org:member' };
  await ask('POST', `${at}/invitations`, invitation, somebody.cookie);
  await ask('POST', `${at}/sso/enable`, undefined, somebody.cookie);
  const domain = `acme-${acme.slice(-8).toLowerCase().replaceAll(/[^a-z0-9]/g, 'x')}.example`;
  const added = await ask('POST', `${at}/sso/connections`, { domain }, somebody.cookie);
  if (added.status !== 201) throw new Error(JSON.stringify(added.body));
  return somebody;
}

/** Goes to a page and makes it show what it is there for. */
export async function visit(page, site, { path, heading, begin, act }) {
  await page.goto(site + path);
  await page.getByRole('heading', { name: begin ?? heading, exact: true }).waitFor();
  if (begin !== undefined) {
    await page.getByRole('button', { name: 'Authorize' }).click();
    await page.getByRole('heading', { name: heading, exact: true }).waitFor();
  }
  await act?.(page);
}
