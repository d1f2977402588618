//! Does what a model's name asks for.

use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde_json::Value;
use tokio::time::sleep;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::bedrock_converse;
use crate::behaviour::{Behaviour, Fault, Halt};
use crate::body::ScriptBody;
use crate::dialect::{Carrier, Dialect, Failure, Recipient, Route};
use crate::journal::{Outcome, Page};
use crate::script::Script;

/// Header that names an error's type beside bodies that do not.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Answers one request.
pub(crate) async fn perform(
    seed: u64,
    number: u64,
    id: &str,
    route: &Route,
    (mut behaviour, ask): (Behaviour, Ask),
    page: Page,
) -> Response<ScriptBody> {
    if draw(seed, number) < behaviour.flaky {
        behaviour.fault = Some(Fault::Status { status: 503, retry_after: None, code: None });
    }
    pause(behaviour.headers).await;
    if behaviour.halt == Some(Halt::BeforeHeaders)
        && let Some(halt) = page.halt()
    {
        halt.await;
    }
    match behaviour.fault {
        Some(Fault::Hang) => return hang(page).await,
        Some(Fault::Status { status, retry_after, code }) => {
            return refuse(route, &Failure { status, code, retry_after, wrong: None }, page);
        }
        _ => {}
    }
    let answer = Answer::new(&behaviour, &ask, route.dialect);
    let budget = match behaviour.fault {
        Some(Fault::CutAt(bytes)) => Some(bytes),
        _ => None,
    };
    let to = Recipient {
        dialect: route.dialect,
        carrier: route.carrier,
        id,
        model: &ask.model,
        wants_usage: ask.include_usage,
        array: route.array,
        signs: behaviour.strict_signatures,
    };
    let html = behaviour.fault == Some(Fault::Html);
    if ask.stream {
        let kind = if html { "text/html" } else { route.dialect.stream_kind(route) };
        // A frame with a sum can't be written over.
        let stamped = behaviour.stamped && kind == "text/event-stream";
        let script = Script::streamed(answer, behaviour, &to);
        let body = ScriptBody::new(script, page, Outcome::Complete, None, budget);
        return respond(kind, if stamped { body.stamped() } else { body });
    }
    let tokens = u32::try_from(answer.len()).unwrap_or(u32::MAX);
    pause(behaviour.first.saturating_add(behaviour.gap.saturating_mul(tokens))).await;
    let (script, length) = Script::whole(&answer, &behaviour, &to);
    let length = length.map(|n| n as u64);
    let kind = if html { "text/html" } else { "application/json" };
    respond(kind, ScriptBody::new(script, page, Outcome::Complete, length, budget))
}

pub(crate) async fn pause(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

/// Keeps the page open until the connection ends and drops this future.
pub(crate) async fn hang(page: Page) -> Response<ScriptBody> {
    let _page = page;
    pending().await
}

fn respond(kind: &'static str, body: ScriptBody) -> Response<ScriptBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// An error in the dialect's envelope.
pub(crate) fn refuse(route: &Route, failure: &Failure, page: Page) -> Response<ScriptBody> {
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = plain(status, route.dialect.error(route.carrier, failure), page);
    let headers = response.headers_mut();
    if let Some(seconds) = failure.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if route.dialect == Dialect::BedrockConverse || route.carrier == Carrier::Invoke {
        let kind = bedrock_converse::error_type(failure.status);
        headers.insert(ERROR_TYPE, HeaderValue::from_static(kind));
    }
    response
}

/// A document and nothing else.
pub(crate) fn plain(status: StatusCode, value: Value, page: Page) -> Response<ScriptBody> {
    let bytes = Bytes::from(value.to_string());
    let length = Some(bytes.len() as u64);
    let outcome =
        if status.is_success() { Outcome::Complete } else { Outcome::Status(status.as_u16()) };
    let script = Script::once(bytes);
    let mut response =
        respond("application/json", ScriptBody::new(script, page, outcome, length, None));
    *response.status_mut() = status;
    response
}

/// A number below 100, the same for the same seed and request.
pub(crate) fn draw(seed: u64, number: u64) -> u64 {
    let mut bits = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (bits ^ (bits >> 31)) % 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_the_seed_and_are_spread() {
        let failures = |seed| (0..10_000).filter(|n| draw(seed, *n) < 30).count();
        assert!((2800..3200).contains(&failures(0)), "{}", failures(0));
        assert_eq!(failures(7), failures(7));
        assert_ne!(draw(1, 5), draw(2, 5));
    }
}
