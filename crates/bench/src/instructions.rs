//! Instructions of one request and one chunk, one request at a time.

use std::io::Write as _;
use std::path::PathBuf;

use crate::Options;
use crate::case::{Case, Volume};
use crate::load;
use crate::process::Core;
use crate::run::call;
use crate::target;

/// Requests before the first that is counted.
const WARM: u32 = 30;

/// Starts everything under callgrind, counts, prints the table.
pub(crate) async fn run(options: &Options, profiles: Option<PathBuf>) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let folder = profiles.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(folder)?;
    let program = target::beside(options.simulator.as_ref(), "signalbox-simulator")?;
    let (_simulator, direct) = target::simulator(&program, folder).await?;
    let mut targets = vec![target::floor(direct.address, folder, Core::Counted).await?];
    if !options.without_signalbox {
        let program = target::beside(options.signalbox.as_ref(), "signalbox")?;
        targets.push(target::signalbox(&program, direct.address, folder, Core::Counted).await?);
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "case target           whole     x floor        path     x floor")?;
    for case in Case::ALL.into_iter().filter(|case| options.cases.contains(case.letter())) {
        let mut floor = None;
        for target in &mut targets {
            let call = call(target, case);
            let Some(process) = &mut target.process else { continue };
            load::run(&call, Volume { requests: warm(case), at_once: 1 }).await?;
            process.instructions()?;
            let requests = requests(case);
            load::run(&call, Volume { requests, at_once: 1 }).await?;
            let spent = process.instructions()?;
            let units = f64::from(requests) * f64::from(case.chunks().max(1));
            let (whole, path) = (spent.whole as f64 / units, spent.path() as f64 / units);
            let floor = *floor.get_or_insert(whole);
            writeln!(
                out,
                "{:<5}{:<10}{whole:>12.0}{:>12.2}{path:>12.0}{:>12.2}",
                case.letter(),
                target.name,
                whole / floor,
                path / floor,
            )?;
        }
    }
    writeln!(out, "instructions outside the kernel, for a request (A, B) or a chunk (C, D)")?;
    Ok(())
}

/// Requests before the first that is counted.
fn warm(case: Case) -> u32 {
    if case == Case::PacedStreams { 1 } else { WARM }
}

/// Requests that are counted.
fn requests(case: Case) -> u32 {
    match case {
        Case::SmallUnary => 200,
        Case::LargeUnary => 50,
        Case::SaturatedStream => 50,
        Case::PacedStreams => 3,
    }
}
