//! Requests of both sides and their answers.

use super::MessageKind::{self, V12, V20};
use crate::inspect::Direction;
use crate::inspect::Name;
use crate::inspect::field::Tree;
use crate::protocol::sn::MessageType as M;
use crate::protocol::sn::v2::PacketType as P;
use std::collections::VecDeque;
use std::rc::Rc;

/// The most requests of a client, and towards it, that are remembered until their answer.
const MAX_OPEN: usize = 64;

/// The most answered requests that are remembered, to recognise a repetition.
const MAX_ANSWERED: usize = 16;

/// A request that waits for its answer.
#[derive(Debug, Clone)]
pub(super) struct OpenRequest {
    pub(super) key: RequestKey,
    /// Time of the first transmission, in nanoseconds.
    pub(super) first: Option<u64>,
    /// Time of the last transmission, in nanoseconds.
    last: Option<u64>,
    pub(super) sent: u32,
    pub(super) contents: u64,
    pub(super) topic: Option<Rc<str>>,
    /// Its own fields have the topic.
    pub(super) has_name: bool,
    /// Time of the PUBLISH that the exchange began with, in nanoseconds.
    published: Option<u64>,
}

/// The identity of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestKey {
    pub(super) direction: Direction,
    pub(super) kind: MessageKind,
    /// The message id; 0 if it has none.
    pub(super) id: u16,
}

/// The requests of one client and of its gateway.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    open: Vec<OpenRequest>,
    /// The last answered requests with a hash of their contents, the oldest first.
    answered: VecDeque<(RequestKey, u64, u32)>,
}

/// The result of an answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Answered {
    pub(super) round_trip: Option<u64>,
    pub(super) since_publish: Option<u64>,
    pub(super) topic: Option<Rc<str>>,
    published: Option<u64>,
}

/// The message id or packet identifier of a message.
pub(super) fn message_id(tree: &Tree<'_>) -> u16 {
    let id = tree.two_bytes(Name::MessageId).or_else(|| tree.two_bytes(Name::PacketIdentifier));
    id.unwrap_or_default()
}

/// Whether a message rejects a request: by a return code of version 1.2, or by a reason code of version 2.0.
pub(super) fn is_rejection(tree: &Tree<'_>) -> bool {
    let return_code = tree.number(Name::ReturnCode).is_some_and(|code| code > 0);
    return_code || tree.number(Name::ReasonCode).is_some_and(|code| code >= 0x80)
}

/// The types that answer a message; none if it is not a request.
pub(super) fn answers_to(kind: MessageKind, tree: &Tree<'_>) -> &'static [MessageKind] {
    match (kind, tree.number(Name::Qos)) {
        (V12(M::Publish), Some(1)) => &[V12(M::Puback)],
        (V20(P::Publish), Some(1)) => &[V20(P::Puback)],
        (V12(M::Publish) | V20(P::Publish), Some(2)) => all_answers(kind),
        (V12(M::Publish) | V20(P::Publish), _) => &[],
        _ => all_answers(kind),
    }
}

/// The types that answer a request of any QoS.
fn all_answers(kind: MessageKind) -> &'static [MessageKind] {
    match kind {
        V12(message_type) => match message_type {
            M::SearchGw => &[V12(M::GwInfo)],
            M::Connect => &[V12(M::Connack), V12(M::WillTopicReq)],
            M::WillTopicReq => &[V12(M::WillTopic)],
            M::WillTopic => &[V12(M::WillMsgReq), V12(M::Connack)],
            M::WillMsgReq => &[V12(M::WillMsg)],
            M::WillMsg => &[V12(M::Connack)],
            M::Register => &[V12(M::Regack)],
            // PUBACK also rejects a PUBLISH of QoS 2.
            M::Publish => &[V12(M::Puback), V12(M::Pubrec)],
            M::Pubrec => &[V12(M::Pubrel)],
            M::Pubrel => &[V12(M::Pubcomp)],
            M::Subscribe => &[V12(M::Suback)],
            M::Unsubscribe => &[V12(M::Unsuback)],
            M::Pingreq => &[V12(M::Pingresp)],
            M::Disconnect => &[V12(M::Disconnect)],
            M::WillTopicUpd => &[V12(M::WillTopicResp)],
            M::WillMsgUpd => &[V12(M::WillMsgResp)],
            M::Advertise
            | M::GwInfo
            | M::Connack
            | M::WillMsgResp
            | M::WillTopicResp
            | M::Regack
            | M::Puback
            | M::Pubcomp
            | M::Suback
            | M::Unsuback
            | M::Pingresp
            | M::Encapsulated => &[],
        },
        V20(packet_type) => match packet_type {
            P::SearchGw => &[V20(P::GwInfo)],
            P::Connect => &[V20(P::Connack)],
            P::Publish => &[V20(P::Puback), V20(P::Pubrec)],
            P::Pubrec => &[V20(P::Pubrel)],
            P::Pubrel => &[V20(P::Pubcomp)],
            P::Subscribe => &[V20(P::Suback)],
            P::Unsubscribe => &[V20(P::Unsuback)],
            P::Pingreq => &[V20(P::Pingresp)],
            P::Register => &[V20(P::Regack)],
            P::Sleepreq => &[V20(P::Sleepresp)],
            P::Connack
            | P::Auth
            | P::Puback
            | P::Pubcomp
            | P::Suback
            | P::Unsuback
            | P::Pingresp
            | P::Disconnect
            | P::Regack
            | P::Pubwos
            | P::Sleepresp
            | P::Wakeup
            | P::Advertise
            | P::GwInfo
            | P::Forwarder
            | P::Connection
            | P::Protection => &[],
        },
        MessageKind::Reserved(_) | MessageKind::Empty => &[],
    }
}

