//! Makes the weights from the training half: multinomial logistic regression, the same bytes each
//! time it is run on the same machine.

use crate::features::{self, Seen};
use crate::labelled::{self, Half, Labelled};
use crate::linear::softmax;
use crate::tag::TaskTag;
use crate::weights::{BUCKETS, LANES, Weights};

/// How to train.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Rounds over the examples.
    pub rounds: u32,
    /// The size of a step; each weight's own steps get smaller as it moves (AdaGrad).
    pub rate: f32,
    /// How strongly weights are drawn to zero.
    pub decay: f32,
    /// The share of a feature's presence that is dropped at random while training, so that no word
    /// is relied on alone.
    pub dropout: f32,
    /// Kinds of features: [`features::KINDS`].
    pub kinds: u32,
    /// Seeds the order of examples and the dropout.
    pub seed: u64,
    /// Below this confidence there is no answer.
    pub threshold: f32,
    /// Divides the logits, so that confidence is as large as accuracy on held-out prompts.
    pub temperature: f32,
}

impl Default for Options {
    /// What the committed weights were made with. Cross-validation within the training half chose it.
    fn default() -> Self {
        Self {
            rounds: 30,
            rate: 0.5,
            decay: 0.0,
            dropout: 0.3,
            kinds: features::KINDS,
            seed: 1,
            threshold: 0.2,
            temperature: 1.0,
        }
    }
}

/// A prompt as the buckets that it touches.
#[derive(Debug, Clone)]
pub struct Example {
    /// The class: [`TaskTag::class`].
    pub class: usize,
    /// The distinct buckets.
    pub buckets: Vec<u32>,
}

impl Example {
    /// The features of a labelled prompt.
    #[must_use]
    pub fn new(labelled: &Labelled, kinds: u32) -> Self {
        let mut seen = Seen::default();
        let mut buckets = Vec::new();
        features::each_of(kinds, &labelled.prompt(), &mut |bucket| {
            if seen.first_time(bucket) {
                buckets.push(bucket);
            }
        });
        Self { class: labelled.tag.class(), buckets }
    }
}

/// A trained model before its weights are made small.
#[derive(Debug, Clone)]
pub struct Model {
    rows: Vec<[f32; LANES]>,
    bias: [f32; LANES],
}

impl Model {
    /// Trains on the examples.
    #[must_use]
    pub fn fit(examples: &[Example], options: &Options) -> Self {
        let mut model = Self { rows: vec![[0.0; LANES]; BUCKETS], bias: [0.0; LANES] };
        let mut moved = Self { rows: vec![[1e-2; LANES]; BUCKETS], bias: [1e-2; LANES] };
        let mut dice = Dice(options.seed.max(1));
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let mut kept = Vec::new();
        for _ in 0..options.rounds {
            dice.shuffle(&mut order);
            for example in order.iter().filter_map(|place| examples.get(*place)) {
                kept.clear();
                kept.extend(
                    example.buckets.iter().copied().filter(|_| dice.share() >= options.dropout),
                );
                model.learn(&mut moved, &kept, example.class, options);
            }
        }
        model
    }

    fn learn(&mut self, moved: &mut Self, buckets: &[u32], class: usize, options: &Options) {
        let norm = features::norm(u32::try_from(buckets.len()).unwrap_or(u32::MAX));
        let mut slope = self.probabilities(buckets);
        if let Some(right) = slope.get_mut(class) {
            *right -= 1.0;
        }
        for bucket in buckets {
            let at = *bucket as usize;
            if let (Some(row), Some(past)) = (self.rows.get_mut(at), moved.rows.get_mut(at)) {
                step(row, past, &slope, norm, options);
            }
        }
        step(&mut self.bias, &mut moved.bias, &slope, 1.0, options);
    }

    /// How likely each class is; the padding has nothing.
    #[must_use]
    pub fn probabilities(&self, buckets: &[u32]) -> [f32; LANES] {
        let mut sums = [0.0f32; LANES];
        for row in buckets.iter().filter_map(|bucket| self.rows.get(*bucket as usize)) {
            for (sum, weight) in sums.iter_mut().zip(row) {
                *sum += weight;
            }
        }
        let norm = features::norm(u32::try_from(buckets.len()).unwrap_or(u32::MAX));
        for (sum, bias) in sums.iter_mut().zip(self.bias) {
            *sum = *sum * norm + bias;
        }
        let (classes, padding) = sums.split_at_mut(TaskTag::COUNT);
        softmax(classes);
        padding.fill(0.0);
        sums
    }

    /// The rows as bytes and what a step of them is worth.
    fn quantised(&self, temperature: f32) -> (Vec<[u8; LANES]>, f32) {
        let most = self.rows.as_flattened().iter().fold(0.0f32, |most, one| most.max(one.abs()));
        let step = most.max(f32::MIN_POSITIVE) / 127.0;
        let small = |weight: &f32| ((weight / step).round() as i8).cast_unsigned();
        let rows =
            self.rows.iter().map(|row| std::array::from_fn(|at| row.get(at).map_or(0, small)));
        (rows.collect(), step / temperature)
    }
}

fn step(
    row: &mut [f32; LANES],
    past: &mut [f32; LANES],
    slope: &[f32; LANES],
    norm: f32,
    options: &Options,
) {
    for ((weight, past), slope) in row.iter_mut().zip(past).zip(slope).take(TaskTag::COUNT) {
        let slope = slope * norm + options.decay * *weight;
        *past += slope * slope;
        *weight -= options.rate * slope / past.sqrt();
    }
}

/// The file of weights for the committed training half.
#[must_use]
pub fn weights_file(options: &Options) -> Vec<u8> {
    let examples: Vec<Example> =
        labelled::prompts(Half::Train).map(|one| Example::new(&one, options.kinds)).collect();
    let model = Model::fit(&examples, options);
    let (rows, step) = model.quantised(options.temperature);
    Weights {
        fingerprint: labelled::fingerprint(),
        step,
        threshold: options.threshold,
        bias: model.bias.map(|bias| bias / options.temperature),
        rows: &rows,
    }
    .write()
}

/// What a model trained on the others said of a held-out prompt of the training half.
#[derive(Debug, Clone, Copy)]
pub struct HeldOut {
    /// The class that it has.
    pub class: usize,
    /// How likely each class was found.
    pub probabilities: [f32; LANES],
}

/// Cross-validates within the training half: every prompt is judged by a model that hasn't seen it.
#[must_use]
pub fn cross_validate(options: &Options, folds: usize) -> Vec<HeldOut> {
    let folds = folds.max(2);
    let examples: Vec<Example> =
        labelled::prompts(Half::Train).map(|one| Example::new(&one, options.kinds)).collect();
    let mut found = Vec::new();
    for fold in 0..folds {
        let (held, learnt): (Vec<_>, Vec<_>) =
            examples.iter().cloned().enumerate().partition(|(place, _)| place % folds == fold);
        let learnt: Vec<Example> = learnt.into_iter().map(|(_, example)| example).collect();
        let model = Model::fit(&learnt, options);
        found.extend(held.iter().map(|(_, example)| HeldOut {
            class: example.class,
            probabilities: model.probabilities(&example.buckets),
        }));
    }
    found
}

/// Numbers by a seed, for the order of examples: xorshift64*.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// 0 to 1, without 1.
    fn share(&mut self) -> f32 {
        (self.roll() >> 40) as f32 / (1u64 << 24) as f32
    }

    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            let other = (self.roll() % (last as u64 + 1)) as usize;
            order.swap(last, other);
        }
    }
}
