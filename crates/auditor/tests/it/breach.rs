//! Each invariant is broken in every way that is checked, and the auditor names it.

use signalbox_auditor::{AccountRow, Report, Rows, UsageRow};

use crate::history::{
    DAY, DOLLAR, History, START, charge, generation, grant, prices, reservation, usage,
};

type Change = fn(&mut Rows);

fn spent(scope: &str, charged: i64) -> UsageRow {
    UsageRow { scope: scope.into(), day: 1, charged, byok: 0, requests: 0 }
}

/// The invariants that were found broken, each once, with their subjects.
fn found(report: &Report) -> Vec<String> {
    let mut found: Vec<String> =
        report.breaches.iter().map(|one| format!("{} {}", one.invariant, one.subject)).collect();
    found.sort();
    found.dedup();
    found
}

/// Changes the sound history, seals its chain again and compares what the audit finds.
fn check(changes: &[(&str, Change, &[&str])]) {
    for (what, change, expected) in changes {
        let mut history = History::sound();
        change(&mut history.0);
        history.seal();
        let report = history.audit();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found(&report), expected, "{what}: {:#?}", report.breaches);
    }
}

#[test]
fn a_sound_history_is_clean() {
    let report = History::sound().audit();
    assert!(report.is_clean(), "{:#?}", report.breaches);
    let checked = report.checked;
    assert_eq!((checked.accounts, checked.transfers, checked.reservations), (2, 4, 5));
    assert_eq!((checked.generations, checked.usage), (4, 6));
    assert!(History::default().audit().is_clean());
}

#[test]
fn i1_money_moves_between_two_known_accounts() {
    check(&[
        (
            "a grant out of nowhere",
            |h| h.transfers[0].debit = "system:gifts".into(),
            &["I1 all accounts", "I1 grant:1"],
        ),
        (
            "an unknown kind",
            |h| h.transfers[3].kind = "refund".into(),
            &[
                "I1 charge:g3",
                "I5 g3",
                "I9 a",
                "I9 g3",
                "I9 account:a",
                "I9 key:k",
                "I9 workspace:default:a",
            ],
        ),
        (
            "a grant to a stranger",
            |h| h.transfers.push(grant("grant:2", "nobody", 5)),
            &["I1 all accounts", "I1 grant:2", "I9 nobody"],
        ),
        ("nothing moves", |h| h.transfers.push(grant("grant:2", "a", 0)), &["I1 grant:2"]),
        (
            "a grant for a generation",
            |h| h.transfers[0].generation = Some("g4".into()),
            &["I1 grant:1"],
        ),
        (
            "stored balances make money",
            |h| h.accounts[1].credited += 1,
            &["I1 all accounts", "I9 b"],
        ),
    ]);
}

#[test]
fn i2_no_balance_falls_below_zero() {
    check(&[
        ("charged before the money came", |h| h.transfers.rotate_left(1), &["I2 acct:a"]),
        ("more held than there is", |h| h.reservations[4].amount = 4_900_000_001, &["I2 a"]),
        ("all that is there is held", |h| h.reservations[4].amount = 4_900_000_000, &[]),
    ]);
    let mut young = History::sound();
    young.reservations[4].amount = 4_900_000_001;
    assert!(young.audit_after(4).is_clean(), "an end may still be on its way");
}

#[test]
fn i3_a_reservation_ends_once_and_a_generation_is_charged_once() {
    check(&[
        (
            "charged twice",
            |h| {
                let mut again = charge("g1", "a", 1, START);
                again.id.push('b');
                h.transfers.push(again);
            },
            &["I3 g1", "I12 charge:g1b", "I9 a", "I1 all accounts"],
        ),
        (
            "charged and released",
            |h| h.reservations[0].outcome = Some("released".into()),
            &["I3 g1"],
        ),
        (
            "charged and given back at a restart",
            |h| h.reservations[0].outcome = Some("recovered".into()),
            &["I3 g1"],
        ),
        (
            "charged and still open",
            |h| (h.reservations[0].outcome, h.reservations[0].ended_at) = (None, None),
            &["I2 a", "I3 g1"],
        ),
        ("an end without an outcome", |h| h.reservations[3].outcome = None, &["I3 g4"]),
        ("an outcome without an end", |h| h.reservations[3].ended_at = None, &["I2 a", "I3 g4"]),
        (
            "an unknown outcome",
            |h| h.reservations[3].outcome = Some("forgotten".into()),
            &["I3 g4"],
        ),
        (
            "settled without a generation",
            |h| h.reservations.push(reservation("g9", 5, Some("settled"))),
            &["I3 g9", "I9 account:a", "I9 key:k", "I9 workspace:default:a"],
        ),
        (
            "charged without a reservation",
            |h| drop(h.reservations.remove(0)),
            &["I3 g1", "I9 account:a", "I9 key:k", "I9 workspace:default:a"],
        ),
        (
            "held of another account",
            |h| h.reservations[0].account = "b".into(),
            &["I3 g1", "I9 account:a", "I9 account:b"],
        ),
        ("recorded for another key", |h| h.generations[0].key = "other".into(), &["I3 g1"]),
    ]);
}

