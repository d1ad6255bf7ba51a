//! One client of a run: connects, subscribes or publishes, and hands in what it measured.
//!
//! The task of an idle client is a connection, a session and a few numbers. The time is read once for each batch of packets;
//! a message's send time is that of the batch, before it is encoded, so that no latency is told shorter than it was.

use super::connect::{Link, connect};
use super::plan::Part;
use super::record::{Arrival, Ranges, Received, Sent, Stage};
use super::stamp::Stamp;
use super::worker::{FAREWELL_TIMEOUT, Phase, Shared};
use crate::client::describe_details;
use crate::error::Error;
use crate::protocol::session::{Event, KeepAlive, KeepAliveAction, Session};
use crate::protocol::{
    Disconnect, Frame, Packet, Properties, Publish, Qos, ReasonCode, RetainHandling, Subscription,
    SubscriptionAck, SubscriptionOptions,
};
use crate::transport::{Connection, Progress};
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

/// So many messages of QoS 0 go out in one write, as far as they fit into the bytes.
const MESSAGES_PER_WRITE: u64 = 64;
const BYTES_PER_WRITE: usize = 64 * 1024;

/// What is kept of a message of QoS 1 or 2 until it is acknowledged.
#[derive(Debug, Clone, Copy)]
struct Kept {
    sequence: u64,
    sent_at: u64,
}

struct Client {
    shared: Rc<Shared>,
    connection: Connection,
    session: Session<Kept>,
    keep_alive: KeepAlive,
    /// The last beat that was looked at.
    beat: u32,
    pings: u8,
    role: Role,
}

enum Role {
    Publisher(Publisher),
    Subscriber(Subscriber),
}

struct Publisher {
    number: u32,
    topic: String,
    /// How many messages are to be sent in all.
    goal: u64,
    /// How many were encoded; the next one's sequence number.
    encoded: u64,
    /// How many of those the connection's output still holds, at most.
    unwritten: u64,
    /// One message's bytes on the wire, when the output holds some.
    packet_size: usize,
    denied: Ranges,
    is_farewell_pinged: bool,
    is_finished: bool,
}

struct Subscriber {
    number: u32,
    is_subscribed: bool,
    /// What arrived of each of its publishers.
    received: Vec<Received>,
}

/// A client from its first to its last packet.
pub(super) async fn run(shared: Rc<Shared>, part: Part) {
    // What connecting needs is given back before the client settles down.
    if let Some(mut client) = Box::pin(start(shared.clone(), part)).await {
        shared.client_began();
        client.run().await;
        shared.client_ended();
    }
}

async fn start(shared: Rc<Shared>, part: Part) -> Option<Box<Client>> {
    let connected = connect(&shared, part).await;
    shared.connecting_ended();
    match connected {
        Ok(link) => Some(Box::new(Client::new(shared, part, link))),
        Err(error) => {
            count_failure(&shared, part, &error);
            None
        }
    }
}

fn count_failure(shared: &Shared, part: Part, error: &Error) {
    shared.gauges.failed.add(1);
    if matches!(part, Part::Subscriber(_)) {
        shared.gauges.without_subscription.add(1);
    }
    if matches!(error, Error::Refused { .. }) {
        shared.record.borrow_mut().refused += 1;
    }
    shared.count_error(Stage::Connect, error);
}

impl Client {
    fn new(shared: Rc<Shared>, part: Part, link: Link<Kept>) -> Client {
        let Link { connection, session, keep_alive } = link;
        let role = match part {
            Part::Publisher(number) => Role::Publisher(Publisher::new(&shared, number)),
            Part::Subscriber(number) => Role::Subscriber(Subscriber::new(&shared, number)),
        };
        shared.record.borrow_mut().connected += 1;
        shared.gauges.connected.add(1);
        if matches!(role, Role::Publisher(_)) {
            shared.gauges.publishers.add(1);
        }
        Client { beat: shared.beats(), shared, connection, session, keep_alive, pings: 0, role }
    }

    async fn run(&mut self) {
        poll_fn(|cx| {
            self.shared.join_in(cx.waker());
            Poll::Ready(())
        })
        .await;
        let end = self.converse().await;
        let is_whole = end.is_ok();
        let has_connection = matches!(end, Ok(()) | Err(Error::Denied(_) | Error::Unsendable { .. }));
        if let Err(error) = end {
            self.count_end(&error, has_connection);
        }
        self.hand_in(is_whole);
        if has_connection {
            Box::pin(self.say_farewell()).await;
        }
    }

