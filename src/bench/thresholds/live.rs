//! Conditions that end a run early, judged on the totals of the run in progress.

use super::metric::{Metric, Statistic};
use super::threshold::{Threshold, Thresholds};
use crate::bench::ending::Step;
use crate::bench::gauges::{RecentGroup, Totals};
use crate::bench::plan::Plan;
use crate::bench::report::{Judgement, Report, Rule, Unit, Verdict};
use std::str::FromStr;
use std::time::Duration;

/// The period of the rates.
const WINDOW: Duration = Duration::from_secs(1);

/// A shorter rest of the measurement has no rate of its own: it is judged together with the second before.
const SHORTEST_WINDOW: Duration = Duration::from_millis(900);

/// The longest wait for pending messages after a condition ended the measurement: a broker that stalls may never deliver them.
const LONGEST_DRAIN: Duration = Duration::from_secs(2);

/// A share of fewer messages than this is random.
const MIN_MESSAGES: u64 = 100;

/// The time of a group's measurement after which its rates are those of the measurement: they are a second old at most, and count
/// a second.
const SETTLED: Duration = Duration::from_secs(3);

/// The metrics that are known during a run. Those that only grow are useful with > and >= only.
const LIVE: [(&str, Growth); 13] = [
    ("p99", Growth::Free),
    ("throughput", Growth::Free),
    ("connect_rate", Growth::Free),
    ("sent_rate", Growth::Free),
    ("acknowledged_rate", Growth::Free),
    ("received_rate", Growth::Free),
    ("connect_failures", Growth::Grows),
    ("lost_connections", Growth::Grows),
    ("denied", Growth::Grows),
    ("connected", Growth::Grows),
    ("sent", Growth::Grows),
    ("received", Growth::Grows),
    ("elapsed", Growth::Grows),
];

/// Those of them that are known by group.
const BY_GROUP: [&str; 11] = [
    "p99",
    "throughput",
    "sent_rate",
    "acknowledged_rate",
    "received_rate",
    "connect_failures",
    "lost_connections",
    "denied",
    "connected",
    "sent",
    "received",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    Grows,
    Free,
}

/// Conditions that end a run early; one is enough.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AbortConditions(Vec<Threshold>);

impl AbortConditions {
    /// The same conditions for one group.
    pub(crate) fn for_group(self, name: &str) -> AbortConditions {
        let Thresholds(conditions) = Thresholds(self.0).for_group(name);
        AbortConditions(conditions)
    }

    /// Checks that a group can be judged by the conditions during a run.
    ///
    /// # Errors
    /// If one has a metric that is not known by group.
    pub(crate) fn check_by_group(&self) -> Result<(), String> {
        self.0.iter().try_for_each(|condition| {
            let name = condition.metric.to_string();
            match BY_GROUP.contains(&name.as_str()) {
                true => Ok(()),
                false => {
                    let known = BY_GROUP.join(", ");
                    let text = &condition.text;
                    Err(format!("{text}: {name} is not known by group during a run; use one of {known}"))
                }
            }
        })
    }

    /// The conditions as text, with the names of their groups.
    pub(crate) fn texts(&self) -> Vec<String> {
        Thresholds(self.0.clone()).texts().collect()
    }

    /// Whether the set has no condition.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<AbortConditions> for AbortConditions {
    fn from_iter<I: IntoIterator<Item = AbortConditions>>(all: I) -> AbortConditions {
        AbortConditions(all.into_iter().flat_map(|AbortConditions(conditions)| conditions).collect())
    }
}

impl FromStr for AbortConditions {
    type Err = String;

    fn from_str(text: &str) -> Result<AbortConditions, String> {
        let Thresholds(conditions) = text.parse()?;
        conditions.iter().try_for_each(check)?;
        Ok(AbortConditions(conditions))
    }
}

fn check(condition: &Threshold) -> Result<(), String> {
    let name = condition.metric.to_string();
    match LIVE.iter().find(|(known, _)| *known == name) {
        None => {
            let known = LIVE.map(|(name, _)| name).join(", ");
            Err(format!("{}: {name} is not known during a run; use one of {known}", condition.text))
        }
        Some((_, Growth::Grows)) if !condition.comparison.is_upper_limit() => Err(format!(
            "{}: {name} starts at 0, so the condition would hold at once; use > or >=",
            condition.text
        )),
        Some(_) => Ok(()),
    }
}

