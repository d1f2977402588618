//! `signalbox lab`: strategies compared in virtual time.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use signalbox_catalog::Snapshot;
use signalbox_lab::{LabError, Pace, Setup, Source, Strategy, Synthetic, Weather};

use super::Place;
use crate::config::Config;
use crate::exit::{Stop, print};

/// Largest file that is read.
const MAX_FILE_BYTES: u64 = 1 << 30;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Models to ask for, evenly; left out, the six with the most priced endpoints
    #[arg(long, value_name = "A/B,C/D", value_delimiter = ',')]
    models: Vec<String>,
    /// How many requests to make up; left out, 100000
    #[arg(long, value_name = "N")]
    requests: Option<usize>,
    /// Requests per second, the same at every hour; left out, the requests of --hours follow the
    /// shape of a day
    #[arg(long, value_name = "RPS")]
    rate: Option<f64>,
    /// Hours that the requests take; left out, 24
    #[arg(long, value_name = "H")]
    hours: Option<f64>,
    /// Decides everything that is left to chance
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// What goes wrong: none, light, heavy, or a file
    #[arg(long, value_name = "none|light|heavy|FILE", default_value = "light")]
    outages: String,
    /// A recorded workload instead of a made-up one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["models", "requests", "rate", "hours"])]
    workload: Option<PathBuf>,
    /// Who competes; left out, fixed, fixed-fallback, cheapest, round-robin, inverse-square and
    /// signalbox
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    strategies: Vec<String>,
    /// Our planner with these preferences, as JSON of the `provider` object; may be repeated
    #[arg(long, value_name = "JSON")]
    provider: Vec<String>,
    /// The published limits on requests and tokens per minute hold
    #[arg(long)]
    limits: bool,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(mut arguments: Arguments) -> Result<ExitCode, Stop> {
    let place = std::mem::take(&mut arguments.place);
    let setup = setup(&arguments, place.load(None)?)?;
    let report = signalbox_lab::run(&setup).map_err(refused)?;
    print(&if arguments.json { report.to_json().to_string() } else { report.to_table() })?;
    Ok(ExitCode::SUCCESS)
}

fn refused(error: LabError) -> Stop {
    Stop::usage(error.to_string())
}

fn setup(arguments: &Arguments, config: Config) -> Result<Setup, Stop> {
    let catalogue = Snapshot::embedded().map_err(|error| Stop::failed(error.to_string()))?;
    let mut strategies = if arguments.strategies.is_empty() {
        Strategy::all()
    } else {
        let named = arguments.strategies.iter().map(|name| Strategy::named(name));
        named.collect::<Result<_, _>>().map_err(refused)?
    };
    for json in &arguments.provider {
        strategies.push(Strategy::preferring(json).map_err(refused)?);
    }
    let weather = match arguments.outages.as_str() {
        "none" => Weather::None,
        "light" => Weather::Light,
        "heavy" => Weather::Heavy,
        file => Weather::Recorded(read("--outages", Path::new(file))?),
    };
    let workload = match &arguments.workload {
        Some(file) => Source::Recorded(read("--workload", file)?),
        None => Source::Synthetic(synthetic(arguments)?),
    };
    Ok(Setup {
        catalogue,
        configured: config.catalogue,
        workload,
        weather,
        limited: arguments.limits,
        strategies,
        seed: arguments.seed,
    })
}

fn synthetic(arguments: &Arguments) -> Result<Synthetic, Stop> {
    let plain = Synthetic::default();
    let hours = arguments.hours.unwrap_or(24.0);
    let (requests, pace) = match (arguments.requests, arguments.rate, arguments.hours) {
        (Some(_), Some(_), Some(_)) => {
            return Err(Stop::usage("--requests, --rate and --hours: two of them give the third"));
        }
        (None, Some(per_second), Some(hours)) => {
            let count = (per_second * hours * 3600.0).round().clamp(0.0, 1e9);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
            let count = count as usize;
            (count, Pace::Flat { per_second })
        }
        (requests, Some(per_second), None) => {
            (requests.unwrap_or(plain.requests), Pace::Flat { per_second })
        }
        (requests, None, _) => (requests.unwrap_or(plain.requests), Pace::Daily { hours }),
    };
    Ok(Synthetic { models: arguments.models.clone(), requests, pace, ..plain })
}

fn read(flag: &str, file: &Path) -> Result<String, Stop> {
    let fail = |problem: String| Stop::usage(format!("{flag}: {}: {problem}", file.display()));
    let size = std::fs::metadata(file).map_err(|error| fail(error.to_string()))?.len();
    if size > MAX_FILE_BYTES {
        return Err(fail("larger than 1 GiB".to_owned()));
    }
    std::fs::read_to_string(file).map_err(|error| fail(error.to_string()))
}
