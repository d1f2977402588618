// A third-party app signs a person in with PKCE and gets a key with the limit that the person chose.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
  address,
  appServer,
  ask,
  challenge,
  consentPage,
  grant,
  launch,
  mailed,
  PASSWORD,
  person,
  SITE,
  watched,
  windowOf,
} from './stage.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** What an app does with a code. */
async function exchange(code, code_verifier) {
  const response = await fetch(`${SITE}/api/v1/auth/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code, code_verifier, code_challenge_method: 'S256' }),
  });
  return { status: response.status, body: await response.json() };
}

const pkce = (made) => ({ code_challenge: made.challenge, code_challenge_method: 'S256' });

async function withKey(key, path, init = {}) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const response = await fetch(`${SITE}/api/v1${path}`, { ...init, headers });
  return { status: response.status, body: await response.json() };
}

test('a newcomer signs up on the way, chooses a limit, and the app has a key that works', async () => {
  const made = challenge();
  const app = await appServer();
  const callback = `${app.origin}/done?state=s-1`;
  const ask_for = consentPage({ callback_url: callback, ...pkce(made), limit: '25' });
  const start = `<a href="${ask_for.replaceAll('&', '&amp;')}">Sign in with Signalbox</a>`;
  const shop = await appServer({ '/': start });
  const context = await windowOf(browser);
  const page = await watched(context);

  await page.goto(`${shop.origin}/`);
  await page.getByRole('link', { name: 'Sign in with Signalbox' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByRole('link', { name: 'Sign up' }).click();
  const email = address('newcomer');
  await page.getByLabel('First name').fill('Ada');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign up' }).click();
  await page.getByRole('heading', { name: 'Verify your e-mail' }).waitFor();

  const letter = await watched(context);
  await letter.goto(await mailed(email, '/verify-email'));
  await letter.getByRole('heading', { name: 'Your e-mail is verified' }).waitFor();
  assert.equal(new URL(letter.url()).hash, '', 'the token leaves the address');
  assert.deepEqual(letter.wrong, []);
  await letter.close();

  await page.bringToFront();
  await page.getByRole('heading', { name: 'Authorization request' }).waitFor();
  const shown = await page.locator('main').innerText();
  assert.match(shown, new RegExp(`${new URL(app.origin).host} asks for a key`));
  assert.match(shown, /state=s-1/);
  assert.ok(shown.includes(email));
  const limit = page.getByLabel('Spending limit');
  assert.equal(await limit.inputValue(), '25');
  await limit.fill('3.50');
  await page.getByLabel('Begins anew').selectOption('monthly');
  await page.getByText('The app can spend $3.50 a month.').waitFor();
  assert.equal(app.asked.length, 0, 'nobody was sent anywhere before consent');
  const session = await page.evaluate(() => fetch('/api/v1/session').then((r) => r.json()));
  grant(session.data.context.account_id, 5);

  await page.getByRole('button', { name: 'Authorize' }).click();
  await page.waitForURL(`${app.origin}/**`);
  const told = app.asked.find((one) => one.path === '/done');
  assert.equal(told.query.get('state'), 's-1');
  assert.equal(told.headers.referer, undefined, 'the app does not learn where its user came from');
  assert.equal(told.headers.cookie, undefined);
  assert.deepEqual(page.wrong, []);

  const traded = await exchange(told.query.get('code'), made.verifier);
  assert.equal(traded.status, 200, JSON.stringify(traded.body));
  const { data } = (await withKey(traded.body.key, '/key')).body;
  assert.equal(data.limit, 3.5);
  assert.equal(data.limit_reset, 'monthly');
  const chat = await withKey(traded.body.key, '/chat/completions', {
    method: 'POST',
    body: JSON.stringify({ model: 'sim/echo', messages: [{ role: 'user', content: 'Hello!' }] }),
  });
  assert.equal(chat.status, 200, JSON.stringify(chat.body));
  assert.match(chat.body.choices[0].message.content, /Hello!/);
  await Promise.all([context.close(), app.close(), shop.close()]);
});

test('a key is no good for a code with another verifier, nor for a code shown twice', async () => {
  const [made, app, ada] = [challenge(), await appServer(), await person('ada')];
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  const codes = [];
  for (let turn = 0; turn < 2; turn += 1) {
    await page.goto(consentPage({ callback_url: `${app.origin}/done`, ...pkce(made) }));
    assert.equal(await page.getByLabel('Spending limit').inputValue(), '10');
    await page.getByRole('button', { name: 'Authorize' }).click();
    await page.waitForURL(`${app.origin}/**`);
    codes.push(new URL(page.url()).searchParams.get('code'));
  }
  const wrong = await exchange(codes[0], challenge().verifier);
  assert.equal(wrong.status, 403);
  assert.equal(wrong.body.error.message, 'Invalid code or code_verifier');
  const key = (await exchange(codes[1], made.verifier)).body.key;
  assert.equal((await withKey(key, '/key')).status, 200);
  assert.equal((await exchange(codes[1], made.verifier)).status, 403);
  assert.equal((await withKey(key, '/key')).status, 401, 'the key of a code shown twice ends');
  await Promise.all([context.close(), app.close()]);
});

test('who says no is sent nowhere, and the app gets nothing', async () => {
  const [made, app, ada] = [challenge(), await appServer(), await person('ada')];
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  await page.goto(consentPage({ callback_url: `${app.origin}/done`, ...pkce(made) }));
  await page.getByRole('button', { name: 'Deny' }).click();
  await page.getByRole('heading', { name: 'You said no' }).waitFor();
  assert.equal(new URL(page.url()).origin, SITE);
  assert.equal(app.asked.length, 0);
  assert.deepEqual(page.wrong, []);
  await Promise.all([context.close(), app.close()]);
});

test('without a callback the code is there to be copied, and no limit is said loudly', async () => {
  const [made, ada] = [challenge(), await person('ada')];
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  const query = { ...pkce(made), key_label: 'My <b>tool</b>', usage_limit_type: 'weekly' };
  await page.goto(consentPage(query));
  await page.getByText('My <b>tool</b>').waitFor();
  assert.equal(await page.getByLabel('Begins anew').inputValue(), 'weekly');
  await page.getByLabel('Spending limit').fill('lots');
  assert.ok(await page.getByRole('button', { name: 'Authorize' }).isDisabled());
  await page.getByLabel('No limit').check();
  await page.getByText('The app can spend all credit there is.').waitFor();
  await page.getByRole('button', { name: 'Authorize' }).click();
  await page.getByRole('heading', { name: 'Your code' }).waitFor();
  const code = await page.locator('code').innerText();
  const traded = await exchange(code, made.verifier);
  assert.equal(traded.status, 200, JSON.stringify(traded.body));
  const { data } = (await withKey(traded.body.key, '/key')).body;
  assert.equal(data.limit, null);
  await context.close();
});

test('the key is in the workspace that the person chooses', async () => {
  const [made, ada] = [challenge(), await person('ada')];
  const made_org = await ask('POST', '/api/v1/session/organizations', { name: 'Acme' }, ada.cookie);
  assert.equal(made_org.status, 201, JSON.stringify(made_org.body));
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  await page.goto(consentPage(pkce(made)));
  await page.getByRole('button', { name: 'Authorize' }).waitFor();
  await page.getByRole('button', { name: 'Personal' }).click();
  await page.getByRole('menuitemradio', { name: 'Acme' }).click();
  await page.locator('dd', { hasText: 'Acme' }).waitFor();
  await page.getByRole('button', { name: 'Authorize' }).click();
  await page.getByRole('heading', { name: 'Your code' }).waitFor();
  const traded = await exchange(await page.locator('code').innerText(), made.verifier);
  assert.equal(traded.status, 200, JSON.stringify(traded.body));
  assert.deepEqual(page.wrong, []);
  await context.close();
});