    /// Does what the phase demands, until it is time to close.
    async fn converse(&mut self) -> Result<(), Error> {
        let mut now = Instant::now();
        self.subscribe()?;
        loop {
            self.publish(now)?;
            let progress = self.wait().await.map_err(Error::Lost)?;
            now = Instant::now();
            match progress {
                Some(progress) => self.take_progress(progress, now)?,
                None if self.shared.phase() == Phase::Close => return Ok(()),
                None => self.look_at_keep_alive(now)?,
            }
        }
    }

    /// Waits until the connection got somewhere, or for the next beat, which gives `None`.
    async fn wait(&mut self) -> io::Result<Option<Progress>> {
        poll_fn(|cx| {
            let beat = self.shared.beats();
            if beat != self.beat {
                self.beat = beat;
                return Poll::Ready(Ok(None));
            }
            pin!(self.connection.progress(true)).poll(cx).map_ok(Some)
        })
        .await
    }

    fn take_progress(&mut self, progress: Progress, now: Instant) -> Result<(), Error> {
        if progress.sent > 0 {
            self.keep_alive.sent(now);
            self.count_written(now);
        }
        if progress.received > 0 {
            self.keep_alive.received();
            self.take_input(now)?;
        }
        if progress.is_closed {
            return Err(Error::Closed("without a word"));
        }
        Ok(())
    }

    fn look_at_keep_alive(&mut self, now: Instant) -> Result<(), Error> {
        match self.keep_alive.poll(now) {
            KeepAliveAction::WaitUntil(_) => {}
            KeepAliveAction::Ping => self.ping(),
            KeepAliveAction::PeerIsGone => return Err(Error::KeepAlive(self.keep_alive.interval())),
        }
        Ok(())
    }

    fn ping(&mut self) {
        self.session.ping(self.connection.output());
        self.pings = self.pings.saturating_add(1);
    }

    fn subscribe(&mut self) -> Result<(), Error> {
        let Role::Subscriber(subscriber) = &self.role else {
            return Ok(());
        };
        let plan = &self.shared.plan;
        let filter = plan.topics.filter(subscriber.number);
        let options = SubscriptionOptions {
            maximum_qos: plan.qos,
            retain_handling: RetainHandling::Never,
            ..SubscriptionOptions::default()
        };
        let subscriptions = vec![Subscription { filter: &filter, options }];
        self.session.subscribe(subscriptions, Properties::EMPTY, self.connection.output())?;
        Ok(())
    }

    /// Takes the packets that arrived.
    fn take_input(&mut self, now: Instant) -> Result<(), Error> {
        let now = self.shared.nanoseconds(now);
        let maximum = self.session.accepts().maximum_packet_size;
        let version = self.session.version();
        let (input, output) = self.connection.buffers();
        let mut inbox = Inbox { shared: &self.shared, role: &mut self.role, pings: &mut self.pings, now };
        let mut used = 0;
        while let Some(frame) = Frame::cut(input.get(used..).unwrap_or_default(), maximum)? {
            used += frame.size();
            let acknowledgement = match self.session.receive(Packet::decode(frame, version)?, output)? {
                Event::Message { publish, acknowledgement } => {
                    inbox.message(&publish);
                    acknowledgement
                }
                event => {
                    inbox.event(&event)?;
                    continue;
                }
            };
            self.session.acknowledge(acknowledgement, ReasonCode::SUCCESS, output);
        }
        self.connection.consume(used);
        Ok(())
    }

    /// Notes that the client is out of the run before its end.
    fn count_end(&mut self, error: &Error, has_connection: bool) {
        self.shared.gauges.lost.add(1);
        self.shared.record.borrow_mut().connections_lost += u64::from(!has_connection);
        let stage = if matches!(error, Error::Denied(_)) { Stage::Subscribe } else { Stage::Run };
        self.shared.count_error(stage, error);
        match &mut self.role {
            Role::Publisher(publisher) => publisher.finish(&self.shared),
            Role::Subscriber(_) => self.shared.gauges.without_subscription.add(1),
        }
    }

    /// Gives what was measured to the worker. What a subscriber received counts only when it stayed to the end.
    fn hand_in(&mut self, is_whole: bool) {
        let unsent = self.connection.unsent() as u64;
        let record = &mut *self.shared.record.borrow_mut();
        match &mut self.role {
            Role::Publisher(publisher) => {
                let sent = Sent {
                    count: publisher.encoded - publisher.count_unwritten(unsent),
                    unacknowledged: self.session.unsettled_messages().map(|kept| kept.sequence).collect(),
                    denied: std::mem::take(&mut publisher.denied),
                };
                record.sent.insert(publisher.number, sent);
            }
            Role::Subscriber(subscriber) if !is_whole || !subscriber.is_subscribed => {}
            Role::Subscriber(subscriber) => {
                record.received.insert(subscriber.number, std::mem::take(&mut subscriber.received));
            }
        }
    }

