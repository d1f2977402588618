//! The immutable value that a request sees: the catalogue, and how to reach each provider.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use signalbox_catalog::{Dialect, Endpoint, Provider, Snapshot, Speaks, Transport};
use signalbox_core::{FastMap, Secret};
use signalbox_dialect::gemini::write_request::{ThinkingStyle, Traits};
use signalbox_dialect::patch::{Patch, Patches};
use signalbox_dialect::watch::Watch;
use signalbox_dialect::{Ask, ReasoningStyle, WireDialect};
use signalbox_upstream::credential::Part;
use signalbox_upstream::{Credential, HeaderName, Target};

use crate::retrieval::Form;

/// How one provider is called in one dialect: of conversations, or of another form.
#[derive(Debug)]
pub struct Road<D = WireDialect> {
    /// The language of its bodies.
    pub dialect: D,
    /// Whether bodies and streams travel in the invoke envelope: beta features are named in the
    /// body, and events come inside a binary stream.
    pub is_invoke: bool,
    /// Address and authentication.
    pub target: Target,
    /// Edits of every request body.
    pub patches: Patches,
    /// Where its answers have what the dialect has another place for.
    pub watch: Option<Arc<Watch>>,
}

impl<D> Road<D> {
    fn new(speaks: &Speaks, dialect: D, target: Target) -> Result<Self, serde_json::Error> {
        let is_invoke = speaks.transport == Transport::BedrockInvoke;
        let (patches, watch) = (patches(&speaks.patches)?, watch(&speaks.watch)?);
        Ok(Self { dialect, is_invoke, target, patches, watch })
    }
}

impl Road {
    /// The language of answers with an error status: what refuses may be the cloud around a model.
    #[must_use]
    pub const fn errors(&self) -> WireDialect {
        if self.is_invoke { WireDialect::BedrockConverse } else { self.dialect }
    }
}

/// How one endpoint is spoken to.
#[derive(Debug)]
pub struct Manner {
    /// How it wants to be asked for reasoning.
    pub reasoning: Ask,
    /// What it understands of the Gemini dialect.
    pub traits: Traits,
    /// The beta features that it knows; `None` passes all on.
    pub betas: Option<Vec<String>>,
    /// The beta features that it always needs.
    pub add_betas: Vec<String>,
    /// The header that names a service tier, where the body has no place for it.
    pub tier_header: Option<HeaderName>,
    /// Edits of its request bodies: its provider's, then its own.
    pub patches: Patches,
}

/// Roads by provider and dialect.
type Ways<D> = FastMap<String, Vec<(Dialect, Arc<Road<D>>)>>;

/// A catalogue snapshot with a road to every provider that has a credential.
#[derive(Debug)]
pub struct World {
    /// The catalogue.
    pub catalog: Snapshot,
    /// By provider; few have more than one.
    roads: Ways<WireDialect>,
    /// The same for what is no conversation.
    forms: Ways<Form>,
    /// By endpoint id, of those that differ from the rule of their dialect.
    manners: FastMap<String, Manner>,
}

/// A row that can't be used as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{row}: {problem}")]
pub struct WorldError {
    /// The row: a provider or an endpoint.
    pub row: String,
    /// What is wrong with it.
    pub problem: String,
}

/// A manner as rules and rows write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct MannerRow {
    reasoning: Option<Ask>,
    thinking: ThinkingStyle,
    function_ids: bool,
    media_in_results: bool,
    json_with_functions: bool,
    betas: Option<Vec<String>>,
    add_betas: Vec<String>,
    tier_header: Option<String>,
    patches: Vec<Value>,
}

