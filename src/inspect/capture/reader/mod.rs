//! Reads frames from a capture file: pcap and pcapng, plain or compressed with gzip.
//!
//! Reading is streamed: a frame is returned as soon as its bytes are available, from a file or a pipe. The formats are parsed
//! here rather than by a crate: the fields are few, but the code needs control over waiting, resuming and the offsets in errors.

mod fields;
mod file_type;
mod input;
mod pcap;
mod pcapng;
mod secrets;
#[cfg(test)]
mod tests;

use super::Moment;
use fields::Endian;
pub use file_type::FileType;
use input::Input;
pub use secrets::secrets_of;
use std::io::{self, Read};
use std::ops::Range;

/// The largest block or record that is read, far above any captured packet.
const MAX_BLOCK: usize = 64 << 20;

/// The captured part of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The frame's number and time.
    pub at: Moment,
    /// The link type, as in the registry of tcpdump.org.
    pub link_type: u32,
    /// The captured bytes.
    pub bytes: &'a [u8],
    /// The packet's length on the wire.
    pub original_length: u32,
}

/// The reason why a file cannot be read, or read any further. The frames before it are valid.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Not a capture file.
    #[error("not a capture, but {}{kind}", if *.is_gzip { "gzip of " } else { "" })]
    NotACapture {
        /// The likely file type.
        kind: FileType,
        /// Whether it was compressed.
        is_gzip: bool,
    },
    /// An invalid block.
    #[error("{fault} at byte {offset}{}", if *.is_gzip { " of the decompressed capture" } else { "" })]
    Bad {
        /// The fault.
        fault: String,
        /// Offset of the block.
        offset: u64,
        /// Whether the offset counts decompressed bytes.
        is_gzip: bool,
    },
}

/// A capture that ends inside a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("truncated capture: it ends inside the block that starts at byte {offset}")]
pub struct Truncation {
    /// Offset of the block, after decompression.
    pub offset: u64,
}

/// Reads frames from a capture.
#[derive(Debug)]
pub struct Reader<R: Read> {
    input: Input<R>,
    format: Format,
    frames: u64,
    truncation: Option<Truncation>,
    /// Key logs after the last frame.
    last_secrets: Vec<u8>,
}

#[derive(Debug)]
enum Format {
    Unknown,
    Pcap(pcap::FileHeader),
    Pcapng(pcapng::Section),
    Ended,
}

/// A packet at the front of the input, described without borrowing from it.
#[derive(Debug)]
struct CapturedPacket {
    /// The number of input bytes that it occupies.
    size: usize,
    /// The range of the frame's bytes among them.
    bytes: Range<usize>,
    time: Option<u64>,
    link_type: u32,
    original_length: u32,
}

/// The reason why a block is not available.
#[derive(Debug)]
enum BlockError {
    /// The input ended at a block boundary.
    End,
    /// The input ended inside a block.
    Truncated,
    Bad(String),
    Io(io::Error),
}

impl<R: Read> Reader<R> {
    /// Creates a reader of `source`. Does not read yet.
    pub fn new(source: R) -> Reader<R> {
        let (input, last_secrets) = (Input::new(source), Vec::new());
        Reader { input, format: Format::Unknown, frames: 0, truncation: None, last_secrets }
    }

    /// The next frame, or `None` at the end. Returns nothing more after an error.
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

    /// The TLS key logs found in the capture since the last call (pcapng's decryption secrets).
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

    fn next_packet(&mut self) -> Result<CapturedPacket, BlockError> {
        if matches!(self.format, Format::Unknown) {
            self.format = start(&mut self.input)?;
        }
        match &mut self.format {
            Format::Pcap(header) => header.next_packet(&mut self.input),
            Format::Pcapng(section) => section.next_packet(&mut self.input),
            Format::Unknown | Format::Ended => Err(BlockError::End),
        }
    }

    /// Converts a stop into the caller's result.
    fn stop(&mut self, stop: BlockError) -> Result<(), ReadError> {
        let is_started = !matches!(self.format, Format::Unknown);
        self.last_secrets = self.take_secrets();
        self.format = Format::Ended;
        let (offset, is_gzip) = (self.input.offset(), self.input.is_gzip());
        match stop {
            BlockError::End if !is_started => {
                Err(ReadError::NotACapture { kind: file_type::kind(self.input.peek()), is_gzip })
            }
            BlockError::End if !self.input.is_cut() => Ok(()),
            BlockError::End | BlockError::Truncated => {
                self.truncation = Some(Truncation { offset });
                Ok(())
            }
            BlockError::Bad(fault) => Err(ReadError::Bad { fault, offset, is_gzip }),
            BlockError::Io(error) if is_gzip && error.kind() == io::ErrorKind::InvalidInput => {
                Err(ReadError::Bad { fault: format!("damaged gzip data ({error})"), offset, is_gzip })
            }
            BlockError::Io(error) => Err(ReadError::Io(error)),
        }
    }
}

impl From<io::Error> for BlockError {
    fn from(error: io::Error) -> BlockError {
        BlockError::Io(error)
    }
}

impl BlockError {
    /// The end of the input: at a block boundary, or after some bytes of a block.
    fn at_end(available: usize) -> BlockError {
        match available {
            0 => BlockError::End,
            _ => BlockError::Truncated,
        }
    }
}

/// Detects the format from its first bytes, and reads the header of a pcap file. `BlockError::End` for any other format.
fn start<R: Read>(input: &mut Input<R>) -> Result<Format, BlockError> {
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
        _ => return Err(BlockError::End),
    };
    pcap::FileHeader::read(header, input).map(Format::Pcap)
}
