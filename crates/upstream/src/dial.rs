//! Opening TCP connections: to whatever the operator's rows name, or, for tenants, only to what is in
//! reach. The name is resolved once, every address that it has is judged, and exactly those are dialled.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use crate::reach::Reach;
use crate::web_address::{Host, WebAddress};

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// The addresses of a host name, or why there are none.
pub type Resolved = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// What knows the addresses of host names.
pub trait Resolve: Send + Sync {
    /// All addresses of a name, as they are now.
    fn resolve(&self, name: &str) -> Resolved;
}

/// The system's own resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> Resolved {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|one| one.ip()).collect())
        })
    }
}

/// The address is not in reach. Says nothing of what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address is not one that may be called")]
pub(crate) struct OutOfReach;

/// Most addresses of a name that are tried.
const MOST: usize = 8;

/// What opens connections.
#[derive(Clone)]
pub enum Dial {
    /// To anywhere.
    Open(HttpConnector),
    /// To what is in reach.
    Guarded(Guard),
}

/// What is in reach, and who knows where names lead.
#[derive(Clone)]
pub struct Guard {
    pub(crate) reach: Arc<Reach>,
    pub(crate) resolver: Arc<dyn Resolve>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("reach", &self.reach).finish_non_exhaustive()
    }
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Problem>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        match self {
            Self::Open(connector) => connector.poll_ready(context).map_err(Into::into),
            Self::Guarded(_) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        match self {
            Self::Open(connector) => {
                let opening = connector.call(address);
                Box::pin(async move { opening.await.map_err(Into::into) })
            }
            Self::Guarded(guard) => {
                let guard = guard.clone();
                Box::pin(async move { guard.open(&address).await })
            }
        }
    }
}

impl Guard {
    async fn open(&self, address: &Uri) -> Result<TokioIo<TcpStream>, Problem> {
        let address = WebAddress::parse(&address.to_string()).map_err(|_| OutOfReach)?;
        let mut last: Problem = OutOfReach.into();
        for one in self.addresses(&address).await? {
            match TcpStream::connect(one).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(TokioIo::new(stream));
                }
                Err(error) => last = error.into(),
            }
        }
        Err(last)
    }

    /// Where the address leads. One address out of reach is enough to refuse them all: a name that has
    /// both kinds is made to deceive.
    async fn addresses(&self, address: &WebAddress) -> Result<Vec<SocketAddr>, Problem> {
        let encrypted = address.is_encrypted();
        let port = address.uri().port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let found = match address.host() {
            Host::Literal(one) => vec![*one],
            Host::Name(name) => self.resolver.resolve(name).await?,
        };
        if found.is_empty() || !found.iter().all(|one| self.reach.permits(*one, encrypted, port)) {
            return Err(OutOfReach.into());
        }
        Ok(found.into_iter().take(MOST).map(|one| SocketAddr::new(one, port)).collect())
    }
}

/// Whether a failed call failed because its address is not in reach.
pub(crate) fn was_out_of_reach(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<OutOfReach>())
}
