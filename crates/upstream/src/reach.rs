//! Which addresses may be dialled for tenants: those of the public internet, and what the operator adds.
//!
//! What is public follows the registries of special addresses at IANA (iana-ipv4-special-registry and
//! iana-ipv6-special-registry, November 2026). IPv6 is turned around: only global unicast is public, so
//! that no form that carries an IPv4 address inside gets through.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Addresses that share their first bits, written `10.0.0.0/8` or, for one alone, `10.1.2.3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Net {
    first: IpAddr,
    bits: u8,
}

/// A text that names no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an address and a number of bits, such as 10.0.0.0/8 or fd00::/8")]
pub struct BadNet;

impl FromStr for Net {
    type Err = BadNet;

    fn from_str(text: &str) -> Result<Self, BadNet> {
        let (first, bits) = match text.split_once('/') {
            Some((first, bits)) => (first, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = first.parse().map_err(|_| BadNet)?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let plain = |bits: &&str| bits.len() <= 3 && bits.bytes().all(|one| one.is_ascii_digit());
        let bits = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|_| plain(&bits)).ok_or(BadNet)?,
        };
        (bits <= most).then_some(Self { first, bits }).ok_or(BadNet)
    }
}

impl Net {
    const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Self {
        Self { first: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits }
    }

    const fn v6(a: u16, b: u16, bits: u8) -> Self {
        Self { first: IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0)), bits }
    }

    /// Whether the address is in it. The two families have nothing in common.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        let bits = u32::from(self.bits);
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(one)) => {
                let differ = first.to_bits() ^ one.to_bits();
                differ.checked_shr(32_u32.saturating_sub(bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(one)) => {
                let differ = first.to_bits() ^ one.to_bits();
                differ.checked_shr(128_u32.saturating_sub(bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// IPv4 addresses that mean something else than a host on the internet.
const SPECIAL_V4: [Net; 18] = [
    Net::v4(0, 0, 0, 0, 8),          // this network
    Net::v4(10, 0, 0, 0, 8),         // private
    Net::v4(100, 64, 0, 0, 10),      // behind a carrier
    Net::v4(127, 0, 0, 0, 8),        // this host
    Net::v4(168, 63, 129, 16, 32),   // a cloud's own services, in its virtual networks
    Net::v4(169, 254, 0, 0, 16),     // this link; clouds' metadata
    Net::v4(172, 16, 0, 0, 12),      // private
    Net::v4(192, 0, 0, 0, 24),       // protocols
    Net::v4(192, 0, 2, 0, 24),       // documentation
    Net::v4(192, 52, 193, 0, 24),    // multicast relays
    Net::v4(192, 88, 99, 0, 24),     // relays to IPv6
    Net::v4(192, 168, 0, 0, 16),     // private
    Net::v4(198, 18, 0, 0, 15),      // measurements
    Net::v4(198, 51, 100, 0, 24),    // documentation
    Net::v4(203, 0, 113, 0, 24),     // documentation
    Net::v4(224, 0, 0, 0, 4),        // multicast
    Net::v4(240, 0, 0, 0, 4),        // not assigned
    Net::v4(255, 255, 255, 255, 32), // everybody on this link
];

/// Global unicast in IPv6, and what of it is no host on the internet.
const GLOBAL_V6: Net = Net::v6(0x2000, 0, 3);
const SPECIAL_V6: [Net; 4] = [
    Net::v6(0x2001, 0, 23),     // protocols, tunnels through NAT among them
    Net::v6(0x2001, 0xdb8, 32), // documentation
    Net::v6(0x2002, 0, 16),     // tunnels that carry an IPv4 address
    Net::v6(0x3fff, 0, 20),     // documentation
];

/// Whether an address is that of a host on the public internet, as far as can be known.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    let among = |nets: &[Net]| nets.iter().any(|net| net.has(address));
    match address {
        IpAddr::V4(_) => !among(&SPECIAL_V4),
        IpAddr::V6(_) => GLOBAL_V6.has(address) && !among(&SPECIAL_V6),
    }
}

/// How far calls for tenants reach.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reach {
    /// The public internet.
    #[default]
    PublicOnly,
    /// These networks as well, by the operator's word: there also without encryption and on any port.
    Also(Vec<Net>),
}

impl Reach {
    /// The reach that these networks give; none is the public internet alone.
    #[must_use]
    pub fn also(nets: Vec<Net>) -> Self {
        if nets.is_empty() { Self::PublicOnly } else { Self::Also(nets) }
    }

    /// Whether the operator named this address.
    #[must_use]
    pub fn names(&self, address: IpAddr) -> bool {
        match self {
            Self::PublicOnly => false,
            Self::Also(nets) => nets.iter().any(|net| net.has(address)),
        }
    }

    /// Whether this address may be dialled with this scheme at this port. Elsewhere than the operator
    /// says it is HTTPS at 443.
    #[must_use]
    pub fn permits(&self, address: IpAddr, encrypted: bool, port: u16) -> bool {
        self.names(address) || is_public(address) && encrypted && port == 443
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn special_addresses_are_not_public() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.254",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:0:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "feff::1",
            "ff02::1",
            "4000::1",
            "1fff::1",
        ] {
            assert!(!is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn neighbours_of_special_addresses_are_public() {
        for text in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "203.0.114.0",
            "223.255.255.255",
            "8.8.8.8",
            "2001:200::1",
            "2001:db7::1",
            "2001:db9::1",
            "2003::1",
            "2606:4700:4700::1111",
            "2a00:1450::1",
            "3ffe::1",
            "3fff:1000::1",
        ] {
            assert!(is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn networks_are_read_strictly() {
        let net = |text: &str| text.parse::<Net>();
        assert!(net("10.1.2.3").unwrap().has(ip("10.1.2.3")));
        assert!(!net("10.1.2.3").unwrap().has(ip("10.1.2.2")));
        assert!(net("0.0.0.0/0").unwrap().has(ip("8.8.8.8")));
        assert!(net("::/0").unwrap().has(ip("fd00::1")));
        assert!(!net("0.0.0.0/0").unwrap().has(ip("::1")));
        assert!(net("fd00::/8").unwrap().has(ip("fdff::1")));
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0/8", "a/8", "/8"]
        {
            assert_eq!(net(text), Err(BadNet), "{text}");
        }
    }

    #[test]
    fn what_the_operator_names_is_in_reach_and_nothing_beside_it() {
        let reach = Reach::also(vec!["127.0.0.1/32".parse().unwrap()]);
        assert!(reach.permits(ip("127.0.0.1"), false, 9000));
        assert!(!reach.permits(ip("127.0.0.2"), true, 443));
        assert!(reach.permits(ip("8.8.8.8"), true, 443));
        assert!(
            !reach.permits(ip("8.8.8.8"), false, 80) && !reach.permits(ip("8.8.8.8"), true, 22)
        );
        assert!(!reach.permits(ip("::ffff:127.0.0.1"), true, 443));
        assert_eq!(Reach::also(Vec::new()), Reach::PublicOnly);
    }
}
