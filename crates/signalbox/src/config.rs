//! The process's configuration: one TOML file, then the environment, then the command line. Read
//! once, at the start. This module alone reads the environment.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use signalbox_catalog::{ConfiguredCatalogue, ConfiguredEndpoint, ConfiguredModel, ProviderRow};
use signalbox_core::{Plans, PlansRow, Secret, Timeouts, TimeoutsRow, Usd};
use signalbox_gateway::settings::MAX_HEDGE_PERCENT;
use signalbox_gateway::{Moderator, Reach, Recognition, Regions};
use signalbox_platform::{PeopleSettings, PurchaseSettings};
use signalbox_server::Proxies;
use signalbox_store::{StoreSettings, Sync};
use signalbox_upstream::SmtpSettings;
use tracing_subscriber::EnvFilter;

use crate::exit::Stop;
use crate::guards::{self, ModerationRow, RecognitionRow};
use crate::people::{self, MailRow, NetworkRow, OauthRow, PeopleRow};
use crate::purchases::{self, CryptoRow, FeesRow, StripeRow};
use crate::secrets::SecretsRow;

/// What the process runs with.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where clients reach it; links in error texts begin with it.
    pub public_url: String,
    /// `sqlite://PATH` or `postgres://USER@HOST/DATABASE`.
    pub database_url: String,
    /// What a charge survives, and where charges wait for PostgreSQL.
    pub store: StoreSettings,
    /// What every new API key begins with.
    pub key_prefix: String,
    /// How long providers may take.
    pub timeouts: Timeouts,
    /// Percent of the streams that may be hedged.
    pub hedge_percent: u8,
    /// What credit is sold with.
    pub purchases: PurchaseSettings,
    /// Plans, promotional credit, and whether credit ends.
    pub money: signalbox_platform::Settings,
    /// Who may sign up, and what apps may do.
    pub people: PeopleSettings,
    /// Where letters go; to the log, if nowhere.
    pub mail: Option<SmtpSettings>,
    /// The proxies in front of it.
    pub proxies: Proxies,
    /// Where the keys are that secrets are sealed with.
    pub secrets: SecretsRow,
    /// Who judges prompts for endpoints that require it.
    pub moderator: Option<Arc<dyn Moderator>>,
    /// Who finds names of people and addresses.
    pub recognition: Option<Recognition>,
    /// The hosts whose requests stay in a region.
    pub regions: Regions,
    /// Where addresses of tenants may lead.
    pub reach: Reach,
    /// The catalogue's part of the file.
    pub catalogue: ConfiguredCatalogue,
}

