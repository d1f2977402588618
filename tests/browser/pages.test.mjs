// Every page: its headers, its accessibility, and that its policy lets it work.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { launch, person, SITE, watched, windowOf } from './stage.mjs';
import { acting, PAGES, visit } from './site.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser;
let ada;
let grace;
before(async () => {
  browser = await launch();
  ada = await person('ada');
  grace = await acting();
});
after(() => browser.close());

/** What axe-core finds. */
async function barriers(page, options) {
  // By the debugger, not as a script of the page, which its policy would refuse.
  await page.evaluate(axe);
  const found = await page.evaluate((wanted) => window.axe.run(document, wanted), options);
  // A menu that is open lies above all regions.
  const above = ({ id, nodes }) =>
    id === 'region' && nodes.every(({ html }) => html.includes('data-radix-popper'));
  return found.violations.filter((one) => !above(one)).map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`);
}

// At night nothing is another but the colours; in a hand nothing is another but the width.
for (const [colorScheme, options, viewport] of [
  ['light', {}, { width: 1280, height: 800 }],
  ['dark', { runOnly: ['color-contrast', 'target-size'] }, { width: 375, height: 812 }],
]) {
  test(`every page is for everybody, and its policy refuses nothing it needs: ${colorScheme}`, async () => {
    const inside = await windowOf(browser, ada, { colorScheme, viewport });
    const outside = await windowOf(browser, null, { colorScheme, viewport });
    const ofAcme = await windowOf(browser, grace, { colorScheme, viewport });
    for (const one of PAGES) {
      const page = await watched(one.acting ? ofAcme : one.signedIn ? inside : outside);
      await visit(page, SITE, one);
      assert.deepEqual(await barriers(page, options), [], one.name);
      assert.match(await page.title(), / · Signalbox$/, one.name);
      assert.deepEqual(page.wrong, [], one.name);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.ok(!wide, `${one.name} scrolls sideways`);
      await page.close();
    }
    await Promise.all([inside.close(), outside.close(), ofAcme.close()]);
  });
}

test('pages are guarded by their headers', async () => {
  for (const path of ['/', '/sign-in', '/auth', '/settings/account', '/settings/organization-members']) {
    const { status, headers } = await fetch(SITE + path);
    assert.equal(status, 200, path);
    const policy = headers.get('content-security-policy');
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ]) {
      assert.ok(policy.includes(part), `${path}: ${part}`);
    }
    assert.ok(!policy.includes('unsafe'), path);
    assert.equal(headers.get('x-frame-options'), 'DENY');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.match(headers.get('permissions-policy'), /camera=\(\)/);
    assert.equal(headers.get('cache-control'), 'no-cache');
    const opener = headers.get('cross-origin-opener-policy');
    assert.equal(opener, path === '/auth' ? null : 'same-origin', path);
  }
});

test('what pages load comes compressed and stays; what they were is not sent again', async () => {
  const page = await fetch(SITE);
  const again = await fetch(SITE, { headers: { 'if-none-match': page.headers.get('etag') } });
  assert.equal(again.status, 304);
  const html = await page.text();
  const loaded = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1]);
  assert.ok(loaded.length >= 2, html);
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=/, 'nothing is inline');
  for (const path of loaded) {
    for (const coding of ['br', 'gzip']) {
      const { status, headers } = await fetch(SITE + path, { headers: { 'accept-encoding': coding } });
      assert.equal(status, 200);
      assert.equal(headers.get('content-encoding'), coding);
      assert.equal(headers.get('cache-control'), 'public, max-age=31536000, immutable');
    }
  }
});

test('what is missing is told in JSON to programs and by a page to people', async () => {
  const person_asks = { headers: { accept: 'text/html,*/*;q=0.8' } };
  for (const path of ['/api/v1/none', '/api', '/assets/none.js', '/webhooks/none']) {
    const { status, headers } = await fetch(SITE + path, person_asks);
    assert.equal(status, 404, path);
    assert.match(headers.get('content-type'), /json/, path);
  }
  const page = await fetch(`${SITE}/none`, person_asks);
  assert.equal(page.status, 404);
  assert.match(page.headers.get('content-type'), /html/);
  const program = await fetch(`${SITE}/none`);
  assert.equal(program.status, 404);
  assert.match(program.headers.get('content-type'), /json/);
});
