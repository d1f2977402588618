//! The register of routes tells the truth about who may call what.

use signalbox_server::{Credential, Route, routes};
use signalbox_testkit::{Caller, Offer, Reply, Stand, TestServer};

/// A request that has nothing of what the route needs but a body and a full path.
async fn answer(caller: &Caller, route: &Route) -> Reply {
    let parts = route.path.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
    let path = parts.collect::<Vec<_>>().join("/");
    caller.send(route.verb.method(), &path, "{}".into()).await
}

async fn call(caller: &Caller, route: &Route) -> u16 {
    answer(caller, route).await.status
}

#[tokio::test]
async fn every_route_asks_for_the_credential_in_its_row() {
    let offer = Offer::new().model("acme/one", [Stand::new("well", "tokens-5")]);
    let server = TestServer::start(offer).await;
    let nobody = server.caller().without("authorization");
    let stranger = server.caller().with_key("sk-or-v1-unknown");
    for route in routes() {
        let statuses = [
            call(&nobody, route).await,
            call(&stranger, route).await,
            call(&server.caller(), route).await,
            call(&server.manager(), route).await,
        ];
        let refused = statuses.map(|status| if matches!(status, 401 | 403) { status } else { 0 });
        let expected = match route.credential {
            Credential::None | Credential::Signature => [0, 0, 0, 0],
            Credential::Optional => [0, 401, 0, 0],
            Credential::Any => [401, 401, 0, 0],
            Credential::Inference | Credential::InferenceOrSession => [401, 401, 0, 403],
            Credential::Management => [401, 401, 403, 0],
            Credential::Session | Credential::Directory => [401, 401, 401, 401],
        };
        assert_eq!(refused, expected, "{:?} {}", route.verb, route.path);
        assert!(!statuses.contains(&405), "{:?} {}: {statuses:?}", route.verb, route.path);
        assert!(statuses.iter().all(|status| *status < 500), "{}: {statuses:?}", route.path);
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn no_answer_to_who_showed_a_credential_may_be_kept_by_anybody_between() {
    let offer = Offer::new().model("acme/one", [Stand::new("well", "tokens-5")]);
    let server = TestServer::start(offer).await;
    let nobody = server.caller().without("authorization");
    let callers = [
        server.caller(),
        server.manager(),
        nobody.with("x-api-key", "sk-or-v1-unknown"),
        nobody.with("cookie", "session=none"),
    ];
    for route in routes() {
        for caller in &callers {
            let reply = answer(caller, route).await;
            let told = reply.header("cache-control").unwrap_or_default();
            // What is the same for everybody may say so itself, and pages are.
            let page = !route.is_api && told == "no-cache";
            let open = route.credential == Credential::None && (told.starts_with("public") || page);
            let private = told.contains("private, no-store");
            assert!(private || open, "{:?} {}: {told}", route.verb, route.path);
        }
    }
    let lost = server.caller().get("/api/v1/no-such-route").await;
    assert_eq!((lost.status, lost.header("cache-control")), (404, Some("private, no-store")));
    server.closes_clean().await;
}
