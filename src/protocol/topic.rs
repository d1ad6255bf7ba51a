//! Topic names and topic filters: validation and matching (MQTT 5.0, section 4.7).
//!
//! There are two levels of strictness. [`check_name`] and [`check_filter`] check the specification's rules and are used on
//! received packets. [`TopicName`] and [`TopicFilter`] parse user input, and also reject topics for which brokers are known to
//! close the connection: control characters, non-characters, more than 200 levels.

use std::fmt;

/// The maximum of slashes in a topic; mosquitto closes the connection if there are more.
const MAX_SLASHES: usize = 200;

/// The reason why a string is not a topic name or filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the error texts describe the variants
pub enum TopicError {
    #[error("it is empty")]
    Empty,
    #[error("it is longer than 65535 bytes")]
    TooLong,
    #[error("it contains a null character")]
    NullCharacter,
    #[error("it contains the control or non-character U+{0:04X}")]
    ForbiddenCharacter(u32),
    #[error("it has more than 200 slashes, which brokers reject")]
    TooManyLevels,
    #[error("a topic to publish to must not contain the wildcards + or #")]
    Wildcard,
    #[error("# must be the last character and alone between slashes")]
    MisplacedHash,
    #[error("+ must be alone between slashes")]
    MisplacedPlus,
    #[error("a shared subscription is written $share/GROUP/FILTER, with no + or # in GROUP")]
    Share,
}

/// Checks a topic name as PUBLISH carries it [MQTT-3.3.2-2] [MQTT-4.7.3-1].
pub fn check_name(name: &str) -> Result<(), TopicError> {
    check_text(name)?;
    if memchr::memchr2(b'+', b'#', name.as_bytes()).is_some() {
        return Err(TopicError::Wildcard);
    }
    Ok(())
}

/// Checks a topic filter as SUBSCRIBE carries it, a shared one included [MQTT-4.7.1-1] [MQTT-4.8.2-1].
pub fn check_filter(filter: &str) -> Result<(), TopicError> {
    check_text(filter)?;
    let pattern = match split_share(filter)? {
        Some((_, pattern)) => pattern,
        None => filter,
    };
    let mut levels = pattern.split('/').peekable();
    while let Some(level) = levels.next() {
        let is_last = levels.peek().is_none();
        if level.contains('#') && (level != "#" || !is_last) {
            return Err(TopicError::MisplacedHash);
        }
        if level.contains('+') && level != "+" {
            return Err(TopicError::MisplacedPlus);
        }
    }
    Ok(())
}

