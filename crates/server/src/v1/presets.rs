//! `/api/v1/presets`, with an API key: the presets of its workspace. What an account does with the
//! presets of its workspaces is under `/api/v1/workspaces/{id}/presets`, with a management key.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use signalbox_core::ApiError;
use signalbox_gateway::{Principal, Surface, kept_of};
use signalbox_platform::v1::Page;
use signalbox_platform::v1::presets::{KeptBody, PresetWish, Shelf};
use signalbox_platform::{Actor, By};

use crate::app::App;
use crate::manage::{Asked, Manager, Peer, Wish, changed, found};
use crate::{credential, error, short_body};

/// Largest body that a preset is made of: one with what was said, which is passed over.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// The holder of an API key.
pub(crate) struct Caller {
    principal: Arc<Principal>,
    by: By,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let caller = credential::inference(app, &parts.headers).await;
        let principal = caller.map_err(|problem| error::error(app, problem))?;
        let address = parts.extensions.get::<Peer>().map(|peer| peer.0.to_string());
        let actor = Actor::Key(principal.key.hash.clone());
        let by = By { account: principal.key.account.clone(), actor, address };
        Ok(Self { principal, by })
    }
}

impl Caller {
    fn shelf(&self) -> Shelf {
        Shelf::of_key(&self.principal.key)
    }
}

/// `GET /api/v1/presets?offset&limit`.
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Asked(page): Asked<Page>,
) -> Response {
    found(&app, app.platform().list_presets(&caller.shelf(), page)).await
}

/// `GET /api/v1/presets/{slug}`.
pub(crate) async fn one(
    State(app): State<App>,
    caller: Caller,
    Path(slug): Path<String>,
) -> Response {
    found(&app, app.platform().get_preset(&caller.shelf(), &slug)).await
}

/// `GET /api/v1/presets/{slug}/versions?offset&limit`.
pub(crate) async fn versions(
    State(app): State<App>,
    caller: Caller,
    Path(slug): Path<String>,
    Asked(page): Asked<Page>,
) -> Response {
    found(&app, app.platform().list_preset_versions(&caller.shelf(), &slug, page)).await
}

/// `GET /api/v1/presets/{slug}/versions/{version}`.
pub(crate) async fn version(
    State(app): State<App>,
    caller: Caller,
    Path((slug, version)): Path<(String, String)>,
) -> Response {
    found(&app, app.platform().get_preset_version(&caller.shelf(), &slug, &version)).await
}

/// `POST /api/v1/presets/{slug}/chat/completions`: a chat body.
pub(crate) async fn save_chat(
    state: State<App>,
    caller: Caller,
    slug: Path<String>,
    request: Request,
) -> Response {
    save(state, caller, slug, request, Surface::Chat).await
}

/// `POST /api/v1/presets/{slug}/messages`: a body of the Messages dialect.
pub(crate) async fn save_messages(
    state: State<App>,
    caller: Caller,
    slug: Path<String>,
    request: Request,
) -> Response {
    save(state, caller, slug, request, Surface::Messages).await
}

/// `POST /api/v1/presets/{slug}/responses`: a body of the Responses dialect.
pub(crate) async fn save_responses(
    state: State<App>,
    caller: Caller,
    slug: Path<String>,
    request: Request,
) -> Response {
    save(state, caller, slug, request, Surface::Responses).await
}

/// A new version of what of the body can be kept.
async fn save(
    State(app): State<App>,
    Caller { principal, by }: Caller,
    Path(slug): Path<String>,
    request: Request,
    surface: Surface,
) -> Response {
    let kept = match kept(request, surface).await {
        Ok(kept) => kept,
        Err(problem) => return error::error(&app, problem),
    };
    let work = app.platform().save_preset(by.clone(), &principal.key, &slug, kept);
    changed(&app, &by, StatusCode::OK, work).await
}

async fn kept(request: Request, surface: Surface) -> Result<KeptBody, ApiError> {
    let (head, body): (_, Body) = request.into_parts();
    let body = short_body::read(&head.headers, body, MAX_BODY).await?;
    let preset = kept_of(surface, body)?;
    let config = preset.config().text().to_owned();
    Ok(KeptBody { config, system_prompt: preset.system_prompt().map(str::to_owned) })
}

/// `GET /api/v1/workspaces/{id}/presets?offset&limit`.
pub(crate) async fn list_of(
    State(app): State<App>,
    Manager(by): Manager,
    Path(workspace): Path<String>,
    Asked(page): Asked<Page>,
) -> Response {
    let work = async {
        let shelf = app.platform().preset_shelf(&by.account, &workspace).await?;
        app.platform().list_presets(&shelf, page).await
    };
    found(&app, work).await
}

/// `GET /api/v1/workspaces/{id}/presets/{slug}`.
pub(crate) async fn one_of(
    State(app): State<App>,
    Manager(by): Manager,
    Path((workspace, slug)): Path<(String, String)>,
) -> Response {
    let work = async {
        let shelf = app.platform().preset_shelf(&by.account, &workspace).await?;
        app.platform().get_preset(&shelf, &slug).await
    };
    found(&app, work).await
}

/// `GET /api/v1/workspaces/{id}/presets/{slug}/versions?offset&limit`.
pub(crate) async fn versions_of(
    State(app): State<App>,
    Manager(by): Manager,
    Path((workspace, slug)): Path<(String, String)>,
    Asked(page): Asked<Page>,
) -> Response {
    let work = async {
        let shelf = app.platform().preset_shelf(&by.account, &workspace).await?;
        app.platform().list_preset_versions(&shelf, &slug, page).await
    };
    found(&app, work).await
}

/// `PATCH /api/v1/workspaces/{id}/presets/{slug}`.
pub(crate) async fn update(
    State(app): State<App>,
    Manager(by): Manager,
    Path((workspace, slug)): Path<(String, String)>,
    Wish(wish): Wish<PresetWish>,
) -> Response {
    let work = async {
        let shelf = app.platform().preset_shelf(&by.account, &workspace).await?;
        app.platform().update_preset(by.clone(), shelf, &slug, wish).await
    };
    changed(&app, &by, StatusCode::OK, work).await
}

/// `DELETE /api/v1/workspaces/{id}/presets/{slug}`.
pub(crate) async fn delete(
    State(app): State<App>,
    Manager(by): Manager,
    Path((workspace, slug)): Path<(String, String)>,
) -> Response {
    let work = async {
        let shelf = app.platform().preset_shelf(&by.account, &workspace).await?;
        app.platform().delete_preset(by.clone(), shelf, &slug).await
    };
    changed(&app, &by, StatusCode::OK, work).await
}
