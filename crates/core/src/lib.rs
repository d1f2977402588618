//! Floor 0: the words that every other crate uses.
//!
//! Ids, money, time, usage, prices, errors and the numeric limits, all of them plain values. Nothing
//! here does IO, reads a clock or draws a random number.

pub mod attribution;
mod decimal;
pub mod discount;
pub mod error;
pub mod id;
pub mod limits;
pub mod map;
pub mod moderation;
pub mod money;
pub mod parameter;
pub mod plan;
pub mod price;
pub mod rate;
mod schema;
pub mod secret;
pub mod time;
pub mod timeouts;
pub mod usage;

pub use discount::Discount;
pub use error::{ApiError, Availability, AvailabilityCode, Constraint, ErrorKind};
pub use map::{FastMap, FastSet};
pub use moderation::Flagged;
pub use money::Usd;
pub use parameter::{Parameter, ParameterSet};
pub use plan::{ByokFree, FreeLimits, Frozen, Plan, PlanTerms, Plans, PlansRow, Standing, Tier};
pub use price::{PriceKind, PriceOverride, PriceTable, Rates};
pub use rate::Rate;
pub use secret::Secret;
pub use time::Timestamp;
pub use timeouts::{Timeouts, TimeoutsRow};
pub use usage::Usage;
