//! A self-contained HTML page with plots and numbers, without scripts, fonts or external resources. It follows the reader's
//! light or dark setting, is readable on a phone, and is also well-formed XML.

mod chart;

use super::format::{duration, rate};
use super::{Flow, LatencyKind, Report};
use crate::bench::record::{Latencies, Summary};
use crate::bench::timeline::Slot;
use crate::escape;
use chart::{Axis, Chart, Scale, Series};
use std::fmt::Write;

const STYLE: &str = "\
:root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--soft:#667;--rule:#d8dce2;--bad:#b3261e;
--c0:#0969da;--c1:#1a7f37;--c2:#bc4c00;--c3:#8250df;--c4:#bf3989;--c5:#57606a}
@media (prefers-color-scheme:dark){:root{--back:#0f1318;--text:#e4e8ee;--soft:#9aa4b2;--rule:#2c343e;--bad:#ff8a80;
--c0:#58a6ff;--c1:#3fb950;--c2:#f0883e;--c3:#bc8cff;--c4:#f778ba;--c5:#9aa4b2}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:76rem;background:var(--back);color:var(--text);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.5rem 0 .4rem}
p{margin:.3rem 0}.soft{color:var(--soft)}.bad{color:var(--bad);font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem}
figure{margin:0;border:1px solid var(--rule);border-radius:.5rem;padding:.6rem}
figcaption{font-weight:600}svg{width:100%;height:auto;display:block}
svg text{fill:var(--soft);font:13px system-ui,sans-serif}.grid{stroke:var(--rule);fill:none}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.line.c1{stroke-dasharray:9 5}.line.c2{stroke-dasharray:2 5}.line.c3{stroke-dasharray:9 3 2 3}
.legend{font-size:.85rem}.legend span{margin-right:.8rem;white-space:nowrap}
.legend span::before{content:\"\";display:inline-block;width:.8rem;height:.8rem;border-radius:.2rem;
margin-right:.3rem;vertical-align:-.1rem;background:currentColor}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
th:first-child,td:first-child,.words{text-align:left}.words{white-space:normal;min-width:9rem}
.c0{color:var(--c0);stroke:var(--c0)}.c1{color:var(--c1);stroke:var(--c1)}.c2{color:var(--c2);stroke:var(--c2)}
.c3{color:var(--c3);stroke:var(--c3)}.c4{color:var(--c4);stroke:var(--c4)}.c5{color:var(--c5);stroke:var(--c5)}
circle{fill:currentColor;stroke:none}
";

/// The minimum length of a slot of the timeline, in seconds.
const SHORTEST_PART: f64 = 0.001;

/// The percentiles with a label on the axis of the curve.
const PERCENTILES: [f64; 7] = [0.0, 90.0, 99.0, 99.9, 99.99, 99.999, 99.9999];

/// The number of points of the curve between two of these.
const POINTS_PER_DECADE: u32 = 12;

impl Report {
    /// The page.
    pub fn to_html(&self) -> String {
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <title>mq bench: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
            as_text(&self.plan.broker)
        );
        html += &self.html_head();
        html += "<div class=\"charts\">\n";
        let charts =
            [self.throughput_chart(), self.percentile_chart(), self.latency_chart(), self.connect_chart()];
        charts.into_iter().flatten().for_each(|chart| html += &chart.to_html());
        html += "</div>\n";
        html += &self.group_table();
        html += &self.search_table();
        html += &self.flow_table();
        html += &self.percentile_table();
        html += &self.delivery_table();
        html += &self.error_table();
        html + "</body>\n</html>\n"
    }

    fn html_head(&self) -> String {
        let mut html = format!(
            "<h1>mq bench: {}</h1>\n",
            match self.groups.as_slice() {
                [only] => as_text(&only.who()),
                groups => format!("{} clients in {} groups", self.clients(), groups.len()),
            }
        );
        if let [only] = self.groups.as_slice() {
            let _ = writeln!(html, "<p>{}</p>", as_text(&self.load_of(only, &self.for_a_time())));
        }
        let cpus: u64 = self.hosts.iter().map(|host| host.cpus).sum();
        let _ = writeln!(
            html,
            "<p class=\"soft\">{}, {} on {cpus} processors, {} from {}, {:.1} s</p>",
            as_text(&self.place()),
            self.workers(),
            as_text(&self.tool),
            self.started_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
            self.elapsed.as_secs_f64()
        );
        html + &self.html_remarks()
    }

    /// The outcome of the search, a lowered QoS, an early ending and the findings of the self-check.
    fn html_remarks(&self) -> String {
        let mut html = String::new();
        if let Some(search) = &self.search {
            let _ = writeln!(html, "<p>Search: {}</p>", as_text(&search.outcome()));
        }
        if let Some(words) = self.lowered_qos() {
            let _ = writeln!(html, "<p class=\"bad\">QoS: {words}</p>");
        }
        if let Some(words) = self.ending_words() {
            let _ = writeln!(html, "<p class=\"bad\">Ended: {words}</p>");
        }
        for finding in self.self_check() {
            let (class, start) = match finding.mark.is_bottleneck() {
                true => ("bad", "The load generator was the bottleneck: "),
                false => ("soft", "Self-check: "),
            };
            let _ = writeln!(html, "<p class=\"{class}\">{start}{}</p>", as_text(&finding.text));
        }
        html
    }

    /// A count of each slot, with the length of the slot. The run ends within the last slot; the little that follows the one before
    /// is added to that one, since it would look like a standstill.
    fn parts(&self, count: impl Fn(&Slot) -> u64) -> Vec<Part> {
        let width = self.timeline.width().as_secs_f64();
        let slots = self.timeline.slots().iter().zip(0u32..);
        let mut parts: Vec<Part> = slots
            .map(|(slot, index)| Part {
                begin: f64::from(index) * width,
                time: width,
                count: count(slot) as f64,
            })
            .collect();
        let Some(mut last) = parts.pop() else { return parts };
        last.time = (self.busy_until() - last.begin).clamp(SHORTEST_PART, width);
        match parts.last_mut() {
            Some(before) if last.time < width / 2.0 => {
                (before.time, before.count) = (before.time + last.time, before.count + last.count);
            }
            _ => parts.push(last),
        }
        parts
    }

    /// The time of the last connect or message, in seconds since the start.
    fn busy_until(&self) -> f64 {
        let flows = [self.connects, self.sent, self.acknowledged, self.received];
        let ends = flows.into_iter().filter_map(|flow| flow.span).map(|(_, end)| end);
        ends.max().map_or(self.elapsed.as_secs_f64(), |end| end as f64 / 1e9)
    }

    /// A line of a count per second, slot by slot.
    fn rates(&self, name: &str, count: impl Fn(&Slot) -> u64) -> Option<Series> {
        let parts = self.parts(count).into_iter();
        let points: Vec<_> =
            parts.map(|part| (part.begin + part.time / 2.0, part.count / part.time)).collect();
        let has_any = points.iter().any(|&(_, y)| y > 0.0);
        has_any.then(|| Series { name: name.to_owned(), points })
    }

    fn throughput_chart(&self) -> Option<Chart> {
        let lines = [
            self.rates("sent", |slot| slot.sent),
            self.rates("acknowledged", |slot| slot.acknowledged),
            self.rates("received", |slot| slot.received),
            self.rates("denied", |slot| slot.denied),
        ];
        self.chart_over_time("Messages per second", lines)
    }

    fn connect_chart(&self) -> Option<Chart> {
        let lines = [
            self.rates("connected", |slot| slot.connected),
            self.rates("could not connect", |slot| slot.failed),
            self.rates("connection lost", |slot| slot.lost),
        ];
        self.chart_over_time("Connections per second", lines)
    }

    fn chart_over_time<const N: usize>(
        &self,
        title: &'static str,
        lines: [Option<Series>; N],
    ) -> Option<Chart> {
        let series: Vec<_> = lines.into_iter().flatten().collect();
        let highest = series.iter().flat_map(|line| &line.points).map(|&(_, y)| y).fold(0.0, f64::max);
        let y = Axis::linear("", highest);
        (!series.is_empty()).then(|| Chart { title, x: self.time_axis(), y, series })
    }

    fn time_axis(&self) -> Axis {
        let width = self.timeline.width().as_secs_f64();
        Axis::linear("seconds since the start", self.timeline.slots().len() as f64 * width)
    }

    fn latency_chart(&self) -> Option<Chart> {
        let width = self.timeline.width().as_secs_f64();
        let line = |name: &str, time: &dyn Fn(&Slot) -> Option<u64>| {
            let slots = self.timeline.slots().iter().enumerate();
            let points =
                slots.filter_map(|(index, slot)| Some(((index as f64 + 0.5) * width, time(slot)? as f64)));
            Series { name: name.to_owned(), points: points.collect() }
        };
        let series = vec![
            line("p50", &|slot| slot.latency.at_percentile(50.0)),
            line("p99", &|slot| slot.latency.at_percentile(99.0)),
            line("max", &|slot| slot.latency.max()),
        ];
        let y = duration_axis(&series)?;
        Some(Chart { title: "Latency over time", x: self.time_axis(), y, series })
    }

    /// Latency by percentile; each further nine takes the same width.
    fn percentile_chart(&self) -> Option<Chart> {
        let kinds: Vec<_> = self.latency_rows().into_iter().map(|(kind, _)| kind).collect();
        let lines = kinds.into_iter().filter(|kind| *kind != LatencyKind::Lag).filter_map(|kind| {
            let points = curve(self.latencies.get(&kind)?);
            Some(Series { name: kind.full_title(self.acknowledged_qos()), points })
        });
        let series: Vec<_> = lines.collect();
        let last = series.iter().flat_map(|line| &line.points).map(|&(x, _)| x).fold(1.0, f64::max).ceil();
        let ticks = PERCENTILES.into_iter().map(|percentile| (nines(percentile), percentile.to_string()));
        let ticks = ticks.filter(|(place, _)| *place <= last + 0.01).collect();
        let x = Axis { title: "percentile", scale: Scale::Linear, range: (0.0, last), ticks };
        let y = duration_axis(&series)?;
        Some(Chart { title: "Latency by percentile", x, y, series })
    }

    fn group_table(&self) -> String {
        if !self.is_mix() {
            return String::new();
        }
        let rows = self.groups.iter().map(|group| {
            let mut cells = vec![group.name.clone(), group.who(), group.load(&self.for_a_time())];
            cells.extend(group.deliveries().map(|count| count.to_string()));
            cells
        });
        let heads = ["", "clients", "load", "sent", "owed", "lost", "duplicated", "out of order"];
        table("Groups", &heads, rows)
    }

    fn search_table(&self) -> String {
        let Some(search) = &self.search else {
            return String::new();
        };
        table("Search", &search.heads(), search.rows())
    }

    fn flow_table(&self) -> String {
        let flows: [(&str, Flow); 4] = [
            ("connected", self.connects),
            ("sent", self.sent),
            ("acknowledged", self.acknowledged),
            ("received", self.received),
        ];
        let rows = flows.into_iter().map(|(name, flow)| {
            let time = flow.time().map_or("-".to_owned(), |time| duration(time.as_nanos() as u64));
            vec![name.to_owned(), flow.count.to_string(), flow.rate().map_or("-".to_owned(), rate), time]
        });
        table("Throughput", &["", "count", "per second", "time"], rows)
    }

    fn percentile_table(&self) -> String {
        let rows = self.latency_rows().into_iter().map(|(kind, row)| {
            let Summary { count, min, mean, p50, p90, p99, p99_9, max } = row;
            let times = [min, mean, p50, p90, p99, p99_9, max].map(duration);
            let mut cells = vec![kind.full_title(self.acknowledged_qos()), count.to_string()];
            cells.extend(times);
            cells
        });
        table("Latency", &["", "count", "min", "mean", "p50", "p90", "p99", "p99.9", "max"], rows)
    }

    fn delivery_table(&self) -> String {
        let judged = |count: u64| {
            if self.is_delivery_judged() { count.to_string() } else { "not measured".to_owned() }
        };
        let rows = [
            ("could not connect", self.not_connected().to_string()),
            ("connections lost", self.connections_lost.to_string()),
            ("denied", self.account.denied.to_string()),
            ("never acknowledged", self.account.unacknowledged.to_string()),
            ("lost", judged(self.account.lost)),
            ("duplicated", judged(self.duplicates)),
            ("out of order", judged(self.reordered)),
            ("sent late", self.late.to_string()),
        ];
        let rows = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]);
        table("Failures", &["", "count"], rows)
    }

    fn error_table(&self) -> String {
        let errors = self.errors.by_count().into_iter().map(|(stage, text, count)| {
            vec![text.to_owned(), super::json::stage_word(stage).to_owned(), count.to_string()]
        });
        let errors: Vec<_> = errors.collect();
        if errors.is_empty() { String::new() } else { table("Errors", &["", "stage", "count"], errors) }
    }
}

