//! What holds whatever is observed, whenever, and by however many threads.

use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use signalbox_core::Timestamp;
use signalbox_policy::health::{Observation, Seat, Sending, Standing};
use signalbox_policy::{Health, HealthBoard};

use super::START;
use super::board::{Scene, endpoint, fine};

#[derive(Debug, Clone)]
enum Step {
    Pass(i64),
    Enter { last_resort: bool, whole: bool },
    Answering(usize),
    Hanging(usize),
    End(usize, Observation),
    Restart,
}

fn seen() -> impl Strategy<Value = Observation> {
    let success = (any::<Option<u64>>(), any::<u64>(), any::<u64>(), any::<Option<bool>>());
    let success = success.prop_map(|(first_content_ms, total_ms, output_tokens, tools)| {
        Observation::Success { first_content_ms, total_ms, output_tokens, tools }
    });
    let until = any::<Option<i64>>().prop_map(|until| until.map(Timestamp::from_micros));
    prop_oneof![
        2 => (0_u64..5_000).prop_map(fine),
        1 => success,
        4 => Just(Observation::Fault),
        1 => Just(Observation::Broke),
        1 => until.prop_map(|until| Observation::RateLimited { until }),
        1 => Just(Observation::Neutral),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_i64..4_000).prop_map(Step::Pass),
        1 => (-4_000_000_i64..400_000_000).prop_map(Step::Pass),
        1 => any::<i64>().prop_map(Step::Pass),
        8 => (any::<bool>(), any::<bool>())
            .prop_map(|(last_resort, whole)| Step::Enter { last_resort, whole }),
        3 => any::<usize>().prop_map(Step::Answering),
        2 => any::<usize>().prop_map(Step::Hanging),
        8 => (any::<usize>(), seen()).prop_map(|(which, seen)| Step::End(which, seen)),
        1 => Just(Step::Restart),
    ]
}

fn check(scene: &Scene) {
    let now = scene.now;
    let health = scene.health();
    // Five minutes, and the two seconds by which threads may disagree on the time.
    let longest = 302_001;
    if let Standing::Ejected { until } = health.standing {
        assert!(until > now && until.millis_since(now) <= longest, "{health:?} at {now:?}");
    }
    if let Some(until) = health.cooling_until {
        assert!(until > now && until.millis_since(now) <= longest, "{health:?} at {now:?}");
    }
    assert!((0.1..=1.0).contains(&health.ramp), "{health:?}");
    for uptime in [health.uptime_5m, health.uptime_30m, health.uptime_1d].into_iter().flatten() {
        assert!((0.0..=100.0).contains(&uptime));
    }
    if let Some(latency) = health.latency_ms {
        assert!(latency.p50 <= latency.p90 && latency.p99.is_finite());
    }
    if let Some(flow) = health.throughput {
        assert!(flow.p90 <= flow.p50 && flow.p99 > 0.0);
    }
    assert!(health.tool_faults_2h <= health.tool_requests_2h);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]
    #[test]
    fn nothing_that_is_observed_at_any_time_breaks_the_board(
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let mut scene = Scene::new();
        let mut sent = vec![scene.now];
        let pick = |sent: &[Timestamp], which: usize| sent[which % sent.len()];
        for step in steps {
            match step {
                Step::Pass(millis) => {
                    // The clock may show anything that a clock can show.
                    let micros = scene.now.plus_millis(millis).micros();
                    scene.now = Timestamp::from_micros(micros.clamp(-1 << 52, 1 << 52));
                }
                Step::Enter { last_resort, whole } => {
                    let sending = Sending { whole, ..scene.sending(last_resort) };
                    let _ = scene.board.enter(&sending, scene.now);
                    sent.push(scene.now);
                }
                Step::Answering(which) => {
                    scene.board.answering(scene.seat(), pick(&sent, which), scene.now);
                }
                Step::Hanging(which) => {
                    let _ = scene.board.hanging(scene.seat(), pick(&sent, which), scene.now);
                }
                Step::End(which, seen) => scene.end(pick(&sent, which), seen),
                Step::Restart => {
                    let saved = scene.board.unsaved(scene.now);
                    scene.board = HealthBoard::default();
                    for one in saved {
                        scene.board.restore(scene.seat(), &one.state, scene.now).unwrap();
                    }
                }
            }
            check(&scene);
        }
    }

    #[test]
    fn any_saved_text_is_read_or_refused(text in ".{0,200}", number in any::<i64>(), bucket in any::<usize>(), count in any::<u32>()) {
        let scene = Scene::new();
        let _ = scene.board.restore(scene.seat(), &text, scene.now);
        let state = format!(
            "{{\"v\":1,\"ejected_until\":{number},\"ejections\":{count},\"cooling_until\":{number},\
             \"tens\":[[{number},{count},{count},1]],\"minutes\":[],\"halves\":[],\
             \"tools\":[[{number},1,{count}]],\"tool_halves\":[],\
             \"short\":[[{number},[[{bucket},{count}]],[]]],\"long\":[],\"whole\":[]}}"
        );
        scene.board.restore(scene.seat(), &state, scene.now).unwrap();
        check(&scene);
    }
}

#[test]
fn eight_threads_lose_no_observation_and_readers_see_sense() {
    let board = HealthBoard::default();
    let endpoints: Vec<_> = (0..50).map(|one| endpoint(&format!("endpoint-{one}"))).collect();
    let done = AtomicBool::new(false);
    let now = Timestamp::from_seconds(START);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..6)
            .map(|thread| {
                let (board, endpoints) = (&board, &endpoints);
                scope.spawn(move || {
                    for round in 0..5_000_i64 {
                        let at = &endpoints[(round % 50) as usize].id;
                        let seat = Seat { endpoint: at, credential: None };
                        let now = now.plus_millis(round);
                        let sending = Sending { seat, ..Scene::new().sending(true) };
                        let _ = board.enter(&sending, now);
                        let seen =
                            if (round + thread) % 7 == 0 { Observation::Fault } else { fine(9) };
                        board.record(seat, now, now.plus_millis(5), seen);
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for one in &endpoints {
                        let health = board.of(one, None, now.plus_millis(5_000));
                        assert!(health.ramp > 0.0 && health.requests_30m <= 600);
                    }
                }
            });
        }
        writers.into_iter().for_each(|one| one.join().unwrap());
        done.store(true, Ordering::Relaxed);
    });
    for one in &endpoints {
        let seat = Seat { endpoint: &one.id, credential: None };
        assert_eq!(board.figures(seat, now.plus_millis(10_000)).requests_30m, 600);
    }
}

#[test]
fn keys_without_end_do_not_fill_the_board() {
    let board = HealthBoard::default();
    let mut now = Timestamp::from_seconds(START);
    for one in 0..3_000 {
        now = now.plus_millis(1);
        let credential = format!("key-{one}");
        let seat = Seat { endpoint: "acme-1", credential: Some(&credential) };
        board.record(seat, now, now, Observation::Fault);
    }
    assert!(board.unsaved(now).len() <= 1024, "one shard");
    let last = Seat { endpoint: "acme-1", credential: Some("key-2999") };
    assert_eq!(board.figures(last, now.plus_millis(1_000)).requests_30m, 1);
}