#[test]
fn i4_no_charge_is_above_what_was_held() {
    check(&[
        ("the hold was smaller", |h| h.reservations[0].amount = 1_999_999_999, &["I4 g1", "I5 g1"]),
        ("the hold was exact", |h| h.reservations[0].amount = 2_000_000_000, &[]),
        ("a negative hold", |h| h.reservations[3].amount = -1, &["I4 g4"]),
    ]);
}

#[test]
fn i5_a_charge_is_what_the_usage_costs() {
    check(&[
        ("one token less", |h| h.generations[0].usage.output -= 1, &["I5 g1"]),
        ("one token more", |h| h.generations[0].usage.input_uncached += 1, &["I5 g1"]),
        ("no price row", |h| h.generations[0].prices = None, &["I5 g1"]),
        (
            "a price row without prices",
            |h| h.generations[0].prices = Some(signalbox_core::PriceTable::default()),
            &["I5 g1"],
        ),
        (
            "served and not charged",
            |h| {
                h.generations[3].prices = Some(prices());
                h.generations[3].usage = usage(10, 10, 0);
            },
            &["I5 g4"],
        ),
        ("charged for nothing", |h| drop(h.generations.remove(0)), &["I3 g1", "I5 g1"]),
        ("a failure without its search", |h| h.generations[1].usage.searches = 2, &["I5 g2"]),
    ]);
}

#[test]
fn i7_failed_and_empty_answers_cost_no_tokens() {
    check(&[
        ("it failed", |h| h.generations[0].finish_reason = Some("error".into()), &["I7 g1"]),
        (
            "it is empty",
            |h| {
                h.generations[0].usage = usage(2000, 0, 0);
                h.generations[0].finish_reason = None;
            },
            &["I7 g1"],
        ),
        ("it stopped at once", |h| h.generations[0].usage = usage(2000, 0, 0), &[]),
    ]);
}

#[test]
fn i9_stored_sums_are_those_of_the_transfers() {
    check(&[
        (
            "more came in",
            |h| {
                h.accounts[0].credited += 1;
                h.accounts[0].charged += 1;
            },
            &["I9 a"],
        ),
        ("another day", |h| h.usage[0].day -= 1, &["I9 key:k"]),
        ("another sum", |h| h.usage[2].charged -= 1, &["I9 account:a"]),
        ("another count", |h| h.usage[4].requests += 1, &["I9 workspace:default:a"]),
        ("own keys that nobody used", |h| h.usage[0].byok = 1, &["I9 key:k"]),
        ("a day is missing", |h| drop(h.usage.pop()), &["I9 workspace:default:a"]),
        ("a key that spent nothing", |h| h.usage.push(spent("key:x", 0)), &[]),
        ("a key that spent out of nothing", |h| h.usage.push(spent("key:x", 1)), &["I9 key:x"]),
        ("the row shows another cost", |h| h.generations[0].cost += 1, &["I9 g1"]),
    ]);
}

#[test]
fn i10_nothing_stays_open_for_longer_than_a_minute() {
    let history = History::sound();
    assert!(history.audit_after(60).is_clean());
    assert_eq!(found(&history.audit_after(61)), ["I10 g5"]);
}

#[test]
fn i11_the_history_is_append_only() {
    let changes: [(&str, Change, &[&str]); 5] = [
        ("a reason is rewritten", |h| h.transfers[0].reason.push('!'), &["I11 grant:1"]),
        (
            "a transfer is sealed anew, its follower is not",
            |h| {
                let mut forged = History(h.clone());
                forged.transfers[0].reason.push('!');
                forged.seal();
                h.transfers[0] = forged.transfers[0].clone();
            },
            &["I11 charge:g1"],
        ),
        (
            "the first transfer is gone",
            |h| {
                h.transfers.remove(0);
                h.accounts[0].credited = 0;
            },
            &["I11 charge:g1", "I2 a", "I2 acct:a"],
        ),
        (
            "two transfers are swapped",
            |h| h.transfers.swap(1, 2),
            &["I11 charge:g1", "I11 charge:g2", "I11 charge:g3"],
        ),
        (
            "the last transfer is gone",
            |h| drop(h.transfers.pop()),
            &[
                "I1 all accounts",
                "I5 g3",
                "I9 a",
                "I9 g3",
                "I9 account:a",
                "I9 key:k",
                "I9 workspace:default:a",
            ],
        ),
    ];
    for (what, change, expected) in changes {
        let mut history = History::sound();
        change(&mut history.0);
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found(&history.audit()), expected, "{what}");
    }
}

