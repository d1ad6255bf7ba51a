//! The reception: a client that puts the messages of its subscriptions into the shared model, and does what the screen requests.
//!
//! It runs on a thread of its own, so a slow terminal does not slow it down. Both threads hold the lock for short work only: here for
//! one message, in the screen for one frame.

use super::model::{Limits, Model};
use super::playback::{Playback, ReplayError};
use crate::client::{self, Application, Details, Flow, Link, Sending};
use crate::payload::Births;
use crate::protocol::session::{Outgoing, PublishError, SubscribeError};
use crate::protocol::{
    Defect, PacketId, Properties, PropertiesBuf, Publish, Qos, ReasonCode, Subscription, SubscriptionAck,
    SubscriptionOptions, TopicFilter, TopicName,
};
use crate::recording::{Recorder, RecordingError};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

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

/// The broker's answer to a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grant {
    Requested,
    Granted(Qos),
    Rejected(String),
}

/// A subscription and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscribed {
    pub(crate) filter: TopicFilter,
    pub(crate) qos: Qos,
    pub(crate) grant: Grant,
}

/// What reception and screen share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) model: Model,
    pub(crate) births: Births,
    pub(crate) connection: Connection,
    pub(crate) subscriptions: Vec<Subscribed>,
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
            subscriptions: Vec::new(),
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
        let requested = |(filter, qos)| Subscribed { filter, qos, grant: Grant::Requested };
        shared.lock().subscriptions = subscriptions.into_iter().map(requested).collect();
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
        }
    }

    fn subscribe(&mut self, filter: TopicFilter, qos: Qos, link: &mut Link<'_, Outbound>) {
        let options = SubscriptionOptions {
            maximum_qos: qos,
            // Otherwise the flag would be lost on messages that are retained while the subscription exists.
            retain_as_published: link.session.version().is_v5(),
            ..SubscriptionOptions::default()
        };
        let subscription = Subscription { filter: filter.as_str(), options };
        let sent = link.session.subscribe(vec![subscription], self.properties.as_properties(), link.output);
        match sent {
            Ok(packet_id) => self.unanswered.push((packet_id, vec![filter])),
            Err(problem) => self.note_unsent(&filter, &problem),
        }
    }

    fn note_unsent(&self, filter: &TopicFilter, problem: &SubscribeError) {
        self.set_grant(filter, Grant::Rejected(problem.to_string()));
        self.shared.note(format!("cannot subscribe to {filter}: {problem}"));
    }

    fn set_grant(&self, filter: &TopicFilter, grant: Grant) {
        let mut state = self.shared.lock();
        if let Some(subscribed) = state.subscriptions.iter_mut().find(|known| known.filter == *filter) {
            subscribed.grant = grant;
        }
        state.revision += 1;
    }

    fn perform(&mut self, request: Request, link: &mut Link<'_, Outbound>) {
        match request {
            Request::Subscribe(filter, qos) => {
                let mut state = self.shared.lock();
                state.subscriptions.retain(|known| known.filter != filter);
                state.subscriptions.push(Subscribed { filter: filter.clone(), qos, grant: Grant::Requested });
                drop(state);
                self.asked.push(filter.clone());
                self.subscribe(filter, qos, link);
            }
            Request::Unsubscribe(filter) => {
                if !self.shared.lock().subscriptions.iter().any(|known| known.filter == filter) {
                    return self.shared.note(format!("{filter} is not subscribed to"));
                }
                self.shared.lock().subscriptions.retain(|known| known.filter != filter);
                let sent = link.session.unsubscribe(vec![filter.as_str()], Properties::EMPTY, link.output);
                self.shared.note(match sent {
                    Ok(_) => format!("unsubscribed from {filter}"),
                    Err(problem) => format!("cannot unsubscribe from {filter}: {problem}"),
                });
            }
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
        let noun = |count| if count == 1 { "message" } else { "messages" };
        let done = format!("{} {} {}", self.verb, self.done, noun(self.done));
        match &self.problem {
            None => done,
            Some(problem) if self.done == 0 && self.rejected == 1 => problem.clone(),
            Some(problem) => format!("{done}; {} {} failed: {problem}", self.rejected, noun(self.rejected)),
        }
    }
}

impl Application for Feed {
    type Message = Outbound;
    type Error = FeedError;

    fn connected(&mut self, link: &mut Link<'_, Outbound>) -> Result<(), FeedError> {
        self.unanswered.clear();
        let mut state = self.shared.lock();
        state.connection = Connection::Connected;
        state.revision += 1;
        state.subscriptions.iter_mut().for_each(|subscribed| subscribed.grant = Grant::Requested);
        let subscriptions = state.subscriptions.clone();
        drop(state);
        for Subscribed { filter, qos, .. } in subscriptions {
            self.subscribe(filter, qos, link);
        }
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
        self.shared.lock().receive(publish, time, now);
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
            if reason_code.is_error() {
                self.set_grant(filter, Grant::Rejected(reason_code.to_string()));
                self.shared.note(format!(
                    "the broker rejected the subscription to {filter}: {reason_code}{details}"
                ));
            } else {
                let qos = Qos::from_u8(reason_code.0).unwrap_or_default();
                self.set_grant(filter, Grant::Granted(qos));
                if is_asked {
                    self.shared.note(format!("subscribed to {filter} at QoS {qos}"));
                }
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
