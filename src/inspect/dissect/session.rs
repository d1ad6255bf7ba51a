//! SUBSCRIBE, UNSUBSCRIBE, their acknowledgements, DISCONNECT and AUTH.

use super::cursor::{Cursor, DissectResult};
use super::{property, publish};
use crate::inspect::{Name, Rule, Value};
use crate::protocol::property::Context;

/// The reserved value of QoS and Retain Handling.
const RESERVED: u8 = 3;

pub(super) fn subscribe(cursor: &mut Cursor<'_>) -> DissectResult {
    cursor.number(Name::PacketIdentifier)?;
    property::list(cursor, Name::Properties, Context::Subscribe)?;
    at_least_one(cursor, Rule::NoFiltersSubscribe);
    while !cursor.is_at_end() {
        cursor.group(Name::Subscription, |cursor| {
            cursor.string_field(Name::TopicFilter, Rule::StringUtf8)?;
            cursor.group(Name::SubscriptionOptions, options)
        })?;
    }
    Ok(())
}

fn options(cursor: &mut Cursor<'_>) -> DissectResult {
    let byte = cursor.u8(Name::SubscriptionOptions)?;
    let here = cursor.position();
    let mut reserved = 0;
    if cursor.version.is_v5() {
        reserved |= cursor.bits(Name::Reserved, byte, 7, 6);
        if cursor.bits(Name::RetainHandling, byte, 5, 4) == RESERVED {
            cursor.find(Rule::RetainHandling, here - 1..here, format!("the options are 0x{byte:02x}"));
        }
        cursor.bits(Name::RetainAsPublished, byte, 3, 3);
        cursor.bits(Name::NoLocal, byte, 2, 2);
    } else {
        reserved |= cursor.bits(Name::Reserved, byte, 7, 2);
    }
    if reserved != 0 {
        cursor.find(Rule::SubscriptionReserved, here - 1..here, format!("the options are 0x{byte:02x}"));
    }
    if cursor.bits(Name::MaximumQos, byte, 1, 0) == RESERVED {
        cursor.find(Rule::SubscriptionQos, here - 1..here, "the QoS is 3");
    }
    Ok(())
}

pub(super) fn suback(cursor: &mut Cursor<'_>) -> DissectResult {
    cursor.number(Name::PacketIdentifier)?;
    property::list(cursor, Name::Properties, Context::Suback)?;
    codes(cursor)
}

pub(super) fn unsubscribe(cursor: &mut Cursor<'_>) -> DissectResult {
    cursor.number(Name::PacketIdentifier)?;
    property::list(cursor, Name::Properties, Context::Unsubscribe)?;
    at_least_one(cursor, Rule::NoFiltersUnsubscribe);
    while !cursor.is_at_end() {
        cursor.string_field(Name::FilterToRemove, Rule::StringUtf8)?;
    }
    Ok(())
}

/// Before MQTT 5 it has no reason codes.
pub(super) fn unsuback(cursor: &mut Cursor<'_>) -> DissectResult {
    cursor.number(Name::PacketIdentifier)?;
    if !cursor.version.is_v5() {
        return Ok(());
    }
    property::list(cursor, Name::Properties, Context::Unsuback)?;
    codes(cursor)
}

fn codes(cursor: &mut Cursor<'_>) -> DissectResult {
    while !cursor.is_at_end() {
        let start = cursor.position();
        let code = cursor.u8(Name::FilterReasonCode)?;
        cursor.field(Name::FilterReasonCode, Value::Code(code), start);
    }
    Ok(())
}

fn at_least_one(cursor: &mut Cursor<'_>, rule: Rule) {
    if cursor.is_at_end() {
        let here = cursor.position();
        cursor.find(rule, 0..here, "missing topic filter");
    }
}

/// DISCONNECT and AUTH. A missing reason code means 0. Before MQTT 5, DISCONNECT is empty.
pub(super) fn end(cursor: &mut Cursor<'_>, context: Context) -> DissectResult {
    if !cursor.version.is_v5() || cursor.is_at_end() {
        return Ok(());
    }
    publish::reason(cursor, context)
}
