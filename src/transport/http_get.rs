//! A GET request over plain HTTP/1.1, with a body of limited size.

use super::error::ConnectError;
use super::http::{Response, bracketed, read_head};
use super::tcp;
use std::fmt;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A URL with the scheme `http`. Its text omits the query, which may contain a key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HttpUrl {
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    pub port: u16,
    /// The path with its `/`, and the query.
    pub path: String,
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, query) = match self.path.split_once('?') {
            Some((path, _)) => (path, "?..."),
            None => (self.path.as_str(), ""),
        };
        write!(f, "http://{}:{}{path}{query}", bracketed(&self.host), self.port)
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The reason why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the answer is incomplete: {0}")]
    Io(#[from] io::Error),
    #[error("the server answered {0}")]
    Status(String),
    #[error("the answer has more than {} MiB", .0 >> 20)]
    TooLong(usize),
    #[error("the answer has an invalid length")]
    Length,
}

/// How the end of a body is found.
enum Body {
    Length(usize),
    Chunked,
    UntilClosed,
}

/// The body of a page, of at most this many bytes. The caller limits the time.
///
/// # Errors
/// If there is no connection, another status than 200, a longer body, or a body without its end.
pub(crate) async fn get(url: &HttpUrl, most: usize) -> Result<Vec<u8>, HttpError> {
    let mut stream = tcp::connect(&url.host, url.port, None).await?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: mq/{}\r\nAccept: text/plain;version=0.0.4\r\nConnection: close\r\n\r\n",
        url.path,
        bracketed(&url.host),
        url.port,
        env!("CARGO_PKG_VERSION")
    );
    stream.write_all(request.as_bytes()).await?;
    let (response, mut bytes) = read_head(&mut stream, Response::parse).await?;
    if response.code != 200 {
        return Err(HttpError::Status(response.status()));
    }
    let body = body_of(&response)?;
    let mut chunks = Chunks::default();
    loop {
        let whole = match body {
            Body::Length(length) if length > most => return Err(HttpError::TooLong(most)),
            Body::Length(length) if bytes.len() >= length => {
                bytes.truncate(length);
                return Ok(bytes);
            }
            Body::Chunked => chunks.take_from(&bytes)?,
            Body::Length(_) | Body::UntilClosed => false,
        };
        if whole {
            return Ok(chunks.body);
        }
        if bytes.len() > most {
            return Err(HttpError::TooLong(most));
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return match body {
                Body::UntilClosed => Ok(bytes),
                Body::Length(_) | Body::Chunked => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            };
        }
    }
}

fn body_of(response: &Response) -> Result<Body, HttpError> {
    if response.lists("transfer-encoding", "chunked") {
        return Ok(Body::Chunked);
    }
    match response.header("content-length") {
        Some(length) => length.trim().parse().map(Body::Length).map_err(|_| HttpError::Length),
        None => Ok(Body::UntilClosed),
    }
}

/// The chunks of a body that were complete so far.
#[derive(Default)]
pub(super) struct Chunks {
    /// The position after the last complete chunk.
    at: usize,
    pub(super) body: Vec<u8>,
}

impl Chunks {
    /// Takes the complete chunks; returns whether the last one was among them.
    pub(super) fn take_from(&mut self, bytes: &[u8]) -> Result<bool, HttpError> {
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let (head, size) = match httparse::parse_chunk_size(rest) {
                Ok(httparse::Status::Complete(found)) => found,
                Ok(httparse::Status::Partial) => return Ok(false),
                Err(_) => return Err(HttpError::Length),
            };
            if size == 0 {
                return Ok(true);
            }
            let size = usize::try_from(size).map_err(|_| HttpError::Length)?;
            let end = head.checked_add(size).ok_or(HttpError::Length)?;
            match (rest.get(head..end), rest.get(end..end.saturating_add(2))) {
                (Some(chunk), Some(b"\r\n")) => self.body.extend_from_slice(chunk),
                (Some(_), Some(_)) => return Err(HttpError::Length),
                _ => return Ok(false),
            }
            self.at = self.at.saturating_add(end).saturating_add(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_wherever_they_are_cut() {
        let bytes = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        let mut chunks = Chunks::default();
        let whole: Vec<bool> = (0..bytes.len()).map(|end| chunks.take_from(&bytes[..end]).unwrap()).collect();
        assert_eq!(chunks.body, b"abcde");
        assert!(!whole[..21].contains(&true) && whole.contains(&true));
        for bad in [&b"zz\r\n"[..], b"1\r\nabc\r\n", b"ffffffffffffffff\r\n"] {
            assert!(Chunks::default().take_from(bad).is_err(), "{}", bad.escape_ascii());
        }
    }
}
