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
    /// Subscribers that were there until the end; what the others missed cannot be judged.
    pub subscribers_to_the_end: u64,
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
    pub fn new(
        plan: &Plan,
        broker: SocketAddr,
        ending: Ending,
        elapsed: Duration,
        mut record: Record,
    ) -> Report {
        let failed = record.connected + record.errors.count(Stage::Connect);
        let unanswered = u64::from(plan.clients()).saturating_sub(failed);
        if unanswered > 0 {
            let text = "not connected yet when the run ended";
            record.errors.add(Stage::Connect, text.to_owned(), unanswered);
        }
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
            subscribers_to_the_end: record.received.len() as u64,
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
        if self.connections_lost > 0 && self.ending != Ending::AllLost {
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
        let Account { owed, lost, .. } = self.account;
        if self.subscribers == 0 {
            return line("delivery", "not measured without subscribers");
        }
        if self.subscribers_to_the_end == 0 {
            return line("delivery", "cannot be judged: no subscriber stayed to the end");
        }
        if owed == 0 {
            return line("delivery", "cannot be judged: no message was acknowledged");
        }
        let counts = [(lost, "lost"), (self.duplicates, "duplicated"), (self.reordered, "out of order")];
        let (mut words, mood) = match list(&counts) {
            words if words.is_empty() => {
                (format!("all {owed} messages arrived, once and in order"), Mood::Good)
            }
            words => (format!("{words}, of {owed}{}", self.remark()), Mood::Bad),
        };
        if self.subscribers_to_the_end < self.subscribers.into() {
            let stayed = self.subscribers_to_the_end;
            let _ = write!(
                words,
                " (at the {stayed} of {} subscribers that stayed to the end)",
                self.subscribers
            );
        }
        line_with(&words, "delivery", mood)
    }

    fn remark(&self) -> &'static str {
        match self.qos {
            Qos::AtMostOnce => "; QoS 0 promises nothing",
            Qos::AtLeastOnce | Qos::ExactlyOnce if self.account.lost > 0 => "",
            Qos::AtLeastOnce | Qos::ExactlyOnce => "; nothing lost",
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

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(p50: u64) -> Option<Summary> {
        Some(Summary {
            count: 1000,
            min: p50 / 10,
            mean: p50,
            p50,
            p90: p50 * 2,
            p99: p50 * 3,
            p99_9: p50 * 4,
            max: p50 * 5,
        })
    }

    fn flow(count: u64, milliseconds: u64) -> Flow {
        Flow { count, time: Some(Duration::from_millis(milliseconds)) }
    }

    fn report() -> Report {
        Report {
            version: Version::V5,
            broker: ([127, 0, 0, 1], 1883).into(),
            threads: 2,
            publishers: 1000,
            subscribers: 100,
            qos: Qos::AtLeastOnce,
            payload_size: 64,
            volume: Volume::Messages(100_000),
            in_flight: 20,
            ending: Ending::Complete,
            elapsed: Duration::from_secs(3),
            connected: 1100,
            refused: 0,
            connections_lost: 0,
            subscribed: 100,
            subscribers_to_the_end: 100,
            connect_time: Some(Duration::from_millis(250)),
            sent: flow(100_000, 500),
            acknowledged: flow(100_000, 550),
            received: flow(100_000, 600),
            account: Account { sent: 100_000, owed: 100_000, ..Account::default() },
            duplicates: 0,
            reordered: 0,
            foreign: 0,
            tcp_connect: summary(150_000),
            connack: summary(1_500_000),
            publish_to_acknowledgement: summary(15_000_000),
            end_to_end: summary(400_000_000),
            errors: Errors::default(),
        }
    }

    fn text(report: &Report) -> String {
        colored::control::set_override(false);
        report.to_text()
    }

    fn last_section(report: &Report) -> String {
        text(report).rsplit("\n\n").next().unwrap_or_default().to_owned()
    }

    #[test]
    fn the_report_fits_on_a_screen() {
        let expected = "\
broker            127.0.0.1:1883, MQTT 5.0
clients           1000 publishers, 100 subscribers, on 2 threads
load              100000 messages of 64 bytes at QoS 1, 20 in flight for each publisher

connected         1100 of 1100 clients in 250 ms, 4400 in a second

                      messages    per second        time
sent                    100000        200000      500 ms
acknowledged            100000        181818      550 ms
received                100000        166667      600 ms

                        min     mean      p50      p90      p99    p99.9      max
TCP connect         15.0 µs   150 µs   150 µs   300 µs   450 µs   600 µs   750 µs
CONNECT to CONNACK   150 µs  1.50 ms  1.50 ms  3.00 ms  4.50 ms  6.00 ms  7.50 ms
PUBLISH to PUBACK   1.50 ms  15.0 ms  15.0 ms  30.0 ms  45.0 ms  60.0 ms  75.0 ms
end to end          40.0 ms   400 ms   400 ms   800 ms   1.20 s   1.60 s   2.00 s

delivery          all 100000 messages arrived, once and in order
";
        assert_eq!(text(&report()), expected);
    }

    #[test]
    fn what_went_wrong_is_told_in_numbers() {
        let mut report = report();
        report.errors.add(Stage::Run, "the broker closed the connection without a word".to_owned(), 2);
        report.errors.add(Stage::Connect, "timed out after 30 s".to_owned(), 1);
        report.ending = Ending::Interrupted;
        report.connections_lost = 2;
        report.subscribers_to_the_end = 98;
        report.account = Account { sent: 500, denied: 1, unacknowledged: 20, owed: 470, lost: 3 };
        (report.duplicates, report.reordered, report.foreign) = (4, 0, 1);
        let expected = "\
connecting        1 x timed out after 30 s
running           2 x the broker closed the connection without a word
ended             interrupted; these are the figures up to then
connections       2 clients lost the connection
foreign           1 message of somebody else, not counted above
publishing        1 denied by the broker, 20 never acknowledged
delivery          3 lost, 4 duplicated, of 470 (at the 98 of 100 subscribers that stayed to the end)
";
        assert_eq!(last_section(&report), expected);
        assert!(report.is_promise_broken());
    }

    #[test]
    fn what_a_qos_allows_is_no_broken_promise() {
        let mut report = report();
        report.duplicates = 4;
        assert_eq!(last_section(&report), "delivery          4 duplicated, of 100000; nothing lost\n");
        assert!(!report.is_promise_broken());
        report.qos = Qos::ExactlyOnce;
        assert!(report.is_promise_broken());
        report.qos = Qos::AtMostOnce;
        report.account.lost = 7;
        let expected = "delivery          7 lost, 4 duplicated, of 100000; QoS 0 promises nothing\n";
        assert_eq!(last_section(&report), expected);
        assert!(!report.is_promise_broken());
    }

    #[test]
    fn nothing_is_claimed_that_was_not_measured() {
        let mut report = report();
        report.subscribers_to_the_end = 0;
        let judged = |report: &Report| last_section(report);
        assert_eq!(judged(&report), "delivery          cannot be judged: no subscriber stayed to the end\n");
        report.subscribers = 0;
        assert_eq!(judged(&report), "delivery          not measured without subscribers\n");
        report = Report {
            connected: 0,
            connect_time: None,
            ending: Ending::NotConnected,
            sent: Flow::default(),
            acknowledged: Flow::default(),
            received: Flow::default(),
            account: Account::default(),
            tcp_connect: None,
            connack: None,
            publish_to_acknowledgement: None,
            end_to_end: None,
            ..report
        };
        let text = text(&report);
        assert!(text.ends_with(
            "\n\nconnected         0 of 1000 clients\n\nended             no publisher could connect\n"
        ));
    }

    #[test]
    fn durations_have_three_digits_in_the_unit_that_fits() {
        let texts =
            [0, 999, 1000, 9_994, 9_996, 99_960, 999_499, 999_500, 1_000_000, 999_499_999, 61_000_000_000];
        let texts = texts.map(duration);
        let expected = [
            "0 ns", "999 ns", "1.00 µs", "9.99 µs", "10.0 µs", "100 µs", "999 µs", "1.00 ms", "1.00 ms",
            "999 ms", "61.0 s",
        ];
        assert_eq!(texts, expected);
    }
}
