//! Renders a format. The output of each field is that of mosquitto_sub, byte for byte.

use super::field::{Spec, TemplateField};
use super::{Template, TemplatePart};
use crate::json::{self, Writer};
use crate::message::hex_digit;
use crate::output::mosquitto_json::{self, PayloadForm};
use crate::output::timestamp::{MessageTime, TimeFormat};
use crate::protocol::{PropertyId, PropertyValue, Publish};
use std::cell::OnceCell;
use std::io::Write;

/// The input for rendering a message.
pub(in crate::output) struct Rendering<'a> {
    pub(in crate::output) publish: &'a Publish<'a>,
    /// Reads the clock, once for all fields, if a field needs it.
    pub(in crate::output) now: &'a dyn Fn() -> MessageTime,
    /// Whether JSON is laid out over several lines.
    pub(in crate::output) is_pretty: bool,
    /// Whether JSON is coloured.
    pub(in crate::output) is_coloured: bool,
    /// Notes for the user about messages that could not be printed.
    pub(in crate::output) notes: &'a mut Vec<String>,
}

impl Template {
    /// Appends the rendered format.
    pub(in crate::output) fn render(&self, rendering: Rendering<'_>, out: &mut Vec<u8>) {
        let mut renderer = Renderer { rendering, moment: OnceCell::new(), out };
        for part in &self.parts {
            match part {
                TemplatePart::Literal(bytes) => renderer.out.extend_from_slice(bytes),
                TemplatePart::TemplateField(field, spec) => renderer.field(*field, *spec),
                TemplatePart::Time(format) => renderer.time(*format),
            }
        }
    }
}

struct Renderer<'a, 'o> {
    rendering: Rendering<'a>,
    moment: OnceCell<MessageTime>,
    out: &'o mut Vec<u8>,
}

impl<'a> Renderer<'a, '_> {
    fn field(&mut self, field: TemplateField, spec: Spec) {
        let publish = self.rendering.publish;
        match field {
            TemplateField::TopicAlias => self.number_property(PropertyId::TopicAlias, spec),
            TemplateField::MessageExpiryInterval => {
                self.number_property(PropertyId::MessageExpiryInterval, spec);
            }
            TemplateField::PayloadFormatIndicator => {
                self.number_property(PropertyId::PayloadFormatIndicator, spec);
            }
            TemplateField::SubscriptionIdentifier => {
                self.number_property(PropertyId::SubscriptionIdentifier, spec);
            }
            TemplateField::ContentType => {
                push_text(
                    publish.properties.text(PropertyId::ContentType).unwrap_or_default(),
                    spec,
                    self.out,
                );
            }
            TemplateField::ResponseTopic => {
                if let Some(topic) = publish.properties.text(PropertyId::ResponseTopic) {
                    push_text(topic, spec, self.out);
                }
            }
            TemplateField::CorrelationData => {
                if let Some(PropertyValue::Binary(bytes)) =
                    publish.properties.find(PropertyId::CorrelationData)
                {
                    self.out.extend_from_slice(bytes);
                }
            }
            TemplateField::UserProperties => self.user_properties(),
            TemplateField::Topic => push_text(publish.topic, spec, self.out),
            TemplateField::Payload => push_payload(publish.payload, spec, self.out),
            TemplateField::LowerHex => push_hexadecimal(publish.payload, spec, hex_digit, self.out),
            TemplateField::UpperHex => {
                push_hexadecimal(
                    publish.payload,
                    spec,
                    |value| hex_digit(value).to_ascii_uppercase(),
                    self.out,
                );
            }
            TemplateField::PayloadLength => push_number(publish.payload.len(), spec, self.out),
            TemplateField::PacketId => {
                push_number(
                    publish.packet_id.map_or(0, |packet_id| packet_id.value().into()),
                    spec,
                    self.out,
                );
            }
            TemplateField::Qos => self.out.push(b'0' + publish.qos as u8),
            TemplateField::Retain => self.out.push(b'0' + u8::from(publish.retain)),
            TemplateField::Time => push_text(&self.moment().format(TimeFormat::ISO_8601), spec, self.out),
            TemplateField::UnixTime => {
                let now = self.moment().timestamp();
                let _ = write!(self.out, "{}.{:09}", now.as_second(), now.subsec_nanosecond());
            }
            TemplateField::Json => self.json(PayloadForm::String),
            TemplateField::JsonWithParsedPayload => self.json(PayloadForm::Parsed),
            TemplateField::Float => {
                let number = publish.payload.try_into().map(f32::from_ne_bytes);
                self.float(number.ok().map(f64::from), spec);
            }
            TemplateField::Double => {
                let number = publish.payload.try_into().map(f64::from_ne_bytes);
                self.float(number.ok(), spec);
            }
        }
    }

    fn moment(&self) -> &MessageTime {
        self.moment.get_or_init(self.rendering.now)
    }

    fn time(&mut self, format: TimeFormat) {
        let text = self.moment().format(format);
        self.out.extend_from_slice(text.as_bytes());
    }

    fn number_property(&mut self, id: PropertyId, spec: Spec) {
        match self.rendering.publish.properties.number(id) {
            Some(number) => push_number(number as usize, spec, self.out),
            None => push_repeated(spec.pad, spec.width, self.out),
        }
    }

    fn user_properties(&mut self) {
        let mut is_first = true;
        for property in self.rendering.publish.properties.iter() {
            if let PropertyValue::Pair(name, value) = property.value {
                let space = if std::mem::take(&mut is_first) { "" } else { " " };
                let _ = write!(self.out, "{space}{name}:{value}");
            }
        }
    }

    /// The message as JSON; nothing, and a note, if its payload should be JSON but is not.
    fn json(&mut self, form: PayloadForm) {
        self.moment();
        let Some(moment) = self.moment.get() else { return };
        let publish = self.rendering.publish;
        let length = self.out.len();
        let mut json = Writer::new(self.out, self.rendering.is_pretty);
        if let Err(error) = mosquitto_json::write(publish, moment, form, &mut json) {
            self.out.truncate(length);
            let topic = publish.topic.escape_debug();
            self.rendering.notes.push(format!(
                "%J: cannot print the payload of a message to {topic} as JSON: {error}; %j prints any payload"
            ));
        }
        if self.rendering.is_coloured {
            json::colour(self.out, length);
        }
    }

    fn float(&mut self, number: Option<f64>, spec: Spec) {
        let Some(number) = number else {
            let topic = self.rendering.publish.topic.escape_debug();
            let length = self.rendering.publish.payload.len();
            self.rendering.notes.push(format!(
                "requested float printing, but non-float data received: {length} bytes on {topic}; %f takes 4 and %d takes 8"
            ));
            return;
        };
        push_float(number, spec, self.out);
    }
}

