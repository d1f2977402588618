//! What `openrouter/auto` costs and hits on labelled prompts, beside plainer choices.
//!
//! Every endpoint of the built-in catalogue counts as callable. Nothing is sent to anybody: quality is
//! a published index of the chosen model, never an answer.

use std::collections::{BTreeMap, HashSet};

use signalbox_catalog::{ConfiguredCatalogue, Model, Snapshot};
use signalbox_classifier::labelled::{Half, Labelled, prompts};
use signalbox_classifier::{LinearClassifier, TaskClassifier, TaskTag};
use signalbox_core::Timestamp;
use signalbox_policy::health::Unknown;
use signalbox_policy::router::{
    AutoSettings, Band, Choosing, CostTier, Eligible, Field, Group, Router, Settings, Task, choose,
};
use signalbox_policy::{Content, Requirements};

/// A choice hits when its index is at least this share of the best there is.
const HIT: f64 = 0.9;
/// Bytes of a token, for the cost of a prompt.
const BYTES_PER_TOKEN: usize = 4;
const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

/// What a way to choose came to over all prompts.
#[derive(Default, Clone, Copy)]
struct Sum {
    prompts: f64,
    dollars: f64,
    hits: f64,
    quality: f64,
}

impl Sum {
    fn add(&mut self, one: Outcome, weight: f64) {
        self.prompts += weight;
        self.dollars += weight * one.dollars;
        self.hits += if one.quality >= HIT { weight } else { 0.0 };
        self.quality += weight * one.quality;
    }

    fn row(&self, name: &str) -> String {
        format!(
            "| {name} | ${:.2} | {:.1} % | {:.1} % |",
            self.dollars / self.prompts * 1000.0,
            self.hits / self.prompts * 100.0,
            self.quality / self.prompts * 100.0,
        )
    }
}

#[derive(Clone, Copy)]
struct Outcome {
    dollars: f64,
    /// Share of the best index of the prompt's group; 0 without a figure.
    quality: f64,
}

