// An organization: made, its members and invitations, and what its members may not do.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { address, ask, launch, mailed, organization, person, SITE, watched, windowOf } from './stage.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const MEMBERS = `${SITE}/settings/organization-members`;

test('an admin makes an organization, invites, takes back, promotes, switches off and removes', async () => {
  const [ada, bob] = [await person('ada'), await person('bob', { first_name: 'Bob' })];
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  await page.goto(`${SITE}/settings/account`);
  await page.getByRole('button', { name: 'Create an organization' }).click();
  await page.getByLabel('Name', { exact: true }).fill(' ');
  await page.getByRole('button', { name: 'Create it' }).click();
  await page.getByRole('alert').getByText('1 to 100 characters').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('Acme <b>');
  await page.getByRole('button', { name: 'Create it' }).click();
  await page.getByRole('button', { name: 'Switch to Acme <b>' }).click();
  await page.getByRole('button', { name: 'Members of Acme <b>' }).click();
  await page.getByRole('heading', { name: 'Members of Acme <b>' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'SSO' }).count(), 0, 'not on this plan');
  await page.getByText('None is open.').waitFor();
  const nobody = address('nobody');
  for (const email of [nobody, bob.email]) {
    await page.getByLabel('E-mail').fill(email);
    await page.getByRole('button', { name: 'Invite' }).click();
    await page.getByText(`A letter to ${email} is on its way.`).waitFor();
  }
  await page.getByRole('button', { name: `Take back the invitation of ${nobody}` }).click();
  await page.getByRole('button', { name: `Take back the invitation of ${nobody}` }).waitFor({ state: 'detached' });
  const token = (await mailed(bob.email, '/invitations/accept')).split('=')[1];
  const accepted = await ask('POST', '/api/v1/session/invitations/accept', { token }, bob.cookie);
  assert.equal(accepted.status, 200);
  await page.reload();
  await page.getByRole('combobox', { name: 'Role of Bob' }).selectOption('org:admin');
  const members = `/api/v1/session/organizations/${accepted.body.data.id}/members`;
  const role = async () => {
    const { body } = await ask('GET', members, undefined, ada.cookie);
    return body.data.find(({ email }) => email === bob.email)?.role;
  };
  for (let tries = 0; tries < 100 && (await role()) !== 'org:admin'; tries += 1);
  assert.equal(await role(), 'org:admin');
  await page.getByRole('button', { name: 'Switch off Bob' }).click();
  await page.getByRole('dialog').getByText('the keys that they made in it are disabled').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click();
  await page.getByText('Switched off').waitFor();
  await page.getByRole('button', { name: 'Switch on Bob' }).click();
  await page.getByText('Switched off').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Remove Bob' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  const focus = await page.evaluate(() => document.activeElement.getAttribute('aria-label'));
  assert.equal(focus, 'Remove Bob', 'the focus is where it was');
  await page.getByRole('button', { name: 'Remove Bob' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('button', { name: 'Remove Bob' }).waitFor({ state: 'detached' });
  // The last admin stays one, and stays.
  await page.getByRole('button', { name: 'Leave' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
  await page.getByRole('dialog').getByText('at least one admin').waitFor();
  assert.deepEqual(page.wrong, []);
  await context.close();
});

test('a member sees who is there, changes nobody, and may leave', async () => {
  const [ada, bob] = [await person('ada'), await person('bob')];
  const acme = await organization(ada, 'Acme', 'enterprise');
  const invitations = `/api/v1/session/organizations/${acme}/invitations`;
  await ask('POST', invitations, { email: bob.email, role: 'org:member' }, ada.cookie);
  const token = (await mailed(bob.email, '/invitations/accept')).split('=')[1];
  await ask('POST', '/api/v1/session/invitations/accept', { token }, bob.cookie);
  await ask('PUT', '/api/v1/session/context', { account_id: acme }, bob.cookie);
  const context = await windowOf(browser, bob);
  const page = await watched(context);
  await page.goto(`${MEMBERS}?tab=security`);
  await page.getByText(ada.email).waitFor();
  assert.equal(await page.getByRole('combobox').count(), 0);
  assert.equal(await page.getByRole('heading', { name: 'Invitations' }).count(), 0);
  assert.equal(await page.getByRole('link', { name: 'Security' }).count(), 0);
  await page.getByRole('button', { name: 'Leave' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
  await page.getByRole('heading', { name: 'Account' }).waitFor();
  await page.locator('dd', { hasText: 'Personal' }).waitFor();
  await page.goto(MEMBERS);
  await page.getByText('You act for yourself').waitFor();
  assert.deepEqual(page.wrong, []);
  await context.close();
});
