//! `client`: who is asking.

use std::net::{IpAddr, Ipv6Addr};

use crate::diagnostic::code;
use crate::headers::HeaderName;
use crate::walk::{Node, shown};

/// The `client` section.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// Peers whose forwarded headers are believed. Default none.
    pub trusted_proxies: Vec<Network>,
    /// Where the client's address stands. Default `x-forwarded-for`.
    pub forwarded: Forwarded,
    /// IPv6 clients are grouped by this many bits. Default 64.
    pub ipv6_prefix: u8,
    /// IPv4 clients are grouped by this many bits. Default 32.
    pub ipv4_prefix: u8,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            forwarded: Forwarded::XForwardedFor,
            ipv6_prefix: 64,
            ipv4_prefix: 32,
        }
    }
}

/// Where a trusted proxy says whom it speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forwarded {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// One header that holds one address.
    Header(HeaderName),
    /// The gateway has resolved the client: its source address is the client's.
    Host,
}

/// An IP network: a CIDR block, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    address: u128,
    prefix: u8,
}

impl Network {
    /// Whether some address is in both.
    pub fn overlaps(self, other: Self) -> bool {
        let mask = self.mask() & other.mask();
        self.address & mask == other.address & mask
    }

    /// Reads `10.0.0.0/8` or `2001:db8::1`; IPv4 is kept as its v4-mapped IPv6 form. `Err` is the help line.
    fn parse(text: &str) -> Result<Self, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let syntax = || "an address or a CIDR block, for example `10.0.0.0/8`".to_owned();
        let address: IpAddr = address.parse().map_err(|_| syntax())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|p| *p <= longest)
                .ok_or_else(syntax)?,
            Some(_) => return Err(syntax()),
        };
        let mapped = 128 - longest + prefix;
        let network = Self {
            address: Self::bits(address),
            prefix: mapped,
        };
        if network.address & !network.mask() != 0 {
            let first = Ipv6Addr::from_bits(network.address & network.mask());
            let first = first.to_ipv4_mapped().map_or(IpAddr::V6(first), IpAddr::V4);
            return Err(format!(
                "bits are set behind the prefix: did you mean `{first}/{prefix}`?"
            ));
        }
        Ok(network)
    }

    /// Whether the address lies in the network. A v4-mapped IPv6 address is its IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::bits(address) & self.mask() == self.address
    }

    fn bits(address: IpAddr) -> u128 {
        match address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
            IpAddr::V6(v6) => v6.to_bits(),
        }
    }

    fn mask(&self) -> u128 {
        u128::MAX
            .checked_shl(128 - u32::from(self.prefix))
            .unwrap_or(0)
    }

    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        let text = node.string()?;
        match Self::parse(text) {
            Ok(network) => Some(network),
            Err(help) => {
                node.error(
                    code::NETWORK_SYNTAX,
                    format!("`{}` is not a network", shown(text)),
                    Some(&help),
                );
                None
            }
        }
    }
}

pub(crate) fn read(node: &Node<'_>) -> Option<Client> {
    let mut object = node.object()?;
    let default = Client::default();
    let prefix =
        |node: &Node<'_>, longest: u32| node.count(1, longest).and_then(|n| u8::try_from(n).ok());
    let client = Client {
        trusted_proxies: object
            .read("trusted_proxies", |n| n.distinct(Network::read))
            .unwrap_or_default(),
        forwarded: object
            .read("forwarded", forwarded)
            .unwrap_or(default.forwarded),
        ipv6_prefix: object
            .read("ipv6_prefix", |n| prefix(n, 128))
            .unwrap_or(default.ipv6_prefix),
        ipv4_prefix: object
            .read("ipv4_prefix", |n| prefix(n, 32))
            .unwrap_or(default.ipv4_prefix),
    };
    object.finish();
    Some(client)
}

fn forwarded(node: &Node<'_>) -> Option<Forwarded> {
    Some(match node.string()?.to_ascii_lowercase().as_str() {
        "host" => Forwarded::Host,
        "forwarded" => Forwarded::Forwarded,
        "x-forwarded-for" => Forwarded::XForwardedFor,
        _ => Forwarded::Header(HeaderName::read(node)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let check = |network: &str, address: &str, inside: bool| {
            let network = Network::parse(network).unwrap();
            assert_eq!(
                network.contains(address.parse().unwrap()),
                inside,
                "{address}"
            );
        };
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("10.0.0.0/8", "::ffff:10.1.2.3", true);
        check("10.1.2.3", "10.1.2.3", true);
        check("10.1.2.3", "10.1.2.4", false);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("0.0.0.0/0", "8.8.8.8", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("::/0", "8.8.8.8", true);
        let refused = |text: &str| assert!(Network::parse(text).is_err(), "{text}");
        refused("10.0.0.0/33");
        refused("10.0.0.1/8");
        refused("10.0.0.0/+8");
        refused("10.0.0/8");
        refused("example.com");
        refused("10.0.0.0/");
        refused("fe80::1%eth0");
    }

    #[test]
    fn a_network_with_host_bits_is_corrected() {
        let help = Network::parse("10.0.0.1/8").unwrap_err();
        assert!(help.contains("`10.0.0.0/8`"), "{help}");
    }
}
