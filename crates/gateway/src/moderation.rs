//! Moderation of prompts for endpoints whose providers require it (inference spec 4.5). It is off unless a
//! moderator is configured.
//!
//! The moderator is asked once for a request, and only when a candidate requires it. What it flags is not
//! sent to those candidates; others may answer. While it has no answer they are left out as well.

mod service;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use signalbox_core::{ApiError, ErrorKind, Flagged};
use signalbox_dialect::document::Document;
use signalbox_dialect::texts::{self, Voice};
use signalbox_policy::rule::{Detail, Reason};
use signalbox_policy::{Plan, Verdict};

pub use service::ModerationService;

use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::inbound::Surface;
use crate::resolve::Resolved;
use crate::screen::body;

/// Most bytes of a prompt that are judged. A longer one is not judged at all: what is left out could be
/// what matters.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Why a moderator said nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModerationFault {
    /// It can't be reached, or took too long.
    #[error("the moderator can't be reached: {0}")]
    Unreachable(String),
    /// What it said can't be read.
    #[error("the moderator's answer can't be read: {0}")]
    Malformed(String),
    /// The prompt is longer than what is judged.
    #[error("the prompt is too long to be judged")]
    TooLong,
}

/// What a moderator says in the end: what it flagged, if anything.
pub type Judgement<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Flagged>, ModerationFault>> + Send + 'a>>;

/// Judges prompts.
pub trait Moderator: Send + Sync + Debug {
    /// Judges the texts of one request, none of them empty.
    ///
    /// # Errors
    /// It has no answer.
    fn judge<'a>(&'a self, texts: &'a [String]) -> Judgement<'a>;
}

impl Gateway {
    /// Takes those candidates out of a plan that may not be sent this prompt.
    ///
    /// # Errors
    /// None is left: 403 for a prompt that was flagged, 503 while the moderator has no answer.
    pub(crate) async fn moderate(
        &self,
        surface: Surface,
        resolved: &mut Resolved,
        plan: &mut Plan,
    ) -> Result<(), ApiError> {
        let Some(moderator) = &self.moderator else { return Ok(()) };
        let first = plan.candidates.iter().find(|one| one.endpoint.moderation_required);
        let Some(first) = first.cloned() else { return Ok(()) };
        let began = self.clock.monotonic();
        let judged = match prompt(&resolved.document, surface) {
            Ok(texts) if texts.is_empty() => Ok(None),
            Ok(texts) => moderator.judge(&texts).await,
            Err(fault) => Err(fault),
        };
        let took = self.clock.monotonic().saturating_sub(began);
        resolved.moderation_ms = u64::try_from(took.as_millis()).ok();
        let (error, why) = match judged {
            Ok(None) => return Ok(()),
            Ok(Some(flagged)) => {
                let error = flagged.refusal(&first.provider.name, &first.model.id);
                (error, "its moderation flagged the prompt")
            }
            Err(fault) => {
                tracing::warn!(%fault, "a prompt was not moderated");
                (unjudged(&fault), "the prompt could not be moderated")
            }
        };
        leave_out(plan, why);
        if plan.candidates.is_empty() {
            self.exits.note(Exit::Screened);
            return Err(error);
        }
        Ok(())
    }
}

/// Takes out those that require moderation.
fn leave_out(plan: &mut Plan, why: &'static str) {
    let reason = Reason { excluded_by: "moderation", field: None, detail: Detail::Words(why) };
    let (excluded, candidates) = (&mut plan.excluded, &mut plan.candidates);
    candidates.retain(|one| {
        let required = one.endpoint.moderation_required;
        if required {
            let endpoint = one.endpoint.clone();
            let byok = one.byok.clone();
            excluded.push(Verdict { endpoint, byok, rule: "moderation", reason });
        }
        !required
    });
}

/// What others than the model wrote.
fn prompt(document: &Document, surface: Surface) -> Result<Vec<String>, ModerationFault> {
    let texts = texts::texts(document, body(surface));
    let theirs = texts.iter().filter(|one| one.voice() != Voice::Assistant);
    let theirs = theirs.map(|one| one.text()).filter(|text| !text.trim().is_empty());
    let mut left = MAX_BYTES;
    let mut all = Vec::new();
    for text in theirs {
        left = left.checked_sub(text.len()).ok_or(ModerationFault::TooLong)?;
        all.push(text.to_owned());
    }
    Ok(all)
}

fn unjudged(fault: &ModerationFault) -> ApiError {
    if *fault == ModerationFault::TooLong {
        let message = "The prompt is too long for the moderation that its model requires.";
        return ApiError::new(ErrorKind::ContextLengthExceeded, message);
    }
    let message = "The moderation that the model requires can't be reached. Please try again.";
    let mut error = ApiError::new(ErrorKind::ProviderOverloaded, message);
    error.retry_after = Some(1);
    error
}
