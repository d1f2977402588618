//! Letters to a mail server (RFC 5321).

use std::time::Duration;

use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use signalbox_core::Secret;
use signalbox_core::id::random_uuid;
use signalbox_runtime::entropy;

/// Longest wait for any one answer of the server.
const PATIENCE: Duration = Duration::from_secs(30);

/// When a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// From the beginning (RFC 8314); port 465.
    Implicit,
    /// By `STARTTLS`, or not at all used (RFC 3207); port 587.
    StartTls,
    /// Never; port 25.
    Never,
}

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpSettings {
    /// Its name.
    pub host: String,
    /// Its port; absent for the usual one.
    pub port: Option<u16>,
    /// When the connection is encrypted.
    pub tls: SmtpTls,
    /// The name and the password, if it wants any.
    pub login: Option<(String, Secret<String>)>,
    /// Whom letters are from: `name@example.com` or `Name <name@example.com>`.
    pub from: String,
}

/// Why a letter is not on its way. Nothing of the letter is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SmtpError {
    /// An address is none.
    #[error("no mail address")]
    Address,
    /// The server will never take it; its code.
    #[error("refused for good with {0}")]
    Refused(u16),
    /// The server did not take it now; its code, or 0 without an answer.
    #[error("not taken now ({0}; 0 is no answer)")]
    NotNow(u16),
    /// The name of the server can't be that of a certificate.
    #[error("the server's name can't be checked")]
    Name,
}

/// A mail server that takes letters. Each goes over a connection of its own.
#[derive(Debug, Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// A server with these settings. Nothing is sent yet.
    ///
    /// # Errors
    /// [`SmtpError::Address`] for an odd sender, [`SmtpError::Name`].
    pub fn new(settings: &SmtpSettings) -> Result<Self, SmtpError> {
        let from: Mailbox = settings.from.parse().map_err(|_| SmtpError::Address)?;
        let encrypted = || TlsParameters::new(settings.host.clone()).map_err(|_| SmtpError::Name);
        let (port, tls) = match settings.tls {
            SmtpTls::Implicit => (465, Tls::Wrapper(encrypted()?)),
            SmtpTls::StartTls => (587, Tls::Required(encrypted()?)),
            SmtpTls::Never => (25, Tls::None),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port.unwrap_or(port))
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some((name, password)) = &settings.login {
            let credentials = Credentials::new(name.clone(), password.expose().clone());
            builder = builder.credentials(credentials);
        }
        Ok(Self { transport: builder.build(), from })
    }

    /// Hands a letter of plain text over.
    ///
    /// # Errors
    /// [`SmtpError`].
    pub async fn send(&self, to: &str, subject: &str, text: &str) -> Result<(), SmtpError> {
        let to: Address = to.parse().map_err(|_| SmtpError::Address)?;
        let id = format!("<{}@{}>", random_uuid(entropy::bytes()), self.from.email.domain());
        let letter = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .message_id(Some(id))
            .singlepart(SinglePart::plain(text.to_owned()))
            .map_err(|_| SmtpError::Address)?;
        match self.transport.send(letter).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let code = error.status().map_or(0, u16::from);
                Err(if error.is_permanent() || error.is_client() {
                    SmtpError::Refused(code)
                } else {
                    SmtpError::NotNow(code)
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        let new = |from: &str, tls| {
            let host = "127.0.0.1".to_owned();
            let login = Some(("me".to_owned(), Secret::new("canary".to_owned())));
            Smtp::new(&SmtpSettings { host, port: None, tls, login, from: from.to_owned() })
        };
        for from in ["gate@example.com", "The Gate <gate@example.com>"] {
            assert!(new(from, SmtpTls::Never).is_ok(), "{from}");
        }
        for from in ["", "gate", "gate@", "a@b\r\nBcc: c@d"] {
            assert_eq!(new(from, SmtpTls::Never).err(), Some(SmtpError::Address), "{from}");
        }
        let printed = format!("{:?}", new("gate@example.com", SmtpTls::Never).unwrap());
        assert!(!printed.contains("canary"), "{printed}");
    }
}
