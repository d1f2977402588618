//! What kind of task a prompt is: pure, in process, from weights that are trained on prompts which
//! the project wrote.
//!
//! [`LinearClassifier`] is a linear model over hashed pieces of text ([`features`]); it looks at a
//! bounded part of a prompt and allocates nothing. [`TaskClassifier`] is what callers hold, so that
//! another model can stand there. [`labelled`] has the prompts, [`train`] makes the weights from the
//! training half of them. `docs/classifier.md` has the figures.

pub mod features;
pub mod labelled;
pub mod linear;
pub mod prompt;
pub mod report;
pub mod tag;
pub mod train;
pub mod weights;

pub use linear::LinearClassifier;
pub use prompt::PromptText;
pub use tag::{MacroGroup, TaskTag};
pub use weights::WeightsError;

/// What a prompt was found to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Classification {
    /// The task.
    pub tag: TaskTag,
    /// The group that the tag belongs to.
    pub macro_group: MacroGroup,
    /// How likely the tag is, 0 to 1, as the model sees it.
    pub confidence: f32,
}

/// Something that tells tasks apart.
///
/// It is called while a request waits: an implementation answers at once. One that asks another
/// process answers from what it already knows, and `None` until then.
pub trait TaskClassifier: Send + Sync {
    /// The task of a prompt, `None` when it can't be told with enough confidence.
    fn classify(&self, prompt: &PromptText<'_>) -> Option<Classification>;
}
