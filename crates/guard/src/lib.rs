//! Floor 1: guardrails. Rows in, one [`Policy`] out: what account, workspace, member and key permit
//! together, and a [`Screen`] that scans the texts of a request. Pure: texts are given as `&str`, and
//! what is to change comes back as spans.
//!
//! The rules are platform spec 7; the names of patterns are those of 7.7, the patterns are ours.

pub mod allowlist;
pub mod entity;
pub mod injection;
pub mod pattern;
pub mod policy;
pub mod row;
pub mod screen;

mod tokens;

pub use allowlist::{Allowlist, AllowlistError};
pub use pattern::{Pattern, PatternError};
pub use policy::{Layer, Policy, PolicyError, Restrictions, Scope, Source, ZdrGroups};
pub use row::{Action, Builtin, BuiltinFilter, CustomFilter, Guardrail, ScanScope, Unavailable};
pub use screen::{Detection, Found, Named, Redaction, Sample, Screen, Stage};
