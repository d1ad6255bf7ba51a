//! Reads a capture through a growing buffer, decompressing it if necessary.

use flate2::read::MultiGzDecoder;
use std::io::{self, Cursor, ErrorKind, Read};

/// The most that one read asks for, and the minimum size of the buffer.
const CHUNK: usize = 128 << 10;

/// The first bytes of gzip with its only compression method.
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// A source, with the bytes that were read and not consumed yet.
#[derive(Debug)]
pub(super) struct Input<R: Read> {
    source: Source<R>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The number of consumed bytes.
    taken: u64,
    /// Whether the compressed data was truncated.
    is_cut: bool,
}

/// The source with its first bytes put back in front.
type Rewound<R> = io::Chain<Cursor<Vec<u8>>, R>;

#[derive(Debug)]
enum Source<R: Read> {
    /// Nothing was read.
    New(R),
    Plain(Rewound<R>),
    Gzip(Box<MultiGzDecoder<Rewound<R>>>),
    Ended,
}

impl<R: Read> Input<R> {
    pub(super) fn new(source: R) -> Input<R> {
        Input { source: Source::New(source), buffer: Vec::new(), start: 0, end: 0, taken: 0, is_cut: false }
    }

    pub(super) fn peek(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Consumes `count` buffered bytes. They stay in place until the next read.
    pub(super) fn take(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.start = (from + count).min(self.end);
        self.taken += (self.start - from) as u64;
        self.buffer.get(from..self.start).unwrap_or_default()
    }

    /// Reads until `count` bytes are buffered; `false` if the source ends before. Reads no more often than necessary, so that a
    /// pipe's next write never delays buffered data.
    pub(super) fn fill(&mut self, count: usize) -> io::Result<bool> {
        while self.end - self.start < count {
            self.make_room(count);
            let read = self.read()?;
            if read == 0 {
                return Ok(false);
            }
            self.end += read;
        }
        Ok(true)
    }

    /// The number of consumed bytes, after decompression.
    pub(super) fn offset(&self) -> u64 {
        self.taken
    }

    pub(super) fn is_gzip(&self) -> bool {
        matches!(self.source, Source::Gzip(_))
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Makes room for some of the `count` bytes. The buffer for a long block doubles as bytes arrive, since the length may be
    /// wrong.
    fn make_room(&mut self, count: usize) {
        if self.start + count <= self.buffer.len() && self.end < self.buffer.len() {
            return;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize((self.buffer.len() * 2).max(CHUNK), 0);
        }
    }

    fn read(&mut self) -> io::Result<usize> {
        if let Source::New(_) = self.source {
            self.source = std::mem::replace(&mut self.source, Source::Ended).start()?;
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        match &mut self.source {
            Source::New(_) | Source::Ended => Ok(0),
            Source::Plain(source) => read(source, room),
            Source::Gzip(source) => match read(source, room) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    self.is_cut = true;
                    Ok(0)
                }
                result => result,
            },
        }
    }
}

impl<R: Read> Source<R> {
    /// Reads the first bytes, and inserts a decoder if they are gzip.
    fn start(self) -> io::Result<Source<R>> {
        let Source::New(mut source) = self else { return Ok(self) };
        let mut first = [0; GZIP.len()];
        let mut known = 0;
        while let Some(room) = first.get_mut(known..).filter(|room| !room.is_empty()) {
            match read(&mut source, room)? {
                0 => break,
                count => known += count,
            }
        }
        let is_gzip = known == GZIP.len() && first == GZIP;
        let all = Cursor::new(first.get(..known).unwrap_or_default().to_vec()).chain(source);
        Ok(match is_gzip {
            true => Source::Gzip(Box::new(MultiGzDecoder::new(all))),
            false => Source::Plain(all),
        })
    }
}

/// Reads once, retrying after a signal.
fn read(source: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(room) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
