//! A card processor: customers, pages, payments, refunds, tax numbers. It remembers idempotency keys
//! as the real one does, and fails as it is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::http::{self, Asked};

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An answer with this status, nothing done.
    Status(u16),
    /// It is done, and the connection breaks before the answer.
    Lost,
    /// The bank declines.
    Declined,
}

/// One call as it came.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub fields: HashMap<String, String>,
    pub key: Option<String>,
    pub headers: hyper::HeaderMap,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    remembered: HashMap<String, (u16, String)>,
    things: HashMap<String, Value>,
    faults: Vec<(String, Fault)>,
    next: usize,
}

/// The processor. Clones are the same one.
#[derive(Clone, Default)]
pub struct Peer {
    state: Arc<Mutex<State>>,
}

impl Peer {
    /// Starts it; answers its address too.
    pub async fn start() -> (Self, String) {
        let peer = Self::default();
        let inner = peer.clone();
        let handler = move |asked: Asked| {
            let peer = inner.clone();
            async move { peer.answer(asked) }
        };
        let address = http::serve(handler).await;
        (peer, address)
    }

    /// The next call of `POST path` goes wrong.
    pub fn fail_next(&self, path: &str, fault: Fault) {
        self.state.lock().unwrap().faults.push((path.to_owned(), fault));
    }

    /// Forgets idempotency keys, as after a day.
    pub fn forget_keys(&self) {
        self.state.lock().unwrap().remembered.clear();
    }

    /// The calls of a method and a beginning of a path.
    pub fn calls(&self, method: &str, path: &str) -> Vec<Call> {
        let state = self.state.lock().unwrap();
        let wanted = |call: &&Call| call.method == method && call.path.starts_with(path);
        state.calls.iter().filter(wanted).cloned().collect()
    }

    /// Everything with ids of this beginning.
    pub fn things(&self, prefix: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        let mut found: Vec<_> =
            state.things.iter().filter(|(id, _)| id.starts_with(prefix)).collect();
        found.sort_by_key(|(id, _)| id.to_string());
        found.into_iter().map(|(_, thing)| thing.clone()).collect()
    }

    /// Changes a thing.
    pub fn change(&self, id: &str, change: impl FnOnce(&mut Value)) {
        change(self.state.lock().unwrap().things.get_mut(id).unwrap());
    }

    /// Adds a thing with an id of its own.
    pub fn add(&self, thing: Value) {
        let id = thing["id"].as_str().unwrap().to_owned();
        self.state.lock().unwrap().things.insert(id, thing);
    }

    fn answer(&self, asked: Asked) -> Option<(u16, String)> {
        let mut state = self.state.lock().unwrap();
        let key = asked.headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
        let fields: HashMap<_, _> = http::form(&asked.body).into_iter().collect();
        let path = asked.path.split('?').next().unwrap().to_owned();
        state.calls.push(Call {
            method: asked.method.clone(),
            path: asked.path.clone(),
            fields: fields.clone(),
            key: key.clone(),
            headers: asked.headers,
        });
        if asked.method == "GET" {
            return Some(state.get(&asked.path));
        }
        if asked.method == "DELETE" {
            let id = path.rsplit('/').next().unwrap();
            let status = if state.things.remove(id).is_some() { 200 } else { 404 };
            return Some((status, "{}".to_owned()));
        }
        let key = key.expect("every POST carries an idempotency key");
        let fault = state.faults.iter().position(|(at, _)| *at == path);
        let fault = fault.map(|at| state.faults.remove(at).1);
        if let Some(Fault::Status(status)) = fault {
            return Some((status, r#"{"error":{"code":"scripted"}}"#.to_owned()));
        }
        if !state.remembered.contains_key(&key) {
            let done = match fault {
                Some(Fault::Declined) => state.declined(&fields),
                _ => (200, state.make(&path, &fields).to_string()),
            };
            state.remembered.insert(key.clone(), done);
        }
        (fault != Some(Fault::Lost)).then(|| state.remembered[&key].clone())
    }
}

impl State {
    fn id(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}_{:04}", self.next)
    }

    fn get(&self, path: &str) -> (u16, String) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let last = path.rsplit('/').next().unwrap();
        if let Some(found) = self.things.get(last) {
            return (200, found.to_string());
        }
        let prefix = match last {
            "payment_intents" => "pi",
            "refunds" => "re",
            "invoices" => "in",
            _ => return (404, r#"{"error":{"code":"resource_missing"}}"#.to_owned()),
        };
        let (name, value) = query.split('&').next().unwrap().split_once('=').unwrap();
        let list: Vec<_> = self
            .things
            .iter()
            .filter(|(id, thing)| id.starts_with(prefix) && thing[name] == http::decoded(value))
            .map(|(_, thing)| thing.clone())
            .collect();
        (200, json!({"object": "list", "data": list}).to_string())
    }

    fn declined(&mut self, fields: &HashMap<String, String>) -> (u16, String) {
        let id = self.id("pi");
        let intent = json!({"id": id, "status": "requires_payment_method", "amount": 0,
            "customer": fields["customer"], "metadata": {"payment": fields["metadata[payment]"]}});
        self.things.insert(id, intent.clone());
        let error = json!({"type": "card_error", "code": "card_declined",
            "decline_code": "insufficient_funds", "message": "Your card has insufficient funds.",
            "payment_intent": intent});
        (402, json!({"error": error}).to_string())
    }

    fn make(&mut self, path: &str, fields: &HashMap<String, String>) -> Value {
        let number = |name: &str| fields[name].parse::<i64>().unwrap();
        let (prefix, mut thing) = match path.rsplit('/').next().unwrap() {
            "customers" => ("cus", json!({"email": fields["email"]})),
            "sessions" => {
                let items = (0..2).map(|at| format!("line_items[{at}][price_data][unit_amount]"));
                let total: i64 =
                    items.filter(|name| fields.contains_key(name)).map(|name| number(&name)).sum();
                let session = json!({"status": "open", "payment_status": "unpaid",
                    "amount_total": total, "currency": "usd", "payment_intent": null,
                    "total_details": {"amount_tax": 0},
                    "metadata": {"payment": fields["metadata[payment]"]}});
                ("cs", session)
            }
            "payment_intents" => {
                let by = fields["metadata[by]"].clone();
                let metadata = json!({"payment": fields["metadata[payment]"], "by": by});
                let amount = number("amount");
                let intent = json!({"status": "succeeded", "amount": amount, "currency": "usd",
                    "amount_received": amount, "customer": fields["customer"],
                    "payment_method": fields["payment_method"], "metadata": metadata});
                ("pi", intent)
            }
            "refunds" => {
                let refund = json!({"status": "succeeded", "amount": number("amount"),
                    "currency": "usd", "payment_intent": fields["payment_intent"],
                    "metadata": {"refund": fields["metadata[refund]"]}});
                ("re", refund)
            }
            "tax_ids" => ("txi", json!({"type": fields["type"], "value": fields["value"]})),
            other => panic!("no such path: {other}"),
        };
        let id = self.id(prefix);
        thing["id"] = json!(id);
        if prefix == "cs" {
            thing["url"] = json!(format!("https://pay.example/{id}"));
        }
        self.things.insert(id, thing.clone());
        thing
    }
}
