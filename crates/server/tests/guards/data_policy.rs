//! What may be done with prompts: every kind of endpoint under every policy, wherever it is set (platform
//! spec 9). The table is made of the facts of endpoints; what is expected is reckoned here anew.

use serde_json::{Value, json};
use signalbox_core::{PlanTerms, Plans, PlansRow};
use signalbox_platform::keys::hash_of;
use signalbox_testkit::{Offer, Reply, Setup, Stand, TestServer};

use crate::doors::{patch, told};

/// What is known of an endpoint.
#[derive(Debug, Clone, Copy)]
struct Facts {
    trains: bool,
    retains: bool,
    publishes: bool,
    free: bool,
}

impl Facts {
    fn all() -> impl Iterator<Item = Self> {
        (0..16_u8).map(|bits| Self {
            trains: bits & 1 != 0,
            retains: bits & 2 != 0,
            publishes: bits & 4 != 0,
            free: bits & 8 != 0,
        })
    }

    fn model(&self) -> String {
        let part = |is: bool, name: &'static str| if is { name } else { "" };
        let names = [
            part(self.trains, "t"),
            part(self.retains, "r"),
            part(self.publishes, "p"),
            part(self.free, "f"),
        ];
        format!("acme/m{}", names.concat())
    }

    fn stand(&self) -> Stand {
        let policy = json!({"training": self.trains, "retains_prompts": self.retains,
            "can_publish": self.publishes});
        let stand = Stand::new("well", "tokens-5").with("data_policy", policy);
        if self.free {
            let nothing = json!({"prompt": "0", "completion": "0"});
            return stand.with("free", json!(true)).with("pricing", nothing);
        }
        stand
    }
}

/// A policy: its member, and what an error calls it.
#[derive(Debug, Clone, Copy)]
struct Rule {
    member: &'static str,
    value: bool,
    name: &'static str,
    excluded_by: &'static str,
    forbids: fn(&Facts) -> bool,
}

const RULES: [Rule; 4] = [
    Rule {
        member: "enable_paid_model_training",
        value: false,
        name: "Paid model training",
        excluded_by: "data_policy:training",
        forbids: |one| one.trains && !one.free,
    },
    Rule {
        member: "enable_free_model_training",
        value: false,
        name: "Free model training",
        excluded_by: "data_policy:training",
        forbids: |one| one.trains && one.free,
    },
    Rule {
        member: "enable_free_model_publication",
        value: false,
        name: "Free model publication",
        excluded_by: "data_policy:publication",
        forbids: |one| one.publishes && one.free,
    },
    Rule {
        member: "enforce_zdr",
        value: true,
        name: "Zero data retention",
        excluded_by: "data_policy:zdr",
        forbids: |one| one.trains || one.retains,
    },
];

/// Where it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Account,
    Workspace,
    Member,
    Key,
}

async fn start() -> TestServer {
    // As many free requests as the table has.
    let many = PlanTerms {
        free_per_minute: Some(100_000),
        free_per_day: Some(100_000),
        ..PlanTerms::default()
    };
    let row = PlansRow { free: many.clone(), payg: many, ..PlansRow::default() };
    let setup = Setup { plans: Plans::default().with(&row).unwrap(), ..Setup::default() };
    let models =
        Facts::all().fold(Offer::new(), |offer, one| offer.model(&one.model(), [one.stand()]));
    TestServer::start_as(models, setup).await
}

async fn ask(server: &TestServer, one: &Facts, provider: Value) -> Reply {
    let body = json!({"model": one.model(), "max_tokens": 20, "provider": provider,
        "messages": [{"role": "user", "content": "Hello."}]});
    server.caller().chat(&body).await
}

/// The guardrail at a layer, made once and changed from then on.
async fn place(server: &TestServer, layer: Layer) -> String {
    let manager = server.manager();
    if layer == Layer::Account {
        return "/api/v1/privacy".to_owned();
    }
    if layer == Layer::Workspace {
        let found = told(&manager.get("/api/v1/workspaces/default").await, 200);
        let id = found["data"]["default_guardrail_id"].as_str().unwrap();
        return format!("/api/v1/guardrails/{id}");
    }
    let made = told(&manager.post("/api/v1/guardrails", &json!({"name": "policy"})).await, 201);
    let path = format!("/api/v1/guardrails/{}", made["data"]["id"].as_str().unwrap());
    let (what, who) = match layer {
        Layer::Key => ("keys", json!({"key_hashes": [hash_of(&server.owner.api_key)]})),
        _ => {
            let owner = server.owner.account_id.as_str().replace("acc_", "user_");
            ("members", json!({"member_user_ids": [owner]}))
        }
    };
    told(&manager.post(&format!("{path}/assignments/{what}"), &who).await, 200);
    path
}

