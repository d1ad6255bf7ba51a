//! The state of one client: its connection, its sleep, its topic ids and its open requests.

use super::exchange::{self, Exchanges, RequestKey, answers_to, contents, message_id};
use super::topics::Topics;
use super::{Facts, MessageKind, Settings, Unanswered};
use crate::inspect::field::Tree;
use crate::inspect::{Direction, Name};
use crate::protocol::sn::v2::PacketType;
use crate::protocol::sn::{MessageType, Version};
use std::rc::Rc;

/// The code of an accepting answer.
const ACCEPTED: u32 = 0;

/// The state of an MQTT-SN client, as its messages show it.
#[derive(Debug, Default)]
pub(crate) struct Client {
    /// The version; `None` before the first message that shows it.
    pub(crate) version: Option<Version>,
    /// The version was not stated in CONNECT.
    pub(crate) is_version_inferred: bool,
    pub(crate) client_id: Option<Rc<str>>,
    /// The keep alive in seconds.
    pub(crate) keep_alive: Option<u16>,
    pub(super) state: ClientState,
    /// The steps of the connection's will procedure.
    pub(super) will: WillProcedure,
    /// The parts of a CONNECT of version 2.0 that its answers depend on.
    pub(super) request: ConnectRequest,
    /// The duration of the last SLEEPREQ, in seconds.
    sleep: Option<u32>,
    /// It was reported that the version is unknown.
    pub(super) has_unknown_version: bool,
    /// All topic ids since a clean connection are known.
    pub(super) knows_topics: bool,
    pub(super) topics: Topics,
    pub(super) exchanges: Exchanges,
    /// Time of the client's last message, in nanoseconds.
    pub(super) last_of_client: Option<u64>,
}

/// The state of a client (MQTT-SN 1.2, section 6.14).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ClientState {
    /// Its CONNECT was not captured.
    #[default]
    Unknown,
    /// CONNECT was sent.
    Connecting,
    Active,
    /// It sleeps for this number of seconds.
    Asleep(u32),
    /// It woke up to receive the stored messages.
    Awake(u32),
    Disconnected,
}

/// The messages about the will, since CONNECT.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct WillProcedure {
    /// CONNECT has the will flag.
    pub(super) is_announced: bool,
    /// The last message.
    pub(super) last: Option<MessageType>,
    /// WILLTOPIC was empty, so that no will follows.
    pub(super) is_empty: bool,
}

/// The parts of a CONNECT of version 2.0 that its answers depend on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ConnectRequest {
    pub(super) takes_suggestions: bool,
    pub(super) has_method: bool,
    pub(super) has_client_id: bool,
}

/// A message that is about to change the state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed<'m, 'a> {
    pub(super) kind: MessageKind,
    pub(super) direction: Direction,
    pub(super) tree: &'m Tree<'a>,
    /// The bytes of the datagram.
    pub(super) bytes: &'a [u8],
    /// The start of the message, after an envelope.
    pub(super) start: usize,
    /// Nanoseconds since 1970.
    pub(super) time: Option<u64>,
}

impl Observed<'_, '_> {
    pub(super) fn key(&self) -> RequestKey {
        RequestKey { direction: self.direction, kind: self.kind, id: message_id(self.tree) }
    }

    pub(super) fn is_from_client(&self) -> bool {
        self.direction == Direction::ClientToServer
    }

    pub(super) fn contents(&self) -> u64 {
        contents(self.bytes, self.start, self.tree)
    }
}

impl Client {
    /// Takes a message, and returns the facts about it.
    pub(super) fn observe(&mut self, message: &Observed<'_, '_>, settings: &Settings) -> Facts {
        let mut facts = Facts::default();
        if message.is_from_client() {
            facts.slept = self.slept(message.time);
            self.last_of_client = message.time;
        }
        if matches!(message.kind, MessageKind::Reserved(_) | MessageKind::Empty) {
            return facts;
        }
        self.topics.observe(message.kind, message.direction, message.tree);
        facts.topic = self.topics.resolve(message.tree, self.client_id.as_deref(), &settings.predefined);
        let id = message_id(message.tree);
        let answered = self.exchanges.answer(message.direction, message.kind, id, message.time);
        let is_answer = answered.is_some();
        if let Some(answered) = &answered {
            facts.round_trip = answered.round_trip;
            facts.since_publish = answered.since_publish;
            facts.topic = facts.topic.or_else(|| answered.topic.clone());
        }
        let is_last = is_answer && message.kind == MessageKind::V12(MessageType::Disconnect);
        if !answers_to(message.kind, message.tree).is_empty() && !is_last {
            let (key, own) = (message.key(), topic_of(message.tree));
            let topic = (facts.topic.clone().or_else(|| own.clone()), own.is_some());
            facts.repeats =
                self.exchanges.request(key, message.contents(), topic, message.time, answered.as_ref());
        }
        match message.kind {
            MessageKind::V12(message_type) => self.change_state(message_type, message, is_answer),
            MessageKind::V20(packet_type) => self.change_state_v2(packet_type, message),
            MessageKind::Reserved(_) | MessageKind::Empty => {}
        }
        facts
    }

    /// Nanoseconds since the client's last message, if it is asleep.
    fn slept(&self, time: Option<u64>) -> Option<u64> {
        matches!(self.state, ClientState::Asleep(_)).then_some(())?;
        Some(time?.saturating_sub(self.last_of_client?))
    }

