//! What a directory may do over its connection.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use signalbox_core::id::{AccountId, random_uuid};
use signalbox_runtime::entropy;
use signalbox_store::scim::{
    Directed, Directory, Field, GroupDraft, NewScimUser, ScimGroup, ScimUser, Selection,
};
use signalbox_store::{AccountRecord, Actor, By};

use super::discovery::{MOST_RESULTS, list};
use super::filter::{Literal, filter};
use super::resource::{UserWish, editable, editable_group, group, group_of, group_wish, user};
use super::{ScimError, Shape, patch};
use crate::Platform;
use crate::people::digest;

/// How much later than noted a token may have been used.
const NOTED: Duration = Duration::from_secs(60);
/// Most members in one list of groups; the page ends where there are more.
const MOST_LISTED: usize = 10_000;

/// Whoever shows the token of a connection, and what they may do.
#[derive(Debug, Clone)]
pub struct ScimDirectory {
    platform: Platform,
    directory: Directory,
    /// In whose name things are done.
    pub by: By,
    base: String,
}

/// `?filter&startIndex&count&attributes&excludedAttributes`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are those of RFC 7644")]
pub struct ListQuery {
    pub filter: Option<String>,
    pub start_index: Option<i64>,
    pub count: Option<i64>,
    pub attributes: Option<String>,
    pub excluded_attributes: Option<String>,
}

impl ListQuery {
    /// Which attributes are answered.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape::new(self.attributes.as_deref(), self.excluded_attributes.as_deref())
    }

    /// Which resources: a page from `startIndex` on, 1 for what is below (RFC 7644, section 3.4.2.4).
    fn selection(&self, name: &str) -> Result<(Selection, u64), ScimError> {
        let equal = match self.filter.as_deref().map(str::trim) {
            None | Some("") => Vec::new(),
            Some(text) => conditions(text, name)?,
        };
        let start = self.start_index.unwrap_or(1).max(1);
        let limit = self.count.map_or(MOST_RESULTS, |count| {
            u32::try_from(count.max(0)).unwrap_or(MOST_RESULTS).min(MOST_RESULTS)
        });
        let offset = u32::try_from(start.saturating_sub(1)).unwrap_or(u32::MAX);
        Ok((Selection { equal, offset, limit }, u64::try_from(start).unwrap_or(1)))
    }
}

/// What a filter compares, of things whose name is in the attribute `name`.
fn conditions(text: &str, name: &str) -> Result<Vec<(Field, String)>, ScimError> {
    let one = |comparison: super::filter::Comparison| {
        let attribute = comparison.attribute;
        let unknown = || {
            let detail = format!("{} can't be compared", attribute.name);
            ScimError::invalid("invalidFilter", detail)
        };
        let Literal::Text(text) = comparison.literal else { return Err(unknown()) };
        let of_members = name == "displayname" && attribute.name == "members";
        match (attribute.name.as_str(), attribute.sub.as_deref()) {
            ("id", None) => Ok((Field::Id, text)),
            ("externalid", None) => Ok((Field::ExternalId, text)),
            (given, None) if given == name => Ok((Field::Name, text.to_lowercase())),
            (_, None | Some("value")) if of_members => Ok((Field::Member, text)),
            _ => Err(unknown()),
        }
    };
    filter(text)?.into_iter().map(one).collect()
}

/// An answer: a resource, and whether it is new.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The resource.
    pub resource: Value,
    /// Its address.
    pub location: String,
}

fn value(resource: &impl Serialize) -> Value {
    serde_json::to_value(resource).unwrap_or_default()
}

fn settled<T>(done: Directed<T, ScimError>) -> Result<T, ScimError> {
    match done {
        Directed::Done(done) => Ok(done),
        Directed::NotThere => Err(ScimError::not_there()),
        Directed::Taken => Err(ScimError::taken("There is such a user already")),
        Directed::Full(most) => {
            let detail = format!("The plan of the organization allows {most} members");
            Err(ScimError::new(403, detail))
        }
        Directed::Stranger(member) => {
            let short: String = member.chars().take(64).collect();
            Err(ScimError::value(format!("members: there is no user {short}")))
        }
        Directed::Refused(refusal) => Err(refusal),
    }
}

fn infallible<T>(done: Directed<T>) -> Directed<T, ScimError> {
    match done {
        Directed::Done(done) => Directed::Done(done),
        Directed::NotThere => Directed::NotThere,
        Directed::Taken => Directed::Taken,
        Directed::Full(most) => Directed::Full(most),
        Directed::Stranger(member) => Directed::Stranger(member),
        Directed::Refused(never) => match never {},
    }
}

