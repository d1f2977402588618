//! What directories provision into organizations (platform spec 17.2, 17.3): people, groups, and what
//! groups open.
//!
//! **Invariant:** a directory reaches people, groups and mappings of its own connection alone.

mod forget;
mod groups;
mod mappings;
mod membership;
mod people;
mod place;
mod tokens;

pub use groups::{GroupDraft, MemberOfGroup, ScimGroup};
pub use mappings::{MappingMade, ScimMapping};
pub use people::{NewScimUser, Profile, ProfileEmail, ProfileName, ScimUser};
pub use place::{Field, Selection};
pub use tokens::{Directory, ScimToken};

pub(crate) use forget::forget;
pub(crate) use membership::directed;

/// What became of what a directory wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directed<T, E = std::convert::Infallible> {
    /// It is so.
    Done(T),
    /// There is no such thing.
    NotThere,
    /// There is such a person already.
    Taken,
    /// The plan of the organization allows so many members.
    Full(u32),
    /// A group names this member, who is not there.
    Stranger(String),
    /// Whoever wanted it took it back.
    Refused(E),
}
