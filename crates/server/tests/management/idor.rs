//! Nobody reaches what is another tenant's (reliability design, test 16, `sec::idor_matrix`).
//!
//! The rows are the register of routes: each that names a thing of a tenant is called by its owner, and
//! as every other kind of caller. A route without a row can't be: there is no list here that it could
//! be missing from.

#[path = "idor/estate.rs"]
pub mod estate;
#[path = "idor/sample.rs"]
pub mod sample;

use bytes::Bytes;
use http::Method;
use serde_json::Value;
use signalbox_server::{Credential, Members, Object, Place, Route, Verb, routes};
use signalbox_testkit::{Caller, Reply};

use crate::described::{document, method, published};
use crate::reference::conforms;
use estate::{Estate, Town};
use sample::Sample;

/// Things that a request names without touching them: whoever is given something need not be one's own,
/// and the name that a preset is saved under is one of the caller's own workspace.
fn is_recipient(route: &Route, object: Object, place: Place) -> bool {
    let transfer = route.path == "/api/v1/credits/transfer"
        && object == Object::Account
        && place == Place::Body("account_id");
    transfer || object == Object::Preset && route.verb == Verb::Post
}

async fn send(caller: &Caller, sample: &Sample) -> Reply {
    let method = sample.verb.method();
    let body = match (&sample.body, &method) {
        (None, _) | (_, &Method::GET) => Bytes::new(),
        (Some(body), _) => body.to_string().into(),
    };
    caller.send(method, &sample.path, body).await
}

/// What an answer says, whichever the ids that were asked for.
fn said(reply: &Reply, ids: &[String]) -> (u16, String) {
    let mut text = String::from_utf8_lossy(&reply.body).into_owned();
    for id in ids {
        text = text.replace(id.as_str(), "<id>");
    }
    (reply.status, text)
}

fn shown(route: &Route) -> String {
    format!("{:?} {}", route.verb, route.path)
}

/// Whose things a request names.
#[derive(Clone, Copy)]
enum Whose<'e> {
    /// A tenant's, made by whoever manages it.
    Tenant(&'e Estate),
    /// Those that are the own things of the tenant's member.
    Member(&'e Estate),
    /// Nobody's.
    Nobody,
}

impl Whose<'_> {
    async fn one(self, town: &Town, object: Object) -> String {
        match self {
            Self::Tenant(estate) => estate.make(town, object).await,
            Self::Member(estate) => estate.make_own(town, object).await,
            Self::Nobody => estate::nobodys(object),
        }
    }

    /// What a route names, all of it together.
    async fn all(self, town: &Town, route: &Route) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for (object, _) in route.objects {
            ids.push(match (self, object, ids.last()) {
                (Self::Tenant(estate) | Self::Member(estate), Object::Preset, Some(workspace)) => {
                    estate.preset_in(town, workspace).await
                }
                _ => self.one(town, *object).await,
            });
        }
        ids
    }
}

/// A caller of an estate that holds a credential of a route, and whose things it opens.
struct Holder<'e> {
    who: &'static str,
    caller: &'e Caller,
    own: Whose<'e>,
}

/// The callers of an estate that hold a credential of a route, best first: what the register says.
fn holders<'e>(estate: &'e Estate, route: &Route) -> Vec<Holder<'e>> {
    let own = Whose::Tenant(estate);
    let manager = Holder { who: "management key", caller: &estate.manager, own };
    let api = Holder { who: "API key", caller: &estate.api, own };
    let admin = Holder { who: "admin", caller: &estate.admin.caller, own };
    let own = match route.members {
        Members::Own => Whose::Member(estate),
        Members::Everything | Members::Nothing => own,
    };
    let member = Holder { who: "member", caller: &estate.member.caller, own };
    let may = route.members != Members::Nothing;
    let member = (may || route.credential == Credential::Session).then_some(member);
    match route.credential {
        Credential::Management => [manager, admin].into_iter().chain(member).collect(),
        Credential::Inference => vec![api],
        Credential::InferenceOrSession => [api, admin].into_iter().chain(member).collect(),
        Credential::Any => vec![manager, api],
        Credential::Session => [admin].into_iter().chain(member).collect(),
        Credential::Directory => {
            vec![Holder { who: "directory", caller: &estate.directory, own: Whose::Tenant(estate) }]
        }
        Credential::None | Credential::Optional | Credential::Signature => vec![],
    }
}

