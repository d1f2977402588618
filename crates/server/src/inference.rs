//! The inference routes: body in, answer or event stream out.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use schemars::JsonSchema;
use serde::Serialize;
use signalbox_core::ApiError;
use signalbox_core::attribution::categories;
use signalbox_dialect::AnswerStyle;
use signalbox_gateway::{Failed, Inbound, Reply, ReplyBody, RequestHead, Surface};

use crate::app::App;
use crate::{credential, error, region};

pub(crate) mod body;
mod cache;
mod once;
mod stream;

const HTTP_REFERER: HeaderName = HeaderName::from_static("http-referer");
const X_OPENROUTER_TITLE: HeaderName = HeaderName::from_static("x-openrouter-title");
const X_TITLE: HeaderName = HeaderName::from_static("x-title");
static BETA_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-anthropic-beta"), HeaderName::from_static("anthropic-beta")];
/// Most beta features that a client may name; those after them are left out.
const MAX_BETAS: usize = 32;
const X_OPENROUTER_CATEGORIES: HeaderName = HeaderName::from_static("x-openrouter-categories");
const X_SESSION_ID: HeaderName = HeaderName::from_static("x-session-id");
const X_OPENROUTER_METADATA: HeaderName = HeaderName::from_static("x-openrouter-metadata");
const X_OPENROUTER_EXPERIMENTAL_METADATA: HeaderName =
    HeaderName::from_static("x-openrouter-experimental-metadata");

/// `POST /api/v1/chat/completions`.
pub(crate) async fn chat(State(app): State<App>, request: Request) -> Response {
    answer(app, request, Surface::Chat).await
}

/// `POST /api/v1/cursor/chat/completions`: chat, with the flat tools that Cursor sends.
pub(crate) async fn cursor(State(app): State<App>, request: Request) -> Response {
    answer(app, request, Surface::Cursor).await
}

/// Legacy `POST /api/v1/completions`.
pub(crate) async fn completions(State(app): State<App>, request: Request) -> Response {
    answer(app, request, Surface::Completions).await
}

/// `POST /api/v1/messages`. Anthropic's clients reach it from base `/api`, OpenAI's from `/api/v1`.
pub(crate) async fn messages(State(app): State<App>, request: Request) -> Response {
    answer(app, request, Surface::Messages).await
}

/// `POST /api/v1/responses`, stateless.
pub(crate) async fn responses(State(app): State<App>, request: Request) -> Response {
    answer(app, request, Surface::Responses).await
}

/// `POST /api/v1/embeddings`.
pub(crate) async fn embeddings(State(app): State<App>, request: Request) -> Response {
    answer(app, request, Surface::Embeddings).await
}

/// `POST /api/v1/rerank`.
pub(crate) async fn rerank(State(app): State<App>, request: Request) -> Response {
    answer(app, request, Surface::Rerank).await
}

/// `POST /api/v1/messages/count_tokens`: an estimate of the prompt's tokens, free of charge.
pub(crate) async fn count_tokens(State(app): State<App>, request: Request) -> Response {
    match counted(&app, request).await {
        Ok(body) => error::document(body),
        Err(problem) => error::failed(&app, &problem, AnswerStyle::Messages),
    }
}

/// The answer to who asks for the length of a prompt.
#[derive(Serialize, JsonSchema)]
pub(crate) struct CountedTokens {
    /// An estimate.
    input_tokens: u64,
}

async fn counted(app: &App, request: Request) -> Result<Vec<u8>, Failed> {
    let (head, body) = request.into_parts();
    let caller = credential::any(app, &head.headers).await?;
    let body = body::read(&head.headers, body).await?;
    let counted = CountedTokens { input_tokens: app.gateway().count_tokens(&caller, body).await? };
    Ok(serde_json::to_vec(&counted).map_err(|problem| ApiError::internal(problem.to_string()))?)
}

async fn answer(app: App, request: Request, surface: Surface) -> Response {
    match infer(&app, request, surface).await {
        Ok(response) => response,
        Err(failed) => error::failed(&app, &failed, surface.style()),
    }
}

