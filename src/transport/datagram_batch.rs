//! The datagrams of one receive call: several where the system has a call for them, otherwise one.

use super::datagrams::MAX_DATAGRAM;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// The maximum of datagrams. The memory for them is only used as far as datagrams need it.
const MAX_DATAGRAMS: usize = if cfg!(target_os = "linux") { 32 } else { 1 };

/// Datagrams with their senders.
#[derive(Debug)]
pub(crate) struct DatagramBatch {
    memory: Vec<u8>,
    /// The length and the sender of each.
    received: Vec<(usize, SocketAddr)>,
    #[cfg(target_os = "linux")]
    headers: nix::sys::socket::MultiHeaders<nix::sys::socket::SockaddrStorage>,
}

impl DatagramBatch {
    pub(crate) fn new() -> DatagramBatch {
        DatagramBatch {
            memory: vec![0; MAX_DATAGRAMS * MAX_DATAGRAM],
            received: Vec::with_capacity(MAX_DATAGRAMS),
            #[cfg(target_os = "linux")]
            headers: nix::sys::socket::MultiHeaders::preallocate(MAX_DATAGRAMS, None),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.received.len()
    }

    /// Whether more datagrams may have arrived.
    pub(crate) fn is_full(&self) -> bool {
        self.len() == MAX_DATAGRAMS
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], SocketAddr)> {
        let places = self.memory.chunks(MAX_DATAGRAM);
        places
            .zip(&self.received)
            .map(|(place, (length, sender))| (place.get(..*length).unwrap_or(place), *sender))
    }

    /// Replaces the datagrams by those that have arrived.
    pub(super) fn poll_receive(&mut self, cx: &mut Context<'_>, socket: &UdpSocket) -> Poll<io::Result<()>> {
        loop {
            ready!(socket.poll_recv_ready(cx))?;
            match socket.try_io(Interest::READABLE, || self.receive(socket)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn receive(&mut self, socket: &UdpSocket) -> io::Result<()> {
        use nix::sys::socket::{MsgFlags, SockaddrStorage, recvmmsg};
        use std::os::fd::AsRawFd;
        let DatagramBatch { memory, received, headers } = self;
        received.clear();
        let mut places: Vec<[io::IoSliceMut<'_>; 1]> =
            memory.chunks_mut(MAX_DATAGRAM).map(|place| [io::IoSliceMut::new(place)]).collect();
        let results = recvmmsg(socket.as_raw_fd(), headers, places.iter_mut(), MsgFlags::empty(), None)?;
        // A sender without an IP address gets no answer.
        let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
        let sender = |address: SockaddrStorage| {
            let v4 = address.as_sockaddr_in().map(|address| SocketAddr::from(*address));
            v4.or_else(|| address.as_sockaddr_in6().map(|address| SocketAddr::from(*address)))
        };
        received.extend(results.map(|one| (one.bytes, one.address.and_then(sender).unwrap_or(nobody))));
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn receive(&mut self, socket: &UdpSocket) -> io::Result<()> {
        self.received.clear();
        let received = socket.try_recv_from(&mut self.memory)?;
        self.received.push(received);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Receives this number of datagrams.
    async fn receive(
        socket: &UdpSocket,
        batch: &mut DatagramBatch,
        count: usize,
    ) -> Vec<(Vec<u8>, SocketAddr)> {
        let mut all = Vec::new();
        while all.len() < count {
            std::future::poll_fn(|cx| batch.poll_receive(cx, socket)).await.unwrap();
            assert!(batch.len() <= MAX_DATAGRAMS);
            all.extend(batch.iter().map(|(datagram, sender)| (datagram.to_vec(), sender)));
        }
        all
    }

    #[tokio::test]
    async fn datagrams_of_each_size_keep_their_order_and_senders() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(socket) = UdpSocket::bind(address).await else { continue }; // without IPv6
            crate::transport::udp::enlarge(&socket);
            let target = socket.local_addr().unwrap();
            let senders = [(); 2].map(|()| std::net::UdpSocket::bind(address).unwrap());
            let mut batch = DatagramBatch::new();
            for round in 0..3 {
                let sizes = (0..70).chain([65_507, 1]);
                let sent: Vec<_> = sizes.map(|size| vec![round; size]).zip(senders.iter().cycle()).collect();
                for (datagram, sender) in &sent {
                    sender.send_to(datagram, target).unwrap();
                }
                let expected: Vec<_> =
                    sent.iter().map(|(data, sender)| (data.clone(), sender.local_addr().unwrap())).collect();
                assert_eq!(receive(&socket, &mut batch, expected.len()).await, expected);
            }
        }
    }
}
