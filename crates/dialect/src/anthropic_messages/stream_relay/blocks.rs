//! The blocks of a relayed answer: which are open for the client, and under which index.

use super::{pass, with};
use crate::document::Raw;

/// Where a block of the provider's is for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// The provider's index.
    theirs: i128,
    /// The client's; none for a block that is left out.
    ours: Option<i128>,
}

/// The open blocks.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    exclude_reasoning: bool,
    open: Vec<Place>,
    /// The client's index of the next block, when blocks are left out.
    next: i128,
}

impl Blocks {
    pub(super) const fn new(exclude_reasoning: bool) -> Self {
        Self { exclude_reasoning, open: Vec::new(), next: 0 }
    }

    /// Writes an event of a block. The index alone may change, and only when blocks before it were
    /// left out.
    pub(super) fn write(&mut self, kind: &str, raw: Raw<'_>, out: &mut Vec<u8>) {
        let theirs = raw.get("index").and_then(Raw::integer).unwrap_or(0);
        let ours = match kind {
            "content_block_start" => {
                self.stop(theirs, out);
                let block = raw.get("content_block").and_then(|block| block.get("type")?.string());
                self.open(theirs, block.as_deref().is_some_and(is_reasoning))
            }
            "content_block_stop" => {
                let Some(at) = self.find(theirs) else { return };
                self.open.remove(at).ours
            }
            _ => match self.find(theirs).and_then(|at| self.open.get(at)) {
                Some(place) => place.ours,
                None => self.start(theirs, raw, out),
            },
        };
        match ours {
            Some(ours) if ours == theirs => pass(kind, raw.text(), out),
            Some(ours) => pass(kind, &with(raw, "index", ours.to_string()), out),
            None => {}
        }
    }

    /// Ends all blocks.
    pub(super) fn stop_all(&mut self, out: &mut Vec<u8>) {
        for place in std::mem::take(&mut self.open) {
            end(place, out);
        }
    }

    fn find(&self, theirs: i128) -> Option<usize> {
        self.open.iter().position(|place| place.theirs == theirs)
    }

    fn stop(&mut self, theirs: i128, out: &mut Vec<u8>) {
        if let Some(at) = self.find(theirs) {
            end(self.open.remove(at), out);
        }
    }

    fn open(&mut self, theirs: i128, is_reasoning: bool) -> Option<i128> {
        let ours = if !self.exclude_reasoning {
            Some(theirs)
        } else if is_reasoning {
            None
        } else {
            let ours = self.next;
            self.next = self.next.saturating_add(1);
            Some(ours)
        };
        self.open.push(Place { theirs, ours });
        ours
    }

    /// Begins a block whose provider only sent what is added to it: text or thinking.
    fn start(&mut self, theirs: i128, raw: Raw<'_>, out: &mut Vec<u8>) -> Option<i128> {
        let kind = raw.get("delta").and_then(|delta| delta.get("type")?.string());
        let thinks = kind.as_deref() == Some("thinking_delta");
        let ours = self.open(theirs, thinks)?;
        let block = if thinks {
            r#"{"type":"thinking","thinking":"","signature":""}"#
        } else {
            r#"{"type":"text","text":""}"#
        };
        let text = format!(
            "{{\"type\":\"content_block_start\",\"index\":{ours},\"content_block\":{block}}}"
        );
        pass("content_block_start", &text, out);
        Some(ours)
    }
}

/// Whether blocks of a type are reasoning.
pub(in crate::anthropic_messages) fn is_reasoning(kind: &str) -> bool {
    matches!(kind, "thinking" | "redacted_thinking")
}

fn end(place: Place, out: &mut Vec<u8>) {
    if let Some(ours) = place.ours {
        let text = format!("{{\"type\":\"content_block_stop\",\"index\":{ours}}}");
        pass("content_block_stop", &text, out);
    }
}
