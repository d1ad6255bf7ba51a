//! The charts of a run as data: their series and axes.

use super::super::{Group, LatencyKind, Load, Report};
use super::axis::{Axis, Quantity};
use super::chart::{Band, Chart, Mark, Series};
use super::markup::shortened;
use super::tail::Tail;
use crate::bench::Step;
use crate::bench::rate_course::RateCourse;
use crate::bench::record::{ConnectTimes, Connects, Latencies};
use crate::bench::timeline::{MAX_SLOTS, Slot};

/// The minimum length of a slot of the timeline, in seconds.
const SHORTEST_PART: f64 = 0.001;

/// Charts over time need this many slots.
pub(super) const MIN_SLOTS: usize = 2;

/// The number of points of a curve for each nine.
const POINTS_PER_NINE: u32 = 12;

/// A curve ends at this many nines.
const MAX_NINES: f64 = 6.0;

/// The latencies of messages; all others are of connections.
const OF_MESSAGES: [LatencyKind; 7] = [
    LatencyKind::EndToEnd,
    LatencyKind::EndToEndPlanned,
    LatencyKind::RoundTrip,
    LatencyKind::RoundTripPlanned,
    LatencyKind::Acknowledged,
    LatencyKind::AcknowledgedPlanned,
    LatencyKind::Lag,
];

/// The number of groups in a chart: as many as there are styles; and the characters of a name in its legend.
const MAX_GROUP_CURVES: usize = 8;
const LONGEST_NAME: usize = 40;

impl Report {
    /// All charts, the most important first.
    pub(super) fn charts(&self) -> Vec<Chart> {
        let over_time = [
            self.throughput_chart(),
            self.latency_chart(),
            self.failure_chart(),
            self.clients_chart(),
            self.connects_chart(),
            self.group_connects_chart("Connects per second by group", |slot| slot.connected),
            self.group_connects_chart("Reconnects per second by group", |slot| slot.reconnected),
        ];
        let is_long_enough = self.timeline.slots().len() >= MIN_SLOTS;
        let [throughput, latency, failures, clients, connects, of_groups, again] =
            over_time.map(|chart| chart.filter(|_| is_long_enough));
        let curves = [
            self.percentile_chart("Latency of messages by percentile", |kind| OF_MESSAGES.contains(&kind)),
            self.percentile_chart("Latency of connections by percentile", |kind| {
                !OF_MESSAGES.contains(&kind)
            }),
        ];
        let [of_messages, of_connections] = curves;
        let charts = [
            throughput,
            latency,
            of_messages,
            self.group_chart(),
            failures,
            clients,
            connects,
            of_groups,
            again,
            of_connections,
        ];
        charts.into_iter().flatten().chain(self.broker_charts()).collect()
    }

    fn throughput_chart(&self) -> Option<Chart> {
        let mut lines = vec![
            self.rates("sent", 0, |slot| slot.sent),
            self.rates("acknowledged", 1, |slot| slot.acknowledged),
            self.rates("received", 2, |slot| slot.received),
            self.rates("rejected", 3, |slot| slot.rejected),
        ];
        lines.push(self.planned_rate().filter(|_| lines.iter().any(Option::is_some)));
        self.chart_over_time("Messages per second", Quantity::Rate, lines)
    }

    /// The planned rate while messages are sent.
    fn planned_rate(&self) -> Option<Series> {
        let begin = self.begin_of(|step| matches!(step, Step::WarmUp | Step::Measure))?;
        let end = self.begin_of(|step| matches!(step, Step::CatchUp | Step::Drain | Step::Hold));
        let end = end.unwrap_or(self.busy_until()).max(begin);
        // With a value for each slot, as the other lines have.
        let slots = self.parts(|slot| slot.sent).into_iter().map(|part| part.begin + part.time / 2.0);
        let times: Vec<f64> = slots.filter(|time| begin < *time && *time < end).collect();
        let points = match &self.plan.rate_course {
            Some(course) => course_points(course, (begin, end), &times),
            None => {
                let rate = self.constant_rate()?;
                [begin].into_iter().chain(times).chain([end]).map(|time| (time, Some(rate))).collect()
            }
        };
        Some(Series { name: "planned".to_owned(), style: 7, mark: Mark::Curve, points })
    }