impl World {
    /// Compiles the rows of every provider in the catalogue, and the manner of its endpoints.
    ///
    /// # Errors
    /// The first row whose patches or manner don't compile, or whose address or credential is
    /// malformed. A provider without an address or a credential has no road, which is no error.
    pub fn new(
        catalog: Snapshot,
        credentials: &HashMap<String, Secret<String>>,
    ) -> Result<Self, WorldError> {
        let (mut roads, mut forms) = (Ways::default(), Ways::default());
        for provider in catalog.providers() {
            let wrong = |problem: String| WorldError {
                row: format!("provider {}", provider.slug),
                problem,
            };
            // Read once, so that its dialects share what is cached.
            let credential = credentials.get(&provider.slug).map(Credential::parse).transpose();
            let credential = credential.map_err(|error| wrong(error.to_string()))?;
            let (mut ways, mut others) = (Vec::new(), Vec::new());
            for speaks in &provider.speaks {
                let (dialect, form) = (wire(speaks.dialect), Form::of(speaks.dialect));
                if dialect.is_none() && form.is_none() {
                    continue;
                }
                // Rows are checked also where only callers' own keys lead.
                let read = patches(&speaks.patches).and(watch(&speaks.watch).map(drop));
                read.map_err(|error| wrong(error.to_string()))?;
                let open = speaks.transport == Transport::None;
                // The catalogue calls these blocked, each with its reason: own keys may lead there.
                if provider.base_url.is_none() || (credential.is_none() && !open) {
                    continue;
                }
                let target = Target::new(provider, speaks.dialect, credential.as_ref())
                    .map_err(|error| wrong(error.to_string()))?;
                let wrong = |error: serde_json::Error| wrong(error.to_string());
                if let Some(dialect) = dialect {
                    let road = Road::new(speaks, dialect, target.clone()).map_err(wrong)?;
                    ways.push((speaks.dialect, Arc::new(road)));
                }
                if let Some(dialect) = form {
                    let road = Road::new(speaks, dialect, target).map_err(wrong)?;
                    others.push((speaks.dialect, Arc::new(road)));
                }
            }
            roads.insert(provider.slug.clone(), ways);
            forms.insert(provider.slug.clone(), others);
        }
        let mut manners = FastMap::default();
        for endpoint in catalog.models().flat_map(|model| catalog.endpoints(&model.id)) {
            let Some(speaks) = catalog.speaks(endpoint) else { continue };
            if let Some(manner) = manner(&catalog, endpoint, speaks)? {
                manners.insert(endpoint.id.clone(), manner);
            }
        }
        Ok(Self { catalog, roads, forms, manners })
    }

    /// The road to an endpoint.
    #[must_use]
    pub fn road(&self, endpoint: &Endpoint) -> Option<&Arc<Road>> {
        self.way(&self.roads, endpoint)
    }

    /// The road to an endpoint that is asked for no conversation.
    #[must_use]
    pub fn form(&self, endpoint: &Endpoint) -> Option<&Arc<Road<Form>>> {
        self.way(&self.forms, endpoint)
    }

    /// A road for a part of a caller's own credential.
    pub(crate) fn own_road<D>(
        provider: &Provider,
        dialect: Dialect,
        codec: D,
        credential: &Credential,
        part: Part,
    ) -> Result<Road<D>, WorldError> {
        let wrong = |problem| WorldError { row: format!("provider {}", provider.slug), problem };
        let target = Target::own(provider, dialect, credential, part);
        let target = target.map_err(|error| wrong(error.to_string()))?;
        let speaks = provider.in_dialect(dialect).ok_or_else(|| wrong("not spoken".to_owned()))?;
        Road::new(speaks, codec, target).map_err(|error| wrong(error.to_string()))
    }

    fn way<'a, D>(&self, ways: &'a Ways<D>, endpoint: &Endpoint) -> Option<&'a Arc<Road<D>>> {
        let dialect = self.catalog.speaks(endpoint)?.dialect;
        let ways = ways.get(&endpoint.provider)?;
        ways.iter().find(|(spoken, _)| *spoken == dialect).map(|(_, road)| road)
    }

    /// How an endpoint is spoken to, when that is not just as its dialect has it.
    #[must_use]
    pub fn manner(&self, endpoint: &Endpoint) -> Option<&Manner> {
        self.manners.get(&endpoint.id)
    }
}

fn patches(rows: &[Value]) -> Result<Patches, serde_json::Error> {
    rows.iter().cloned().map(serde_json::from_value::<Patch>).collect()
}

/// Where to look besides; `None` when the row names no place.
fn watch(row: &signalbox_catalog::Watch) -> Result<Option<Arc<Watch>>, serde_json::Error> {
    let watch: Watch = serde_json::from_value(serde_json::to_value(row)?)?;
    Ok((watch != Watch::default()).then(|| Arc::new(watch)))
}

/// Compiles what families and the endpoint's own row say; `None` when they say nothing.
fn manner(
    catalog: &Snapshot,
    endpoint: &Endpoint,
    speaks: &Speaks,
) -> Result<Option<Manner>, WorldError> {
    let bad = |problem: String| WorldError { row: format!("endpoint {}", endpoint.id), problem };
    let wrong = |error: serde_json::Error| bad(error.to_string());
    let written = catalog.manner(endpoint);
    if written.is_empty() {
        return Ok(None);
    }
    let row: MannerRow = serde_json::from_value(Value::Object(written)).map_err(wrong)?;
    let dialect = wire(speaks.dialect);
    if let (Some(ask), Some(dialect)) = (&row.reasoning, dialect)
        && !ask.style.fits(dialect)
    {
        let style = ask.style;
        return Err(bad(format!("{} can't ask for reasoning as {style:?}", dialect.name())));
    }
    let tier_header = row.tier_header.as_deref().map(|name| {
        HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad(format!("{name:?}: no header")))
    });
    let usual = dialect.map(|dialect| Ask::of(usual_reasoning(dialect)));
    let own = patches(&row.patches).map_err(wrong)?;
    let all = patches(&speaks.patches).map_err(wrong)?.followed_by(&own);
    Ok(Some(Manner {
        reasoning: row.reasoning.or(usual).unwrap_or_default(),
        traits: Traits {
            thinking: row.thinking,
            function_ids: row.function_ids,
            media_in_results: row.media_in_results,
            json_with_functions: row.json_with_functions,
        },
        betas: row.betas,
        add_betas: row.add_betas,
        tier_header: tier_header.transpose()?,
        patches: all,
    }))
}

