//! The words of connections.

use crate::error::StoreError;

/// Who set a connection up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub enum SsoOrigin {
    /// An administrator of the organization.
    #[serde(rename = "self-serve")]
    SelfServe,
    /// The operator of the installation.
    #[serde(rename = "configured by operator")]
    Operator,
}

/// Whether people of a domain sign in through the identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SsoStatus {
    /// Not yet.
    Pending,
    /// They do, and in no other way.
    Active,
    /// No longer, until it is made active again.
    Disabled,
}

impl SsoOrigin {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SelfServe => "self-serve",
            Self::Operator => "operator",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn shown(self) -> &'static str {
        match self {
            Self::SelfServe => "self-serve",
            Self::Operator => "configured by operator",
        }
    }

    pub(super) fn read(name: &str) -> Result<Self, StoreError> {
        let all = [Self::SelfServe, Self::Operator];
        let damaged = || StoreError::Damaged(format!("origin {name}"));
        all.into_iter().find(|one| one.name() == name).ok_or_else(damaged)
    }
}

impl SsoStatus {
    /// As it is on the wire and in storage.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    pub(super) fn read(name: &str) -> Result<Self, StoreError> {
        let all = [Self::Pending, Self::Active, Self::Disabled];
        let damaged = || StoreError::Damaged(format!("status {name}"));
        all.into_iter().find(|one| one.name() == name).ok_or_else(damaged)
    }
}
