//! What came of it: a table for people, JSON for programs.

use serde_json::{Map, Value, json};
use signalbox_core::Usd;

use crate::tally::Tally;

/// All strategies over one workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Requests of the workload.
    pub requests: usize,
    /// From the start to the last arrival.
    pub seconds: u64,
    /// The models that were asked for.
    pub models: Vec<String>,
    /// Their endpoints.
    pub endpoints: usize,
    /// What went wrong: `none`, `light`, `heavy`, `recorded`.
    pub outages: &'static str,
    /// The share of time in which an endpoint was in an outage, over all of them; 0 to 1.
    pub trouble: f64,
    /// One for each strategy, in the order in which they were named.
    pub rows: Vec<Row>,
}

/// What came of one strategy.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The strategy.
    pub name: String,
    /// Requests that arrived: `answered` and [`Row::errors`] together.
    pub requests: u64,
    /// Requests that were answered to the end.
    pub answered: u64,
    /// Requests that no endpoint could be asked to answer.
    pub no_candidate: u64,
    /// Requests whose every attempt failed.
    pub all_failed: u64,
    /// Requests whose answer broke off after its first content.
    pub broken: u64,
    /// Requests that took longer than a request may.
    pub too_long: u64,
    /// Calls to endpoints.
    pub attempts: u64,
    /// What the answers cost, each rounded as it is when it is charged. Failed attempts cost nothing.
    pub cost: Usd,
    /// Prompt and output tokens of the answers.
    pub tokens: u64,
    /// Milliseconds from arrival to first content at p50, p95 and p99; streamed answers.
    pub first_ms: [u64; 3],
    /// Milliseconds from arrival to the end at the same percentiles; all answers.
    pub total_ms: [u64; 3],
    /// Median output tokens per second of an answer, its wait for the first one included.
    pub throughput: f64,
    /// Answers by provider, most first.
    pub providers: Vec<(String, u64)>,
}

impl Row {
    pub(crate) fn new(name: &str, mut tally: Tally) -> Self {
        tally.first_ms.sort_unstable();
        tally.total_ms.sort_unstable();
        tally.throughput.sort_by(f64::total_cmp);
        let errors = tally.errors();
        let mut providers: Vec<_> = std::mem::take(&mut tally.providers).into_iter().collect();
        providers.sort_by(|(a_name, a), (b_name, b)| b.cmp(a).then_with(|| a_name.cmp(b_name)));
        let three = |sorted: &[u64]| {
            [50, 95, 99].map(|percent| at(sorted, percent).copied().unwrap_or_default())
        };
        debug_assert_eq!(tally.answered.saturating_add(errors), tally.requests);
        Self {
            name: name.to_owned(),
            requests: tally.requests,
            answered: tally.answered,
            no_candidate: tally.no_candidate,
            all_failed: tally.all_failed,
            broken: tally.broken,
            too_long: tally.too_long,
            attempts: tally.attempts,
            cost: tally.cost,
            tokens: tally.tokens,
            first_ms: three(&tally.first_ms),
            total_ms: three(&tally.total_ms),
            throughput: at(&tally.throughput, 50).copied().unwrap_or_default(),
            providers,
        }
    }

    /// Requests without a complete answer.
    #[must_use]
    pub const fn errors(&self) -> u64 {
        self.requests.saturating_sub(self.answered)
    }

    /// The share of requests without a complete answer, 0 to 1.
    #[must_use]
    pub fn error_rate(&self) -> f64 {
        ratio(self.errors(), self.requests)
    }

