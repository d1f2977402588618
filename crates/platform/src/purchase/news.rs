//! What an event of the card processor says. Pure; every byte is hostile, even when it is signed.

use serde_json::Value;
use signalbox_core::Usd;
use signalbox_store::payments::{EventMark, Refs, Status, Told};

use super::fee::from_cents;
use super::telling::{number, short, text};

/// Longest id that is read.
const MAX_ID: usize = 255;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Its id and kind.
    pub event: EventMark,
    /// What it says.
    pub says: Says,
    /// The card that its buyer lets us keep: customer and card.
    pub card: Option<(String, String)>,
}

/// What follows from an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// Money arrived.
    Paid {
        /// For which payment.
        refs: Refs,
        /// In which currency.
        currency: String,
        /// How much, with tax.
        total: Usd,
        /// What of it is tax.
        tax: Usd,
    },
    /// Money will not arrive.
    Missed {
        /// For which payment.
        refs: Refs,
        /// How it ends.
        status: Status,
        /// Why.
        reason: String,
    },
    /// Money went back by itself.
    Reversed {
        /// By whom.
        kind: Told,
        /// The processor's id of it.
        processor_ref: String,
        /// Our id of it, when we asked for it.
        ours: Option<String>,
        /// Of which payment.
        refs: Refs,
        /// How much.
        amount: Usd,
        /// In which currency.
        currency: String,
    },
    /// Money that went back came again: the processor's or our id of the reversal, and why.
    CalledOff {
        /// Which.
        id: String,
        /// Why.
        reason: String,
    },
    /// Nothing that concerns money here.
    Nothing,
}

/// The event is not of its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an event")]
pub struct NoEvent;

/// Reads an event.
///
/// # Errors
/// [`NoEvent`] when it is no JSON, or has no id or kind. What it says may be of any form: then it
/// says nothing.
pub fn read(body: &[u8]) -> Result<News, NoEvent> {
    let event: Value = serde_json::from_slice(body).map_err(|_| NoEvent)?;
    let named = |place| text(&event, place).filter(|id| !id.is_empty() && id.len() <= MAX_ID);
    let (id, kind) = named("/id").zip(named("/type")).ok_or(NoEvent)?;
    let object = event.pointer("/data/object").unwrap_or(&Value::Null);
    let says = says(&kind, object).unwrap_or(Says::Nothing);
    let card = (kind == "payment_intent.succeeded").then(|| kept_card(object)).flatten();
    Ok(News { event: EventMark { id, kind }, says, card })
}

fn says(kind: &str, object: &Value) -> Option<Says> {
    match kind {
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
            (text(object, "/payment_status")? == "paid").then(|| session_paid(object)).flatten()
        }
        "checkout.session.expired" => {
            let reason = "the offer expired".to_owned();
            Some(Says::Missed { refs: session(object)?, status: Status::Expired, reason })
        }
        "checkout.session.async_payment_failed" => {
            let reason = "the payment failed".to_owned();
            Some(Says::Missed { refs: session(object)?, status: Status::Failed, reason })
        }
        "payment_intent.succeeded" => intent_paid(object),
        // In its own page the buyer may try again; an attempt of ours is over.
        "payment_intent.payment_failed" | "payment_intent.canceled" => {
            (text(object, "/metadata/by")? == "top_up").then(|| intent_missed(object)).flatten()
        }
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            refund(object)
        }
        "charge.dispute.created" | "charge.dispute.funds_withdrawn" => dispute(kind, object),
        "charge.dispute.funds_reinstated" => {
            let id = text(object, "/id")?;
            Some(Says::CalledOff { id, reason: "the dispute was won".to_owned() })
        }
        _ => None,
    }
}

fn cents(object: &Value, place: &str) -> Option<Usd> {
    number(object, place).filter(|cents| *cents >= 0).and_then(from_cents)
}

fn currency(object: &Value) -> Option<String> {
    Some(text(object, "/currency")?.to_ascii_lowercase())
}

fn session(object: &Value) -> Option<Refs> {
    let payment = text(object, "/metadata/payment").or(text(object, "/client_reference_id"));
    let intent = text(object, "/payment_intent");
    Some(Refs { payment, session: Some(text(object, "/id")?), intent })
}

fn session_paid(object: &Value) -> Option<Says> {
    let tax = match object.pointer("/total_details/amount_tax") {
        None | Some(Value::Null) => Usd::ZERO,
        Some(_) => cents(object, "/total_details/amount_tax")?,
    };
    Some(Says::Paid {
        refs: session(object)?,
        currency: currency(object)?,
        total: cents(object, "/amount_total")?,
        tax,
    })
}

fn intent(object: &Value) -> Option<Refs> {
    let payment = text(object, "/metadata/payment");
    Some(Refs { payment, session: None, intent: Some(text(object, "/id")?) })
}

fn intent_paid(object: &Value) -> Option<Says> {
    let total = match object.pointer("/amount_received") {
        None | Some(Value::Null) => cents(object, "/amount")?,
        Some(_) => cents(object, "/amount_received")?,
    };
    let (refs, currency) = (intent(object)?, currency(object)?);
    Some(Says::Paid { refs, currency, total, tax: Usd::ZERO })
}

