//! The attempts of one request: who is tried after whom, what that costs the budget, and what the
//! client is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use serde_json::json;
use signalbox_catalog::{Catalogue, ConfiguredCatalogue, Lookup, Snapshot};
use signalbox_core::{ErrorKind, Timestamp, limits};
use signalbox_dialect::ProviderError;
use signalbox_dialect::openai_chat::error::read_error;
use signalbox_policy::attempt::{Choice, Gate, Purse, Refusal, Refusals, Step};
use signalbox_policy::health::Unknown;
use signalbox_policy::preferences::SortBy;
use signalbox_policy::{
    Attempts, Candidate, Failure, Plan, ProviderPreferences, Requirements, Wanted, plan,
};

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

/// Models `m0`, `m1` and so on, each served by the providers `p0`, `p1` and so on, the cheapest first.
fn planned(models: usize, providers: usize) -> Plan {
    let provider = |at: usize| json!({"slug": format!("p{at}"), "base_url": "http://127.0.0.1:1"});
    let mut endpoints = Vec::new();
    for model in 0..models {
        for at in 0..providers {
            let price = format!("0.0000{:02}", at + 1);
            endpoints.push(json!({
                "model": format!("acme/m{model}"), "provider": format!("p{at}"),
                "provider_model_id": "m", "pricing": {"prompt": price, "completion": price},
            }));
        }
    }
    let model = |at| json!({"id": format!("acme/m{at}"), "context_length": 1_000_000});
    let rows = json!({
        "providers": (0..providers).map(provider).collect::<Vec<_>>(),
        "models": (0..models).map(model).collect::<Vec<_>>(),
        "endpoints": endpoints,
    });
    let configured: ConfiguredCatalogue = serde_json::from_value(rows).unwrap();
    let keys: HashSet<String> = (0..providers).map(|at| format!("p{at}")).collect();
    let catalog = Snapshot::build(Catalogue::default(), configured, &keys).unwrap();
    let wanted = |at: usize| {
        let slug = format!("acme/m{at}");
        let Lookup::Found { model, .. } = catalog.lookup(&slug) else { panic!("{slug}") };
        Wanted { requested: slug, model: model.clone(), sort: None, admits: None }
    };
    let request = Requirements {
        models: (0..models).map(wanted).collect(),
        provider: ProviderPreferences {
            sort: Some(SortBy::Price),
            ..ProviderPreferences::default()
        },
        ..Requirements::default()
    };
    plan(&request, &catalog, &Unknown, NOW, 1)
}

/// Lets everybody in but those it was told not to, and counts what is taken.
struct Doorman {
    refused: RefCell<HashMap<String, Refusal>>,
    /// Whether those that are down are let in as the last resort.
    lenient: bool,
    budget: Cell<usize>,
    asked: RefCell<Vec<(String, bool)>>,
}

impl Doorman {
    fn open() -> Self {
        Self {
            refused: RefCell::default(),
            lenient: true,
            budget: Cell::new(100),
            asked: RefCell::default(),
        }
    }

    fn but(self, provider: &str, refusal: Refusal) -> Self {
        self.refused.borrow_mut().insert(provider.to_owned(), refusal);
        self
    }

    fn with_budget(self, budget: usize) -> Self {
        self.budget.set(budget);
        self
    }
}

impl Gate for Doorman {
    fn enter(&self, candidate: &Candidate, last_resort: bool) -> Result<(), Refusal> {
        let provider = candidate.endpoint.provider.clone();
        self.asked.borrow_mut().push((provider.clone(), last_resort));
        match self.refused.borrow().get(&provider) {
            Some(Refusal::Down { .. }) if last_resort && self.lenient => Ok(()),
            Some(refusal) => Err(*refusal),
            None => Ok(()),
        }
    }

    fn affords(&self, _: Purse) -> bool {
        self.budget.get() > 0
    }

