//! The catalogue's public JSON: `/models`, `/providers` and their kin (platform spec 14).
//!
//! Pure functions from a snapshot and a query to JSON; the server only routes. Every answer has the
//! shape of the public API description.

mod endpoint_row;
mod filter;
mod model_row;
mod provider_row;
mod query;
mod region;
mod sort;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use signalbox_core::{ApiError, ErrorKind, Timestamp};

use crate::model::ModelStatus;
use crate::{Endpoint, Lookup, Modality, Model, Snapshot};

pub use endpoint_row::LiveFigures;
pub use query::{ModelsQuery, Page};
pub use region::Region;
pub use sort::Sort;

/// Asks for figures of an endpoint that the gateway measured. `&LiveFigures::published` gives what
/// the data came with.
pub type Figures<'a> = &'a dyn Fn(&Endpoint) -> LiveFigures;

/// `GET /models`: `{data, total_count, links}`. `now` is for the filters on age.
#[must_use]
pub fn models(snapshot: &Snapshot, query: &ModelsQuery, now: Timestamp) -> Value {
    models_at(snapshot, query, now, "/api/v1/models", &|_| true)
}

/// `GET /models/user`: as [`models`], only those that `usable` says yes to.
#[must_use]
pub fn models_for(
    snapshot: &Snapshot,
    query: &ModelsQuery,
    now: Timestamp,
    usable: &dyn Fn(&Model) -> bool,
) -> Value {
    models_at(snapshot, query, now, "/api/v1/models/user", usable)
}

fn models_at(
    snapshot: &Snapshot,
    query: &ModelsQuery,
    now: Timestamp,
    path: &str,
    usable: &dyn Fn(&Model) -> bool,
) -> Value {
    let listed = snapshot.models().filter(|model| query.filter.admits(snapshot, model, now));
    let mut rows: Vec<&Arc<Model>> = listed.filter(|model| usable(model)).collect();
    sort::sort(snapshot, &mut rows, query.sort);
    page_at(snapshot, &rows, &query.page, path, &query.rest)
}

/// The answer to `GET /models` without any parameter, rendered once per snapshot.
#[must_use]
pub fn default_models(snapshot: &Snapshot) -> Bytes {
    snapshot
        .default_models
        .get_or_init(|| {
            let value = models(snapshot, &ModelsQuery::default(), Timestamp::default());
            Bytes::from(value.to_string())
        })
        .clone()
}

/// `GET /models/count`: `{data: {count}}`, with the same filters.
#[must_use]
pub fn count(snapshot: &Snapshot, query: &ModelsQuery, now: Timestamp) -> Value {
    let admitted = snapshot.models().filter(|model| query.filter.admits(snapshot, model, now));
    json!({ "data": { "count": admitted.count() } })
}

/// `GET /embeddings/models`: as [`models`], only those that write embeddings.
#[must_use]
pub fn embeddings_models(snapshot: &Snapshot, query: &Page) -> Value {
    let mut rows: Vec<&Arc<Model>> = snapshot
        .models()
        .filter(|model| is_listed(model) && model.writes(Modality::Embeddings))
        .collect();
    sort::sort(snapshot, &mut rows, None);
    page_at(snapshot, &rows, query, "/api/v1/embeddings/models", "")
}

/// `GET /model/{author}/{slug}`: `{data}`; aliases and dynamic suffixes are resolved.
pub fn model(snapshot: &Snapshot, slug: &str) -> Result<Value, ApiError> {
    let model = find(snapshot, slug)?;
    Ok(json!({ "data": model_row::row(snapshot, model) }))
}

/// `GET /models/{author}/{slug}/endpoints`: `{data: {id, ..., endpoints}}`. `figures` is asked for
/// each endpoint; without `speeds` (callers without a key) latency and throughput are null.
pub fn endpoints(
    snapshot: &Snapshot,
    slug: &str,
    figures: Figures<'_>,
    speeds: bool,
) -> Result<Value, ApiError> {
    let model = find(snapshot, slug)?;
    let rows: Vec<Value> = snapshot
        .endpoints(&model.id)
        .iter()
        .filter(|endpoint| !endpoint.hidden)
        .map(|endpoint| endpoint_row::row(snapshot, model, endpoint, &figures(endpoint), speeds))
        .collect();
    Ok(json!({ "data": {
        "id": model.id,
        "name": model.name,
        "created": model.created,
        "description": "",
        "architecture": model_row::architecture(model),
        "endpoints": rows,
    }}))
}

/// `GET /endpoints/zdr`: `{data}`, every endpoint that neither trains nor retains.
#[must_use]
pub fn zdr_endpoints(snapshot: &Snapshot, figures: Figures<'_>, speeds: bool) -> Value {
    let mut rows = Vec::new();
    for model in snapshot.models().filter(|model| is_listed(model)) {
        let kept = snapshot.endpoints(&model.id).iter();
        for endpoint in kept.filter(|one| one.data_policy.zdr && !one.hidden) {
            rows.push(endpoint_row::row(snapshot, model, endpoint, &figures(endpoint), speeds));
        }
    }
    json!({ "data": rows })
}

/// `GET /providers`: `{data}`, by slug.
#[must_use]
pub fn providers(snapshot: &Snapshot) -> Value {
    let rows: Vec<Value> = snapshot.providers().map(|one| provider_row::row(one)).collect();
    json!({ "data": rows })
}

/// Whether any listing shows the model.
fn is_listed(model: &Model) -> bool {
    model.status != ModelStatus::Retired
}

/// The row that a path names: exactly this id, alias rows included, else what the slug stands for.
fn find<'a>(snapshot: &'a Snapshot, slug: &str) -> Result<&'a Arc<Model>, ApiError> {
    if let Some(model) = snapshot.model(slug)
        && is_listed(model)
        && !matches!(model.status, ModelStatus::Alias { .. })
    {
        return Ok(model);
    }
    match snapshot.lookup(slug) {
        Lookup::Found { model, .. } => Ok(model),
        _ => Err(ApiError::new(ErrorKind::NotFound, format!("Model {slug:?} does not exist"))),
    }
}

/// One page and the way to the next. `rest` holds the other parameters of the query, encoded.
fn page_at(
    snapshot: &Snapshot,
    rows: &[&Arc<Model>],
    page: &Page,
    path: &str,
    rest: &str,
) -> Value {
    let (skip, take) = page.window(rows.len());
    let data: Vec<Value> =
        rows.iter().skip(skip).take(take).map(|model| model_row::row(snapshot, model)).collect();
    let end = skip.saturating_add(take);
    let next = (end < rows.len()).then(|| format!("{path}?offset={end}&limit={take}{rest}"));
    json!({ "data": data, "total_count": rows.len(), "links": { "next": next } })
}
