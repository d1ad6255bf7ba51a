//! The PROXY protocol header, which passes the addresses of the client's connection from a load balancer to the server. It is
//! sent once, before everything else, TLS included. Version 1 is a line of text, version 2 is binary
//! (<https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt>).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// The start of version 1.
const LINE_START: &[u8] = b"PROXY ";

/// The longest line of version 1, its end included.
const MAX_LINE: usize = 107;

/// The start of version 2.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The signature, version and command, family, and length.
const FIXED: usize = 16;

// The second nibble of the byte after the signature.
const LOCAL: u8 = 0;
const PROXY: u8 = 1;

// Address family and transport protocol.
const UNSPECIFIED: u8 = 0x00;
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;

/// The form of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyVersion {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// A PROXY protocol header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyHeader {
    /// Its version.
    pub version: ProxyVersion,
    /// The addresses of the client and of the server that it connected to; `None` if the header has none, as for the proxy's own
    /// health checks.
    pub addresses: Option<(SocketAddr, SocketAddr)>,
}

/// The defect of an invalid header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyFault {
    /// The line of version 1 does not end.
    #[error("no line end in its first {MAX_LINE} bytes")]
    Endless,
    /// Neither TCP4 nor TCP6 nor UNKNOWN.
    #[error("the protocol is not TCP4, TCP6 or UNKNOWN")]
    Protocol,
    /// Version 1 lacks an address or a port, or has one that cannot be read.
    #[error("an address or a port is missing or invalid")]
    Address,
    /// The binary form has another version than 2.
    #[error("unknown version {0}")]
    Version(u8),
    /// Neither LOCAL nor PROXY.
    #[error("unknown command {0}")]
    Command(u8),
    /// The addresses do not fit into the length.
    #[error("the addresses need {needed} bytes, but its length is {length}")]
    TooShort {
        /// The length that the family requires.
        needed: usize,
        /// The length in the header.
        length: usize,
    },
}

/// The classification of a stream's first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// Something else.
    Other,
    /// Too few bytes to decide, or a part of a header.
    Partial,
    /// A header of this length.
    Header(ProxyHeader, usize),
    /// An invalid header, with its length if it has one.
    Invalid(ProxyFault, Option<usize>),
}

impl ProxyVersion {
    /// The name in options.
    pub fn name(self) -> &'static str {
        match self {
            ProxyVersion::V1 => "v1",
            ProxyVersion::V2 => "v2",
        }
    }
}

impl fmt::Display for ProxyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ProxyHeader {
    /// Reads the header that a stream may begin with.
    pub fn parse(bytes: &[u8]) -> Beginning {
        for (start, parse) in [(LINE_START, line as fn(&[u8]) -> Beginning), (SIGNATURE, binary)] {
            if bytes.starts_with(start) {
                return parse(bytes);
            }
            if start.starts_with(bytes) {
                return Beginning::Partial;
            }
        }
        Beginning::Other
    }

    /// The header in bytes. Addresses of two families are both written as IPv6.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self.version {
            ProxyVersion::V1 => self.to_line().into_bytes(),
            ProxyVersion::V2 => self.to_binary(),
        }
    }

    fn to_line(self) -> String {
        match self.addresses.map(of_one_family) {
            None => "PROXY UNKNOWN\r\n".to_owned(),
            Some((client, server)) => {
                let protocol = if client.is_ipv4() { "TCP4" } else { "TCP6" };
                let (from, to) = (client.ip(), server.ip());
                format!("PROXY {protocol} {from} {to} {} {}\r\n", client.port(), server.port())
            }
        }
    }

    fn to_binary(self) -> Vec<u8> {
        let (command, family, addresses) = match self.addresses.map(of_one_family) {
            None => (LOCAL, UNSPECIFIED, Vec::new()),
            Some((client, server)) => {
                let mut addresses = Vec::new();
                for ip in [client.ip(), server.ip()] {
                    match ip {
                        IpAddr::V4(ip) => addresses.extend(ip.octets()),
                        IpAddr::V6(ip) => addresses.extend(ip.octets()),
                    }
                }
                addresses.extend(client.port().to_be_bytes());
                addresses.extend(server.port().to_be_bytes());
                (PROXY, if client.is_ipv4() { TCP4 } else { TCP6 }, addresses)
            }
        };
        let length = u16::try_from(addresses.len()).unwrap_or_default().to_be_bytes();
        [SIGNATURE, &[0x20 | command, family], &length, &addresses].concat()
    }
}

