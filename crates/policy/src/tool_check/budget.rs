//! How much work a judgement may be.

/// Steps for all calls of one answer: a few milliseconds.
const STEPS: u32 = 100_000;

/// The judgement can't be made: the schema is no schema, or too much work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unjudged;

/// What is left.
#[derive(Debug)]
pub(super) struct Budget {
    left: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: STEPS }
    }
}

impl Budget {
    /// Spends steps.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Unjudged> {
        let steps = u32::try_from(steps).map_err(|_| Unjudged)?;
        match self.left.checked_sub(steps) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Unjudged)
            }
        }
    }
}
