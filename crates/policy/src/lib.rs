//! Decisions, all of them pure: which endpoints may answer a request, in which order they are
//! tried, what follows from a failure, and how each of these is explained.
//!
//! Start at [`plan::plan`]; the rules are in [`rule`], one file each.

pub mod account;
pub mod attempt;
pub mod explain;
pub mod health;
pub mod note;
pub mod pattern;
pub mod place;
pub mod plan;
pub mod preferences;
pub mod rank;
pub mod requirements;
pub mod router;
pub mod rule;
pub mod slug;
pub mod tool_check;

pub use account::{AccountPolicy, ByokKey};
pub use attempt::{Attempts, Failure, RetryBudget};
pub use health::{Health, HealthBoard};
pub use note::Note;
pub use place::Place;
pub use plan::{Candidate, Plan, Verdict, plan};
pub use preferences::ProviderPreferences;
pub use requirements::{Content, Requirements, Tier, TierWish, Wanted};
