//! The world that the strategies act in: a catalogue that changes with time, and endpoints that
//! answer calls. Nothing here depends on who calls, but for the limits on load.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use signalbox_catalog::prices::FlatPrices;
use signalbox_catalog::{Catalogue, ConfiguredCatalogue, ConfiguredEndpoint, Endpoint, Snapshot};
use signalbox_core::Timestamp;

use crate::LabError;
use crate::behaviour::Behaviour;
use crate::chance::{Chance, For, number};
use crate::curve::Curve;
use crate::load::Load;
use crate::weather::{Fault, Outage, Recorded, Row, Weather, Whom};
use crate::workload::{Ask, START};

/// How a call goes. Times are in milliseconds from its beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Outcome {
    /// It is answered to the end.
    Answers { first: f64, total: f64, bad_tool_call: bool },
    /// It is answered, and breaks off after the first content.
    Breaks { first: f64, broken: f64 },
    /// An error instead of an answer.
    Refuses { after: f64, status: u16, retry_after: Option<u64> },
    /// Nothing ever comes.
    Silent,
}

/// One endpoint: its ways and its fate.
#[derive(Debug)]
struct Spot {
    id: u64,
    behaviour: Behaviour,
    outages: Vec<Outage>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Field {
    chance: Chance,
    /// From when on which catalogue holds; the first holds from the start.
    eras: Vec<(Timestamp, Arc<Snapshot>)>,
    /// Endpoint ids to places in `spots`.
    places: HashMap<String, usize>,
    spots: Vec<Spot>,
}

/// What a field is made of.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    pub catalogue: &'a Catalogue,
    pub configured: &'a ConfiguredCatalogue,
    pub weather: &'a Weather,
    /// Whether published limits on load hold.
    pub limited: bool,
    pub seed: u64,
}

/// How long an endpoint that refuses takes for it, as a share of its time to the first token.
const REFUSAL_SHARE: f64 = 0.25;

impl Field {
    /// The catalogue as it is at the start: what the workload is read with.
    ///
    /// # Errors
    /// The configuration does not fit the catalogue.
    pub(crate) fn catalog(ground: &Ground<'_>) -> Result<Snapshot, LabError> {
        build(ground.catalogue, ground.configured.clone())
    }

    /// The field for these models until `end`.
    ///
    /// # Errors
    /// A row of a recorded file can't be read, or names no endpoint.
    pub(crate) fn new(
        ground: &Ground<'_>,
        first: Snapshot,
        models: &[String],
        end: Timestamp,
    ) -> Result<Self, LabError> {
        let recorded = match ground.weather {
            Weather::Recorded(text) => Recorded::read(text)?,
            _ => Recorded::default(),
        };
        let chance = Chance::new(ground.seed);
        let fails = ground.weather.has_ordinary_failures();
        let mut field =
            Self { chance, eras: Vec::new(), places: HashMap::new(), spots: Vec::new() };
        let mut used = HashSet::new();
        for endpoint in models.iter().flat_map(|model| first.endpoints(model)) {
            let mut behaviour = Behaviour::published(endpoint, fails, ground.limited);
            let mut outages = ground.weather.of(chance, endpoint, end);
            for (line, whom, row) in &recorded.rows {
                if whom.names(endpoint) {
                    used.insert(*line);
                    apply(row, &mut behaviour, &mut outages);
                }
            }
            field.places.insert(endpoint.id.clone(), field.spots.len());
            field.spots.push(Spot { id: number(&endpoint.id), behaviour, outages });
        }
        if let Some((line, ..)) = recorded.rows.iter().find(|(line, ..)| !used.contains(line)) {
            let problem = "no endpoint of the workload's models fits it".to_owned();
            return Err(LabError::Line { file: "outages", line: *line, problem });
        }
        field.eras = eras(ground, first, models, &recorded)?;
        Ok(field)
    }

    /// The catalogue at this moment.
    pub(crate) fn at(&self, now: Timestamp) -> Option<&Arc<Snapshot>> {
        let after = self.eras.partition_point(|(from, _)| *from <= now);
        self.eras.get(after.saturating_sub(1)).map(|(_, snapshot)| snapshot)
    }

    /// How many endpoints there are.
    pub(crate) fn size(&self) -> usize {
        self.spots.len()
    }

