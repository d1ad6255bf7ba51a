//! The length and the type of a message (MQTT-SN 1.2, section 5.2).

use super::reader::Reader;
use super::{DecodeError, EncodeError, MessageType, Problem};

/// The largest payload of a UDP datagram over IPv4, in octets.
pub const MAX_DATAGRAM_SIZE: usize = 65_507;

/// The first octet of a length in three octets.
const LONG_FORM: u8 = 1;

/// The length field and the type of a datagram, before its type is known to be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The value of the length field.
    pub announced: usize,
    /// The octets of the length field: 1 or 3.
    pub length_octets: usize,
    /// The type octet.
    pub type_octet: u8,
}

impl Header {
    /// Reads the header of a datagram; `None` if it is truncated.
    pub fn read(datagram: &[u8]) -> Option<Header> {
        let (announced, length_octets, type_octet) = match *datagram {
            [LONG_FORM, high, low, type_octet, ..] => (u16::from_be_bytes([high, low]).into(), 3, type_octet),
            [LONG_FORM, ..] => return None,
            [length, type_octet, ..] => (length.into(), 1, type_octet),
            _ => return None,
        };
        Some(Header { announced, length_octets, type_octet })
    }

    /// The octets before the message's fields.
    pub fn size(&self) -> usize {
        self.length_octets + 1
    }
}

/// A datagram whose type is known. The message is as long as the datagram, even if its length field says less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The message type.
    pub message_type: MessageType,
    header: Header,
    body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads the header of a datagram.
    ///
    /// # Errors
    /// If the datagram is shorter than its length field says, or has a reserved type.
    pub fn cut(datagram: &'a [u8]) -> Result<Frame<'a>, DecodeError> {
        let fail = |problem, offset| Err(DecodeError { problem, message_type: None, offset });
        let Some(header) = Header::read(datagram) else {
            return match datagram.len() {
                0 => fail(Problem::Empty, 0),
                length => fail(Problem::Truncated { field: "header" }, length),
            };
        };
        let Some(message_type) = MessageType::from_octet(header.type_octet) else {
            return fail(Problem::ReservedType { value: header.type_octet }, header.length_octets);
        };
        let fail = |problem| Err(DecodeError { problem, message_type: Some(message_type), offset: 0 });
        let (announced, actual) = (header.announced, datagram.len());
        if announced < header.size() {
            return fail(Problem::LengthTooSmall { announced });
        }
        if announced > actual {
            return fail(Problem::LengthTooLarge { announced, actual });
        }
        let body = datagram.get(header.size()..).unwrap_or_default();
        Ok(Frame { message_type, header, body })
    }

    /// The octets of the header that the length field covers, and those behind it.
    pub(super) fn split_announced(&self) -> (&'a [u8], &'a [u8]) {
        let length = self.header.announced.saturating_sub(self.header.size());
        self.body.split_at_checked(length).unwrap_or((self.body, &[]))
    }

    pub(super) fn reader(&self) -> Reader<'a> {
        Reader::new(self.message_type, self.body, self.header.size())
    }

    pub(super) fn header_size(&self) -> usize {
        self.header.size()
    }
}

/// Appends length and type of a message with a body of that length; the short form of the length if it fits.
pub(super) fn put_header(out: &mut Vec<u8>, type_octet: u8, body_length: usize) -> Result<(), EncodeError> {
    let (short, long) = (body_length + 2, body_length + 4);
    if let Ok(length) = u8::try_from(short) {
        out.reserve(short);
        out.push(length);
    } else {
        let length = u16::try_from(long).map_err(|_| EncodeError::MessageTooLarge { size: long })?;
        out.reserve(long);
        out.push(LONG_FORM);
        out.extend_from_slice(&length.to_be_bytes());
    }
    out.push(type_octet);
    Ok(())
}
