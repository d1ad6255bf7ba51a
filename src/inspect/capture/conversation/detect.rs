//! Detects the protocol of a connection from its first bytes.

use super::super::reassembly::{Side, Start};
use super::OtherProtocol;
use super::http::{self, Head, HeadParse};
use super::mqtt::{self, Likeness, Walk};
use super::ports::{self, PortUse};
use super::tls::{self, Hello, ServerName};
use super::undecided::Undecided;
use super::web_socket::{self, FrameFault};
use crate::inspect::Direction;
use crate::protocol::{Beginning, ProxyFault, ProxyHeader};

/// The number of consecutive packets from a single side that is accepted as MQTT without other evidence.
const ENOUGH_PACKETS: usize = 3;

/// The bytes and ports that the decision depends on.
pub(super) struct Evidence<'a> {
    pub(super) undecided: &'a Undecided,
    pub(super) start: Start,
    /// The ports of A and B.
    pub(super) ports: [u16; 2],
    /// No more bytes will arrive, or be waited for.
    pub(super) is_final: bool,
    /// The side that sent a PROXY protocol header, which is not in the held bytes.
    pub(super) proxy: Option<Side>,
    /// Whether a PROXY protocol header is still possible.
    pub(super) may_be_proxied: bool,
}

/// The detected protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Detection {
    /// More bytes are needed.
    Wait,
    Mqtt {
        client: Side,
    },
    /// A PROXY protocol header and its length; the bytes after it are detected separately.
    ProxyHeader {
        client: Side,
        header: Result<ProxyHeader, ProxyFault>,
        length: usize,
    },
    Tls {
        client: Side,
        server_name: Option<String>,
    },
    /// MQTT over WebSocket, after HTTP heads of these lengths from A and B.
    WebSocket {
        client: Side,
        heads: [usize; 2],
        /// The fault in its subprotocol.
        fault: Option<FrameFault>,
    },
    OtherProtocol {
        client: Side,
        protocol: OtherProtocol,
    },
}

const SIDES: [Side; 2] = [Side::A, Side::B];

