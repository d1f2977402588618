//! Stage 4: the guardrails of a caller. What they permit goes into the plan; what they look for is looked
//! for in the texts of the body before anything else reads it: what is redacted is seen by no router, cache
//! or provider.

use signalbox_core::{ApiError, Timestamp};
use signalbox_dialect::document::Document;
use signalbox_dialect::texts::{self, Body, Change, Voice};
use signalbox_guard::{Named, Sample, Screen, Stage};

use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::inbound::{RequestHead, Surface};
use crate::metadata;
use crate::reply::Failed;
use crate::resolve::Resolved;
use crate::world::World;

/// What was found in a request. Most have none.
#[derive(Debug)]
pub(crate) struct Screened {
    /// What the guardrails did, in the order of their kinds.
    pub stages: Vec<Stage>,
    /// What the client is told when one of them blocks.
    pub refusal: Option<ApiError>,
}

impl Gateway {
    /// The refusal of a request that a guardrail blocks, with how it would have been routed for callers
    /// that ask.
    pub(crate) fn blocked(
        &self,
        world: &World,
        resolved: &mut Resolved,
        head: &RequestHead,
        now: Timestamp,
        dice: u64,
    ) -> Option<Failed> {
        let error = resolved.screened.as_mut()?.refusal.take()?;
        self.exits.note(Exit::Screened);
        let metadata = head.wants_metadata.then(|| {
            let request = &resolved.requirements;
            let plan = signalbox_policy::plan(request, &world.catalog, &self.health, now, dice);
            metadata::refused(resolved, &plan)
        });
        Some(Failed { error, id: None, metadata })
    }
}

/// What the caller's guardrails look for, and what a recogniser found for them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filters<'a> {
    pub screen: &'a Screen,
    pub named: &'a [Named],
}

/// Scans a body, and gives it back with what was redacted replaced.
pub(crate) fn screen(
    filters: Filters<'_>,
    document: Document,
    surface: Surface,
) -> (Document, Option<Box<Screened>>) {
    match scan(filters, &document, surface) {
        None => (document, None),
        Some((screened, None)) => (document, Some(screened)),
        Some((screened, Some(changed))) => (changed, Some(screened)),
    }
}

fn scan(
    filters: Filters<'_>,
    document: &Document,
    surface: Surface,
) -> Option<(Box<Screened>, Option<Document>)> {
    let texts = texts::texts(document, body(surface));
    let samples: Vec<Sample<'_>> = texts
        .iter()
        .map(|one| Sample { text: one.text(), from_user: one.voice() == Voice::User })
        .collect();
    let mut found = filters.screen.scan(&samples, filters.named);
    let continuing: Vec<usize> =
        texts.iter().enumerate().filter(|(_, one)| one.continues()).map(|(at, _)| at).collect();
    filters.screen.scan_seams(&samples, &continuing, &mut found);
    if found.is_empty() {
        return None;
    }
    let (stages, refusal) = (found.stages(), found.refusal());
    let redactions = if refusal.is_some() { Vec::new() } else { found.redactions() };
    let changes: Vec<Change> = redactions
        .into_iter()
        .map(|one| Change { text: one.text, span: one.span, with: one.with })
        .collect();
    let changed = (!changes.is_empty()).then(|| texts::changed(document, &texts, &changes));
    Some((Box::new(Screened { stages, refusal }), changed))
}

/// The kind of the bodies that come in by a door.
pub(crate) const fn body(surface: Surface) -> Body {
    match surface {
        Surface::Chat | Surface::Cursor => Body::Chat,
        Surface::Completions => Body::Completions,
        Surface::Messages => Body::Messages,
        Surface::Responses => Body::Responses,
        Surface::Embeddings => Body::Embeddings,
        Surface::Rerank => Body::Rerank,
    }
}
