//! The turns of clients: after its share of packets or work, a client gives way until the runtime has looked at the sockets of all.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use tokio::task::yield_now;

/// The packets of a client after which it gives way, which keeps queues short.
const PACKETS_PER_SHARE: usize = 32;

/// The work of a client in one turn.
pub(super) const WORK_PER_TURN: usize = 10_000;

/// The packets and the work of a client since it last gave way.
#[derive(Debug, Default)]
pub(super) struct Share {
    packets: usize,
    work: usize,
}

impl Share {
    pub(super) fn add(&mut self, packets: usize, work: usize) {
        self.packets += packets;
        self.work += work;
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.packets >= PACKETS_PER_SHARE || self.work >= WORK_PER_TURN
    }

    /// Gives way, and begins a new share.
    pub(super) async fn give_way(&mut self) {
        *self = Share::default();
        give_way().await;
    }
}

/// Lets all other clients have their turns, those included whose bytes wait in their sockets.
///
/// Messages for this client wake its task earlier. That does not count: clients that publish to each other or to themselves
/// would otherwise leave no turn to the rest.
pub(super) async fn give_way() {
    let mut round: Option<Arc<Round>> = None;
    poll_fn(|cx| match &round {
        Some(round) if round.is_over.load(Ordering::Relaxed) => Poll::Ready(()),
        Some(_) => Poll::Pending,
        None => {
            let begun = Arc::new(Round { is_over: AtomicBool::new(false), task: cx.waker().clone() });
            let waker = Waker::from(Arc::clone(&begun));
            // The runtime keeps the waker of this future until it has looked at the sockets.
            let _ = pin!(yield_now()).poll(&mut Context::from_waker(&waker));
            round = Some(begun);
            Poll::Pending
        }
    })
    .await;
}

/// A look of the runtime at all sockets, which a task waits for.
struct Round {
    is_over: AtomicBool,
    task: Waker,
}

impl Wake for Round {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use crate::broker::connection::serve;
    use crate::broker::state::{Shared, State};
    use crate::broker::{Config, Peer};
    use crate::transport::Stream;
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Instant;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::{LocalSet, spawn_local};

    /// Runs a test in the broker's thread, so that rounds of the runtime can be counted instead of time.
    fn in_the_brokers_thread(test: impl AsyncFnOnce(&Shared)) {
        let state = State::new(Config::default(), Box::new(|_| {}), Instant::now());
        let shared: Shared = Rc::new(RefCell::new(state));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, test(&shared));
    }

    /// The client's end of an accepted connection of MQTT 3.1.1.
    async fn connect(shared: &Shared, client_id: u8) -> TcpStream {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (stream, address) = accepted.unwrap();
        spawn_local(serve(Rc::clone(shared), Stream::Tcp(stream), Peer::Tcp(address)));
        let mut client = client.unwrap();
        client
            .write_all(&[0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 1, client_id])
            .await
            .unwrap();
        expect(&mut client, &[0x20, 2, 0, 0]).await;
        client
    }

    async fn expect(client: &mut TcpStream, packet: &[u8]) {
        let mut received = vec![0; packet.len()];
        client.read_exact(&mut received).await.unwrap();
        assert_eq!(received, packet);
    }

    /// The number of requests of a quiet client that are answered one after the other while these packets of another one are
    /// worked on.
    async fn answers_beside(
        shared: &Shared,
        (busy, packet, count): (TcpStream, &[u8], usize),
        quiet: &mut TcpStream,
        (request, answer): (&[u8], &[u8]),
    ) -> usize {
        let (_unread, mut busy) = busy.into_split();
        let packets = packet.repeat(count);
        let end = shared.borrow().report.packets_received + count as u64;
        let _open = spawn_local(async move {
            busy.write_all(&packets).await.unwrap();
            busy
        });
        let mut answers = 0;
        while shared.borrow().report.packets_received < end + answers as u64 {
            quiet.write_all(request).await.unwrap();
            expect(quiet, answer).await;
            answers += 1;
        }
        answers
    }

    #[test]
    fn a_quiet_client_is_answered_while_another_one_sends_many_small_packets() {
        in_the_brokers_thread(async |shared| {
            let (mut quiet, busy) = (connect(shared, b'q').await, connect(shared, b'b').await);
            // 2,048 of them are a turn.
            let turns = 150;
            let (request, answer) = ([0xc0, 0], [0xd0, 0]);
            let pings = (busy, &request[..], 2048 * turns);
            let answers = answers_beside(shared, pings, &mut quiet, (&request, &answer)).await;
            assert!(answers > turns / 6, "{answers} answers in {turns} turns");
        });
    }

    #[test]
    fn a_quiet_client_is_answered_while_each_message_of_another_one_matches_thousands_of_its_filters() {
        in_the_brokers_thread(async |shared| {
            let (mut quiet, mut busy) = (connect(shared, b'q').await, connect(shared, b'b').await);
            let levels = 13;
            for number in 0..1_u32 << levels {
                let level = |bit: u32| if number >> bit & 1 == 0 { "+" } else { "a" };
                let filter = (0..levels).map(level).collect::<Vec<_>>().join("/");
                let length = filter.len() as u8;
                let head = [0x82, length + 5, 0, 1, 0, length];
                busy.write_all(&[&head[..], filter.as_bytes(), &[0]].concat()).await.unwrap();
                expect(&mut busy, &[0x90, 3, 0, 1, 0]).await;
            }
            let topic = ["a"; 13].join("/");
            let mut publish = vec![0x30, topic.len() as u8 + 2, 0, topic.len() as u8];
            publish.extend_from_slice(topic.as_bytes());
            let turns = 60;
            let (request, answer) = ([0x32, 5, 0, 1, b'q', 0, 1], [0x40, 2, 0, 1]);
            let messages = (busy, &publish[..], turns);
            let answers = answers_beside(shared, messages, &mut quiet, (&request, &answer)).await;
            assert!(answers > turns / 6, "{answers} answers in {turns} turns");
        });
    }
}
