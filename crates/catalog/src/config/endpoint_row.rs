//! An endpoint as it is written in the configuration file.

use serde::Deserialize;
use serde_json::Value;
use signalbox_core::{Discount, ParameterSet, PriceTable};

use super::provider_row::DataPolicyRow;
use crate::endpoint::{EndpointScore, Features, Perf, ToolChoices, UnitPrice};
use crate::prices::FlatPrices;
use crate::{
    CatalogueError, DataPolicy, Dialect, Endpoint, Manner, Modality, Model, Provider, Quantization,
    Task,
};

/// One `[[endpoints]]` row.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `Endpoint`, as they are written")]
pub struct ConfiguredEndpoint {
    pub model: String,
    pub provider: String,
    /// Left out: the provider's slug, with the tier if there is one.
    #[serde(default)]
    pub tag: Option<String>,
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub tier: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    /// Left out: the model's id without the author.
    #[serde(default)]
    pub provider_model_id: Option<String>,
    #[serde(default)]
    pub dialect: Option<Dialect>,
    #[serde(default)]
    pub quantization: Option<Quantization>,
    #[serde(default)]
    pub region: Option<String>,
    /// Left out: the model's.
    #[serde(default)]
    pub context_length: Option<u64>,
    #[serde(default)]
    pub max_prompt: Option<u64>,
    #[serde(default)]
    pub max_output: Option<u64>,
    /// Left out: all that the dialect carries.
    #[serde(default)]
    pub supported_parameters: Option<ParameterSet>,
    #[serde(default)]
    pub tool_choice: Option<ToolChoices>,
    #[serde(default)]
    pub features: Option<Features>,
    /// How it is spoken to, where that differs from its family.
    #[serde(default)]
    pub manner: Option<Manner>,
    /// Required, unless the endpoint is a built-in one or free.
    #[serde(default)]
    pub pricing: Option<FlatPrices>,
    /// The fraction to take off every price of `pricing`; below 0 it is a surcharge.
    #[serde(default)]
    pub discount: Option<Discount>,
    #[serde(default)]
    pub unit_pricing: Option<Vec<UnitPrice>>,
    #[serde(default)]
    pub status: Option<i64>,
    #[serde(default)]
    pub free: Option<bool>,
    #[serde(default)]
    pub byok_only: Option<bool>,
    #[serde(default)]
    pub hidden: Option<bool>,
    #[serde(default)]
    pub disabled: Option<bool>,
    #[serde(default)]
    pub deranked: Option<bool>,
    #[serde(default)]
    pub moderation_required: Option<bool>,
    /// Left out: the provider's.
    #[serde(default)]
    pub can_abort: Option<bool>,
    #[serde(default)]
    pub chat: Option<bool>,
    #[serde(default)]
    pub completions: Option<bool>,
    #[serde(default)]
    pub reasoning: Option<bool>,
    #[serde(default)]
    pub limit_rpm: Option<u64>,
    #[serde(default)]
    pub limit_rpd: Option<u64>,
    #[serde(default)]
    pub capacity_tpm: Option<u64>,
    #[serde(default)]
    pub deprecation_date: Option<String>,
    /// Left out: neither trains nor retains.
    #[serde(default)]
    pub data_policy: Option<DataPolicyRow>,
    #[serde(default)]
    pub perf_30m: Option<Perf>,
    #[serde(default)]
    pub scores: Option<Vec<EndpointScore>>,
    #[serde(default)]
    pub image_options: Option<Value>,
    #[serde(default)]
    pub video_options: Option<Value>,
}

impl ConfiguredEndpoint {
    /// The tag that the row has or gets.
    #[must_use]
    pub fn tag(&self) -> String {
        match (&self.tag, &self.tier) {
            (Some(tag), _) => tag.clone(),
            (None, Some(tier)) => format!("{}/{tier}", self.provider),
            (None, None) => self.provider.clone(),
        }
    }

    /// The endpoint that this row makes, on top of a built-in one with the same model, provider and
    /// tag if there is one.
    pub fn apply(
        &self,
        base: Option<&Endpoint>,
        model: &Model,
        provider: &Provider,
    ) -> Result<Endpoint, CatalogueError> {
        let fail = |key: &str, problem: &str| {
            let row = format!("endpoint of {:?} at {:?}", self.model, self.provider);
            CatalogueError::new(row, key, problem)
        };
        let tag = self.tag();
        if tag != self.provider && !tag.starts_with(&format!("{}/", self.provider)) {
            return Err(fail("tag", "expected the provider's slug, or the slug, '/' and more"));
        }
        if self.tier.as_deref().is_some_and(|tier| !matches!(tier, "flex" | "priority")) {
            return Err(fail("tier", "expected \"flex\" or \"priority\""));
        }
        if base.is_none() && self.pricing.is_none() && self.free != Some(true) {
            return Err(fail(
                "pricing",
                "required; { prompt = \"0\", completion = \"0\" } is free",
            ));
        }
        let spoken = |dialect| provider.in_dialect(dialect).is_some();
        if self.dialect.is_some_and(|dialect| !spoken(dialect)) {
            return Err(fail("dialect", "the provider doesn't speak it"));
        }
        let mut endpoint = base.cloned().unwrap_or_else(|| self.fresh(tag, model, provider));
        self.overlay(&mut endpoint);
        if let Some(discount) = self.discount {
            self.reduce(&mut endpoint, discount).map_err(|problem| fail("discount", problem))?;
        }
        // A price that is not there is none of nothing.
        let prices = &endpoint.prices;
        let all_zero = prices.prices_tokens() && prices.is_free();
        endpoint.free = self.free.unwrap_or(endpoint.free || all_zero);
        if endpoint.free {
            endpoint.prices = free_prices();
        }
        Ok(endpoint)
    }

