//! People: signing up, signing in, and the organizations they belong to.
//!
//! Nothing here tells whether somebody has an account: an unknown address takes the same work, the same
//! time and the same answer as a known one.

pub(crate) mod connections;
mod entrance;
mod factor;
mod journey;
pub mod leak;
pub mod mail;
mod membership;
pub mod oidc;
mod password;
pub mod records;
mod recovery;
mod refusal;
mod session;
mod throttle;
mod totp;
mod vouching;

use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use signalbox_core::Secret;
use signalbox_core::id::{AccountId, hex};
use signalbox_runtime::entropy;
use signalbox_upstream::Reach;

use crate::Platform;
use connections::Tenants;
use mail::Mail;
use oidc::{Idp, Outside, Provider};
use password::Passwords;
use records::{SystemRecords, TxtRecords};
pub(crate) use throttle::Limit;
use throttle::Throttle;

pub use journey::{Brought, Departure, Landing, turned_away};
pub use refusal::Refusal;
pub use session::{Opened, Person};

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignUp {
    /// Whoever comes.
    Open,
    /// The first person, then those who were invited into an organization.
    #[default]
    Invited,
    /// Nobody.
    Closed,
}

/// What the operator decided about people and apps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeopleSettings {
    /// Who may make an account.
    pub sign_up: SignUp,
    /// Whether apps may use the method `plain`, or no challenge at all. Then whoever sees a code on its
    /// way has the key.
    pub weak_challenges: bool,
    /// Where people may sign in instead.
    pub providers: Vec<Provider>,
    /// Addresses, in lower case, whose passwords are good although their domain has single sign-on.
    pub break_glass: Vec<String>,
    /// Where identity providers that tenants name may be.
    pub reach: Reach,
}

/// Where a request comes from.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// The address of the peer.
    pub address: Option<IpAddr>,
    /// What the browser says of itself.
    pub agent: Option<String>,
}

impl Visit {
    pub(crate) fn text(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }

    /// What is limited as one: an address of IPv4, a network of IPv6.
    pub(crate) fn network(&self) -> String {
        match self.address {
            None => String::new(),
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
                Some(address) => address.to_string(),
                None => hex(address.octets().get(..8).unwrap_or_default()),
            },
        }
    }
}

/// People and their sessions. Clones are cheap.
#[derive(Debug, Clone)]
pub struct People(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    platform: Platform,
    settings: PeopleSettings,
    mail: Arc<dyn Mail>,
    passwords: Passwords,
    throttle: Throttle,
    outside: Outside,
    outside_of_tenants: Outside,
    providers: Vec<Arc<Idp>>,
    tenants: Tenants,
    records: Arc<dyn TxtRecords>,
    public_url: String,
}

impl People {
    /// People of this installation, which is reached at `public_url`.
    #[must_use]
    pub fn new(
        platform: &Platform,
        settings: PeopleSettings,
        mail: Arc<dyn Mail>,
        public_url: &str,
    ) -> Self {
        Self::looking_up(platform, settings, mail, Arc::new(SystemRecords), public_url)
    }

    /// The same, whose domains' records are looked up like this.
    #[must_use]
    pub fn looking_up(
        platform: &Platform,
        settings: PeopleSettings,
        mail: Arc<dyn Mail>,
        records: Arc<dyn TxtRecords>,
        public_url: &str,
    ) -> Self {
        let (outside, clock) = (Outside::for_operator(), platform.store().clock());
        let outside_of_tenants = Outside::within(settings.reach.clone());
        let idp = |one: &Provider| Idp::new(one.clone(), outside.clone(), clock.clone());
        let providers = settings.providers.iter().map(|one| Arc::new(idp(one))).collect();
        Self(Arc::new(Inner {
            platform: platform.clone(),
            settings,
            mail,
            passwords: Passwords::new(),
            throttle: Throttle::new(clock.clone()),
            outside,
            outside_of_tenants,
            providers,
            tenants: Tenants::default(),
            records,
            public_url: public_url.trim_end_matches('/').to_owned(),
        }))
    }

    /// The control plane that they belong to.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.0.platform
    }

    pub(crate) fn settings(&self) -> &PeopleSettings {
        &self.0.settings
    }

    /// Where the installation is reached, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.0.public_url
    }

    /// Counts a provider key that an account tries.
    ///
    /// # Errors
    /// [`crate::PlatformError`] when it has tried too many just now: the answer would tell whoever has keys of
    /// others which of them are good.
    pub async fn may_probe(&self, account: &AccountId) -> Result<(), crate::PlatformError> {
        self.may(Limit::ProbeFor, account.as_str()).await
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }
}

/// A new secret of 256 bits in hex.
pub(crate) fn token() -> Secret<String> {
    Secret::new(hex(&entropy::secret()))
}

/// What is stored of a secret: its SHA-256 in hex.
pub(crate) fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let of = |text: &str| Visit { address: text.parse().ok(), agent: None }.network();
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
