// A browser, people who use it, and an app that wants keys.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

import { chromium } from 'playwright-core';

export const SITE = process.env.SITE;
export const PASSWORD = 'correct horse battery';
const { CHROMIUM, RUN, SIGNALBOX_BIN } = process.env;

/** A headless browser that talks to nobody but the pages it is sent to. */
export function launch() {
  const root = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...(root ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
  });
}

/** What a program of the site's own origin asks of it. */
export async function ask(method, path, body, cookie, more = {}) {
  const headers = { origin: SITE, accept: 'application/json', ...more };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (cookie) headers.cookie = cookie;
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await fetch(`${SITE}${path}`, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** The newest link of a kind that was mailed to an address: without a mail server letters are logged. */
export async function mailed(address, page) {
  const log = `${RUN}/signalbox.log`;
  const link = new RegExp(`${SITE}${page}#token=[0-9a-f]+`, 'g');
  for (let tries = 0; tries < 300; tries += 1) {
    const letters = readFileSync(log, 'utf8').split(/(?=\bWARN\b)/);
    const theirs = letters.filter((letter) => letter.includes(`to=${address}`));
    const links = theirs.flatMap((letter) => letter.match(link) ?? []);
    if (links.length > 0) return links.at(-1);
    await pause(100);
  }
  throw new Error(`no letter with ${page} to ${address}`);
}

let people = 0;

export const address = (name) => `${name}-${process.pid}-${(people += 1)}@example.test`;

/** Somebody with a proven address, by the API: who they are and the cookie of a session. */
export async function person(name, more = {}) {
  const email = address(name);
  // Each from a network of their own: more than some people of one are made to wait.
  const from = { 'x-forwarded-for': `10.${(process.pid >> 8) & 255}.${process.pid & 255}.${people % 256}` };
  const wish = { email, password: PASSWORD };
  const up = await ask('POST', '/api/v1/session/sign-up', { ...wish, ...more }, undefined, from);
  assert.equal(up.status, 202, JSON.stringify(up.body));
  const entered = await ask('POST', '/api/v1/session/sign-in', wish, undefined, from);
  assert.equal(entered.status, 201, JSON.stringify(entered.body));
  const cookie = entered.headers.get('set-cookie').split(';')[0];
  const token = (await mailed(email, '/verify-email')).split('=')[1];
  const proven = await ask('POST', '/api/v1/session/email/verify', { token }, cookie);
  assert.equal(proven.status, 200, JSON.stringify(proven.body));
  return { email, cookie, account: entered.body.data.context.account_id };
}

/** A window of its own, in which this person is signed in. */
export async function windowOf(browser, somebody, options = {}) {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  if (somebody) {
    const [name, value] = somebody.cookie.split('=');
    await context.addCookies([{ name, value, url: SITE, httpOnly: true, sameSite: 'Lax' }]);
  }
  return context;
}

/** A page that notes what its policy refused and what went wrong in it. */
export async function watched(context) {
  const page = await context.newPage();
  page.wrong = [];
  page.on('pageerror', (error) => page.wrong.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    // An answer that is not 2xx is told in the console too, and what other sites' pages lack.
    const missing = text.startsWith('Failed to load resource');
    const answered = missing && text.includes('the server responded');
    const theirs = missing && !message.location().url.startsWith(SITE);
    if (message.type() === 'error' && !answered && !theirs) page.wrong.push(text);
  });
  return page;
}

/** What the operator does on the command line. */
export function admin(...line) {
  const config = ['--config', `${RUN}/signalbox.toml`];
  return execFileSync(SIGNALBOX_BIN, ['admin', ...line, ...config], { encoding: 'utf8' });
}

export function grant(account, dollars) {
  admin('grant', '--account', account, '--usd', String(dollars));
}

/** An organization of somebody, for which their session acts from now on. */
export async function organization(somebody, name, plan) {
  const made = await ask('POST', '/api/v1/session/organizations', { name }, somebody.cookie);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { id } = made.body.data;
  if (plan) admin('plan', 'set', '--account', id, '--plan', plan);
  const acting = await ask('PUT', '/api/v1/session/context', { account_id: id }, somebody.cookie);
  assert.equal(acting.status, 200, JSON.stringify(acting.body));
  return id;
}

export function challenge() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** The address of the page that asks for consent. */
export function consentPage(query) {
  return `${SITE}/auth?${new URLSearchParams(query)}`;
}

/** Somebody else's web server on this machine, at `localhost`, which notes what it was asked. */
export async function appServer(pages = {}) {
  const asked = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    asked.push({ path: url.pathname, query: url.searchParams, headers: request.headers });
    const body = pages[url.pathname];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'text/html' });
    response.end(body ?? 'nothing here');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://localhost:${server.address().port}`;
  const close = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
  return { origin, asked, close };
}

/** The six digits that an authenticator app shows (RFC 6238). */
export function totp(secret, at = Date.now()) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replaceAll(/[\s=]/g, '').toUpperCase()]
    .map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  const bytes = bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const hash = createHmac('sha1', Buffer.from(bytes)).update(counter).digest();
  const from = hash.at(-1) & 15;
  return String((hash.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
