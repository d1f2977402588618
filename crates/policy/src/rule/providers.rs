//! `only`, `ignore`, and `order` without fallbacks: the providers that the caller allows.

use signalbox_catalog::Endpoint;

use super::{Ctx, Detail, Reason};
use crate::slug;

pub(super) fn ignored(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    slug::position(&ctx.request.provider.ignore, endpoint)?;
    Some(Reason::new("allowed_providers", "provider.ignore", Detail::Ignored))
}

pub(super) fn not_in_only(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let only = ctx.request.provider.only.as_deref()?;
    if slug::position(only, endpoint).is_some() {
        return None;
    }
    Some(Reason::new("allowed_providers", "provider.only", Detail::NotInOnly))
}

/// With `allow_fallbacks: false` the `order` list is also the list of what is allowed.
pub(super) fn not_in_order(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let wishes = &ctx.request.provider;
    if wishes.allow_fallbacks || wishes.order.is_empty() {
        return None;
    }
    if slug::position(&wishes.order, endpoint).is_some() {
        return None;
    }
    Some(Reason::new("allowed_providers", "provider.order", Detail::NotInOrder))
}
