//! A scripted provider for tests, benchmarks and the demo mode.
//!
//! It speaks `openai-chat`: `POST {base}/chat/completions`, streamed and not, and
//! `GET {base}/models`. What it does is decided by the model's name, and what it really did is in its
//! [`Journal`], so that a bill can be checked against the truth.
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
//! | `big-Nkb` | one chunk of N KiB of text |
//! | `reason` | three reasoning tokens in `reasoning_content` come first |
//! | `tools` | calls the first two tools offered (or the one that was chosen) with arguments valid for their schemas; answers with text once tool results are there |
//! | `json` | an object valid for the `json_schema` asked for |
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
//! | `error-inband-N` | status 200, then an `error` object after N tokens |
//! | `role-only-then-503` | the role chunk, then an `error` object of code 503 |
//! | `flaky-P` | P percent of the requests answer 503, drawn by a seeded counter |
//! | `garbage` | status 200 and bytes that are no JSON |
//! | `html` | status 200 and an HTML page |
//! | `line-Nmb` | one line of N MiB |
//! | `truncated-json` | one token, then half of a JSON object |
//! | `wrong-type` | JSON of the wrong shape |
//! | `no-done` | the stream ends without `[DONE]` |
//! | `comments` | a comment line before every chunk |
//! | `no-usage` | no usage, even when asked |
//! | `usage-negative`, `usage-huge`, `usage-string` | completion tokens of -5, 9e18 or in a string |
//! | `usage-twice` | an early wrong usage, then the true one |
//! | `cached` | half of the prompt tokens are cached |
//!
//! Prompt tokens are the bytes of all message text divided by four, rounded up; completion tokens are
//! the tokens emitted. Not streamed, a cut or hang after tokens happens in the middle of the body.
//! With `n` above one every token is sent once for each choice.

mod answer;
mod anthropic_messages;
mod ask;
mod base64;
mod bedrock_converse;
mod behaviour;
mod body;
mod cohere_v2;
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
mod schema;
mod script;
mod server;
mod token;

pub use behaviour::{Behaviour, Content, Fault, UsageStyle};
pub use journal::{Entry, Journal, Outcome};
pub use server::{Running, Simulator, serve, start};
