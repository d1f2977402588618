// What every client is put through, on every dialect that a provider may speak.
import test from "node:test";
import { billed, variable } from "./money.mjs";

export const QUESTION = "one two three";
export const MESSAGES = [{ role: "user", content: QUESTION }];
export const COUNTED = Array.from({ length: 50 }, (_, n) => `t${n} `).join("");
export const ANSWERED = "The tools have answered.";
export const WEATHER = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
  required: ["city", "days"],
  additionalProperties: false,
};
export const SHIRT = {
  type: "object",
  properties: { name: { type: "string" }, size: { type: "string", enum: ["s", "m"] } },
  required: ["name", "size"],
  additionalProperties: false,
};

// Dialects that have no words for a case, and why.
const TEXT_ONLY = { "openai-completions": "a prompt and its continuation: no tools and no schema" };
/** What `echo` says: a dialect without roles gets the conversation as a text to go on with. */
export const echo = (dialect) =>
  dialect in TEXT_ONLY ? `User: ${QUESTION}\n\nAssistant:` : QUESTION;
const DIALECTS = variable("DIALECTS").split(",");

/** One test for each dialect of a block that takes the dialect and returns usages. */
export const everywhere = (name, block, options) => {
  for (const dialect of DIALECTS) {
    test(`${name}: ${dialect}`, () => billed(() => block(dialect), options));
  }
};

/** The same for what a dialect without tools has no words for. */
export const whereToolsAre = (name, block, options) => {
  for (const dialect of DIALECTS) {
    const skip = TEXT_ONLY[dialect] ?? false;
    test(`${name}: ${dialect}`, { skip }, () => billed(() => block(dialect), options));
  }
};

export const all = async (stream) => {
  const found = [];
  for await (const one of stream) found.push(one);
  return found;
};