    /// What a million tokens of complete answers cost, rounded down to a nano-dollar.
    #[must_use]
    pub fn cost_per_million(&self) -> Usd {
        let nanos = i128::from(self.cost.nanos()).saturating_mul(1_000_000);
        let nanos = nanos.checked_div(i128::from(self.tokens)).unwrap_or(0);
        Usd::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    /// Calls to endpoints for each request.
    #[must_use]
    pub fn attempts_per_request(&self) -> f64 {
        ratio(self.attempts, self.requests)
    }

    fn to_json(&self) -> Value {
        let shares: Map<String, Value> = self
            .providers
            .iter()
            .map(|(name, count)| (name.clone(), rounded(ratio(*count, self.answered), 4)))
            .collect();
        let three = |[p50, p95, p99]: [u64; 3]| json!({"p50": p50, "p95": p95, "p99": p99});
        json!({
            "strategy": self.name,
            "requests": self.requests,
            "answered": self.answered,
            "errors": {
                "total": self.errors(),
                "no_candidate": self.no_candidate,
                "all_attempts_failed": self.all_failed,
                "broken_off": self.broken,
                "too_long": self.too_long,
            },
            "error_rate": rounded(self.error_rate(), 6),
            "cost_usd": self.cost.to_string(),
            "tokens": self.tokens,
            "cost_per_million_tokens_usd": self.cost_per_million().to_string(),
            "time_to_first_token_ms": three(self.first_ms),
            "total_ms": three(self.total_ms),
            "throughput_p50": rounded(self.throughput, 2),
            "attempts_per_request": rounded(self.attempts_per_request(), 4),
            "provider_share": shares,
        })
    }
}

/// The value below which so many percent of a sorted list are.
fn at<T>(sorted: &[T], percent: usize) -> Option<&T> {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1))
}

fn ratio(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of requests are below 2⁵³")]
    let ratio = part as f64 / whole.max(1) as f64;
    ratio
}

fn rounded(value: f64, digits: i32) -> Value {
    let scale = 10_f64.powi(digits);
    json!((value * scale).round() / scale)
}

/// Providers that the table names; the JSON has all.
const SHOWN: usize = 4;

impl Report {
    /// Everything, as one JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "seed": self.seed,
            "requests": self.requests,
            "seconds": self.seconds,
            "models": self.models,
            "endpoints": self.endpoints,
            "outages": self.outages,
            "endpoint_time_in_outage": rounded(self.trouble, 4),
            "strategies": self.rows.iter().map(Row::to_json).collect::<Vec<_>>(),
        })
    }

    /// A table in Markdown, for people.
    #[must_use]
    pub fn to_table(&self) -> String {
        let mut text = String::new();
        let hours = ratio(self.seconds, 3600);
        let trouble = self.trouble * 100.0;
        text.push_str(&format!(
            "{} requests in {hours:.1} h, seed {}; {} endpoints of {}; outages: {}, each endpoint \
             {trouble:.1} % of the time\n\n",
            self.requests,
            self.seed,
            self.endpoints,
            self.models.join(", "),
            self.outages,
        ));
        text.push_str(
            "| strategy | errors | $/M tokens | first token p50 / p95 / p99 s | tokens/s | \
             attempts | providers |\n|---|---:|---:|---:|---:|---:|---|\n",
        );
        for row in &self.rows {
            text.push_str(&row.to_line());
            text.push('\n');
        }
        text
    }
}

impl Row {
    fn to_line(&self) -> String {
        let [p50, p95, p99] = self.first_ms.map(|millis| ratio(millis, 1000));
        let shown: Vec<String> = self
            .providers
            .iter()
            .take(SHOWN)
            .map(|(name, count)| format!("{name} {:.0} %", ratio(*count, self.answered) * 100.0))
            .collect();
        let more = match self.providers.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(", {more} more"),
        };
        format!(
            "| {} | {:.3} % | {:.4} | {p50:.2} / {p95:.2} / {p99:.2} | {:.1} | {:.3} | {}{more} |",
            self.name.replace('|', "\\|"),
            self.error_rate() * 100.0,
            dollars(self.cost_per_million()),
            self.throughput,
            self.attempts_per_request(),
            shown.join(", "),
        )
    }
}

/// For show only.
fn dollars(amount: Usd) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "shown with four decimals")]
    let dollars = amount.nanos() as f64 / 1e9;
    dollars
}
