//! A message rate over time, and the planned time of each message from its number.
//!
//! The rate is piecewise linear. The messages before each piece are an exact integer, so that errors do not add up, however many
//! pieces there are; within a ramp, the time of a message is exact to a nanosecond.

use super::rate::Rate;
use super::rate_course::{RateCourse, RatePoint};
use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

/// Twice the integral of a rate in messages per 1000 seconds over a time in nanoseconds. Twice, because the integral of a ramp has half
/// of its last factor.
pub(super) type Work = u128;

/// The work of one message, in the unit of [`Work`].
pub(super) const WORK_OF_MESSAGE: Work = 2 * 1000 * 1_000_000_000;

/// The maximum duration of all stages together. Times of messages are exact for longer than that.
pub(crate) const LONGEST_STAGES: Duration = Duration::from_secs(30 * 24 * 3600);

/// The maximum number of stages.
pub(crate) const MAX_STAGES: usize = 10_000;

/// A time with a constant rate, or one that changes linearly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stage {
    /// The rate at its beginning; `None` for 0.
    pub from: Option<Rate>,
    /// The rate at its end; `None` for 0.
    pub to: Option<Rate>,
    /// Its duration.
    pub time: Duration,
}

impl Stage {
    fn constant(rate: Option<Rate>, time: Duration) -> Stage {
        Stage { from: rate, to: rate, time }
    }

    /// The mean rate in messages per second.
    fn mean(self) -> f64 {
        (per_second(self.from) + per_second(self.to)) / 2.0
    }
}

/// As the option that sets it: `100..1000 for 30s`.
impl Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stage { from, to, time } = *self;
        write!(f, "{}", per_second(from))?;
        if from != to {
            write!(f, "..{}", per_second(to))?;
        }
        write!(f, " for {}s", time.as_secs_f64())
    }
}

fn per_second(rate: Option<Rate>) -> f64 {
    rate.map_or(0.0, Rate::as_per_second)
}

/// The rate as the user described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pace {
    /// The same rate all the time.
    Constant(Rate),
    /// A rate that grows from 0 to the final one within a time.
    Growing {
        /// The final rate.
        to: Rate,
        /// Duration of the change.
        time: Duration,
    },
    /// A linear change from one rate to another, which stays.
    Changing {
        /// The initial rate.
        from: Rate,
        /// The final rate.
        to: Rate,
        /// Duration of the change.
        time: Duration,
    },
    /// Stages one after another; nothing after the last one.
    Stages(Arc<[Stage]>),
}

impl Pace {
    /// The mean rate in messages per second; without the growth from 0.
    fn mean(&self) -> f64 {
        match self {
            Pace::Constant(rate) | Pace::Growing { to: rate, .. } => rate.as_per_second(),
            Pace::Changing { from, to, .. } => (from.as_per_second() + to.as_per_second()) / 2.0,
            Pace::Stages(stages) => {
                let time: Duration = stages.iter().map(|stage| stage.time).sum();
                let messages = stages.iter().map(|stage| stage.mean() * stage.time.as_secs_f64());
                messages.sum::<f64>() / time.as_secs_f64().max(f64::MIN_POSITIVE)
            }
        }
    }
}

/// When a group sends, in time since the load began: the warm-up included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Before this time, the initial rate of a change is held, and the first stage not begun.
    pub measured_from: Duration,
    /// The group sends nothing before this time.
    pub start: Duration,
    /// The group sends nothing from this time on; `None` for no end of its own.
    pub end: Option<Duration>,
}

impl Bounds {
    /// How long the group has sent in a measurement that began `elapsed` ago; zero once its end has passed.
    pub(crate) fn measured_time(&self, elapsed: Duration) -> Duration {
        let now = self.measured_from.saturating_add(elapsed);
        match self.end {
            Some(end) if now >= end => Duration::ZERO,
            _ => now.saturating_sub(self.start.max(self.measured_from)),
        }
    }
}

/// A rate over the time since the load began.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RateProfile {
    pace: Pace,
    bounds: Bounds,
    pieces: Arc<[Piece]>,
    /// No message is planned for this time or later, in nanoseconds.
    end: u64,
    mean: f64,
    mean_while_sending: f64,
}