/// Whether a valid filter, without a `$share` prefix, matches a valid topic name.
///
/// A filter that starts with a wildcard matches no topic that starts with `$` [MQTT-4.7.2-1].
pub fn matches(filter: &str, name: &str) -> bool {
    if name.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = name.split('/');
    for wanted in filter.split('/') {
        if wanted == "#" {
            return true;
        }
        match levels.next() {
            Some(level) if wanted == "+" || wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

fn check_text(text: &str) -> Result<(), TopicError> {
    if text.is_empty() {
        return Err(TopicError::Empty);
    }
    if text.len() > usize::from(u16::MAX) {
        return Err(TopicError::TooLong);
    }
    if memchr::memchr(0, text.as_bytes()).is_some() {
        return Err(TopicError::NullCharacter);
    }
    Ok(())
}

/// The limits of brokers beyond the specification's "must not".
fn check_typed(text: &str) -> Result<(), TopicError> {
    if let Some(character) = text.chars().find(|&character| is_discouraged(character)) {
        return Err(TopicError::ForbiddenCharacter(character.into()));
    }
    if text.bytes().filter(|&byte| byte == b'/').count() > MAX_SLASHES {
        return Err(TopicError::TooManyLevels);
    }
    Ok(())
}

/// Characters that SHOULD NOT be sent (MQTT 5.0, section 1.5.4): control characters and Unicode non-characters.
pub(crate) fn is_discouraged(character: char) -> bool {
    let code = u32::from(character);
    character.is_control() || (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}

/// A topic to publish to, valid by construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicName(Box<str>);

impl TopicName {
    /// Parses a topic from user input.
    ///
    /// # Errors
    /// The defect, as a clause that follows the topic.
    pub fn parse(text: &str) -> Result<TopicName, TopicError> {
        check_name(text)?;
        check_typed(text)?;
        Ok(TopicName(text.into()))
    }

    /// The topic as it is encoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A filter to subscribe with, valid by construction; it may name a group that shares the subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicFilter(Box<str>);

impl TopicFilter {
    /// Parses a filter from user input.
    ///
    /// # Errors
    /// The defect, as a clause that follows the filter.
    pub fn parse(text: &str) -> Result<TopicFilter, TopicError> {
        check_filter(text)?;
        check_typed(text)?;
        Ok(TopicFilter(text.into()))
    }

    /// The filter as it is encoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it matches a valid topic name; the group, if any, does not count.
    pub fn matches(&self, name: &str) -> bool {
        let pattern = match split_share(&self.0) {
            Ok(Some((_, pattern))) => pattern,
            _ => &self.0,
        };
        matches(pattern, name)
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Splits `$share/GROUP/FILTER` into group and filter; also EMQX's older `$queue/FILTER`, with the group `$queue`. `None` for a
/// filter that is not shared.
///
/// # Errors
/// [`TopicError::Share`] if it begins like a shared filter but is not valid.
pub fn split_share(filter: &str) -> Result<Option<(&str, &str)>, TopicError> {
    if let Some(pattern) = filter.strip_prefix("$queue/") {
        return if pattern.is_empty() { Err(TopicError::Share) } else { Ok(Some(("$queue", pattern))) };
    }
    if filter == "$share" {
        return Err(TopicError::Share);
    }
    let Some(rest) = filter.strip_prefix("$share/") else {
        return Ok(None);
    };
    match rest.split_once('/') {
        Some((group, pattern)) if !group.is_empty() && !group.contains(['+', '#']) && !pattern.is_empty() => {
            Ok(Some((group, pattern)))
        }
        _ => Err(TopicError::Share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_the_specification_says() {
        let yes = [
            ("a/b", "a/b"),
            ("#", "a/b"),
            ("#", "/"),
            ("a/#", "a"),
            ("a/#", "a/b/c"),
            ("+", "a"),
            ("+/+", "/a"),
            ("/+", "/a"),
            ("a/+/c", "a/b/c"),
            ("a/+/c", "a//c"),
            ("$SYS/#", "$SYS/broker"),
            ("$SYS/+/x", "$SYS/a/x"),
            ("a/$b", "a/$b"),
            ("a/+", "a/$b"),
            ("a/", "a/"),
        ];
        let no = [
            ("a/b", "a/b/c"),
            ("a/b/c", "a/b"),
            ("a/+", "a"),
            ("a/+", "a/b/c"),
            ("+", "/a"),
            ("#", "$SYS/x"),
            ("+/x", "$SYS/x"),
            ("a", "A"),
            ("a/", "a"),
            ("a", "a/"),
        ];
        for (filter, name) in yes {
            assert!(matches(filter, name), "{filter} should match {name}");
        }
        for (filter, name) in no {
            assert!(!matches(filter, name), "{filter} should not match {name}");
        }
    }

    #[test]
    fn filters_are_checked() {
        for good in ["a", "/", "#", "+", "a/#", "+/b/#", "$share/g/a/#", "$queue/a", "$shared", "a b"] {
            assert_eq!(check_filter(good), Ok(()), "{good}");
        }
        let bad = [
            ("", TopicError::Empty),
            ("a/#/b", TopicError::MisplacedHash),
            ("a#", TopicError::MisplacedHash),
            ("##", TopicError::MisplacedHash),
            ("a+/b", TopicError::MisplacedPlus),
            ("a/++", TopicError::MisplacedPlus),
            ("a\0b", TopicError::NullCharacter),
            ("$share", TopicError::Share),
            ("$share/g", TopicError::Share),
            ("$share//a", TopicError::Share),
            ("$share/g+/a", TopicError::Share),
            ("$share/g/", TopicError::Share),
            ("$queue/", TopicError::Share),
        ];
        for (filter, error) in bad {
            assert_eq!(check_filter(filter), Err(error), "{filter}");
        }
    }

    #[test]
    fn typed_topics_are_stricter_than_received_ones() {
        assert_eq!(check_name("a\u{1}"), Ok(()));
        assert_eq!(TopicName::parse("a\u{1}"), Err(TopicError::ForbiddenCharacter(1)));
        assert_eq!(TopicName::parse("\u{FFFF}"), Err(TopicError::ForbiddenCharacter(0xFFFF)));
        assert_eq!(TopicFilter::parse(&"/".repeat(201)), Err(TopicError::TooManyLevels));
        assert!(TopicFilter::parse(&"/".repeat(200)).is_ok());
        assert_eq!(TopicFilter::parse(&"x".repeat(65_536)), Err(TopicError::TooLong));
        assert!(TopicFilter::parse(&"x".repeat(65_535)).is_ok());
        assert_eq!(TopicName::parse("a/+"), Err(TopicError::Wildcard));
    }
}
