//! An attempt, and the one that may overtake it: when its endpoint answers nobody, or, as a hedge,
//! when it takes longer than usual. The first content wins; the other connection is closed.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use signalbox_policy::attempt::Purse;
use signalbox_policy::health::Observation;
use signalbox_policy::{Failure, Health, Plan};
use signalbox_runtime::Timer;

use crate::attempt::{self, Answering, Job, Lost, Started, Tried};
use crate::generation::Generation;
use crate::turn::{Door, Turn};
use crate::{record, waste};

/// Time between two looks at an attempt that may be hanging.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// The first look comes no later: what is usual may become known while an attempt waits.
const LOOK_FIRST: Duration = Duration::from_secs(2);

/// How it ended.
pub(crate) enum Raced {
    /// There is content, or a complete answer.
    Answer(Box<Answering>),
    /// The client left while waiting for content.
    ClientLeft,
    /// All of them failed, which is noted.
    Failed,
}

type Trying = Pin<Box<dyn Future<Output = Tried> + Send>>;

/// An attempt under way.
struct Run {
    turn: Turn,
    trying: Trying,
}

/// The attempts under way: one, or two when one is hedged.
struct Runs {
    first: Option<Run>,
    hedge: Option<Run>,
}

impl Runs {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<(Turn, Tried)> {
        for place in [&mut self.first, &mut self.hedge] {
            if let Some(run) = place
                && let Poll::Ready(tried) = run.trying.as_mut().poll(context)
                && let Some(run) = place.take()
            {
                return Poll::Ready((run.turn, tried));
            }
        }
        Poll::Pending
    }

    /// Those that are still under way.
    fn left(&mut self) -> impl Iterator<Item = Run> {
        [self.first.take(), self.hedge.take()].into_iter().flatten()
    }

    const fn are_over(&self) -> bool {
        self.first.is_none() && self.hedge.is_none()
    }
}

/// Runs an attempt that was let in until it, or whoever overtakes it, has content or has failed.
pub(crate) async fn run(generation: &mut Generation, plan: &Arc<Plan>, turn: Turn) -> Raced {
    let hedge_at = hedge_at(generation, &turn);
    let hang_at = hang_at(generation, &turn);
    let mut look = Timer::new(hedge_at.map_or(hang_at, |hedge_at| hedge_at.min(hang_at)));
    let mut hedge = hedge_at.is_some();
    let mut runs = Runs { first: Some(start(generation, turn)), hedge: None };
    loop {
        let ended = tokio::select! {
            biased;
            ended = poll_fn(|context| runs.poll(context)) => Some(ended),
            () = &mut look => None,
        };
        match ended {
            None => {
                look.set(LOOK_AGAIN);
                if std::mem::take(&mut hedge) {
                    second(generation, plan, &mut runs);
                    look.set(hang_at.saturating_sub(hedge_at.unwrap_or_default()).max(LOOK_AGAIN));
                } else if let Some(after) = overtake(generation, plan, &mut runs) {
                    look.set(after);
                }
            }
            Some((turn, tried)) => match tried.result {
                Ok(Started::Answer(answer)) => {
                    for loser in runs.left() {
                        lost_race(generation, loser);
                    }
                    turn.answering();
                    generation.trace.losses = tried.losses;
                    take(generation, turn);
                    let now = generation.gateway.clock.now();
                    generation.trace.content(now);
                    return Raced::Answer(answer);
                }
                // Another one that can't be stopped goes on, and will be paid for.
                Ok(Started::ClientLeft) => {
                    left(generation, turn);
                    if runs.are_over() {
                        return Raced::ClientLeft;
                    }
                }
                Err(lost) => {
                    generation.trace.echoes.extend(tried.echo);
                    failed(generation, turn, *lost);
                    if runs.are_over() {
                        return Raced::Failed;
                    }
                }
            },
        }
    }
}

fn start(generation: &Generation, turn: Turn) -> Run {
    let job = Job {
        gateway: Arc::clone(&generation.gateway),
        given: Arc::clone(&generation.given),
        index: turn.index,
        bound: generation.bounds.get(turn.index).copied(),
        sent: turn.sent,
        left: generation.time_left(),
        echoes: generation.trace.echoes.clone(),
        client: generation.sink.client(),
    };
    Run { turn, trying: Box::pin(attempt::attempt(job)) }
}

/// Makes an attempt the one that the notes are about.
fn take(generation: &mut Generation, turn: Turn) {
    generation.trace.sent = turn.sent;
    generation.turn = Some(turn);
}