/// The file, with every key that there is. Others are refused with their line.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    listen: Option<String>,
    public_url: Option<String>,
    database: Database,
    ledger: Ledger,
    keys: Keys,
    timeouts: TimeoutsRow,
    routing: Routing,
    fees: FeesRow,
    stripe: Option<StripeRow>,
    crypto: Option<CryptoRow>,
    plans: PlansRow,
    credits: Credits,
    people: PeopleRow,
    oauth: OauthRow,
    mail: Option<MailRow>,
    moderation: Option<ModerationRow>,
    recognition: Option<RecognitionRow>,
    regions: BTreeMap<String, String>,
    network: NetworkRow,
    secrets: SecretsRow,
    providers: Vec<ProviderRow>,
    models: Vec<ConfiguredModel>,
    endpoints: Vec<ConfiguredEndpoint>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Database {
    url: Option<String>,
    outbox: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Ledger {
    sync: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keys {
    prefix: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Routing {
    hedge_percent: u8,
}

/// Credit that is not purchased, and credit that ends.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Credits {
    /// Dollars that every new account gets, as a text.
    promo: String,
    expire_credits: bool,
    expire_after_days: u32,
}

impl Default for Credits {
    /// None, and never (platform spec 4.2, 4.5).
    fn default() -> Self {
        Self { promo: "0".to_owned(), expire_credits: false, expire_after_days: 365 }
    }
}

/// What the file says about money.
fn money(plans: &PlansRow, credits: &Credits) -> Result<signalbox_platform::Settings, Stop> {
    let promo: Usd =
        credits.promo.parse().map_err(|error| Stop::usage(format!("credits.promo: {error}")))?;
    if promo.is_negative() {
        return Err(Stop::usage("credits.promo: not below zero"));
    }
    if credits.expire_after_days == 0 {
        return Err(Stop::usage("credits.expire_after_days: above zero"));
    }
    Ok(signalbox_platform::Settings {
        plans: Plans::default().with(plans).map_err(Stop::usage)?,
        promo,
        expire_after_days: credits.expire_credits.then_some(credits.expire_after_days),
    })
}

const LISTEN: &str = "127.0.0.1:8080";
const DATABASE: &str = "sqlite://data/signalbox.db";
const KEY_PREFIX: &str = "sk-sb-v1-";

/// A variable of the environment, if it is set to something.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What is logged: `SIGNALBOX_LOG`, else warnings and what the process says of itself.
pub(crate) fn log_filter() -> EnvFilter {
    let wish = variable("SIGNALBOX_LOG").unwrap_or_else(|| "warn,signalbox=info".to_owned());
    EnvFilter::try_new(&wish).unwrap_or_else(|_| EnvFilter::new("warn,signalbox=info"))
}

impl Config {
    /// Reads the file, if one is named, and lays environment and command line on top.
    ///
    /// # Errors
    /// One line that names the file, the line and the key.
    pub(crate) fn load(
        file: Option<&Path>,
        listen: Option<String>,
        database: Option<String>,
    ) -> Result<Self, Stop> {
        let named =
            file.map(PathBuf::from).or_else(|| variable("SIGNALBOX_CONFIG").map(PathBuf::from));
        let file = match named {
            None => File::default(),
            Some(path) => read(&path)?,
        };
        let listen = listen.or_else(|| variable("SIGNALBOX_LISTEN")).or(file.listen);
        let listen = listen.unwrap_or_else(|| LISTEN.to_owned());
        let listen: SocketAddr = listen
            .parse()
            .map_err(|_| Stop::usage(format!("listen: {listen:?} is not ADDRESS:PORT")))?;
        let database = database.or_else(|| variable("SIGNALBOX_DATABASE")).or(file.database.url);
        let prefix = file.keys.prefix.unwrap_or_else(|| KEY_PREFIX.to_owned());
        if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(Stop::usage("keys.prefix: letters, digits and '-' only"));
        }
        let hedge_percent = file.routing.hedge_percent;
        if hedge_percent > MAX_HEDGE_PERCENT {
            let line = format!("routing.hedge_percent: at most {MAX_HEDGE_PERCENT}");
            return Err(Stop::usage(line));
        }
        let store = store_settings(file.database.outbox, file.ledger.sync.as_deref())?;
        let public_url = file.public_url.unwrap_or_else(|| format!("http://{listen}"));
        let public_url = public_url.trim_end_matches('/').to_owned();
        let purchases = purchases::settings(&file.fees, file.stripe, file.crypto, &public_url)?;
        Ok(Self {
            listen,
            public_url,
            purchases,
            database_url: database.unwrap_or_else(|| DATABASE.to_owned()),
            store,
            key_prefix: prefix,
            timeouts: Timeouts::default().with(&file.timeouts),
            hedge_percent,
            money: money(&file.plans, &file.credits)?,
            people: people::settings(file.people, &file.oauth, people::reach(&file.network)?)?,
            mail: file.mail.map(people::mail).transpose()?,
            proxies: people::proxies(&file.network)?,
            secrets: file.secrets,
            reach: people::reach(&file.network)?,
            moderator: guards::moderator(file.moderation)?,
            recognition: guards::recognition(file.recognition)?,
            regions: guards::regions(&file.regions)?,
            catalogue: ConfiguredCatalogue {
                providers: file.providers,
                models: file.models,
                endpoints: file.endpoints,
            },
        })
    }
}

fn store_settings(outbox: Option<PathBuf>, sync: Option<&str>) -> Result<StoreSettings, Stop> {
    let mut settings = StoreSettings::default();
    if let Some(outbox) = outbox {
        settings.outbox = outbox;
    }
    if let Some(name) = sync {
        settings.sync = Sync::from_name(name)
            .ok_or_else(|| Stop::usage("ledger.sync: \"process\" or \"power\""))?;
    }
    Ok(settings)
}

fn read(path: &Path) -> Result<File, Stop> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| Stop::usage(format!("{shown}: {error}")))?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count().saturating_add(1));
        Stop::usage(format!("{shown}:{line}: {}", error.message().replace('\n', " ")))
    })
}

