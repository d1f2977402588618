//! A list of events added up: the whole answer that a stream amounts to.

use signalbox_core::Usage;

use super::{Block, Event, FinishReason, Piece};
use crate::ProviderError;

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folded {
    /// The provider's own id of the answer.
    pub upstream_id: Option<String>,
    /// The choices by index.
    pub choices: Vec<FoldedChoice>,
    /// What was consumed.
    pub usage: Option<Usage>,
    /// What went wrong.
    pub error: Option<ProviderError>,
}

/// One whole choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldedChoice {
    /// Its index among the choices.
    pub index: u32,
    /// Its blocks in order.
    pub blocks: Vec<FoldedBlock>,
    /// Why it ended, and the provider's word for it.
    pub end: Option<(FinishReason, Option<String>)>,
}

/// One whole block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldedBlock {
    /// What it is.
    pub block: Block,
    /// Its text, reasoning or arguments.
    pub text: String,
    /// Its signature.
    pub signature: Option<String>,
    /// Its pieces of raw JSON or encrypted data.
    pub opaque: Vec<String>,
}

impl FoldedBlock {
    /// Whether its text is text of the answer; a refusal's is.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.block, Block::Text | Block::Refusal)
    }

    /// Whether its text is reasoning.
    #[must_use]
    pub fn is_reasoning(&self) -> bool {
        matches!(self.block, Block::Reasoning { .. })
    }

    fn add(&mut self, piece: &Piece) {
        match piece {
            Piece::Text(text) | Piece::Reasoning(text) | Piece::Arguments(text) => {
                self.text.push_str(text);
            }
            Piece::Signature(text) => self.signature.get_or_insert_default().push_str(text),
            Piece::Opaque(raw) => self.opaque.push(raw.clone()),
        }
    }
}

impl Folded {
    /// Adds up a lawful list of events.
    #[must_use]
    pub fn of(events: &[Event]) -> Self {
        let mut folded = Self::default();
        // Where each block lies: position of its choice and position in it.
        let mut places: Vec<(usize, usize)> = Vec::new();
        for event in events {
            match event {
                Event::Begin { upstream_id } => folded.upstream_id.clone_from(upstream_id),
                Event::Open { choice, block, .. } => {
                    let at = folded.choice(*choice);
                    if let Some(choice) = folded.choices.get_mut(at) {
                        places.push((at, choice.blocks.len()));
                        choice.blocks.push(FoldedBlock {
                            block: block.clone(),
                            text: String::new(),
                            signature: None,
                            opaque: Vec::new(),
                        });
                    }
                }
                Event::Delta { index, piece } => {
                    let place = usize::try_from(*index).ok().and_then(|at| places.get(at));
                    if let Some(&(choice, at)) = place
                        && let Some(choice) = folded.choices.get_mut(choice)
                        && let Some(block) = choice.blocks.get_mut(at)
                    {
                        block.add(piece);
                    }
                }
                Event::ChoiceEnd { choice, reason, native } => {
                    let at = folded.choice(*choice);
                    if let Some(choice) = folded.choices.get_mut(at) {
                        choice.end = Some((*reason, native.clone()));
                    }
                }
                Event::Usage(usage) => folded.usage = Some(*usage),
                Event::Error(error) => folded.error = Some(error.clone()),
                Event::Close { .. } | Event::Finish { .. } => {}
            }
        }
        folded.choices.sort_by_key(|choice| choice.index);
        folded
    }

    fn choice(&mut self, index: u32) -> usize {
        if let Some(at) = self.choices.iter().position(|choice| choice.index == index) {
            return at;
        }
        self.choices.push(FoldedChoice { index, blocks: Vec::new(), end: None });
        self.choices.len() - 1
    }
}
