//! Who may be called, as the health board decides it, in virtual time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::time::Duration;

use signalbox_core::Timestamp;
use signalbox_policy::HealthBoard;
use signalbox_policy::health::{Admission, Observation, Seat, Sending, Standing, Usual};

#[path = "health/board.rs"]
mod board;
#[path = "health/laws.rs"]
mod laws;
#[path = "health/statistics.rs"]
mod statistics;

use board::{Scene, fine};

const START: i64 = 1_800_000_000;

#[test]
fn five_faults_in_a_row_eject_and_a_success_among_them_does_not() {
    let mut scene = Scene::new();
    for seen in [4, 4] {
        for _ in 0..seen {
            scene.call(10, Observation::Fault);
        }
        scene.call(10, fine(5));
    }
    assert_eq!(scene.standing(), Standing::Fit);
    for _ in 0..5 {
        assert_eq!(scene.standing(), Standing::Fit);
        scene.call(10, Observation::Fault);
    }
    let Standing::Ejected { until } = scene.standing() else { panic!("it is not ejected") };
    assert_eq!(until, scene.now.plus_millis(30_000));
    assert_eq!(scene.enter(false), Admission::Refused);
}

#[test]
fn more_than_half_of_twenty_in_thirty_seconds_eject() {
    let mut scene = Scene::new();
    for round in 0..10 {
        assert_eq!(scene.standing(), Standing::Fit, "round {round}");
        scene.call(400, Observation::Fault);
        scene.call(400, fine(5));
    }
    assert_eq!(scene.standing(), Standing::Fit, "exactly half");
    scene.call(400, Observation::Fault);
    scene.call(400, Observation::Fault);
    assert!(matches!(scene.standing(), Standing::Ejected { .. }));
    // The same, so slowly that there are never twenty in thirty seconds.
    let mut slow = Scene::new();
    for _ in 0..30 {
        slow.call(2_000, Observation::Fault);
        slow.call(2_000, Observation::Fault);
        slow.call(2_000, fine(5));
    }
    assert_eq!(slow.standing(), Standing::Fit);
}

#[test]
fn ejections_double_up_to_five_minutes_and_one_probe_at_a_time_ends_them() {
    let mut scene = Scene::ejected();
    for seconds in [30, 60, 120, 240, 300, 300] {
        let Standing::Ejected { until } = scene.standing() else { panic!("it is not ejected") };
        assert_eq!(until.millis_since(scene.now), seconds * 1000);
        scene.now = until;
        assert_eq!(scene.standing(), Standing::HalfOpen);
        assert_eq!(scene.enter(false), Admission::Go);
        let sent = scene.now;
        scene.now = scene.now.plus_millis(100);
        assert_eq!(scene.enter(false), Admission::Refused, "one probe at a time");
        scene.end(sent, Observation::Fault);
    }
    let Standing::Ejected { until } = scene.standing() else { panic!("it is not ejected") };
    scene.now = until;
    scene.call(100, fine(50));
    assert_eq!(scene.standing(), Standing::Fit);
    assert!(!scene.health().outage);
    let ramps: Vec<f32> = [0, 10, 10, 10].map(|seconds| scene.later(seconds).ramp).to_vec();
    for (got, wanted) in ramps.iter().zip([0.1, 0.4, 0.7, 1.0]) {
        assert!((got - wanted).abs() < 0.02, "{ramps:?}");
    }
    // It was well for long: the next ejection is a first one.
    scene.now = scene.now.plus_millis(301_000);
    (0..5).for_each(|_| scene.call(10, Observation::Fault));
    assert_eq!(scene.standing(), Standing::Ejected { until: scene.now.plus_millis(30_000) });
}

#[test]
fn a_probe_that_is_lost_leaves_its_place_to_another() {
    let mut scene = Scene::ejected();
    scene.now = scene.now.plus_millis(30_000);
    assert_eq!(scene.enter(false), Admission::Go);
    scene.now = scene.now.plus_millis(5_000);
    assert_eq!(scene.enter(false), Admission::Refused);
    scene.now = scene.now.plus_millis(5_000);
    assert_eq!(scene.enter(false), Admission::Go);
    let sent = scene.now;
    scene.end(sent, Observation::Neutral);
    assert_eq!(scene.enter(false), Admission::Go, "a probe that found out nothing");
}

