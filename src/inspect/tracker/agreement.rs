//! What client and server said in CONNECT and CONNACK, and so what each may send.

use crate::inspect::field::Tree;
use crate::inspect::{Direction, Name};
use crate::protocol::{PropertyId, Version};
use std::rc::Rc;

/// What MQTT 5 allows to be in flight where nobody says otherwise.
const DEFAULT_RECEIVE_MAXIMUM: u16 = u16::MAX;

/// What one side accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many messages with QoS 1 and 2 may be in flight to it.
    pub receive_maximum: u16,
    /// The longest packet; `None` for any.
    pub maximum_packet_size: Option<u32>,
    /// The highest topic alias; 0 for none.
    pub topic_alias_maximum: u16,
}

/// What the client said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// The version it asks for; `None` when there is no such version.
    pub version: Option<Version>,
    /// It wants no earlier session.
    pub clean_start: bool,
    /// It has an identifier of its own.
    pub has_client_id: bool,
    /// What the server may send.
    pub limits: Limits,
    /// Reason strings and user properties may come in every packet.
    pub wants_problem_information: bool,
    /// Response information may come in CONNACK.
    pub wants_response_information: bool,
    /// How it proves who it is, beyond a password.
    pub authentication_method: Option<Rc<str>>,
    /// Seconds that the session outlives the connection, where CONNECT says so.
    pub session_expiry_interval: u32,
    /// The will's QoS, if there is a will.
    pub will_qos: Option<u8>,
    /// The will is retained.
    pub will_retain: bool,
    /// A bridge, by the highest bit of the protocol level, which mosquitto sets.
    pub is_bridge: bool,
}

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connack {
    /// The connection came about.
    pub is_accepted: bool,
    /// The server goes on with an earlier session.
    pub session_present: bool,
    /// What the client may send.
    pub limits: Limits,
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

impl Limits {
    fn read(tree: &Tree<'_>) -> Limits {
        let two_bytes = |id| tree.two_bytes(Name::Property(id));
        Limits {
            receive_maximum: two_bytes(PropertyId::ReceiveMaximum).unwrap_or(DEFAULT_RECEIVE_MAXIMUM),
            maximum_packet_size: tree.number(Name::Property(PropertyId::MaximumPacketSize)),
            topic_alias_maximum: two_bytes(PropertyId::TopicAliasMaximum).unwrap_or_default(),
        }
    }
}

impl Connect {
    pub(super) fn read(tree: &Tree<'_>, version: Option<Version>) -> Connect {
        let number = |id| tree.number(Name::Property(id));
        let has_will = tree.is_set(Name::WillFlag);
        Connect {
            version,
            clean_start: tree.is_set(Name::CleanStart),
            has_client_id: tree.bytes(Name::ClientIdentifier).is_some_and(|id| !id.is_empty()),
            limits: Limits::read(tree),
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
    pub(super) fn read(tree: &Tree<'_>) -> Connack {
        let is_available = |id| tree.number(Name::Property(id)) != Some(0);
        let code = tree.number(Name::ReasonCode).or(tree.number(Name::ReturnCode));
        Connack {
            is_accepted: code == Some(0),
            session_present: tree.is_set(Name::SessionPresent),
            limits: Limits::read(tree),
            maximum_qos: tree.number(Name::Property(PropertyId::MaximumQos)).map_or(2, |qos| qos as u8),
            retain_available: is_available(PropertyId::RetainAvailable),
            wildcards_available: is_available(PropertyId::WildcardSubscriptionAvailable),
            subscription_identifiers_available: is_available(PropertyId::SubscriptionIdentifierAvailable),
            shared_subscriptions_available: is_available(PropertyId::SharedSubscriptionAvailable),
        }
    }
}

/// What was said so far.
#[derive(Debug, Default)]
pub struct Agreement {
    /// By the client, in its first CONNECT.
    pub connect: Option<Connect>,
    /// By the server, in its first CONNACK.
    pub connack: Option<Connack>,
}

impl Agreement {
    /// Whether client and server begin a new session; `None` where that was not said, or not seen.
    pub fn is_session_new(&self) -> Option<bool> {
        let connect = self.connect.as_ref()?;
        if connect.clean_start {
            return Some(true);
        }
        // CONNACK of MQTT 3.1 does not say it.
        let says_so = connect.version.is_some_and(|version| version > Version::V31);
        self.connack.as_ref().filter(|connack| says_so && connack.is_accepted).map(|it| !it.session_present)
    }

    /// What may be sent that way, as far as the receiver has said it.
    pub fn limits(&self, direction: Direction) -> Option<&Limits> {
        match direction {
            Direction::ClientToServer => self.connack.as_ref().map(|connack| &connack.limits),
            Direction::ServerToClient => self.connect.as_ref().map(|connect| &connect.limits),
        }
    }
}
