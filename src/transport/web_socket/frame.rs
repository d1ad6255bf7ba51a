//! WebSocket frames as a byte stream: payloads are extracted in place, as they arrive.
//!
//! Frames are never collected, so a huge announced length costs no memory, and only bytes that move over a header are copied. MQTT packets
//! need not align with frames [MQTT-6.0.0-2].

use std::io::Cursor;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// The longest header: two bytes, eight of length, four of mask.
const MAX_HEADER: usize = 14;

/// The longest payload of a control frame (RFC 6455, 5.5).
const MAX_CONTROL: u64 = 125;

/// The local side. A client masks its frames, a server does not (RFC 6455, 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Server,
}

impl Role {
    /// The other side, in errors.
    pub(super) fn other(self) -> &'static str {
        match self {
            Role::Client => "broker",
            Role::Server => "client",
        }
    }
}

/// A control frame that requires a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ControlFrame {
    Ping(Vec<u8>),
    /// The payload: a code and a text, or nothing.
    Close(Vec<u8>),
}

/// A protocol violation by the peer.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error("a bad WebSocket frame: {0}")]
    Header(String),
    #[error("a WebSocket frame with reserved bits")]
    ReservedBits,
    #[error("a WebSocket frame that is {}", if *.0 { "masked, as only a client's are" } else { "not masked" })]
    Masking(bool),
    #[error("a WebSocket text frame; MQTT comes in binary ones")]
    Text,
    #[error("a WebSocket frame out of order")]
    Order,
    #[error("a WebSocket control frame that is too long or in parts")]
    Control,
    #[error("a WebSocket close frame with half a status code")]
    HalfCode,
    #[error("a WebSocket close frame with the status code {0}, which no frame may have")]
    CloseCode(u16),
    #[error("a WebSocket close frame with a reason that is not UTF-8")]
    CloseReason,
}

/// The code of a close frame for a peer that breaks the protocol.
const PROTOCOL_ERROR: u16 = 1002;

/// The code for a text that is not UTF-8 (RFC 6455, 8.1).
const INVALID_TEXT: u16 = 1007;

impl FrameError {
    /// The code for the close frame that answers it.
    pub(super) fn close_code(&self) -> u16 {
        match self {
            FrameError::CloseReason => INVALID_TEXT,
            _ => PROTOCOL_ERROR,
        }
    }
}

/// The fault of a close frame's payload, if there is one: its code must be one that frames may have (RFC 6455, 7.4, and the registry
/// for it), its reason UTF-8.
pub(super) fn fault_of_close(payload: &[u8]) -> Option<FrameError> {
    let (code, reason) = payload.split_first_chunk()?;
    match u16::from_be_bytes(*code) {
        1000..=1003 | 1007..=1014 | 3000..=4999 => {
            std::str::from_utf8(reason).err().map(|_| FrameError::CloseReason)
        }
        code => Some(FrameError::CloseCode(code)),
    }
}

/// Parses frames. It buffers a partial header or control frame, but no payload.
#[derive(Debug)]
pub(super) struct Decoder {
    role: Role,
    state: DecoderState,
    /// A message whose last frame is still to come.
    is_in_message: bool,
}

#[derive(Debug)]
enum DecoderState {
    Header(Vec<u8>),
    Data { left: u64, mask: Option<Mask> },
    Control { opcode: Control, payload: Vec<u8>, left: u64, mask: Option<Mask> },
    Closed,
}

impl Decoder {
    pub(super) fn new(role: Role) -> Decoder {
        Decoder { role, state: DecoderState::Header(Vec::new()), is_in_message: false }
    }

    /// Moves the payload in `bytes` to the front, returns its length, and appends control frames to send. Bytes after a close frame are
    /// ignored.
    pub(super) fn decode(
        &mut self,
        bytes: &mut [u8],
        signals: &mut Vec<ControlFrame>,
    ) -> Result<usize, FrameError> {
        let (mut position, mut kept) = (0, 0);
        while position < bytes.len() {
            let Some(rest) = bytes.get_mut(position..) else { break };
            match &mut self.state {
                DecoderState::Closed => break,
                DecoderState::Header(_) => position += self.read_header_from(rest)?,
                DecoderState::Data { left, mask } => {
                    let count = smaller(*left, rest.len());
                    unmask(mask, rest, count);
                    *left -= count as u64;
                    bytes.copy_within(position..position + count, kept);
                    position += count;
                    kept += count;
                }
                DecoderState::Control { payload, left, mask, .. } => {
                    let count = smaller(*left, rest.len());
                    unmask(mask, rest, count);
                    *left -= count as u64;
                    payload.extend(rest.iter().take(count));
                    position += count;
                }
            }
            self.finish_frame(signals);
        }
        Ok(kept)
    }

