//! The subset of HTTP that opens a WebSocket.

/// Request methods. CONNECT is a request to a proxy.
const METHODS: [&[u8]; 8] =
    [b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"CONNECT "];

/// The start of a response.
const RESPONSE: &[u8] = b"HTTP/1.";

/// The most headers that are parsed; a WebSocket request has far fewer.
const MAX_HEADERS: usize = 96;

/// The most bytes of a first line that are shown.
const MAX_LINE: usize = 200;

/// The sender of the head that a stream begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadKind {
    Request,
    Response,
}

/// A complete head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// Including the empty line.
    pub(super) size: usize,
    /// It requests or accepts the upgrade to WebSocket.
    pub(super) is_upgrade: bool,
    /// The subprotocols that it names.
    protocols: Vec<String>,
}

impl Head {
    /// Whether one of the subprotocols is MQTT, by any of the names in use: mqtt, mqttv3.1, mqttv5.
    pub(super) fn names_mqtt(&self) -> bool {
        self.protocols
            .iter()
            .any(|name| name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("mqtt")))
    }
}

/// The progress of parsing a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HeadParse {
    Partial,
    Complete(Head),
    Broken,
}

/// The kind of head that `bytes` start like, if any.
pub(super) fn start(bytes: &[u8]) -> Option<HeadKind> {
    if bytes.starts_with(RESPONSE) {
        return Some(HeadKind::Response);
    }
    METHODS.iter().any(|method| bytes.starts_with(method)).then_some(HeadKind::Request)
}

/// Whether too few `bytes` to decide may still become HTTP.
pub(super) fn may_be_start(bytes: &[u8]) -> bool {
    METHODS.iter().copied().chain([RESPONSE]).any(|word| word.len() > bytes.len() && word.starts_with(bytes))
}

pub(super) fn request(bytes: &[u8]) -> HeadParse {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(size)) => {
            let is_get = request.method == Some("GET");
            HeadParse::Complete(head(size, request.headers, is_get))
        }
        Ok(httparse::Status::Partial) => HeadParse::Partial,
        Err(_) => HeadParse::Broken,
    }
}

pub(super) fn response(bytes: &[u8]) -> HeadParse {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(size)) => {
            let is_switch = response.code == Some(101);
            HeadParse::Complete(head(size, response.headers, is_switch))
        }
        Ok(httparse::Status::Partial) => HeadParse::Partial,
        Err(_) => HeadParse::Broken,
    }
}

fn head(size: usize, headers: &[httparse::Header<'_>], may_upgrade: bool) -> Head {
    let values = |name: &str| -> Vec<String> {
        let matching = headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        let values = matching.map(|header| String::from_utf8_lossy(header.value));
        values
            .flat_map(|value| value.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>())
            .collect()
    };
    let is_web_socket = values("upgrade").iter().any(|word| word.eq_ignore_ascii_case("websocket"));
    Head { size, is_upgrade: may_upgrade && is_web_socket, protocols: values("sec-websocket-protocol") }
}

/// The first line as far as it was captured, with invalid UTF-8 replaced; `None` if it is empty.
pub(super) fn first_line(bytes: &[u8]) -> Option<String> {
    let line = bytes.split(|byte| *byte == b'\n').next().filter(|line| !line.is_empty())?;
    let line = line.get(..MAX_LINE).unwrap_or(line);
    Some(String::from_utf8_lossy(line).trim_end().to_owned())
}
