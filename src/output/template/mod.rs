//! `-F FORMAT`: the output format of a message, in the notation of mosquitto_sub.
//!
//! | specifier | output |
//! |---|---|
//! | `%` `[-]` or `[0]`, width, `.`precision, separator, letter | a part of the message; the letters are in `TemplateField` |
//! | `@c` | strftime's `%c`, in local time; `@N` is nanoseconds, `@@` is `@` |
//! | `\\ \0 \a \e \n \r \t \v` | that character |
//!
//! A format is parsed once, and errors in it have a position. Rendering appends to a buffer.

mod field;
mod parse;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use parse::TemplateError;
pub(super) use render::Rendering;

use super::timestamp::TimeFormat;
use field::{Spec, TemplateField};

/// A parsed format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<TemplatePart>,
}

impl Template {
    /// Whether the local time is a part of it.
    pub(super) fn has_local_time(&self) -> bool {
        self.parts.iter().any(|part| match part {
            TemplatePart::Time(_) => true,
            TemplatePart::TemplateField(field, _) => {
                matches!(
                    field,
                    TemplateField::Time | TemplateField::Json | TemplateField::JsonWithParsedPayload
                )
            }
            TemplatePart::Literal(_) => false,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TemplatePart {
    Literal(Vec<u8>),
    TemplateField(TemplateField, Spec),
    Time(TimeFormat),
}
