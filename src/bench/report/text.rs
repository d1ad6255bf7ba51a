//! The report as text for a terminal.

use super::broker_side::HEADS;
use super::brokers::BROKER_HEADS;
use super::drawing::draw;
use super::format::{INDENT, duration, folded, name_cell, rate};
use super::group::DELIVERY_HEADS;
use super::metrics;
use super::{Finding, Group, Judgement, LatencyKind, Report};
use crate::bench::ending::Ending;
use crate::bench::plan::Scenario;
use crate::bench::plan::Volume;
use crate::bench::record::{Account, Stage, Summary};
use crate::escape;
use crate::protocol::Qos;
use crate::words::{self, counted};
use colored::Colorize;
use std::fmt::Write;

/// The characters that the terminal can display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// Unicode, as UTF-8.
    Utf8,
    /// ASCII only.
    Ascii,
}

impl Charset {
    /// The character set of the locale, by the rules of the C library: the first of these variables that is set.
    pub(crate) fn of_environment() -> Charset {
        let values = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(std::env::var_os);
        let mut locale = values.map(|value| value.to_string_lossy().to_ascii_lowercase());
        match locale.find(|value| !value.is_empty()) {
            Some(locale) if locale.contains("utf-8") || locale.contains("utf8") => Charset::Utf8,
            Some(_) | None => Charset::Ascii,
        }
    }
}

impl Report {
    /// The report as text. Colours follow the settings of `colored`.
    pub(crate) fn to_text(&self, charset: Charset) -> String {
        let mut text = String::new();
        let sections = [
            self.summary_block(),
            self.head(),
            self.connecting(),
            self.flows(),
            self.by_group(),
            self.by_broker(),
            self.latency_table(),
            self.latencies_by_group(),
            self.latencies_by_broker(),
            self.distribution(charset),
            self.verdict(),
            self.remarks(),
            self.broker_block(),
            self.setup_block(),
            self.searched(),
            self.repeated(),
        ];
        for section in sections.into_iter().filter(|section| !section.is_empty()) {
            if !text.is_empty() {
                text.push('\n');
            }
            text += &section;
        }
        match charset {
            Charset::Utf8 => text,
            Charset::Ascii => text.replace('µ', "u"),
        }
    }

    /// The sentence, the verdict, and the conditions that it is due to.
    fn summary_block(&self) -> String {
        let severity = |is_failure| if is_failure { Severity::Bad } else { Severity::Good };
        let judgement = self.judgement();
        let sentence = folded(&escape::line(&self.sentence()), 0);
        let mut text = format!("{}\n", sentence.bold());
        text += &match judgement {
            Judgement::Doubtful | Judgement::NotMeasured => line("verdict", judgement.word()),
            _ => line_with(judgement.word(), "verdict", severity(judgement == Judgement::Failed)),
        };
        for verdict in self.notable_verdicts() {
            let name = format!("- {}", verdict.judgement.word().to_ascii_lowercase());
            let words = escape::line(&verdict.words()).into_owned();
            text += &match verdict.judgement {
                Judgement::Doubtful | Judgement::NotMeasured if !verdict.is_failure() => line(&name, &words),
                _ => line_with(&words, &name, severity(verdict.is_failure())),
            };
        }
        text
    }

    fn head(&self) -> String {
        let mut text = line(self.peer(), &escape::line(&self.place()));
        if let [only] = self.groups.as_slice() {
            text += &line(
                "clients",
                &format!("{}, on {}", escape::line(&only.clients_by_role()), self.workers()),
            );
            return text + &line("load", &escape::line(&self.load_of(only, &self.for_a_time())));
        }
        let (clients, groups) = (self.clients(), self.groups.len());
        text += &line("clients", &format!("{clients} in {groups} groups, on {}", self.workers()));
        if let Volume::Duration(_) = self.plan.volume {
            text += &line("load", (self.for_a_time() + &self.warm_up()).trim_start());
        }
        for group in &self.groups {
            let words =
                format!("{}; {}", escape::line(&group.clients_by_role()), escape::line(&group.load("")));
            text += &line(&format!("- {}", escape::line(&group.name)), &words);
        }
        text
    }

