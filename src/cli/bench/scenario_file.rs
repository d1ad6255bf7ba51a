//! `mq bench scenario FILE.toml`: groups of clients, with the options as keys. Errors carry the line and the column.

use super::group::{DEFAULT_DURATION, DEFAULT_SIZE, DEFAULT_WARM_UP, GroupMode, GroupSpec};
use super::load::MAX_CLIENTS;
use super::scenario_keys::{self, Key, OF_ALL, OF_FILE, OF_GROUP, OF_PUBLISHERS, REQUIRED};
use super::value_parsers::{self, Ramping, Stages, Think, Topology};
use super::{MODES, chosen_mode};
use crate::bench::plan::{Group, GroupSession, Hold, RunId, Will};
use crate::bench::rate::Rate;
use crate::bench::rate_profile::Stage;
use crate::bench::schedule::{Arrivals, DutyCycle};
use crate::bench::template::Template;
use crate::bench::thresholds::{AbortConditions, Conditions, Thresholds};
use crate::cli::Error;
use crate::cli::UsageError;
use crate::cli::numbers::is_whole;
use crate::cli::toml_text::place;
use crate::cli::values::{self, Sizes};
use crate::input_file;
use crate::protocol::sn::PublishQos;
use crate::protocol::{PropertiesBuf, Qos};
use crate::suggestion::did_you_mean;
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The numbers of clients that the command line accepts too.
const CLIENTS: Range<u64> = 1..MAX_CLIENTS as u64 + 1;

/// Whether the clients connect to an MQTT-SN gateway.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gateway {
    pub(super) is_sn: bool,
    /// Whether it is that of the embedded broker, if there is one.
    pub(super) is_embedded: bool,
}

/// The groups of a run, the duration of the load unless numbers of messages end it, and its warm-up.
pub(super) struct Groups {
    pub(super) groups: Vec<Group>,
    pub(super) duration: Option<Duration>,
    pub(super) warm_up: Duration,
    /// Whether clients stay connected after their work.
    pub(super) hold: Option<Hold>,
    /// The conditions of the whole run.
    pub(super) of_run: Conditions,
    /// The conditions of single groups.
    pub(super) of_groups: Conditions,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, deserialize_with = "positive_duration")]
    duration: Option<Duration>,
    #[serde(default, deserialize_with = "duration")]
    warm_up: Option<Duration>,
    #[serde(default, deserialize_with = "hold")]
    keep_connected: Option<Hold>,
    #[serde(default, deserialize_with = "conditions")]
    fail_if: Option<Thresholds>,
    #[serde(default, deserialize_with = "conditions")]
    abort_if: Option<AbortConditions>,
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
    #[serde(default, deserialize_with = "publish_qos")]
    qos: Option<PublishQos>,
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
    topic_id: Option<u16>,
    topics: Option<PathBuf>,
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
    #[serde(default, deserialize_with = "stages")]
    stages: Option<Stages>,
    #[serde(default, deserialize_with = "on_off")]
    on_off: Option<DutyCycle>,
    #[serde(default, deserialize_with = "think")]
    think: Option<Think>,
    #[serde(default, deserialize_with = "duration")]
    start: Option<Duration>,
    #[serde(default, deserialize_with = "positive_duration")]
    end: Option<Duration>,
    #[serde(default, deserialize_with = "keep_alive")]
    keep_alive: Option<u16>,
    clean_start: Option<bool>,
    #[serde(default, deserialize_with = "session_expiry")]
    session_expiry: Option<u32>,
    #[serde(default, deserialize_with = "topic_name")]
    will_topic: Option<String>,
    will_payload: Option<String>,
    #[serde(default, deserialize_with = "qos")]
    will_qos: Option<Qos>,
    will_retain: Option<bool>,
    #[serde(default, deserialize_with = "reconnect")]
    reconnect: Option<Duration>,
    #[serde(default, deserialize_with = "conditions")]
    fail_if: Option<Thresholds>,
    #[serde(default, deserialize_with = "conditions")]
    abort_if: Option<AbortConditions>,
}

