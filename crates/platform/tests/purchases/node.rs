//! A node of a chain that answers what was recorded.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use signalbox_platform::purchase::settings::{Address, CryptoSettings};

use crate::http;
use crate::world::secret;

pub const TOKEN: &str = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";
pub const OURS: &str = "0x00000000000000000000000000000000000000aa";
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

/// The chain. Clones are the same one.
#[derive(Clone)]
pub struct Chain {
    pub url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    id: &'static str,
    height: u64,
    receipts: Vec<Value>,
}

impl Chain {
    /// A chain of 1,000 blocks.
    pub async fn start() -> Self {
        let state = State { id: "0x2105", height: 1000, receipts: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let inner = Arc::clone(&state);
        let handler = move |asked: http::Asked| {
            let inner = Arc::clone(&inner);
            async move {
                let call: Value = serde_json::from_slice(&asked.body).unwrap();
                let result = inner.lock().unwrap().answer(&call);
                let answer = json!({"jsonrpc": "2.0", "id": call["id"], "result": result});
                Some((200, answer.to_string()))
            }
        };
        let url = http::serve(handler).await;
        Self { url: format!("{url}/canary-of-the-node"), state }
    }

    pub fn settings(&self) -> CryptoSettings {
        CryptoSettings {
            rpc_url: secret(&self.url),
            chain_id: 8453,
            token: Address::read(TOKEN).unwrap(),
            recipient: Address::read(OURS).unwrap(),
            confirmations: 12,
        }
    }

    /// From now on the node is on another chain.
    pub fn switch(&self, id: &'static str) {
        self.state.lock().unwrap().id = id;
    }

    /// More blocks.
    pub fn grow(&self, blocks: u64) {
        self.state.lock().unwrap().height += blocks;
    }

    /// A transaction in the next block with one transfer of this many units. Answers its id.
    pub fn transfer(&self, token: &str, to: &str, units: u64, status: &str) -> String {
        let mut state = self.state.lock().unwrap();
        state.height += 1;
        let hash = format!("0x{:064x}", 0xabc0 + state.receipts.len());
        let topic = |address: &str| format!("0x{:0>64}", address.trim_start_matches("0x"));
        let log = json!({"address": token, "logIndex": "0x7", "removed": false,
            "topics": [TRANSFER, topic("0xbb"), topic(to)], "data": format!("0x{units:064x}")});
        let block = format!("0x{:x}", state.height);
        state.receipts.push(json!({"transactionHash": hash, "status": status,
            "blockNumber": block, "logs": [log]}));
        hash
    }
}

impl State {
    fn answer(&self, call: &Value) -> Value {
        match call["method"].as_str().unwrap() {
            "eth_chainId" => json!(self.id),
            "eth_blockNumber" => json!(format!("0x{:x}", self.height)),
            "eth_getTransactionReceipt" => {
                let wanted = |one: &&Value| one["transactionHash"] == call["params"][0];
                self.receipts.iter().find(wanted).cloned().unwrap_or(Value::Null)
            }
            other => panic!("no such method: {other}"),
        }
    }
}
