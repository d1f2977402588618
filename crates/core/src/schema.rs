//! How values look on the wire, for the description of the API.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::id::{AccountId, KeyHash, UserId, WorkspaceId};
use crate::{Timestamp, Usd};

/// Describes a type in place.
macro_rules! looks_like {
    ($type:ty, $name:literal, $schema:tt) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

looks_like!(Usd, "Usd", { "type": "number", "description": "US dollars, exact to nine decimal places" });
looks_like!(Timestamp, "Timestamp", { "type": "string", "format": "date-time" });
looks_like!(AccountId, "AccountId", { "type": "string" });
looks_like!(UserId, "UserId", { "type": "string" });
looks_like!(WorkspaceId, "WorkspaceId", { "type": "string", "format": "uuid" });
looks_like!(KeyHash, "KeyHash", { "type": "string", "pattern": "^[0-9a-f]{64}$" });
