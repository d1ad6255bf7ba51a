//! The subset of HTTP that opens a WebSocket or a tunnel through a proxy: one request, one response, no bodies.

use super::Stream;
use std::io;
use tokio::io::AsyncReadExt;

/// The longest head that is read, since it comes from an unauthenticated peer.
const MAX_HEAD: usize = 64 * 1024;

/// The maximum number of headers.
const MAX_HEADERS: usize = 100;

/// The number of bytes shown of an answer that is not HTTP.
const GREETING: usize = 20;

/// A response without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) code: u16,
    reason: String,
    headers: Vec<(String, Vec<u8>)>,
}

impl Response {
    /// Parses the head of a response; `None` if it is incomplete.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(usize, Response)>, String> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(bytes) {
            Ok(httparse::Status::Partial) => Ok(None),
            Ok(httparse::Status::Complete(size)) => {
                let headers = response.headers.iter();
                let headers = headers.map(|header| (header.name.to_owned(), header.value.to_vec())).collect();
                let reason = response.reason.unwrap_or_default().to_owned();
                Ok(Some((size, Response { code: response.code.unwrap_or_default(), reason, headers })))
            }
            Err(_) => {
                let greeting = bytes.get(..GREETING).unwrap_or(bytes).escape_ascii();
                Err(format!("the answer is not HTTP; it starts with \"{greeting}\""))
            }
        }
    }

    /// The status code and its text.
    pub(super) fn status(&self) -> String {
        format!("{} {}", self.code, self.reason).trim_end().to_owned()
    }

    /// The value of a header; `None` if it is missing or not text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// Whether a header with a list contains this word.
    pub(super) fn lists(&self, name: &str, word: &str) -> bool {
        let words = self.header(name).unwrap_or_default().split(',');
        words.into_iter().any(|listed| listed.trim().eq_ignore_ascii_case(word))
    }
}

/// Reads until `parse` finds a complete head. Returns the head, and the bytes after it.
pub(super) async fn read_head<T>(
    stream: &mut Stream,
    parse: impl Fn(&[u8]) -> Result<Option<(usize, T)>, String>,
) -> io::Result<(T, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed"));
        }
        let parsed = parse(&bytes).map_err(|text| io::Error::new(io::ErrorKind::InvalidData, text))?;
        if let Some((size, head)) = parsed {
            bytes.drain(..size.min(bytes.len()));
            return Ok((head, bytes));
        }
        if bytes.len() > MAX_HEAD {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the head of the answer does not end"));
        }
    }
}

/// A host in the form that precedes a port: IPv6 in brackets.
pub(super) fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}
