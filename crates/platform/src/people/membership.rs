//! Organizations: made, joined, left and administered by people who are signed in.

use std::time::Duration;

use signalbox_core::id::{AccountId, UserId, random_uuid};
use signalbox_runtime::entropy;
use signalbox_store::{AccountRecord, InvitationRecord, Invited, Joined, MemberChange, Role};

use super::session::Person;
use super::{Limit, People, digest, token};
use crate::PlatformError;
use crate::accounts::checked_email;
use crate::v1::Data;
use crate::v1::organization::{
    InvitationObject, InviteWish, MemberObject, MemberWish, OrganizationObject, OrganizationWish,
};

/// How long an invitation can be accepted.
const INVITED: Duration = Duration::from_secs(7 * 86_400);
/// Organizations that one person may belong to and still make another one.
const MOST_ORGANIZATIONS: usize = 20;
/// Longest name, in characters.
const NAME: usize = 100;

fn full(most: u32) -> PlatformError {
    PlatformError::Conflict(format!("The plan of the organization allows {most} members"))
}

fn settled(change: MemberChange, most: u32) -> Result<(), PlatformError> {
    match change {
        MemberChange::Done => Ok(()),
        MemberChange::NotThere => Err(PlatformError::NotFound("member")),
        MemberChange::LastAdmin => {
            let text = "An organization has at least one admin";
            Err(PlatformError::Conflict(text.to_owned()))
        }
        MemberChange::Elsewhere => {
            let text = "The identity provider of the organization manages this member";
            Err(PlatformError::Conflict(text.to_owned()))
        }
        MemberChange::Full => Err(full(most)),
    }
}

impl People {
    pub(super) async fn most_members(
        &self,
        organization: &AccountId,
    ) -> Result<u32, PlatformError> {
        Ok(self.platform().plan(organization).await?.plan.members)
    }

    /// A new organization, of which this person is the admin.
    ///
    /// # Errors
    /// [`PlatformError::Forbidden`] for whoever has not proven their address;
    /// [`PlatformError::Refused`] for a name that can't be.
    pub async fn create_organization(
        &self,
        person: &Person,
        wish: OrganizationWish,
    ) -> Result<Data<OrganizationObject>, PlatformError> {
        person.proven()?;
        let name = wish.name.trim().to_owned();
        let odd = name.chars().any(char::is_control);
        if name.is_empty() || name.chars().count() > NAME || odd {
            return Err(PlatformError::Refused(format!("name: 1 to {NAME} characters")));
        }
        if person.contexts.len() > MOST_ORGANIZATIONS {
            let text = format!("Nobody makes more than {MOST_ORGANIZATIONS} organizations");
            return Err(PlatformError::Conflict(text));
        }
        let account = AccountRecord {
            id: AccountId::generate_org(entropy::bytes()),
            email: person.user.email.clone(),
            created_at: self.now(),
        };
        let id = account.id.clone();
        let (by, user) = (person.by(&id), person.user.id.clone());
        self.platform().store().create_organization(by, account, name.clone(), user).await?;
        Ok(Data { data: OrganizationObject { id, name, role: Role::Admin } })
    }

    /// The members of an organization, deactivated ones too.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for strangers.
    pub async fn members(
        &self,
        person: &Person,
        organization: &AccountId,
    ) -> Result<Data<Vec<MemberObject>>, PlatformError> {
        person.role_in(organization)?;
        let members = self.platform().store().members(organization).await?;
        Ok(Data { data: members.into_iter().map(MemberObject::from).collect() })
    }

    /// Changes the role of a member, or switches them off or on.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for strangers; [`PlatformError::Forbidden`] for members who are no
    /// admins; [`PlatformError::Conflict`] for the last admin and for members beyond the plan.
    pub async fn change_member(
        &self,
        person: &Person,
        organization: &AccountId,
        user: UserId,
        wish: MemberWish,
    ) -> Result<Data<MemberObject>, PlatformError> {
        let by = person.administers(organization)?;
        let most = self.most_members(organization).await?;
        let store = self.platform().store();
        let change = store.change_member(by, user.clone(), wish.role, wish.active, most).await?;
        settled(change, most)?;
        let member = store.member(organization, &user).await?;
        let member = member.ok_or(PlatformError::NotFound("member"))?;
        Ok(Data { data: member.into() })
    }

