//! IP and TCP: from a frame to a TCP segment, put together from fragments where it came in some.
//!
//! Checksums are not looked at: where the network card computes them, what is captured on the sender's side has wrong ones.

use super::Moment;
use super::fragments::{Fragment, Fragments};
use super::link;
use super::reader::Frame;
use etherparse::{IpNumber, Ipv6ExtensionSlice, LaxIpSlice, LenSource};
use std::net::{IpAddr, SocketAddr};

/// A TCP segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Who sent it.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// The number of its first byte.
    pub sequence: u32,
    /// The number of the next byte that the sender expects.
    pub acknowledgment: Option<u32>,
    /// It opens a connection.
    pub is_syn: bool,
    /// It is the sender's last one.
    pub is_fin: bool,
    /// It breaks the connection.
    pub is_reset: bool,
    /// What it carries.
    pub bytes: &'a [u8],
    /// How many bytes more it carried than were captured.
    pub missing: usize,
}

/// Why there is no segment in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// No link layer that is known here.
    LinkType(u32),
    /// Another network layer.
    NotIp,
    /// IP, with something else in it.
    NotTcp,
    /// A fragment, and others are still to come.
    Fragment,
    /// Cut off inside a header, or with a length that cannot be.
    Malformed,
}

/// Finds segments in frames.
#[derive(Debug, Default)]
pub struct Network {
    fragments: Fragments,
    /// A packet that came in fragments.
    whole: Vec<u8>,
}

/// An IP packet's payload.
struct Payload<'a> {
    source: IpAddr,
    destination: IpAddr,
    bytes: &'a [u8],
    missing: usize,
}

impl Network {
    /// The segment in `frame`, or why there is none.
    pub fn segment<'a>(&'a mut self, frame: &Frame<'a>) -> Result<Segment<'a>, Skipped> {
        let packet = link::ip_packet(frame)?;
        let cut_off = (frame.original_length as usize).saturating_sub(frame.bytes.len());
        let (ip, _) = LaxIpSlice::from_slice(packet).map_err(|_| Skipped::Malformed)?;
        if ip.payload_ip_number() != IpNumber::TCP {
            return Err(Skipped::NotTcp);
        }
        let (source, destination) = (ip.source_addr(), ip.destination_addr());
        let missing = missing(&ip, packet.len(), cut_off);
        let bytes = match ip.is_fragmenting_payload() {
            false => ip_payload(ip),
            true => self.whole_payload(frame.at, &ip, missing)?,
        };
        segment(&Payload { source, destination, bytes, missing })
    }

    /// How many packets in fragments stayed incomplete.
    pub fn incomplete_packets(&self) -> u64 {
        self.fragments.incomplete()
    }

    fn whole_payload(&mut self, at: Moment, ip: &LaxIpSlice<'_>, missing: usize) -> Result<&[u8], Skipped> {
        let fragment = fragment(ip).filter(|_| missing == 0).ok_or(Skipped::Malformed)?;
        self.whole = self.fragments.add(at, &fragment).ok_or(Skipped::Fragment)?;
        Ok(&self.whole)
    }
}

/// The payload, with the lifetime of the packet that it is in.
fn ip_payload<'a>(ip: LaxIpSlice<'a>) -> &'a [u8] {
    match ip {
        LaxIpSlice::Ipv4(ip) => ip.payload().payload,
        LaxIpSlice::Ipv6(ip) => ip.payload().payload,
    }
}

/// How many bytes of the packet were not captured. `cut_off` is how many of the frame were not, which counts where the packet does not
/// say its length: it was captured before the network card divided it.
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

fn fragment<'a>(ip: &'a LaxIpSlice<'_>) -> Option<Fragment<'a>> {
    let (identification, offset, has_more) = match ip {
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
        bytes: ip.payload().payload,
    })
}

/// Takes the TCP header off.
fn segment<'a>(ip: &Payload<'a>) -> Result<Segment<'a>, Skipped> {
    let Some((header, rest)) = ip.bytes.split_first_chunk::<20>() else { return Err(Skipped::Malformed) };
    let [s0, s1, d0, d1, n0, n1, n2, n3, a0, a1, a2, a3, offset, flags, ..] = *header;
    // Five words are the header without options.
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