    fn spend(&self, _: Purse) {
        self.budget.set(self.budget.get() - 1);
    }
}

const DOWN: Refusal = Refusal::Down { seconds: Some(25) };
const COOLING: Refusal = Refusal::Cooling { seconds: 40 };

fn tried<'p>(attempts: &mut Attempts, plan: &'p Plan, gate: &Doorman) -> Choice<'p> {
    match attempts.next(plan, gate) {
        Step::Try(choice) => choice,
        other => panic!("{other:?}"),
    }
}

fn stops(attempts: &mut Attempts, plan: &Plan, gate: &Doorman) -> bool {
    matches!(attempts.next(plan, gate), Step::Stop)
}

fn said(status: u16, kind: ErrorKind) -> Failure {
    let mut error = ProviderError::new(Some(status), None, "no");
    error.kind = kind;
    Failure::reported(&error)
}

fn limited(seconds: u64) -> Failure {
    Failure { retry_after: Some(seconds), ..said(429, ErrorKind::RateLimitExceeded) }
}

/// The slugs of the providers that are tried when every attempt fails like this.
fn all_tried(plan: &Plan, gate: &Doorman, failure: &Failure) -> Vec<String> {
    let mut attempts = Attempts::default();
    let mut out = Vec::new();
    loop {
        match attempts.next(plan, gate) {
            Step::Stop => return out,
            Step::Pause(pause) => {
                assert!((100..=400).contains(&pause.as_millis()), "{pause:?}");
                out.push("pause".to_owned());
            }
            Step::Try(Choice { index, candidate }) => {
                out.push(candidate.endpoint.provider.clone());
                attempts.failed(plan, index, failure.clone());
            }
        }
    }
}

#[test]
fn g30_a_deterministic_refusal_moves_on_to_the_next_model() {
    let (plan, gate) = (planned(2, 2), Doorman::open().with_budget(0));
    let mut attempts = Attempts::default();
    let first = tried(&mut attempts, &plan, &gate);
    assert_eq!(first.candidate.model.id, "acme/m0");
    attempts.failed(&plan, first.index, said(400, ErrorKind::ContextLengthExceeded));
    let second = tried(&mut attempts, &plan, &gate);
    assert_eq!(second.candidate.model.id, "acme/m1", "the others of acme/m0 would say the same");
    attempts.failed(&plan, second.index, said(400, ErrorKind::InvalidRequest));
    assert!(stops(&mut attempts, &plan, &gate));
    let error = attempts.error(&plan, vec!["acme/m0".into()]);
    assert_eq!(error.kind, ErrorKind::InvalidRequest, "the last model's error");
    assert_eq!(error.metadata["previous_errors"].as_array().unwrap().len(), 2);
}

#[test]
fn spec_4_5_what_a_providers_moderation_flagged_is_told_as_our_own() {
    let (plan, gate) = (planned(1, 2), Doorman::open());
    let body = br#"{"error":{"code":403,"message":"flagged","metadata":{"reasons":["hate","hate",7,"self-harm"],
        "flagged_input":"something wicked","provider_name":"Inner"}}}"#;
    let failure = Failure::reported(&read_error(403, body));
    assert!(!failure.counts && !failure.refuses_endpoint(), "nobody's credential is in trouble");
    let mut attempts = Attempts::default();
    let first = tried(&mut attempts, &plan, &gate);
    let name = first.candidate.provider.name.clone();
    attempts.failed(&plan, first.index, failure);
    assert!(stops(&mut attempts, &plan, &gate), "the model's other endpoints would say the same");
    let error = attempts.error(&plan, vec!["acme/m0".into()]);
    assert_eq!((error.status(), error.kind), (403, ErrorKind::PermissionDenied));
    let told = |member: &str| error.metadata[member].clone();
    assert_eq!(told("reasons"), json!(["hate", "self-harm"]));
    assert_eq!(told("flagged_input"), "something wicked");
    assert_eq!((told("provider_name"), told("model_slug")), (json!(name), json!("acme/m0")));
    // A 403 that names no reasons is about the credential.
    for body in [&br#"{"error":{"code":403,"message":"no","metadata":{"reasons":[]}}}"#[..], b"{}"]
    {
        assert!(Failure::reported(&read_error(403, body)).refuses_endpoint());
    }
}

