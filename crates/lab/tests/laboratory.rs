//! The laboratory's own laws: it counts everything, repeats itself, and refuses what it can't read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::strategy::Strategy as _;
use signalbox_catalog::{Catalogue, ConfiguredCatalogue, Snapshot};
use signalbox_lab::{LabError, Pace, Report, Setup, Source, Strategy, Synthetic, Weather, run};

fn catalogue() -> Catalogue {
    static EMBEDDED: LazyLock<Catalogue> = LazyLock::new(|| Snapshot::embedded().unwrap());
    EMBEDDED.clone()
}

/// The models of the embedded catalogue with the most priced endpoints.
fn setup(requests: usize, hours: f64, weather: Weather, seed: u64) -> Setup {
    let synthetic = Synthetic { requests, pace: Pace::Daily { hours }, ..Synthetic::default() };
    Setup {
        catalogue: catalogue(),
        configured: ConfiguredCatalogue::default(),
        workload: Source::Synthetic(synthetic),
        weather,
        limited: false,
        strategies: Strategy::all(),
        seed,
    }
}

/// Two endpoints of one model, at 1 and 2 dollars a million tokens.
fn duel(workload: &str, outages: &str) -> Setup {
    let text = r#"
        [[providers]]
        slug = "one"
        base_url = "http://127.0.0.1:1/v1"
        [[providers]]
        slug = "two"
        base_url = "http://127.0.0.1:2/v1"
        [[models]]
        id = "acme/tiny"
        context_length = 100000
        [[endpoints]]
        model = "acme/tiny"
        provider = "one"
        pricing = { prompt = "0.000001", completion = "0.000001" }
        [[endpoints]]
        model = "acme/tiny"
        provider = "two"
        pricing = { prompt = "0.000002", completion = "0.000002" }
    "#;
    Setup {
        configured: toml::from_str(text).unwrap(),
        workload: Source::Recorded(workload.to_owned()),
        weather: Weather::Recorded(outages.to_owned()),
        ..setup(1, 1.0, Weather::None, 1)
    }
}

/// A request every so many seconds.
fn steady(count: u32, every: f64) -> String {
    (0..count)
        .map(|at| {
            let time = f64::from(at) * every;
            format!(
                "{{\"time\":{time},\"model\":\"acme/tiny\",\"prompt_tokens\":900,\"completion_tokens\":100}}\n"
            )
        })
        .collect()
}

fn row<'a>(report: &'a Report, name: &str) -> &'a signalbox_lab::Row {
    report.rows.iter().find(|row| row.name == name).unwrap()
}