/// The count of a part of the run, whose times are in seconds.
#[derive(Debug, PartialEq)]
struct Part {
    begin: f64,
    time: f64,
    count: f64,
}

/// The position of a percentile: the number of its nines.
fn nines(percentile: f64) -> f64 {
    -(1.0 - percentile / 100.0).log10()
}

/// The points of a latency's curve, as far as the number of samples distinguishes them.
fn curve(latencies: &Latencies) -> Vec<(f64, f64)> {
    let last = (latencies.histogram().len().max(2) as f64).log10().min(6.0);
    let steps = (last * f64::from(POINTS_PER_DECADE)).ceil() as u32;
    let places = (0..=steps).map(|step| (f64::from(step) / f64::from(POINTS_PER_DECADE)).min(last));
    let points = places.filter_map(|place| {
        let percentile = 100.0 * (1.0 - 10_f64.powf(-place));
        Some((place, latencies.at_percentile(percentile)? as f64))
    });
    points.collect()
}

fn duration_axis(series: &[Series]) -> Option<Axis> {
    let times = series.iter().flat_map(|line| &line.points).map(|&(_, time)| time.max(1.0));
    let range = times.fold(None, |range: Option<(f64, f64)>, time| {
        let (low, high) = range.unwrap_or((time, time));
        Some((low.min(time), high.max(time)))
    })?;
    Some(Axis::logarithmic("", range, round_duration))
}

