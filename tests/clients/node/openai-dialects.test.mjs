// The OpenAI client for JavaScript, chat and Responses, on every dialect of the providers.
import assert from "node:assert/strict";
import {
  all,
  ANSWERED,
  COUNTED,
  echo,
  everywhere,
  MESSAGES,
  QUESTION,
  SHIRT,
  WEATHER,
  whereToolsAre,
} from "./dialects.mjs";
import { openai } from "./money.mjs";

const chat = (request) => openai().chat.completions.create({ messages: MESSAGES, ...request });

everywhere("chat answers", async (dialect) => {
  const answer = await chat({ model: `${dialect}/echo` });
  assert.equal(answer.choices[0].message.content, echo(dialect));
  return [answer.usage];
});

everywhere("chat streams", async (dialect) => {
  const chunks = await all(await chat({ model: `${dialect}/tokens`, stream: true, max_tokens: 60 }));
  const texts = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "");
  assert.equal(texts.join(""), COUNTED);
  assert.equal(texts.filter(Boolean).length, 50, "as the provider streamed it");
  return [chunks.at(-1).usage];
});

whereToolsAre("chat goes once around the tool loop", async (dialect) => {
  const tools = [{ type: "function", function: { name: "weather", parameters: WEATHER } }];
  const request = { model: `${dialect}/tools`, tools };
  const first = openai().chat.completions.stream({
    messages: MESSAGES,
    stream_options: { include_usage: true },
    ...request,
  });
  const { message } = (await first.finalChatCompletion()).choices[0];
  const [call] = message.tool_calls;
  assert.equal(call.function.name, "weather");
  assert.deepEqual(Object.keys(JSON.parse(call.function.arguments)).sort(), ["city", "days"]);
  const result = { role: "tool", tool_call_id: call.id, content: "sunny" };
  const second = await chat({ ...request, messages: [...MESSAGES, message, result] });
  assert.equal(second.choices[0].message.content, ANSWERED);
  return [await first.totalUsage(), second.usage];
}, { hasCost: false });

whereToolsAre("chat answers in a schema", async (dialect) => {
  const wanted = { name: "shirt", schema: SHIRT, strict: true };
  const answer = await chat({
    model: `${dialect}/json`,
    response_format: { type: "json_schema", json_schema: wanted },
  });
  assert.deepEqual(JSON.parse(answer.choices[0].message.content), { name: "sim", size: "s" });
  return [answer.usage];
});

everywhere("Responses answers", async (dialect) => {
  const answer = await openai().responses.create({ model: `${dialect}/echo`, input: QUESTION });
  assert.equal(answer.output_text, echo(dialect));
  return [answer.usage];
});

everywhere("Responses streams", async (dialect) => {
  const limit = { max_output_tokens: 60 };
  const request = { model: `${dialect}/tokens`, input: MESSAGES, ...limit };
  const stream = openai().responses.stream(request);
  const events = await all(stream);
  const deltas = events.filter((event) => event.type === "response.output_text.delta");
  assert.equal(deltas.map((event) => event.delta).join(""), COUNTED);
  return [(await stream.finalResponse()).usage];
});

whereToolsAre("Responses goes once around the tool loop", async (dialect) => {
  const tools = [{ type: "function", name: "weather", parameters: WEATHER, strict: true }];
  const request = { model: `${dialect}/tools`, tools };
  const stream = await openai().responses.create({ ...request, input: MESSAGES, stream: true });
  const { response: first } = (await all(stream)).at(-1);
  const [call] = first.output.filter((item) => item.type === "function_call");
  assert.equal(call.name, "weather");
  assert.deepEqual(Object.keys(JSON.parse(call.arguments)).sort(), ["city", "days"]);
  const result = { type: "function_call_output", call_id: call.call_id, output: "sunny" };
  const input = [...MESSAGES, ...first.output, result];
  const second = await openai().responses.create({ ...request, input });
  assert.equal(second.output_text, ANSWERED);
  return [first.usage, second.usage];
});

whereToolsAre("Responses answers in a schema", async (dialect) => {
  const format = { type: "json_schema", name: "shirt", schema: SHIRT, strict: true };
  const answer = await openai().responses.create({
    model: `${dialect}/json`,
    input: QUESTION,
    text: { format },
  });
  assert.deepEqual(JSON.parse(answer.output_text), { name: "sim", size: "s" });
  return [answer.usage];
});
