//! Entry points for fuzzers: answers of proxies and web servers, requests of clients, and WebSocket frames. Compiled for tests and
//! with `--cfg fuzzing` only.

use super::http::Response;
use super::http_get::Chunks;
use super::web_socket::answer_to;
pub use super::web_socket::fuzzing::web_socket_frames;

/// The most bytes of an input: each of its beginnings is parsed.
const MAX_SIZE: usize = 2048;

/// Reads the head of an answer, a body in chunks, or a request for a WebSocket, as it arrives byte by byte. The first byte selects it.
pub fn http(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let bytes = bytes.get(..MAX_SIZE).unwrap_or(bytes);
    match how % 3 {
        0 => answer(bytes),
        1 => chunks(bytes),
        _ => drop(answer_to(bytes)),
    }
}

/// The result for the first bytes that have one is that for all bytes.
fn answer(bytes: &[u8]) {
    let whole = Response::parse(bytes);
    let beginnings = (0..bytes.len()).filter_map(|end| bytes.get(..end));
    let first = beginnings.map(Response::parse).find(|parsed| !matches!(parsed, Ok(None)));
    if let (Ok(Some((size, response))), Some(first)) = (&whole, &first) {
        assert_eq!(first.as_ref().ok().and_then(Option::as_ref), Some(&(*size, response.clone())));
        assert!(*size <= bytes.len());
        drop((response.status(), response.lists("connection", "upgrade")));
    }
}

/// The body is the same however the bytes arrive.
fn chunks(bytes: &[u8]) {
    let mut whole = Chunks::default();
    let mut pieces = Chunks::default();
    let at_once = whole.take_from(bytes);
    for end in (0..=bytes.len()).step_by(7).chain([bytes.len()]) {
        match pieces.take_from(bytes.get(..end).unwrap_or_default()) {
            Ok(false) => {}
            Ok(true) => return assert!(matches!(at_once, Ok(true)) && pieces.body == whole.body),
            Err(_) => return assert!(at_once.is_err()),
        }
    }
    assert!(matches!(at_once, Ok(false)) && pieces.body == whole.body);
}
