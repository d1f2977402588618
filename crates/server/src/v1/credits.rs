//! Credit that comes and goes without being bought here: vouchers, transfers, statements.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use signalbox_core::id::AccountId;
use signalbox_core::{ApiError, ErrorKind, Timestamp, Usd};
use signalbox_platform::NewTransfer;
use signalbox_platform::once::Answer;
use signalbox_platform::statement::Period;
use signalbox_platform::v1::Data;

use crate::app::App;
use crate::manage::{Asked, Manager};
use crate::once::Keyed;
use crate::{error, short_body};

/// Largest body of these routes.
const MAX_BODY: usize = 16 * 1024;
/// Longest note of a transfer.
const MAX_NOTE: usize = 200;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedeemRequest {
    code: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferRequest {
    account_id: String,
    amount: Usd,
    #[serde(default)]
    note: String,
}

async fn asked<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, ApiError> {
    let body = short_body::read(headers, body, MAX_BODY).await?;
    serde_json::from_slice(&body).map_err(|problem| ApiError::invalid(problem.to_string()))
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
    Manager(by): Manager,
    Extension(keyed): Extension<Keyed>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = async {
        let wish: RedeemRequest = asked(&headers, body).await?;
        Ok(app.platform().redeem(by, &wish.code, keyed.once).await?)
    };
    told(&app, answer.await)
}

/// `POST /api/v1/credits/transfer` `{account_id, amount, note?}`: purchased credit for another account.
pub(crate) async fn transfer(
    State(app): State<App>,
    Manager(by): Manager,
    Extension(keyed): Extension<Keyed>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = async {
        let wish: TransferRequest = asked(&headers, body).await?;
        if wish.note.chars().count() > MAX_NOTE {
            return Err(ApiError::invalid(format!("note: at most {MAX_NOTE} characters")));
        }
        let transfer = NewTransfer {
            from: by.account.clone(),
            by,
            to: AccountId::new(wish.account_id),
            amount: wish.amount,
            reason: wish.note,
            any_credit: false,
        };
        Ok(app.platform().transfer(transfer, keyed.once).await?)
    };
    told(&app, answer.await)
}

/// How a statement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// A JSON document.
    #[default]
    Json,
    /// A table.
    Csv,
}

/// Which statement is wanted.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct StatementQuery {
    /// The first moment in it, RFC 3339.
    from: Option<String>,
    /// The first moment after it, RFC 3339.
    to: Option<String>,
    /// Whether charges are shown one by one.
    #[serde(default)]
    detail: bool,
    /// `json` or `csv`.
    #[serde(default)]
    format: Format,
}

fn moment(name: &str, text: Option<String>) -> Result<Option<Timestamp>, ApiError> {
    let moment = text.as_deref().map(str::parse::<Timestamp>).transpose();
    moment.map_err(|error| ApiError::invalid(format!("{name}: {error}")))
}

/// `GET /api/v1/credits/statement?from=&to=&detail=&format=`: JSON, or CSV with `format=csv`.
pub(crate) async fn statement(
    State(app): State<App>,
    Manager(by): Manager,
    Asked(asked): Asked<StatementQuery>,
) -> Response {
    let answer = async {
        let period = Period { from: moment("from", asked.from)?, to: moment("to", asked.to)? };
        let found = app.platform().statement(&by.account, period, asked.detail).await?;
        if asked.format == Format::Csv {
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
