//! Users and groups as directories send and see them (RFC 7643, section 4).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use signalbox_core::Timestamp;
use signalbox_store::scim::{
    GroupDraft, MemberOfGroup, Profile, ProfileEmail, ProfileName, ScimGroup, ScimUser,
};

use super::ScimError;
use super::patch::lowered;
use super::wire::{Meta, ScimGroupObject, ScimMember, ScimUserObject};

/// The schema of users.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of groups.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// Longest text of an attribute, in characters.
const LONGEST: usize = 255;
/// Most addresses of one person.
const MOST_EMAILS: usize = 20;
/// Most members of one group.
pub const MOST_MEMBERS: usize = 5_000;

/// A user as a directory wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserWish {
    /// What the directory calls it.
    pub external_id: Option<String>,
    /// Whether the person may be here, if it says so.
    pub active: Option<bool>,
    /// What else it says.
    pub profile: Profile,
}

/// `name` is as the RFC writes it.
fn text(of: &Map<String, Value>, name: &str) -> Result<Option<String>, ScimError> {
    match of.get(&name.to_ascii_lowercase()) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            let odd = text.chars().count() > LONGEST || text.chars().any(char::is_control);
            if odd {
                return Err(ScimError::value(format!("{name}: at most {LONGEST} characters")));
            }
            Ok(Some(text.clone()).filter(|text| !text.is_empty()))
        }
        Some(_) => Err(ScimError::value(format!("{name} is a text"))),
    }
}

fn required(of: &Map<String, Value>, name: &'static str) -> Result<String, ScimError> {
    let found = text(of, name)?.filter(|text| !text.trim().is_empty());
    found.ok_or_else(|| ScimError::value(format!("{name} is required")))
}

/// Some directories write truth as a text.
fn truth(of: &Map<String, Value>, name: &str) -> Result<Option<bool>, ScimError> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(truth)) => Ok(Some(*truth)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(ScimError::value(format!("{name} is true or false"))),
    }
}

fn several<'v>(of: &'v Map<String, Value>, name: &str) -> Result<&'v [Value], ScimError> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        Some(one @ Value::Object(_)) => Ok(std::slice::from_ref(one)),
        Some(_) => Err(ScimError::value(format!("{name} has several values"))),
    }
}

fn email(value: &Value) -> Result<Option<ProfileEmail>, ScimError> {
    let Value::Object(of) = value else {
        return Err(ScimError::value("emails are objects"));
    };
    let (kind, primary) = (text(of, "type")?, truth(of, "primary")?.unwrap_or(false));
    Ok(text(of, "value")?.map(|value| ProfileEmail { value, kind, primary }))
}

impl UserWish {
    /// Reads a user. Names have no case; what is not known is passed over.
    ///
    /// # Errors
    /// `invalidValue` with the name of the attribute.
    pub fn read(user: Value) -> Result<Self, ScimError> {
        let Value::Object(of) = lowered(user) else {
            return Err(ScimError::invalid("invalidSyntax", "A user is an object"));
        };
        Self::of(&of)
    }

    /// The same of names in lower case.
    ///
    /// # Errors
    /// As [`UserWish::read`].
    pub fn of(of: &Map<String, Value>) -> Result<Self, ScimError> {
        let name = match of.get("name") {
            None | Some(Value::Null) => None,
            Some(Value::Object(of)) => Some(ProfileName {
                formatted: text(of, "formatted")?,
                family_name: text(of, "familyName")?,
                given_name: text(of, "givenName")?,
            })
            .filter(|name| *name != ProfileName::default()),
            Some(_) => return Err(ScimError::value("name is an object")),
        };
        let emails = several(of, "emails")?;
        if emails.len() > MOST_EMAILS {
            return Err(ScimError::value(format!("emails: at most {MOST_EMAILS}")));
        }
        let emails = emails.iter().filter_map(|one| email(one).transpose());
        Ok(Self {
            external_id: text(of, "externalId")?,
            active: truth(of, "active")?,
            profile: Profile {
                user_name: required(of, "userName")?,
                name,
                display_name: text(of, "displayName")?,
                emails: emails.collect::<Result<_, _>>()?,
            },
        })
    }

