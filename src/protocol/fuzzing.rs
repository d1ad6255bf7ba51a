//! Entry points for fuzzers: the codec, and the rules of topics. Compiled for tests and with `--cfg fuzzing` only.

use super::topic::{check_filter, check_name, matches, split_share};
use super::{Packet, PacketReader, SizeLimits, TopicFilter, TopicName, Version};

/// Decodes packets, and checks that each has an encoding with the same meaning. The first byte selects the version.
pub fn codec(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let version = [Version::V31, Version::V311, Version::V5]
        .into_iter()
        .nth(usize::from(how % 3))
        .unwrap_or(Version::V5);
    let mut reader = PacketReader::new(bytes, SizeLimits::all(1 << 20));
    while let Ok(Some(packet)) = reader.read(version) {
        let mut encoded = Vec::new();
        if packet.encode(version, &mut encoded).is_err() {
            continue;
        }
        let mut again = PacketReader::new(&encoded, SizeLimits::all(1 << 20));
        let second: Option<Packet<'_>> = again.read(version).expect("what is encoded can be decoded");
        assert_eq!(second.as_ref(), Some(&packet));
        assert_eq!(again.consumed(), encoded.len());
    }
}

/// Matches the text before the first line feed, as a filter, with the text after it, as a name, and compares with a simple matcher.
pub fn topics(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (filter, name) = text.split_once('\n').unwrap_or((text, ""));
    if TopicName::parse(name).is_ok() {
        assert_eq!(check_name(name), Ok(()), "typed topics are stricter");
    }
    if check_filter(filter).is_err() {
        assert!(TopicFilter::parse(filter).is_err(), "typed filters are stricter");
        return;
    }
    if check_name(name).is_err() {
        return;
    }
    let pattern = match split_share(filter) {
        Ok(Some((_, pattern))) => pattern,
        _ => filter,
    };
    let levels = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    let is_hidden = name.starts_with('$') && (pattern.starts_with('+') || pattern.starts_with('#'));
    let expected = !is_hidden && matches_simply(&levels(pattern), &levels(name));
    assert_eq!(matches(pattern, name), expected, "{pattern:?} {name:?}");
    if let Ok(parsed) = TopicFilter::parse(filter) {
        assert_eq!(parsed.matches(name), expected, "{filter:?} {name:?}");
    }
}

/// Section 4.7 of the specification, level by level.
fn matches_simply(pattern: &[String], name: &[String]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (Some((first, _)), _) if first == "#" => true,
        (Some((first, pattern)), Some((level, name))) => {
            (first == "+" || first == level) && matches_simply(pattern, name)
        }
        (None, None) => true,
        _ => false,
    }
}
