//! Presets, and what else a workspace presets.

use axum::routing::on;
use signalbox_platform::v1::defaults::{DefaultsObject, DefaultsWish};
use signalbox_platform::v1::presets::{DesignatedPreset, PresetObject, PresetWish, VersionObject};
use signalbox_platform::v1::{Data, Deleted, Listed, Page};

use super::super::{Credential, Members, Object, Place, Route, delete, get, patch, post};
use crate::v1;

use Credential::{Inference, InferenceOrSession, Management};
use Members::{Everything, Own};

const PRESET: &[(Object, Place)] = &[(Object::Preset, Place::Path("slug"))];
const WORKSPACE: &[(Object, Place)] = &[(Object::Workspace, Place::Path("id"))];
const OF_A_WORKSPACE: &[(Object, Place)] =
    &[(Object::Workspace, Place::Path("id")), (Object::Preset, Place::Path("slug"))];

pub(super) const ROUTES: &[Route] = &[
    get("/api/v1/presets", InferenceOrSession, |verb| on(verb, v1::presets::list))
        .members(Everything),
    get("/api/v1/presets/{slug}", InferenceOrSession, |verb| on(verb, v1::presets::one))
        .members(Everything)
        .names(PRESET),
    get("/api/v1/presets/{slug}/versions", InferenceOrSession, |verb| {
        on(verb, v1::presets::versions)
    })
    .members(Everything)
    .names(PRESET),
    get("/api/v1/presets/{slug}/versions/{version}", InferenceOrSession, |verb| {
        on(verb, v1::presets::version)
    })
    .members(Everything)
    .names(PRESET),
    post("/api/v1/presets/{slug}/chat/completions", InferenceOrSession, |verb| {
        on(verb, v1::presets::save_chat)
    })
    .names(PRESET),
    post("/api/v1/presets/{slug}/messages", InferenceOrSession, |verb| {
        on(verb, v1::presets::save_messages)
    })
    .names(PRESET),
    post("/api/v1/presets/{slug}/responses", InferenceOrSession, |verb| {
        on(verb, v1::presets::save_responses)
    })
    .names(PRESET),
    get("/api/v1/workspaces/{id}/presets", Management, |verb| on(verb, v1::presets::list_of))
        .members(Own)
        .names(WORKSPACE)
        .asks::<Page>()
        .gives::<Listed<PresetObject>>(200),
    get("/api/v1/workspaces/{id}/presets/{slug}", Management, |verb| on(verb, v1::presets::one_of))
        .members(Own)
        .names(OF_A_WORKSPACE)
        .gives::<Data<DesignatedPreset>>(200),
    get("/api/v1/workspaces/{id}/presets/{slug}/versions", Management, |verb| {
        on(verb, v1::presets::versions_of)
    })
    .members(Own)
    .names(OF_A_WORKSPACE)
    .asks::<Page>()
    .gives::<Listed<VersionObject>>(200),
    patch("/api/v1/workspaces/{id}/presets/{slug}", Management, |verb| {
        on(verb, v1::presets::update)
    })
    .names(OF_A_WORKSPACE)
    .takes::<PresetWish>()
    .gives::<Data<DesignatedPreset>>(200),
    delete("/api/v1/workspaces/{id}/presets/{slug}", Management, |verb| {
        on(verb, v1::presets::delete)
    })
    .names(OF_A_WORKSPACE)
    .gives::<Deleted>(200),
    get("/api/v1/workspaces/{id}/defaults", Management, |verb| on(verb, v1::workspaces::defaults))
        .names(WORKSPACE)
        .gives::<Data<DefaultsObject>>(200),
    patch("/api/v1/workspaces/{id}/defaults", Management, |verb| {
        on(verb, v1::workspaces::update_defaults)
    })
    .names(WORKSPACE)
    .takes::<DefaultsWish>()
    .gives::<Data<DefaultsObject>>(200),
    get("/api/v1/models/user", Inference, |verb| on(verb, v1::models::user)),
];
