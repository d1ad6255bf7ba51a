//! Packets inside packets: IP in IP, GRE, VXLAN and GENEVE.

use super::link;
use super::skipped::{Datagram, Skipped};

// IP protocol numbers.
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
const IPV4: u8 = 4;
const IPV6: u8 = 41;
const GRE: u8 = 47;

// UDP ports. Linux once had a different one for VXLAN.
const VXLAN: [u16; 2] = [4789, 8472];
const GENEVE: u16 = 6081;
const QUIC: [u16; 3] = [443, 8883, 14567];

// The flags of GRE.
const GRE_CHECKSUM: u16 = 0x8000;
const GRE_KEY: u16 = 0x2000;
const GRE_SEQUENCE: u16 = 0x1000;
const GRE_ACKNOWLEDGMENT: u16 = 0x0080;
const GRE_VERSION: u16 = 0x0007;

/// Mirrored frames in GRE, with an extra header if they are numbered.
const ERSPAN: u16 = 0x88be;

/// The message types of MQTT-SN 1.2 and 2.0.
const MQTT_SN_TYPES: std::ops::RangeInclusive<u8> = 0x00..=0x1d;

/// Precedes a two-byte length.
const MQTT_SN_LONG: u8 = 1;

/// The IP packet tunnelled in an IP packet's payload, or the kind of payload if it is not a tunnel.
pub(super) fn inner(protocol: u8, payload: &[u8]) -> Result<&[u8], Skipped> {
    match protocol {
        IPV4 | IPV6 => Ok(payload),
        GRE => gre(payload),
        UDP => udp(payload),
        other => Err(Skipped::NotTcp(Datagram::Other(other))),
    }
}

fn gre(bytes: &[u8]) -> Result<&[u8], Skipped> {
    let Some(([f0, f1, p0, p1], _)) = bytes.split_first_chunk::<4>() else { return Err(Skipped::Malformed) };
    let (flags, protocol) = (u16::from_be_bytes([*f0, *f1]), u16::from_be_bytes([*p0, *p1]));
    if flags & GRE_VERSION > 1 {
        return Err(Skipped::NotTcp(Datagram::Other(GRE)));
    }
    let options = [GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE, GRE_ACKNOWLEDGMENT];
    let mut header = 4 + 4 * options.iter().filter(|option| flags & **option != 0).count();
    if protocol == ERSPAN {
        header += if flags & GRE_SEQUENCE != 0 { 8 } else { 0 };
        return link::ethernet(bytes.get(header..).ok_or(Skipped::Malformed)?);
    }
    link::payload(protocol, bytes.get(header..).ok_or(Skipped::Malformed)?)
}

fn udp(bytes: &[u8]) -> Result<&[u8], Skipped> {
    let Some(([s0, s1, d0, d1, ..], body)) = bytes.split_first_chunk::<8>() else {
        return Err(Skipped::Malformed);
    };
    let ports = [u16::from_be_bytes([*s0, *s1]), u16::from_be_bytes([*d0, *d1])];
    let [_, port] = ports;
    let inside = match body {
        [flags, _, _, next, ..] if VXLAN.contains(&port) && is_vxlan(*flags) => {
            body.get(8..).map(|rest| vxlan(*flags, *next, rest))
        }
        [lengths, _, p0, p1, ..] if port == GENEVE => {
            let header = 8 + 4 * usize::from(lengths & 0x3f);
            body.get(header..).map(|rest| link::payload(u16::from_be_bytes([*p0, *p1]), rest))
        }
        _ => None,
    };
    inside.unwrap_or(Err(Skipped::NotTcp(datagram(body, ports))))
}

/// Whether the flag for a valid identifier is set, and no unused flag is.
fn is_vxlan(flags: u8) -> bool {
    flags & 0x08 != 0 && flags & 0x60 == 0
}

/// Ethernet, unless a flag announces a next-protocol field.
fn vxlan(flags: u8, next: u8, rest: &[u8]) -> Result<&[u8], Skipped> {
    match next {
        1 | 2 if flags & 0x04 != 0 => Ok(rest),
        _ => link::ethernet(rest),
    }
}

/// The likely protocol of a datagram.
fn datagram(body: &[u8], ports: [u16; 2]) -> Datagram {
    // A long header with a known version: 1 or 2.
    let is_quic = match body {
        [first, 0, 0, 0, 1, ..] | [first, 0x6b, 0x33, 0x43, 0xcf, ..] => first & 0xc0 == 0xc0,
        [first, ..] => first & 0xc0 == 0x40 && ports.iter().any(|port| QUIC.contains(port)),
        [] => false,
    };
    if is_quic {
        return Datagram::Quic;
    }
    let (length, kind) = match body {
        [MQTT_SN_LONG, high, low, kind, ..] => (usize::from(u16::from_be_bytes([*high, *low])), *kind),
        [length, kind, ..] => (usize::from(*length), *kind),
        _ => return Datagram::Udp,
    };
    let is_mqtt_sn = length == body.len() && MQTT_SN_TYPES.contains(&kind);
    if is_mqtt_sn { Datagram::MqttSn } else { Datagram::Udp }
}