    async fn say_farewell(&mut self) {
        let disconnect = Disconnect { reason_code: ReasonCode::SUCCESS, properties: Properties::EMPTY };
        if disconnect.encode(self.session.version(), self.connection.output()).is_ok() {
            self.connection.finish(FAREWELL_TIMEOUT).await;
        }
    }
}

/// Publishing.
impl Client {
    /// Encodes what is due, and pings when a publisher of QoS 0 is through: the answer says that all was read.
    fn publish(&mut self, now: Instant) -> Result<(), Error> {
        let phase = self.shared.phase();
        let Role::Publisher(publisher) = &mut self.role else {
            return Ok(());
        };
        if phase < Phase::Measure || publisher.is_finished {
            return Ok(());
        }
        if phase > Phase::Measure {
            publisher.goal = publisher.encoded;
        }
        if publisher.encoded < publisher.goal {
            return self.encode_batch(now);
        }
        if self.shared.plan.qos != Qos::AtMostOnce {
            if self.session.unsettled() == 0 {
                publisher.finish(&self.shared);
            }
        } else if !publisher.is_farewell_pinged {
            publisher.is_farewell_pinged = true;
            self.ping();
        } else if self.pings == 0 {
            let now = self.shared.nanoseconds(now);
            self.shared.record.borrow_mut().acknowledging.note(now);
            publisher.finish(&self.shared);
        }
        Ok(())
    }

    fn encode_batch(&mut self, now: Instant) -> Result<(), Error> {
        let room = self.room();
        let Role::Publisher(publisher) = &mut self.role else {
            return Ok(());
        };
        let batch = room.min(publisher.goal - publisher.encoded);
        if batch == 0 {
            return Ok(());
        }
        let plan = &self.shared.plan;
        let sent_at = self.shared.nanoseconds(now);
        let output = self.connection.output();
        output.reserve((batch as usize * publisher.packet_size).min(BYTES_PER_WRITE));
        let payload = &mut *self.shared.payload.borrow_mut();
        for _ in 0..batch {
            let sequence = publisher.encoded;
            Stamp { run: plan.topics.run, publisher: publisher.number, sequence, sent_at }.write(payload);
            let publish = Publish {
                dup: false,
                qos: plan.qos,
                retain: false,
                topic: &publisher.topic,
                packet_id: None,
                properties: Properties::EMPTY,
                payload,
            };
            let before = output.len();
            let sent = self.session.publish(&publish, || Kept { sequence, sent_at }, output);
            sent.map_err(|source| Error::Unsendable { topic: publisher.topic.clone(), source })?;
            publisher.packet_size = output.len() - before;
            publisher.encoded += 1;
            publisher.unwritten += 1;
            if output.len() >= BYTES_PER_WRITE {
                break;
            }
        }
        self.shared.record.borrow_mut().sending.note(sent_at);
        Ok(())
    }

    /// How many messages may be encoded now. A window of QoS 1 or 2 is filled again with every acknowledgement: a broker
    /// without TCP_NODELAY holds its next one back until TCP's own acknowledgement arrives, which our next message carries.
    /// To wait for more room would add the 40 ms of a delayed acknowledgement to the broker's latency.
    fn room(&self) -> u64 {
        if self.connection.unsent() > 0 {
            return 0;
        }
        if self.shared.plan.qos == Qos::AtMostOnce {
            return MESSAGES_PER_WRITE;
        }
        let unsettled = self.session.unsettled();
        let window = usize::from(self.shared.plan.in_flight).min(self.session.quota() + unsettled);
        window.saturating_sub(unsettled) as u64
    }

    /// Counts the messages that the kernel took.
    fn count_written(&mut self, now: Instant) {
        let Role::Publisher(publisher) = &mut self.role else {
            return;
        };
        let unwritten = publisher.count_unwritten(self.connection.unsent() as u64);
        let written = publisher.unwritten - unwritten;
        publisher.unwritten = unwritten;
        if written > 0 {
            self.shared.gauges.sent.add(written);
            let now = self.shared.nanoseconds(now);
            self.shared.record.borrow_mut().sending.note(now);
        }
    }
}

