// A person looks after their account: sessions, a forgotten password, an invitation.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ask, launch, mailed, PASSWORD, person, SITE, watched, windowOf } from './stage.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

async function signIn(page, email, password = PASSWORD) {
  await page.goto(`${SITE}/sign-in`);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('a session that is ended elsewhere is over here', async () => {
  const ada = await person('ada');
  const [here, there] = [await windowOf(browser, ada), await windowOf(browser, null)];
  const [page, other] = [await watched(here), await watched(there)];
  await signIn(other, ada.email);
  await other.getByRole('heading', { name: 'Account' }).waitFor();
  await page.goto(`${SITE}/settings/account`);
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await page.getByRole('button', { name: 'Sign out everywhere else' }).waitFor({ state: 'detached' });
  await other.reload();
  await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  await Promise.all([here.close(), there.close()]);
});

test('a forgotten password is set anew by the link of a letter', async () => {
  const ada = await person('ada');
  const context = await windowOf(browser, null);
  const page = await watched(context);
  await page.goto(`${SITE}/forgot-password`);
  await page.getByLabel('E-mail').fill(ada.email);
  await page.getByRole('button', { name: 'Send the letter' }).click();
  await page.getByRole('heading', { name: 'Look at your mail' }).waitFor();
  await page.goto(await mailed(ada.email, '/reset-password'));
  await page.getByLabel('New password').fill('another correct horse');
  assert.equal(new URL(page.url()).hash, '');
  await page.getByRole('button', { name: 'Set the password' }).click();
  await page.getByRole('heading', { name: 'The new password is set' }).waitFor();
  await signIn(page, ada.email, 'another correct horse');
  await page.getByRole('heading', { name: 'Account' }).waitFor();
  assert.deepEqual(page.wrong, []);
  await context.close();
});

test('who is invited signs in, accepts, and acts for the organization', async () => {
  const [ada, bob] = [await person('ada'), await person('bob')];
  const made = await ask('POST', '/api/v1/session/organizations', { name: 'Acme' }, ada.cookie);
  const invitations = `/api/v1/session/organizations/${made.body.data.id}/invitations`;
  const wish = { email: bob.email, role: 'org:member' };
  const invited = await ask('POST', invitations, wish, ada.cookie);
  assert.ok([200, 201].includes(invited.status), JSON.stringify(invited.body));
  const context = await windowOf(browser, null);
  const page = await watched(context);
  await page.goto(await mailed(bob.email, '/invitations/accept'));
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.getByLabel('E-mail').fill(bob.email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Accept the invitation' }).click();
  await page.getByRole('button', { name: 'Act for Acme' }).click();
  await page.getByRole('heading', { name: 'Account' }).waitFor();
  await page.locator('dd', { hasText: 'Acme' }).waitFor();
  assert.deepEqual(page.wrong, []);
  await context.close();
});
