//! Templates: groups of metrics with parameters, as a definition or as an instance of one.

use super::{Metric, MetricContext, UntypedFields, type_of, write_metrics, write_type, write_value_or_raw};
use crate::json::Writer;
use crate::payload::protobuf::{Field, WireValue, fields, text};
use crate::payload::{MAX_DEPTH, Problem};

/// The fields of flags and texts in a parameter.
const PARAMETER_FIELDS: UntypedFields = UntypedFields { flag: 7, text: 8 };

/// Writes a template: `version`, `ref`, `definition`, `metrics` and `parameters`.
pub(super) fn write(
    message: &[u8],
    at: usize,
    metric_context: &mut MetricContext<'_>,
    json: &mut Writer<'_>,
) -> Result<(), Problem> {
    if metric_context.depth == MAX_DEPTH {
        return Err(Problem { reason: "values nested too deeply", at });
    }
    let fields = fields(message, at)?;
    json.open_object();
    for field in &fields {
        match (field.number, field.value) {
            (1, WireValue::Bytes(version)) => entry("version", version, field.at, json)?,
            (4, WireValue::Bytes(reference)) => entry("ref", reference, field.at, json)?,
            (5, WireValue::Number(is_definition)) => {
                json.plain_key("definition");
                json.literal(is_definition != 0);
            }
            _ => {}
        }
    }
    let inner = &mut MetricContext {
        context: metric_context.context,
        template: Some(reference(&fields)?.unwrap_or_default()),
        expansion: metric_context.expansion,
        depth: metric_context.depth + 1,
    };
    write_metrics(&fields, inner, json)?;
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

/// The template that an instance refers to, and the metrics of an instance or a definition.
pub(super) fn members(message: &[u8], at: usize) -> Result<(Option<&str>, Vec<Metric<'_>>), Problem> {
    let fields = fields(message, at)?;
    let members = messages(&fields, 2).map(|(metric, at)| Metric::read(metric, at));
    Ok((reference(&fields)?, members.collect::<Result<_, _>>()?))
}

fn reference<'a>(fields: &[Field<'a>]) -> Result<Option<&'a str>, Problem> {
    messages(fields, 4).last().map(|(reference, at)| text(reference, at)).transpose()
}

fn messages<'a>(fields: &[Field<'a>], number: u64) -> impl Iterator<Item = (&'a [u8], usize)> {
    fields.iter().filter_map(move |field| match field.value {
        WireValue::Bytes(message) if field.number == number => Some((message, field.at)),
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
    let data_type = type_of(&fields, 2);
    json.open_object();
    if let Some((name, at)) = messages(&fields, 1).last() {
        entry("name", name, at, json)?;
    }
    write_type(data_type, json);
    let value = fields.iter().rfind(|field| field.number >= 3);
    write_value_or_raw(value, PARAMETER_FIELDS, data_type, json)?;
    json.close_object();
    Ok(())
}
