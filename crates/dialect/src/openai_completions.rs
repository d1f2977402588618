//! The `openai-completions` dialect: the legacy `POST /completions`. Providers are always asked in
//! `openai-chat`; only the client's side of it is legacy.

pub mod survey;
pub mod write_answer;
pub mod write_relay;
