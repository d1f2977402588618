//! A scripted provider for tests, benchmarks and the demo mode.
//!
//! It speaks every provider dialect of the product, streamed and not, and was written from the
//! providers' documentation without a look at the product's own codecs: it is the check of them. What
//! it does is decided by the model's name, and what it really did is in its [`Journal`], so that a bill
//! can be checked against the truth. [`Simulator::count`] tells how many requests a model has now.
//!
//! # Paths
//!
//! Only the end of a path counts, so that any base URL will do. `GET {base}/models` lists models.
//!
//! | `POST` to a path that ends with | dialect | model and `stream` from |
//! |---|---|---|
//! | `/chat/completions` | `openai-chat` | body |
//! | `/completions` | `openai-completions` | body |
//! | `/responses` | `openai-responses` | body |
//! | `/messages` | `anthropic-messages` | body |
//! | `:rawPredict`, `:streamRawPredict` | `anthropic-messages` | path |
//! | `/model/M/invoke`, `/model/M/invoke-with-response-stream` | `anthropic-messages` | path |
//! | `:generateContent`, `:streamGenerateContent` (an array without `alt=sse`) | `gemini` | path |
//! | `/model/M/converse`, `/model/M/converse-stream` | `bedrock-converse` | path |
//! | `/chat` | `cohere-v2` | body |
//! | `/embeddings`, `/embed`, `/rerank`, `:embedContent`, `:batchEmbedContents` | embeddings and reranks, for which words of content mean nothing | body or path |
//! | `/token` | an OAuth token for a signed assertion | |
//!
//! # Strictness
//!
//! `openai-chat` is lenient. The others refuse, with status 400 in their own envelope and a message that
//! names the fault, what their provider refuses: members that do not exist, calls without results and
//! results without calls, roles out of order, media that are no base64, missing versions and limits.
//! Thinking signatures, sealed reasoning and thought signatures are keyed hashes: what this program
//! made is accepted, on every carrier, and nothing else. With a thinking budget in Messages and Converse
//! `tools` implies `reason`, because such a turn has to come back with its thinking.
//!
//! # Behaviour names
//!
//! A model's name is one or more of these words joined by `+`, such as `tokens-50+slow-ms-20`. A
//! prefix up to the last `/` is ignored. Of two words that contradict each other the last one counts.
//! A word that is not in the table means `echo`.
//!
//! | word | what happens |
//! |---|---|
//! | `echo` | the text of the last user message, a token for each word |
//! | `tokens-N` | N tokens `t0 t1 t2 …`, so that a reader sees which ones arrived |
//! | `stamped` | numbered tokens in a stream read `t0@MICROSECONDS`, the time of day they were sent at |
//! | `even` | numbered tokens have four bytes each, as tokens of the prompt do |
//! | `big-Nkb` | one chunk of N KiB of text |
//! | `reason` | three reasoning tokens come first, signed or sealed where the dialect does that |
//! | `plan` | the same tokens as `reason`; in `cohere-v2` they are the tool plan |
//! | `redacted` | a block of reasoning that can't be read comes before the answer |
//! | `signed`, or `gemini-3` in the name | function calls of `gemini` are signed, and need their signature back |
//! | `tools` | calls the first two tools offered (or the one that was chosen) with arguments valid for their schemas; answers with text once tool results are there |
//! | `agent` | calls the tool that reads files, such as `Read` or `exec_command`, for the word after `FILE:` in the user's text; says what a tool said once there is a result |
//! | `json` | an object valid for the schema asked for; without one, a call of the tool that was forced |
//! | `describe` | the media that arrived, such as `image/png:68 application/pdf:120 url:https://...` |
//! | `cite` | the text has a citation, where the dialect has them |
//! | `refuse` | a refusal in the dialect's form |
//! | `blocked` | the same; in `gemini` the prompt is refused and not the answer |
//! | `image-out` | one image beside a line of text |
//! | `empty` | no content, finish reason `stop` |
//! | `blank` | no content, no finish reason |
//! | `over-max` | ignores `max_tokens`, which all others obey with finish reason `length` |
//! | `first-ms-N` | the first chunk comes N ms after the headers (not streamed: headers wait too) |
//! | `slow-ms-N` | N ms before each token |
//! | `headers-slow`, `headers-slow-N` | headers come after 2000 ms, or N ms |
//! | `hang` | accepts the request and never answers |
//! | `hang-after-N` | silence after N tokens |
//! | `cut-after-N` | the connection closes after N tokens |
//! | `cut-at-N` | the connection closes after N bytes of body |
//! | `status-N`, `status-N-retry-S` | HTTP status N with an error body; `Retry-After: S` |
//! | `status-400-context` | context length exceeded |
//! | `status-400-policy` | refused by a content policy |
//! | `error-inband-N` | status 200, then the dialect's error inside a stream after N tokens |
//! | `role-only-then-503` | what comes before the first token, then such an error of code 503 |
//! | `flaky-P` | P percent of the requests answer 503, drawn by a seeded counter |
//! | `garbage` | status 200 and bytes that are no JSON |
//! | `html` | status 200 and an HTML page |
//! | `line-Nmb` | one line of N MiB |
//! | `truncated-json` | one token, then half of a JSON object |
//! | `wrong-type` | JSON of the wrong shape |
//! | `no-done` | the stream ends without `[DONE]` or the dialect's terminal event |
//! | `comments` | a comment line before every chunk |
//! | `no-usage` | no usage, even when asked |
//! | `usage-negative`, `usage-huge`, `usage-string` | completion tokens of -5, 9e18 or in a string |
//! | `usage-vast`, `usage-null` | completion tokens of 1e308, or `null` |
//! | `usage-zero` | zero everywhere, said explicitly |
//! | `usage-twice` | an early wrong usage, then the true one |
//! | `halt-headers`, `halt-body` | waits before the head, or between it and the body, until [`Simulator::go_on`] |
//! | `halt-N` | the same after N tokens; not streamed, in the middle of the body |
//! | `halt-usage`, `halt-done` | the same between the tokens and the usage, or between the usage and the end |
//! | `switch-NAME` | what [`Simulator::switch`] last set NAME to; before that `echo` |
//! | `as-key` | what the bearer's key says, so that keys can differ |
//! | `gate-NAME` | nothing at all until [`Simulator::open_gate`] has opened NAME |
//! | `cached` | half of the prompt tokens are cached |
//! | `cache-write` | a quarter of the prompt tokens are written to the cache |
//!
//! Prompt tokens are the bytes of all message text divided by four, rounded up; completion tokens are
//! the tokens emitted. Not streamed, a cut or hang after tokens happens in the middle of the body.
//! With `n` above one every token is sent once for each choice.
//!
//! # Where dialects differ
//!
//! | word | Responses | Messages | `gemini` | Converse | `cohere-v2` | Completions |
//! |---|---|---|---|---|---|---|
//! | `reason` | summary | thinking | thought parts | reasoning text | thinking | left out |
//! | `redacted` | sealed item | redacted thinking | left out | redacted content | left out | left out |
//! | `image-out` | generation call | left out | inline data | image block | left out | left out |
//! | `refuse` | refusal part | `refusal` | `SAFETY` | `content_filtered` | plain text | `content_filter` |
//! | `cite` | annotation | citation | grounding | citation | citation | left out |
//! | `empty` | empty message | no block | no part | no block | no content | no text |
//! | `blank` | no item | no stop reason | no finish reason | no `messageStop` | no reason | no reason |
//! | `error-inband-N` | `response.failed`, at 0 `error` | `event: error` | error object | exception frame | `message-end` with `ERROR` | error object |
//! | `no-done` lacks | `response.completed` | `message_stop` | last chunk | `messageStop`, `metadata` | `message-end` | `[DONE]` |
//!
//! Sealed reasoning in Responses comes only when `include` asks for it. A stream in binary frames has no
//! comments and no stamps.

mod agent;
mod answer;
mod anthropic_messages;
mod ask;
mod base64;
mod bedrock_converse;
mod behaviour;
mod body;
mod cohere_v2;
mod control;
mod dialect;
mod event_stream;
mod frames;
mod gemini;
mod journal;
mod mint;
mod openai_chat;
mod openai_completions;
mod openai_responses;
mod perform;
mod retrieval;
mod schema;
mod script;
mod server;
mod token;

pub use behaviour::{Behaviour, Content, Fault, Halt, UsageStyle};
pub use control::Count;
pub use journal::{Entry, Journal, Outcome};
pub use server::{Running, Simulator, serve, start};