impl File {
    /// The duration, unless the messages of all groups end the run, and the warm-up. The defaults are those of the command line.
    fn times(&self) -> (Option<Duration>, Duration) {
        let loads =
            || self.groups.iter().map(Spanned::get_ref).filter(|group| group.scenario != GroupMode::Conn);
        let has_load = loads().next().is_some();
        let ends_by_itself = has_load && loads().all(|group| group.messages.is_some());
        let own_times = loads().filter_map(Table::own_time).max();
        let default = || (!ends_by_itself).then_some(own_times.unwrap_or(DEFAULT_DURATION));
        let duration = self.duration.or_else(default);
        let has_volume =
            self.duration.is_some() || own_times.is_some() || loads().any(|group| group.messages.is_some());
        let default = if has_load && !has_volume { DEFAULT_WARM_UP } else { Duration::ZERO };
        (duration, self.warm_up.unwrap_or(default))
    }
}

/// The text of a file.
///
/// # Errors
/// If it cannot be read.
pub(super) fn text(path: &Path) -> Result<String, Error> {
    let text = input_file::read_utf8(path, input_file::LIMIT);
    text.map(|text| text.to_string()).map_err(|source| Error::File { path: path.to_owned(), source })
}

/// The groups of a file with this text. The path is for messages.
pub(super) fn parse(path: &Path, text: &str, run: RunId, gateway: Gateway) -> Result<Groups, Error> {
    let wrong = |start: usize, problem: String| {
        let (line, column) = place(text, start);
        Error::usage(UsageError::Line {
            path: path.to_owned(),
            line: line as u64,
            column: Some(column as u64),
            problem,
        })
    };
    let file: File = toml::from_str(text)
        .map_err(|error| wrong(error.span().map_or(0, |span| span.start), in_our_words(text, &error)))?;
    if file.groups.is_empty() {
        return Err(wrong(0, "no [[group]] in the file".to_owned()));
    }
    let keys = keys_of_groups(text);
    let mut keys = keys.iter();
    let mut names = BTreeSet::new();
    let (duration, warm_up) = file.times();
    let of_run =
        Conditions { fail_if: file.fail_if.unwrap_or_default(), abort_if: file.abort_if.unwrap_or_default() };
    let (mut groups, mut fail_if, mut abort_if) = (Vec::new(), Vec::new(), Vec::new());
    for table in file.groups {
        let start = table.span().start;
        let table = table.into_inner();
        let name = table.name.clone();
        fail_if.extend(table.fail_if.clone().map(|conditions| conditions.for_group(&name)));
        abort_if.extend(table.abort_if.clone().map(|conditions| conditions.for_group(&name)));
        let keys = keys.next().map(Vec::as_slice).unwrap_or_default();
        let refused = |problem: Problem| {
            let key = keys.iter().find(|key| problem.key.as_ref() == Some(&key.name));
            wrong(key.map_or(start, |key| key.start), format!("group {name:?}: {}", problem.text))
        };
        check_keys(table.scenario, keys).map_err(refused)?;
        if !names.insert(name.clone()) {
            return Err(refused(Problem::of("name", "another group has this name")));
        }
        let conflict = conflict(keys).map_or(Ok(()), Err);
        let group = conflict.and_then(|()| table.group(run, (duration, warm_up), gateway));
        groups.push(group.map_err(refused)?);
    }
    let of_groups =
        Conditions { fail_if: fail_if.into_iter().collect(), abort_if: abort_if.into_iter().collect() };
    Ok(Groups { groups, duration, warm_up, hold: file.keep_connected, of_run, of_groups })
}