    /// Removes a member. Everybody may remove themselves.
    ///
    /// # Errors
    /// As [`People::change_member`].
    pub async fn remove_member(
        &self,
        person: &Person,
        organization: &AccountId,
        user: UserId,
    ) -> Result<(), PlatformError> {
        let by = if user == person.user.id {
            person.role_in(organization)?;
            person.by(organization)
        } else {
            person.administers(organization)?
        };
        settled(self.platform().store().remove_member(by, user).await?, 0)
    }

    /// Invites somebody into an organization, by mail.
    ///
    /// # Errors
    /// As [`People::change_member`]; [`PlatformError::Conflict`] for whoever is a member.
    pub async fn invite(
        &self,
        person: &Person,
        organization: &AccountId,
        wish: InviteWish,
    ) -> Result<Data<InvitationObject>, PlatformError> {
        let by = person.administers(organization)?;
        person.proven()?;
        let email = checked_email(&wish.email)?.to_lowercase();
        self.may(Limit::MailTo, &email).await?;
        let most = self.most_members(organization).await?;
        let (now, token) = (self.now(), token());
        let millis = i64::try_from(INVITED.as_millis()).unwrap_or(i64::MAX);
        let invitation = InvitationRecord {
            id: random_uuid(entropy::bytes()),
            account: organization.clone(),
            email,
            role: wish.role,
            invited_by: person.user.id.clone(),
            created_at: now,
            expires_at: now.plus_millis(millis),
        };
        let store = self.platform().store();
        let hash = digest(token.expose());
        match store.invite(by, invitation.clone(), hash, most).await? {
            Invited::Done => {}
            Invited::Already => {
                return Err(PlatformError::Conflict("That is a member already".to_owned()));
            }
            Invited::Full => return Err(full(most)),
        }
        let name = store.organization(organization).await?.unwrap_or_default();
        self.deliver_to(
            &invitation.email,
            "You are invited",
            format!(
                "{} invites you into {name}. Sign in or sign up with this address and accept within \
                 a week:\n{}/invitations/accept#token={}",
                person.user.email,
                self.public_url(),
                token.expose()
            ),
        );
        Ok(Data { data: invitation.into() })
    }

    /// The open invitations into an organization.
    ///
    /// # Errors
    /// As [`People::change_member`].
    pub async fn invitations(
        &self,
        person: &Person,
        organization: &AccountId,
    ) -> Result<Data<Vec<InvitationObject>>, PlatformError> {
        person.administers(organization)?;
        let open = self.platform().store().invitations(organization).await?;
        Ok(Data { data: open.into_iter().map(InvitationObject::from).collect() })
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// As [`People::change_member`].
    pub async fn revoke_invitation(
        &self,
        person: &Person,
        organization: &AccountId,
        id: String,
    ) -> Result<(), PlatformError> {
        let by = person.administers(organization)?;
        let done = self.platform().store().revoke_invitation(by, id).await?;
        if done { Ok(()) } else { Err(PlatformError::NotFound("invitation")) }
    }

    /// Makes this person a member, by an invitation that was mailed to their proven address.
    ///
    /// # Errors
    /// [`PlatformError::NotFound`] for an invitation that is not good, or for another address.
    pub async fn accept_invitation(
        &self,
        person: &Person,
        token: &str,
    ) -> Result<Data<OrganizationObject>, PlatformError> {
        person.proven()?;
        let unknown = || PlatformError::NotFound("invitation");
        let store = self.platform().store();
        let hash = digest(token);
        let invitation = store.invitation(&hash).await?;
        let fits = |one: &InvitationRecord| one.email == person.user.email;
        let invitation = invitation.filter(fits).ok_or_else(unknown)?;
        let (id, role) = (invitation.account.clone(), invitation.role);
        let most = self.most_members(&id).await?;
        let (by, user) = (person.by(&id), person.user.id.clone());
        match store.accept_invitation(by, invitation, user.clone(), hash, most).await? {
            Joined::Done => {}
            Joined::NotThere => return Err(unknown()),
            Joined::Full => return Err(full(most)),
        }
        let name = store.organization(&id).await?.unwrap_or_default();
        let role = store.member(&id, &user).await?.map_or(role, |member| member.role);
        Ok(Data { data: OrganizationObject { id, name, role } })
    }
}
