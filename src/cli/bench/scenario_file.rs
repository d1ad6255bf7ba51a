//! `mq bench scenario FILE.toml`: groups of clients, with the options as keys. Errors carry the line and the column.

use super::group::{DEFAULT_DURATION, DEFAULT_SIZE, DEFAULT_WARM_UP, GroupMode, GroupSpec};
use super::value_parsers::{self, Ramping, Topology};
use super::{MODES, chosen_mode};
use crate::bench::plan::{Group, RunId};
use crate::bench::schedule::{Arrivals, Rate};
use crate::cli::Error;
use crate::cli::toml_text::place;
use crate::cli::values::{self, Sizes};
use crate::input_file;
use crate::protocol::Qos;
use crate::suggestion::did_you_mean;
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Spanned;

/// The groups of a run, the duration of the load unless numbers of messages end it, and its warm-up.
pub(super) struct Groups {
    pub(super) groups: Vec<Group>,
    pub(super) duration: Option<Duration>,
    pub(super) warm_up: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, deserialize_with = "duration")]
    duration: Option<Duration>,
    #[serde(default, deserialize_with = "duration")]
    warm_up: Option<Duration>,
    #[serde(rename = "group", default)]
    groups: Vec<Spanned<Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    #[serde(deserialize_with = "mode")]
    scenario: GroupMode,
    clients: Option<u32>,
    publishers: Option<u32>,
    subscribers: Option<u32>,
    topology: Option<Topology>,
    #[serde(default, deserialize_with = "qos")]
    qos: Option<Qos>,
    #[serde(default, deserialize_with = "qos")]
    subscription_qos: Option<Qos>,
    #[serde(default, deserialize_with = "sizes")]
    size: Option<Sizes>,
    payload_file: Option<PathBuf>,
    payload_recording: Option<PathBuf>,
    #[serde(default)]
    recorded_topics: bool,
    payload_template: Option<String>,
    topic: Option<String>,
    #[serde(default)]
    retain: bool,
    share: Option<String>,
    messages: Option<u64>,
    in_flight: Option<u16>,
    #[serde(default, deserialize_with = "rate")]
    rate: Option<Rate>,
    #[serde(default, deserialize_with = "arrivals")]
    arrivals: Option<Arrivals>,
    burst: Option<u32>,
    #[serde(default, deserialize_with = "ramp")]
    ramp: Option<Ramping>,
}

impl File {
    /// The duration, unless the messages of all groups end the run, and the warm-up. The defaults are those of the command line.
    fn times(&self) -> (Option<Duration>, Duration) {
        let loads =
            || self.groups.iter().map(Spanned::get_ref).filter(|group| group.scenario != GroupMode::Conn);
        let has_load = loads().next().is_some();
        let ends_by_itself = has_load && loads().all(|group| group.messages.is_some());
        let duration = self.duration.or_else(|| (!ends_by_itself).then_some(DEFAULT_DURATION));
        let has_volume = self.duration.is_some() || loads().any(|group| group.messages.is_some());
        let default = if has_load && !has_volume { DEFAULT_WARM_UP } else { Duration::ZERO };
        (duration, self.warm_up.unwrap_or(default))
    }
}

/// Reads a scenario.
pub(super) fn read(path: &Path, run: RunId) -> Result<Groups, Error> {
    let text = input_file::read_utf8(path, input_file::LIMIT)
        .map_err(|source| Error::File { path: path.to_owned(), source })?;
    let wrong = |start: usize, problem: String| {
        let (line, column) = place(&text, start);
        Error::Usage(format!("{}, line {line}, column {column}: {problem}", path.display()))
    };
    let file: File = toml::from_str(&text)
        .map_err(|error| wrong(error.span().map_or(0, |span| span.start), in_our_words(error.message())))?;
    if file.groups.is_empty() {
        return Err(wrong(0, "no [[group]] in the file".to_owned()));
    }
    let keys = keys_of_groups(&text);
    let mut keys = keys.iter();
    let mut names = BTreeSet::new();
    let (duration, warm_up) = file.times();
    let mut groups = Vec::new();
    for table in file.groups {
        let start = table.span().start;
        let table = table.into_inner();
        let name = table.name.clone();
        let keys = keys.next().map(Vec::as_slice).unwrap_or_default();
        check_keys(table.scenario, keys)
            .map_err(|problem| wrong(start, format!("group {name:?}: {problem}")))?;
        if !names.insert(name.clone()) {
            return Err(wrong(start, format!("duplicate group {name:?}")));
        }
        let group = table.group(run, (duration, warm_up));
        groups.push(group.map_err(|problem| wrong(start, format!("group {name:?}: {problem}")))?);
    }
    Ok(Groups { groups, duration, warm_up })
}

/// Checks that the keys apply to the mode of their group: they are the options of the mode on the command line.
fn check_keys(mode: GroupMode, keys: &[String]) -> Result<(), String> {
    let options = keys.iter().filter(|key| !["name", "scenario"].contains(&key.as_str()));
    let Some(key) = options.into_iter().find(|key| !applies(key, mode)) else { return Ok(()) };
    let modes: Vec<&str> =
        OF_GROUPS.into_iter().filter(|mode| applies(key, *mode)).map(GroupMode::name).collect();
    Err(format!("{key} does not go with {}, only with {}", mode.name(), modes.join(", ")))
}

fn applies(key: &str, mode: GroupMode) -> bool {
    let mode = MODES.iter().find(|known| known.name == mode.name());
    mode.is_some_and(|mode| chosen_mode::options_of(mode).get_arguments().any(|arg| arg.get_id() == key))
}

