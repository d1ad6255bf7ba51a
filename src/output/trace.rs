//! One line for a packet, with its fields; secrets are left out.

use crate::protocol::property::PropertyId;
use crate::protocol::{
    Ack, Connect, Packet, Properties, PropertyValue, Publish, ReasonCode, SubscriptionAck,
};
use std::fmt::Write;

/// The packet's name and its fields on one line.
pub fn describe_packet(packet: &Packet<'_>) -> String {
    let mut line = packet.packet_type().name().to_owned();
    let fields = match packet {
        Packet::Connect(connect) => describe_connect(connect),
        Packet::Connack(connack) => format!(
            " session present {}, {}{}",
            u8::from(connack.session_present),
            connack.reason_code,
            describe_properties(connack.properties)
        ),
        Packet::Publish(publish) => describe_publish(publish),
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            describe_ack(ack)
        }
        Packet::Subscribe(subscribe) => {
            let mut fields = format!(" packet id {}", subscribe.packet_id);
            for subscription in &subscribe.subscriptions {
                let options = subscription.options;
                let _ = write!(fields, ", {:?} QoS {}", subscription.filter, options.maximum_qos);
                fields += if options.no_local { " no local" } else { "" };
                fields += if options.retain_as_published { " retain as published" } else { "" };
            }
            fields + &describe_properties(subscribe.properties)
        }
        Packet::Suback(ack) | Packet::Unsuback(ack) => describe_subscription_ack(ack),
        Packet::Unsubscribe(unsubscribe) => {
            let filters = &unsubscribe.filters;
            format!(
                " packet id {}, {filters:?}{}",
                unsubscribe.packet_id,
                describe_properties(unsubscribe.properties)
            )
        }
        Packet::Pingreq | Packet::Pingresp => String::new(),
        Packet::Disconnect(disconnect) => describe_end(disconnect.reason_code, disconnect.properties),
        Packet::Auth(auth) => describe_end(auth.reason_code, auth.properties),
    };
    line += &fields;
    line
}

fn describe_connect(connect: &Connect<'_>) -> String {
    let mut fields = format!(
        " {}, client id {:?}, keep alive {} s, clean start {}",
        connect.version,
        connect.client_id,
        connect.keep_alive,
        u8::from(connect.clean_start)
    );
    if let Some(username) = connect.username {
        let _ = write!(fields, ", user name {username:?}");
    }
    if connect.password.is_some() {
        fields += ", password (hidden)";
    }
    if let Some(will) = &connect.will {
        let _ = write!(
            fields,
            ", will {:?} QoS {} retain {} ({} bytes){}",
            will.topic,
            will.qos,
            u8::from(will.retain),
            will.payload.len(),
            describe_properties(will.properties)
        );
    }
    fields + &describe_properties(connect.properties)
}

fn describe_publish(publish: &Publish<'_>) -> String {
    let mut fields = match publish.packet_id {
        Some(packet_id) => format!(" packet id {packet_id},"),
        None => String::new(),
    };
    let _ = write!(
        fields,
        " {:?} QoS {} retain {} dup {} ({} bytes)",
        publish.topic,
        publish.qos,
        u8::from(publish.retain),
        u8::from(publish.dup),
        publish.payload.len()
    );
    fields + &describe_properties(publish.properties)
}

fn describe_ack(ack: &Ack<'_>) -> String {
    let reason = match ack.reason_code {
        ReasonCode::SUCCESS => String::new(),
        reason => format!(", {reason}"),
    };
    format!(" packet id {}{reason}{}", ack.packet_id, describe_properties(ack.properties))
}

fn describe_subscription_ack(ack: &SubscriptionAck<'_>) -> String {
    let codes: Vec<String> = ack.reason_codes().map(|code| format!("0x{:02x}", code.0)).collect();
    let properties = describe_properties(ack.properties);
    format!(" packet id {}, reason codes [{}]{properties}", ack.packet_id, codes.join(" "))
}

fn describe_end(reason_code: ReasonCode, properties: Properties<'_>) -> String {
    match reason_code {
        ReasonCode::SUCCESS => describe_properties(properties),
        reason => format!(" {reason}{}", describe_properties(properties)),
    }
}

fn describe_properties(properties: Properties<'_>) -> String {
    let mut text = String::new();
    for property in properties.iter() {
        let _ = match property.value {
            _ if property.id == PropertyId::AuthenticationData => write!(text, ", {} (hidden)", property.id),
            PropertyValue::Number(number) => write!(text, ", {} {number}", property.id),
            PropertyValue::Text(value) => write!(text, ", {} {value:?}", property.id),
            PropertyValue::Binary(bytes) => write!(text, ", {} ({} bytes)", property.id, bytes.len()),
            PropertyValue::Pair(name, value) => write!(text, ", {} {name:?}={value:?}", property.id),
        };
    }
    text
}
