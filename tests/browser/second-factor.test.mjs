// A second factor: set up, asked for, and given up.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, PASSWORD, person, SITE, totp, watched, windowOf } from './stage.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const section = (page) => page.locator('section', { has: page.getByRole('heading', { name: 'Second factor' }) });

/** The secret of the page, once it is there. */
async function offered(page) {
  await page.goto(`${SITE}/settings/account`);
  await page.getByRole('button', { name: 'Turn it on' }).click();
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('img', { name: 'The secret as a QR code' }).waitFor();
  return section(page).locator('code').innerText();
}

async function signOut(page) {
  await page.getByRole('button', { name: /^Signed in as/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

/** As far as the question for a code. */
async function begin(page, email) {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Second factor' }).waitFor();
  assert.equal(await page.getByRole('alert').count(), 0, 'nothing is wrong yet');
}

async function enter(page, code, button = 'Continue') {
  await page.getByLabel('Code', { exact: true }).fill(code);
  await page.getByRole('button', { name: button }).click();
}

test('with a second factor the password is half of signing in', async () => {
  const ada = await person('ada');
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  const secret = await offered(page);
  await enter(page, '000000', 'Turn it on');
  await page.getByRole('alert').getByText('It is wrong').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.name), 'code', 'it is where it went wrong');
  // Of the half minute before, so that the present code is still good.
  await enter(page, totp(secret, Date.now() - 30_000), 'Turn it on');
  await page.getByText('These ten codes are shown this once.').waitFor();
  const codes = await section(page).locator('li').allInnerTexts();
  assert.equal(new Set(codes).size, 10);

  // Whoever goes to put them away comes back to them, whatever the server is asked meanwhile.
  const asked = page.waitForResponse((answer) => answer.url() === `${SITE}/api/v1/session`);
  await page.evaluate(() => window.dispatchEvent(new Event('visibilitychange')));
  await asked;
  await page.getByText('On. Signing in takes a code').waitFor();
  assert.deepEqual(await section(page).locator('li').allInnerTexts(), codes);
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await section(page).getByRole('button', { name: 'Turn it off' }).waitFor();
  assert.equal(await page.getByText(codes[0]).count(), 0);
  const focus = await page.evaluate(() => document.activeElement.textContent);
  assert.equal(focus, 'Turn it off', 'the focus is where it was');

  await signOut(page);
  await begin(page, ada.email);
  await enter(page, '000000');
  await page.getByRole('alert').getByText('Wrong code').waitFor();
  await enter(page, totp(secret));
  await page.getByRole('heading', { name: 'Account' }).waitFor();

  await signOut(page);
  await begin(page, ada.email);
  await enter(page, codes[0]);
  await page.getByRole('heading', { name: 'Account' }).waitFor();
  await signOut(page);
  await begin(page, ada.email);
  await enter(page, codes[0]);
  await page.getByRole('alert').getByText('Wrong code').waitFor();
  // However it was written down.
  await enter(page, codes[1].toLowerCase().replaceAll('-', ' '));
  await page.getByRole('heading', { name: 'Account' }).waitFor();

  await page.getByRole('button', { name: 'Turn it off' }).click();
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await section(page).getByLabel('Code', { exact: true }).fill(codes[2]);
  await section(page).locator('form').getByRole('button', { name: 'Turn it off' }).click();
  await page.getByText('Off. Anybody with your password').waitFor();
  await signOut(page);
  await page.getByLabel('E-mail').fill(ada.email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Account' }).waitFor();
  assert.deepEqual(page.wrong, []);
  await context.close();
});