#[test]
fn what_all_attempts_have_in_common_decides_the_error() {
    let plan = planned(1, 3);
    for (failures, code, status, wait) in [
        (vec![limited(90), limited(40)], "capacity_exhausted", 429, Some(40)),
        (vec![said(404, ErrorKind::NotFound); 2], "model_unavailable_upstream", 404, None),
        (
            vec![said(503, ErrorKind::ProviderOverloaded), limited(9)],
            "temporarily_unavailable",
            503,
            Some(9),
        ),
        (vec![Failure::timeout("slow")], "temporarily_unavailable", 503, Some(1)),
        (vec![said(401, ErrorKind::Authentication)], "temporarily_unavailable", 503, Some(1)),
    ] {
        let (mut attempts, gate) = (Attempts::default(), Doorman::open());
        for failure in failures {
            let choice = tried(&mut attempts, &plan, &gate);
            attempts.failed(&plan, choice.index, failure);
        }
        let error = attempts.error(&plan, vec!["acme/m0".into()]);
        assert_eq!(error.kind.status(), status, "{code}");
        let told = error.availability.as_ref().unwrap();
        assert_eq!((told.code.name(), told.retry_after), (code, wait), "the smallest hint");
        assert_eq!(error.retry_after, wait, "{code}");
    }
}

#[test]
fn a_request_has_sixteen_attempts_in_all() {
    let (plan, gate) = (planned(10, 20), Doorman::open());
    assert!(plan.candidates.len() > limits::MAX_ATTEMPTS);
    let tried = all_tried(&plan, &gate, &Failure::timeout("slow"));
    assert_eq!(tried.len(), limits::MAX_ATTEMPTS);
    assert_eq!(gate.budget.get(), 100 - (limits::MAX_ATTEMPTS - 1), "the first was free");
    // A refusal ends a model, so that the last one has its turn.
    let refusal = Failure::reported(&ProviderError::new(Some(400), None, "no"));
    assert_eq!(all_tried(&plan, &gate, &refusal).len(), 10, "one for each model");
}

#[test]
fn without_a_budget_a_request_has_its_first_attempt_only() {
    let plan = planned(1, 3);
    assert_eq!(
        all_tried(&plan, &Doorman::open().with_budget(0), &Failure::timeout("slow")),
        ["p0"]
    );
    let gate = Doorman::open().with_budget(1);
    assert_eq!(all_tried(&plan, &gate, &Failure::timeout("slow")), ["p0", "p1"]);
    assert_eq!(gate.budget.get(), 0);
}

#[test]
fn an_only_candidate_is_tried_twice_if_its_failure_may_pass() {
    let plan = planned(1, 1);
    for (failure, twice) in [
        (said(503, ErrorKind::ProviderOverloaded), true),
        (said(500, ErrorKind::Server), true),
        (said(408, ErrorKind::Timeout), true),
        (Failure::unreachable("nobody there"), true),
        (limited(7), false),
        (said(401, ErrorKind::Authentication), false),
        (said(404, ErrorKind::NotFound), false),
        (said(400, ErrorKind::InvalidRequest), false),
        (Failure::timeout("slow"), false),
        (Failure::unavailable("broke"), false),
        (Failure::inside(&ProviderError::new(Some(503), None, "inside a 200")), false),
    ] {
        let tried = all_tried(&plan, &Doorman::open(), &failure);
        let expected: &[&str] = if twice { &["p0", "pause", "p0"] } else { &["p0"] };
        assert_eq!(tried, expected, "{failure:?}");
        assert_eq!(all_tried(&planned(1, 2), &Doorman::open(), &failure).len(), {
            if failure.next == signalbox_policy::attempt::Next::Model { 1 } else { 2 }
        });
    }
}

