//! The planned messages of a part of a run: until its end, or in a second without any.

use super::{Flow, Group, Load, Report};
use crate::bench::ending::{Ending, Step};
use crate::bench::plan::Scenario;
use crate::bench::rate_course::RateCourse;
use std::time::Duration;

/// With this many publishers that are on at the same time on average, it is practically impossible that all are off.
const ENOUGH_ON: f64 = 20.0;

/// A slot of the timeline in which this many messages are expected should not be empty.
pub(super) const EXPECTED_IN_A_SLOT: f64 = 10.0;

impl Group {
    fn has_pauses(&self) -> bool {
        self.shape.as_ref().is_some_and(Load::has_pauses)
    }

    /// Its planned rate over time, unless it is only a mean.
    fn exact_course(&self) -> Option<&RateCourse> {
        let on = self.shape.as_ref().and_then(Load::on_share).map(|share| share * self.publishers as f64);
        self.rate_course.as_ref().filter(|_| on.is_none_or(|on| on >= ENOUGH_ON))
    }

    fn burst(&self) -> f64 {
        self.shape.as_ref().map_or(1.0, Load::burst)
    }
}

impl Report {
    /// The sent and the planned messages per second of the measurement, until its end; `None` if the plan is unknown.
    pub(super) fn sent_and_planned(&self) -> Option<(f64, f64)> {
        let planned = self.plan.rate?;
        let is_unplanned = |group: &Group| group.publishers > 0 && group.rate.is_none();
        if self.is_mix() && self.groups.iter().any(is_unplanned) {
            return None;
        }
        let varies = self.groups.iter().filter_map(|group| group.shape.as_ref()).any(Load::varies);
        if varies && let Some(rates) = self.varying_sent_and_planned() {
            return Some(rates);
        }
        let is_comparable = !varies || self.ending == Ending::Complete;
        Some((self.sent.sent_rate().filter(|_| is_comparable)?, planned))
    }

    fn varying_sent_and_planned(&self) -> Option<(f64, f64)> {
        let load = self.load_begin()?;
        let begin = self.begin_of_step(|step| step == Step::Measure)?;
        let end = self.begin_of_step(|step| matches!(step, Step::CatchUp | Step::Drain | Step::Hold));
        let end = end.unwrap_or(self.elapsed.as_nanos() as u64);
        let publishing = self.groups.iter().filter(|group| group.publishers > 0);
        let planned = publishing.map(|group| {
            let messages =
                group.exact_course()?.messages(begin.saturating_sub(load), end.saturating_sub(load));
            Some(messages.min(group.messages.map_or(f64::MAX, |most| most as f64)))
        });
        let planned: f64 = planned.sum::<Option<f64>>()?;
        let time = Duration::from_nanos(end.saturating_sub(begin));
        let sending = self.sent.time().unwrap_or_default().max(time);
        let is_measured = !time.is_zero() && planned > 0.0;
        is_measured.then(|| (self.sent.count as f64 / sending.as_secs_f64(), planned / time.as_secs_f64()))
    }

    /// The start of the load, in nanoseconds since the start of the run.
    fn load_begin(&self) -> Option<u64> {
        self.begin_of_step(|step| matches!(step, Step::WarmUp | Step::Measure))
    }

    fn begin_of_step(&self, is_step: impl Fn(Step) -> bool) -> Option<u64> {
        self.phases.iter().find(|(step, _)| is_step(*step)).map(|(_, begin)| *begin)
    }

    /// Whether messages are expected throughout a slot of the timeline, so that it should not be empty.
    pub(super) fn is_busy(&self, begin: u64, end: u64) -> bool {
        // Messages at the end of a slot may arrive in the next one.
        let middle = u64::midpoint(begin, end);
        let expected = self.expected(begin, middle).min(self.expected(middle, end));
        expected * 2.0 >= EXPECTED_IN_A_SLOT
    }

