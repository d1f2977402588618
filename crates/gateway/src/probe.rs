//! Whether a provider takes a caller's own key: one small request with it, sent to the cheapest model
//! that it leads to, by the road that requests take. Nothing is billed or remembered.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use signalbox_catalog::{Provider, Task};
use signalbox_core::{Secret, Timestamp, Usage, Usd, limits};
use signalbox_policy::health::Unknown;
use signalbox_policy::{ByokKey, Candidate, Failure};
use signalbox_upstream::{Call, Credential, CredentialError, Limits};

use crate::attempt::failed_call;
use crate::estimate;
use crate::gateway::Gateway;
use crate::inbound::{Inbound, RequestHead, Surface};
use crate::open::Opened;
use crate::own_keys::Access;
use crate::prepare::{self, Said};
use crate::reserve::Bound;
use crate::resolve::{Around, forgetful, resolve};
use crate::world::{World, wire};

/// How long the provider may take, unless a request's first content would have to come sooner.
const PATIENCE: Duration = Duration::from_secs(20);
/// Tokens of an answer: some providers take no fewer.
const OUTPUT: u64 = 16;

/// What came of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeOutcome {
    /// The provider's HTTP status; `None` when there was no answer.
    pub status: Option<u16>,
    /// The model that was asked; `None` when the key leads to none of the catalogue, and nothing was
    /// sent.
    pub model: Option<String>,
    /// Why there was no answer. Nothing of the credential and of the provider's words is in it.
    pub problem: Option<String>,
    /// Milliseconds until the answer began.
    pub latency_ms: u64,
}

impl ProbeOutcome {
    /// Whether the key is good for requests.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl Gateway {
    /// Asks a provider, by its slug, with a caller's own credential. One that nobody has set up is not
    /// asked.
    ///
    /// # Errors
    /// The credential can't be used there; nothing was sent.
    pub async fn probe(
        &self,
        provider: &str,
        secret: &Secret<String>,
    ) -> Result<ProbeOutcome, CredentialError> {
        let world = self.world.load_full();
        match world.catalog.provider(provider) {
            Some(row) => Credential::check(row, secret)?,
            None if Provider::is_known_elsewhere(provider) => drop(Credential::parse(secret)?),
            None => return Err(CredentialError::NotTaken),
        }
        let access = Access::new("probe".to_owned(), secret);
        let routing = ByokKey { provider: provider.to_owned(), ..ByokKey::default() };
        let (routing, now) = (access.completes(routing), self.clock.now());
        let mut outcome = ProbeOutcome { status: None, model: None, problem: None, latency_ms: 0 };
        let Some(candidate) = cheapest(&world, &routing, now) else { return Ok(outcome) };
        outcome.model = Some(candidate.model.id.clone());
        let began = self.clock.monotonic();
        match self.send(&world, &access, &candidate, now).await {
            Ok(status) => outcome.status = Some(status),
            Err(failure) => outcome.problem = Some(failure.message),
        }
        let took = self.clock.monotonic().saturating_sub(began).as_millis();
        outcome.latency_ms = u64::try_from(took).unwrap_or(u64::MAX);
        Ok(outcome)
    }

    async fn send(
        &self,
        world: &World,
        access: &Access,
        candidate: &Candidate,
        now: Timestamp,
    ) -> Result<u16, Failure> {
        let (endpoint, model) = (&candidate.endpoint, &candidate.model.id);
        let messages = json!([{"role": "user", "content": "Hi"}]);
        let body = json!({"model": model, "max_tokens": OUTPUT, "messages": messages});
        let (head, body) = (RequestHead::default(), body.to_string().into());
        let inbound = Inbound { surface: Surface::Chat, head, body, id: None };
        // What is only looked at stays behind: a task may go on elsewhere while it waits.
        let (resolved, head) = {
            let around = Around {
                catalog: &world.catalog,
                policy: &Arc::default(),
                health: &Unknown,
                now,
                dice: 0,
                classifier: None,
                before: &forgetful,
                screen: None,
            };
            let unfit = |error: signalbox_core::ApiError| Failure::unfit(error.message);
            let opened = Opened::bare(inbound).map_err(unfit)?;
            resolve(opened, &around).map_err(unfit)?
        };
        let road = access.road(world, candidate)?;
        let said = Said { resolved: &resolved, head: &head, world, account: "probe" };
        let inputs = &resolved.requirements.content.inputs;
        let bytes = resolved.document.bytes().len();
        let estimate = estimate::bound(&resolved.survey, bytes, inputs, endpoint);
        let bound = Bound { estimate, clamped: false, fee_bps: None };
        let prepared = prepare::body(said, candidate, &bound, &road)?;
        let call = Call {
            model: road.target.model(&endpoint.provider_model_id),
            region: endpoint.region.as_deref(),
            stream: false,
            headers: &prepared.headers,
            body: prepared.body.into_vec(),
            now,
        };
        let timeouts = self.timeouts(Some(candidate));
        let (limits, patience) = (Limits::of(&timeouts), PATIENCE.min(timeouts.first_content));
        let answer = self.client.post(&road.target, call, limits, patience).await;
        let answer = answer.map_err(failed_call)?;
        let status = answer.status.as_u16();
        // Read to its end, so that the provider sees nobody leave.
        drop(answer.excerpt(limits::MAX_ERROR_BYTES, patience).await);
        Ok(status)
    }
}

/// The endpoint at which a short chat costs least, of those that the key leads to.
fn cheapest(world: &World, key: &ByokKey, now: Timestamp) -> Option<Candidate> {
    let catalog = &world.catalog;
    let usage = Usage { input_uncached: OUTPUT, output: OUTPUT, ..Usage::default() };
    let mut best: Option<(Usd, Candidate)> = None;
    for model in catalog.models() {
        for endpoint in catalog.endpoints(&model.id) {
            let spoken = catalog.speaks(endpoint).is_some_and(|one| wire(one.dialect).is_some());
            if endpoint.task != Task::Chat || !spoken || !key.fits(endpoint, model) {
                continue;
            }
            let cost = signalbox_ledger::price(&usage, &endpoint.prices, now, 1);
            let Ok(cost) = cost.map(|cost| cost.total) else { continue };
            if best.as_ref().is_none_or(|(least, _)| cost < *least)
                && let Some(provider) = catalog.provider(&endpoint.provider)
            {
                let row = Arc::clone(provider);
                let named = Candidate::named(Arc::clone(endpoint), Arc::clone(model), row);
                best = Some((cost, named));
            }
        }
    }
    best.map(|(_, candidate)| candidate)
}