/// Checks that the keys apply to the mode of their group: they are the options of the mode on the command line.
fn check_keys(mode: GroupMode, keys: &[KeyOfGroup]) -> Result<(), Problem> {
    let options = keys.iter().map(|key| key.name.as_str()).filter(|key| !REQUIRED.contains(key));
    let Some(key) = options.into_iter().find(|key| !applies(key, mode)) else { return Ok(()) };
    let modes = modes_with(key).join(", ");
    Err(Problem::of(key, format!("{key} cannot be used with {}, only with {modes}", mode.name())))
}

/// The modes of groups that have a key.
fn modes_with(key: &str) -> Vec<&'static str> {
    let modes = OF_GROUPS.into_iter().filter(|mode| REQUIRED.contains(&key) || applies(key, *mode));
    modes.map(GroupMode::name).collect()
}

fn applies(key: &str, mode: GroupMode) -> bool {
    if OF_ALL.contains(&key) {
        return true;
    }
    if OF_PUBLISHERS.contains(&key) {
        return applies("rate", mode);
    }
    let mode = MODES.iter().find(|known| known.name == mode.name());
    mode.is_some_and(|mode| chosen_mode::options_of(mode).get_arguments().any(|arg| arg.get_id() == key))
}

/// All keys as two tables in Markdown: of the file, and of its groups.
pub(super) fn keys() -> String {
    let row = |key: &Key, groups: &str| {
        let Key { name, value, meaning, default, example } = key;
        format!("| `{name}` | {value} | {meaning} | {groups}{default} | `{name} = {example}` |\n")
    };
    let of_file: String = OF_FILE.iter().map(|key| row(key, "")).collect();
    let of_group = OF_GROUP.iter().map(|key| {
        let modes = modes_with(key.name);
        let groups = if modes.len() == OF_GROUPS.len() { "all".to_owned() } else { modes.join(", ") };
        row(key, &format!("{groups} | "))
    });
    let of_group: String = of_group.collect();
    format!(
        "| key of the file | type | meaning | default | example |\n|---|---|---|---|---|\n{of_file}\n\
         | key of a `[[group]]` | type | meaning | groups | default | example |\n|---|---|---|---|---|---|\n{of_group}"
    )
}

/// A mistake in a group, and the key that it concerns.
struct Problem {
    key: Option<String>,
    text: String,
}

impl Problem {
    fn of(key: &str, text: impl Into<String>) -> Problem {
        Problem { key: Some(key.to_owned()), text: text.into() }
    }

    /// Messages about a value of a group begin with its key, except those about its file.
    fn in_group(spec: &GroupSpec, error: &Error) -> Problem {
        let text = error.to_string();
        let is_of_recording = spec.payload_recording.as_ref().is_some_and(|recording| match error {
            Error::File { path, .. } | Error::Usage(UsageError::Line { path, .. }) => path == recording,
            _ => text.starts_with(&*recording.to_string_lossy()),
        });
        let key = match error {
            _ if is_of_recording => "payload_recording",
            Error::File { .. } => "payload_file",
            _ => text.split([' ', ':']).next().unwrap_or_default(),
        };
        Problem { key: Some(key.to_owned()), text }
    }
}

/// A key of a group, and its place in the text.
struct KeyOfGroup {
    name: String,
    start: usize,
}

/// The keys of each group, as the user wrote them.
fn keys_of_groups(text: &str) -> Vec<Vec<KeyOfGroup>> {
    let Ok(file) = DeTable::parse(text) else { return Vec::new() };
    let groups = file.get_ref().get("group").map(Spanned::get_ref).and_then(DeValue::as_array);
    let keys = |table: &DeTable<'_>| {
        let keys =
            table.keys().map(|key| KeyOfGroup { name: key.get_ref().to_string(), start: key.span().start });
        keys.collect()
    };
    let groups = groups.into_iter().flatten();
    groups.map(|group| group.get_ref().as_table().map(keys).unwrap_or_default()).collect()
}

