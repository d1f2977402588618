//! The rows for directories: what they tell, what follows from it, their tokens.

use axum::routing::on;
use serde_json::{Map, Value};
use signalbox_platform::scim::ListQuery;
use signalbox_platform::v1::scim::{CreateToken, CreatedToken, TokenObject};
use signalbox_platform::v1::{Data, Deleted};

use super::super::{Credential, Object, Place, Route, delete, get, patch, post, put};
use crate::scim;
use crate::v1::scim as v1;

use Credential::{Directory, Management};

const USER: &[(Object, Place)] = &[(Object::ScimUser, Place::Path("user_id"))];
const GROUP: &[(Object, Place)] = &[(Object::ScimGroup, Place::Path("group_id"))];
const MEMBERS: &[(Object, Place)] = &[(Object::ScimUser, Place::Body("members.value"))];
const GROUP_AND_MEMBERS: &[(Object, Place)] = &[
    (Object::ScimGroup, Place::Path("group_id")),
    (Object::ScimUser, Place::Body("members.value")),
];
const MAPPING: &[(Object, Place)] = &[(Object::ScimMapping, Place::Path("id"))];
const TOKEN: &[(Object, Place)] = &[(Object::ScimToken, Place::Path("token_id"))];

/// A resource as SCIM describes it.
type Resource = Map<String, Value>;

pub(super) const ROUTES: &[Route] = &[
    get("/scim/v2/ServiceProviderConfig", Directory, |verb| on(verb, scim::service))
        .gives::<Resource>(200),
    get("/scim/v2/ResourceTypes", Directory, |verb| on(verb, scim::types)).gives::<Resource>(200),
    get("/scim/v2/ResourceTypes/{name}", Directory, |verb| on(verb, scim::kind))
        .gives::<Resource>(200),
    get("/scim/v2/Schemas", Directory, |verb| on(verb, scim::forms)).gives::<Resource>(200),
    get("/scim/v2/Schemas/{name}", Directory, |verb| on(verb, scim::form)).gives::<Resource>(200),
    get("/scim/v2/Users", Directory, |verb| on(verb, scim::users))
        .asks::<ListQuery>()
        .gives::<Resource>(200),
    post("/scim/v2/Users", Directory, |verb| on(verb, scim::create_user))
        .takes::<Resource>()
        .gives::<Resource>(201),
    get("/scim/v2/Users/{user_id}", Directory, |verb| on(verb, scim::user))
        .names(USER)
        .gives::<Resource>(200),
    put("/scim/v2/Users/{user_id}", Directory, |verb| on(verb, scim::replace_user))
        .names(USER)
        .takes::<Resource>()
        .gives::<Resource>(200),
    patch("/scim/v2/Users/{user_id}", Directory, |verb| on(verb, scim::patch_user))
        .names(USER)
        .takes::<Resource>()
        .gives::<Resource>(200),
    delete("/scim/v2/Users/{user_id}", Directory, |verb| on(verb, scim::delete_user))
        .names(USER)
        .gives_nothing(),
    get("/scim/v2/Groups", Directory, |verb| on(verb, scim::groups))
        .asks::<ListQuery>()
        .gives::<Resource>(200),
    post("/scim/v2/Groups", Directory, |verb| on(verb, scim::create_group))
        .names(MEMBERS)
        .takes::<Resource>()
        .gives::<Resource>(201),
    get("/scim/v2/Groups/{group_id}", Directory, |verb| on(verb, scim::group))
        .names(GROUP)
        .gives::<Resource>(200),
    put("/scim/v2/Groups/{group_id}", Directory, |verb| on(verb, scim::replace_group))
        .names(GROUP_AND_MEMBERS)
        .takes::<Resource>()
        .gives::<Resource>(200),
    patch("/scim/v2/Groups/{group_id}", Directory, |verb| on(verb, scim::patch_group))
        .names(GROUP)
        .takes::<Resource>()
        .gives::<Resource>(200),
    delete("/scim/v2/Groups/{group_id}", Directory, |verb| on(verb, scim::delete_group))
        .names(GROUP)
        .gives_nothing(),
    get("/api/v1/scim/groups", Management, |verb| on(verb, v1::groups)),
    get("/api/v1/scim/group-mappings", Management, |verb| on(verb, v1::mappings)),
    post("/api/v1/scim/group-mappings", Management, |verb| on(verb, v1::create_mapping)).names(&[
        (Object::ScimGroup, Place::Body("scim_group_id")),
        (Object::Workspace, Place::Body("workspace_id")),
    ]),
    get("/api/v1/scim/group-mappings/{id}", Management, |verb| on(verb, v1::mapping))
        .names(MAPPING),
    patch("/api/v1/scim/group-mappings/{id}", Management, |verb| on(verb, v1::update_mapping))
        .names(MAPPING),
    delete("/api/v1/scim/group-mappings/{id}", Management, |verb| on(verb, v1::delete_mapping))
        .names(MAPPING),
    get("/api/v1/scim/tokens", Management, |verb| on(verb, v1::tokens))
        .gives::<Data<Vec<TokenObject>>>(200),
    post("/api/v1/scim/tokens", Management, |verb| on(verb, v1::create_token))
        .names(&[(Object::Connection, Place::Body("connection_id"))])
        .takes::<CreateToken>()
        .gives::<CreatedToken>(201),
    delete("/api/v1/scim/tokens/{token_id}", Management, |verb| on(verb, v1::delete_token))
        .names(TOKEN)
        .gives::<Deleted>(200),
];
