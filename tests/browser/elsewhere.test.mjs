// Signing in elsewhere, at oidc-provider: people come back as somebody, or hear why not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Provider } from 'oidc-provider';

import { address, admin, ask, launch, organization, PASSWORD, person, SITE, totp, watched, windowOf } from './stage.mjs';

const { PROVIDER_PORT } = process.env;
const ISSUER = `http://127.0.0.1:${PROVIDER_PORT}`;

/** What the provider says of those who sign in there, by the names that they type. */
const people = {};
let browser;
let server;

const client = (id, source) => ({
  client_id: id,
  token_endpoint_auth_method: 'none',
  redirect_uris: [`${SITE}/api/v1/session/callback/${source}`],
  grant_types: ['authorization_code'],
  response_types: ['code'],
});

function serve(clients) {
  const provider = new Provider(ISSUER, {
    clients,
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name'] },
    pkce: { required: () => true },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
  });
  return new Promise((ready) => {
    const listening = provider.listen(Number(PROVIDER_PORT), '127.0.0.1', () => ready(listening));
  });
}
const end = (listening) => new Promise((ended) => listening.close(ended).closeAllConnections());

before(async () => {
  browser = await launch();
  server = await serve([client('signalbox', 'work')]);
});
after(async () => {
  await browser.close();
  await end(server);
});

/** Signs in there, and agrees to what is told here. */
async function there(page, login) {
  await page.waitForURL(`${ISSUER}/**`);
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.locator('input[name=prompt][value=consent]').waitFor({ state: 'attached' });
  await page.locator('button[type=submit]').click();
}

const heading = (page, name) => page.getByRole('heading', { name }).waitFor();

