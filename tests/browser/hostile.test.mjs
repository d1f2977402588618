// What pages of others, and addresses that others wrote, can not do.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
  appServer,
  ask,
  challenge,
  consentPage,
  launch,
  person,
  SITE,
  watched,
  windowOf,
} from './stage.mjs';

let browser;
let ada;
before(async () => {
  browser = await launch();
  ada = await person('ada');
});
after(() => browser.close());

const pkce = () => ({ code_challenge: challenge().challenge, code_challenge_method: 'S256' });

const CALLBACKS = [
  'javascript:alert(document.domain)',
  'data:text/html,<script>alert(1)</script>',
  'http://app.example/cb',
  'https://user:pass@app.example/',
  'https://app.example\\@evil.example/',
  'https://app.example/#fragment',
  'https://app.example./',
  'https://app.example//evil.example',
  'https://2130706433/',
  'http://localhost.evil.example/',
  '//evil.example/',
  '/api/v1/session',
  'https://app.example/<img src=x onerror=alert(1)>',
];

test('callbacks that can be read in two ways are shown and not followed', async () => {
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  const elsewhere = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(SITE)) elsewhere.push(request.url());
  });
  page.on('dialog', (dialog) => elsewhere.push(dialog.message()));
  for (const callback_url of CALLBACKS) {
    await page.goto(consentPage({ callback_url, ...pkce() }));
    await page.getByRole('heading', { name: "This request can't be granted" }).waitFor();
    const shown = await page.locator('main').innerText();
    assert.ok(shown.includes(callback_url), shown);
    assert.equal(await page.locator('main a').count(), 0, 'there is nothing to follow');
    assert.equal(await page.getByRole('button', { name: 'Authorize' }).count(), 0);
  }
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(page.wrong, []);
  await context.close();
});

test('requests that say a thing twice or nothing are refused', async () => {
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  const twice = consentPage([
    ['callback_url', 'https://one.example/'],
    ['callback_url', 'https://two.example/'],
    ...Object.entries(pkce()),
  ]);
  const hopeless = [
    twice,
    consentPage({}),
    consentPage({ callback_url: 'https://app.example/' }),
    consentPage({ ...pkce(), code_challenge_method: 'plain' }),
    consentPage({ ...pkce(), limit: '-1' }),
    consentPage({ ...pkce(), usage_limit_type: 'hourly' }),
    consentPage({ ...pkce(), expires_at: '2001-01-01T00:00:00Z' }),
    consentPage({ ...pkce(), workspace_id: '00000000-0000-4000-8000-000000000000' }),
  ];
  for (const url of hopeless) {
    await page.goto(url);
    await page.getByRole('heading', { name: "This request can't be granted" }).waitFor();
  }
  await context.close();
});

test('nobody frames a page', async () => {
  const framed = consentPage(pkce()).replaceAll('&', '&amp;');
  const evil = await appServer({ '/': `<iframe src="${framed}" width="600" height="600"></iframe>` });
  const context = await windowOf(browser, ada);
  const page = await context.newPage();
  const refused = page.waitForEvent('console', (message) =>
    message.text().includes('frame-ancestors'),
  );
  await page.goto(`${evil.origin}/`);
  await refused;
  const frame = page.frames().find((one) => one !== page.mainFrame());
  await frame.waitForURL(/^chrome-error:/);
  assert.equal(await frame.getByRole('button', { name: 'Authorize' }).count(), 0);
  await Promise.all([context.close(), evil.close()]);
});

test('the way back after signing in stays on the site', async () => {
  const context = await windowOf(browser, ada);
  const page = await watched(context);
  const wanted = [
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '/\t/evil.example/',
    'javascript:alert(1)',
    '/.//evil.example/',
    '/api/v1/session',
  ];
  for (const return_to of wanted) {
    await page.goto(`${SITE}/sign-in?${new URLSearchParams({ return_to })}`);
    await page.getByRole('heading', { name: 'Account' }).waitFor();
    assert.equal(page.url(), `${SITE}/settings/account`);
  }
  assert.deepEqual(page.wrong, []);
  await context.close();
});

test('a page of another site changes nothing with the session of its visitor', async () => {
  const evil = await appServer({ '/': '<title>evil</title>' });
  const context = await windowOf(browser, ada);
  const page = await context.newPage();
  await page.goto(`${evil.origin}/`);
  const results = await page.evaluate(async (site) => {
    const tried = [];
    const attempt = async (path, init) => {
      const url = `${site}/api/v1${path}`;
      const answer = await fetch(url, { credentials: 'include', ...init }).catch(() => null);
      tried.push(answer === null ? 'unread' : `${answer.type} ${answer.status}`);
    };
    const simple = { method: 'POST', mode: 'no-cors', body: '{"name":"Evil"}' };
    await attempt('/session', {});
    await attempt('/session', { method: 'DELETE' });
    await attempt('/session/organizations', simple);
    await attempt('/auth/keys/code', simple);
    return tried;
  }, SITE);
  assert.deepEqual(results, ['unread', 'unread', 'opaque 0', 'opaque 0']);
  await page.setContent(
    `<form method="post" enctype="text/plain" action="${SITE}/api/v1/session/organizations">` +
      `<input name='{"name":"Evil","x":"' value='"}'><button>Win</button></form>`,
  );
  const sent = page.waitForResponse(`${SITE}/api/v1/session/organizations`);
  await page.getByRole('button').click();
  assert.ok([401, 403].includes((await sent).status()), 'the form is refused');
  const session = await ask('GET', '/api/v1/session', undefined, ada.cookie);
  assert.equal(session.status, 200, 'the session is still there');
  const mine = await ask('GET', '/api/v1/session/organizations', undefined, ada.cookie);
  assert.deepEqual(mine.body.data, []);
  await Promise.all([context.close(), evil.close()]);
});

test('bodies that forms can send are refused even from pages of the site', async () => {
  for (const [type, status] of [
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/json; charset=utf-8', 201],
  ]) {
    const response = await fetch(`${SITE}/api/v1/session/organizations`, {
      method: 'POST',
      headers: { origin: SITE, cookie: ada.cookie, 'content-type': type },
      body: '{"name":"Acme"}',
    });
    assert.equal(response.status, status, type);
  }
});
