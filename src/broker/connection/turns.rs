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
pub(in crate::broker) async fn give_way() {
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
    use crate::broker::{Acl, Config, Peer, Report, publish_wills};
    use crate::transport::Stream;
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::Arc;
    use std::time::Instant;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::watch;
    use tokio::task::{LocalSet, spawn_local};

    const PING: (&[u8], &[u8]) = (&[0xc0, 0], &[0xd0, 0]);

    /// Runs a test in the broker's thread, so that rounds of the runtime can be counted instead of time.
    fn in_the_brokers_thread(config: Config, test: impl AsyncFnOnce(&Shared)) {
        let state = State::new(config, Box::new(|_| {}), Instant::now());
        let shared: Shared = Rc::new(RefCell::new(state));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            let of_wills = Rc::clone(&shared);
            spawn_local(async move { publish_wills(&of_wills).await });
            test(&shared).await;
        });
    }

    /// The client's end of an accepted connection of MQTT 3.1.1.
    async fn connect(shared: &Shared, client_id: u8) -> TcpStream {
        connect_with(shared, 2, &[0, 1, client_id], 0).await
    }

    /// With these flags and fields of CONNECT, which are short, and this byte in CONNACK.
    async fn connect_with(shared: &Shared, flags: u8, fields: &[u8], session_present: u8) -> TcpStream {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (stream, address) = accepted.unwrap();
        spawn_local(serve(Rc::clone(shared), Stream::Tcp(stream), Peer::Tcp(address)));
        let mut client = client.unwrap();
        let head = [0x10, 10 + fields.len() as u8, 0, 4, b'M', b'Q', b'T', b'T', 4, flags, 0, 0];
        client.write_all(&[&head, fields].concat()).await.unwrap();
        expect(&mut client, &[0x20, 2, session_present, 0]).await;
        client
    }

    async fn expect(client: &mut TcpStream, packet: &[u8]) {
        let mut received = vec![0; packet.len()];
        client.read_exact(&mut received).await.unwrap();
        assert_eq!(received, packet);
    }

    /// The number of requests of a quiet client that are answered one after the other, until the rest of the work is over.
    async fn answers_until(
        shared: &Shared,
        quiet: &mut TcpStream,
        (request, answer): (&[u8], &[u8]),
        is_over: impl Fn(&Report, u64) -> bool,
    ) -> u64 {
        let mut answers = 0;
        while !is_over(&shared.borrow().report, answers) {
            quiet.write_all(request).await.unwrap();
            expect(quiet, answer).await;
            answers += 1;
        }
        answers
    }

    /// The same while these packets of another one are worked on.
    async fn answers_beside(
        shared: &Shared,
        (busy, packet, count): (TcpStream, &[u8], u64),
        quiet: &mut TcpStream,
        exchange: (&[u8], &[u8]),
    ) -> u64 {
        let (_unread, mut busy) = busy.into_split();
        let packets = packet.repeat(count as usize);
        let end = shared.borrow().report.packets_received + count;
        let _open = spawn_local(async move {
            busy.write_all(&packets).await.unwrap();
            busy
        });
        answers_until(shared, quiet, exchange, |report, answers| report.packets_received >= end + answers)
            .await
    }

    /// The topic that matches all filters of [`subscribe_to_thousands`].
    const TOPIC: &[u8] = b"a/a/a/a/a/a/a/a/a/a/a/a/a";

    async fn subscribe_to_thousands(client: &mut TcpStream) {
        let levels = 13;
        for number in 0..1_u32 << levels {
            let level = |bit: u32| if number >> bit & 1 == 0 { "+" } else { "a" };
            let filter = (0..levels).map(level).collect::<Vec<_>>().join("/");
            let length = filter.len() as u8;
            let head = [0x82, length + 5, 0, 1, 0, length];
            client.write_all(&[&head[..], filter.as_bytes(), &[0]].concat()).await.unwrap();
            expect(client, &[0x90, 3, 0, 1, 0]).await;
        }
    }

    #[test]
    fn a_quiet_client_is_answered_while_another_one_sends_many_small_packets() {
        in_the_brokers_thread(Config::default(), async |shared| {
            let (mut quiet, busy) = (connect(shared, b'q').await, connect(shared, b'b').await);
            // 2,048 of them are a turn.
            let turns = 150;
            let answers = answers_beside(shared, (busy, PING.0, 2048 * turns), &mut quiet, PING).await;
            assert!(answers > turns / 6, "{answers} answers in {turns} turns");
        });
    }

    #[test]
    fn a_quiet_client_is_answered_while_each_message_of_another_one_matches_thousands_of_its_filters() {
        in_the_brokers_thread(Config::default(), async |shared| {
            let (mut quiet, mut busy) = (connect(shared, b'q').await, connect(shared, b'b').await);
            subscribe_to_thousands(&mut busy).await;
            let publish = [&[0x30, TOPIC.len() as u8 + 2, 0, TOPIC.len() as u8], TOPIC].concat();
            let turns = 60;
            let publish_and_puback: (&[u8], &[u8]) = (&[0x32, 5, 0, 1, b'q', 0, 1], &[0x40, 2, 0, 1]);
            let messages = (busy, &publish[..], turns);
            let answers = answers_beside(shared, messages, &mut quiet, publish_and_puback).await;
            assert!(answers > turns / 6, "{answers} answers in {turns} turns");
        });
    }

    #[test]
    fn a_quiet_client_is_answered_while_the_wills_of_many_clients_that_end_at_once_are_published() {
        in_the_brokers_thread(Config::default(), async |shared| {
            let (mut quiet, mut busy) = (connect(shared, b'q').await, connect(shared, b'b').await);
            subscribe_to_thousands(&mut busy).await;
            let (wills, mut clients) = (60, Vec::new());
            for number in 0..wills {
                let client_id = [0, 2, b'w', b'!' + number];
                let will = [&client_id[..], &[0, TOPIC.len() as u8], TOPIC, &[0, 1, b'x']].concat();
                clients.push(connect_with(shared, 6, &will, 0).await);
            }
            drop(clients);
            let is_over = |report: &Report, _| report.messages_sent == u64::from(wills);
            let answers = answers_until(shared, &mut quiet, PING, is_over).await;
            assert!(answers > u64::from(wills) / 6, "{answers} answers beside {wills} wills");
        });
    }

    #[test]
    fn a_quiet_client_is_answered_while_the_messages_that_waited_for_another_one_are_checked() {
        let others: String = (0..1000).map(|number| format!("topic read other/{number}\n")).collect();
        let acl = |rules: &str| Arc::new(Acl::parse(&format!("{others}{rules}")).unwrap());
        let (_rules, watched) = watch::channel(acl("topic a\ntopic b\n"));
        let config = Config { acl: Some(watched), ..Config::default() };
        in_the_brokers_thread(config, async |shared| {
            let mut quiet = connect(shared, b'q').await;
            let mut keeping = connect_with(shared, 0, &[0, 1, b'k'], 0).await;
            keeping.write_all(&[0x82, 6, 0, 1, 0, 1, b'#', 1]).await.unwrap();
            expect(&mut keeping, &[0x90, 3, 0, 1, 1]).await;
            keeping.write_all(&[0xe0, 0]).await.unwrap();
            assert_eq!(keeping.read(&mut [0]).await.unwrap(), 0);
            // Ten of them are a turn, since each decision looks at a thousand rules.
            let turns = 60;
            for topic in std::iter::repeat_n(b'a', 10 * turns).chain([b'b']) {
                quiet.write_all(&[0x32, 5, 0, 1, topic, 0, 1]).await.unwrap();
                expect(&mut quiet, &[0x40, 2, 0, 1]).await;
            }
            shared.borrow_mut().change_acl(acl("topic b\n"));
            let of_keeping = Rc::clone(shared);
            let resumed = spawn_local(async move {
                let mut keeping = connect_with(&of_keeping, 0, &[0, 1, b'k'], 1).await;
                expect(&mut keeping, &[0x32, 5, 0, 1, b'b', 0, 1]).await;
            });
            let is_over = |_: &Report, _| resumed.is_finished();
            let answers = answers_until(shared, &mut quiet, PING, is_over).await;
            assert!(answers > turns as u64 / 6, "{answers} answers in {turns} turns");
            assert_eq!(shared.borrow().report.messages_withheld, 10 * turns as u64);
            resumed.await.unwrap();
        });
    }
}
