//! What goes over the wire, as the description of the API has it (RFC 7643, section 4; RFC 7644,
//! sections 3.4.2, 3.5.2 and 3.12). Directories send more; it is passed over.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use signalbox_store::scim::Profile;

/// When a resource came, when it was changed, where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ScimMeta")]
#[expect(missing_docs, reason = "the fields are those of RFC 7643")]
pub struct Meta {
    pub resource_type: String,
    pub created: String,
    pub last_modified: String,
    pub location: String,
}

/// A user as a directory sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimUserObject {
    /// `urn:ietf:params:scim:schemas:core:2.0:User`.
    pub schemas: Vec<String>,
    /// The id: a UUID.
    pub id: String,
    /// What the directory calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Whether the person may be here.
    pub active: bool,
    /// What else the directory says.
    #[serde(flatten)]
    pub profile: Profile,
    /// When and where.
    pub meta: Meta,
}

/// A user as a directory wants it. What else is sent is passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimUserWish {
    /// What the directory calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Whether the person may be here: yes for somebody new, unchanged for others, when it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// What else it says.
    #[serde(flatten)]
    pub profile: Profile,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScimMember {
    /// The id of a user.
    pub value: String,
    /// The user's address.
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// `User`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The name in the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
}

/// A group as a directory sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimGroupObject {
    /// `urn:ietf:params:scim:schemas:core:2.0:Group`.
    pub schemas: Vec<String>,
    /// The id: a UUID.
    pub id: String,
    /// What the directory calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Its name.
    pub display_name: String,
    /// Who is in it, unless that is left out as asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<ScimMember>>,
    /// When and where.
    pub meta: Meta,
}

/// A group as a directory wants it. What else is sent is passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimGroupWish {
    /// What the directory calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Its name.
    pub display_name: String,
    /// Who is in it: nobody, when it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<ScimMember>>,
}

/// A page of resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimList<T> {
    /// `urn:ietf:params:scim:api:messages:2.0:ListResponse`.
    pub schemas: Vec<String>,
    /// How many there are in all.
    pub total_results: u64,
    /// The number of the first one here, from 1 on.
    pub start_index: u64,
    /// How many are here.
    pub items_per_page: u64,
    /// They.
    #[serde(rename = "Resources")]
    pub resources: Vec<T>,
}

/// Changes of a resource, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScimPatch {
    /// `urn:ietf:params:scim:api:messages:2.0:PatchOp`.
    pub schemas: Vec<String>,
    /// The changes.
    #[serde(rename = "Operations")]
    pub operations: Vec<ScimOperation>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScimOperation {
    /// `add`, `replace` or `remove`, in any case.
    pub op: String,
    /// What is changed, such as `active` or `members[value eq "…"]`; without it the value has names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How it will be, or what is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimProblem {
    /// `urn:ietf:params:scim:api:messages:2.0:Error`.
    pub schemas: Vec<String>,
    /// The HTTP status.
    pub status: String,
    /// A word of the RFC, such as `invalidFilter` or `uniqueness`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<String>,
    /// For people.
    pub detail: String,
}
