//! What a directory can learn of this service (RFC 7643, sections 5 to 7; RFC 7644, section 4).

use serde_json::{Value, json};

use super::resource::{GROUP, USER};

/// Most resources in one answer.
pub const MOST_RESULTS: u32 = 100;
/// Longest body, in bytes.
pub const MAX_BODY: usize = 1_024 * 1_024;

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// A page of a list: `start` is the number of its first resource, from 1 on.
#[must_use]
pub fn list(resources: Vec<Value>, total: u64, start: u64) -> Value {
    json!({
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

/// What is supported; `base` is the address of the service, `docs` that of a page about it.
#[must_use]
pub fn configuration(base: &str) -> Value {
    let no = json!({ "supported": false });
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": MAX_BODY },
        "filter": { "supported": true, "maxResults": MOST_RESULTS },
        "changePassword": no,
        "sort": no,
        "etag": no,
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "The token of a connection, in the header Authorization",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base}/ServiceProviderConfig"),
        },
    })
}

fn resource_type(name: &str, description: &str, schema: &str, base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": name,
        "name": name,
        "description": description,
        "endpoint": format!("/{name}s"),
        "schema": schema,
        "schemaExtensions": [],
        "meta": {
            "resourceType": "ResourceType",
            "location": format!("{base}/ResourceTypes/{name}"),
        },
    })
}

/// The kinds of resources.
#[must_use]
pub fn resource_types(base: &str) -> Vec<Value> {
    vec![
        resource_type("User", "Somebody in the organization", USER, base),
        resource_type("Group", "People who are given the same", GROUP, base),
    ]
}

struct Kind {
    name: &'static str,
    kind: &'static str,
    required: bool,
    mutability: &'static str,
    uniqueness: &'static str,
}

const PLAIN: Kind =
    Kind { name: "", kind: "string", required: false, mutability: "readWrite", uniqueness: "none" };

fn attribute(kind: Kind, subs: Option<(bool, Vec<Value>)>) -> Value {
    let several = subs.as_ref().is_some_and(|(several, _)| *several);
    let mut seen = json!({
        "name": kind.name,
        "type": kind.kind,
        "multiValued": several,
        "description": kind.name,
        "required": kind.required,
        "mutability": kind.mutability,
        "returned": "default",
    });
    if let Value::Object(seen) = &mut seen {
        if kind.kind == "string" {
            seen.insert("caseExact".to_owned(), json!(kind.name == "externalId"));
            seen.insert("uniqueness".to_owned(), json!(kind.uniqueness));
        }
        if kind.kind == "reference" {
            seen.insert("caseExact".to_owned(), json!(true));
            seen.insert("referenceTypes".to_owned(), json!(["User"]));
        }
        if let Some((_, subs)) = subs {
            seen.insert("subAttributes".to_owned(), json!(subs));
        }
    }
    seen
}

fn plain(name: &'static str) -> Value {
    attribute(Kind { name, ..PLAIN }, None)
}

fn schema(id: &str, name: &str, attributes: &[Value], base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": id,
        "name": name,
        "description": name,
        "attributes": attributes,
        "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{id}") },
    })
}

/// The attributes that are kept.
#[must_use]
pub fn schemas(base: &str) -> Vec<Value> {
    let name = ["formatted", "familyName", "givenName"].map(plain).to_vec();
    let primary = Kind { name: "primary", kind: "boolean", ..PLAIN };
    let email = vec![plain("value"), plain("type"), attribute(primary, None)];
    let fixed = |name, kind| attribute(Kind { name, kind, mutability: "immutable", ..PLAIN }, None);
    let member = vec![
        fixed("value", "string"),
        fixed("$ref", "reference"),
        fixed("type", "string"),
        attribute(Kind { name: "display", mutability: "readOnly", ..PLAIN }, None),
    ];
    let user_name = Kind { name: "userName", required: true, uniqueness: "server", ..PLAIN };
    let complex = |name| Kind { name, kind: "complex", ..PLAIN };
    let user = [
        attribute(user_name, None),
        attribute(complex("name"), Some((false, name))),
        plain("displayName"),
        attribute(complex("emails"), Some((true, email))),
        attribute(Kind { name: "active", kind: "boolean", ..PLAIN }, None),
        plain("externalId"),
    ];
    let group = [
        attribute(Kind { name: "displayName", required: true, ..PLAIN }, None),
        attribute(complex("members"), Some((true, member))),
        plain("externalId"),
    ];
    vec![schema(USER, "User", &user, base), schema(GROUP, "Group", &group, base)]
}
