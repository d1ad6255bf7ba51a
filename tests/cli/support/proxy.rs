//! Proxies that work: microsocks, and one of our own for HTTP's CONNECT.

use super::broker::find;
use super::{Program, Running, Wire, wait_for_listener};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// A SOCKS5 proxy.
pub struct Microsocks {
    _running: Running,
    pub address: SocketAddr,
}

impl Microsocks {
    /// `None`, and a word about it, when it is not installed.
    pub fn start(options: &str) -> Option<Microsocks> {
        let program = find("microsocks")?;
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let line = format!("-i 127.0.0.1 -p {} {options}", address.port());
        let running = Program::new(program).words(&line).spawn();
        wait_for_listener(address);
        Some(Microsocks { _running: running, address })
    }
}

/// Starts a proxy that takes CONNECT, until the tests end. Gives its address.
pub fn start_http_proxy() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            thread::spawn(|| tunnel(client.unwrap()));
        }
    });
    address
}

fn tunnel(client: TcpStream) {
    let mut wire = Wire::new(client);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        request.push(char::from(wire.expect_byte()));
    }
    let target = request.split(' ').nth(1).unwrap();
    let server = TcpStream::connect(target).unwrap();
    wire.send_bytes(b"HTTP/1.1 200 OK\r\n\r\n");
    let client = wire.into_stream();
    let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || copy(back.0, back.1));
    copy(client, server);
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to); // however it ends, that was all
    let _ = to.shutdown(Shutdown::Write);
}
