//! Send times of an open loop, computed from message numbers rather than accumulated, so that they do not drift.
//!
//! All publishers share one sequence of beats and take them in turn, so that they do not send simultaneously and
//! their rates add up to the total. Due messages are not queued: a publisher that falls behind still gets every
//! message from here, with its planned time.

use fastrand::Rng;
use std::time::Duration;

const NANOSECONDS: u128 = 1_000_000_000;

/// The longest pause of random arrivals, as a multiple of the mean; one in 10^13 is longer.
const LONGEST_RANDOM_PAUSE: u32 = 30;

/// The maximum number of sends to count one by one.
const MOST_COUNTED: usize = 10_000_000;

/// A message rate, exact down to one message in a thousand seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    in_1000_seconds: u64,
}

impl Rate {
    /// The maximum rate, in messages per second.
    pub(crate) const HIGHEST: f64 = 1e9;

    /// A rate in messages per second; `None` below one in a thousand seconds or above [`Rate::HIGHEST`].
    pub(crate) fn per_second(rate: f64) -> Option<Rate> {
        let in_1000_seconds = (rate * 1000.0).round();
        (1.0..=Rate::HIGHEST * 1000.0)
            .contains(&in_1000_seconds)
            .then_some(Rate { in_1000_seconds: in_1000_seconds as u64 })
    }

    /// Messages per second.
    pub(crate) fn as_per_second(self) -> f64 {
        self.in_1000_seconds as f64 / 1000.0
    }

    /// The time that this number of messages takes, in nanoseconds.
    fn time_of(self, messages: u128) -> u128 {
        messages * 1000 * NANOSECONDS / u128::from(self.in_1000_seconds)
    }
}

/// The distribution of beats over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrivals {
    /// At equal intervals.
    Constant,
    /// Independent of each other, like the requests of many users.
    Poisson,
}

/// A linear change of the rate from an initial to the final one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ramp {
    /// The initial rate; `None` for 0. It may exceed the final one.
    pub from: Option<Rate>,
    /// How long the initial rate lasts.
    pub after: Duration,
    /// Duration of the change.
    pub time: Duration,
}

/// A load that does not wait for the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenLoop {
    /// The rate of all publishers together.
    pub rate: Rate,
    /// The distribution of beats over time.
    pub arrivals: Arrivals,
    /// How many messages a publisher sends on each of its beats.
    pub burst: u32,
    /// The ramp up to that rate.
    pub ramp: Ramp,
    /// The seed of random arrivals.
    pub seed: u64,
}

impl OpenLoop {
    /// Converts the due time of a beat without the ramp into the time with it, in nanoseconds.
    fn after_ramp(&self, time: u128) -> u64 {
        let time = match self.ramp.from {
            None => self.after_start(time),
            Some(from) => self.after_change(from, time),
        };
        u64::try_from(time).unwrap_or(u64::MAX)
    }

    /// Up to its end, a ramp from 0 lets `rate * time^2 / (2 * ramp)` messages through; later ones are half a ramp
    /// late.
    fn after_start(&self, time: u128) -> u128 {
        let (after, ramp) = (self.ramp.after.as_nanos(), self.ramp.time.as_nanos());
        after + if time >= ramp / 2 { time + ramp / 2 } else { (2 * time * ramp).isqrt() }
    }

    /// A ramp from another rate lets `from * time` messages through before it begins, and after `time` of the ramp
    /// `from * time + (rate - from) * time^2 / (2 * ramp)`. Floating point is exact to a nanosecond for months.
    fn after_change(&self, from: Rate, time: u128) -> u128 {
        let part = from.as_per_second() / self.rate.as_per_second();
        let (after, ramp) = (self.ramp.after.as_nanos() as f64, self.ramp.time.as_nanos() as f64);
        let time = time as f64;
        let of_ramp = time - part * after;
        if of_ramp <= 0.0 {
            return (time / part) as u128;
        }
        let whole = ramp * (1.0 + part) / 2.0;
        if of_ramp >= whole {
            return (after + ramp + of_ramp - whole) as u128;
        }
        let root = (part * part + 2.0 * (1.0 - part) * of_ramp / ramp).max(0.0).sqrt();
        (after + 2.0 * of_ramp / (part + root)) as u128
    }