/// How endpoints of a dialect want to be asked for reasoning when nothing else is said.
pub(crate) const fn usual_reasoning(dialect: WireDialect) -> ReasoningStyle {
    match dialect {
        WireDialect::AnthropicMessages => ReasoningStyle::Budget,
        WireDialect::BedrockConverse | WireDialect::OpenaiCompletions => ReasoningStyle::None,
        WireDialect::OpenaiChat
        | WireDialect::OpenaiResponses
        | WireDialect::Gemini
        | WireDialect::CohereV2 => ReasoningStyle::Effort,
    }
}

/// The codec of a dialect, when there is one.
pub(crate) const fn wire(dialect: Dialect) -> Option<WireDialect> {
    match dialect {
        Dialect::OpenaiChat => Some(WireDialect::OpenaiChat),
        Dialect::OpenaiResponses => Some(WireDialect::OpenaiResponses),
        Dialect::AnthropicMessages => Some(WireDialect::AnthropicMessages),
        Dialect::Gemini => Some(WireDialect::Gemini),
        Dialect::CohereV2 => Some(WireDialect::CohereV2),
        Dialect::BedrockConverse => Some(WireDialect::BedrockConverse),
        Dialect::OpenaiCompletions => Some(WireDialect::OpenaiCompletions),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use signalbox_catalog::{Catalogue, ConfiguredCatalogue};
    use signalbox_dialect::ReasoningStyle::{AdaptiveEffort, AdaptiveOrBudget, Budget};

    use super::*;

    #[test]
    fn only_a_provider_with_address_and_credential_has_a_road() {
        let rows = serde_json::json!({"providers": [
            {"slug": "cloud", "speaks": [{"dialect": "openai-chat", "transport": "vertex"}]},
            {"slug": "local", "base_url": "http://127.0.0.1:1"},
            {"slug": "other", "base_url": "http://127.0.0.1:2"},
        ]});
        let configured: ConfiguredCatalogue = serde_json::from_value(rows).unwrap();
        let world = |key: &str| {
            let keys: HashSet<String> = ["cloud", "local"].map(String::from).into();
            let secrets = keys.iter().map(|slug| (slug.clone(), Secret::new(key.to_owned())));
            let secrets: HashMap<_, _> = secrets.collect();
            let catalog = Snapshot::build(Catalogue::default(), configured.clone(), &keys).unwrap();
            World::new(catalog, &secrets)
        };
        let found = world("key").unwrap();
        let ways = |slug: &str| found.roads[slug].len();
        assert_eq!((ways("cloud"), ways("local"), ways("other")), (0, 1, 0));
        let error = world("{\"a_key\":\"sekret\"}").unwrap_err().to_string();
        assert!(error.contains("provider ") && !error.contains("sekret"), "{error}");
    }

    #[test]
    fn models_are_spoken_to_as_their_family_wants() {
        let embedded = Snapshot::embedded().unwrap();
        let catalog =
            Snapshot::build(embedded, ConfiguredCatalogue::default(), &HashSet::new()).unwrap();
        let world = World::new(catalog, &HashMap::new()).unwrap();
        let first = |model: &str, provider: &str| {
            let mut endpoints = world.catalog.endpoints(model).iter();
            let endpoint = endpoints.find(|one| one.provider == provider).unwrap();
            world.manner(endpoint).unwrap()
        };
        for (model, expected) in [
            ("anthropic/claude-haiku-4.5", Budget),
            ("anthropic/claude-opus-4.6", AdaptiveOrBudget),
            ("anthropic/claude-sonnet-4.6", AdaptiveOrBudget),
            ("anthropic/claude-opus-4.8", AdaptiveEffort),
            ("anthropic/claude-sonnet-5", AdaptiveEffort),
            ("anthropic/claude-opus-5-fast", AdaptiveEffort),
        ] {
            assert_eq!(first(model, "anthropic").reasoning.style, expected, "{model}");
        }
        let thinking = |model| first(model, "google-ai-studio").traits.thinking;
        assert_eq!(thinking("google/gemini-3.1-pro-preview"), ThinkingStyle::Level);
        let budget = ThinkingStyle::Budget { least: 512, most: 24576, can_disable: true };
        assert_eq!(thinking("google/gemini-2.5-flash-lite"), budget);
    }
}
