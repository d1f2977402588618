//! The only crate that dials out: the HTTP client with its pools, transports, and what was learnt
//! about each endpoint on the way.

mod address;
mod body;
pub mod client;
mod connect;
pub mod credential;
pub mod dial;
pub mod discover;
pub mod guarded;
pub mod reach;
mod records;
pub mod retry_after;
pub mod service;
mod sigv4;
pub mod smtp;
pub mod token;
pub mod transport;
pub mod web_address;

pub use address::AddressError;
pub use client::{Answer, CallError, Client};
pub use connect::Limits;
pub use credential::{Credential, CredentialError};
pub use guarded::{Fetch, FetchError, Fetched, Guarded};
pub use http::{HeaderMap, HeaderName, HeaderValue, Method};
pub use reach::{Net, Reach};
pub use records::Records;
pub use service::{Document, Service};
pub use smtp::{Smtp, SmtpError, SmtpSettings, SmtpTls};
pub use token::{SourceError, TokenError};
pub use transport::{Call, Target, TransportError};
pub use web_address::{WebAddress, WebAddressError};
