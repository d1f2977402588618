//! An organization with a directory behind it, as the identity provider sees it.

use serde_json::{Value, json};
use signalbox_core::Tier;
use signalbox_core::id::AccountId;
use signalbox_platform::{Actor, By, NewAgreement, NewKey, PeopleSettings, SignUp};
use signalbox_store::sso::{SsoConnection, SsoOrigin, SsoStatus};
use signalbox_testkit::{Caller, Reply, TestServer};

use crate::browser::{Browser, person};
use crate::site::{delete, patch, put, told};

pub const DOMAIN: &str = "acme.example";

/// Everybody of these tests keeps a password, whatever their domain says: what they do while a directory
/// speaks of them is the matter here.
pub fn open() -> PeopleSettings {
    let break_glass = [
        "ada@acme.example",
        "bob@acme.example",
        "idle@acme.example",
        "root@acme.example",
        "root@groups.example",
        "root@other.example",
        "x@other.example",
    ];
    PeopleSettings {
        sign_up: SignUp::Open,
        break_glass: break_glass.map(str::to_owned).to_vec(),
        ..PeopleSettings::default()
    }
}

/// An Enterprise organization, its admin, its management key, and the connection of its domain.
pub struct Company {
    pub org: AccountId,
    pub admin: Browser,
    pub manager: Caller,
    pub connection: String,
}

pub fn operator(org: &AccountId) -> By {
    let actor = Actor::Operator("test".to_owned());
    By { account: org.clone(), actor, address: None }
}

pub async fn connect(
    server: &TestServer,
    org: &AccountId,
    domain: &str,
    status: SsoStatus,
) -> String {
    let now = server.platform.store().clock().now();
    let id = signalbox_core::id::random_uuid(signalbox_runtime::entropy::bytes());
    let connection = SsoConnection {
        id: id.clone(),
        account: org.clone(),
        domain: domain.to_owned(),
        origin: SsoOrigin::Operator,
        status,
        dns_token: "t".to_owned(),
        verified_at: Some(now),
        issuer: Some("https://idp.example".to_owned()),
        client_id: None,
        secret_version: None,
        tested_at: None,
        created_by: None,
        created_at: now,
        updated_at: now,
    };
    server.platform.store().add_sso_connection(operator(org), connection).await.unwrap();
    id
}

impl Company {
    pub async fn found(server: &TestServer, email: &str, domain: &str) -> Self {
        let admin = person(server, email, json!({})).await;
        let made = told(&admin.post("/organizations", json!({"name": "Acme"})).await, 201);
        let org = AccountId::new(made["data"]["id"].as_str().unwrap());
        let contract =
            NewAgreement { contract: Some(Some(Tier::Enterprise)), ..NewAgreement::default() };
        server.platform.agree(&org, contract).await.unwrap();
        let wanted = NewKey { name: "m".to_owned(), management: true, ..NewKey::default() };
        let key = server.platform.create_key(&org, wanted).await.unwrap().key;
        let manager = server.manager().with_key(&key);
        let connection = connect(server, &org, domain, SsoStatus::Active).await;
        Self { org, admin, manager, connection }
    }

    pub async fn directory(&self) -> Idp {
        let wish = json!({"connection_id": self.connection, "name": "Okta"});
        let made = told(&self.manager.post("/api/v1/scim/tokens", &wish).await, 201);
        let token = made["token"].as_str().unwrap();
        Idp { caller: self.manager.with_key(token) }
    }

    pub async fn workspace(&self, slug: &str) -> String {
        let wish = json!({"name": slug, "slug": slug});
        let made = told(&self.manager.post("/api/v1/workspaces", &wish).await, 201);
        made["data"]["id"].as_str().unwrap().to_owned()
    }

    /// Who is in a workspace: `user role`, sorted.
    pub async fn inside(&self, workspace: &str) -> Vec<String> {
        let path = format!("/api/v1/workspaces/{workspace}/members");
        let seen = told(&self.manager.get(&path).await, 200);
        let one = |row: &Value| format!("{} {}", text(&row["user_id"]), text(&row["role"]));
        let mut all: Vec<String> = seen["data"].as_array().unwrap().iter().map(one).collect();
        all.sort();
        all
    }

    pub async fn map(&self, group: &str, workspace: &str, role: &str) -> Reply {
        let wish = json!({"scim_group_id": group, "workspace_id": workspace, "role": role});
        self.manager.post("/api/v1/scim/group-mappings", &wish).await
    }

    /// The person behind a provisioned user.
    pub async fn person(&self, server: &TestServer, email: &str) -> String {
        let user = server.platform.store().user_of_email(email).await.unwrap().unwrap();
        user.id.to_string()
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What an identity provider sends.
#[derive(Clone)]
pub struct Idp {
    pub caller: Caller,
}

impl Idp {
    pub async fn get(&self, path: &str) -> Reply {
        self.caller.get(&format!("/scim/v2{path}")).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.caller.post(&format!("/scim/v2{path}"), &body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        put(&self.caller, &format!("/scim/v2{path}"), body).await
    }

    pub async fn patch(&self, path: &str, operations: Value) -> Reply {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        let body = json!({"schemas": schemas, "Operations": operations});
        patch(&self.caller, &format!("/scim/v2{path}"), body).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        delete(&self.caller, &format!("/scim/v2{path}")).await
    }

    /// Provisions somebody of the domain: the id.
    pub async fn user(&self, email: &str) -> String {
        let wish = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": email, "active": true, "externalId": format!("ext-{email}"),
            "emails": [{"value": email, "primary": true, "type": "work"}],
            "name": {"givenName": "Given", "familyName": "Family"},
            "password": "never kept", "groups": [],
        });
        text(&told(&self.post("/Users", wish).await, 201)["id"])
    }

    pub async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|one| json!({ "value": one })).collect();
        let wish = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": name, "members": members,
        });
        text(&told(&self.post("/Groups", wish).await, 201)["id"])
    }
}