    fn change_state(&mut self, message_type: MessageType, message: &Observed<'_, '_>, is_answer: bool) {
        let (tree, is_from_client) = (message.tree, message.is_from_client());
        match (message_type, is_from_client) {
            (MessageType::Connect, true) => self.connect(tree),
            (MessageType::Connack, false) => {
                let is_accepted = tree.number(Name::ReturnCode) == Some(ACCEPTED);
                self.state = if is_accepted { ClientState::Active } else { ClientState::Disconnected };
            }
            (MessageType::Disconnect, true) => match tree.number(Name::Duration) {
                Some(duration @ 1..) => self.state = ClientState::Asleep(duration),
                _ => self.state = ClientState::Disconnected,
            },
            // The gateway ended the connection.
            (MessageType::Disconnect, false) if !is_answer => {
                self.state = ClientState::Disconnected;
                self.exchanges.clear();
            }
            (MessageType::Pingreq, true) if tree.find(Name::ClientIdentifier).is_some() => {
                if let ClientState::Asleep(duration) = self.state {
                    self.state = ClientState::Awake(duration);
                }
                self.client_id =
                    self.client_id.take().or_else(|| tree.text(Name::ClientIdentifier).map(Rc::from));
            }
            (MessageType::Pingresp, false) => {
                if let ClientState::Awake(duration) = self.state {
                    self.state = ClientState::Asleep(duration);
                }
            }
            (
                MessageType::WillTopicReq
                | MessageType::WillTopic
                | MessageType::WillMsgReq
                | MessageType::WillMsg,
                _,
            ) => {
                self.will.last = Some(message_type);
                self.will.is_empty =
                    message_type == MessageType::WillTopic && tree.find(Name::WillTopic).is_none();
            }
            _ => {}
        }
    }

    fn change_state_v2(&mut self, packet_type: PacketType, message: &Observed<'_, '_>) {
        let (tree, is_from_client) = (message.tree, message.is_from_client());
        let is_rejected = exchange::is_rejection(tree);
        match (packet_type, is_from_client) {
            (PacketType::Connect, true) => self.connect_v2(tree),
            (PacketType::Connack, false) => {
                self.state = if is_rejected { ClientState::Disconnected } else { ClientState::Active };
                if let Some(assigned) = tree.text(Name::AssignedClientIdentifier) {
                    self.client_id = Some(Rc::from(assigned));
                }
                self.keep_alive = tree.two_bytes(Name::ServerKeepAlive).or(self.keep_alive);
            }
            (PacketType::Disconnect, _) => {
                self.state = ClientState::Disconnected;
                self.exchanges.clear();
            }
            (PacketType::Sleepreq, true) => self.sleep = tree.number(Name::Duration),
            (PacketType::Sleepresp, false) if !is_rejected => {
                let duration = tree.number(Name::Duration).or(self.sleep).unwrap_or_default();
                self.state = ClientState::Asleep(duration);
            }
            (PacketType::Pingreq, true) => {
                if let ClientState::Asleep(duration) = self.state {
                    self.state = ClientState::Awake(duration);
                }
            }
            (PacketType::Pingresp, false) => {
                if let ClientState::Awake(duration) = self.state {
                    self.state = ClientState::Asleep(duration);
                }
            }
            _ => {}
        }
    }

    fn connect_v2(&mut self, tree: &Tree<'_>) {
        self.client_id = tree.text(Name::ClientIdentifier).map(Rc::from);
        self.keep_alive = tree.two_bytes(Name::KeepAlive);
        self.state = ClientState::Connecting;
        self.request = ConnectRequest {
            takes_suggestions: tree.is_set(Name::ServerSuggestions),
            has_method: tree.is_set(Name::AuthenticationFlag),
            has_client_id: self.client_id.is_some(),
        };
        if tree.is_set(Name::CleanStart) {
            self.topics.clear();
            self.knows_topics = true;
        }
    }

    fn connect(&mut self, tree: &Tree<'_>) {
        self.client_id = tree.text(Name::ClientIdentifier).map(Rc::from);
        self.keep_alive = tree.two_bytes(Name::KeepAlive);
        self.will = WillProcedure { is_announced: tree.is_set(Name::WillFlag), ..WillProcedure::default() };
        self.state = ClientState::Connecting;
        if tree.is_set(Name::CleanSession) {
            self.topics.clear();
            self.knows_topics = true;
        }
    }

    /// The requests without an answer at the end. Answers to SEARCHGW may go to a multicast group.
    pub(super) fn unanswered(&self, now: Option<u64>) -> Vec<Unanswered> {
        let is_awaited = |request: &&exchange::OpenRequest| {
            !matches!(
                request.key.kind,
                MessageKind::V12(MessageType::SearchGw) | MessageKind::V20(PacketType::SearchGw)
            )
        };
        let open = self.exchanges.open().iter().filter(is_awaited);
        open.map(|request| Unanswered {
            direction: request.key.direction,
            kind: request.key.kind,
            id: request.key.id,
            sent: request.sent,
            waited: now.zip(request.first).map(|(now, first)| now.saturating_sub(first)),
        })
        .collect()
    }
}

/// The topic in a message's own fields.
fn topic_of(tree: &Tree<'_>) -> Option<Rc<str>> {
    tree.text(Name::TopicName).or_else(|| tree.text(Name::TopicFilter)).map(Rc::from)
}
