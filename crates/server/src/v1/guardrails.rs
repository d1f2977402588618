//! `/api/v1/guardrails` and `/api/v1/privacy`, with a management key.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use signalbox_catalog::Lookup;
use signalbox_gateway::World;
use signalbox_platform::v1::Page;
use signalbox_platform::v1::assignments::{Assignees, KeyHashes, MemberIds, Who};
use signalbox_platform::v1::guardrails::{GuardrailWish, ListGuardrails};
use signalbox_platform::v1::rules::{Names, RulesWish};

use crate::app::App;
use crate::manage::{Asked, Manager, Wish, changed, found};

/// The catalogue as a judge of names. A pattern with `*` stands for itself.
struct Catalogue {
    world: Arc<World>,
    has_recognizer: bool,
}

impl Names for Catalogue {
    fn model(&self, name: &str) -> Option<String> {
        if name.contains('*') {
            return Some(name.to_lowercase());
        }
        let (Lookup::Found { model, .. } | Lookup::Deprecated(model)) =
            self.world.catalog.lookup(name)
        else {
            return None;
        };
        Some(match model.id.split_once(':') {
            Some((_, variant)) if !model.canonical_slug.contains(':') => {
                format!("{}:{variant}", model.canonical_slug)
            }
            _ => model.canonical_slug.clone(),
        })
    }

    fn provider(&self, name: &str) -> Option<String> {
        let name = name.to_lowercase();
        self.world.catalog.provider(&name).map(|provider| provider.slug.clone())
    }

    fn has_recognizer(&self) -> bool {
        self.has_recognizer
    }
}

fn names(app: &App) -> Catalogue {
    let gateway = app.gateway();
    Catalogue { world: gateway.world.load_full(), has_recognizer: gateway.has_recognizer() }
}

/// `GET /api/v1/guardrails?workspace_id&offset&limit`.
pub(crate) async fn list(
    State(app): State<App>,
    Manager(by): Manager,
    Asked(asked): Asked<ListGuardrails>,
) -> Response {
    found(&app, app.platform().list_guardrails(&by.account, asked)).await
}

/// `POST /api/v1/guardrails`.
pub(crate) async fn create(
    State(app): State<App>,
    Manager(by): Manager,
    Wish(wish): Wish<GuardrailWish>,
) -> Response {
    let names = names(&app);
    let work = app.platform().make_guardrail(by.clone(), wish, &names);
    changed(&app, &by, StatusCode::CREATED, work).await
}

/// `GET /api/v1/guardrails/{id}`.
pub(crate) async fn one(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
) -> Response {
    found(&app, app.platform().get_guardrail(&by.account, &id)).await
}

/// `PATCH /api/v1/guardrails/{id}`.
pub(crate) async fn update(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
    Wish(wish): Wish<GuardrailWish>,
) -> Response {
    let names = names(&app);
    let work = app.platform().update_guardrail(by.clone(), id, wish, &names);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `DELETE /api/v1/guardrails/{id}`.
pub(crate) async fn delete(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
) -> Response {
    let work = app.platform().delete_guardrail(by.clone(), id);
    changed(&app, &by, StatusCode::OK, work).await
}

async fn assignments(
    app: App,
    Manager(by): Manager,
    guardrail: Option<&str>,
    kind: Assignees,
    page: Page,
) -> Response {
    found(&app, app.platform().list_assignments(&by.account, guardrail, kind, page)).await
}

/// `GET /api/v1/guardrails/assignments/keys`.
pub(crate) async fn all_keys(
    State(app): State<App>,
    manager: Manager,
    Asked(page): Asked<Page>,
) -> Response {
    assignments(app, manager, None, Assignees::Keys, page).await
}

/// `GET /api/v1/guardrails/assignments/members`.
pub(crate) async fn all_members(
    State(app): State<App>,
    manager: Manager,
    Asked(page): Asked<Page>,
) -> Response {
    assignments(app, manager, None, Assignees::Members, page).await
}

/// `GET /api/v1/guardrails/{id}/assignments/keys`.
pub(crate) async fn keys(
    State(app): State<App>,
    manager: Manager,
    Path(id): Path<String>,
    Asked(page): Asked<Page>,
) -> Response {
    assignments(app, manager, Some(&id), Assignees::Keys, page).await
}

/// `GET /api/v1/guardrails/{id}/assignments/members`.
pub(crate) async fn members(
    State(app): State<App>,
    manager: Manager,
    Path(id): Path<String>,
    Asked(page): Asked<Page>,
) -> Response {
    assignments(app, manager, Some(&id), Assignees::Members, page).await
}

async fn assign(app: App, Manager(by): Manager, id: String, who: Who) -> Response {
    let work = app.platform().assign(by.clone(), id, who);
    changed(&app, &by, StatusCode::OK, work).await
}

async fn unassign(app: App, Manager(by): Manager, id: String, who: Who) -> Response {
    let work = app.platform().unassign(by.clone(), id, who);
    changed(&app, &by, StatusCode::OK, work).await
}

/// `POST /api/v1/guardrails/{id}/assignments/keys`.
pub(crate) async fn assign_keys(
    State(app): State<App>,
    manager: Manager,
    Path(id): Path<String>,
    Wish(who): Wish<KeyHashes>,
) -> Response {
    assign(app, manager, id, who.into()).await
}

/// `POST /api/v1/guardrails/{id}/assignments/keys/remove`.
pub(crate) async fn unassign_keys(
    State(app): State<App>,
    manager: Manager,
    Path(id): Path<String>,
    Wish(who): Wish<KeyHashes>,
) -> Response {
    unassign(app, manager, id, who.into()).await
}

/// `POST /api/v1/guardrails/{id}/assignments/members`.
pub(crate) async fn assign_members(
    State(app): State<App>,
    manager: Manager,
    Path(id): Path<String>,
    Wish(who): Wish<MemberIds>,
) -> Response {
    assign(app, manager, id, who.into()).await
}

/// `POST /api/v1/guardrails/{id}/assignments/members/remove`.
pub(crate) async fn unassign_members(
    State(app): State<App>,
    manager: Manager,
    Path(id): Path<String>,
    Wish(who): Wish<MemberIds>,
) -> Response {
    unassign(app, manager, id, who.into()).await
}

/// `GET /api/v1/privacy`.
pub(crate) async fn privacy(State(app): State<App>, Manager(by): Manager) -> Response {
    found(&app, app.platform().get_privacy(&by.account)).await
}

/// `PATCH /api/v1/privacy`.
pub(crate) async fn update_privacy(
    State(app): State<App>,
    Manager(by): Manager,
    Wish(wish): Wish<RulesWish>,
) -> Response {
    let names = names(&app);
    let work = app.platform().update_privacy(by.clone(), wish, &names);
    changed(&app, &by, StatusCode::OK, work).await
}
