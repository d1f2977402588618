//! The management API on a whole server: what is changed, who may change it, what holds from then on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "management/reference.rs"]
mod reference;

#[path = "management/site.rs"]
mod site;

#[path = "management/keys.rs"]
mod keys;

#[path = "management/workspaces.rs"]
mod workspaces;

#[path = "management/browser.rs"]
mod browser;

#[path = "management/people.rs"]
mod people;

#[path = "management/second_factor.rs"]
mod second_factor;

#[path = "management/organizations.rs"]
mod organizations;

#[path = "management/idp.rs"]
mod idp;

#[path = "management/traveller.rs"]
mod traveller;

#[path = "management/elsewhere.rs"]
mod elsewhere;

#[path = "management/vouched.rs"]
mod vouched;

#[path = "management/sso.rs"]
mod sso;

#[path = "management/oauth_pkce.rs"]
mod oauth_pkce;

#[path = "management/guardrails.rs"]
mod guardrails;

#[path = "management/byok.rs"]
mod byok;

#[path = "management/byok_use.rs"]
mod byok_use;

#[path = "management/byok_probe.rs"]
mod byok_probe;

#[path = "management/cloud.rs"]
mod cloud;

#[path = "management/byok_signed.rs"]
mod byok_signed;

#[path = "management/byok_told.rs"]
mod byok_told;

#[path = "management/asked_twice.rs"]
mod asked_twice;

#[path = "management/presets.rs"]
mod presets;

#[path = "management/preset_use.rs"]
mod preset_use;

#[path = "management/allowlist.rs"]
mod allowlist;

#[path = "management/described.rs"]
mod described;

#[path = "management/openapi.rs"]
mod openapi;

#[path = "management/directory.rs"]
mod directory;

#[path = "management/scim.rs"]
mod scim;

#[path = "management/provisioning.rs"]
mod provisioning;

#[path = "management/rotation.rs"]
mod rotation;

#[path = "management/idor.rs"]
mod idor;

#[path = "management/workspace_defaults.rs"]
mod workspace_defaults;

#[path = "management/models_user.rs"]
mod models_user;

#[path = "management/callers.rs"]
mod callers;

#[path = "management/roles.rs"]
mod roles;

#[path = "management/escalation.rs"]
mod escalation;

#[path = "management/disguise.rs"]
mod disguise;

#[path = "management/canaries.rs"]
mod canaries;
