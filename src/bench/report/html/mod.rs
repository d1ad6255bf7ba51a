//! A self-contained HTML page: a verdict, the main figures, charts and tables. It follows the reader's light or dark setting, is
//! readable on a phone and on paper, and is also well-formed XML. Its small script only displays values beside the pointer.
//!
//! `plots` chooses the series and axes of a run, and `chart` draws them; they do not depend on each other.

mod axis;
mod broker_plots;
mod chart;
mod comparison;
mod headline;
mod markup;
mod plots;
mod running;
mod tail;

use super::broker_side::HEADS;
use super::brokers::BROKER_HEADS;
use super::format::{duration, rate};
use super::group::{DELIVERY_HEADS, LATENCY_HEADS};
use super::metrics::{GAP_LOST, METRICS, flows};
use super::{Repeat, Report, scenario_word};
use crate::bench::record::Summary;
use crate::escape;
use crate::html::{self, Policy};
pub(crate) use comparison::{ComparisonPage, Trend};
use headline::Headline;
use markup::{Table, as_text, shortened};
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
const LIVE_SCRIPT: &str = include_str!("live.js");

/// The number of groups in the table, and the characters of a cell, so that the size of the page is limited.
const MAX_GROUPS: usize = 50;
/// The maximum number of lines about pairs of brokers.
const MAX_BROKER_PAIRS: usize = 20;
const LONGEST_CELL: usize = 200;

impl Report {
    /// The page.
    pub(crate) fn to_html(&self) -> String {
        let mut html = head(&self.page_title(), &FINISHED);
        html += &self.content();
        let _ = write!(html, "<script>{SCRIPT}</script>\n</body>\n</html>\n");
        html
    }

    /// The page without its frame, for a page that is already displayed.
    pub(crate) fn to_part(&self) -> Part {
        Part { title: self.page_title(), html: self.content() }
    }

    fn page_title(&self) -> String {
        format!("{}: mq bench, {}", Headline::of(self).word(), self.plan.broker)
    }

    fn content(&self) -> String {
        let mut html = self.title();
        html += &Headline::of(self).to_html();
        html +=
            &headline::tiles([self.rate_tile(), self.latency_tile(), self.loss_tile(), self.clients_tile()]);
        html += &self.html_charts();
        html += "<h2>Figures</h2>\n";
        for table in [
            self.run_table(),
            self.group_table(),
            self.brokers_table(),
            self.search_table(),
            self.repeat_table(),
            self.flow_table(),
            self.percentile_table(),
            self.delivery_table(),
            self.error_table(),
            self.broker_table(),
        ] {
            html += &table;
        }
        html
    }

    /// The scenario and the load.
    fn title(&self) -> String {
        let broker = as_text(&self.plan.broker);
        let load = self.whole_load();
        let scenario = scenario_word(self.plan.scenario);
        let start = self.started_at.strftime("%Y-%m-%d %H:%M UTC");
        format!(
            "<h1>mq bench {scenario}: {broker} <span class=\"soft\">{start}</span></h1>\n<p class=\"plan\">{}</p>\n",
            as_text(&load)
        )
    }

    fn whole_load(&self) -> String {
        let time = self.for_a_time();
        match self.groups.as_slice() {
            [only] => format!("{}; {}", only.clients_by_role(), self.load_of(only, &time)),
            groups => {
                format!("{} clients in {} groups{time}{}", self.clients(), groups.len(), self.warm_up())
            }
        }
    }

    fn html_charts(&self) -> String {
        let charts: String = self.charts().iter().map(chart::Chart::to_html).collect();
        if charts.is_empty() {
            return String::new();
        }
        let mut html = format!("<h2>Charts</h2>\n<div class=\"charts\">\n{charts}</div>\n");
        if self.timeline.slots().len() < 2 {
            let width = self.timeline.width().as_secs();
            let _ = writeln!(
                html,
                "<p class=\"soft\">The run was shorter than {width} s, too short for charts over time.</p>"
            );
        }
        html
    }

