// The OpenAI client for JavaScript against Signalbox.
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";
import { billed, openai, recorded, variable } from "./money.mjs";

const messages = [{ role: "user", content: "one two three" }];
const tools = [
  {
    type: "function",
    function: {
      name: "weather",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];

const collect = async (request) => {
  const stream = await openai().chat.completions.create({ messages, stream: true, ...request });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};

test("a chat is answered and priced", () =>
  billed(async () => {
    const answer = await openai().chat.completions.create({ model: "sim/echo", messages });
    assert.equal(answer.choices[0].message.content, "one two three");
    assert.match(answer.id, /^gen-/);
    return [answer.usage];
  }));

test("a stream brings every token and its cost last", () =>
  billed(async () => {
    const chunks = await collect({ model: "sim/tokens" });
    const text = chunks.map((c) => c.choices[0]?.delta.content ?? "").join("");
    assert.equal(text, Array.from({ length: 50 }, (_, n) => `t${n} `).join(""));
    assert.equal(chunks.filter((c) => c.usage).length, 1);
    return [chunks.at(-1).usage];
  }));

test("the whole tool loop runs", () =>
  billed(async () => {
    const ask = (all) =>
      openai().chat.completions.create({ model: "sim/tools", messages: all, tools });
    const first = await ask(messages);
    const message = first.choices[0].message;
    const [call] = message.tool_calls;
    assert.equal(call.function.name, "weather");
    assert.equal(typeof JSON.parse(call.function.arguments).city, "string");
    const result = { role: "tool", tool_call_id: call.id, content: "sunny" };
    const second = await ask([...messages, message, result]);
    assert.equal(second.choices[0].message.content, "The tools have answered.");
    return [first.usage, second.usage];
  }));

test("reasoning streams in its own field", () =>
  billed(async () => {
    const chunks = await collect({ model: "sim/reason" });
    const thoughts = chunks.map((c) => c.choices[0]?.delta.reasoning ?? "").join("");
    assert.equal(thoughts, "Let me think. ");
    return [chunks.at(-1).usage];
  }));

test("parallel streams each get their own bill", () =>
  billed(async () => {
    const all = Array.from({ length: 16 }, () => collect({ model: "sim/tokens" }));
    return (await Promise.all(all)).map((chunks) => chunks.at(-1).usage);
  }));

const refused = async (promise, kind, status) => {
  const error = await promise.then(
    () => assert.fail("it was not refused"),
    (error) => error,
  );
  assert.ok(error instanceof kind, `${error}`);
  assert.equal(error.status, status);
  return error;
};

test("errors are the client's own", async () => {
  const ask = (model, key) => openai(key).chat.completions.create({ model, messages });
  await refused(ask("sim/echo", "sk-sb-v1-wrong"), OpenAI.AuthenticationError, 401);
  const unknown = await refused(ask("sim/nothing"), OpenAI.BadRequestError, 400);
  assert.equal(unknown.error.availability.code, "model_not_found");
  await refused(ask("sim/echo", variable("BROKE_KEY")), OpenAI.APIError, 402);
});

test("an aborted stream ends at once", async () => {
  const abort = new AbortController();
  const stream = await openai().chat.completions.create(
    { model: "sim/slow", messages, stream: true },
    { signal: abort.signal },
  );
  const seen = [];
  for await (const chunk of stream) {
    seen.push(chunk.id);
    if (seen.length === 4) abort.abort();
  }
  assert.ok(seen.length < 20, `${seen.length} chunks`);
  const record = await recorded(seen[0]);
  assert.equal(record.cancelled, true);
});

test("a client's timeout is its own", async () => {
  const silent = openai().chat.completions.create(
    { model: "sim/silent", messages },
    { timeout: 500 },
  );
  await assert.rejects(silent, OpenAI.APIConnectionTimeoutError);
});
