//! The table.

use std::io::Write as _;

use serde::Serialize;

use crate::case::Case;

/// One target in one round of one case.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measurement {
    pub case: char,
    pub target: &'static str,
    pub requests: u64,
    pub seconds: f64,
    /// CPU of the proxy for one request, or one chunk of a stream.
    pub cpu_micros_per_unit: Option<f64>,
    /// The same without the database's threads.
    pub path_micros_per_unit: Option<f64>,
    /// Of a request on its own; in case D of a chunk's way from the simulator.
    pub p50_micros: u64,
    pub p99_micros: u64,
    pub peak_kib: Option<u64>,
}

/// A line on stderr.
pub(crate) fn progress(round: u8, case: Case, target: &str) -> std::io::Result<()> {
    writeln!(std::io::stderr(), "round {} case {} {target}", round + 1, case.letter())
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

struct Row<'a>(Vec<&'a Measurement>);

impl<'a> Row<'a> {
    fn of(all: &'a [Measurement], case: Case, target: &str) -> Self {
        let mine = |m: &&Measurement| m.case == case.letter() && m.target == target;
        Self(all.iter().filter(mine).collect())
    }

    fn median(&self, value: impl Fn(&Measurement) -> Option<f64>) -> Option<f64> {
        median(self.0.iter().filter_map(|m| value(m)).collect())
    }

    fn cpu(&self) -> Option<f64> {
        self.median(|m| m.cpu_micros_per_unit)
    }

    fn path(&self) -> Option<f64> {
        self.median(|m| m.path_micros_per_unit)
    }
}

fn cell(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

/// Cells in columns.
fn line(cells: [String; 8]) -> String {
    cells.iter().map(|cell| format!("{cell:>11}")).collect()
}

/// Prints medians over the rounds, each case beside its floor.
pub(crate) fn print(all: &[Measurement], cases: &[Case], pinned: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let titles =
        ["requests/s", "CPU us", "x floor", "path us", "x floor", "p50 us", "p99 us", "MB"];
    writeln!(out, "case target    {}", line(titles.map(str::to_owned)))?;
    for case in cases {
        let floor = Row::of(all, *case, "floor").cpu();
        let ratio = |cpu: Option<f64>| cpu.zip(floor).map(|(cpu, floor)| cpu / floor);
        for target in ["direct", "floor", "signalbox"] {
            let row = Row::of(all, *case, target);
            if row.0.is_empty() {
                continue;
            }
            let cells = [
                cell(row.median(|m| Some(m.requests as f64 / m.seconds)), 0),
                cell(row.cpu(), 2),
                cell(ratio(row.cpu()), 2),
                cell(row.path(), 2),
                cell(ratio(row.path()), 2),
                cell(row.median(|m| Some(m.p50_micros as f64)), 0),
                cell(row.median(|m| Some(m.p99_micros as f64)), 0),
                cell(row.median(|m| Some(m.peak_kib? as f64 / 1024.0)), 1),
            ];
            writeln!(out, "{:<5}{target:<10}{}", case.letter(), line(cells))?;
        }
    }
    writeln!(out, "CPU: the whole process; path: without its database threads; MB: peak resident")?;
    for case in cases {
        let what = if *case == Case::PacedStreams { "a chunk's transit" } else { "one request" };
        writeln!(out, "{}: unit = {}, latency = {what}", case.letter(), case.unit())?;
    }
    let cores = if pinned { "proxy on core 0, load and simulator on core 1" } else { "not pinned" };
    writeln!(out, "medians over rounds; {cores}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }
}