    /// The outcome of each group's messages, if there are several groups.
    fn by_group(&self) -> String {
        let groups: Vec<_> = self.groups.iter().filter(|group| group.outcome.account.sent > 0).collect();
        if !self.is_mix() || groups.is_empty() {
            return String::new();
        }
        let row = |name: &str, [sent, owed, lost, duplicated, out_of_order]: [&str; 5]| {
            let name = name_cell(name, INDENT);
            format!("{name}{sent:>11}{owed:>11}{lost:>11}{duplicated:>12}{out_of_order:>14}")
        };
        let mut text = heading(&row("by group", DELIVERY_HEADS));
        for group in groups {
            let cells = group.deliveries().map(|count| count.to_string());
            let _ =
                writeln!(text, "{}", row(&escape::line(&group.name), cells.each_ref().map(String::as_str)));
        }
        text
    }

    /// The main latency of each group, if there are several.
    fn latencies_by_group(&self) -> String {
        let rows = self.groups.iter().filter_map(|group| {
            let (kind, row) = group.main_latency()?;
            Some((kind, group.title_of(kind), group.name.as_str(), row))
        });
        latencies_of("latency by group", rows.collect())
    }

    /// The clients and messages of each broker, if there are several.
    fn by_broker(&self) -> String {
        if self.brokers.is_empty() {
            return String::new();
        }
        let row = |name: &str, [clients, connected, sent, acknowledged, received, lost]: [&str; 6]| {
            let name = name_cell(name, INDENT);
            format!("{name}{clients:>8}{connected:>11}{sent:>10}{acknowledged:>14}{received:>10}{lost:>8}")
        };
        let mut text = heading(&row("by broker", BROKER_HEADS));
        for part in &self.brokers {
            let cells = self.broker_cells(part);
            let _ =
                writeln!(text, "{}", row(&escape::line(&part.address), cells.each_ref().map(String::as_str)));
        }
        text
    }

    /// The main latency of each broker's clients, if there are several brokers.
    fn latencies_by_broker(&self) -> String {
        let rows = self.brokers.iter().filter_map(|part| {
            let (kind, row) = part.main_latency()?;
            Some((kind, kind.full_title(self.acknowledged_qos()), part.address.as_str(), row))
        });
        latencies_of("latency by broker", rows.collect())
    }

    /// The steps and the outcome of a search.
    fn searched(&self) -> String {
        let Some(search) = &self.search else {
            return String::new();
        };
        let (head, rows) = search.table();
        let table = if search.steps.is_empty() { String::new() } else { heading(&head) + &rows };
        table + &line("search", &search.outcome())
    }

    fn connecting(&self) -> String {
        let mut words = format!("{} of {} clients", self.connects.count, self.clients_due());
        if self.not_started() > 0 {
            let _ = write!(words, ", {} were to connect later", self.not_started());
        }
        if let Some(time) = self.connects.time() {
            let _ = write!(words, " in {}", duration(time.as_nanos() as u64));
            if let Some(per_second) = self.connects.rate().filter(|_| self.connects.is_long_enough()) {
                let _ = write!(words, ", {} per second", rate(per_second));
            }
        }
        if self.unconnected() > 0 {
            let _ = write!(words, "; {} of them need no connection", self.unconnected());
        }
        let tls = self.tls_rows().into_iter().map(|words| line("TLS", &escape::line(&words)));
        let datagrams = self.datagram_rows().into_iter().map(|(name, words)| line(name, &words));
        line("connected", &words) + &tls.chain(datagrams).collect::<String>()
    }

    fn flows(&self) -> String {
        // The connections have a line of their own.
        let flows = metrics::flows(self).into_iter().skip(1);
        let rows: Vec<_> = flows.filter(|(_, flow, _)| flow.count > 0).collect();
        if rows.is_empty() {
            return String::new();
        }
        let mut text = heading(&format!("{:<18}{:>12}{:>14}{:>12}", "", "messages", "per second", "time"));
        for (name, flow, per_second) in rows {
            let per_second = per_second.map_or("-".to_owned(), rate);
            let time = flow.time().map_or("-".to_owned(), |time| duration(time.as_nanos() as u64));
            let _ = writeln!(text, "{name:<18}{:>12}{per_second:>14}{time:>12}", flow.count);
        }
        text
    }

