//! The part of the configuration that sells credit: `[fees]`, `[stripe]`, `[crypto]`.

use serde::Deserialize;
use signalbox_core::{Secret, Usd};
use signalbox_platform::PurchaseSettings;
use signalbox_platform::purchase::fee::Bounds;
use signalbox_platform::purchase::settings::{Address, CryptoSettings, StripeSettings};

use crate::config::secret;
use crate::exit::Stop;

const STRIPE: &str = "https://api.stripe.com";
/// USDC on Base and its chain (developers.circle.com, USDC contract addresses).
const CHAIN: u64 = 8453;
const TOKEN: &str = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";
/// Blocks until a transfer counts.
const CONFIRMATIONS: u64 = 12;

/// How much may be bought at once. What it costs besides is in the plans.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FeesRow {
    min_purchase: Option<Dollars>,
    max_purchase: Option<Dollars>,
}

/// Dollars as a text, or whole ones as a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Dollars {
    Text(String),
    Whole(i64),
}

/// The card processor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StripeRow {
    base_url: Option<String>,
    secret_key: String,
    #[serde(default)]
    webhook_secret: Secrets,
    success_url: Option<String>,
    cancel_url: Option<String>,
    #[serde(default)]
    automatic_tax: bool,
}

/// One secret or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Secrets {
    One(String),
    Several(Vec<String>),
}

impl Default for Secrets {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

/// The stable coin.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CryptoRow {
    rpc_url: String,
    address: String,
    chain_id: Option<u64>,
    token: Option<String>,
    confirmations: Option<u64>,
}

impl Dollars {
    fn read(&self, name: &str) -> Result<Usd, Stop> {
        let usd = match self {
            Self::Text(text) => text.parse().ok(),
            Self::Whole(whole) => Usd::from_dollars(*whole),
        };
        usd.filter(|usd| *usd > Usd::ZERO)
            .ok_or_else(|| Stop::usage(format!("fees.{name}: dollars above zero, such as \"5\"")))
    }
}

/// What purchases are set up with. `public_url` is where buyers come back to.
///
/// # Errors
/// One line that names the member.
pub(crate) fn settings(
    fees: &FeesRow,
    stripe: Option<StripeRow>,
    crypto: Option<CryptoRow>,
    public_url: &str,
) -> Result<PurchaseSettings, Stop> {
    let mut bounds = Bounds::default();
    if let Some(min) = &fees.min_purchase {
        bounds.min = min.read("min_purchase")?;
    }
    if let Some(max) = &fees.max_purchase {
        bounds.max = max.read("max_purchase")?;
    }
    if bounds.min > bounds.max {
        return Err(Stop::usage("fees.min_purchase: at most max_purchase"));
    }
    let stripe = stripe.map(|row| card(row, public_url)).transpose()?;
    Ok(PurchaseSettings { bounds, stripe, crypto: crypto.map(coin).transpose()? })
}

fn card(row: StripeRow, public_url: &str) -> Result<StripeSettings, Stop> {
    let written = match row.webhook_secret {
        Secrets::One(one) => vec![one],
        Secrets::Several(several) => several,
    };
    // An empty secret is none: anybody could sign with it.
    let webhook_secrets = written
        .iter()
        .filter(|one| !one.trim().is_empty())
        .map(|one| secret(one, "stripe.webhook_secret"))
        .collect::<Result<Vec<Secret<String>>, Stop>>()?;
    let page =
        |url: Option<String>, path: &str| url.unwrap_or_else(|| format!("{public_url}{path}"));
    Ok(StripeSettings {
        base_url: row.base_url.unwrap_or_else(|| STRIPE.to_owned()),
        secret_key: secret(&row.secret_key, "stripe.secret_key")?,
        webhook_secrets,
        success_url: page(row.success_url, "/settings/credits?purchase=done"),
        cancel_url: page(row.cancel_url, "/settings/credits"),
        automatic_tax: row.automatic_tax,
    })
}

fn coin(row: CryptoRow) -> Result<CryptoSettings, Stop> {
    let address = |text: &str, name: &str| {
        let odd = || Stop::usage(format!("crypto.{name}: 0x and 40 hex digits"));
        Address::read(text).ok_or_else(odd)
    };
    let confirmations = row.confirmations.unwrap_or(CONFIRMATIONS);
    if confirmations == 0 {
        return Err(Stop::usage("crypto.confirmations: at least 1"));
    }
    Ok(CryptoSettings {
        rpc_url: secret(&row.rpc_url, "crypto.rpc_url")?,
        chain_id: row.chain_id.unwrap_or(CHAIN),
        token: address(row.token.as_deref().unwrap_or(TOKEN), "token")?,
        recipient: address(&row.address, "address")?,
        confirmations,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Rows {
        #[serde(default)]
        fees: FeesRow,
        stripe: Option<StripeRow>,
        crypto: Option<CryptoRow>,
    }

    fn read(text: &str) -> Result<PurchaseSettings, Stop> {
        let rows: Rows = toml::from_str(text).unwrap();
        settings(&rows.fees, rows.stripe, rows.crypto, "http://gate.example")
    }

    #[test]
    fn the_documented_example_is_read() {
        let read = read(
            r#"
            [fees]
            min_purchase = 10
            max_purchase = "2500.50"
            [stripe]
            secret_key = "sk_test_canary"
            webhook_secret = ["whsec_canary_old", "whsec_canary_new"]
            automatic_tax = true
            [crypto]
            rpc_url = "https://node.example/canary"
            address = "0x00000000000000000000000000000000000000aa"
            "#,
        );
        let read = read.unwrap();
        assert_eq!(read.bounds.max.to_string(), "2500.5");
        let stripe = read.stripe.as_ref().unwrap();
        assert_eq!((stripe.base_url.as_str(), stripe.webhook_secrets.len()), (STRIPE, 2));
        assert_eq!(stripe.cancel_url, "http://gate.example/settings/credits");
        assert_eq!(read.crypto.as_ref().unwrap().chain_id, 8453);
        assert!(!format!("{read:?}").contains("canary"), "no secret prints");
    }

    #[test]
    fn an_empty_webhook_secret_is_none() {
        for line in ["", "webhook_secret = ''", "webhook_secret = ['', ' ']"] {
            let text = format!("[stripe]\nsecret_key = 'sk_test_1'\n{line}");
            assert!(read(&text).unwrap().stripe.unwrap().webhook_secrets.is_empty(), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_never_repeated() {
        for (text, expected) in [
            ("[fees]\nmin_purchase = 0", "fees.min_purchase"),
            ("[fees]\nmax_purchase = 'a lot'", "fees.max_purchase"),
            ("[fees]\nmin_purchase = 10\nmax_purchase = 9", "fees.min_purchase"),
            ("[stripe]\nsecret_key = 'env:SIGNALBOX_NOT_SET'", "stripe.secret_key"),
            ("[crypto]\nrpc_url = 'http://canary'\naddress = '0x1'", "crypto.address"),
        ] {
            let stop = read(text).unwrap_err().to_string();
            assert!(stop.contains(expected) && !stop.contains("canary"), "{stop}");
        }
    }
}
