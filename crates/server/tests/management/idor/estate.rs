//! Two organizations with everything that a tenant can have.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use signalbox_core::id::{AccountId, UserId, random_uuid};
use signalbox_core::plan::Tier;
use signalbox_core::{Plans, Secret, Timestamp, Usd};
use signalbox_platform::purchase::settings::{Address, CryptoSettings, StripeSettings};
use signalbox_platform::{
    Actor, By, NewAgreement, NewKey, PeopleSettings, PurchaseSettings, SignUp,
};
use signalbox_runtime::{Clock, entropy};
use signalbox_server::Object;
use signalbox_store::payments::{Payment, Rail, Status, TaxId};
use signalbox_store::{IdentityRecord, SsoConnection, SsoOrigin, SsoStatus};
use signalbox_testkit::{Caller, Offer, Setup, Stand, TestServer, refused};

use crate::browser::{Browser, mailed, person};
use crate::directory::connect;
use crate::site::{chat, delete, put, told};

/// A number that nothing else has.
fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An id of the right form that nothing has.
pub fn nobodys(object: Object) -> String {
    let number = fresh();
    let uuid = format!("00000000-0000-4000-8000-{number:012}");
    match object {
        Object::Account => format!("org_{number:020}"),
        Object::Generation => format!("gen-1800000000-{number:020}"),
        Object::Key | Object::ManagementKey => format!("{number:064}"),
        Object::Payment => format!("pay_{number:032}"),
        Object::Session => format!("ses_{number:020}"),
        Object::Preset => format!("preset-{number}"),
        Object::TaxId => format!("txid_{number:032}"),
        Object::User => format!("user_{number:020}"),
        Object::Connection
        | Object::Guardrail
        | Object::Identity
        | Object::Invitation
        | Object::Phrase
        | Object::ProviderKey
        | Object::ScimGroup
        | Object::ScimMapping
        | Object::ScimToken
        | Object::ScimUser
        | Object::Workspace => uuid,
    }
}

/// A new preset of a key's workspace.
async fn preset(caller: &Caller, number: u64) -> String {
    let slug = format!("p-{number}");
    told(&caller.post(&format!("/api/v1/presets/{slug}/chat/completions"), &chat()).await, 200);
    slug
}

/// An organization, who is in it and what opens its things.
pub struct Estate {
    clock: Clock,
    pub account: AccountId,
    pub admin: Browser,
    pub member: Browser,
    pub manager: Caller,
    pub api: Caller,
    pub directory: Caller,
    domain: String,
    connection: String,
}

/// Two of them on one server, and people who belong nowhere.
pub struct Town {
    pub server: TestServer,
    pub home: Estate,
    pub away: Estate,
    pub nobody: Caller,
    pub stranger: Caller,
    pub revoked_manager: Caller,
    pub revoked_api: Caller,
    /// Whose session is over.
    pub ended: Caller,
    /// Who has not proven the address.
    pub unproven: Caller,
}

