//! Counts frames without readable TCP or MQTT-SN, by kind.

use std::fmt;

/// The most kinds that are counted separately.
const MAX_KINDS: usize = 32;

/// The reason why a frame has no TCP segment and no message of MQTT-SN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// An unsupported link layer.
    LinkType(u32),
    /// A network layer other than IP.
    NotIp(NetworkLayer),
    /// IP with a payload other than TCP.
    NotTcp(Datagram),
    /// Too many nested packets.
    TooDeep,
    /// A fragment of a packet that is still incomplete.
    Fragment,
    /// Truncated inside a header, or with an invalid length.
    Malformed,
}

/// An IP payload other than TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datagram {
    /// A UDP datagram that may be MQTT-SN.
    MqttSn,
    /// A UDP datagram that may be QUIC.
    Quic,
    /// Any other UDP datagram.
    Udp,
    /// The IP protocol with this number.
    Other(u8),
}

/// A protocol number found instead of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkLayer {
    /// An EtherType.
    Ether(u16),
    /// A PPP number.
    Ppp(u16),
}

/// Frames that were skipped, counted by kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SkippedFrames {
    kinds: Vec<(Skipped, u64)>,
    others: u64,
}

impl SkippedFrames {
    pub(super) fn add(&mut self, skipped: Skipped) {
        if let Some((_, count)) = self.kinds.iter_mut().find(|(kind, _)| *kind == skipped) {
            *count += 1;
        } else if self.kinds.len() < MAX_KINDS {
            self.kinds.push((skipped, 1));
        } else {
            self.others += 1;
        }
    }

    /// Each kind and its count, in order of first occurrence.
    pub fn kinds(&self) -> &[(Skipped, u64)] {
        &self.kinds
    }

    /// The total count.
    pub fn total(&self) -> u64 {
        self.kinds.iter().map(|(_, count)| count).sum::<u64>() + self.others
    }
}

impl fmt::Display for SkippedFrames {
    /// `12 of ARP, 3 of UDP`, the largest count first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds = self.kinds.clone();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (index, (kind, count)) in kinds.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{count} {}", Named(*kind))?;
        }
        match self.others {
            0 => Ok(()),
            others => write!(f, ", {others} of other kinds"),
        }
    }
}

/// A kind, worded to follow a number.
struct Named(Skipped);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Skipped::LinkType(number) => write!(f, "of unsupported link type {number}"),
            Skipped::NotIp(NetworkLayer::Ether(number)) => match ether(number) {
                Some(name) => write!(f, "of {name}"),
                None => write!(f, "of Ethernet type 0x{number:04x}"),
            },
            Skipped::NotIp(NetworkLayer::Ppp(number)) => write!(f, "of PPP protocol 0x{number:04x}"),
            Skipped::NotTcp(Datagram::MqttSn) => f.write_str("of UDP (perhaps MQTT-SN)"),
            Skipped::NotTcp(Datagram::Quic) => f.write_str("of UDP (perhaps QUIC, which is not decoded)"),
            Skipped::NotTcp(Datagram::Udp) => f.write_str("of UDP"),
            Skipped::NotTcp(Datagram::Other(number)) => match ip(number) {
                Some(name) => write!(f, "of {name}"),
                None => write!(f, "of IP protocol {number}"),
            },
            Skipped::Fragment => f.write_str("of an incomplete IP packet"),
            Skipped::TooDeep => f.write_str("of too many nested packets"),
            Skipped::Malformed => f.write_str("truncated inside a header, or malformed"),
        }
    }
}

fn ether(number: u16) -> Option<&'static str> {
    Some(match number {
        0x0806 => "ARP",
        0x88cc => "LLDP",
        0x888e => "EAPOL (802.1X)",
        0x8863 => "PPPoE discovery",
        0x88e5 => "MACsec (encrypted)",
        0x88f7 => "PTP",
        0..=1500 => "LLC (802.3)",
        _ => return None,
    })
}

fn ip(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "ICMP",
        2 => "IGMP",
        47 => "GRE",
        50 => "ESP (encrypted by IPsec)",
        51 => "AH (IPsec)",
        58 => "ICMPv6",
        89 => "OSPF",
        103 => "PIM",
        112 => "VRRP",
        132 => "SCTP",
        _ => return None,
    })
}
