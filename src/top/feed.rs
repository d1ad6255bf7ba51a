//! The reception: a client that puts the messages of its subscriptions into the shared model, and carries out the screen's requests.
//!
//! It runs on a thread of its own, so a slow terminal does not slow it down. Both threads hold the lock for short work only: here for
//! one message, in the screen for one frame.

use super::fault;
use super::model::{Limits, Model};
use super::playback::{Playback, ReplayError};
use crate::client::{self, Application, Details, Flow, Link, Sending};
use crate::payload::Births;
use crate::protocol::session::{Outgoing, PublishError, SubscribeError};
use crate::protocol::{
    Defect, PacketId, Properties, PropertiesBuf, PropertyId, PropertyValue, Publish, Qos, ReasonCode,
    Subscription, SubscriptionAck, SubscriptionOptions, TopicFilter, TopicName,
};
use crate::recording::{Recorder, RecordingError};
use crate::words::counted;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The broker's statistics, and the level above them.
pub(super) const STATISTICS: &str = "$SYS/#";
const STATISTICS_LEVEL: &str = "$SYS";

/// Identical messages within this time under different subscription identifiers are one, in milliseconds.
const SAME_MESSAGE: u64 = 2000;

/// The most notices that wait for the screen.
const MAX_NOTICES: usize = 20;

/// The most requests of the screen that wait for the connection.
const MAX_REQUESTS: usize = 64;

/// The state of the connection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Connection {
    Connecting,
    Connected,
    /// Lost for this reason. The next attempt is at this time, in milliseconds since the start.
    Lost {
        reason: String,
        again_at: u64,
    },
    /// It ended for this reason, for good.
    Ended(String),
    /// A recording is played instead of a connection.
    Replay(Playback),
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Subscribed {
    filter: TopicFilter,
    qos: Qos,
    /// Its subscription identifier, which is used if there are several and the broker accepts them.
    identifier: u32,
    /// It is there for the panel of the broker only.
    is_for_panel: bool,
}

/// The state that reception and screen share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) model: Model,
    pub(crate) births: Births,
    pub(crate) connection: Connection,
    /// There was a connection, or a first message of a recording, so a failure leaves data on the screen.
    pub(super) has_begun: bool,
    subscriptions: Vec<Subscribed>,
    last_identifier: u32,
    /// The subscriptions that the broker rejected, with its reasons.
    rejections: Vec<(TopicFilter, String)>,
    /// The panel of the broker was closed, so that late messages for it alone are not shown.
    hides_statistics: bool,
    notices: VecDeque<String>,
    /// The time of the data in milliseconds, if it is not that of the clock.
    pub(crate) clock: Option<u64>,
    /// Counts the changes.
    pub(crate) revision: u64,
}

/// The state, shared by two threads.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    state: Arc<Mutex<State>>,
    start: Instant,
}

/// A request of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    Subscribe(TopicFilter, Qos),
    Unsubscribe(TopicFilter),
    /// Subscribes to the broker's statistics, unless there is a subscription to all of them.
    WatchStatistics,
    /// Ends that subscription, and removes its topics.
    LeaveStatistics,
    /// Messages to publish, with a text for the result, such as `published`.
    Publish(Vec<Outbound>, &'static str),
}

/// A message to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outbound {
    pub(crate) topic: TopicName,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    pub(crate) properties: PropertiesBuf,
}

