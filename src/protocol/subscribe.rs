//! SUBSCRIBE and SUBACK, UNSUBSCRIBE and UNSUBACK.

use super::error::{DecodeError, Problem};
use super::property::{Context, Properties};
use super::reader::Reader;
use super::topic::{self, split_share};
use super::writer::{field_length, put_field, put_fixed_header, put_u16};
use super::{EncodeError, PacketId, PacketType, Qos, ReasonCode, Version};

const NO_LOCAL: u8 = 1 << 2;
const RETAIN_AS_PUBLISHED: u8 = 1 << 3;
const RETAIN_HANDLING_SHIFT: u8 = 4;
const RESERVED: u8 = 0b1100_0000;

/// Requests the messages whose topics match one of the filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// The identifier that SUBACK repeats.
    pub packet_id: PacketId,
    /// The properties; empty before MQTT 5.
    pub properties: Properties<'a>,
    /// The filters, at least one.
    pub subscriptions: Vec<Subscription<'a>>,
}

/// One filter of a SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription<'a> {
    /// A valid topic filter, which may be a shared one.
    pub filter: &'a str,
    /// The subscription options.
    pub options: SubscriptionOptions,
}

/// The options of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubscriptionOptions {
    /// The maximum QoS of its messages.
    pub maximum_qos: Qos,
    /// Whether the server leaves out messages that the client itself published.
    pub no_local: bool,
    /// Whether RETAIN is forwarded as published.
    pub retain_as_published: bool,
    /// When the server sends retained messages.
    pub retain_handling: RetainHandling,
}

/// When the server sends retained messages for a SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RetainHandling {
    /// Always.
    #[default]
    Always = 0,
    /// If the subscription did not exist before.
    New = 1,
    /// Never.
    Never = 2,
}

impl SubscriptionOptions {
    fn to_byte(self, version: Version) -> u8 {
        let qos = self.maximum_qos as u8;
        if !version.is_v5() {
            return qos;
        }
        let no_local = if self.no_local { NO_LOCAL } else { 0 };
        let retain_as_published = if self.retain_as_published { RETAIN_AS_PUBLISHED } else { 0 };
        qos | no_local | retain_as_published | (self.retain_handling as u8) << RETAIN_HANDLING_SHIFT
    }

    fn decode(reader: &mut Reader<'_>, version: Version) -> Result<SubscriptionOptions, DecodeError> {
        let offset = reader.offset();
        let byte = reader.u8("subscription options")?;
        let reserved = if version.is_v5() { RESERVED } else { !0b11 };
        if byte & reserved != 0 {
            let problem = Problem::InvalidValue { field: "subscription options", value: byte.into() };
            return Err(reader.error_at(offset, problem));
        }
        // Not malformed, but protocol errors (MQTT 5.0, section 3.8.3.1).
        let forbidden = |field, value: u8| {
            Err(reader.error_at(offset, Problem::ForbiddenValue { field, value: value.into() }))
        };
        let Some(maximum_qos) = Qos::from_u8(byte & 0b11) else {
            return forbidden("QoS", byte & 0b11);
        };
        let retain_handling = match byte >> RETAIN_HANDLING_SHIFT & 0b11 {
            0 => RetainHandling::Always,
            1 => RetainHandling::New,
            2 => RetainHandling::Never,
            value => return forbidden("retain handling", value),
        };
        Ok(SubscriptionOptions {
            maximum_qos,
            no_local: byte & NO_LOCAL != 0,
            retain_as_published: byte & RETAIN_AS_PUBLISHED != 0,
            retain_handling,
        })
    }
}

impl<'a> Subscribe<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>, version: Version) -> Result<Subscribe<'a>, DecodeError> {
        let packet_id = reader.packet_id()?;
        let properties = Properties::decode_if_v5(reader, version, Context::Subscribe)?;
        let mut subscriptions = Vec::new();
        while !reader.is_empty() {
            let offset = reader.offset();
            let filter = decode_filter(reader)?;
            let options = SubscriptionOptions::decode(reader, version)?;
            // [MQTT-3.8.3-4]
            if options.no_local && matches!(split_share(filter), Ok(Some(_))) {
                return Err(reader.error_at(offset, Problem::NoLocalOnShared));
            }
            subscriptions.push(Subscription { filter, options });
        }
        if subscriptions.is_empty() {
            return Err(reader.error(Problem::NoTopicFilter));
        }
        Ok(Subscribe { packet_id, properties, subscriptions })
    }

    /// Appends the packet.
    ///
    /// # Errors
    /// If a field or the packet exceeds its maximum length; nothing is appended then.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut length = 2 + self.properties.encoded_length(version);
        for subscription in &self.subscriptions {
            length += field_length("topic filter", subscription.filter.as_bytes())? + 1;
        }
        put_fixed_header(out, PacketType::Subscribe, 0b0010, length)?;
        put_u16(out, self.packet_id.value());
        self.properties.encode(version, out);
        for subscription in &self.subscriptions {
            put_field(out, subscription.filter.as_bytes());
            out.push(subscription.options.to_byte(version));
        }
        Ok(())
    }
}

