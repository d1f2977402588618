//! What an account buys: `/api/v1/credits/…`, all of it with a management key.

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use signalbox_core::id::AccountId;
use signalbox_core::{ApiError, Usd};
use signalbox_platform::PurchaseError;
use signalbox_platform::purchase::body::{PurchaseBody, RuleBody};
use signalbox_platform::purchase::fee::Method;
use signalbox_platform::purchase::{Claim, NewTaxId, Purchases, RuleWish, Wish};
use signalbox_platform::v1::Data;

use crate::app::App;
use crate::once::Keyed;
use crate::{credential, error, short_body};

/// Purchases in one page, unless the caller says how many.
const PAGE: i64 = 50;
/// Most of them.
const MAX_PAGE: i64 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckoutRequest {
    amount: Usd,
    method: Option<String>,
    #[serde(default)]
    auto_top_up: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimRequest {
    payment_id: String,
    transaction: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleRequest {
    threshold: Usd,
    amount: Usd,
    #[serde(default = "yes")]
    enabled: bool,
    payment_method: Option<String>,
}

const fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaxIdRequest {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

#[derive(Serialize)]
struct Deleted {
    deleted: bool,
}

/// Who asks.
async fn caller(app: &App, headers: &HeaderMap) -> Result<AccountId, ApiError> {
    Ok(credential::management(app, headers).await?.key.account.clone())
}

fn written(found: impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(&found).map_err(|problem| ApiError::internal(problem.to_string()))
}

fn data<T: Serialize>(found: Result<T, PurchaseError>) -> Result<String, ApiError> {
    written(Data { data: found? })
}

/// `POST /api/v1/credits/checkout`
pub(crate) async fn checkout(
    State(app): State<App>,
    Extension(keyed): Extension<Keyed>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = async {
        let account = caller(&app, &headers).await?;
        let asked: CheckoutRequest = short_body::document(&headers, body).await?;
        let method = asked.method.as_deref().unwrap_or("card");
        let method = Method::from_name(method)
            .ok_or_else(|| ApiError::invalid("method: \"card\" or \"crypto\""))?;
        let (amount, keep_card) = (asked.amount, asked.auto_top_up);
        let wish = Wish { amount, method, keep_card, once: keyed.once };
        data(app.purchases().checkout(&account, wish).await)
    };
    error::json(&app, answer.await)
}

fn page(pairs: &[(String, String)]) -> Result<(i64, i64), ApiError> {
    let number = |wanted: &str, default: i64, range: std::ops::RangeInclusive<i64>| match pairs
        .iter()
        .find(|(name, _)| name == wanted)
    {
        None => Ok(default),
        Some((_, text)) => text
            .parse()
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| ApiError::invalid(format!("{wanted}: a number in {range:?}"))),
    };
    Ok((number("offset", 0, 0..=i64::from(i32::MAX))?, number("limit", PAGE, 1..=MAX_PAGE)?))
}

/// `GET /api/v1/credits/purchases`
pub(crate) async fn list(
    State(app): State<App>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        let account = caller(&app, &headers).await?;
        let (offset, limit) = page(&pairs)?;
        written(app.purchases().purchases(&account, offset, limit).await?)
    };
    error::json(&app, answer.await)
}

/// `POST /api/v1/credits/purchases/{id}/refund`
pub(crate) async fn refund(
    State(app): State<App>,
    Extension(keyed): Extension<Keyed>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        let account = caller(&app, &headers).await?;
        data(match keyed.begun {
            Some(since) => app.purchases().refund_again(&account, &id, since).await,
            None => app.purchases().refund(&account, &id).await,
        })
    };
    error::json(&app, answer.await)
}

/// `POST /api/v1/credits/purchases/{id}/reconcile`: asks the card processor how far it is.
pub(crate) async fn reconcile(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        let account = caller(&app, &headers).await?;
        app.purchases().reconcile(&account, &id).await?;
        data(app.purchases().purchase(&account, &id).await)
    };
    error::json(&app, answer.await)
}

/// `POST /api/v1/credits/crypto`: says which transaction pays an order.
pub(crate) async fn claim(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let answer = async {
        let account = caller(&app, &headers).await?;
        let asked: ClaimRequest = short_body::document(&headers, body).await?;
        let claim = Claim { payment: asked.payment_id, transaction: asked.transaction };
        let paid = app.purchases().claim(&account, claim).await;
        data(paid.as_ref().map(PurchaseBody::new).map_err(Clone::clone))
    };
    error::json(&app, answer.await)
}

async fn with_rule<F>(app: App, headers: HeaderMap, work: F) -> Response
where
    F: AsyncFnOnce(&Purchases, &AccountId) -> Result<RuleBody, ApiError>,
{
    let answer = async {
        let account = caller(&app, &headers).await?;
        written(Data { data: work(app.purchases(), &account).await? })
    };
    error::json(&app, answer.await)
}

/// `GET /api/v1/credits/auto-top-up`
pub(crate) async fn rule(State(app): State<App>, headers: HeaderMap) -> Response {
    with_rule(app, headers, async |purchases, account| Ok(purchases.rule(account).await?)).await
}

/// `PUT /api/v1/credits/auto-top-up`
pub(crate) async fn set_rule(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let kept = headers.clone();
    with_rule(app, headers, async |purchases, account| {
        let asked: RuleRequest = short_body::document(&kept, body).await?;
        let RuleRequest { threshold, amount, enabled, payment_method: method } = asked;
        Ok(purchases.set_rule(account, RuleWish { threshold, amount, enabled, method }).await?)
    })
    .await
}

/// `DELETE /api/v1/credits/auto-top-up`
pub(crate) async fn drop_rule(State(app): State<App>, headers: HeaderMap) -> Response {
    let answer = async {
        let account = caller(&app, &headers).await?;
        app.purchases().drop_rule(&account).await?;
        written(Deleted { deleted: true })
    };
    error::json(&app, answer.await)
}

/// `GET /api/v1/credits/tax-ids`
pub(crate) async fn tax_ids(State(app): State<App>, headers: HeaderMap) -> Response {
    let answer = async {
        let account = caller(&app, &headers).await?;
        data(app.purchases().tax_ids(&account).await)
    };
    error::json(&app, answer.await)
}

/// `POST /api/v1/credits/tax-ids`
pub(crate) async fn add_tax_id(
    State(app): State<App>,
    Extension(keyed): Extension<Keyed>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = async {
        let account = caller(&app, &headers).await?;
        let asked: TaxIdRequest = short_body::document(&headers, body).await?;
        let new = NewTaxId { kind: asked.kind, value: asked.value };
        data(match keyed.begun {
            Some(since) => app.purchases().add_tax_id_again(&account, new, since).await,
            None => app.purchases().add_tax_id(&account, new).await,
        })
    };
    error::json(&app, answer.await)
}

/// `DELETE /api/v1/credits/tax-ids/{id}`
pub(crate) async fn remove_tax_id(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        let account = caller(&app, &headers).await?;
        app.purchases().remove_tax_id(&account, &id).await?;
        written(Deleted { deleted: true })
    };
    error::json(&app, answer.await)
}

/// `GET /api/v1/credits/invoices`
pub(crate) async fn invoices(State(app): State<App>, headers: HeaderMap) -> Response {
    let answer = async {
        let account = caller(&app, &headers).await?;
        data(app.purchases().invoices(&account).await)
    };
    error::json(&app, answer.await)
}
