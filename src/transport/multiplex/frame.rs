//! The frames on a socket that carries many byte streams.
//!
//! A header of 8 bytes: the stream's number (u32), the kind (u8) and the length of the content (u24), little-endian.

use std::io;

/// The size of the header in bytes.
const HEADER: usize = 8;

/// The maximum content of one frame in bytes.
pub(super) const MAX_CONTENT: usize = 32 * 1024;

/// A frame, without the number of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// A new stream; the content is the address of its peer as text.
    Open(&'a str),
    /// Bytes of the stream.
    Data(&'a [u8]),
    /// The sender sends no more bytes.
    Finish,
    /// The sender neither sends nor receives any more.
    Close,
    /// The receiver of bytes has room for this number of further ones.
    Credit(u32),
    /// Asks for a [`Frame::Pong`]. Both belong to no stream.
    Ping,
    Pong,
}

impl<'a> Frame<'a> {
    /// Appends the frame. Its content must not exceed [`MAX_CONTENT`].
    pub(super) fn append(self, stream: u32, output: &mut Vec<u8>) {
        let credit;
        let (kind, content) = match self {
            Frame::Open(peer) => (0, peer.as_bytes()),
            Frame::Data(bytes) => (1, bytes),
            Frame::Finish => (2, &[][..]),
            Frame::Close => (3, &[][..]),
            Frame::Credit(count) => {
                credit = count.to_le_bytes();
                (4, &credit[..])
            }
            Frame::Ping => (5, &[][..]),
            Frame::Pong => (6, &[][..]),
        };
        let [a, b, c, _] = (content.len() as u32).to_le_bytes();
        output.extend_from_slice(&stream.to_le_bytes());
        output.extend_from_slice(&[kind, a, b, c]);
        output.extend_from_slice(content);
    }

    /// Cuts the first frame: its stream, the frame and its size; `None` if it is incomplete.
    ///
    /// # Errors
    /// If the bytes are not a frame.
    pub(super) fn cut(input: &'a [u8]) -> io::Result<Option<(u32, Frame<'a>, usize)>> {
        let Some((header, rest)) = input.split_first_chunk::<HEADER>() else { return Ok(None) };
        let &[s0, s1, s2, s3, kind, a, b, c] = header;
        let stream = u32::from_le_bytes([s0, s1, s2, s3]);
        let length = u32::from_le_bytes([a, b, c, 0]) as usize;
        if length > MAX_CONTENT {
            return Err(invalid());
        }
        let Some(content) = rest.get(..length) else { return Ok(None) };
        let frame = match kind {
            0 => Frame::Open(std::str::from_utf8(content).map_err(|_| invalid())?),
            1 => Frame::Data(content),
            2 => Frame::Finish,
            3 => Frame::Close,
            4 => Frame::Credit(u32::from_le_bytes(content.try_into().map_err(|_| invalid())?)),
            5 => Frame::Ping,
            6 => Frame::Pong,
            _ => return Err(invalid()),
        };
        Ok(Some((stream, frame, HEADER + length)))
    }
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "invalid frame between processes of the broker")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frames_are_cut_as_they_were_appended() {
        let frames = [
            Frame::Open("127.0.0.1:4711"),
            Frame::Data(b"bytes"),
            Frame::Data(b""),
            Frame::Finish,
            Frame::Close,
            Frame::Credit(70_000),
            Frame::Ping,
            Frame::Pong,
        ];
        let mut output = Vec::new();
        for (stream, frame) in (1..).zip(frames) {
            frame.append(stream, &mut output);
        }
        let mut rest = output.as_slice();
        for (stream, frame) in (1..).zip(frames) {
            let (found, cut, size) = Frame::cut(rest).unwrap().unwrap();
            assert_eq!((found, cut), (stream, frame));
            for end in 0..size {
                assert_eq!(Frame::cut(&rest[..end]).unwrap(), None, "{frame:?} cut at {end}");
            }
            rest = &rest[size..];
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn frames_with_an_unknown_kind_or_a_wrong_length_are_errors() {
        assert!(Frame::cut(&[1, 0, 0, 0, 7, 0, 0, 0]).is_err(), "an unknown kind");
        assert!(Frame::cut(&[1, 0, 0, 0, 1, 255, 255, 255]).is_err(), "too long");
        assert!(Frame::cut(&[1, 0, 0, 0, 4, 1, 0, 0, 9]).is_err(), "a credit of one byte");
        assert!(Frame::cut(&[1, 0, 0, 0, 0, 1, 0, 0, 255]).is_err(), "an address that is not text");
    }

    proptest! {
        #[test]
        fn any_bytes_are_frames_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(Some((_, _, size))) = Frame::cut(&bytes) {
                prop_assert!(size <= bytes.len());
            }
        }
    }
}