fn of_one_family((client, server): (SocketAddr, SocketAddr)) -> (SocketAddr, SocketAddr) {
    if client.is_ipv4() == server.is_ipv4() {
        return (client, server);
    }
    let as_v6 = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
        IpAddr::V6(_) => address,
    };
    (as_v6(client), as_v6(server))
}

fn line(bytes: &[u8]) -> Beginning {
    let window = bytes.get(..MAX_LINE).unwrap_or(bytes);
    let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
        return if bytes.len() < MAX_LINE {
            Beginning::Partial
        } else {
            Beginning::Invalid(ProxyFault::Endless, None)
        };
    };
    let words = std::str::from_utf8(window.get(LINE_START.len()..end).unwrap_or_default());
    let addresses = words.map_err(|_| ProxyFault::Protocol).and_then(line_addresses);
    match addresses {
        Ok(addresses) => Beginning::Header(ProxyHeader { version: ProxyVersion::V1, addresses }, end + 2),
        Err(fault) => Beginning::Invalid(fault, Some(end + 2)),
    }
}

/// The addresses of a line; anything may follow UNKNOWN.
fn line_addresses(words: &str) -> Result<Option<(SocketAddr, SocketAddr)>, ProxyFault> {
    let words: Vec<&str> = words.split(' ').collect();
    match words.as_slice() {
        ["UNKNOWN", ..] => Ok(None),
        ["TCP4", from, to, ports @ ..] => pair::<Ipv4Addr>(from, to, ports),
        ["TCP6", from, to, ports @ ..] => pair::<Ipv6Addr>(from, to, ports),
        ["TCP4" | "TCP6", ..] => Err(ProxyFault::Address),
        _ => Err(ProxyFault::Protocol),
    }
}

fn pair<A: FromStr + Into<IpAddr>>(
    from: &str,
    to: &str,
    ports: &[&str],
) -> Result<Option<(SocketAddr, SocketAddr)>, ProxyFault> {
    let [from_port, to_port] = ports else { return Err(ProxyFault::Address) };
    let address = |ip: &str, port: &str| {
        let ip: A = ip.parse().ok()?;
        Some(SocketAddr::new(ip.into(), port.parse().ok()?))
    };
    let addresses = address(from, from_port).zip(address(to, to_port));
    addresses.map(Some).ok_or(ProxyFault::Address)
}

fn binary(bytes: &[u8]) -> Beginning {
    let Some(([command, family, length @ ..], rest)) =
        bytes.get(SIGNATURE.len()..).and_then(<[u8]>::split_first_chunk::<4>)
    else {
        return Beginning::Partial;
    };
    let length = usize::from(u16::from_be_bytes(*length));
    if command >> 4 != 2 {
        return Beginning::Invalid(ProxyFault::Version(command >> 4), None);
    }
    let Some(block) = rest.get(..length) else { return Beginning::Partial };
    let addresses = match command & 0x0f {
        LOCAL => Ok(None),
        PROXY => binary_addresses(*family, block),
        command => Err(ProxyFault::Command(command)),
    };
    match addresses {
        Ok(addresses) => {
            Beginning::Header(ProxyHeader { version: ProxyVersion::V2, addresses }, FIXED + length)
        }
        Err(fault) => Beginning::Invalid(fault, Some(FIXED + length)),
    }
}

/// The addresses before the TLVs. Families other than TCP's have none that can be shown.
fn binary_addresses(family: u8, block: &[u8]) -> Result<Option<(SocketAddr, SocketAddr)>, ProxyFault> {
    let needed = match family {
        TCP4 => 12,
        TCP6 => 36,
        _ => return Ok(None),
    };
    let too_short = ProxyFault::TooShort { needed, length: block.len() };
    let (ips, ports) =
        block.get(..needed).and_then(|block| block.split_at_checked(needed - 4)).ok_or(too_short)?;
    let (from, to) = ips.split_at_checked(ips.len() / 2).ok_or(too_short)?;
    let (from_port, to_port) = ports.split_at_checked(2).ok_or(too_short)?;
    let addresses = address(from, from_port).zip(address(to, to_port));
    addresses.map(Some).ok_or(too_short)
}