async fn infer(app: &App, request: Request, surface: Surface) -> Result<Response, Failed> {
    let (head, body) = request.into_parts();
    let principal = credential::any(app, &head.headers).await?;
    if once::is_wished(&head.headers) {
        let body = body::read(&head.headers, body).await?;
        let inbound = Inbound { surface, head: request_head(app, &head), body, id: None };
        let opened = app.gateway().open(&principal, inbound).await?;
        let once = once::request(&head.headers, &principal, head.uri.path(), opened.body())?;
        return once::answer(app, principal, opened, once).await;
    }
    // Whoever may not ask does not get to send a hundred megabytes first.
    let admitted = app.gateway().admit(principal).await?;
    let body = body::read(&head.headers, body).await?;
    let inbound = Inbound { surface, head: request_head(app, &head), body, id: None };
    let opened = app.gateway().open(admitted.principal(), inbound).await?;
    let reply = app.gateway().serve(admitted, opened).await?;
    let id = HeaderValue::from_str(reply.id.as_str()).ok();
    let mut response = match reply.body {
        ReplyBody::Whole(receiver) => {
            let gone = |_| ApiError::internal("the generation ended without an answer");
            let document: Bytes = receiver.await.map_err(gone)??;
            let mut response = Response::new(Body::from(document));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
        ReplyBody::Stream(pieces) => {
            let Reply { skin, identity, .. } = reply;
            stream::respond(pieces, skin, identity).await?
        }
    };
    if let Some(id) = id {
        response.headers_mut().insert("x-generation-id", id);
    }
    if let Some(status) = &reply.cache {
        cache::tell(status, response.headers_mut());
    }
    Ok(response)
}

/// The headers with a meaning (inference spec 0.2). Texts are cut at 512 characters.
pub(crate) fn request_head(app: &App, parts: &Parts) -> RequestHead {
    let headers = &parts.headers;
    let text = |name: HeaderName| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(value.get(..512).unwrap_or(value).to_owned())
    };
    let wants = text(X_OPENROUTER_METADATA).or_else(|| text(X_OPENROUTER_EXPERIMENTAL_METADATA));
    RequestHead {
        referer: text(HTTP_REFERER).or_else(|| text(header::REFERER)),
        title: text(X_OPENROUTER_TITLE).or_else(|| text(X_TITLE)),
        categories: text(X_OPENROUTER_CATEGORIES).map(|text| categories(&text)).unwrap_or_default(),
        origin: text(header::ORIGIN),
        user_agent: text(header::USER_AGENT),
        session_id: text(X_SESSION_ID),
        betas: betas(headers),
        wants_metadata: wants.is_some_and(|value| value.eq_ignore_ascii_case("enabled")),
        cache: cache::asked(headers),
        region: region::of(app, &parts.uri, headers),
    }
}

/// The beta features of both headers, each once. What can't be the name of one is left out.
fn betas(headers: &HeaderMap) -> Vec<String> {
    let mut betas: Vec<String> = Vec::new();
    let values = BETA_HEADERS.iter().flat_map(|name| headers.get_all(name));
    let names = values.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    for name in names.map(str::trim) {
        let lawful = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let named = !name.is_empty() && name.len() <= 100 && name.bytes().all(lawful);
        if named && betas.len() < MAX_BETAS && !betas.iter().any(|one| one == name) {
            betas.push(name.to_owned());
        }
    }
    betas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn betas_come_from_both_headers_each_once() {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &'static str| {
            headers.append(name, HeaderValue::from_static(value));
        };
        put("anthropic-beta", "interleaved-thinking-2025-05-14, ,a_b");
        put("x-anthropic-beta", "a_b,bad name,x-1");
        assert_eq!(betas(&headers), ["a_b", "x-1", "interleaved-thinking-2025-05-14"]);
        headers.clear();
        let many: Vec<String> = (0..100).map(|number| format!("b{number}")).collect();
        headers.insert("anthropic-beta", HeaderValue::from_str(&many.join(",")).unwrap());
        assert_eq!(betas(&headers).len(), MAX_BETAS);
    }
}
