//! MQTT-SN as a transport of MQTT: a stream of MQTT packets that an adapter turns into datagrams to a gateway.

use super::datagrams::MAX_DATAGRAM;
use super::forwarder::Forwarder;
use super::gateway_socket::{self, GatewaySocket};
use super::{ConnectError, Stream};
use crate::protocol::sn::client::{AnyAdapter, GatewayError, Rejections, Settings};
use crate::protocol::sn::{Message, Version, v2};
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UdpSocket;
use tokio::time::{Sleep, sleep, timeout};

/// The time between two SEARCHGW. The specification has up to 5 s, so that many devices do not ask at once.
const SEARCH_INTERVAL: Duration = Duration::from_secs(1);

/// The time of a timer that is not set.
const FAR: Duration = Duration::from_secs(24 * 3600);

/// The parameters of a connection to a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GatewayOptions {
    pub version: Version,
    pub settings: Settings,
    /// Search a gateway at the address, which may be a multicast group or a broadcast address.
    pub searches: bool,
}

/// The datagrams of the clients that share these counts, and the events that MQTT does not show.
#[derive(Debug, Default)]
pub(crate) struct GatewayCounts {
    pub sent: AtomicU64,
    pub received: AtomicU64,
    /// Messages that were sent again.
    pub repeated: AtomicU64,
    /// Messages that were given up without an answer.
    pub unanswered: AtomicU64,
    /// Answers with the return code for congestion.
    pub congestion: AtomicU64,
    /// PUBLISH messages that the gateway sent again.
    pub received_again: AtomicU64,
    /// Datagrams that cannot be decoded.
    pub malformed: AtomicU64,
}

/// A connection to a gateway. It is driven by reads, writes and flushes.
#[derive(Debug)]
pub(crate) struct GatewayStream {
    socket: GatewaySocket,
    adapter: AnyAdapter,
    timer: Pin<Box<Sleep>>,
    /// The time of the timer, which may be earlier than the next deadline: a deadline moves with each request, and a timer costs more.
    wakes_at: Option<Instant>,
    /// The end of the connection, reported after the packets that arrived before.
    failure: Option<io::Error>,
    /// Whether the connection has failed.
    is_over: bool,
    counts: Option<Arc<GatewayCounts>>,
}

/// Prepares a connection to a gateway; nothing is sent before the MQTT client's CONNECT, except to search a gateway.
///
/// # Errors
/// If the name cannot be resolved, there is no socket, or no gateway answers the search.
pub(super) async fn connect(
    host: &str,
    port: u16,
    bind: Option<IpAddr>,
    options: &GatewayOptions,
) -> Result<Stream, ConnectError> {
    let address = find(host, port, bind, options).await?;
    let socket = gateway_socket::open(address, bind.map(|bind| SocketAddr::new(bind, 0))).await?;
    let adapter = AnyAdapter::new(options.version, options.settings.clone());
    Ok(stream(GatewaySocket::own(socket), adapter, None))
}

/// The address of a gateway: that of a name, or that of the first gateway that answers a search.
///
/// # Errors
/// If the name cannot be resolved, or no gateway can be searched.
pub(crate) async fn find(
    host: &str,
    port: u16,
    bind: Option<IpAddr>,
    options: &GatewayOptions,
) -> Result<SocketAddr, ConnectError> {
    let address = gateway_socket::find(host, port, bind).await?;
    if options.searches { search(address, bind, options.version).await } else { Ok(address) }
}

/// Prepares one of many connections to a gateway, from a local address and port if one is given.
///
/// # Errors
/// If the local address is unusable or in use, or there is no route.
pub(crate) async fn connect_from(
    source: Option<SocketAddr>,
    address: SocketAddr,
    settings: Settings,
    counts: Arc<GatewayCounts>,
) -> Result<Stream, ConnectError> {
    let socket = gateway_socket::open(address, source).await?;
    Ok(stream(GatewaySocket::own(socket), AnyAdapter::new(Version::V12, settings), Some(counts)))
}

