//! `Idempotency-Key` on answers of providers, for who asks for it.
//!
//! Some clients send such a key with everything and do not wish their answers to be stored, so it counts
//! beside a header of our own only. The answer is kept after its charge is durable and before the
//! client sees it: whoever asks again gets it for nothing.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use signalbox_core::ApiError;
use signalbox_core::id::GenerationId;
use signalbox_gateway::{Failed, Opened, Principal, ReplyBody, Surface};
use signalbox_platform::once::{Answer, Once};
use signalbox_runtime::{entropy, task};

use crate::app::App;
use crate::once;

/// Says that the key counts.
const WISH: &str = "x-signalbox-once";
/// Whether a request asks to be answered once.
pub(super) fn is_wished(headers: &HeaderMap) -> bool {
    let wish = headers.get(WISH).and_then(|value| value.to_str().ok());
    wish.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

#[derive(Deserialize)]
struct Manner {
    #[serde(default)]
    stream: bool,
}

/// The request of this key, route and body: with what is merged into it, so that it is another one
/// when its preset is.
///
/// # Errors
/// 400 without a key, and for a stream: only answers in one piece are kept.
pub(super) fn request(
    headers: &HeaderMap,
    principal: &Principal,
    path: &str,
    body: &Bytes,
) -> Result<Once, ApiError> {
    let manner: Result<Manner, _> = serde_json::from_slice(body);
    if manner.is_ok_and(|manner| manner.stream) {
        let message = "X-Signalbox-Once: only answers in one piece are kept, without \"stream\"";
        return Err(ApiError::invalid(message));
    }
    let once = once::of(headers, &principal.key.account, &format!("POST {path}"), body)?;
    once.ok_or_else(|| ApiError::invalid("X-Signalbox-Once: needs an Idempotency-Key"))
}

/// The answer that was given before, or a new one. The work goes on when its client leaves.
///
/// # Errors
/// Those of any answer; 409 while it is being worked on, 422 for a key of another request.
pub(super) async fn answer(
    app: &App,
    principal: Arc<Principal>,
    mut opened: Opened,
    once: Once,
) -> Result<Response, Failed> {
    let (now, entropy) = (app.clock().now(), entropy::bytes());
    let id = match opened.surface() {
        Surface::Embeddings => GenerationId::generate_of("emb", now, entropy),
        Surface::Rerank => GenerationId::generate_of("rerank", now, entropy),
        _ => GenerationId::generate(now, entropy),
    };
    opened.set_id(id.clone());
    let (app, holder) = (app.clone(), app.gateway().holder());
    let work = task::spawn("once", async move {
        let platform = app.platform();
        if let Some(before) = platform.begin_generation(once.clone(), holder, id).await? {
            return Ok(before);
        }
        match whole(&app, principal, opened).await {
            Ok(answer) => {
                platform.end_generation(once, Some(answer.clone())).await?;
                Ok(answer)
            }
            Err(failed) => {
                platform.end_generation(once, None).await?;
                Err(failed)
            }
        }
    });
    let lost = || ApiError::internal("a request ended without an answer");
    Ok(once::told(work.await.ok().flatten().ok_or_else(lost)??))
}

async fn whole(app: &App, principal: Arc<Principal>, opened: Opened) -> Result<Answer, Failed> {
    let admitted = app.gateway().admit(principal).await?;
    let reply = app.gateway().serve(admitted, opened).await?;
    let ReplyBody::Whole(receiver) = reply.body else {
        return Err(ApiError::internal("an answer in one piece came in many").into());
    };
    let gone = |_| ApiError::internal("the generation ended without an answer");
    let document = receiver.await.map_err(gone)??;
    let body = String::from_utf8_lossy(&document).into_owned();
    Ok(Answer { status: 200, body })
}
