//! Credit that comes and goes without being bought here: vouchers, transfers, statements.

use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use signalbox_core::id::AccountId;
use signalbox_core::{ApiError, ErrorKind, Timestamp, Usd};
use signalbox_platform::NewTransfer;
use signalbox_platform::once::Answer;
use signalbox_platform::statement::Period;
use signalbox_platform::v1::Data;

use crate::app::App;
use crate::once::Keyed;
use crate::{credential, error, short_body};

/// Largest body of these routes.
const MAX_BODY: usize = 16 * 1024;
/// Longest note of a transfer.
const MAX_NOTE: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedeemRequest {
    code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransferRequest {
    account_id: String,
    amount: Usd,
    #[serde(default)]
    note: String,
}

/// Who asks, and for what.
struct Asked<T> {
    account: AccountId,
    wish: T,
}

async fn asked<T: DeserializeOwned>(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<Asked<T>, ApiError> {
    let account = credential::management(app, headers).await?.key.account.clone();
    let body = short_body::read(headers, body, MAX_BODY).await?;
    let wish = serde_json::from_slice(&body).map_err(|e| ApiError::invalid(e.to_string()))?;
    Ok(Asked { account, wish })
}

fn told(app: &App, answer: Result<Answer, ApiError>) -> Response {
    match answer {
        Err(problem) => error::error(app, problem),
        Ok(answer) => {
            let mut response = error::document(answer.body);
            *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
            response
        }
    }
}

/// `POST /api/v1/credits/coinbase`: gone, for everybody.
pub(crate) async fn coinbase(State(app): State<App>) -> Response {
    let message = "This way to buy credits is gone. Please use the credits page or \
                   POST /api/v1/credits/checkout.";
    error::error(&app, ApiError::new(ErrorKind::NotFound, message).with_status(410))
}

/// `POST /api/v1/credits/redeem` `{code}`: a voucher becomes credit.
pub(crate) async fn redeem(
    State(app): State<App>,
    Extension(keyed): Extension<Keyed>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = async {
        let Asked { account, wish } = asked::<RedeemRequest>(&app, &headers, body).await?;
        Ok(app.platform().redeem(&account, &wish.code, keyed.once).await?)
    };
    told(&app, answer.await)
}

/// `POST /api/v1/credits/transfer` `{account_id, amount, note?}`: purchased credit for another account.
pub(crate) async fn transfer(
    State(app): State<App>,
    Extension(keyed): Extension<Keyed>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = async {
        let Asked { account, wish } = asked::<TransferRequest>(&app, &headers, body).await?;
        if wish.note.chars().count() > MAX_NOTE {
            return Err(ApiError::invalid(format!("note: at most {MAX_NOTE} characters")));
        }
        let transfer = NewTransfer {
            operator: account.to_string(),
            from: account,
            to: AccountId::new(wish.account_id),
            amount: wish.amount,
            reason: wish.note,
            any_credit: false,
        };
        Ok(app.platform().transfer(transfer, keyed.once).await?)
    };
    told(&app, answer.await)
}

/// `GET /api/v1/credits/statement?from=&to=&detail=&format=`: JSON, or CSV with `format=csv`.
pub(crate) async fn statement(
    State(app): State<App>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        let caller = credential::management(&app, &headers).await?;
        let given = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, text)| &**text);
        let moment = |name: &str| -> Result<Option<Timestamp>, ApiError> {
            let moment = given(name).map(str::parse::<Timestamp>).transpose();
            moment.map_err(|error| ApiError::invalid(format!("{name}: {error}")))
        };
        let csv = match given("format") {
            None | Some("json") => false,
            Some("csv") => true,
            Some(_) => return Err(ApiError::invalid("format: json or csv")),
        };
        let detail = match given("detail") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(ApiError::invalid("detail: true or false")),
        };
        let period = Period { from: moment("from")?, to: moment("to")? };
        let found = app.platform().statement(&caller.key.account, period, detail).await?;
        if csv {
            let kind = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
            return Ok((kind, found.to_csv()).into_response());
        }
        let text = serde_json::to_string(&Data { data: found });
        let text = text.map_err(|problem| ApiError::internal(problem.to_string()))?;
        Ok::<_, ApiError>(error::document(text))
    };
    match answer.await {
        Ok(response) => response,
        Err(problem) => error::error(&app, problem),
    }
}
