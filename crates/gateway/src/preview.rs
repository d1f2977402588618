//! What a provider would be sent, without sending it: for reviews of rows of data.

use std::sync::Arc;

use bytes::Bytes;
use signalbox_core::{ApiError, Timestamp};
use signalbox_dialect::embeddings::Outbound;
use signalbox_policy::Candidate;
use signalbox_policy::health::Unknown;
use signalbox_upstream::{Call, HeaderMap, Target};

use crate::estimate;
use crate::inbound::Inbound;
use crate::open::Opened;
use crate::prepare::{self, Prepared, Said};
use crate::reserve::Bound;
use crate::resolve::{Around, forgetful, resolve};
use crate::world::World;

/// A request that was not sent.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The address.
    pub url: String,
    /// The headers by name; secrets are stars.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// What of the client's request is not in it.
    pub losses: Vec<String>,
}

/// What the endpoint with this id would be sent for a request, whoever would be chosen for it: the
/// road, the rows and the code are those of a call.
///
/// # Errors
/// `invalid_request` when the request is wrong, when no provider that is set up has such an endpoint,
/// or when the endpoint can't be asked so.
pub fn preview(
    world: &World,
    inbound: Inbound,
    endpoint_id: &str,
    now: Timestamp,
) -> Result<Preview, ApiError> {
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
    let (resolved, head) = resolve(Opened::bare(inbound)?, &around)?;
    let candidate = candidate(world, endpoint_id)
        .ok_or_else(|| ApiError::invalid(format!("{endpoint_id}: no such endpoint")))?;
    let said = Said { resolved: &resolved, head: &head, world, account: "preview" };
    let endpoint = &candidate.endpoint;
    let set_up = || ApiError::invalid(format!("{}: not set up", endpoint.provider));
    let stream = resolved.survey.stream;
    if let Some(asked) = &resolved.retrieval {
        let road = world.form(endpoint).ok_or_else(set_up)?;
        let user = prepare::user(said, endpoint.data_policy.requires_user_ids);
        let manner = world.manner(endpoint);
        let out = Outbound {
            provider_model_id: &endpoint.provider_model_id,
            user: user.as_deref(),
            patches: manner.map_or(&road.patches, |manner| &manner.patches),
        };
        let written = asked.write(road.dialect, &out)?;
        let prepared = Prepared {
            body: written.body.into(),
            headers: HeaderMap::new(),
            losses: written.losses,
        };
        return shown(&road.target, &candidate, prepared, stream, now);
    }
    let road = world.road(endpoint).ok_or_else(set_up)?;
    let inputs = &resolved.requirements.content.inputs;
    let bytes = resolved.document.bytes().len();
    let estimate = estimate::bound(&resolved.survey, bytes, inputs, endpoint);
    let bound = Bound { estimate, clamped: false, fee_bps: None };
    let prepared = prepare::body(said, &candidate, &bound, road)
        .map_err(|failure| ApiError::invalid(failure.message))?;
    shown(&road.target, &candidate, prepared, stream, now)
}

fn candidate(world: &World, endpoint_id: &str) -> Option<Candidate> {
    let catalog = &world.catalog;
    let mut all = catalog.models().flat_map(|model| catalog.endpoints(&model.id));
    let endpoint = all.find(|one| one.id == endpoint_id)?.clone();
    let model = catalog.model(&endpoint.model)?.clone();
    let provider = catalog.provider(&endpoint.provider)?.clone();
    Some(Candidate::named(endpoint, model, provider))
}

fn shown(
    target: &Target,
    candidate: &Candidate,
    prepared: Prepared,
    stream: bool,
    now: Timestamp,
) -> Result<Preview, ApiError> {
    let body = prepared.body.whole();
    let call = Call {
        model: &candidate.endpoint.provider_model_id,
        region: candidate.endpoint.region.as_deref(),
        stream,
        headers: &prepared.headers,
        body: vec![body.clone()],
        now,
    };
    let (url, headers) =
        target.shown(&call).map_err(|error| ApiError::invalid(error.to_string()))?;
    let losses = prepared.losses.iter().map(ToString::to_string).collect();
    Ok(Preview { url, headers, body, losses })
}