    fn run_table(&self) -> String {
        let cpus: u64 = self.hosts.iter().map(|host| host.cpus).sum();
        let mut systems: Vec<_> = self.hosts.iter().map(|host| host.system.as_str()).collect();
        systems.dedup();
        let mut rows = vec![
            (self.peer(), self.place()),
            ("load", self.whole_load()),
            (
                "load generator",
                format!("{}, {} on {cpus} CPUs, {}", self.tool, self.workers(), systems.join(", ")),
            ),
            (
                "time",
                format!(
                    "{}, {:.1} s altogether",
                    self.started_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
                    self.elapsed.as_secs_f64()
                ),
            ),
        ];
        rows.extend(self.tls_rows().into_iter().map(|words| ("TLS", words)));
        rows.extend(self.datagram_rows());
        rows.extend(self.self_check().into_iter().map(|finding| ("self-check", finding.text)));
        rows.extend(self.setup_rows());
        let rows = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
        Table { caption: "Run", heads: &[], rows }.to_html()
    }

    fn group_table(&self) -> String {
        if !self.is_mix() {
            return String::new();
        }
        let has_latencies = self.has_group_latencies();
        let short = |text: &str| shortened(text, LONGEST_CELL);
        let rows = self.groups.iter().take(MAX_GROUPS).map(|group| {
            let mut cells =
                [group.name.as_str(), &group.clients_by_role(), &group.load("")].map(short).to_vec();
            match group.outcome.account.sent {
                0 => cells.extend(std::iter::repeat_n("–".to_owned(), 5)),
                _ => cells.extend(group.deliveries().map(|count| count.to_string())),
            }
            if has_latencies {
                cells.extend(group.latency_cells());
            }
            cells
        });
        let heads = ["", "clients", "load"].into_iter().chain(DELIVERY_HEADS);
        let more = has_latencies.then_some(LATENCY_HEADS).into_iter().flatten();
        let heads: Vec<_> = heads.chain(more).collect();
        let caption = match self.groups.len() {
            ..=MAX_GROUPS => "Groups".to_owned(),
            count => format!("The first {MAX_GROUPS} of {count} groups"),
        };
        Table { caption: &caption, heads: &heads, rows: rows.collect() }.to_html()
    }

    fn brokers_table(&self) -> String {
        if self.brokers.is_empty() {
            return String::new();
        }
        let rows = self.brokers.iter().map(|part| {
            let name = shortened(&part.address, LONGEST_CELL);
            std::iter::once(name)
                .chain(self.broker_cells(part))
                .chain(self.broker_latency_cells(part))
                .collect()
        });
        let heads: Vec<_> = std::iter::once("").chain(BROKER_HEADS).chain(LATENCY_HEADS).collect();
        let table = Table { caption: "Brokers", heads: &heads, rows: rows.collect() }.to_html();
        let pairs = self.silent_pairs().into_iter().take(MAX_BROKER_PAIRS);
        let notes = pairs.map(|words| format!("<p>{}</p>\n", as_text(&shortened(&words, LONGEST_CELL))));
        table + &notes.collect::<String>()
    }

    fn broker_table(&self) -> String {
        let rows = self.broker_rows().into_iter();
        let mut rows: Vec<Vec<String>> =
            rows.map(|(name, cells)| std::iter::once(name.to_owned()).chain(cells).collect()).collect();
        let blank = || std::iter::repeat_n(String::new(), HEADS.len() - 1);
        rows.extend(self.broker_remarks().into_iter().map(|remark| {
            ["source".to_owned(), escape::line(&remark).into_owned()].into_iter().chain(blank()).collect()
        }));
        let heads: Vec<_> = std::iter::once("").chain(HEADS).collect();
        match rows.is_empty() {
            true => String::new(),
            false => Table { caption: "Broker side", heads: &heads, rows }.to_html(),
        }
    }

    fn search_table(&self) -> String {
        let Some(search) = &self.search else {
            return String::new();
        };
        Table { caption: "Search", heads: &search.heads(), rows: search.rows().collect() }.to_html()
    }

    fn repeat_table(&self) -> String {
        let Some(repeat) = &self.repeat else {
            return String::new();
        };
        let rows = repeat.rows().into_iter().map(Vec::from).collect();
        Table { caption: &repeat.title(), heads: &Repeat::HEADS, rows }.to_html()
    }

