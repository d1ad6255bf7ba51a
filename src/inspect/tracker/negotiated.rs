//! The contents of CONNECT and CONNACK: the options and limits of each side.

use crate::inspect::field::Tree;
use crate::inspect::{Direction, Name};
use crate::protocol::{PropertyId, Version};
use std::collections::VecDeque;
use std::rc::Rc;

/// The Receive Maximum of MQTT 5 if the property is absent.
const DEFAULT_RECEIVE_MAXIMUM: u16 = u16::MAX;

/// The limits that one side stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatedLimits {
    /// Maximum number of messages with QoS 1 and 2 in flight to it.
    pub receive_maximum: u16,
    /// Maximum packet size in bytes; `None` for no limit.
    pub maximum_packet_size: Option<u32>,
    /// The highest topic alias; 0 allows none.
    pub topic_alias_maximum: u16,
}

/// The contents of CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connect {
    /// The requested version; `None` if it is unknown.
    pub version: Option<Version>,
    /// The client discards an earlier session.
    pub clean_start: bool,
    /// The client identifier is not empty.
    pub has_client_id: bool,
    /// Limits for the server's packets.
    pub limits: StatedLimits,
    /// Any packet may have reason strings and user properties.
    pub wants_problem_information: bool,
    /// CONNACK may have response information.
    pub wants_response_information: bool,
    /// The method of enhanced authentication.
    pub authentication_method: Option<Rc<str>>,
    /// Seconds that the session outlives the connection; 0 if CONNECT does not set it.
    pub session_expiry_interval: u32,
    /// The will's QoS; `None` without a will.
    pub will_qos: Option<u8>,
    pub will_retain: bool,
    /// The client is a bridge: mosquitto marks these with the highest bit of the protocol level.
    pub is_bridge: bool,
}

/// The contents of CONNACK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connack {
    /// The server accepted the connection.
    pub is_accepted: bool,
    /// The server resumes an earlier session.
    pub session_present: bool,
    /// Limits for the client's packets.
    pub limits: StatedLimits,
    /// The highest QoS.
    pub maximum_qos: u8,
    /// RETAIN may be set.
    pub retain_available: bool,
    /// Filters may hold wildcards.
    pub wildcards_available: bool,
    /// Subscriptions may have identifiers.
    pub subscription_identifiers_available: bool,
    /// Subscriptions may be shared.
    pub shared_subscriptions_available: bool,
}

impl StatedLimits {
    fn read(tree: &Tree<'_>) -> StatedLimits {
        let two_bytes = |id| tree.two_bytes(Name::Property(id));
        StatedLimits {
            receive_maximum: two_bytes(PropertyId::ReceiveMaximum).unwrap_or(DEFAULT_RECEIVE_MAXIMUM),
            maximum_packet_size: tree.number(Name::Property(PropertyId::MaximumPacketSize)),
            topic_alias_maximum: two_bytes(PropertyId::TopicAliasMaximum).unwrap_or_default(),
        }
    }
}

impl Connect {
    fn read(tree: &Tree<'_>, version: Option<Version>) -> Connect {
        let number = |id| tree.number(Name::Property(id));
        let has_will = tree.is_set(Name::WillFlag);
        Connect {
            version,
            clean_start: tree.is_set(Name::CleanStart),
            has_client_id: tree.bytes(Name::ClientIdentifier).is_some_and(|id| !id.is_empty()),
            limits: StatedLimits::read(tree),
            wants_problem_information: number(PropertyId::RequestProblemInformation) != Some(0),
            wants_response_information: number(PropertyId::RequestResponseInformation) == Some(1),
            authentication_method: tree.text(Name::Property(PropertyId::AuthenticationMethod)).map(Rc::from),
            session_expiry_interval: number(PropertyId::SessionExpiryInterval).unwrap_or_default(),
            will_qos: tree.number(Name::WillQos).filter(|_| has_will).map(|qos| qos as u8),
            will_retain: has_will && tree.is_set(Name::WillRetain),
            is_bridge: tree.number(Name::ProtocolLevel).is_some_and(|level| level & 0x80 != 0),
        }
    }
}

impl Connack {
    fn read(tree: &Tree<'_>) -> Connack {
        let is_available = |id| tree.number(Name::Property(id)) != Some(0);
        let code = tree.number(Name::ReasonCode).or(tree.number(Name::ReturnCode));
        Connack {
            is_accepted: code == Some(0),
            session_present: tree.is_set(Name::SessionPresent),
            limits: StatedLimits::read(tree),
            maximum_qos: tree.number(Name::Property(PropertyId::MaximumQos)).map_or(2, |qos| qos as u8),
            retain_available: is_available(PropertyId::RetainAvailable),
            wildcards_available: is_available(PropertyId::WildcardSubscriptionAvailable),
            subscription_identifiers_available: is_available(PropertyId::SubscriptionIdentifierAvailable),
            shared_subscriptions_available: is_available(PropertyId::SharedSubscriptionAvailable),
        }
    }
}

/// CONNECT and CONNACK of a connection, once they have been sent.
#[derive(Debug, Default)]
pub(crate) struct Negotiation {
    /// The client's first CONNECT.
    pub connect: Option<Rc<Connect>>,
    /// The server's first CONNACK.
    pub connack: Option<Rc<Connack>>,
}

/// The contents of recent packets, which many connections share: the clients of a fleet connect alike.
#[derive(Debug, Default)]
pub(crate) struct RecentNegotiations {
    connects: Recent<Connect>,
    connacks: Recent<Connack>,
}

/// The most values to remember.
const MAX_RECENT: usize = 16;

#[derive(Debug)]
struct Recent<T>(VecDeque<Rc<T>>);

impl<T> Default for Recent<T> {
    fn default() -> Recent<T> {
        Recent(VecDeque::new())
    }
}

impl<T: PartialEq> Recent<T> {
    /// A recent value that is the same, or else this one.
    fn share(&mut self, value: T) -> Rc<T> {
        if let Some(known) = self.0.iter().find(|known| ***known == value) {
            return Rc::clone(known);
        }
        if self.0.len() >= MAX_RECENT {
            self.0.pop_front();
        }
        let value = Rc::new(value);
        self.0.push_back(Rc::clone(&value));
        value
    }
}

impl RecentNegotiations {
    pub(super) fn connect(&mut self, tree: &Tree<'_>, version: Option<Version>) -> Rc<Connect> {
        self.connects.share(Connect::read(tree, version))
    }

    pub(super) fn connack(&mut self, tree: &Tree<'_>) -> Rc<Connack> {
        self.connacks.share(Connack::read(tree))
    }
}

impl Negotiation {
    /// Whether the session is new; `None` if that was not stated or not captured.
    pub(crate) fn is_session_new(&self) -> Option<bool> {
        let connect = self.connect.as_ref()?;
        if connect.clean_start {
            return Some(true);
        }
        // MQTT 3.1 has no Session Present flag.
        let says_so = connect.version.is_some_and(|version| version > Version::V31);
        self.connack.as_ref().filter(|connack| says_so && connack.is_accepted).map(|it| !it.session_present)
    }

    /// The limits for packets in this direction, once the receiver has stated them.
    pub(crate) fn limits(&self, direction: Direction) -> Option<&StatedLimits> {
        match direction {
            Direction::ClientToServer => self.connack.as_ref().map(|connack| &connack.limits),
            Direction::ServerToClient => self.connect.as_ref().map(|connect| &connect.limits),
        }
    }
}