/// Prepares a connection through a forwarder.
pub(crate) fn connect_through(
    forwarder: &Forwarder,
    node_id: u32,
    settings: Settings,
    counts: Arc<GatewayCounts>,
) -> Stream {
    let adapter = AnyAdapter::new(Version::V12, settings);
    stream(GatewaySocket::Forwarded(forwarder.open(node_id)), adapter, Some(counts))
}

/// Opens the socket of a forwarder.
///
/// # Errors
/// If the local address is unusable or in use, or there is no route.
pub(crate) async fn open_forwarder(
    source: Option<SocketAddr>,
    address: SocketAddr,
) -> Result<Forwarder, ConnectError> {
    Ok(Forwarder::new(gateway_socket::open(address, source).await?))
}

fn stream(socket: GatewaySocket, adapter: AnyAdapter, counts: Option<Arc<GatewayCounts>>) -> Stream {
    let timer = Box::pin(sleep(FAR));
    Stream::Gateway(Box::new(GatewayStream {
        socket,
        adapter,
        timer,
        wakes_at: None,
        failure: None,
        is_over: false,
        counts,
    }))
}

/// Sends SEARCHGW until a gateway answers with GWINFO. The endpoint's timeout ends the search.
async fn search(
    target: SocketAddr,
    bind: Option<IpAddr>,
    version: Version,
) -> Result<SocketAddr, ConnectError> {
    let failed = |source| ConnectError::Connect { address: target, source };
    let socket = gateway_socket::bind(target, bind.map(|bind| SocketAddr::new(bind, 0))).await?;
    // Only broadcast addresses need it.
    let _ = socket.set_broadcast(true);
    let mut question = Vec::new();
    // SEARCHGW always fits into a datagram.
    let _ = match version {
        Version::V12 => Message::SearchGw { radius: 0 }.encode(&mut question),
        Version::V20 => v2::Packet::SearchGw { information: &[] }.encode(&mut question),
    };
    loop {
        socket.send_to(&question, target).await.map_err(failed)?;
        if let Ok(found) = timeout(SEARCH_INTERVAL, answer(&socket, version)).await {
            return found.map_err(failed);
        }
    }
}

/// The address of the gateway that answers first. A GWINFO with an address is from another client, and is ignored.
async fn answer(socket: &UdpSocket, version: Version) -> io::Result<SocketAddr> {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let (length, address) = socket.recv_from(&mut buffer).await?;
        let datagram = buffer.get(..length).unwrap_or_default();
        let is_answer = match version {
            Version::V12 => matches!(Message::decode(datagram), Ok(Message::GwInfo { address: [], .. })),
            Version::V20 => {
                matches!(v2::Packet::decode(datagram), Ok(v2::Packet::GwInfo { address: [], .. }))
            }
        };
        if is_answer {
            return Ok(address);
        }
    }
}

