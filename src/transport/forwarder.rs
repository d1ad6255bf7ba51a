//! A forwarder of MQTT-SN: one socket for the clients behind it. Their datagrams are encapsulated with a node id each
//! (MQTT-SN 1.2, section 5.5).
//!
//! A task of its own receives the datagrams and hands them out, since only one task can wait for a socket.

use super::datagrams::MAX_DATAGRAM;
use crate::protocol::sn::{Encapsulated, Message};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

/// The most datagrams that wait for a client; further ones are dropped, as by a full receive buffer.
const MAX_RECEIVED: usize = 256;

/// The most bytes that wait while the system's send buffer is full; further datagrams are dropped, as by a network.
const MAX_UNSENT: usize = 4 << 20;

/// A forwarder. All clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Forwarder {
    shared: Arc<Shared>,
}

/// The connection of one client to its forwarder. Its drop ends it.
#[derive(Debug)]
pub(crate) struct ForwarderPort {
    shared: Arc<Shared>,
    node_id: u32,
    /// Distinguishes it from later connections of the same node.
    number: u64,
}

#[derive(Debug)]
struct Shared {
    socket: UdpSocket,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    inboxes: HashMap<u32, Inbox>,
    opened: u64,
    unsent: VecDeque<Vec<u8>>,
    unsent_bytes: usize,
    /// The task that sends and receives.
    driver: Option<Waker>,
    /// Datagrams that were dropped since nothing had room for them.
    dropped: u64,
}

/// The received datagrams of a client.
#[derive(Debug)]
struct Inbox {
    number: u64,
    datagrams: VecDeque<Vec<u8>>,
    failure: Option<io::ErrorKind>,
    client: Option<Waker>,
}

impl Forwarder {
    /// Takes a socket that is connected to the gateway.
    pub(crate) fn new(socket: UdpSocket) -> Forwarder {
        Forwarder { shared: Arc::new(Shared { socket, state: Mutex::default() }) }
    }

    /// Adds a client with this node id.
    pub(crate) fn open(&self, node_id: u32) -> ForwarderPort {
        let mut state = self.shared.lock();
        state.opened += 1;
        let number = state.opened;
        let inbox = Inbox { number, datagrams: VecDeque::new(), failure: None, client: None };
        state.inboxes.insert(node_id, inbox);
        ForwarderPort { shared: Arc::clone(&self.shared), node_id, number }
    }

    /// The number of datagrams that were dropped here.
    pub(crate) fn dropped(&self) -> u64 {
        self.shared.lock().dropped
    }

    /// Sends and receives for the clients, until the future is dropped.
    pub(crate) async fn run(self) {
        let mut buffer = vec![0; MAX_DATAGRAM];
        poll_fn(|cx| {
            self.shared.lock().driver = Some(cx.waker().clone());
            self.shared.poll_send(cx);
            self.shared.poll_receive(cx, &mut buffer);
            Poll::<()>::Pending
        })
        .await;
    }
}

impl Shared {
    /// No code panics while it holds the lock, and a panic ends the program.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_send(&self, cx: &mut Context<'_>) {
        let mut state = self.lock();
        while let Some(datagram) = state.unsent.front() {
            match self.socket.poll_send(cx, datagram) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => state.fail(error.kind()),
                Poll::Pending => return,
            }
            state.remove_unsent();
        }
    }

    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut [u8]) {
        loop {
            let mut buffer = ReadBuf::new(buffer);
            match self.socket.poll_recv(cx, &mut buffer) {
                Poll::Ready(Ok(())) => self.lock().hand_out(buffer.filled()),
                Poll::Ready(Err(error)) => self.lock().fail(error.kind()),
                Poll::Pending => return,
            }
        }
    }
}

impl State {
    /// Gives a datagram to the client of its node id. Others are ignored.
    fn hand_out(&mut self, datagram: &[u8]) {
        let Ok(Message::Encapsulated(Encapsulated { node_id, message, .. })) = Message::decode(datagram)
        else {
            return;
        };
        let inbox = <[u8; 4]>::try_from(node_id).ok().map(u32::from_be_bytes);
        let Some(inbox) = inbox.and_then(|node_id| self.inboxes.get_mut(&node_id)) else { return };
        if inbox.datagrams.len() >= MAX_RECEIVED {
            self.dropped += 1;
            return;
        }
        inbox.datagrams.push_back(message.to_vec());
        inbox.wake();
    }

    /// Fails all clients with an error of the socket: ICMP says that nothing listens at the gateway's port.
    fn fail(&mut self, kind: io::ErrorKind) {
        for inbox in self.inboxes.values_mut() {
            inbox.failure = Some(kind);
            inbox.wake();
        }
    }

    fn keep_unsent(&mut self, datagram: Vec<u8>) {
        if self.unsent_bytes + datagram.len() > MAX_UNSENT {
            self.dropped += 1;
            return;
        }
        self.unsent_bytes += datagram.len();
        self.unsent.push_back(datagram);
        self.driver.iter().for_each(Waker::wake_by_ref);
    }

    fn remove_unsent(&mut self) {
        if let Some(datagram) = self.unsent.pop_front() {
            self.unsent_bytes -= datagram.len();
        }
    }
}

impl Inbox {
    fn wake(&mut self) {
        if let Some(client) = self.client.take() {
            client.wake();
        }
    }
}

impl ForwarderPort {
    /// Sends a message for this client, now or when the system takes it.
    ///
    /// # Errors
    /// If the socket reports an error.
    pub(crate) fn send(&self, message: &[u8]) -> io::Result<()> {
        let mut datagram = Vec::new();
        let node_id = &self.node_id.to_be_bytes();
        let encapsulated = Message::Encapsulated(Encapsulated { radius: 0, node_id, message });
        encapsulated.encode(&mut datagram).map_err(io::Error::other)?;
        let mut state = self.shared.lock();
        if state.unsent.is_empty() {
            match self.shared.socket.try_send(&datagram) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    // It may be about a datagram of another client.
                    state.fail(error.kind());
                    return Err(error);
                }
            }
        }
        state.keep_unsent(datagram);
        Ok(())
    }

    /// Receives the next message for this client.
    pub(crate) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let message = ready!(self.poll_message(cx))?;
        let length = message.len().min(buffer.remaining());
        buffer.put_slice(message.get(..length).unwrap_or_default());
        Poll::Ready(Ok(()))
    }

    fn poll_message(&self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        let mut state = self.shared.lock();
        let inbox = state.inboxes.get_mut(&self.node_id).filter(|inbox| inbox.number == self.number);
        let Some(inbox) = inbox else { return Poll::Ready(Err(io::ErrorKind::NotConnected.into())) };
        if let Some(message) = inbox.datagrams.pop_front() {
            return Poll::Ready(Ok(message));
        }
        if let Some(kind) = inbox.failure.take() {
            return Poll::Ready(Err(kind.into()));
        }
        inbox.client = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for ForwarderPort {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if state.inboxes.get(&self.node_id).is_some_and(|inbox| inbox.number == self.number) {
            state.inboxes.remove(&self.node_id);
        }
    }
}
