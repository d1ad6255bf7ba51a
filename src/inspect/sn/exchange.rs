//! Requests of both sides and their answers.

use super::MessageKind;
use crate::inspect::Direction;
use crate::inspect::Name;
use crate::inspect::field::Tree;
use crate::protocol::sn::MessageType;
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

/// The message id of a message.
pub(super) fn message_id(tree: &Tree<'_>) -> u16 {
    tree.two_bytes(Name::MessageId).unwrap_or_default()
}

/// The types that answer a message; none if it is not a request.
pub(super) fn answers_to(kind: MessageKind, tree: &Tree<'_>) -> &'static [MessageType] {
    use MessageType::*;
    let MessageKind::V12(message_type) = kind else { return &[] };
    match message_type {
        SearchGw => &[GwInfo],
        Connect => &[Connack, WillTopicReq],
        WillTopicReq => &[WillTopic],
        WillTopic => &[WillMsgReq, Connack],
        WillMsgReq => &[WillMsg],
        WillMsg => &[Connack],
        Register => &[Regack],
        Publish => match tree.number(Name::Qos) {
            Some(1) => &[Puback],
            // PUBACK rejects it.
            Some(2) => &[Pubrec, Puback],
            _ => &[],
        },
        Pubrec => &[Pubrel],
        Pubrel => &[Pubcomp],
        Subscribe => &[Suback],
        Unsubscribe => &[Unsuback],
        Pingreq => &[Pingresp],
        Disconnect => &[Disconnect],
        WillTopicUpd => &[WillTopicResp],
        WillMsgUpd => &[WillMsgResp],
        Advertise | GwInfo | Connack | WillMsgResp | WillTopicResp | Regack | Puback | Pubcomp | Suback
        | Unsuback | Pingresp | Encapsulated => &[],
    }
}

/// The types that answer nothing but a request.
pub(super) fn is_answer(kind: MessageKind) -> bool {
    use MessageType::*;
    matches!(
        kind,
        MessageKind::V12(
            Connack
                | WillTopicReq
                | WillMsgReq
                | Regack
                | Puback
                | Pubcomp
                | Pubrec
                | Pubrel
                | Suback
                | Unsuback
                | Pingresp
                | WillTopicResp
                | WillMsgResp
        )
    )
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
        let MessageKind::V12(answer) = kind else { return false };
        self.answered.iter().any(|(key, ..)| {
            key.direction == direction.reverse() && key.id == id && all_answers(key.kind).contains(&answer)
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
        let is_end = kind == MessageKind::V12(MessageType::Pubcomp);
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
        topic: Option<Rc<str>>,
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
        let is_publish = key.kind == MessageKind::V12(MessageType::Publish);
        let published = if is_publish { time } else { previous.and_then(|previous| previous.published) };
        let topic = topic.or_else(|| previous.and_then(|previous| previous.topic.clone()));
        self.open.push(OpenRequest {
            key,
            first: time,
            last: time,
            sent: before + 1,
            contents,
            topic,
            published,
        });
        before
    }

    /// Ends all requests, since the connection ended.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    fn position(&self, direction: Direction, kind: MessageKind, id: u16) -> Option<usize> {
        let MessageKind::V12(answer) = kind else { return None };
        self.open.iter().position(|request| {
            request.key.direction == direction.reverse()
                && request.key.id == id
                && all_answers(request.key.kind).contains(&answer)
        })
    }
}

/// The types that answer a request of any QoS.
fn all_answers(kind: MessageKind) -> &'static [MessageType] {
    match kind {
        MessageKind::V12(MessageType::Publish) => &[MessageType::Puback, MessageType::Pubrec],
        kind => answers_to(kind, &Tree { fields: Vec::new(), findings: Vec::new() }),
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
