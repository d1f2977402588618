//! What a site sells, as configuration text.

use std::collections::BTreeSet;
use std::fmt::Write;

/// Dollars per prompt token and per output token of an endpoint that names no others.
const PRICES: (&str, &str) = ("0.000001", "0.000003");

/// Models and their endpoints.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    models: Vec<(String, Vec<Stand>)>,
    extra: String,
}

/// One endpoint: a provider, and what it does in the simulator's words.
#[derive(Debug, Clone)]
pub struct Stand {
    provider: String,
    behaviour: String,
    can_abort: bool,
    prices: (String, String),
}

impl Stand {
    pub fn new(provider: &str, behaviour: &str) -> Self {
        let prices = (PRICES.0.to_owned(), PRICES.1.to_owned());
        let (provider, behaviour) = (provider.to_owned(), behaviour.to_owned());
        Self { provider, behaviour, can_abort: true, prices }
    }

    /// A provider that works on, and bills, when nobody reads any more.
    pub fn never_stops(mut self) -> Self {
        self.can_abort = false;
        self
    }

    pub fn priced(mut self, prompt: &str, completion: &str) -> Self {
        self.prices = (prompt.to_owned(), completion.to_owned());
        self
    }
}

impl Offer {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn model(mut self, id: &str, stands: impl IntoIterator<Item = Stand>) -> Self {
        self.models.push((id.to_owned(), stands.into_iter().collect()));
        self
    }

    /// Tables at the end of the configuration.
    pub fn extra(mut self, text: &str) -> Self {
        self.extra.push_str(text);
        self
    }

    /// The configuration file of a site whose provider is at `base_url`.
    pub fn toml(&self, database: &str, base_url: &str) -> String {
        let mut text = format!("[database]\nurl = \"{database}\"\n{}\n", self.extra);
        let stands = self.models.iter().flat_map(|(_, stands)| stands);
        let providers: BTreeSet<_> = stands.map(|stand| stand.provider.as_str()).collect();
        for slug in providers {
            writeln!(
                text,
                "[[providers]]\nslug = \"{slug}\"\nname = \"{slug}\"\nbase_url = \"{base_url}\"\n\
                 api_key = \"key-of-the-simulator\""
            )
            .unwrap();
        }
        for (id, stands) in &self.models {
            writeln!(text, "[[models]]\nid = \"{id}\"\nname = \"{id}\"\ncontext_length = 32768")
                .unwrap();
            for Stand { provider, behaviour, can_abort, prices: (prompt, completion) } in stands {
                writeln!(
                    text,
                    "[[endpoints]]\nmodel = \"{id}\"\nprovider = \"{provider}\"\n\
                     provider_model_id = \"{behaviour}\"\ncan_abort = {can_abort}\n\
                     pricing = {{ prompt = \"{prompt}\", completion = \"{completion}\" }}"
                )
                .unwrap();
            }
        }
        text
    }
}
