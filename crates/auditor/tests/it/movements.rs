//! Kinds of movements besides generations, and the ten kinds of damage that an audit has to name.

use signalbox_auditor::{Report, Rows};

use crate::history::{DOLLAR, History, transfer};

type Change = fn(&mut Rows);

fn found(report: &Report) -> Vec<String> {
    let mut found: Vec<String> =
        report.breaches.iter().map(|one| format!("{} {}", one.invariant, one.subject)).collect();
    found.sort();
    found.dedup();
    found
}

/// The transfer with this id.
fn at(history: &Rows, id: &str) -> usize {
    history.transfers.iter().position(|row| row.id == id).unwrap()
}

fn check(changes: &[(&str, Change, &[&str])]) {
    for (what, change, expected) in changes {
        let mut history = History::eventful();
        change(&mut history.0);
        history.seal();
        let report = history.audit();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found(&report), expected, "{what}: {:#?}", report.breaches);
    }
}

#[test]
fn a_sound_history_with_every_kind_is_clean() {
    let report = History::eventful().audit();
    assert!(report.is_clean(), "{:#?}", report.breaches);
    let checked = report.checked;
    assert_eq!((checked.payments, checked.vouchers, checked.invoices), (1, 1, 1));
    assert_eq!((checked.transfers, checked.usage), (18, 10));
}

#[test]
fn each_kind_goes_between_its_own_sides() {
    let swaps: [(&str, &str, &str); 11] = [
        ("purchase:p", "system:grants", "acct:a"),
        ("refund:p:1", "acct:a", "system:crypto"),
        ("voucher:v:a", "system:promotions", "acct:a"),
        ("promo:a", "system:vouchers", "acct:a"),
        ("transfer:t", "acct:a", "system:revenue"),
        ("chargeback:e", "system:adjustments", "system:stripe"),
        ("adjustment:1", "system:adjustments", "system:stripe"),
        ("expiry:purchase:p", "acct:a", "system:stripe"),
        ("settlement:i", "system:receivable", "acct:b"),
        ("charge:g6", "acct:b", "system:revenue"),
        ("waste:g6:0", "acct:a", "system:providers"),
    ];
    for (id, debit, credit) in swaps {
        let mut history = History::eventful();
        let at = at(&history, id);
        history.transfers[at].debit = debit.into();
        history.transfers[at].credit = credit.into();
        history.seal();
        let found = found(&history.audit());
        assert!(found.contains(&format!("I1 {id}")), "{id}: {found:?}");
    }
}

#[test]
fn an_id_says_what_a_transfer_is_for() {
    for (id, other) in [
        ("purchase:p", "purchase-p"),
        ("promo:a", "promo:b"),
        ("voucher:v:a", "voucher:v:b"),
        ("refund:p:1", "refund:p"),
        ("chargeback:e", "chargeback:e:receivable"),
        ("chargeback:e:receivable", "chargeback:x"),
        ("settlement:i", "settlement:"),
        ("charge:g6", "charge:g1"),
        ("waste:g6:0", "waste:g1:0"),
        ("expiry:purchase:p", "purchase:p"),
    ] {
        let mut history = History::eventful();
        let at = at(&history, id);
        history.transfers[at].id = other.into();
        history.seal();
        let found = found(&history.audit());
        assert!(found.contains(&format!("I12 {other}")), "{id}: {found:?}");
    }
}

