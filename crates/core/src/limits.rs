//! Every numeric limit of the product, with its reason. Configurable ones are defaults here.

use std::time::Duration;

/// Largest request body. Base64 media must fit (inference spec appendix E: at least 100 MB).
pub const MAX_BODY_BYTES: usize = 100 * 1024 * 1024;
/// Deepest nesting of a request body. `serde_json` stops at the same depth.
pub const MAX_JSON_DEPTH: usize = 128;
/// Most top-level members of a request body. The dialect knows about 60; the rest are forwarded.
pub const MAX_TOP_MEMBERS: usize = 512;
/// Largest single frame of an upstream stream: an image in one chunk fits, a 64 MB line does not.
pub const MAX_FRAME_BYTES: usize = 16 * 1024 * 1024;
/// Largest upstream answer that is not streamed.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Largest upstream error body that is read; the rest is dropped.
pub const MAX_ERROR_BYTES: usize = 64 * 1024;
/// `n` of the legacy and chat APIs (project decision: 1 to 128, anything else is 400).
pub const MAX_CHOICES: u64 = 128;
/// Largest `max_tokens` that is read as a number of tokens; more is 400.
pub const MAX_MAX_TOKENS: u64 = 1 << 31;
/// Most entries of `models`.
pub const MAX_MODELS: usize = 32;
/// Longest `session_id` (inference spec 0.2).
pub const MAX_SESSION_ID_CHARS: usize = 256;
/// Longest `user` (inference spec 1.2).
pub const MAX_USER_CHARS: usize = 256;
/// Longest `trace` that is recorded, in bytes of its JSON. A longer one is passed over: it is there for
/// observability and must not be what a request fails by.
pub const MAX_TRACE_BYTES: usize = 16 * 1024;
/// Entries, key length and value length of `metadata` (inference spec 1.2).
pub const MAX_METADATA: (usize, usize, usize) = (16, 64, 512);
/// Longest function name (inference spec 1.3).
pub const MAX_FUNCTION_NAME: usize = 64;
/// Most stop sequences (inference spec 1.2).
pub const MAX_STOP_SEQUENCES: usize = 4;

/// Time between keep-alive comments while nothing else was sent (inference spec 3.1: at most 15 s).
pub const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(5);
/// The keep-alive comment.
pub const KEEP_ALIVE_COMMENT: &str = "SIGNALBOX PROCESSING";

/// Longest wait for a client that reads nothing (reliability design 5.3); then it counts as gone.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Upper bound on the whole of one request's attempts, so that a hostile `models` list can't turn
/// one request into hundreds.
pub const MAX_ATTEMPTS: usize = 16;

/// Output tokens that a request without `max_tokens` is expected to need, for ranking by price only.
pub const EXPECTED_OUTPUT_TOKENS: u64 = 500;
/// Fewest output tokens worth starting for, where a balance allows no more (some providers refuse
/// less).
pub const MIN_AFFORDABLE_OUTPUT: u64 = 16;

/// Longest queue before the ledger writer; then requests wait.
pub const LEDGER_QUEUE: usize = 8192;

/// Streams and answers that go on being read after their client left, at most.
pub const MAX_DRAINS: usize = 512;
/// Longest wait for the counts of an answer that is complete, after its client left.
pub const USAGE_WAIT: Duration = Duration::from_secs(2);
/// Time for which a client may hold up a stream before the provider's impatience is no longer the
/// provider's fault.
pub const HOLD_UP: Duration = Duration::from_secs(5);
/// Largest piece of a stream that is kept back before there is any content.
pub const MAX_READY_BYTES: usize = 1024 * 1024;
/// Content of a stream that has arrived together is sent in pieces of about this size.
pub const BURST_BYTES: usize = 16 * 1024;
/// Searches that a provider may make for one request.
pub const MAX_SEARCHES: u64 = 50;
/// Longest such drain.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(300);

/// Longest wait for open answers when the process stops.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Memory of all kept answers together. A streamed answer takes about fifty times its text.
pub const RESPONSE_CACHE_BYTES: usize = 128 * 1024 * 1024;
/// Largest answer that is kept, as the provider sent it.
pub const MAX_CACHED_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// Seconds for which an answer is kept when nobody says how long (inference spec 14.3).
pub const RESPONSE_CACHE_TTL: u32 = 300;
/// Fewest and most such seconds (inference spec 14.3).
pub const RESPONSE_CACHE_TTL_RANGE: (u32, u32) = (1, 86_400);
/// Conversations whose endpoint or model is remembered, at most.
pub const MAX_STICKY: usize = 200_000;
/// How long an idle conversation is remembered (inference spec 14.2).
pub const STICKY_IDLE: Duration = Duration::from_secs(600);

/// Largest webhook of a payment rail (reliability design, test 14).
pub const MAX_WEBHOOK_BYTES: usize = 256 * 1024;
