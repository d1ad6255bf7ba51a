//! Two ends of a socket, with streams between them.

use super::{Channel, Multiplexer};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

/// Two ends that run, the streams that the second one accepts, and the task of the first one.
struct Ends {
    opener: Multiplexer,
    accepted: UnboundedReceiver<(Channel, String)>,
    carrier: JoinHandle<io::Result<()>>,
}

impl Ends {
    fn new() -> Ends {
        let (one, other) = UnixStream::pair().unwrap();
        let (opener, accepter) = (Multiplexer::default(), Multiplexer::default());
        let (sender, accepted) = unbounded_channel();
        let of_task = opener.clone();
        let carrier =
            tokio::spawn(async move { of_task.run(one, |_, _| panic!("opened by the wrong end")).await });
        tokio::spawn(async move {
            accepter.run(other, |channel, peer| sender.send((channel, peer.to_owned())).unwrap()).await
        });
        Ends { opener, accepted, carrier }
    }

    async fn stream(&mut self, peer: &str) -> (Channel, Channel) {
        let opened = self.opener.open(peer);
        let (accepted, address) = self.accepted.recv().await.unwrap();
        assert_eq!(address, peer);
        (opened, accepted)
    }
}

async fn rest(mut channel: Channel) -> Vec<u8> {
    let mut bytes = Vec::new();
    channel.read_to_end(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn bytes_arrive_in_order_in_both_directions() {
    let mut ends = Ends::new();
    let (mut one, mut other) = ends.stream("127.0.0.1:4711").await;
    let long: Vec<u8> = (0..1_000_000_u32).map(|index| (index % 251) as u8).collect();
    let sent = long.clone();
    let writer = tokio::spawn(async move {
        one.write_all(&sent).await.unwrap();
        one.shutdown().await.unwrap();
        rest(one).await
    });
    let mut received = Vec::new();
    other.read_to_end(&mut received).await.unwrap();
    assert!(received == long);
    other.write_all(b"answer").await.unwrap();
    drop(other);
    assert_eq!(writer.await.unwrap(), b"answer");
}

#[tokio::test]
async fn a_stream_that_is_not_read_stops_its_sender_and_no_other() {
    let mut ends = Ends::new();
    let (mut stuck, unread) = ends.stream("a").await;
    let (mut sent, mut is_full) = (0, false);
    while !is_full {
        let write = std::pin::pin!(stuck.write(&[7; 1000]));
        // A write that waits is pending at its first poll.
        match poll_once(write).await {
            Some(count) => sent += count.unwrap(),
            None => is_full = true,
        }
    }
    assert_eq!(sent, 32 * 1024);
    let (mut one, mut other) = ends.stream("b").await;
    one.write_all(b"passes").await.unwrap();
    let mut bytes = [0; 6];
    other.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"passes");
    let reader = tokio::spawn(rest(unread));
    stuck.write_all(&[7; 50_000]).await.unwrap();
    drop(stuck);
    assert_eq!(reader.await.unwrap().len(), sent + 50_000);
}

/// The output of a future that is ready at its first poll.
async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match future.as_mut().poll(cx) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_joined_stream_delivers_what_was_sent_before_it_was_closed() {
    let mut ends = Ends::new();
    let (joined, mut other) = ends.stream("a").await;
    let (near, mut far) = UnixStream::pair().unwrap();
    let join = tokio::spawn(joined.join(near));
    far.write_all(b"question").await.unwrap();
    let mut question = [0; 8];
    other.read_exact(&mut question).await.unwrap();
    other.write_all(b"last words").await.unwrap();
    drop(other);
    let mut answer = Vec::new();
    far.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"last words");
    join.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_end_of_a_joined_stream_is_passed_on() {
    let mut ends = Ends::new();
    let (joined, other) = ends.stream("a").await;
    let (near, mut far) = UnixStream::pair().unwrap();
    tokio::spawn(joined.join(near));
    far.write_all(b"all").await.unwrap();
    far.shutdown().await.unwrap();
    assert_eq!(rest(other).await, b"all");
}

#[tokio::test]
async fn all_streams_break_with_the_socket() {
    let mut ends = Ends::new();
    let (one, mut other) = ends.stream("a").await;
    ends.carrier.abort();
    let error = other.read(&mut [0]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(other.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    drop(one);
}