/// A linear piece of the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    /// In nanoseconds since the load began.
    begin: u64,
    /// In nanoseconds.
    length: u64,
    /// Messages per 1000 seconds, at both ends.
    from: u64,
    to: u64,
    /// The work of all pieces before it.
    before: Work,
}

impl RateProfile {
    /// The profile of a pace within the time of a group.
    pub(crate) fn new(pace: Pace, bounds: Bounds) -> RateProfile {
        let Bounds { measured_from, start, end } = bounds;
        let mut stages = vec![Stage::constant(None, start)];
        match &pace {
            Pace::Constant(rate) => stages.push(forever(*rate)),
            Pace::Growing { to, time } => {
                stages.extend([Stage { from: None, to: Some(*to), time: *time }, forever(*to)]);
            }
            Pace::Changing { from, to, time } => {
                let hold = Stage::constant(Some(*from), measured_from.saturating_sub(start));
                stages.extend([hold, Stage { from: Some(*from), to: Some(*to), time: *time }, forever(*to)]);
            }
            Pace::Stages(all) => {
                let first = all.first().and_then(|stage| stage.from);
                stages.push(Stage::constant(first, measured_from.saturating_sub(start)));
                stages.extend(all.iter());
            }
        }
        let pieces = pieces(&stages);
        let last = pieces.last().map_or(0, |piece| piece.begin.saturating_add(piece.length));
        let end = end.map_or(last, |end| last.min(nanoseconds(end)));
        let mean = pace.mean();
        RateProfile { pace, bounds, pieces: pieces.into(), end, mean, mean_while_sending: mean }
    }

    /// Sets the mean rates to those over a measurement of this duration. Only a group that does not send all the time differs from its
    /// pace.
    #[must_use]
    pub(crate) fn measured_for(self, duration: Duration) -> RateProfile {
        let Bounds { measured_from, start, end } = self.bounds;
        let is_partial = start > measured_from || end.is_some() || matches!(self.pace, Pace::Stages(_));
        if !is_partial || duration.is_zero() {
            return self;
        }
        let mean = self.messages_in(measured_from, duration) as f64 / duration.as_secs_f64();
        let mean_while_sending =
            self.mean_while_sending_in(measured_from, duration).unwrap_or(self.mean_while_sending);
        RateProfile { mean, mean_while_sending, ..self }
    }

    /// The mean rate without pauses in a part of the time; `None` if nothing is planned in it.
    fn mean_while_sending_in(&self, from: Duration, duration: Duration) -> Option<f64> {
        let (from, until) = (nanoseconds(from), nanoseconds(from.saturating_add(duration)).min(self.end));
        let sending = self.pieces.iter().filter(|piece| piece.from > 0 || piece.to > 0);
        let times = sending.map(|piece| {
            let end = piece.begin.saturating_add(piece.length).min(until);
            end.saturating_sub(piece.begin.max(from))
        });
        let time = times.fold(0, u64::saturating_add) as f64 / 1e9;
        let work = self.work_until(until).saturating_sub(self.work_until(from.min(until)));
        (time > 0.0).then(|| work as f64 / WORK_OF_MESSAGE as f64 / time)
    }

    /// The pace as the user described it.
    pub(crate) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// The mean rate in messages per second.
    pub(crate) fn mean(&self) -> f64 {
        self.mean
    }

    /// The mean rate in messages per second, without pauses and the time before the start or after the end.
    pub(crate) fn mean_while_sending(&self) -> f64 {
        self.mean_while_sending
    }

    /// Nanoseconds since the load began from which on nothing is planned.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// When the first message is due.
    pub(super) fn begin(&self) -> u64 {
        self.time_of(0)
    }

    /// The due time of a message, in nanoseconds since the load began, if this work precedes it; `u64::MAX` after the last one.
    pub(super) fn time_of(&self, work: Work) -> u64 {
        let position = self.pieces.partition_point(|piece| piece.before + piece.work() <= work);
        let piece = self.pieces.get(position);
        piece.map_or(u64::MAX, |piece| piece.begin.saturating_add(piece.time_of(work - piece.before)))
    }

    /// The number of messages that are due from one time on for a duration, if they are sent at equal intervals.
    pub(crate) fn messages_in(&self, from: Duration, duration: Duration) -> u64 {
        let before = |time: Duration| {
            let work = self.work_until(nanoseconds(time).min(self.end));
            u64::try_from(work.div_ceil(WORK_OF_MESSAGE)).unwrap_or(u64::MAX)
        };
        before(from.saturating_add(duration)).saturating_sub(before(from))
    }

