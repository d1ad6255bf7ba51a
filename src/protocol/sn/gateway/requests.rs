//! The client's requests: PUBLISH, REGISTER, SUBSCRIBE and UNSUBSCRIBE, and the broker's answers to them.
//!
//! The message id of the client is the packet identifier towards the broker, so acknowledgements of QoS 1 and 2 go from end to
//! end. A repeated request that the broker has not answered yet is not passed on again.

use super::topics::{resolve, short_topic};
use super::{Client, Context, Output, code_of, send, send_packet};
use crate::protocol::sn::{
    Message, Publish, Regack, Register, ReturnCode, Suback, Subscribe, SubscribeTopic, Unsubscribe,
};
use crate::protocol::topic::{check_name, split_share};
use crate::protocol::{
    Ack, Packet, PacketId, Properties, Publish as MqttPublish, Qos, ReasonCode, Subscribe as MqttSubscribe,
    Subscription, SubscriptionAck, SubscriptionOptions, TopicFilter, TopicName,
    Unsubscribe as MqttUnsubscribe,
};

/// The maximum of unanswered requests. The specification allows a client one of each kind, and brokers have limits as well: mosquitto
/// closes a connection with more than 20 messages of QoS 2.
const MAX_REQUESTS: usize = 16;

/// A request that the broker has not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) message_id: u16,
    kind: Kind,
    /// The topic id for the answer.
    topic_id: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// QoS 1.
    Puback,
    /// QoS 2, before PUBREC.
    Pubrec,
    /// QoS 2: the client has PUBREC, and its PUBREL is missing.
    Pubrel,
    /// QoS 2: the broker has PUBREL.
    Pubcomp,
    Subscribe,
    Unsubscribe,
}

impl Kind {
    fn is_publish(self) -> bool {
        !matches!(self, Kind::Subscribe | Kind::Unsubscribe)
    }
}

impl Client {
    /// PUBLISH of QoS 0 to 2.
    pub(super) fn publish(
        &mut self,
        publish: &Publish<'_>,
        qos: Qos,
        context: Context<'_>,
        out: &mut Output,
    ) {
        let reject = |return_code, out: &mut Output| {
            let (topic_id, message_id) = (publish.topic.value(), publish.message_id);
            send(&Message::Puback(Regack { topic_id, message_id, return_code }), out);
        };
        let packet_id = match (qos, PacketId::new(publish.message_id)) {
            (Qos::AtMostOnce, _) => None,
            (_, None) => return reject(ReturnCode::NOT_SUPPORTED, out),
            (_, Some(packet_id)) => {
                match self.request(publish.message_id, Kind::is_publish).map(|request| request.kind) {
                    Some(Kind::Pubrel) if qos == Qos::ExactlyOnce => {
                        return send(&Message::Pubrec { message_id: publish.message_id }, out);
                    }
                    Some(_) => return,
                    None if qos == Qos::ExactlyOnce && self.is_late_copy(publish, context) => return,
                    None if self.requests.len() >= self.most_requests() => {
                        return reject(ReturnCode::CONGESTION, out);
                    }
                    None => Some(packet_id),
                }
            }
        };
        let Some(topic) = resolve(&publish.topic, &self.topics, &self.id, context.predefined) else {
            return reject(ReturnCode::INVALID_TOPIC_ID, out);
        };
        let packet = MqttPublish {
            dup: publish.dup && packet_id.is_some(),
            qos,
            retain: publish.retain,
            topic,
            packet_id,
            properties: Properties::EMPTY,
            payload: publish.payload,
        };
        let is_accepted = self.broker_accepts.accept(&packet, context.settings.version);
        if !is_accepted || !send_packet(&Packet::Publish(packet), context, out) {
            return reject(ReturnCode::NOT_SUPPORTED, out);
        }
        let kind = match qos {
            Qos::AtMostOnce => return,
            Qos::AtLeastOnce => Kind::Puback,
            Qos::ExactlyOnce => Kind::Pubrec,
        };
        let (message_id, topic_id) = (publish.message_id, publish.topic.value());
        if kind == Kind::Pubrec {
            self.late_copies.begin(message_id, topic_id, publish.payload);
        }
        self.requests.push(Request { message_id, kind, topic_id });
    }

    fn most_requests(&self) -> usize {
        MAX_REQUESTS.min(self.broker_accepts.receive_maximum.into())
    }

    fn is_late_copy(&self, publish: &Publish<'_>, context: Context<'_>) -> bool {
        let (id, topic, interval) =
            (publish.message_id, publish.topic.value(), context.settings.retry_interval);
        self.late_copies.contains(id, topic, publish.payload, interval, context.now)
    }