/// The types that answer nothing but a request.
pub(super) fn is_answer(kind: MessageKind) -> bool {
    match kind {
        V12(message_type) => matches!(
            message_type,
            M::Connack
                | M::WillTopicReq
                | M::WillMsgReq
                | M::Regack
                | M::Puback
                | M::Pubcomp
                | M::Pubrec
                | M::Pubrel
                | M::Suback
                | M::Unsuback
                | M::Pingresp
                | M::WillTopicResp
                | M::WillMsgResp
        ),
        V20(packet_type) => matches!(
            packet_type,
            P::Connack
                | P::Regack
                | P::Puback
                | P::Pubcomp
                | P::Pubrec
                | P::Pubrel
                | P::Suback
                | P::Unsuback
                | P::Pingresp
                | P::Sleepresp
        ),
        MessageKind::Reserved(_) | MessageKind::Empty => false,
    }
}

impl Exchanges {
    pub(super) fn open(&self) -> &[OpenRequest] {
        &self.open
    }

    /// The open request of this identity.
    pub(super) fn find(&self, key: RequestKey) -> Option<&OpenRequest> {
        self.open.iter().find(|request| request.key == key)
    }

    /// Whether a request of this identity and these contents was answered lately.
    pub(super) fn was_answered(&self, key: RequestKey, contents: u64) -> bool {
        self.answered.iter().any(|(known, hash, _)| (*known, *hash) == (key, contents))
    }

    /// The open request that a message answers.
    pub(super) fn request_of(
        &self,
        direction: Direction,
        kind: MessageKind,
        id: u16,
    ) -> Option<&OpenRequest> {
        self.position(direction, kind, id).and_then(|position| self.open.get(position))
    }

    /// Whether a request that the message answers was answered lately.
    pub(super) fn is_answered_again(&self, direction: Direction, kind: MessageKind, id: u16) -> bool {
        self.answered.iter().any(|(key, ..)| {
            key.direction == direction.reverse() && key.id == id && all_answers(key.kind).contains(&kind)
        })
    }

    /// Ends the request that a message answers.
    pub(super) fn answer(
        &mut self,
        direction: Direction,
        kind: MessageKind,
        id: u16,
        time: Option<u64>,
    ) -> Option<Answered> {
        let position = self.position(direction, kind, id)?;
        let request = self.open.remove(position);
        if self.answered.len() >= MAX_ANSWERED {
            self.answered.pop_front();
        }
        self.answered.push_back((request.key, request.contents, request.sent));
        let since = |then: Option<u64>| Some(time?.saturating_sub(then?));
        let is_end = matches!(kind, V12(M::Pubcomp) | V20(P::Pubcomp));
        Some(Answered {
            round_trip: since(request.last),
            since_publish: since(request.published).filter(|_| is_end),
            topic: request.topic,
            published: request.published,
        })
    }

    /// Begins a request, or repeats it; returns the number of times that it was sent before. `previous` is the exchange that
    /// the request continues.
    pub(super) fn request(
        &mut self,
        key: RequestKey,
        contents: u64,
        (topic, has_name): (Option<Rc<str>>, bool),
        time: Option<u64>,
        previous: Option<&Answered>,
    ) -> u32 {
        if let Some(request) =
            self.open.iter_mut().find(|request| request.key == key && request.contents == contents)
        {
            request.last = time;
            request.sent += 1;
            return request.sent - 1;
        }
        // A different request with the identifier replaces the open one.
        self.open.retain(|request| request.key != key);
        let position = self.answered.iter().position(|(known, hash, _)| (*known, *hash) == (key, contents));
        let before =
            position.and_then(|position| self.answered.remove(position)).map_or(0, |(_, _, sent)| sent);
        if self.open.len() >= MAX_OPEN {
            self.open.remove(0);
        }
        let is_publish = matches!(key.kind, V12(M::Publish) | V20(P::Publish));
        let published = if is_publish { time } else { previous.and_then(|previous| previous.published) };
        let topic = topic.or_else(|| previous.and_then(|previous| previous.topic.clone()));
        self.open.push(OpenRequest {
            key,
            first: time,
            last: time,
            sent: before + 1,
            contents,
            topic,
            has_name,
            published,
        });
        before
    }

    /// Ends all requests, since the connection ended.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    fn position(&self, direction: Direction, kind: MessageKind, id: u16) -> Option<usize> {
        self.open.iter().position(|request| {
            request.key.direction == direction.reverse()
                && request.key.id == id
                && all_answers(request.key.kind).contains(&kind)
        })
    }
}

/// A hash of the contents that a repetition has in common with the first transmission: all but DUP.
pub(super) fn contents(bytes: &[u8], start: usize, tree: &Tree<'_>) -> u64 {
    let dup = tree.find(Name::Dup).map(|dup| dup.range.start);
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        let byte = if Some(at) == dup { byte & 0x7f } else { *byte };
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}
