//! IP, TCP and UDP: extracts a TCP segment or a UDP datagram from a frame, reassembling fragments if necessary.
//!
//! Checksums are not verified: if the network card computes them, frames captured on the sender have wrong ones.

use super::fragments::{Fragment, Fragments};
use super::reader::Frame;
use super::skipped::{Datagram, Skipped};
use super::{link, tunnel};
use etherparse::{Ipv6ExtensionSlice, LaxIpSlice, LenSource};
use std::net::{IpAddr, SocketAddr};

/// A TCP segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment<'a> {
    /// The sender's address.
    pub source: SocketAddr,
    /// The receiver's address.
    pub destination: SocketAddr,
    /// The sequence number of its first byte.
    pub sequence: u32,
    /// The sequence number of the next byte that the sender expects.
    pub acknowledgment: Option<u32>,
    /// SYN is set.
    pub is_syn: bool,
    /// FIN is set.
    pub is_fin: bool,
    /// RST is set.
    pub is_reset: bool,
    /// The captured part of the payload.
    pub bytes: &'a [u8],
    /// The number of payload bytes that were not captured.
    pub missing: usize,
}

/// A UDP datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UdpDatagram<'a> {
    /// The sender's address.
    pub source: SocketAddr,
    /// The receiver's address.
    pub destination: SocketAddr,
    /// The captured part of the payload.
    pub bytes: &'a [u8],
    /// The number of payload bytes that were not captured.
    pub missing: usize,
}

/// A frame without a TCP segment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NoSegment<'a> {
    /// A datagram, and the likely protocol.
    Datagram(UdpDatagram<'a>, Datagram),
    /// Nothing readable.
    Skipped(Skipped),
}

impl From<Skipped> for NoSegment<'_> {
    fn from(skipped: Skipped) -> Self {
        NoSegment::Skipped(skipped)
    }
}

/// The deepest nesting of IP packets that is followed.
const MAX_DEPTH: usize = 8;

/// Extracts segments from frames.
#[derive(Debug, Default)]
pub(crate) struct Network {
    fragments: Fragments,
    /// The payload of a reassembled packet.
    whole: Vec<u8>,
}

/// An IP packet's payload.
struct IpPayload<'a> {
    protocol: u8,
    source: IpAddr,
    destination: IpAddr,
    bytes: &'a [u8],
    missing: usize,
}

/// The innermost packet.
enum Innermost<'a> {
    IpPayload(IpPayload<'a>),
    /// A fragment, and the protocol of the whole packet.
    Fragment(Fragment<'a>, u8),
}

impl Network {
    /// The segment in `frame`, or its datagram, or the reason for skipping it.
    pub(crate) fn segment<'a>(&'a mut self, frame: &Frame<'a>) -> Result<Segment<'a>, NoSegment<'a>> {
        let packet = link::ip_packet(frame)?;
        let cut_off = (frame.original_length as usize).saturating_sub(frame.bytes.len());
        let (fragment, protocol) = match unwrap(read(packet, cut_off)?)? {
            Innermost::IpPayload(payload) => return Ok(segment(&payload)?),
            Innermost::Fragment(fragment, protocol) => (fragment, protocol),
        };
        let (source, destination) = (fragment.source, fragment.destination);
        self.whole = self.fragments.add(frame.at, &fragment).ok_or(Skipped::Fragment)?;
        let whole = IpPayload { protocol, source, destination, bytes: &self.whole, missing: 0 };
        match unwrap(Innermost::IpPayload(whole))? {
            Innermost::IpPayload(payload) => Ok(segment(&payload)?),
            // Fragments inside a reassembled packet.
            Innermost::Fragment(..) => Err(Skipped::Malformed.into()),
        }
    }

    /// The number of fragmented packets that stayed incomplete.
    pub(crate) fn incomplete_packets(&self) -> u64 {
        self.fragments.incomplete()
    }
}

/// Unwraps nested packets until one is TCP or a fragment.
#[inline]
fn unwrap(outer: Innermost<'_>) -> Result<Innermost<'_>, NoSegment<'_>> {
    let mut innermost = outer;
    for _ in 0..MAX_DEPTH {
        innermost = match innermost {
            Innermost::IpPayload(payload) if payload.protocol != tunnel::TCP => {
                let inner = tunnel::inner(payload.protocol, payload.bytes);
                read(inner.map_err(|skipped| without_segment(&payload, skipped))?, payload.missing)?
            }
            found => return Ok(found),
        };
    }
    Err(Skipped::TooDeep.into())
}