    /// The planned rate, unless it changes.
    fn constant_rate(&self) -> Option<f64> {
        let shapes = self.groups.iter().filter_map(|group| group.shape.as_ref());
        self.plan.rate.filter(|_| !shapes.into_iter().any(Load::varies))
    }

    /// The connects of each group over time, if there are several.
    fn group_connects_chart(&self, caption: &str, count: impl Fn(&Connects) -> u64) -> Option<Chart> {
        let has_any = |group: &&Group| group.connects.slots().values().any(|slot| count(slot) > 0);
        let groups: Vec<_> = self.groups.iter().filter(has_any).collect();
        let styles = groups.iter().take(MAX_GROUP_CURVES).enumerate();
        let series = styles.map(|(style, group)| {
            let name = shortened(&group.name, LONGEST_NAME);
            Some(Series {
                name,
                style,
                mark: Mark::Line,
                points: self.connect_points(&group.connects, &count),
            })
        });
        let chart = self.chart_over_time(caption, Quantity::Rate, series.collect())?;
        Some(Chart { note: note_on_groups(groups.len()), ..chart })
    }

    /// A count per second in each slot, in the middle of the slot. Between connects the line has a gap, as the lines of the groups would hide
    /// each other at zero.
    fn connect_points(
        &self,
        times: &ConnectTimes,
        count: impl Fn(&Connects) -> u64,
    ) -> Vec<(f64, Option<f64>)> {
        let width = times.slot_ns() as f64 / 1e9;
        let last = (self.end() / width).ceil().clamp(1.0, MAX_SLOTS as f64) as u64;
        let count = |slot: u64| times.slots().get(&slot).map_or(0, &count);
        let point = |slot: u64| {
            let is_near = [slot.saturating_sub(1), slot, slot + 1].into_iter().any(|slot| count(slot) > 0);
            let rate = is_near.then(|| count(slot) as f64 / width);
            (((slot as f64 + 0.5) * width).min(self.end()), rate)
        };
        (0..last).map(point).collect()
    }

    /// The times after a connection was lost count as connected again, as soon as the broker accepts the client.
    fn clients_chart(&self) -> Option<Chart> {
        let width = self.timeline.width().as_secs_f64();
        let mut clients = 0_u64;
        let counts = self.timeline.slots().iter().zip(1_u32..).map(|(slot, end)| {
            clients = clients.saturating_add(slot.connected).saturating_sub(slot.lost);
            ((f64::from(end) * width).min(self.end()), Some(clients as f64))
        });
        let points: Vec<_> = std::iter::once((0.0, Some(0.0))).chain(counts).collect();
        let line = Series { name: "connected".to_owned(), style: 0, mark: Mark::Line, points };
        let has_any = line.points.iter().any(|(_, count)| *count > Some(0.0));
        self.chart_over_time("Connected clients", Quantity::Count, vec![Some(line).filter(|_| has_any)])
    }

    fn connects_chart(&self) -> Option<Chart> {
        let lines = vec![
            self.rates("connected", 0, |slot| slot.connected),
            self.rates("could not connect", 1, |slot| slot.failed),
            self.rates("connection lost", 3, |slot| slot.lost),
        ];
        self.chart_over_time("Connects and losses per second", Quantity::Rate, lines)
    }

    fn failure_chart(&self) -> Option<Chart> {
        let lines = vec![
            self.events("could not connect", 1, |slot| slot.failed),
            self.events("connection lost", 3, |slot| slot.lost),
            self.events("message rejected", 5, |slot| slot.rejected),
        ];
        self.chart_over_time("Failures", Quantity::Count, lines)
    }

