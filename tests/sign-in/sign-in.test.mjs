// Signing in with a real identity provider and a real mail server, as a browser does it: by addresses,
// forms and cookies.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { SMTPServer } from "smtp-server";

const { SIGNALBOX_URL: api, ISSUER: issuer, SMTP_PORT: smtpPort } = process.env;
const site = new URL(api).origin;

/** A browser: it keeps cookies by origin and follows redirects one by one. */
class Browser {
  jars = new Map();

  async ask(url, options = {}) {
    const { origin } = new URL(url);
    const jar = this.jars.get(origin) ?? new Map();
    this.jars.set(origin, jar);
    const headers = new Headers(options.headers);
    if (jar.size) headers.set("cookie", [...jar].map((pair) => pair.join("=")).join("; "));
    const answer = await fetch(url, { ...options, headers, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [pair, ...rest] = line.split(";").map((part) => part.trim());
      const at = pair.indexOf("=");
      const gone = rest.some((part) => /^max-age=0$/i.test(part) || /^expires=thu, 01 jan 1970/i.test(part));
      if (gone) jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return answer;
  }

  /** Follows redirects until a page or the given origin's path. */
  async follow(url, stop = () => false) {
    let answer = await this.ask(url);
    for (let hop = 0; hop < 20 && answer.status >= 300 && answer.status < 400; hop++) {
      url = new URL(answer.headers.get("location"), url).href;
      if (stop(url)) return { url };
      answer = await this.ask(url);
    }
    return { url, answer, text: await answer.text() };
  }

  post(path, body) {
    const headers = { origin: site, "content-type": "application/json" };
    return this.ask(`${api}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  }

  /** Fills in the pages of the identity provider, for as long as it has any. */
  async signIn(start, login) {
    const home = (url) => url.startsWith(site) && !url.includes("/callback/");
    let at = await this.follow(start, home);
    for (let page = 0; page < 5 && at.text; page++) {
      const prompt = /name="prompt" value="(\w+)"/.exec(at.text)?.[1];
      assert.ok(prompt, `no form at ${at.url}: ${at.text}`);
      const action = /action="([^"]+)"/.exec(at.text)[1];
      const body = new URLSearchParams({ prompt, ...(prompt === "login" && { login, password: "any" }) });
      const next = await this.ask(new URL(action, at.url).href, { method: "POST", body });
      at = await this.follow(new URL(next.headers.get("location"), at.url).href, home);
    }
    return at.url;
  }

  async me() {
    const answer = await this.ask(`${api}/session`);
    return answer.status === 200 ? (await answer.json()).data : answer.status;
  }
}

test("an identity provider signs somebody in, the same person each time", async () => {
  const browser = new Browser();
  const listed = await (await browser.ask(`${api}/session/providers`)).json();
  assert.deepEqual(listed.data.map((one) => one.id), ["work", "other"]);
  const start = `${site}${listed.data[0].url}?return_to=/chat%3Fa`;
  assert.equal(await browser.signIn(start, "ada"), `${site}/chat?a`);
  const me = await browser.me();
  assert.deepEqual(
    [me.user.email, me.user.email_verified, me.user.first_name, me.user.last_name],
    ["ada@example.com", true, "Ada", "Lovelace"],
  );
  const again = new Browser();
  await again.signIn(start, "ada");
  assert.equal((await again.me()).user.id, me.user.id);
  const identities = await (await browser.ask(`${api}/session/identities`)).json();
  assert.equal(identities.data.length, 1);
});

test("an address that is not verified there signs nobody in", async () => {
  const browser = new Browser();
  const start = `${api}/session/begin/work`;
  assert.equal(await browser.signIn(start, "eve"), `${site}/sign-in?error=email_unverified`);
  assert.equal(await browser.me(), 401);
});

test("whoever refuses there is nobody here", async () => {
  const browser = new Browser();
  const home = (url) => url.startsWith(site) && !url.includes("/callback/");
  const { text, url } = await browser.follow(`${api}/session/begin/work`, home);
  const abort = /href="([^"]+\/abort)"/.exec(text)[1];
  const back = await browser.follow(new URL(abort, url).href, home);
  assert.equal(back.url, `${site}/sign-in?error=provider_refused`);
});

test("a provider that does not answer is said to be out of reach", async () => {
  const { url } = await new Browser().follow(`${api}/session/begin/other`, (to) => to.includes("error"));
  assert.equal(url, `${site}/sign-in?error=provider_unreachable`);
});

test("metadata of the provider are its own", async () => {
  const told = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  assert.equal(told.issuer, issuer);
  assert.equal(told.authorization_response_iss_parameter_supported, true, "mix-ups are looked for");
});

const letters = [];
let arrived = () => {};
let busy = 1;
const mail = new SMTPServer({
  authOptional: false,
  allowInsecureAuth: true,
  disabledCommands: ["STARTTLS"],
  onAuth: ({ username, password }, _, done) =>
    username === "gate" && password === "a password" ? done(null, { user: username }) : done(new Error("no")),
  onRcptTo: (_, __, done) =>
    busy-- > 0 ? done(Object.assign(new Error("busy"), { responseCode: 451 })) : done(),
  onData: (stream, session, done) => {
    let text = "";
    stream.on("data", (part) => (text += part));
    stream.on("end", () => {
      letters.push({ to: session.envelope.rcptTo.map((one) => one.address), text });
      done();
      arrived();
    });
  },
});
before(() => new Promise((ready) => mail.listen(Number(smtpPort), "127.0.0.1", ready)));
after(() => new Promise((ended) => mail.close(ended)));

test("a letter arrives, tried again by a server that was busy, and its link proves the address", async () => {
  const came = new Promise((done) => (arrived = done));
  const browser = new Browser();
  const who = { email: "bob@example.com", password: "correct horse battery" };
  assert.equal((await browser.post("/session/sign-up", who)).status, 202);
  assert.equal((await browser.post("/session/sign-in", who)).status, 201);
  await came;
  const [letter] = letters;
  assert.deepEqual(letter.to, ["bob@example.com"]);
  assert.match(letter.text, /^From: Signalbox <gate@example\.com>\r?$/m);
  assert.match(letter.text, /^Subject: Verify your e-mail address\r?$/m);
  const text = letter.text.replaceAll("=\r\n", "").replaceAll("=3D", "=");
  const token = /#token=([0-9a-f]{64})/.exec(text)[1];
  assert.equal((await browser.post("/session/email/verify", { token })).status, 200);
  assert.equal((await browser.me()).user.email_verified, true);
});
