//! Requests that stay in a region, because of the host that they are sent to (platform spec 9.5).

use serde_json::{Value, json};
use signalbox_catalog::listing::Region;
use signalbox_core::Tier;
use signalbox_gateway::Regions;
use signalbox_platform::NewAgreement;
use signalbox_testkit::{Caller, Offer, Setup, Stand, TestServer};

use crate::doors::{DOORS, offer, told};

const EU: &str = "eu.gate.example";
const US: &str = "us.gate.example";

fn setup() -> Setup {
    let hosts = [(EU.to_owned(), Region::Eu), (US.to_owned(), Region::Us)];
    Setup { regions: Regions::new(hosts), ..Setup::default() }
}

/// A model everywhere, one in the States alone, and one that is nobody knows where.
fn world() -> Offer {
    let stand = |provider: &str, region: Option<&str>| {
        let stand = Stand::new(provider, "tokens-5");
        region.into_iter().fold(stand, |stand, region| stand.with("region", region.into()))
    };
    Offer::new()
        .model(
            "acme/all",
            [
                stand("in-eu", Some("eu-west-1")),
                stand("in-us", Some("us-east-1")),
                stand("off", None),
            ],
        )
        .model("acme/states", [stand("in-us", Some("us"))])
        .model("acme/lost", [stand("off", None)])
}

async fn entitle(server: &TestServer) {
    let wanted = NewAgreement { contract: Some(Some(Tier::Enterprise)), ..NewAgreement::default() };
    server.platform.agree(&server.owner.account_id, wanted).await.unwrap();
    server.renew(&server.owner.account_id).await;
}

fn ask(model: &str) -> Value {
    json!({"model": model, "max_tokens": 20, "messages": [{"role": "user", "content": "Hello."}]})
}

