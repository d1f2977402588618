//! The control plane over real SQLite files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use serde_json::{Value, json};
use signalbox_core::id::{AccountId, GenerationId, KeyHash, RequestId};
use signalbox_core::time::ResetInterval;
use signalbox_core::{ApiError, PriceKind, PriceTable, Rates, Timestamp, Usage, Usd};
use signalbox_ledger::Reserve;
use signalbox_platform::keys::hash_of;
use signalbox_platform::{KeyPrefix, NewKey, Platform, PlatformError, RevokeOld};
use signalbox_runtime::{Clock, entropy};
use signalbox_store::{GenerationRow, KeyRecord, Ledger, Store};

struct World {
    _folder: tempfile::TempDir,
    platform: Platform,
    clock: Clock,
}

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Timestamp::from_seconds(1_786_289_460));
    let url = format!("sqlite://{}", folder.path().join("a.db").display());
    let store = Store::open(&url, clock.clone()).await.unwrap();
    World { platform: Platform::new(&store, KeyPrefix::default()), clock, _folder: folder }
}

impl World {
    async fn record(&self, key: &str) -> Option<KeyRecord> {
        self.platform.store().key(&hash_of(key)).await.unwrap()
    }
}

fn dollars(text: &str) -> Usd {
    text.parse().unwrap()
}

fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

#[tokio::test]
async fn bootstrap_makes_one_account_and_fresh_keys_every_time() {
    let world = world().await;
    let first = world.platform.bootstrap(RevokeOld::No).await.unwrap();
    let second = world.platform.bootstrap(RevokeOld::No).await.unwrap();
    assert_eq!(first.account_id, second.account_id);
    assert_ne!(first.api_key, second.api_key);
    for (text, management) in [
        (&first.api_key, false),
        (&first.management_key, true),
        (&second.api_key, false),
        (&second.management_key, true),
    ] {
        let record = world.record(text).await.unwrap();
        assert_eq!((record.management, record.account), (management, first.account_id.clone()));
    }
    let shape = json_of(&second);
    let names: Vec<_> = shape.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["account_id", "api_key", "management_key", "user_email"]);
    let balance = world.platform.store().balance(&first.account_id).await.unwrap().unwrap();
    assert_eq!(balance.credited, Usd::ZERO);

    let third = world.platform.bootstrap(RevokeOld::Yes).await.unwrap();
    assert!(world.record(&first.api_key).await.is_none());
    assert!(world.record(&second.management_key).await.is_none());
    assert!(world.record(&third.api_key).await.is_some());
    assert!(world.record(&third.management_key).await.is_some());
}

#[tokio::test]
async fn a_key_is_stored_only_as_its_hash() {
    let world = world().await;
    let account = world.platform.create_account("ann@example.com").await.unwrap();
    let wanted = NewKey {
        name: "ci".to_owned(),
        limit: Some(dollars("12.5")),
        limit_reset: Some(ResetInterval::Monthly),
        rpm: Some(0),
        disabled: true,
        ..NewKey::default()
    };
    let made = world.platform.create_key(&account.account_id, wanted).await.unwrap();
    assert!(made.key.starts_with("sk-sb-v1-"));
    assert_eq!(made.key.len(), "sk-sb-v1-".len() + 64);
    assert_eq!(made.hash, hash_of(&made.key));
    let stored = world.record(&made.key).await.unwrap();
    assert_eq!(stored.limit, Some(dollars("12.5")));
    assert_eq!((stored.rpm, stored.disabled, stored.management), (Some(0), true, false));
    assert_eq!(stored.limit_reset, Some(ResetInterval::Monthly));
    assert!(!format!("{stored:?}").contains(&made.key));
    for file in std::fs::read_dir(world.platform.store().path().parent().unwrap()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(path).unwrap();
            let secret = made.key.as_bytes();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }
}

