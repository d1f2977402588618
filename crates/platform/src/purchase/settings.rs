//! What purchases are set up with.

use signalbox_core::Secret;

use super::fee::Bounds;

/// The card processor.
#[derive(Debug, Clone)]
pub struct StripeSettings {
    /// Where its API is: `https://api.stripe.com`, or a peer in tests.
    pub base_url: String,
    /// The secret key of the API.
    pub secret_key: Secret<String>,
    /// The secrets that webhooks may be signed with. Several while one replaces another.
    pub webhook_secrets: Vec<Secret<String>>,
    /// Where buyers land after paying.
    pub success_url: String,
    /// Where they land when they don't.
    pub cancel_url: String,
    /// Whether the processor computes taxes on what is bought in its pages.
    pub automatic_tax: bool,
}

/// The stable coin.
#[derive(Debug, Clone)]
pub struct CryptoSettings {
    /// A node's JSON-RPC address. It may hold a key, so it is a secret.
    pub rpc_url: Secret<String>,
    /// The chain that the node must be on.
    pub chain_id: u64,
    /// The token's contract.
    pub token: Address,
    /// Who is paid.
    pub recipient: Address,
    /// Blocks, the transfer's own included, until a transfer counts.
    pub confirmations: u64,
}

/// An address on a chain of Ethereum's kind: twenty bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address([u8; 20]);

impl Address {
    /// Reads `0x` and forty hex digits.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut bytes = [0; 20];
        hex::decode_to_slice(text.strip_prefix("0x")?, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// Reads the last twenty bytes of a topic: `0x`, 24 zeros, forty hex digits.
    #[must_use]
    pub fn of_topic(topic: &str) -> Option<Self> {
        let digits = topic.strip_prefix("0x")?.strip_prefix("000000000000000000000000")?;
        let mut bytes = [0; 20];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Everything about purchases. Without a rail nothing can be bought.
#[derive(Debug, Clone, Default)]
pub struct PurchaseSettings {
    /// How much may be bought at once.
    pub bounds: Bounds,
    /// The card processor, when there is one.
    pub stripe: Option<StripeSettings>,
    /// The stable coin, when there is one.
    pub crypto: Option<CryptoSettings>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_twenty_bytes_in_any_case() {
        let lower = Address::read("0x833589fcd6edb6e08f4c7c32d4f71b54bda02913").unwrap();
        let mixed = Address::read("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913").unwrap();
        assert_eq!(lower, mixed);
        assert_eq!(mixed.to_string(), "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913");
        let topic = "0x000000000000000000000000833589fcd6edb6e08f4c7c32d4f71b54bda02913";
        assert_eq!(Address::of_topic(topic), Some(lower));
        let dirty = "0x000000000000000000000001833589fcd6edb6e08f4c7c32d4f71b54bda02913";
        assert_eq!(Address::of_topic(dirty), None);
        for text in ["", "0x", "833589fcd6edb6e08f4c7c32d4f71b54bda02913", "0x83", "0xzz"] {
            assert_eq!(Address::read(text), None, "{text}");
        }
    }
}
