//! MQTT-SN as a transport of MQTT: a stream of MQTT packets that an adapter turns into datagrams to a gateway.

use super::{ConnectError, Stream, tcp};
use crate::protocol::sn::Message;
use crate::protocol::sn::client::{Adapter, GatewayError, Settings};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::UdpSocket;
use tokio::time::{Sleep, sleep, timeout};

/// The largest datagram.
const LARGEST_DATAGRAM: usize = 65_535;

/// The time between two SEARCHGW. The specification has up to 5 s, so that many devices do not ask at once.
const SEARCH_INTERVAL: Duration = Duration::from_secs(1);

/// The longest wait without a timer.
const FAR: Duration = Duration::from_secs(24 * 3600);

/// The parameters of a connection to a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GatewayOptions {
    pub settings: Settings,
    /// Search a gateway at the address, which may be a multicast group or a broadcast address.
    pub searches: bool,
}

/// A connection to a gateway. It is driven by reads, writes and flushes.
#[derive(Debug)]
pub(crate) struct GatewayStream {
    socket: Arc<UdpSocket>,
    /// An error of the socket between datagrams: nothing listens at the port, as ICMP says.
    fault: SocketFault,
    adapter: Adapter,
    timer: Pin<Box<Sleep>>,
    /// The end of the connection, reported after the packets that arrived before.
    failure: Option<io::Error>,
    buffer: Vec<u8>,
}

/// Waits for an error of a socket, which does not wake up readers.
struct SocketFault(Pin<Box<dyn Future<Output = io::Result<io::Error>> + Send>>);

impl SocketFault {
    fn of(socket: &Arc<UdpSocket>) -> SocketFault {
        let socket = Arc::clone(socket);
        SocketFault(Box::pin(async move {
            let take_error = || socket.take_error()?.ok_or_else(|| io::ErrorKind::WouldBlock.into());
            socket.async_io(Interest::ERROR, take_error).await
        }))
    }
}

impl fmt::Debug for SocketFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SocketFault")
    }
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
    let mut address = first_address(host, port, bind).await?;
    if options.searches {
        address = search(address, bind).await?;
    }
    let failed = |source| ConnectError::Connect { address, source };
    let socket = open(address, bind).await?;
    socket.connect(address).await.map_err(failed)?;
    let socket = Arc::new(socket);
    let fault = SocketFault::of(&socket);
    let adapter = Adapter::new(options.settings.clone());
    let (timer, buffer) = (Box::pin(sleep(FAR)), vec![0; LARGEST_DATAGRAM]);
    Ok(Stream::Gateway(Box::new(GatewayStream { socket, fault, adapter, timer, failure: None, buffer })))
}

async fn first_address(host: &str, port: u16, bind: Option<IpAddr>) -> Result<SocketAddr, ConnectError> {
    let addresses = tcp::resolve(host, port).await?;
    let usable =
        addresses.into_iter().find(|address| bind.is_none_or(|bind| bind.is_ipv4() == address.is_ipv4()));
    usable.ok_or_else(|| ConnectError::NoAddress { host: host.to_owned(), bind })
}

async fn open(target: SocketAddr, bind: Option<IpAddr>) -> Result<UdpSocket, ConnectError> {
    let unspecified: IpAddr =
        if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let local = bind.unwrap_or(unspecified);
    let socket = UdpSocket::bind(SocketAddr::new(local, 0)).await;
    socket.map_err(|source| ConnectError::Bind { address: local, source })
}

/// Sends SEARCHGW until a gateway answers with GWINFO. The endpoint's timeout ends the search.
async fn search(target: SocketAddr, bind: Option<IpAddr>) -> Result<SocketAddr, ConnectError> {
    let failed = |source| ConnectError::Connect { address: target, source };
    let socket = open(target, bind).await?;
    // Only broadcast addresses need it.
    let _ = socket.set_broadcast(true);
    let mut question = Vec::new();
    // SEARCHGW always fits into a datagram.
    let _ = Message::SearchGw { radius: 0 }.encode(&mut question);
    loop {
        socket.send_to(&question, target).await.map_err(failed)?;
        if let Ok(found) = timeout(SEARCH_INTERVAL, answer(&socket)).await {
            return found.map_err(failed);
        }
    }
}

/// The address of the gateway that answers first. A GWINFO with an address is from another client, and is ignored.
async fn answer(socket: &UdpSocket) -> io::Result<SocketAddr> {
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        let (length, address) = socket.recv_from(&mut buffer).await?;
        let datagram = buffer.get(..length).unwrap_or_default();
        if matches!(Message::decode(datagram), Ok(Message::GwInfo { address: [], .. })) {
            return Ok(address);
        }
    }
}

impl GatewayStream {
    /// Sends, receives and acts on timers, as far as possible without waiting.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if self.failure.is_none()
            && let Err(error) = self.drive_socket(cx)
        {
            let is_closed_port = error.kind() == io::ErrorKind::ConnectionRefused;
            self.failure =
                Some(if is_closed_port { io::Error::other(GatewayError::NotListening) } else { error });
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
                return self.check_socket(cx);
            }
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Some(datagram) = self.adapter.datagram() {
            match self.socket.poll_send(cx, datagram) {
                Poll::Ready(sent) => sent.map(|_| self.adapter.sent())?,
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// Returns the error of the socket, or arranges a wake-up for it.
    fn check_socket(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.fault.0.as_mut().poll(cx) {
            Poll::Ready(fault) => {
                self.fault = SocketFault::of(&self.socket);
                Err(fault?)
            }
            Poll::Pending => Ok(()),
        }
    }

    fn receive(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut has_received = false;
        while self.adapter.takes_datagrams() && !self.adapter.is_closed() {
            let mut buffer = ReadBuf::new(&mut self.buffer);
            match self.socket.poll_recv(cx, &mut buffer) {
                Poll::Ready(received) => received?,
                Poll::Pending => break,
            }
            self.adapter.take_datagram(buffer.filled(), Instant::now()).map_err(io::Error::other)?;
            has_received = true;
        }
        Ok(has_received)
    }

    /// Returns whether a timer had expired.
    fn tick(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let now = Instant::now();
        let deadline = self.adapter.deadline();
        let is_due = deadline.is_some_and(|deadline| deadline <= now);
        if is_due {
            self.adapter.tick(now).map_err(io::Error::other)?;
        } else {
            self.timer.as_mut().reset(deadline.unwrap_or(now + FAR).into());
            // Only for the wake-up: it is not due.
            let _ = self.timer.as_mut().poll(cx);
        }
        Ok(is_due)
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
        if this.adapter.is_closed() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

impl AsyncWrite for GatewayStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.drive(cx);
        this.take_failure()?;
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
        if this.adapter.is_drained() || this.adapter.is_closed() {
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