#[tokio::test]
async fn refusals_are_typed() {
    let world = world().await;
    let nobody = AccountId::new("acc_nobody");
    let key = world.platform.create_key(&nobody, NewKey::default()).await;
    assert!(matches!(key, Err(PlatformError::NotFound("account"))));
    let grant = world.platform.grant(&nobody, dollars("1"), "r", "o").await;
    assert!(matches!(grant, Err(PlatformError::NotFound("account"))));
    let account = world.platform.create_account("ann@example.com").await.unwrap();
    for email in ["ann@example.com", "ANN@example.com", "ann", "@x", "a b@c", ""] {
        let again = world.platform.create_account(email).await;
        assert!(matches!(again, Err(PlatformError::Refused(_))), "{email}");
    }
    for amount in ["0", "-1"] {
        let grant = world.platform.grant(&account.account_id, dollars(amount), "r", "o").await;
        assert!(matches!(grant, Err(PlatformError::Refused(_))), "{amount}");
    }
    let below = NewKey { limit: Some(dollars("-1")), ..NewKey::default() };
    let below = world.platform.create_key(&account.account_id, below).await;
    assert!(matches!(below, Err(PlatformError::Refused(_))));
    assert_eq!(ApiError::from(PlatformError::NotFound("x")).kind.status(), 404);
    assert_eq!(
        ApiError::from(PlatformError::Store(signalbox_store::StoreError::Closed)).kind.status(),
        503
    );
}

fn row(world: &World, usage: Usage) -> GenerationRow {
    let mut rates = Rates::default();
    for (kind, rate) in [
        (PriceKind::Prompt, "0.000002"),
        (PriceKind::Completion, "0.000008"),
        (PriceKind::InputCacheRead, "0.0000005"),
    ] {
        rates.set(kind, rate.parse().unwrap());
    }
    GenerationRow {
        id: GenerationId::new("set by the ledger"),
        request_id: RequestId::generate(world.clock.now(), entropy::bytes()),
        account: AccountId::new(""),
        key: KeyHash::new(""),
        requested_model: "acme/tiny".to_owned(),
        model: "acme/tiny".to_owned(),
        provider: Some("acme".to_owned()),
        provider_name: Some("Acme".to_owned()),
        endpoint_id: Some("ep".to_owned()),
        upstream_id: Some("chatcmpl-1".to_owned()),
        api_type: "completions".to_owned(),
        streamed: true,
        finish_reason: Some("stop".to_owned()),
        native_finish_reason: Some("end".to_owned()),
        created_at: world.clock.now(),
        latency_ms: Some(120),
        generation_ms: Some(900),
        usage,
        tokens_prompt: usage.prompt(),
        tokens_completion: usage.output,
        prices: Some(PriceTable { rates, overrides: Vec::new() }),
        user_agent: Some("test/1".to_owned()),
        num_media_prompt: Some(0),
        provider_responses: r#"[{"provider_name":"Acme","status":200}]"#.to_owned(),
        routing: Some("{}".to_owned()),
        ..GenerationRow::default()
    }
}

