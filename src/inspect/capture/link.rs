//! Link layers: from a frame to the IP packet in it.

use super::network::Skipped;
use super::reader::Frame;

// Numbers of link types, from the registry of tcpdump.org. Some systems have numbers of their own for raw IP.
const NULL: u32 = 0;
const ETHERNET: u32 = 1;
const RAW: [u32; 3] = [101, 12, 14];
const LOOP: u32 = 108;
const LINUX_COOKED: u32 = 113;
const IPV4: u32 = 228;
const IPV6: u32 = 229;
const LINUX_COOKED_2: u32 = 276;

// Numbers of protocols, as in Ethernet's header.
const ETHER_IPV4: u16 = 0x0800;
const ETHER_IPV6: u16 = 0x86dd;
/// VLAN, QinQ, and what came before QinQ.
const ETHER_VLANS: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];

/// The IP packet in `frame`, with whatever padding follows it.
pub(super) fn ip_packet<'a>(frame: &Frame<'a>) -> Result<&'a [u8], Skipped> {
    let bytes = frame.bytes;
    match frame.link_type {
        ETHERNET => tagged(bytes.get(12..)),
        // The protocol stands last in the first header, and first in its successor's.
        LINUX_COOKED => tagged(bytes.get(14..)),
        LINUX_COOKED_2 => match bytes.split_first_chunk::<20>() {
            Some(([high, low, ..], rest)) => payload(u16::from_be_bytes([*high, *low]), rest),
            None => Err(Skipped::Malformed),
        },
        // The address family, in the byte order of who captured. Its numbers vary; the packet tells its version itself.
        NULL | LOOP => bytes.get(4..).ok_or(Skipped::Malformed),
        IPV4 | IPV6 => Ok(bytes),
        link_type if RAW.contains(&link_type) => Ok(bytes),
        link_type => Err(Skipped::LinkType(link_type)),
    }
}

/// What follows a protocol number at the start of `bytes`.
fn tagged(bytes: Option<&[u8]>) -> Result<&[u8], Skipped> {
    match bytes.and_then(<[u8]>::split_first_chunk::<2>) {
        Some((protocol, rest)) => payload(u16::from_be_bytes(*protocol), rest),
        None => Err(Skipped::Malformed),
    }
}

/// The packet of `protocol`, out of any number of VLAN tags.
fn payload(mut protocol: u16, mut rest: &[u8]) -> Result<&[u8], Skipped> {
    while ETHER_VLANS.contains(&protocol) {
        let Some(([_, _, inner @ ..], after)) = rest.split_first_chunk::<4>() else {
            return Err(Skipped::Malformed);
        };
        protocol = u16::from_be_bytes(*inner);
        rest = after;
    }
    match protocol {
        ETHER_IPV4 | ETHER_IPV6 => Ok(rest),
        _ => Err(Skipped::NotIp),
    }
}
