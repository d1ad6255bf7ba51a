//! CONNECT and CONNACK.

use super::cursor::{Cursor, DissectResult, EndOfPacket};
use super::property;
use crate::inspect::{Name, Rule, Value};
use crate::protocol::Version;
use crate::protocol::property::Context;

/// The bit of the protocol level that mosquitto's bridges set.
const BRIDGE: u8 = 0x80;

/// The return codes of MQTT 3 that refuse a connection.
const REFUSALS_V3: std::ops::RangeInclusive<u8> = 1..=5;

/// The optional fields that CONNECT's flags announce.
struct Announced {
    will: bool,
    user_name: bool,
    password: bool,
}

pub(super) fn connect(cursor: &mut Cursor<'_>) -> DissectResult {
    let name = cursor.string_field(Name::ProtocolName, Rule::StringUtf8)?;
    let name_range = 2..cursor.position();
    let start = cursor.position();
    let level = cursor.u8(Name::ProtocolLevel)?;
    cursor.field(Name::ProtocolLevel, Value::Number(level.into()), start);
    version(cursor, name, name_range, level);
    if cursor.version == Version::V31 {
        // MQTT 3.1 does not use the flags of CONNECT.
        cursor.tree.findings.retain(|finding| finding.rule != Rule::ReservedFlags);
    }
    let announced = cursor.group(Name::ConnectFlags, flags)?;
    cursor.number(Name::KeepAlive)?;
    property::list(cursor, Name::Properties, Context::Connect)?;
    announced_field(cursor, Rule::ClientIdMissing, Name::ClientIdentifier)?;
    cursor.string_field(Name::ClientIdentifier, Rule::ClientIdUtf8)?;
    if announced.will {
        will(cursor)?;
    }
    if announced.user_name {
        announced_field(cursor, Rule::UserNameMissing, Name::UserName)?;
        cursor.string_field(Name::UserName, Rule::StringUtf8)?;
    }
    if announced.password {
        announced_field(cursor, Rule::PasswordMissing, Name::Password)?;
        let start = cursor.position();
        let password = cursor.binary(Name::Password)?;
        cursor.field(Name::Password, Value::Bytes(password), start);
    }
    Ok(())
}

/// Decodes the rest in the version that CONNECT names, or in the nearest one if that is unknown.
fn version(cursor: &mut Cursor<'_>, name: Value<'_>, name_range: std::ops::Range<usize>, level: u8) {
    let number = level & !BRIDGE;
    let here = cursor.position();
    cursor.version = match name {
        Value::Text(text @ ("MQTT" | "MQIsdp")) => match Version::from_name_and_level(text, number) {
            Some(version) => version,
            None => {
                cursor.find(
                    Rule::ProtocolLevel,
                    here - 1..here,
                    format!("unknown protocol level {level} for {text}"),
                );
                if number == 5 { Version::V5 } else { Version::V311 }
            }
        },
        other => {
            let shown = match other {
                Value::Text(text) => format!("{text:?}"),
                _ => "not text".to_owned(),
            };
            cursor.find(Rule::ProtocolName, name_range, format!("the protocol name is {shown}"));
            if number == 5 { Version::V5 } else { Version::V311 }
        }
    };
}

fn flags(cursor: &mut Cursor<'_>) -> DissectResult<Announced> {
    let byte = cursor.u8(Name::ConnectFlags)?;
    let user_name = cursor.bits(Name::UserNameFlag, byte, 7, 7) == 1;
    let password = cursor.bits(Name::PasswordFlag, byte, 6, 6) == 1;
    cursor.bits(Name::WillRetain, byte, 5, 5);
    cursor.bits(Name::WillQos, byte, 4, 3);
    let will = cursor.bits(Name::WillFlag, byte, 2, 2) == 1;
    cursor.bits(Name::CleanStart, byte, 1, 1);
    if cursor.bits(Name::Reserved, byte, 0, 0) == 1 && cursor.version != Version::V31 {
        let here = cursor.position();
        cursor.find(Rule::ConnectReserved, here - 1..here, format!("the connect flags are 0x{byte:02x}"));
    }
    Ok(Announced { will, user_name, password })
}

fn will(cursor: &mut Cursor<'_>) -> DissectResult {
    announced_field(cursor, Rule::WillMissing, Name::WillTopic)?;
    property::list(cursor, Name::WillProperties, Context::Will)?;
    announced_field(cursor, Rule::WillMissing, Name::WillTopic)?;
    cursor.string_field(Name::WillTopic, Rule::StringUtf8)?;
    announced_field(cursor, Rule::WillMissing, Name::WillPayload)?;
    let start = cursor.position();
    let payload = cursor.binary(Name::WillPayload)?;
    cursor.field(Name::WillPayload, Value::Bytes(payload), start);
    Ok(())
}

/// Reports the given rule if the packet ends before a field that the flags announced.
fn announced_field(cursor: &mut Cursor<'_>, rule: Rule, name: Name) -> DissectResult {
    if !cursor.is_at_end() {
        return Ok(());
    }
    let here = cursor.position();
    cursor.find(rule, here..here, format!("the packet ends before {name}"));
    Err(EndOfPacket)
}

pub(super) fn connack(cursor: &mut Cursor<'_>) -> DissectResult {
    cursor.group(Name::AcknowledgeFlags, |cursor| {
        let byte = cursor.u8(Name::AcknowledgeFlags)?;
        if cursor.bits(Name::Reserved, byte, 7, 1) != 0 {
            let here = cursor.position();
            cursor.find(Rule::ConnackReserved, here - 1..here, format!("the flags are 0x{byte:02x}"));
        }
        cursor.bits(Name::SessionPresent, byte, 0, 0);
        Ok(())
    })?;
    let start = cursor.position();
    let code = cursor.u8(Name::ReasonCode)?;
    if cursor.version.is_v5() && cursor.is_at_end() && REFUSALS_V3.contains(&code) {
        // A server without MQTT 5 answers in this form, as MQTT 3.1.1 requires [MQTT-3.1.2-2].
        cursor.field(Name::ReturnCode, Value::Code(code), start);
        let range = 0..cursor.position();
        cursor.find(Rule::ConnackForm, range, "CONNACK has the form of MQTT 3.1.1");
        return Ok(());
    }
    let name = if cursor.version.is_v5() { Name::ReasonCode } else { Name::ReturnCode };
    cursor.field(name, Value::Code(code), start);
    property::list(cursor, Name::Properties, Context::Connack)
}
