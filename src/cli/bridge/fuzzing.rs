//! The entry point for fuzzers. Compiled for tests and with `--cfg fuzzing` only.

use super::conf::Conf;
use crate::bridge::rule::{Rule, Way};
use crate::cli::{Error, UsageError};
use crate::protocol::topic::{check_name, matches};
use std::path::Path;

/// A path that a mistake names. It is not read.
const PATH: &str = "/nowhere/bridge.conf";

/// Reads the bridge sections of a mosquitto.conf, and makes their plans. Plans take much longer than the rest, and are made if
/// the first byte is a `p`.
pub fn bridge_files(bytes: &[u8]) {
    let Some((how, text)) = bytes.split_first() else { return };
    // It leads to files of the machine.
    if text.windows(11).any(|part| part == b"include_dir") {
        return;
    }
    let mut conf = Conf::default();
    if let Err(error) = conf.add_text(Path::new(PATH), text) {
        return check_mistake(&error, text);
    }
    for section in &conf.sections {
        assert!(!section.name.is_empty() && section.place.line > 0);
        section.rules.iter().for_each(check_rule);
        if *how == b'p'
            && let Err(error) = section.check_supported().and_then(|()| section.plan(&conf, None))
        {
            check_mistake(&error, text);
        }
    }
}

/// A mistake is in a line of the text.
fn check_mistake(error: &Error, text: &[u8]) {
    assert!(!error.to_string().is_empty());
    let Error::Usage(UsageError::Line { line, column, .. }) = error else { return };
    let index = usize::try_from(line - 1).expect("a small number");
    let line = text.split(|byte| *byte == b'\n').nth(index).expect("the number of a line");
    let width = String::from_utf8_lossy(line).chars().count() as u64;
    assert!(column.is_none_or(|column| (1..=width + 1).contains(&column)), "{error}");
}

/// A rule reads the same again. What it forwards to the other side comes back under the same topic.
fn check_rule(rule: &Rule) {
    let again = Rule::parse(&rule.to_string());
    assert!(again.is_ok() || rule.to_string().contains('"'), "{rule}: {again:?}");
    for way in rule.ways() {
        let topic = way.filter().replace(['+', '#'], "x");
        if check_name(&topic).is_err() || topic.starts_with('$') {
            continue;
        }
        assert!(way.matches(&topic), "{rule}: {topic:?}");
        let Some(target) = way.target(&topic) else { continue };
        assert!(target.starts_with('$') || matches(way.target_filter(), &target), "{rule}: {target:?}");
        let is_back = |back: &Way| back.direction != way.direction;
        let back = rule.ways().iter().find(|back| is_back(back)).and_then(|back| back.target(&target));
        assert!(back.is_none_or(|back| back == topic), "{rule}: {topic:?} {target:?}");
    }
}
