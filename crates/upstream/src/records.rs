//! TXT records, by the resolvers of this machine.

use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;

/// Most records of one name that are read.
const MOST: usize = 100;

/// Looks names up.
#[derive(Debug)]
pub struct Records;

impl Records {
    /// The texts at a name that ends with a dot. The configuration of this machine is read anew each
    /// time: it is a rare question, and nothing is to be remembered of the answer.
    ///
    /// # Errors
    /// What went wrong, in one line; that there are none is wrong too.
    pub async fn texts(name: &str) -> Result<Vec<String>, String> {
        let line = |error: NetError| error.to_string();
        let resolver = TokioResolver::builder_tokio().map_err(line)?.build().map_err(line)?;
        let found = resolver.txt_lookup(name).await.map_err(line)?;
        let records = found.answers().iter().take(MOST);
        Ok(records.filter_map(|record| text(&record.data)).collect())
    }
}

/// The pieces of a text, put together as whoever published it had them (RFC 7208, section 3.3).
fn text(data: &hickory_resolver::proto::rr::RData) -> Option<String> {
    let hickory_resolver::proto::rr::RData::TXT(txt) = data else { return None };
    let bytes: Vec<u8> = txt.txt_data.iter().flat_map(|piece| piece.iter().copied()).collect();
    String::from_utf8(bytes).ok()
}
