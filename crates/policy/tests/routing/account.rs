//! What the account permits: a request can only tighten it.

use serde_json::{Value, json};
use signalbox_core::ErrorKind;
use signalbox_policy::account::ZdrGroups;
use signalbox_policy::preferences::SortBy;
use signalbox_policy::{AccountPolicy, Requirements, explain};

use super::world::{
    for_models, plain, planned, request, rules, snapshot, tags, with_account, with_tools,
};

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|one| (*one).to_owned()).collect()
}

#[test]
fn g17_only_is_intersected_and_ignore_is_united_with_the_accounts() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0)]);
    let account = AccountPolicy {
        allowed_providers: vec![names(&["a", "b", "c"])],
        ignored_providers: names(&["b"]),
        ..AccountPolicy::default()
    };
    let with = |provider: Value| with_account(request(&catalog, provider), account.clone());
    let order = |provider| tags(&planned(&with(provider), &catalog));
    assert_eq!(order(json!({"sort": "price"})), ["a", "c"]);
    assert_eq!(order(json!({"sort": "price", "ignore": ["a"]})), ["c"]);
    assert_eq!(order(json!({"only": ["c", "d"]})), ["c"]);
    let asked = with(json!({"only": ["d", "b"]}));
    let plan = planned(&asked, &catalog);
    assert!(plan.candidates.is_empty());
    assert_eq!(rules(&plan)["d"], "account_providers");
    let error = explain::nothing_left(&asked, &plan, &catalog);
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(
        error.message,
        "No allowed providers are available for the selected model. Providers serving acme/m: a, b, \
         c, d, but your request's provider.only preference permits only: d, b, and the account \
         permits only: a, b, c, and the account ignores b."
    );
    let answer = error.availability.unwrap();
    assert_eq!(answer.excluded_by, ["allowed_providers"]);
    assert_eq!(answer.affected_providers, ["a", "b", "c", "d"]);
}

const GUARDED: &str =
    "No endpoints available matching your guardrail restrictions and data policy.";

#[test]
fn an_account_that_allows_nobody_who_serves_is_told_so() {
    let catalog = plain(&[("a", 1.0)]);
    let account =
        AccountPolicy { allowed_providers: vec![names(&["z"])], ..AccountPolicy::default() };
    let asked = with_account(request(&catalog, json!({})), account);
    let error = explain::nothing_left(&asked, &planned(&asked, &catalog), &catalog);
    assert_eq!(error.message, GUARDED);
}

#[test]
fn models_are_permitted_by_patterns() {
    let catalog = snapshot(&[
        ("a", 1.0, json!({})),
        ("a/x", 1.0, json!({"model": "zed/other"})),
        ("a/y", 1.0, json!({"model": "zed/last"})),
    ]);
    let models = ["acme/m", "zed/other", "zed/last"];
    let order = |allowed: Option<&[&str]>, ignored: &[&str]| {
        let account = AccountPolicy {
            allowed_models: allowed.map(names).into_iter().collect(),
            ignored_models: names(ignored),
            ..AccountPolicy::default()
        };
        let asked = with_account(for_models(&catalog, &models, json!({})), account);
        tags(&planned(&asked, &catalog))
    };
    assert_eq!(order(Some(&["zed/*"]), &["*/last"]), ["a/x"]);
    assert_eq!(order(None, &["zed/*"]), ["a"]);
    assert_eq!(order(Some(&[]), &[]), [""; 0]);
}

/// `own` keeps prompts, `other` does not; for a model of this author.
fn zdr(author: &str, groups: ZdrGroups, asked: Value) -> (Vec<String>, Requirements) {
    let model = format!("{author}/m");
    let catalog = snapshot(&[
        (
            "own",
            1.0,
            json!({"model": model, "data_policy":
            {"training": false, "retains_prompts": true}}),
        ),
        ("other", 2.0, json!({"model": model})),
    ]);
    let account = AccountPolicy { zdr: groups, ..AccountPolicy::default() };
    let asked = with_account(for_models(&catalog, &[&model], asked), account);
    (tags(&planned(&asked, &catalog)), asked)
}

#[test]
fn g29_zdr_false_cannot_relax_the_accounts() {
    let none = ZdrGroups::default();
    for (author, groups) in [
        ("anthropic", ZdrGroups { anthropic: true, ..none }),
        ("openai", ZdrGroups { openai: true, ..none }),
        ("google", ZdrGroups { google: true, ..none }),
        ("x-ai", ZdrGroups { xai: true, ..none }),
        ("acme", ZdrGroups { other: true, ..none }),
    ] {
        let sorted = json!({"sort": "price", "zdr": false});
        assert_eq!(zdr(author, groups, sorted.clone()).0, ["other"], "{author}");
        assert_eq!(zdr(author, none, sorted.clone()).0, ["own", "other"], "{author}");
        let others = ZdrGroups {
            anthropic: !groups.anthropic,
            openai: !groups.openai,
            google: !groups.google,
            xai: !groups.xai,
            other: !groups.other,
        };
        assert_eq!(zdr(author, others, sorted).0, ["own", "other"], "{author}");
        assert_eq!(zdr(author, none, json!({"zdr": true})).0, ["other"], "{author}");
    }
}