/// Keys of which a group may have only one, as on the command line.
const ALTERNATIVES: [&[&str]; 13] = [
    &["size", "payload_file", "payload_recording", "payload_template"],
    &["topology", "topic"],
    &["recorded_topics", "topic"],
    &["recorded_topics", "topics"],
    &["topic", "topics"],
    &["stages", "rate"],
    &["stages", "ramp"],
    &["stages", "messages"],
    &["stages", "on_off"],
    &["ramp", "on_off"],
    &["think", "rate"],
    &["think", "ramp"],
    &["think", "stages"],
];

/// The second of two keys that exclude each other.
fn conflict(keys: &[KeyOfGroup]) -> Option<Problem> {
    ALTERNATIVES.iter().find_map(|names| {
        let mut found: Vec<_> = keys.iter().filter(|key| names.contains(&key.name.as_str())).collect();
        found.sort_by_key(|key| key.start);
        match found.as_slice() {
            [first, second, ..] => {
                let text = format!("{} and {} exclude each other", first.name, second.name);
                Some(Problem::of(&second.name, text))
            }
            _ => None,
        }
    })
}

impl Table {
    /// The time that the group needs by its stages or its end.
    fn own_time(&self) -> Option<Duration> {
        let stages = self.stages.as_ref().map(Stages::time);
        let of_stages = stages.map(|time| self.start.unwrap_or_default().saturating_add(time));
        of_stages.max(self.end)
    }

    fn group(
        self,
        run: RunId,
        (duration, warm_up): (Option<Duration>, Duration),
        gateway: Gateway,
    ) -> Result<Group, Problem> {
        self.check()?;
        let session = self.session()?;
        let spec = GroupSpec {
            name: self.name,
            mode: self.scenario,
            clients: self.clients,
            publishers: self.publishers,
            subscribers: self.subscribers,
            topology: self.topology,
            qos: Qos::AtLeastOnce,
            is_unconnected: false,
            topic_id: self.topic_id,
            is_sn: gateway.is_sn,
            subscription_qos: self.subscription_qos,
            size: self.size.unwrap_or(DEFAULT_SIZE),
            payload_file: self.payload_file,
            payload_recording: self.payload_recording,
            recorded_topics: self.recorded_topics,
            payload_template: self.payload_template,
            topic: self.topic,
            topics: self.topics,
            retain: self.retain,
            share: self.share,
            messages: self.messages,
            in_flight: self.in_flight,
            rate: self.rate,
            arrivals: self.arrivals.unwrap_or(Arrivals::Constant),
            burst: self.burst.unwrap_or(1),
            ramp: self.ramp,
            stages: self.stages,
            on_off: self.on_off,
            think: self.think,
            start: self.start,
            end: self.end,
            duration,
            warm_up: Some(warm_up),
            session,
        };
        let spec = match self.qos {
            Some(qos) => spec.with_qos(qos),
            None => spec,
        };
        spec.check_sn(gateway.is_embedded).map_err(|error| Problem::in_group(&spec, &error))?;
        let group = spec.group(run, duration).map_err(|error| Problem::in_group(&spec, &error))?;
        Ok(Group { is_watched: self.abort_if.is_some_and(|conditions| !conditions.is_empty()), ..group })
    }

    /// The connection and session settings.
    fn session(&self) -> Result<GroupSession, Problem> {
        Ok(GroupSession {
            keep_alive: self.keep_alive,
            clean_start: self.clean_start,
            session_expiry: self.session_expiry,
            will: self.will()?.map(Arc::new),
            reconnect_delay: self.reconnect,
        })
    }

