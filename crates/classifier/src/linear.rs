//! The linear model: add up the rows of the buckets that a prompt touches.

use crate::features::{self, Section, Seen};
use crate::weights::{EMBEDDED, LANES, Weights, WeightsError};
use crate::{Classification, PromptText, TaskClassifier, TaskTag};

/// A linear model over hashed features. Classifying allocates nothing.
#[derive(Debug, Clone, Copy)]
pub struct LinearClassifier<'a> {
    weights: Weights<'a>,
}

impl LinearClassifier<'static> {
    /// The model with the committed weights.
    ///
    /// # Errors
    /// The committed file doesn't fit this build; a test sees to it that it does.
    pub fn embedded() -> Result<Self, WeightsError> {
        Weights::read(EMBEDDED).map(|weights| Self { weights })
    }
}

impl<'a> LinearClassifier<'a> {
    /// A model with other weights.
    #[must_use]
    pub const fn new(weights: Weights<'a>) -> Self {
        Self { weights }
    }

    /// The same model with another threshold: 0 answers always, over 1 never.
    #[must_use]
    pub const fn with_threshold(mut self, threshold: f32) -> Self {
        self.weights.threshold = threshold;
        self
    }

    /// Below this confidence there is no answer.
    #[must_use]
    pub const fn threshold(&self) -> f32 {
        self.weights.threshold
    }

    /// How likely each tag is, in the order of [`TaskTag::ALL`]; adds up to 1.
    #[must_use]
    pub fn probabilities(&self, prompt: &PromptText<'_>) -> [f32; TaskTag::COUNT] {
        let mut users = ([0i32; LANES], 0u32);
        let mut systems = ([0i32; LANES], 0u32);
        let mut seen = Seen::default();
        features::each(prompt, &mut |section, bucket| {
            if !seen.first_time(bucket) {
                return;
            }
            let (sums, distinct) = match section {
                Section::User => &mut users,
                Section::System => &mut systems,
            };
            *distinct = distinct.saturating_add(1);
            let Some(row) = self.weights.rows.get(bucket as usize) else { return };
            for (sum, weight) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(i32::from(weight.cast_signed()));
            }
        });
        let mut logits = [0.0; TaskTag::COUNT];
        for (logit, bias) in logits.iter_mut().zip(self.weights.bias) {
            *logit = bias;
        }
        for (sums, distinct) in [users, systems] {
            let scale = features::norm(distinct) * self.weights.step;
            for (logit, sum) in logits.iter_mut().zip(sums) {
                *logit += sum as f32 * scale;
            }
        }
        softmax(&mut logits);
        logits
    }

    /// The likeliest tag, however unlikely it is, and its confidence.
    #[must_use]
    pub fn best(&self, prompt: &PromptText<'_>) -> (TaskTag, f32) {
        let mut best = (TaskTag::QaKnowledge, 0.0);
        for (tag, likely) in TaskTag::ALL.into_iter().zip(self.probabilities(prompt)) {
            if likely > best.1 {
                best = (tag, likely);
            }
        }
        best
    }
}

impl TaskClassifier for LinearClassifier<'_> {
    fn classify(&self, prompt: &PromptText<'_>) -> Option<Classification> {
        if prompt.user.iter().all(|part| part.trim_ascii().is_empty()) {
            return None;
        }
        let (tag, confidence) = self.best(prompt);
        (confidence >= self.weights.threshold).then(|| Classification {
            tag,
            macro_group: tag.macro_group(),
            confidence,
        })
    }
}

/// Turns logits into shares that add up to 1.
pub(crate) fn softmax(logits: &mut [f32]) {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        *logit = (*logit - most).exp();
        sum += *logit;
    }
    for share in logits {
        *share /= sum;
    }
}
