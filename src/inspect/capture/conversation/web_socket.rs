//! Unwraps captured WebSocket frames: payloads are extracted as the bytes arrive, whether the frames are valid or not.
//!
//! Differs from the transport's decoder, which rejects an invalid frame and compacts bytes in place. This one reads as much as
//! possible, reports faults, and tolerates missing bytes. It buffers a frame's header only.

use super::Direction;
use super::tls::Chunk;

/// The longest header: two bytes, eight of length, four of mask.
const MAX_HEADER: usize = 14;

/// The number of payload bytes that suffice to detect its protocol.
const FIRST: usize = 32;

/// The longest payload of a control frame (RFC 6455, 5.5).
const MAX_CONTROL: u64 = 125;

/// A fault in a WebSocket frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// MQTT requires binary frames [MQTT-6.0.0-1]. The payload is still read.
    #[error("text frame; MQTT requires binary frames")]
    Text,
    /// The client's request does not offer an MQTT subprotocol [MQTT-6.0.0-3].
    #[error("the client does not offer the subprotocol mqtt")]
    NotOffered,
    /// The server's response names no subprotocol, or a different one [MQTT-6.0.0-4].
    #[error("the server does not select the subprotocol mqtt that the client offers")]
    NotChosen,
    /// A client masks its frames.
    #[error("unmasked frame from the client")]
    Unmasked,
    /// A server does not mask its frames.
    #[error("masked frame from the server")]
    Masked,
    /// The first frame of a message before the last message ended, or a continuation without a message. The payload is still
    /// read.
    #[error("frame out of order")]
    Order,
    /// Longer than 125 bytes, or fragmented.
    #[error("control frame too long or fragmented")]
    Control,
    /// An unknown opcode. The frame is skipped.
    #[error("frame with reserved opcode {0:#x}")]
    Opcode(u8),
    /// A compressed payload, or another extension. The rest of the direction cannot be read.
    #[error("frame with reserved bits set, as by compression")]
    ReservedBits,
    /// Over 63 bits. The rest of the direction cannot be read.
    #[error("frame length exceeds 63 bits")]
    Length,
    /// Bytes are missing at a frame boundary, so the start of the next frame is unknown. The rest of the direction cannot be
    /// read.
    #[error("missing bytes between frames; the rest of this direction cannot be read")]
    LostTrack,
}

impl FrameFault {
    /// The sender of a handshake fault.
    pub(super) fn sender(self) -> Direction {
        if self == FrameFault::NotChosen { Direction::ServerToClient } else { Direction::ClientToServer }
    }

    /// Whether the rest of the direction cannot be read.
    #[must_use]
    pub fn is_fatal(self) -> bool {
        matches!(self, FrameFault::ReservedBits | FrameFault::Length | FrameFault::LostTrack)
    }
}

/// The captured start of the first frame's payload.
pub(super) fn first_payload(bytes: &[u8]) -> Vec<u8> {
    let Some((header, size)) = FrameHeader::read(bytes) else { return Vec::new() };
    let length = usize::try_from(header.length).unwrap_or(usize::MAX).min(FIRST);
    let payload = bytes.get(size..).unwrap_or_default();
    let payload = payload.get(..length.min(payload.len())).unwrap_or_default();
    unmasked(payload, header.mask, &mut Vec::new()).to_vec()
}

/// Payload bytes, gaps and faults found in frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unwrapped<'a> {
    Bytes { stream_offset: u64, bytes: &'a [u8] },
    Gap(u64),
    Fault { stream_offset: u64, fault: FrameFault },
}

impl Unwrapped<'_> {
    /// The number of MQTT bytes.
    pub(super) fn length(&self) -> u64 {
        match self {
            Unwrapped::Bytes { bytes, .. } => bytes.len() as u64,
            Unwrapped::Gap(length) => *length,
            Unwrapped::Fault { .. } => 0,
        }
    }
}