impl GatewayStream {
    /// Sends, receives and acts on timers, as far as possible without waiting.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if !self.is_over
            && let Err(error) = self.drive_socket(cx)
        {
            let is_closed_port = error.kind() == io::ErrorKind::ConnectionRefused;
            self.failure =
                Some(if is_closed_port { io::Error::other(GatewayError::NotListening) } else { error });
            self.is_over = true;
        }
        self.count();
    }

    /// Adds the events of this connection to the common counts.
    fn count(&mut self) {
        let Some(counts) = &self.counts else { return };
        let taken = self.adapter.take_counts();
        let events = [
            (&counts.repeated, taken.repeated),
            (&counts.unanswered, taken.unanswered),
            (&counts.congestion, taken.congestion),
            (&counts.received_again, taken.received_again),
            (&counts.malformed, taken.malformed),
        ];
        for (count, new) in events.into_iter().filter(|(_, new)| *new > 0) {
            count.fetch_add(new.into(), Ordering::Relaxed);
        }
    }

    fn drive_socket(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        loop {
            self.send(cx)?;
            let has_received = self.receive(cx)?;
            let has_ticked = self.tick(cx)?;
            if !has_received && !has_ticked {
                // An answer to the last datagram may be due.
                self.send(cx)?;
                return self.socket.check(cx);
            }
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Some(datagram) = self.adapter.datagram() {
            match self.socket.poll_send(cx, datagram) {
                Poll::Ready(sent) => sent?,
                Poll::Pending => break,
            }
            self.adapter.sent();
            if let Some(counts) = &self.counts {
                counts.sent.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn receive(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut has_received = false;
        let mut space = [const { MaybeUninit::uninit() }; MAX_DATAGRAM];
        while self.adapter.takes_datagrams() && !self.adapter.is_closed() {
            let mut buffer = ReadBuf::uninit(&mut space);
            match self.socket.poll_receive(cx, &mut buffer) {
                Poll::Ready(received) => received?,
                Poll::Pending => break,
            }
            if let Some(counts) = &self.counts {
                counts.received.fetch_add(1, Ordering::Relaxed);
            }
            self.adapter.take_datagram(buffer.filled(), Instant::now()).map_err(io::Error::other)?;
            has_received = true;
        }
        Ok(has_received)
    }

    /// Returns whether a timer had expired.
    fn tick(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let Some(deadline) = self.adapter.deadline() else { return Ok(false) };
        let now = Instant::now();
        if deadline <= now {
            self.adapter.tick(now).map_err(io::Error::other)?;
            return Ok(true);
        }
        self.arrange_wake_up(cx, deadline);
        Ok(false)
    }

    /// Arranges a wake-up at a time or earlier.
    fn arrange_wake_up(&mut self, cx: &mut Context<'_>, deadline: Instant) {
        if self.wakes_at.is_none_or(|at| at > deadline) {
            self.set_timer(deadline);
        }
        if self.timer.as_mut().poll(cx).is_ready() {
            // It was set for an earlier deadline.
            self.set_timer(deadline);
            let _ = self.timer.as_mut().poll(cx);
        }
    }

    fn set_timer(&mut self, time: Instant) {
        self.timer.as_mut().reset(time.into());
        self.wakes_at = Some(time);
    }

    /// Takes the messages of QoS 0 that the gateway rejected since the last call, if they are counted.
    pub(super) fn take_rejections(&mut self) -> Option<Rejections> {
        self.adapter.take_rejections()
    }

    fn take_failure(&mut self) -> io::Result<()> {
        self.failure.take().map_or(Ok(()), Err)
    }
}

impl AsyncRead for GatewayStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.drive(cx);
        let packets = this.adapter.packets_mut();
        if !packets.is_empty() {
            let count = packets.len().min(buffer.remaining());
            buffer.put_slice(packets.get(..count).unwrap_or_default());
            packets.drain(..count);
            return Poll::Ready(Ok(()));
        }
        this.take_failure()?;
        if this.adapter.is_closed() || this.is_over { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

impl AsyncWrite for GatewayStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.drive(cx);
        this.take_failure()?;
        if this.is_over {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if !this.adapter.takes_packets() {
            return Poll::Pending;
        }
        this.adapter.take_bytes(bytes, Instant::now()).map_err(io::Error::other)?;
        this.drive(cx);
        Poll::Ready(Ok(bytes.len()))
    }

    /// Ready when the gateway has answered all requests, so that no DISCONNECT comes before a message of QoS 0 whose topic has to
    /// be registered first.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.drive(cx);
        this.take_failure()?;
        let is_closed = this.adapter.is_closed() && this.adapter.datagram().is_none();
        if this.adapter.is_drained() || is_closed || this.is_over {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        Poll::Ready(Ok(()))
    }
}

/// The gateway's reason in an error of the stream.
pub(crate) fn gateway_error(error: io::Error) -> Result<GatewayError, io::Error> {
    error.downcast::<GatewayError>()
}
