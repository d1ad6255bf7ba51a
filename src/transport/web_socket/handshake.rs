//! From an HTTP request to a WebSocket (RFC 6455, 4), with the subprotocol `mqtt` [MQTT-6.0.0-3], or `mqttv3.1`, its name
//! before MQTT 3.1.1.

use super::{Role, WebSocket};
use crate::transport::error::WebSocketFault;
use crate::transport::http::{Response, read_head};
use crate::transport::tls::{HANDSHAKE_RECORD, TlsError};
use crate::transport::{ConnectError, Stream};
use std::fmt::{self, Write};
use std::io;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse;
use tungstenite::handshake::server::{Request, create_response, write_response};
use tungstenite::http::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

/// The subprotocol's name, for every version of MQTT.
const SUBPROTOCOL: &str = "mqtt";

/// The name that MQTT 3.1 had before the standard chose one; some servers and clients of 3.1 support no other.
const SUBPROTOCOL_V31: &str = "mqttv3.1";

/// The first byte of CONNECT.
const CONNECT: u8 = 0x10;

/// Headers that make the handshake; another value would break it.
const OURS: [&str; 7] = [
    "connection",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "content-length",
];

/// The request of a client that opens a WebSocket.
#[derive(Debug, Clone)]
pub(crate) struct Upgrade {
    /// The value of the header `Host`.
    pub host: String,
    /// The path, from its `/` on, as it goes over the wire.
    pub path: String,
    /// Builds the query string, once per connection. It may hold credentials and is never shown.
    pub query: Option<Query>,
    /// Further headers. One of the name `Host` replaces ours.
    pub headers: Vec<Header>,
    /// Whether `mqttv3.1` is offered in front of `mqtt`.
    pub offers_v31: bool,
}

impl Upgrade {
    /// The subprotocols to offer, the preferred one first.
    fn subprotocols(&self) -> &'static [&'static str] {
        if self.offers_v31 { &[SUBPROTOCOL_V31, SUBPROTOCOL] } else { &[SUBPROTOCOL] }
    }

    /// The path for errors and reports: a query in it may hold credentials.
    fn path_without_query(&self) -> String {
        match self.path.split_once('?') {
            Some((path, _)) => format!("{path}?..."),
            None => self.path.clone(),
        }
    }
}

/// A function that builds a query string.
#[derive(Clone)]
pub(crate) struct Query(pub Arc<dyn Fn() -> Zeroizing<String> + Send + Sync>);

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Query(..)")
    }
}

/// A header that HTTP can carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    name: HeaderName,
    value: HeaderValue,
}

impl Header {
    /// Parses `NAME: VALUE`.
    ///
    /// # Errors
    /// The problem; the value, which may be secret, is not repeated.
    pub(crate) fn parse(text: &str) -> Result<Header, String> {
        let (name, value) = text.split_once(':').ok_or("a header is NAME: VALUE")?;
        let name: HeaderName = name.trim().parse().map_err(|_| "invalid header name")?;
        if OURS.contains(&name.as_str()) {
            return Err(format!("the header {name} belongs to the handshake"));
        }
        let value = value.trim().parse().map_err(|_| "a header's value has no control characters")?;
        Ok(Header { name, value })
    }
}

/// Opens a WebSocket on a connected stream.
///
/// # Errors
/// If the server refuses, with its answer.
pub(crate) async fn connect(mut stream: Stream, upgrade: &Upgrade) -> Result<Stream, ConnectError> {
    let failed = |error: io::Error| match error.downcast::<TlsError>() {
        // TLS 1.3 refuses our certificate only now.
        Ok(refusal) => ConnectError::Tls(refusal),
        Err(error) => {
            ConnectError::WebSocket { path: upgrade.path_without_query(), reason: WebSocketFault::Io(error) }
        }
    };
    let key = generate_key();
    stream.write_all(&request(upgrade, &key)).await.map_err(failed)?;
    stream.flush().await.map_err(failed)?;
    let (response, early) = read_head(&mut stream, Response::parse).await.map_err(failed)?;
    if response.code != 101 {
        let (path, code, status) = (upgrade.path_without_query(), response.code, response.status());
        return Err(ConnectError::WebSocketRefused { path, code, status });
    }
    match fault(&response, &key, upgrade.subprotocols()) {
        Some(reason) => Err(ConnectError::WebSocket { path: upgrade.path_without_query(), reason }),
        None => Ok(Stream::WebSocket(Box::new(WebSocket::new(stream, Role::Client, early)))),
    }
}