/// Unwraps one direction's frames.
#[derive(Debug)]
pub(super) struct Unwrapper {
    direction: Direction,
    state: UnwrapperState,
    /// The bytes of the frame's header that have arrived.
    header: Vec<u8>,
    /// Offset of the frame in the TCP stream.
    frame_start: u64,
    /// The message's last frame has not arrived yet.
    is_in_message: bool,
}

#[derive(Debug, Clone, Copy)]
enum UnwrapperState {
    FrameHeader,
    FramePayload(FramePayload),
    /// The start of the next frame is unknown.
    Unreadable,
}

/// The rest of a frame.
#[derive(Debug, Clone, Copy)]
struct FramePayload {
    left: u64,
    mask: Option<Mask>,
    /// Whether the frame belongs to a message, rather than being a control frame.
    is_data: bool,
}

/// The mask, rotated so that its first byte applies to the next payload byte.
#[derive(Debug, Clone, Copy)]
struct Mask([u8; 4]);

/// A complete header.
#[derive(Debug, Clone, Copy)]
struct FrameHeader {
    is_final: bool,
    has_reserved_bits: bool,
    opcode: u8,
    mask: Option<Mask>,
    length: u64,
}

impl Unwrapper {
    pub(super) fn new(direction: Direction) -> Unwrapper {
        let (state, header) = (UnwrapperState::FrameHeader, Vec::new());
        Unwrapper { direction, state, header, frame_start: 0, is_in_message: false }
    }

    /// Takes the next bytes of the TCP stream, which start at `stream_offset`. `room` is a scratch buffer for unmasking.
    pub(super) fn receive(
        &mut self,
        chunk: Chunk<'_>,
        stream_offset: u64,
        room: &mut Vec<u8>,
        emit: &mut impl FnMut(Unwrapped<'_>),
    ) {
        let bytes = match chunk {
            Chunk::Gap(length) => return self.skip(length, stream_offset, emit),
            Chunk::Bytes(bytes) => bytes,
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            let position = stream_offset + (bytes.len() - rest.len()) as u64;
            rest = match self.state {
                UnwrapperState::Unreadable => return,
                UnwrapperState::FrameHeader => self.read_header(rest, position, emit),
                UnwrapperState::FramePayload(payload) => {
                    self.read_payload(payload, rest, position, room, emit)
                }
            };
        }
    }

    /// Emits the bytes that belong to the payload, and returns the rest.
    fn read_payload<'a>(
        &mut self,
        payload: FramePayload,
        bytes: &'a [u8],
        stream_offset: u64,
        room: &mut Vec<u8>,
        emit: &mut impl FnMut(Unwrapped<'_>),
    ) -> &'a [u8] {
        let count = usize::try_from(payload.left).unwrap_or(usize::MAX).min(bytes.len());
        let (part, rest) = bytes.split_at(count);
        if payload.is_data {
            emit(Unwrapped::Bytes { stream_offset, bytes: unmasked(part, payload.mask, room) });
        }
        self.state = payload.after(count as u64);
        rest
    }

    /// Skips missing bytes, which inside a payload lose nothing else.
    fn skip(&mut self, length: u64, stream_offset: u64, emit: &mut impl FnMut(Unwrapped<'_>)) {
        match self.state {
            UnwrapperState::Unreadable => {}
            UnwrapperState::FramePayload(payload) if (1..=payload.left).contains(&length) => {
                if payload.is_data {
                    emit(Unwrapped::Gap(length));
                }
                self.state = payload.after(length);
            }
            UnwrapperState::FramePayload(_) | UnwrapperState::FrameHeader => {
                self.state = UnwrapperState::Unreadable;
                emit(Unwrapped::Fault { stream_offset, fault: FrameFault::LostTrack });
            }
        }
    }

    /// Adds to the header, starts the frame when it is complete, and returns the bytes after the header.
    fn read_header<'a>(
        &mut self,
        bytes: &'a [u8],
        position: u64,
        emit: &mut impl FnMut(Unwrapped<'_>),
    ) -> &'a [u8] {
        if self.header.is_empty() {
            self.frame_start = position;
        }
        let known = self.header.len();
        self.header.extend(bytes.iter().take(MAX_HEADER - known));
        let Some((header, size)) = FrameHeader::read(&self.header) else { return &[] };
        self.header.clear();
        self.start_frame(header, emit);
        bytes.get(size - known..).unwrap_or_default()
    }

