//! CONNECT with the will exchange, sleep, and the end of a client.

use super::{Action, Client, Context, Note, Output, Phase, Unanswered, code_of, send, send_packet};
use crate::protocol::session::Limits;
use crate::protocol::sn::{Connect, Message, ReturnCode, WillTopic};
use crate::protocol::{Packet, PacketId, Properties, Publish, Qos, TopicName};
use std::time::Duration;

/// The time for which a client stays awake after an acknowledgement, for the broker's next message.
pub(super) const NEXT_MESSAGE: Duration = Duration::from_millis(100);

/// The longest time after CONNACK for a late copy of CONNECT.
pub(super) const LATE_CONNECT: Duration = Duration::from_secs(2);

/// The will of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Will {
    pub topic: String,
    pub payload: Vec<u8>,
    pub qos: Qos,
    pub retain: bool,
}

impl Will {
    /// The will with this topic and without a payload; `None` if the topic is invalid.
    fn new(topic: &WillTopic<'_>) -> Option<Will> {
        let is_valid = TopicName::parse(topic.topic).is_ok();
        let (topic, qos, retain) = (topic.topic.to_owned(), topic.qos, topic.retain);
        is_valid.then_some(Will { topic, payload: Vec::new(), qos, retain })
    }
}

impl Client {
    pub(super) fn receive_connect(&mut self, connect: &Connect<'_>, context: Context<'_>, out: &mut Output) {
        let is_repeated = connect.is_clean == self.is_clean;
        match self.phase {
            Phase::WillTopic(_) if is_repeated && connect.has_will => send(&Message::WillTopicReq, out),
            Phase::WillMessage(_) if is_repeated && connect.has_will => send(&Message::WillMsgReq, out),
            Phase::Connecting if is_repeated => {}
            Phase::Active if is_repeated && self.is_just_accepted => accept(out),
            Phase::Active | Phase::Asleep | Phase::Awake { .. } if self.is_late_connect(connect, context) => {
            }
            Phase::Asleep | Phase::Awake { .. } if !connect.is_clean && !connect.has_will => {
                self.note_keep_alive(connect);
                self.phase = Phase::Active;
                accept(out);
                self.pump(context, out);
            }
            _ => self.start(connect, context, out),
        }
    }

    /// Whether the network may have delivered a copy of the accepted CONNECT late, which would end the clean session. A client that
    /// has restarted is only delayed, since it repeats its CONNECT.
    fn is_late_connect(&self, connect: &Connect<'_>, context: Context<'_>) -> bool {
        let window = LATE_CONNECT.min(context.settings.retry_interval / 2);
        connect.is_clean
            && self.is_clean
            && self.will.is_some() == connect.has_will
            && self.keep_alive == Duration::from_secs(connect.duration.into())
            && self.accepted.is_some_and(|accepted| context.now < accepted + window)
    }

    fn start(&mut self, connect: &Connect<'_>, context: Context<'_>, out: &mut Output) {
        self.is_clean = connect.is_clean;
        self.note_keep_alive(connect);
        self.accepted = None;
        if connect.is_clean {
            self.topics.clear();
            self.will = None;
        } else {
            self.topics.note_all_unknown();
        }
        self.deliveries.restart(connect.is_clean);
        self.requests.clear();
        self.is_will_changed = false;
        if connect.has_will {
            self.phase = Phase::WillTopic(Unanswered::new(context.now));
            send(&Message::WillTopicReq, out);
        } else {
            self.open(out);
        }
    }

    fn open(&mut self, out: &mut Output) {
        self.phase = Phase::Connecting;
        out.action = Some(Action::Open);
    }

    fn note_keep_alive(&mut self, connect: &Connect<'_>) {
        self.keep_alive = Duration::from_secs(connect.duration.into());
        self.interval = self.keep_alive;
    }

