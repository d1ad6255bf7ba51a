//! The metadata and properties of metrics. Property sets may be nested.

use super::{UntypedFields, type_of, write_flag, write_type, write_value_or_raw};
use crate::json::Writer;
use crate::payload::Problem;
use crate::payload::protobuf::{Field, WireValue, fields, text};

/// The fields of flags and texts in a property's value.
const PROPERTY_FIELDS: UntypedFields = UntypedFields { flag: 7, text: 8 };

/// The keys of metadata by the numbers of their fields, from 1.
const METADATA: [&str; 8] =
    ["is_multi_part", "content_type", "size", "seq", "file_name", "file_type", "md5", "description"];

/// Writes the metadata of a metric.
pub(super) fn write_metadata(message: &[u8], at: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
    json.open_object();
    for field in fields(message, at)? {
        let index = usize::try_from(field.number).ok().and_then(|number| number.checked_sub(1));
        let Some(key) = index.and_then(|index| METADATA.get(index)).copied() else { continue };
        json.plain_key(key);
        match field.value {
            WireValue::Number(flag) if field.number == 1 => json.literal(flag != 0),
            WireValue::Number(number) => json.integer(number),
            WireValue::Bytes(value) => json.string(text(value, field.at)?),
            WireValue::Fixed32(_) | WireValue::Fixed64(_) | WireValue::Group(_) => {
                return Err(Problem { reason: "not metadata of Sparkplug", at: field.at });
            }
        }
    }
    json.close_object();
    Ok(())
}

/// Writes a property set, a list of keys and a list of values, with at most that many nested sets.
pub(super) fn write_set(
    message: &[u8],
    at: usize,
    depth: usize,
    json: &mut Writer<'_>,
) -> Result<(), Problem> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Problem { reason: "values nested too deeply", at });
    };
    let fields = fields(message, at)?;
    let of = |number| fields.iter().filter(move |field| field.number == number);
    json.open_object();
    for (key, value) in of(1).zip(of(2)) {
        let (WireValue::Bytes(name), WireValue::Bytes(message)) = (key.value, value.value) else {
            return Err(Problem { reason: "not a property set", at: key.at });
        };
        json.key(text(name, key.at)?);
        write_value(message, value.at, depth, json)?;
    }
    json.close_object();
    Ok(())
}

fn write_value(message: &[u8], at: usize, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
    let fields = fields(message, at)?;
    let data_type = type_of(&fields, 1);
    let is_null = fields.iter().find_map(|field| match (field.number, field.value) {
        (2, WireValue::Number(is_null)) => Some(is_null != 0),
        _ => None,
    });
    json.open_object();
    let value = fields.iter().rfind(|field| field.number >= 3).filter(|_| is_null != Some(true));
    write_type(data_type, json);
    write_flag("is_null", is_null, json);
    match value {
        Some(Field { number: 9, value: WireValue::Bytes(set), at }) => {
            json.plain_key("value");
            write_set(set, *at, depth, json)?;
        }
        Some(Field { number: 10, value: WireValue::Bytes(list), at }) => {
            json.plain_key("value");
            write_list(list, *at, depth, json)?;
        }
        value => write_value_or_raw(value, PROPERTY_FIELDS, data_type, json)?,
    }
    json.close_object();
    Ok(())
}

fn write_list(list: &[u8], at: usize, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
    json.open_array();
    for field in fields(list, at)? {
        if let Field { number: 1, value: WireValue::Bytes(set), at } = field {
            json.element();
            write_set(set, at, depth, json)?;
        }
    }
    json.close_array();
    Ok(())
}
