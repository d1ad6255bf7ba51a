//! The pcap format: a header, then records.

use super::fields::{Endian, Fields};
use super::input::Input;
use super::{BlockError, CapturedPacket, MAX_BLOCK};
use std::io::Read;

/// The size of the file header.
const HEADER_SIZE: usize = 24;

/// The layout given by the file's first four bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    endian: Endian,
    /// Nanoseconds in a unit of the fraction of a second.
    nanos_per_unit: u64,
    /// The size of a record's header.
    record_header: usize,
}

impl Layout {
    pub(super) fn micros(endian: Endian) -> Layout {
        Layout { endian, nanos_per_unit: 1000, record_header: 16 }
    }

    pub(super) fn nanos(endian: Endian) -> Layout {
        Layout { endian, nanos_per_unit: 1, record_header: 16 }
    }

    /// A patched libpcap for Linux 2.2 that some devices still use: each record has 8 more bytes, about the interface.
    pub(super) fn patched(endian: Endian) -> Layout {
        Layout { endian, nanos_per_unit: 1000, record_header: 24 }
    }
}

/// The properties of all records.
#[derive(Debug)]
pub(super) struct FileHeader {
    layout: Layout,
    link_type: u32,
}

impl FileHeader {
    pub(super) fn read<R: Read>(layout: Layout, input: &mut Input<R>) -> Result<FileHeader, BlockError> {
        if !input.fill(HEADER_SIZE)? {
            return Err(BlockError::Truncated);
        }
        let mut fields = Fields::new(input.take(HEADER_SIZE), layout.endian);
        let version = fields.take(4).and_then(|_| fields.u16());
        // Minor version, time zone, accuracy and snapshot length are not needed.
        let link_type = fields.take(14).and_then(|_| fields.u32());
        match (version, link_type) {
            // The upper half indicates whether a checksum follows each frame. IP's length field excludes it anyway.
            (Some(2), Some(link_type)) => Ok(FileHeader { layout, link_type: link_type & 0xffff }),
            (version, _) => Err(BlockError::Bad(format!(
                "unsupported pcap version {} (expected 2)",
                version.unwrap_or(0)
            ))),
        }
    }

    pub(super) fn next_packet<R: Read>(&self, input: &mut Input<R>) -> Result<CapturedPacket, BlockError> {
        let Layout { endian, nanos_per_unit, record_header } = self.layout;
        if !input.fill(record_header)? {
            return Err(BlockError::at_end(input.peek().len()));
        }
        let mut fields = Fields::new(input.peek(), endian);
        let (Some(seconds), Some(fraction), Some(captured), Some(original_length)) =
            (fields.u32(), fields.u32(), fields.u32(), fields.u32())
        else {
            return Err(BlockError::Truncated);
        };
        let Some(length) = usize::try_from(captured).ok().filter(|length| *length <= MAX_BLOCK) else {
            return Err(BlockError::Bad(format!("record length out of range ({captured})")));
        };
        let size = record_header + length;
        if !input.fill(size)? {
            return Err(BlockError::Truncated);
        }
        let time = Some(u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * nanos_per_unit);
        let (bytes, link_type) = (record_header..size, self.link_type);
        Ok(CapturedPacket { size, bytes, time, link_type, original_length })
    }
}
