//! The `openai-completions` dialect: the legacy `POST /completions`.
//!
//! On the client's side (`survey`, `write_relay`, `write_answer`) a prompt goes to chat endpoints as
//! one message. On the provider's side (`write_request`, `read_answer`) a conversation goes to an
//! endpoint that speaks nothing newer as one prompt, by the template that its model was trained with.

mod logprobs;
mod prompt;
pub mod read_answer;
pub mod survey;
pub mod template;
pub mod tool_text;
pub mod write_answer;
pub mod write_relay;
pub mod write_request;