    fn start_frame(&mut self, header: FrameHeader, emit: &mut impl FnMut(Unwrapped<'_>)) {
        let stream_offset = self.frame_start;
        let mut is_lost = false;
        self.faults(header, |fault| {
            is_lost |= fault.is_fatal();
            emit(Unwrapped::Fault { stream_offset, fault });
        });
        let is_data = header.opcode <= 2;
        if is_data {
            self.is_in_message = !header.is_final;
        }
        self.state = match header.length {
            _ if is_lost => UnwrapperState::Unreadable,
            0 => UnwrapperState::FrameHeader,
            left => UnwrapperState::FramePayload(FramePayload { left, mask: header.mask, is_data }),
        };
    }

    fn faults(&self, header: FrameHeader, mut fault: impl FnMut(FrameFault)) {
        let is_control = header.opcode >= 8;
        if header.has_reserved_bits {
            fault(FrameFault::ReservedBits);
        }
        if header.length > i64::MAX as u64 {
            fault(FrameFault::Length);
        }
        match (self.direction, header.mask) {
            (Direction::ClientToServer, None) => fault(FrameFault::Unmasked),
            (Direction::ServerToClient, Some(_)) => fault(FrameFault::Masked),
            _ => {}
        }
        match header.opcode {
            0 if !self.is_in_message => fault(FrameFault::Order),
            1 | 2 if self.is_in_message => fault(FrameFault::Order),
            1 => fault(FrameFault::Text),
            3..=7 | 11.. => fault(FrameFault::Opcode(header.opcode)),
            _ => {}
        }
        if is_control && (!header.is_final || header.length > MAX_CONTROL) {
            fault(FrameFault::Control);
        }
    }
}

impl FrameHeader {
    /// Reads a header and its length; `None` if it is incomplete.
    fn read(bytes: &[u8]) -> Option<(FrameHeader, usize)> {
        let ([first, second], rest) = bytes.split_first_chunk::<2>()?;
        let (length, rest) = match second & 0x7f {
            126 => {
                rest.split_first_chunk::<2>().map(|(length, rest)| (u16::from_be_bytes(*length).into(), rest))
            }
            127 => rest.split_first_chunk::<8>().map(|(length, rest)| (u64::from_be_bytes(*length), rest)),
            length => Some((length.into(), rest)),
        }?;
        let (mask, rest) = match second & 0x80 {
            0 => (None, rest),
            _ => rest.split_first_chunk::<4>().map(|(mask, rest)| (Some(Mask(*mask)), rest))?,
        };
        let header = FrameHeader {
            is_final: first & 0x80 != 0,
            has_reserved_bits: first & 0x70 != 0,
            opcode: first & 0x0f,
            mask,
            length,
        };
        Some((header, bytes.len() - rest.len()))
    }
}

impl FramePayload {
    /// The state after `count` more bytes.
    fn after(self, count: u64) -> UnwrapperState {
        match self.left - count {
            0 => UnwrapperState::FrameHeader,
            left => UnwrapperState::FramePayload(FramePayload {
                left,
                mask: self.mask.map(|mask| mask.turned(count)),
                ..self
            }),
        }
    }
}

impl Mask {
    fn turned(self, count: u64) -> Mask {
        let Mask(mut bytes) = self;
        bytes.rotate_left((count % 4) as usize);
        Mask(bytes)
    }
}

/// The unmasked payload, in `room` if it was masked.
fn unmasked<'a>(payload: &'a [u8], mask: Option<Mask>, room: &'a mut Vec<u8>) -> &'a [u8] {
    let Some(Mask(mask)) = mask else { return payload };
    room.clear();
    room.extend_from_slice(payload);
    for four in room.chunks_mut(4) {
        four.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
    room
}
