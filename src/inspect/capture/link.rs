//! Link layers: from a frame to the IP packet in it, out of tags and labels.

use super::network::Skipped;
use super::reader::Frame;

// Numbers of link types, from the registry of tcpdump.org. Some systems have numbers of their own for raw IP.
const NULL: u32 = 0;
const ETHERNET: u32 = 1;
const PPP: u32 = 9;
const PPP_HDLC: u32 = 50;
const PPP_ETHERNET: u32 = 51;
const RAW: [u32; 3] = [101, 12, 14];
const CISCO_HDLC: u32 = 104;
const LOOP: u32 = 108;
const LINUX_COOKED: u32 = 113;
const PPP_WITH_DIRECTION: u32 = 166;
const IPV4: u32 = 228;
const IPV6: u32 = 229;
const NFLOG: u32 = 239;
const LINUX_COOKED_2: u32 = 276;

// Numbers of protocols, as in Ethernet's header.
pub(super) const ETHER_IPV4: u16 = 0x0800;
pub(super) const ETHER_IPV6: u16 = 0x86dd;
/// VLAN, QinQ, and what came before QinQ.
const ETHER_VLANS: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
/// Unicast and multicast.
const ETHER_MPLS: [u16; 2] = [0x8847, 0x8848];
const ETHER_PPPOE_SESSION: u16 = 0x8864;
/// In GRE and GENEVE.
pub(super) const ETHER_ETHERNET: u16 = 0x6558;
/// In GRE, as PPTP has it.
pub(super) const ETHER_PPP: u16 = 0x880b;
/// Up to there, the number is a length, and LLC's header follows.
const MAX_LENGTH: u16 = 1500;

// Numbers of protocols, as in PPP's header.
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;
const PPP_MPLS: [u16; 2] = [0x0281, 0x0283];

/// Address and control in front of PPP's protocol, where they are not left out.
const PPP_ADDRESS: [u8; 2] = [0xff, 0x03];

/// LLC's header in front of a number as Ethernet's.
const SNAP: [u8; 6] = [0xaa, 0xaa, 3, 0, 0, 0];

/// The attribute of NFLOG that holds the packet.
const NFLOG_PAYLOAD: u16 = 9;

/// More tags, labels and headers stand in front of no packet.
const MAX_DEPTH: usize = 16;

/// The IP packet in `frame`, with whatever padding follows it.
pub(super) fn ip_packet<'a>(frame: &Frame<'a>) -> Result<&'a [u8], Skipped> {
    let bytes = frame.bytes;
    match frame.link_type {
        ETHERNET => ethernet(bytes),
        // The protocol stands last in the first header, and first in its successor's.
        LINUX_COOKED => tagged(bytes.get(14..)),
        LINUX_COOKED_2 => match bytes.split_first_chunk::<20>() {
            Some(([high, low, ..], rest)) => payload(u16::from_be_bytes([*high, *low]), rest),
            None => Err(Skipped::Malformed),
        },
        // The address family, in the byte order of who captured. Its numbers vary; the packet tells its version itself.
        NULL | LOOP => bytes.get(4..).ok_or(Skipped::Malformed),
        PPP => ppp(bytes),
        // With PPP in it, or with Cisco's header.
        PPP_HDLC if bytes.starts_with(&PPP_ADDRESS) => ppp(bytes),
        PPP_HDLC | CISCO_HDLC => tagged(bytes.get(2..)),
        PPP_WITH_DIRECTION => ppp(bytes.get(1..).unwrap_or_default()),
        PPP_ETHERNET => payload(ETHER_PPPOE_SESSION, bytes),
        NFLOG => nflog(bytes),
        IPV4 | IPV6 => Ok(bytes),
        link_type if RAW.contains(&link_type) => Ok(bytes),
        link_type => Err(Skipped::LinkType(link_type)),
    }
}

/// What a frame of Ethernet holds.
pub(super) fn ethernet(bytes: &[u8]) -> Result<&[u8], Skipped> {
    tagged(bytes.get(12..))
}

/// What follows a protocol number at the start of `bytes`.
fn tagged(bytes: Option<&[u8]>) -> Result<&[u8], Skipped> {
    match bytes.and_then(<[u8]>::split_first_chunk::<2>) {
        Some((protocol, rest)) => payload(u16::from_be_bytes(*protocol), rest),
        None => Err(Skipped::Malformed),
    }
}