    fn will(&self) -> Result<Option<Will>, Problem> {
        let Some(topic) = &self.will_topic else {
            let others = [
                ("will_payload", self.will_payload.is_some()),
                ("will_qos", self.will_qos.is_some()),
                ("will_retain", self.will_retain.is_some()),
            ];
            return match others.into_iter().find(|(_, is_set)| *is_set) {
                Some((key, _)) => Err(Problem::of(key, format!("{key} needs a will_topic"))),
                None => Ok(None),
            };
        };
        let topic = Template::of_client(topic);
        Ok(Some(Will {
            topic: topic.map_err(|error| Problem::of("will_topic", format!("will_topic: {error}")))?,
            payload: self.will_payload.clone().unwrap_or_default().into_bytes(),
            qos: self.will_qos.unwrap_or(Qos::AtMostOnce),
            retain: self.will_retain.unwrap_or(false),
            properties: PropertiesBuf::new(),
        }))
    }

    fn check(&self) -> Result<(), Problem> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || !self.name.chars().all(is_plain) {
            return Err(Problem::of("name", "a name may contain only letters, digits, -, _ and ."));
        }
        if self.recorded_topics && self.payload_recording.is_none() {
            return Err(Problem::of("recorded_topics", "recorded_topics needs a payload_recording"));
        }
        if self.on_off.is_some() && self.rate.is_none() {
            return Err(Problem::of("on_off", "on_off needs a rate"));
        }
        let judged = self.fail_if.as_ref().map_or(Ok(()), Thresholds::check_by_group);
        judged.map_err(|problem| Problem::of("fail_if", format!("fail_if: {problem}")))?;
        let watched = self.abort_if.as_ref().map_or(Ok(()), AbortConditions::check_by_group);
        watched.map_err(|problem| Problem::of("abort_if", format!("abort_if: {problem}")))?;
        let has_pace = self.rate.is_some() || self.ramp.is_some() || self.stages.is_some();
        for (key, is_set) in [("arrivals", self.arrivals.is_some()), ("burst", self.burst.is_some())] {
            if is_set && !has_pace {
                return Err(Problem::of(key, format!("{key} needs a rate, a ramp or stages")));
            }
        }
        for (key, value) in [
            ("clients", self.clients.map(u64::from)),
            ("publishers", self.publishers.map(u64::from)),
            ("subscribers", self.subscribers.map(u64::from)),
            ("burst", self.burst.map(u64::from)),
            ("in_flight", self.in_flight.map(u64::from)),
            ("messages", self.messages),
            ("topic_id", self.topic_id.map(u64::from)),
        ] {
            if let Some((value, range)) = value.zip(range_of(key))
                && !range.contains(&value)
            {
                let expected = numbers_in(&range);
                return Err(Problem::of(key, format!("invalid value {value} for {key}: {expected}")));
            }
        }
        Ok(())
    }
}

/// The values of a key for numbers.
fn range_of(key: &str) -> Option<Range<u64>> {
    match key {
        "clients" | "publishers" | "burst" => Some(CLIENTS),
        "subscribers" => Some(0..CLIENTS.end),
        "in_flight" => Some(1..u64::from(u16::MAX) + 1),
        "messages" => Some(1..(1 << 47) + 1),
        "topic_id" => Some(1..u64::from(u16::MAX)),
        _ => None,
    }
}

fn numbers_in(range: &Range<u64>) -> String {
    values::expected(format!("a number from {} to {}", range.start, range.end - 1))
}