    /// A number of messages that should arrive, or be acknowledged, between two times since the start of the run. It is too low where
    /// the plan is unknown.
    fn expected(&self, begin: u64, end: u64) -> f64 {
        let flow = self.throughput();
        if !self.groups.iter().any(Group::has_pauses) {
            return usual(flow, begin, end);
        }
        let is_received = flow == self.received;
        let is_watched =
            |group: &&Group| !is_received || !matches!(group.scenario, Scenario::Publish | Scenario::Connect);
        let expected = |group| match self.is_listening(group) {
            true => self.expected_by_listeners(group, begin, end),
            false => self.expected_of(group, begin, end),
        };
        self.groups.iter().filter(is_watched).map(expected).sum()
    }

    fn is_listening(&self, group: &Group) -> bool {
        group.listens_to.is_some() || group.scenario == Scenario::Subscribe
    }

    /// Messages of other groups arrive at their usual rate, unless one of these groups has a pause.
    fn expected_by_listeners(&self, group: &Group, begin: u64, end: u64) -> f64 {
        let least = EXPECTED_IN_A_SLOT / 2.0;
        let is_paused = |group: &Group| group.has_pauses() && self.expected_of(group, begin, end) < least;
        let received = if self.is_mix() {
            group.measured.map(|measured| measured.received)
        } else {
            Some(self.received)
        };
        match received.filter(|flow| is_within(*flow, begin, end)) {
            Some(flow) if !self.groups.iter().any(|group| group.publishers > 0 && is_paused(group)) => {
                usual(flow, begin, end)
            }
            _ => 0.0,
        }
    }

    /// The messages that a group should send between its first and its last one.
    fn expected_of(&self, group: &Group, begin: u64, end: u64) -> f64 {
        let sent = if self.is_mix() { group.measured.map(|measured| measured.sent) } else { Some(self.sent) };
        let Some(((first, last), load)) = sent.and_then(|flow| flow.span).zip(self.load_begin()) else {
            return 0.0;
        };
        match (group.exact_course(), group.rate) {
            (Some(course), _) => {
                let since_load = |time: u64| time.clamp(first, last.max(first)).saturating_sub(load);
                course.messages(since_load(begin), since_load(end)) / group.burst()
            }
            (None, None) => {
                sent.filter(|flow| is_within(*flow, begin, end)).map_or(0.0, |flow| usual(flow, begin, end))
            }
            (None, Some(_)) => 0.0,
        }
    }
}

fn is_within(flow: Flow, begin: u64, end: u64) -> bool {
    flow.span.is_some_and(|(first, last)| first <= begin && end <= last)
}