pub(crate) fn run() -> anyhow::Result<()> {
    let catalog = everybody()?;
    let classifier = LinearClassifier::embedded()?;
    let mut ways: BTreeMap<usize, (&'static str, Sum)> = BTreeMap::new();
    let mut fixed: BTreeMap<String, Sum> = BTreeMap::new();
    let mut random = Sum::default();
    let mut picked: BTreeMap<String, u32> = BTreeMap::new();
    let mut rated = 0;
    for labelled in prompts(Half::Test) {
        let request = request(&labelled);
        let found = classifier.classify(&labelled.prompt()).map(|one| task(one.tag));
        let right = Some(task(labelled.tag));
        let group = task(labelled.tag).group;
        let pool = Pool::new(&catalog, &request, group);
        rated = pool.measured.len();
        for (place, (name, band, known)) in ways_to_choose(found, right).into_iter().enumerate() {
            let auto = AutoSettings { band, ..AutoSettings::default() };
            let settings = Settings { auto, ..Settings::default() };
            let chosen = choose(&choosing(&catalog, &request, known), &settings)
                .map_err(|error| anyhow::anyhow!(error.message))?;
            let Some(first) = chosen.first() else { continue };
            if place == 0 {
                *picked.entry(first.model.id.clone()).or_default() += 1;
            }
            let entry = ways.entry(place).or_insert((name, Sum::default()));
            entry.1.add(pool.outcome(&first.model), 1.0);
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of models are small")]
        let weight = 1.0 / pool.measured.len().max(1) as f64;
        for one in &pool.measured {
            let outcome = pool.outcome(one.model);
            random.add(outcome, weight);
            fixed.entry(one.model.id.clone()).or_default().add(outcome, 1.0);
        }
    }
    print(&ways, &fixed, random, &picked, rated);
    Ok(())
}

type Way = (&'static str, Option<Band>, Option<Task>);

fn ways_to_choose(found: Option<Task>, right: Option<Task>) -> Vec<Way> {
    let tier = |tier| Some(Band::Tier(tier));
    vec![
        ("auto, nothing said", None, found),
        ("auto, `cost_tier: low`", tier(CostTier::Low), found),
        ("auto, `cost_tier: medium`", tier(CostTier::Medium), found),
        ("auto, `cost_tier: high`", tier(CostTier::High), found),
        ("auto, `cost_tier: xhigh`", tier(CostTier::Xhigh), found),
        ("auto, `cost_tier: max`", tier(CostTier::Max), found),
        ("auto, nothing said, no classifier", None, None),
        ("auto, nothing said, the label instead of the classifier", None, right),
        ("auto, `cost_tier: high`, no classifier", tier(CostTier::High), None),
        ("auto, `cost_tier: high`, the label", tier(CostTier::High), right),
    ]
}

#[expect(clippy::print_stdout, reason = "a chore talks to the person who runs it")]
fn print(
    ways: &BTreeMap<usize, (&'static str, Sum)>,
    fixed: &BTreeMap<String, Sum>,
    random: Sum,
    picked: &BTreeMap<String, u32>,
    rated: usize,
) {
    println!("| choice | cost of 1,000 requests | hits | mean share of the best |");
    println!("|---|---|---|---|");
    for (name, sum) in ways.values() {
        println!("{}", sum.row(name));
    }
    let most = fixed.values().map(|sum| sum.prompts).fold(0.0, f64::max);
    // Only models that every prompt could have had.
    let everywhere: Vec<_> = fixed.iter().filter(|(_, sum)| sum.prompts >= most).collect();
    let least = |by: &dyn Fn(&Sum) -> f64, among: &dyn Fn(&Sum) -> bool| {
        let all = everywhere.iter().filter(|(_, sum)| among(sum));
        all.min_by(|a, b| by(a.1).total_cmp(&by(b.1))).copied()
    };
    let budget = |place: usize| ways.get(&place).map_or(0.0, |(_, sum)| sum.dollars);
    let mut baselines = vec![
        ("fixed, the cheapest".to_owned(), least(&|sum| sum.dollars, &|_| true)),
        ("fixed, the best".to_owned(), least(&|sum| -sum.quality, &|_| true)),
    ];
    for (place, what) in [(0, "nothing said"), (3, "`high`")] {
        let name = format!("fixed, the best that costs no more than auto with {what}");
        baselines.push((name, least(&|sum| -sum.quality, &|sum| sum.dollars <= budget(place))));
    }
    for (name, found) in baselines {
        if let Some((model, sum)) = found {
            println!("{}", sum.row(&format!("{name}: {model}")));
        }
    }
    println!("{}", random.row("random, evenly among all that are measured"));
    println!("\n{rated} models have the index that the last prompt's group goes by.");
    let mut picked: Vec<_> = picked.iter().collect();
    picked.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let list: Vec<_> = picked.iter().map(|(id, count)| format!("`{id}` ({count})")).collect();
    println!("Chosen with nothing said: {}.", list.join(", "));
}

/// The models that a prompt could have had.
struct Pool<'a> {
    group: Group,
    all: Vec<Eligible<'a>>,
    measured: Vec<Eligible<'a>>,
    best: f64,
}

impl<'a> Pool<'a> {
    fn new(catalog: &'a Snapshot, request: &'a Requirements, group: Group) -> Self {
        let all = Field::of(&choosing(catalog, request, None)).models;
        let measured: Vec<_> =
            all.iter().filter(|one| index(one.model, group).is_some()).cloned().collect();
        let best = measured.iter().filter_map(|one| index(one.model, group)).fold(0.0, f64::max);
        Self { group, all, measured, best }
    }

    fn outcome(&self, model: &Model) -> Outcome {
        let cost = self.all.iter().find(|one| one.model.id == model.id);
        Outcome {
            dollars: cost.map_or(0.0, |one| one.usual_cost(self.group)),
            quality: index(model, self.group).unwrap_or_default() / self.best,
        }
    }
}

/// The index that a group of tasks is judged by.
fn index(model: &Model, group: Group) -> Option<f64> {
    let figures = model.benchmarks.as_ref()?;
    match group {
        Group::Code => figures.coding,
        Group::Agent => figures.agentic,
        Group::Data | Group::General | Group::Unknown => figures.intelligence,
    }
}

fn task(tag: TaskTag) -> Task {
    Task { tag: tag.as_str(), group: Group::from_key(tag.macro_group().as_str()) }
}

fn request(labelled: &Labelled) -> Requirements {
    let bytes = labelled.system.len() + labelled.user.iter().map(|part| part.len()).sum::<usize>();
    let tokens = u64::try_from(bytes / BYTES_PER_TOKEN).unwrap_or(u64::MAX);
    let content = Content { prompt_tokens_expected: tokens, ..Content::default() };
    Requirements { content, ..Requirements::default() }
}

fn choosing<'a>(
    catalog: &'a Snapshot,
    request: &'a Requirements,
    task: Option<Task>,
) -> Choosing<'a> {
    Choosing {
        router: Router::Auto,
        requested: Router::Auto.id(),
        catalog,
        request,
        health: &Unknown,
        now: NOW,
        dice: 0,
        sort: None,
        admits: None,
        free_only: false,
        thinking: false,
        without_reasoning: false,
        task,
        before: None,
        last_author: None,
    }
}

/// The built-in catalogue, as if every provider were set up.
fn everybody() -> anyhow::Result<Snapshot> {
    let rows = Snapshot::embedded()?;
    let slugs: HashSet<String> = rows.providers.iter().map(|one| one.slug.clone()).collect();
    let addresses: Vec<_> = rows
        .providers
        .iter()
        .filter(|one| one.base_url.is_none())
        .map(|one| serde_json::json!({"slug": one.slug, "base_url": "https://example.com"}))
        .collect();
    let configured: ConfiguredCatalogue =
        serde_json::from_value(serde_json::json!({"providers": addresses}))?;
    Ok(Snapshot::build(rows, configured, &slugs)?)
}