impl Platform {
    /// Who shows this token; `public_url` is where the installation is reached.
    ///
    /// # Errors
    /// 401 for a token that is no good.
    pub async fn scim_directory(
        &self,
        token: Option<&str>,
        address: Option<String>,
        public_url: &str,
    ) -> Result<ScimDirectory, ScimError> {
        let denied = || ScimError::new(401, "The token is missing or no good");
        let token = token.ok_or_else(denied)?;
        let directory = self.store().directory(&digest(token)).await?.ok_or_else(denied)?;
        let now = self.store().clock().now();
        let noted = i64::try_from(NOTED.as_millis()).unwrap_or(i64::MAX);
        if directory.token.used_at.is_none_or(|at| now >= at.plus_millis(noted)) {
            self.store().touch_scim_token(directory.token.id.clone()).await?;
        }
        let by = By {
            account: directory.token.account.clone(),
            actor: Actor::Directory(directory.token.connection.clone()),
            address,
        };
        let base = format!("{}/scim/v2", public_url.trim_end_matches('/'));
        Ok(ScimDirectory { platform: self.clone(), directory, by, base })
    }
}

impl ScimDirectory {
    /// The address of the service.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    fn connection(&self) -> &str {
        &self.directory.token.connection
    }

    async fn most(&self) -> Result<u32, ScimError> {
        let plan = self.platform.plan(&self.by.account).await?;
        Ok(plan.plan.members)
    }

    fn heard_user(&self, found: &ScimUser) -> Heard {
        let location = format!("{}/Users/{}", self.base, found.id);
        Heard { resource: value(&user(found, &self.base)), location }
    }

    async fn heard_group(&self, found: &ScimGroup, shape: &Shape) -> Result<Heard, ScimError> {
        let members = if shape.has("members") {
            Some(self.platform.store().scim_group_members(&found.id).await?)
        } else {
            None
        };
        let location = format!("{}/Groups/{}", self.base, found.id);
        Ok(Heard { resource: value(&group(found, members.as_deref(), &self.base)), location })
    }

    fn only(id: &str) -> Selection {
        Selection { equal: vec![(Field::Id, id.to_owned())], offset: 0, limit: 1 }
    }

    /// A page of users.
    ///
    /// # Errors
    /// `invalidFilter`.
    pub async fn users(&self, asked: &ListQuery) -> Result<Value, ScimError> {
        let (selection, start) = asked.selection("username")?;
        let store = self.platform.store();
        let (found, total) = store.scim_users(self.connection(), &selection).await?;
        let shape = asked.shape();
        let seen = found.iter().map(|one| shape.cut(value(&user(one, &self.base)))).collect();
        Ok(list(seen, total, start))
    }

    /// One user.
    ///
    /// # Errors
    /// 404, for one of another connection too.
    pub async fn user(&self, id: &str) -> Result<Heard, ScimError> {
        let store = self.platform.store();
        let (found, _) = store.scim_users(self.connection(), &Self::only(id)).await?;
        found.first().map(|one| self.heard_user(one)).ok_or_else(ScimError::not_there)
    }

    /// Provisions somebody: a new person without a password, or whoever has the address.
    ///
    /// # Errors
    /// `invalidValue` for an address outside of the domain; `uniqueness`; 403 beyond the plan.
    pub async fn create_user(&self, wish: Value) -> Result<Heard, ScimError> {
        let wish = UserWish::read(wish)?;
        let domain = &self.directory.domain;
        let email = wish.address(domain).ok_or_else(|| {
            ScimError::value(format!("userName or emails: an address in {domain} is needed"))
        })?;
        let email = crate::accounts::checked_email(&email)
            .map_err(|problem| ScimError::value(problem.to_string()))?
            .to_lowercase();
        let store = self.platform.store();
        let account = AccountRecord {
            id: AccountId::generate(entropy::bytes()),
            email,
            created_at: store.clock().now(),
        };
        let new = NewScimUser {
            id: random_uuid(entropy::bytes()),
            connection: self.connection().to_owned(),
            external_id: wish.external_id,
            active: wish.active.unwrap_or(true),
            profile: wish.profile,
            account,
        };
        let done = store.provision(self.by.clone(), new, self.most().await?).await?;
        Ok(self.heard_user(&settled(infallible(done))?))
    }

    async fn edit_user(
        &self,
        id: &str,
        edit: impl FnOnce(&ScimUser) -> Result<UserWish, ScimError> + Send + 'static,
    ) -> Result<Heard, ScimError> {
        let edit = move |user: &mut ScimUser| {
            let wish = edit(user)?;
            user.external_id = wish.external_id;
            // What is not said, or taken back, lets nobody in.
            user.active = wish.active.unwrap_or(user.active);
            user.profile = wish.profile;
            Ok(())
        };
        let (by, most) = (self.by.clone(), self.most().await?);
        let (connection, id) = (self.connection().to_owned(), id.to_owned());
        let done = self.platform.store().edit_scim_user(by, connection, id, most, edit).await?;
        Ok(self.heard_user(&settled(done)?))
    }

    /// Replaces what is said of a user.
    ///
    /// # Errors
    /// 404; `invalidValue`; `uniqueness`; 403 beyond the plan.
    pub async fn replace_user(&self, id: &str, wish: Value) -> Result<Heard, ScimError> {
        let wish = UserWish::read(wish)?;
        self.edit_user(id, move |_| Ok(wish)).await
    }

    /// Patches a user.
    ///
    /// # Errors
    /// As [`ScimDirectory::replace_user`], and those of [`patch::apply`].
    pub async fn patch_user(&self, id: &str, wish: Value) -> Result<Heard, ScimError> {
        let edit = move |user: &ScimUser| {
            let mut of = editable(user);
            patch::apply(&mut of, wish)?;
            UserWish::of(&of)
        };
        self.edit_user(id, edit).await
    }

    /// Forgets a user, who loses membership, sessions and keys of the organization.
    ///
    /// # Errors
    /// 404.
    pub async fn delete_user(&self, id: &str) -> Result<(), ScimError> {
        let (by, connection) = (self.by.clone(), self.connection().to_owned());
        let done = self.platform.store().remove_scim_user(by, connection, id.to_owned()).await?;
        if done { Ok(()) } else { Err(ScimError::not_there()) }
    }

    /// A page of groups.
    ///
    /// # Errors
    /// `invalidFilter`.
    pub async fn groups(&self, asked: &ListQuery) -> Result<Value, ScimError> {
        let (selection, start) = asked.selection("displayname")?;
        let store = self.platform.store();
        let (found, total) = store.scim_groups(self.connection(), &selection).await?;
        let shape = asked.shape();
        let (mut seen, mut listed) = (Vec::with_capacity(found.len()), 0_usize);
        for one in &found {
            if listed > MOST_LISTED {
                break;
            }
            let resource = self.heard_group(one, &shape).await?.resource;
            let members = resource.get("members").and_then(Value::as_array).map_or(0, Vec::len);
            listed = listed.saturating_add(members);
            seen.push(shape.cut(resource));
        }
        Ok(list(seen, total, start))
    }

    /// One group.
    ///
    /// # Errors
    /// 404, for one of another connection too.
    pub async fn group(&self, id: &str, shape: &Shape) -> Result<Heard, ScimError> {
        let store = self.platform.store();
        let (found, _) = store.scim_groups(self.connection(), &Self::only(id)).await?;
        let found = found.first().ok_or_else(ScimError::not_there)?;
        self.heard_group(found, shape).await
    }

    /// Adds a group.
    ///
    /// # Errors
    /// `invalidValue`; 413 for too many members.
    pub async fn create_group(&self, wish: Value) -> Result<Heard, ScimError> {
        let draft = group_wish(wish)?;
        let (by, connection) = (self.by.clone(), self.connection().to_owned());
        let id = random_uuid(entropy::bytes());
        let done = self.platform.store().make_scim_group(by, connection, id, draft).await?;
        self.heard_group(&settled(infallible(done))?, &Shape::default()).await
    }

    async fn edit_group(
        &self,
        id: &str,
        shape: &Shape,
        edit: impl FnOnce(&GroupDraft) -> Result<GroupDraft, ScimError> + Send + 'static,
    ) -> Result<Heard, ScimError> {
        let edit = move |group: &mut GroupDraft| {
            *group = edit(group)?;
            Ok(())
        };
        let (by, connection) = (self.by.clone(), self.connection().to_owned());
        let store = self.platform.store();
        let done = store.edit_scim_group(by, connection, id.to_owned(), edit).await?;
        self.heard_group(&settled(done)?, shape).await
    }

    /// Replaces a group.
    ///
    /// # Errors
    /// 404; `invalidValue`; 413 for too many members.
    pub async fn replace_group(
        &self,
        id: &str,
        shape: &Shape,
        wish: Value,
    ) -> Result<Heard, ScimError> {
        let draft = group_wish(wish)?;
        self.edit_group(id, shape, move |_| Ok(draft)).await
    }

    /// Patches a group.
    ///
    /// # Errors
    /// As [`ScimDirectory::replace_group`], and those of [`patch::apply`].
    pub async fn patch_group(
        &self,
        id: &str,
        shape: &Shape,
        wish: Value,
    ) -> Result<Heard, ScimError> {
        let edit = move |group: &GroupDraft| {
            let mut of = editable_group(group);
            patch::apply(&mut of, wish)?;
            group_of(&of)
        };
        self.edit_group(id, shape, edit).await
    }

    /// Removes a group with its mappings.
    ///
    /// # Errors
    /// 404.
    pub async fn delete_group(&self, id: &str) -> Result<(), ScimError> {
        let (by, connection) = (self.by.clone(), self.connection().to_owned());
        let done = self.platform.store().remove_scim_group(by, connection, id.to_owned()).await?;
        if done { Ok(()) } else { Err(ScimError::not_there()) }
    }
}