#[test]
fn who_is_down_is_passed_over_and_asked_last() {
    let plan = planned(1, 3);
    let gate = Doorman::open().but("p0", DOWN);
    assert_eq!(all_tried(&plan, &gate, &Failure::timeout("slow")), ["p1", "p2", "p0"]);
    let gate = Doorman::open().but("p0", DOWN).but("p1", DOWN).but("p2", DOWN);
    assert_eq!(all_tried(&plan, &gate, &Failure::timeout("slow")), ["p0"], "one is enough");
    let gate = Doorman { lenient: false, ..Doorman::open() };
    let gate = gate.but("p0", DOWN).but("p1", DOWN).but("p2", DOWN);
    assert!(all_tried(&plan, &gate, &Failure::timeout("slow")).is_empty());
    let asked: Vec<_> = gate.asked.borrow().iter().filter(|(_, last)| *last).cloned().collect();
    assert_eq!(asked, [("p0".to_owned(), true)], "the last resort is asked for once");
    // Who asked for patience is left alone, whatever happens.
    let gate = Doorman::open().but("p0", COOLING).but("p1", COOLING);
    assert_eq!(all_tried(&plan, &gate, &Failure::timeout("slow")), ["p2"]);
    // An only one is the last resort from the beginning.
    let gate = Doorman::open().but("p0", DOWN);
    let first = all_tried(&planned(1, 1), &gate, &Failure::timeout("slow"));
    assert_eq!((first, gate.asked.borrow()[0].1), (vec!["p0".to_owned()], true));
}

#[test]
fn when_nobody_is_let_in_the_client_is_told_at_once_when_to_come_back() {
    let plan = planned(1, 2);
    let later = Refusal::Down { seconds: Some(200) };
    let unknown = Refusal::Down { seconds: None };
    for (first, second, code, wait) in [
        (COOLING, Refusal::Cooling { seconds: 90 }, "capacity_exhausted", 40),
        (DOWN, later, "temporarily_unavailable", 10),
        (Refusal::Down { seconds: Some(3) }, later, "temporarily_unavailable", 3),
        (unknown, unknown, "temporarily_unavailable", 1),
        (later, COOLING, "temporarily_unavailable", 40),
    ] {
        let gate = Doorman { lenient: false, ..Doorman::open() };
        let gate = gate.but("p0", first).but("p1", second);
        let mut attempts = Attempts::default();
        assert!(stops(&mut attempts, &plan, &gate));
        let error = attempts.error(&plan, vec!["acme/m0".into()]);
        let told = error.availability.as_ref().unwrap();
        assert_eq!((told.code.name(), error.retry_after), (code, Some(wait)));
        assert_eq!(told.affected_providers, ["p0", "p1"]);
        assert!(told.retryable && error.message.contains("acme/m0"), "{error}");
    }
}

#[test]
fn a_slow_attempt_is_left_only_for_somebody_who_is_let_in_and_paid_for() {
    let plan = planned(1, 3);
    let purse = Purse::Retry { made: 1 };
    let gate = Doorman::open().but("p1", DOWN);
    let mut attempts = Attempts::default();
    assert_eq!(tried(&mut attempts, &plan, &gate).index, 0);
    let other = attempts.elsewhere(&plan, &gate, purse).unwrap();
    assert_eq!((other.index, attempts.made(), gate.budget.get()), (2, 2, 99));
    assert!(attempts.elsewhere(&plan, &gate, purse).is_none(), "nobody is asked in despair");
    assert_eq!(gate.budget.get(), 99, "and nothing is spent on nobody");
    let gate = Doorman::open().with_budget(0);
    let mut attempts = Attempts::default();
    assert_eq!(tried(&mut attempts, &plan, &gate).index, 0);
    assert!(attempts.elsewhere(&plan, &gate, purse).is_none());
    // Whoever it was not left for is still there once the slow one has failed.
    gate.budget.set(5);
    attempts.failed(&plan, 0, Failure::timeout("slow"));
    assert_eq!(tried(&mut attempts, &plan, &gate).index, 1);
}

