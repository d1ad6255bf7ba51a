//! Frames from a capture file: pcap and pcapng, as they are or compressed with gzip.
//!
//! Reading is a stream: a frame is given as soon as its bytes are there, from a file or a pipe. The formats are taken apart here rather
//! than by a crate, since what matters is not the fields, which are few, but where reading stops, waits and goes on, and which
//! offset an error names.

mod fields;
mod foreign;
mod input;
mod pcap;
mod pcapng;
mod secrets;
#[cfg(test)]
mod tests;

use super::Moment;
use fields::Endian;
pub use foreign::Kind;
use input::Input;
pub use secrets::secrets_of;
use std::io::{self, Read};
use std::ops::Range;

/// The largest block or record that is read. Nothing that was captured comes near.
const MAX_BLOCK: usize = 64 << 20;

/// What was captured of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its number and its time.
    pub at: Moment,
    /// The number of the link layer's type, as in the registry of tcpdump.org.
    pub link_type: u32,
    /// What was kept of it.
    pub bytes: &'a [u8],
    /// How long it was on the wire.
    pub original_length: u32,
}

/// Why a file cannot be read, or not any further. What came before it is good.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No capture at all.
    #[error("not a capture, but {}{kind}", if *.is_gzip { "gzip of " } else { "" })]
    Foreign {
        /// What it seems to be.
        kind: Kind,
        /// Whether it was compressed.
        is_gzip: bool,
    },
    /// A block that makes no sense.
    #[error("{what} at byte {offset}{}", if *.is_gzip { " of the decompressed capture" } else { "" })]
    Bad {
        /// What is wrong.
        what: String,
        /// Where the block starts.
        offset: u64,
        /// Whether the offset counts decompressed bytes.
        is_gzip: bool,
    },
}

/// A capture that ends inside a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the capture is cut off: it ends inside the block that starts at byte {offset}")]
pub struct Truncation {
    /// Where the block starts, after decompression.
    pub offset: u64,
}

/// Reads frames from a capture.
#[derive(Debug)]
pub struct Reader<R: Read> {
    input: Input<R>,
    format: Format,
    frames: u64,
    truncation: Option<Truncation>,
    /// Key logs that stood behind the last frame.
    last_secrets: Vec<u8>,
}

#[derive(Debug)]
enum Format {
    Unknown,
    Pcap(pcap::Header),
    Pcapng(pcapng::Section),
    Ended,
}

/// A packet at the front of the input, before anything is borrowed from there.
#[derive(Debug)]
struct Packet {
    /// How many bytes of the input it takes.
    size: usize,
    /// Which of them are the frame's.
    bytes: Range<usize>,
    time: Option<u64>,
    link_type: u32,
    original_length: u32,
}

/// Why there is no block.
#[derive(Debug)]
enum Stop {
    /// The input ended where a block could start.
    End,
    /// It ended elsewhere.
    Truncated,
    Bad(String),
    Io(io::Error),
}

impl<R: Read> Reader<R> {
    /// A reader of `source`. Nothing is read yet.
    pub fn new(source: R) -> Reader<R> {
        let (input, last_secrets) = (Input::new(source), Vec::new());
        Reader { input, format: Format::Unknown, frames: 0, truncation: None, last_secrets }
    }

    /// The next frame, or `None` at the end. After an error there is nothing more.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, ReadError> {
        let packet = match self.next_packet() {
            Ok(packet) => packet,
            Err(stop) => return self.stop(stop).map(|()| None),
        };
        self.frames += 1;
        let at = Moment { frame: self.frames, time: packet.time };
        let bytes = self.input.take(packet.size).get(packet.bytes).unwrap_or_default();
        let (link_type, original_length) = (packet.link_type, packet.original_length);
        Ok(Some(Frame { at, link_type, bytes, original_length }))
    }

    /// Key logs of TLS that stood in the capture since they were asked for last (pcapng's decryption secrets).
    pub fn take_secrets(&mut self) -> Vec<u8> {
        match &mut self.format {
            Format::Pcapng(section) => std::mem::take(&mut section.secrets),
            Format::Unknown | Format::Pcap(_) | Format::Ended => std::mem::take(&mut self.last_secrets),
        }
    }

    /// Whether the capture ended inside a block; known after its last frame.
    pub fn truncation(&self) -> Option<Truncation> {
        self.truncation
    }

    fn next_packet(&mut self) -> Result<Packet, Stop> {
        if matches!(self.format, Format::Unknown) {
            self.format = start(&mut self.input)?;
        }
        match &mut self.format {
            Format::Pcap(header) => header.next_packet(&mut self.input),
            Format::Pcapng(section) => section.next_packet(&mut self.input),
            Format::Unknown | Format::Ended => Err(Stop::End),
        }
    }

    /// What the end means for who reads.
    fn stop(&mut self, stop: Stop) -> Result<(), ReadError> {
        let is_started = !matches!(self.format, Format::Unknown);
        self.last_secrets = self.take_secrets();
        self.format = Format::Ended;
        let (offset, is_gzip) = (self.input.offset(), self.input.is_gzip());
        match stop {
            Stop::End if !is_started => {
                Err(ReadError::Foreign { kind: foreign::kind(self.input.peek()), is_gzip })
            }
            Stop::End if !self.input.is_cut() => Ok(()),
            Stop::End | Stop::Truncated => {
                self.truncation = Some(Truncation { offset });
                Ok(())
            }
            Stop::Bad(what) => Err(ReadError::Bad { what, offset, is_gzip }),
            Stop::Io(error) if is_gzip && error.kind() == io::ErrorKind::InvalidInput => {
                Err(ReadError::Bad { what: format!("damaged gzip data ({error})"), offset, is_gzip })
            }
            Stop::Io(error) => Err(ReadError::Io(error)),
        }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

impl Stop {
    /// The input ended: where a block could start, or after some bytes of one.
    fn at_end(available: usize) -> Stop {
        match available {
            0 => Stop::End,
            _ => Stop::Truncated,
        }
    }
}

/// Tells the format by its first bytes, and reads what stands before the first packet of a pcap file. `Stop::End` when it is none of ours.
fn start<R: Read>(input: &mut Input<R>) -> Result<Format, Stop> {
    let is_long_enough = input.fill(4)?;
    let magic = input.peek().first_chunk::<4>().copied().filter(|_| is_long_enough);
    let header = match magic {
        Some(pcapng::SECTION_MAGIC) => return Ok(Format::Pcapng(pcapng::Section::default())),
        Some([0xa1, 0xb2, 0xc3, 0xd4]) => pcap::Layout::micros(Endian::Big),
        Some([0xd4, 0xc3, 0xb2, 0xa1]) => pcap::Layout::micros(Endian::Little),
        Some([0xa1, 0xb2, 0x3c, 0x4d]) => pcap::Layout::nanos(Endian::Big),
        Some([0x4d, 0x3c, 0xb2, 0xa1]) => pcap::Layout::nanos(Endian::Little),
        Some([0xa1, 0xb2, 0xcd, 0x34]) => pcap::Layout::patched(Endian::Big),
        Some([0x34, 0xcd, 0xb2, 0xa1]) => pcap::Layout::patched(Endian::Little),
        _ => return Err(Stop::End),
    };
    pcap::Header::read(header, input).map(Format::Pcap)
}
