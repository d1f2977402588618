// The account's money in whole nano-dollars, and clients of the running Signalbox.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { OpenRouter } from "@openrouter/sdk";
import OpenAI from "openai";

export const variable = (name) => {
  const value = process.env[`SIGNALBOX_${name}`];
  assert.ok(value, `SIGNALBOX_${name} is set`);
  return value;
};

const NANOS = 1_000_000_000;
/** A number of dollars with at most nine decimals as nano-dollars. */
export const nanos = (dollars) => {
  const whole = Math.round(dollars * NANOS);
  assert.equal(Number((whole / NANOS).toFixed(9)), dollars, "at most nine decimals");
  return whole;
};

export const openai = (key = variable("KEY")) =>
  new OpenAI({ baseURL: variable("URL"), apiKey: key, maxRetries: 0, timeout: 20_000 });

export const openrouter = (key = variable("KEY")) =>
  new OpenRouter({
    apiKey: key,
    serverURL: variable("URL"),
    retryConfig: { strategy: "none" },
    timeoutMs: 20_000,
  });

/** Base `/api`, with the key in `x-api-key`, as that client does it. */
export const anthropic = (key = variable("KEY")) =>
  new Anthropic({
    baseURL: variable("URL").replace(/\/v1$/, ""),
    apiKey: key,
    maxRetries: 0,
    timeout: 20_000,
  });

export const balance = async () => {
  const { data } = await openrouter(variable("MANAGEMENT_KEY")).credits.getCredits();
  return nanos(data.totalCredits) - nanos(data.totalUsage);
};

const owed = (usage, hasCost) => {
  const prompt = usage.prompt_tokens ?? usage.promptTokens ?? usage.input_tokens;
  const completion = usage.completion_tokens ?? usage.completionTokens ?? usage.output_tokens;
  const sum = prompt * 1000 + completion * 3000;
  if (hasCost) assert.equal(nanos(usage.cost), sum);
  return sum;
};

/**
 * Runs a block that returns usages; the balance goes down by exactly the sum of their costs.
 * Where a client drops the cost (`hasCost: false`) it is computed from the tokens.
 */
export const billed = async (block, { hasCost = true } = {}) => {
  const before = await balance();
  const usages = await block();
  const sum = usages.reduce((all, usage) => all + owed(usage, hasCost), 0);
  assert.ok(sum > 0, "a billing test costs something");
  assert.equal(before - (await balance()), sum);
};

/** Waits until a generation is on record, and so paid for. */
export const recorded = async (id) => {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = await openrouter().generations.getGeneration({ id }).catch(() => null);
    if (found) return found.data;
    await new Promise((done) => setTimeout(done, 50));
  }
  return assert.fail(`${id} is not on record`);
};
