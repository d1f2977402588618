//! Makes the weights from the training half: multinomial logistic regression, the same bytes each
//! time it is run on the same machine.

use crate::features::{self, Section, Seen};
use crate::labelled::{self, Backdrop, Half, Labelled};
use crate::linear::softmax;
use crate::tag::{MacroGroup, TaskTag};
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
    /// Models by seeds of their own that are averaged into one.
    pub averaged: u32,
    /// Below this confidence there is no answer.
    pub threshold: f32,
    /// Divides the logits, so that confidence is as large as accuracy on held-out prompts.
    pub temperature: f32,
}

impl Default for Options {
    /// What the committed weights were made with. Cross-validation within the training half chose it.
    fn default() -> Self {
        Self {
            rounds: 15,
            rate: 0.5,
            decay: 0.0,
            dropout: 0.5,
            kinds: features::KINDS,
            seed: 1,
            averaged: 2,
            threshold: 0.3,
            temperature: 0.85,
        }
    }
}

/// A prompt as the buckets that it touches.
#[derive(Debug, Clone)]
pub struct Example {
    /// The class: [`TaskTag::class`].
    pub class: usize,
    /// The distinct buckets of the user's text, then those of the system text.
    pub buckets: [Vec<u32>; 2],
}

impl Example {
    /// The features of a labelled prompt.
    #[must_use]
    pub fn new(labelled: &Labelled, kinds: u32) -> Self {
        let mut seen = Seen::default();
        let mut buckets = [Vec::new(), Vec::new()];
        let [users, systems] = &mut buckets;
        features::each_of(kinds, &labelled.prompt(), &mut |section, bucket| {
            if seen.first_time(bucket) {
                match section {
                    Section::User => users.push(bucket),
                    Section::System => systems.push(bucket),
                }
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
        let mut mean = Self { rows: vec![[0.0; LANES]; BUCKETS], bias: [0.0; LANES] };
        let models = options.averaged.max(1);
        for model in 0..models {
            let one = Self::fit_one(examples, options, options.seed.wrapping_add(model.into()));
            let pairs = mean
                .rows
                .iter_mut()
                .chain([&mut mean.bias])
                .zip(one.rows.iter().chain([&one.bias]));
            for (mean, one) in pairs.flat_map(|(mean, one)| mean.iter_mut().zip(one)) {
                *mean += one / (models as f32 * options.temperature);
            }
        }
        mean
    }

    fn fit_one(examples: &[Example], options: &Options, seed: u64) -> Self {
        let mut model = Self { rows: vec![[0.0; LANES]; BUCKETS], bias: [0.0; LANES] };
        let mut moved = Self { rows: vec![[1e-2; LANES]; BUCKETS], bias: [1e-2; LANES] };
        let mut dice = Dice(seed.max(1));
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let mut kept = [Vec::new(), Vec::new()];
        for _ in 0..options.rounds {
            dice.shuffle(&mut order);
            for example in order.iter().filter_map(|place| examples.get(*place)) {
                for (kept, buckets) in kept.iter_mut().zip(&example.buckets) {
                    kept.clear();
                    let stays = |_: &u32| dice.share() >= options.dropout;
                    kept.extend(buckets.iter().copied().filter(stays));
                }
                model.learn(&mut moved, &kept, example.class, options);
            }
        }
        model
    }

    fn learn(
        &mut self,
        moved: &mut Self,
        buckets: &[Vec<u32>; 2],
        class: usize,
        options: &Options,
    ) {
        let mut slope = self.probabilities(buckets);
        if let Some(right) = slope.get_mut(class) {
            *right -= 1.0;
        }
        for section in buckets {
            let norm = features::norm(u32::try_from(section.len()).unwrap_or(u32::MAX));
            for bucket in section {
                let at = *bucket as usize;
                if let (Some(row), Some(past)) = (self.rows.get_mut(at), moved.rows.get_mut(at)) {
                    step(row, past, &slope, norm, options);
                }
            }
        }
        step(&mut self.bias, &mut moved.bias, &slope, 1.0, options);
    }

    /// How likely each class is; the padding has nothing.
    #[must_use]
    pub fn probabilities(&self, buckets: &[Vec<u32>; 2]) -> [f32; LANES] {
        let mut logits = self.bias;
        for section in buckets {
            let mut sums = [0.0f32; LANES];
            for row in section.iter().filter_map(|bucket| self.rows.get(*bucket as usize)) {
                for (sum, weight) in sums.iter_mut().zip(row) {
                    *sum += weight;
                }
            }
            let norm = features::norm(u32::try_from(section.len()).unwrap_or(u32::MAX));
            for (logit, sum) in logits.iter_mut().zip(sums) {
                *logit += sum * norm;
            }
        }
        let (classes, padding) = logits.split_at_mut(TaskTag::COUNT);
        softmax(classes);
        padding.fill(0.0);
        logits
    }

    /// The rows as bytes and what a step of them is worth.
    fn quantised(&self) -> (Vec<[u8; LANES]>, f32) {
        let most = self.rows.as_flattened().iter().fold(0.0f32, |most, one| most.max(one.abs()));
        let step = most.max(f32::MIN_POSITIVE) / 127.0;
        let small = |weight: &f32| ((weight / step).round() as i8).cast_unsigned();
        let rows =
            self.rows.iter().map(|row| std::array::from_fn(|at| row.get(at).map_or(0, small)));
        (rows.collect(), step)
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
    let learnt: Vec<Labelled> = labelled::prompts(Half::Train).chain(labelled::lines()).collect();
    let examples = examples(&learnt, &labelled::backdrops().collect::<Vec<_>>(), options.kinds);
    let model = Model::fit(&examples, options);
    let (rows, step) = model.quantised();
    Weights {
        fingerprint: labelled::fingerprint(Half::Train),
        step,
        threshold: options.threshold,
        bias: model.bias,
        rows: &rows,
    }
    .write()
}

/// The prompts, and those without a system text once more in front of a backdrop.
fn examples(learnt: &[Labelled], backdrops: &[Backdrop], kinds: u32) -> Vec<Example> {
    let mut examples = Vec::new();
    for (place, one) in learnt.iter().enumerate() {
        examples.push(Example::new(one, kinds));
        if let Some(one) = before(one, place, backdrops) {
            examples.push(Example::new(&one, kinds));
        }
    }
    examples
}

/// A prompt without a system text in front of one of the backdrops: a coding agent's for half of the
/// prompts on code and of those for agents, and for one in six of the others.
fn before(one: &Labelled, place: usize, backdrops: &[Backdrop]) -> Option<Labelled> {
    let often = matches!(one.tag.macro_group(), MacroGroup::Code | MacroGroup::Agent);
    let coding = place.is_multiple_of(if often { 2 } else { 6 });
    let fitting: Vec<&Backdrop> = backdrops.iter().filter(|one| one.coding == coding).collect();
    let backdrop = fitting.get((place / 2).checked_rem(fitting.len())?)?;
    let tools = if coding { one.tools.max(4 + place % 17) } else { one.tools };
    one.system.is_empty().then_some(Labelled { system: backdrop.system, tools, ..*one })
}

/// What a model trained on the others said of a held-out prompt of the training half.
#[derive(Debug, Clone, Copy)]
pub struct HeldOut {
    /// The class that it has.
    pub class: usize,
    /// How likely each class was found.
    pub probabilities: [f32; LANES],
    /// The same in front of a backdrop that the model hasn't seen either; none for a prompt with a
    /// system text of its own.
    pub before_backdrop: Option<[f32; LANES]>,
}

/// Cross-validates within the training half: every prompt is judged by a model that hasn't seen it.
#[must_use]
pub fn cross_validate(options: &Options, folds: usize) -> Vec<HeldOut> {
    let folds = folds.max(2);
    let prompts: Vec<Labelled> = labelled::prompts(Half::Train).collect();
    let backdrops: Vec<Backdrop> = labelled::backdrops().collect();
    let mut found = Vec::new();
    for fold in 0..folds {
        let (held, learnt) = split(&prompts, fold, folds);
        let (strange, known) = split(&backdrops, fold, folds);
        let learnt: Vec<Labelled> = learnt.into_iter().chain(labelled::lines()).collect();
        let model = Model::fit(&examples(&learnt, &known, options.kinds), options);
        let judge = |one: &Labelled| model.probabilities(&Example::new(one, options.kinds).buckets);
        found.extend(held.iter().enumerate().map(|(place, one)| HeldOut {
            class: one.tag.class(),
            probabilities: judge(one),
            before_backdrop: before(one, place, &strange).map(|one| judge(&one)),
        }));
    }
    found
}

/// Those of one fold, and the others.
fn split<T: Copy>(all: &[T], fold: usize, folds: usize) -> (Vec<T>, Vec<T>) {
    let mut places = 0..;
    all.iter().partition(|_| places.next().is_some_and(|place: usize| place % folds == fold))
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