#[test]
fn the_last_resort_lets_in_a_tenth_and_a_success_brings_everybody_back_at_once() {
    let mut scene = Scene::new();
    // A hundred requests a second for thirty seconds.
    for _ in 0..3000 {
        scene.call(10, fine(5));
    }
    while scene.standing() == Standing::Fit {
        scene.call(10, Observation::Fault);
    }
    let mut sent = 0;
    for _ in 0..2000 {
        scene.now = scene.now.plus_millis(10);
        if scene.enter(true) == Admission::Go {
            sent += 1;
            let at = scene.now;
            scene.end(at, Observation::Fault);
        }
    }
    assert!((190..=215).contains(&sent), "{sent} of 2000 in 20 s");
    let Standing::Ejected { until } = scene.standing() else { panic!("it is not ejected") };
    assert!(until.millis_since(scene.now) < 10_001, "what the trickle finds prolongs nothing");
    while scene.enter(true) == Admission::Refused {
        scene.now = scene.now.plus_millis(10);
    }
    let at = scene.now;
    scene.now = scene.now.plus_millis(300);
    scene.end(at, fine(250));
    assert_eq!(scene.standing(), Standing::Fit);
    assert_eq!(scene.enter(false), Admission::Go);
    // Late news of before the recovery eject nobody.
    let late = at.plus_millis(-2_000);
    (0..50).for_each(|_| scene.end(late, Observation::Fault));
    assert_eq!(scene.standing(), Standing::Fit);
}

#[test]
fn a_quiet_server_never_fails_fast() {
    let mut scene = Scene::ejected();
    for second in 0..100 {
        scene.now = scene.now.plus_millis(1_000);
        assert_eq!(scene.enter(true), Admission::Go, "second {second}");
        let sent = scene.now;
        scene.end(sent, Observation::Fault);
    }
}

#[test]
fn an_old_stream_that_ends_well_does_not_end_an_ejection() {
    let mut scene = Scene::new();
    let old = scene.now;
    assert_eq!(scene.enter(false), Admission::Go);
    scene.now = scene.now.plus_millis(500);
    scene.board.answering(scene.seat(), old, scene.now);
    (0..5).for_each(|_| scene.call(10, Observation::Fault));
    scene.end(old, fine(500));
    assert!(matches!(scene.standing(), Standing::Ejected { .. }));
}

#[test]
fn content_ends_an_ejection_unless_it_was_for_breaking_off() {
    for (seen, recovers) in [(Observation::Fault, true), (Observation::Broke, false)] {
        let mut scene = Scene::new();
        (0..5).for_each(|_| scene.call(10, seen));
        scene.now = scene.now.plus_millis(30_000);
        assert_eq!(scene.enter(false), Admission::Go);
        let sent = scene.now;
        scene.now = scene.now.plus_millis(400);
        scene.board.answering(scene.seat(), sent, scene.now);
        assert_eq!(scene.standing() == Standing::Fit, recovers, "{seen:?}");
        assert_eq!(scene.enter(false), Admission::Go, "the probe's place is free either way");
    }
}

#[test]
fn faults_among_streams_that_have_begun_do_not_eject() {
    let mut scene = Scene::new();
    // A cold start: ten streams a second that take long, and every tenth request fails.
    for one in 0..200 {
        scene.now = scene.now.plus_millis(100);
        assert_eq!(scene.enter(false), Admission::Go, "{one}");
        let sent = scene.now;
        if one % 10 == 9 {
            scene.end(sent, Observation::Fault);
        } else {
            scene.board.answering(scene.seat(), sent, scene.now.plus_millis(50));
        }
    }
    assert_eq!(scene.standing(), Standing::Fit);
}

#[test]
fn five_overdue_streams_and_no_sign_of_life_are_a_hang() {
    let mut scene = Scene::new();
    for _ in 0..100 {
        scene.call(10, fine(200));
    }
    scene.later(2);
    assert_eq!(scene.board.hang_check_after(scene.seat(), false), Duration::from_secs(2));
    let sends: Vec<Timestamp> = (0..6)
        .map(|_| {
            scene.now = scene.now.plus_millis(15);
            assert_eq!(scene.enter(false), Admission::Go);
            scene.now
        })
        .collect();
    let hangs = |scene: &Scene, sent| scene.board.hanging(scene.seat(), sent, scene.now);
    scene.now = sends[4].plus_millis(2_000);
    assert!(!hangs(&scene, sends[0]), "four are overdue");
    assert_eq!(scene.standing(), Standing::Fit);
    scene.now = sends[4].plus_millis(2_001);
    assert!(hangs(&scene, sends[0]));
    assert!(matches!(scene.standing(), Standing::Ejected { .. }));
    assert_eq!(scene.enter(false), Admission::Refused);
    // Those that leave don't change what the others are told.
    for sent in &sends {
        assert!(hangs(&scene, *sent));
        scene.end(*sent, Observation::Fault);
    }
    let Standing::Ejected { until } = scene.standing() else { panic!("it is not ejected") };
    // What is sent from now on finds out whether it is back, and may take long.
    scene.now = until;
    assert_eq!(scene.enter(false), Admission::Go);
    let probe = scene.now;
    scene.now = scene.now.plus_millis(20_000);
    assert!(!hangs(&scene, probe));
    scene.board.answering(scene.seat(), probe, scene.now);
    assert_eq!(scene.standing(), Standing::Fit);
}

