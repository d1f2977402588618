//! `only`, `ignore`, and `order` without fallbacks: the providers that the caller allows.

use signalbox_catalog::Endpoint;

use super::{Ctx, Detail, Reason};

pub(super) fn ignored(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    if !ctx.lists.ignore.names(endpoint) {
        return None;
    }
    Some(Reason::new("allowed_providers", "provider.ignore", Detail::Ignored))
}

pub(super) fn not_in_only(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    if ctx.lists.only.as_ref()?.names(endpoint) {
        return None;
    }
    Some(Reason::new("allowed_providers", "provider.only", Detail::NotInOnly))
}

/// With `allow_fallbacks: false` the `order` list is also the list of what is allowed.
pub(super) fn not_in_order(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let order = &ctx.lists.order;
    if ctx.request.provider.allow_fallbacks || order.is_empty() || order.names(endpoint) {
        return None;
    }
    Some(Reason::new("allowed_providers", "provider.order", Detail::NotInOrder))
}
