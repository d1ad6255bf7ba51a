//! The client's requests, and the broker's answers to them. The packet identifier of the client is that towards the broker, so
//! acknowledgements of QoS 1 and 2 go from end to end.

use super::{Client, Context, Note, Output, REMEMBERED_REQUESTS, send, send_packet};
use crate::protocol::sn::PredefinedTopics;
use crate::protocol::sn::gateway::requests::at_most_once;
use crate::protocol::sn::v2::{
    Ack, Delivery, Packet, PacketType, Publish, Pubwos, Reason, Register, Subscribe, Topic, TopicAck,
    TopicAlias, Unsubscribe,
};
use crate::protocol::topic::{check_name, split_share};
use crate::protocol::{
    Ack as MqttAck, Packet as MqttPacket, PacketId, Properties, Publish as MqttPublish, Qos, ReasonCode,
    Subscribe as MqttSubscribe, Subscription, SubscriptionAck, TopicFilter, TopicName,
    Unsubscribe as MqttUnsubscribe,
};

/// A request that the broker has not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    packet_id: PacketId,
    kind: Kind,
    /// The topic alias for SUBACK.
    alias: Option<TopicAlias>,
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

impl Client {
    /// Whether a request may begin. Another one must not be open: the client is disconnected if it breaks this rule
    /// [MQTT-SN-4.9-1]. A copy of one of its last requests, which the network delivers late, is ignored.
    pub(super) fn admit(&mut self, packet_id: PacketId, context: Context<'_>, out: &mut Output) -> bool {
        let Some(open) = &self.request else { return true };
        if open.packet_id != packet_id && !self.recent.contains(&packet_id) {
            self.lose(Reason::RECEIVE_MAXIMUM_EXCEEDED, Note::Disconnected, context, out);
        }
        false
    }

    /// The request with this packet identifier has been answered.
    pub(super) fn remember(&mut self, packet_id: PacketId) {
        if self.recent.len() >= REMEMBERED_REQUESTS {
            self.recent.pop_front();
        }
        self.recent.push_back(packet_id);
    }

    /// The kind of the open request, if it has this packet identifier.
    fn open_kind(&self, packet_id: PacketId) -> Option<Kind> {
        self.request.filter(|open| open.packet_id == packet_id).map(|open| open.kind)
    }

    fn begin(&mut self, packet_id: PacketId, kind: Kind) {
        self.request = Some(Request { packet_id, kind, alias: None });
    }

    pub(super) fn publish(&mut self, publish: &Publish<'_>, context: Context<'_>, out: &mut Output) {
        let delivery = publish.delivery;
        if let Some(packet_id) = delivery.packet_id()
            && !self.admit_publish(packet_id, publish, context, out)
        {
            return;
        }
        if let Err(reason) = self.pass_publish(publish, context, out) {
            reject(delivery, reason, out);
        }
    }

    /// Whether the message is a new one.
    fn admit_publish(
        &mut self,
        packet_id: PacketId,
        publish: &Publish<'_>,
        context: Context<'_>,
        out: &mut Output,
    ) -> bool {
        let is_qos_2 = publish.delivery.qos() == Qos::ExactlyOnce;
        match self.open_kind(packet_id) {
            Some(Kind::Pubrel) if is_qos_2 => send(&Packet::Pubrec(Ack::success(packet_id)), out),
            // The broker's answer will come.
            Some(Kind::Puback) if !is_qos_2 => {}
            Some(Kind::Pubrec | Kind::Pubcomp) if is_qos_2 => {}
            Some(_) => reject(publish.delivery, Reason::PACKET_IDENTIFIER_IN_USE, out),
            None => {
                let is_copy = is_qos_2 && self.is_late_copy(packet_id, publish, context);
                return !is_copy && self.admit(packet_id, context, out);
            }
        }
        false
    }

    fn is_late_copy(&self, packet_id: PacketId, publish: &Publish<'_>, context: Context<'_>) -> bool {
        let (id, topic) = (packet_id.value(), publish.topic.number());
        let interval = context.settings.retry_interval;
        self.late_copies.contains(id, topic, publish.payload, interval, context.now)
    }