fn check(reply: &Reply, one: &Facts, refused: Option<&Rule>, name: &str) {
    let Some(rule) = refused else {
        assert_eq!(reply.status, 200, "{name} {one:?}: {}", String::from_utf8_lossy(&reply.body));
        return;
    };
    let error = told(reply, 404)["error"].clone();
    let message = error["message"].as_str().unwrap();
    let expected =
        format!("No endpoints found matching your data policy ({}). Configure: ", rule.name);
    assert!(message.starts_with(&expected), "{name} {one:?}: {message}");
    assert!(message.ends_with("/settings/privacy"), "{name}: {message}");
    let availability = &error["availability"];
    assert_eq!(
        (&availability["code"], &availability["excluded_by"]),
        (&json!("privacy_restricted"), &json!([rule.excluded_by])),
        "{name} {one:?}"
    );
}

#[tokio::test]
async fn every_kind_of_endpoint_under_every_policy_wherever_it_is_set() {
    let server = start().await;
    let mut refused = 0;
    for layer in [Layer::Account, Layer::Workspace, Layer::Member, Layer::Key] {
        // Only keys that somebody made have a member.
        let keyed = server.platform.store().key(&hash_of(&server.owner.api_key)).await.unwrap();
        if layer == Layer::Member && keyed.unwrap().creator.is_none() {
            continue;
        }
        let path = place(&server, layer).await;
        for rule in RULES {
            let set = json!({rule.member: rule.value});
            patch(&server.manager(), &path, set).await;
            for one in Facts::all() {
                let out = Some(&rule).filter(|rule| (rule.forbids)(&one));
                refused += usize::from(out.is_some());
                let reply = ask(&server, &one, json!({})).await;
                check(&reply, &one, out, &format!("{layer:?} {}", rule.member));
            }
            let clear: Value = ["anthropic", "openai", "google", "xai", "other"]
                .iter()
                .map(|group| (format!("enforce_zdr_{group}"), Value::Null))
                .chain([(rule.member.to_owned(), Value::Null)])
                .collect::<serde_json::Map<_, _>>()
                .into();
            patch(&server.manager(), &path, clear).await;
        }
    }
    assert!(refused > 60, "{refused}");
    server.closes_clean().await;
}

#[tokio::test]
async fn a_request_can_tighten_what_is_set_and_never_relax_it() {
    let server = start().await;
    for one in Facts::all() {
        let keeps = one.trains || one.retains;
        for (wish, forbids, by) in [
            (json!({"zdr": true}), keeps, "data_policy:zdr"),
            (json!({"data_collection": "deny"}), keeps, "data_policy:training"),
            (json!({"zdr": false, "data_collection": "allow"}), false, ""),
        ] {
            let reply = ask(&server, &one, wish.clone()).await;
            if !forbids {
                told(&reply, 200);
                continue;
            }
            let availability = told(&reply, 404)["error"]["availability"].clone();
            assert_eq!(
                (&availability["code"], &availability["excluded_by"]),
                (&json!("privacy_restricted"), &json!([by])),
                "{wish} {one:?}"
            );
        }
    }
    patch(&server.manager(), "/api/v1/privacy", json!({"enforce_zdr": true})).await;
    for one in Facts::all() {
        let reply = ask(&server, &one, json!({"zdr": false, "data_collection": "allow"})).await;
        check(&reply, &one, Some(&RULES[3]).filter(|rule| (rule.forbids)(&one)), "relaxing");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn locked_settings_are_changed_by_the_operator_alone() {
    let server = start().await;
    let (manager, account) = (server.manager(), &server.owner.account_id);
    patch(&manager, "/api/v1/privacy", json!({"enforce_zdr": true})).await;
    let locked = server.platform.lock_privacy(account, true, "test").await.unwrap();
    assert!(locked.data.locked);
    let wish = json!({"enforce_zdr": false}).to_string();
    let refused = manager.send(http::Method::PATCH, "/api/v1/privacy", wish.into()).await;
    assert_eq!(told(&refused, 403)["error"]["message"], "Privacy settings are locked");
    let seen = told(&manager.get("/api/v1/privacy").await, 200);
    assert_eq!(
        (&seen["data"]["locked"], &seen["data"]["enforce_zdr_other"]),
        (&json!(true), &json!(true))
    );
    let keeps = Facts { trains: false, retains: true, publishes: false, free: false };
    told(&ask(&server, &keeps, json!({})).await, 404);
    server.platform.lock_privacy(account, false, "test").await.unwrap();
    patch(&manager, "/api/v1/privacy", json!({"enforce_zdr": false})).await;
    told(&ask(&server, &keeps, json!({})).await, 200);
    let log = told(&manager.get("/api/v1/audit-log").await, 200);
    let actions: Vec<_> =
        log["data"].as_array().unwrap().iter().map(|row| row["action"].clone()).collect();
    assert!(actions.contains(&json!("privacy.lock")) && actions.contains(&json!("privacy.unlock")));
    let nobody = signalbox_core::id::AccountId::new("acc_none");
    assert!(server.platform.lock_privacy(&nobody, true, "test").await.is_err());
    server.closes_clean().await;
}