fn ids(listed: &Value) -> Vec<&str> {
    listed["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn who_is_not_entitled_is_refused_by_every_door() {
    let server = TestServer::start_as(offer(&[("region", json!("eu-west-1"))]), setup()).await;
    let caller = server.caller().with("host", EU);
    for door in DOORS {
        for stream in door.manners() {
            let reply = door.post(&caller, &door.body("Hello.", *stream)).await;
            let (message, _) = door.error(&reply, 403, "permission_denied");
            assert_eq!(message, "In-region routing (eu) is not part of this account's plan.");
        }
    }
    let reply = told(&caller.chat(&ask("acme/chat")).await, 403);
    let availability = &reply["error"]["availability"];
    assert_eq!(
        (&availability["code"], &availability["requested_models"], &availability["retryable"]),
        (&json!("region_restricted"), &json!(["acme/chat"]), &json!(false))
    );
    told(&caller.post("/api/v1/routing/plan", &ask("acme/chat")).await, 403);
    // A request that would have been refused anyway tells nothing more.
    told(&caller.chat(&ask("acme/none")).await, 403);
    assert!(server.journal().entries().is_empty());
    told(&server.caller().chat(&ask("acme/chat")).await, 200);
    entitle(&server).await;
    for door in DOORS {
        let reply = door.post(&caller, &door.body("Hello.", false)).await;
        assert_eq!(reply.status, 200, "{door:?}: {}", String::from_utf8_lossy(&reply.body));
    }
    server.closes_clean().await;
}

/// Who answers, when everybody else can't.
async fn provider(caller: &Caller, body: &Value) -> String {
    told(&caller.chat(body).await, 200)["provider"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_request_to_a_regional_host_stays_in_its_region() {
    let server = TestServer::start_as(world(), setup()).await;
    entitle(&server).await;
    for (host, stays, name) in [(EU, "Provider in-eu", "europe"), (US, "Provider in-us", "us")] {
        for written in
            [host.to_owned(), format!("{host}:443"), host.to_uppercase(), format!("{host}.")]
        {
            let caller = server.caller().with("host", &written);
            let caller = caller.with("X-OpenRouter-Metadata", "enabled");
            for _ in 0..4 {
                let reply = caller.chat(&ask("acme/all")).await;
                let answer = told(&reply, 200);
                assert_eq!(answer["provider"], stays, "{written}");
                assert_eq!(answer["openrouter_metadata"]["region"], host[..2]);
                let id = reply.header("x-generation-id").unwrap();
                let row = server.caller().get(&format!("/api/v1/generation?id={id}")).await;
                assert_eq!(told(&row, 200)["data"]["data_region"], name);
            }
        }
    }
    // No wish of a request gets out of it.
    let caller = server.caller().with("host", EU);
    let mut body = ask("acme/all");
    body["provider"] = json!({"only": ["in-us", "off"]});
    let (told_so, other) =
        (told(&caller.chat(&body).await, 404), caller.chat(&ask("acme/states")).await);
    assert_eq!(
        told_so["error"]["availability"]["excluded_by"],
        json!(["allowed_providers", "data_region"])
    );
    let availability = told(&other, 404)["error"]["availability"].clone();
    assert_eq!(
        (&availability["code"], &availability["excluded_by"]),
        (&json!("constraint_filtered"), &json!(["data_region"]))
    );
    told(&caller.chat(&ask("acme/lost")).await, 404);
    let mut two = ask("acme/lost");
    two["models"] = json!(["acme/all"]);
    assert_eq!(provider(&caller, &two).await, "Provider in-eu");
    // Any other host is nobody's.
    for host in ["gate.example", "xeu.gate.example", "eu.gate.example.evil"] {
        let caller = server.caller().with("host", host);
        let mut body = ask("acme/all");
        body["provider"] = json!({"only": ["off"]});
        let reply = caller.chat(&body).await;
        told(&reply, 200);
        let id = reply.header("x-generation-id").unwrap();
        let row = told(&server.caller().get(&format!("/api/v1/generation?id={id}")).await, 200);
        assert_eq!(row["data"]["data_region"], "global");
    }
    // What other headers say of hosts counts for nothing.
    let forwarded =
        server.caller().with("x-forwarded-host", EU).with("forwarded", "host=eu.gate.example");
    told(&forwarded.chat(&ask("acme/states")).await, 200);
    let key = told(&server.caller().get("/api/v1/key").await, 200);
    assert_eq!(key["data"]["allowed_data_regions"], json!(["global", "europe", "us"]));
    server.closes_clean().await;
}

#[tokio::test]
async fn lists_of_models_on_a_regional_host_are_those_of_the_region() {
    let server = TestServer::start_as(world(), setup()).await;
    let nobody = server.caller().without("authorization");
    let (eu, us) = (nobody.with("host", EU), nobody.with("host", US));
    for path in ["/api/v1/models", "/api/v1/models?region=us", "/api/v1/cursor/models"] {
        let listed = told(&eu.get(path).await, 200);
        assert_eq!(ids(&listed), ["acme/all"], "{path}");
    }
    let mut found = told(&us.get("/api/v1/models").await, 200);
    found["data"].as_array_mut().unwrap().sort_by_key(|one| one["id"].to_string());
    assert_eq!(ids(&found), ["acme/all", "acme/states"]);
    let count = |reply: Value| reply["data"]["count"].as_u64().unwrap();
    assert_eq!(count(told(&eu.get("/api/v1/models/count").await, 200)), 1);
    assert_eq!(count(told(&us.get("/api/v1/models/count").await, 200)), 2);
    assert_eq!(count(told(&nobody.get("/api/v1/models/count").await, 200)), 3);
    assert_eq!(ids(&told(&nobody.get("/api/v1/models").await, 200)).len(), 3);
}

#[tokio::test]
async fn an_answer_from_outside_is_not_given_again_inside() {
    let server = TestServer::start_as(world(), setup()).await;
    entitle(&server).await;
    let keeping = server.caller().with("x-openrouter-cache", "true");
    let hosts = [keeping.clone(), keeping.with("host", EU), keeping.with("host", US)];
    for status in ["MISS", "HIT"] {
        for caller in &hosts {
            let reply = caller.chat(&ask("acme/all")).await;
            assert_eq!(reply.header("x-openrouter-cache-status"), Some(status));
        }
    }
    server.closes_clean().await;
}
