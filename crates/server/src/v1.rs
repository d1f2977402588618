//! The platform's JSON routes under `/api/v1`.

pub(crate) mod account;
pub(crate) mod allowlist;
pub(crate) mod auth;
pub(crate) mod byok;
pub(crate) mod credits;
pub(crate) mod guardrails;
pub(crate) mod keys;
pub(crate) mod management_keys;
pub(crate) mod models;
pub(crate) mod openapi;
pub(crate) mod organizations;
pub(crate) mod presets;
pub(crate) mod providers;
pub(crate) mod purchases;
pub(crate) mod routing;
pub(crate) mod scim;
pub(crate) mod session;
pub(crate) mod sign_in;
pub(crate) mod sso;
pub(crate) mod workspaces;