/// Removes the subscriptions with these filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// The identifier that UNSUBACK repeats.
    pub packet_id: PacketId,
    /// The properties; empty before MQTT 5.
    pub properties: Properties<'a>,
    /// The filters, at least one.
    pub filters: Vec<&'a str>,
}

impl<'a> Unsubscribe<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>, version: Version) -> Result<Unsubscribe<'a>, DecodeError> {
        let packet_id = reader.packet_id()?;
        let properties = Properties::decode_if_v5(reader, version, Context::Unsubscribe)?;
        let mut filters = Vec::new();
        while !reader.is_empty() {
            filters.push(decode_filter(reader)?);
        }
        if filters.is_empty() {
            return Err(reader.error(Problem::NoTopicFilter));
        }
        Ok(Unsubscribe { packet_id, properties, filters })
    }

    /// Appends the packet.
    ///
    /// # Errors
    /// If a field or the packet exceeds its maximum length; nothing is appended then.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut length = 2 + self.properties.encoded_length(version);
        for filter in &self.filters {
            length += field_length("topic filter", filter.as_bytes())?;
        }
        put_fixed_header(out, PacketType::Unsubscribe, 0b0010, length)?;
        put_u16(out, self.packet_id.value());
        self.properties.encode(version, out);
        for filter in &self.filters {
            put_field(out, filter.as_bytes());
        }
        Ok(())
    }
}

/// SUBACK or UNSUBACK: the server's answer, one reason code for each filter.
///
/// UNSUBACK has no reason codes before MQTT 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionAck<'a> {
    /// The identifier of the SUBSCRIBE or UNSUBSCRIBE.
    pub packet_id: PacketId,
    /// The properties; empty before MQTT 5.
    pub properties: Properties<'a>,
    /// The reason codes, one byte each, in the order of the filters.
    codes: &'a [u8],
}

impl<'a> SubscriptionAck<'a> {
    /// An answer with these reason codes, a byte for each filter.
    pub fn new(packet_id: PacketId, properties: Properties<'a>, codes: &'a [u8]) -> SubscriptionAck<'a> {
        SubscriptionAck { packet_id, properties, codes }
    }

    /// The reason codes in the order of the filters.
    pub fn reason_codes(&self) -> impl ExactSizeIterator<Item = ReasonCode> + use<'a> {
        self.codes.iter().copied().map(ReasonCode)
    }

    pub(super) fn decode(
        reader: &mut Reader<'a>,
        version: Version,
        context: Context,
    ) -> Result<SubscriptionAck<'a>, DecodeError> {
        let packet_id = reader.packet_id()?;
        let properties = Properties::decode_if_v5(reader, version, context)?;
        let offset = reader.offset();
        if context == Context::Unsuback && !version.is_v5() {
            return Ok(SubscriptionAck { packet_id, properties, codes: &[] });
        }
        let codes = reader.rest();
        if codes.is_empty() {
            return Err(reader.error_at(offset, Problem::Truncated { field: "reason codes" }));
        }
        let is_valid = |code: u8| match version {
            Version::V5 => ReasonCode(code).belongs_in(context),
            Version::V31 | Version::V311 => matches!(code, 0 | 1 | 2 | 0x80), // [MQTT-3.9.3-2] of 3.1.1
        };
        if let Some(position) = codes.iter().position(|&code| !is_valid(code)) {
            let value = codes.get(position).copied().unwrap_or_default().into();
            let problem = Problem::InvalidValue { field: "reason code", value };
            return Err(reader.error_at(offset + position, problem));
        }
        Ok(SubscriptionAck { packet_id, properties, codes })
    }

    /// Appends the packet, as [`PacketType::Suback`] or [`PacketType::Unsuback`].
    ///
    /// # Errors
    /// If the packet exceeds the maximum length; nothing is appended then.
    pub fn encode(
        &self,
        packet_type: PacketType,
        version: Version,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let has_codes = packet_type == PacketType::Suback || version.is_v5();
        let codes = if has_codes { self.codes } else { &[] };
        let length = 2 + self.properties.encoded_length(version) + codes.len();
        put_fixed_header(out, packet_type, 0, length)?;
        put_u16(out, self.packet_id.value());
        self.properties.encode(version, out);
        out.extend_from_slice(codes);
        Ok(())
    }
}

fn decode_filter<'a>(reader: &mut Reader<'a>) -> Result<&'a str, DecodeError> {
    let offset = reader.offset();
    let filter = reader.string("topic filter")?;
    match topic::check_filter(filter) {
        Ok(()) => Ok(filter),
        Err(error) => {
            let problem = Problem::Topic { field: "topic filter", topic: filter.to_owned(), error };
            Err(reader.error_at(offset, problem))
        }
    }
}
