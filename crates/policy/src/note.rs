//! What a caller should know of a plan, although it ruled nothing out.

/// A remark on the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A name in a list of providers that serves none of the requested models: it is skipped.
    Unserved {
        /// The field, such as `provider.order`.
        field: &'static str,
        /// The name.
        name: String,
        /// Whether the catalogue knows such a provider.
        known: bool,
    },
    /// No endpoint of the wished service tier can be used; the default tier answers.
    NoTier {
        /// The tier's name.
        tier: &'static str,
        /// The model, as it was asked for.
        model: String,
    },
}

impl Note {
    /// The field that it is about.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Unserved { field, .. } => field,
            Self::NoTier { .. } => "service_tier",
        }
    }

    /// For a person.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Unserved { field, name, known: true } => {
                format!("{field}: {name:?} serves none of the requested models")
            }
            Self::Unserved { field, name, known: false } => {
                format!("{field}: {name:?} is no provider that is known here")
            }
            Self::NoTier { tier, model } => format!(
                "service_tier: {model} has no {tier} endpoint that can be used; the default tier \
                 answers"
            ),
        }
    }
}