    /// The latency of each slot. Without samples the line has a gap.
    fn latency_chart(&self) -> Option<Chart> {
        let line = |name: &str, style: usize, time: &dyn Fn(&Slot) -> Option<u64>| Series {
            name: name.to_owned(),
            style,
            mark: Mark::Line,
            points: self.latency_points(time),
        };
        let series = vec![
            line("p50", 0, &|slot| slot.latency.at_percentile(50.0)),
            line("p99", 1, &|slot| slot.latency.at_percentile(99.0)),
            line("max", 4, &|slot| slot.latency.max()),
        ];
        let y = latency_axis(&series)?;
        Some(Chart {
            caption: format!("Latency over time: {}", self.latency_of_slots()),
            note: Tail::of(self).map(|tail| tail.to_text()).unwrap_or_default(),
            x: self.time_axis(),
            y,
            bands: self.bands(),
            series,
        })
    }

    /// The latency that the slots of the timeline have.
    fn latency_of_slots(&self) -> String {
        let is_measured = |kind: &LatencyKind| self.latencies.contains_key(kind);
        let received = [LatencyKind::EndToEnd, LatencyKind::RoundTrip].into_iter().filter(is_measured);
        let mut titles: Vec<_> = received.map(|kind| kind.title(None)).collect();
        if titles.is_empty() {
            titles.push(LatencyKind::Acknowledged.title(self.acknowledged_qos()));
        }
        let is_planned = OF_MESSAGES.iter().any(|kind| kind.real().is_some() && is_measured(kind));
        titles.join(" and ") + if is_planned { ", from the planned time" } else { "" }
    }

    /// A latency of each slot, in the middle of the slot.
    pub(super) fn latency_points(&self, time: impl Fn(&Slot) -> Option<u64>) -> Vec<(f64, Option<f64>)> {
        let width = self.timeline.width().as_secs_f64();
        let slots = self.timeline.slots().iter().enumerate();
        let points = slots.map(|(index, slot)| {
            (((index as f64 + 0.5) * width).min(self.end()), time(slot).map(|time| time as f64))
        });
        points.collect()
    }

    fn percentile_chart(&self, caption: &str, is_in: impl Fn(LatencyKind) -> bool) -> Option<Chart> {
        let kinds: Vec<_> =
            self.latency_rows().into_iter().map(|(kind, _)| kind).filter(|kind| is_in(*kind)).collect();
        let series: Vec<_> = kinds
            .into_iter()
            .filter_map(|kind| {
                let name = kind.full_title(self.acknowledged_qos());
                Some(curve(name, style_of(kind), self.latencies.get(&kind)?))
            })
            .collect();
        let last = series.iter().flat_map(|line| &line.points).map(|&(x, _)| x).fold(1.0, f64::max);
        let y = latency_axis(&series)?;
        let (caption, x) = (caption.to_owned(), Axis::percentiles(last));
        Some(Chart { caption, note: String::new(), x, y, bands: vec![], series })
    }

    /// The main latency of each group, if there are several.
    fn group_chart(&self) -> Option<Chart> {
        let measured = self.groups.iter().filter_map(|group| {
            let (kind, _) = group.main_latency()?;
            Some((
                format!("{}: {}", shortened(&group.name, LONGEST_NAME), group.title_of(kind)),
                group.latencies.get(&kind)?,
            ))
        });
        let curves = measured.take(MAX_GROUP_CURVES).enumerate();
        let series: Vec<_> = curves.map(|(style, (name, latencies))| curve(name, style, latencies)).collect();
        let last = series.iter().flat_map(|line| &line.points).map(|&(x, _)| x).fold(1.0, f64::max);
        let y = latency_axis(&series)?;
        let with_latency = self.groups.iter().filter(|group| group.main_latency().is_some()).count();
        let (caption, x) = ("Latency percentiles by group".to_owned(), Axis::percentiles(last));
        Some(Chart { caption, note: note_on_groups(with_latency), x, y, bands: vec![], series })
    }

    pub(super) fn chart_over_time(
        &self,
        caption: &str,
        quantity: Quantity,
        series: Vec<Option<Series>>,
    ) -> Option<Chart> {
        let series: Vec<_> = series.into_iter().flatten().collect();
        let values = series.iter().flat_map(|line| &line.points).filter_map(|&(_, value)| value);
        let y = Axis::linear(quantity, values.fold(0.0, f64::max));
        (!series.is_empty()).then(|| Chart {
            caption: caption.to_owned(),
            note: String::new(),
            x: self.time_axis(),
            y,
            bands: self.bands(),
            series,
        })
    }

