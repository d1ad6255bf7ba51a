//! Link layers: extracts the IP packet from a frame, through tags and labels.

use super::reader::Frame;
use super::skipped::{NetworkLayer, Skipped};

// Link types from the registry of tcpdump.org. Some systems use numbers of their own for raw IP.
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

// EtherTypes.
pub(super) const ETHER_IPV4: u16 = 0x0800;
pub(super) const ETHER_IPV6: u16 = 0x86dd;
/// VLAN, QinQ, and the predecessors of QinQ.
const ETHER_VLANS: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
/// Unicast and multicast.
const ETHER_MPLS: [u16; 2] = [0x8847, 0x8848];
const ETHER_PPPOE_SESSION: u16 = 0x8864;
/// In GRE and GENEVE.
pub(super) const ETHER_ETHERNET: u16 = 0x6558;
/// In GRE for PPTP.
pub(super) const ETHER_PPP: u16 = 0x880b;
/// Up to this value, the number is a length, and an LLC header follows.
const MAX_LENGTH: u16 = 1500;

// PPP protocol numbers.
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;
const PPP_MPLS: [u16; 2] = [0x0281, 0x0283];

/// Address and control fields before PPP's protocol number, if they are not omitted.
const PPP_ADDRESS: [u8; 2] = [0xff, 0x03];

/// An LLC/SNAP header, which an EtherType follows.
const SNAP: [u8; 6] = [0xaa, 0xaa, 3, 0, 0, 0];

/// The attribute of NFLOG that holds the packet.
const NFLOG_PAYLOAD: u16 = 9;

/// The most nested tags, labels and headers before a packet.
const MAX_DEPTH: usize = 16;

/// The IP packet in `frame`, including any padding.
pub(super) fn ip_packet<'a>(frame: &Frame<'a>) -> Result<&'a [u8], Skipped> {
    let bytes = frame.bytes;
    match frame.link_type {
        ETHERNET => ethernet(bytes),
        // The protocol is at the end of the first version's header, and at the start of the second version's.
        LINUX_COOKED => tagged(bytes.get(14..)),
        LINUX_COOKED_2 => match bytes.split_first_chunk::<20>() {
            Some(([high, low, ..], rest)) => payload(u16::from_be_bytes([*high, *low]), rest),
            None => Err(Skipped::Malformed),
        },
        // The address family, in the byte order of the capturing host. Its numbers vary, so the packet's own version field
        // decides.
        NULL | LOOP => bytes.get(4..).ok_or(Skipped::Malformed),
        PPP => ppp(bytes),
        // With a PPP or a Cisco header.
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

/// The IP packet in an Ethernet frame.
pub(super) fn ethernet(bytes: &[u8]) -> Result<&[u8], Skipped> {
    tagged(bytes.get(12..))
}

/// The IP packet after a protocol number at the start of `bytes`.
fn tagged(bytes: Option<&[u8]>) -> Result<&[u8], Skipped> {
    match bytes.and_then(<[u8]>::split_first_chunk::<2>) {
        Some((protocol, rest)) => payload(u16::from_be_bytes(*protocol), rest),
        None => Err(Skipped::Malformed),
    }
}

/// The result of parsing one header.
enum NextLayer<'a> {
    /// Another protocol, by EtherType.
    Ether(u16, &'a [u8]),
    /// Another protocol, by PPP number.
    Ppp(u16, &'a [u8]),
    /// The packet.
    Ip(&'a [u8]),
}

/// The IP packet of `protocol`, through any tags and labels.
pub(super) fn payload(protocol: u16, rest: &[u8]) -> Result<&[u8], Skipped> {
    follow(NextLayer::Ether(protocol, rest))
}

/// The IP packet after a PPP header.
pub(super) fn ppp(bytes: &[u8]) -> Result<&[u8], Skipped> {
    follow(ppp_header(bytes)?)
}

fn follow(mut next: NextLayer<'_>) -> Result<&[u8], Skipped> {
    for _ in 0..MAX_DEPTH {
        next = match next {
            NextLayer::Ip(packet) | NextLayer::Ether(ETHER_IPV4 | ETHER_IPV6, packet) => return Ok(packet),
            NextLayer::Ppp(PPP_IPV4 | PPP_IPV6, packet) => return Ok(packet),
            NextLayer::Ether(number, rest) => ether(number, rest)?,
            NextLayer::Ppp(number, rest) if PPP_MPLS.contains(&number) => labels(rest)?,
            NextLayer::Ppp(number, _) => return Err(Skipped::NotIp(NetworkLayer::Ppp(number))),
        };
    }
    Err(Skipped::Malformed)
}

/// Parses the header of a protocol, given by its EtherType.
fn ether(protocol: u16, rest: &[u8]) -> Result<NextLayer<'_>, Skipped> {
    match protocol {
        ETHER_ETHERNET => ether_header(rest.get(12..)),
        ETHER_PPP => ppp_header(rest),
        // Version, type, code, session and length.
        ETHER_PPPOE_SESSION => ppp_header(rest.get(6..).ok_or(Skipped::Malformed)?),
        _ if ETHER_VLANS.contains(&protocol) => ether_header(rest.get(2..)),
        _ if ETHER_MPLS.contains(&protocol) => labels(rest),
        0..=MAX_LENGTH if rest.starts_with(&SNAP) => ether_header(rest.get(SNAP.len()..)),
        _ => Err(Skipped::NotIp(NetworkLayer::Ether(protocol))),
    }
}

fn ether_header(bytes: Option<&[u8]>) -> Result<NextLayer<'_>, Skipped> {
    let (number, rest) = bytes.and_then(<[u8]>::split_first_chunk::<2>).ok_or(Skipped::Malformed)?;
    Ok(NextLayer::Ether(u16::from_be_bytes(*number), rest))
}

/// An odd first byte is the whole protocol number.
fn ppp_header(bytes: &[u8]) -> Result<NextLayer<'_>, Skipped> {
    match bytes.strip_prefix(&PPP_ADDRESS).unwrap_or(bytes) {
        [number, rest @ ..] if number & 1 == 1 => Ok(NextLayer::Ppp((*number).into(), rest)),
        [high, low, rest @ ..] => Ok(NextLayer::Ppp(u16::from_be_bytes([*high, *low]), rest)),
        _ => Err(Skipped::Malformed),
    }
}

/// The packet after a stack of MPLS labels: IP by its version, or else Ethernet, optionally after a control word.
fn labels(bytes: &[u8]) -> Result<NextLayer<'_>, Skipped> {
    let mut rest = bytes;
    for _ in 0..MAX_DEPTH {
        let Some(([_, _, third, _], behind)) = rest.split_first_chunk::<4>() else {
            return Err(Skipped::Malformed);
        };
        rest = behind;
        if third & 1 == 1 {
            return match rest.first().map(|first| first >> 4) {
                Some(4 | 6) => Ok(NextLayer::Ip(rest)),
                Some(0) => ether_header(rest.get(4 + 12..)),
                _ => ether_header(rest.get(12..)),
            };
        }
    }
    Err(Skipped::Malformed)
}

/// Attributes with lengths in the byte order of the capturing host; one of them is the packet.
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