    fn flow_table(&self) -> String {
        let flows = flows(self).into_iter().filter(|(_, flow, _)| flow.count > 0);
        let rows = flows.map(|(name, flow, per_second)| {
            let time = flow.time().map_or("–".to_owned(), |time| duration(time.as_nanos() as u64));
            vec![name.to_owned(), flow.count.to_string(), per_second.map_or("–".to_owned(), rate), time]
        });
        let heads = &["", "count", "per second", "time"];
        Table { caption: "Throughput", heads, rows: rows.collect() }.to_html()
    }

    fn percentile_table(&self) -> String {
        let rows = self.latency_rows().into_iter().map(|(kind, row)| {
            let Summary { count, min, mean, p50, p90, p99, p99_9, max } = row;
            let times = [min, mean, p50, p90, p99, p99_9, max].map(duration);
            let mut cells = vec![kind.full_title(self.acknowledged_qos()), count.to_string()];
            cells.extend(times);
            cells
        });
        let heads = &["", "count", "min", "mean", "p50", "p90", "p99", "p99.9", "max"];
        Table { caption: "Latency", heads, rows: rows.collect() }.to_html()
    }

    fn delivery_table(&self) -> String {
        let rows = METRICS.iter().filter_map(|metric| {
            let (label, count) = metric.failure.zip(metric.count(self))?;
            let is_delivery = metric.counts_deliveries || metric.name == GAP_LOST;
            let is_measured = !is_delivery || self.is_delivery_judged();
            let count = if is_measured { count.to_string() } else { "not measured".to_owned() };
            Some(vec![label.to_owned(), count])
        });
        let rows = rows.collect();
        Table { caption: "Failures", heads: &["", "count"], rows }.to_html()
    }

    fn error_table(&self) -> String {
        let errors = self.errors.by_count().into_iter().map(|(stage, text, count)| {
            vec![shortened(text, LONGEST_CELL), super::json::stage_word(stage).to_owned(), count.to_string()]
        });
        Table { caption: "Errors", heads: &["error", "stage", "count"], rows: errors.collect() }.to_html()
    }
}

/// A report as the changing part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The title of the page.
    pub title: String,
    /// The elements.
    pub html: String,
}

impl Part {
    /// The part before a run has any figures.
    pub(crate) fn waiting() -> Part {
        let html = "<h1>mq bench</h1>\n".to_owned() + &headline::running("the run has not begun");
        Part { title: "mq bench".to_owned(), html }
    }
}

/// A page that displays this part, and then each newer part that the server of the page sends.
pub(crate) fn live_page(part: &Part) -> String {
    let policy = Policy { scripts: &[SCRIPT, LIVE_SCRIPT], connects: true };
    let mut html = head(&part.title, &policy);
    let _ = write!(
        html,
        "<div id=\"report\">\n{}</div>\n<p id=\"connection\" class=\"soft\" role=\"status\"></p>\n\
         <script>{SCRIPT}</script>\n<script>{LIVE_SCRIPT}</script>\n</body>\n</html>\n",
        part.html
    );
    html
}

/// The permissions of a page that is complete.
const FINISHED: Policy<'_> = Policy { scripts: &[SCRIPT], connects: false };

/// The head of the page.
fn head(title: &str, policy: &Policy<'_>) -> String {
    html::head(&shortened(title, LONGEST_CELL), STYLE, policy)
}

#[cfg(test)]
mod tests {
    use super::super::search::tests::searched;
    use super::super::tests::{mix, report};
    use super::super::{Group, LatencyKind, Load};
    use super::*;
    use crate::bench::Ending;
    use crate::bench::record::{Latencies, Stage};
    use crate::bench::timeline::MAX_SLOTS;
    use base64::Engine;
    use roxmltree::{Document, ParsingOptions};
    use sha2::{Digest, Sha256};

    /// The maximum size of a page.
    const MAX_BYTES: usize = 200_000;

