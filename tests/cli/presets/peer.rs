//! Hosted brokers, played by their documented rules: behind a proxy, so that their names and ports are the real ones, over TLS with a
//! certificate for that name. What a service would end the connection for, this peer does too.

use super::super::support::certificates::*;
use super::super::support::*;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The behaviour of a service.
pub trait Rules: Send + Sync + 'static {
    /// The bytes to answer CONNECT with, after which a refusal closes the connection.
    fn connect(&self, way: &Way, connect: &Connect) -> Result<Vec<u8>, Vec<u8>>;
    /// Whether a message is taken; otherwise the connection is closed.
    fn takes(&self, message: &Message) -> bool;
    /// Whether subscriptions at these QoS are taken; otherwise the connection is closed.
    fn takes_filters(&self, filters: &[(String, u8)]) -> bool;
    /// Whether a connection is closed after its first message, and the bytes sent before that.
    fn ends_after_message(&self) -> bool {
        false
    }
    /// Whether an AUTH is welcome.
    fn authenticates_again(&self, _data: &[u8]) -> bool {
        false
    }
}

/// How the client came.
#[derive(Debug, Clone, Default)]
pub struct Way {
    pub host: String,
    pub port: u16,
    pub server_name: Option<String>,
    pub alpn: Option<String>,
    pub has_certificate: bool,
}

/// What CONNECT says.
#[derive(Debug, Clone, Default)]
pub struct Connect {
    pub level: u8,
    pub client_id: String,
    pub username: Option<String>,
    pub password: Option<String>,
    pub keep_alive: u16,
    pub method: Option<String>,
    pub data: Option<Vec<u8>>,
}

/// What PUBLISH says.
#[derive(Debug, Clone, Default)]
pub struct Message {
    pub topic: String,
    pub qos: u8,
    pub is_retained: bool,
    pub length: usize,
}

/// A service at its proxy.
pub struct Hosted {
    host: String,
    proxy: SocketAddr,
    files: Files,
    log: Arc<Mutex<Vec<String>>>,
}

impl Hosted {
    /// Plays the service at this host, with these rules, until the tests end.
    pub fn start(host: &str, rules: impl Rules) -> Hosted {
        let (ca, clients) = (authority("Test CA"), authority("Clients' CA"));
        let server = ca.issue(named(host, &[host]));
        let client = clients.issue(for_clients(named("device", &[])));
        let files = Files::new(&[
            ("ca.pem", ca.pem()),
            ("client.pem", client.pem()),
            ("client.key", client.key_pem()),
        ]);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let peer =
            Arc::new(Peer { rules: Box::new(rules), config: config(&server, &clients), log: log.clone() });
        thread::spawn(move || {
            for stream in listener.incoming() {
                let peer = peer.clone();
                thread::spawn(move || peer.serve(stream.unwrap()));
            }
        });
        Hosted { host: host.to_owned(), proxy, files, log }
    }

    /// `mq` with these words, of which the first is the subcommand, by way of the proxy to the service.
    pub fn mq(&self, words: &str) -> Program {
        self.program(&format!("-h {}", self.host), words)
    }

    /// As [`Hosted::mq`], without -h.
    pub fn without_host(&self, words: &str) -> Program {
        self.program("", words)
    }

    fn program(&self, place: &str, words: &str) -> Program {
        let (subcommand, words) = words.split_once(' ').unwrap_or((words, ""));
        let certificate = self.files.words("--cert {}/client.pem --key {}/client.key");
        let way = format!("--proxy http://{} --cafile {}", self.proxy, self.files.path("ca.pem").display());
        let words = words.replace("{certificate}", &certificate);
        mq(subcommand).words(place).words(&way).words(&words)
    }

    /// What happened, a line for each thing.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Whether nothing was sent: the proxy was not even asked.
    #[track_caller]
    pub fn assert_untouched(&self) {
        assert_eq!(self.log(), Vec::<String>::new());
    }

    /// A file in a directory of the service's.
    pub fn file(&self, name: &str, content: &str) -> std::path::PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let (path, new) = (self.files.path(name), self.files.path("new"));
        std::fs::write(&new, content).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::rename(&new, &path).unwrap(); // nobody sees half of it
        path
    }
}

