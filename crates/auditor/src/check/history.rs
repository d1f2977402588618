//! I1, I2, I3, I11 and I12 over the transfers, in the order of their `seq`.

use std::collections::{HashMap, HashSet};

use super::one_more;
use super::projections::Balances;
use crate::chain::{self, GENESIS};
use crate::report::Report;
use crate::row::TransferRow;

pub(super) const GRANTS: &str = "system:grants";
pub(super) const REVENUE: &str = "system:revenue";
const ACCOUNT: &str = "acct:";

/// What the transfers say about one account.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moved {
    pub received: i128,
    pub paid: i128,
}

impl Moved {
    pub(super) fn balance(self) -> i128 {
        self.received - self.paid
    }
}

/// What the transfers say about one generation.
#[derive(Debug, Clone)]
pub(super) struct Charged {
    pub account: String,
    pub amount: i64,
}

/// What a pass over all transfers leaves behind.
#[derive(Debug, Default)]
pub(super) struct History {
    pub moved: HashMap<String, Moved>,
    pub charges: HashMap<String, Charged>,
    ids: HashSet<String>,
    last: Option<(i64, String)>,
}

impl History {
    pub(super) fn read(
        transfers: impl IntoIterator<Item = TransferRow>,
        balances: &Balances,
        report: &mut Report,
    ) -> Self {
        let mut history = Self::default();
        for transfer in transfers {
            one_more(&mut report.checked.transfers);
            history.link(&transfer, report);
            history.check_shape(&transfer, balances, report);
            history.post(&transfer, report);
            history.note_charge(transfer, report);
        }
        history
    }

    /// The balance of an account as its transfers say.
    pub(super) fn balance(&self, account: &str) -> i128 {
        self.moved_by(account).balance()
    }

    /// What the transfers say about an account, by its id.
    pub(super) fn moved_by(&self, account: &str) -> Moved {
        self.moved.get(&format!("{ACCOUNT}{account}")).copied().unwrap_or_default()
    }

    /// The accounts that transfers name, by id.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &str> {
        self.moved.keys().filter_map(|name| name.strip_prefix(ACCOUNT))
    }

    fn link(&mut self, transfer: &TransferRow, report: &mut Report) {
        let (last_seq, last_hash) = match &self.last {
            Some((seq, hash)) => (*seq, hash.as_str()),
            None => (0, GENESIS),
        };
        if transfer.seq <= last_seq {
            let detail = format!("seq {} comes after seq {last_seq}", transfer.seq);
            report.breach("I11", &transfer.id, detail);
        }
        if transfer.prev_hash != last_hash {
            let detail = format!("seq {} does not follow the transfer before it", transfer.seq);
            report.breach("I11", &transfer.id, detail);
        }
        if !chain::verify_hash(transfer) {
            let detail = format!("seq {} is not what its hash was made of", transfer.seq);
            report.breach("I11", &transfer.id, detail);
        }
        if !self.ids.insert(transfer.id.clone()) {
            report.breach("I12", &transfer.id, "two transfers have this id");
        }
        self.last = Some((transfer.seq, transfer.hash.clone()));
    }

    fn check_shape(&self, transfer: &TransferRow, balances: &Balances, report: &mut Report) {
        let known = |name: &str| name.strip_prefix(ACCOUNT).is_some_and(|id| balances.knows(id));
        let sound = match transfer.kind.as_str() {
            "grant" => {
                transfer.debit == GRANTS && known(&transfer.credit) && transfer.generation.is_none()
            }
            "charge" => {
                known(&transfer.debit)
                    && transfer.credit == REVENUE
                    && transfer.generation.is_some()
            }
            "waste" => transfer.debit == "system:waste" && transfer.credit == "system:providers",
            _ => false,
        };
        if !sound {
            let TransferRow { kind, debit, credit, .. } = transfer;
            report.breach("I1", &transfer.id, format!("a {kind} from {debit} to {credit}"));
        }
        if transfer.amount_nanos <= 0 {
            report.breach("I1", &transfer.id, format!("it moves {}", transfer.amount_nanos));
        }
    }

    fn post(&mut self, transfer: &TransferRow, report: &mut Report) {
        let amount = i128::from(transfer.amount_nanos);
        self.moved.entry(transfer.credit.clone()).or_default().received += amount;
        let payer = self.moved.entry(transfer.debit.clone()).or_default();
        payer.paid += amount;
        let left = payer.balance();
        if left < 0 && transfer.debit.starts_with(ACCOUNT) {
            let detail = format!("balance {left} after seq {}", transfer.seq);
            report.breach("I2", &transfer.debit, detail);
        }
    }

    fn note_charge(&mut self, transfer: TransferRow, report: &mut Report) {
        let Some(generation) = transfer.generation.filter(|_| transfer.kind == "charge") else {
            return;
        };
        let account = transfer.debit.strip_prefix(ACCOUNT).unwrap_or_default().to_owned();
        let amount = transfer.amount_nanos;
        if self.charges.contains_key(&generation) {
            let detail = format!("charged again by transfer {}", transfer.id);
            report.breach("I3", generation, detail);
            return;
        }
        self.charges.insert(generation, Charged { account, amount });
    }
}
