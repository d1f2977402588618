//! Uptime, percentiles and tool statistics, what is saved of them, and how much room they take.

use signalbox_core::Timestamp;
use signalbox_policy::HealthBoard;
use signalbox_policy::health::{Figures, Observation, Seat, Unreadable};

use super::board::{Scene, fine};

fn figures(scene: &mut Scene, seconds: i64) -> Figures {
    scene.now = scene.now.plus_millis(seconds * 1000);
    scene.board.figures(scene.seat(), scene.now)
}

fn called(fine: bool) -> Observation {
    Observation::Success {
        first_content_ms: None,
        total_ms: 2_000,
        output_tokens: 30,
        tools: Some(fine),
    }
}

#[test]
fn uptime_counts_faults_only_and_needs_a_hundred_requests() {
    let mut scene = Scene::new();
    let limited = Observation::RateLimited { until: Some(scene.now) };
    for one in 0..99 {
        let seen = if one % 10 == 0 { Observation::Broke } else { fine(5) };
        scene.call(1, seen);
        scene.call(1, Observation::Neutral);
        scene.call(1, limited);
    }
    assert_eq!(figures(&mut scene, 1).uptime_5m, None, "ninety-nine");
    scene.call(1, fine(5));
    let got = figures(&mut scene, 1);
    for uptime in [got.uptime_5m, got.uptime_30m, got.uptime_1d] {
        assert_eq!(uptime, Some(90.0));
    }
    assert_eq!((got.requests_30m, got.limited_1d), (100, 99));
    let later = figures(&mut scene, 310);
    assert_eq!((later.uptime_5m, later.uptime_30m), (None, Some(90.0)));
    let later = figures(&mut scene, 1_600);
    assert_eq!((later.uptime_30m, later.requests_30m, later.uptime_1d), (None, 0, Some(90.0)));
    assert_eq!(figures(&mut scene, 86_400), Figures::default());
}

#[test]
fn percentiles_run_upwards_for_latency_and_downwards_for_throughput() {
    let mut scene = Scene::new();
    // Latencies of 10 to 1000 ms in steps of 10, 100 tokens in 1010 to 2000 ms.
    for one in 1..=100 {
        scene.call(1, fine(one * 10));
    }
    let got = figures(&mut scene, 2);
    let near = |got: f64, wanted: f64| {
        assert!((got / wanted - 1.0).abs() < 0.0443, "{got}, wanted {wanted}");
    };
    let latency = got.latency_5m.unwrap();
    near(latency.p50, 500.0);
    near(latency.p75, 750.0);
    near(latency.p90, 900.0);
    near(latency.p99, 990.0);
    let throughput = got.throughput_5m.unwrap();
    near(throughput.p50, 100.0 / 1.51);
    near(throughput.p75, 100.0 / 1.75);
    near(throughput.p90, 100.0 / 1.90);
    near(throughput.p99, 100.0 / 1.99);
    assert_eq!((got.latency_30m, got.throughput_30m), (got.latency_5m, got.throughput_5m));
    let later = figures(&mut scene, 310);
    assert_eq!((later.latency_5m, later.throughput_5m), (None, None));
    assert_eq!(later.latency_30m, got.latency_30m);
    assert_eq!(figures(&mut scene, 1_800).latency_30m, None);
}

#[test]
fn tool_statistics_look_back_two_hours_and_a_day() {
    let mut scene = Scene::new();
    for one in 0..40 {
        scene.call(1, called(one % 4 != 0));
    }
    scene.call(1, fine(5));
    let got = figures(&mut scene, 2);
    assert_eq!((got.tool_requests_2h, got.tool_faults_2h), (40, 10));
    let later = figures(&mut scene, 7_200);
    assert_eq!((later.tool_requests_2h, later.tool_faults_2h), (0, 0));
    assert_eq!((later.tool_requests_1d, later.tool_faults_1d), (40, 10));
}

#[test]
fn figures_are_at_most_a_second_old() {
    let mut scene = Scene::new();
    (0..200).for_each(|_| scene.call(0, fine(5)));
    assert!(figures(&mut scene, 1).latency_5m.is_some());
    let mut counted = Vec::new();
    for _ in 0..10 {
        scene.call(100, fine(5));
        counted.push(figures(&mut scene, 0).requests_30m);
    }
    assert_eq!(counted, [200, 200, 200, 200, 200, 200, 200, 200, 200, 210]);
}

#[test]
fn what_is_saved_comes_back_as_old_as_it_is() {
    let mut scene = Scene::new();
    for one in 0..300 {
        scene.call(100, fine(100 + one));
        scene.call(1, called(one % 3 != 0));
    }
    (0..5).for_each(|_| scene.call(10, Observation::Fault));
    scene.call(1, Observation::RateLimited { until: Some(scene.now.plus_millis(100_000)) });
    let before = scene.later(1);
    let figures_before = scene.board.figures(scene.seat(), scene.now);
    let saved = scene.board.unsaved(scene.now);
    assert_eq!(saved.len(), 1);
    assert!(saved[0].state.len() < 8_000, "{} bytes", saved[0].state.len());
    assert!(scene.board.unsaved(scene.now).is_empty(), "it is saved now");
    scene.board.not_saved(&saved[0]);
    assert_eq!(scene.board.unsaved(scene.now).len(), 1);

    let mut again = Scene::new();
    again.now = scene.now;
    again.board.restore(again.seat(), &saved[0].state, again.now).unwrap();
    let after = again.later(1);
    assert_eq!((after.standing, after.cooling_until), (before.standing, before.cooling_until));
    assert_eq!(again.board.figures(again.seat(), again.now), figures_before);
    // Ten minutes later only what is of half an hour and more is left.
    let mut late = Scene::new();
    late.now = scene.now.plus_millis(600_000);
    late.board.restore(late.seat(), &saved[0].state, late.now).unwrap();
    let after = figures(&mut late, 1);
    assert_eq!((after.uptime_5m, after.latency_5m), (None, None));
    assert_eq!(after.uptime_30m, figures_before.uptime_30m);
    assert_eq!(late.health().cooling_until, None);
}

#[test]
fn a_state_that_is_broken_or_of_another_version_is_refused_as_a_whole() {
    let board = HealthBoard::default();
    let seat = Seat { endpoint: "a", credential: None };
    let now = Timestamp::from_seconds(super::START);
    let long = "x".repeat(300 * 1024);
    for state in ["", "{", "[]", "{\"v\":1}", "{\"v\":2,\"tens\":[]}", long.as_str()] {
        assert_eq!(board.restore(seat, state, now), Err(Unreadable));
    }
    assert_eq!(board.figures(seat, now), Figures::default());
}