/// Callers who hold nothing that opens a route, and what they are told.
fn outsiders<'e>(town: &'e Town, route: &Route) -> Vec<(&'static str, &'e Caller, u16)> {
    let home = &town.home;
    let mut all = vec![("nobody", &town.nobody, 401), ("stranger", &town.stranger, 401)];
    let (admin, member) = (&home.admin.caller, &home.member.caller);
    let unproven = (!matches!(route.verb, Verb::Get)).then_some(&town.unproven);
    match route.credential {
        Credential::Management => all.extend([
            ("API key", &home.api, 403),
            ("revoked management key", &town.revoked_manager, 401),
            ("ended session", &town.ended, 401),
        ]),
        Credential::InferenceOrSession => all.extend([
            ("management key", &home.manager, 403),
            ("revoked API key", &town.revoked_api, 401),
            ("ended session", &town.ended, 401),
        ]),
        Credential::Inference => all.extend([
            ("management key", &home.manager, 403),
            ("revoked API key", &town.revoked_api, 401),
            ("admin's session", admin, 401),
        ]),
        Credential::Any => all.extend([
            ("revoked API key", &town.revoked_api, 401),
            ("revoked management key", &town.revoked_manager, 401),
            ("admin's session", admin, 401),
        ]),
        Credential::Session => all.extend([
            ("management key", &home.manager, 401),
            ("API key", &home.api, 401),
            ("ended session", &town.ended, 401),
        ]),
        Credential::Directory => all.extend([
            ("management key", &home.manager, 401),
            ("API key", &home.api, 401),
            ("admin's session", admin, 401),
        ]),
        Credential::None | Credential::Optional | Credential::Signature => {}
    }
    if matches!(route.credential, Credential::Management | Credential::InferenceOrSession) {
        all.extend(unproven.map(|caller| ("session of an unproven address", caller, 403)));
        if route.members == Members::Nothing {
            all.push(("member's session", member, 403));
        }
    }
    all
}

/// Everything of the caller's own but one thing, which is somebody else's, or nobody's.
async fn crossed(
    town: &Town,
    route: &Route,
    holder: &Holder<'_>,
    at: usize,
    theirs: Whose<'_>,
) -> [(u16, String); 2] {
    let mut said_of = Vec::new();
    let (object, _) = route.objects[at];
    for whose in [theirs, Whose::Nobody] {
        let mut ids = Vec::new();
        for (index, (object, _)) in route.objects.iter().enumerate() {
            ids.push(if index == at { whose } else { holder.own }.one(town, *object).await);
        }
        let sample = Sample::of(route, &ids);
        let reply = send(holder.caller, &sample).await;
        let answer = said(&reply, &ids);
        // To remove what is not there is no error, and removes nothing.
        let nothing = route.path.ends_with("/remove") && answer.1.contains("_count\":0}");
        let done = (200..300).contains(&answer.0);
        assert!(!done || nothing, "{}: {object:?}: {answer:?}", shown(route));
        said_of.push(answer);
    }
    said_of.try_into().unwrap()
}

/// Whoever holds a credential reaches what is theirs; a member who may nothing was refused before, for
/// the same things, and that changed nothing.
async fn owner_reaches(town: &Town, route: &Route) -> usize {
    let all = holders(&town.home, route);
    let keys = route.credential == Credential::Any || route.credential == Credential::Session;
    // Of a key's two kinds one is enough, and of people what only admins may is tested elsewhere.
    let most = if keys { 1 } else { all.len() };
    for holder in all.iter().take(most) {
        let ids = holder.own.all(town, route).await;
        let (sample, who) = (Sample::of(route, &ids), holder.who);
        if who == "admin" && route.members == Members::Nothing {
            let refused = send(&town.home.member.caller, &sample).await;
            let may = route.credential == Credential::Session || refused.status == 403;
            assert!(may, "{} as a member: {}", shown(route), refused.status);
        }
        let reply = send(holder.caller, &sample).await;
        let text = String::from_utf8_lossy(&reply.body);
        let row = shown(route);
        assert_eq!(reply.status, sample.status, "{row} as {who} with {:?}: {text}", sample.body);
        if (200..300).contains(&reply.status) && reply.header("content-type").is_some() {
            // What directories are told has a form of its own.
            let Some(path) = route.path.strip_prefix("/api/v1") else { continue };
            let path =
                if published(route).is_some() { route.shape.like.unwrap_or(path) } else { path };
            conforms(&method(route), path, reply.status, &reply.json());
        }
    }
    most
}