/// The keys of each group, as the user wrote them.
fn keys_of_groups(text: &str) -> Vec<Vec<String>> {
    let file: toml::Table = toml::from_str(text).unwrap_or_default();
    let groups = file.get("group").and_then(toml::Value::as_array).into_iter().flatten();
    groups
        .map(|group| group.as_table().into_iter().flat_map(|table| table.keys().cloned()).collect())
        .collect()
}

impl Table {
    fn group(self, run: RunId, (duration, warm_up): (Option<Duration>, Duration)) -> Result<Group, String> {
        self.check()?;
        let spec = GroupSpec {
            name: self.name,
            mode: self.scenario,
            clients: self.clients,
            publishers: self.publishers,
            subscribers: self.subscribers,
            topology: self.topology,
            qos: self.qos.unwrap_or(Qos::AtLeastOnce),
            subscription_qos: self.subscription_qos,
            size: self.size.unwrap_or(DEFAULT_SIZE),
            payload_file: self.payload_file,
            payload_recording: self.payload_recording,
            recorded_topics: self.recorded_topics,
            payload_template: self.payload_template,
            topic: self.topic,
            retain: self.retain,
            share: self.share,
            messages: self.messages,
            in_flight: self.in_flight,
            rate: self.rate,
            arrivals: self.arrivals.unwrap_or(Arrivals::Constant),
            burst: self.burst.unwrap_or(1),
            ramp: self.ramp,
            duration,
            warm_up: Some(warm_up),
        };
        spec.group(run, duration).map_err(|error| error.to_string())
    }

    fn check(&self) -> Result<(), String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || !self.name.chars().all(is_plain) {
            return Err("a name may contain only letters, digits, -, _ and .".to_owned());
        }
        if self.recorded_topics && self.payload_recording.is_none() {
            return Err("recorded_topics needs a payload_recording".to_owned());
        }
        if [self.clients, self.publishers].contains(&Some(0)) || [self.burst].contains(&Some(0)) {
            return Err("clients, publishers and burst must be at least 1".to_owned());
        }
        if self.in_flight == Some(0) || self.messages == Some(0) {
            return Err("in_flight and messages must be at least 1".to_owned());
        }
        Ok(())
    }
}

/// Serde's message about an unknown key or value, with the nearest known one.
fn in_our_words(message: &str) -> String {
    let mut words = message.split('`').skip(1).step_by(2);
    let kind = match message {
        _ if message.starts_with("unknown field") => "key",
        _ if message.starts_with("unknown variant") => "value",
        _ => return message.to_owned(),
    };
    let Some(unknown) = words.next() else {
        return message.to_owned();
    };
    let known: Vec<&str> = words.collect();
    match did_you_mean(unknown, known.iter().copied()) {
        tip if tip.is_empty() => format!("unknown {kind} {unknown:?}: expected {}", values::one_of(&known)),
        tip => format!("unknown {kind} {unknown:?}{tip}"),
    }
}

/// The modes of groups.
const OF_GROUPS: [GroupMode; 5] =
    [GroupMode::Pubsub, GroupMode::Conn, GroupMode::Pub, GroupMode::Sub, GroupMode::Rr];

fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GroupMode, D::Error> {
    const KNOWN: &[&str] = &["pubsub", "conn", "pub", "sub", "rr"];
    let name = String::deserialize(deserializer)?;
    let is_of_runs = MODES.iter().any(|mode| mode.name == name);
    match OF_GROUPS.into_iter().find(|mode| mode.name() == name) {
        Some(mode) => Ok(mode),
        None if is_of_runs => Err(de::Error::custom(format!(
            "a group cannot have the scenario {name}; use one of {}",
            KNOWN.join(", ")
        ))),
        None => Err(de::Error::unknown_variant(&name, KNOWN)),
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = Scalar::deserialize(deserializer)?.into_text();
    values::duration(&text).map(Some).map_err(de::Error::custom)
}

fn qos<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Qos>, D::Error> {
    let number = u8::deserialize(deserializer)?;
    Qos::from_u8(number).map(Some).ok_or_else(|| de::Error::custom(values::expected("0, 1 or 2")))
}

fn sizes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Sizes>, D::Error> {
    let text = Scalar::deserialize(deserializer)?.into_text();
    values::sizes(&text).map(Some).map_err(de::Error::custom)
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Rate>, D::Error> {
    let text = Scalar::deserialize(deserializer)?.into_text();
    value_parsers::rate(&text).map(Some).map_err(de::Error::custom)
}

fn ramp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Ramping>, D::Error> {
    let text = Scalar::deserialize(deserializer)?.into_text();
    value_parsers::ramp(&text).map(Some).map_err(de::Error::custom)
}

fn arrivals<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Arrivals>, D::Error> {
    let text = String::deserialize(deserializer)?;
    value_parsers::arrivals(&text).map(Some).map_err(de::Error::custom)
}

/// A number, or the text that would follow an option.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Integer(i64),
    Decimal(f64),
    Text(String),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Scalar::Integer(number) => number.to_string(),
            Scalar::Decimal(number) => number.to_string(),
            Scalar::Text(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_an_option_of_a_mode() {
        let unknown = toml::from_str::<Table>("no-such-key = 1").err().unwrap();
        let known = unknown.message().split('`').skip(3).step_by(2);
        let keys: Vec<&str> = known.filter(|key| !["name", "scenario"].contains(key)).collect();
        assert!(keys.len() > 15, "{keys:?}");
        for key in keys {
            assert!(OF_GROUPS.into_iter().any(|mode| applies(key, mode)), "{key}");
        }
    }
}