/// A power of ten of nanoseconds, without decimals.
fn round_duration(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ..1e3 => (nanoseconds, "ns"),
        1e3..1e6 => (nanoseconds / 1e3, "µs"),
        1e6..1e9 => (nanoseconds / 1e6, "ms"),
        _ => (nanoseconds / 1e9, "s"),
    };
    format!("{value:.0} {unit}")
}

fn table(title: &str, heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows: Vec<_> = rows.into_iter().collect();
    let has_words = |column: usize| rows.iter().any(|row| row.get(column).is_some_and(|cell| is_words(cell)));
    let class = |is_words: bool| if is_words { " class=\"words\"" } else { "" };
    let heads = heads.iter().enumerate();
    let heads: String = heads
        .map(|(column, head)| format!("<th{}>{}</th>", class(has_words(column)), as_text(head)))
        .collect();
    let mut html = format!("<h2>{title}</h2>\n<div class=\"scroll\"><table>\n<tr>{heads}</tr>\n");
    for row in rows {
        let cells: String =
            row.iter().map(|cell| format!("<td{}>{}</td>", class(is_words(cell)), as_text(cell))).collect();
        let _ = writeln!(html, "<tr>{cells}</tr>");
    }
    html + "</table></div>\n"
}

/// Whether a cell is prose; numbers and their units are aligned instead.
fn is_words(cell: &str) -> bool {
    cell.starts_with(char::is_alphabetic) || cell.split(' ').count() > 2
}

