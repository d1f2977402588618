//! Stage 7 of these requests: one try at one endpoint, to the end of its answer.

use std::time::Duration;

use signalbox_core::{ApiError, limits};
use signalbox_dialect::embeddings::Outbound;
use signalbox_dialect::loss::Loss;
use signalbox_policy::{Candidate, Failure};
use signalbox_upstream::{Answer, Call, HeaderMap, Limits};

use super::{Form, Retrieval, Retrieved, bound};
use crate::attempt::{AnswerKind, Answering, Job, Lost, Started, failed, failed_call};
use crate::cache;
use crate::prepare;

/// How long an answer may take: vectors are computed in one go, so that silence is a failure.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) async fn attempt(
    job: &Job,
    retrieval: &Retrieval,
    losses: &mut Vec<Loss>,
) -> Result<Started, Box<Lost>> {
    let candidate = job.candidate()?;
    let (endpoint, given) = (&candidate.endpoint, &job.given);
    let road = &*given.form(candidate)?;
    let user = prepare::user(given.said(), endpoint.data_policy.requires_user_ids);
    let manner = given.world.manner(endpoint);
    let out = Outbound {
        provider_model_id: road.target.model(&endpoint.provider_model_id),
        user: user.as_deref(),
        patches: manner.map_or(&road.patches, |manner| &manner.patches),
    };
    let written = retrieval.write(road.dialect, &out).map_err(|error| unwritable(&error))?;
    for loss in &written.losses {
        tracing::info!(id = %given.id, endpoint = endpoint.id, ?loss, "not carried over");
    }
    *losses = written.losses;
    let timeouts = job.timeouts();
    let patience = PATIENCE.min(job.left);
    let clock = &job.gateway.clock;
    let began = clock.monotonic();
    let further = HeaderMap::new();
    let call = Call {
        model: road.target.model(&endpoint.provider_model_id),
        region: endpoint.region.as_deref(),
        stream: false,
        headers: &further,
        body: vec![written.body],
        now: job.sent,
    };
    let limits_of_connection = Limits::of(&timeouts);
    let answer = job.gateway.client.post(&road.target, call, limits_of_connection, patience).await;
    let answer = answer.map_err(failed_call)?;
    if !answer.status.is_success() {
        return Err(refused(job, road.dialect, answer).await.into());
    }
    let left = patience.saturating_sub(clock.monotonic().saturating_sub(began));
    let body = answer.collect(limits::MAX_ANSWER_BYTES, left, timeouts.idle).await;
    let body = body.map_err(failed_call)?;
    let mut retrieved =
        retrieval.read_answer(road.dialect, &body).map_err(|fault| failed(&fault))?;
    let copy = cache::copy(given, &body);
    drop(body);
    counted(job, retrieval, candidate, &mut retrieved);
    let identity = given.identity(Some(job.index), given.received.seconds());
    let kind = AnswerKind::Retrieved(retrieved);
    Ok(Started::Answer(Box::new(Answering { index: job.index, identity, kind, copy })))
}

/// What can't be written is nobody's fault; another endpoint may have a place for it.
fn unwritable(error: &ApiError) -> Failure {
    let failure = Failure::unsent(error.message.clone());
    Failure { counts: false, ..failure }
}

async fn refused(job: &Job, form: Form, answer: Answer) -> Failure {
    let status = answer.status.as_u16();
    let retry_after = answer.retry_after(job.gateway.clock.now());
    let text = answer.excerpt(limits::MAX_ERROR_BYTES, Duration::from_secs(5)).await;
    let mut error = form.read_error(status, &text);
    error.retry_after = retry_after;
    Failure::reported(&error)
}

/// Sees that everything that is sold was counted.
fn counted(job: &Job, retrieval: &Retrieval, candidate: &Candidate, retrieved: &mut Retrieved) {
    let facts = retrieved.facts_mut();
    let (id, endpoint) = (&job.given.id, candidate.endpoint.id.as_str());
    if facts.usage.is_some() && !facts.usage_plausible {
        tracing::warn!(%id, endpoint, "a provider's counts can't be true");
    }
    if bound::complete(facts, retrieval, &candidate.endpoint) {
        tracing::debug!(%id, endpoint, "a provider's counts were estimated");
    }
}