    /// The mean rate in messages per second over a ramp between two rates.
    pub(crate) fn mean_rate(&self) -> f64 {
        let from = self.ramp.from.unwrap_or(self.rate);
        (from.as_per_second() + self.rate.as_per_second()) / 2.0
    }

    /// The longest time without a message being due.
    pub(crate) fn longest_pause(&self) -> Duration {
        let beats = match self.arrivals {
            Arrivals::Constant => 1,
            Arrivals::Poisson => LONGEST_RANDOM_PAUSE,
        };
        let time = self.rate.time_of(u128::from(self.burst) * u128::from(beats));
        // The pauses change monotonically, so either the first or the last one is the longest.
        Duration::from_nanos(self.after_ramp(time).max(u64::try_from(time).unwrap_or(u64::MAX)))
    }
}

/// The sends of one publisher. Times are nanoseconds since the load's start.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    load: OpenLoop,
    publisher: u32,
    publishers: u32,
    /// Messages left in the current beat.
    left: u32,
    /// Beats before the current one.
    beats: u64,
    /// The due time of the current beat without a ramp, for random arrivals.
    random_time: u64,
    random: Rng,
    next: u64,
}

impl Schedule {
    /// The sends of one of `publishers` publishers.
    pub(crate) fn new(load: OpenLoop, publisher: u32, publishers: u32) -> Schedule {
        let seed = load.seed ^ u64::from(publisher).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut schedule = Schedule {
            load,
            publisher,
            publishers: publishers.max(1),
            left: load.burst.max(1),
            beats: 0,
            random_time: 0,
            random: Rng::with_seed(seed),
            next: 0,
        };
        schedule.plan_beat();
        schedule
    }

    /// When the next send is due.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Takes the next send if it is due by `now`, and returns its planned time. Every send is returned once and with
    /// its own time, however late it is.
    pub(crate) fn due(&mut self, now: u64) -> Option<u64> {
        let planned = self.next;
        if planned > now {
            return None;
        }
        self.left -= 1;
        if self.left == 0 {
            self.left = self.load.burst.max(1);
            self.beats += 1;
            self.plan_beat();
        }
        Some(planned)
    }

    /// The number of sends due by `now`, up to `MOST_COUNTED`.
    pub(crate) fn count_due(&self, now: u64) -> u64 {
        let mut rest = self.clone();
        std::iter::from_fn(|| rest.due(now)).take(MOST_COUNTED).count() as u64
    }

