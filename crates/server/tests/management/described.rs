//! The description of our own API: made of the register of routes, and of the public reference for
//! the routes that are in it.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use signalbox_server::{Answer, Credential, Form, Object, Place, Route, routes};

use crate::reference::REFERENCE;

const BASE: &str = "/api/v1";
/// What any route answers that does not do what it was asked for.
const PROBLEM: &str = "#/components/schemas/Problem";

/// The operation of the public reference that a route is, or is another name for.
pub fn published(route: &Route) -> Option<&'static Value> {
    let path = route.shape.like.or_else(|| route.path.strip_prefix(BASE))?;
    REFERENCE["paths"].get(path)?.get(method(route))
}

pub fn method(route: &Route) -> String {
    route.verb.method().as_str().to_lowercase()
}

/// A name for generated clients: the verb, and the words of the path.
fn operation_id(route: &Route) -> String {
    let words = route.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    let words = words.filter(|word| !matches!(*word, "api" | "v1"));
    let big = |word: &str| word[..1].to_uppercase() + &word[1..];
    method(route) + &words.map(big).collect::<String>()
}

fn security(route: &Route) -> Value {
    let (api, management, session) =
        (json!({"apiKey": []}), json!({"managementKey": []}), json!({"session": []}));
    match route.credential {
        Credential::None | Credential::Signature => json!([]),
        Credential::Optional => json!([{}, api]),
        Credential::Any => json!([api, management]),
        Credential::Inference => json!([api]),
        Credential::InferenceOrSession => json!([api, session]),
        Credential::Management => json!([management, session]),
        Credential::Session => json!([session]),
        Credential::Directory => json!([{"directoryToken": []}]),
    }
}

/// The generator of schemas, which collects those that have a name.
struct Forms(SchemaGenerator);

impl Forms {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self(settings.into_generator())
    }

    fn of(&mut self, form: Form) -> Value {
        form(&mut self.0).to_value()
    }

    /// The same, with what it refers to in its place.
    fn whole(&mut self, form: Form) -> Value {
        let schema = self.of(form);
        match schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            Some(name) => self.0.definitions()[name].clone(),
            None => schema,
        }
    }
}

/// What a parameter of the path is: the id of something, or a word.
fn parameter(route: &Route, name: &str) -> Value {
    let named = |(_, place): &&(Object, Place)| *place == Place::Path(leak(name));
    let object = route.objects.iter().find(named).map(|(object, _)| format!("{object:?}"));
    let description = object.map(|object| format!("The id of the {}.", object.to_lowercase()));
    let mut parameter =
        json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
    if let Some(description) = description {
        parameter["description"] = description.into();
    }
    parameter
}

fn leak(name: &str) -> &'static str {
    Box::leak(name.to_owned().into_boxed_str())
}

fn parameters(route: &Route, forms: &mut Forms) -> Vec<Value> {
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{'));
    let names = names.filter_map(|part| part.strip_suffix('}'));
    let mut all: Vec<Value> = names.map(|name| parameter(route, name)).collect();
    let Some(query) = route.shape.query else { return all };
    let query = forms.whole(query);
    let required = query["required"].as_array().cloned().unwrap_or_default();
    for (name, schema) in query["properties"].as_object().cloned().unwrap_or_default() {
        let required = required.contains(&json!(name));
        all.push(json!({"name": name, "in": "query", "required": required, "schema": schema}));
    }
    all
}

/// What a route is that the reference does not have. Panics when its row does not say.
fn own(route: &Route, forms: &mut Forms) -> Value {
    let (path, method) = (route.path, method(route));
    let (status, answer) = route.shape.answer.unwrap_or_else(|| {
        panic!("{method} {path} is not in the public reference: its row has to say .gives::<T>(..)")
    });
    let content = match answer {
        Answer::Json(form) => json!({"application/json": {"schema": forms.of(form)}}),
        Answer::Elsewhere => json!({}),
        Answer::Bytes(media_type) => json!({media_type: {"schema": {"type": "string"}}}),
        Answer::Nothing => json!({}),
    };
    let mut operation = json!({"responses": {
        status.to_string(): {"description": "Done", "content": content},
        "default": {
            "description": "Why not",
            "content": {"application/json": {"schema": {"$ref": PROBLEM}}},
        },
    }});
    let parameters = parameters(route, forms);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(form) = route.shape.body {
        let content = json!({"application/json": {"schema": forms.of(form)}});
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    operation
}

fn schemes() -> Value {
    let bearer = |what: &str| json!({"type": "http", "scheme": "bearer", "description": what});
    json!({
        "apiKey": bearer("An API key"),
        "managementKey": bearer("A management key, which can't call models"),
        "directoryToken": bearer("The token of a directory that provisions an organization"),
        "session": {"type": "apiKey", "in": "cookie", "name": "signalbox_session"},
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "integer", "description": "The HTTP status"},
                "message": {"type": "string"},
                "metadata": {"type": "object"},
            },
        }},
    })
}

/// The names of components that a description refers to, and those to which these do.
fn referred(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(path)) = members.get("$ref") {
                found.push(path.clone());
            }
            members.values().for_each(|one| referred(one, found));
        }
        Value::Array(items) => items.iter().for_each(|one| referred(one, found)),
        _ => {}
    }
}

/// Keeps the components of the reference that the paths need.
fn keep(paths: &Value, own: Map<String, Value>) -> Value {
    let (mut kept, mut open) = (json!({}), Vec::new());
    referred(paths, &mut open);
    for (name, schema) in own {
        referred(&schema, &mut open);
        let clash = REFERENCE["components"]["schemas"].get(&name);
        assert!(clash.is_none(), "the reference has a schema {name} of its own");
        kept["schemas"][name] = schema;
    }
    while let Some(path) = open.pop() {
        let [_, _, kind, name] = path.split('/').collect::<Vec<_>>()[..] else { panic!("{path}") };
        if kept.get(kind).is_some_and(|kept| kept.get(name).is_some()) {
            continue;
        }
        let component = &REFERENCE["components"][kind][name];
        assert!(!component.is_null(), "{path} is nowhere");
        referred(component, &mut open);
        kept[kind][name] = component.clone();
    }
    kept
}

/// Our API as an OpenAPI 3.1 document.
pub fn document() -> Value {
    let mut forms = Forms::new();
    let mut paths = json!({});
    for route in routes().filter(|route| route.is_api) {
        let mut operation = match published(route) {
            Some(operation) => operation.clone(),
            None => own(route, &mut forms),
        };
        if published(route).is_none() || route.shape.like.is_some() {
            operation["operationId"] = operation_id(route).into();
        }
        operation["security"] = security(route);
        paths[route.path][method(route)] = operation;
    }
    let mut own: Map<String, Value> = forms.0.take_definitions(true).into_iter().collect();
    own.insert("Problem".to_owned(), problem());
    let mut components = keep(&paths, own);
    components["securitySchemes"] = schemes();
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Signalbox", "version": "1"},
        "paths": paths,
        "components": components,
    })
}
