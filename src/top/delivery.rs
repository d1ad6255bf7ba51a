//! The last prompt of a new message: its QoS, RETAIN and properties, the latter as `mq pub -D` takes them.

use super::words::words;
use crate::protocol::property::{Context, Encoding};
use crate::protocol::{PropertiesBuf, PropertyId, PropertyValue, Qos};
use crate::suggestion::did_you_mean;

/// The words in front of a property on the command line, which are optional here: the option's characters, and the packet.
const OPTION: [char; 2] = ['-', 'D'];
const PACKET: &str = "publish";

/// How a message is published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    pub(crate) properties: PropertiesBuf,
}

/// Parses the words: a QoS, `r`, `NAME=VALUE` for a user property, `PROPERTY [KEY] VALUE` for another.
///
/// # Errors
/// The invalid word.
pub(super) fn parse(text: &str) -> Result<Delivery, String> {
    let mut delivery = Delivery::default();
    let mut typed_qos: Option<&str> = None;
    let words = words(text)?;
    let mut words = words.iter().map(String::as_str);
    let mut is_after_option = false;
    while let Some(word) = words.next() {
        if word.chars().eq(OPTION) || (is_after_option && word == PACKET) {
            is_after_option = true;
            continue;
        }
        match (word, word.split_once('=')) {
            ("r", _) if delivery.retain => return Err("r is typed twice".to_owned()),
            ("r", _) => delivery.retain = true,
            (number, _) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                delivery.qos = qos(number)?;
                if let Some(other) = typed_qos.replace(number) {
                    return Err(format!("expected one QoS: {other} and {number}"));
                }
            }
            (_, Some((name, value))) => {
                let pair = PropertyValue::Pair(name, value);
                push(PropertyId::UserProperty, pair, &mut delivery.properties)?;
            }
            (name, None) => property(name, &mut words, &mut delivery.properties)?,
        }
        is_after_option = false;
    }
    Ok(delivery)
}

/// The QoS of this digit.
///
/// # Errors
/// If there is none.
pub(super) fn qos(digit: &str) -> Result<Qos, String> {
    let number = Some(digit).filter(|digit| digit.len() == 1).and_then(|digit| digit.parse().ok());
    number.and_then(Qos::from_u8).ok_or_else(|| format!("expected a QoS of 0, 1 or 2: {digit}"))
}

/// Adds the property of this name, whose value is the next words.
fn property<'a>(
    name: &str,
    words: &mut impl Iterator<Item = &'a str>,
    properties: &mut PropertiesBuf,
) -> Result<(), String> {
    let mut next = |part: &str| words.next().ok_or_else(|| format!("missing {part} of {name}"));
    let is_settable = |id: &PropertyId| {
        // A client's PUBLISH must not have a subscription identifier [MQTT-3.3.4-6], and aliases belong to the connection.
        id.belongs_in(Context::Publish)
            && !matches!(id, PropertyId::SubscriptionIdentifier | PropertyId::TopicAlias)
    };
    let id = PropertyId::from_name(name).filter(is_settable).ok_or_else(|| {
        let known = PropertyId::ALL.into_iter().filter(is_settable).map(PropertyId::name);
        format!("expected 0, 1, 2, r, NAME=VALUE or a property: {name}{}", did_you_mean(name, known))
    })?;
    let value = match id.encoding() {
        Encoding::Utf8StringPair => PropertyValue::Pair(next("KEY")?, next("VALUE")?),
        Encoding::Utf8String => PropertyValue::Text(next("VALUE")?),
        Encoding::BinaryData => PropertyValue::Binary(next("VALUE")?.as_bytes()),
        Encoding::Flag
        | Encoding::TwoByteInteger
        | Encoding::FourByteInteger
        | Encoding::VariableByteInteger => {
            let value = next("VALUE")?;
            PropertyValue::Number(
                value.parse().map_err(|_| format!("{id}: expected a whole number: {value}"))?,
            )
        }
    };
    push(id, value, properties)
}

fn push(id: PropertyId, value: PropertyValue<'_>, properties: &mut PropertiesBuf) -> Result<(), String> {
    if id != PropertyId::UserProperty && properties.as_properties().find(id).is_some() {
        return Err(format!("duplicate property {id}"));
    }
    properties.push(id, value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_have_the_spelling_of_the_option() {
        let text = "1 r unit=W content-type \"text/plain; charset=utf-8\" -D publish message-expiry-interval 60 \
                    -D user-property a 'b c' correlation-data x=y payload-format-indicator 1";
        let Delivery { qos, retain, properties } = parse(text).unwrap();
        let properties = properties.as_properties();
        assert_eq!((qos, retain), (Qos::AtLeastOnce, true));
        assert_eq!(properties.text(PropertyId::ContentType), Some("text/plain; charset=utf-8"));
        assert_eq!(properties.number(PropertyId::MessageExpiryInterval), Some(60));
        assert_eq!(properties.number(PropertyId::PayloadFormatIndicator), Some(1));
        assert_eq!(properties.binary(PropertyId::CorrelationData), Some(&b"x=y"[..]));
        let pairs = properties.iter().filter(|property| property.id == PropertyId::UserProperty);
        assert_eq!(
            pairs.map(|property| property.value).collect::<Vec<_>>(),
            [PropertyValue::Pair("unit", "W"), PropertyValue::Pair("a", "b c")]
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("x", "NAME=VALUE or a property: x"),
            ("3", "QoS of 0, 1 or 2: 3"),
            ("01", "QoS of 0, 1 or 2: 01"),
            ("+1", "or a property: +1"),
            ("0 r 1 2", "expected one QoS: 0 and 1"),
            ("1 1", "expected one QoS: 1 and 1"),
            ("r r", "r is typed twice"),
            ("content-typ a", "did you mean"),
            ("content-type", "missing VALUE of content-type"),
            ("user-property a", "missing VALUE of user-property"),
            ("topic-alias 1", "or a property: topic-alias"),
            ("publish content-type a", "or a property: publish"),
            ("message-expiry-interval soon", "expected a whole number: soon"),
            ("content-type a content-type b", "duplicate property content-type"),
            ("content-type 'a", "a quotation mark is missing: '"),
        ] {
            let problem = parse(text).unwrap_err();
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }
}
