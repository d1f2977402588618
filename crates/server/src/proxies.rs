//! Whom a request comes from when it comes through proxies. What a header says of that is believed of
//! proxies that the operator named, and of nobody else: anybody can write such a header.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use signalbox_gateway::Net;

/// Most hops that are looked at.
const HOPS: usize = 32;

/// Which header the proxies write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The proxies in front of this server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// Where they are.
    pub trusted: Vec<Net>,
    /// What they write. The other header is the client's own word.
    pub header: ProxyHeader,
}

/// An address, perhaps with a port, perhaps in brackets or quotes.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(with_port) = text.parse::<SocketAddr>() {
        return Some(with_port.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// The `for` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<&str> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    named.next().map(|(_, value)| value)
}

impl Proxies {
    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|net| net.has(address))
    }

    /// Whom a request comes from that came over a connection from `peer`: the last hop that is none of the
    /// proxies. What can't be read ends the chain.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let name = match self.header {
            ProxyHeader::XForwardedFor => "x-forwarded-for",
            ProxyHeader::Forwarded => "forwarded",
        };
        let lines: Vec<&str> =
            headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("?")).collect();
        let hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).take(HOPS);
        let mut client = peer;
        for hop in hops {
            let told = match self.header {
                ProxyHeader::XForwardedFor => Some(hop),
                ProxyHeader::Forwarded => forwarded_for(hop),
            };
            let Some(told) = told.and_then(address) else { break };
            client = told.to_canonical();
            if !self.trusts(client) {
                break;
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(header: ProxyHeader) -> Proxies {
        let trusted = ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"];
        Proxies { trusted: trusted.map(|one| one.parse().unwrap()).to_vec(), header }
    }

    fn client(header: ProxyHeader, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            let name = http::HeaderName::try_from(name).unwrap();
            headers.append(name, value.parse().unwrap());
        }
        proxies(header).client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_proxy_is_believed_and_only_as_far_as_proxies_reach() {
        use ProxyHeader::XForwardedFor as X;
        for (peer, lines, expected) in [
            // Nobody's proxy: the header is anybody's word.
            ("203.0.113.9", vec!["x-forwarded-for: 198.51.100.1"], "203.0.113.9"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["x-forwarded-for: 198.51.100.1"], "198.51.100.1"),
            // The client wrote the first ones itself.
            ("10.0.0.1", vec!["x-forwarded-for: 127.0.0.1, 198.51.100.1"], "198.51.100.1"),
            (
                "10.0.0.1",
                vec!["x-forwarded-for: 127.0.0.1", "x-forwarded-for: 198.51.100.1"],
                "198.51.100.1",
            ),
            (
                "10.0.0.1",
                vec!["x-forwarded-for: 198.51.100.1, 10.0.0.7, 192.0.2.1"],
                "198.51.100.1",
            ),
            ("10.0.0.1", vec!["x-forwarded-for: 10.0.0.9, 10.0.0.7"], "10.0.0.9"),
            ("10.0.0.1", vec!["x-forwarded-for: 198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", vec!["x-forwarded-for: [2001:db9::1]:4711"], "2001:db9::1"),
            ("2001:db8::5", vec!["x-forwarded-for: ::ffff:198.51.100.1"], "198.51.100.1"),
            // What can't be read ends it, whatever stands before.
            ("10.0.0.1", vec!["x-forwarded-for: 198.51.100.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", vec!["x-forwarded-for: 198.51.100.1, evil, 10.0.0.7"], "10.0.0.7"),
            ("10.0.0.1", vec!["x-forwarded-for: 198.51.100.1,"], "10.0.0.1"),
            ("10.0.0.1", vec!["forwarded: for=198.51.100.1"], "10.0.0.1"),
            ("10.0.0.1", vec!["x-real-ip: 198.51.100.1"], "10.0.0.1"),
        ] {
            assert_eq!(client(X, peer, &lines), expected, "{peer} {lines:?}");
        }
        let long = format!("x-forwarded-for: 198.51.100.1{}", ", 10.0.0.7".repeat(1_000));
        assert_eq!(client(X, "10.0.0.1", &[&long]), "10.0.0.7", "not all of it is read");
    }

    #[test]
    fn the_other_header_is_read_where_proxies_write_that() {
        use ProxyHeader::Forwarded as F;
        for (line, expected) in [
            ("forwarded: for=198.51.100.1;proto=https;by=10.0.0.1", "198.51.100.1"),
            ("forwarded: proto=https; For=\"[2001:db9::1]:4711\"", "2001:db9::1"),
            ("forwarded: for=127.0.0.1, for=198.51.100.1, for=10.0.0.7", "198.51.100.1"),
            ("forwarded: for=198.51.100.1, for=_hidden", "10.0.0.1"),
            ("forwarded: for=198.51.100.1, proto=https", "10.0.0.1"),
            ("x-forwarded-for: 198.51.100.1", "10.0.0.1"),
        ] {
            assert_eq!(client(F, "10.0.0.1", &[line]), expected, "{line}");
        }
    }
}