    fn latency_table(&self) -> String {
        let rows = self.latency_rows();
        if rows.is_empty() {
            return String::new();
        }
        let mut text = heading(&latency_row("", LATENCY_HEADS));
        for (kind, row) in rows {
            let title = kind.title(self.acknowledged_qos());
            text += &latency_row(title, times_of(&row).each_ref().map(String::as_str));
            text.push('\n');
        }
        text
    }

    /// The main latency as bars.
    fn distribution(&self, charset: Charset) -> String {
        let measured = self.main_latency().and_then(|kind| Some((kind, self.latencies.get(&kind)?)));
        let Some((kind, latencies)) = measured else {
            return String::new();
        };
        heading(&kind.full_title(self.acknowledged_qos())) + &draw(latencies, charset == Charset::Utf8)
    }

    /// The failures of the run, or its success.
    fn verdict(&self) -> String {
        let mut text = String::new();
        for (stage, error, times) in self.errors.by_count() {
            text +=
                &line_with(&format!("{times} x {}", escape::line(error)), stage_name(stage), Severity::Bad);
        }
        if let Some(words) = self.describe_ending() {
            text += &line_with(&escape::line(&words), "ended", Severity::Bad);
        }
        if let Some(words) = self.lowered_qos() {
            text += &line_with(&words, "QoS", Severity::Bad);
        }
        if let Some(share) = self.unshared() {
            let words = format!(
                "$share/{} was granted, but nothing was delivered to it: the broker seems not to share subscriptions",
                escape::line(share)
            );
            text += &line_with(&words, "shared", Severity::Bad);
        }
        if self.connections_lost > 0 && self.ending != Ending::AllLost {
            let lost = counted(self.connections_lost, "client");
            text += &line_with(&format!("{lost} lost the connection"), "connections", Severity::Bad);
        }
        if self.reconnects > 0 && self.plan.scenario != Scenario::Reconnect {
            let made = counted(self.reconnects, "lost connection");
            text += &line("reconnects", &format!("{made} made again"));
        }
        if self.account.gap_lost > 0 {
            let lost = counted(self.account.gap_lost, "message");
            text += &line("gap", &format!("{lost} lost while a subscriber was away, not counted below"));
        }
        if self.late > 0 {
            let late = counted(self.late, "message");
            text += &line("late", &format!("{late} sent over a millisecond after the planned time"));
        }
        if self.received.count == 0 && self.groups.iter().any(|group| group.listens_to.is_some()) {
            text += &line("received", "nothing: no messages were published to the topic filter");
        }
        if self.foreign > 0 {
            let foreign = counted(self.foreign, "message");
            text += &line("foreign", &format!("{foreign} of other publishers, not counted above"));
        }
        if let Some(unmatched) = self.unmatched.filter(|unmatched| *unmatched > 0) {
            text += &line("unmatched", &escape::line(&self.unmatched_words(unmatched)));
        }
        if self.account.sent > 0 {
            text += &self.acknowledgement_line();
            text += &self.delivery_line();
            text += &self.silence_lines();
        }
        text
    }

    /// The messages without matching subscribers, of each group if there are several.
    fn unmatched_words(&self, unmatched: u64) -> String {
        let messages = counted(unmatched, "message");
        let of_groups = self.groups.iter().filter_map(|group| {
            let unmatched = group.measured?.unmatched.filter(|unmatched| *unmatched > 0)?;
            Some(format!("{unmatched} in {}", group.name))
        });
        let of_groups = of_groups.collect::<Vec<_>>().join(", ");
        let of_groups = if of_groups.is_empty() { of_groups } else { format!(": {of_groups}") };
        format!("{messages} acknowledged with \"no matching subscribers\" (0x10){of_groups}")
    }