impl Town {
    pub async fn start() -> Self {
        let people = PeopleSettings { sign_up: SignUp::Open, ..PeopleSettings::default() };
        let address = |digit: &str| Address::read(&format!("0x{}", digit.repeat(40))).unwrap();
        let crypto = CryptoSettings {
            rpc_url: Secret::new(format!("http://{}", refused().await)),
            chain_id: 1,
            token: address("1"),
            recipient: address("2"),
            confirmations: 1,
        };
        let stripe = StripeSettings {
            base_url: format!("http://{}", refused().await),
            secret_key: Secret::new("sk_test".to_owned()),
            webhook_secrets: Vec::new(),
            success_url: "https://gate.example/done".to_owned(),
            cancel_url: "https://gate.example/back".to_owned(),
            automatic_tax: false,
        };
        let (stripe, crypto) = (Some(stripe), Some(crypto));
        let purchases = PurchaseSettings { stripe, crypto, ..PurchaseSettings::default() };
        let many = json!({"members": 1000});
        let row = json!({"free": many, "payg": many, "enterprise": many});
        let plans = Plans::default().with(&serde_json::from_value(row).unwrap()).unwrap();
        // Answers name the provider, by a name that the public reference has.
        let offer = Offer::new().provider("well", json!({"name": "OpenAI", "transport": "none"}));
        let offer = offer.model("acme/one", [Stand::new("well", "tokens-5")]);
        // One whose keys callers may bring along.
        let offer = offer.provider("openai", json!({"name": "OpenAI", "transport": "bearer"}));
        let offer = offer.model("acme/two", [Stand::new("openai", "tokens-5")]);
        let clock = Clock::manual(Timestamp::from_seconds(1_800_000_000));
        let setup = Setup { people, purchases, plans, clock: clock.clone(), ..Setup::default() };
        let server = TestServer::start_as(offer, setup).await;
        let home = Estate::found(&server, &clock, "home").await;
        let away = Estate::found(&server, &clock, "away").await;
        let nobody = server.caller().without("authorization");
        let switched_off = NewKey { management: true, disabled: true, ..NewKey::default() };
        let key = server.platform.create_key(&home.account, switched_off).await.unwrap().key;
        let revoked_manager = server.caller().with_key(&key);
        let (revoked_api, hash) = home.key(&server, false).await;
        told(&delete(&home.manager, &format!("/api/v1/keys/{hash}")).await, 200);
        let gone = person(&server, "gone@example.com", json!({})).await;
        told(&gone.send(http::Method::DELETE, "", Value::Null).await, 200);
        let mut unproven = Browser::new(&server, "unproven@example.com");
        told(&unproven.sign_up(json!({})).await, 202);
        unproven.sign_in().await;
        Self {
            unproven: unproven.caller,
            stranger: server.caller().with_key("sk-or-v1-unknown"),
            ended: gone.caller,
            nobody,
            revoked_manager,
            revoked_api,
            home,
            away,
            server,
        }
    }
}

impl Estate {
    async fn found(server: &TestServer, clock: &Clock, name: &str) -> Self {
        let admin = person(server, &format!("admin@{name}.example"), json!({})).await;
        let made = told(&admin.post("/organizations", json!({ "name": name })).await, 201);
        let account = AccountId::new(made["data"]["id"].as_str().unwrap());
        let context = json!({ "account_id": account });
        told(&admin.send(http::Method::PUT, "/context", context).await, 200);
        server.grant(&account, "50").await;
        let contract = Some(Some(Tier::Enterprise));
        let agreed = NewAgreement { contract, ..NewAgreement::default() };
        server.platform.agree(&account, agreed).await.unwrap();
        let enable = format!("/organizations/{account}/sso/enable");
        told(&admin.post(&enable, json!({})).await, 200);
        let keyless = server.caller().without("authorization");
        // The others keep their passwords.
        let domain = format!("sso.{name}.example");
        let connection = connect(server, &account, &domain, SsoStatus::Active).await;
        let mut estate = Self {
            clock: clock.clone(),
            member: admin.clone(),
            manager: keyless.clone(),
            directory: keyless.clone(),
            api: keyless,
            domain,
            connection,
            account,
            admin,
        };
        (estate.manager, _) = estate.key(server, true).await;
        (estate.api, _) = estate.key(server, false).await;
        let wish = json!({ "connection_id": estate.connection });
        let made = told(&estate.manager.post("/api/v1/scim/tokens", &wish).await, 201);
        estate.directory = estate.manager.with_key(made["token"].as_str().unwrap());
        estate.member = estate.joined(server, &format!("member@{name}.example")).await;
        let context = json!({ "account_id": estate.account });
        told(&estate.member.send(http::Method::PUT, "/context", context).await, 200);
        estate
    }

    async fn key(&self, server: &TestServer, management: bool) -> (Caller, String) {
        let wanted = NewKey { name: "k".to_owned(), management, ..NewKey::default() };
        let made = server.platform.create_key(&self.account, wanted).await.unwrap();
        (server.caller().with_key(&made.key), made.hash.to_string())
    }

    async fn invited(&self, email: &str) -> String {
        let path = format!("/organizations/{}/invitations", self.account);
        let wish = json!({"email": email, "role": "org:member"});
        let made = told(&self.admin.post(&path, wish).await, 201);
        made["data"]["id"].as_str().unwrap().to_owned()
    }