/// The failure that ended the reception.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    #[error(transparent)]
    Client(#[from] client::Error),
    #[error(transparent)]
    Recording(#[from] RecordingError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

impl Shared {
    pub(crate) fn new(limits: Limits, connection: Connection) -> Shared {
        let state = State {
            model: Model::new(limits),
            births: Births::default(),
            connection,
            has_begun: false,
            subscriptions: Vec::new(),
            last_identifier: 0,
            rejections: Vec::new(),
            hides_statistics: false,
            notices: VecDeque::new(),
            clock: None,
            revision: 0,
        };
        Shared { state: Arc::new(Mutex::new(state)), start: Instant::now() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The milliseconds since the start.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn note(&self, text: String) {
        self.lock().note(text);
    }
}

impl State {
    /// Takes a message that arrived at this time.
    pub(crate) fn receive(&mut self, publish: &Publish<'_>, time: Timestamp, now: u64) {
        self.births.learn(publish.topic, publish.payload);
        self.model.receive(publish, time, now);
        self.revision += 1;
    }

    /// Adds a subscription, in the place of one with the same filter.
    fn add_subscription(&mut self, filter: TopicFilter, qos: Qos, is_for_panel: bool) -> Subscribed {
        self.last_identifier += 1;
        self.subscriptions.retain(|known| known.filter != filter);
        if is_of_statistics(&filter) {
            self.hides_statistics = false;
        }
        let added = Subscribed { filter, qos, identifier: self.last_identifier, is_for_panel };
        self.subscriptions.push(added.clone());
        added
    }

    /// The latest rejection of a subscription that is still wanted.
    pub(crate) fn rejection(&self) -> Option<&str> {
        self.rejections.last().map(|(_, text)| text.as_str())
    }

    /// Notes the broker's answer to a subscription: a rejection, or none.
    fn answered(&mut self, filter: &TopicFilter, rejection: Option<String>) {
        self.rejections.retain(|(known, _)| known != filter);
        self.rejections.extend(rejection.map(|text| (filter.clone(), text)));
        self.revision += 1;
    }

    /// The filters that the user subscribed to.
    fn filters(&self) -> Vec<TopicFilter> {
        let subscriptions = self.subscriptions.iter().filter(|known| !known.is_for_panel);
        subscriptions.map(|known| known.filter.clone()).collect()
    }

    /// Whether a message is a copy of the topic's last one, for another subscription that matches it.
    fn is_copy(&self, publish: &Publish<'_>, now: u64) -> bool {
        if self.subscriptions.len() < 2 {
            return false;
        }
        let Some(id) = self.model.tree().find(publish.topic) else { return false };
        let Some(last) = self.model.value(id) else { return false };
        let identifier = |properties: Properties<'_>| properties.number(PropertyId::SubscriptionIdentifier);
        identifier(last.properties()) != identifier(publish.properties)
            && last.size as usize == publish.payload.len()
            && publish.payload.starts_with(last.payload())
            && now.saturating_sub(self.model.state(id).last) <= SAME_MESSAGE
    }

    /// Whether a message is for the closed panel of the broker alone.
    fn is_hidden(&self, topic: &str) -> bool {
        self.hides_statistics && topic.starts_with("$SYS/") && !self.is_wanted(topic)
    }

    /// Whether the user subscribed to a topic.
    fn is_wanted(&self, topic: &str) -> bool {
        self.subscriptions.iter().any(|known| !known.is_for_panel && known.filter.matches(topic))
    }

    /// Forgets all messages.
    pub(crate) fn clear(&mut self, limits: Limits) {
        self.model = Model::new(limits);
        self.births = Births::default();
        self.revision += 1;
    }

    /// Leaves a notice for the screen.
    pub(crate) fn note(&mut self, text: String) {
        if self.notices.len() == MAX_NOTICES {
            self.notices.pop_front();
        }
        self.notices.push_back(text);
        self.revision += 1;
    }

    pub(crate) fn take_notice(&mut self) -> Option<String> {
        self.notices.pop_front()
    }
}

impl Outbound {
    /// The message that deletes the retained message of a topic.
    pub(crate) fn removal(topic: TopicName) -> Outbound {
        let properties = PropertiesBuf::new();
        Outbound { topic, payload: Vec::new(), qos: Qos::AtLeastOnce, retain: true, properties }
    }
}

impl Outgoing for Outbound {
    fn as_publish(&self) -> Publish<'_> {
        Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            topic: self.topic.as_str(),
            packet_id: None,
            properties: self.properties.as_properties(),
            payload: &self.payload,
        }
    }
}

/// Whether a filter is for topics of the broker's statistics.
fn is_of_statistics(filter: &TopicFilter) -> bool {
    filter.as_str().starts_with("$SYS/")
}

/// The channel of requests.
pub(crate) fn requests() -> (mpsc::Sender<Request>, mpsc::Receiver<Request>) {
    mpsc::channel(MAX_REQUESTS)
}

/// The client's part of the reception.
#[derive(Debug)]
pub(crate) struct Feed {
    shared: Shared,
    requests: mpsc::Receiver<Request>,
    recorder: Option<Recorder>,
    properties: PropertiesBuf,
    /// The filters of each SUBSCRIBE without an answer.
    unanswered: Vec<(PacketId, Vec<TopicFilter>)>,
    /// The filters that the user asked for and that have no answer yet.
    asked: Vec<TopicFilter>,
    next: Option<Request>,
    sending: VecDeque<Outbound>,
    results: Results,
    /// The time of the messages that arrived together.
    arrival: Option<(u64, Timestamp)>,
    connected_at: Option<Instant>,
}

/// The results of the messages that were published together.
#[derive(Debug, Default)]
struct Results {
    verb: &'static str,
    open: usize,
    done: usize,
    problem: Option<String>,
    rejected: usize,
}

impl Feed {
    /// A feed with these subscriptions, whose SUBSCRIBE have these properties.
    pub(crate) fn new(
        shared: Shared,
        requests: mpsc::Receiver<Request>,
        subscriptions: Vec<(TopicFilter, Qos)>,
        properties: PropertiesBuf,
        recorder: Option<Recorder>,
    ) -> Feed {
        let mut state = shared.lock();
        for (filter, qos) in subscriptions {
            state.add_subscription(filter, qos, false);
        }
        drop(state);
        Feed {
            shared,
            requests,
            recorder,
            properties,
            unanswered: Vec::new(),
            asked: Vec::new(),
            next: None,
            sending: VecDeque::new(),
            results: Results::default(),
            arrival: None,
            connected_at: None,
        }
    }

    /// The time since the broker accepted the last connection; `None` if it has accepted none.
    pub(super) fn connected_for(&self) -> Option<Duration> {
        self.connected_at.map(|connected| connected.elapsed())
    }

    fn subscribe(&mut self, subscribed: Subscribed, link: &mut Link<'_, Outbound>) {
        let Subscribed { filter, qos, identifier, .. } = subscribed;
        self.shared.lock().model.subscribed();
        let is_v5 = link.session.version().is_v5();
        let options = SubscriptionOptions {
            maximum_qos: qos,
            // Otherwise the flag would be lost on messages that are retained while the subscription exists.
            retain_as_published: is_v5,
            ..SubscriptionOptions::default()
        };
        let subscription = || vec![Subscription { filter: filter.as_str(), options }];
        let is_one_of_several = is_v5 && self.shared.lock().subscriptions.len() > 1;
        let with_identifier = Some(self.properties_with(identifier)).filter(|_| is_one_of_several);
        let properties = with_identifier.as_ref().unwrap_or(&self.properties).as_properties();
        let mut sent = link.session.subscribe(subscription(), properties, link.output);
        if with_identifier.is_some() && matches!(sent, Err(SubscribeError::IdentifiersNotSupported)) {
            sent = link.session.subscribe(subscription(), self.properties.as_properties(), link.output);
        }
        match sent {
            Ok(packet_id) => self.unanswered.push((packet_id, vec![filter])),
            Err(problem) => self.shared.note(format!("cannot subscribe to {filter}: {problem}")),
        }
    }

    /// The properties of SUBSCRIBE, and an identifier unless the user chose one.
    fn properties_with(&self, identifier: u32) -> PropertiesBuf {
        let mut properties = self.properties.clone();
        if properties.as_properties().find(PropertyId::SubscriptionIdentifier).is_none() {
            let _ = properties.push(PropertyId::SubscriptionIdentifier, PropertyValue::Number(identifier));
        }
        properties
    }

    fn unsubscribe(
        &mut self,
        filter: &TopicFilter,
        link: &mut Link<'_, Outbound>,
    ) -> Result<(), SubscribeError> {
        let mut state = self.shared.lock();
        state.subscriptions.retain(|known| known.filter != *filter);
        state.answered(filter, None);
        drop(state);
        link.session.unsubscribe(vec![filter.as_str()], Properties::EMPTY, link.output).map(drop)
    }

    fn watch_statistics(&mut self, link: &mut Link<'_, Outbound>) {
        let mut state = self.shared.lock();
        if state.subscriptions.iter().any(|known| known.filter.as_str() == STATISTICS) {
            return;
        }
        let Ok(filter) = TopicFilter::parse(STATISTICS) else { return };
        let added = state.add_subscription(filter, Qos::AtMostOnce, true);
        drop(state);
        self.subscribe(added, link);
    }

    fn leave_statistics(&mut self, link: &mut Link<'_, Outbound>) {
        let mut state = self.shared.lock();
        let Some(known) = state.subscriptions.iter().find(|known| known.is_for_panel).cloned() else {
            return;
        };
        state.hides_statistics = true;
        let wanted: Vec<TopicFilter> = state.filters();
        state.model.forget(STATISTICS_LEVEL, |topic| wanted.iter().any(|filter| filter.matches(topic)));
        state.revision += 1;
        drop(state);
        // If the packet does not fit, the topics are hidden all the same.
        let _ = self.unsubscribe(&known.filter, link);
    }

    fn perform(&mut self, request: Request, link: &mut Link<'_, Outbound>) {
        fault::panic_if_asked("reception");
        match request {
            Request::Subscribe(filter, qos) => {
                let added = self.shared.lock().add_subscription(filter.clone(), qos, false);
                self.asked.push(filter);
                self.subscribe(added, link);
            }
            Request::Unsubscribe(filter) => {
                let known = self.shared.lock().filters();
                if !known.contains(&filter) {
                    let known: Vec<&str> = known.iter().map(TopicFilter::as_str).collect();
                    let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
                    return self.shared.note(format!("not subscribed to {filter}, but to {known}"));
                }
                let sent = self.unsubscribe(&filter, link);
                self.shared.note(match sent {
                    Ok(()) => format!("unsubscribed from {filter}"),
                    Err(problem) => format!("cannot unsubscribe from {filter}: {problem}"),
                });
            }
            Request::WatchStatistics => self.watch_statistics(link),
            Request::LeaveStatistics => self.leave_statistics(link),
            Request::Publish(messages, verb) => {
                if self.results.open == 0 {
                    self.results = Results { verb, ..Results::default() };
                }
                self.results.open += messages.len();
                self.sending.extend(messages);
            }
        }
    }

    fn settled(&mut self, problem: Option<String>) {
        self.results.open = self.results.open.saturating_sub(1);
        match problem {
            None => self.results.done += 1,
            Some(problem) => {
                self.results.rejected += 1;
                self.results.problem = Some(problem);
            }
        }
        if self.results.open == 0 {
            self.shared.note(self.results.sentence());
        }
    }
}

impl Results {
    fn sentence(&self) -> String {
        let done = format!("{} {}", self.verb, counted(self.done, "message"));
        match &self.problem {
            None => done,
            Some(problem) if self.done == 0 && self.rejected == 1 => problem.clone(),
            Some(problem) => format!("{done}; {} failed: {problem}", counted(self.rejected, "message")),
        }
    }
}

impl Application for Feed {
    type Message = Outbound;
    type Error = FeedError;

    fn connected(&mut self, link: &mut Link<'_, Outbound>) -> Result<(), FeedError> {
        self.unanswered.clear();
        self.connected_at = Some(Instant::now());
        let mut state = self.shared.lock();
        state.connection = Connection::Connected;
        state.has_begun = true;
        state.revision += 1;
        let subscriptions = state.subscriptions.clone();
        drop(state);
        subscriptions.into_iter().for_each(|subscribed| self.subscribe(subscribed, link));
        Ok(())
    }

    fn send(&mut self, link: &mut Link<'_, Outbound>) -> Result<Sending, FeedError> {
        if let Some(request) = self.next.take() {
            self.perform(request, link);
        }
        let Some(message) = self.sending.pop_front() else { return Ok(Sending::Waiting) };
        let kept = message.clone();
        match link.session.publish(&message.as_publish(), || kept, link.output) {
            Ok(Some(_)) => {}
            Ok(None) => self.settled(None),
            Err(problem) => self.settled(Some(format!("cannot publish to {}: {problem}", message.topic))),
        }
        Ok(Sending::Sent)
    }

    async fn ready(&mut self) {
        if self.next.is_some() || !self.sending.is_empty() {
            return;
        }
        match self.requests.recv().await {
            Some(request) => self.next = Some(request),
            None => pending().await,
        }
    }

    fn message(&mut self, publish: &Publish<'_>, _: &[Defect]) -> Result<Flow, FeedError> {
        let (now, time) = *self.arrival.get_or_insert_with(|| (self.shared.now(), Timestamp::now()));
        if let Some(recorder) = &mut self.recorder {
            recorder.add(publish, time)?;
        }
        let mut state = self.shared.lock();
        if !state.is_hidden(publish.topic) && !state.is_copy(publish, now) {
            state.receive(publish, time, now);
        }
        Ok(Flow::Continue)
    }

    fn published(
        &mut self,
        _: PacketId,
        message: Outbound,
        reason_code: ReasonCode,
        properties: Properties<'_>,
    ) -> Result<Flow, FeedError> {
        let problem = reason_code.is_error().then(|| {
            let details = Details::of(properties);
            format!("the broker rejected the message to {}: {reason_code}{details}", message.topic)
        });
        self.settled(problem);
        Ok(Flow::Continue)
    }

    fn abandoned(&mut self, unsettled: usize) {
        for _ in 0..unsettled {
            self.settled(Some("the connection ended before the broker answered".to_owned()));
        }
    }

    fn unsendable(&mut self, message: Outbound, error: PublishError) {
        self.settled(Some(format!("cannot publish to {}: {error}", message.topic)));
    }

    fn subscribed(&mut self, ack: &SubscriptionAck<'_>) -> Result<Flow, FeedError> {
        let Some(index) = self.unanswered.iter().position(|(id, _)| *id == ack.packet_id) else {
            return Ok(Flow::Continue);
        };
        let (_, filters) = self.unanswered.swap_remove(index);
        let details = Details::of(ack.properties);
        for (filter, reason_code) in filters.iter().zip(ack.reason_codes()) {
            let asked = self.asked.iter().position(|asked| asked == filter);
            let is_asked = asked.map(|index| self.asked.swap_remove(index)).is_some();
            let rejection = reason_code
                .is_error()
                .then(|| format!("the broker rejected the subscription to {filter}: {reason_code}{details}"));
            self.shared.lock().answered(filter, rejection);
            if is_asked && !reason_code.is_error() {
                let qos = Qos::from_u8(reason_code.0).unwrap_or_default();
                self.shared.note(format!("subscribed to {filter} at QoS {qos}"));
            }
        }
        Ok(Flow::Continue)
    }

    fn unsubscribed(&mut self, ack: &SubscriptionAck<'_>) -> Result<Flow, FeedError> {
        for reason_code in ack.reason_codes().filter(|reason_code| reason_code.is_error()) {
            let details = Details::of(ack.properties);
            self.shared.note(format!("the broker rejected the unsubscribe: {reason_code}{details}"));
        }
        Ok(Flow::Continue)
    }

    fn flush(&mut self) -> Result<bool, FeedError> {
        self.arrival = None;
        if let Some(recorder) = &mut self.recorder {
            recorder.flush()?;
        }
        Ok(true)
    }

    fn tolerates_delay(&self) -> bool {
        true
    }

    fn lost(&mut self, error: &client::Error, pause: Duration) {
        let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let again_at = self.shared.now().saturating_add(pause);
        let mut state = self.shared.lock();
        state.connection = Connection::Lost { reason: error.to_string(), again_at };
        state.revision += 1;
    }
}
