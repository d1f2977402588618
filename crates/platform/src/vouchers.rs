//! Vouchers: codes that are shown once and redeemed for credit.

use serde::Serialize;
use sha2::{Digest, Sha256};
use signalbox_core::{Timestamp, Usd};
use signalbox_runtime::entropy;
use signalbox_store::By;
use signalbox_store::idempotency::{Answer, Once};
use signalbox_store::vouchers::VoucherRow;

use crate::{Platform, PlatformError};

/// Letters and digits that can't be taken for each other.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What a voucher should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVoucher {
    /// What each redemption is worth.
    pub amount: Usd,
    /// How many accounts may redeem it.
    pub uses: u32,
    /// From when on it is worth nothing.
    pub expires_at: Option<Timestamp>,
    /// Why it is made.
    pub reason: String,
    /// Who makes it.
    pub operator: String,
}

/// A new voucher: the only time that its code is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IssuedVoucher {
    /// The code.
    pub code: String,
    /// Its public id.
    pub code_hash: String,
    /// What each redemption is worth.
    pub amount: Usd,
    /// How many accounts may redeem it.
    pub uses: u32,
    /// From when on it is worth nothing.
    pub expires_at: Option<String>,
}

/// A voucher without its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedVoucher {
    /// Its public id.
    pub code_hash: String,
    /// What each redemption is worth.
    pub amount: Usd,
    /// How many accounts may redeem it.
    pub uses: i64,
    /// How many did.
    pub redeemed: i64,
    /// From when on it is worth nothing.
    pub expires_at: Option<String>,
    /// Why it was made.
    pub reason: String,
    /// Who made it.
    pub operator: String,
}

/// 128 random bits as `XXXXX-XXXXX-…`.
fn code(bits: [u8; 16]) -> String {
    let mut rest = u128::from_be_bytes(bits);
    let mut text = String::with_capacity(31);
    for place in 0..26 {
        if place > 0 && place % 5 == 0 && place < 25 {
            text.push('-');
        }
        let digit = usize::try_from(rest % 32).unwrap_or(0);
        text.push(char::from(ALPHABET.get(digit).copied().unwrap_or(b'0')));
        rest /= 32;
    }
    text
}

/// The hash of a code as a person may have typed it: any case, with or without strokes, with the
/// letters that the alphabet leaves out.
fn hash_of(code: &str) -> String {
    let plain =
        code.chars().filter(|letter| !matches!(letter, '-' | ' ')).map(|letter| {
            match letter.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                letter => letter,
            }
        });
    hex::encode(Sha256::digest(plain.collect::<String>()))
}

impl Platform {
    /// Makes a voucher. Its code is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`PlatformError::Refused`] for an amount or a number of uses that is not above zero.
    pub async fn create_voucher(&self, wanted: NewVoucher) -> Result<IssuedVoucher, PlatformError> {
        if wanted.amount <= Usd::ZERO || wanted.uses == 0 {
            let reason = "a voucher has an amount and a number of uses above zero".to_owned();
            return Err(PlatformError::Refused(reason));
        }
        let code = code(entropy::bytes());
        let row = VoucherRow {
            code_hash: hash_of(&code),
            amount: wanted.amount,
            uses: wanted.uses.into(),
            redeemed: 0,
            expires_at: wanted.expires_at,
            reason: wanted.reason,
            operator: wanted.operator,
            created_at: self.store().clock().now(),
        };
        let code_hash = row.code_hash.clone();
        self.store().create_voucher(row).await?;
        Ok(IssuedVoucher {
            code,
            code_hash,
            amount: wanted.amount,
            uses: wanted.uses,
            expires_at: wanted.expires_at.map(Timestamp::to_rfc3339),
        })
    }

    /// All vouchers, the newest first.
    ///
    /// # Errors
    /// [`PlatformError::Store`].
    pub async fn vouchers(&self) -> Result<Vec<ListedVoucher>, PlatformError> {
        let rows = self.store().vouchers().await?;
        let shown = |row: VoucherRow| ListedVoucher {
            code_hash: row.code_hash,
            amount: row.amount,
            uses: row.uses,
            redeemed: row.redeemed,
            expires_at: row.expires_at.map(Timestamp::to_rfc3339),
            reason: row.reason,
            operator: row.operator,
        };
        Ok(rows.into_iter().map(shown).collect())
    }

    /// Turns a code into credit for an account.
    ///
    /// # Errors
    /// [`PlatformError::Store`] with the refusal.
    pub async fn redeem(
        &self,
        by: By,
        code: &str,
        once: Option<Once>,
    ) -> Result<Answer, PlatformError> {
        let told = |amount: Usd| Answer {
            status: 200,
            body: format!(r#"{{"data":{{"amount":{amount}}}}}"#),
        };
        Ok(self.store().redeem(&hash_of(code), by, once, told).await?.answer())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_all_random_bits_and_none_of_the_letters_that_mislead() {
        let first = code([7; 16]);
        assert_eq!((first.len(), first.matches('-').count()), (30, 4));
        assert!(!first.contains(['I', 'L', 'O', 'U']));
        let mut seen = std::collections::HashSet::from([code([0; 16])]);
        for bit in 0..128 {
            seen.insert(code((1_u128 << bit).to_be_bytes()));
        }
        assert_eq!(seen.len(), 129);
    }

    #[test]
    fn a_code_may_be_typed_as_people_type() {
        let hash = hash_of("01AB-CD");
        for typed in ["o1ab-cd", "oiabcd", "0LAB CD", "01ab-cD"] {
            assert_eq!(hash_of(typed), hash, "{typed}");
        }
        assert_ne!(hash_of("01AB-CE"), hash);
    }
}