fn config(server: &Certificate, clients: &Certificate) -> Arc<ServerConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(clients.der.clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder(roots.into()).allow_unauthenticated().build().unwrap();
    let builder = ServerConfig::builder().with_client_cert_verifier(verifier);
    let mut config = builder.with_single_cert(vec![server.der.clone()], server.key_der()).unwrap();
    config.alpn_protocols = vec![b"x-amzn-mqtt-ca".to_vec(), b"mqtt".to_vec()];
    Arc::new(config)
}

struct Peer {
    rules: Box<dyn Rules>,
    config: Arc<ServerConfig>,
    log: Arc<Mutex<Vec<String>>>,
}

type Stream = StreamOwned<ServerConnection, TcpStream>;

impl Peer {
    fn say(&self, line: String) {
        self.log.lock().unwrap().push(line);
    }

    fn serve(&self, client: TcpStream) {
        let mut wire = Wire::new(client);
        let target = request(|| wire.expect_byte()).split(' ').nth(1).unwrap().to_owned();
        self.say(format!("CONNECT {target}"));
        wire.send_bytes(b"HTTP/1.1 200 OK\r\n\r\n");
        let session = ServerConnection::new(self.config.clone()).unwrap();
        let mut stream = StreamOwned::new(session, wire.into_stream());
        let _ = self.converse(&mut stream, &target); // the client goes when it likes
        stream.conn.send_close_notify();
        let _ = stream.flush();
        let _ = stream.sock.shutdown(Shutdown::Write);
        let _ = stream.sock.read_to_end(&mut Vec::new());
    }

    /// Serves a client from CONNECT to DISCONNECT, or to the violation for which the service closes the connection.
    fn converse(&self, stream: &mut Stream, target: &str) -> std::io::Result<()> {
        let mut first = [0];
        stream.read_exact(&mut first)?;
        let way = way(stream, target);
        if first == *b"G" {
            let line = request(|| byte(stream).unwrap_or(b'\n'));
            self.say(format!("G{}", line.lines().next().unwrap_or_default()));
            return stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
        let (_, body) = packet(stream, first[0])?;
        let connect = read_connect(&mut &body[..]);
        let is_v5 = connect.level == 5;
        self.say(format!("{} {way}", connect.line()));
        match self.rules.connect(&way, &connect) {
            Ok(connack) => stream.write_all(&connack)?,
            Err(refusal) => return stream.write_all(&refusal),
        }
        loop {
            let first = byte(stream)?;
            let (kind, body) = packet(stream, first)?;
            let mut rest = &body[..];
            match kind {
                0x3 => {
                    let (message, packet_id) = read_publish(first, &mut rest, is_v5);
                    self.say(format!("{message:?}"));
                    if !self.rules.takes(&message) {
                        self.say("closed".to_owned());
                        return Ok(());
                    }
                    if let Some([high, low]) = packet_id {
                        stream.write_all(&[0x40, 2, high, low])?;
                    }
                    if self.rules.ends_after_message() {
                        return Ok(());
                    }
                }
                0x8 => {
                    let packet_id = [number(&mut rest), number(&mut rest)];
                    let filters = read_filters(&mut rest, is_v5);
                    self.say(format!("SUBSCRIBE {}", filters.len()));
                    if !self.rules.takes_filters(&filters) {
                        self.say("closed".to_owned());
                        return Ok(());
                    }
                    let properties = if is_v5 { &[0][..] } else { &[] };
                    let codes: Vec<u8> = filters.iter().map(|(_, qos)| (*qos).min(1)).collect();
                    let suback = [&packet_id[..], properties, &codes].concat();
                    stream.write_all(&[0x90, u8::try_from(suback.len()).unwrap()])?;
                    stream.write_all(&suback)?;
                }
                0xf => {
                    assert_eq!(rest[0], 0x19, "re-authenticate");
                    rest = &rest[1..];
                    let mut again = Connect::default();
                    again.read_properties(&mut rest);
                    self.say(format!("AUTH {}", again.data.as_deref().unwrap_or_default().escape_ascii()));
                    let method = again.method.unwrap();
                    assert!(self.rules.authenticates_again(&again.data.unwrap()));
                    let length = u8::try_from(method.len()).unwrap();
                    stream.write_all(&[0xf0, length + 5, 0, length + 3, 0x15, 0, length])?;
                    stream.write_all(method.as_bytes())?;
                }
                0xe => {
                    self.say("DISCONNECT".to_owned());
                    return Ok(());
                }
                0xc => stream.write_all(&[0xd0, 0])?,
                0x4 => {}
                other => panic!("a packet of type {other:x}"),
            }
        }
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let alpn = self.alpn.as_deref().unwrap_or("no ALPN");
        let certificate = if self.has_certificate { "certificate" } else { "no certificate" };
        write!(f, "{} {alpn} {certificate}", self.server_name.as_deref().unwrap_or("no SNI"))
    }
}

fn way(stream: &Stream, target: &str) -> Way {
    let (host, port) = target.rsplit_once(':').unwrap();
    Way {
        host: host.to_owned(),
        port: port.parse().unwrap(),
        server_name: stream.conn.server_name().map(str::to_owned),
        alpn: stream.conn.alpn_protocol().map(|name| String::from_utf8(name.to_vec()).unwrap()),
        has_certificate: stream.conn.peer_certificates().is_some(),
    }
}

/// A request's lines up to the empty one.
fn request(mut next: impl FnMut() -> u8) -> String {
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") && !request.ends_with("\n\n") {
        request.push(char::from(next()));
    }
    request
}