    /// Handles a message of the will exchange.
    pub(super) fn receive_will(&mut self, message: &Message<'_>, context: Context<'_>, out: &mut Output) {
        match (self.phase, message) {
            (Phase::WillTopic(_), Message::WillTopic(None)) => {
                self.will = None;
                self.open(out);
            }
            (Phase::WillTopic(_), Message::WillTopic(Some(topic))) => match Will::new(topic) {
                Some(will) => {
                    self.will = Some(will);
                    self.phase = Phase::WillMessage(Unanswered::new(context.now));
                    send(&Message::WillMsgReq, out);
                }
                None => self.refuse(ReturnCode::NOT_SUPPORTED, context, out),
            },
            // WILLMSGREQ was lost, or this is a duplicate.
            (Phase::WillMessage(_), Message::WillTopic(_)) => send(&Message::WillMsgReq, out),
            (Phase::WillMessage(_), Message::WillMsg { payload }) => {
                if let Some(will) = &mut self.will {
                    will.payload = payload.to_vec();
                }
                self.open(out);
            }
            (_, Message::Disconnect { .. }) => self.leave(context, out),
            _ => {}
        }
    }

    pub(super) fn repeat_will_request(&mut self, context: Context<'_>, out: &mut Output) {
        let (Phase::WillTopic(mut unanswered) | Phase::WillMessage(mut unanswered)) = self.phase else {
            return;
        };
        if context.now < unanswered.due(context.settings) {
            return;
        }
        if !unanswered.repeat(context) {
            self.end(context);
            out.note = Some(Note::NoAnswer);
            return;
        }
        if matches!(self.phase, Phase::WillTopic(_)) {
            self.phase = Phase::WillTopic(unanswered);
            send(&Message::WillTopicReq, out);
        } else {
            self.phase = Phase::WillMessage(unanswered);
            send(&Message::WillMsgReq, out);
        }
    }

    /// The broker accepted the client, with these limits.
    pub(crate) fn broker_accepted(&mut self, accepts: Limits, context: Context<'_>, out: &mut Output) {
        if self.phase != Phase::Connecting {
            return;
        }
        self.broker_accepts = accepts;
        self.phase = Phase::Active;
        self.is_just_accepted = true;
        self.accepted = Some(context.now);
        self.heard = context.now;
        out.note = Some(Note::Connected);
        accept(out);
        self.pump(context, out);
    }

    /// The client is not accepted: by the broker, or since the gateway has no room.
    pub(crate) fn refuse(&mut self, return_code: ReturnCode, context: Context<'_>, out: &mut Output) {
        send(&Message::Connack { return_code }, out);
        self.end(context);
    }

    /// The connection to the broker ended.
    pub(crate) fn broker_lost(&mut self, context: Context<'_>, out: &mut Output) {
        match self.phase {
            Phase::Active | Phase::Awake { .. } => send(&Message::Disconnect { duration: None }, out),
            // It learns of it when it wakes up.
            Phase::Asleep => {}
            Phase::Connecting | Phase::WillTopic(_) | Phase::WillMessage(_) | Phase::Disconnected { .. } => {
                return;
            }
        }
        self.end(context);
    }

    /// The gateway ends.
    pub(crate) fn shut_down(&mut self, context: Context<'_>, out: &mut Output) {
        if !self.is_disconnected() {
            self.leave(context, out);
        }
    }

    /// Another client replaces it at its address, where a DISCONNECT would be taken for that of the new one.
    pub(crate) fn abandon(&mut self, context: Context<'_>, out: &mut Output) {
        if !self.is_disconnected() {
            self.end_with_will(Note::Disconnected, context, out);
        }
    }

    /// It makes room for another client.
    pub(crate) fn give_up(&mut self, context: Context<'_>, out: &mut Output) {
        if !self.is_disconnected() {
            self.lose(Note::GaveWay, context, out);
        }
    }

    /// The client's DISCONNECT without a duration.
    pub(super) fn leave(&mut self, context: Context<'_>, out: &mut Output) {
        send(&Message::Disconnect { duration: None }, out);
        self.end(context);
        out.action = Some(Action::Disconnect);
        out.note = Some(Note::Disconnected);
    }

    /// Ends a client that no longer answers.
    pub(super) fn lose(&mut self, note: Note, context: Context<'_>, out: &mut Output) {
        send(&Message::Disconnect { duration: None }, out);
        self.end_with_will(note, context, out);
    }

