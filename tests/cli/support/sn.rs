//! MQTT-SN: the gateway, a peer with scripted datagrams, and a relay that loses, doubles and reorders datagrams by plan.

use super::bytes::{Pattern, hex};
use super::{DEADLINE, Program, Running, mq};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// `mq gateway` on a free port.
pub struct Gateway {
    pub running: Running,
    pub address: SocketAddr,
}

impl Gateway {
    /// Starts it in front of a broker, with these options.
    pub fn start(broker: SocketAddr, options: &str) -> Gateway {
        let mut running = mq("gateway").words(&format!("--listen 0 --to {broker} {options}")).spawn();
        let line = running.wait_for_stdout("(MQTT-SN)");
        Gateway { running, address: address_in(&line) }
    }

    /// `mq` with this command, as a client of the gateway.
    pub fn mq(&self, words: &str) -> Program {
        client_of(self.address, words)
    }

    /// A scripted client.
    pub fn peer(&self) -> SnPeer {
        SnPeer::to(self.address)
    }
}

/// The address in a line such as `listening on 127.0.0.1:10000 (MQTT-SN)`.
pub fn address_in(line: &str) -> SocketAddr {
    let word = line.split(' ').nth(2).and_then(|word| word.parse().ok());
    word.unwrap_or_else(|| panic!("no address in {line}"))
}

/// `mq` with this command, as a client of the gateway at this address.
pub fn client_of(gateway: SocketAddr, words: &str) -> Program {
    let (subcommand, options) = words.split_once(' ').unwrap_or((words, ""));
    let place = format!("--sn -h {} -p {}", gateway.ip(), gateway.port());
    mq(subcommand).words(&place).words(options)
}

/// A client or a gateway whose datagrams are scripted. Messages are written without their length.
pub struct SnPeer {
    socket: UdpSocket,
    other: Option<SocketAddr>,
}

impl SnPeer {
    /// A client of the gateway at this address.
    pub fn to(gateway: SocketAddr) -> SnPeer {
        SnPeer { other: Some(gateway), ..SnPeer::listen() }
    }

    /// A client of the gateway at this address, with another address of this machine.
    pub fn at(ip: &str, gateway: SocketAddr) -> SnPeer {
        SnPeer { other: Some(gateway), ..SnPeer::listen_at(ip) }
    }

    /// A gateway, which answers the address of the last datagram.
    pub fn listen() -> SnPeer {
        SnPeer::listen_at("127.0.0.1")
    }

    fn listen_at(ip: &str) -> SnPeer {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        SnPeer { socket, other: None }
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// `mq` with this command, as a client of this gateway.
    pub fn mq(&self, words: &str) -> Program {
        client_of(self.address(), words)
    }

    /// Sends a message.
    pub fn send(&self, message: &str) {
        self.send_datagram(&framed(hex(message)));
    }

    /// Sends a datagram as it is.
    pub fn send_datagram(&self, datagram: &[u8]) {
        self.socket.send_to(datagram, self.other.expect("the other side is known")).unwrap();
    }

    /// Receives a message that matches.
    #[track_caller]
    pub fn expect(&mut self, message: &str) -> Vec<u8> {
        let mut pattern: Vec<String> = vec![message.to_owned()];
        let length = Pattern::parse(message).len() + 1;
        pattern.insert(0, format!("{length:02x}"));
        let pattern = Pattern::parse(&pattern.join(" "));
        let datagram = self.receive();
        let is_match = datagram.len() == pattern.len() && pattern.begins_with(&datagram);
        assert!(is_match, "expected {message}\n{}", pattern.diff(&datagram));
        datagram
    }

    /// Sends a message, and receives the answer.
    #[track_caller]
    pub fn ask(&mut self, message: &str, answer: &str) -> Vec<u8> {
        self.send(message);
        self.expect(answer)
    }

    /// The next datagram.
    #[track_caller]
    pub fn receive(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 65536];
        let (length, other) = self.socket.recv_from(&mut buffer).expect("a datagram within the deadline");
        self.other = Some(other);
        buffer.truncate(length);
        buffer
    }