#[test]
fn a_sign_of_life_or_long_answers_in_one_piece_are_no_hang() {
    let mut scene = Scene::new();
    for _ in 0..100 {
        scene.call(10, fine(200));
    }
    scene.later(2);
    let sends: Vec<Timestamp> = (0..10)
        .map(|_| {
            scene.now = scene.now.plus_millis(15);
            let sending = Sending { whole: true, ..scene.sending(false) };
            assert_eq!(scene.board.enter(&sending, scene.now), Admission::Go);
            scene.now
        })
        .collect();
    scene.now = scene.now.plus_millis(9_000);
    assert!(!scene.board.hanging(scene.seat(), sends[0], scene.now), "they may take a minute");
    // Ten streams, and one answer while they wait.
    let mut streams = Vec::new();
    for _ in 0..10 {
        scene.now = scene.now.plus_millis(15);
        assert_eq!(scene.enter(false), Admission::Go);
        streams.push(scene.now);
    }
    scene.now = scene.now.plus_millis(1_900);
    scene.board.answering(scene.seat(), streams[3], scene.now);
    scene.now = scene.now.plus_millis(1_900);
    assert!(!scene.board.hanging(scene.seat(), streams[0], scene.now));
}

#[test]
fn patience_comes_from_the_models_other_endpoints_before_the_catalogue() {
    let scene = Scene::new();
    let other = Seat { endpoint: "other", credential: None };
    let sending = Sending { seat: other, ..scene.sending(false) };
    let check = |seat, whole| scene.board.hang_check_after(seat, whole);
    assert_eq!(scene.board.enter(&sending, scene.now), Admission::Go);
    assert_eq!(check(other, false), Duration::from_secs(9), "three times what is usual");
    assert_eq!(check(other, true), Duration::from_secs(60));
    let mut busy = scene;
    for _ in 0..100 {
        busy.call(10, fine(1_000));
    }
    let after = busy.board.hang_check_after(other, false).as_millis();
    assert!((2_860..=3_140).contains(&after), "{after} ms");
    let own = busy.board.hang_check_after(busy.seat(), false).as_millis();
    assert!((2_860..=3_140).contains(&own), "{own} ms");
}

#[test]
fn an_outage_is_a_fault_that_no_success_followed_or_several_among_few_answers() {
    let mut scene = Scene::new();
    scene.call(10, Observation::Fault);
    assert!(scene.health().outage);
    scene.call(10, fine(5));
    assert!(!scene.health().outage, "one fault, then a success");
    scene.call(10, Observation::Fault);
    assert!(!scene.later(31).outage, "it is forgotten");
    for _ in 0..3 {
        scene.call(10, Observation::Fault);
        scene.call(10, fine(5));
    }
    assert!(scene.health().outage, "three of six");
    let mut busy = Scene::new();
    for _ in 0..3 {
        busy.call(10, Observation::Fault);
        (0..30).for_each(|_| busy.call(10, fine(5)));
    }
    assert!(!busy.health().outage, "three of ninety-three");
}

#[test]
fn who_asks_for_patience_is_not_called_and_not_blamed() {
    let mut scene = Scene::new();
    let until = scene.now.plus_millis(60_000);
    for _ in 0..40 {
        scene.call(10, Observation::RateLimited { until: Some(until) });
    }
    assert_eq!(scene.health().cooling_until, Some(until));
    assert_eq!((scene.standing(), scene.health().outage), (Standing::Fit, false));
    for last_resort in [false, true] {
        assert_eq!(scene.enter(last_resort), Admission::Refused);
    }
    scene.now = until;
    assert_eq!(scene.enter(false), Admission::Go);
    assert_eq!(scene.health().cooling_until, None);
}

#[test]
fn a_clock_that_is_set_back_neither_prolongs_a_rest_nor_freezes_an_ejection() {
    for hours in [1, 30 * 24] {
        let mut scene = Scene::ejected();
        scene.call(10, Observation::RateLimited { until: Some(scene.now.plus_millis(200_000)) });
        scene.now = scene.now.plus_millis(-hours * 3_600_000);
        let health = scene.health();
        let cooling = health.cooling_until.unwrap();
        assert!(cooling.millis_since(scene.now) <= 200_000, "{hours} h");
        let Standing::Ejected { until } = health.standing else { panic!("{health:?}") };
        assert!(until.millis_since(scene.now) <= 30_000, "{hours} h");
        scene.now = cooling;
        assert_eq!(scene.enter(false), Admission::Go);
    }
}

#[test]
fn tenants_keys_have_seats_of_their_own() {
    let mut scene = Scene::ejected();
    let theirs = Seat { credential: Some("key"), ..scene.seat() };
    let sending = Sending { seat: theirs, ..scene.sending(false) };
    assert_eq!(scene.board.enter(&sending, scene.now), Admission::Go);
    let until = Some(scene.now.plus_millis(5_000));
    scene.board.record(theirs, scene.now, scene.now, Observation::RateLimited { until });
    scene.now = scene.now.plus_millis(30_000);
    assert_eq!(scene.enter(false), Admission::Go);
    assert_eq!(sending.usual, Usual::CHAT);
    let empty = HealthBoard::default();
    assert_eq!(empty.hang_check_after(theirs, false), Duration::from_secs(9));
}