/// A look at a run in progress.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Snapshot<'a> {
    /// The current step.
    pub step: Step,
    /// The time since the step began.
    pub elapsed: Duration,
    /// The plan of the run.
    pub plan: &'a Plan,
    /// The totals so far.
    pub totals: &'a Totals,
    /// The p99 latency of the last full second, in nanoseconds.
    pub recent_p99: Option<u64>,
    /// The figures by group; empty unless a condition watches one.
    pub groups: &'a [RecentGroup],
}

/// The conditions of a run in progress.
#[derive(Debug, Clone)]
pub(crate) struct AbortWatch {
    conditions: Vec<Watched>,
    total: Duration,
    step: Option<(Step, Duration)>,
    window: Window,
    /// The window before.
    earlier: Option<Window>,
    rates: Option<Rates>,
    /// The totals at the last look.
    last: Totals,
    is_drain_cut: bool,
}

#[derive(Debug, Clone)]
struct Watched {
    condition: Threshold,
    /// The value that was closest to the limit, or beyond it.
    extreme: Option<f64>,
    /// The verdict, once the condition holds.
    verdict: Option<Verdict>,
    /// Whether it held only at the end of the measurement, when there was nothing left to end.
    at_end: bool,
}

/// The totals at the start of the current window of the measurement.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    since: Duration,
    /// Its planned end, so that looks that come late do not add up.
    until: Duration,
    totals: Totals,
}

/// Events per second in the last window.
#[derive(Debug, Clone, Copy)]
struct Rates {
    connected: f64,
    sent: f64,
    acknowledged: f64,
    received: f64,
}

impl AbortWatch {
    /// Watches a run.
    pub(crate) fn new(AbortConditions(conditions): &AbortConditions) -> AbortWatch {
        let watched = |condition: &Threshold| Watched {
            condition: condition.clone(),
            extreme: None,
            verdict: None,
            at_end: false,
        };
        AbortWatch {
            conditions: conditions.iter().map(watched).collect(),
            total: Duration::ZERO,
            step: None,
            window: Window::default(),
            earlier: None,
            rates: None,
            last: Totals::default(),
            is_drain_cut: false,
        }
    }

    /// Whether the current step has to end now: a condition holds for the first time, or the drain after that takes too long.
    pub(crate) fn ends_step(&mut self, look: &Snapshot<'_>) -> bool {
        if self.judge(look).is_some() {
            return true;
        }
        let has_held = self.conditions.iter().any(|watched| watched.verdict.is_some() && !watched.at_end);
        let is_too_long = has_held && look.step == Step::Drain && look.elapsed >= LONGEST_DRAIN;
        is_too_long && !std::mem::replace(&mut self.is_drain_cut, true)
    }

    /// Judges a look at the run; returns the first condition that holds, once.
    fn judge(&mut self, look: &Snapshot<'_>) -> Option<Verdict> {
        if self.conditions.iter().any(|watched| watched.verdict.is_some()) {
            return None;
        }
        self.follow(look);
        let (rates, elapsed) = (self.rates, self.total + look.elapsed);
        for watched in &mut self.conditions {
            let Some(value) = watched.condition.live_value(look, rates, elapsed) else { continue };
            if let Some(verdict) = watched.judge(value, look) {
                return Some(verdict);
            }
        }
        None
    }

    /// Follows the steps, and computes the rates of each full second of the measurement.
    fn follow(&mut self, look: &Snapshot<'_>) {
        match self.step {
            Some((step, _)) if step == look.step => {}
            ended => {
                if let Some((Step::Measure, elapsed)) = ended
                    && look.step != Step::Reconnect
                {
                    self.judge_last_rates(look, elapsed);
                }
                self.total += ended.map(|(_, elapsed)| elapsed).unwrap_or_default();
                let (since, totals) = (look.elapsed, *look.totals);
                self.window = Window { since, until: since + WINDOW, totals };
                (self.earlier, self.rates) = (None, None);
            }
        }
        (self.step, self.last) = (Some((look.step, look.elapsed)), *look.totals);
        if look.elapsed >= self.window.until {
            self.rates = Some(self.window.rates(look.elapsed, look.totals));
            let until = self.window.until.max(look.elapsed.saturating_sub(WINDOW)) + WINDOW;
            self.earlier = Some(self.window);
            self.window = Window { since: look.elapsed, until, totals: *look.totals };
        }
    }

    /// Judges the rates of the last second of the measurement, which has just ended after this time.
    fn judge_last_rates(&mut self, look: &Snapshot<'_>, elapsed: Duration) {
        let is_long = elapsed.saturating_sub(self.window.since) >= SHORTEST_WINDOW;
        let Some(window) = Some(self.window).filter(|_| is_long).or(self.earlier) else { return };
        let rates = Some(window.rates(elapsed, &self.last));
        let last = Snapshot { step: Step::Measure, elapsed, totals: &self.last, recent_p99: None, ..*look };
        for watched in self.conditions.iter_mut().filter(|watched| watched.condition.group.is_none()) {
            if let Some(value) = watched.condition.live_value(&last, rates, self.total + elapsed) {
                watched.judge_at_end(value);
            }
        }
    }

