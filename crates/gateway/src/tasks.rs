//! What tells the kind of task of a prompt, for the routers that want to know.

use std::fmt;

use signalbox_classifier::{LinearClassifier, TaskClassifier};

/// A classifier, or none: then routers choose from their default set.
pub(crate) struct Tasks(Option<Box<dyn TaskClassifier>>);

impl Tasks {
    /// The one that is built in.
    pub(crate) fn embedded() -> Self {
        match LinearClassifier::embedded() {
            Ok(classifier) => Self(Some(Box::new(classifier))),
            Err(error) => {
                tracing::error!(%error, "the built-in task classifier can't be used");
                Self(None)
            }
        }
    }

    pub(crate) fn classifier(&self) -> Option<&dyn TaskClassifier> {
        self.0.as_deref()
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tasks({})", if self.0.is_some() { "a classifier" } else { "none" })
    }
}
