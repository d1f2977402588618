// The Anthropic client for JavaScript on every dialect of the providers.
import assert from "node:assert/strict";
import test from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import {
  all,
  ANSWERED,
  COUNTED,
  echo,
  everywhere,
  MESSAGES,
  SHIRT,
  WEATHER,
  whereToolsAre,
} from "./dialects.mjs";
import { anthropic, variable } from "./money.mjs";

const ask = (request) => ({ max_tokens: 100, messages: MESSAGES, ...request });
const create = (request) => anthropic().messages.create(ask(request));

everywhere("Messages answers", async (dialect) => {
  const answer = await create({ model: `${dialect}/echo` });
  assert.deepEqual(answer.content.map((block) => block.text), [echo(dialect)]);
  assert.equal(answer.stop_reason, "end_turn");
  return [answer.usage];
});

everywhere("Messages streams", async (dialect) => {
  const stream = anthropic().messages.stream(ask({ model: `${dialect}/tokens` }));
  const events = await all(stream);
  const answer = await stream.finalMessage();
  assert.equal(answer.content[0].text, COUNTED);
  const deltas = events.filter((event) => event.type === "content_block_delta");
  assert.equal(deltas.length, 50, "as the provider streamed it");
  // The client leaves the cost out of the message that it puts together.
  const { usage } = events.find((event) => event.type === "message_delta");
  return [{ ...answer.usage, cost: usage.cost }];
});

whereToolsAre("Messages goes once around the tool loop", async (dialect) => {
  const tools = [{ name: "weather", description: "Weather", input_schema: WEATHER }];
  const first = await create({ model: `${dialect}/tools`, tools });
  assert.equal(first.stop_reason, "tool_use");
  const call = first.content.find((block) => block.type === "tool_use");
  assert.equal(call.name, "weather");
  assert.deepEqual(Object.keys(call.input).sort(), ["city", "days"]);
  const result = { type: "tool_result", tool_use_id: call.id, content: "sunny" };
  const turns = [
    { role: "assistant", content: first.content },
    { role: "user", content: [result] },
  ];
  const messages = [...MESSAGES, ...turns];
  const second = await create({ model: `${dialect}/tools`, tools, messages });
  assert.deepEqual(second.content.map((block) => block.text), [ANSWERED]);
  return [first.usage, second.usage];
});

whereToolsAre("Messages answers in a schema", async (dialect) => {
  const answer = await create({
    model: `${dialect}/json`,
    output_config: { format: { type: "json_schema", schema: SHIRT } },
  });
  assert.deepEqual(JSON.parse(answer.content[0].text), { name: "sim", size: "s" });
  return [answer.usage];
});

test("errors are the client's own", async () => {
  const wrong = (model, key) => anthropic(key).messages.create(ask({ model }));
  await assert.rejects(wrong("sim/echo", "sk-sb-v1-wrong"), Anthropic.AuthenticationError);
  await assert.rejects(wrong("sim/nothing"), Anthropic.BadRequestError);
  await assert.rejects(wrong("sim/down"), Anthropic.InternalServerError);
  await assert.rejects(wrong("sim/echo", variable("SLOW_KEY")), Anthropic.RateLimitError);
});