    async fn joined(&self, server: &TestServer, email: &str) -> Browser {
        // People who come all at once are too many for one address.
        self.clock.advance(Duration::from_secs(600));
        let browser = person(server, email, json!({})).await;
        self.invited(email).await;
        let token = mailed(server, email, "You are invited").await;
        told(&browser.post("/invitations/accept", json!({ "token": token })).await, 200);
        browser
    }

    fn by_admin(&self) -> By {
        let (account, actor) = (self.account.clone(), Actor::Operator("test".to_owned()));
        By { account, actor, address: None }
    }

    async fn posted(&self, path: &str, body: Value, member: &str) -> String {
        let reply = self.manager.post(&format!("/api/v1{path}"), &body).await;
        assert!([200, 201].contains(&reply.status), "{path}: {:?}", reply.json());
        reply.json()["data"][member].as_str().expect(member).to_owned()
    }

    /// A new preset in a workspace of this tenant's.
    pub async fn preset_in(&self, town: &Town, workspace: &str) -> String {
        let wish = json!({"name": "k", "workspace_id": workspace});
        let made = told(&self.manager.post("/api/v1/keys", &wish).await, 201);
        let caller = town.server.caller().with_key(made["key"].as_str().unwrap());
        preset(&caller, fresh()).await
    }

    /// Who the member is.
    pub async fn member_id(&self) -> String {
        let seen = told(&self.member.get("").await, 200);
        seen["data"]["user"]["id"].as_str().unwrap().to_owned()
    }

    /// A new thing that is the member's own, as far as it can be anybody's in particular.
    pub async fn make_own(&self, town: &Town, object: Object) -> String {
        match object {
            Object::Key => {
                let made = self.member.caller.post("/api/v1/keys", &json!({"name": "k"})).await;
                told(&made, 201)["data"]["hash"].as_str().unwrap().to_owned()
            }
            Object::User => self.member_id().await,
            Object::Workspace => {
                let workspace = self.make(town, object).await;
                let path = format!("/api/v1/workspaces/{workspace}/members/add");
                let people = json!({"user_ids": [self.member_id().await]});
                told(&self.manager.post(&path, &people).await, 200);
                workspace
            }
            _ => self.make(town, object).await,
        }
    }

    async fn provisioned(&self, path: &str, body: Value) -> String {
        let reply = self.directory.post(&format!("/scim/v2{path}"), &body).await;
        told(&reply, 201)["id"].as_str().unwrap().to_owned()
    }

    async fn mapped(&self, number: u64) -> String {
        let group = self.provisioned("/Groups", json!({"displayName": "g"})).await;
        let wish = json!({"name": "w", "slug": format!("m-{number}")});
        let workspace = self.posted("/workspaces", wish, "id").await;
        let wish = json!({"scim_group_id": group, "workspace_id": workspace, "role": "member"});
        self.posted("/scim/group-mappings", wish, "id").await
    }

