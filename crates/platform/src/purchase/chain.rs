//! Transfers of a token on a chain of Ethereum's kind, as a node tells of them by JSON-RPC
//! (ethereum.org, JSON-RPC API: `eth_chainId`, `eth_blockNumber`, `eth_getTransactionReceipt`).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde_json::{Value, json};
use signalbox_upstream::{Client, Document, Method, Service};

use super::settings::{Address, CryptoSettings};
use super::telling::text;

/// Topic of `Transfer(address,address,uint256)` (EIP-20): the Keccak-256 of these words.
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/// Longest call.
const PATIENCE: Duration = Duration::from_secs(15);

/// The id of a transaction: 32 bytes, written as `0x` and 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionId(String);

impl TransactionId {
    /// Reads one, in any case.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim().strip_prefix("0x")?, &mut bytes).ok()?;
        Some(Self(format!("0x{}", hex::encode(bytes))))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One transfer of a token within a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its place among the logs of its block.
    pub log: u64,
    /// The token's contract.
    pub token: Address,
    /// Who received it.
    pub to: Address,
    /// How much, in the token's smallest units.
    pub units: u128,
}

/// What a transaction did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The block that it is in.
    pub block: u64,
    /// Blocks from there to the newest one, both included.
    pub confirmations: u64,
    /// Its transfers, of whatever token.
    pub transfers: Vec<Transfer>,
}

/// Why the chain proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// No answer, or none that can be understood.
    #[error("the chain can't be reached")]
    Unreachable,
    /// The node is on another chain than the configured one.
    #[error("the node is on chain {0}")]
    OtherChain(u64),
    /// The node knows no such transaction, or it is in no block yet.
    #[error("the transaction is in no block yet")]
    Pending,
    /// It failed: nothing was transferred.
    #[error("the transaction failed")]
    Reverted,
    /// It may still be undone.
    #[error("the transaction has {have} of {want} confirmations")]
    Unconfirmed {
        /// Blocks so far.
        have: u64,
        /// Blocks that are needed.
        want: u64,
    },
    /// It has no transfer of this order's token, recipient and exact amount.
    #[error("the transaction does not pay this order: token, recipient and amount must be exact")]
    OtherTransfer,
    /// It happened before the order was made.
    #[error("the transaction is older than the order")]
    TooOld,
}

/// A future of an answer.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, ChainError>> + Send + 'a>>;

/// Looks at a chain.
pub trait OnChain: fmt::Debug + Send + Sync {
    /// The number of the newest block.
    fn height(&self) -> Asked<'_, u64>;

    /// What a transaction did.
    fn receipt<'a>(&'a self, transaction: &'a TransactionId) -> Asked<'a, Receipt>;
}

/// A chain seen through a node.
#[derive(Debug)]
pub struct Node {
    service: Service,
    chain_id: u64,
}

impl Node {
    /// # Errors
    /// [`ChainError::Unreachable`] when the address can't be used.
    pub fn new(client: &Client, settings: &CryptoSettings) -> Result<Self, ChainError> {
        let service = Service::new(client, settings.rpc_url.expose(), PATIENCE);
        let service = service.map_err(|_| ChainError::Unreachable)?;
        Ok(Self { service, chain_id: settings.chain_id })
    }

    async fn ask(&self, method: &str, params: Value) -> Result<Value, ChainError> {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let call = Document::json(call.to_string());
        let told = self.service.call(Method::POST, "", Some(call), None).await;
        let told = told.map_err(|_| ChainError::Unreachable)?;
        let body: Value =
            serde_json::from_slice(&told.body).map_err(|_| ChainError::Unreachable)?;
        match (told.status, body.get("error"), body.get("result")) {
            (200, None | Some(Value::Null), Some(result)) => Ok(result.clone()),
            _ => Err(ChainError::Unreachable),
        }
    }