    /// Adds to the header, and starts the frame once it is complete. Returns the number of bytes that belong to the header.
    fn read_header_from(&mut self, rest: &[u8]) -> Result<usize, FrameError> {
        let DecoderState::Header(header) = &mut self.state else { return Ok(0) };
        let known = header.len();
        header.extend(rest.iter().take(MAX_HEADER - known));
        let mut cursor = Cursor::new(header.as_slice());
        let parsed =
            FrameHeader::parse(&mut cursor).map_err(|error| FrameError::Header(error.to_string()))?;
        let size = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        let Some((frame, length)) = parsed else { return Ok(rest.len()) };
        self.start_frame(&frame, length)?;
        Ok(size - known)
    }

    fn start_frame(&mut self, frame: &FrameHeader, length: u64) -> Result<(), FrameError> {
        if frame.rsv1 || frame.rsv2 || frame.rsv3 {
            return Err(FrameError::ReservedBits);
        }
        if frame.mask.is_some() != (self.role == Role::Server) {
            return Err(FrameError::Masking(frame.mask.is_some()));
        }
        let mask = frame.mask.map(Mask);
        match frame.opcode {
            OpCode::Control(_) if !frame.is_final || length > MAX_CONTROL => return Err(FrameError::Control),
            // A status code has two bytes (RFC 6455, 5.5.1).
            OpCode::Control(Control::Close) if length == 1 => return Err(FrameError::HalfCode),
            OpCode::Control(opcode) => {
                self.state = DecoderState::Control { opcode, payload: Vec::new(), left: length, mask };
                return Ok(());
            }
            OpCode::Data(Data::Text) => return Err(FrameError::Text),
            OpCode::Data(Data::Continue) if self.is_in_message => {}
            OpCode::Data(Data::Binary) if !self.is_in_message => {}
            OpCode::Data(_) => return Err(FrameError::Order),
        }
        self.is_in_message = !frame.is_final;
        self.state = DecoderState::Data { left: length, mask };
        Ok(())
    }

    /// Continues with the next header once the frame is complete.
    fn finish_frame(&mut self, signals: &mut Vec<ControlFrame>) {
        match &mut self.state {
            DecoderState::Data { left: 0, .. } => self.state = DecoderState::Header(Vec::new()),
            DecoderState::Control { opcode, payload, left: 0, .. } => {
                let payload = std::mem::take(payload);
                let opcode = *opcode;
                self.state = DecoderState::Header(Vec::new());
                match opcode {
                    Control::Ping => signals.push(ControlFrame::Ping(payload)),
                    Control::Close => {
                        signals.push(ControlFrame::Close(payload));
                        self.state = DecoderState::Closed;
                    }
                    Control::Pong | Control::Reserved(_) => {}
                }
            }
            DecoderState::Header(_)
            | DecoderState::Data { .. }
            | DecoderState::Control { .. }
            | DecoderState::Closed => {}
        }
    }
}

/// Appends a frame with all of the payload.
pub(super) fn put_frame(role: Role, opcode: OpCode, payload: &[u8], output: &mut Vec<u8>) {
    // The mask keeps scripts in browsers from choosing the bytes on the wire; we have no such scripts.
    let mask = (role == Role::Client).then(|| fastrand::u32(..).to_ne_bytes());
    let header = FrameHeader { mask, opcode, ..FrameHeader::default() };
    output.reserve(MAX_HEADER + payload.len());
    let formatted = header.format(payload.len() as u64, output);
    debug_assert!(formatted.is_ok(), "a vector takes everything");
    let start = output.len();
    output.extend_from_slice(payload);
    if let (Some(mask), Some(masked)) = (mask, output.get_mut(start..)) {
        Mask(mask).apply(masked);
    }
}

/// A frame's mask, turned to the next byte of the payload.
#[derive(Debug, Clone, Copy)]
struct Mask([u8; 4]);