#[test]
fn in_fair_weather_nobody_fails() {
    let report = run(&setup(2_000, 6.0, Weather::None, 3)).unwrap();
    for row in &report.rows {
        assert_eq!((row.errors(), row.attempts), (0, 2_000), "{}", row.name);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let bytes = |seed| run(&setup(1_000, 2.0, Weather::Heavy, seed)).unwrap();
    let (one, again, other) = (bytes(7), bytes(7), bytes(8));
    assert_eq!(one.to_json().to_string(), again.to_json().to_string());
    assert_eq!(one.to_table(), again.to_table());
    assert_ne!(one.to_json()["strategies"], other.to_json()["strategies"]);
}

#[test]
fn a_strategy_meets_the_same_world_whoever_else_competes() {
    let all = run(&setup(1_000, 2.0, Weather::Heavy, 5)).unwrap();
    let alone = Setup {
        strategies: vec![Strategy::named("cheapest").unwrap()],
        ..setup(1_000, 2.0, Weather::Heavy, 5)
    };
    assert_eq!(run(&alone).unwrap().rows[0], *row(&all, "cheapest"));
}

#[test]
fn every_request_ends_as_an_answer_or_an_error() {
    for seed in 0..3 {
        let report = run(&setup(500, 1.0, Weather::Heavy, seed)).unwrap();
        for row in &report.rows {
            assert_eq!(row.requests, 500);
            let lost = row.no_candidate + row.all_failed + row.broken + row.too_long;
            assert_eq!(row.answered + lost, 500, "{}", row.name);
            let delivered: u64 = row.providers.iter().map(|(_, count)| count).sum();
            assert_eq!(delivered, row.answered, "{}", row.name);
            assert!(row.attempts >= row.answered);
        }
    }
}

#[test]
fn a_dead_primary_costs_the_fixed_strategy_every_request_and_the_others_an_attempt() {
    let dead = r#"{"kind":"outage","provider":"one","from":0,"until":100000,"fault":"errors"}"#;
    let report = run(&duel(&steady(200, 1.0), dead)).unwrap();
    let fixed = row(&report, "fixed");
    // Whoever has one endpoint only tries it a second time.
    assert_eq!((fixed.errors(), fixed.all_failed, fixed.attempts), (200, 200, 400));
    for name in ["fixed-fallback", "cheapest"] {
        let row = row(&report, name);
        assert_eq!((row.errors(), row.attempts), (0, 400), "{name}");
        assert_eq!(row.providers, [("two".to_owned(), 200)]);
        // 1,000 tokens at two dollars a million.
        assert_eq!(row.cost.nanos(), 200 * 2_000_000, "{name}");
    }
    let ours = row(&report, "signalbox");
    assert_eq!(ours.errors(), 0);
    assert!(ours.attempts < 250, "it remembers who is dead: {}", ours.attempts);
}

#[test]
fn a_hang_costs_the_time_that_is_waited_for_it() {
    let hang = r#"{"kind":"outage","provider":"one","from":0,"until":100000,"fault":"hang"}"#;
    let report = run(&duel(&steady(50, 60.0), hang)).unwrap();
    let cheapest = row(&report, "cheapest");
    assert_eq!(cheapest.errors(), 0);
    assert!(cheapest.first_ms[0] > 5_000, "{:?}", cheapest.first_ms);
    let fixed = row(&report, "fixed");
    assert_eq!(fixed.errors(), 50);
}

#[test]
fn an_answer_that_breaks_off_is_an_error_that_nobody_pays_for() {
    let breaks = r#"
        {"kind":"outage","from":0,"until":100000,"fault":"breaks"}"#;
    let report = run(&duel(&steady(50, 1.0), breaks)).unwrap();
    for row in &report.rows {
        assert_eq!((row.broken, row.cost.nanos(), row.attempts), (50, 0, 50), "{}", row.name);
    }
}

#[test]
fn outages_end_and_flapping_ones_pause() {
    let outage = r#"{"kind":"outage","endpoint":"one","from":100,"until":200,"fault":"errors","on":10,"off":10}"#;
    let report = run(&duel(&steady(300, 1.0), outage)).unwrap();
    assert_eq!(row(&report, "fixed").errors(), 50);
}

#[test]
fn prices_change_when_the_file_says_so() {
    let change = r#"{"kind":"price","provider":"one","from":100,"prices":{"prompt":"0.000005","completion":"0.000005"}}"#;
    let report = run(&duel(&steady(200, 1.0), change)).unwrap();
    let shares = |name: &str| row(&report, name).providers.clone();
    assert_eq!(shares("cheapest"), [("one".to_owned(), 100), ("two".to_owned(), 100)]);
    assert_eq!(row(&report, "cheapest").cost.nanos(), 100 * 1_000_000 + 100 * 2_000_000);
    assert_eq!(row(&report, "fixed").cost.nanos(), 100 * 1_000_000 + 100 * 5_000_000);
}

#[test]
fn limits_on_load_hold() {
    let limit = r#"{"kind":"behaviour","provider":"one","requests_per_minute":10}"#;
    let report = run(&duel(&steady(60, 1.0), limit)).unwrap();
    assert_eq!(row(&report, "fixed").errors(), 50);
    assert_eq!(row(&report, "cheapest").errors(), 0);
    // After a refusal ours waits as long as it was told to.
    assert!(row(&report, "signalbox").attempts <= 62);
}

#[test]
fn recorded_speed_is_what_is_measured() {
    let speed = r#"{"kind":"behaviour","provider":"one","latency_ms":{"p50":500,"p75":500,"p90":500,"p99":500},"throughput":{"p50":100,"p75":100,"p90":100,"p99":100}}"#;
    let report = run(&duel(&steady(2_000, 1.0), speed)).unwrap();
    let fixed = row(&report, "fixed");
    assert_eq!(fixed.first_ms[1], 500);
    assert!(fixed.total_ms[1] >= 1_500, "{:?}", fixed.total_ms);
}

#[test]
fn preferences_are_a_strategy_and_what_a_caller_forbids_holds_for_all() {
    let mut workload = steady(100, 1.0);
    workload.push_str(
        r#"{"time":0,"model":"acme/tiny","prompt_tokens":9,"completion_tokens":9,"provider":{"ignore":["one","two"]}}"#,
    );
    let mut setup = duel(&workload, "");
    setup.strategies.push(Strategy::preferring(r#"{"order":["two"]}"#).unwrap());
    let report = run(&setup).unwrap();
    let preferring = report.rows.last().unwrap();
    assert_eq!(preferring.providers, [("two".to_owned(), 101)], "it replaces the requests' own");
    for row in &report.rows[..6] {
        assert_eq!((row.no_candidate, row.errors()), (1, 1), "{}", row.name);
    }
}

#[test]
fn a_bad_line_is_refused_with_its_number() {
    let good = steady(2, 1.0);
    for bad in [
        "nonsense",
        r#"{"time":-1,"model":"acme/tiny","prompt_tokens":9,"completion_tokens":9}"#,
        r#"{"time":1e300,"model":"acme/tiny","prompt_tokens":9,"completion_tokens":9}"#,
        r#"{"time":1,"model":"acme/none","prompt_tokens":9,"completion_tokens":9}"#,
        r#"{"time":1,"model":"acme/tiny:nitro","prompt_tokens":9,"completion_tokens":9}"#,
        r#"{"time":1,"model":"acme/tiny","prompt_tokens":-9,"completion_tokens":9}"#,
        r#"{"time":1,"model":"acme/tiny","prompt_tokens":9}"#,
        r#"{"time":1,"model":"acme/tiny","prompt_tokens":9,"completion_tokens":9,"x":1}"#,
        r#"{"time":1,"model":"acme/tiny","prompt_tokens":9,"completion_tokens":18446744073709551615}"#,
        r#"{"time":1,"model":"acme/tiny","prompt_tokens":9,"completion_tokens":9,"provider":{"sort":"x"}}"#,
    ] {
        let error = run(&duel(&format!("{good}\n{bad}\n"), "")).unwrap_err();
        assert!(
            matches!(error, LabError::Line { file: "workload", line: 4, .. }),
            "{bad}: {error}"
        );
    }
    let outage = r#"{"kind":"outage","from":0,"until":10,"fault":"errors"}"#;
    for bad in [
        "[]",
        r#"{"kind":"outage","from":0,"until":10}"#,
        r#"{"kind":"outage","from":10,"until":10,"fault":"errors"}"#,
        r#"{"kind":"outage","from":0,"until":10,"fault":"errors","share":1.5}"#,
        r#"{"kind":"outage","from":0,"until":10,"fault":"errors","status":200}"#,
        r#"{"kind":"outage","from":0,"until":10,"fault":"slow","factor":0}"#,
        r#"{"kind":"outage","from":0,"until":10,"fault":"errors","on":5}"#,
        r#"{"kind":"outage","from":0,"until":10,"fault":"rate_limit","retry_after":999999999}"#,
        r#"{"kind":"outage","from":0,"until":10,"fault":"errors","provider":"nobody"}"#,
        r#"{"kind":"price","from":0}"#,
        r#"{"kind":"price","from":0,"prices":{"prompt":"-1"}}"#,
        r#"{"kind":"behaviour","rates":{"error_rate":0.9,"hang_rate":0.9}}"#,
        r#"{"kind":"storm","from":0,"until":10}"#,
    ] {
        let error = run(&duel(&good, &format!("{outage}\n{bad}\n"))).unwrap_err();
        assert!(matches!(error, LabError::Line { file: "outages", line: 2, .. }), "{bad}: {error}");
    }
}

#[test]
fn settings_out_of_range_name_the_flag() {
    let flag = |change: fn(&mut Synthetic)| {
        let mut setup = setup(10, 1.0, Weather::None, 1);
        let Source::Synthetic(synthetic) = &mut setup.workload else { panic!() };
        change(synthetic);
        run(&setup).unwrap_err().to_string()
    };
    assert!(flag(|one| one.requests = 0).starts_with("--requests"));
    assert!(flag(|one| one.requests = usize::MAX).starts_with("--requests"));
    assert!(flag(|one| one.pace = Pace::Flat { per_second: f64::NAN }).starts_with("--rate"));
    assert!(flag(|one| one.pace = Pace::Daily { hours: -1.0 }).starts_with("--hours"));
    assert!(flag(|one| one.models = vec!["no/such".into()]).starts_with("no/such"));
    assert!(Strategy::named("best").unwrap_err().to_string().starts_with("--strategies"));
    let wrong = Strategy::preferring(r#"{"sort":7}"#).unwrap_err().to_string();
    assert!(wrong.starts_with("--provider: provider.sort"), "{wrong}");
}

fn strategies() -> impl proptest::strategy::Strategy<Value = Vec<Strategy>> {
    let preferences = prop::sample::select(vec![
        r#"{"sort":"throughput"}"#,
        r#"{"sort":"latency","allow_fallbacks":false}"#,
        r#"{"sort":"price","preferred_min_throughput":{"p90":50}}"#,
        r#"{"max_price":{"prompt":0}}"#,
        r#"{"only":["nobody"]}"#,
        r#"{"quantizations":["fp8"],"data_collection":"deny"}"#,
    ]);
    prop::collection::vec(preferences, 0..3).prop_map(|all| {
        let preferring = all.iter().map(|json| Strategy::preferring(json).unwrap());
        Strategy::all().into_iter().chain(preferring).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn any_run_ends_and_counts_everything(
        seed in any::<u64>(),
        requests in 1_usize..200,
        hours in 0.01_f64..400.0,
        rate in prop::option::of(0.01_f64..5_000.0),
        mean in 1.0_f64..1e6,
        heavy in any::<bool>(),
        limited in any::<bool>(),
        strategies in strategies(),
    ) {
        let weather = if heavy { Weather::Heavy } else { Weather::Light };
        let pace = rate.map_or(Pace::Daily { hours }, |per_second| Pace::Flat { per_second });
        let synthetic = Synthetic {
            requests,
            pace,
            prompt_mean: mean,
            completion_mean: mean,
            ..Synthetic::default()
        };
        let report = run(&Setup {
            workload: Source::Synthetic(synthetic),
            limited,
            strategies,
            ..setup(1, 1.0, weather, seed)
        })
        .unwrap();
        for row in &report.rows {
            let lost = row.no_candidate + row.all_failed + row.broken + row.too_long;
            prop_assert_eq!(row.answered + lost, requests as u64);
            prop_assert!(row.first_ms[0] <= row.first_ms[2]);
            prop_assert!(row.throughput.is_finite());
        }
    }
}
