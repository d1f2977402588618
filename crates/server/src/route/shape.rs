//! How requests and answers of a route look. Routes of the public reference look as it says; for all
//! others the types that they read and write say it.

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Describes a type.
pub type Form = fn(&mut SchemaGenerator) -> Schema;

/// What a route answers when all is well.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// A JSON document.
    Json(Form),
    /// Something else, of this media type.
    Bytes(&'static str),
    /// No body: the header `Location` says where to go.
    Elsewhere,
    /// No body.
    Nothing,
}

/// How requests and answers look.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The path of the public reference that this one is another name for.
    pub like: Option<&'static str>,
    /// An object with the parameters of the query.
    pub query: Option<Form>,
    /// The body.
    pub body: Option<Form>,
    /// The status and body of the answer.
    pub answer: Option<(u16, Answer)>,
}

impl Shape {
    /// Nothing is said.
    pub(super) const NONE: Self = Self { like: None, query: None, body: None, answer: None };
}

pub(super) fn form<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Schema {
    schemas.subschema_for::<T>()
}
