// The OpenRouter SDK checks every answer against its schemas; here they meet Signalbox.
import assert from "node:assert/strict";
import test from "node:test";
import { balance, billed, nanos, openrouter, variable } from "./money.mjs";

const messages = [{ role: "user", content: "one two three" }];
const send = (request, key) => openrouter(key).chat.send({ chatRequest: { messages, ...request } });
const collect = async (request) => {
  const chunks = [];
  for await (const chunk of await send({ stream: true, ...request })) chunks.push(chunk);
  return chunks;
};

test("chat is accepted and priced", () =>
  billed(async () => {
    const answer = await send({ model: "sim/echo" });
    assert.equal(answer.choices[0].message.content, "one two three");
    return [answer.usage];
  }));

test("streams are accepted and priced", () =>
  billed(async () => {
    const plain = await collect({ model: "sim/tokens" });
    const text = plain.map((c) => c.choices[0]?.delta.content ?? "").join("");
    assert.ok(text.endsWith("t49 "));
    const thinking = await collect({ model: "sim/reason" });
    const thoughts = thinking.map((c) => c.choices[0]?.delta.reasoning ?? "").join("");
    assert.equal(thoughts, "Let me think. ");
    return [plain.at(-1).usage, thinking.at(-1).usage];
  }));

test("tool calls are accepted", () =>
  billed(async () => {
    const parameters = { type: "object", properties: { city: { type: "string" } } };
    const tools = [{ type: "function", function: { name: "weather", parameters } }];
    const whole = await send({ model: "sim/tools", tools });
    assert.equal(whole.choices[0].message.toolCalls[0].function.name, "weather");
    const chunks = await collect({ model: "sim/tools", tools });
    const parts = chunks.flatMap((c) => c.choices[0]?.delta.toolCalls ?? []);
    const text = parts.map((part) => part.function.arguments ?? "").join("");
    assert.equal(JSON.parse(text).city, "sim");
    return [whole.usage, chunks.at(-1).usage];
  }));

test("routing preferences are understood", () =>
  billed(async () => {
    const provider = { only: ["sim-two"], allowFallbacks: false };
    return [(await send({ model: "sim/failover", provider })).usage];
  }));

test("models, endpoints and providers are accepted", async () => {
  const client = openrouter();
  const listed = [];
  for await (const page of await client.models.list()) listed.push(...page.result.data);
  assert.ok(listed.some((model) => model.id === "sim/echo"));
  const { data: count } = await client.models.count();
  assert.ok(count.count > 0);
  const { data: one } = await client.models.get({ author: "sim", slug: "echo" });
  assert.equal(one.id, "sim/echo");
  const { data: offers } = await client.endpoints.list({ author: "sim", slug: "failover" });
  assert.equal(offers.endpoints.length, 2);
  const { data: providers } = await client.providers.list();
  assert.ok(providers.some((provider) => provider.slug === "sim-one"));
});

test("credits and the key's own facts are accepted", async () => {
  assert.ok((await balance()) > 0);
  const { data } = await openrouter().apiKeys.getCurrentKeyMetadata();
  assert.equal(data.limit, null);
  assert.ok(data.label.length > 0);
});

test("a generation is accepted and agrees with its bill", () =>
  billed(async () => {
    const chunks = await collect({ model: "sim/tokens" });
    const { usage, id } = chunks.at(-1);
    const { data } = await openrouter().generations.getGeneration({ id });
    assert.equal(nanos(data.totalCost), nanos(usage.cost));
    assert.equal(data.streamed, true);
    assert.equal(data.nativeTokensCompletion, 50);
    return [usage];
  }));

test("errors are the SDK's own", async () => {
  const refused = async (promise, name, status) => {
    const error = await promise.then(
      () => assert.fail("it was not refused"),
      (error) => error,
    );
    assert.equal(error.name, name, `${error}`);
    assert.equal(error.statusCode, status);
    assert.ok(error.error.message.length > 0);
  };
  const ask = (model, key) => send({ model }, key);
  await refused(ask("sim/echo", "sk-sb-v1-wrong"), "UnauthorizedResponseError", 401);
  await refused(ask("sim/nothing"), "BadRequestResponseError", 400);
  await refused(ask("sim/echo", variable("BROKE_KEY")), "PaymentRequiredResponseError", 402);
  await refused(ask("sim/down"), "ServiceUnavailableResponseError", 503);
});