/// The datagram in a payload that is not a tunnel.
#[cold]
fn without_segment<'a>(ip: &IpPayload<'a>, skipped: Skipped) -> NoSegment<'a> {
    match skipped {
        Skipped::NotTcp(kind) if ip.protocol == tunnel::UDP => match datagram(ip) {
            Some(datagram) => NoSegment::Datagram(datagram, kind),
            None => Skipped::Malformed.into(),
        },
        skipped => skipped.into(),
    }
}

/// Parses the UDP header.
fn datagram<'a>(ip: &IpPayload<'a>) -> Option<UdpDatagram<'a>> {
    let (&[s0, s1, d0, d1, l0, l1, _, _], rest) = ip.bytes.split_first_chunk::<8>()?;
    let available = rest.len() + ip.missing;
    // A length of 0 is that of a datagram captured before the network card segmented it.
    let stated = usize::from(u16::from_be_bytes([l0, l1])).checked_sub(8);
    let length = stated.filter(|stated| *stated <= available).unwrap_or(available);
    let bytes = rest.get(..length).unwrap_or(rest);
    Some(UdpDatagram {
        source: SocketAddr::new(ip.source, u16::from_be_bytes([s0, s1])),
        destination: SocketAddr::new(ip.destination, u16::from_be_bytes([d0, d1])),
        bytes,
        missing: length - bytes.len(),
    })
}

/// Reads an IP packet; `cut_off` is the number of bytes of the enclosing packet that were not captured.
#[inline]
fn read(packet: &[u8], cut_off: usize) -> Result<Innermost<'_>, Skipped> {
    let (ip, _) = LaxIpSlice::from_slice(packet).map_err(|_| Skipped::Malformed)?;
    let protocol = ip.payload_ip_number().0;
    let missing = missing(&ip, packet.len(), cut_off);
    if ip.is_fragmenting_payload() {
        let fragment = fragment(ip).filter(|_| missing == 0).ok_or(Skipped::Malformed)?;
        return Ok(Innermost::Fragment(fragment, protocol));
    }
    let (source, destination) = (ip.source_addr(), ip.destination_addr());
    Ok(Innermost::IpPayload(IpPayload { protocol, source, destination, bytes: ip_payload(ip), missing }))
}

/// The payload, with the lifetime of the packet that it is in.
fn ip_payload<'a>(ip: LaxIpSlice<'a>) -> &'a [u8] {
    match ip {
        LaxIpSlice::Ipv4(ip) => ip.payload().payload,
        LaxIpSlice::Ipv6(ip) => ip.payload().payload,
    }
}

/// The number of packet bytes that were not captured. If the packet's length field is 0, because the packet was captured before
/// the network card segmented it, that is the frame's number, `cut_off`.
fn missing(ip: &LaxIpSlice<'_>, captured: usize, cut_off: usize) -> usize {
    let length = match ip {
        LaxIpSlice::Ipv4(ip) => ip.header().total_len().into(),
        LaxIpSlice::Ipv6(ip) => 40 + usize::from(ip.header().payload_length()),
    };
    match (ip.payload().incomplete, ip.payload().len_source) {
        (true, _) => length.saturating_sub(captured),
        (false, LenSource::Slice) => cut_off,
        (false, _) => 0,
    }
}