fn address(ip: &[u8], port: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(port.try_into().ok()?);
    let ip: IpAddr = match <[u8; 4]>::try_from(ip) {
        Ok(octets) => octets.into(),
        Err(_) => <[u8; 16]>::try_from(ip).ok()?.into(),
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(version: ProxyVersion, addresses: Option<(&str, &str)>) -> ProxyHeader {
        let addresses = addresses.map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap()));
        ProxyHeader { version, addresses }
    }

    #[test]
    fn headers_come_back() {
        use ProxyVersion::{V1, V2};
        for (header, bytes) in [
            (header(V1, Some(("1.2.3.4:5", "6.7.8.9:1883"))), &b"PROXY TCP4 1.2.3.4 6.7.8.9 5 1883\r\n"[..]),
            (header(V1, Some(("[2001:db8::1]:5", "[::1]:1883"))), b"PROXY TCP6 2001:db8::1 ::1 5 1883\r\n"),
            (header(V1, None), b"PROXY UNKNOWN\r\n"),
            (
                header(V2, Some(("1.2.3.4:5", "6.7.8.9:1883"))),
                b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\x02\x03\x04\x06\x07\x08\x09\0\x05\x07\x5b",
            ),
            (header(V2, None), b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"),
        ] {
            assert_eq!(header.to_bytes(), bytes);
            assert_eq!(ProxyHeader::parse(bytes), Beginning::Header(header, bytes.len()));
            let followed = [bytes, b"\x10\x00"].concat();
            assert_eq!(ProxyHeader::parse(&followed), Beginning::Header(header, bytes.len()));
            for length in 0..bytes.len() {
                assert_eq!(ProxyHeader::parse(&bytes[..length]), Beginning::Partial, "{length}");
            }
        }
    }

    #[test]
    fn invalid_headers_have_a_reason() {
        let endless = [b"PROXY TCP4 ".as_slice(), &[b'1'; 100]].concat();
        for (bytes, fault, length) in [
            (&b"PROXY TCP4 1.2.3.4\r\n"[..], ProxyFault::Address, Some(20)),
            (b"PROXY TCP4 ::1 ::1 1 2\r\n", ProxyFault::Address, Some(24)),
            (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 70000\r\n", ProxyFault::Address, Some(36)),
            (b"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", ProxyFault::Protocol, Some(32)),
            (&endless, ProxyFault::Endless, None),
            (b"\r\n\r\n\0\r\nQUIT\n\x11\0\0\0", ProxyFault::Version(1), None),
            (b"\r\n\r\n\0\r\nQUIT\n\x25\0\0\0", ProxyFault::Command(5), Some(16)),
            (
                b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x01\0",
                ProxyFault::TooShort { needed: 12, length: 1 },
                Some(17),
            ),
        ] {
            assert_eq!(ProxyHeader::parse(bytes), Beginning::Invalid(fault, length), "{fault}");
        }
        for other in [&b"\x10\x10"[..], b"GET /", b"POST", b"\r\n\r\nx", b"\x50\x02\0\x01"] {
            assert_eq!(ProxyHeader::parse(other), Beginning::Other);
        }
    }

    #[test]
    fn other_values_and_families_are_passed_over() {
        let values =
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x10\x01\x02\x03\x04\x06\x07\x08\x09\0\x05\x07\x5b\x04\0\x01x";
        assert!(matches!(
            ProxyHeader::parse(values),
            Beginning::Header(ProxyHeader { addresses: Some(_), .. }, 32)
        ));
        let unix = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x31\0\xd8"[..], &[0; 216]].concat();
        assert!(matches!(
            ProxyHeader::parse(&unix),
            Beginning::Header(ProxyHeader { addresses: None, .. }, 232)
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..200), start in 0..3_usize) {
            let start = [&b""[..], LINE_START, SIGNATURE][start];
            let bytes = [start, &bytes].concat();
            match ProxyHeader::parse(&bytes) {
                Beginning::Header(_, length) | Beginning::Invalid(_, Some(length)) => prop_assert!(length <= bytes.len()),
                Beginning::Other | Beginning::Partial | Beginning::Invalid(_, None) => {}
            }
        }
    }
}
