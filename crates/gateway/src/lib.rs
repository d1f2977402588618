//! The data plane: one request through its ten stages. Start reading at [`serve`].

pub mod authenticate;
pub mod dry_run;
pub mod gateway;
pub mod inbound;
pub mod limit;
pub mod preview;
pub mod reply;
pub mod serve;
pub mod settings;
pub mod sticky;
pub mod world;

mod attempt;
mod cache;
mod drive;
mod ending;
mod estimate;
mod generation;
mod metadata;
mod plan;
mod prepare;
mod race;
mod ratio;
mod record;
mod relay;
mod release;
mod reserve;
mod resolve;
mod retrieval;
mod settle;
mod shelf;
mod sink;
mod tasks;
mod tier;
mod trace;
mod turn;
mod waste;

pub use authenticate::{Admitted, Authenticator, Principal};
pub use cache::{CacheHeaders, CacheStatus, PresetCache};
pub use dry_run::dry_run;
pub use gateway::Gateway;
pub use inbound::{Inbound, RequestHead, Surface};
pub use reply::{Failed, Piece, Reply, ReplyBody};
pub use retrieval::Form;
pub use settings::Settings;
pub use world::{World, WorldError};
