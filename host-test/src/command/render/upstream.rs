//! Where an API listens.

use std::fmt;
use std::str::FromStr;

/// HOST:PORT.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
}

impl FromStr for Upstream {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains("://") {
            return Err("leave the scheme out: HOST:PORT");
        }
        let (host, port) = text
            .rsplit_once(':')
            .ok_or("a port is missing: HOST:PORT")?;
        let port = port.parse().ok().filter(|port| *port > 0);
        let port = port.ok_or("the port is a number from 1 to 65535")?;
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let legal = match bare {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                (1..=253).contains(&host.len())
                    && host
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            }
        };
        if !legal {
            return Err("the host is a name or an address, IPv6 in brackets");
        }
        Ok(Self {
            host: bare.unwrap_or(host).to_owned(),
            port,
        })
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
