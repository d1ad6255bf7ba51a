//! Data sets: tables, with the columns' names and types and the rows' values.

use super::{UntypedFields, type_name, write_single};
use crate::json::Writer;
use crate::payload::Problem;
use crate::payload::protobuf::{Field, WireValue, fields, packed_numbers, text};

/// The fields of flags and texts in a row.
const ROW_FIELDS: UntypedFields = UntypedFields { flag: 5, text: 6 };

/// Writes a table: `columns`, `types` and `rows`.
pub(super) fn write(message: &[u8], at: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
    let fields = fields(message, at)?;
    json.open_object();
    list("columns", &fields, 2, json, |value, at, json| match value {
        WireValue::Bytes(name) => {
            json.string(text(name, at)?);
            Ok(())
        }
        _ => Err(Problem { reason: "column without a name", at }),
    })?;
    let types = column_types(&fields)?;
    json.plain_key("types");
    json.open_array();
    for data_type in &types {
        json.element();
        match type_name(*data_type) {
            Some(name) => json.string(name),
            None => json.integer(*data_type),
        }
    }
    json.close_array();
    list("rows", &fields, 4, json, |value, at, json| match value {
        WireValue::Bytes(row) => write_row(row, at, &types, json),
        _ => Err(Problem { reason: "not a row of a table", at }),
    })?;
    json.close_object();
    Ok(())
}

/// All fields of one number as an array.
fn list(
    key: &'static str,
    fields: &[Field<'_>],
    number: u64,
    json: &mut Writer<'_>,
    mut write: impl FnMut(WireValue<'_>, usize, &mut Writer<'_>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    json.plain_key(key);
    json.open_array();
    for field in fields.iter().filter(|field| field.number == number) {
        json.element();
        write(field.value, field.at, json)?;
    }
    json.close_array();
    Ok(())
}

/// The numbers of the columns' types, one by one or packed together.
fn column_types(fields: &[Field<'_>]) -> Result<Vec<u64>, Problem> {
    let mut types = Vec::new();
    for field in fields.iter().filter(|field| field.number == 3) {
        match field.value {
            WireValue::Number(data_type) => types.push(data_type),
            WireValue::Bytes(packed) => types.extend(packed_numbers(packed, field.at)?),
            WireValue::Fixed32(_) | WireValue::Fixed64(_) | WireValue::Group(_) => {
                return Err(Problem { reason: "not the type of a column", at: field.at });
            }
        }
    }
    Ok(types)
}

fn write_row(row: &[u8], at: usize, types: &[u64], json: &mut Writer<'_>) -> Result<(), Problem> {
    json.open_array();
    let elements = fields(row, at)?.into_iter().filter(|field| field.number == 1);
    for (column, element) in elements.enumerate() {
        json.element();
        let WireValue::Bytes(value) = element.value else {
            return Err(Problem { reason: "not a value of a table", at: element.at });
        };
        match fields(value, element.at)?.last() {
            Some(value) => write_single(value, ROW_FIELDS, types.get(column).copied(), json)?,
            None => json.literal("null"),
        }
    }
    json.close_array();
    Ok(())
}