/// The messages of this time at the mean rate.
fn usual(flow: Flow, begin: u64, end: u64) -> f64 {
    flow.rate().unwrap_or_default() * Duration::from_nanos(end.saturating_sub(begin)).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::super::GroupMeasurements;
    use super::super::tests::{mix, report};
    use super::*;
    use crate::bench::rate_course::RatePoint;

    const SECOND: u64 = 1_000_000_000;

    fn course(points: &[(u64, f64)]) -> Option<RateCourse> {
        let point = |&(second, per_second): &(u64, f64)| RatePoint { at_ns: second * SECOND, per_second };
        Some(RateCourse::new(points.iter().map(point).collect()))
    }

    fn shape(key: &str, value: &str) -> Option<Load> {
        Some(Load([(key.to_owned(), value.to_owned())].into()))
    }

    /// The standstill of a run that has these numbers of received messages in its seconds.
    fn standstill(report: &mut Report, received: &[u64]) -> Option<String> {
        report.timeline = Default::default();
        for (second, count) in (0..).zip(received) {
            report.timeline.at(second * SECOND).received = *count;
        }
        let whole = Some((0, received.len() as u64 * SECOND));
        (report.sent.span, report.received.span) = (whole, whole);
        let verdicts = report.verdicts();
        verdicts.into_iter().map(|verdict| verdict.text).find(|text| text.starts_with("no message"))
    }

    fn staged() -> Report {
        let mut report = report();
        report.phases = vec![(Step::Measure, 0), (Step::Drain, 8 * SECOND)];
        report.groups[0].rate = Some(50.0);
        report.groups[0].shape = shape("stages", "50 for 3s, 0 for 3s, 100 for 2s");
        report.groups[0].rate_course =
            course(&[(0, 50.0), (3, 50.0), (3, 0.0), (6, 0.0), (6, 100.0), (8, 100.0), (8, 0.0)]);
        report
    }

    #[test]
    fn only_planned_messages_make_a_standstill() {
        let mut report = staged();
        assert_eq!(standstill(&mut report, &[50, 50, 50, 0, 0, 0, 100, 100]), None, "a pause");
        let text = Some("no message arrived from 1 s to 2 s".to_owned());
        assert_eq!(standstill(&mut report, &[50, 0, 100, 0, 0, 0, 100, 100]), text);
        report.groups[0].shape = shape("on/off", "10 s on, 50 s off");
        assert_eq!(standstill(&mut report, &[50, 0, 100, 0, 0, 0, 100, 100]), text, "of 1000, many are on");
        report.groups[0].publishers = 100;
        assert_eq!(standstill(&mut report, &[50, 0, 100, 0, 0, 0, 100, 100]), None, "17 of 100 are on");
        (report.groups[0].shape, report.groups[0].rate_course) = (shape("stages", "very many"), None);
        assert_eq!(standstill(&mut report, &[50, 0, 100, 0, 0, 0, 100, 100]), None, "an unknown plan");
    }

    #[test]
    fn bursts_have_pauses_between_them() {
        let mut report = staged();
        let mut burst = shape("burst", "20").unwrap();
        burst.0.extend(report.groups[0].shape.take().unwrap().0);
        report.groups[0].shape = Some(burst);
        assert_eq!(standstill(&mut report, &[50, 0, 100, 0, 0, 0, 100, 100]), None);
    }

    #[test]
    fn a_group_that_starts_later_does_not_hide_a_standstill_of_another() {
        let mut report = mix();
        report.phases = vec![(Step::Measure, 0)];
        let flow = |begin: u64, end: u64| Flow { count: 600, span: Some((begin * SECOND, end * SECOND)) };
        let measured = GroupMeasurements { sent: flow(0, 4), ..GroupMeasurements::default() };
        report.groups[0].measured = Some(measured);
        let late = Group {
            name: "late".to_owned(),
            shape: shape("start", "6 s"),
            rate: Some(100.0),
            ..report.groups[0].clone()
        };
        report.groups.push(Group {
            rate_course: course(&[(0, 0.0), (6, 0.0), (6, 100.0)]),
            measured: Some(GroupMeasurements { sent: flow(6, 8), ..measured }),
            ..late
        });
        let text = Some("no message arrived from 2 s to 3 s".to_owned());
        assert_eq!(standstill(&mut report, &[90, 90, 0, 90, 0, 0, 90, 90]), text, "not from 4 s to 6 s");
    }

    #[test]
    fn planned_is_what_was_planned_until_the_end() {
        let mut report = staged();
        report.plan.rate = Some(775.0);
        report.groups[0].rate_course = course(&[(0, 100.0), (2, 100.0), (2, 1000.0), (8, 1000.0), (8, 0.0)]);
        (report.ending, report.phases[1].1) = (Ending::Interrupted, 2 * SECOND);
        report.sent = Flow { count: 199, span: Some((0, 2 * SECOND)) };
        assert_eq!(report.sent_and_planned(), Some((99.5, 100.0)));
        assert!(report.sentence().contains("messages/s held for"), "{}", report.sentence());
        report.sent.count = 100;
        assert!(report.sentence().contains(" (sent 50 of 100 planned) "), "{}", report.sentence());
        report.groups[0].rate_course = None;
        assert_eq!(report.sent_and_planned(), None, "an unknown plan of an interrupted run");
    }
}
