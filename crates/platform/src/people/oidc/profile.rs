//! Who somebody is at a service without ID tokens: its own API is asked.

use serde::Deserialize;
use signalbox_core::Secret;

use super::idp::Vouched;
use super::outside::{Outside, Proof};
use super::{PlainEndpoints, Trouble};

const ODD: Trouble = Trouble::Token("it does not say who that is");

#[derive(Deserialize)]
struct User {
    /// A number: names are given to others when they are free again.
    id: u64,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    email: String,
    primary: bool,
    verified: bool,
}

/// Whose token this is.
pub(super) async fn ask(
    outside: &Outside,
    issuer: &str,
    at: &PlainEndpoints,
    token: &Secret<String>,
) -> Result<Vouched, Trouble> {
    let user = outside.get(&at.user, Proof::Bearer(token)).await?;
    let user: User = serde_json::from_slice(&user).map_err(|_| ODD)?;
    let addresses = outside.get(&at.emails, Proof::Bearer(token)).await?;
    let addresses: Vec<Address> = serde_json::from_slice(&addresses).map_err(|_| ODD)?;
    let main = addresses.into_iter().find(|one| one.primary);
    Ok(Vouched {
        issuer: issuer.to_owned(),
        subject: user.id.to_string(),
        email_verified: main.as_ref().map(|one| one.verified),
        email: main.map(|one| one.email),
        first_name: user.name,
        last_name: None,
    })
}