fn byte(stream: &mut impl Read) -> std::io::Result<u8> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// A packet's type, and the content after its length.
fn packet(stream: &mut impl Read, first: u8) -> std::io::Result<(u8, Vec<u8>)> {
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = byte(stream)?;
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((first >> 4, body))
}

fn number(rest: &mut &[u8]) -> u8 {
    let (first, others) = rest.split_first().unwrap();
    *rest = others;
    *first
}

fn binary(rest: &mut &[u8]) -> Vec<u8> {
    let length = usize::from(u16::from_be_bytes([number(rest), number(rest)]));
    let (bytes, others) = rest.split_at(length);
    *rest = others;
    bytes.to_vec()
}

fn text(rest: &mut &[u8]) -> String {
    String::from_utf8(binary(rest)).unwrap()
}

/// The bytes of a list of properties; none of the tests' is longer than two bytes of length can say.
fn properties<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let mut length = usize::from(number(rest));
    if length > 0x7f {
        length = length & 0x7f | usize::from(number(rest)) << 7;
    }
    let (bytes, others) = rest.split_at(length);
    *rest = others;
    bytes
}

impl Connect {
    fn line(&self) -> String {
        let user = self.username.as_deref().unwrap_or("nobody");
        format!("level {} client {:?} user {user} keep alive {}", self.level, self.client_id, self.keep_alive)
    }

    fn read_properties(&mut self, rest: &mut &[u8]) {
        let mut bytes = properties(rest);
        while let Some((id, others)) = bytes.split_first() {
            bytes = others;
            match id {
                0x15 => self.method = Some(text(&mut bytes)),
                0x16 => self.data = Some(binary(&mut bytes)),
                0x21 => bytes = &bytes[2..],
                0x11 => bytes = &bytes[4..],
                other => panic!("property {other:02x}"),
            }
        }
    }
}

fn read_connect(rest: &mut &[u8]) -> Connect {
    assert_eq!(text(rest), "MQTT");
    let (level, flags) = (number(rest), number(rest));
    let keep_alive = u16::from_be_bytes([number(rest), number(rest)]);
    let mut connect = Connect { level, keep_alive, ..Connect::default() };
    if level == 5 {
        connect.read_properties(rest);
    }
    connect.client_id = text(rest);
    assert_eq!(flags & 0x04, 0, "the tests have no wills");
    connect.username = (flags & 0x80 != 0).then(|| text(rest));
    connect.password = (flags & 0x40 != 0).then(|| text(rest));
    connect
}

fn read_publish(first: u8, rest: &mut &[u8], is_v5: bool) -> (Message, Option<[u8; 2]>) {
    let topic = text(rest);
    let qos = first >> 1 & 3;
    let packet_id = (qos > 0).then(|| [number(rest), number(rest)]);
    if is_v5 {
        properties(rest);
    }
    (Message { topic, qos, is_retained: first & 1 == 1, length: rest.len() }, packet_id)
}

fn read_filters(rest: &mut &[u8], is_v5: bool) -> Vec<(String, u8)> {
    if is_v5 {
        properties(rest);
    }
    let mut filters = Vec::new();
    while !rest.is_empty() {
        filters.push((text(rest), number(rest) & 3));
    }
    filters
}
