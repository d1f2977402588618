//! Whom an identity provider's word lets in, and as whom.

use http::Method;
use serde_json::json;
use signalbox_platform::SignUp;

use crate::browser::{Browser, PASSWORD, SESSION, mailed, person};
use crate::elsewhere::start;
use crate::site::told;
use crate::traveller::Traveller;

#[tokio::test]
async fn an_account_is_linked_by_its_address_when_both_sides_have_proven_it() {
    let (server, idp, _, _) = start(SignUp::Open).await;
    // Somebody signed up with an address that they never proved: it may be anybody's.
    let mut squatter = Browser::new(&server, "ada@example.com");
    told(&squatter.sign_up(json!({})).await, 202);
    squatter.sign_in().await;
    let mut ada = Traveller::new(&server);
    assert_eq!(ada.travel(&idp, "work").await, "/sign-in?error=account_unverified");
    assert_eq!(ada.session, None);
    // Whoever has the mailbox proves it; from then on it is the same account.
    let token = mailed(&server, "ada@example.com", "Verify your e-mail address").await;
    told(&squatter.post("/email/verify", json!({ "token": token })).await, 200);
    assert_eq!(ada.travel(&idp, "work").await, "/chat");
    let (here, there) = (told(&squatter.get("").await, 200), ada.me().await);
    assert_eq!(here["data"]["user"]["id"], there["user"]["id"]);
    let account = there["context"]["account_id"].as_str().unwrap();
    let account = signalbox_core::id::AccountId::new(account);
    let log = server.platform.store().audit_log(&account, None, 9).await.unwrap();
    assert_eq!(
        (log[0].action.as_str(), log[0].object_kind.as_str()),
        ("identity.link", "identity")
    );
}

#[tokio::test]
async fn signing_up_elsewhere_follows_the_rule_for_signing_up() {
    let (server, idp, _, _) = start(SignUp::Closed).await;
    assert_eq!(Traveller::new(&server).travel(&idp, "work").await, "/sign-in?error=sign_up_closed");

    // The first person, then whoever is invited: the address is proven there.
    let (server, idp, _, _) = start(SignUp::Invited).await;
    let mut ada = Traveller::new(&server);
    assert_eq!(ada.travel(&idp, "work").await, "/chat");
    idp.will(|script| script.claims = json!({"sub": "bob", "email": "Bob@Example.com"}));
    let mut bob = Traveller::new(&server);
    assert_eq!(bob.travel(&idp, "work").await, "/sign-in?error=sign_up_closed");
    told(&Browser::new(&server, "eve@example.com").sign_up(json!({})).await, 403);
    let made = told(&ada.post("/organizations", json!({"name": "Works"})).await, 201);
    let id = made["data"]["id"].as_str().unwrap();
    let invite = json!({"email": "bob@example.com", "role": "org:member"});
    told(&ada.post(&format!("/organizations/{id}/invitations"), invite).await, 201);
    assert_eq!(bob.travel(&idp, "work").await, "/chat");
    assert_eq!(bob.me().await["user"]["email"], "bob@example.com");
}

#[tokio::test]
async fn a_second_factor_is_asked_for_whoever_vouches() {
    let (server, idp, _, clock) = start(SignUp::Open).await;
    let ada = person(&server, "ada@example.com", json!({})).await;
    let offer = told(&ada.post("/second-factor", json!({"password": PASSWORD})).await, 200);
    let secret = offer["data"]["secret"].as_str().unwrap().to_owned();
    let code = || crate::second_factor::code(&secret, &clock);
    let codes = told(&ada.post("/second-factor/confirm", json!({"code": code()})).await, 200);
    let spare = codes["data"]["recovery_codes"][0].as_str().unwrap();

    let mut traveller = Traveller::new(&server);
    let to = traveller.travel(&idp, "work").await;
    assert_eq!(to, "/sign-in?second_factor=required&return_to=%2Fchat");
    assert_eq!(traveller.session, None);
    told(&traveller.get(SESSION).await, 401);
    told(&traveller.post("/sign-in/code", json!({"code": "000000"})).await, 401);
    // Another browser with another journey has nothing to show a code for.
    let mut eve = Traveller::new(&server);
    eve.begin("work").await;
    told(&eve.post("/sign-in/code", json!({"code": spare})).await, 401);
    told(&Traveller::new(&server).post("/sign-in/code", json!({"code": spare})).await, 401);
    let elsewhere = traveller.caller.without("origin");
    let path = format!("{SESSION}/sign-in/code");
    told(&elsewhere.post(&path, &json!({"code": spare})).await, 403);
    told(&traveller.post("/sign-in/code", json!({"code": spare})).await, 201);
    assert_eq!(traveller.me().await["user"]["second_factor"], true);
    told(&traveller.post("/sign-in/code", json!({"code": spare})).await, 401);
}