#[test]
fn a_cause_has_one_effect_of_its_own_size() {
    check(&[
        (
            "the payment was never paid",
            |h| h.payments[0].paid = false,
            &["I12 p", "I12 purchase:p"],
        ),
        ("it was for less", |h| h.payments[0].amount -= 1, &["I12 p", "I12 purchase:p"]),
        ("it came by another rail", |h| h.payments[0].rail = "crypto".into(), &["I12 purchase:p"]),
        ("less went back", |h| h.payments[0].refunded -= 1, &["I12 p"]),
        ("nobody made it", |h| h.payments.clear(), &["I12 purchase:p", "I12 refund:p:1"]),
        (
            "the payment of another",
            |h| h.payments[0].account = "b".into(),
            &["I12 purchase:p", "I12 refund:p:1"],
        ),
        (
            "paid, and nobody got it",
            |h| {
                let mut second = h.payments[0].clone();
                (second.id, second.refunded) = ("q".into(), 0);
                h.payments.push(second);
            },
            &["I12 q"],
        ),
        ("a voucher nobody made", |h| h.vouchers.clear(), &["I12 voucher:v:a"]),
        ("a voucher of another worth", |h| h.vouchers[0].amount += 1, &["I12 voucher:v:a"]),
        (
            "redeemed without being paid",
            |h| {
                h.vouchers[0].accounts.push("b".into());
                h.vouchers[0].redeemed = 2;
            },
            &["I12 v"],
        ),
        (
            "paid without being redeemed",
            |h| {
                h.vouchers[0].accounts.clear();
            },
            &["I12 voucher:v:a"],
        ),
        ("above its uses", |h| h.vouchers[0].uses = 0, &["I12 v"]),
        ("the invoice is open", |h| h.invoices[0].paid = false, &["I12 i", "I12 settlement:i"]),
        ("the invoice says more", |h| h.invoices[0].amount += 1, &["I12 settlement:i"]),
        ("the invoice is gone", |h| h.invoices.clear(), &["I12 settlement:i"]),
        ("purchased less", |h| h.accounts[0].purchased -= 1, &["I9 a"]),
        ("withdrawn more", |h| h.accounts[0].withdrawn += 1, &["I1 all accounts", "I9 a"]),
    ]);
}

#[test]
fn a_fee_on_own_keys_is_recomputed_and_rounded_up_once() {
    check(&[
        ("another rate", |h| h.generations[4].fee_bps = Some(501), &["I5 g6"]),
        ("no rate is no fee", |h| h.generations[4].fee_bps = None, &["I5 g6"]),
        (
            "another list price",
            |h| h.generations[4].byok = Some(8 * DOLLAR + 1),
            &["I5 g6", "I9 account:b", "I9 key:own", "I9 workspace:w"],
        ),
        (
            "a list price that rounds to the same",
            |h| {
                h.generations[4].byok = Some(8 * DOLLAR - 19);
                let own = h.usage.iter_mut().filter(|row| row.byok == 8 * DOLLAR);
                own.for_each(|row| row.byok -= 19);
            },
            &["I5 g6"],
        ),
        (
            "by our own key",
            |h| {
                (h.generations[4].byok, h.generations[4].byok_free) = (None, None);
                h.usage.retain(|row| row.scope != "byok:b");
                h.usage.iter_mut().for_each(|row| row.byok = 0);
            },
            &["I3 g6", "I5 g6"],
        ),
        (
            "more is free than was",
            |h| h.generations[4].byok_free = Some(3 * DOLLAR + 20),
            &["I5 g6", "I9 byok:b"],
        ),
        ("nothing is free", |h| h.generations[4].byok_free = None, &["I5 g6", "I9 byok:b"]),
        (
            "all of it and more is free",
            |h| {
                h.generations[4].byok_free = Some(9 * DOLLAR);
                let month = h.usage.iter_mut().filter(|row| row.scope == "byok:b");
                month.for_each(|row| row.byok = 9 * DOLLAR);
            },
            &["I5 g6"],
        ),
        (
            "the month forgot a request",
            |h| h.usage.retain(|row| row.scope != "byok:b"),
            &["I9 byok:b"],
        ),
        (
            "a list price beyond the range",
            |h| {
                (h.generations[4].byok, h.generations[4].fee_bps) =
                    (Some(i64::MAX), Some(u32::MAX));
            },
            &["I5 g6", "I9 account:b", "I9 key:own", "I9 workspace:w"],
        ),
    ]);
}

