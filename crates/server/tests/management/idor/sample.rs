//! A request that a route would take, made of its description.

use std::sync::LazyLock;

use serde_json::{Value, json};
use signalbox_server::{Place, Route, Verb};

use crate::described::{document, method};

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// Members of bodies that end like ids and are none of a tenant's things.
pub const NO_IDS: [&str; 3] = ["session_id", "io_logging_api_key_ids", "client_id"];

/// One request.
#[derive(Debug)]
pub struct Sample {
    pub verb: Verb,
    pub path: String,
    pub body: Option<Value>,
    /// What its owner is answered.
    pub status: u16,
}

/// Where the description alone does not make a request that does something: members of the body, and
/// what the owner is told.
fn special(route: &Route) -> (Value, Option<u16>) {
    let (path, verb) = (route.path, route.verb);
    match (verb, path) {
        (Verb::Post, "/api/v1/byok") => {
            (json!({"provider": "openai", "key": "sk-test-0123456789abcdefghij"}), None)
        }
        (Verb::Post, "/api/v1/keys") => (json!({"creator_user_id": null}), None),
        // Nothing was paid, so nothing can go back; and what is paid in coins is claimed.
        (Verb::Post, "/api/v1/credits/purchases/{id}/reconcile") => (json!({}), Some(409)),
        (Verb::Post, "/api/v1/credits/purchases/{id}/refund") => (json!({}), Some(409)),
        (Verb::Post, "/api/v1/credits/crypto") => {
            (json!({"transaction": format!("0x{}", "1".repeat(64))}), Some(502))
        }
        // What was said is not kept.
        (Verb::Post, path) if path.starts_with("/api/v1/presets/") => {
            (json!({"model": "acme/one"}), None)
        }
        // To oneself.
        (Verb::Post, "/api/v1/credits/transfer") => (json!({"amount": 0.000001}), Some(400)),
        (Verb::Put, "/api/v1/workspaces/{id}/budgets/{interval}") => {
            (json!({"limit_usd": 5}), None)
        }
        (Verb::Post, "/api/v1/auth/keys/code" | "/api/v1/session/consent") => (
            json!({"callback_url": "https://app.example/done", "code_challenge_method": "S256",
                "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}),
            None,
        ),
        (Verb::Post, "/api/v1/session/organizations/{organization_id}/invitations") => {
            (json!({"email": "new@example.com", "role": "org:member"}), None)
        }
        (Verb::Post, "/api/v1/session/organizations/{organization_id}/sso/connections") => {
            (json!({"domain": "new.example"}), None)
        }
        // No identity provider is connected.
        (Verb::Post, path) if path.ends_with("/sso/connections/{connection_id}/test") => {
            (json!({}), Some(409))
        }
        (Verb::Put, "/scim/v2/Users/{user_id}") => (json!({"userName": "put"}), None),
        (Verb::Post | Verb::Put, "/scim/v2/Groups" | "/scim/v2/Groups/{group_id}") => {
            (json!({"displayName": "g"}), None)
        }
        (Verb::Patch, "/scim/v2/Users/{user_id}" | "/scim/v2/Groups/{group_id}") => {
            (json!({"Operations": []}), None)
        }
        _ => (json!({}), None),
    }
}

/// The schema of a route's body; null when it takes none.
pub fn schema(route: &Route) -> Value {
    let operation = &DOCUMENT["paths"][route.path][method(route)];
    let contents = operation["requestBody"]["content"].as_object();
    let content = contents.and_then(|contents| contents.values().next()).unwrap_or(&Value::Null);
    followed(&content["schema"]).clone()
}

fn followed(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str() {
        Some(path) => followed(DOCUMENT.pointer(&path[1..]).expect("what is referred to")),
        None => schema,
    }
}

/// The smallest value of a schema.
fn instance(schema: &'static Value) -> Value {
    let schema = followed(schema);
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().find(|value| !value.is_null()).cloned().unwrap_or(Value::Null);
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(first) = schema[several].as_array().and_then(|all| all.first()) {
            return instance(first);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").unwrap(),
        kind => kind,
    };
    match kind.as_str().unwrap_or("object") {
        "string" => match schema["format"].as_str() {
            Some("uuid") => json!("00000000-0000-4000-8000-000000000000"),
            Some("date-time") => json!("2030-01-01T00:00:00Z"),
            Some("uri") => json!("https://example.com/"),
            _ => json!("word"),
        },
        "number" | "integer" => json!(1),
        "boolean" => json!(true),
        "array" => json!([]),
        _ => {
            let mut object = json!({});
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap();
                object[name] = instance(&schema["properties"][name]);
            }
            object
        }
    }
}

impl Sample {
    /// A request that names these things, one for each that the route's row has.
    pub fn of(route: &Route, ids: &[String]) -> Self {
        let schema = schema(route);
        let schema: &'static Value = Box::leak(Box::new(schema));
        let (special, status) = special(route);
        let mut body = (!schema.is_null()).then(|| instance(schema));
        if let Some(body) = &mut body {
            body.as_object_mut().unwrap().extend(special.as_object().unwrap().clone());
        }
        let (mut path, mut query) = (route.path.replace("{interval}", "monthly"), String::new());
        path = path.replace("{version}", "1");
        for ((_, place), id) in route.objects.iter().zip(ids) {
            match place {
                Place::Path(name) => path = path.replace(&format!("{{{name}}}"), id),
                Place::Query(name) => query += &format!("&{name}={id}"),
                Place::Body(name) if name.contains('.') => {
                    let (list, member) = name.split_once('.').unwrap();
                    body.as_mut().expect("a body")[list] = json!([{ member: id }]);
                }
                Place::Body(name) => {
                    let kind = followed(&schema["properties"][*name])["type"].clone();
                    let many = kind == "array" || kind[0] == "array";
                    let value = if many { json!([id]) } else { json!(id) };
                    body.as_mut().expect("a body")[*name] = value;
                }
            }
        }
        for parameter in DOCUMENT["paths"][route.path][method(route)]["parameters"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let name = parameter["name"].as_str().unwrap_or_default();
            let named = route
                .objects
                .iter()
                .any(|(_, place)| matches!(place, Place::Query(one) if *one == name));
            if parameter["in"] == "query" && parameter["required"] == true && !named {
                let value = instance(&parameter["schema"]);
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                query += &format!("&{name}={value}");
            }
        }
        if !query.is_empty() {
            path += &query.replacen('&', "?", 1);
        }
        let operation = &DOCUMENT["paths"][route.path][method(route)];
        let usual = operation["responses"].as_object().unwrap().keys();
        let usual = usual.filter_map(|text| text.parse().ok()).find(|status| *status < 300);
        Self { verb: route.verb, path, body, status: status.or(usual).unwrap_or(200) }
    }
}
