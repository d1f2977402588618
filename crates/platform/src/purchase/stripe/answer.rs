//! Answers of the processor, and what its errors mean for money.

use serde_json::Value;
use signalbox_upstream::CallError;
use signalbox_upstream::service::Told;

use super::{Intent, MadeRefund};
use crate::purchase::telling::{number, short, text};

/// Why a call did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RailError {
    /// The bank or the processor declined the card. Nothing was paid.
    #[error("{message}")]
    Declined {
        /// Such as `card_declined`.
        code: String,
        /// In words for the card's owner.
        message: String,
        /// The payment that was tried.
        intent: Option<String>,
    },
    /// The request is refused for good. Nothing happened.
    #[error("the card processor refused: {code}")]
    Refused {
        /// The HTTP status; 0 when nothing was sent.
        status: u16,
        /// The processor's code.
        code: String,
    },
    /// Whether it happened is not known, or it may go better later. The same request, with the same
    /// idempotency key, may be repeated.
    #[error("the card processor can't be reached: {reason}")]
    Unsure {
        /// In a few words.
        reason: String,
    },
}

fn unsure(reason: impl Into<String>) -> RailError {
    RailError::Unsure { reason: reason.into() }
}

/// The JSON of an answer, or what the error means.
pub(super) fn read(told: Result<Told, CallError>) -> Result<Value, RailError> {
    let told = told.map_err(|error| unsure(error.to_string()))?;
    let body = serde_json::from_slice::<Value>(&told.body);
    if (200..300).contains(&told.status) {
        return body.map_err(|_| unsure("its answer is no JSON"));
    }
    let body = body.unwrap_or(Value::Null);
    let code = text(&body, "/error/decline_code")
        .or_else(|| text(&body, "/error/code"))
        .or_else(|| text(&body, "/error/type"))
        .map_or_else(|| told.status.to_string(), |code| short(&code));
    match told.status {
        402 => Err(RailError::Declined {
            message: text(&body, "/error/message")
                .map_or_else(|| "The card was declined.".to_owned(), |message| short(&message)),
            intent: text(&body, "/error/payment_intent/id"),
            code,
        }),
        // Keys, conflicts of parallel requests, limits and outages pass.
        401 | 403 | 409 | 429 | 500.. => Err(unsure(format!("{} {code}", told.status))),
        status => Err(RailError::Refused { status, code }),
    }
}

pub(super) fn id(value: &Value) -> Result<String, RailError> {
    text(value, "/id").filter(|id| !id.is_empty()).ok_or_else(|| unsure("an answer has no id"))
}

pub(super) fn intent(value: &Value) -> Result<Intent, RailError> {
    let status = text(value, "/status").ok_or_else(|| unsure("a payment has no status"))?;
    let received = number(value, "/amount_received").filter(|cents| *cents > 0);
    Ok(Intent {
        id: id(value)?,
        status,
        cents: received.or_else(|| number(value, "/amount")).unwrap_or(0),
        currency: text(value, "/currency").unwrap_or_default().to_ascii_lowercase(),
        payment: text(value, "/metadata/payment"),
        receipt_url: text(value, "/latest_charge/receipt_url"),
    })
}

pub(super) fn refund(value: &Value) -> Result<MadeRefund, RailError> {
    Ok(MadeRefund {
        id: id(value)?,
        status: text(value, "/status").unwrap_or_default(),
        refund: text(value, "/metadata/refund"),
    })
}

pub(super) fn list<T>(
    value: &Value,
    one: impl Fn(&Value) -> Result<T, RailError>,
) -> Result<Vec<T>, RailError> {
    let list = value.get("data").and_then(Value::as_array);
    list.ok_or_else(|| unsure("an answer is no list"))?.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use signalbox_upstream::HeaderMap;

    use super::*;

    fn told(status: u16, body: &'static str) -> Result<Value, RailError> {
        read(Ok(Told { status, headers: HeaderMap::new(), body: Bytes::from(body) }))
    }

    #[test]
    fn a_decline_a_refusal_and_an_outage_are_told_apart() {
        let declined = told(
            402,
            r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds",
                "message":"Your card has insufficient funds.","payment_intent":{"id":"pi_1"}}}"#,
        );
        let expected = RailError::Declined {
            code: "insufficient_funds".to_owned(),
            message: "Your card has insufficient funds.".to_owned(),
            intent: Some("pi_1".to_owned()),
        };
        assert_eq!(declined, Err(expected));
        let refused = told(400, r#"{"error":{"code":"charge_already_refunded"}}"#);
        let code = "charge_already_refunded".to_owned();
        assert_eq!(refused, Err(RailError::Refused { status: 400, code }));
        for status in [401, 403, 409, 429, 500, 503] {
            assert!(matches!(told(status, "{}"), Err(RailError::Unsure { .. })), "{status}");
        }
        for error in [CallError::Connect, CallError::Broken, CallError::TooLarge(1)] {
            assert!(matches!(read(Err(error)), Err(RailError::Unsure { .. })));
        }
        assert!(matches!(told(200, "<html>"), Err(RailError::Unsure { .. })));
    }

    #[test]
    fn what_was_received_counts_before_what_was_asked_for() {
        let one = told(
            200,
            r#"{"id":"pi_1","status":"succeeded","amount":2580,"amount_received":2500,
                "currency":"USD","latest_charge":{"receipt_url":"https://pay.example/r"},
                "metadata":{"payment":"pay_1"}}"#,
        );
        let one = intent(&one.unwrap()).unwrap();
        assert_eq!((one.cents, one.currency.as_str()), (2500, "usd"));
        assert_eq!(one.receipt_url.as_deref(), Some("https://pay.example/r"));
    }
}
