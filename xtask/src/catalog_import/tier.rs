//! Service tiers become endpoints of their own (inference spec 18.1).

use anyhow::{Context as _, Result, bail};
use signalbox_catalog::Endpoint;
use signalbox_core::{PriceKind, PriceTable, Rate};

use super::endpoint::rate;
use super::facts::EndpointFacts;

/// One endpoint for each tier of `row`, with the tier's prices.
pub fn endpoints(row: &EndpointFacts, base: &Endpoint) -> Result<Vec<Endpoint>> {
    row.tiers.iter().map(|(tier, prices)| endpoint(base, tier, prices)).collect()
}

fn endpoint(base: &Endpoint, tier: &str, prices: &[(String, String)]) -> Result<Endpoint> {
    if !matches!(tier, "flex" | "priority") {
        bail!("unknown tier {tier:?}");
    }
    let mut endpoint = base.clone();
    endpoint.id = format!("{}-{tier}", base.id);
    endpoint.tag = format!("{}/{tier}", base.tag);
    endpoint.name = format!("{} ({tier})", base.name);
    endpoint.tier = Some(tier.to_owned());
    endpoint.perf_30m = None;
    endpoint.discount = None;
    for (label, price) in prices {
        endpoint.prices.rates.set(kind(label)?, rate(price)?);
    }
    // Reasoning that is priced like output goes on being so.
    let old = &base.prices.rates;
    if old.get(PriceKind::InternalReasoning) == old.get(PriceKind::Completion)
        && let Some(price) = endpoint.prices.rates.get(PriceKind::Completion)
        && old.get(PriceKind::InternalReasoning).is_some()
    {
        endpoint.prices.rates.set(PriceKind::InternalReasoning, price);
    }
    scale_overrides(&base.prices, &mut endpoint.prices)?;
    Ok(endpoint)
}

fn kind(label: &str) -> Result<PriceKind> {
    Ok(match label {
        "Input Price" => PriceKind::Prompt,
        "Output Price" => PriceKind::Completion,
        "Cache Read" => PriceKind::InputCacheRead,
        "Cache Write" => PriceKind::InputCacheWrite,
        "Image Input" => PriceKind::Image,
        "Image Output" => PriceKind::ImageOutput,
        "Input Audio" => PriceKind::Audio,
        "Input Audio Cache" => PriceKind::InputAudioCache,
        "Web Search" => PriceKind::WebSearch,
        other => bail!("unknown price label {other:?}"),
    })
}

/// Conditional prices are multiplied as the unconditional price of the same kind was.
fn scale_overrides(base: &PriceTable, tiered: &mut PriceTable) -> Result<()> {
    for entry in &mut tiered.overrides {
        let rates = entry.rates;
        for (kind, price) in rates.iter() {
            let (Some(from), Some(to)) = (base.rates.get(kind), tiered.rates.get(kind)) else {
                continue;
            };
            entry.rates.set(kind, scaled(price, from, to).context("price out of range")?);
        }
    }
    Ok(())
}

/// `price × to ÷ from`, exactly where a decimal can be exact.
fn scaled(price: Rate, from: Rate, to: Rate) -> Option<Rate> {
    if from.is_zero() {
        return Some(price);
    }
    let common = gcd(from.units(), to.units());
    let (from, to) = (from.units() / common, to.units() / common);
    Rate::from_units(price.units().checked_mul(to)? / from)
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}
