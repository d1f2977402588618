//! Who chooses: our planner, with or without preferences, and the plain ways that it is compared
//! with. All of them obey the same hard rules and go through the same attempts; they differ in the
//! order of the candidates and in what they remember.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use signalbox_catalog::{Endpoint, Model, Snapshot};
use signalbox_core::{Parameter, Timestamp};
use signalbox_policy::health::Unknown;
use signalbox_policy::preferences::SortBy;
use signalbox_policy::{HealthBoard, Plan, ProviderPreferences, Requirements, Wanted, plan};

use crate::LabError;
use crate::workload::START;

/// A way to choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Strategy {
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Fixed,
    FixedThenOthers,
    Cheapest,
    RoundRobin,
    InverseSquare,
    Signalbox,
    Preferences(Box<ProviderPreferences>),
}

/// The strategies with a name, and what each does.
const NAMED: [(&str, Kind); 6] = [
    ("fixed", Kind::Fixed),
    ("fixed-fallback", Kind::FixedThenOthers),
    ("cheapest", Kind::Cheapest),
    ("round-robin", Kind::RoundRobin),
    ("inverse-square", Kind::InverseSquare),
    ("signalbox", Kind::Signalbox),
];

impl Strategy {
    /// All strategies that have a name: `fixed` (the most used endpoint, nothing else),
    /// `fixed-fallback` (the same, then the others by use), `cheapest` (in the order of prices),
    /// `round-robin`, `inverse-square` (a draw with weight 1/price²), none of which remembers
    /// failures, and `signalbox`, our default.
    #[must_use]
    pub fn all() -> Vec<Self> {
        NAMED.iter().map(|(name, kind)| Self { name: (*name).into(), kind: kind.clone() }).collect()
    }

    /// The strategy with this name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Self, LabError> {
        Self::all().into_iter().find(|one| one.name == name).ok_or_else(|| {
            let known: Vec<_> = NAMED.iter().map(|(name, _)| *name).collect();
            let problem = format!("{name:?} is none of {}", known.join(", "));
            LabError::setting("--strategies", problem)
        })
    }

    /// Our planner with these preferences, as JSON of the `provider` object, instead of the
    /// requests' own.
    ///
    /// # Errors
    /// The preferences are wrong; the text names the field.
    pub fn preferring(json: &str) -> Result<Self, LabError> {
        let preferences = ProviderPreferences::from_json(Some(json))
            .map_err(|error| LabError::setting("--provider", error.message))?;
        Ok(Self { name: json.to_owned(), kind: Kind::Preferences(Box::new(preferences)) })
    }

    /// The name in reports; preferences are named by their JSON.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is our planner, which knows what happened.
    pub(crate) const fn remembers(&self) -> bool {
        matches!(self.kind, Kind::Signalbox | Kind::Preferences(_))
    }

    /// Plans a request for one model. `turn` counts the requests for it.
    pub(crate) fn plan(&self, mut wish: Requirements, given: &Given<'_>, turn: usize) -> Plan {
        let mut ranks = None;
        match &self.kind {
            Kind::Signalbox => {}
            Kind::Preferences(preferences) => wish.provider = (**preferences).clone(),
            plain => {
                plain_again(&mut wish.provider);
                let standing = given.standing;
                match plain {
                    Kind::Cheapest => wish.provider.sort = Some(SortBy::Price),
                    Kind::RoundRobin => {
                        let start = turn.checked_rem(standing.listed.len()).unwrap_or(0);
                        ranks = Some((&standing.listed, start));
                    }
                    Kind::Fixed | Kind::FixedThenOthers => ranks = Some((&standing.by_use, 0)),
                    _ => {}
                }
            }
        }
        if self.remembers() {
            return plan(&wish, given.catalog, given.board, given.now, given.dice);
        }
        let Some((list, start)) = ranks else {
            return plan(&wish, given.catalog, &Unknown, given.now, given.dice);
        };
        wish.provider.order = list.tags_from(start);
        let mut made = plan(&wish, given.catalog, &Unknown, given.now, given.dice);
        // A tag may name several endpoints; the list has each of them in its own place.
        made.candidates.sort_by_key(|one| list.rank(&one.endpoint.id, start));
        if self.kind == Kind::Fixed {
            let primary = list.first();
            made.candidates.retain(|one| Some(one.endpoint.id.as_str()) == primary);
        }
        made
    }
}

/// What the caller wants in an order is the strategy's to say; what the caller forbids stays.
fn plain_again(wishes: &mut ProviderPreferences) {
    wishes.order.clear();
    wishes.allow_fallbacks = true;
    wishes.sort = None;
    wishes.preferred_min_throughput = Default::default();
    wishes.preferred_max_latency = Default::default();
}

/// What a plan is made with.
#[derive(Debug)]
pub(crate) struct Given<'a> {
    pub catalog: &'a Snapshot,
    pub board: &'a HealthBoard,
    pub standing: &'a Standing,
    pub now: Timestamp,
    pub dice: u64,
}

/// The endpoints of a model in an order that never changes.
#[derive(Debug)]
pub(crate) struct List {
    tags: Vec<String>,
    first: Option<String>,
    places: HashMap<String, usize>,
}

impl List {
    fn new(endpoints: &[&Endpoint]) -> Self {
        Self {
            tags: endpoints.iter().map(|one| one.tag.clone()).collect(),
            first: endpoints.first().map(|one| one.id.clone()),
            places: endpoints.iter().enumerate().map(|(at, one)| (one.id.clone(), at)).collect(),
        }
    }

    fn len(&self) -> usize {
        self.tags.len()
    }

    fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }

    fn tags_from(&self, start: usize) -> Vec<String> {
        self.tags.iter().cycle().skip(start).take(self.tags.len()).cloned().collect()
    }

    fn rank(&self, id: &str, start: usize) -> usize {
        let length = self.tags.len();
        let Some(place) = self.places.get(id) else { return usize::MAX };
        place.saturating_add(length).saturating_sub(start).checked_rem(length).unwrap_or(0)
    }
}

/// The endpoints of a model that may be called, in two orders.
#[derive(Debug)]
pub(crate) struct Standing {
    listed: List,
    by_use: List,
}

impl Standing {
    /// As the catalogue has them at the start: those that a bare request may go to. The most used
    /// comes first among those that can take any request: with tools, and with the longest prompts.
    pub(crate) fn new(catalog: &Snapshot, model: &Arc<Model>) -> Self {
        let wanted =
            Wanted { requested: model.id.clone(), model: model.clone(), sort: None, admits: None };
        let bare = Requirements { models: vec![wanted], ..Requirements::default() };
        let ruled_out = plan(&bare, catalog, &Unknown, START, 0).excluded;
        let usable = |one: &&Arc<Endpoint>| !ruled_out.iter().any(|out| out.endpoint.id == one.id);
        let all = catalog.endpoints(&model.id).iter();
        let endpoints: Vec<&Endpoint> = all.filter(usable).map(AsRef::as_ref).collect();
        let takes_all = |one: &Endpoint| {
            one.supported_parameters.contains(Parameter::Tools)
                && one.context_length.saturating_mul(2) > model.context_length
        };
        let used = |one: &Endpoint| one.perf_30m.map_or(0, |perf| perf.requests);
        let mut by_use = endpoints.clone();
        by_use.sort_by_key(|one| Reverse((takes_all(one), used(one))));
        Self { listed: List::new(&endpoints), by_use: List::new(&by_use) }
    }
}