/// The rows of one kind of credential, so that they run beside each other.
async fn sweep(wanted: &[Credential]) -> usize {
    let town = Town::start().await;
    let mut cells = 0;
    for route in routes().filter(|one| wanted.contains(&one.credential) && !one.objects.is_empty())
    {
        cells += owner_reaches(&town, route).await;
        let sample = Sample::of(route, &Whose::Nobody.all(&town, route).await);
        for (who, caller, status) in outsiders(&town, route) {
            let reply = send(caller, &sample).await;
            assert_eq!(reply.status, status, "{} as {who}", shown(route));
            cells += 1;
        }
        for (at, (object, place)) in route.objects.iter().enumerate() {
            if is_recipient(route, *object, *place) {
                continue;
            }
            for holder in holders(&town.away, route) {
                // Another tenant's; and of a member also what is somebody else's in the same tenant.
                let mut strangers = vec![Whose::Tenant(&town.home)];
                if matches!(holder.own, Whose::Member(_)) {
                    strangers.push(Whose::Tenant(&town.away));
                }
                for theirs in strangers {
                    let [theirs, nobodys] = crossed(&town, route, &holder, at, theirs).await;
                    assert_eq!(theirs, nobodys, "{} as {}: {object:?}", shown(route), holder.who);
                    cells += 1;
                }
            }
        }
    }
    town.server.audit().await;
    cells
}

#[tokio::test]
async fn what_whoever_manages_names_is_their_accounts_own() {
    let cells = sweep(&[Credential::Management]).await;
    assert!(cells >= 200, "{cells}");
}

#[tokio::test]
async fn what_people_name_is_their_own() {
    let cells = sweep(&[Credential::Session]).await;
    assert!(cells >= 60, "{cells}");
}

#[tokio::test]
async fn what_api_keys_name_is_their_accounts_own() {
    let cells =
        sweep(&[Credential::Inference, Credential::InferenceOrSession, Credential::Any]).await;
    assert!(cells >= 8, "{cells}");
}

#[tokio::test]
async fn what_directories_name_is_their_connections_own() {
    let cells = sweep(&[Credential::Directory]).await;
    assert!(cells >= 60, "{cells}");
}

/// A member reaches nothing that only admins may change.
#[tokio::test]
async fn members_change_nothing_of_their_organization() {
    let town = Town::start().await;
    let mut rows = 0;
    for route in routes().filter(|route| {
        let of_the_organization = |one: &(Object, Place)| {
            matches!(one, (Object::Account | Object::ManagementKey, Place::Path(_)))
        };
        route.credential == Credential::Session
            && route.objects.first().is_some_and(of_the_organization)
            && route.verb != Verb::Get
    }) {
        let mut ids = Vec::new();
        for (object, _) in route.objects {
            ids.push(town.home.make(&town, *object).await);
        }
        let reply = send(&town.home.member.caller, &Sample::of(route, &ids)).await;
        assert!([403, 404].contains(&reply.status), "{}: {}", shown(route), reply.status);
        rows += 1;
    }
    assert!(rows >= 4, "{rows}");
}

/// Every route of the register is in the description, and every operation with an id is in the matrix.
#[test]
fn the_matrix_has_every_route_that_names_something() {
    let whole = document();
    for route in routes().filter(|route| route.is_api) {
        let operation = &whole["paths"][route.path][method(route)];
        assert!(operation.is_object(), "{} is not described", shown(route));
        let names = |place: &str| -> Vec<&Value> {
            let all = operation["parameters"].as_array();
            all.into_iter().flatten().filter(|one| one["in"] == place).collect()
        };
        let tenants = !matches!(
            route.credential,
            Credential::None | Credential::Optional | Credential::Signature
        );
        for parameter in names("query") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let named = route.objects.iter().any(|(_, place)| *place == Place::Query(leak(name)));
            let is_id = name == "id" || name.ends_with("_id") || name.ends_with("_hash");
            assert!(!tenants || !is_id || named, "{}: ?{name} is not in its row", shown(route));
        }
        let body = sample::schema(route);
        for name in body["properties"].as_object().into_iter().flat_map(|all| all.keys()) {
            let is_id = ["_id", "_ids", "_hash", "_hashes"].iter().any(|end| name.ends_with(end));
            let named = route.objects.iter().any(|(_, place)| *place == Place::Body(leak(name)));
            let saved = route.objects.iter().any(|(object, _)| *object == Object::Preset);
            let free = sample::NO_IDS.contains(&name.as_str()) || route.reaches_provider || saved;
            assert!(
                !tenants || !is_id || named || free,
                "{}: {name} is not in its row",
                shown(route)
            );
        }
    }
}

fn leak(name: &str) -> &'static str {
    Box::leak(name.to_owned().into_boxed_str())
}
