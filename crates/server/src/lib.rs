//! HTTP in: routes, credentials, error shapes, event streams out.

mod admission;
mod app;
mod credential;
mod error;
mod inference;
mod listen;
mod manage;
mod once;
mod own_keys;
mod proxies;
mod region;
mod route;
mod router;
mod scim;
mod session;
mod short_body;
mod v1;
mod web;
mod webhooks;

pub use app::App;
pub use listen::{Listening, serve};
pub use own_keys::own_keys;
pub use proxies::{Proxies, ProxyHeader};
pub use route::{
    Again, Answer, Credential, Form, Members, Object, Place, Route, Shape, Verb, routes,
};
