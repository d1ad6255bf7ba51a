//! `-D PACKET NAME VALUE`: properties of MQTT 5 for the packets that a client sends.

use super::numbers;
use super::values::{expected, one_of};
use crate::cli::Error;
use crate::cli::UsageError;
use crate::protocol::property::{Context, Encoding};
use crate::protocol::{PropertiesBuf, PropertyId, PropertyValue, Version};
use crate::suggestion::did_you_mean;
use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use std::ffi::{OsStr, OsString};

/// Separates the joined words of a property; no word can contain it.
pub(super) const SEPARATOR: &str = "\0";

/// Properties, as typed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "MQTT 5")]
pub(crate) struct PropertyArgs {
    /// Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect,
    /// publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value
    #[arg(short = 'D', long = "property", value_names = ["PACKET NAME [KEY] VALUE"], value_parser = OsStringValueParser::new().try_map(parse))]
    pub properties: Vec<PropertyArg>,
}

/// A property of MQTT 5 that `-D` adds to a packet.
#[derive(Debug, Clone)]
pub(crate) struct PropertyArg {
    target: Context,
    id: PropertyId,
    value: Value,
}

#[derive(Debug, Clone)]
enum Value {
    Number(u32),
    Text(String),
    Binary(Vec<u8>),
    Pair(String, String),
}

impl Value {
    fn as_property_value(&self) -> PropertyValue<'_> {
        match self {
            Value::Number(number) => PropertyValue::Number(*number),
            Value::Text(text) => PropertyValue::Text(text),
            Value::Binary(bytes) => PropertyValue::Binary(bytes),
            Value::Pair(name, value) => PropertyValue::Pair(name, value),
        }
    }
}

impl PropertyArgs {
    /// Whether no property is given; any property chooses MQTT 5.
    pub(crate) fn is_empty(&self) -> bool {
        self.properties.is_empty()
    }

    /// The properties for one packet.
    ///
    /// # Errors
    /// If a value is out of range, or a property that must not be repeated is a duplicate.
    pub(crate) fn collect(&self, target: Context) -> Result<PropertiesBuf, Error> {
        let mut list = PropertiesBuf::new();
        for property in self.properties.iter().filter(|property| property.target == target) {
            // The subscription identifier is for SUBSCRIBE, which takes one.
            if property.id != PropertyId::UserProperty && list.as_properties().find(property.id).is_some() {
                return Err(Error::usage(format!("duplicate -D {}", property.id)));
            }
            list.push(property.id, property.value.as_property_value())
                .map_err(|error| Error::usage(UsageError::invalid("-D", error)))?;
        }
        Ok(list)
    }

    /// The texts in the properties, each with its option.
    pub(super) fn texts(&self) -> impl Iterator<Item = (String, &str)> {
        self.properties.iter().flat_map(|property| {
            let texts = match &property.value {
                Value::Text(text) => [Some(text), None],
                Value::Pair(name, value) => [Some(name), Some(value)],
                Value::Number(_) | Value::Binary(_) => [None, None],
            };
            texts.into_iter().flatten().map(|text| (format!("-D {}", property.id), text.as_str()))
        })
    }

    /// Rejects properties in a version that does not have them.
    ///
    /// # Errors
    /// If there are any.
    pub(crate) fn check_version(&self, version: Version) -> Result<(), Error> {
        if version.is_v5() || self.is_empty() {
            return Ok(());
        }
        Err(Error::usage(UsageError::NeedsV5 { option: "-D".into(), version }))
    }
}

#[allow(clippy::needless_pass_by_value)] // clap passes values
fn parse(joined: OsString) -> Result<PropertyArg, PropertyWordsError> {
    parse_words(&joined).map_err(PropertyWordsError)
}

/// The reason why the words after `-D` are invalid.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
struct PropertyWordsError(String);