#[test]
fn zdr_by_the_account_names_no_field_of_the_request() {
    let catalog = snapshot(&[(
        "own",
        1.0,
        json!({"data_policy":
        {"training": false, "retains_prompts": true}}),
    )]);
    let account = AccountPolicy { zdr: ZdrGroups::ALL, ..AccountPolicy::default() };
    let asked = with_account(request(&catalog, json!({})), account);
    let error = explain::nothing_left(&asked, &planned(&asked, &catalog), &catalog);
    assert_eq!(
        error.message,
        "No endpoints found matching your data policy (Zero data retention)."
    );
    let answer = error.availability.unwrap();
    assert_eq!(answer.code.name(), "privacy_restricted");
    assert_eq!(
        (answer.excluded_by.as_slice(), answer.constraint),
        (&["data_policy:zdr".into()][..], None)
    );
}

#[test]
fn training_and_publication_have_switches_for_free_and_paid_models() {
    let trains = json!({"training": true, "retains_prompts": true, "can_publish": true});
    let catalog = snapshot(&[
        ("free", 0.0, json!({"free": true, "data_policy": trains})),
        ("paid", 1.0, json!({"data_policy": trains})),
    ]);
    let open = AccountPolicy::default();
    for (account, expected) in [
        (open.clone(), vec!["free", "paid"]),
        (AccountPolicy { deny_paid_training: true, ..open.clone() }, vec!["free"]),
        (AccountPolicy { deny_free_training: true, ..open.clone() }, vec!["paid"]),
        (AccountPolicy { deny_free_publication: true, ..open.clone() }, vec!["paid"]),
    ] {
        let asked = with_account(request(&catalog, json!({"sort": "price"})), account.clone());
        let plan = planned(&asked, &catalog);
        assert_eq!(tags(&plan), expected, "{account:?}");
    }
    let account = AccountPolicy { deny_paid_training: true, deny_free_training: true, ..open };
    let asked = with_account(request(&catalog, json!({})), account);
    let error = explain::nothing_left(&asked, &planned(&asked, &catalog), &catalog);
    let answer = error.availability.unwrap();
    assert_eq!(answer.code.name(), "privacy_restricted");
    assert_eq!(answer.excluded_by, ["data_policy:training"]);
}

#[test]
fn an_account_stays_in_its_region() {
    let catalog = snapshot(&[
        ("a", 1.0, json!({"region": "eu-west-1"})),
        ("b", 2.0, json!({"region": "us-east-1"})),
        ("c", 3.0, json!({})),
    ]);
    let in_region = |region: &str, provider| {
        let account = AccountPolicy { region: Some(region.into()), ..AccountPolicy::default() };
        with_account(request(&catalog, provider), account)
    };
    assert_eq!(tags(&planned(&in_region("eu", json!({})), &catalog)), ["a"]);
    assert_eq!(tags(&planned(&in_region("us", json!({})), &catalog)), ["b"]);
    let asked = in_region("eu", json!({"ignore": ["a"]}));
    let error = explain::nothing_left(&asked, &planned(&asked, &catalog), &catalog);
    let answer = error.availability.unwrap();
    assert_eq!(answer.excluded_by, ["allowed_providers", "data_region"]);
    let alone = in_region("eu", json!({}));
    let elsewhere = snapshot(&[("b", 2.0, json!({"region": "us-east-1"}))]);
    let error = explain::nothing_left(&alone, &planned(&alone, &elsewhere), &elsewhere);
    assert!(error.message.contains("stays in eu, and it runs in us"), "{}", error.message);
    assert_eq!(error.availability.unwrap().code.name(), "constraint_filtered");
}

#[test]
fn the_accounts_sort_is_used_unless_the_request_has_one() {
    let catalog = plain(&[("a", 3.0), ("b", 1.0), ("c", 2.0)]);
    let account = AccountPolicy { default_sort: Some(SortBy::Price), ..AccountPolicy::default() };
    for dice in 0..20 {
        let asked = with_account(request(&catalog, json!({})), account.clone());
        let plan = signalbox_policy::plan(
            &asked,
            &catalog,
            &signalbox_policy::health::Unknown,
            super::world::NOW,
            dice,
        );
        assert_eq!(tags(&plan), ["b", "c", "a"]);
        let tools = with_tools(asked);
        assert_eq!(tags(&planned(&tools, &catalog)), ["b", "c", "a"], "and no quality first");
    }
    let mut asked = with_account(request(&catalog, json!({})), account);
    asked.models[0].sort = Some(SortBy::Exacto);
    let plan = planned(&asked, &catalog);
    assert!(matches!(
        plan.candidates[0].place.basis,
        signalbox_policy::place::Basis::Exacto { .. }
    ));
}