#[tokio::test]
async fn spending_shows_in_credits_key_and_generation() {
    let world = world().await;
    let platform = &world.platform;
    let ann = platform.create_account("ann@example.com").await.unwrap();
    let eve = platform.create_account("eve@example.com").await.unwrap();
    let done = platform.grant(&ann.account_id, dollars("100.5"), "demo", "ops").await.unwrap();
    assert_eq!(json_of(&done)["balance"], json!(100.5));
    let wanted = NewKey { limit: Some(dollars("1")), ..NewKey::default() };
    let issued = platform.create_key(&ann.account_id, wanted).await.unwrap();
    let key = world.record(&issued.key).await.unwrap();

    let ledger = Ledger::open(platform.store()).await.unwrap();
    let spender = key.spender(&[]);
    ledger.warm(&ann.account_id, &spender, world.clock.now()).await.unwrap();
    let usage = Usage {
        input_uncached: 100,
        cache_read: 40,
        output: 50,
        reasoning: 20,
        ..Usage::default()
    };
    let id = GenerationId::generate(world.clock.now(), entropy::bytes());
    let request = Reserve {
        generation: id.clone(),
        account: ann.account_id.clone(),
        key: key.hash.clone(),
        amount: dollars("0.01"),
        byok: Usd::ZERO,
        together: None,
        free: None,
        spender: spender.into(),
        now: world.clock.now(),
    };
    let row = row(&world, usage);
    let prices = row.prices.clone().unwrap();
    let cost = signalbox_ledger::price(&usage, &prices, world.clock.now(), 1).unwrap().total;
    let hold = ledger.reserve(&request).unwrap();
    ledger.settle(hold, cost, row).await.unwrap();

    let credits = json_of(&platform.credits(&ann.account_id).await.unwrap());
    assert_eq!(credits, json!({"data": {"total_credits": 100.5, "total_usage": 0.00062}}));

    let shown = json_of(&platform.key(&key).await.unwrap());
    let shown = &shown["data"];
    for (name, value) in [
        ("limit", json!(1)),
        ("limit_remaining", json!(0.99938)),
        ("limit_reset", Value::Null),
        ("usage", json!(0.00062)),
        ("usage_daily", json!(0.00062)),
        ("usage_weekly", json!(0.00062)),
        ("usage_monthly", json!(0.00062)),
        ("byok_usage", json!(0)),
        ("is_free_tier", json!(true)),
        ("is_management_key", json!(false)),
        ("is_provisioning_key", json!(false)),
        ("creator_user_id", Value::Null),
        ("free_model_daily_requests", json!({"limit": 50, "remaining": 50, "used": 0})),
        ("include_byok_in_limit", json!(false)),
    ] {
        assert_eq!(shown.get(name), Some(&value), "{name}");
    }
    assert_eq!(shown["rate_limit"]["requests"], json!(-1));
    assert_eq!(shown["label"], json!(key.label));

    let body = json_of(&platform.generation(&ann.account_id, id.as_str()).await.unwrap());
    check_generation(&body["data"], &id);
    let theirs = platform.generation(&eve.account_id, id.as_str()).await;
    assert!(matches!(theirs, Err(PlatformError::NotFound("generation"))));

    let report = platform.audit().await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}

fn check_generation(data: &Value, id: &GenerationId) {
    for (name, value) in [
        ("id", json!(id)),
        ("upstream_id", json!("chatcmpl-1")),
        ("created_at", json!("2026-08-09T15:31:00.000Z")),
        ("usage", json!(0.00062)),
        ("total_cost", json!(0.00062)),
        ("cache_discount", json!(0.00006)),
        ("native_tokens_prompt", json!(140)),
        ("native_tokens_completion", json!(50)),
        ("native_tokens_reasoning", json!(20)),
        ("native_tokens_cached", json!(40)),
        ("latency", json!(120)),
        ("generation_time", json!(900)),
        ("data_region", json!("global")),
        ("is_byok", json!(false)),
        ("origin", json!("")),
        ("provider_responses", json!([{"provider_name": "Acme", "status": 200}])),
    ] {
        assert_eq!(data.get(name), Some(&value), "{name}");
    }
    // Required by the published schema, nullable all of them.
    for name in [
        "app_id",
        "moderation_latency",
        "service_tier",
        "num_media_prompt",
        "num_input_audio_prompt",
        "num_media_completion",
        "num_search_results",
        "num_fetches",
        "web_search_engine",
        "external_user",
        "preset_id",
        "router",
        "user_agent",
        "http_referer",
        "workspace_id",
        "upstream_inference_cost",
        "native_tokens_completion_images",
        "session_id",
        "request_id",
        "response_cache_source_id",
    ] {
        assert!(data.get(name).is_some(), "{name}");
    }
}

#[tokio::test]
async fn an_account_without_credit_is_a_free_tier() {
    let world = world().await;
    let account = world.platform.bootstrap(RevokeOld::No).await.unwrap();
    let key = world.record(&account.management_key).await.unwrap();
    let shown = json_of(&world.platform.key(&key).await.unwrap());
    assert_eq!(shown["data"]["is_free_tier"], json!(true));
    assert_eq!(shown["data"]["is_management_key"], json!(true));
    assert_eq!(shown["data"]["limit_remaining"], Value::Null);
}
