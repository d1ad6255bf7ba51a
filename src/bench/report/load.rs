//! The settings of a load besides its numbers: a value for each key that is not at its default. Two runs with different values are
//! different loads.
//!
//! Plans are destructured field by field, so that a new field does not compile until its place here is decided.

use super::format::rate;
use crate::bench::payload::Payload;
use crate::bench::plan::{Broker, Group, GroupSession, Hold, PacketProperties, Plan, Scenario, Will};
use crate::bench::rate_profile::{Bounds, Pace, Stage};
use crate::bench::schedule::{Arrivals, DutyCycle, OpenLoop};
use crate::bench::think_time::ThinkTime;
use crate::bench::topic_list::TopicList;
use crate::protocol::{PropertiesBuf, Version};
use crate::transport::{Address, Endpoint};
use crate::words::counted;
use std::collections::BTreeMap;
use std::time::Duration;

/// The keys and their values, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Load(pub BTreeMap<String, String>);

/// The key of the number of brokers, if there are several.
const BROKERS: &str = "brokers";

/// The key of messages with QoS -1.
const WITHOUT_CONNECTION: &str = "without a connection";

/// The start of the text of a payload template.
const TEMPLATE: &str = "template ";

/// The default topics of a run are below this.
const OWN_TOPICS: &str = "mq-bench/{run}/";

/// The default retries of the clients of an MQTT-SN gateway.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);
const RETRY_COUNT: u32 = 3;

/// The default keep alive, in seconds.
const USUAL_KEEP_ALIVE: u16 = 60;

/// The settings of connections and sessions that a group has of its own.
fn of_session(session: &GroupSession) -> Vec<(&'static str, Option<String>)> {
    let GroupSession { keep_alive, clean_start, session_expiry, will, reconnect_delay } = session;
    let expiry = |seconds: u32| if seconds == u32::MAX { "never".to_owned() } else { format!("{seconds} s") };
    vec![
        ("keep alive", keep_alive.map(|seconds| format!("{seconds} s"))),
        ("clean start", clean_start.map(|is_clean| if is_clean { "yes" } else { "no" }.to_owned())),
        ("session expiry", session_expiry.map(expiry)),
        ("will", will.as_deref().map(of_will)),
        ("reconnect", reconnect_delay.map(|delay| format!("after {} s", delay.as_secs_f64()))),
    ]
}

fn of_will(will: &Will) -> String {
    format!("{} at QoS {}", counted(will.payload.len(), "byte"), will.qos)
}