#[test]
fn an_account_may_owe_its_line_and_no_more() {
    check(&[
        ("never a line", |h| h.accounts[1].most_line = 0, &["I2 acct:b"]),
        ("the line is gone", |h| h.accounts[1].line = 0, &["I2 b"]),
    ]);
}

/// The ten kinds of damage. Chains are sealed again where the damage would have been.
#[test]
fn each_of_ten_seeded_corruptions_is_named() {
    let sealed: [(&str, Change, &[&str]); 8] = [
        (
            "3 doubled charge",
            |h| {
                let mut again = h.transfers[at(h, "charge:g1")].clone();
                again.id = "charge:g1-again".into();
                h.transfers.push(again);
            },
            &["I3 g1", "I12 charge:g1-again"],
        ),
        ("4 a charge above its reservation", |h| h.reservations[0].amount = DOLLAR, &["I4 g1"]),
        ("5 a charge that does not recompute", |h| h.generations[0].usage.output += 1, &["I5 g1"]),
        (
            "6 wrong projections",
            |h| {
                h.usage[0].charged += 1;
                h.usage[3].charged -= 1;
                h.usage[5].day += 1;
                h.accounts[0].charged -= 1;
            },
            &["I9 key:k", "I9 account:a", "I9 workspace:default:a", "I9 a"],
        ),
        ("7 open for too long", |h| h.reservations[4].opened_at -= 31 * 1_000_000, &["I10 g5"]),
        (
            "8 a negative balance",
            |h| {
                let id = "adjustment:9";
                h.transfers.push(transfer(
                    id,
                    "adjustment",
                    "acct:a",
                    "system:adjustments",
                    50 * DOLLAR,
                ));
                h.accounts[0].withdrawn += 50 * DOLLAR;
            },
            &["I2 acct:a", "I2 a"],
        ),
        (
            "9 a payment and a voucher with two effects",
            |h| {
                let mut paid = h.transfers[at(h, "purchase:p")].clone();
                paid.id = "purchase:p2".into();
                let mut redeemed = h.transfers[at(h, "voucher:v:a")].clone();
                (redeemed.id, redeemed.credit) = ("voucher:v:b".into(), "acct:b".into());
                h.transfers.extend([paid, redeemed]);
                h.accounts[0].credited += 20 * DOLLAR;
                h.accounts[0].purchased += 20 * DOLLAR;
                h.accounts[1].credited += 3 * DOLLAR;
            },
            &["I12 purchase:p2", "I12 voucher:v:b", "I12 v"],
        ),
        (
            "10 billed though it came to nothing",
            |h| {
                h.generations[0].usage.output = 0;
                h.generations[0].finish_reason = None;
            },
            &["I7 g1"],
        ),
    ];
    let unsealed: [(&str, Change, &[&str]); 3] = [
        (
            "1 an altered amount",
            |h| {
                let at = at(h, "adjustment:1");
                h.transfers[at].amount += 1;
            },
            &["I11 adjustment:1", "I9 a"],
        ),
        (
            "2 a deleted transfer",
            |h| {
                let at = at(h, "adjustment:1");
                h.transfers.remove(at);
            },
            &["I11 adjustment:2", "I9 a"],
        ),
        (
            "2 swapped order",
            |h| {
                let at = at(h, "adjustment:1");
                h.transfers.swap(at, at + 1);
            },
            &["I11 adjustment:1", "I11 adjustment:2"],
        ),
    ];
    for (seals, cases) in [(true, &sealed[..]), (false, &unsealed[..])] {
        for (what, change, expected) in cases {
            let mut history = History::eventful();
            change(&mut history.0);
            if seals {
                history.seal();
            }
            let found = found(&history.audit());
            for one in *expected {
                assert!(found.contains(&(*one).to_owned()), "{what}: {one} not in {found:?}");
            }
        }
    }
}