    fn plan_beat(&mut self) {
        let burst = u128::from(self.load.burst.max(1));
        let time = match self.load.arrivals {
            Arrivals::Constant => {
                let beat = u128::from(self.beats) * u128::from(self.publishers) + u128::from(self.publisher);
                self.load.rate.time_of(beat * burst)
            }
            Arrivals::Poisson => {
                let mean = self.load.rate.time_of(u128::from(self.publishers) * burst) as f64;
                let pause = -(1.0 - self.random.f64()).ln() * mean;
                self.random_time = self.random_time.saturating_add(pause.round() as u64);
                u128::from(self.random_time)
            }
        };
        self.next = self.load.after_ramp(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;
    const HOUR: u64 = 3600 * SECOND;

    fn load(rate: f64) -> OpenLoop {
        OpenLoop {
            rate: Rate::per_second(rate).unwrap(),
            arrivals: Arrivals::Constant,
            burst: 1,
            ramp: Ramp::default(),
            seed: 1,
        }
    }

    fn from_nothing(time: Duration) -> Ramp {
        Ramp { time, ..Ramp::default() }
    }

    fn from(rate: f64, after: u64, seconds: u64) -> Ramp {
        let from = Rate::per_second(rate);
        Ramp { from, after: Duration::from_secs(after), time: Duration::from_secs(seconds) }
    }

    fn poisson(rate: f64) -> OpenLoop {
        OpenLoop { arrivals: Arrivals::Poisson, ..load(rate) }
    }

    /// The planned times of all publishers up to `until`, in order.
    fn times(load: OpenLoop, publishers: u32, until: u64) -> Vec<u64> {
        let mut all = Vec::new();
        for publisher in 0..publishers {
            let mut schedule = Schedule::new(load, publisher, publishers);
            all.extend(std::iter::from_fn(|| schedule.due(until)));
        }
        all.sort_unstable();
        all
    }

    #[test]
    fn publishers_take_turns() {
        let first = |publisher| Schedule::new(load(100.0), publisher, 4).next();
        assert_eq!([0, 1, 2, 3].map(first), [0, SECOND / 100, SECOND / 50, 3 * SECOND / 100]);
        let mut schedule = Schedule::new(load(100.0), 1, 4);
        let times: Vec<_> = std::iter::from_fn(|| schedule.due(SECOND / 10)).collect();
        assert_eq!(times, [SECOND / 100, SECOND / 20, 9 * SECOND / 100], "every fourth hundredth");
    }

    #[test]
    fn nothing_drifts_in_a_day() {
        let mut schedule = Schedule { beats: 24 * 3600 * 7 / 7, ..Schedule::new(load(7.0), 0, 7) };
        schedule.plan_beat();
        assert_eq!(schedule.next(), 24 * HOUR, "the rate divides no nanosecond, and a day is a day");
        assert_eq!(times(load(0.3), 1, 10 * HOUR).len(), 10_801, "three in ten seconds, and the first at 0");
    }

    #[test]
    fn a_burst_is_due_at_once_and_the_rate_stays() {
        let load = OpenLoop { burst: 5, ..load(100.0) };
        let mut schedule = Schedule::new(load, 1, 2);
        let planned: Vec<_> = std::iter::from_fn(|| schedule.due(SECOND / 5)).collect();
        assert_eq!(planned, [[SECOND / 20; 5], [3 * SECOND / 20; 5]].concat());
        assert_eq!(times(load, 2, 10 * SECOND - 1).len(), 1000);
    }

    #[test]
    fn a_ramp_sends_half_as_much_and_a_quarter_in_its_first_half() {
        let load = OpenLoop { ramp: from_nothing(Duration::from_secs(10)), ..load(1000.0) };
        assert_eq!(times(load, 3, 5 * SECOND - 1).len(), 1250);
        assert_eq!(times(load, 3, 10 * SECOND - 1).len(), 5000);
        assert_eq!(times(load, 3, 20 * SECOND - 1).len(), 15_000, "at the full rate afterwards");
    }

    #[test]
    fn a_rate_grows_from_one_to_another() {
        let load = OpenLoop { ramp: from(100.0, 0, 10), ..load(1000.0) };
        let until = |seconds| times(load, 3, seconds * SECOND - 1).len();
        assert_eq!(until(5), 500 + 9 * 125, "100 t + 90 t^2 / 2");
        assert_eq!((until(10), until(12)), (5500, 7500), "550 a second on average, and 1000 afterwards");
    }

    #[test]
    fn a_rate_falls_as_well() {
        let load = OpenLoop { ramp: from(1000.0, 0, 10), ..load(100.0) };
        assert_eq!(times(load, 1, 10 * SECOND - 1).len(), 5500);
        assert_eq!(times(load, 1, 20 * SECOND - 1).len(), 6500);
        let times = times(load, 1, 20 * SECOND);
        let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(u128::from(longest) <= load.longest_pause().as_nanos() + 1, "{longest}");
    }

    #[test]
    fn a_rate_stays_where_it_begins_until_the_measurement() {
        let load = OpenLoop { ramp: from(100.0, 4, 10), ..load(1000.0) };
        assert_eq!([4, 14].map(|seconds| times(load, 2, seconds * SECOND - 1).len()), [400, 5900]);
        let same = OpenLoop { ramp: from(1000.0, 4, 10), ..load };
        assert_eq!(
            times(same, 2, 3 * SECOND),
            times(OpenLoop { ramp: Ramp::default(), ..load }, 2, 3 * SECOND)
        );
    }

    #[test]
    fn a_late_publisher_finds_every_send_with_its_planned_time() {
        let mut schedule = Schedule::new(load(1000.0), 0, 1);
        assert_eq!(schedule.due(0), Some(0));
        assert_eq!(schedule.due(0), None);
        assert_eq!(schedule.count_due(SECOND), 1000);
        let late: Vec<_> = std::iter::from_fn(|| schedule.due(SECOND)).collect();
        assert_eq!(late, (1..=1000).map(|number| number * SECOND / 1000).collect::<Vec<_>>());
        assert_eq!(schedule.next(), SECOND + SECOND / 1000);
    }

    #[test]
    fn random_arrivals_have_the_rate_and_the_spread_of_poisson() {
        let times = times(poisson(1000.0), 50, 100 * SECOND);
        let count = times.len() as f64;
        assert!((count - 100_000.0).abs() < 5.0 * 100_000f64.sqrt(), "{count} in 100 s");
        let mut in_tenth = vec![0f64; 1000];
        times.iter().filter(|&&time| time < 100 * SECOND).for_each(|time| {
            in_tenth[(time / (SECOND / 10)) as usize] += 1.0;
        });
        let variance = in_tenth.iter().map(|count| (count - 100.0).powi(2)).sum::<f64>() / 1000.0;
        assert!((80.0..120.0).contains(&variance), "the variance of a count is its mean: {variance}");
    }

    #[test]
    fn a_seed_chooses_the_arrivals() {
        let with_seed = |seed| times(OpenLoop { seed, ..poisson(100.0) }, 3, 10 * SECOND);
        assert_eq!(with_seed(7), with_seed(7));
        assert_ne!(with_seed(7), with_seed(8));
    }

    #[test]
    fn a_pause_is_no_longer_than_reported() {
        let load = OpenLoop { ramp: from_nothing(Duration::from_secs(100)), burst: 3, ..load(2.0) };
        let times = times(load, 4, 400 * SECOND);
        let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(u128::from(longest) <= load.longest_pause().as_nanos(), "{longest}");
    }

    #[test]
    fn rates_have_bounds() {
        assert_eq!(Rate::per_second(0.0), None);
        assert_eq!(Rate::per_second(-1.0), None);
        assert_eq!(Rate::per_second(f64::NAN), None);
        assert_eq!(Rate::per_second(f64::INFINITY), None);
        assert_eq!(Rate::per_second(2.5).map(Rate::as_per_second), Some(2.5));
    }

    fn any_load() -> impl Strategy<Value = OpenLoop> {
        let arrivals = prop_oneof![Just(Arrivals::Constant), Just(Arrivals::Poisson)];
        (1u64..200_000, arrivals, 1u32..20, 0u64..20_000, any::<u64>()).prop_map(
            |(rate, arrivals, burst, ramp, seed)| OpenLoop {
                rate: Rate::per_second(rate as f64 / 10.0).unwrap(),
                arrivals,
                burst,
                ramp: from_nothing(Duration::from_millis(ramp)),
                seed,
            },
        )
    }

    proptest! {
        #[test]
        fn times_never_go_back_and_how_often_one_looks_changes_nothing(
            load in any_load(), publisher in 0u32..5, step in 1u64..SECOND,
        ) {
            let (mut patient, mut eager) = (Schedule::new(load, publisher, 5), Schedule::new(load, publisher, 5));
            let end = 200 * step;
            let at_once: Vec<_> = std::iter::from_fn(|| patient.due(end)).take(2000).collect();
            let mut in_steps = Vec::new();
            for now in (0..=200).map(|number| number * step) {
                in_steps.extend(std::iter::from_fn(|| eager.due(now)).take(2000));
            }
            in_steps.truncate(at_once.len());
            prop_assert!(at_once.is_sorted());
            prop_assert_eq!(at_once, in_steps);
        }

        #[test]
        fn publishers_add_up_to_the_rate(rate in 1u64..5000, publishers in 1u32..50, seconds in 1u64..20) {
            let count = times(load(rate as f64), publishers, seconds * SECOND - 1).len() as u64;
            prop_assert_eq!(count, rate * seconds);
        }
    }
}