    fn parse(html: &str) -> Document<'_> {
        let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
        Document::parse_with_options(html, options).unwrap_or_else(|error| panic!("{error}: {html}"))
    }

    /// The texts of all elements of a name.
    fn texts(html: &str, name: &str) -> Vec<String> {
        let page = parse(html);
        let elements = page.descendants().filter(|node| node.has_tag_name(name));
        let texts = |node: roxmltree::Node<'_, '_>| {
            node.descendants().filter(roxmltree::Node::is_text).filter_map(|part| part.text()).collect()
        };
        elements.map(texts).collect()
    }

    fn two_seconds(report: &mut Report) {
        report.timeline.at(1_500_000_000).latency.record(1_000_000);
    }

    /// Elements and attributes by which a browser would load or send something.
    fn outside(page: &Document<'_>) -> Vec<String> {
        let loads = ["link", "img", "iframe", "object", "embed", "form", "base", "image", "use"];
        let names = ["src", "href", "srcset", "action", "data", "onload", "onclick", "style"];
        let elements = page.descendants().filter(roxmltree::Node::is_element);
        elements
            .flat_map(|node| {
                let attributes = node.attributes().map(|attribute| attribute.name().to_owned());
                attributes.filter(|name| names.contains(&name.as_str())).chain(
                    Some(node.tag_name().name().to_owned()).filter(|name| loads.contains(&name.as_str())),
                )
            })
            .collect()
    }

    #[test]
    fn the_page_is_well_formed_and_needs_nothing_else() {
        let mut report = report();
        two_seconds(&mut report);
        report.errors.add(Stage::Run, "<script>alert('&')</script>\u{1}\u{ffff}".to_owned(), 1);
        report.plan.broker = "\"><b>".to_owned();
        let html = report.to_html();
        let page = parse(&html);
        let count = |name: &str| page.descendants().filter(|node| node.has_tag_name(name)).count();
        assert_eq!((count("figure"), count("table"), count("script")), (6, 5, 1));
        assert!(html.contains("<title>FAIL: mq bench, &quot;&gt;&lt;b&gt;</title>"), "{html}");
        assert_eq!(outside(&page), Vec::<String>::new());
        for part in ["://", "url(", "@import", "fetch(", "XMLHttpRequest", "innerHTML"] {
            assert!(!html.contains(part), "{part}");
        }
    }

    #[test]
    fn the_policy_has_the_hash_of_the_script() {
        let html = report().to_html();
        let page = parse(&html);
        let script = page.descendants().find(|node| node.has_tag_name("script")).and_then(|node| node.text());
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script.unwrap()));
        assert!(html.contains(&format!("script-src 'sha256-{hash}'")), "{hash}");
    }

    #[test]
    fn the_verdict_comes_first() {
        let html = report().to_html();
        let (before, _) = html.split_once("<svg").unwrap();
        assert!(before.contains("<p class=\"word\">PASS</p>"), "{before}");
        assert!(before.contains("p99 1.20 s (end to end), nothing lost"), "{before}");
        let values = texts(&html, "dd");
        assert_eq!(values[..2], ["16667", "100000 messages"]);
    }

    #[test]
    fn groups_and_searches_have_a_table() {
        let mut report = mix();
        report.groups[0].name = "a<b".to_owned();
        let mut search = searched();
        search.steps[0].figures[0].metric = "<i>".to_owned();
        report.search = Some(search);
        let html = report.to_html();
        assert_eq!(texts(&html, "caption"), ["Run", "Groups", "Search", "Throughput", "Latency", "Failures"]);
        assert!(texts(&html, "th").contains(&"a<b".to_owned()), "{html}");
        assert!(texts(&html, "td").contains(&"sustained".to_owned()), "{html}");
        let page = parse(&html);
        assert!(!page.descendants().any(|node| node.has_tag_name("i")), "a file's words are no tags");
        let heads = page.descendants().filter(|node| node.has_tag_name("th"));
        assert!(heads.into_iter().all(|head| head.has_attribute("scope")));
    }

    #[test]
    fn a_run_without_anything_has_a_page_too() {
        let mut report = report();
        report.latencies.clear();
        report.timeline = Default::default();
        let html = report.to_html();
        assert_eq!(parse(&html).descendants().filter(|node| node.has_tag_name("figure")).count(), 0);
    }

    #[test]
    fn a_run_of_a_moment_has_no_charts_over_time() {
        let html = report().to_html();
        assert_eq!(texts(&html, "figure").len(), 2, "the percentiles");
        assert!(html.contains("shorter than 1 s, too short for charts over time"), "{html}");
    }

    #[test]
    fn groups_have_latencies_and_a_chart_of_their_own() {
        let mut report = mix();
        let latencies = report.latencies.clone();
        report.groups[0].latencies = latencies;
        let html = report.to_html();
        assert!(texts(&html, "td").contains(&"end to end".to_owned()), "{html}");
        assert!(texts(&html, "figcaption").iter().any(|caption| caption.contains("by group")), "{html}");
    }

    #[test]
    fn long_names_and_many_groups_leave_the_page_small() {
        let mut report = mix();
        let mut group = report.groups[0].clone();
        group.name = "é<".repeat(1500);
        group.latencies = report.latencies.clone();
        report.groups = vec![group; 500];
        report.plan.broker = "b".repeat(300_000);
        report.errors.add(Stage::Run, "&".repeat(300_000), 1);
        let html = report.to_html();
        assert!(html.len() < MAX_BYTES, "{} bytes", html.len());
        assert!(html.contains("The first 50 of 500 groups"));
        parse(&html);
    }

    #[test]
    fn no_place_is_not_a_number() {
        let mut report = report();
        report.timeline.at(4_000_000_000_000).latency.record(u64::MAX);
        report.latencies.entry(LatencyKind::Connack).or_default().record(0);
        let html = report.to_html();
        let page = parse(&html);
        let attributes = page.descendants().flat_map(|node| node.attributes());
        let wrong =
            attributes.filter(|attribute| ["NaN", "inf"].iter().any(|word| attribute.value().contains(word)));
        assert_eq!(
            wrong.map(|attribute| attribute.value().to_owned()).collect::<Vec<_>>(),
            Vec::<String>::new()
        );
    }

    /// Everything that a run can have, with as many slots, groups and errors as there can be.
    #[test]
    fn the_largest_page_is_small() {
        let mut report = report();
        report.timeline = Default::default();
        for second in 0..MAX_SLOTS as u64 {
            let slot = report.timeline.at(second * 1_000_000_000);
            let varied = second * 7919 % 1013;
            (slot.sent, slot.received, slot.acknowledged) = (1000 + varied, 900 + varied, 950 + varied);
            (slot.failed, slot.lost, slot.rejected, slot.connected) =
                (varied, varied + 1, varied + 2, varied + 3);
            slot.latency.record_several(1_000_000 + varied * 1000, 100);
        }
        report.received.span = Some((0, MAX_SLOTS as u64 * 1_000_000_000));
        for kind in LatencyKind::ALL {
            let mut latencies = Latencies::default();
            (1..2000).for_each(|step| latencies.record_several(step * 1_000_000, 1000));
            report.latencies.insert(kind, latencies);
        }
        let long = "&".repeat(10_000);
        let load = Load([("topic".to_owned(), long.clone())].into());
        let group =
            || Group { name: "group".to_owned(), shape: Some(load.clone()), ..super::super::tests::group() };
        report.groups = (0..1000).map(|_| group()).collect();
        report.groups.iter_mut().for_each(|group| group.outcome.account.lost = 1);
        (0..50).for_each(|error| report.errors.add(Stage::Run, format!("{error}{long}"), 1));
        let html = report.to_html();
        parse(&html);
        assert!(
            html.len() <= MAX_BYTES * 3 / 2,
            "with texts that are five times as long when escaped: {}",
            html.len()
        );
        report.groups.iter_mut().for_each(|group| group.shape = None);
        report.errors = Default::default();
        let html = report.to_html();
        assert!(html.len() <= MAX_BYTES, "{}", html.len());
    }

    #[test]
    fn how_it_ended_is_reported() {
        let mut report = report();
        (report.ending, report.connections_lost) = (Ending::AllLost, 1100);
        let html = report.to_html();
        let expected = "<li class=\"bad\"><b><span aria-hidden=\"true\">✗</span> FAIL</b> all clients lost their connections</li>";
        assert!(html.contains(expected), "{html}");
        assert!(report.to_markdown().contains("\n- ended: all clients lost their connections\n"));
    }
}