/// A credential as it is written: `env:NAME`, `file:PATH`, or the value itself.
///
/// # Errors
/// The variable is not set, or the file can't be read. The value is never repeated.
pub(crate) fn secret(written: &str, owner: &str) -> Result<Secret<String>, Stop> {
    let value = if let Some(name) = written.strip_prefix("env:") {
        variable(name)
            .ok_or_else(|| Stop::usage(format!("{owner}: the variable {name} is not set")))?
    } else if let Some(path) = written.strip_prefix("file:") {
        std::fs::read_to_string(path)
            .map_err(|error| Stop::usage(format!("{owner}: {path}: {error}")))?
            .trim()
            .to_owned()
    } else {
        written.to_owned()
    };
    if value.is_empty() {
        return Err(Stop::usage(format!("{owner}: the credential is empty")));
    }
    Ok(Secret::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, Stop> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signalbox.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path), None, None)
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, expected) in [
            ("listen = \"nowhere\"", "listen"),
            ("\n\nlisten_on = 1", ":3: unknown field `listen_on`"),
            ("[database]\nurl = 5", ":2: "),
            ("listen = ", ":1: "),
            ("[[models]]\nid = \"a/b\"\nctx = 1\n", "ctx"),
            ("[timeouts]\nidle = -1\n", ":2: expected seconds"),
            ("[routing]\nhedge_percent = 6\n", "at most 5"),
            ("[network]\nallow = [\"10.0.0.0/40\"]\n", "network.allow"),
            ("[plans.payg]\ncard_fee_bps = 20000\n", "plans.payg.card_fee_bps"),
            ("[plans.payg]\ncard_fee_min = 0.5\n", ":2: "),
            ("[people]\nsign_up = \"maybe\"\n", "people.sign_up"),
            ("[oauth]\nplain = true\n", ":2: "),
            ("[secrets]\npassword = \"x\"\n", ":2: "),
            ("[credits]\npromo = \"1e9\"\n", "credits.promo"),
            ("[regions]\n\"eu.gate.example\" = \"asia\"\n", "regions.eu.gate.example"),
            ("[regions]\n\"eu.gate.example:80\" = \"eu\"\n", "eu.gate.example:80"),
            ("[moderation]\nurl = \"http://judge.example/v1\"\n", "moderation: url"),
            ("[moderation]\nurl = \"https://a.example\"\ntimeout = 0\n", "moderation.timeout"),
            ("[moderation]\nkey = \"x\"\n", "url"),
            ("[recognition]\nurl = \"presidio:3000\"\n", "recognition: url"),
            ("[recognition]\nurl = \"http://presidio:3000\"\nkey = \"x\"\n", "recognition: url"),
            (
                "[recognition]\nurl = \"http://presidio:3000\"\ndeadline_ms = 5\n",
                "recognition.deadline_ms",
            ),
            (
                "[recognition]\nurl = \"http://presidio:3000\"\nmin_score = 2.0\n",
                "recognition.min_score",
            ),
            ("[credits]\npromo = \"-1\"\n", "credits.promo"),
            ("[credits]\nexpire_after_days = 0\n", "credits.expire_after_days"),
        ] {
            let stop = load(text).unwrap_err();
            assert!(
                matches!(&stop, Stop::Usage(line) if line.contains(expected)),
                "{text}: {stop}"
            );
            assert!(!stop.to_string().contains('\n'), "one line");
        }
    }

    #[test]
    fn the_documented_example_is_read() {
        let config = load(
            r#"
            listen = "127.0.0.1:9000"
            public_url = "http://gate.example/"
            [database]
            url = "sqlite://somewhere.db"
            [timeouts]
            first_content = 45
            [routing]
            hedge_percent = 2
            [network]
            allow = ["10.1.0.0/16"]
            [plans.payg]
            byok_free = { list_price_usd = "25000" }
            [plans.enterprise]
            purchase_discount_bps = 2000
            [credits]
            promo = "0.50"
            expire_credits = true
            [recognition]
            url = "http://presidio-analyzer:3000"
            language = "de"
            min_score = 0.6
            deadline_ms = 500
            [[providers]]
            slug = "openai"
            timeouts = { connect = 0.5 }
            base_url = "http://127.0.0.1:9001/v1"
            api_key = "literal"
            [[models]]
            id = "acme/tiny"
            name = "Tiny"
            context_length = 8192
            [[endpoints]]
            model = "acme/tiny"
            provider = "openai"
            provider_model_id = "tiny-1"
            pricing = { prompt = "0.0000002", completion = "0.0000008" }
            "#,
        )
        .unwrap();
        assert_eq!(config.public_url, "http://gate.example");
        assert_eq!(config.catalogue.endpoints.len(), 1);
        assert_eq!((config.timeouts.first_content.as_secs(), config.hedge_percent), (45, 2));
        assert!(config.reach.names([10, 1, 2, 3].into()));
        assert!(config.recognition.is_some());
        let money = config.money;
        assert_eq!(
            (money.promo.to_string(), money.expire_after_days),
            ("0.5".to_owned(), Some(365))
        );
        let enterprise = money.plans.plan(signalbox_core::Tier::Enterprise);
        assert_eq!(enterprise.purchase_discount_bps, 2000);
    }

    #[test]
    fn a_credential_can_be_a_variable_a_file_or_itself() {
        assert_eq!(secret("abc", "x").unwrap().expose(), "abc");
        assert!(secret("env:SIGNALBOX_NOT_SET_ANYWHERE", "x").is_err());
        assert!(secret("file:/no/such/file", "x").is_err());
        assert!(secret("", "x").is_err());
    }
}