impl Evidence<'_> {
    /// Detects the protocol. An unambiguous beginning counts on every port.
    pub(super) fn detect(&self) -> Detection {
        if let Some(detection) = self.proxy_header() {
            return detection;
        }
        for side in SIDES {
            let bytes = self.prefix(side);
            if tls::hello(bytes) == Some(Hello::Client) {
                return self.client_hello(side);
            }
            if http::start(bytes) == Some(http::HeadKind::Request) {
                return self.request(side);
            }
            if mqtt::connect(bytes) == Likeness::Yes {
                return self.mqtt();
            }
        }
        for side in SIDES {
            let bytes = self.prefix(side);
            if tls::hello(bytes) == Some(Hello::Server) {
                return Detection::Tls { client: side.other(), server_name: None };
            }
            if http::start(bytes) == Some(http::HeadKind::Response) {
                return self.lone_response(side);
            }
        }
        if self.may_become_clear() {
            return Detection::Wait;
        }
        self.detect_by_port()
    }

    /// The header that a proxy prepends, on any port.
    fn proxy_header(&self) -> Option<Detection> {
        let may_send = |side: &Side| match self.start {
            Start::Handshake { initiator } => *side == initiator,
            Start::Midway => true,
        };
        let sides = SIDES.into_iter().filter(|side| self.may_be_proxied && !self.lacks_beginning(*side));
        sides.filter(may_send).find_map(|client| match ProxyHeader::parse(self.prefix(client)) {
            Beginning::Header(header, length) => {
                Some(Detection::ProxyHeader { client, header: Ok(header), length })
            }
            Beginning::Invalid(fault, Some(length)) => {
                Some(Detection::ProxyHeader { client, header: Err(fault), length })
            }
            Beginning::Invalid(fault, None) => {
                Some(Detection::OtherProtocol { client, protocol: OtherProtocol::ProxyHeader(fault) })
            }
            Beginning::Partial if !self.prefix(client).is_empty() && self.can_wait(client) => {
                Some(Detection::Wait)
            }
            Beginning::Partial | Beginning::Other => None,
        })
    }

    /// The client: the side that opened the connection, or sent a PROXY header, or else behaves like a client, or else does not
    /// use a server's port.
    pub(super) fn client(&self) -> Side {
        if let Start::Handshake { initiator } = self.start {
            return initiator;
        }
        if let Some(side) = self.proxy {
            return side;
        }
        for side in SIDES {
            match mqtt::walk(self.prefix(side)).direction {
                Some(Direction::ClientToServer) => return side,
                Some(Direction::ServerToClient) => return side.other(),
                None => {}
            }
        }
        let [a, b] = self.ports;
        ports::server(a, b).other()
    }

    fn prefix(&self, side: Side) -> &[u8] {
        self.undecided.prefix(side)
    }

    /// Whether more bytes could make it unambiguous TLS, HTTP, or MQTT.
    fn may_become_clear(&self) -> bool {
        let may = |side| {
            let bytes = self.prefix(side);
            let is_open = !bytes.is_empty() && !self.undecided.is_broken(side);
            let is_mqtt_port = self.usage() == Some(PortUse::Mqtt);
            let may_be_connect = !is_mqtt_port && mqtt::connect(bytes) == Likeness::Maybe;
            is_open && (tls::may_be_hello(bytes) || http::may_be_start(bytes) || may_be_connect)
        };
        !self.is_final && SIDES.into_iter().any(may)
    }

    fn detect_by_port(&self) -> Detection {
        let is_whole =
            self.start != Start::Midway && !SIDES.into_iter().any(|side| self.lacks_beginning(side));
        match self.usage() {
            Some(PortUse::Mqtt) => self.mqtt(),
            _ if is_whole => self.detect_by_response(),
            usage => self.detect_by_framing(usage),
        }
    }

    /// For a connection with a beginning but without a CONNECT: a server's packets, without any bytes of the client, are MQTT.
    fn detect_by_response(&self) -> Detection {
        let client = self.client();
        let walk = mqtt::walk(self.prefix(client.other()));
        if walk.is_plausible
            && walk.direction == Some(Direction::ServerToClient)
            && self.prefix(client).is_empty()
        {
            return self.mqtt();
        }
        Detection::OtherProtocol { client, protocol: OtherProtocol::Unknown }
    }

    /// For a connection without its beginning: it is MQTT if the bytes of both sides parse as consecutive packets.
    fn detect_by_framing(&self, usage: Option<PortUse>) -> Detection {
        let client = self.client();
        let walks = SIDES.map(|side| mqtt::walk(self.prefix(side)));
        // Two clients, or two servers, do not speak MQTT to each other.
        let [a, b] = walks.map(|walk| walk.direction);
        let is_one_sided = a.is_some() && a == b;
        let both = |holds: fn(&Walk) -> bool| !is_one_sided && walks.iter().all(holds);
        if both(|walk| walk.is_plausible && walk.packets > 0) {
            return self.mqtt();
        }
        if both(|walk| walk.is_plausible) && !self.is_final {
            return Detection::Wait;
        }
        if both(|walk| walk.is_plausible) && walks.iter().any(|walk| walk.packets >= ENOUGH_PACKETS) {
            return self.mqtt();
        }
        if usage == Some(PortUse::Tls)
            || SIDES.into_iter().any(|side| tls::is_encrypted_data(self.prefix(side)))
        {
            return Detection::Tls { client, server_name: None };
        }
        Detection::OtherProtocol { client, protocol: OtherProtocol::Unknown }
    }

    fn mqtt(&self) -> Detection {
        Detection::Mqtt { client: self.client() }
    }

    fn client_hello(&self, client: Side) -> Detection {
        match tls::server_name(self.prefix(client)) {
            ServerName::Known(server_name) => Detection::Tls { client, server_name },
            ServerName::Incomplete if self.can_wait(client) => Detection::Wait,
            ServerName::Incomplete => Detection::Tls { client, server_name: None },
        }
    }

    /// Detects the protocol of an HTTP request, which may open a WebSocket.
    fn request(&self, client: Side) -> Detection {
        let server = client.other();
        let request = match http::request(self.prefix(client)) {
            HeadParse::Complete(head) if head.is_upgrade => head,
            HeadParse::Partial if self.can_wait(client) => return Detection::Wait,
            _ => return self.http(client),
        };
        match http::response(self.prefix(server)) {
            HeadParse::Partial if self.can_wait(server) => Detection::Wait,
            HeadParse::Complete(response) if response.is_upgrade => {
                self.web_socket(client, &request, &response)
            }
            _ => self.http(client),
        }
    }

    /// Detects the protocol inside a WebSocket. If neither head names an MQTT subprotocol, the first frame decides.
    fn web_socket(&self, client: Side, request: &Head, response: &Head) -> Detection {
        let fault = match (request.names_mqtt(), response.names_mqtt()) {
            (true, true) => None,
            (true, false) => Some(FrameFault::NotChosen),
            (false, _) => Some(FrameFault::NotOffered),
        };
        if !request.names_mqtt() && !response.names_mqtt() {
            let frames = self.prefix(client).get(request.size..).unwrap_or_default();
            match mqtt::connect(&web_socket::first_payload(frames)) {
                Likeness::Yes => {}
                Likeness::Maybe if self.can_wait(client) => return Detection::Wait,
                Likeness::Maybe | Likeness::No => return self.http(client),
            }
        }
        let heads = match client {
            Side::A => [request.size, response.size],
            Side::B => [response.size, request.size],
        };
        Detection::WebSocket { client, heads, fault }
    }

    /// A response; if the capture is out of order, its request may still follow.
    fn lone_response(&self, server: Side) -> Detection {
        if self.can_wait(server.other()) { Detection::Wait } else { self.http(server.other()) }
    }

    fn http(&self, client: Side) -> Detection {
        let [request, response] = [client, client.other()].map(|side| match http::start(self.prefix(side)) {
            Some(_) => http::first_line(self.prefix(side)),
            None => None,
        });
        Detection::OtherProtocol { client, protocol: OtherProtocol::Http { request, response } }
    }

    fn can_wait(&self, side: Side) -> bool {
        !self.is_final && !self.undecided.is_broken(side)
    }

    fn lacks_beginning(&self, side: Side) -> bool {
        self.undecided.lacks_beginning(side)
    }

    /// The use of a known port, checking the server's port first.
    fn usage(&self) -> Option<PortUse> {
        let [a, b] = self.ports.map(ports::usage);
        match self.client() {
            Side::A => b.or(a),
            Side::B => a.or(b),
        }
    }
}
