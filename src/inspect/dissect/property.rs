//! Property lists of MQTT 5.0, by the codec's table of properties.

use super::cursor::{Cursor, DissectResult, EndOfPacket};
use crate::inspect::{Direction, Name, Rule, Value};
use crate::protocol::PropertyId;
use crate::protocol::property::{Context, Encoding};

/// A property length and the properties, in MQTT 5.
pub(super) fn list(cursor: &mut Cursor<'_>, name: Name, context: Context) -> DissectResult {
    if !cursor.version.is_v5() {
        return Ok(());
    }
    if cursor.is_at_end() {
        let here = cursor.position();
        cursor.find(Rule::PropertyLengthMissing, here..here, "the packet ends before the property length");
        return Err(EndOfPacket);
    }
    cursor.group(name, |cursor| {
        let start = cursor.position();
        let length = cursor.variable_byte_integer(Name::PropertyLength)? as usize;
        cursor.field(Name::PropertyLength, Value::Number(length as u32), start);
        if length > cursor.left() {
            let detail =
                format!("the property length {length} exceeds the rest of the packet, {}", cursor.left());
            cursor.find(Rule::TooShort, start..cursor.position(), detail);
            return Err(EndOfPacket);
        }
        cursor.area(length, |cursor| {
            let mut seen = 0;
            while !cursor.is_at_end() {
                property(cursor, context, &mut seen)?;
            }
            Ok(())
        })
    })
}

/// One property. `seen` has a bit for each earlier one.
fn property(cursor: &mut Cursor<'_>, context: Context, seen: &mut u64) -> DissectResult {
    let start = cursor.position();
    let number = cursor.variable_byte_integer(Name::Properties)?;
    let Some(id) = PropertyId::from_number(number) else {
        cursor.find(Rule::PropertyUnknown, start..cursor.position(), format!("unknown property {number}"));
        return Err(EndOfPacket);
    };
    let name = Name::Property(id);
    let value = value(cursor, id)?;
    cursor.field(name, value, start);
    let range = start..cursor.position();
    if !id.belongs_in(context) {
        cursor.find(
            Rule::PropertyMisplaced,
            range.clone(),
            format!("{name} is not allowed in {}", place(context)),
        );
    }
    let bit = 1 << number;
    if *seen & bit != 0 && !is_repeatable(id, context, cursor.direction) {
        cursor.find(Rule::PropertyRepeated, range.clone(), format!("duplicate {name}"));
    }
    *seen |= bit;
    if let Value::Number(number) = value
        && (number < id.least() || id.encoding() == Encoding::Flag && number > 1)
    {
        let rule = if id == PropertyId::TopicAlias { Rule::AliasZero } else { Rule::PropertyValue };
        cursor.find(rule, range, format!("{name} is {number}"));
    }
    Ok(())
}

fn value<'a>(cursor: &mut Cursor<'a>, id: PropertyId) -> DissectResult<Value<'a>> {
    let name = Name::Property(id);
    Ok(match id.encoding() {
        Encoding::Flag => Value::Number(cursor.u8(name)?.into()),
        Encoding::TwoByteInteger => Value::Number(cursor.u16(name)?.into()),
        Encoding::FourByteInteger => Value::Number(cursor.u32(name)?),
        Encoding::VariableByteInteger => Value::Number(cursor.variable_byte_integer(name)?),
        Encoding::Utf8String => cursor.string(name, Rule::StringUtf8)?,
        Encoding::BinaryData => Value::Bytes(cursor.binary(name)?),
        Encoding::Utf8StringPair => pair(cursor, name)?,
    })
}

fn pair<'a>(cursor: &mut Cursor<'a>, name: Name) -> DissectResult<Value<'a>> {
    let first = cursor.string(name, Rule::UserPropertyUtf8)?;
    let second = cursor.string(name, Rule::UserPropertyUtf8)?;
    Ok(match (first, second) {
        (Value::Text(first), Value::Text(second)) => Value::Pair(first, second),
        (first, second) => Value::BadPair(string_bytes(first), string_bytes(second)),
    })
}

fn string_bytes(value: Value<'_>) -> &[u8] {
    match value {
        Value::Text(text) => text.as_bytes(),
        Value::BadText(bytes) | Value::Bytes(bytes) => bytes,
        Value::Group
        | Value::Number(_)
        | Value::Flag(_)
        | Value::Pair(..)
        | Value::BadPair(..)
        | Value::Code(_) => &[],
    }
}

/// A server's PUBLISH has the identifiers of all matching subscriptions; a client's has none.
fn is_repeatable(id: PropertyId, context: Context, direction: Option<Direction>) -> bool {
    let from_client = direction == Some(Direction::ClientToServer);
    id == PropertyId::UserProperty
        || (id == PropertyId::SubscriptionIdentifier && context == Context::Publish && !from_client)
}

fn place(context: Context) -> String {
    match context {
        Context::Will => "the will's properties".to_owned(),
        context => format!("{context:?}").to_uppercase(),
    }
}
