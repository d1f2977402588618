//! `/api/v1/presets`: the presets of the API key's workspace, or of the default one with a session. What
//! an account does with the presets of its workspaces is under `/api/v1/workspaces/{id}/presets`.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use signalbox_core::ApiError;
use signalbox_gateway::{Surface, kept_of};
use signalbox_platform::Reach;
use signalbox_platform::v1::Page;
use signalbox_platform::v1::presets::{KeptBody, PresetWish, Shelf};

use crate::admission::Admitted;
use crate::app::App;
use crate::manage::{Asked, Manager, Wish, Within, changed, found};
use crate::{error, short_body};

/// Largest body that a preset is made of: one with what was said, which is passed over.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Whose presets are meant: those of the key's workspace, or of the session's.
fn shelf(who: &Admitted) -> Shelf {
    match who {
        Admitted::Key(principal, _) => Shelf::of_key(&principal.key),
        Admitted::Person(person) => Shelf::of_account(&person.context.account),
    }
}

/// `GET /api/v1/presets?offset&limit`.
pub(crate) async fn list(
    State(app): State<App>,
    who: Admitted,
    Asked(page): Asked<Page>,
) -> Response {
    found(&app, app.platform().list_presets(&shelf(&who), page)).await
}

/// `GET /api/v1/presets/{slug}`.
pub(crate) async fn one(
    State(app): State<App>,
    who: Admitted,
    Path(slug): Path<String>,
) -> Response {
    found(&app, app.platform().get_preset(&shelf(&who), &slug)).await
}

/// `GET /api/v1/presets/{slug}/versions?offset&limit`.
pub(crate) async fn versions(
    State(app): State<App>,
    who: Admitted,
    Path(slug): Path<String>,
    Asked(page): Asked<Page>,
) -> Response {
    found(&app, app.platform().list_preset_versions(&shelf(&who), &slug, page)).await
}

/// `GET /api/v1/presets/{slug}/versions/{version}`.
pub(crate) async fn version(
    State(app): State<App>,
    who: Admitted,
    Path((slug, version)): Path<(String, String)>,
) -> Response {
    found(&app, app.platform().get_preset_version(&shelf(&who), &slug, &version)).await
}

/// `POST /api/v1/presets/{slug}/chat/completions`: a chat body.
pub(crate) async fn save_chat(
    state: State<App>,
    who: Admitted,
    slug: Path<String>,
    request: Request,
) -> Response {
    save(state, who, slug, request, Surface::Chat).await
}

/// `POST /api/v1/presets/{slug}/messages`: a body of the Messages dialect.
pub(crate) async fn save_messages(
    state: State<App>,
    who: Admitted,
    slug: Path<String>,
    request: Request,
) -> Response {
    save(state, who, slug, request, Surface::Messages).await
}

/// `POST /api/v1/presets/{slug}/responses`: a body of the Responses dialect.
pub(crate) async fn save_responses(
    state: State<App>,
    who: Admitted,
    slug: Path<String>,
    request: Request,
) -> Response {
    save(state, who, slug, request, Surface::Responses).await
}

/// A new version of what of the body can be kept.
async fn save(
    State(app): State<App>,
    who: Admitted,
    Path(slug): Path<String>,
    request: Request,
    surface: Surface,
) -> Response {
    let kept = match kept(request, surface).await {
        Ok(kept) => kept,
        Err(problem) => return error::error(&app, problem),
    };
    let (by, shelf) = (who.by(), shelf(&who));
    let creator = match &who {
        Admitted::Key(principal, _) => principal.key.creator.clone(),
        Admitted::Person(person) => Some(person.user.id.clone()),
    };
    let work = app.platform().save_preset(by.clone(), shelf, creator, &slug, kept);
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
    Within(by, reach): Within,
    Path(workspace): Path<String>,
    Asked(page): Asked<Page>,
) -> Response {
    let work = async {
        let shelf = app.platform().preset_shelf(&by.account, &reach, &workspace).await?;
        app.platform().list_presets(&shelf, page).await
    };
    found(&app, work).await
}

/// `GET /api/v1/workspaces/{id}/presets/{slug}`.
pub(crate) async fn one_of(
    State(app): State<App>,
    Within(by, reach): Within,
    Path((workspace, slug)): Path<(String, String)>,
) -> Response {
    let work = async {
        let shelf = app.platform().preset_shelf(&by.account, &reach, &workspace).await?;
        app.platform().get_preset(&shelf, &slug).await
    };
    found(&app, work).await
}

/// `GET /api/v1/workspaces/{id}/presets/{slug}/versions?offset&limit`.
pub(crate) async fn versions_of(
    State(app): State<App>,
    Within(by, reach): Within,
    Path((workspace, slug)): Path<(String, String)>,
    Asked(page): Asked<Page>,
) -> Response {
    let work = async {
        let shelf = app.platform().preset_shelf(&by.account, &reach, &workspace).await?;
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
        let shelf = app.platform().preset_shelf(&by.account, &Reach::Whole, &workspace).await?;
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
        let shelf = app.platform().preset_shelf(&by.account, &Reach::Whole, &workspace).await?;
        app.platform().delete_preset(by.clone(), shelf, &slug).await
    };
    changed(&app, &by, StatusCode::OK, work).await
}