/// Escapes a broker's text. XML cannot represent most control characters, nor two other characters.
fn as_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in escape::line(text).chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::search::tests::searched;
    use super::super::tests::{mix, report};
    use super::*;
    use crate::bench::ending::Ending;
    use crate::bench::record::Stage;
    use roxmltree::{Document, ParsingOptions};

    fn parse(html: &str) -> Document<'_> {
        let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
        Document::parse_with_options(html, options).unwrap_or_else(|error| panic!("{error}: {html}"))
    }

    #[test]
    fn the_page_is_well_formed_and_needs_nothing_else() {
        let mut report = report();
        report.errors.add(Stage::Run, "<script>alert('&')</script>\u{1}\u{ffff}".to_owned(), 1);
        report.plan.broker = "\"><b>".to_owned();
        let html = report.to_html();
        let page = parse(&html);
        let count = |name: &str| page.descendants().filter(|node| node.has_tag_name(name)).count();
        assert_eq!((count("svg"), count("table"), count("script"), count("b")), (4, 4, 0, 0));
        assert!(!html.contains("http"), "nothing from elsewhere");
    }

    #[test]
    fn groups_and_searches_have_a_table() {
        let mut report = mix();
        report.groups[0].name = "a<b".to_owned();
        let mut search = searched();
        search.steps[0].figures[0].metric = "<i>".to_owned();
        report.search = Some(search);
        let html = report.to_html();
        let page = parse(&html);
        let titles = page.descendants().filter(|node| node.has_tag_name("h2")).filter_map(|node| node.text());
        let expected = ["Groups", "Search", "Throughput", "Latency", "Failures"];
        assert_eq!(titles.collect::<Vec<_>>(), expected);
        let cells = page.descendants().filter(|node| node.has_tag_name("td")).filter_map(|node| node.text());
        let cells: Vec<_> = cells.collect();
        assert!(cells.contains(&"a<b") && cells.contains(&"sustained"), "{cells:?}");
        assert!(!page.descendants().any(|node| node.has_tag_name("i")), "a file's words are no tags");
    }

    #[test]
    fn a_run_without_anything_has_a_page_too() {
        let mut report = report();
        report.latencies.clear();
        report.timeline = Default::default();
        let html = report.to_html();
        assert_eq!(parse(&html).descendants().filter(|node| node.has_tag_name("svg")).count(), 0);
    }

    #[test]
    fn no_place_is_not_a_number() {
        let mut report = report();
        report.timeline.at(4_000_000_000_000).latency.record(u64::MAX);
        report.latencies.entry(LatencyKind::Connack).or_default().record(0);
        let html = report.to_html();
        parse(&html);
        assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
    }

    #[test]
    fn a_run_that_ends_within_a_slot_does_not_look_like_a_standstill() {
        let mut report = report();
        report.timeline = Default::default();
        for (second, sent) in [(0, 100), (1, 100), (2, 10)] {
            report.timeline.at(second * 1_000_000_000).sent = sent;
        }
        report.received.span = Some((0, 2_100_000_000));
        let rates = |report: &Report| -> Vec<f64> {
            let series = report.rates("sent", |slot| slot.sent).unwrap();
            series.points.into_iter().map(|(_, rate)| rate.round()).collect()
        };
        assert_eq!(rates(&report), [100.0, 100.0]);
        report.received.span = Some((0, 2_500_000_000));
        assert_eq!(rates(&report), [100.0, 100.0, 20.0]);
        report.received.span = Some((0, 0));
        assert_eq!(rates(&report).len(), 2, "a file that says otherwise has a page as well");
    }

    #[test]
    fn how_it_ended_is_told() {
        let mut report = report();
        (report.ending, report.connections_lost) = (Ending::AllLost, 1100);
        assert!(report.to_html().contains("<p class=\"bad\">Ended: all clients lost their connections</p>"));
        assert!(report.to_markdown().contains("\n- ended: all clients lost their connections\n"));
    }

    #[test]
    fn each_nine_is_a_step() {
        let places = [0.0, 90.0, 99.0, 99.9].map(|percentile| (nines(percentile) * 1000.0).round());
        assert_eq!(places, [0.0, 1000.0, 2000.0, 3000.0]);
    }
}