    async fn on_the_right_chain(&self) -> Result<(), ChainError> {
        let chain = quantity(&self.ask("eth_chainId", json!([])).await?);
        match chain.and_then(|chain| u64::try_from(chain).ok()) {
            Some(chain) if chain == self.chain_id => Ok(()),
            Some(chain) => Err(ChainError::OtherChain(chain)),
            None => Err(ChainError::Unreachable),
        }
    }

    async fn newest(&self) -> Result<u64, ChainError> {
        let height = quantity(&self.ask("eth_blockNumber", json!([])).await?);
        height.and_then(|height| u64::try_from(height).ok()).ok_or(ChainError::Unreachable)
    }
}

impl OnChain for Node {
    fn height(&self) -> Asked<'_, u64> {
        Box::pin(async move {
            self.on_the_right_chain().await?;
            self.newest().await
        })
    }

    fn receipt<'a>(&'a self, transaction: &'a TransactionId) -> Asked<'a, Receipt> {
        Box::pin(async move {
            let newest = self.height().await?;
            let params = json!([transaction.as_str()]);
            let found = self.ask("eth_getTransactionReceipt", params).await?;
            if found.is_null() {
                return Err(ChainError::Pending);
            }
            if text(&found, "/transactionHash").map(|hash| hash.to_lowercase()).as_deref()
                != Some(transaction.as_str())
            {
                return Err(ChainError::Unreachable);
            }
            read(&found, newest)
        })
    }
}

/// A number as JSON-RPC writes it: `0x` and hex digits without leading zeros.
fn quantity(value: &Value) -> Option<u128> {
    let digits = value.as_str()?.strip_prefix("0x")?;
    if digits.starts_with('+') {
        return None;
    }
    u128::from_str_radix(digits, 16).ok()
}

fn small(value: Option<&Value>) -> Option<u64> {
    quantity(value?).and_then(|number| u64::try_from(number).ok())
}

fn read(receipt: &Value, newest: u64) -> Result<Receipt, ChainError> {
    match receipt.get("status").and_then(Value::as_str) {
        Some("0x1") => {}
        Some("0x0") => return Err(ChainError::Reverted),
        _ => return Err(ChainError::Unreachable),
    }
    let Some(block) = small(receipt.get("blockNumber")) else { return Err(ChainError::Pending) };
    let logs = receipt.get("logs").and_then(Value::as_array).ok_or(ChainError::Unreachable)?;
    let confirmations = newest.checked_sub(block).map_or(0, |after| after.saturating_add(1));
    Ok(Receipt { block, confirmations, transfers: logs.iter().filter_map(transfer).collect() })
}

/// The transfer that a log tells of, if it is one.
fn transfer(log: &Value) -> Option<Transfer> {
    if log.get("removed").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let topics = log.get("topics")?.as_array()?;
    let [kind, _, to] = topics.as_slice() else { return None };
    if kind.as_str()? != TRANSFER {
        return None;
    }
    // One word of 32 bytes; what does not fit into half of it is nobody's purchase.
    let data = log.get("data")?.as_str()?.strip_prefix("0x").filter(|data| data.len() == 64)?;
    let (high, low) = data.split_at_checked(32)?;
    if high.bytes().any(|digit| digit != b'0') {
        return None;
    }
    Some(Transfer {
        log: small(log.get("logIndex"))?,
        token: Address::read(log.get("address")?.as_str()?)?,
        to: Address::of_topic(to.as_str()?)?,
        units: u128::from_str_radix(low, 16).ok()?,
    })
}