    /// The rate of a share of the messages over time.
    pub(crate) fn course(&self, share: f64) -> RateCourse {
        let point = |at_ns: u64, rate: f64| RatePoint { at_ns, per_second: rate * share / 1000.0 };
        let mut points = Vec::new();
        for piece in self.pieces.iter().take_while(|piece| piece.begin < self.end) {
            let end = piece.begin.saturating_add(piece.length).min(self.end);
            points.push(point(piece.begin, piece.from as f64));
            if end < u64::MAX {
                points.push(point(end, piece.rate_at(end - piece.begin)));
            }
        }
        if self.end < u64::MAX {
            points.push(point(self.end, 0.0));
        }
        RateCourse::new(points)
    }

    fn work_until(&self, time: u64) -> Work {
        let position = self.pieces.partition_point(|piece| piece.begin.saturating_add(piece.length) <= time);
        match (self.pieces.get(position), self.pieces.last()) {
            (Some(piece), _) => piece.before + piece.work_until(time - piece.begin),
            (None, Some(last)) => last.before + last.work(),
            (None, None) => 0,
        }
    }

    /// The longest time between two messages, or from the beginning to the first one, if this work lies between them.
    ///
    /// The rate of a piece is monotonic, so the longest pause is at one of its ends.
    pub(super) fn longest_pause(&self, work: Work) -> u64 {
        let time_of = |work| Some(self.time_of(work)).filter(|time| *time < self.end);
        let pause = |edge: Work| {
            let before = edge.checked_sub(work).map_or(Some(0), time_of);
            let after = time_of(edge.saturating_add(work)).unwrap_or(self.end);
            let at = time_of(edge).unwrap_or(self.end);
            (after - at).max(before.map_or(0, |before| at.saturating_sub(before)))
        };
        let edges = self.pieces.iter().map(|piece| piece.before);
        edges.map(pause).max().unwrap_or_default()
    }
}

fn forever(rate: Rate) -> Stage {
    Stage::constant(Some(rate), Duration::MAX)
}

fn pieces(stages: &[Stage]) -> Vec<Piece> {
    let (mut begin, mut before) = (0u64, 0);
    let mut pieces = Vec::with_capacity(stages.len());
    for Stage { from, to, time } in stages.iter().filter(|stage| !stage.time.is_zero()) {
        let in_1000_seconds = |rate: &Option<Rate>| rate.map_or(0, Rate::in_1000_seconds);
        let length = nanoseconds(*time).min(u64::MAX - begin);
        let piece = Piece { begin, length, from: in_1000_seconds(from), to: in_1000_seconds(to), before };
        (begin, before) = (begin + length, before + piece.work());
        pieces.push(piece);
    }
    pieces
}

impl Piece {
    fn work(&self) -> Work {
        (u128::from(self.from) + u128::from(self.to)) * u128::from(self.length)
    }

    /// The time at which this part of its work is done.
    fn time_of(&self, work: Work) -> u64 {
        let Piece { length, from, to, .. } = *self;
        let time = match from.cmp(&to) {
            std::cmp::Ordering::Equal => {
                u64::try_from(work / (2 * u128::from(from).max(1))).unwrap_or(u64::MAX)
            }
            std::cmp::Ordering::Less => rising(from, to, length, work),
            // Seen from its end, a falling rate rises. From its beginning, the difference of two almost equal numbers would count.
            std::cmp::Ordering::Greater => {
                length.saturating_sub(rising(to, from, length, self.work() - work))
            }
        };
        time.min(length)
    }

    /// The rate at a time since its beginning, in messages per 1000 seconds.
    fn rate_at(&self, time: u64) -> f64 {
        let part = time as f64 / self.length.max(1) as f64;
        self.from as f64 + (self.to as f64 - self.from as f64) * part
    }

    /// The work up to a time.
    fn work_until(&self, time: u64) -> Work {
        let Piece { length, from, to, .. } = *self;
        let constant = 2 * u128::from(from) * u128::from(time);
        if from == to {
            return constant;
        }
        let share = time as f64 / length as f64;
        let change = (to as f64 - from as f64) * share * time as f64;
        if change >= 0.0 { constant + change as u128 } else { constant.saturating_sub(-change as u128) }
    }
}