    /// The address of the person in this domain, in lower case: the primary address, another one, or the
    /// name in the directory.
    #[must_use]
    pub fn address(&self, domain: &str) -> Option<String> {
        let mut emails: Vec<&ProfileEmail> = self.profile.emails.iter().collect();
        emails.sort_by_key(|one| !one.primary);
        let texts = emails.into_iter().map(|one| one.value.as_str());
        let mut texts = texts.chain([self.profile.user_name.as_str()]);
        texts.find_map(|text| {
            let address = text.trim().to_lowercase();
            let (_, of) = address.rsplit_once('@')?;
            (of == domain).then_some(address)
        })
    }
}

/// A user as it is kept, for a patch to be applied to.
#[must_use]
pub fn editable(user: &ScimUser) -> Map<String, Value> {
    let profile = serde_json::to_value(&user.profile).unwrap_or_default();
    let mut of = match lowered(profile) {
        Value::Object(of) => of,
        _ => Map::new(),
    };
    of.insert("externalid".to_owned(), json!(user.external_id));
    of.insert("active".to_owned(), json!(user.active));
    of
}

/// The same of a group.
#[must_use]
pub fn editable_group(group: &GroupDraft) -> Map<String, Value> {
    let members: Vec<Value> = group.members.iter().map(|one| json!({ "value": one })).collect();
    let of = json!({"displayname": group.display_name, "externalid": group.external_id,
        "members": members});
    match of {
        Value::Object(of) => of,
        _ => Map::new(),
    }
}

/// Reads a group. What is not known is passed over.
///
/// # Errors
/// `invalidValue` with the name of the attribute; 413 for too many members.
pub fn group_wish(group: Value) -> Result<GroupDraft, ScimError> {
    let Value::Object(of) = lowered(group) else {
        return Err(ScimError::invalid("invalidSyntax", "A group is an object"));
    };
    group_of(&of)
}

/// The same of names in lower case.
///
/// # Errors
/// As [`group_wish`].
pub fn group_of(of: &Map<String, Value>) -> Result<GroupDraft, ScimError> {
    let mut members = BTreeSet::new();
    for member in several(of, "members")? {
        let Value::Object(member) = member else {
            return Err(ScimError::value("members are objects"));
        };
        members.insert(required(member, "value")?);
    }
    if members.len() > MOST_MEMBERS {
        return Err(ScimError::new(413, format!("A group has at most {MOST_MEMBERS} members")));
    }
    let (display_name, external_id) = (required(of, "displayName")?, text(of, "externalId")?);
    Ok(GroupDraft { display_name, external_id, members })
}

fn meta(kind: &str, base: &str, id: &str, created: Timestamp, updated: Timestamp) -> Meta {
    Meta {
        resource_type: kind.to_owned(),
        created: created.to_rfc3339(),
        last_modified: updated.to_rfc3339(),
        location: format!("{base}/{kind}s/{id}"),
    }
}

/// A user as a directory sees it; `base` is the address of the service.
#[must_use]
pub fn user(user: &ScimUser, base: &str) -> ScimUserObject {
    ScimUserObject {
        schemas: vec![USER.to_owned()],
        id: user.id.clone(),
        external_id: user.external_id.clone(),
        active: user.active,
        profile: user.profile.clone(),
        meta: meta("User", base, &user.id, user.created_at, user.updated_at),
    }
}

/// A group as a directory sees it.
#[must_use]
pub fn group(group: &ScimGroup, members: Option<&[MemberOfGroup]>, base: &str) -> ScimGroupObject {
    let member = |one: &MemberOfGroup| ScimMember {
        value: one.id.clone(),
        reference: Some(format!("{base}/Users/{}", one.id)),
        kind: Some("User".to_owned()),
        display: Some(one.name.clone()),
    };
    ScimGroupObject {
        schemas: vec![GROUP.to_owned()],
        id: group.id.clone(),
        external_id: group.external_id.clone(),
        display_name: group.display_name.clone(),
        members: members.map(|all| all.iter().map(member).collect()),
        meta: meta("Group", base, &group.id, group.created_at, group.updated_at),
    }
}

#[cfg(test)]
mod tests;