impl Load {
    fn of(rows: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Load {
        let rows = rows.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Load(rows.collect())
    }

    /// The settings of a run that are not those of a group.
    pub(super) fn of_plan(plan: &Plan) -> Load {
        let Plan {
            scenario: _,
            broker,
            run: _,
            seed: _,
            groups: _,
            volume: _,
            warm_up: _,
            connect_rate: _,
            threads: _,
            processes: _,
            start_at: _,
            timeout: _,
            hold,
        } = plan;
        let Broker {
            endpoint,
            more_endpoints,
            bind: _,
            version: _,
            keep_alive,
            identities,
            authentication,
            will,
            clean_start,
            keeps_sessions,
            properties,
            front_processes,
            forwarders,
            watch: _,
        } = broker;
        let has_names =
            identities.username.is_some() || identities.rows.iter().any(|row| row.username.is_some());
        let yes = |is_so: bool| is_so.then(|| "yes".to_owned());
        Load::of([
            (BROKERS, (!more_endpoints.is_empty()).then(|| broker.count().to_string())),
            ("transport", transport(endpoint)),
            ("forwarders", forwarders.map(|count| count.to_string())),
            ("retries", retries(endpoint)),
            ("keep alive", (*keep_alive != USUAL_KEEP_ALIVE).then(|| format!("{keep_alive} s"))),
            ("user names", yes(has_names)),
            (
                "authentication",
                authentication.as_ref().map(|authentication| authentication.method.name().to_owned()),
            ),
            ("will", will.as_ref().map(of_will)),
            ("sessions kept", yes(*keeps_sessions || !clean_start)),
            ("properties", of_properties(properties)),
            ("connections kept", hold.map(of_hold)),
            ("embedded broker", of_front_processes(*front_processes)),
        ])
    }

    /// The settings of a group.
    pub(super) fn of_group(plan: &Plan, group: &Group) -> Load {
        let Group {
            name: _,
            is_answered: _,
            publishers,
            subscribers: _,
            idle: _,
            qos: _,
            subscription_qos: _,
            granted_qos: _,
            is_unconnected,
            topic_id,
            payload,
            retain,
            topics,
            topic_list,
            share: _,
            filter: _,
            messages: _,
            in_flight,
            open_loop,
            think,
            bounds,
            offsets: _,
            first_publisher: _,
            first_subscriber: _,
            first_client: _,
            session,
            is_watched: _,
        } = group;
        let mut rows = of_session(session);
        rows.extend(of_bounds(bounds));
        if *publishers == 0 {
            return Load::of(rows);
        }
        let topic = topics.text();
        let is_usual_rate = plan.scenario == Scenario::Reconnect;
        rows.extend([
            ("topic", (!topic.starts_with(OWN_TOPICS) && topic_id.is_none()).then(|| topic.to_owned())),
            ("topic id", topic_id.map(|id| id.to_string())),
            (WITHOUT_CONNECTION, is_unconnected.then(|| "yes".to_owned())),
            ("recipients", topic.starts_with(OWN_TOPICS).then(|| recipients(topic)).flatten()),
            ("topics", topic_list.as_ref().map(of_topic_list)),
            ("payload", of_payload(payload)),
            ("think time", think.map(of_think_time)),
            ("retain", retain.then(|| "yes".to_owned())),
        ]);
        if plan.is_confirmed(group) {
            rows.push(("pace", Some(format!("PINGREQ after {in_flight}"))));
        }
        if let Some(open_loop) = open_loop {
            rows.extend(of_open_loop(open_loop, is_usual_rate));
        }
        Load::of(rows)
    }

    /// Whether the planned rate changes during the measurement.
    pub(super) fn varies(&self) -> bool {
        self.has("ramp") || self.has_pauses()
    }

    /// Whether pauses are planned.
    pub(super) fn has_pauses(&self) -> bool {
        ["stages", "on/off", "start", "end"].into_iter().any(|key| self.has(key))
    }

    /// Whether the payloads are from a template.
    pub(super) fn has_template(&self) -> bool {
        self.0.get("payload").is_some_and(|payload| payload.starts_with(TEMPLATE))
    }

    /// Whether messages are sent with QoS -1.
    pub(super) fn is_unconnected(&self) -> bool {
        self.has(WITHOUT_CONNECTION)
    }

    /// Whether the rate has stages.
    pub(super) fn has_stages(&self) -> bool {
        self.has("stages")
    }

    /// The share of the time in which each publisher is on; `None` if it always is.
    pub(super) fn on_share(&self) -> Option<f64> {
        let (on, off) = self.0.get("on/off")?.split_once(", ")?;
        let on: f64 = on.strip_suffix(" s on")?.parse().ok()?;
        let off: f64 = off.strip_suffix(" s off")?.parse().ok()?;
        Some(on / (on + off))
    }

    /// The number of messages that a publisher sends at a time.
    pub(super) fn burst(&self) -> f64 {
        self.0.get("burst").and_then(|burst| burst.parse().ok()).unwrap_or(1.0)
    }

    fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The keys with different values, and both values.
    pub(super) fn differences(&self, other: &Load) -> Vec<(String, String, String)> {
        let mut keys: Vec<&String> = self.0.keys().chain(other.0.keys()).collect();
        keys.sort();
        keys.dedup();
        let shown =
            |load: &Load, key: &String| load.0.get(key).cloned().unwrap_or_else(|| "the default".to_owned());
        let rows = keys.into_iter().filter(|key| self.0.get(*key) != other.0.get(*key));
        rows.map(|key| (key.clone(), shown(self, key), shown(other, key))).collect()
    }

    /// The settings that are not at their defaults; empty if all are.
    pub(super) fn words(&self) -> String {
        // The addresses of the brokers are displayed instead of their number.
        let words = self
            .0
            .iter()
            .filter(|(key, _)| *key != BROKERS)
            .map(|(key, value)| if value == "yes" { key.clone() } else { format!("{key} {value}") });
        words.collect::<Vec<_>>().join(", ")
    }
}

fn of_hold(hold: Hold) -> String {
    match hold {
        Hold::UntilInterrupted => "yes".to_owned(),
        Hold::For(time) => format!("for {}", seconds(time)),
    }
}

/// The processes that accept clients for the embedded broker, if its own limit of open files is too low.
fn of_front_processes(count: u16) -> Option<String> {
    match count {
        0 => None,
        1 => Some("behind 1 front process".to_owned()),
        count => Some(format!("behind {count} front processes")),
    }
}

/// Default topics without a subscriber index reach all subscribers.
fn recipients(topic: &str) -> Option<String> {
    (!topic.contains("{s}")).then(|| "all".to_owned())
}

/// The topics of a file: files with the same checksum are the same.
fn of_topic_list(list: &TopicList) -> String {
    let qos = match list.qos() {
        (lowest, highest) if lowest < highest => format!(" at QoS {lowest} to {highest}"),
        _ => String::new(),
    };
    format!("{} from a file{qos} (checksum {:08x})", list.len(), list.checksum())
}

/// The range of the pauses.
fn of_think_time(think: ThinkTime) -> String {
    let ThinkTime { least, most, seed: _ } = think;
    if least == most { seconds(most) } else { format!("{} to {}", seconds(least), seconds(most)) }
}

fn of_payload(payload: &Payload) -> Option<String> {
    match payload {
        Payload::Size { .. } => None,
        Payload::Bytes(bytes) => Some(format!("file of {}", counted(bytes.len(), "byte"))),
        Payload::Text(template) => Some(format!("{TEMPLATE}{}", template.text())),
        Payload::Recording(messages) => {
            let topics = if messages.iter().any(|message| message.topic.is_some()) {
                " with their topics"
            } else {
                ""
            };
            Some(format!("{} recorded messages{topics}", messages.len()))
        }
    }
}

/// The own time of a group within the measurement.
fn of_bounds(bounds: &Bounds) -> [(&'static str, Option<String>); 2] {
    let Bounds { measured_from, start, end } = *bounds;
    let measured = |time: Duration| seconds(time.saturating_sub(measured_from));
    [("start", (!start.is_zero()).then(|| measured(start))), ("end", end.map(measured))]
}

fn of_open_loop(load: &OpenLoop, is_usual_rate: bool) -> Vec<(&'static str, Option<String>)> {
    let OpenLoop { profile, arrivals, burst, duty_cycle, seed: _ } = load;
    let (ramp, stages) = match profile.pace() {
        Pace::Constant(_) => (None, None),
        Pace::Growing { time, .. } => (Some(seconds(*time)), None),
        Pace::Changing { from, to, time } => {
            let [from, to] = [from, to].map(|of| rate(of.as_per_second()));
            (Some(format!("from {from} to {to} per second in {}", seconds(*time))), None)
        }
        Pace::Stages(stages) => (None, Some(of_stages(stages))),
    };
    let arrivals = match arrivals {
        Arrivals::Constant => None,
        Arrivals::Poisson => Some("poisson".to_owned()),
    };
    let on_off = duty_cycle.map(|DutyCycle { on, off }| format!("{} on, {} off", seconds(on), seconds(off)));
    let pace = (!is_usual_rate).then(|| "planned".to_owned());
    vec![
        ("arrivals", arrivals),
        ("burst", (*burst > 1).then(|| burst.to_string())),
        ("ramp", ramp),
        ("stages", stages),
        ("on/off", on_off),
        ("pace", pace),
    ]
}

/// The number of stages that a report lists.
const MAX_LISTED: usize = 20;

/// The stages as the option that sets them, or the first of them.
pub(crate) fn of_stages(stages: &[Stage]) -> String {
    let listed: Vec<_> = stages.iter().take(MAX_LISTED).map(Stage::to_string).collect();
    let rest = match stages.len().saturating_sub(MAX_LISTED) {
        0 => String::new(),
        rest => format!(", and {rest} more"),
    };
    listed.join(", ") + &rest
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// The layers between TCP and MQTT, if any.
fn transport(endpoint: &Endpoint) -> Option<String> {
    let layers = [
        (matches!(endpoint.address, Address::Unix(_)), "unix socket"),
        (matches!(endpoint.address, Address::Gateway { .. }), "UDP"),
        (endpoint.proxy.is_some(), "proxy"),
        (endpoint.tls.is_some(), "TLS"),
        (endpoint.web_socket.is_some(), "WebSocket"),
    ];
    let words: Vec<_> = layers.iter().filter(|(is_there, _)| *is_there).map(|(_, word)| *word).collect();
    (!words.is_empty()).then(|| words.join(" and "))
}

/// The retries of the clients of an MQTT-SN gateway, unless they are the usual ones.
fn retries(endpoint: &Endpoint) -> Option<String> {
    let Address::Gateway { options, .. } = &endpoint.address else { return None };
    let (interval, count) = (options.settings.retry_interval, options.settings.retry_count);
    let is_usual = (interval, count) == (RETRY_INTERVAL, RETRY_COUNT);
    (!is_usual).then(|| format!("{count} after {} each", seconds(interval)))
}

/// The size of the MQTT 5 properties of the packets, in bytes.
fn of_properties(properties: &PacketProperties) -> Option<String> {
    let PacketProperties { connect, publish, subscribe, disconnect } = properties;
    let size = |list: &PropertiesBuf| match list.as_properties() {
        list if list.is_empty() => 0,
        list => list.encoded_length(Version::V5),
    };
    let sizes =
        [("CONNECT", connect), ("PUBLISH", publish), ("SUBSCRIBE", subscribe), ("DISCONNECT", disconnect)];
    let words = sizes.iter().map(|(packet, list)| (packet, size(list))).filter(|(_, size)| *size > 0);
    let words: Vec<_> =
        words.map(|(packet, size)| format!("{} in {packet}", counted(size, "byte"))).collect();
    (!words.is_empty()).then(|| words.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::tests::{group, plan};
    use crate::bench::rate::Rate;
    use crate::bench::rate_profile::RateProfile;

    #[test]
    fn defaults_are_not_mentioned() {
        let plan = plan(vec![group(2, 2)]);
        assert_eq!(
            (Load::of_plan(&plan).words(), Load::of_group(&plan, plan.first_group()).words()),
            Default::default()
        );
    }

    #[test]
    fn everything_that_shapes_a_load_is_in_words() {
        let rate = |number| Rate::per_second(number).unwrap();
        let pace = Pace::Changing { from: rate(100.0), to: rate(500.0), time: Duration::from_secs(5) };
        let profile = RateProfile::new(pace, Bounds::default());
        let open_loop =
            OpenLoop { profile, arrivals: Arrivals::Poisson, burst: 3, duty_cycle: None, seed: 1 };
        let shaped = Group {
            open_loop: Some(open_loop),
            retain: true,
            payload: Payload::Bytes(vec![0; 9]),
            ..group(2, 2)
        };
        let mut plan = plan(vec![shaped]);
        (plan.broker.keep_alive, plan.broker.keeps_sessions) = (7, true);
        assert_eq!(Load::of_plan(&plan).words(), "keep alive 7 s, sessions kept");
        let load = Load::of_group(&plan, plan.first_group());
        let words = "arrivals poisson, burst 3, pace planned, payload file of 9 bytes, \
                     ramp from 100 to 500 per second in 5 s, retain";
        assert_eq!(load.words(), words);
        let differences = load.differences(&Load::default());
        assert_eq!(differences.len(), 6);
        assert_eq!(differences[0], ("arrivals".to_owned(), "poisson".to_owned(), "the default".to_owned()));
    }
}
