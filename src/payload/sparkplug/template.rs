//! Templates: metrics that belong together, as a definition or an instance of one, and parameters.

use super::wire::{Field, Wire, fields, text};
use super::{MAX_DEPTH, Metric, Special, write_single, write_type};
use crate::json::Writer;
use crate::payload::Problem;

/// The fields of flags and texts in a parameter.
const PARAMETER_FIELDS: Special = Special { flag: 7, text: 8 };

/// Writes a template with so many around it and itself: `version`, `ref`, `definition`, `metrics` and `parameters`.
pub(super) fn write(message: &[u8], at: usize, depth: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
    if depth > MAX_DEPTH {
        return Err(Problem { what: "values too deep in each other", at });
    }
    let fields = fields(message, at)?;
    json.open_object();
    for field in &fields {
        match (field.number, field.value) {
            (1, Wire::Bytes(version)) => entry("version", version, field.at, json)?,
            (4, Wire::Bytes(reference)) => entry("ref", reference, field.at, json)?,
            (5, Wire::Number(is_definition)) => {
                json.plain_key("definition");
                json.literal(is_definition != 0);
            }
            _ => {}
        }
    }
    json.plain_key("metrics");
    json.open_array();
    for (metric, at) in messages(&fields, 2) {
        json.element();
        Metric::read(metric, at)?.write(depth, json)?;
    }
    json.close_array();
    json.plain_key("parameters");
    json.open_array();
    for (parameter, at) in messages(&fields, 3) {
        json.element();
        write_parameter(parameter, at, json)?;
    }
    json.close_array();
    json.close_object();
    Ok(())
}

fn messages<'a>(fields: &[Field<'a>], number: u64) -> impl Iterator<Item = (&'a [u8], usize)> {
    fields.iter().filter_map(move |field| match field.value {
        Wire::Bytes(message) if field.number == number => Some((message, field.at)),
        _ => None,
    })
}

fn entry(key: &'static str, value: &[u8], at: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
    json.plain_key(key);
    json.string(text(value, at)?);
    Ok(())
}

fn write_parameter(message: &[u8], at: usize, json: &mut Writer<'_>) -> Result<(), Problem> {
    let fields = fields(message, at)?;
    let data_type = fields.iter().find_map(|field| match (field.number, field.value) {
        (2, Wire::Number(data_type)) => Some(data_type),
        _ => None,
    });
    json.open_object();
    if let Some((name, at)) = messages(&fields, 1).last() {
        entry("name", name, at, json)?;
    }
    write_type(data_type, json);
    json.plain_key("value");
    match fields.iter().rfind(|field| field.number >= 3) {
        Some(field) => write_single(field, PARAMETER_FIELDS, data_type, json)?,
        None => json.literal("null"),
    }
    json.close_object();
    Ok(())
}