    /// PUBLISH of QoS -1, which is never answered.
    pub(super) fn publish_minus_one(
        &mut self,
        publish: &Publish<'_>,
        context: Context<'_>,
        out: &mut Output,
    ) {
        let topic = resolve(&publish.topic, &self.topics, &self.id, context.predefined);
        let Some(topic) = topic else { return };
        let packet = at_most_once(topic, publish.retain, publish.payload);
        if self.broker_accepts.accept(&packet, context.settings.version) {
            send_packet(&Packet::Publish(packet), context, out);
        }
    }

    /// PUBREL.
    pub(super) fn release(&mut self, message_id: u16, context: Context<'_>, out: &mut Output) {
        match self.request(message_id, Kind::is_publish) {
            Some(request) if request.kind == Kind::Pubrel => {
                request.kind = Kind::Pubcomp;
                self.late_copies.end(message_id, context.now);
                if let Some(packet_id) = PacketId::new(message_id) {
                    let release = Ack::new(packet_id, ReasonCode::SUCCESS);
                    send_packet(&Packet::Pubrel(release), context, out);
                }
            }
            // The broker's answer will come.
            Some(_) => {}
            // PUBCOMP was lost.
            None => send(&Message::Pubcomp { message_id }, out),
        }
    }

    pub(super) fn register(&mut self, register: &Register<'_>, context: Context<'_>, out: &mut Output) {
        let message_id = register.message_id;
        let (topic_id, return_code) = match TopicName::parse(register.topic) {
            Err(_) => (0, ReturnCode::NOT_SUPPORTED),
            Ok(_) => match self.topics.assign(register.topic, context.settings.topics) {
                Some(topic_id) => (topic_id, ReturnCode::ACCEPTED),
                None => (0, ReturnCode::CONGESTION),
            },
        };
        send(&Message::Regack(Regack { topic_id, message_id, return_code }), out);
    }

    pub(super) fn subscribe(&mut self, subscribe: &Subscribe<'_>, context: Context<'_>, out: &mut Output) {
        let message_id = subscribe.message_id;
        if self.request(message_id, |kind| kind == Kind::Subscribe).is_some() {
            return;
        }
        if let Err(return_code) = self.pass_subscribe(subscribe, context, out) {
            let topic_id = match subscribe.topic {
                SubscribeTopic::Name(_) => 0,
                SubscribeTopic::Predefined(id) => id,
                SubscribeTopic::Short(name) => name.value(),
            };
            send(&Message::Suback(Suback { qos: Qos::AtMostOnce, topic_id, message_id, return_code }), out);
        }
    }

    fn pass_subscribe(
        &mut self,
        subscribe: &Subscribe<'_>,
        context: Context<'_>,
        out: &mut Output,
    ) -> Result<(), ReturnCode> {
        let packet_id = PacketId::new(subscribe.message_id).ok_or(ReturnCode::NOT_SUPPORTED)?;
        if self.requests.len() >= MAX_REQUESTS {
            return Err(ReturnCode::CONGESTION);
        }
        let filter = filter_of(&subscribe.topic, &self.id, context)?;
        let topic_id = match subscribe.topic {
            // Not the topic of a message: with wildcards, or shared.
            SubscribeTopic::Name(name) if check_name(name).is_err() || split_share(name) != Ok(None) => 0,
            SubscribeTopic::Name(name) => {
                self.topics.assign(name, context.settings.topics).ok_or(ReturnCode::CONGESTION)?
            }
            SubscribeTopic::Predefined(id) => {
                self.topics.prefer_predefined(filter, context.settings.topics);
                id
            }
            SubscribeTopic::Short(name) => name.value(),
        };
        let options = SubscriptionOptions { maximum_qos: subscribe.qos, ..SubscriptionOptions::default() };
        let packet = MqttSubscribe {
            packet_id,
            properties: Properties::EMPTY,
            subscriptions: vec![Subscription { filter, options }],
        };
        if !send_packet(&Packet::Subscribe(packet), context, out) {
            return Err(ReturnCode::NOT_SUPPORTED);
        }
        self.requests.push(Request { message_id: subscribe.message_id, kind: Kind::Subscribe, topic_id });
        Ok(())
    }

    pub(super) fn unsubscribe(
        &mut self,
        unsubscribe: &Unsubscribe<'_>,
        context: Context<'_>,
        out: &mut Output,
    ) {
        let message_id = unsubscribe.message_id;
        let is_open = self.request(message_id, |kind| kind == Kind::Unsubscribe).is_some();
        if is_open || self.requests.len() >= MAX_REQUESTS {
            return;
        }
        let filter = filter_of(&unsubscribe.topic, &self.id, context);
        // Without such a subscription, there is nothing to remove.
        let (Some(packet_id), Ok(filter)) = (PacketId::new(message_id), filter) else {
            return send(&Message::Unsuback { message_id }, out);
        };
        let packet = MqttUnsubscribe { packet_id, properties: Properties::EMPTY, filters: vec![filter] };
        if send_packet(&Packet::Unsubscribe(packet), context, out) {
            self.requests.push(Request { message_id, kind: Kind::Unsubscribe, topic_id: 0 });
        }
    }

