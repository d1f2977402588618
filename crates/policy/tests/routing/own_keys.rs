//! The caller's own keys: before shared capacity or behind it, never around a policy.

use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_policy::health::EndpointHealth;
use signalbox_policy::{AccountPolicy, ByokKey, Requirements, explain, plan};

use super::world::{NOW, Past, plain, planned, request, rules, snapshot, tags, with_account};

fn key(id: &str, provider: &str) -> ByokKey {
    ByokKey {
        id: id.into(),
        label: format!("{id}'s"),
        provider: provider.into(),
        prioritized: true,
        ..ByokKey::default()
    }
}

fn with_keys(request: Requirements, keys: &[ByokKey]) -> Requirements {
    let byok = keys.iter().cloned().map(Arc::new).collect();
    with_account(request, AccountPolicy { byok, ..AccountPolicy::default() })
}

#[test]
fn g26_own_keys_come_first_even_against_order() {
    let catalog = plain(&[("amazon", 1.0), ("vertex", 2.0), ("anthropic", 3.0)]);
    let wish = || request(&catalog, json!({"order": ["amazon", "vertex", "anthropic"]}));
    let all = [key("k3", "anthropic"), key("k1", "amazon"), key("k2", "vertex")];
    assert_eq!(
        tags(&planned(&with_keys(wish(), &all), &catalog)),
        ["amazon+k1", "vertex+k2", "anthropic+k3", "amazon", "vertex", "anthropic"]
    );
    let third = [key("k3", "anthropic")];
    assert_eq!(
        tags(&planned(&with_keys(wish(), &third), &catalog)),
        ["anthropic+k3", "amazon", "vertex", "anthropic"]
    );
}

#[test]
fn g26_a_key_that_is_always_used_shuts_out_shared_capacity() {
    let catalog = plain(&[("a", 1.0), ("a/eu", 1.0), ("b", 2.0)]);
    let always = ByokKey { always_use: true, ..key("k", "a") };
    let asked =
        with_keys(request(&catalog, json!({"sort": "price"})), std::slice::from_ref(&always));
    let plan = planned(&asked, &catalog);
    let mut first = tags(&plan);
    first[..2].sort();
    assert_eq!(first, ["a+k", "a/eu+k", "b"]);
    assert_eq!(rules(&plan), [("a".into(), "byok"), ("a/eu".into(), "byok")].into());
    let text = plan.excluded[0].detail(&asked);
    assert_eq!(text, "the caller's own key is always used for a, never shared capacity");
    // It says nothing about shared capacity when it comes after it, or is for other models.
    let behind = ByokKey { prioritized: false, ..always.clone() };
    let other = ByokKey { allowed_models: Some(vec!["acme/other".into()]), ..always };
    let asked =
        |key| with_keys(request(&catalog, json!({"only": ["b", "a"], "sort": "price"})), &[key]);
    assert_eq!(
        tags(&planned(&asked(behind), &catalog)).last().unwrap().split('+').nth(1),
        Some("k")
    );
    assert!(!tags(&planned(&asked(other), &catalog)).iter().any(|tag| tag.contains('+')));
}

#[test]
fn g26_a_key_rescues_no_endpoint_from_a_policy() {
    let retains: Value = json!({"data_policy": {"training": false, "retains_prompts": true}});
    let catalog = snapshot(&[("a", 1.0, retains)]);
    let asked = with_keys(request(&catalog, json!({"zdr": true})), &[key("k", "a")]);
    let plan = planned(&asked, &catalog);
    assert!(plan.candidates.is_empty());
    let error = explain::nothing_left(&asked, &plan, &catalog);
    assert_eq!(error.kind.status(), 404);
    assert_eq!(error.availability.unwrap().code.name(), "privacy_restricted");
}

#[test]
fn keys_stand_by_their_order_and_fallback_keys_behind_shared_capacity() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0)]);
    let second = ByokKey { sort_order: 2, ..key("k2", "a") };
    let first = ByokKey { sort_order: 1, ..key("k1", "a") };
    let last = ByokKey { prioritized: false, ..key("k9", "a") };
    let asked = with_keys(request(&catalog, json!({"sort": "price"})), &[last, second, first]);
    assert_eq!(tags(&planned(&asked, &catalog)), ["a+k1", "a+k2", "a", "b", "a+k9"]);
}

#[test]
fn a_provider_that_the_operator_has_no_key_of_is_called_with_the_callers() {
    let catalog = plain(&[("keyless", 1.0), ("b", 2.0)]);
    let asked = with_keys(request(&catalog, json!({})), &[key("k", "keyless")]);
    let plan = planned(&asked, &catalog);
    assert_eq!(tags(&plan), ["keyless+k", "b"]);
    assert_eq!(
        rules(&plan),
        [("keyless".into(), "routable")].into(),
        "but not with shared capacity"
    );
}

