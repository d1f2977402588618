//! Who is under which guardrail: keys and members, at most one guardrail each (platform spec 7.2).

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use signalbox_core::id::{AccountId, KeyHash, UserId};
pub use signalbox_store::guardrails::Assignees;
use signalbox_store::{Assignee, Assignment, By};

use super::guardrails::{NONE, refused};
use super::{Listed, Page};
use crate::{Platform, PlatformError};

/// Most keys or members that one request assigns.
const MAX_WHO: usize = 1_000;

/// `{key_hashes: […]}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyHashes {
    key_hashes: Vec<String>,
}

/// `{member_user_ids: […]}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberIds {
    member_user_ids: Vec<String>,
}

/// Who is to be under a guardrail, or no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    kind: Assignees,
    who: Vec<String>,
}

impl From<KeyHashes> for Who {
    fn from(keys: KeyHashes) -> Self {
        Self { kind: Assignees::Keys, who: keys.key_hashes }
    }
}

impl From<MemberIds> for Who {
    fn from(members: MemberIds) -> Self {
        Self { kind: Assignees::Members, who: members.member_user_ids }
    }
}

impl Who {
    /// Each once, in the order given.
    fn checked(mut self) -> Result<Self, PlatformError> {
        if self.who.is_empty() || self.who.len() > MAX_WHO {
            return Err(refused(format!("1 to {MAX_WHO} at once")));
        }
        let mut seen = HashSet::new();
        self.who.retain(|one| seen.insert(one.clone()));
        Ok(self)
    }
}

/// How many were assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Assigned {
    /// How many.
    pub assigned_count: u64,
}

/// How many were taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Unassigned {
    /// How many.
    pub unassigned_count: u64,
}

/// An assignment as its account sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the fields are those of the published schemas")]
pub enum AssignmentObject {
    Key {
        id: String,
        guardrail_id: String,
        key_hash: KeyHash,
        key_name: String,
        key_label: String,
        assigned_by: Option<String>,
        created_at: String,
    },
    Member {
        id: String,
        guardrail_id: String,
        organization_id: AccountId,
        user_id: UserId,
        assigned_by: Option<String>,
        created_at: String,
    },
}

impl From<Assignment> for AssignmentObject {
    fn from(one: Assignment) -> Self {
        let (id, guardrail_id, assigned_by) = (one.id, one.guardrail, one.assigned_by);
        let created_at = one.created_at.to_rfc3339();
        match one.assignee {
            Assignee::Key { hash, name, label } => Self::Key {
                id,
                guardrail_id,
                key_hash: hash,
                key_name: name,
                key_label: label,
                assigned_by,
                created_at,
            },
            Assignee::Member(user_id) => Self::Member {
                id,
                guardrail_id,
                organization_id: one.account,
                user_id,
                assigned_by,
                created_at,
            },
        }
    }
}

impl Platform {
    /// Who is under a guardrail, or under any of the account.
    ///
    /// # Errors
    /// As [`Platform::get_guardrail`].
    pub async fn list_assignments(
        &self,
        account: &AccountId,
        guardrail: Option<&str>,
        kind: Assignees,
        page: Page,
    ) -> Result<Listed<AssignmentObject>, PlatformError> {
        let (offset, limit) = page.checked()?;
        if let Some(id) = guardrail {
            self.get_guardrail(account, id).await?;
        }
        let all = self.store().assignments(account, guardrail, kind).await?;
        let total_count = all.len() as u64;
        let page = all.into_iter().skip(offset as usize).take(limit as usize);
        Ok(Listed { data: page.map(Into::into).collect(), total_count })
    }

    /// Puts keys or members under a guardrail, all or none.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] when the guardrail or one of them is not the account's.
    pub async fn assign(&self, by: By, id: String, who: Who) -> Result<Assigned, PlatformError> {
        let Who { kind, who } = who.checked()?;
        let done = self.store().assign_guardrail(by, id, kind, who).await?;
        Ok(Assigned { assigned_count: done.ok_or(NONE)? })
    }

    /// Takes keys or members away from a guardrail.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] when the guardrail is not the account's.
    pub async fn unassign(
        &self,
        by: By,
        id: String,
        who: Who,
    ) -> Result<Unassigned, PlatformError> {
        let Who { kind, who } = who.checked()?;
        let done = self.store().unassign_guardrail(by, id, kind, who).await?;
        Ok(Unassigned { unassigned_count: done.ok_or(NONE)? })
    }
}