/// What a header says that is followed by another one.
enum Next<'a> {
    /// This protocol, as Ethernet numbers it.
    Ether(u16, &'a [u8]),
    /// This one, as PPP does.
    Ppp(u16, &'a [u8]),
    /// The packet.
    Ip(&'a [u8]),
}

/// The IP packet of `protocol`, out of any tags and labels.
pub(super) fn payload(protocol: u16, rest: &[u8]) -> Result<&[u8], Skipped> {
    follow(Next::Ether(protocol, rest))
}

/// The IP packet behind PPP's header.
pub(super) fn ppp(bytes: &[u8]) -> Result<&[u8], Skipped> {
    follow(ppp_header(bytes)?)
}

fn follow(mut next: Next<'_>) -> Result<&[u8], Skipped> {
    for _ in 0..MAX_DEPTH {
        next = match next {
            Next::Ip(packet) | Next::Ether(ETHER_IPV4 | ETHER_IPV6, packet) => return Ok(packet),
            Next::Ppp(PPP_IPV4 | PPP_IPV6, packet) => return Ok(packet),
            Next::Ether(number, rest) => ether(number, rest)?,
            Next::Ppp(number, rest) if PPP_MPLS.contains(&number) => labels(rest)?,
            Next::Ppp(number, _) => return Err(Skipped::NotIp(NetworkLayer::Ppp(number))),
        };
    }
    Err(Skipped::Malformed)
}

/// What another protocol than IP has, as Ethernet numbers it.
fn ether(protocol: u16, rest: &[u8]) -> Result<Next<'_>, Skipped> {
    match protocol {
        ETHER_ETHERNET => ether_header(rest.get(12..)),
        ETHER_PPP => ppp_header(rest),
        // Version, type and code, a session and a length.
        ETHER_PPPOE_SESSION => ppp_header(rest.get(6..).ok_or(Skipped::Malformed)?),
        _ if ETHER_VLANS.contains(&protocol) => ether_header(rest.get(2..)),
        _ if ETHER_MPLS.contains(&protocol) => labels(rest),
        0..=MAX_LENGTH if rest.starts_with(&SNAP) => ether_header(rest.get(SNAP.len()..)),
        _ => Err(Skipped::NotIp(NetworkLayer::Ether(protocol))),
    }
}

fn ether_header(bytes: Option<&[u8]>) -> Result<Next<'_>, Skipped> {
    let (number, rest) = bytes.and_then(<[u8]>::split_first_chunk::<2>).ok_or(Skipped::Malformed)?;
    Ok(Next::Ether(u16::from_be_bytes(*number), rest))
}

/// The number takes one byte where it is odd.
fn ppp_header(bytes: &[u8]) -> Result<Next<'_>, Skipped> {
    match bytes.strip_prefix(&PPP_ADDRESS).unwrap_or(bytes) {
        [number, rest @ ..] if number & 1 == 1 => Ok(Next::Ppp((*number).into(), rest)),
        [high, low, rest @ ..] => Ok(Next::Ppp(u16::from_be_bytes([*high, *low]), rest)),
        _ => Err(Skipped::Malformed),
    }
}

/// What stands behind a stack of MPLS labels: IP by its version, or else Ethernet, perhaps behind a control word.
fn labels(bytes: &[u8]) -> Result<Next<'_>, Skipped> {
    let mut rest = bytes;
    for _ in 0..MAX_DEPTH {
        let Some(([_, _, third, _], behind)) = rest.split_first_chunk::<4>() else {
            return Err(Skipped::Malformed);
        };
        rest = behind;
        if third & 1 == 1 {
            return match rest.first().map(|first| first >> 4) {
                Some(4 | 6) => Ok(Next::Ip(rest)),
                Some(0) => ether_header(rest.get(4 + 12..)),
                _ => ether_header(rest.get(12..)),
            };
        }
    }
    Err(Skipped::Malformed)
}

/// Attributes with their lengths, in the byte order of who captured; one of them is the packet.
fn nflog(bytes: &[u8]) -> Result<&[u8], Skipped> {
    let attributes = bytes.get(4..).ok_or(Skipped::Malformed)?;
    attribute(attributes, u16::from_le_bytes)
        .or_else(|| attribute(attributes, u16::from_be_bytes))
        .ok_or(Skipped::Malformed)
}

fn attribute(attributes: &[u8], number: fn([u8; 2]) -> u16) -> Option<&[u8]> {
    let mut rest = attributes;
    while let Some(([l0, l1, k0, k1], body)) = rest.split_first_chunk::<4>() {
        let (length, kind) = (usize::from(number([*l0, *l1])), number([*k0, *k1]));
        let body_length = length.checked_sub(4)?;
        if kind == NFLOG_PAYLOAD {
            // The end may not have been captured.
            return Some(body.get(..body_length).unwrap_or(body));
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// A protocol in IP's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkLayer {
    /// As Ethernet numbers it.
    Ether(u16),
    /// As PPP numbers it.
    Ppp(u16),
}
