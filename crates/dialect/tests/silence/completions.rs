//! The members of the legacy `POST /completions` that chat has not (inference spec 16.3, and OpenAI's
//! reference).

use super::{Allowed, Group, HASHED, never_silent};
use signalbox_dialect::openai_chat::read_request::read_request;
use signalbox_dialect::openai_completions::survey::survey;

const GROUPS: &[Group] = &[Group {
    request: r#"{"model":"a/m","prompt":"Hi"}"#,
    at: "",
    members: &[
        ("max_tokens", "100"),
        ("temperature", "0.5"),
        ("logprobs", "3"),
        ("echo", "true"),
        ("best_of", "2"),
        ("suffix", "\"x\""),
        ("n", "2"),
        ("stop", "\"x\""),
        ("logit_bias", "{\"5\":1}"),
        ("seed", "7"),
        ("user", "\"u\""),
    ],
}];

const ALLOWED: &[Allowed] = &[("/user", &["*"], HASHED)];

#[test]
fn nothing_of_a_legacy_request_is_dropped_silently() {
    never_silent(
        |document| {
            let survey = survey(document).map_err(|error| error.to_string())?;
            read_request(document, &survey).map_err(|error| error.to_string())
        },
        GROUPS,
        ALLOWED,
    );
}
