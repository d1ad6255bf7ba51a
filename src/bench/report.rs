//! The result of a run, and the text that tells it.

use super::plan::{Plan, Volume};
use super::record::{Account, Errors, Record, Span, Stage, Summary};
use super::{Ending, Step};
use crate::protocol::{Qos, Version};
use colored::Colorize;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

/// What a run found out.
#[derive(Debug, Clone)]
pub struct Report {
    /// The version that was spoken.
    pub version: Version,
    /// The broker's address.
    pub broker: SocketAddr,
    /// How many threads the clients had.
    pub threads: usize,
    /// Publishers that were planned.
    pub publishers: u32,
    /// Subscribers that were planned.
    pub subscribers: u32,
    /// The QoS.
    pub qos: Qos,
    /// The payload's bytes.
    pub payload_size: usize,
    /// How much was to be sent.
    pub volume: Volume,
    /// How many messages of QoS 1 and 2 each publisher kept unacknowledged.
    pub in_flight: u16,
    /// How it ended.
    pub ending: Ending,
    /// From the first connect to the last farewell.
    pub elapsed: Duration,
    /// Clients that the broker accepted.
    pub connected: u64,
    /// Clients that the broker refused with CONNACK; they are among those that did not connect.
    pub refused: u64,
    /// Clients that lost their connection.
    pub connections_lost: u64,
    /// Subscriptions that the broker granted.
    pub subscribed: u64,
    /// How long connecting all of them took.
    pub connect_time: Option<Duration>,
    /// Messages that were sent.
    pub sent: Flow,
    /// Messages that were acknowledged; at QoS 0 those of publishers that the broker told that it had read everything.
    pub acknowledged: Flow,
    /// Messages that arrived, each counted once.
    pub received: Flow,
    /// What was sent against what arrived.
    pub account: Account,
    /// Messages that arrived again.
    pub duplicates: u64,
    /// Messages that arrived after one that was sent later.
    pub reordered: u64,
    /// Messages that arrived and were none of this run's.
    pub foreign: u64,
    /// From the first step of connecting to TCP's handshake being done.
    pub tcp_connect: Option<Summary>,
    /// From CONNECT to CONNACK.
    pub connack: Option<Summary>,
    /// From PUBLISH to its last acknowledgement.
    pub publish_to_acknowledgement: Option<Summary>,
    /// From PUBLISH at the publisher to its arrival at the subscriber.
    pub end_to_end: Option<Summary>,
    /// What went wrong.
    pub errors: Errors,
}

/// A number of messages, and the time from the first that was sent to the last of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// How many.
    pub count: u64,
    /// How long it took; `None` when there were none.
    pub time: Option<Duration>,
}

impl Flow {
    fn new(count: u64, start: Option<u64>, span: Span) -> Flow {
        let time = start.zip(span.last()).map(|(start, end)| Duration::from_nanos(end.saturating_sub(start)));
        Flow { count, time: time.filter(|_| count > 0) }
    }

    /// How many in a second.
    pub fn rate(self) -> Option<f64> {
        self.time.filter(|time| !time.is_zero()).map(|time| self.count as f64 / time.as_secs_f64())
    }
}

impl Report {
    /// Makes a report of what was measured.
    pub fn new(plan: &Plan, broker: SocketAddr, ending: Ending, elapsed: Duration, record: Record) -> Report {
        let account = record.account(&plan.topics, plan.qos);
        let begin = record.sending.first();
        let connect_time = record.accepting.first().zip(record.accepting.last());
        Report {
            version: plan.broker.version,
            broker,
            threads: plan.threads,
            publishers: plan.publishers,
            subscribers: plan.subscribers,
            qos: plan.qos,
            payload_size: plan.payload_size,
            volume: plan.volume,
            in_flight: plan.in_flight,
            ending,
            elapsed,
            connected: record.connected,
            refused: record.refused,
            connections_lost: record.connections_lost,
            subscribed: record.subscribed,
            connect_time: connect_time.map(|(first, last)| Duration::from_nanos(last - first)),
            sent: Flow::new(account.sent, begin, record.sending),
            acknowledged: Flow::new(record.acknowledgements, begin, record.acknowledging),
            received: Flow::new(record.deliveries, begin, record.receiving),
            account,
            duplicates: record.duplicates,
            reordered: record.reordered,
            foreign: record.foreign,
            tcp_connect: record.tcp_connect.summary(),
            connack: record.connack.summary(),
            publish_to_acknowledgement: record.acknowledged.summary(),
            end_to_end: record.end_to_end.summary(),
            errors: record.errors,
        }
    }