    fn acknowledgement_line(&self) -> String {
        let Account { rejected, unacknowledged, .. } = self.account;
        let by_peer = format!("rejected by the {}", self.peer());
        let counts = [(rejected, by_peer.as_str()), (unacknowledged, "never acknowledged")];
        match list(&counts) {
            words if words.is_empty() => String::new(),
            words => line_with(&words, "publishing", Severity::Bad),
        }
    }

    fn delivery_line(&self) -> String {
        let Account { owed, lost, .. } = self.account;
        if self.plan.receivers == 0 && self.has_listeners() {
            return line("delivery", "not measured: the messages due to a topic filter are unknown");
        }
        if self.plan.receivers == 0 {
            return line("delivery", "not measured without subscribers");
        }
        if self.subscribers_to_the_end == 0 {
            return line("delivery", "cannot be judged: no subscriber stayed to the end");
        }
        if owed == 0 {
            return line("delivery", "cannot be judged: no message was acknowledged");
        }
        let missing =
            if self.is_drain_cut { "missing when the wait for them was interrupted" } else { "lost" };
        let counts = [(lost, missing), (self.duplicates, "duplicated"), (self.reordered, "out of order")];
        let (mut words, severity) = match list(&counts) {
            words if words.is_empty() => {
                (format!("{} arrived, once and in order", words::all(owed, "message")), Severity::Good)
            }
            words => (format!("{words}, of {owed}{}", self.remark()), Severity::Bad),
        };
        if let Some(part) = self.partly_judged() {
            let _ = write!(words, " {part}");
        }
        line_with(&words, "delivery", severity)
    }

    /// The brokers between which nothing was delivered.
    fn silence_lines(&self) -> String {
        let pairs = self.silent_pairs();
        let mut text: String = pairs
            .iter()
            .take(MAX_SILENT_PAIRS)
            .map(|words| line_with(&escape::line(words), "between brokers", Severity::Bad))
            .collect();
        if let Some(more) = pairs.len().checked_sub(MAX_SILENT_PAIRS).filter(|more| *more > 0) {
            text += &line("between brokers", &format!("{} without a delivery", counted(more, "more pair")));
        }
        text
    }

    /// The broker's own counters.
    fn broker_block(&self) -> String {
        let mut text = String::new();
        for remark in self.broker_remarks() {
            text += &line("broker side", &escape::line(&remark));
        }
        let rows = self.broker_rows();
        if !rows.is_empty() {
            let [start, end, peak] = HEADS;
            text += &heading(&format!("{:<18}{start:>14}{end:>14}{peak:>14}", ""));
        }
        for (name, [start, end, peak]) in rows {
            let _ = writeln!(text, "{name:<18}{start:>14}{end:>14}{peak:>14}");
        }
        text
    }

    /// The options, the machine and the broker's limits.
    fn setup_block(&self) -> String {
        self.setup_rows().into_iter().map(|(name, words)| line(name, &escape::line(&words))).collect()
    }

    /// The findings of the self-check.
    fn remarks(&self) -> String {
        let findings = self.self_check();
        let line = |Finding { mark, text }: &Finding| match mark.is_bottleneck() {
            true => line_with(
                &format!("the load generator was the bottleneck: {text}"),
                "self-check",
                Severity::Bad,
            ),
            false => line("self-check", text),
        };
        findings.iter().map(line).collect()
    }

    fn remark(&self) -> &'static str {
        let lossy = |group: &&Group| self.account.lost == 0 || group.outcome.account.lost > 0;
        let mut groups = self.groups.iter().filter(|group| group.publishers > 0).filter(lossy);
        match groups.all(|group| group.delivery_qos() == Qos::AtMostOnce) {
            true if self.groups.iter().any(Group::is_unconnected) => "; QoS -1 and 0 allow losses",
            true => "; QoS 0 allows losses",
            false if self.account.lost > 0 => "",
            false => "; nothing lost",
        }
    }
}

/// Whether a line is displayed as a success or as a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Severity {
    Good,
    Bad,
}

/// The maximum number of lines about pairs of brokers.
const MAX_SILENT_PAIRS: usize = 6;

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connecting",
        Stage::Subscribe => "subscribing",
        Stage::Run => "running",
    }
}