#[test]
fn a_last_resort_is_left_for_who_is_back_by_now() {
    let plan = planned(1, 3);
    let gate = Doorman::open().but("p0", DOWN).but("p1", DOWN).but("p2", DOWN);
    let mut attempts = Attempts::default();
    assert_eq!(tried(&mut attempts, &plan, &gate).index, 0, "in despair");
    let purse = Purse::Retry { made: 1 };
    assert!(attempts.elsewhere(&plan, &gate, purse).is_none());
    gate.refused.borrow_mut().remove("p2");
    assert_eq!(attempts.elsewhere(&plan, &gate, purse).unwrap().index, 2);
    assert!(attempts.elsewhere(&plan, &gate, purse).is_none(), "each is tried once");
}

#[test]
fn a_refused_credential_is_never_repeated() {
    let mut error = ProviderError::new(Some(401), Some("invalid_api_key"), "bad key sk-secret");
    error.kind = ErrorKind::Authentication;
    let failure = Failure::reported(&error);
    assert!(!failure.message.contains("sk-secret"));
    assert_eq!(failure.code, None);
    assert!(failure.counts);
}

#[test]
fn a_refused_credential_rests_for_all_models_and_one_request_finds_out() {
    let plan = planned(2, 2);
    let at = |seconds: i64| Timestamp::from_seconds(1_000_000 + seconds);
    let [cheap, dear, other] = [&plan.candidates[0], &plan.candidates[1], &plan.candidates[2]];
    assert_eq!(other.endpoint.provider, "p0", "the same provider, another model");
    let refusals = Refusals::default();
    assert!(!refusals.failed(cheap, &Failure::timeout("slow"), at(0)));
    assert!(refusals.enter(cheap, at(0)).is_ok());
    for kind in [ErrorKind::Authentication, ErrorKind::PaymentRequired] {
        let refusals = Refusals::default();
        assert!(refusals.failed(cheap, &said(401, kind), at(0)));
        assert!(refusals.failed(other, &said(401, kind), at(1)), "the same refusal, seen twice");
        assert_eq!(refusals.enter(cheap, at(1)), Err(59));
        assert_eq!(refusals.enter(other, at(1)), Err(59));
        assert_eq!(refusals.enter(dear, at(1)), Ok(()), "another provider's credential");
        assert_eq!(refusals.enter(other, at(60)), Ok(()), "one finds out");
        assert_eq!(refusals.enter(cheap, at(60)), Err(10), "for the others");
        assert!(refusals.failed(other, &said(401, kind), at(61)));
        assert_eq!(refusals.enter(cheap, at(61)), Err(120), "twice as long");
        assert_eq!(refusals.enter(cheap, at(181)), Ok(()));
        refusals.accepted(cheap);
        assert_eq!(
            (refusals.enter(cheap, at(181)), refusals.enter(other, at(181))),
            (Ok(()), Ok(()))
        );
    }
    // A model that the credential may not have says nothing of the others.
    let refusals = Refusals::default();
    assert!(refusals.failed(cheap, &said(403, ErrorKind::PermissionDenied), at(0)));
    assert_eq!((refusals.enter(cheap, at(1)), refusals.enter(other, at(1))), (Err(59), Ok(())));
    for _ in 0..20 {
        refusals.enter(cheap, at(100_000)).ok();
        refusals.failed(cheap, &said(403, ErrorKind::PermissionDenied), at(100_000));
    }
    let longest = refusals.enter(cheap, at(100_000)).unwrap_err();
    assert!(longest <= 600, "{longest}");
}
