// The OpenRouter SDK, which checks every answer against its schemas, on every dialect.
import assert from "node:assert/strict";
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
import { openrouter } from "./money.mjs";

const send = (request) =>
  openrouter().chat.send({ chatRequest: { messages: MESSAGES, ...request } });

everywhere("the SDK's chat answers", async (dialect) => {
  const answer = await send({ model: `${dialect}/echo` });
  assert.equal(answer.choices[0].message.content, echo(dialect));
  return [answer.usage];
});

everywhere("the SDK's chat streams", async (dialect) => {
  const request = { model: `${dialect}/tokens`, stream: true, maxTokens: 60 };
  const chunks = await all(await send(request));
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
  assert.equal(text, COUNTED);
  return [chunks.at(-1).usage];
});

whereToolsAre("the SDK's chat goes once around the tool loop", async (dialect) => {
  const tools = [{ type: "function", function: { name: "weather", parameters: WEATHER } }];
  const first = await send({ model: `${dialect}/tools`, tools });
  const { message } = first.choices[0];
  const [call] = message.toolCalls;
  assert.equal(call.function.name, "weather");
  const result = { role: "tool", toolCallId: call.id, content: "sunny" };
  const messages = [...MESSAGES, message, result];
  const chunks = await all(await send({ model: `${dialect}/tools`, tools, messages, stream: true }));
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
  assert.equal(text, ANSWERED);
  return [first.usage, chunks.at(-1).usage];
});

whereToolsAre("the SDK's chat answers in a schema", async (dialect) => {
  const jsonSchema = { name: "shirt", schema: SHIRT, strict: true };
  const responseFormat = { type: "json_schema", jsonSchema };
  const answer = await send({ model: `${dialect}/json`, responseFormat });
  assert.deepEqual(JSON.parse(answer.choices[0].message.content), { name: "sim", size: "s" });
  return [answer.usage];
});