fn line(name: &str, words: &str) -> String {
    named(name, &folded(words, INDENT))
}

fn line_with(words: &str, name: &str, severity: Severity) -> String {
    let words = folded(words, INDENT);
    let words = match severity {
        Severity::Good => words.green(),
        Severity::Bad => words.red(),
    };
    named(name, &words.to_string())
}

/// A name that is too long for its column has its own line.
fn named(name: &str, words: &str) -> String {
    format!("{} {words}\n", name_cell(name, INDENT - 1).bold())
}

/// The heads of the columns of [`times_of`].
const LATENCY_HEADS: [&str; 7] = ["min", "mean", "p50", "p90", "p99", "p99.9", "max"];

fn times_of(row: &Summary) -> [String; 7] {
    let Summary { count: _, min, mean, p50, p90, p99, p99_9, max } = *row;
    [min, mean, p50, p90, p99, p99_9, max].map(duration)
}

/// The latencies of groups or brokers, those of the same kind together, below its title.
fn latencies_of(head: &str, mut rows: Vec<(LatencyKind, String, &str, Summary)>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = heading(&latency_row(head, LATENCY_HEADS));
    rows.sort_by_key(|(kind, ..)| kind.rank());
    let mut titled = None;
    for (_, title, name, row) in rows {
        if titled.as_ref() != Some(&title) {
            let _ = writeln!(text, "{title}:");
        }
        let times = times_of(&row);
        let _ = writeln!(text, "{}", latency_row(&escape::line(name), times.each_ref().map(String::as_str)));
        titled = Some(title);
    }
    text
}

fn latency_row(name: &str, cells: [&str; 7]) -> String {
    let cells: String = cells.iter().map(|cell| format!("{cell:>8}")).collect();
    name_cell(name, INDENT) + &cells
}

fn heading(text: &str) -> String {
    format!("{}\n", text.bold())
}