    /// The broker's PUBACK.
    pub(super) fn broker_acknowledged(&mut self, ack: &Ack<'_>, out: &mut Output) {
        if let Some(request) = self.answered(ack.packet_id, Kind::Puback) {
            acknowledge(request, ack.reason_code, out);
        }
    }

    /// The broker's PUBREC.
    pub(super) fn broker_received(&mut self, ack: &Ack<'_>, out: &mut Output) {
        let message_id = ack.packet_id.value();
        if ack.reason_code.is_error() {
            if let Some(request) = self.answered(ack.packet_id, Kind::Pubrec) {
                acknowledge(request, ack.reason_code, out);
            }
        } else if let Some(request) = self.request(message_id, |kind| kind == Kind::Pubrec) {
            request.kind = Kind::Pubrel;
            send(&Message::Pubrec { message_id }, out);
        }
    }

    /// The broker's PUBCOMP.
    pub(super) fn broker_completed(&mut self, ack: &Ack<'_>, out: &mut Output) {
        if self.answered(ack.packet_id, Kind::Pubcomp).is_some() {
            send(&Message::Pubcomp { message_id: ack.packet_id.value() }, out);
        }
    }

    pub(super) fn broker_subscribed(&mut self, ack: &SubscriptionAck<'_>, out: &mut Output) {
        let Some(request) = self.answered(ack.packet_id, Kind::Subscribe) else { return };
        let code = ack.reason_codes().next().unwrap_or(ReasonCode::UNSPECIFIED_ERROR);
        let granted = Qos::from_u8(code.0);
        let return_code = return_code_of(code, granted.is_some());
        let (topic_id, message_id) = (request.topic_id, request.message_id);
        let qos = granted.unwrap_or_default();
        send(&Message::Suback(Suback { qos, topic_id, message_id, return_code }), out);
    }

    pub(super) fn broker_unsubscribed(&mut self, ack: &SubscriptionAck<'_>, out: &mut Output) {
        if let Some(request) = self.answered(ack.packet_id, Kind::Unsubscribe) {
            send(&Message::Unsuback { message_id: request.message_id }, out);
        }
    }

    fn request(&mut self, message_id: u16, is_kind: impl Fn(Kind) -> bool) -> Option<&mut Request> {
        self.requests.iter_mut().find(|request| request.message_id == message_id && is_kind(request.kind))
    }

    /// Takes out the request that the broker answered.
    fn answered(&mut self, packet_id: PacketId, kind: Kind) -> Option<Request> {
        let is_it = |request: &Request| request.message_id == packet_id.value() && request.kind == kind;
        let index = self.requests.iter().position(is_it)?;
        Some(self.requests.swap_remove(index))
    }
}

/// A message of QoS 0 for the broker, as those of QoS -1 become.
pub(crate) fn at_most_once<'p>(topic: &'p str, retain: bool, payload: &'p [u8]) -> MqttPublish<'p> {
    MqttPublish {
        dup: false,
        qos: Qos::AtMostOnce,
        retain,
        topic,
        packet_id: None,
        properties: Properties::EMPTY,
        payload,
    }
}

/// Sends PUBACK for a request that the broker has settled.
fn acknowledge(request: Request, reason_code: ReasonCode, out: &mut Output) {
    let return_code = return_code_of(reason_code, !reason_code.is_error());
    let Request { message_id, topic_id, .. } = request;
    send(&Message::Puback(Regack { topic_id, message_id, return_code }), out);
}

fn return_code_of(reason_code: ReasonCode, is_accepted: bool) -> ReturnCode {
    match reason_code {
        ReasonCode::QUOTA_EXCEEDED => ReturnCode::CONGESTION,
        _ => code_of(is_accepted, ReturnCode::NOT_SUPPORTED),
    }
}

/// The topic filter of a SUBSCRIBE or UNSUBSCRIBE. Topics for which brokers close the connection are invalid as well.
fn filter_of<'t>(
    topic: &'t SubscribeTopic<'_>,
    client_id: &str,
    context: Context<'t>,
) -> Result<&'t str, ReturnCode> {
    match topic {
        SubscribeTopic::Name(name) => Some(*name).filter(|name| TopicFilter::parse(name).is_ok()),
        SubscribeTopic::Predefined(id) => context.predefined.topic(client_id, *id),
        SubscribeTopic::Short(name) => short_topic(name),
    }
    .ok_or(ReturnCode::INVALID_TOPIC_ID)
}