    /// A new thing of this tenant's.
    pub async fn make(&self, town: &Town, object: Object) -> String {
        let (server, number) = (&town.server, fresh());
        match object {
            Object::Account => self.account.to_string(),
            Object::Connection => {
                let one = connection(format!("d{number}.example"), &self.account, self.clock.now());
                let (by, id) = (self.by_admin(), one.id.clone());
                server.platform.store().add_sso_connection(by, one).await.unwrap();
                id
            }
            Object::Identity => {
                let seen = told(&self.admin.get("").await, 200);
                let user = UserId::new(seen["data"]["user"]["id"].as_str().unwrap());
                let one = identity(format!("s{number}"), user, self.clock.now());
                let (by, id) = (self.by_admin(), one.id.clone());
                assert!(server.platform.store().add_identity(by, one).await.unwrap());
                id
            }
            Object::Generation => {
                let reply = self.api.chat(&chat()).await;
                told(&reply, 200)["id"].as_str().unwrap().to_owned()
            }
            Object::Guardrail => self.posted("/guardrails", json!({"name": "g"}), "id").await,
            Object::Invitation => self.invited(&format!("i{number}@example.com")).await,
            Object::Key => self.posted("/keys", json!({"name": "k"}), "hash").await,
            Object::ManagementKey => {
                let wish = json!({ "name": "k" });
                let made = told(&self.admin.post("/management-keys", wish).await, 201);
                made["data"]["hash"].as_str().unwrap().to_owned()
            }
            Object::Payment => {
                let payment = Payment {
                    id: format!("pay_{number}"),
                    account: self.account.clone(),
                    rail: Rail::Crypto,
                    status: Status::Open,
                    amount: Usd::from_nanos(20_000_000_000 + i64::try_from(number).unwrap()),
                    fee: Usd::ZERO,
                    tax: Usd::ZERO,
                    refunded: Usd::ZERO,
                    currency: "usdc".to_owned(),
                    automatic: false,
                    session_ref: None,
                    intent_ref: None,
                    failure: None,
                    receipt_url: None,
                    created_at: server.platform.store().clock().now(),
                    paid_at: None,
                };
                let id = payment.id.clone();
                server.platform.store().create_payment(self.by_admin(), payment).await.unwrap();
                id
            }
            Object::ProviderKey => {
                let wish = json!({"provider": "openai", "key": format!("sk-test-{number:020}")});
                self.posted("/byok", wish, "id").await
            }
            Object::Phrase => {
                let wish = json!({"phrase": format!("phrase {number}")});
                self.posted("/privacy/allowlist", wish, "id").await
            }
            Object::Preset => preset(&self.api, number).await,
            Object::ScimGroup => self.provisioned("/Groups", json!({"displayName": "g"})).await,
            Object::ScimMapping => self.mapped(number).await,
            Object::ScimToken => {
                let wish = json!({ "connection_id": self.connection });
                self.posted("/scim/tokens", wish, "id").await
            }
            Object::ScimUser => {
                let wish = json!({"userName": format!("u{number}@{}", self.domain)});
                self.provisioned("/Users", wish).await
            }
            Object::Session => {
                let mut again = Browser::new(server, &self.admin.email);
                again.sign_in().await["id"].as_str().unwrap().to_owned()
            }
            Object::TaxId => {
                let tax_id = TaxId {
                    id: format!("txid_{number}"),
                    account: self.account.clone(),
                    kind: "eu_vat".to_owned(),
                    value: format!("DE{number}"),
                    processor_ref: None,
                    created_at: Timestamp::from_seconds(1_800_000_000),
                };
                let id = tax_id.id.clone();
                server.platform.store().add_tax_id(self.by_admin(), tax_id).await.unwrap();
                id
            }
            Object::User => {
                let email = format!("m{number}@example.com");
                let browser = self.joined(server, &email).await;
                let seen = told(&browser.get("").await, 200);
                seen["data"]["user"]["id"].as_str().unwrap().to_owned()
            }
            Object::Workspace => {
                let wish = json!({"name": "w", "slug": format!("w-{number}")});
                let id = self.posted("/workspaces", wish, "id").await;
                let path = format!("/api/v1/workspaces/{id}/budgets/monthly");
                told(&put(&self.manager, &path, json!({"limit_usd": 5})).await, 200);
                id
            }
        }
    }
}

/// A connection of a proven domain, without an identity provider.
fn connection(domain: String, account: &AccountId, now: Timestamp) -> SsoConnection {
    SsoConnection {
        id: random_uuid(entropy::bytes()),
        account: account.clone(),
        domain,
        origin: SsoOrigin::SelfServe,
        status: SsoStatus::Pending,
        dns_token: "said".to_owned(),
        verified_at: Some(now),
        issuer: None,
        client_id: None,
        secret_version: None,
        tested_at: None,
        created_by: None,
        created_at: now,
        updated_at: now,
    }
}

fn identity(subject: String, user: UserId, now: Timestamp) -> IdentityRecord {
    IdentityRecord {
        id: random_uuid(entropy::bytes()),
        source: String::new(),
        issuer: "https://idp.example".to_owned(),
        subject,
        user,
        provider: "idp".to_owned(),
        email: None,
        created_at: now,
        used_at: now,
    }
}
