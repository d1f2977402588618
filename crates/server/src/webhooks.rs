//! `POST /webhooks/stripe`: what the card processor tells. Its body is never logged.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use signalbox_core::{ApiError, ErrorKind, limits};
use signalbox_platform::purchase::Heard;

use crate::app::App;
use crate::{error, short_body};

/// One event of the card processor. Without a secret there is no such route.
pub(crate) async fn stripe(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let answer = async {
        let nothing = || ApiError::new(ErrorKind::NotFound, "POST /webhooks/stripe does not exist");
        if !app.purchases().hears_webhooks() {
            return Err(nothing());
        }
        let body = short_body::read(&headers, body, limits::MAX_WEBHOOK_BYTES).await?;
        let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
        let refused = |reason: String| {
            tracing::warn!(reason, bytes = body.len(), "a webhook was refused");
            Err(ApiError::invalid(reason))
        };
        match app.purchases().hear(signature.unwrap_or_default(), &body).await? {
            Heard::NoSecret => Err(nothing()),
            Heard::Forged(reason) => refused(reason.to_string()),
            Heard::NoEvent => refused("not an event".to_owned()),
            Heard::Kept | Heard::Did(_) => Ok(r#"{"received":true}"#),
        }
    };
    error::json(&app, answer.await)
}
