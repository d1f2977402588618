//! What an account buys: `/api/v1/credits/…`, all of it with a management key.

use std::future::Future;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_core::{ApiError, Usd};
use signalbox_platform::PurchaseError;
use signalbox_platform::purchase::body::PurchaseBody;
use signalbox_platform::purchase::fee::Method;
use signalbox_platform::purchase::{self, Claim, NewTaxId, RuleWish};
use signalbox_platform::v1::Data;

use crate::app::App;
use crate::manage::{Manager, Wish, found};
use crate::once::Keyed;

/// Purchases in one page, unless the caller says how many.
const PAGE: i64 = 50;
/// Most of them.
const MAX_PAGE: i64 = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckoutRequest {
    amount: Usd,
    method: Option<String>,
    #[serde(default)]
    auto_top_up: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimRequest {
    payment_id: String,
    transaction: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleRequest {
    threshold: Usd,
    amount: Usd,
    #[serde(default = "yes")]
    enabled: bool,
    payment_method: Option<String>,
}

const fn yes() -> bool {
    true
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaxIdRequest {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

#[derive(Serialize)]
struct Deleted {
    deleted: bool,
}

/// The answer in `data`.
async fn told<T: Serialize>(
    app: &App,
    work: impl Future<Output = Result<T, PurchaseError>>,
) -> Response {
    found(app, async { Ok::<_, PurchaseError>(Data { data: work.await? }) }).await
}

/// The answer to what is gone now.
async fn gone(app: &App, work: impl Future<Output = Result<(), PurchaseError>>) -> Response {
    found(app, async { work.await.map(|()| Deleted { deleted: true }) }).await
}

/// `POST /api/v1/credits/checkout`
pub(crate) async fn checkout(
    State(app): State<App>,
    Manager(by): Manager,
    Extension(keyed): Extension<Keyed>,
    Wish(asked): Wish<CheckoutRequest>,
) -> Response {
    let work = async {
        let method = asked.method.as_deref().unwrap_or("card");
        let method = Method::from_name(method)
            .ok_or_else(|| ApiError::invalid("method: \"card\" or \"crypto\""))?;
        let (amount, keep_card) = (asked.amount, asked.auto_top_up);
        let wish = purchase::Wish { amount, method, keep_card, once: keyed.once };
        Ok::<_, ApiError>(Data { data: app.purchases().checkout(&by, wish).await? })
    };
    found(&app, work).await
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
    Manager(by): Manager,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let work = async {
        let (offset, limit) = page(&pairs)?;
        Ok::<_, ApiError>(app.purchases().purchases(&by.account, offset, limit).await?)
    };
    found(&app, work).await
}

/// `POST /api/v1/credits/purchases/{id}/refund`
pub(crate) async fn refund(
    State(app): State<App>,
    Manager(by): Manager,
    Extension(keyed): Extension<Keyed>,
    Path(id): Path<String>,
) -> Response {
    let work = async {
        match keyed.begun {
            Some(since) => app.purchases().refund_again(&by, &id, since).await,
            None => app.purchases().refund(&by, &id).await,
        }
    };
    told(&app, work).await
}

/// `POST /api/v1/credits/purchases/{id}/reconcile`: asks the card processor how far it is.
pub(crate) async fn reconcile(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
) -> Response {
    let work = async {
        app.purchases().reconcile(&by.account, &id).await?;
        app.purchases().purchase(&by.account, &id).await
    };
    told(&app, work).await
}

/// `POST /api/v1/credits/crypto`: says which transaction pays an order.
pub(crate) async fn claim(
    State(app): State<App>,
    Manager(by): Manager,
    Wish(asked): Wish<ClaimRequest>,
) -> Response {
    let claim = Claim { payment: asked.payment_id, transaction: asked.transaction };
    let work = async {
        let paid = app.purchases().claim(&by.account, claim).await?;
        Ok(PurchaseBody::new(&paid))
    };
    told(&app, work).await
}

/// `GET /api/v1/credits/auto-top-up`
pub(crate) async fn rule(State(app): State<App>, Manager(by): Manager) -> Response {
    told(&app, app.purchases().rule(&by.account)).await
}

/// `PUT /api/v1/credits/auto-top-up`
pub(crate) async fn set_rule(
    State(app): State<App>,
    Manager(by): Manager,
    Wish(asked): Wish<RuleRequest>,
) -> Response {
    let RuleRequest { threshold, amount, enabled, payment_method: method } = asked;
    let wish = RuleWish { threshold, amount, enabled, method };
    told(&app, app.purchases().set_rule(&by, wish)).await
}

/// `DELETE /api/v1/credits/auto-top-up`
pub(crate) async fn drop_rule(State(app): State<App>, Manager(by): Manager) -> Response {
    gone(&app, app.purchases().drop_rule(&by)).await
}

/// `GET /api/v1/credits/tax-ids`
pub(crate) async fn tax_ids(State(app): State<App>, Manager(by): Manager) -> Response {
    told(&app, app.purchases().tax_ids(&by.account)).await
}

/// `POST /api/v1/credits/tax-ids`
pub(crate) async fn add_tax_id(
    State(app): State<App>,
    Manager(by): Manager,
    Extension(keyed): Extension<Keyed>,
    Wish(asked): Wish<TaxIdRequest>,
) -> Response {
    let new = NewTaxId { kind: asked.kind, value: asked.value };
    let work = async {
        match keyed.begun {
            Some(since) => app.purchases().add_tax_id_again(&by, new, since).await,
            None => app.purchases().add_tax_id(&by, new).await,
        }
    };
    told(&app, work).await
}

/// `DELETE /api/v1/credits/tax-ids/{id}`
pub(crate) async fn remove_tax_id(
    State(app): State<App>,
    Manager(by): Manager,
    Path(id): Path<String>,
) -> Response {
    gone(&app, app.purchases().remove_tax_id(&by, &id)).await
}

/// `GET /api/v1/credits/invoices`
pub(crate) async fn invoices(State(app): State<App>, Manager(by): Manager) -> Response {
    told(&app, app.purchases().invoices(&by.account)).await
}
