//! A TCP segment or a UDP datagram in an IP packet, with valid checksums.

use etherparse::{IpNumber, Ipv4Header, Ipv6FlowLabel, Ipv6Header, TcpHeader, UdpHeader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The advertised window: the maximum.
const WINDOW: u16 = u16::MAX;

const TIME_TO_LIVE: u8 = 64;

/// The addresses and numbers of a segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct SegmentHeader {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) sequence: u32,
    pub(super) acknowledgment: u32,
    pub(super) flags: SegmentFlags,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct SegmentFlags {
    pub(super) is_syn: bool,
    pub(super) is_fin: bool,
    pub(super) is_reset: bool,
    pub(super) is_push: bool,
    pub(super) has_acknowledgment: bool,
}

impl Default for SegmentFlags {
    /// An acknowledgement, as in all segments but the first.
    fn default() -> SegmentFlags {
        SegmentFlags {
            is_syn: false,
            is_fin: false,
            is_reset: false,
            is_push: false,
            has_acknowledgment: true,
        }
    }
}

impl SegmentHeader {
    /// The complete IP packet. If a proxy mixes IP versions, both addresses are written as IPv6.
    pub(super) fn packet(&self, bytes: &[u8]) -> Vec<u8> {
        match (self.source.ip(), self.destination.ip()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => self.in_v4(source, destination, bytes),
            (source, destination) => self.in_v6(as_v6(source), as_v6(destination), bytes),
        }
    }

    fn in_v4(&self, source: Ipv4Addr, destination: Ipv4Addr, bytes: &[u8]) -> Vec<u8> {
        let mut tcp = self.tcp();
        let size = payload_size(&tcp, bytes);
        let (source, destination) = (source.octets(), destination.octets());
        let ip = Ipv4Header::new(size, TIME_TO_LIVE, IpNumber::TCP, source, destination);
        let mut ip = ip.unwrap_or_default();
        ip.header_checksum = ip.calc_header_checksum();
        tcp.checksum = tcp.calc_checksum_ipv4(&ip, bytes).unwrap_or(0);
        [&ip.to_bytes()[..], &tcp.to_bytes()[..], bytes].concat()
    }

    fn in_v6(&self, source: Ipv6Addr, destination: Ipv6Addr, bytes: &[u8]) -> Vec<u8> {
        let mut tcp = self.tcp();
        let ip = Ipv6Header {
            traffic_class: 0,
            flow_label: Ipv6FlowLabel::ZERO,
            payload_length: payload_size(&tcp, bytes),
            next_header: IpNumber::TCP,
            hop_limit: TIME_TO_LIVE,
            source: source.octets(),
            destination: destination.octets(),
        };
        tcp.checksum = tcp.calc_checksum_ipv6(&ip, bytes).unwrap_or(0);
        [&ip.to_bytes()[..], &tcp.to_bytes()[..], bytes].concat()
    }

    fn tcp(&self) -> TcpHeader {
        let mut tcp = TcpHeader::new(self.source.port(), self.destination.port(), self.sequence, WINDOW);
        tcp.syn = self.flags.is_syn;
        tcp.fin = self.flags.is_fin;
        tcp.rst = self.flags.is_reset;
        tcp.psh = self.flags.is_push;
        tcp.ack = self.flags.has_acknowledgment;
        tcp.acknowledgment_number = if tcp.ack { self.acknowledgment } else { 0 };
        tcp
    }
}

/// A UDP datagram in an IP packet.
pub(super) fn datagram(source: SocketAddr, destination: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let (from, to) = (source.ip(), destination.ip());
    let ports = (source.port(), destination.port());
    let size = u16::try_from(UdpHeader::LEN + bytes.len()).unwrap_or(u16::MAX);
    if let (IpAddr::V4(from), IpAddr::V4(to)) = (from, to) {
        let (from, to) = (from.octets(), to.octets());
        let mut ip = Ipv4Header::new(size, TIME_TO_LIVE, IpNumber::UDP, from, to).unwrap_or_default();
        ip.header_checksum = ip.calc_header_checksum();
        let udp = UdpHeader::with_ipv4_checksum(ports.0, ports.1, &ip, bytes).unwrap_or_default();
        return [&ip.to_bytes()[..], &udp.to_bytes()[..], bytes].concat();
    }
    let ip = Ipv6Header {
        traffic_class: 0,
        flow_label: Ipv6FlowLabel::ZERO,
        payload_length: size,
        next_header: IpNumber::UDP,
        hop_limit: TIME_TO_LIVE,
        source: as_v6(from).octets(),
        destination: as_v6(to).octets(),
    };
    let udp = UdpHeader::with_ipv6_checksum(ports.0, ports.1, &ip, bytes).unwrap_or_default();
    [&ip.to_bytes()[..], &udp.to_bytes()[..], bytes].concat()
}

/// The length for IP, which no synthesised segment exceeds.
fn payload_size(tcp: &TcpHeader, bytes: &[u8]) -> u16 {
    u16::try_from(tcp.header_len() + bytes.len()).unwrap_or(u16::MAX)
}

fn as_v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}