    fn pass_publish(
        &mut self,
        publish: &Publish<'_>,
        context: Context<'_>,
        out: &mut Output,
    ) -> Result<(), Reason> {
        let packet_id = publish.delivery.packet_id();
        let packet = MqttPublish {
            dup: publish.dup && publish.delivery.qos() == Qos::ExactlyOnce,
            qos: publish.delivery.qos(),
            packet_id,
            ..self.as_mqtt(&publish.topic, publish.retain, publish.payload, context)?
        };
        if !self.broker_accepts.accept(&packet, context.settings.version) {
            return Err(Reason::IMPLEMENTATION_SPECIFIC_ERROR);
        }
        if !send_packet(&MqttPacket::Publish(packet), context, out) {
            return Err(Reason::PACKET_TOO_LARGE);
        }
        match publish.delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce(packet_id) => self.begin(packet_id, Kind::Puback),
            Delivery::ExactlyOnce(packet_id) => {
                self.late_copies.begin(packet_id.value(), publish.topic.number(), publish.payload);
                self.begin(packet_id, Kind::Pubrec);
            }
        }
        Ok(())
    }

    /// PUBWOS, which is never answered.
    pub(super) fn publish_without_session(
        &mut self,
        publish: &Pubwos<'_>,
        context: Context<'_>,
        out: &mut Output,
    ) {
        let packet = self.as_mqtt(&publish.topic, publish.retain, publish.payload, context);
        if let Ok(packet) = packet
            && self.broker_accepts.accept(&packet, context.settings.version)
        {
            send_packet(&MqttPacket::Publish(packet), context, out);
        }
    }

    /// A message of QoS 0 for the broker.
    fn as_mqtt<'p>(
        &'p self,
        topic: &'p Topic<'p>,
        retain: bool,
        payload: &'p [u8],
        context: Context<'p>,
    ) -> Result<MqttPublish<'p>, Reason> {
        let topic = self.resolve(topic, context.predefined).ok_or(Reason::UNKNOWN_TOPIC_ALIAS)?;
        TopicName::parse(topic).map_err(|_| Reason::TOPIC_NAME_INVALID)?;
        Ok(at_most_once(topic, retain, payload))
    }

    /// The topic of an alias, or the name itself.
    pub(super) fn resolve<'t>(
        &'t self,
        topic: &'t Topic<'t>,
        predefined: &'t PredefinedTopics,
    ) -> Option<&'t str> {
        match topic {
            Topic::Name(name) => Some(name),
            Topic::Alias(TopicAlias::Session(alias)) => self.topics.name(*alias),
            Topic::Alias(TopicAlias::Predefined(alias)) => predefined.topic(&self.id, *alias),
        }
    }

    /// PUBREL.
    pub(super) fn release(&mut self, packet_id: PacketId, context: Context<'_>, out: &mut Output) {
        match self.open_kind(packet_id) {
            Some(Kind::Pubrel) => {}
            // The broker's answer will come.
            Some(_) => return,
            None if self.recent.contains(&packet_id) => {
                // PUBCOMP was lost.
                return send(&Packet::Pubcomp(Ack::success(packet_id)), out);
            }
            // An exchange of an earlier connection, which the broker may know.
            None if self.session_present && self.admit(packet_id, context, out) => {}
            None if self.is_disconnected() => return,
            None => {
                let reason = Reason::PACKET_IDENTIFIER_NOT_FOUND;
                return send(&Packet::Pubcomp(Ack { packet_id, reason }), out);
            }
        }
        self.late_copies.end(packet_id.value(), context.now);
        self.begin(packet_id, Kind::Pubcomp);
        send_packet(&MqttPacket::Pubrel(MqttAck::new(packet_id, ReasonCode::SUCCESS)), context, out);
    }

    pub(super) fn register(&mut self, register: &Register<'_>, context: Context<'_>, out: &mut Output) {
        let packet_id = register.packet_id;
        if register.alias.is_some() {
            // Only the server assigns aliases [MQTT-SN-3.4-1].
            return self.lose(Reason::PROTOCOL_ERROR, Note::Disconnected, context, out);
        }
        if !self.admit(packet_id, context, out) {
            return;
        }
        self.remember(packet_id);
        let (alias, reason) = self.assign(register.topic, context);
        send(&Packet::Regack(TopicAck { packet_id, alias, reason }), out);
    }

    /// The alias of a topic, a new one if there is room.
    fn assign(&mut self, topic: &str, context: Context<'_>) -> (Option<TopicAlias>, Reason) {
        if TopicName::parse(topic).is_err() {
            return (None, Reason::IMPLEMENTATION_SPECIFIC_ERROR);
        }
        if let Some(alias) = context.predefined.id(&self.id, topic) {
            return (Some(TopicAlias::Predefined(alias)), Reason::TOPIC_ALIAS_EXISTS);
        }
        match self.topics.assign(topic, context.settings.topics) {
            Some(alias) => (Some(TopicAlias::Session(alias)), Reason::SUCCESS),
            None => (None, Reason::QUOTA_EXCEEDED),
        }
    }

    pub(super) fn subscribe(&mut self, subscribe: &Subscribe<'_>, context: Context<'_>, out: &mut Output) {
        let packet_id = subscribe.packet_id;
        match self.open_kind(packet_id) {
            Some(Kind::Subscribe) => return,
            Some(_) => {
                let reason = Reason::PACKET_IDENTIFIER_IN_USE;
                return send(&Packet::Suback(TopicAck { packet_id, alias: None, reason }), out);
            }
            None if !self.admit(packet_id, context, out) => return,
            None => {}
        }
        if let Err(reason) = self.pass_subscribe(subscribe, context, out) {
            self.remember(packet_id);
            send(&Packet::Suback(TopicAck { packet_id, alias: None, reason }), out);
        }
    }

    fn pass_subscribe(
        &mut self,
        subscribe: &Subscribe<'_>,
        context: Context<'_>,
        out: &mut Output,
    ) -> Result<(), Reason> {
        let packet_id = subscribe.packet_id;
        let filter = self.filter(&subscribe.topic, context)?.to_owned();
        let alias = self.alias_of_subscription(&subscribe.topic, &filter, context)?;
        let mut options = subscribe.options;
        if !context.settings.version.is_v5() {
            // Before MQTT 5, a subscription has no options but the QoS.
            options = crate::protocol::SubscriptionOptions {
                maximum_qos: options.maximum_qos,
                ..crate::protocol::SubscriptionOptions::default()
            };
        }
        let subscriptions = vec![Subscription { filter: &filter, options }];
        let packet = MqttSubscribe { packet_id, properties: Properties::EMPTY, subscriptions };
        if !send_packet(&MqttPacket::Subscribe(packet), context, out) {
            return Err(Reason::IMPLEMENTATION_SPECIFIC_ERROR);
        }
        self.request = Some(Request { packet_id, kind: Kind::Subscribe, alias });
        Ok(())
    }

    /// The alias in SUBACK: for a filter without wildcards one must be there [MQTT-SN-4.7.2.2-2], otherwise none [-3].
    fn alias_of_subscription(
        &mut self,
        topic: &Topic<'_>,
        filter: &str,
        context: Context<'_>,
    ) -> Result<Option<TopicAlias>, Reason> {
        match topic {
            // Not the topic of a message: with wildcards, or shared.
            Topic::Name(name) if check_name(name).is_err() || split_share(name) != Ok(None) => Ok(None),
            Topic::Name(name) => match self.assign(name, context) {
                (Some(alias), _) => {
                    if matches!(alias, TopicAlias::Predefined(_)) {
                        self.topics.prefer_predefined(filter, context.settings.topics);
                    }
                    Ok(Some(alias))
                }
                (None, reason) => Err(reason),
            },
            Topic::Alias(TopicAlias::Predefined(_)) => {
                self.topics.prefer_predefined(filter, context.settings.topics);
                Ok(None)
            }
            Topic::Alias(TopicAlias::Session(_)) => Ok(None),
        }
    }

    /// The topic filter of a SUBSCRIBE or UNSUBSCRIBE. Topics for which brokers close the connection are invalid as well.
    fn filter<'t>(&'t self, topic: &'t Topic<'t>, context: Context<'t>) -> Result<&'t str, Reason> {
        let filter = self.resolve(topic, context.predefined).ok_or(Reason::UNKNOWN_TOPIC_ALIAS)?;
        TopicFilter::parse(filter).map_err(|_| Reason::TOPIC_FILTER_INVALID)?;
        Ok(filter)
    }

    pub(super) fn unsubscribe(
        &mut self,
        unsubscribe: &Unsubscribe<'_>,
        context: Context<'_>,
        out: &mut Output,
    ) {
        let packet_id = unsubscribe.packet_id;
        match self.open_kind(packet_id) {
            Some(Kind::Unsubscribe) => return,
            Some(_) => {
                let reason = Reason::PACKET_IDENTIFIER_IN_USE;
                return send(&Packet::Unsuback(Ack { packet_id, reason }), out);
            }
            None if !self.admit(packet_id, context, out) => return,
            None => {}
        }
        let reason = match self.filter(&unsubscribe.topic, context) {
            Ok(filter) => {
                let (properties, filters) = (Properties::EMPTY, vec![filter]);
                let packet = MqttUnsubscribe { packet_id, properties, filters };
                if send_packet(&MqttPacket::Unsubscribe(packet), context, out) {
                    return self.begin(packet_id, Kind::Unsubscribe);
                }
                Reason::IMPLEMENTATION_SPECIFIC_ERROR
            }
            Err(reason) => reason,
        };
        self.remember(packet_id);
        send(&Packet::Unsuback(Ack { packet_id, reason }), out);
    }

    /// The broker's PUBACK.
    pub(super) fn broker_acknowledged(&mut self, ack: &MqttAck<'_>, out: &mut Output) {
        if let Some(Request { packet_id, .. }) = self.answered(ack.packet_id, Kind::Puback) {
            let reason = Reason::from_mqtt(ack.reason_code, PacketType::Puback);
            send(&Packet::Puback(Ack { packet_id, reason }), out);
        }
    }

    /// The broker's PUBREC.
    pub(super) fn broker_received(&mut self, ack: &MqttAck<'_>, out: &mut Output) {
        let packet_id = ack.packet_id;
        if self.open_kind(packet_id) != Some(Kind::Pubrec) {
            return;
        }
        if ack.reason_code.is_error() {
            self.answered(packet_id, Kind::Pubrec);
        } else {
            self.begin(packet_id, Kind::Pubrel);
        }
        let reason = Reason::from_mqtt(ack.reason_code, PacketType::Pubrec);
        send(&Packet::Pubrec(Ack { packet_id, reason }), out);
    }

    /// The broker's PUBCOMP.
    pub(super) fn broker_completed(&mut self, ack: &MqttAck<'_>, out: &mut Output) {
        if let Some(Request { packet_id, .. }) = self.answered(ack.packet_id, Kind::Pubcomp) {
            let reason = Reason::from_mqtt(ack.reason_code, PacketType::Pubcomp);
            send(&Packet::Pubcomp(Ack { packet_id, reason }), out);
        }
    }

    pub(super) fn broker_subscribed(&mut self, ack: &SubscriptionAck<'_>, out: &mut Output) {
        let Some(request) = self.answered(ack.packet_id, Kind::Subscribe) else { return };
        let reason = first_reason(ack, PacketType::Suback);
        let alias = request.alias.filter(|_| !reason.is_error());
        send(&Packet::Suback(TopicAck { packet_id: request.packet_id, alias, reason }), out);
    }

    pub(super) fn broker_unsubscribed(&mut self, ack: &SubscriptionAck<'_>, out: &mut Output) {
        if let Some(Request { packet_id, .. }) = self.answered(ack.packet_id, Kind::Unsubscribe) {
            // Before MQTT 5, UNSUBACK has no reason codes.
            let is_empty = ack.reason_codes().len() == 0;
            let reason = if is_empty { Reason::SUCCESS } else { first_reason(ack, PacketType::Unsuback) };
            send(&Packet::Unsuback(Ack { packet_id, reason }), out);
        }
    }

    /// Takes out the request that the broker answered.
    fn answered(&mut self, packet_id: PacketId, kind: Kind) -> Option<Request> {
        let request = self.request.take_if(|open| open.packet_id == packet_id && open.kind == kind)?;
        self.remember(packet_id);
        Some(request)
    }
}

fn reject(delivery: Delivery, reason: Reason, out: &mut Output) {
    if let Some(packet) = Packet::rejection(delivery, reason) {
        send(&packet, out);
    }
}

fn first_reason(ack: &SubscriptionAck<'_>, packet_type: PacketType) -> Reason {
    let code = ack.reason_codes().next().unwrap_or(ReasonCode::UNSPECIFIED_ERROR);
    Reason::from_mqtt(code, packet_type)
}

/// A PUBWOS of a client without a connection, for the broker; `None` if its topic is unknown or invalid.
pub(crate) fn pubwos<'p>(
    publish: &'p Pubwos<'p>,
    predefined: &'p PredefinedTopics,
) -> Option<MqttPublish<'p>> {
    let topic = match &publish.topic {
        Topic::Name(name) => Some(*name),
        Topic::Alias(TopicAlias::Predefined(alias)) => predefined.topic_of_all(*alias),
        Topic::Alias(TopicAlias::Session(_)) => None,
    };
    let topic = topic.filter(|topic| TopicName::parse(topic).is_ok())?;
    Some(at_most_once(topic, publish.retain, publish.payload))
}
