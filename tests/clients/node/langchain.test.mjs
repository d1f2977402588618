// LangChain's three ways in, on every dialect of the providers. It drops the cost.
import assert from "node:assert/strict";
import { ChatAnthropic } from "@langchain/anthropic";
import { HumanMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";
import { all, ANSWERED, echo, everywhere, QUESTION, whereToolsAre } from "./dialects.mjs";
import { variable } from "./money.mjs";

const openai = (more) => (model) =>
  new ChatOpenAI({
    model,
    apiKey: variable("KEY"),
    configuration: { baseURL: variable("URL") },
    maxRetries: 0,
    ...more,
  });
const ways = {
  chat: openai({}),
  Responses: openai({ useResponsesApi: true }),
  Messages: (model) =>
    new ChatAnthropic({
      model,
      apiKey: variable("KEY"),
      anthropicApiUrl: variable("URL").replace(/\/v1$/, ""),
      maxRetries: 0,
      maxTokens: 100,
    }),
};
const options = { hasCost: false };
const usages = (messages) => messages.map((message) => message.usage_metadata);

const weather = tool(async ({ city, days }) => `${days} sunny days in ${city}`, {
  name: "weather",
  description: "The weather of a city",
  schema: z.object({ city: z.string(), days: z.number().int().min(1) }),
});

for (const [way, make] of Object.entries(ways)) {
  everywhere(`LangChain through ${way} answers and streams`, async (dialect) => {
    const whole = await make(`${dialect}/echo`).invoke(QUESTION);
    assert.equal(whole.text, echo(dialect));
    const pieces = await all(await make(`${dialect}/echo`).stream(QUESTION));
    const streamed = pieces.reduce((sum, piece) => sum.concat(piece));
    assert.equal(streamed.text, echo(dialect));
    // Of a Messages stream it adds up what is cumulative. The same answer costs the same.
    return usages([whole, way === "Messages" ? whole : streamed]);
  }, options);

  whereToolsAre(`LangChain through ${way} goes once around the tool loop`, async (dialect) => {
    const model = make(`${dialect}/tools`).bindTools([weather]);
    const history = [new HumanMessage("What is the weather?")];
    const first = await model.invoke(history);
    assert.deepEqual(Object.keys(first.tool_calls[0].args).sort(), ["city", "days"]);
    const second = await model.invoke([...history, first, await weather.invoke(first.tool_calls[0])]);
    assert.equal(second.text, ANSWERED);
    return usages([first, second]);
  }, options);

  whereToolsAre(`LangChain through ${way} answers in a schema`, async (dialect) => {
    const schema = z.object({ name: z.string(), size: z.enum(["s", "m"]) });
    const settings = { name: "shirt", includeRaw: true };
    const model = make(`${dialect}/json`).withStructuredOutput(schema, settings);
    const { parsed, raw } = await model.invoke(QUESTION);
    assert.deepEqual(parsed, { name: "sim", size: "s" });
    return usages([raw]);
  }, options);
}
