// Who is signed in: in two tabs, after signing out, without a connection, with two clicks for one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ask, launch, organization, person, SITE, watched, windowOf } from './stage.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const heading = (page, name) => page.getByRole('heading', { name }).waitFor();

async function signOut(page) {
  await page.getByRole('button', { name: /^Signed in as/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await heading(page, 'Sign in');
}

test('who signs out in one tab is signed out in all, and nothing comes back', async () => {
  const ada = await person('ada');
  const context = await windowOf(browser, ada);
  const [page, other] = [await watched(context), await watched(context)];
  await page.goto(`${SITE}/`);
  await page.goto(`${SITE}/settings/account`);
  await other.goto(`${SITE}/settings/account`);
  await other.getByText('This one').waitFor();
  await signOut(page);
  await heading(other, 'Sign in');
  assert.equal(await other.getByText(ada.email).count(), 0);
  await page.goBack();
  await heading(page, 'Sign in');
  assert.equal(await page.getByText(ada.email).count(), 0);
  assert.deepEqual([page.wrong, other.wrong], [[], []]);
  await context.close();
});

test('a page that the browser kept shows nothing before it knows who is there', async () => {
  const ada = await person('ada');
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  await page.goto(`${SITE}/settings/account`);
  await page.getByText('This one').waitFor();
  const shown = (type) =>
    page.evaluate((name) => {
      window.dispatchEvent(new PageTransitionEvent(name, { persisted: true }));
      return document.getElementById('app').checkVisibility();
    }, type);
  assert.equal(await shown('pagehide'), false);
  assert.equal((await ask('DELETE', '/api/v1/session', undefined, ada.cookie)).status, 200);
  assert.equal(await shown('pageshow'), false);
  await heading(page, 'Sign in');
  assert.equal(await page.getByText(ada.email).count(), 0);
  await context.close();
});

test('a session that ended meanwhile leads to signing in, and back', async () => {
  const ada = await person('ada');
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  await page.goto(`${SITE}/settings/account`);
  await page.getByText('This one').waitFor();
  await ask('DELETE', '/api/v1/session', undefined, ada.cookie);
  await page.getByRole('button', { name: 'Create an organization' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Acme');
  await page.getByRole('button', { name: 'Create it' }).click();
  await heading(page, 'Sign in');
  assert.equal(new URL(page.url()).searchParams.get('return_to'), '/settings/account');
  await context.close();
});

test('another account in one tab is another account in all', async () => {
  const ada = await person('ada');
  await organization(ada, 'Acme');
  const context = await windowOf(browser, ada);
  const [page, other] = [await watched(context), await watched(context)];
  await page.goto(`${SITE}/settings/organization-members`);
  await heading(page, 'Members of Acme');
  await other.goto(`${SITE}/settings/account`);
  await other.getByRole('button', { name: 'Acme', exact: true }).click();
  await other.getByRole('menuitemradio', { name: 'Personal' }).click();
  await page.getByText('You act for yourself').waitFor();
  await context.close();
});

test('without an answer people are told so, and can try again', async () => {
  const ada = await person('ada');
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  const api = `${SITE}/api/**`;
  await page.route(api, (route) => route.abort());
  await page.goto(`${SITE}/settings/account`);
  await heading(page, 'This page can');
  await page.getByText('could not be reached').waitFor();
  await page.unroute(api);
  await page.getByRole('button', { name: 'Try again' }).click();
  await heading(page, 'Account');
  await context.setOffline(true);
  await page.getByRole('button', { name: 'Create an organization' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Acme');
  await page.getByRole('button', { name: 'Create it' }).click();
  await page.getByRole('alert').getByText('could not be reached').waitFor();
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Acme', 'it is still there');
  await context.close();
});

test('two clicks are one wish, and the button that was pressed keeps the focus', async () => {
  const ada = await person('ada');
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  await page.goto(`${SITE}/settings/account`);
  await page.getByRole('button', { name: 'Create an organization' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Acme');
  let asked = 0;
  let answer;
  const held = new Promise((go) => (answer = go));
  await page.route(`${SITE}/api/v1/session/organizations`, async (route) => {
    asked += 1;
    await held;
    await route.continue();
  });
  await page.evaluate(() => {
    const button = [...document.querySelectorAll('button')].find((one) => one.textContent === 'Create it');
    button.focus();
    button.click();
    button.click();
  });
  await page.locator('button[aria-busy=true]').waitFor();
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Create it');
  answer();
  await page.getByRole('button', { name: 'Switch to Acme' }).waitFor();
  assert.equal(asked, 1);
  assert.equal(await page.getByRole('button', { name: 'Switch to Acme' }).count(), 1);
  await context.close();
});

test('who chose a theme sees no other one first, and the keyboard reaches everything in order', async () => {
  const context = await windowOf(browser, null, { colorScheme: 'light' });
  const page = await watched(context);
  await page.goto(`${SITE}/sign-in`);
  await page.getByRole('button', { name: /^Theme/ }).click();
  await page.getByRole('menuitemradio', { name: 'Dark' }).click();
  const html = await (await fetch(`${SITE}/sign-in`)).text();
  assert.match(html, /<script[^>]*blocking="render"/, 'nothing is painted before the theme is known');
  await page.reload();
  await heading(page, 'Sign in');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.getByRole('link', { name: 'Continue with Work' }).waitFor();
  await page.getByRole('link', { name: 'Signalbox' }).focus();
  const order = [];
  for (let step = 0; step < 9; step += 1) {
    await page.keyboard.press('Tab');
    order.push(
      await page.evaluate(() => {
        const { activeElement: at } = document;
        return at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent.trim();
      }),
    );
  }
  assert.deepEqual(order, [
    'Theme: Dark',
    'E-mail',
    'Password',
    'Forgot it?',
    'Show the password',
    'Sign in',
    'Continue with Work',
    'Continue with Gone',
    'Sign up',
  ]);
  await context.close();
});