/// Serde's message, with the nearest known key, or the key of an invalid value.
fn in_our_words(text: &str, error: &toml::de::Error) -> String {
    let message = error.message();
    let mut words = message.split('`').skip(1).step_by(2);
    let kind = match message {
        _ if message.starts_with("unknown field") => "key",
        _ if message.starts_with("unknown variant") => "value",
        _ if message.starts_with("missing field") => {
            return format!("missing key {}", words.next().unwrap_or_default());
        }
        _ if message.ends_with("expected a sequence") || message.ends_with("expected struct Table") => {
            let of_group = || "invalid group: begin each group with a line [[group]]".to_owned();
            return invalid_value(text, error).unwrap_or_else(of_group);
        }
        _ => return invalid_value(text, error).unwrap_or_else(|| message.to_owned()),
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

/// The longest value that an error quotes, in bytes.
const LONGEST_QUOTE: usize = 60;

/// Names the key of the value that an error points at; `None` if there is no such key.
fn invalid_value(text: &str, error: &toml::de::Error) -> Option<String> {
    let span = error.span()?;
    let key = scenario_keys::find(&key_of_value(text, span.start)?)?;
    let value = text.get(span).filter(|value| value.len() <= LONGEST_QUOTE).unwrap_or_default();
    let value = if value.is_empty() { String::new() } else { format!(" {value}") };
    let message = error.message();
    let of_serde = ["invalid type", "invalid value", "data did not match"];
    let problem = if message.starts_with("expected") {
        message.to_owned()
    } else if of_serde.iter().any(|start| message.starts_with(start)) {
        let range = range_of(key.name).filter(|_| is_whole(value.trim()));
        range.map_or_else(
            || values::expected(format!("a value such as {}", key.example)),
            |range| numbers_in(&range),
        )
    } else {
        // A text that begins with its value has its own quote.
        let quoted = value.trim().trim_matches(['"', '\'']);
        if !quoted.is_empty() && message.starts_with(quoted) {
            return Some(format!("{}: {message}", key.name));
        }
        message.to_owned()
    };
    Some(format!("invalid value{value} for {}: {problem}", key.name))
}

/// The key whose value is at a place in a valid TOML text.
fn key_of_value(text: &str, offset: usize) -> Option<String> {
    let file = DeTable::parse(text).ok()?;
    let groups = file.get_ref().get("group").and_then(|groups| groups.get_ref().as_array());
    let groups = groups.into_iter().flatten().filter_map(|group| group.get_ref().as_table());
    let mut entries = std::iter::once(file.get_ref()).chain(groups).flatten();
    let (key, _) = entries.find(|(key, value)| key.get_ref() != "group" && value.span().contains(&offset))?;
    Some(key.get_ref().to_string())
}

const OF_GROUPS: [GroupMode; 5] =
    [GroupMode::Pubsub, GroupMode::Conn, GroupMode::Pub, GroupMode::Sub, GroupMode::Rr];

fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GroupMode, D::Error> {
    const KNOWN: &[&str] = &["pubsub", "conn", "pub", "sub", "rr"];
    let name = String::deserialize(deserializer)?;
    let is_of_runs = MODES.iter().any(|mode| mode.name == name);
    match OF_GROUPS.into_iter().find(|mode| mode.name() == name) {
        Some(mode) => Ok(mode),
        None if is_of_runs => Err(de::Error::custom(format!(
            "expected {}; {name} cannot be a part of a scenario",
            values::one_of(KNOWN)
        ))),
        None => Err(de::Error::unknown_variant(&name, KNOWN)),
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = Scalar::deserialize(deserializer)?.into_text();
    values::duration(&text).map(Some).map_err(de::Error::custom)
}

fn positive_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = Scalar::deserialize(deserializer)?.into_text();
    values::positive_duration(&text).map(Some).map_err(de::Error::custom)
}

fn qos<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Qos>, D::Error> {
    let number = u8::deserialize(deserializer)?;
    Qos::from_u8(number).map(Some).ok_or_else(|| de::Error::custom(values::expected("0, 1 or 2")))
}

fn publish_qos<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PublishQos>, D::Error> {
    match i64::deserialize(deserializer)? {
        -1 => Ok(Some(PublishQos::MinusOne)),
        number => {
            let qos = u8::try_from(number).ok().and_then(Qos::from_u8);
            let expected = || de::Error::custom(values::expected("0, 1, 2 or -1"));
            qos.map(|qos| Some(PublishQos::Connected(qos))).ok_or_else(expected)
        }
    }
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

/// A list, so that a mistake has the place of its stage.
fn stages<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Stages>, D::Error> {
    #[derive(Deserialize)]
    struct Element(#[serde(deserialize_with = "stage")] Stage);
    let list = Vec::<Element>::deserialize(deserializer)?;
    Stages::new(list.into_iter().map(|Element(stage)| stage).collect()).map(Some).map_err(de::Error::custom)
}

fn stage<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Stage, D::Error> {
    let text = String::deserialize(deserializer)?;
    value_parsers::stage(&text).map_err(de::Error::custom)
}

fn think<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Think>, D::Error> {
    let text = Scalar::deserialize(deserializer)?.into_text();
    value_parsers::think(&text).map(Some).map_err(de::Error::custom)
}

fn on_off<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DutyCycle>, D::Error> {
    let text = String::deserialize(deserializer)?;
    value_parsers::on_off(&text).map(Some).map_err(de::Error::custom)
}

/// A duration, or `forever`.
fn hold<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Hold>, D::Error> {
    let text = Scalar::deserialize(deserializer)?.into_text();
    let error = |_| values::expected("a duration such as \"5m\", or \"forever\"");
    value_parsers::hold(&text).map(Some).map_err(error).map_err(de::Error::custom)
}

fn keep_alive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let text = Scalar::deserialize(deserializer)?.into_text();
    values::keep_alive(&text).map(Some).map_err(de::Error::custom)
}

fn session_expiry<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let text = Scalar::deserialize(deserializer)?.into_text();
    values::session_expiry(&text).map(Some).map_err(de::Error::custom)
}

fn topic_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    values::topic_name(&text).map(|_| Some(text)).map_err(de::Error::custom)
}

/// A delay, or `never`.
fn reconnect<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = Scalar::deserialize(deserializer)?.into_text();
    match text.as_str() {
        "never" => Ok(None),
        text => values::positive_duration(text)
            .map(Some)
            .map_err(|_| de::Error::custom(values::expected("\"never\" or a delay such as \"500ms\" or 5"))),
    }
}