    /// Takes the discount off the prices of this row.
    fn reduce(&self, endpoint: &mut Endpoint, discount: Discount) -> Result<(), &'static str> {
        if self.pricing.is_none() {
            return Err("needs pricing in the same row: built-in prices have theirs taken off");
        }
        let reduced = endpoint.prices.discounted(discount);
        endpoint.prices = reduced.ok_or("makes a price larger than a price can be")?;
        endpoint.discount = discount.to_string().parse().ok();
        Ok(())
    }

    fn fresh(&self, tag: String, model: &Model, provider: &Provider) -> Endpoint {
        let dialect = self.dialect.or_else(|| provider.speaks.first().map(|one| one.dialect));
        let name = model.base.split_once('/').map_or(model.base.as_str(), |(_, name)| name);
        Endpoint {
            id: format!("{}@{tag}", model.id),
            model: model.id.clone(),
            provider: provider.slug.clone(),
            name: format!("{} | {}", provider.name, model.id),
            tag,
            tier: None,
            provider_model_id: name.to_owned(),
            variant: model.variant.clone(),
            dialect: None,
            own_protocol: false,
            quantization: Quantization::Unknown,
            region: None,
            context_length: model.context_length,
            max_prompt: None,
            max_output: model.max_output,
            supported_parameters: dialect.map_or(ParameterSet::EMPTY, Dialect::parameters),
            tool_choice: ToolChoices::ALL,
            features: Features { multipart: true, ..Features::default() },
            manner: Manner::new(),
            prices: PriceTable::default(),
            discount: None,
            unit_pricing: Vec::new(),
            status: 0,
            free: false,
            byok_only: false,
            hidden: false,
            disabled: false,
            deranked: false,
            moderation_required: provider.moderation_required,
            can_abort: provider.can_abort,
            chat: model.writes(Modality::Text),
            completions: model.writes(Modality::Text),
            reasoning: model.reasoning.is_some(),
            limit_rpm: None,
            limit_rpd: None,
            capacity_tpm: None,
            created: model.created,
            deprecation_date: None,
            data_policy: DataPolicy::NOTHING_KEPT,
            perf_30m: None,
            scores: Vec::new(),
            image_options: None,
            video_options: None,
            task: Task::of(model),
            blocked: None,
        }
    }

    fn overlay(&self, endpoint: &mut Endpoint) {
        fn set<T: Clone>(slot: &mut T, given: Option<&T>) {
            if let Some(given) = given {
                slot.clone_from(given);
            }
        }
        fn set_option<T: Clone>(slot: &mut Option<T>, given: &Option<T>) {
            if given.is_some() {
                slot.clone_from(given);
            }
        }
        set(&mut endpoint.id, self.id.as_ref());
        set(&mut endpoint.name, self.name.as_ref());
        set(&mut endpoint.provider_model_id, self.provider_model_id.as_ref());
        set(&mut endpoint.quantization, self.quantization.as_ref());
        set(&mut endpoint.context_length, self.context_length.as_ref());
        set(&mut endpoint.supported_parameters, self.supported_parameters.as_ref());
        set(&mut endpoint.tool_choice, self.tool_choice.as_ref());
        set(&mut endpoint.manner, self.manner.as_ref());
        set(&mut endpoint.features, self.features.as_ref());
        set(&mut endpoint.unit_pricing, self.unit_pricing.as_ref());
        set(&mut endpoint.scores, self.scores.as_ref());
        set(&mut endpoint.status, self.status.as_ref());
        set(&mut endpoint.byok_only, self.byok_only.as_ref());
        set(&mut endpoint.hidden, self.hidden.as_ref());
        set(&mut endpoint.disabled, self.disabled.as_ref());
        set(&mut endpoint.deranked, self.deranked.as_ref());
        set(&mut endpoint.moderation_required, self.moderation_required.as_ref());
        set(&mut endpoint.can_abort, self.can_abort.as_ref());
        set(&mut endpoint.chat, self.chat.as_ref());
        set(&mut endpoint.completions, self.completions.as_ref());
        set(&mut endpoint.reasoning, self.reasoning.as_ref());
        set_option(&mut endpoint.tier, &self.tier);
        set_option(&mut endpoint.dialect, &self.dialect);
        set_option(&mut endpoint.region, &self.region);
        set_option(&mut endpoint.max_prompt, &self.max_prompt);
        set_option(&mut endpoint.max_output, &self.max_output);
        set_option(&mut endpoint.limit_rpm, &self.limit_rpm);
        set_option(&mut endpoint.limit_rpd, &self.limit_rpd);
        set_option(&mut endpoint.capacity_tpm, &self.capacity_tpm);
        set_option(&mut endpoint.deprecation_date, &self.deprecation_date);
        set_option(&mut endpoint.perf_30m, &self.perf_30m);
        set_option(&mut endpoint.image_options, &self.image_options);
        set_option(&mut endpoint.video_options, &self.video_options);
        if let Some(FlatPrices(prices)) = &self.pricing {
            endpoint.prices = prices.clone();
            endpoint.discount = None;
        }
        if let Some(policy) = self.data_policy {
            endpoint.data_policy = policy.into();
        }
        if self.dialect.is_some() {
            endpoint.own_protocol = false;
        }
    }
}

/// Zero for prompt and completion: what a free endpoint charges whatever else was supplied
/// (inference spec A.4).
fn free_prices() -> PriceTable {
    let mut prices = PriceTable::default();
    prices.rates.set(signalbox_core::PriceKind::Prompt, signalbox_core::Rate::ZERO);
    prices.rates.set(signalbox_core::PriceKind::Completion, signalbox_core::Rate::ZERO);
    prices
}