impl Mask {
    fn apply(&mut self, bytes: &mut [u8]) {
        let [a, b, c, d] = self.0;
        let key = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
        let (words, rest) = bytes.as_chunks_mut::<8>();
        for word in words {
            *word = (u64::from_ne_bytes(*word) ^ key).to_ne_bytes();
        }
        for (byte, key) in rest.iter_mut().zip([a, b, c, d, a, b, c, d]) {
            *byte ^= key;
        }
        self.0.rotate_left(bytes.len() % 4);
    }
}

fn unmask(mask: &mut Option<Mask>, bytes: &mut [u8], count: usize) {
    if let (Some(mask), Some(bytes)) = (mask, bytes.get_mut(..count)) {
        mask.apply(bytes);
    }
}

fn smaller(left: u64, available: usize) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(available)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BINARY: OpCode = OpCode::Data(Data::Binary);

    fn decode(role: Role, bytes: &[u8]) -> Result<(Vec<u8>, Vec<ControlFrame>), FrameError> {
        let (mut bytes, mut signals) = (bytes.to_vec(), Vec::new());
        let kept = Decoder::new(role).decode(&mut bytes, &mut signals)?;
        bytes.truncate(kept);
        Ok((bytes, signals))
    }

    #[test]
    fn frames_of_a_message_close_up_around_a_ping() {
        let bytes = b"\x02\x02ab\x89\x01!\x00\x00\x80\x01c\x82\x01d";
        let (payload, signals) = decode(Role::Client, bytes).unwrap();
        assert_eq!(
            (payload.as_slice(), signals),
            (b"abcd".as_slice(), vec![ControlFrame::Ping(b"!".to_vec())])
        );
    }

    #[test]
    fn bytes_after_a_close_are_ignored() {
        let (payload, signals) = decode(Role::Client, b"\x82\x01a\x88\x02\x03\xe8\x81\x05junk").unwrap();
        assert_eq!(
            (payload.as_slice(), signals),
            (b"a".as_slice(), vec![ControlFrame::Close(b"\x03\xe8".to_vec())])
        );
    }

    #[test]
    fn forbidden_frames_are_refused() {
        let cases: &[(Role, &[u8])] = &[
            (Role::Client, b"\x81\x01a"),                 // text
            (Role::Client, b"\x80\x01a"),                 // a continuation of nothing
            (Role::Client, b"\x02\x01a\x82\x01b"),        // a message in a message
            (Role::Client, b"\xc2\x01a"),                 // a reserved bit
            (Role::Client, b"\x82\x81\x00\x00\x00\x00a"), // a mask from a server
            (Role::Server, b"\x82\x01a"),                 // none from a client
            (Role::Client, b"\x09\x00"),                  // half a ping
            (Role::Client, b"\x89\x7e\x00\x7e"),          // a long ping
            (Role::Client, b"\x83\x00"),                  // an unknown kind
        ];
        for (role, bytes) in cases {
            assert!(decode(*role, bytes).is_err(), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_huge_frame_costs_nothing() {
        let (payload, _) = decode(Role::Client, b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xffab").unwrap();
        assert_eq!(payload, b"ab");
    }

    proptest! {
        #[test]
        fn payloads_arrive_however_they_are_cut(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..6),
            cuts in proptest::collection::vec(1usize..50, 1..200),
            is_client in any::<bool>(),
        ) {
            let (sender, receiver) =
                if is_client { (Role::Client, Role::Server) } else { (Role::Server, Role::Client) };
            let mut wire = Vec::new();
            for payload in &payloads {
                put_frame(sender, OpCode::Control(Control::Ping), b"p", &mut wire);
                put_frame(sender, BINARY, payload, &mut wire);
            }
            let (mut decoder, mut received, mut signals) = (Decoder::new(receiver), Vec::new(), Vec::new());
            let (mut rest, mut cuts) = (wire.as_slice(), cuts.into_iter().cycle());
            while !rest.is_empty() {
                let (part, others) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                let mut part = part.to_vec();
                let kept = decoder.decode(&mut part, &mut signals).unwrap();
                received.extend_from_slice(&part[..kept]);
                rest = others;
            }
            prop_assert_eq!(received, payloads.concat());
            prop_assert_eq!(signals.len(), payloads.len());
        }
    }
}