    /// Clients that were planned.
    pub fn clients(&self) -> u64 {
        u64::from(self.publishers) + u64::from(self.subscribers)
    }

    /// Clients that did not connect.
    pub fn not_connected(&self) -> u64 {
        self.clients().saturating_sub(self.connected)
    }

    /// Whether something happened that the QoS rules out: at QoS 1 and 2 a loss, at QoS 2 also a second delivery.
    pub fn is_promise_broken(&self) -> bool {
        match self.qos {
            Qos::AtMostOnce => false,
            Qos::AtLeastOnce => self.account.lost > 0,
            Qos::ExactlyOnce => self.account.lost > 0 || self.duplicates > 0,
        }
    }

    /// The report for people. Colours follow the settings of `colored`.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let sections = [self.head(), self.connects(), self.throughput(), self.latencies(), self.verdict()];
        for section in sections.into_iter().filter(|section| !section.is_empty()) {
            if !text.is_empty() {
                text.push('\n');
            }
            text += &section;
        }
        text
    }

    fn head(&self) -> String {
        let mut text = line("broker", &format!("{}, {}", self.broker, self.version));
        let publishers = count(self.publishers.into(), "publisher");
        let clients = match self.subscribers {
            0 => format!("{publishers}, no subscribers"),
            subscribers => format!("{publishers}, {}", count(subscribers.into(), "subscriber")),
        };
        text += &line("clients", &format!("{clients}, on {}", count(self.threads as u64, "thread")));
        let volume = match self.volume {
            Volume::Messages(messages) => count(messages, "message"),
            Volume::Duration(duration) => format!("messages for {} s", duration.as_secs_f64()),
        };
        let window = match self.qos {
            Qos::AtMostOnce => String::new(),
            Qos::AtLeastOnce | Qos::ExactlyOnce => {
                format!(", {} in flight for each publisher", self.in_flight)
            }
        };
        text +=
            &line("load", &format!("{volume} of {} bytes at QoS {}{window}", self.payload_size, self.qos));
        text
    }

    fn connects(&self) -> String {
        let mut words = format!("{} of {} clients", self.connected, self.clients());
        if let Some(time) = self.connect_time {
            let _ = write!(words, " in {}", duration(time.as_nanos() as u64));
            if !time.is_zero() {
                let _ = write!(words, ", {} in a second", rate(self.connected as f64 / time.as_secs_f64()));
            }
        }
        line("connected", &words)
    }

    fn throughput(&self) -> String {
        let rows = [("sent", self.sent), ("acknowledged", self.acknowledged), ("received", self.received)];
        let rows: Vec<_> = rows.into_iter().filter(|(_, flow)| flow.count > 0).collect();
        if rows.is_empty() {
            return String::new();
        }
        let mut text = heading(&format!("{:<18}{:>12}{:>14}{:>12}", "", "messages", "per second", "time"));
        for (name, flow) in rows {
            let per_second = flow.rate().map_or("-".to_owned(), rate);
            let time = flow.time.map_or("-".to_owned(), |time| duration(time.as_nanos() as u64));
            let _ = writeln!(text, "{name:<18}{:>12}{per_second:>14}{time:>12}", flow.count);
        }
        text
    }

    fn latencies(&self) -> String {
        let rows = [
            ("TCP connect", self.tcp_connect),
            ("CONNECT to CONNACK", self.connack),
            (self.acknowledgement_name(), self.publish_to_acknowledgement),
            ("end to end", self.end_to_end),
        ];
        let rows: Vec<_> = rows.into_iter().filter_map(|(name, row)| Some((name, row?))).collect();
        if rows.is_empty() {
            return String::new();
        }
        let names = ["min", "mean", "p50", "p90", "p99", "p99.9", "max"];
        let mut text = format!("{:<18}", "");
        names.iter().for_each(|name| text += &format!("{name:>9}"));
        let mut text = heading(&text);
        for (name, row) in rows {
            let _ = write!(text, "{name:<18}");
            for value in [row.min, row.mean, row.p50, row.p90, row.p99, row.p99_9, row.max] {
                let _ = write!(text, "{:>9}", duration(value));
            }
            text.push('\n');
        }
        text
    }

    fn acknowledgement_name(&self) -> &'static str {
        match self.qos {
            Qos::AtMostOnce | Qos::AtLeastOnce => "PUBLISH to PUBACK",
            Qos::ExactlyOnce => "PUBLISH to PUBCOMP",
        }
    }

    /// What went wrong, or that nothing did.
    fn verdict(&self) -> String {
        let mut text = String::new();
        for (stage, error, times) in self.errors.by_count() {
            text += &line_with(&format!("{times} x {error}"), stage_name(stage), Mood::Bad);
        }
        text += &self.ending_line();
        if self.connections_lost > 0 {
            let lost = count(self.connections_lost, "client");
            text += &line_with(&format!("{lost} lost the connection"), "connections", Mood::Bad);
        }
        if self.foreign > 0 {
            let foreign = count(self.foreign, "message");
            text += &line("foreign", &format!("{foreign} of somebody else, not counted above"));
        }
        if self.account.sent > 0 {
            text += &self.acknowledgement_line();
            text += &self.delivery_line();
        }
        text
    }

    fn ending_line(&self) -> String {
        let words = match self.ending {
            Ending::Complete => return String::new(),
            Ending::Interrupted => "interrupted; these are the figures up to then",
            Ending::NotConnected => "no publisher could connect",
            Ending::AllLost => "all clients lost their connections",
            Ending::Stalled(Step::Connect) => "given up: the broker accepted no more clients",
            Ending::Stalled(Step::Subscribe) => "given up: the broker did not answer every SUBSCRIBE",
            Ending::Stalled(Step::Measure | Step::Drain) => {
                "given up: the broker took and acknowledged no more messages"
            }
        };
        line_with(words, "ended", Mood::Bad)
    }

    fn acknowledgement_line(&self) -> String {
        let Account { denied, unacknowledged, .. } = self.account;
        let counts = [(denied, "denied by the broker"), (unacknowledged, "never acknowledged")];
        match list(&counts) {
            words if words.is_empty() => String::new(),
            words => line_with(&words, "publishing", Mood::Bad),
        }
    }

    fn delivery_line(&self) -> String {
        if self.subscribers == 0 {
            return line("delivery", "not measured without subscribers");
        }
        let Account { owed, lost, .. } = self.account;
        let counts = [(lost, "lost"), (self.duplicates, "duplicated"), (self.reordered, "out of order")];
        match list(&counts) {
            words if words.is_empty() => {
                line_with("nothing lost, nothing duplicated, all in order", "delivery", Mood::Good)
            }
            words => {
                let remark = match self.qos {
                    Qos::AtMostOnce => ", which QoS 0 allows",
                    _ if self.is_promise_broken() => "",
                    Qos::AtLeastOnce | Qos::ExactlyOnce => ", nothing lost",
                };
                line_with(&format!("{words} of {owed}{remark}"), "delivery", Mood::Bad)
            }
        }
    }
}