/// The time until a rate that rises from `low` to `high` has done this work. All terms are positive, so nothing cancels out.
fn rising(low: u64, high: u64, length: u64, work: Work) -> u64 {
    let (low, high, length, work) = (low as f64, high as f64, length as f64, work as f64);
    let root = (low * low + (high - low) * (work / length)).sqrt();
    (work / (low + root)).round() as u64
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn stage(from: f64, to: f64, seconds: f64) -> Stage {
        let time = Duration::from_secs_f64(seconds);
        Stage { from: Rate::per_second(from), to: Rate::per_second(to), time }
    }

    fn profile(stages: &[Stage]) -> RateProfile {
        RateProfile::new(Pace::Stages(stages.into()), Bounds::default())
    }

    fn profile_for(stages: &[Stage], seconds: u64) -> RateProfile {
        profile(stages).measured_for(Duration::from_secs(seconds))
    }

    fn times(profile: &RateProfile) -> Vec<u64> {
        let times = (0u128..).map(|number| profile.time_of(number * WORK_OF_MESSAGE));
        times.take_while(|time| *time < profile.end()).collect()
    }

    #[test]
    fn stages_follow_each_other_and_a_pause_has_no_messages() {
        let profile = profile(&[
            stage(100.0, 100.0, 3.0),
            stage(0.0, 0.0, 2.0),
            stage(10.0, 10.0, 1.0),
            stage(1000.0, 1000.0, 0.5),
        ]);
        let times = times(&profile);
        assert_eq!(times.len(), 300 + 10 + 500);
        assert_eq!((times[299], times[300], times[301]), (2_990_000_000, 5 * SECOND, 5_100_000_000));
        assert_eq!((times[310], times[811 - 2]), (6 * SECOND, 6_499_000_000));
        assert_eq!(profile.messages_in(Duration::ZERO, Duration::from_secs(5)), 300);
        assert_eq!(profile.messages_in(Duration::from_secs(5), Duration::from_secs(99)), 510);
        assert_eq!(profile.time_of(810 * WORK_OF_MESSAGE), u64::MAX);
    }

    #[test]
    fn a_ramp_up_and_its_mirror_image_have_the_same_intervals() {
        let up = times(&profile(&[stage(0.0, 1000.0, 10.0)]));
        let down = times(&profile(&[stage(1000.0, 0.0, 10.0)]));
        assert_eq!((up.len(), down.len()), (5000, 5000));
        assert_eq!((up[1250], down[5000 - 1250]), (5 * SECOND, 5 * SECOND), "a quarter in the slower half");
        let mirrored = down.iter().skip(1).rev().map(|time| 10 * SECOND - time);
        assert!(up.iter().skip(1).zip(mirrored).all(|(up, down)| up.abs_diff(down) <= 1));
    }

    #[test]
    fn the_warm_up_holds_the_first_rate_and_a_late_start_sends_nothing() {
        let stages: Arc<[Stage]> = [stage(100.0, 200.0, 2.0)].into();
        let seconds = Duration::from_secs;
        let warm = Bounds { measured_from: seconds(3), ..Bounds::default() };
        let profile = RateProfile::new(Pace::Stages(stages.clone()), warm).measured_for(seconds(2));
        assert_eq!([0, 3].map(|from| profile.messages_in(seconds(from), seconds(2))), [200, 300]);
        assert_eq!((profile.mean(), profile.mean_while_sending()), (150.0, 150.0));
        let late = Bounds { measured_from: seconds(3), start: seconds(7), end: Some(seconds(8)) };
        let profile = RateProfile::new(Pace::Stages(stages), late).measured_for(seconds(10));
        assert_eq!(profile.messages_in(seconds(0), seconds(20)), 125, "half of the ramp");
        assert_eq!((profile.begin(), profile.end(), profile.mean()), (7 * SECOND, 8 * SECOND, 12.5));
        assert_eq!(profile.mean_while_sending(), 125.0);
        let paused = profile_for(&[stage(100.0, 100.0, 3.0), stage(0.0, 0.0, 2.0)], 5);
        assert_eq!((paused.mean(), paused.mean_while_sending()), (60.0, 100.0));
    }

    #[test]
    fn a_stage_is_written_as_it_is_read() {
        let texts = [stage(0.0, 0.0, 10.0), stage(100.0, 2.5, 0.5)].map(|stage| stage.to_string());
        assert_eq!(texts, ["0 for 10s", "100..2.5 for 0.5s"]);
    }

    #[test]
    fn a_pause_is_no_longer_than_reported() {
        let all = [stage(5.0, 0.0, 20.0), stage(0.0, 0.0, 7.0), stage(0.0, 3.0, 9.0), stage(1.0, 1.0, 5.0)];
        let profile = profile(&all);
        let longest = times(&profile).windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        let reported = profile.longest_pause(WORK_OF_MESSAGE);
        assert!((longest..2 * longest).contains(&reported), "{longest} {reported}");
        let late = Bounds { start: Duration::from_secs(60), ..Bounds::default() };
        let late = RateProfile::new(Pace::Constant(Rate::per_second(1.0).unwrap()), late);
        assert!(late.longest_pause(WORK_OF_MESSAGE) >= 60 * SECOND);
    }

    #[test]
    fn ten_thousand_stages_do_not_drift() {
        let odd = [stage(333.333, 0.777, 0.9), stage(0.777, 333.333, 0.9), stage(0.0, 0.0, 0.2)];
        let all: Vec<_> = odd.into_iter().cycle().take(9999).collect();
        let profile = profile(&all);
        let of_cycle: Work = 2 * (333_333 + 777) * 900_000_000;
        let last_cycle = 3332 * of_cycle;
        assert_eq!(profile.time_of(last_cycle), 3332 * 2 * SECOND);
        assert_eq!(profile.time_of(last_cycle + of_cycle / 2), 3332 * 2 * SECOND + 900_000_000);
    }

    fn any_stage() -> impl Strategy<Value = Stage> {
        let rate = || prop_oneof![Just(0u64), 1u64..2_000_000];
        (rate(), rate(), 1u64..60_000).prop_map(|(from, to, milliseconds)| Stage {
            from: Rate::per_second(from as f64 / 1000.0),
            to: Rate::per_second(to as f64 / 1000.0),
            time: Duration::from_millis(milliseconds),
        })
    }

    /// Exact work up to a time, in units of 1/length of the piece that contains it; and that length.
    fn exact_work(stages: &[Stage], time: u64) -> (u128, u128) {
        let (mut begin, mut work) = (0u64, 0u128);
        for stage in stages {
            let rate = |rate: Option<Rate>| i128::from(rate.map_or(0, Rate::in_1000_seconds));
            let (from, to, length) = (rate(stage.from), rate(stage.to), nanoseconds(stage.time));
            let within = i128::from(time - begin);
            if time - begin < length {
                let length = i128::from(length);
                let here = 2 * from * within * length + (to - from) * within * within;
                return (work * length as u128 + here as u128, length as u128);
            }
            work += (from + to) as u128 * u128::from(length);
            begin += length;
        }
        (work, 1)
    }

    proptest! {
        /// The exact integral of the rates says that the message is due within a nanosecond of its planned time.
        #[test]
        fn planned_times_are_the_exact_inverse_of_the_integral(
            stages in proptest::collection::vec(any_stage(), 1..40), part in 0u128..1000,
        ) {
            let profile = profile(&stages);
            let total: Work = profile.pieces.iter().map(Piece::work).sum();
            let number = total / WORK_OF_MESSAGE * part / 1000;
            let work = number * WORK_OF_MESSAGE;
            let time = profile.time_of(work);
            if time < profile.end() {
                let (later, unit) = exact_work(&stages, time + 1);
                prop_assert!(later >= work * unit, "message {} is due after {}", number, time);
                let (earlier, unit) = exact_work(&stages, time.saturating_sub(1));
                prop_assert!(earlier <= work * unit, "message {} is due before {}", number, time);
            }
        }

        #[test]
        fn times_are_in_order_and_as_many_as_announced(stages in proptest::collection::vec(any_stage(), 1..5)) {
            let profile = profile(&stages);
            let expected = profile.messages_in(Duration::ZERO, LONGEST_STAGES);
            prop_assume!(expected < 200_000);
            let times = times(&profile);
            prop_assert!(times.is_sorted());
            prop_assert!((times.len() as u64).abs_diff(expected) <= 1, "{} of {}", times.len(), expected);
        }
    }
}