#[test]
fn i12_ids_are_unique() {
    check(&[
        (
            "a grant twice",
            |h| {
                h.transfers.push(grant("grant:1", "a", 5));
                h.accounts[0].credited += 5;
            },
            &["I12 grant:1"],
        ),
        ("an account twice", |h| h.accounts.push(h.accounts[1].clone()), &["I12 b"]),
        ("a reservation twice", |h| h.reservations.push(h.reservations[0].clone()), &["I12 g1"]),
        ("a generation twice", |h| h.generations.push(h.generations[0].clone()), &["I12 g1"]),
        ("a day twice", |h| h.usage.push(h.usage[0].clone()), &["I12 key:k"]),
    ]);
}

#[test]
fn a_wrecked_database_gives_a_short_list_and_the_full_count() {
    let mut history = History::sound();
    for n in 0..3000 {
        let id = format!("x{n}");
        history.generations.push(generation(&id, usage(1000, 0, 0), Some("stop"), 0));
    }
    let report = history.audit();
    assert_eq!(report.breaches.len(), Report::MOST_BREACHES);
    assert_eq!(report.breach_count, 3000);
}

#[test]
fn hostile_numbers_are_a_breach_and_not_a_panic() {
    check(&[
        (
            "usage beyond all counting",
            |h| {
                let most = u64::MAX;
                h.generations[0].usage = signalbox_core::Usage {
                    cache_read: most,
                    cache_write_1h: most,
                    ..usage(most, most, most)
                };
            },
            &["I5 g1"],
        ),
        (
            "balances at the ends of the range",
            |h| {
                let extreme = AccountRow {
                    id: "c".into(),
                    credited: i64::MAX,
                    charged: i64::MIN,
                    withdrawn: i64::MIN,
                    line: i64::MIN,
                    most_line: i64::MIN,
                    purchased: i64::MIN,
                };
                h.accounts.push(extreme);
            },
            &["I1 all accounts", "I9 c"],
        ),
        (
            "times at the ends of the range",
            |h| {
                h.generations[0].created_at = i64::MIN;
                h.reservations[3].opened_at = i64::MAX;
            },
            &["I9 account:a", "I9 key:k", "I9 workspace:default:a"],
        ),
    ]);
}

const GUARD: &str = "guardrail:g:key:k";

/// The first generation, of $2, counts for this budget, of which so much is stored.
fn counts(rows: &mut Rows, scope: &str, stored: i64) {
    rows.reservations[0].scopes = Some(vec![scope.to_owned()]);
    rows.usage.push(UsageRow { day: DAY, requests: 1, ..spent(scope, stored) });
}

#[test]
fn i9_a_budget_counts_what_was_reserved_of_it() {
    check(&[
        ("as noted", |h| counts(h, GUARD, 2 * DOLLAR), &[]),
        ("too much", |h| counts(h, GUARD, 2 * DOLLAR + 1), &["I9 guardrail:g:key:k"]),
        (
            "nothing",
            |h| h.reservations[0].scopes = Some(vec![GUARD.into()]),
            &["I9 guardrail:g:key:k"],
        ),
        ("out of nothing", |h| h.usage.push(spent(GUARD, 1)), &["I9 guardrail:g:key:k"]),
        ("of another key", |h| counts(h, "guardrail:g:key:x", 2 * DOLLAR), &["I9 g1"]),
        (
            "twice",
            |h| {
                counts(h, GUARD, 4 * DOLLAR);
                h.usage.last_mut().unwrap().requests = 2;
                h.reservations[0].scopes = Some(vec![GUARD.into(), GUARD.into()]);
            },
            &["I9 g1"],
        ),
        (
            "of a day of which nobody noted what counts",
            |h| {
                h.reservations[0].scopes = None;
                h.usage.push(UsageRow { day: DAY, ..spent(GUARD, 1) });
            },
            &[],
        ),
    ]);
}