    /// The verdicts at the end of a run that no signal ended. Without a report, the run did not begin.
    pub(crate) fn finish(mut self, report: &Report) -> Vec<Verdict> {
        let has_held = self.conditions.iter().any(|watched| watched.verdict.is_some());
        let latency = report.last_latency(WINDOW).and_then(|latency| latency.at_percentile(99.0));
        for watched in self.conditions.iter_mut().filter(|watched| watched.is_latency() && !has_held) {
            latency.into_iter().for_each(|time| watched.judge_at_end(time as f64));
        }
        self.verdicts()
    }

    /// The verdicts on all conditions. A condition that could never be judged counts as not measured.
    pub(crate) fn verdicts(self) -> Vec<Verdict> {
        self.conditions.into_iter().map(Watched::into_verdict).collect()
    }
}

impl Window {
    /// The events per second since it began.
    fn rates(&self, elapsed: Duration, now: &Totals) -> Rates {
        let (time, before) = (elapsed.saturating_sub(self.since), &self.totals);
        let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / time.as_secs_f64();
        Rates {
            connected: rate(now.connected, before.connected),
            sent: rate(now.sent, before.sent),
            acknowledged: rate(now.acknowledged, before.acknowledged),
            received: rate(now.received, before.received),
        }
    }
}

impl Watched {
    /// Whether it judges a latency of the whole run.
    fn is_latency(&self) -> bool {
        self.condition.group.is_none() && matches!(self.condition.metric, Metric::Latency(..))
    }

    /// Judges a value of the last second of the measurement.
    fn judge_at_end(&mut self, value: f64) {
        if let Some(verdict) = self.failure(value) {
            let text = format!("{} in the last second of the measurement", verdict.text);
            (self.verdict, self.at_end) = (Some(Verdict { text, ..verdict }), true);
        }
    }

    fn judge(&mut self, value: f64, look: &Snapshot<'_>) -> Option<Verdict> {
        let verdict = self.failure(value)?;
        let seconds = look.elapsed.as_secs_f64();
        let text = format!("{} {seconds:.1} s into {}; the run ended early", verdict.text, phase(look.step));
        self.verdict = Some(Verdict { text, ..verdict });
        self.verdict.clone()
    }

    /// The verdict on a value, if the condition holds.
    fn failure(&mut self, value: f64) -> Option<Verdict> {
        let is_upper_limit = self.condition.comparison.is_upper_limit();
        let extreme = self
            .extreme
            .map_or(value, |known| if is_upper_limit { known.max(value) } else { known.min(value) });
        self.extreme = Some(extreme);
        let verdict = self.condition.verdict(Rule::AbortIf, self.condition.unit(), Some(value));
        (verdict.judgement == Judgement::Failed).then_some(verdict)
    }

    fn into_verdict(self) -> Verdict {
        let unit = self.condition.unit();
        self.verdict.unwrap_or_else(|| {
            let verdict = self.condition.verdict(Rule::AbortIf, unit, self.extreme);
            let side = if self.condition.comparison.is_upper_limit() { "at most" } else { "at least" };
            let text = self.extreme.map(|value| {
                format!("{}: when judged, it was {side} {}", verdict.condition, unit.show(value))
            });
            Verdict { text: text.unwrap_or(verdict.text), ..verdict }
        })
    }
}

impl Threshold {
    /// Its value in a run in progress; `None` while it cannot be known. Rates and latencies are those of the measurement.
    fn live_value(&self, look: &Snapshot<'_>, rates: Option<Rates>, elapsed: Duration) -> Option<f64> {
        if let Some(name) = &self.group {
            return self.live_value_of(name, look);
        }
        let clients = u64::from(look.plan.clients());
        let Totals { connected, failed, lost, rejected, sent, received, .. } = *look.totals;
        let is_measuring = look.step == Step::Measure;
        let rates = rates.filter(|_| is_measuring);
        let name = match self.metric {
            Metric::Latency(None, Statistic::Percentile(_)) if is_measuring => {
                return look.recent_p99.map(|time| time as f64);
            }
            Metric::Latency(..) => return None,
            Metric::Named(named) => named.name,
        };
        let count = |count: u64, whole: u64| match self.is_percentage {
            true => (whole > 0).then(|| 100.0 * count as f64 / whole as f64),
            false => Some(count as f64),
        };
        match name {
            "connect_failures" => count(failed, clients),
            // All clients may still be connecting.
            "lost_connections" => count(lost, clients),
            "denied" if self.is_percentage && sent < MIN_MESSAGES => None,
            "denied" => count(rejected, sent),
            "connected" => count(connected, clients),
            "sent" => Some(sent as f64),
            "received" => Some(received as f64),
            "elapsed" => Some(elapsed.as_nanos() as f64),
            "throughput" => rates.map(|rates| match (received, look.totals.acknowledged) {
                (1.., _) => rates.received,
                (0, 1..) => rates.acknowledged,
                (0, 0) => rates.sent,
            }),
            "connect_rate" => rates.map(|rates| rates.connected),
            "sent_rate" => rates.map(|rates| rates.sent),
            "acknowledged_rate" => rates.map(|rates| rates.acknowledged),
            "received_rate" => rates.map(|rates| rates.received),
            _ => None,
        }
    }

