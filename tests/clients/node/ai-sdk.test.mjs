// Vercel's `ai` with OpenRouter's provider for it, on every dialect of the providers.
import assert from "node:assert/strict";
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { all, ANSWERED, COUNTED, echo, everywhere, QUESTION, whereToolsAre } from "./dialects.mjs";
import { variable } from "./money.mjs";

const at = (model) => {
  const settings = { baseURL: variable("URL"), apiKey: variable("KEY") };
  return { model: createOpenRouter(settings).chat(model), maxRetries: 0 };
};
const paid = ({ providerMetadata }) => providerMetadata.openrouter.usage;

everywhere("generateText answers", async (dialect) => {
  const answer = await generateText({ ...at(`${dialect}/echo`), prompt: QUESTION });
  assert.equal(answer.text, echo(dialect));
  assert.equal(answer.finishReason, "stop");
  return [paid(answer)];
});

everywhere("streamText streams", async (dialect) => {
  const request = { ...at(`${dialect}/tokens`), prompt: QUESTION, maxOutputTokens: 60 };
  const answer = streamText(request);
  const pieces = await all(answer.textStream);
  assert.equal(pieces.join(""), COUNTED);
  return [paid({ providerMetadata: await answer.providerMetadata })];
});

whereToolsAre("tools are run in a loop", async (dialect) => {
  const asked = [];
  const weather = tool({
    description: "The weather of a city",
    inputSchema: z.object({ city: z.string(), days: z.number().int().min(1) }),
    execute: async (input) => {
      asked.push(input);
      return { sky: "sunny" };
    },
  });
  const request = { prompt: QUESTION, tools: { weather }, stopWhen: stepCountIs(3) };
  const answer = await generateText({ ...at(`${dialect}/tools`), ...request });
  assert.equal(answer.text, ANSWERED);
  assert.equal(answer.steps.length, 2);
  const streamed = streamText({ ...at(`${dialect}/tools`), ...request });
  assert.equal((await all(streamed.textStream)).join(""), ANSWERED);
  assert.equal(asked.length, 2);
  assert.ok(asked.every(({ city, days }) => typeof city === "string" && days >= 1));
  return [...answer.steps, ...(await streamed.steps)].map(paid);
});

whereToolsAre("an object fits its schema", async (dialect) => {
  const schema = z.object({ name: z.string(), size: z.enum(["s", "m"]) });
  const output = Output.object({ schema });
  const answer = await generateText({ ...at(`${dialect}/json`), prompt: QUESTION, output });
  assert.deepEqual(answer.output, { name: "sim", size: "s" });
  return [paid(answer)];
});
