//! The rows for the web app. Every page is one; `web/src/router.tsx` has the same addresses.

use axum::routing::on;

use super::super::{Credential, Route, get};
use crate::web;

use Credential::None;

pub(super) const ROUTES: &[Route] = &[
    page("/"),
    page("/sign-in"),
    page("/sign-up"),
    page("/forgot-password"),
    page("/reset-password"),
    page("/verify-email"),
    page("/invitations/accept"),
    page("/settings/account"),
    page("/settings/organization-members"),
    get("/auth", None, |verb| on(verb, web::consent)).for_people(),
    get("/assets/{name}", None, |verb| on(verb, web::hashed)).for_people(),
    get("/favicon.svg", None, |verb| on(verb, web::file)).for_people(),
];

const fn page(path: &'static str) -> Route {
    get(path, None, |verb| on(verb, web::page)).for_people()
}