fn fragment(ip: LaxIpSlice<'_>) -> Option<Fragment<'_>> {
    let (identification, offset, has_more) = match &ip {
        LaxIpSlice::Ipv4(ip) => {
            let header = ip.header();
            (header.identification().into(), header.fragments_offset(), header.more_fragments())
        }
        LaxIpSlice::Ipv6(ip) => ip.extensions().clone().into_iter().find_map(|header| match header {
            Ipv6ExtensionSlice::Fragment(header) => {
                Some((header.identification(), header.fragment_offset(), header.more_fragments()))
            }
            _ => None,
        })?,
    };
    Some(Fragment {
        source: ip.source_addr(),
        destination: ip.destination_addr(),
        identification,
        offset: usize::from(offset.value()) * 8,
        has_more,
        bytes: ip_payload(ip),
    })
}

/// Parses the TCP header.
fn segment<'a>(ip: &IpPayload<'a>) -> Result<Segment<'a>, Skipped> {
    let Some((header, rest)) = ip.bytes.split_first_chunk::<20>() else { return Err(Skipped::Malformed) };
    let [s0, s1, d0, d1, n0, n1, n2, n3, a0, a1, a2, a3, offset, flags, ..] = *header;
    // A header without options has five words.
    let Some(options) = usize::from(offset >> 4).checked_sub(5).map(|words| words * 4) else {
        return Err(Skipped::Malformed);
    };
    let missing = (ip.missing + rest.len()).saturating_sub(options);
    let bytes = rest.get(options..).unwrap_or_default();
    Ok(Segment {
        source: SocketAddr::new(ip.source, u16::from_be_bytes([s0, s1])),
        destination: SocketAddr::new(ip.destination, u16::from_be_bytes([d0, d1])),
        sequence: u32::from_be_bytes([n0, n1, n2, n3]),
        acknowledgment: (flags & 0x10 != 0).then_some(u32::from_be_bytes([a0, a1, a2, a3])),
        is_syn: flags & 0x02 != 0,
        is_fin: flags & 0x01 != 0,
        is_reset: flags & 0x04 != 0,
        bytes,
        missing: missing - bytes.len().min(missing),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Moment;
    use super::super::skipped::NetworkLayer;
    use super::*;

    const PAYLOAD: &[u8] = b"0123456789abcdefghij";

    /// A TCP segment of `PAYLOAD` from port 5 to port 1883, with options if `words` is over 5.
    fn tcp(words: u8) -> Vec<u8> {
        let mut bytes = vec![0, 5, 0x07, 0x5b, 0, 0, 0, 9, 0, 0, 0, 8, words << 4, 0x18, 1, 1, 0, 0, 0, 0];
        bytes.resize(usize::from(words) * 4, 1);
        [&bytes, PAYLOAD].concat()
    }

    fn ipv4(fragment: u16, options: &[u8], body: &[u8]) -> Vec<u8> {
        let words = 5 + options.len() as u8 / 4;
        let length = (usize::from(words) * 4 + body.len()) as u16;
        let mut bytes = vec![0x40 | words, 0];
        bytes.extend(length.to_be_bytes());
        bytes.extend([0, 7]);
        bytes.extend(fragment.to_be_bytes());
        bytes.extend([64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        [&bytes, options, body].concat()
    }

    fn ipv6(next_header: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x60, 0, 0, 0];
        bytes.extend((body.len() as u16).to_be_bytes());
        bytes.extend([next_header, 64]);
        bytes.extend([0xfd; 32]);
        [&bytes, body].concat()
    }

    fn in_ethernet(tags: &[u8], packet: &[u8]) -> Vec<u8> {
        let protocol = if packet[0] >> 4 == 4 { [8, 0] } else { [0x86, 0xdd] };
        [&[0; 12], tags, &protocol, packet].concat()
    }

    fn frame(link_type: u32, bytes: &[u8]) -> Frame<'_> {
        Frame { at: Moment::default(), link_type, bytes, original_length: bytes.len() as u32 }
    }

    /// The ports, the payload and the number of missing bytes.
    fn segment_of(network: &mut Network, frame: &Frame<'_>) -> Result<(u16, u16, Vec<u8>, usize), Skipped> {
        let segment = network.segment(frame).map_err(reason)?;
        assert_eq!((segment.sequence, segment.acknowledgment), (9, Some(8)));
        let ports = (segment.source.port(), segment.destination.port());
        Ok((ports.0, ports.1, segment.bytes.to_vec(), segment.missing))
    }

    /// The kind of frame, as it is counted.
    fn reason(no_segment: NoSegment<'_>) -> Skipped {
        match no_segment {
            NoSegment::Datagram(_, kind) => Skipped::NotTcp(kind),
            NoSegment::Skipped(skipped) => skipped,
        }
    }

    fn check(link_type: u32, bytes: &[u8]) {
        let found = segment_of(&mut Network::default(), &frame(link_type, bytes));
        assert_eq!(found, Ok((5, 1883, PAYLOAD.to_vec(), 0)), "{link_type} {bytes:02x?}");
    }

    #[test]
    fn a_segment_is_found_in_every_link_layer() {
        for packet in [ipv4(0, b"", &tcp(5)), ipv6(6, &tcp(5))] {
            let protocol = if packet[0] >> 4 == 4 { [8, 0] } else { [0x86, 0xdd] };
            check(1, &in_ethernet(b"", &packet));
            check(1, &in_ethernet(&[0x81, 0, 0, 5], &packet));
            check(1, &in_ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x81, 0, 0, 7], &packet));
            for raw in [101, 12, 14, 228, 229] {
                check(raw, &packet);
            }
            for family in [[2, 0, 0, 0], [0, 0, 0, 30]] {
                check(0, &[&family, &packet[..]].concat());
                check(108, &[&family, &packet[..]].concat());
            }
            check(113, &[&[0; 14][..], &protocol, &packet].concat());
            check(276, &[&protocol, &[0; 18][..], &packet].concat());
        }
    }

    /// The body in an IPv4 packet with this protocol.
    fn in_ip(protocol: u8, body: &[u8]) -> Vec<u8> {
        let mut packet = ipv4(0, b"", body);
        packet[9] = protocol;
        packet
    }

    fn in_udp(port: u16, body: &[u8]) -> Vec<u8> {
        let length = (8 + body.len()) as u16;
        let header = [[5, 5], port.to_be_bytes(), length.to_be_bytes(), [0, 0]].concat();
        in_ip(17, &[&header, body].concat())
    }

    #[test]
    fn a_segment_is_found_inside_other_packets() {
        let inner = ipv4(0, b"", &tcp(5));
        let ethernet = in_ethernet(b"", &inner);
        for (link_type, frame) in [
            (101, in_ip(4, &inner)),
            (101, in_ip(41, &ipv6(6, &tcp(5)))),
            (101, in_ip(47, &[&[0, 0, 8, 0][..], &inner].concat())),
            (101, in_ip(47, &[&[0xb0, 0, 0x65, 0x58][..], &[0; 12], &ethernet].concat())),
            (
                101,
                in_ip(47, &[&[0x30, 0x81, 0x88, 0x0b][..], &[0; 12], &[0xff, 3, 0, 0x21], &inner].concat()),
            ),
            (101, in_ip(47, &[&[0x10, 0, 0x88, 0xbe][..], &[0; 12], &ethernet].concat())),
            (101, in_udp(4789, &[&[8, 0, 0, 0, 0, 0, 7, 0][..], &ethernet].concat())),
            (101, in_udp(4789, &[&[0x0c, 0, 0, 3, 0, 0, 7, 0][..], &ethernet].concat())),
            (101, in_udp(4789, &[&[0x0c, 0, 0, 1, 0, 0, 7, 0][..], &inner].concat())),
            (101, in_udp(6081, &[&[1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 1, 1, 1][..], &ethernet].concat())),
            (
                101,
                in_ip(
                    4,
                    &in_udp(
                        8472,
                        &[&[8, 0, 0, 0, 0, 0, 7, 0][..], &in_ethernet(b"", &in_ip(4, &inner))].concat(),
                    ),
                ),
            ),
            (1, [&[0; 12], &[0x88, 0x64, 0x11, 0, 0, 5, 0, 0, 0, 0x21][..], &inner].concat()),
            (1, [&[0; 12], &[0x88, 0x47, 0, 0, 0x10, 64, 0, 0, 0x21, 64][..], &inner].concat()),
            (1, [&[0; 12], &[0x88, 0x47, 0, 0, 0x11, 64, 0, 0, 0, 0][..], &ethernet].concat()),
            (1, [&[0; 12], &[0, 100, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..], &inner].concat()),
            (9, [&[0xff, 3, 0, 0x21][..], &inner].concat()),
            (9, [&[0x21][..], &inner].concat()),
            (50, [&[0xff, 3, 0, 0x57][..], &ipv6(6, &tcp(5))].concat()),
            (50, [&[0x0f, 0, 8, 0][..], &inner].concat()),
            (104, [&[0x8f, 0, 8, 0][..], &inner].concat()),
            (51, [&[0x11, 0, 0, 5, 0, 0, 0, 0x21][..], &inner].concat()),
            (239, [&[2, 0, 0, 5, 5, 0, 10, 0, b'x', 0, 0, 0, 84, 0, 9, 0][..], &inner].concat()),
            (239, [&[2, 0, 0, 5, 0, 84, 0, 9][..], &inner].concat()),
        ] {
            check(link_type, &frame);
        }
    }

    #[test]
    fn truncated_inner_packets_are_missing() {
        let vxlan = in_udp(
            4789,
            &[&[8, 0, 0, 0, 0, 0, 7, 0][..], &in_ethernet(b"", &ipv4(0, b"", &tcp(5)))].concat(),
        );
        let short = Frame { bytes: &vxlan[..vxlan.len() - 6], ..frame(101, &vxlan) };
        let expected = (5, 1883, PAYLOAD[..14].to_vec(), 6);
        assert_eq!(segment_of(&mut Network::default(), &short), Ok(expected));
    }

    #[test]
    fn reassembled_fragments_may_hold_another_packet() {
        let packet = |more: u16, part: &[u8]| {
            let mut packet = ipv4(more, b"", part);
            packet[9] = 4;
            packet
        };
        let mut network = Network::default();
        let first = packet(0x2000, &ipv4(0, b"", &tcp(5))[..32]);
        assert_eq!(segment_of(&mut network, &frame(101, &first)), Err(Skipped::Fragment));
        let second = packet(4, &ipv4(0, b"", &tcp(5))[32..]);
        let found = segment_of(&mut network, &frame(101, &second));
        assert_eq!(found, Ok((5, 1883, PAYLOAD.to_vec(), 0)));
    }

    #[test]
    fn datagrams_are_looked_at() {
        let kind =
            |port, body: &[u8]| segment_of(&mut Network::default(), &frame(101, &in_udp(port, body))).err();
        let quic = [0xc3, 0, 0, 0, 1, 8, 1, 2, 3];
        assert_eq!(kind(10_000, &[4, 4, 1, 0]), Some(Skipped::NotTcp(Datagram::MqttSn)));
        assert_eq!(kind(10_000, &[5, 4, 1, 0]), Some(Skipped::NotTcp(Datagram::Udp)));
        assert_eq!(kind(9999, &quic), Some(Skipped::NotTcp(Datagram::Quic)));
        assert_eq!(kind(14_567, &[0x41, 9, 9]), Some(Skipped::NotTcp(Datagram::Quic)));
        assert_eq!(kind(4789, b"no VXLAN"), Some(Skipped::NotTcp(Datagram::Udp)));
    }

    #[test]
    fn options_and_extension_headers_are_passed_over_and_padding_is_cut_off() {
        check(101, &ipv4(0, &[1; 8], &tcp(8)));
        check(101, &[&ipv4(0, b"", &tcp(15))[..], b"padding"].concat());
        let options = [60, 0, 1, 4, 0, 0, 0, 0, 6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        check(101, &[ipv6(0, &[&options[..], &tcp(6)].concat()), b"padding".to_vec()].concat());
    }

    #[test]
    fn truncated_segments_are_missing() {
        let mut network = Network::default();
        for packet in [ipv4(0, b"", &tcp(8)), ipv6(6, &tcp(8))] {
            for cut in 0..PAYLOAD.len() + 12 {
                let whole = frame(101, &packet);
                let short = Frame { bytes: &packet[..packet.len() - cut], ..whole };
                let there = PAYLOAD.len().saturating_sub(cut);
                let expected = (5, 1883, PAYLOAD[..there].to_vec(), PAYLOAD.len() - there);
                assert_eq!(segment_of(&mut network, &short), Ok(expected), "{cut}");
            }
        }
    }

    #[test]
    fn a_packet_without_a_length_reaches_to_the_end_of_the_frame() {
        let mut packet = ipv4(0, b"", &tcp(5));
        packet[2..4].fill(0);
        check(101, &packet);
        let cut = Frame { original_length: packet.len() as u32 + 9, ..frame(101, &packet) };
        assert_eq!(segment_of(&mut Network::default(), &cut), Ok((5, 1883, PAYLOAD.to_vec(), 9)));
    }

    /// The packet's fragments, one for each range in `cuts`.
    fn fragments_v4(body: &[u8], cuts: &[(usize, usize)]) -> Vec<Vec<u8>> {
        let more = |end| if end < body.len() { 0x2000 } else { 0 };
        cuts.iter()
            .map(|(start, end)| ipv4((*start as u16 / 8) | more(*end), b"", &body[*start..*end]))
            .collect()
    }

    fn fragments_v6(body: &[u8], cuts: &[(usize, usize)]) -> Vec<Vec<u8>> {
        let head = |start: usize, end: usize| {
            let offset = start as u16 | u16::from(end < body.len());
            [&[6, 0], &offset.to_be_bytes()[..], &[0, 0, 0, 3]].concat()
        };
        cuts.iter()
            .map(|(start, end)| ipv6(44, &[&head(*start, *end), &body[*start..*end]].concat()))
            .collect()
    }

    #[test]
    fn fragments_in_any_order_are_put_together() {
        let body = tcp(5);
        for cuts in [&[(0, 16), (16, 32), (32, 40)][..], &[(32, 40), (0, 24), (16, 32)], &[(0, 40)]] {
            for packets in [fragments_v4(&body, cuts), fragments_v6(&body, cuts)] {
                let mut network = Network::default();
                let (last, first) = packets.split_last().unwrap();
                for packet in first {
                    assert_eq!(segment_of(&mut network, &frame(101, packet)), Err(Skipped::Fragment));
                }
                let found = segment_of(&mut network, &frame(101, last));
                assert_eq!(found, Ok((5, 1883, PAYLOAD.to_vec(), 0)));
                assert_eq!(network.incomplete_packets(), 0);
            }
        }
    }

    #[test]
    fn where_fragments_overlap_the_first_one_counts() {
        let body = tcp(5);
        let mut other = body.clone();
        other[24..].fill(b'!');
        let mut network = Network::default();
        let first = &fragments_v4(&body, &[(16, 32)])[0];
        let later = fragments_v4(&other, &[(0, 24), (24, 40)]);
        for packet in [first, &later[0]] {
            assert_eq!(segment_of(&mut network, &frame(101, packet)), Err(Skipped::Fragment));
        }
        let (_, _, bytes, _) = segment_of(&mut network, &frame(101, &later[1])).unwrap();
        assert_eq!(bytes, b"0123456789ab!!!!!!!!");
    }

    #[test]
    fn fragments_wait_within_bounds() {
        let mut network = Network::default();
        for number in 0..1000_u16 {
            let mut packet = ipv4(0x2000 | 8000, b"", &[0; 8]);
            packet[4..6].copy_from_slice(&number.to_be_bytes());
            assert_eq!(segment_of(&mut network, &frame(101, &packet)), Err(Skipped::Fragment));
            assert!(network.fragments.cost() <= 4 << 20);
        }
        assert_eq!(network.incomplete_packets(), 1000);

        let body = tcp(5);
        let packets = fragments_v4(&body, &[(0, 16), (16, 40)]);
        let mut network = Network::default();
        let at = |seconds: u64| Moment { frame: 1, time: Some(seconds * 1_000_000_000) };
        let [first, second] = [(&packets[0], 10), (&packets[1], 41)].map(|(packet, seconds)| {
            network.segment(&Frame { at: at(seconds), ..frame(101, packet) }).err().map(reason)
        });
        assert_eq!((first, second), (Some(Skipped::Fragment), Some(Skipped::Fragment)), "too old");
    }

    #[test]
    fn protocols_other_than_tcp_are_reported() {
        let mut network = Network::default();
        let mut udp = ipv4(0, b"", &tcp(5));
        udp[9] = 17;
        let nested = (0..20).fold(tcp(5), |body, _| in_ip(4, &body));
        let mut bad_offset = ipv4(0, b"", &tcp(5));
        bad_offset[32] = 0x40;
        for (link_type, bytes, skipped) in [
            (1, [&[0; 12], &[8, 6][..], &[0; 28]].concat(), Skipped::NotIp(NetworkLayer::Ether(0x0806))),
            (9, vec![0xc0, 0x21, 1, 1, 0, 4], Skipped::NotIp(NetworkLayer::Ppp(0xc021))),
            (101, udp, Skipped::NotTcp(Datagram::Udp)),
            (101, nested, Skipped::TooDeep),
            (147, vec![0; 60], Skipped::LinkType(147)),
            (1, vec![0; 13], Skipped::Malformed),
            (1, [&[0; 12], &[0x81, 0, 0][..]].concat(), Skipped::Malformed),
            (276, vec![8; 19], Skipped::Malformed),
            (101, vec![], Skipped::Malformed),
            (101, vec![0x45; 19], Skipped::Malformed),
            (101, vec![0x95; 60], Skipped::Malformed),
            (101, bad_offset, Skipped::Malformed),
        ] {
            assert_eq!(segment_of(&mut network, &frame(link_type, &bytes)), Err(skipped));
        }
    }
}