fn intent_missed(object: &Value) -> Option<Says> {
    let reason = text(object, "/last_payment_error/decline_code")
        .or_else(|| text(object, "/last_payment_error/code"))
        .unwrap_or_else(|| "the payment failed".to_owned());
    Some(Says::Missed { refs: intent(object)?, status: Status::Failed, reason: short(&reason) })
}

fn refund(object: &Value) -> Option<Says> {
    let (id, status) = (text(object, "/id")?, text(object, "/status")?);
    let ours = text(object, "/metadata/refund");
    match status.as_str() {
        "failed" | "canceled" => {
            let reason = text(object, "/failure_reason").unwrap_or(status);
            Some(Says::CalledOff { id: ours.unwrap_or(id), reason: short(&reason) })
        }
        "pending" | "requires_action" | "succeeded" => Some(Says::Reversed {
            kind: Told::Outside,
            processor_ref: id,
            ours,
            refs: of_intent(object)?,
            amount: cents(object, "/amount")?,
            currency: currency(object)?,
        }),
        _ => None,
    }
}

fn dispute(kind: &str, object: &Value) -> Option<Says> {
    // An inquiry takes no money yet.
    let inquiry = text(object, "/status").is_some_and(|status| status.starts_with("warning"));
    if inquiry && kind == "charge.dispute.created" {
        return None;
    }
    Some(Says::Reversed {
        kind: Told::Dispute,
        processor_ref: text(object, "/id")?,
        ours: None,
        refs: of_intent(object)?,
        amount: cents(object, "/amount")?,
        currency: currency(object)?,
    })
}

fn of_intent(object: &Value) -> Option<Refs> {
    Some(Refs { intent: Some(text(object, "/payment_intent")?), ..Refs::default() })
}

fn kept_card(object: &Value) -> Option<(String, String)> {
    let kept = text(object, "/metadata/keep_card").as_deref() == Some("yes")
        || text(object, "/setup_future_usage").as_deref() == Some("off_session");
    let card = || text(object, "/customer").zip(text(object, "/payment_method"));
    kept.then(card).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(kind: &str, object: Value) -> Says {
        let body = json!({"id": "evt_1", "type": kind, "data": {"object": object}}).to_string();
        read(body.as_bytes()).unwrap().says
    }

    #[test]
    fn an_offer_counts_once_it_is_paid() {
        let session = |status| {
            json!({"id": "cs_1", "payment_status": status, "amount_total": 1285, "currency": "USD",
                "total_details": {"amount_tax": 205}, "payment_intent": "pi_1",
                "metadata": {"payment": "pay_1"}})
        };
        let Says::Paid { refs, currency, total, tax } =
            of("checkout.session.completed", session("paid"))
        else {
            panic!("it is paid");
        };
        assert_eq!(refs.payment.as_deref(), Some("pay_1"));
        assert_eq!((refs.session.as_deref(), refs.intent.as_deref()), (Some("cs_1"), Some("pi_1")));
        assert_eq!(format!("{currency} {total} {tax}"), "usd 12.85 2.05");
        assert_eq!(of("checkout.session.completed", session("unpaid")), Says::Nothing);
    }

    #[test]
    fn only_an_attempt_of_ours_fails_with_its_payment() {
        let failed = |by| {
            let error = json!({"code": "card_declined", "decline_code": "lost_card"});
            let metadata = json!({"payment": "pay_1", "by": by});
            json!({"id": "pi_1", "metadata": metadata, "last_payment_error": error})
        };
        let kind = "payment_intent.payment_failed";
        assert_eq!(of(kind, failed("checkout")), Says::Nothing);
        let said = of(kind, failed("top_up"));
        assert!(matches!(said, Says::Missed { reason, .. } if reason == "lost_card"));
    }

    #[test]
    fn an_inquiry_takes_no_money() {
        let dispute = |status| {
            json!({"id": "dp_1", "status": status, "amount": 500, "currency": "usd",
                "payment_intent": "pi_1"})
        };
        let created = "charge.dispute.created";
        assert_eq!(of(created, dispute("warning_needs_response")), Says::Nothing);
        for (kind, status) in
            [(created, "needs_response"), ("charge.dispute.funds_withdrawn", "needs_response")]
        {
            let said = of(kind, dispute(status));
            assert!(matches!(said, Says::Reversed { kind: Told::Dispute, .. }), "{kind}");
        }
    }

    #[test]
    fn absurd_amounts_say_nothing() {
        for amount in
            [json!(-1), json!(1e300), json!("5"), json!(i64::MAX), json!(5.5), json!(null)]
        {
            let object = json!({"id": "pi_1", "amount_received": amount, "currency": "usd"});
            let expected = if amount.is_null() { "no amount" } else { "no money" };
            assert_eq!(
                of("payment_intent.succeeded", object),
                Says::Nothing,
                "{expected}: {amount}"
            );
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let long = format!(r#"{{"id":"{}","type":"x"}}"#, "e".repeat(300));
        for body in ["", "[]", "{}", r#"{"id":"evt_1"}"#, r#"{"id":"","type":"x"}"#, long.as_str()]
        {
            assert_eq!(read(body.as_bytes()), Err(NoEvent), "{body:.40}");
        }
        assert_eq!(of("a.kind.of.tomorrow", json!({"any": "thing"})), Says::Nothing);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(read(&body));
        }
    }
}
