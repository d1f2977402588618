//! SCIM: what identity providers send, what becomes of people and of their keys (platform spec 17).

use serde_json::{Value, json};
use signalbox_store::sso::SsoStatus;

use crate::browser::{Browser, mailed, person, start};
use crate::directory::{Company, DOMAIN, Idp, connect, open, operator, text};
use crate::reference::conforms;
use crate::site::{delete, patch, told};

#[tokio::test]
async fn a_directory_learns_what_there_is_and_errors_are_in_its_own_form() {
    let (server, _) = start(open()).await;
    let acme = Company::found(&server, "root@acme.example", DOMAIN).await;
    let idp = acme.directory().await;
    let service = idp.get("/ServiceProviderConfig").await;
    assert_eq!(service.headers["content-type"], "application/scim+json");
    assert_eq!(told(&service, 200)["patch"]["supported"], true);
    let types = told(&idp.get("/ResourceTypes").await, 200);
    assert_eq!(types["totalResults"], 2);
    told(&idp.get("/ResourceTypes/User").await, 200);
    told(&idp.get("/ResourceTypes/Pet").await, 404);
    let schemas = told(&idp.get("/Schemas").await, 200);
    let id = text(&schemas["Resources"][1]["id"]);
    assert_eq!(told(&idp.get(&format!("/Schemas/{id}")).await, 200)["name"], "Group");

    let stranger = Idp { caller: idp.caller.with_key("scim-unknown") };
    for reply in [
        stranger.get("/Users").await,
        Idp { caller: idp.caller.without("authorization") }.get("/Users").await,
        Idp { caller: acme.manager.clone() }.get("/Users").await,
    ] {
        let refused = told(&reply, 401);
        assert_eq!(refused["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
        assert_eq!(refused["status"], "401");
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
    }
    for (path, kind) in [
        ("/Users?filter=userName%20sw%20%22a%22", "invalidFilter"),
        ("/Users?filter=nickName%20eq%20%22a%22", "invalidFilter"),
        ("/Groups?filter=displayName%20co%20%22a%22", "invalidFilter"),
        ("/Users?count=x", "invalidValue"),
    ] {
        let refused = told(&idp.get(path).await, 400);
        assert_eq!(refused["scimType"], kind, "{path}");
    }
    for (method, path, status) in [
        (http::Method::GET, "/scim/v2/Me", 404),
        (http::Method::POST, "/scim/v2/Bulk", 404),
        (http::Method::PUT, "/scim/v2/Users", 405),
    ] {
        let reply = idp.caller.send(method, path, "{}".into()).await;
        let refused = told(&reply, status);
        assert_eq!(refused["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
        assert_eq!(reply.headers["content-type"], "application/scim+json");
    }
    let reply = idp.caller.send(http::Method::POST, "/scim/v2/Users", "{".into()).await;
    assert_eq!(told(&reply, 400)["scimType"], "invalidSyntax");
    let large = json!({"userName": "a", "x": "y".repeat(1_100_000)});
    assert_eq!(told(&idp.post("/Users", large).await, 413)["status"], "413");
    server.closes_clean().await;
}

#[tokio::test]
async fn users_come_are_found_change_and_go() {
    let (server, _) = start(open()).await;
    let acme = Company::found(&server, "root@acme.example", DOMAIN).await;
    let idp = acme.directory().await;
    let none = "/Users?filter=userName%20eq%20%22ada%40acme.example%22";
    assert_eq!(told(&idp.get(none).await, 200)["totalResults"], 0);
    let ada = idp.user("Ada@acme.example").await;
    let bob = idp.user("bob@acme.example").await;
    let seen = told(&idp.get(&format!("/Users/{ada}")).await, 200);
    assert_eq!(
        (&seen["userName"], &seen["active"], &seen["name"]["givenName"]),
        (&json!("Ada@acme.example"), &json!(true), &json!("Given"))
    );
    assert!(!seen.to_string().contains("never kept"), "{seen}");
    assert!(text(&seen["meta"]["location"]).ends_with(&format!("/scim/v2/Users/{ada}")));
    for filter in [
        "userName%20eq%20%22ADA%40acme.example%22",
        "externalId%20eq%20%22ext-Ada%40acme.example%22",
        "externalId%20eq%20%22ext-Ada%40acme.example%22%20and%20userName%20eq%20%22ada%40acme.example%22",
    ] {
        let found = told(&idp.get(&format!("/Users?filter={filter}")).await, 200);
        assert_eq!(
            (&found["totalResults"], &found["Resources"][0]["id"]),
            (&json!(1), &json!(ada))
        );
    }
    let mut seen = Vec::new();
    for start in [0, 1, 2, 3] {
        let path = format!("/Users?startIndex={start}&count=1&attributes=userName");
        let page = told(&idp.get(&path).await, 200);
        assert_eq!(page["totalResults"], 2);
        for one in page["Resources"].as_array().unwrap() {
            assert_eq!(one.as_object().unwrap().len(), 3, "id, schemas, userName: {one}");
            seen.push(text(&one["id"]));
        }
    }
    assert_eq!(seen[0], seen[1], "what is below 1 is 1");
    seen.remove(0);
    seen.sort();
    let mut expected = [ada.clone(), bob.clone()];
    expected.sort();
    assert_eq!(seen, expected);
    assert_eq!(told(&idp.get("/Users?count=0").await, 200)["itemsPerPage"], 0);

    // The person is new, of the domain, and has no password.
    let user = server.platform.store().user_of_email("ada@acme.example").await.unwrap().unwrap();
    assert!(user.password.is_none() && user.email_verified_at.is_some());
    assert_eq!(user.first_name.as_deref(), Some("Given"));
    let wish = json!({"userName": "ada@acme.example"});
    assert_eq!(told(&idp.post("/Users", wish.clone()).await, 409)["scimType"], "uniqueness");
    let taken = json!({"userName": "bob@acme.example"});
    assert_eq!(
        told(&idp.put(&format!("/Users/{ada}"), taken).await, 409)["scimType"],
        "uniqueness"
    );
    let outside = json!({"userName": "eve@else.example"});
    assert_eq!(told(&idp.post("/Users", outside).await, 400)["scimType"], "invalidValue");
    let replaced = json!({"userName": "ada@acme.example", "displayName": "A", "active": true});
    let seen = told(&idp.put(&format!("/Users/{ada}"), replaced).await, 200);
    assert_eq!((&seen["displayName"], &seen["name"]), (&json!("A"), &Value::Null));
    assert_eq!(seen["externalId"], Value::Null);
    let operations = json!([{"op": "Replace", "path": "name.familyName", "value": "Byron"},
        {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            "value": "x"}]);
    let seen = told(&idp.patch(&format!("/Users/{ada}"), operations).await, 200);
    assert_eq!(seen["name"]["familyName"], "Byron");
    // Nobody comes back because something is not said.
    let path = format!("/Users/{ada}");
    let off = json!([{"op": "replace", "value": {"active": false}}]);
    assert_eq!(told(&idp.patch(&path, off).await, 200)["active"], false);
    let seen = told(&idp.put(&path, wish.clone()).await, 200);
    assert_eq!(seen["active"], false);
    let unsaid = json!([{"op": "remove", "path": "active"}]);
    assert_eq!(told(&idp.patch(&path, unsaid).await, 200)["active"], false);
    assert_eq!(idp.delete(&format!("/Users/{bob}")).await.status, 204);
    for reply in [
        idp.delete(&format!("/Users/{bob}")).await,
        idp.get(&format!("/Users/{bob}")).await,
        idp.put(&format!("/Users/{bob}"), wish.clone()).await,
        idp.patch(&format!("/Users/{bob}"), json!([])).await,
    ] {
        assert_eq!(told(&reply, 404)["status"], "404");
    }
    // Whoever comes inactive is no member, and becomes none by signing in.
    let idle = json!({"userName": "idle@acme.example", "active": "false"});
    assert_eq!(told(&idp.post("/Users", idle).await, 201)["active"], false);
    let user = acme.person(&server, "idle@acme.example").await;
    let user = signalbox_core::id::UserId::new(user);
    let member = server.platform.store().member(&acme.org, &user).await.unwrap().unwrap();
    assert!(member.deactivated_at.is_some());
    // Whoever comes back is the same person.
    let again = idp.user("bob@acme.example").await;
    assert_ne!(again, bob);
    server.closes_clean().await;
}

/// Reliability design, tests 16 and 39: nobody is taken over by a directory that is not theirs.
#[tokio::test]
async fn a_directory_reaches_its_own_domain_and_connection_alone() {
    let (server, _) = start(open()).await;
    let acme = Company::found(&server, "root@acme.example", DOMAIN).await;
    let other = Company::found(&server, "root@other.example", "other.example").await;
    let (idp, theirs) = (acme.directory().await, other.directory().await);
    let (ada, eve) = (idp.user("ada@acme.example").await, theirs.user("eve@other.example").await);
    let group = idp.group("A", &[&ada]).await;
    for path in [format!("/Users/{ada}"), format!("/Groups/{group}")] {
        let nowhere = path.replace(&ada, "nobody").replace(&group, "nobody");
        let full = json!({"userName": "x@other.example", "displayName": "x"});
        for (one, none) in [
            (theirs.get(&path).await, theirs.get(&nowhere).await),
            (theirs.put(&path, full.clone()).await, theirs.put(&nowhere, full.clone()).await),
            (theirs.patch(&path, json!([])).await, theirs.patch(&nowhere, json!([])).await),
            (theirs.delete(&path).await, theirs.delete(&nowhere).await),
        ] {
            assert_eq!((one.status, &one.body), (404, &none.body), "{path}");
        }
    }
    let wish = json!({"displayName": "B", "members": [{"value": ada}]});
    assert_eq!(told(&theirs.post("/Groups", wish).await, 400)["scimType"], "invalidValue");
    assert_eq!(told(&theirs.get("/Groups").await, 200)["totalResults"], 0);
    assert_eq!(told(&theirs.get("/Users").await, 200)["Resources"][0]["id"], json!(eve));
    // The same of the management API: another organization's mapping is not there.
    let workspace = acme.workspace("one").await;
    let made = told(&acme.map(&group, &workspace, "member").await, 201);
    let mapping = format!("/api/v1/scim/group-mappings/{}", text(&made["data"]["id"]));
    told(&other.manager.get(&mapping).await, 404);
    told(&patch(&other.manager, &mapping, json!({"role": "admin"})).await, 404);
    told(&delete(&other.manager, &format!("{mapping}?keep_members=false")).await, 404);
    told(&other.map(&group, &workspace, "admin").await, 404);
    let wish = json!({ "connection_id": acme.connection });
    told(&other.manager.post("/api/v1/scim/tokens", &wish).await, 404);
    assert_eq!(told(&other.manager.get("/api/v1/scim/groups").await, 200)["total_count"], 0);

    // A token of a connection whose domain nobody has proven is no good.
    let unproven = connect(&server, &acme.org, "bank.example", SsoStatus::Pending).await;
    let edit = |one: &mut signalbox_store::sso::SsoConnection| one.verified_at = None;
    let store = server.platform.store();
    store.change_sso_connection(operator(&acme.org), unproven.clone(), edit).await.unwrap();
    let made = acme.manager.post("/api/v1/scim/tokens", &json!({"connection_id": unproven})).await;
    let token = text(&told(&made, 201)["token"]);
    let early = Idp { caller: idp.caller.with_key(&token) };
    told(&early.get("/Users").await, 401);
    server.closes_clean().await;
}

#[tokio::test]
async fn whoever_proved_an_address_is_linked_and_whoever_did_not_loses_what_they_set_up() {
    let (server, _) = start(open()).await;
    let acme = Company::found(&server, "root@acme.example", DOMAIN).await;
    let idp = acme.directory().await;
    let ada = person(&server, "ada@acme.example", json!({})).await;
    let mut squatter = Browser::new(&server, "bob@acme.example");
    told(&squatter.sign_up(json!({})).await, 202);
    squatter.sign_in().await;
    idp.user("ada@acme.example").await;
    idp.user("bob@acme.example").await;
    let seen = told(&ada.get("").await, 200);
    assert_eq!(
        seen["data"]["contexts"].as_array().unwrap().len(),
        2,
        "still signed in, and a member"
    );
    told(&squatter.get("").await, 401);
    told(&squatter.try_sign_in(crate::browser::PASSWORD, None).await, 401);
    // The admin who is in the directory, too, stays one.
    idp.user("root@acme.example").await;
    let members = told(&acme.manager.get("/api/v1/organization/members").await, 200);
    let admins = members["data"].as_array().unwrap().iter();
    let admins: Vec<_> = admins.filter(|one| one["role"] == "org:admin").collect();
    assert_eq!((members["total_count"].as_u64(), admins.len()), (Some(3), 1));
    server.closes_clean().await;
}

#[tokio::test]
async fn groups_are_found_replaced_and_shown_without_members() {
    let (server, _) = start(open()).await;
    let acme = Company::found(&server, "root@acme.example", DOMAIN).await;
    let idp = acme.directory().await;
    let ada = idp.user("ada@acme.example").await;
    let bob = idp.user("bob@acme.example").await;
    let group = idp.group("Engineering", &[&ada]).await;
    let seen = told(&idp.get(&format!("/Groups/{group}")).await, 200);
    assert_eq!(seen["members"][0]["value"], json!(ada));
    for filter in [
        "displayName%20eq%20%22ENGINEERING%22".to_owned(),
        format!("id%20eq%20%22{group}%22%20and%20members%20eq%20%22{ada}%22"),
        format!("members.value%20eq%20%22{ada}%22"),
    ] {
        let path = format!("/Groups?excludedAttributes=members&filter={filter}");
        let found = told(&idp.get(&path).await, 200);
        assert_eq!(found["Resources"][0]["id"], json!(group), "{filter}");
        assert_eq!(found["Resources"][0]["members"], Value::Null);
    }
    let other = format!("/Groups?filter=members%20eq%20%22{bob}%22");
    assert_eq!(told(&idp.get(&other).await, 200)["totalResults"], 0);
    let wish = json!({"displayName": "E", "externalId": "x", "members": [{"value": bob}]});
    let seen = told(&idp.put(&format!("/Groups/{group}"), wish).await, 200);
    assert_eq!((&seen["displayName"], &seen["externalId"]), (&json!("E"), &json!("x")));
    assert_eq!(seen["members"][0]["value"], json!(bob));
    // What Okta sends for another name.
    let rename = json!([{"op": "replace", "value": {"id": group, "displayName": "F"}}]);
    assert_eq!(
        told(&idp.patch(&format!("/Groups/{group}"), rename).await, 200)["displayName"],
        "F"
    );
    let stranger = json!([{"op": "add", "path": "members", "value": [{"value": "nobody"}]}]);
    let refused = told(&idp.patch(&format!("/Groups/{group}"), stranger).await, 400);
    assert_eq!(refused["scimType"], "invalidValue");
    assert_eq!(idp.delete(&format!("/Users/{bob}")).await.status, 204);
    let seen = told(&idp.get(&format!("/Groups/{group}")).await, 200);
    assert_eq!(seen["members"], json!([]));
    server.closes_clean().await;
}

#[tokio::test]
async fn groups_and_mappings_are_managed_as_the_reference_says() {
    let (server, _) = start(open()).await;
    let acme = Company::found(&server, "root@acme.example", DOMAIN).await;
    let idp = acme.directory().await;
    let group = idp.group("Engineering", &[]).await;
    let seen = told(&acme.manager.get("/api/v1/scim/groups?limit=1").await, 200);
    conforms("GET", "/scim/groups", 200, &seen);
    assert_eq!((&seen["data"][0]["id"], &seen["total_count"]), (&json!(group), &json!(1)));
    let workspace = acme.workspace("one").await;
    let made = told(&acme.map(&group, &workspace, "member").await, 201);
    conforms("POST", "/scim/group-mappings", 201, &made);
    let id = text(&made["data"]["id"]);
    let path = format!("/api/v1/scim/group-mappings/{id}");
    let reference = "/scim/group-mappings/{id}";
    let again = told(&acme.map(&group, &workspace, "admin").await, 409);
    conforms("POST", "/scim/group-mappings", 409, &again);
    for (group, workspace) in [("x", workspace.as_str()), (group.as_str(), "x"), (&group, "one")] {
        let refused = told(&acme.map(group, workspace, "admin").await, 404);
        conforms("POST", "/scim/group-mappings", 404, &refused);
    }
    let refused = told(&acme.map(&group, &workspace, "owner").await, 400);
    conforms("POST", "/scim/group-mappings", 400, &refused);
    let default = told(&acme.manager.get("/api/v1/workspaces/default").await, 200);
    told(&acme.map(&group, &text(&default["data"]["id"]), "member").await, 400);
    let seen = told(&acme.manager.get("/api/v1/scim/group-mappings?limit=100").await, 200);
    conforms("GET", "/scim/group-mappings", 200, &seen);
    told(&acme.manager.get("/api/v1/scim/group-mappings?limit=101").await, 400);
    conforms("GET", reference, 200, &told(&acme.manager.get(&path).await, 200));
    let changed = told(&patch(&acme.manager, &path, json!({"role": "admin"})).await, 200);
    conforms("PATCH", reference, 200, &changed);
    assert_eq!(changed["data"]["role"], "admin");
    for query in ["", "?keep_members=", "?keep_members=maybe"] {
        let refused = told(&delete(&acme.manager, &format!("{path}{query}")).await, 400);
        conforms("DELETE", reference, 400, &refused);
    }
    let gone = told(&delete(&acme.manager, &format!("{path}?keep_members=false")).await, 200);
    conforms("DELETE", reference, 200, &gone);
    for reply in [
        acme.manager.get(&path).await,
        patch(&acme.manager, &path, json!({"role": "admin"})).await,
        delete(&acme.manager, &format!("{path}?keep_members=true")).await,
    ] {
        told(&reply, 404);
    }
    // Without an active connection nothing is mapped; without the plan, or the organization, nothing is
    // there.
    let idle = |one: &mut signalbox_store::sso::SsoConnection| one.status = SsoStatus::Disabled;
    let store = server.platform.store();
    store.change_sso_connection(operator(&acme.org), acme.connection.clone(), idle).await.unwrap();
    told(&acme.map(&group, &workspace, "member").await, 400);
    let personal = server.manager();
    let free = signalbox_platform::NewAgreement {
        contract: Some(Some(signalbox_core::Tier::Payg)),
        ..signalbox_platform::NewAgreement::default()
    };
    server.platform.agree(&acme.org, free).await.unwrap();
    for caller in [&personal, &acme.manager] {
        for path in ["/api/v1/scim/groups", "/api/v1/scim/group-mappings", "/api/v1/scim/tokens"] {
            told(&caller.get(path).await, 404);
        }
        let wish = json!({"scim_group_id": group, "workspace_id": workspace, "role": "member"});
        told(&caller.post("/api/v1/scim/group-mappings", &wish).await, 404);
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn tokens_are_made_by_administrators_shown_once_and_taken_back() {
    let (server, _) = start(open()).await;
    let acme = Company::found(&server, "root@acme.example", DOMAIN).await;
    let wish = json!({"connection_id": acme.connection, "name": "Okta"});
    let path = "/api/v1/scim/tokens";
    // In the person's own account there is nothing; in the organization's there is.
    told(&acme.admin.caller.post(path, &wish).await, 404);
    let context = json!({ "account_id": acme.org });
    told(&acme.admin.send(http::Method::PUT, "/context", context.clone()).await, 200);
    let made = told(&acme.admin.caller.post(path, &wish).await, 201);
    let (token, id) = (text(&made["token"]), text(&made["data"]["id"]));
    let idp = Idp { caller: acme.manager.with_key(&token) };
    told(&idp.get("/Users").await, 200);
    let listed = told(&acme.manager.get(path).await, 200);
    assert_eq!(listed["data"][0]["id"], json!(id));
    assert!(listed["data"][0]["last_used_at"].is_string());
    assert!(!listed.to_string().contains(&token));
    let log = server.platform.store().audit_log(&acme.org, None, 50).await.unwrap();
    assert_eq!(log[0].action, "scim.token.create");
    assert!(!format!("{log:?}").contains(&token[5..]));
    // A member who is no admin may not.
    let bob = person(&server, "bob@acme.example", json!({})).await;
    let invite = json!({"email": "bob@acme.example", "role": "org:member"});
    let invitations = format!("/organizations/{}/invitations", acme.org);
    told(&acme.admin.post(&invitations, invite).await, 201);
    let letter = mailed(&server, "bob@acme.example", "You are invited").await;
    told(&bob.post("/invitations/accept", json!({ "token": letter })).await, 200);
    told(&bob.send(http::Method::PUT, "/context", context).await, 200);
    told(&bob.caller.post(path, &wish).await, 403);
    told(&bob.caller.get(path).await, 403);
    told(&delete(&acme.manager, &format!("{path}/{id}")).await, 200);
    told(&delete(&acme.manager, &format!("{path}/{id}")).await, 404);
    told(&idp.get("/Users").await, 401);
    // Of a connection that is deleted no token is good, and its people are members like others.
    let idp = acme.directory().await;
    idp.user("ada@acme.example").await;
    let user = acme.person(&server, "ada@acme.example").await;
    let store = server.platform.store();
    store.delete_sso_connection(operator(&acme.org), acme.connection.clone()).await.unwrap();
    told(&idp.get("/Users").await, 401);
    let member = format!("/organizations/{}/members/{user}", acme.org);
    let off = json!({"active": false});
    told(&acme.admin.send(http::Method::PATCH, &member, off).await, 200);
    server.closes_clean().await;
}