    /// The broker publishes the will; the gateway does so if the will has changed, which the broker does not know.
    fn end_with_will(&mut self, note: Note, context: Context<'_>, out: &mut Output) {
        out.note = Some(note);
        out.action = Some(if self.is_will_changed {
            self.publish_will(context, out);
            Action::Disconnect
        } else {
            Action::Abandon
        });
        self.end(context);
    }

    fn publish_will(&mut self, context: Context<'_>, out: &mut Output) {
        let Some(will) = self.will.take() else { return };
        // The exchange of QoS 2 would outlast the connection.
        let qos = will.qos.min(Qos::AtLeastOnce);
        let packet_id = (qos != Qos::AtMostOnce).then(|| self.unused_packet_id()).flatten();
        let publish = Publish {
            dup: false,
            qos: if packet_id.is_some() { qos } else { Qos::AtMostOnce },
            retain: will.retain,
            topic: &will.topic,
            packet_id,
            properties: Properties::EMPTY,
            payload: &will.payload,
        };
        send_packet(&Packet::Publish(publish), context, out);
    }

    fn unused_packet_id(&self) -> Option<PacketId> {
        let is_used = |id: &u16| self.requests.iter().any(|request| request.message_id == *id);
        (1..=u16::MAX).rev().find(|id| !is_used(id)).and_then(PacketId::new)
    }

    fn end(&mut self, context: Context<'_>) {
        self.phase = Phase::Disconnected { since: context.now, answers: 0 };
        self.requests.clear();
        self.deliveries.restart(self.is_clean);
    }

    /// DISCONNECT with a duration.
    pub(super) fn fall_asleep(&mut self, seconds: u16, out: &mut Output) {
        let duration = Duration::from_secs(seconds.into());
        self.interval = duration;
        self.phase = Phase::Asleep;
        self.deliveries.interrupt();
        send(&Message::Disconnect { duration: None }, out);
        out.note = Some(Note::Asleep(duration));
    }

    /// PINGREQ: a sleeping client gets its messages first.
    pub(super) fn ping(&mut self, context: Context<'_>, out: &mut Output) {
        match self.phase {
            Phase::Asleep => {
                self.phase = Phase::Awake { until: context.now };
                self.pump(context, out);
            }
            // The messages are on their way, and PINGRESP follows them.
            Phase::Awake { .. } => {}
            _ => send(&Message::Pingresp, out),
        }
    }

    /// The client has acknowledged a message, so the broker may send the next one, which it held back.
    pub(super) fn stay_awake(&mut self, context: Context<'_>) {
        if matches!(self.phase, Phase::Awake { .. }) {
            self.phase = Phase::Awake { until: context.now + NEXT_MESSAGE };
        }
    }

    /// Ends the time awake if all kept messages are delivered.
    pub(super) fn end_awakening_if_idle(&mut self, context: Context<'_>, out: &mut Output) {
        if let Phase::Awake { until } = self.phase
            && context.now >= until
            && !context.has_more
            && self.deliveries.is_idle()
        {
            send(&Message::Pingresp, out);
            self.phase = Phase::Asleep;
        }
    }

    pub(super) fn change_will_topic(&mut self, topic: Option<WillTopic<'_>>, out: &mut Output) {
        let new = topic.map(|topic| Will::new(&topic));
        let is_accepted = !matches!(new, Some(None));
        if is_accepted {
            let payload = self.will.take().map(|will| will.payload).unwrap_or_default();
            self.will = new.flatten().map(|will| Will { payload, ..will });
            self.is_will_changed = true;
        }
        let return_code = code_of(is_accepted, ReturnCode::NOT_SUPPORTED);
        send(&Message::WillTopicResp { return_code }, out);
    }

    pub(super) fn change_will_message(&mut self, payload: &[u8], out: &mut Output) {
        let is_accepted = self.will.is_some();
        if let Some(will) = &mut self.will {
            will.payload = payload.to_vec();
            self.is_will_changed = true;
        }
        let return_code = code_of(is_accepted, ReturnCode::NOT_SUPPORTED);
        send(&Message::WillMsgResp { return_code }, out);
    }
}

fn accept(out: &mut Output) {
    send(&Message::Connack { return_code: ReturnCode::ACCEPTED }, out);
}