impl Publisher {
    fn new(shared: &Shared, number: u32) -> Publisher {
        Publisher {
            number,
            topic: shared.plan.topics.topic(number),
            goal: shared.plan.messages_of(number),
            encoded: 0,
            unwritten: 0,
            packet_size: 0,
            denied: Ranges::default(),
            is_farewell_pinged: false,
            is_finished: false,
        }
    }

    /// How many messages are not wholly among the bytes that the kernel took, when it has `unsent` bytes still to take. Other
    /// packets among those bytes can make it too many, never too few.
    fn count_unwritten(&self, unsent: u64) -> u64 {
        unsent.div_ceil((self.packet_size as u64).max(1)).min(self.unwritten)
    }

    fn finish(&mut self, shared: &Shared) {
        if !self.is_finished {
            self.is_finished = true;
            shared.gauges.finished.add(1);
        }
    }
}

impl Subscriber {
    fn new(shared: &Shared, number: u32) -> Subscriber {
        let received = vec![Received::default(); shared.plan.topics.fan_in(number) as usize];
        Subscriber { number, is_subscribed: false, received }
    }
}

/// Where received packets go, while the connection's input is borrowed.
struct Inbox<'a> {
    shared: &'a Shared,
    role: &'a mut Role,
    pings: &'a mut u8,
    now: u64,
}

impl Inbox<'_> {
    fn message(&mut self, publish: &Publish<'_>) {
        let record = &mut *self.shared.record.borrow_mut();
        let Role::Subscriber(subscriber) = self.role else {
            record.foreign += 1;
            return;
        };
        let topics = &self.shared.plan.topics;
        let stamp = Stamp::read(publish.payload).filter(|stamp| stamp.run == topics.run);
        let place = stamp.and_then(|stamp| topics.place_of(stamp.publisher, subscriber.number));
        let received = place.and_then(|place| subscriber.received.get_mut(place));
        let Some((stamp, received)) = stamp.zip(received) else {
            record.foreign += 1;
            return;
        };
        match received.note(stamp.sequence) {
            Arrival::Duplicate => {
                record.duplicates += 1;
                return;
            }
            Arrival::Reordered => record.reordered += 1,
            Arrival::New => {}
        }
        record.deliveries += 1;
        record.receiving.note(self.now);
        record.end_to_end.record(self.now.saturating_sub(stamp.sent_at));
        self.shared.gauges.received.add(1);
    }

    fn event(&mut self, event: &Event<'_, Kept>) -> Result<(), Error> {
        match event {
            Event::Published { reason_code, message, .. } => self.settled(*message, *reason_code),
            Event::Subscribed(ack) => self.subscribed(ack)?,
            Event::Pingresp => *self.pings = self.pings.saturating_sub(1),
            Event::Disconnect(Disconnect { reason_code, properties }) => {
                let details = describe_details(*properties);
                return Err(Error::Disconnected { reason: *reason_code, details });
            }
            Event::Nothing
            | Event::Message { .. }
            | Event::Unsubscribed(_)
            | Event::Subscribe(_)
            | Event::Unsubscribe(_)
            | Event::Auth(_) => {}
        }
        Ok(())
    }

    fn settled(&mut self, message: Kept, reason_code: ReasonCode) {
        let record = &mut *self.shared.record.borrow_mut();
        if reason_code.is_error() {
            if let Role::Publisher(publisher) = self.role {
                publisher.denied.insert(message.sequence, message.sequence + 1);
            }
            self.shared.gauges.denied.add(1);
            record.errors.add(Stage::Run, format!("the broker denied a message: {reason_code}"), 1);
            return;
        }
        record.acknowledgements += 1;
        record.acknowledging.note(self.now);
        record.acknowledged.record(self.now.saturating_sub(message.sent_at));
        self.shared.gauges.acknowledged.add(1);
    }

    fn subscribed(&mut self, ack: &SubscriptionAck<'_>) -> Result<(), Error> {
        let Role::Subscriber(subscriber) = self.role else {
            return Ok(());
        };
        let granted = ack.reason_codes().next().unwrap_or(ReasonCode::UNSPECIFIED_ERROR);
        if granted.is_error() {
            return Err(Error::Denied(format!("the broker denied a subscription: {granted}")));
        }
        if granted.0 < self.shared.plan.qos as u8 {
            let text =
                format!("the broker grants QoS {} where {} was asked for", granted.0, self.shared.plan.qos);
            return Err(Error::Denied(text));
        }
        if !subscriber.is_subscribed {
            subscriber.is_subscribed = true;
            self.shared.record.borrow_mut().subscribed += 1;
            self.shared.gauges.subscribed.add(1);
        }
        Ok(())
    }
}