#[tokio::test]
async fn people_link_identities_and_keep_a_way_in() {
    let (server, idp, other, _) = start(SignUp::Open).await;
    let mut ada = Traveller::new(&server);
    assert_eq!(ada.travel(&idp, "work").await, "/chat");
    let me = ada.me().await;
    let of = |reply: &signalbox_testkit::Reply| told(reply, 200)["data"].clone();
    let path = format!("{SESSION}/identities");
    let first = of(&ada.get(&path).await)[0]["id"].as_str().unwrap().to_owned();
    let alone = ada.send(Method::DELETE, &format!("/identities/{first}"), json!(null)).await;
    told(&alone, 409);

    // Whatever address it has there: the person here says that it is theirs.
    other.will(|script| {
        script.claims = json!({"sub": "ada2", "email": "x@y.example", "email_verified": false})
    });
    let wish = json!({"provider": "other", "return_to": "/settings"});
    let away = of(&ada.post("/identities", wish.clone()).await);
    let back = other.agree(away["url"].as_str().unwrap(), "one");
    // Whoever is signed in by then is somebody else, or nobody.
    let mut nobody = Traveller { session: None, ..ada.clone() };
    assert_eq!(nobody.back(&back).await, "/settings?error=signed_out");
    let away = of(&ada.post("/identities", wish.clone()).await);
    let back = other.agree(away["url"].as_str().unwrap(), "two");
    assert_eq!(ada.back(&back).await, "/settings?done=other");
    let listed = of(&ada.get(&path).await);
    let listed = listed.as_array().unwrap();
    let linked = listed.iter().find(|one| one["provider"] == "other").unwrap();
    assert_eq!((listed.len(), &linked["email"]), (2, &json!("x@y.example")));
    let mut again = Traveller::new(&server);
    assert_eq!(again.travel(&other, "other").await, "/chat");
    assert_eq!(again.me().await["user"]["id"], me["user"]["id"]);

    // It is nobody else's to link, to see or to unlink.
    idp.will(|script| script.claims = json!({"sub": "bob", "email": "bob@example.com"}));
    let mut bob = Traveller::new(&server);
    assert_eq!(bob.travel(&idp, "work").await, "/chat");
    let away = of(&bob.post("/identities", wish).await);
    let back = other.agree(away["url"].as_str().unwrap(), "three");
    assert_eq!(bob.back(&back).await, "/settings?error=identity_taken");
    let stolen = bob.send(Method::DELETE, &format!("/identities/{first}"), json!(null)).await;
    told(&stolen, 404);
    told(&ada.send(Method::DELETE, &format!("/identities/{first}"), json!(null)).await, 200);
    idp.will(|script| script.claims = json!({"email": "new@example.com"}));
    let mut stranger = Traveller::new(&server);
    assert_eq!(stranger.travel(&idp, "work").await, "/chat", "the identity is free again");
    assert_ne!(stranger.me().await["user"]["id"], me["user"]["id"]);
    told(&ada.post("/identities", json!({"provider": "nobody"})).await, 404);
    told(&ada.post("/identities", json!({"provider": "other", "return_to": "//x"})).await, 400);
}