async function signOut(page) {
  await page.getByRole('button', { name: /^Signed in as/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await heading(page, 'Sign in');
}

test('who is unknown here signs in there, lands where they wanted to, and has an account', async () => {
  people.newcomer = { email: address('newcomer'), email_verified: true, given_name: 'Nora' };
  const context = await windowOf(browser, null);
  const page = await watched(context);
  await page.goto(`${SITE}/settings/account?from=letter`);
  await heading(page, 'Sign in');
  await page.getByRole('link', { name: 'Continue with Work' }).click();
  await there(page, 'newcomer');
  await heading(page, 'Account');
  assert.equal(page.url(), `${SITE}/settings/account?from=letter`);
  await page.locator('dd', { hasText: people.newcomer.email }).waitFor();
  const section = page.locator('section', { hasText: 'Signing in elsewhere' });
  await section.getByText(`Work · ${people.newcomer.email}`).waitFor();
  // Without a password this is the only way in.
  await section.getByRole('button', { name: 'Unlink Work' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Unlink it' }).click();
  await page.getByRole('dialog').getByText('There is no other way to sign in').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.deepEqual(page.wrong, []);
  await context.close();
});

test('who is refused hears why, and still gets to where they wanted to', async () => {
  people.eve = { email: address('eve'), email_verified: false };
  const ada = await person('ada');
  const context = await windowOf(browser, null);
  const page = await watched(context);
  await page.goto(`${SITE}/sign-in?return_to=${encodeURIComponent('/settings/account#kept')}`);
  await page.getByRole('link', { name: 'Continue with Work' }).click();
  await there(page, 'eve');
  await page.getByRole('alert').getByText('has not verified your e-mail address').waitFor();
  await page.getByRole('link', { name: 'Continue with Gone' }).click();
  await page.getByRole('alert').getByText('does not answer').waitFor();
  await page.goto(`${SITE}/sign-in?error=%3Cscript%3E&return_to=//evil.example`);
  await page.getByRole('alert').getByText('Signing in elsewhere did not work').waitFor();
  await page.goto(`${SITE}/sign-in?error=email_unverified&return_to=/settings/account%23kept`);
  await page.getByLabel('E-mail').fill(ada.email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await heading(page, 'Account');
  assert.equal(page.url(), `${SITE}/settings/account#kept`);
  // Somebody who is signed in is told all the same, and goes on.
  await page.goto(`${SITE}/sign-in?error=state_invalid`);
  await page.getByRole('alert').getByText('That took too long').waitFor();
  await page.getByRole('button', { name: 'Go on' }).click();
  await heading(page, 'Account');
  assert.deepEqual(page.wrong, []);
  await context.close();
});

test('an identity is linked, asks for the second factor that is here, and is unlinked', async () => {
  const ada = await person('ada');
  people.ada = { email: address('elsewhere'), email_verified: true };
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  await page.goto(`${SITE}/settings/account`);
  const section = page.locator('section', { hasText: 'Signing in elsewhere' });
  await section.getByText('Nobody yet: your password signs you in.').waitFor();
  await section.getByRole('button', { name: 'Link Work' }).click();
  await there(page, 'ada');
  await section.getByText('Work is linked.').waitFor();
  assert.equal(new URL(page.url()).search, '', 'the address is clean again');

  const offer = await ask('POST', '/api/v1/session/second-factor', { password: PASSWORD }, ada.cookie);
  const { secret } = offer.body.data;
  const code = totp(secret, Date.now() - 30_000);
  const on = await ask('POST', '/api/v1/session/second-factor/confirm', { code }, ada.cookie);
  assert.equal(on.status, 200, JSON.stringify(on.body));
  await signOut(page);
  await page.getByRole('link', { name: 'Continue with Work' }).click();
  // The provider has a session of its own and asks nothing.
  await heading(page, 'Second factor');
  assert.match(page.url(), /second_factor=required/);
  await page.getByLabel('Code', { exact: true }).fill('000000');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('alert').getByText('Wrong code').waitFor();
  await page.getByLabel('Code', { exact: true }).fill(totp(secret));
  await page.getByRole('button', { name: 'Continue' }).click();
  await heading(page, 'Account');
  await page.locator('dd', { hasText: ada.email }).waitFor();

  await section.getByRole('button', { name: 'Unlink Work' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Unlink it' }).click();
  await section.getByText('Nobody yet: your password signs you in.').waitFor();
  assert.deepEqual(page.wrong, []);
  await context.close();
});

test('an admin sets single sign-on up, and its people have no other way in', async () => {
  const ada = await person('ada');
  const acme = await organization(ada, 'Acme', 'enterprise');
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  await page.goto(`${SITE}/settings/organization-members?tab=sso`);
  await page.getByRole('button', { name: 'Enable SSO' }).click();
  await page.getByRole('dialog').getByText('This can’t be undone').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Enable SSO' }).click();
  await page.getByRole('link', { name: 'Security' }).first().click();
  await page.getByLabel('Domain').fill('not a domain');
  await page.getByRole('button', { name: 'Add it' }).click();
  await page.getByRole('alert').getByText('Such as example.com').waitFor();
  await page.getByLabel('Domain').fill('acme.invalid');
  await page.getByRole('button', { name: 'Add it' }).click();
  const card = page.locator('section', { has: page.getByRole('heading', { name: 'acme.invalid' }) });
  // Registrars append the domain by themselves: the host is shown apart.
  await card.locator('dd', { hasText: /^_signalbox/ }).waitFor();
  await card.locator('dd', { hasText: 'signalbox-domain-verification=' }).waitFor();
  await card.getByText('_signalbox.acme.invalid').waitFor();
  await card.getByRole('button', { name: 'Verify the domain' }).click();
  await card.getByRole('alert').getByText('The TXT record is not there').waitFor();
  await card.getByLabel('Issuer').fill('http://10.0.0.1/');
  await card.getByLabel('Client id').fill('us');
  await card.getByRole('button', { name: 'Connect it' }).click();
  await card.getByRole('alert').getByText('An https address').waitFor();
  assert.ok(await card.getByRole('button', { name: 'Activate it' }).isDisabled());

  // What the operator vouches for needs no record.
  const domain = `works-${process.pid}.example`;
  const made = admin('sso', 'connect', '--organization', acme, '--domain', domain, '--issuer', ISSUER, '--client-id', 'works', '--json');
  const { id } = JSON.parse(made);
  await end(server);
  server = await serve([client('signalbox', 'work'), client('works', id)]);
  people.worker = { email: `worker@${domain}`, email_verified: true };
  await page.reload();
  const works = page.locator('section', { has: page.getByRole('heading', { name: domain }) });
  await works.getByRole('button', { name: 'Test the connection' }).click();
  await there(page, 'worker');
  await page.getByText(`The test succeeded: ${domain}`).waitFor();
  await works.getByText('In use').waitFor();

  // A token of a directory is shown once.
  await page.getByLabel('Name').fill('Okta');
  await page.getByRole('combobox', { name: 'Domain' }).selectOption(domain);
  await page.getByRole('button', { name: 'Make a token' }).click();
  const token = await page.locator('code', { hasText: /^scim-/ }).innerText();
  await page.locator('code', { hasText: `${SITE}/scim/v2` }).waitFor();
  await page.getByRole('button', { name: 'I have kept it' }).click();
  await page.getByText('never used').waitFor();
  assert.ok(!(await page.content()).includes(token), 'the token is gone from the page');
  await page.reload();
  await page.getByText('never used').waitFor();
  assert.ok(!(await page.content()).includes(token), 'and does not come back');

  const outside = await windowOf(browser, null);
  const other = await watched(outside);
  await other.goto(`${SITE}/sign-in?return_to=/settings/organization-members`);
  await other.getByLabel('E-mail').fill(`worker@${domain}`);
  await other.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await other.getByRole('link', { name: 'Continue there' }).click();
  await there(other, 'worker');
  await heading(other, 'Members');
  await page.goto(`${SITE}/settings/organization-members`);
  await page.getByText(`worker@${domain}`).waitFor();
  assert.deepEqual([page.wrong, other.wrong], [[], []]);
  await Promise.all([context.close(), outside.close()]);
});
