//! TXT records, by which a domain says whose it is.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use signalbox_upstream::Records;

/// The texts at a name. An answer that can't be had is none.
pub type Texts<'a> = Pin<Box<dyn Future<Output = Vec<String>> + Send + 'a>>;

/// Who looks names up.
pub trait TxtRecords: Debug + Send + Sync {
    /// The texts at a name that ends with a dot.
    fn texts<'a>(&'a self, name: &'a str) -> Texts<'a>;
}

/// By the resolvers of this machine.
#[derive(Debug)]
pub struct SystemRecords;

impl TxtRecords for SystemRecords {
    fn texts<'a>(&'a self, name: &'a str) -> Texts<'a> {
        Box::pin(async move {
            Records::texts(name).await.unwrap_or_else(|error| {
                tracing::info!(name, %error, "no TXT record");
                Vec::new()
            })
        })
    }
}