fn push_repeated(byte: u8, count: usize, out: &mut Vec<u8>) {
    out.resize(out.len() + count, byte);
}

/// Appends bytes, padded to the width.
fn push_padded(bytes: &[u8], pad: u8, spec: Spec, out: &mut Vec<u8>) {
    let missing = spec.width.saturating_sub(bytes.len());
    if !spec.is_left {
        push_repeated(pad, missing, out);
    }
    out.extend_from_slice(bytes);
    if spec.is_left {
        push_repeated(b' ', missing, out);
    }
}

/// A text, cut to the precision in bytes, even inside a character.
fn push_text(text: &str, spec: Spec, out: &mut Vec<u8>) {
    let length = spec.precision.unwrap_or(usize::MAX).min(text.len());
    push_padded(text.as_bytes().get(..length).unwrap_or_default(), b' ', spec, out);
}

fn push_number(number: usize, spec: Spec, out: &mut Vec<u8>) {
    let start = out.len();
    let _ = write!(out, "{number}");
    let missing = spec.width.saturating_sub(out.len() - start);
    push_repeated(if spec.is_left { b' ' } else { spec.pad }, missing, out);
    if let (false, Some(number)) = (spec.is_left, out.get_mut(start..)) {
        number.rotate_right(missing);
    }
}

/// The payload, cut to the width if there is one.
fn push_payload(payload: &[u8], spec: Spec, out: &mut Vec<u8>) {
    push_padded(first_bytes(payload, spec.width), spec.pad, spec, out);
}

/// All bytes for a width of 0.
fn first_bytes(payload: &[u8], width: usize) -> &[u8] {
    let length = if width == 0 { payload.len() } else { width.min(payload.len()) };
    payload.get(..length).unwrap_or_default()
}

/// Hexadecimal digits of `width` bytes. Leading padding and digits are one row, which the separator divides into groups;
/// trailing padding is spaces only.
fn push_hexadecimal(payload: &[u8], spec: Spec, digit: impl Fn(u8) -> u8, out: &mut Vec<u8>) {
    let payload = first_bytes(payload, spec.width);
    let missing = spec.width.saturating_sub(payload.len() * 2);
    let (before, after) = if spec.is_left { (0, missing) } else { (missing, 0) };
    let digits = payload.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]);
    let padded = std::iter::repeat_n(spec.pad, before).chain(digits);
    match spec.precision.filter(|group| *group > 0) {
        None => out.extend(padded),
        Some(group) => {
            for (position, digit) in padded.enumerate() {
                if position > 0 && position.is_multiple_of(group) {
                    out.push(spec.separator);
                }
                out.push(digit);
            }
        }
    }
    push_repeated(b' ', after, out);
}

/// A number as printf's `%f` prints it.
fn push_float(number: f64, spec: Spec, out: &mut Vec<u8>) {
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let digits = match number.abs() {
        magnitude if magnitude.is_nan() => "nan".to_owned(),
        magnitude if magnitude.is_infinite() => "inf".to_owned(),
        magnitude => format!("{magnitude:.*}", spec.precision.unwrap_or(6)),
    };
    if spec.pad == b'0' && !spec.is_left && number.is_finite() {
        out.extend_from_slice(sign.as_bytes());
        let width = spec.width.saturating_sub(sign.len());
        push_padded(digits.as_bytes(), b'0', Spec { width, ..spec }, out);
    } else {
        push_padded(format!("{sign}{digits}").as_bytes(), b' ', spec, out);
    }
}
