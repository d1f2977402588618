//! Management keys: for people who administer an account, and for no key.

use axum::routing::on;
use signalbox_platform::v1::management_keys::{
    CreatedManagementKey, ManagementKeyObject, ManagementKeyWish,
};
use signalbox_platform::v1::{Data, Deleted};

use super::super::{Credential, Object, Place, Route, delete, get, post};
use crate::v1::management_keys;

use Credential::Session;

const KEY: &[(Object, Place)] = &[(Object::ManagementKey, Place::Path("hash"))];

pub(super) const ROUTES: &[Route] = &[
    get("/api/v1/session/management-keys", Session, |verb| on(verb, management_keys::list))
        .gives::<Data<Vec<ManagementKeyObject>>>(200),
    post("/api/v1/session/management-keys", Session, |verb| on(verb, management_keys::create))
        .takes::<ManagementKeyWish>()
        .gives::<CreatedManagementKey>(201),
    delete("/api/v1/session/management-keys/{hash}", Session, |verb| {
        on(verb, management_keys::delete)
    })
    .names(KEY)
    .gives::<Deleted>(200),
];