#[test]
fn trouble_with_a_key_is_that_keys_alone() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0)]);
    let keys = [key("k1", "a"), key("k2", "a")];
    let asked = with_keys(request(&catalog, json!({"sort": "price"})), &keys);
    let failing = EndpointHealth { outage: true, ..EndpointHealth::default() };
    let waiting = EndpointHealth { cooling_until: Some(NOW.plus_millis(9_000)), ..failing };
    let past = Past::of(&[("a+k1", failing)]);
    let ranked = tags(&plan(&asked, &catalog, &past, NOW, 1));
    assert_eq!(ranked, ["a+k2", "a+k1", "a", "b"], "still before shared capacity");
    let plan = plan(&asked, &catalog, &Past::of(&[("a+k1", waiting)]), NOW, 1);
    assert_eq!(tags(&plan), ["a+k2", "a", "b"]);
    assert_eq!(
        plan.excluded[0].detail(&asked),
        "with the caller's key \"k1's\": a asked not to be called for 9 s"
    );
}

#[test]
fn the_conversations_endpoint_comes_after_own_keys() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0), ("c", 3.0)]);
    let mut asked = with_keys(request(&catalog, json!({"sort": "price"})), &[key("k", "b")]);
    let id = catalog.endpoints("acme/m").iter().find(|one| one.tag == "c").unwrap().id.clone();
    asked.sticky = Some(id.into());
    assert_eq!(tags(&planned(&asked, &catalog)), ["b+k", "c", "a", "b"]);
}

#[test]
fn a_key_goes_where_its_credential_leads() {
    let eu = json!({"region": "eu-west-1"});
    let catalog = snapshot(&[("a", 1.0, eu), ("b", 2.0, json!({}))]);
    let own = |change: fn(&mut ByokKey)| {
        let mut one = key("k", "a");
        change(&mut one);
        one
    };
    let planned = |one: ByokKey, region: Option<&str>| {
        let (byok, region) = (vec![Arc::new(one)], region.map(str::to_owned));
        let account = AccountPolicy { byok, region, ..AccountPolicy::default() };
        let asked = with_account(request(&catalog, json!({})), account);
        let tags = tags(&planned(&asked, &catalog));
        tags.iter().filter(|tag| tag.contains("+k")).count()
    };
    assert_eq!(planned(own(|key| key.deployed = Some(vec!["acme/m".into()])), None), 1);
    assert_eq!(planned(own(|key| key.deployed = Some(vec!["acme/other".into()])), None), 0);
    assert_eq!(planned(own(|key| key.region = Some("us-east-1".into())), None), 1);
    // An account that keeps to a region is not led out of it by a key for another one.
    assert_eq!(planned(own(|key| key.region = Some("us-east-1".into())), Some("eu")), 0);
    assert_eq!(planned(own(|key| key.region = Some("eu-west-1".into())), Some("eu")), 1);
    assert_eq!(planned(own(|key| key.addressed = true), Some("eu")), 0);
    assert_eq!(planned(own(|_| ()), Some("eu")), 1);
}

/// More own keys than there may be attempts: shared capacity and fallback keys keep their places.
#[test]
fn many_keys_of_one_section_leave_room_for_the_others() {
    let catalog = plain(&[("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0)]);
    let wish = || request(&catalog, json!({"sort": "price"}));
    let mut keys: Vec<ByokKey> = (0..20)
        .map(|number| ByokKey { sort_order: number, ..key(&format!("k{number:02}"), "a") })
        .collect();
    let last = |number: u32| ByokKey {
        prioritized: false,
        sort_order: number,
        ..key(&format!("l{number}"), "b")
    };
    keys.extend([last(1), last(2), last(3)]);
    let asked = with_keys(wish(), &keys);
    let plan = planned(&asked, &catalog);
    let found = tags(&plan);
    assert_eq!(found.len(), 16);
    assert_eq!((found[0].as_str(), found[11].as_str()), ("a+k00", "a+k11"), "in their order");
    assert_eq!(found[12..], ["a", "b", "b+l1", "b+l2"]);
    assert_eq!(plan.excluded.iter().filter(|one| one.rule == "attempts").count(), 8 + 2 + 1);
    // Alone they may have all there is.
    let catalog = plain(&[("keyless", 1.0)]);
    let keys: Vec<ByokKey> = (0..20).map(|number| key(&format!("k{number}"), "keyless")).collect();
    assert_eq!(tags(&planned(&with_keys(request(&catalog, json!({})), &keys), &catalog)).len(), 16);
}

#[test]
fn much_shared_capacity_leaves_room_for_a_fallback_key() {
    let names: Vec<String> = (0..20).map(|number| format!("p{number:02}")).collect();
    let rows: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
    let catalog = plain(&rows);
    let last = ByokKey { prioritized: false, ..key("k", "p19") };
    let asked = with_keys(request(&catalog, json!({})), &[last]);
    let found = tags(&planned(&asked, &catalog));
    assert_eq!((found.len(), found[15].as_str()), (16, "p19+k"));
}
