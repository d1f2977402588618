//! Prices that an operator writes: what is refused, what is not routable, and what a discount leaves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::HashSet;
use std::sync::Arc;

use signalbox_catalog::{Blocked, ConfiguredCatalogue, Endpoint, Snapshot};
use signalbox_core::PriceKind;

/// A model of one endpoint with this line of configuration.
fn endpoint(line: &str) -> Result<Arc<Endpoint>, String> {
    let config = format!(
        "[[providers]]\nslug = 'acme'\nname = 'Acme'\nbase_url = 'https://acme.example/v1'\n\
         [[models]]\nid = 'acme/m'\ncontext_length = 1000\n\
         [[endpoints]]\nmodel = 'acme/m'\nprovider = 'acme'\n{line}\n"
    );
    let config: ConfiguredCatalogue = toml::from_str(&config).map_err(|error| error.to_string())?;
    let keys = HashSet::from(["acme".to_owned()]);
    let rows = Snapshot::embedded().unwrap();
    let built = Snapshot::build(rows, config, &keys).map_err(|error| error.to_string())?;
    Ok(Arc::clone(&built.endpoints("acme/m")[0]))
}

#[test]
fn an_absurd_price_stops_the_start_and_names_its_key() {
    for price in ["-1", "-0.5", "NaN", "inf", "", "1e308", "99999", "0x1", "1,5", "free"] {
        for line in [
            format!("pricing = {{ prompt = '{price}', completion = '1' }}"),
            format!("pricing = {{ prompt = '1', completion = '1', request = '{price}' }}"),
            format!(
                "pricing = {{ prompt = '0', completion = '0', overrides = [{{ prompt = '{price}' }}] }}"
            ),
        ] {
            let problem = endpoint(&line).unwrap_err();
            let key = if line.contains("request") { "request" } else { "prompt" };
            assert!(problem.contains(key), "{line}: {problem}");
        }
    }
    for line in ["", "pricing = { prompt = 1, completion = '1' }", "pricing = { magic = '1' }"] {
        assert!(endpoint(line).is_err(), "{line}");
    }
}

#[test]
fn a_row_without_both_token_prices_is_never_called() {
    for (line, blocked) in [
        ("pricing = { prompt = '1' }", Some(Blocked::Price)),
        ("pricing = { completion = '1' }", Some(Blocked::Price)),
        ("pricing = {}", Some(Blocked::Price)),
        ("pricing = { request = '1' }", Some(Blocked::Price)),
        (
            "pricing = { completion = '1', overrides = [{ min_prompt_tokens = 5, prompt = '1' }] }",
            Some(Blocked::Price),
        ),
        ("pricing = { prompt = '0' }", Some(Blocked::Price)),
        ("pricing = { request = '0' }", Some(Blocked::Price)),
        ("pricing = { prompt = '0', completion = '0' }", None),
        ("free = true", None),
    ] {
        assert_eq!(endpoint(line).unwrap().blocked, blocked, "{line}");
    }
}

#[test]
fn a_discount_is_taken_off_every_price_of_its_row() {
    let row = |discount: &str| {
        endpoint(&format!(
            "pricing = {{ prompt = '0.000003', completion = '0.00001', web_search = '0.01', \
             overrides = [{{ min_prompt_tokens = 7, prompt = '0.000006' }}] }}\ndiscount = {discount}"
        ))
    };
    for (discount, prompt, search, long) in [
        ("'0.1'", "0.0000027", "0.009", "0.0000054"),
        ("'-0.2'", "0.0000036", "0.012", "0.0000072"),
        ("'0'", "0.000003", "0.01", "0.000006"),
    ] {
        let endpoint = row(discount).unwrap();
        let rates = &endpoint.prices.rates;
        let price = |kind| rates.get(kind).unwrap().to_string();
        assert_eq!(price(PriceKind::Prompt), prompt, "{discount}");
        assert_eq!(price(PriceKind::WebSearch), search, "{discount}");
        let over = &endpoint.prices.overrides[0];
        assert_eq!(over.rates.get(PriceKind::Prompt).unwrap().to_string(), long);
        assert_eq!(over.min_prompt_tokens, Some(7));
        let shown = endpoint.discount.as_ref().unwrap().to_string();
        assert_eq!(format!("'{shown}'"), discount);
    }
    for discount in ["'1'", "'1.5'", "'NaN'", "0.1", "'-200'"] {
        assert!(row(discount).unwrap_err().contains("discount"), "{discount}");
    }
    let problem = endpoint("free = true\ndiscount = '0.1'").unwrap_err();
    assert!(problem.contains("discount"), "{problem}");
}

#[test]
fn what_is_free_costs_nothing_whatever_else_is_written() {
    let line = "free = true\npricing = { prompt = '3', completion = '3', request = '1' }";
    let endpoint = endpoint(line).unwrap();
    assert!(endpoint.prices.is_free() && endpoint.prices.prices_tokens());
    assert!(endpoint.prices.rates.get(PriceKind::Request).is_none());
}

#[test]
fn prices_that_a_router_leaves_open_are_none_that_could_be_credited() {
    let rows = Snapshot::embedded().unwrap();
    let open: Vec<String> =
        rows.models.iter().filter(|one| one.price_is_dynamic).map(|one| one.id.clone()).collect();
    assert!(open.iter().any(|id| id == "openrouter/auto"), "{open:?}");
    let keys = rows.providers.iter().map(|one| one.slug.clone()).collect();
    let models = rows.models.clone();
    let built = Snapshot::build(rows, ConfiguredCatalogue::default(), &keys).unwrap();
    for id in &open {
        assert!(built.endpoints(id).is_empty(), "{id} is only a choice of others");
    }
    // No price of the catalogue is negative: the type has no such value.
    for model in models {
        assert!(model.pricing.rates.iter().all(|(_, rate)| rate.units() >= 0), "{}", model.id);
    }
}
