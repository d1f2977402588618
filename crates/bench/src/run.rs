//! The rounds.

use anyhow::Context as _;

use crate::Options;
use crate::case::{Case, Volume};
use crate::load::{self, Call, percentile};
use crate::process::{Core, can_pin};
use crate::report::{self, Measurement};
use crate::target::{self, Target};

/// Starts everything, runs the rounds, prints the table.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let program = target::beside(options.simulator.as_ref(), "signalbox-simulator")?;
    let (mut simulator, direct) = target::simulator(&program, folder.path()).await?;
    let mut targets = vec![target::floor(direct.address, folder.path(), Core::Proxy).await?];
    if !options.without_signalbox {
        let program = target::beside(options.signalbox.as_ref(), "signalbox")?;
        targets
            .push(target::signalbox(&program, direct.address, folder.path(), Core::Proxy).await?);
    }
    targets.push(direct);
    let cases = Case::ALL.into_iter().filter(|case| options.cases.contains(case.letter()));
    let cases: Vec<_> = cases.collect();
    for target in &targets {
        warm(target, &cases).await.with_context(|| format!("warming {}", target.name))?;
    }
    let mut found = Vec::new();
    for round in 0..options.rounds {
        for case in &cases {
            // Another order in every round, so that drift does not favour one target.
            targets.rotate_left(1);
            for target in &mut targets {
                simulator.check()?;
                report::progress(round, *case, target.name)?;
                let measured = measure(target, *case, options).await;
                found.push(measured.with_context(|| format!("{} {case:?}", target.name))?);
            }
        }
    }
    report::print(&found, &cases, can_pin())?;
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_vec_pretty(&found)?)?;
    }
    Ok(())
}

pub(crate) fn call(target: &Target, case: Case) -> Call {
    let body = case.body(target.model(case));
    let (address, key) = (target.address, target.key.clone());
    Call { address, key, path: "/api/v1/chat/completions", body, case, is_chat: true }
}

/// Opens connections and fills caches.
async fn warm(target: &Target, cases: &[Case]) -> anyhow::Result<()> {
    for case in cases.iter().filter(|case| **case != Case::PacedStreams) {
        load::run(&call(target, *case), Volume { requests: 200, at_once: 16 }).await?;
    }
    Ok(())
}

/// CPU time of a process in microseconds.
#[derive(Clone, Copy)]
struct Cpu {
    whole: u64,
    storage: u64,
}

impl Cpu {
    fn since(self, before: Self) -> Self {
        let whole = self.whole.saturating_sub(before.whole);
        Self { whole, storage: self.storage.saturating_sub(before.storage) }
    }

    /// Without the database's threads.
    fn path(self) -> u64 {
        self.whole.saturating_sub(self.storage)
    }
}

fn cpu(target: &Target) -> anyhow::Result<Option<Cpu>> {
    let Some(process) = &target.process else { return Ok(None) };
    Ok(Some(Cpu { whole: process.cpu_micros()?, storage: process.storage_micros()? }))
}

async fn measure(
    target: &mut Target,
    case: Case,
    options: &Options,
) -> anyhow::Result<Measurement> {
    let call = call(target, case);
    if let Some(process) = &mut target.process {
        process.check()?;
        process.forget_peak();
    }
    let before = cpu(target)?;
    let busy = load::run(&call, case.busy(options.scale, options.streams)).await?;
    let spent = cpu(target)?.zip(before).map(|(after, before)| after.since(before));
    let peak_kib = target.process.as_ref().map(|p| p.peak_kib()).transpose()?;
    let calm = match case.calm(options.scale) {
        Some(volume) => load::run(&call, volume).await?.latencies,
        None => busy.latencies,
    };
    // Content chunks differ by merging; the count is what the simulator sent.
    let units = if case.streams() {
        busy.requests.saturating_mul(u64::from(case.chunks()))
    } else {
        busy.requests
    };
    Ok(Measurement {
        case: case.letter(),
        target: target.name,
        requests: busy.requests,
        seconds: busy.took.as_secs_f64(),
        cpu_micros_per_unit: spent.map(|spent| spent.whole as f64 / units.max(1) as f64),
        path_micros_per_unit: spent.map(|spent| spent.path() as f64 / units.max(1) as f64),
        p50_micros: percentile(&calm, 50),
        p99_micros: percentile(&calm, 99),
        peak_kib,
    })
}
