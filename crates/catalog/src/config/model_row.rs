//! A model as it is written in the configuration file.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::{Benchmarks, ModelStatus, ReasoningFacts};
use crate::prices::FlatPrices;
use crate::{CatalogueError, Modality, Model};
use signalbox_core::ParameterSet;

/// One `[[models]]` row.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `Model`, as they are written")]
pub struct ConfiguredModel {
    pub id: String,
    /// Left out: the id.
    #[serde(default)]
    pub name: Option<String>,
    /// Required, unless the id is a built-in one.
    #[serde(default)]
    pub context_length: Option<u64>,
    #[serde(default)]
    pub canonical_slug: Option<String>,
    #[serde(default)]
    pub created: Option<i64>,
    #[serde(default)]
    pub public: Option<bool>,
    #[serde(default)]
    pub max_output: Option<u64>,
    #[serde(default)]
    pub moderated: Option<bool>,
    #[serde(default)]
    pub hugging_face_id: Option<String>,
    /// Left out: text.
    #[serde(default)]
    pub input_modalities: Option<Vec<Modality>>,
    /// Left out: text.
    #[serde(default)]
    pub output_modalities: Option<Vec<Modality>>,
    #[serde(default)]
    pub tokenizer: Option<String>,
    #[serde(default)]
    pub instruct_type: Option<String>,
    /// Left out: that of the first endpoint.
    #[serde(default)]
    pub pricing: Option<FlatPrices>,
    /// Left out: those of the endpoints together.
    #[serde(default)]
    pub supported_parameters: Option<ParameterSet>,
    #[serde(default)]
    pub default_parameters: Option<Map<String, Value>>,
    #[serde(default)]
    pub reasoning: Option<ReasoningFacts>,
    #[serde(default)]
    pub knowledge_cutoff: Option<String>,
    #[serde(default)]
    pub expiration_date: Option<String>,
    #[serde(default)]
    pub supported_voices: Option<Vec<String>>,
    #[serde(default)]
    pub provider_order: Option<Vec<String>>,
    #[serde(default)]
    pub benchmarks: Option<Benchmarks>,
}

impl ConfiguredModel {
    /// The model that this row makes, on top of a built-in one if there is one with the id.
    pub fn apply(&self, base: Option<&Model>) -> Result<Model, CatalogueError> {
        let fail = |key: &str, problem: &str| {
            CatalogueError::new(format!("model {:?}", self.id), key, problem)
        };
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '@';
        if !self.id.contains('/') || self.id.contains(bad) {
            return Err(fail("id", "expected author/name without spaces and '@'"));
        }
        if crate::slug::Parts::parse(&self.id).is_none_or(|parts| parts.suffixes.len() > 1) {
            return Err(fail("id", "expected at most one suffix, and at most 256 characters"));
        }
        let mut model = match (base, self.context_length) {
            (Some(base), _) => base.clone(),
            (None, Some(length)) => Model::bare(&self.id, length),
            (None, None) => return Err(fail("context_length", "required")),
        };
        if model.status == ModelStatus::Retired {
            model.status = ModelStatus::Live;
            model.public = model.writes(Modality::Text);
        }
        self.overlay(&mut model);
        Ok(model)
    }

    fn overlay(&self, model: &mut Model) {
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
        set(&mut model.name, self.name.as_ref());
        set(&mut model.context_length, self.context_length.as_ref());
        set(&mut model.canonical_slug, self.canonical_slug.as_ref());
        set(&mut model.created, self.created.as_ref());
        set(&mut model.public, self.public.as_ref());
        set(&mut model.moderated, self.moderated.as_ref());
        set(&mut model.input_modalities, self.input_modalities.as_ref());
        set(&mut model.output_modalities, self.output_modalities.as_ref());
        set(&mut model.tokenizer, self.tokenizer.as_ref());
        set(&mut model.pricing, self.pricing.as_ref().map(|flat| &flat.0));
        set(&mut model.supported_parameters, self.supported_parameters.as_ref());
        set(&mut model.default_parameters, self.default_parameters.as_ref());
        set(&mut model.supported_voices, self.supported_voices.as_ref());
        set(&mut model.provider_order, self.provider_order.as_ref());
        set_option(&mut model.max_output, &self.max_output);
        set_option(&mut model.hugging_face_id, &self.hugging_face_id);
        set_option(&mut model.instruct_type, &self.instruct_type);
        set_option(&mut model.reasoning, &self.reasoning);
        set_option(&mut model.knowledge_cutoff, &self.knowledge_cutoff);
        set_option(&mut model.expiration_date, &self.expiration_date);
        set_option(&mut model.benchmarks, &self.benchmarks);
    }
}