    /// Connects with a clean session.
    #[track_caller]
    pub fn connect(&mut self, client_id: &str) {
        self.ask(&format!("04 04 01 003c '{client_id}'"), "05 00");
    }

    /// Nothing was received before the answer to PINGREQ.
    #[track_caller]
    pub fn expect_nothing(&mut self) {
        self.ask("16", "17");
    }
}

/// A message with its length in front.
pub fn framed(message: Vec<u8>) -> Vec<u8> {
    let mut datagram = match u8::try_from(message.len() + 1) {
        Ok(length) => vec![length],
        Err(_) => {
            let length = u16::try_from(message.len() + 3).unwrap();
            [&[1], &length.to_be_bytes()[..]].concat()
        }
    };
    datagram.extend(message);
    datagram
}

/// The fate of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Pass,
    Lose,
    Double,
    /// It is sent after the next one.
    Delay,
}

/// A relay between one client and a gateway.
pub struct LossyRelay {
    pub address: SocketAddr,
    ends: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl LossyRelay {
    /// Relays to this gateway. The plan has the fate of each datagram, by its number in its direction; `true` is the direction to
    /// the gateway.
    pub fn start(
        gateway: SocketAddr,
        plan: impl Fn(bool, usize) -> Fate + Send + Clone + 'static,
    ) -> LossyRelay {
        let front = UdpSocket::bind("127.0.0.1:0").unwrap();
        let back = UdpSocket::bind("127.0.0.1:0").unwrap();
        back.connect(gateway).unwrap();
        let address = front.local_addr().unwrap();
        let ends = Arc::new(AtomicBool::new(false));
        for socket in [&front, &back] {
            socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        }
        let (front_reader, back_writer) = (front.try_clone().unwrap(), back.try_clone().unwrap());
        let (to_gateway, to_client) = (plan.clone(), plan);
        let (ends_first, ends_second) = (Arc::clone(&ends), Arc::clone(&ends));
        // The client's address, once it is known.
        let (tell, client) = std::sync::mpsc::channel();
        let forward = thread::spawn(move || {
            relay(
                &ends_first,
                |number| to_gateway(true, number),
                |buffer| {
                    let (length, address) = front_reader.recv_from(buffer).ok()?;
                    let _ = tell.send(address);
                    Some(length)
                },
                |datagram| drop(back_writer.send(datagram)),
            );
        });
        let backward = thread::spawn(move || {
            let mut known = None;
            relay(
                &ends_second,
                |number| to_client(false, number),
                |buffer| back.recv(buffer).ok(),
                |datagram| {
                    known = client.try_iter().last().or(known);
                    if let Some(address) = known {
                        drop(front.send_to(datagram, address));
                    }
                },
            );
        });
        LossyRelay { address, ends, threads: vec![forward, backward] }
    }
}

impl Drop for LossyRelay {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn relay(
    ends: &AtomicBool,
    fate: impl Fn(usize) -> Fate,
    mut receive: impl FnMut(&mut [u8]) -> Option<usize>,
    mut send: impl FnMut(&[u8]),
) {
    let mut buffer = vec![0; 65536];
    let mut delayed: Option<Vec<u8>> = None;
    let mut number = 0;
    while !ends.load(Ordering::Relaxed) {
        let Some(length) = receive(&mut buffer) else { continue };
        let datagram = &buffer[..length];
        let earlier = delayed.take();
        match fate(number) {
            Fate::Lose => {}
            Fate::Pass => send(datagram),
            Fate::Double => {
                send(datagram);
                send(datagram);
            }
            Fate::Delay => delayed = Some(datagram.to_vec()),
        }
        if let Some(earlier) = earlier {
            send(&earlier);
        }
        number += 1;
    }
}

/// A number below 100 for each datagram: a fixed plan without a pattern that an exchange could follow.
pub fn spread(is_to_gateway: bool, number: usize) -> usize {
    let seed = (number as u64 * 2 + u64::from(is_to_gateway)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (((seed ^ (seed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) % 100) as usize
}