    /// Its value for a group. Rates and latencies are those of the time in which the group sends.
    fn live_value_of(&self, name: &str, look: &Snapshot<'_>) -> Option<f64> {
        let mut groups = look.plan.groups.iter().zip(look.groups);
        let (group, recent) = groups.find(|(group, _)| group.name == name)?;
        let clients = u64::from(group.clients());
        let count = |count: u64, whole: u64| match self.is_percentage {
            true => (whole > 0).then(|| 100.0 * count as f64 / whole as f64),
            false => Some(count as f64),
        };
        let settled = look.step == Step::Measure && group.bounds.measured_time(look.elapsed) >= SETTLED;
        let rate = |rate: f64| settled.then_some(rate);
        match self.metric {
            Metric::Latency(None, Statistic::Percentile(_)) => {
                recent.p99().filter(|_| look.step == Step::Measure).map(|time| time as f64)
            }
            Metric::Latency(..) => None,
            Metric::Named(named) => match named.name {
                "connect_failures" => count(recent.failed, clients),
                "lost_connections" => count(recent.lost, clients),
                "denied" if self.is_percentage && recent.sent < MIN_MESSAGES => None,
                "denied" if group.publishers > 0 => count(recent.rejected, recent.sent),
                "connected" => count(recent.connected, clients),
                "sent" if group.publishers > 0 => Some(recent.sent as f64),
                "received" => Some(recent.received as f64),
                "sent_rate" if group.publishers > 0 => rate(recent.sent_rate),
                "throughput" if group.receivers() > 0 => rate(recent.received_rate),
                "throughput" | "acknowledged_rate" if group.is_acknowledged() => {
                    rate(recent.acknowledged_rate)
                }
                "received_rate" if group.receivers() > 0 => rate(recent.received_rate),
                _ => None,
            },
        }
    }

    pub(super) fn unit(&self) -> Unit {
        if self.is_percentage { Unit::Percent } else { self.metric.unit() }
    }
}

