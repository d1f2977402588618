//! Organizations and their members: `/api/v1/organization/members` for management keys, and what people
//! see who are signed in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId};
use signalbox_store::{InvitationRecord, MemberRecord, Role};

use crate::{Platform, PlatformError};

/// Rows on a page of those lists that say how many they are in all.
const PAGE: u32 = 50;
/// Most of them.
const MAX_PAGE: u32 = 100;

/// `GET /organization/members?offset&limit`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct ListMembers {
    pub offset: Option<u32>,
    pub limit: Option<u32>,
}

/// A member as a management key sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are those of the published schema")]
pub struct OrganizationMember {
    pub id: UserId,
    pub email: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub role: Role,
}

/// A page of members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MembersPage {
    /// The members.
    pub data: Vec<OrganizationMember>,
    /// How many there are in all.
    pub total_count: u32,
}

/// `POST /session/organizations`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationWish {
    /// 1 to 100 characters.
    pub name: String,
}

/// An organization that a person belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrganizationObject {
    /// Its account.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// What the person may do there.
    pub role: Role,
}

/// A member as other members see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MemberObject {
    /// Who.
    #[serde(flatten)]
    pub member: OrganizationMember,
    /// Whether they can act for the organization.
    pub active: bool,
    /// `manual`, `scim` or `sso`.
    pub source: String,
    /// Since when.
    pub created_at: String,
}

impl From<MemberRecord> for OrganizationMember {
    fn from(member: MemberRecord) -> Self {
        Self {
            id: member.user,
            email: member.email,
            first_name: member.first_name,
            last_name: member.last_name,
            role: member.role,
        }
    }
}

impl From<MemberRecord> for MemberObject {
    fn from(member: MemberRecord) -> Self {
        Self {
            active: member.deactivated_at.is_none(),
            source: member.source.clone(),
            created_at: member.created_at.to_rfc3339(),
            member: member.into(),
        }
    }
}

/// `PATCH /session/organizations/{organization_id}/members/{user_id}`: what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberWish {
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they can act for the organization. Switching off disables the keys that they made.
    pub active: Option<bool>,
}

/// `POST /session/organizations/{organization_id}/invitations`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteWish {
    /// Whom.
    pub email: String,
    /// As what.
    pub role: Role,
}

/// An invitation, without its token: that is in the mail alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InvitationObject {
    /// Its id.
    pub id: String,
    /// Whom.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Who invited.
    pub invited_by: UserId,
    /// When.
    pub created_at: String,
    /// Until when it can be accepted.
    pub expires_at: String,
}

impl From<InvitationRecord> for InvitationObject {
    fn from(invitation: InvitationRecord) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role,
            invited_by: invitation.invited_by,
            created_at: Timestamp::to_rfc3339(invitation.created_at),
            expires_at: Timestamp::to_rfc3339(invitation.expires_at),
        }
    }
}

impl Platform {
    /// The active members of an organization.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for a person's own account; [`PlatformError::Refused`] for a page
    /// that can't be.
    pub async fn organization_members(
        &self,
        account: &AccountId,
        asked: ListMembers,
    ) -> Result<MembersPage, PlatformError> {
        let limit = asked.limit.unwrap_or(PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(PlatformError::Refused(format!("limit: 1 to {MAX_PAGE}")));
        }
        let found = self.store().organization(account).await?;
        found.ok_or(PlatformError::NotFound("organization"))?;
        let offset = asked.offset.unwrap_or(0);
        let (members, total_count) = self.store().members_page(account, offset, limit).await?;
        let data = members.into_iter().map(OrganizationMember::from).collect();
        Ok(MembersPage { data, total_count })
    }
}
