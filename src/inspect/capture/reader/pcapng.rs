//! The pcapng format: sections of blocks, which describe interfaces and hold packets.

use super::fields::{Endian, Fields};
use super::input::Input;
use super::{BlockError, CapturedPacket, MAX_BLOCK};
use crate::inspect::pcapng::{
    BLOCK_FRAME, DECRYPTION_SECRETS, END_OF_OPTIONS, ENHANCED_PACKET, INTERFACE, PACKET, SECTION,
    SIMPLE_PACKET, TIME_OFFSET, TIME_RESOLUTION,
};
use std::io::Read;
use std::ops::Range;

/// The start of a section, in either byte order.
pub(super) const SECTION_MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// The secrets type of a TLS key log.
pub(super) const TLS_KEY_LOG: u32 = 0x544c_534b;

/// The most bytes of key logs that are kept until the caller takes them.
pub(super) const MAX_SECRETS: usize = 64 << 20;

/// Type and length in front of a block's body.
const BLOCK_HEADER: usize = 8;

/// The bytes of a body before the frame, in both types of packets with a time: interface, time and lengths.
const TIMED_FIELDS: usize = 20;

/// The most interfaces; more of them would be an attack on memory.
const MAX_INTERFACES: usize = 1 << 16;

/// The state that the blocks so far have set.
#[derive(Debug)]
pub(super) struct Section {
    endian: Endian,
    interfaces: Vec<Interface>,
    /// Key logs that the caller has not taken yet.
    pub(super) secrets: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Interface {
    link_type: u32,
    /// The most bytes that were captured of a packet; 0 for all.
    snapshot_length: u32,
    clock: TimestampUnit,
    /// Seconds to add to all times.
    time_offset: i64,
}

/// The unit of timestamps.
#[derive(Debug, Clone, Copy)]
enum TimestampUnit {
    /// A unit of this many nanoseconds.
    Times(u64),
    /// A nanosecond divided by this.
    Parts(u128),
    /// Two to the power of minus this, in seconds.
    Binary(u32),
}

/// A block at the front of the input.
#[derive(Debug, Clone, Copy)]
struct Block {
    kind: u32,
    size: usize,
}

impl Default for Section {
    fn default() -> Section {
        Section { endian: Endian::Little, interfaces: Vec::new(), secrets: Vec::new() }
    }
}

impl Section {
    /// The next packet, which stays at the front of the input. Blocks before it are read and consumed.
    pub(super) fn next_packet<R: Read>(
        &mut self,
        input: &mut Input<R>,
    ) -> Result<CapturedPacket, BlockError> {
        loop {
            let block = self.next_block(input)?;
            let body = input.peek().get(BLOCK_HEADER..block.size - 4).unwrap_or_default();
            let fields = Fields::new(body, self.endian);
            let packet = match block.kind {
                SECTION => self.start(fields).map(|()| None),
                INTERFACE => self.add_interface(fields).map(|()| None),
                DECRYPTION_SECRETS => self.add_secrets(fields).map(|()| None),
                PACKET => self.packet(fields).map(Some),
                SIMPLE_PACKET => self.simple_packet(fields).map(Some),
                ENHANCED_PACKET => self.enhanced_packet(fields).map(Some),
                _ => Ok(None),
            };
            match packet.map_err(BlockError::Bad)? {
                Some(packet) => return Ok(CapturedPacket { size: block.size, ..packet }),
                None => input.take(block.size),
            };
        }
    }

    /// Reads a complete block.
    fn next_block<R: Read>(&mut self, input: &mut Input<R>) -> Result<Block, BlockError> {
        if !input.fill(BLOCK_FRAME)? {
            return Err(BlockError::at_end(input.peek().len()));
        }
        if input.peek().starts_with(&SECTION_MAGIC) {
            self.endian = byte_order(input.peek()).map_err(BlockError::Bad)?;
        }
        let mut fields = Fields::new(input.peek(), self.endian);
        let (Some(kind), Some(length)) = (fields.u32(), fields.u32()) else {
            return Err(BlockError::Truncated);
        };
        let size = usize::try_from(length).ok().filter(|size| (BLOCK_FRAME..=MAX_BLOCK).contains(size));
        let Some(size) = size.filter(|size| size % 4 == 0) else {
            return Err(BlockError::Bad(format!("invalid length {length} of a block of type {kind:#x}")));
        };
        if !input.fill(size)? {
            return Err(BlockError::Truncated);
        }
        let mut end = Fields::new(input.peek().get(size - 4..).unwrap_or_default(), self.endian);
        match end.u32() {
            Some(again) if again != length => Err(BlockError::Bad(format!(
                "block of type {kind:#x} with different lengths at its start ({length}) and end ({again})"
            ))),
            _ => Ok(Block { kind, size }),
        }
    }

    fn start(&mut self, mut fields: Fields<'_>) -> Result<(), String> {
        self.interfaces.clear();
        let version = fields.u32().and_then(|_| fields.u16());
        match version {
            Some(1) => Ok(()),
            Some(version) => Err(format!("unsupported pcapng version {version} (expected 1)")),
            None => Err("section header too short".to_owned()),
        }
    }

    fn add_interface(&mut self, mut fields: Fields<'_>) -> Result<(), String> {
        let (Some(link_type), Some(_reserved), Some(snapshot_length)) =
            (fields.u16(), fields.u16(), fields.u32())
        else {
            return Err("interface description too short".to_owned());
        };
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(format!("more than {MAX_INTERFACES} interfaces"));
        }
        let link_type = u32::from(link_type);
        let mut interface =
            Interface { link_type, snapshot_length, clock: TimestampUnit::Times(1000), time_offset: 0 };
        interface.read_options(fields, self.endian);
        self.interfaces.push(interface);
        Ok(())
    }

