//! The peer that a case of the catalogue describes, a step a line.
//!
//! | step | meaning |
//! |---|---|
//! | `read 10` | reads a packet of this type |
//! | `send 20 (00 00)` | sends bytes, written as in `support::bytes` |
//! | `v311`, `v5 PROPERTIES` | reads CONNECT and accepts it |
//! | `http` | reads to the end of an HTTP request |
//! | `ws` | reads an HTTP request, and accepts the WebSocket |
//! | `end` | waits until the client closes |
//! | `accept` | closes the connection and waits for the next one |
//! | `tls NAME` | instead of all others: a TLS server with a certificate of `super::tls` |
//! | `broker OPTIONS` | instead of all others: `mq broker` with these options |

use super::super::support::*;
use std::net::SocketAddr;
use tungstenite::handshake::derive_accept_key;

/// A peer that runs.
pub enum Peer {
    Scripted(ScriptedPeer),
    Tls(TlsPeer),
    Broker(EmbeddedBroker),
}

impl Peer {
    /// Starts the peer. `None` without steps.
    pub fn start(steps: &[String], files: &certificates::Files) -> Option<Peer> {
        let first = steps.first()?;
        Some(match first.split_once(' ').unwrap_or((first, "")) {
            ("tls", name) => Peer::Tls(super::tls::start(name, files)),
            ("broker", options) => {
                let options = files.words(&options.replace("[DIR]", "{}"));
                Peer::Broker(EmbeddedBroker::start_with(&format!("-p 0 {options}")))
            }
            _ => {
                let steps = steps.to_vec();
                Peer::Scripted(ScriptedPeer::start(move |acceptor| run(&steps, acceptor)))
            }
        })
    }

    /// The address of the peer.
    pub fn address(&self) -> SocketAddr {
        match self {
            Peer::Scripted(peer) => peer.address(),
            Peer::Tls(peer) => peer.address(),
            Peer::Broker(broker) => broker.address(),
        }
    }

    /// Waits for the end of the script.
    pub fn finish(self) {
        match self {
            Peer::Scripted(peer) => peer.finish(),
            Peer::Tls(peer) => drop(peer.finish()),
            Peer::Broker(_) => {}
        }
    }
}

fn run(steps: &[String], acceptor: &mut peer::Acceptor) {
    let mut wire = acceptor.accept();
    for step in steps {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        match verb {
            "read" => drop(wire.expect_type(u8::from_str_radix(rest, 16).expect("a byte in hexadecimal"))),
            "send" => wire.try_send_bytes(&bytes::hex(rest)),
            "v311" => {
                wire.expect_type(0x10);
                wire.send("20 (00 00)");
            }
            "v5" => {
                wire.speak_v5();
                wire.expect_type(0x10);
                wire.send(&format!("20 (00 00 ({rest}))"));
            }
            "http" => drop(read_request(&mut wire)),
            "ws" => accept_web_socket(&mut wire),
            "end" => drop(wire.expect_end()),
            "accept" => {
                close(wire);
                wire = acceptor.accept();
            }
            _ => panic!("unknown step: {step}"),
        }
    }
    close(wire);
}

/// Unread bytes would make the kernel reset the connection, and the client could not read the last packet.
fn close(mut wire: Wire) {
    wire.finish_sending();
    wire.expect_end();
}

fn read_request(wire: &mut Wire) -> String {
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        request.push(char::from(wire.expect_byte()));
    }
    request
}

fn accept_web_socket(wire: &mut Wire) {
    let request = read_request(wire);
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .expect("a request has a key");
    let accept = derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
         Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    wire.send_bytes(answer.as_bytes());
}