/// Whether a line is to please.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Good,
    Bad,
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connecting",
        Stage::Subscribe => "subscribing",
        Stage::Run => "running",
    }
}

fn line(name: &str, words: &str) -> String {
    format!("{} {words}\n", format!("{name:<17}").bold())
}

fn line_with(words: &str, name: &str, mood: Mood) -> String {
    let words = match mood {
        Mood::Good => words.green(),
        Mood::Bad => words.red(),
    };
    line(name, &words.to_string())
}

fn heading(text: &str) -> String {
    format!("{}\n", text.bold())
}

/// The counts that are not zero, in words.
fn list(counts: &[(u64, &str)]) -> String {
    let words = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    words.collect::<Vec<_>>().join(", ")
}

fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

fn rate(per_second: f64) -> String {
    format!("{per_second:.0}")
}

/// Nanoseconds in the unit that fits, with three digits.
fn duration(nanoseconds: u64) -> String {
    let (value, unit) = match nanoseconds {
        0..1_000 => return format!("{nanoseconds} ns"),
        1_000..999_500 => (nanoseconds as f64 / 1e3, "µs"),
        999_500..999_500_000 => (nanoseconds as f64 / 1e6, "ms"),
        _ => (nanoseconds as f64 / 1e9, "s"),
    };
    let decimals = match value {
        ..9.995 => 2,
        9.995..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}
