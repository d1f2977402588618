//! Sources that a provider lists beside its choices, told as annotations of the first choice's message
//! (inference spec, appendix H). A row says where they are.

use super::chunk::{Rewriter, Shape};
use crate::citation::{Place, Sources};
use crate::compose::ArrayText;
use crate::document::Raw;

/// The sources of an answer on their way.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// `annotations` as JSON, until they are told.
    annotations: Option<String>,
    told: bool,
    /// Where the first whole message ends, its brace excluded.
    pub(super) message_end: Option<usize>,
}

impl Listed {
    /// Takes a list of addresses, or of objects with an address and perhaps a title. The last
    /// list counts.
    pub(super) fn take(&mut self, json: &str) {
        let (mut sources, mut list) = (Sources::default(), ArrayText::new());
        for (_, one) in Raw::new(json).elements() {
            let text = |key: &str| one.get(key).and_then(Raw::string).unwrap_or_default();
            let url = one.string().unwrap_or_else(|| text("url"));
            sources.tell(&url, &text("title"), Place::default(), &mut list);
        }
        self.annotations = (!list.is_empty() && !self.told).then(|| list.finish());
    }
}

impl Rewriter {
    /// Puts a chunk with the sources before the one that ends the choice, which begins at `before`.
    pub(super) fn tell_sources(&mut self, before: usize, out: &mut Vec<u8>) {
        if self.facts.finish.is_none() || self.shape != Shape::Chunk {
            return;
        }
        let Some(annotations) = self.listed.annotations.take() else { return };
        self.listed.told = true;
        let mut chunk = self.head().to_vec();
        chunk.extend_from_slice(b",\"choices\":[{\"index\":0,\"delta\":{\"annotations\":");
        chunk.extend_from_slice(annotations.as_bytes());
        chunk.extend_from_slice(b"},\"finish_reason\":null,\"native_finish_reason\":null}]}\n\n");
        drop(out.splice(before..before, chunk));
    }

    /// Puts the sources into the first message of a whole answer.
    pub(super) fn place_sources(&mut self, out: &mut Vec<u8>) {
        let (Some(annotations), Some(at)) =
            (self.listed.annotations.take(), self.listed.message_end.filter(|at| *at <= out.len()))
        else {
            return;
        };
        let member = format!(",\"annotations\":{annotations}");
        for optional in self.optional.iter_mut().filter(|one| one.at.start >= at) {
            optional.at = optional.at.start + member.len()..optional.at.end + member.len();
        }
        drop(out.splice(at..at, member.into_bytes()));
    }
}
