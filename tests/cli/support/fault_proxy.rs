//! A TCP proxy that breaks connections: it cuts them, stalls them, or accepts no others.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// The treatment of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pass,
    /// Connections stay open, and no bytes pass in either direction.
    Stall,
    /// New connections are closed at once.
    Refuse,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    /// Both streams of each connection.
    streams: Vec<TcpStream>,
}

/// A proxy in front of a server, until the tests end.
#[derive(Debug, Clone)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl FaultProxy {
    /// Forwards connections to `server`.
    pub fn start(server: SocketAddr) -> FaultProxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { mode: Mode::Pass, streams: Vec::new() };
        let proxy = FaultProxy { address, shared: Arc::new((Mutex::new(state), Condvar::new())) };
        let accepting = proxy.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                accepting.forward(client.unwrap(), server);
            }
        });
        proxy
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections. New ones are accepted.
    pub fn cut(&self) {
        self.close(Mode::Pass);
    }

    /// Closes all connections, and each new one.
    pub fn refuse(&self) {
        self.close(Mode::Refuse);
    }

    /// Forwards no more bytes, and leaves connections open.
    pub fn stall(&self) {
        self.set(Mode::Stall);
    }

    /// Forwards again, bytes of stalled connections included.
    pub fn pass(&self) {
        self.set(Mode::Pass);
    }

    fn set(&self, mode: Mode) {
        self.shared.0.lock().unwrap().mode = mode;
        self.shared.1.notify_all();
    }

    fn close(&self, mode: Mode) {
        let mut state = self.shared.0.lock().unwrap();
        for stream in state.streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both); // it may be closed already
        }
        state.mode = mode;
        self.shared.1.notify_all();
    }

    fn forward(&self, client: TcpStream, server: SocketAddr) {
        let mut state = self.shared.0.lock().unwrap();
        if state.mode == Mode::Refuse {
            return;
        }
        let Ok(server) = TcpStream::connect(server) else { return };
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        state.streams.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
        drop(state);
        let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let (there, again) = (self.clone(), self.clone());
        thread::spawn(move || there.copy(client, server));
        thread::spawn(move || again.copy(back.0, back.1));
    }

    fn copy(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count) = from.read(&mut bytes) {
            if count == 0 {
                break;
            }
            let state = self.shared.0.lock().unwrap();
            drop(self.shared.1.wait_while(state, |state| state.mode == Mode::Stall).unwrap());
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both); // the other direction ends, too
        let _ = from.shutdown(Shutdown::Both);
    }
}