    /// The share of time, over all endpoints, in which one is in trouble, until `end`.
    pub(crate) fn trouble(&self, end: Timestamp) -> f64 {
        const STEPS: i64 = 1000;
        let step = end.micros().saturating_sub(START.micros()).max(STEPS) / STEPS;
        let mut bad = 0_u32;
        for spot in &self.spots {
            for at in 0..STEPS {
                let now = START.micros().saturating_add(at.saturating_mul(step));
                let now = Timestamp::from_micros(now);
                bad = bad.saturating_add(spot.outages.iter().any(|one| one.is_on(now)).into());
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a thousand steps for each endpoint")]
        let all = (self.spots.len().max(1) * 1000) as f64;
        f64::from(bad) / all
    }

    /// How a call of the `index`th request at this endpoint, beginning now, goes. `again` counts its
    /// earlier calls there.
    pub(crate) fn call(
        &self,
        endpoint: &Endpoint,
        (index, again): (u64, u64),
        ask: &Ask,
        now: Timestamp,
        load: &mut Load,
    ) -> Outcome {
        let place = self.places.get(&endpoint.id).copied();
        let Some((place, spot)) = place.and_then(|at| Some((at, self.spots.get(at)?))) else {
            return Outcome::Silent;
        };
        let luck = |purpose, more: u64| {
            self.chance.unit(purpose, index, spot.id ^ more ^ again.rotate_left(32))
        };
        let mut first = spot.behaviour.latency.at(luck(For::Latency, 0));
        let mut speed = spot.behaviour.throughput.at(luck(For::Throughput, 0));
        let refuses = first * REFUSAL_SHARE;
        let busy = load.note(place, &spot.behaviour, ask, now);
        if let Some(seconds) = busy {
            return Outcome::Refuses { after: refuses, status: 429, retry_after: Some(seconds) };
        }
        let mut breaks = false;
        for (number, outage) in (1_u64..).zip(&spot.outages) {
            if !outage.is_on(now) || luck(For::Fault, number) >= outage.share {
                continue;
            }
            let (status, retry_after) = (outage.status, outage.retry_after);
            match outage.fault {
                Fault::Errors => return Outcome::Refuses { after: refuses, status, retry_after },
                Fault::RateLimit => {
                    return Outcome::Refuses { after: refuses, status: 429, retry_after };
                }
                Fault::Hang => return Outcome::Silent,
                Fault::Breaks => breaks = true,
                Fault::Slow => {
                    first *= outage.factor;
                    speed /= outage.factor;
                }
            }
        }
        let rates = spot.behaviour.rates;
        let fate = luck(For::FaultKind, 0);
        if fate < rates.error_rate {
            return Outcome::Refuses { after: refuses, status: 500, retry_after: None };
        }
        if fate < rates.error_rate + rates.hang_rate {
            return Outcome::Silent;
        }
        breaks |= fate < rates.error_rate + rates.hang_rate + rates.break_rate;
        #[expect(clippy::cast_precision_loss, reason = "tokens are far below 2⁵³")]
        let rest = ask.completion as f64 * 1000.0 / speed;
        if breaks {
            let broken = first + rest * luck(For::Moment, 0);
            return Outcome::Breaks { first, broken };
        }
        let bad_tool_call = ask.tools && luck(For::ToolCall, 0) < rates.bad_tool_calls;
        Outcome::Answers { first, total: first + rest, bad_tool_call }
    }
}

fn apply(row: &Row, behaviour: &mut Behaviour, outages: &mut Vec<Outage>) {
    match row {
        Row::Outage(outage) => outages.push(outage.clone()),
        Row::Price { .. } => {}
        Row::Behaviour(recording) => {
            if let Some(latency) = &recording.latency {
                behaviour.latency = Curve::new(latency);
            }
            if let Some(throughput) = &recording.throughput {
                behaviour.throughput = Curve::new(throughput);
            }
            behaviour.rates = recording.rates;
            behaviour.per_minute = recording.per_minute.or(behaviour.per_minute);
            behaviour.tokens_per_minute =
                recording.tokens_per_minute.or(behaviour.tokens_per_minute);
        }
    }
}

/// A catalogue in which every provider has a key.
fn build(catalogue: &Catalogue, configured: ConfiguredCatalogue) -> Result<Snapshot, LabError> {
    let slugs = catalogue.providers.iter().map(|provider| provider.slug.clone());
    let slugs = slugs.chain(configured.providers.iter().map(|provider| provider.slug.clone()));
    let slugs: HashSet<String> = slugs.collect();
    Snapshot::build(catalogue.clone(), configured, &slugs)
        .map_err(|error| LabError::setting("--config", error.to_string()))
}

/// One catalogue for each moment at which a price changes.
fn eras(
    ground: &Ground<'_>,
    first: Snapshot,
    models: &[String],
    recorded: &Recorded,
) -> Result<Vec<(Timestamp, Arc<Snapshot>)>, LabError> {
    let mut changes: BTreeMap<Timestamp, Vec<(&FlatPrices, &Whom)>> = BTreeMap::new();
    for (_, whom, row) in &recorded.rows {
        if let Row::Price { from, prices } = row {
            changes.entry(*from).or_default().push((prices, whom));
        }
    }
    let mut configured = ground.configured.clone();
    let mut eras = vec![(START, Arc::new(first))];
    for (from, rows) in changes {
        let Some((_, last)) = eras.last() else { break };
        for endpoint in models.iter().flat_map(|model| last.endpoints(model)) {
            let mut table = endpoint.prices.clone();
            for (prices, _) in rows.iter().filter(|(_, whom)| whom.names(endpoint)) {
                table.rates = table.rates.overlaid(&prices.0.rates);
            }
            if table != endpoint.prices {
                configured.endpoints.push(ConfiguredEndpoint {
                    model: endpoint.model.clone(),
                    provider: endpoint.provider.clone(),
                    tag: Some(endpoint.tag.clone()),
                    id: Some(endpoint.id.clone()),
                    pricing: Some(FlatPrices(table)),
                    ..ConfiguredEndpoint::default()
                });
            }
        }
        let next = build(ground.catalogue, configured.clone())?;
        eras.push((from, Arc::new(next)));
    }
    Ok(eras)
}