/// The counts that are not zero, each with its label.
fn list(counts: &[(u64, &str)]) -> String {
    let words = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{group, mix, report, spoil, spread};
    use super::super::{BrokerPart, Flow};
    use super::*;

    fn text(report: &Report) -> String {
        colored::control::set_override(false);
        report.to_text(Charset::Utf8)
    }

    fn last_section(report: &Report) -> String {
        text(report).rsplit("\n\n").next().unwrap_or_default().to_owned()
    }

    #[test]
    fn the_report_fits_on_a_screen() {
        let expected = "\
16667 messages/s for 6 s: p99 1.20 s (end to end), nothing lost
verdict           PASS

broker            127.0.0.1:1883, MQTT 5.0
clients           1000 publishers, 100 subscribers, on 2 threads
load              100000 messages of 64 bytes at QoS 1, 20 in flight per
                  publisher

connected         1100 of 1100 clients in 1.25 s, 880 per second

                      messages    per second        time
sent                    100000         20000      5.00 s
acknowledged            100000         18182      5.50 s
received                100000         16667      6.00 s

                       min    mean     p50     p90     p99   p99.9     max
TCP connect         300 ns  168 µs  150 µs  300 µs  450 µs  750 µs  750 µs
CONNECT to CONNACK 3.00 µs 1.68 ms 1.50 ms 3.00 ms 4.50 ms 7.50 ms 7.50 ms
PUBLISH to PUBACK  30.0 µs 16.8 ms 15.0 ms 30.0 ms 45.0 ms 75.0 ms 75.0 ms
end to end          800 µs  447 ms  400 ms  800 ms  1.20 s  2.00 s  2.00 s

end to end
up to   1.00 ms    0.10 %  ▏
up to   2.00 ms    0.10 %  ▏
up to   5.00 ms    0.40 %  ▍
up to   10.0 ms    0.60 %  ▋
up to   20.0 ms    1.20 %  █▎
up to   50.0 ms    3.80 %  ████▎
up to    100 ms    6.20 %  ███████
up to    200 ms   12.50 %  ██████████████▎
up to    500 ms   35.00 %  ████████████████████████████████████████
up to    1.00 s   34.50 %  ███████████████████████████████████████▍
up to    2.00 s    5.50 %  ██████▎
up to    5.00 s    0.10 %  ▏

delivery          all 100000 messages arrived, once and in order
";
        assert_eq!(text(&report()), expected);
    }

    #[test]
    fn no_line_is_wider_than_80_columns() {
        let mut report = mix();
        report.groups[0].name = "a-group-with-quite-a-long-name".to_owned();
        report.groups[0].granted_qos = Some(Qos::AtMostOnce);
        report.groups[0].rate = Some(12_345.6);
        report.errors.add(Stage::Run, "the broker closed the connection ".repeat(5), 1_000_000);
        report.busiest_thread_percent = Some(99.0);
        report.search = Some(super::super::search::tests::searched());
        report.groups[0].latencies = report.latencies.clone();
        report.groups[0].latencies.insert(LatencyKind::EndToEndPlanned, spread(900_000_000));
        let part = |address: String| BrokerPart {
            address,
            latencies: report.groups[0].latencies.clone(),
            ..BrokerPart::default()
        };
        report.brokers = vec![part("broker.example:1883".to_owned()), part("long.".repeat(20))];
        report.groups[1].name = "a-long-name".repeat(9);
        report.groups[1].outcome = report.groups[0].outcome;
        report.groups[1].latencies = report.latencies.clone();
        let text = text(&report);
        assert_eq!(text.lines().find(|line| line.chars().count() > 80), None, "{text}");
        let group = "\nlatency by group       min    mean     p50     p90     p99   p99.9     max
end to end, from the planned time:\na-group-with-quite-a-long-name\n       ";
        assert!(text.contains(group), "{text}");
        let cut = format!("\nend to end:\n{}...\n", &"a-long-name".repeat(9)[..77]);
        assert!(text.contains(&cut), "{text}");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let mut report = mix();
        report.groups[0].name = "温度センサー東京".to_owned();
        report.groups[1].name = "湿度".repeat(30);
        report.groups.iter_mut().for_each(|group| group.latencies = report.latencies.clone());
        let text = text(&report);
        let widest = text.lines().map(crate::columns::width).max();
        assert!(widest.is_some_and(|columns| columns <= 80), "{widest:?} {text}");
        assert!(text.contains("\n温度センサー東京       100000"), "{text}");
    }

    #[test]
    fn failures_are_reported_with_their_counts() {
        let mut report = report();
        report.errors.add(Stage::Run, "the broker closed the connection without a word".to_owned(), 2);
        report.errors.add(Stage::Connect, "timed out after 30 s".to_owned(), 1);
        report.ending = Ending::Interrupted;
        report.connections_lost = 2;
        report.subscribers_to_the_end = 98;
        report.account =
            Account { sent: 500, rejected: 1, unacknowledged: 20, owed: 470, ..Account::default() };
        spoil(&mut report, 3, 4);
        report.foreign = 1;
        let expected = "\
connecting        1 x timed out after 30 s
running           2 x the broker closed the connection without a word
ended             interrupted; the report covers the time until then
connections       2 clients lost the connection
foreign           1 message of other publishers, not counted above
publishing        1 rejected by the broker, 20 never acknowledged
delivery          3 lost, 4 duplicated, of 470 at 98 of 100 subscribers; losses
                  of the other 2 are unknown
";
        assert_eq!(last_section(&report), expected);
        assert!(report.violates_qos());
    }

    #[test]
    fn losses_that_the_qos_allows_are_not_violations() {
        let mut report = report();
        spoil(&mut report, 0, 4);
        assert_eq!(last_section(&report), "delivery          4 duplicated, of 100000; nothing lost\n");
        assert!(!report.violates_qos());
        (report.groups[0].qos, report.groups[0].subscription_qos) = (Qos::ExactlyOnce, Qos::ExactlyOnce);
        assert!(report.violates_qos());
        report.groups[0].qos = Qos::AtMostOnce;
        spoil(&mut report, 7, 4);
        let expected = "delivery          7 lost, 4 duplicated, of 100000; QoS 0 allows losses\n";
        assert_eq!(last_section(&report), expected);
        assert!(!report.violates_qos());
    }

    #[test]
    fn nothing_is_claimed_that_was_not_measured() {
        let mut report = report();
        report.subscribers_to_the_end = 0;
        let judged = |report: &Report| last_section(report);
        assert_eq!(judged(&report), "delivery          cannot be judged: no subscriber stayed to the end\n");
        (report.plan.subscribers, report.plan.receivers, report.plan.clients) = (0, 0, 1000);
        assert_eq!(judged(&report), "delivery          not measured without subscribers\n");
        report = Report {
            connects: Flow::default(),
            ending: Ending::NotConnected,
            sent: Flow::default(),
            acknowledged: Flow::default(),
            received: Flow::default(),
            account: Account::default(),
            latencies: [].into(),
            ..report
        };
        let text = text(&report);
        assert!(text.ends_with(
            "\n\nconnected         0 of 1000 clients\n\nended             no client could connect\n"
        ));
    }

    #[test]
    fn a_load_generator_that_was_too_slow_says_so() {
        let mut report = report();
        report.busiest_thread_percent = Some(99.0);
        report.latencies.insert(LatencyKind::EndToEndPlanned, spread(900_000_000));
        let text = text(&report);
        assert!(text.contains("\n- as planned "), "{text}");
        let expected = "self-check        the load generator was the bottleneck: a thread used 99 % of
                  its CPU; lower the load or use a faster machine
";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn ascii_is_enough() {
        colored::control::set_override(false);
        assert!(report().to_text(Charset::Ascii).is_ascii());
    }

    #[test]
    fn a_mix_is_told_group_by_group() {
        let text = text(&mix());
        let expected = "
broker            127.0.0.1:1883, MQTT 5.0
clients           1105 in 2 groups, on 2 threads
- sensors         1000 publishers, 100 subscribers; 100000 messages of 64 bytes
                  at QoS 1, 20 in flight per publisher
- idle            5 idle clients; connections

";
        assert!(text.contains(expected), "{text}");
        let expected = "
by group                 sent       owed       lost  duplicated  out of order
sensors                100000     100000          0           0             0

";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn each_group_of_a_mix_is_judged_by_its_own_qos() {
        let mut report = mix();
        let quiet = Group { name: "quiet".to_owned(), qos: Qos::AtMostOnce, ..group() };
        report.groups[1] = quiet;
        report.groups[1].outcome.account.lost = 3;
        report.account.lost = 3;
        assert_eq!(last_section(&report), "delivery          3 lost, of 100000; QoS 0 allows losses\n");
        assert!(!report.violates_qos());
        report.groups[0].outcome.account.lost = 1;
        assert_eq!(report.qos_violations().map(|group| &group.name).collect::<Vec<_>>(), ["sensors"]);
    }

    #[test]
    fn messages_missing_after_a_cut_drain_are_not_called_lost() {
        let mut report = report();
        spoil(&mut report, 3, 0);
        report.is_drain_cut = true;
        let expected = "delivery          3 missing when the wait for them was interrupted, of 100000\n";
        assert_eq!(last_section(&report), expected);
        assert!(!report.violates_qos());
    }

    #[test]
    fn text_from_files_moves_no_cursor() {
        let mut report = mix();
        report.plan.broker = "\u{1b}[2J".to_owned();
        report.groups[0].name = "a\nb".to_owned();
        report.groups[1].listens_to = Some("\u{1b}]0;x\u{7}".to_owned());
        report.errors.add(Stage::Run, "closed\r".to_owned(), 1);
        assert!(!text(&report).contains(|c: char| c.is_control() && c != '\n'));
        assert!(text(&report).contains("- a\\nb"));
    }

    #[test]
    fn a_search_is_reported_at_the_end() {
        let mut report = report();
        report.search = Some(super::super::search::tests::searched());
        let expected = "search            the highest sustained rate is 1000 messages per second\n";
        assert!(last_section(&report).ends_with(expected), "{}", text(&report));
        assert!(last_section(&report).starts_with("tried per second "), "{}", text(&report));
    }
}