/// One text of conditions, or a list of them, so that a mistake has the place of its text.
fn conditions<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = String> + FromIterator<T>,
{
    deserializer.deserialize_any(TextOrList(PhantomData)).map(Some)
}

struct TextOrList<T>(PhantomData<T>);

impl<'de, T: FromStr<Err = String> + FromIterator<T>> de::Visitor<'de> for TextOrList<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text or a list of texts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        // An error of a newtype has the place of its element.
        #[derive(Deserialize)]
        #[serde(bound = "T: FromStr<Err = String>")]
        struct Element<T>(#[serde(deserialize_with = "from_text")] T);
        let elements = std::iter::from_fn(|| list.next_element::<Element<T>>().transpose());
        elements.map(|element| element.map(|Element(conditions)| conditions)).collect()
    }
}

fn from_text<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
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

    /// The keys that the parser knows, in an unknown-key error.
    fn known_by<T: de::DeserializeOwned>() -> Vec<String> {
        let unknown = toml::from_str::<T>("no-such-key = 1").err().unwrap();
        unknown.message().split('`').skip(3).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_table_has_the_keys_of_the_parser() {
        let names = |keys: &[Key]| keys.iter().map(|key| key.name.to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&OF_GROUP), known_by::<Table>());
        assert_eq!(names(&OF_FILE), known_by::<File>()[..OF_FILE.len()]);
    }

    #[test]
    fn every_key_is_an_option_of_a_mode_and_its_example_is_valid() {
        for key in &OF_GROUP {
            assert!(!modes_with(key.name).is_empty(), "{}", key.name);
            let others = REQUIRED.into_iter().filter(|name| *name != key.name);
            let others: String = others.map(|name| format!("{name} = \"pub\"\n")).collect();
            let table = toml::from_str::<Table>(&format!("{others}{} = {}", key.name, key.example));
            assert!(table.is_ok(), "{}: {:?}", key.name, table.err());
        }
        for key in &OF_FILE {
            assert!(
                toml::from_str::<File>(&format!("{} = {}", key.name, key.example)).is_ok(),
                "{}",
                key.name
            );
        }
    }
}
