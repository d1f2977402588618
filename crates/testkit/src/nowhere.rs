//! Addresses where nobody answers.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// An address at which connections are refused.
///
/// # Panics
/// When there is no free port.
pub async fn refused() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

/// An address at which connections neither open nor fail, for as long as it lives: its queue of
/// connections that wait to be accepted is full, and nobody accepts them.
#[derive(Debug)]
pub struct Blackhole {
    listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

/// How long a connection may take before the queue is known to be full.
const FULL_AFTER: Duration = Duration::from_millis(200);
/// Most connections until then.
const MOST: usize = 16;

impl Blackhole {
    /// One on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When the system accepts whatever comes.
    pub async fn open() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let listener = socket.listen(1).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let mut waiting = Vec::new();
        for _ in 0..MOST {
            match tokio::time::timeout(FULL_AFTER, TcpStream::connect(address)).await {
                Ok(connected) => waiting.push(connected.expect("a connection")),
                Err(_) => return Self { listener, _waiting: waiting },
            }
        }
        panic!("the queue does not fill");
    }

    /// Where it is.
    ///
    /// # Panics
    /// When the socket has no address.
    #[must_use]
    pub fn address(&self) -> String {
        self.listener.local_addr().expect("an address").to_string()
    }
}