fn failed(generation: &mut Generation, turn: Turn, mut lost: Lost) {
    let index = turn.index;
    let plan = Arc::clone(&generation.given.plan);
    let Some(candidate) = plan.candidates.get(index) else { return };
    if let Some(key) = &candidate.byok {
        lost.failure = lost.failure.with_own_key(&key.label);
    }
    take(generation, turn);
    let waste = lost.failure.worked.then(|| waste::of(generation, index, lost.usage)).flatten();
    let now = generation.gateway.clock.now();
    generation.gateway.refusals.failed(candidate, &lost.failure, now);
    record::failure(generation, index, candidate, &lost.failure);
    record::wasted(generation, lost.upstream_id, waste);
    generation.turn = None;
    generation.attempts.failed(&plan, index, lost.failure);
}

/// Closes the connection of an attempt that somebody else was faster than.
fn lost_race(generation: &mut Generation, run: Run) {
    let Run { turn, trying } = run;
    drop(trying);
    left(generation, turn);
}

/// Notes an attempt that was given up, for no fault of its endpoint. Nobody pays for it, and it may
/// have cost its prompt.
fn left(generation: &mut Generation, turn: Turn) {
    let index = turn.index;
    turn.end(Observation::Neutral);
    generation.trace.sent = turn.sent;
    let waste = waste::of(generation, index, None);
    record::overtaken(generation, index);
    record::wasted(generation, None, waste);
}

/// When it is time to ask whether an endpoint answers nobody.
fn hang_at(generation: &Generation, turn: &Turn) -> Duration {
    let whole = !generation.given.resolved.survey.stream;
    let after = |turn: &Turn| {
        Some(generation.gateway.health.hang_check_after(turn.candidate()?.seat(), whole))
    };
    after(turn).unwrap_or(LOOK_AGAIN).clamp(LOOK_AGAIN, LOOK_FIRST)
}

/// Leaves an endpoint that answers nobody, if there is somebody else. Returns when to look again,
/// when that is not soon.
fn overtake(generation: &mut Generation, plan: &Arc<Plan>, runs: &mut Runs) -> Option<Duration> {
    let run = match (&runs.first, &runs.hedge) {
        (Some(run), None) | (None, Some(run)) => run,
        _ => return None,
    };
    if !run.turn.hangs() {
        return None;
    }
    let made = generation.attempts.made();
    let turn = elsewhere(generation, plan, Purse::Retry { made })?;
    for Run { turn, trying } in runs.left() {
        drop(trying);
        let failure = Failure::timeout("the endpoint answers nobody");
        failed(generation, turn, Lost::from(failure));
    }
    let after = hang_at(generation, &turn);
    runs.first = Some(start(generation, turn));
    Some(after)
}

/// How long after sending a second endpoint is asked, when this request may be hedged: after what
/// all but one in twenty take. Only what can be stopped is hedged, and nothing that a caller's own key
/// answers: shared capacity would cost the caller more.
fn hedge_at(generation: &Generation, turn: &Turn) -> Option<Duration> {
    let gateway = &generation.gateway;
    if gateway.hedges.is_none() || !generation.given.resolved.survey.stream {
        return None;
    }
    let candidate = turn.candidate().filter(|one| one.endpoint.can_abort && one.byok.is_none())?;
    let past = gateway.health.of(&candidate.endpoint, candidate.seat().credential, turn.sent);
    let latency = past.latency_ms?;
    // Between the ninth decile and the last percentile: on a logarithmic scale, halfway.
    let usual = (latency.p90.max(1.0) * latency.p99.max(1.0)).sqrt();
    Duration::try_from_secs_f64(usual / 1_000.0).ok()
}

/// Asks a second endpoint as well.
fn second(generation: &mut Generation, plan: &Arc<Plan>, runs: &mut Runs) {
    if runs.hedge.is_none()
        && let Some(turn) = elsewhere(generation, plan, Purse::Hedge)
    {
        runs.hedge = Some(start(generation, turn));
    }
}

fn elsewhere(generation: &mut Generation, plan: &Arc<Plan>, purse: Purse) -> Option<Turn> {
    let gateway = Arc::clone(&generation.gateway);
    let now = gateway.clock.now();
    let streamed = generation.given.resolved.survey.stream;
    let door = Door { gateway: &gateway, streamed, now };
    let choice = generation.attempts.elsewhere(plan, &door, purse)?;
    Some(Turn::new(&gateway, &generation.given, choice.index, now))
}