    fn add_secrets(&mut self, mut fields: Fields<'_>) -> Result<(), String> {
        let (Some(kind), Some(length)) = (fields.u32(), fields.u32()) else {
            return Err("decryption secrets too short".to_owned());
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(text) = fields.take(length) else {
            return Err(format!("decryption secrets of {length} bytes in a shorter block"));
        };
        if kind == TLS_KEY_LOG && self.secrets.len() + text.len() < MAX_SECRETS {
            self.secrets.extend_from_slice(text);
            self.secrets.push(b'\n');
        }
        Ok(())
    }

    fn enhanced_packet(&self, mut fields: Fields<'_>) -> Result<CapturedPacket, String> {
        let interface = fields.u32();
        self.timed_packet(interface, fields)
    }

    /// The predecessor of enhanced packets: a shorter interface number, and a drop count.
    fn packet(&self, mut fields: Fields<'_>) -> Result<CapturedPacket, String> {
        let interface = fields.u16().map(u32::from);
        fields.u16();
        self.timed_packet(interface, fields)
    }

    /// Reads the fields that both types share, after the interface.
    fn timed_packet(&self, interface: Option<u32>, mut fields: Fields<'_>) -> Result<CapturedPacket, String> {
        let (Some(interface), Some(high), Some(low), Some(captured), Some(original_length)) =
            (interface, fields.u32(), fields.u32(), fields.u32(), fields.u32())
        else {
            return Err("packet block too short".to_owned());
        };
        let interface = self.interface(interface)?;
        let bytes = body_range(TIMED_FIELDS, captured, fields.left())?;
        let time = interface.time(u64::from(high) << 32 | u64::from(low));
        Ok(CapturedPacket { size: 0, bytes, time, link_type: interface.link_type, original_length })
    }

    fn simple_packet(&self, mut fields: Fields<'_>) -> Result<CapturedPacket, String> {
        let Some(original_length) = fields.u32() else {
            return Err("packet block too short".to_owned());
        };
        let interface = self.interface(0)?;
        // The block does not give the captured length: it is limited by the snapshot length only. The rest of the block is
        // padding.
        let most = match interface.snapshot_length {
            0 => u32::MAX,
            most => most,
        };
        let length = fields.left().min(original_length.min(most) as usize);
        let start = BLOCK_HEADER + 4;
        let bytes = start..start + length;
        Ok(CapturedPacket { size: 0, bytes, time: None, link_type: interface.link_type, original_length })
    }

    fn interface(&self, number: u32) -> Result<&Interface, String> {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        self.interfaces.get(index).ok_or_else(|| format!("packet of unknown interface {number}"))
    }
}

impl Interface {
    fn read_options(&mut self, mut fields: Fields<'_>, endian: Endian) {
        while let (Some(code), Some(length)) = (fields.u16(), fields.u16()) {
            let Some(value) = fields.take(length.into()) else { return };
            match code {
                END_OF_OPTIONS => return,
                TIME_RESOLUTION => {
                    self.clock = value.first().map_or(self.clock, |byte| TimestampUnit::new(*byte));
                }
                // Reading it as unsigned preserves the bits.
                TIME_OFFSET => {
                    self.time_offset = Fields::new(value, endian).u64().unwrap_or_default() as i64;
                }
                _ => {}
            }
            fields.take(usize::from(length).wrapping_neg() % 4);
        }
    }

    /// A time in nanoseconds since 1970, clamped to the range of `u64`.
    fn time(&self, units: u64) -> Option<u64> {
        let nanos = match self.clock {
            TimestampUnit::Times(factor) => u128::from(units) * u128::from(factor),
            TimestampUnit::Parts(parts) => u128::from(units) / parts,
            TimestampUnit::Binary(shift) => (u128::from(units) * 1_000_000_000) >> shift,
        };
        let offset = i128::from(self.time_offset) * 1_000_000_000;
        let nanos = i128::try_from(nanos).ok()?.checked_add(offset)?;
        Some(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
    }
}

impl TimestampUnit {
    /// Decodes the option's byte: a negative power of ten, or of two if the highest bit is set.
    fn new(resolution: u8) -> TimestampUnit {
        let exponent = u32::from(resolution & 0x7f);
        if resolution & 0x80 != 0 {
            return TimestampUnit::Binary(exponent);
        }
        match exponent {
            0..=9 => TimestampUnit::Times(10_u64.pow(9 - exponent)),
            _ => TimestampUnit::Parts(10_u128.checked_pow(exponent - 9).unwrap_or(u128::MAX)),
        }
    }
}

/// The byte order of the section that starts here, from the magic number after its length.
fn byte_order(bytes: &[u8]) -> Result<Endian, String> {
    match bytes.get(8..12) {
        Some([0x1a, 0x2b, 0x3c, 0x4d]) => Ok(Endian::Big),
        Some([0x4d, 0x3c, 0x2b, 0x1a]) => Ok(Endian::Little),
        _ => Err("section without a byte-order magic".to_owned()),
    }
}

/// The range of a frame's bytes in the block.
fn body_range(offset: usize, captured: u32, available: usize) -> Result<Range<usize>, String> {
    let start = BLOCK_HEADER + offset;
    match usize::try_from(captured).ok().filter(|length| *length <= available) {
        Some(length) => Ok(start..start + length),
        None => Err(format!("packet of {captured} bytes in a block with room for {available}")),
    }
}