fn phase(step: Step) -> &'static str {
    match step {
        Step::Connect => "connecting",
        Step::Subscribe => "subscribing",
        Step::Wait => "the wait for the start",
        Step::WarmUp => "the warm-up",
        Step::Measure => "the measurement",
        Step::Reconnect => "reconnecting",
        Step::CatchUp => "catching up",
        Step::Hold => "keeping connected",
        Step::Drain => "the drain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan;
    use std::sync::LazyLock;

    fn watch(conditions: &str) -> AbortWatch {
        AbortWatch::new(&conditions.parse().unwrap())
    }

    /// A run of ten clients in two groups.
    static PLAN: LazyLock<Plan> = LazyLock::new(|| {
        let named = |name: &str, publishers, subscribers| plan::Group {
            name: name.to_owned(),
            ..plan::tests::group(publishers, subscribers)
        };
        plan::tests::plan(vec![named("sensors", 4, 2), named("meters", 4, 0)])
    });

    fn look<'a>(step: Step, milliseconds: u64, totals: &'a Totals) -> Snapshot<'a> {
        let elapsed = Duration::from_millis(milliseconds);
        Snapshot { step, elapsed, plan: &PLAN, totals, recent_p99: None, groups: &[] }
    }

    #[test]
    fn rates_are_those_of_a_full_second_of_the_measurement() {
        let mut watch = watch("received_rate<100/s");
        let totals = |received| Totals { received, ..Totals::default() };
        assert_eq!(watch.judge(&look(Step::WarmUp, 5000, &totals(0))), None, "in the warm-up");
        assert_eq!(watch.judge(&look(Step::Measure, 10, &totals(0))), None, "before the first second");
        assert_eq!(watch.judge(&look(Step::Measure, 1010, &totals(150))), None);
        let verdict = watch.judge(&look(Step::Measure, 2010, &totals(200))).unwrap();
        assert_eq!(
            verdict.text,
            "received_rate<100/s: it was 50/s 2.0 s into the measurement; the run ended early"
        );
        assert_eq!(watch.judge(&look(Step::Drain, 0, &totals(200))), None, "once is enough");
        assert_eq!(watch.verdicts(), [verdict]);
    }

    #[test]
    fn failures_count_at_once() {
        let mut watch = watch("connect_failures>20%, p99>1s");
        let totals = |failed| Totals { failed, ..Totals::default() };
        assert_eq!(watch.judge(&look(Step::Connect, 10, &totals(2))), None);
        let verdict = watch.judge(&look(Step::Connect, 100, &totals(3))).unwrap();
        assert_eq!(
            verdict.text,
            "connect_failures>20%: it was 30.0 % 0.1 s into connecting; the run ended early"
        );
        let [_, latency] = watch.verdicts().try_into().unwrap();
        assert_eq!(
            (latency.judgement, latency.text.as_str()),
            (Judgement::NotMeasured, "p99>1s: it was not measured")
        );
    }

    #[test]
    fn a_condition_that_never_held_has_the_closest_value() {
        let mut watch = watch("p99>1s");
        for (time, p99) in [(10, 5_000_000), (20, 9_000_000), (30, 7_000_000)] {
            let totals = Totals::default();
            let look = Snapshot { recent_p99: Some(p99), ..look(Step::Measure, time, &totals) };
            assert_eq!(watch.judge(&look), None);
        }
        let [verdict] = watch.verdicts().try_into().unwrap();
        assert_eq!(
            (verdict.judgement, verdict.text.as_str()),
            (Judgement::Passed, "p99>1s: when judged, it was at most 9.00 ms")
        );
    }

    #[test]
    fn a_group_is_judged_by_its_own_figures() {
        let conditions: AbortConditions = "received_rate<100/s, lost_connections>20%".parse().unwrap();
        let mut watch = AbortWatch::new(&conditions.for_group("sensors"));
        let totals = Totals { lost: 8, ..Totals::default() };
        let figures = |received_rate, lost| {
            let sensors = RecentGroup { received_rate, lost, ..RecentGroup::default() };
            [sensors, RecentGroup { lost: 4, ..RecentGroup::default() }]
        };
        let mut judge = |time, groups: &[RecentGroup]| {
            watch
                .judge(&Snapshot { groups, ..look(Step::Measure, time, &totals) })
                .map(|verdict| verdict.text)
        };
        assert_eq!(judge(1000, &figures(50.0, 1)), None, "the rate may be that of the warm-up");
        assert_eq!(judge(3500, &figures(150.0, 1)), None);
        let expected =
            "sensors: lost_connections>20%: it was 33.3 % 4.0 s into the measurement; the run ended early";
        assert_eq!(judge(4000, &figures(150.0, 2)).as_deref(), Some(expected));
        let unknown: AbortConditions = "elapsed>5s".parse().unwrap();
        assert!(unknown.check_by_group().unwrap_err().contains("elapsed is not known by group"));
    }

    #[test]
    fn the_messages_of_a_group_are_known_during_a_run() {
        let meters = RecentGroup { sent: 200, rejected: 30, sent_rate: 40.0, ..RecentGroup::default() };
        let groups = [RecentGroup { sent: 900, rejected: 900, ..RecentGroup::default() }, meters];
        let totals = Totals::default();
        for (condition, value) in
            [("sent>199", "200"), ("denied>29", "30"), ("denied>14%", "15.0 %"), ("sent_rate<50/s", "40/s")]
        {
            let conditions: AbortConditions = condition.parse().unwrap();
            let mut watch = AbortWatch::new(&conditions.for_group("meters"));
            let verdict = watch.judge(&Snapshot { groups: &groups, ..look(Step::Measure, 4000, &totals) });
            let text = verdict.map(|verdict| verdict.text).unwrap_or_default();
            assert!(text.starts_with(&format!("meters: {condition}: it was {value}")), "{condition}: {text}");
        }
    }

    #[test]
    fn conditions_that_no_run_can_judge_are_refused() {
        let error = |text: &str| text.parse::<AbortConditions>().unwrap_err();
        assert!(error("loss>0").contains("loss is not known during a run; use one of p99, throughput"));
        assert!(error("p50>1s").contains("p50 is not known during a run"));
        assert!(error("connected<5").contains("would hold at once; use > or >="));
        assert!(error("p99").contains("METRIC>VALUE"));
    }
}