/// The transfer that pays an order: the right token to the right recipient, exactly, deep enough, and
/// in a block after the one that was the newest when the order was made.
///
/// # Errors
/// [`ChainError`]
pub fn paying<'a>(
    receipt: &'a Receipt,
    settings: &CryptoSettings,
    units: u128,
    ordered_at: u64,
) -> Result<&'a Transfer, ChainError> {
    let pays = |one: &&Transfer| {
        one.token == settings.token && one.to == settings.recipient && one.units == units
    };
    let found = receipt.transfers.iter().find(pays).ok_or(ChainError::OtherTransfer)?;
    if receipt.block <= ordered_at {
        return Err(ChainError::TooOld);
    }
    let (have, want) = (receipt.confirmations, settings.confirmations);
    if have < want { Err(ChainError::Unconfirmed { have, want }) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use signalbox_core::Secret;

    use super::*;

    const TOKEN: &str = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";
    const OURS: &str = "0x00000000000000000000000000000000000000aa";

    fn settings() -> CryptoSettings {
        CryptoSettings {
            rpc_url: Secret::new("http://127.0.0.1:1/key".to_owned()),
            chain_id: 8453,
            token: Address::read(TOKEN).unwrap(),
            recipient: Address::read(OURS).unwrap(),
            confirmations: 12,
        }
    }

    fn log(token: &str, to: &str, units: &str) -> Value {
        let topic = |address: &str| format!("0x{:0>64}", &address[2..]);
        json!({
            "address": token, "logIndex": "0x2a", "removed": false,
            "topics": [TRANSFER, topic("0x00000000000000000000000000000000000000bb"), topic(to)],
            "data": format!("0x{units:0>64}"),
        })
    }

    fn receipt(logs: Vec<Value>) -> Receipt {
        let receipt = json!({"status": "0x1", "blockNumber": "0x64", "logs": logs});
        read(&receipt, 111).unwrap()
    }

    #[test]
    fn the_right_transfer_is_found_among_others() {
        let found = receipt(vec![
            log(TOKEN, "0x00000000000000000000000000000000000000cc", "5f5e100"),
            log("0x00000000000000000000000000000000000000dd", OURS, "5f5e100"),
            log(TOKEN, OURS, "5f5e101"),
            log(TOKEN, OURS, "5f5e100"),
            json!({"topics": [TRANSFER]}),
            json!("no log"),
        ]);
        assert_eq!((found.block, found.confirmations, found.transfers.len()), (100, 12, 4));
        assert_eq!(
            paying(&found, &settings(), 100_000_000, 99).map(|one| one.units),
            Ok(100_000_000)
        );
        let other = paying(&found, &settings(), 100_000_002, 99);
        assert_eq!(other, Err(ChainError::OtherTransfer));
        assert_eq!(paying(&found, &settings(), 100_000_000, 100), Err(ChainError::TooOld));
        let deeper = CryptoSettings { confirmations: 13, ..settings() };
        let waits = paying(&found, &deeper, 100_000_000, 99);
        assert_eq!(waits, Err(ChainError::Unconfirmed { have: 12, want: 13 }));
    }

    #[test]
    fn logs_of_another_form_are_no_transfers() {
        let mut removed = log(TOKEN, OURS, "1");
        removed["removed"] = json!(true);
        let mut indexed = log(TOKEN, OURS, "1");
        indexed["topics"].as_array_mut().unwrap().push(json!("0x01"));
        let huge = log(TOKEN, OURS, &"f".repeat(64));
        let mut short = log(TOKEN, OURS, "1");
        short["data"] = json!("0x01");
        for odd in [removed, indexed, huge, short] {
            assert_eq!(transfer(&odd), None, "{odd}");
        }
    }

    #[test]
    fn a_receipt_that_is_none_pays_nothing() {
        let read = |receipt: Value| read(&receipt, 111);
        assert_eq!(read(json!({"status": "0x0", "logs": []})), Err(ChainError::Reverted));
        let pending = json!({"status": "0x1", "blockNumber": null, "logs": []});
        assert_eq!(read(pending), Err(ChainError::Pending));
        let odd = json!({"status": "1", "blockNumber": "0x1", "logs": []});
        assert_eq!(read(odd), Err(ChainError::Unreachable));
        let ahead = json!({"status": "0x1", "blockNumber": "0xff", "logs": []});
        assert_eq!(read(ahead).unwrap().confirmations, 0, "the node fell behind");
    }

    #[test]
    fn the_settings_show_no_address_of_a_node() {
        assert!(!format!("{:?}", settings()).contains("/key"));
        let node = Node::new(&Client::new(), &settings()).unwrap();
        assert!(!format!("{node:?}").contains("key"), "{node:?}");
    }
}
