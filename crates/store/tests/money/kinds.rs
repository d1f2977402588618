//! Every kind in the register is known to the auditor, to the database and to the documentation.

use signalbox_auditor::{AccountRow, Rows, TransferRow, audit};
use signalbox_core::Timestamp;
use signalbox_store::{Kind, Party};

const DOCUMENTATION: &str = include_str!("../../../../docs/money.md");
const SCHEMAS: [&str; 2] = [
    include_str!("../../migrations/sqlite/0005_money.sql"),
    include_str!("../../migrations/postgres/0005_money.sql"),
];

fn side(party: Party, account: &str) -> String {
    match party {
        Party::Account => format!("acct:{account}"),
        Party::House(house) => house.name().to_owned(),
    }
}

/// Whether the auditor takes a transfer of this kind between these sides for one of no kind.
fn is_alien(kind: Kind, debit: &str, credit: &str) -> bool {
    let row = kind.row();
    let account = |id: &str| AccountRow {
        id: id.to_owned(),
        credited: 0,
        charged: 0,
        withdrawn: 0,
        line: 0,
        most_line: 0,
        purchased: 0,
    };
    let transfer = TransferRow {
        seq: 1,
        id: format!("{}x", row.id),
        kind: row.name.to_owned(),
        debit: debit.to_owned(),
        credit: credit.to_owned(),
        amount: 1,
        generation: row.of_generation.then(|| "x".to_owned()),
        reason: String::new(),
        at: 1,
        prev_hash: String::new(),
        hash: String::new(),
    };
    let id = transfer.id.clone();
    let accounts = vec![account("a"), account("b")];
    let rows = Rows { accounts, transfers: vec![transfer], ..Rows::default() };
    let report = audit(rows, Timestamp::from_micros(2));
    report.breaches.iter().any(|one| one.invariant == "I1" && one.subject == id)
}

#[test]
fn the_auditor_knows_between_whom_each_kind_goes() {
    for kind in Kind::ALL {
        let pairs = kind.row().between;
        for (from, to) in pairs {
            let (debit, credit) = (side(*from, "a"), side(*to, "b"));
            assert!(!is_alien(kind, &debit, &credit), "{kind:?} from {debit} to {credit}");
            if !pairs.contains(&(*to, *from)) {
                assert!(is_alien(kind, &credit, &debit), "{kind:?} from {credit} to {debit}");
            }
        }
        assert!(is_alien(kind, "system:providers", "system:grants"), "{kind:?}");
    }
}

#[test]
fn each_kind_is_one_that_both_databases_take_and_the_documentation_explains() {
    for kind in Kind::ALL {
        let row = kind.row();
        for schema in SCHEMAS {
            assert!(
                schema.contains(&format!("'{}'", row.name)),
                "{kind:?} is no kind of the schema"
            );
        }
        let start = format!("| `{}`", row.name);
        let line = DOCUMENTATION.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("docs/money.md has no row for {kind:?}"));
        assert!(line.contains(&format!("`{}", row.id)), "{line}");
        for party in row.between.iter().flat_map(|(from, to)| [*from, *to]) {
            let named = match party {
                Party::Account => "account",
                Party::House(house) => house.name(),
            };
            assert!(line.contains(named), "{kind:?}: {named} is not in {line}");
        }
    }
}

#[test]
fn each_kind_has_a_name_and_words_of_its_own() {
    for (index, kind) in Kind::ALL.into_iter().enumerate() {
        assert_eq!(kind as usize, index);
        assert_eq!(Kind::from_name(kind.name()), Some(kind));
        assert!(!kind.row().words.is_empty(), "{kind:?}");
        let like = Kind::ALL.iter().filter(|one| one.row().words == kind.row().words);
        assert_eq!(like.count(), 1, "{kind:?}");
    }
    assert_eq!(Kind::from_name("gift"), None);
}
