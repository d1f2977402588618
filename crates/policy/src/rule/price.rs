//! `provider.max_price`: a hard ceiling; a price equal to it is allowed.

use signalbox_catalog::{Endpoint, Modality};
use signalbox_core::{PriceKind, PriceTable, Rate};

use super::{Ctx, Detail, Reason};
use crate::requirements::Content;

/// How many times its expected length a prompt may have, for prices that begin at a length.
const GENEROSITY: u64 = 4;

pub(super) fn too_dear(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let ceiling = &ctx.request.provider.max_price;
    let checks: [(PriceKind, &[PriceKind], Option<Rate>); 5] = [
        (PriceKind::Prompt, &[PriceKind::Prompt], ceiling.prompt),
        (
            PriceKind::Completion,
            &[PriceKind::Completion, PriceKind::InternalReasoning],
            ceiling.completion,
        ),
        (PriceKind::Request, &[PriceKind::Request], ceiling.request),
        (PriceKind::Image, &[PriceKind::Image], ceiling.image),
        (PriceKind::Audio, &[PriceKind::Audio], ceiling.audio),
    ];
    checks.into_iter().find_map(|(kind, counted, ceiling)| {
        let ceiling = ceiling?;
        let longest = longest_prompt(&ctx.request.content);
        let price = dearest(&endpoint.prices, counted, longest).unwrap_or(Rate::ZERO);
        if price <= ceiling {
            return None;
        }
        let detail = Detail::TooDear { kind, price, ceiling };
        Some(Reason::new("max_price", "provider.max_price", detail))
    })
}

/// Tokens that the prompt has at most, generously. Media other than images can't be counted.
fn longest_prompt(content: &Content) -> u64 {
    if content.inputs.iter().any(|one| *one != Modality::Image) {
        return u64::MAX;
    }
    let expected = content.prompt_tokens_expected.max(content.prompt_tokens_at_least);
    expected.saturating_mul(GENEROSITY)
}

/// The dearest price of these kinds that a prompt of up to so many tokens can meet, at any time of
/// the day.
fn dearest(table: &PriceTable, kinds: &[PriceKind], longest: u64) -> Option<Rate> {
    let reachable = table
        .overrides
        .iter()
        .filter(|entry| entry.min_prompt_tokens.is_none_or(|least| least < longest))
        .map(|entry| &entry.rates);
    std::iter::once(&table.rates)
        .chain(reachable)
        .flat_map(|rates| kinds.iter().filter_map(|kind| rates.get(*kind)))
        .max()
}