fn request(upgrade: &Upgrade, key: &str) -> Vec<u8> {
    let is_host = |header: &&Header| header.name == "host";
    let query = upgrade.query.as_ref().map(|query| (query.0)());
    let query = query.map(|query| format!("?{}", *query)).unwrap_or_default();
    let mut text = format!("GET {}{query} HTTP/1.1\r\n", upgrade.path);
    if !upgrade.headers.iter().any(|header| is_host(&header)) {
        let _ = write!(text, "Host: {}\r\n", upgrade.host);
    }
    let _ = write!(
        text,
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {}\r\n",
        upgrade.subprotocols().join(", ")
    );
    let mut bytes = text.into_bytes();
    for Header { name, value } in &upgrade.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// The problem of an answer with status 101.
fn fault(response: &Response, key: &str, offered: &[&str]) -> Option<WebSocketFault> {
    if !response.lists("Upgrade", "websocket") || !response.lists("Connection", "Upgrade") {
        return Some(WebSocketFault::OtherProtocol);
    }
    if response.header("Sec-WebSocket-Accept") != Some(&derive_accept_key(key.as_bytes())) {
        return Some(WebSocketFault::OtherRequest);
    }
    if response.header("Sec-WebSocket-Extensions").is_some_and(|extensions| !extensions.trim().is_empty()) {
        return Some(WebSocketFault::Extension);
    }
    let wanted = offered.join(" or ");
    match response.header("Sec-WebSocket-Protocol") {
        Some(chosen) if offered.contains(&chosen) => None,
        Some(_) => Some(WebSocketFault::OtherSubprotocol(wanted)),
        None => Some(WebSocketFault::NoSubprotocol(wanted)),
    }
}

/// A WebSocket that a client opened.
pub(crate) struct Accepted {
    /// The bytes in its frames.
    pub(crate) stream: Stream,
    /// Whether the client offered `mqttv3.1` alone.
    pub(crate) is_v31: bool,
}

/// Accepts a WebSocket at any path, as a server.
///
/// # Errors
/// The reason of the refusal, which the client received as well.
pub(crate) async fn accept(mut stream: Stream) -> Result<Accepted, String> {
    let parse = |bytes: &[u8]| match other_protocol(bytes) {
        Some(problem) => Err(problem.to_owned()),
        None => Request::try_parse(bytes).map_err(|error| error.to_string()),
    };
    let (request, early) = read_head(&mut stream, parse).await.map_err(|error| error.to_string())?;
    let answered = response(&request);
    let bytes = match &answered {
        Ok((bytes, _)) => bytes.clone(),
        Err(reason) => format!(
            "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: close, Upgrade\r\n\
             Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{reason}\n",
            reason.len() + 1
        )
        .into_bytes(),
    };
    stream.write_all(&bytes).await.map_err(|error| error.to_string())?;
    match answered {
        Ok((_, subprotocol)) => Ok(Accepted {
            stream: Stream::WebSocket(Box::new(WebSocket::new(stream, Role::Server, early))),
            is_v31: subprotocol == SUBPROTOCOL_V31,
        }),
        Err(reason) => {
            let _ = stream.shutdown().await;
            Err(reason)
        }
    }
}

/// The problem of a client that speaks a known protocol other than HTTP.
fn other_protocol(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(HANDSHAKE_RECORD) {
        return Some("the client speaks TLS, and this port is for WebSocket without TLS");
    }
    let is_connect = bytes.first() == Some(&CONNECT);
    is_connect.then_some("the client speaks MQTT without WebSocket, and this port is for WebSocket")
}

/// The answer to the bytes of a request; `None` if it is incomplete. For fuzzers.
#[cfg(any(test, fuzzing))]
pub(in crate::transport) fn answer_to(bytes: &[u8]) -> Option<Result<Vec<u8>, String>> {
    let parsed = Request::try_parse(bytes).map_err(|error| error.to_string()).transpose()?;
    Some(parsed.and_then(|(_, request)| response(&request).map(|(bytes, _)| bytes)))
}

/// The answer to a request, and the subprotocol that it chooses.
fn response(request: &Request) -> Result<(Vec<u8>, &'static str), String> {
    let mut response =
        create_response(request).map_err(|_| "MQTT is spoken here, over WebSocket".to_owned())?;
    let lists = request.headers().get_all("Sec-WebSocket-Protocol").into_iter();
    let offers: Vec<&str> =
        lists.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(',')).collect();
    let is_offered = |name: &&&str| offers.iter().any(|offer| offer.trim() == **name);
    let Some(&subprotocol) = [SUBPROTOCOL, SUBPROTOCOL_V31].iter().find(is_offered) else {
        return Err("the subprotocol mqtt was not offered".to_owned());
    };
    response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(subprotocol));
    let mut bytes = Vec::new();
    write_response(&mut bytes, &response).map_err(|error| error.to_string())?;
    Ok((bytes, subprotocol))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_checked() {
        let header = Header::parse("X-Token:  a b ").unwrap();
        assert_eq!((header.name.as_str(), header.value.as_bytes()), ("x-token", b"a b".as_slice()));
        for text in ["X-Token", ": a", "X Token: a", "X-Token: a\r\nX: b", "Upgrade: h2c"] {
            assert!(Header::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_host_of_the_users_replaces_ours() {
        let headers = vec![Header::parse("Host: other").unwrap()];
        let (host, path) = ("a".to_owned(), "/mqtt?x".to_owned());
        let upgrade = Upgrade { host, path, query: None, headers, offers_v31: false };
        let text = String::from_utf8(request(&upgrade, "k")).unwrap();
        assert!(
            text.starts_with("GET /mqtt?x HTTP/1.1\r\nUpgrade") && text.ends_with("\r\nhost: other\r\n\r\n")
        );
    }
}
