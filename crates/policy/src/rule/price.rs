//! `provider.max_price`: a hard ceiling; a price equal to it is allowed.

use signalbox_catalog::Endpoint;
use signalbox_core::{PriceKind, Rate};

use super::{Ctx, Reason};

pub(super) fn too_dear(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let ceiling = &ctx.request.provider.max_price;
    let rates = &endpoint.prices.rates;
    let checks = [
        (PriceKind::Prompt, ceiling.prompt),
        (PriceKind::Completion, ceiling.completion),
        (PriceKind::Request, ceiling.request),
        (PriceKind::Image, ceiling.image),
        (PriceKind::Audio, ceiling.audio),
    ];
    checks.into_iter().find_map(|(kind, ceiling)| {
        let (price, ceiling) = (rates.get(kind).unwrap_or(Rate::ZERO), ceiling?);
        if price <= ceiling {
            return None;
        }
        let detail = format!("{} costs {price} per unit, above {ceiling}", kind.name());
        Some(Reason::new("max_price", "provider.max_price", detail))
    })
}
