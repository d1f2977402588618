//! A run: what is played, against what, by whom.

use signalbox_catalog::{Catalogue, ConfiguredCatalogue};

use crate::LabError;
use crate::chance::Chance;
use crate::field::{Field, Ground};
use crate::race::{Course, Race};
use crate::report::{Report, Row};
use crate::strategy::{Standing, Strategy};
use crate::weather::Weather;
use crate::workload::{Source, Workload};

/// Everything that decides a run.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The built-in catalogue, or another one.
    pub catalogue: Catalogue,
    /// What the operator's file adds to it.
    pub configured: ConfiguredCatalogue,
    /// Where the requests come from.
    pub workload: Source,
    /// What goes wrong.
    pub weather: Weather,
    /// Whether the published limits on requests and tokens per minute hold.
    pub limited: bool,
    /// Who competes.
    pub strategies: Vec<Strategy>,
    /// Decides everything that is left to chance.
    pub seed: u64,
}

/// Longest list of strategies.
const MAX_STRATEGIES: usize = 64;
/// Time for which the weather goes on after the last arrival, in milliseconds.
const EPILOGUE: i64 = 3_600_000;

/// Plays the workload with every strategy. The same setup gives the same report, byte for byte.
///
/// # Errors
/// A setting out of its range, a file that can't be read (with the line), an unknown model.
pub fn run(setup: &Setup) -> Result<Report, LabError> {
    if setup.strategies.is_empty() || setup.strategies.len() > MAX_STRATEGIES {
        return Err(LabError::setting("--strategies", "expected 1 to 64"));
    }
    let ground = Ground {
        catalogue: &setup.catalogue,
        configured: &setup.configured,
        weather: &setup.weather,
        limited: setup.limited,
        seed: setup.seed,
    };
    let catalog = Field::catalog(&ground)?;
    let workload = Workload::new(&setup.workload, &catalog, setup.seed)?;
    let models: Vec<String> = workload.models.iter().map(|model| model.id.clone()).collect();
    let standings = workload.models.iter().map(|model| Standing::new(&catalog, model));
    let standings: Vec<_> = standings.collect();
    let field = Field::new(&ground, catalog, &models, workload.end().plus_millis(EPILOGUE))?;
    let course = Course {
        field: &field,
        workload: &workload,
        standings: &standings,
        chance: Chance::new(setup.seed),
    };
    let rows = setup.strategies.iter().map(|strategy| {
        let tally = Race::new(&course, strategy).run();
        Row::new(strategy.name(), tally)
    });
    Ok(Report {
        seed: setup.seed,
        requests: workload.asks.len(),
        seconds: workload.end().millis_since(crate::workload::START) / 1000,
        models,
        endpoints: field.size(),
        outages: setup.weather.name(),
        trouble: field.trouble(workload.end()),
        rows: rows.collect(),
    })
}
