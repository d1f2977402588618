//! The catalogue. Open to everybody; with a key one also sees how fast endpoints are.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Uri};
use signalbox_catalog::Endpoint;
use signalbox_catalog::listing::{self, ModelsQuery, Page};
use signalbox_core::ApiError;

use crate::app::App;
use crate::{credential, error, region};

type Pairs = Query<Vec<(String, String)>>;

fn borrowed(pairs: &Pairs) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
}

/// What a regional host adds to a query: the last word on the region.
fn of_host(app: &App, uri: &Uri, headers: &HeaderMap) -> Option<(&'static str, &'static str)> {
    region::of(app, uri, headers).map(|region| ("region", region.name()))
}

/// `GET /api/v1/models`
pub(crate) async fn list(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    pairs: Pairs,
) -> Response {
    let world = app.gateway().world.load();
    let region = of_host(&app, &uri, &headers);
    let answer = if pairs.is_empty() && region.is_none() {
        Ok(listing::default_models(&world.catalog))
    } else {
        ModelsQuery::parse(borrowed(&pairs).chain(region)).map(|query| {
            Bytes::from(listing::models(&world.catalog, &query, app.clock().now()).to_string())
        })
    };
    error::json(&app, answer)
}

/// `GET /api/v1/models/user`: those that the key can use.
pub(crate) async fn user(
    State(app): State<App>,
    uri: Uri,
    pairs: Pairs,
    headers: HeaderMap,
) -> Response {
    let region = of_host(&app, &uri, &headers);
    let answer = async {
        let caller = credential::inference(&app, &headers).await?;
        let query = ModelsQuery::parse(borrowed(&pairs).chain(region))?;
        Ok::<_, ApiError>(app.gateway().models_for(&caller, &query).to_string())
    };
    error::json(&app, answer.await)
}

/// `GET /api/v1/models/count`
pub(crate) async fn count(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    pairs: Pairs,
) -> Response {
    let world = app.gateway().world.load();
    let region = of_host(&app, &uri, &headers);
    let answer = ModelsQuery::parse(borrowed(&pairs).chain(region))
        .map(|query| listing::count(&world.catalog, &query, app.clock().now()).to_string());
    error::json(&app, answer)
}

/// `GET /api/v1/embeddings/models`
pub(crate) async fn embeddings(State(app): State<App>, pairs: Pairs) -> Response {
    let world = app.gateway().world.load();
    let answer = Page::parse(borrowed(&pairs))
        .map(|page| listing::embeddings_models(&world.catalog, &page).to_string());
    error::json(&app, answer)
}

/// `GET /api/v1/model/{author}/{slug}`
pub(crate) async fn one(
    State(app): State<App>,
    Path((author, slug)): Path<(String, String)>,
) -> Response {
    let world = app.gateway().world.load();
    let answer = listing::model(&world.catalog, &format!("{author}/{slug}"));
    error::json(&app, answer.map(|value| value.to_string()))
}

/// `GET /api/v1/models/{author}/{slug}/endpoints`
pub(crate) async fn endpoints(
    State(app): State<App>,
    Path((author, slug)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let answer = match sees_speeds(&app, &headers).await {
        Err(problem) => Err(problem),
        Ok(speeds) => {
            let world = app.gateway().world.load();
            let name = format!("{author}/{slug}");
            let live = |endpoint: &Endpoint| app.gateway().live_figures(endpoint);
            listing::endpoints(&world.catalog, &name, &live, speeds)
        }
    };
    error::json(&app, answer.map(|value| value.to_string()))
}

/// `GET /api/v1/endpoints/zdr`
pub(crate) async fn zdr(State(app): State<App>, headers: HeaderMap) -> Response {
    let answer = sees_speeds(&app, &headers).await.map(|speeds| {
        let world = app.gateway().world.load();
        let live = |endpoint: &Endpoint| app.gateway().live_figures(endpoint);
        listing::zdr_endpoints(&world.catalog, &live, speeds).to_string()
    });
    error::json(&app, answer)
}

/// Callers with a key see speeds; a key that is sent has to be a good one.
async fn sees_speeds(app: &App, headers: &HeaderMap) -> Result<bool, ApiError> {
    if !credential::is_present(headers) {
        return Ok(false);
    }
    credential::any(app, headers).await.map(|_| true)
}