fn parse_words(joined: &OsStr) -> Result<PropertyArg, String> {
    let words = split(joined);
    let mut words = words.iter();
    let mut next = |part: &str| {
        words
            .next()
            .cloned()
            .ok_or_else(|| format!("missing {part}: {}", expected("PACKET NAME [KEY] VALUE")))
    };
    let packet = text(next("PACKET")?)?;
    let target = target(&packet)?;
    let name = text(next("NAME")?)?;
    let id = PropertyId::from_name(&name).ok_or_else(|| unknown_property(&name, target))?;
    if !is_allowed(id, target) {
        return Err(format!("the property {id} is not allowed in {packet}"));
    }
    let value = match id.encoding() {
        Encoding::Utf8StringPair => {
            let key = text(next("KEY")?)?;
            Value::Pair(key, text(next("VALUE")?)?)
        }
        Encoding::Utf8String => Value::Text(text(next("VALUE")?)?),
        Encoding::BinaryData => Value::Binary(next("VALUE")?),
        Encoding::Flag
        | Encoding::TwoByteInteger
        | Encoding::FourByteInteger
        | Encoding::VariableByteInteger => {
            let typed = text(numbers::trim(&next("VALUE")?).to_vec())?;
            let number = typed.parse().map_err(|_| {
                let invalid = numbers::invalid_character(&typed, false).unwrap_or_default();
                let wanted = match numbers::is_whole(&typed) {
                    true => format!("a number from 0 to {}", greatest(id)),
                    false => "a whole number".to_owned(),
                };
                format!("invalid value '{}' of {id}: {}{invalid}", typed.escape_debug(), expected(wanted))
            });
            Value::Number(number?)
        }
    };
    // A value that no packet can carry is a mistake even if the packet is never sent.
    PropertiesBuf::new().push(id, value.as_property_value()).map_err(|error| error.to_string())?;
    Ok(PropertyArg { target, id, value })
}

/// The greatest value of a numeric property.
fn greatest(id: PropertyId) -> u32 {
    match id.encoding() {
        Encoding::Flag => 1,
        Encoding::TwoByteInteger => u32::from(u16::MAX),
        Encoding::VariableByteInteger => 0x0FFF_FFFF,
        _ => u32::MAX,
    }
}

fn unknown_property(name: &str, target: Context) -> String {
    let known = PropertyId::ALL.into_iter().filter(|id| id.belongs_in(target)).map(PropertyId::name);
    format!("unknown property '{name}'{}", did_you_mean(name, known))
}

/// The packets that can have properties.
pub(super) fn packets() -> Vec<&'static str> {
    TARGETS.map(|(name, _)| name).to_vec()
}

/// The names of the properties that a client sends in a packet.
pub(super) fn names(packet: &str) -> Vec<&'static str> {
    let Ok(target) = target(packet) else { return Vec::new() };
    PropertyId::ALL.into_iter().filter(|id| is_allowed(*id, target)).map(PropertyId::name).collect()
}

/// The values of the property of this name, if it is a flag.
pub(super) fn values(name: &str) -> Vec<&'static str> {
    let is_flag = PropertyId::from_name(name).is_some_and(|id| id.encoding() == Encoding::Flag);
    if is_flag { vec!["0", "1"] } else { Vec::new() }
}

/// Whether a client may send the property. Its PUBLISH must not have a subscription identifier [MQTT-3.3.4-6].
fn is_allowed(id: PropertyId, target: Context) -> bool {
    id.belongs_in(target) && !(target == Context::Publish && id == PropertyId::SubscriptionIdentifier)
}

/// Whether the value of the property of this name is a number.
pub(super) fn takes_number(name: &str) -> bool {
    PropertyId::from_name(name).is_some_and(|id| match id.encoding() {
        Encoding::Flag
        | Encoding::TwoByteInteger
        | Encoding::FourByteInteger
        | Encoding::VariableByteInteger => true,
        Encoding::Utf8StringPair | Encoding::Utf8String | Encoding::BinaryData => false,
    })
}

fn split(joined: &OsStr) -> Vec<Vec<u8>> {
    joined.as_encoded_bytes().split(|&byte| byte == 0).map(<[u8]>::to_vec).collect()
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "it is not valid UTF-8".to_owned())
}

/// The packets with properties that a client sends, and the will.
const TARGETS: [(&str, Context); 6] = [
    ("connect", Context::Connect),
    ("publish", Context::Publish),
    ("subscribe", Context::Subscribe),
    ("unsubscribe", Context::Unsubscribe),
    ("disconnect", Context::Disconnect),
    ("will", Context::Will),
];

fn target(packet: &str) -> Result<Context, String> {
    let known = TARGETS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(packet));
    known.map(|(_, target)| target).ok_or_else(|| {
        let names = TARGETS.map(|(name, _)| name);
        format!("unknown packet '{packet}': {}{}", expected(one_of(&names)), did_you_mean(packet, names))
    })
}