    fn time_axis(&self) -> Axis {
        Axis::time(self.end())
    }

    /// The end of the time axis in seconds: the end of the last slot, or of the run within it.
    pub(super) fn end(&self) -> f64 {
        let width = self.timeline.width().as_secs_f64();
        let slots = self.timeline.slots().len() as f64;
        self.busy_until().clamp((slots - 1.0).max(0.0) * width + SHORTEST_PART, slots.max(1.0) * width)
    }

    /// The phases outside the measurement, as shaded bands.
    fn bands(&self) -> Vec<Band> {
        let ends = self.phases.iter().skip(1).map(|(_, begin)| *begin as f64 / 1e9).chain([self.end()]);
        let phases = self.phases.iter().zip(ends).filter_map(|((step, begin), end)| {
            let name = match step {
                Step::WarmUp => "warm-up",
                Step::Wait => "wait",
                Step::Reconnect => "reconnect",
                Step::Hold => "connections kept",
                Step::Connect | Step::Subscribe | Step::Measure | Step::CatchUp | Step::Drain => return None,
            };
            Some(Band { name, range: (*begin as f64 / 1e9, end) })
        });
        phases.filter(|band| band.range.1 > band.range.0).collect()
    }

    /// The begin of the first phase of a kind, in seconds.
    fn begin_of(&self, is_phase: impl Fn(Step) -> bool) -> Option<f64> {
        let phase = self.phases.iter().find(|(step, _)| is_phase(*step))?;
        Some(phase.1 as f64 / 1e9)
    }

