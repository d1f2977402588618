//! Service-tier endpoints are out unless the caller names one (inference spec 5.2, 18.1).

use signalbox_catalog::Endpoint;

use super::{Ctx, Detail, Reason};
use crate::slug;

pub(super) fn judge(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    endpoint.tier.as_ref()?;
    let wishes = &ctx.request.provider;
    let named = slug::position(&wishes.order, endpoint).is_some()
        || wishes.only.as_deref().is_some_and(|only| slug::position(only, endpoint).is_some());
    if named {
        return None;
    }
    Some(Reason::new("service_tier", "service_tier", Detail::Tier))
}