    /// A count and a length for each slot. The last slot is only used up to the end of the load; if that is less than half of it,
    /// it is added to the one before, as it would look like a standstill.
    fn parts(&self, count: impl Fn(&Slot) -> u64) -> Vec<Part> {
        let width = self.timeline.width().as_secs_f64();
        let slots = self.timeline.slots().iter().zip(0_u32..);
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

    /// A line of a count per second, slot by slot; `None` if it is always zero.
    pub(super) fn rates(&self, name: &str, style: usize, count: impl Fn(&Slot) -> u64) -> Option<Series> {
        let parts = self.parts(count).into_iter();
        let points: Vec<_> =
            parts.map(|part| (part.begin + part.time / 2.0, Some(part.count / part.time))).collect();
        let has_any = points.iter().any(|&(_, rate)| rate > Some(0.0));
        has_any.then(|| Series { name: name.to_owned(), style, mark: Mark::Line, points })
    }

    /// A symbol for each slot with events of a kind; `None` without any.
    fn events(&self, name: &str, style: usize, count: impl Fn(&Slot) -> u64) -> Option<Series> {
        let parts = self.parts(count).into_iter();
        let points: Vec<_> = parts.map(|part| (part.begin + part.time / 2.0, Some(part.count))).collect();
        let has_any = points.iter().any(|&(_, count)| count > Some(0.0));
        has_any.then(|| Series { name: name.to_owned(), style, mark: Mark::Symbol, points })
    }
}

/// The count of a part of the run, whose times are in seconds.
#[derive(Debug, PartialEq)]
struct Part {
    begin: f64,
    time: f64,
    count: f64,
}

/// A latency has the same style in every report, so that two pages can be compared.
fn style_of(kind: LatencyKind) -> usize {
    match kind {
        LatencyKind::EndToEnd | LatencyKind::TcpConnect => 0,
        LatencyKind::EndToEndPlanned | LatencyKind::Connack => 1,
        LatencyKind::Acknowledged | LatencyKind::Tls => 2,
        LatencyKind::AcknowledgedPlanned | LatencyKind::WebSocket => 3,
        LatencyKind::RoundTrip | LatencyKind::Authenticate => 4,
        LatencyKind::RoundTripPlanned | LatencyKind::AuthenticateWait => 5,
        LatencyKind::Resubscribed => 6,
        LatencyKind::Lag => 7,
    }
}

/// The percentiles of a latency, up to the highest one that the number of samples can resolve.
pub(super) fn curve(name: String, style: usize, latencies: &Latencies) -> Series {
    let last = (latencies.histogram().len().max(2) as f64).log10().min(MAX_NINES);
    let steps = (last * f64::from(POINTS_PER_NINE)).ceil() as u32;
    let places = (0..=steps).map(|step| (f64::from(step) / f64::from(POINTS_PER_NINE)).min(last));
    let points = places.map(|place| {
        let percentile = 100.0 * (1.0 - 10_f64.powf(-place));
        (place, latencies.at_percentile(percentile).map(|time| time as f64))
    });
    Series { name, style, mark: Mark::Curve, points: points.collect() }
}

pub(super) fn latency_axis(series: &[Series]) -> Option<Axis> {
    Axis::latency(series.iter().flat_map(|line| &line.points).filter_map(|&(_, time)| time))
}

/// A planned rate at its corners and in the middle of each slot. Times are seconds since the start of the run.
fn course_points(course: &RateCourse, (begin, end): (f64, f64), slots: &[f64]) -> Vec<(f64, Option<f64>)> {
    let since_begin = |time: f64| ((time - begin).max(0.0) * 1e9) as u64;
    let corners = course.until(since_begin(end));
    let corners = corners.iter().map(|point| (begin + point.at_ns as f64 / 1e9, Some(point.per_second)));
    let slots = slots.iter().map(|time| (*time, Some(course.before(since_begin(*time)))));
    let mut points: Vec<_> = corners.chain(slots).collect();
    points.sort_by(|first, second| first.0.total_cmp(&second.0));
    points
}

/// Says that a chart has some of the groups only.
fn note_on_groups(count: usize) -> String {
    match count {
        ..=MAX_GROUP_CURVES => String::new(),
        count => format!("The first {MAX_GROUP_CURVES} of {count} groups."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{mix, report};
    use super::*;
    use crate::bench::rate_course::RatePoint;

    fn seconds_of(report: &mut Report, sent: &[u64]) {
        report.timeline = Default::default();
        (report.sent.span, report.acknowledged.span) = (None, None);
        for (second, count) in (0..).zip(sent) {
            report.timeline.at(second * 1_000_000_000).sent = *count;
        }
    }

    #[test]
    fn a_run_that_ends_within_a_slot_does_not_look_like_a_standstill() {
        let mut report = report();
        seconds_of(&mut report, &[100, 100, 10]);
        report.received.span = Some((0, 2_100_000_000));
        let rates = |report: &Report| -> Vec<f64> {
            let series = report.rates("sent", 0, |slot| slot.sent).unwrap();
            series.points.into_iter().filter_map(|(_, rate)| rate).map(f64::round).collect()
        };
        assert_eq!(rates(&report), [100.0, 100.0]);
        report.received.span = Some((0, 2_500_000_000));
        assert_eq!(rates(&report), [100.0, 100.0, 20.0]);
        report.received.span = Some((0, 0));
        assert_eq!(rates(&report).len(), 2, "a file that says otherwise has a page as well");
    }

    #[test]
    fn the_warm_up_is_a_band_and_the_planned_rate_a_line() {
        let mut report = report();
        seconds_of(&mut report, &[100; 5]);
        report.plan.rate = Some(100.0);
        report.received.span = Some((0, 5_000_000_000));
        report.phases = vec![(Step::Connect, 0), (Step::WarmUp, 500_000_000), (Step::Measure, 2_000_000_000)];
        let chart = report.throughput_chart().unwrap();
        let bands: Vec<_> = chart.bands.iter().map(|band| (band.name, band.range)).collect();
        assert_eq!(bands, [("warm-up", (0.5, 2.0))]);
        let planned = chart.series.iter().find(|series| series.name == "planned").unwrap();
        let times: Vec<_> = planned.points.iter().map(|(time, _)| *time).collect();
        assert_eq!(times, [0.5, 1.5, 2.5, 3.5, 4.5, 5.0]);
    }

    #[test]
    fn lost_connections_are_symbols_and_lower_the_number_of_clients() {
        let mut report = report();
        report.timeline = Default::default();
        report.timeline.at(0).connected = 10;
        (report.timeline.at(2_000_000_000).lost, report.timeline.at(3_000_000_000).connected) = (4, 3);
        report.received.span = Some((0, 4_000_000_000));
        let clients: Vec<_> = report.clients_chart().unwrap().series.remove(0).points;
        let counts: Vec<_> = clients.into_iter().filter_map(|(_, count)| count).collect();
        assert_eq!(counts, [0.0, 10.0, 10.0, 6.0, 9.0]);
        let failures = report.failure_chart().unwrap();
        let names: Vec<_> =
            failures.series.iter().map(|series| (series.name.as_str(), series.mark)).collect();
        assert_eq!(names, [("connection lost", Mark::Symbol)]);
    }

    #[test]
    fn the_planned_rate_of_stages_is_a_curve_with_corners() {
        let mut report = report();
        report.timeline = Default::default();
        (0..10).for_each(|second| report.timeline.at(second * 1_000_000_000).sent = 10);
        report.sent.span = Some((1_000_000_000, 10_000_000_000));
        report.received.span = report.sent.span;
        report.phases =
            vec![(Step::Connect, 0), (Step::Measure, 1_000_000_000), (Step::Drain, 9_000_000_000)];
        let points = [(0, 0.0), (4, 100.0), (4, 20.0), (6, 20.0), (6, 0.0)];
        let point =
            |(second, per_second): (u64, f64)| RatePoint { at_ns: second * 1_000_000_000, per_second };
        report.plan.rate_course = Some(RateCourse::new(points.map(point).into()));
        let chart = report.throughput_chart().unwrap();
        let planned = chart.series.iter().find(|series| series.name == "planned").unwrap();
        let points: Vec<_> = planned.points.iter().map(|(time, rate)| (*time, rate.unwrap())).collect();
        assert_eq!((points.first(), points.last()), (Some(&(1.0, 0.0)), Some(&(9.0, 0.0))));
        for corner in [(5.0, 100.0), (5.0, 20.0), (7.0, 20.0), (7.0, 0.0)] {
            assert!(points.contains(&corner), "{corner:?} in {points:?}");
        }
        assert!(points.contains(&(3.5, 62.5)), "the middle of a slot: {points:?}");
    }

    #[test]
    fn each_group_has_its_connects_over_time() {
        let mut report = mix();
        report.timeline = Default::default();
        report.timeline.at(4_000_000_000).connected = 1;
        report.connects.span = Some((0, 5_000_000_000));
        report.groups[0].connects.at(0).connected = 1100;
        report.groups[1].connects.at(3_000_000_000).connected = 5;
        report.groups[1].connects.at(4_000_000_000).reconnected = 2;
        let captions: Vec<_> = report.charts().into_iter().map(|chart| chart.caption).collect();
        assert!(captions.iter().any(|caption| caption == "Reconnects per second by group"), "{captions:?}");
        let chart = report.group_connects_chart("connects", |slot| slot.connected).unwrap();
        let names: Vec<_> = chart.series.iter().map(|series| (series.name.as_str(), series.style)).collect();
        assert_eq!(names, [("sensors", 0), ("idle", 1)]);
        let values =
            |index: usize| chart.series[index].points.iter().map(|(_, value)| *value).collect::<Vec<_>>();
        let gap = None;
        assert_eq!(values(0), [Some(1100.0), Some(0.0), gap, gap, gap]);
        assert_eq!(values(1), [gap, gap, Some(0.0), Some(5.0), Some(0.0)]);
        report.groups[1].connects = ConnectTimes::default();
        assert!(report.group_connects_chart("again", |slot| slot.reconnected).is_none());
    }

    #[test]
    fn a_second_without_samples_is_a_gap() {
        let mut report = report();
        report.timeline = Default::default();
        for second in [0, 2] {
            report.timeline.at(second * 1_000_000_000).latency.record(5_000_000);
        }
        let chart = report.latency_chart().unwrap();
        let is_gap: Vec<_> = chart.series[0].points.iter().map(|(_, time)| time.is_none()).collect();
        assert_eq!(is_gap, [false, true, false]);
        assert_eq!(chart.caption, "Latency over time: end to end");
    }
}
