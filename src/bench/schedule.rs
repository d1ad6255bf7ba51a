//! Send times of an open loop, computed from message numbers rather than accumulated, so that they do not drift.
//!
//! All publishers share one sequence of beats and take them in turn, so that they do not send simultaneously and
//! their rates add up to the total. Due messages are not queued: a publisher that falls behind still gets every
//! message from here, with its planned time.

use super::rate_profile::{RateProfile, WORK_OF_MESSAGE, Work};
use fastrand::Rng;
use std::time::Duration;

/// The longest pause of random arrivals, as a multiple of the mean; one in 10^13 is longer.
const LONGEST_RANDOM_PAUSE: u32 = 30;

/// The maximum number of sends to count one by one.
const MAX_COUNTED: usize = 10_000_000;

/// The distribution of beats over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrivals {
    /// At equal intervals.
    Constant,
    /// Independent of each other, like the requests of many users.
    Poisson,
}

/// On and off times of each client, in turn. Each client begins at a place of its own in this cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DutyCycle {
    pub on: Duration,
    pub off: Duration,
}

impl DutyCycle {
    /// Moves a time that counts only while the client is on, and at the mean rate, to real time. `phase` is the client's place in the
    /// cycle at time 0.
    fn real_time(self, time: u64, phase: u64) -> u64 {
        let (on, off) = (self.on.as_nanos().max(1), self.off.as_nanos());
        let (cycle, phase) = (on + off, u128::from(phase));
        let done = u128::from(time) * on / cycle + phase.min(on);
        let real = done / on * cycle + done % on;
        u64::try_from(real - phase).unwrap_or(u64::MAX)
    }

    fn cycle(self) -> u64 {
        u64::try_from((self.on + self.off).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A load that does not wait for the broker.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OpenLoop {
    /// The rate of all publishers together, over time.
    pub profile: RateProfile,
    /// The distribution of beats over time.
    pub arrivals: Arrivals,
    /// How many messages a publisher sends on each of its beats.
    pub burst: u32,
    /// When each publisher is on; `None` for always. The mean rate stays.
    pub duty_cycle: Option<DutyCycle>,
    /// The seed of random arrivals and phases.
    pub seed: u64,
}

impl OpenLoop {
    /// The mean rate in messages per second.
    pub(crate) fn mean_rate(&self) -> f64 {
        self.profile.mean()
    }

    /// The longest time without a message being due.
    pub(crate) fn longest_pause(&self) -> Duration {
        let beats = match self.arrivals {
            Arrivals::Constant => 1,
            Arrivals::Poisson => LONGEST_RANDOM_PAUSE,
        };
        let work = u128::from(self.burst) * u128::from(beats) * WORK_OF_MESSAGE;
        let off = self.duty_cycle.map_or(Duration::ZERO, |cycle| cycle.off);
        Duration::from_nanos(self.profile.longest_pause(work)).saturating_add(off)
    }

    /// The place of a publisher in its duty cycle when the load begins.
    fn phase(&self, seed: u64) -> u64 {
        // Independent of the random arrivals, which have the same seed.
        let mut random = Rng::with_seed(seed.rotate_left(32));
        self.duty_cycle.map_or(0, |duty| random.u64(..duty.cycle().max(1)))
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
    /// The work before the current beat, for random arrivals.
    random_work: Work,
    /// The place in the duty cycle when the load begins.
    phase: u64,
    random: Rng,
    next: u64,
}

impl Schedule {
    /// The sends of one of `publishers` publishers.
    pub(crate) fn new(load: OpenLoop, publisher: u32, publishers: u32) -> Schedule {
        let seed = load.seed ^ u64::from(publisher).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut schedule = Schedule {
            publisher,
            publishers: publishers.max(1),
            left: load.burst.max(1),
            beats: 0,
            random_work: 0,
            phase: load.phase(seed),
            random: Rng::with_seed(seed),
            next: 0,
            load,
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

    /// The number of sends due by `now`, up to `MAX_COUNTED`.
    pub(crate) fn count_due(&self, now: u64) -> u64 {
        let mut rest = self.clone();
        std::iter::from_fn(|| rest.due(now)).take(MAX_COUNTED).count() as u64
    }

    fn plan_beat(&mut self) {
        let work = u128::from(self.load.burst.max(1)) * WORK_OF_MESSAGE;
        let before = match self.load.arrivals {
            Arrivals::Constant => {
                let beat = u128::from(self.beats) * u128::from(self.publishers) + u128::from(self.publisher);
                beat * work
            }
            Arrivals::Poisson => {
                let mean = (work * u128::from(self.publishers)) as f64;
                let pause = -(1.0 - self.random.f64()).ln() * mean;
                self.random_work = self.random_work.saturating_add(pause.round() as u128);
                self.random_work
            }
        };
        let planned = self.time_of(before);
        // Two messages within a nanosecond could be rounded in the wrong order.
        self.next = if planned < self.load.profile.end() { planned.max(self.next) } else { u64::MAX };
    }

    fn time_of(&self, work: Work) -> u64 {
        let time = self.load.profile.time_of(work);
        let Some(duty) = self.load.duty_cycle else { return time };
        let begin = self.load.profile.begin();
        begin.saturating_add(duty.real_time(time.saturating_sub(begin), self.phase))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rate::Rate;
    use crate::bench::rate_profile::{Bounds, Pace};
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;
    const HOUR: u64 = 3600 * SECOND;

    fn per_second(rate: f64) -> Rate {
        Rate::per_second(rate).unwrap()
    }

    fn paced(pace: Pace, after: u64) -> OpenLoop {
        let bounds = Bounds { measured_from: Duration::from_secs(after), ..Bounds::default() };
        OpenLoop {
            profile: RateProfile::new(pace, bounds),
            arrivals: Arrivals::Constant,
            burst: 1,
            duty_cycle: None,
            seed: 1,
        }
    }

    fn load(rate: f64) -> OpenLoop {
        paced(Pace::Constant(per_second(rate)), 0)
    }

    fn growing(rate: f64, seconds: u64) -> OpenLoop {
        paced(Pace::Growing { to: per_second(rate), time: Duration::from_secs(seconds) }, 0)
    }

    fn changing(from: f64, to: f64, after: u64, seconds: u64) -> OpenLoop {
        let (from, to) = (per_second(from), per_second(to));
        paced(Pace::Changing { from, to, time: Duration::from_secs(seconds) }, after)
    }

    fn poisson(rate: f64) -> OpenLoop {
        OpenLoop { arrivals: Arrivals::Poisson, ..load(rate) }
    }

    /// The planned times of all publishers up to `until`, in order.
    fn times(load: &OpenLoop, publishers: u32, until: u64) -> Vec<u64> {
        let mut all = Vec::new();
        for publisher in 0..publishers {
            let mut schedule = Schedule::new(load.clone(), publisher, publishers);
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
        assert_eq!(times(&load(0.3), 1, 10 * HOUR).len(), 10_801, "three in ten seconds, and the first at 0");
    }

    #[test]
    fn a_burst_is_due_at_once_and_the_rate_stays() {
        let load = OpenLoop { burst: 5, ..load(100.0) };
        let mut schedule = Schedule::new(load.clone(), 1, 2);
        let planned: Vec<_> = std::iter::from_fn(|| schedule.due(SECOND / 5)).collect();
        assert_eq!(planned, [[SECOND / 20; 5], [3 * SECOND / 20; 5]].concat());
        assert_eq!(times(&load, 2, 10 * SECOND - 1).len(), 1000);
    }

    #[test]
    fn a_ramp_sends_half_as_much_and_a_quarter_in_its_first_half() {
        let load = growing(1000.0, 10);
        assert_eq!(times(&load, 3, 5 * SECOND - 1).len(), 1250);
        assert_eq!(times(&load, 3, 10 * SECOND - 1).len(), 5000);
        assert_eq!(times(&load, 3, 20 * SECOND - 1).len(), 15_000, "at the full rate afterwards");
    }

    #[test]
    fn a_rate_grows_from_one_to_another() {
        let load = changing(100.0, 1000.0, 0, 10);
        let until = |seconds| times(&load, 3, seconds * SECOND - 1).len();
        assert_eq!(until(5), 500 + 9 * 125, "100 t + 90 t^2 / 2");
        assert_eq!((until(10), until(12)), (5500, 7500), "550 a second on average, and 1000 afterwards");
    }

    #[test]
    fn a_rate_falls_as_well() {
        let load = changing(1000.0, 100.0, 0, 10);
        assert_eq!(times(&load, 1, 10 * SECOND - 1).len(), 5500);
        assert_eq!(times(&load, 1, 20 * SECOND - 1).len(), 6500);
        let times = times(&load, 1, 20 * SECOND);
        let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(u128::from(longest) <= load.longest_pause().as_nanos() + 1, "{longest}");
    }

    #[test]
    fn a_rate_stays_where_it_begins_until_the_measurement() {
        let load = changing(100.0, 1000.0, 4, 10);
        assert_eq!([4, 14].map(|seconds| times(&load, 2, seconds * SECOND - 1).len()), [400, 5900]);
        assert_eq!(
            times(&changing(1000.0, 1000.0, 4, 10), 2, 3 * SECOND),
            times(&self::load(1000.0), 2, 3 * SECOND)
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
        let times = times(&poisson(1000.0), 50, 100 * SECOND);
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
        let with_seed = |seed| times(&OpenLoop { seed, ..poisson(100.0) }, 3, 10 * SECOND);
        assert_eq!(with_seed(7), with_seed(7));
        assert_ne!(with_seed(7), with_seed(8));
    }

    #[test]
    fn a_pause_is_no_longer_than_reported() {
        let load = OpenLoop { burst: 3, ..growing(2.0, 100) };
        let times = times(&load, 4, 400 * SECOND);
        let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(u128::from(longest) <= load.longest_pause().as_nanos(), "{longest}");
    }

    fn on_and_off(on: u64, off: u64, rate: f64) -> OpenLoop {
        let duty_cycle = DutyCycle { on: Duration::from_secs(on), off: Duration::from_secs(off) };
        OpenLoop { duty_cycle: Some(duty_cycle), ..load(rate) }
    }

    #[test]
    fn a_device_sends_only_while_it_is_on_and_the_mean_rate_stays() {
        let load = on_and_off(2, 8, 20.0);
        for publisher in 0..4 {
            let mut schedule = Schedule::new(load.clone(), publisher, 4);
            let phase = schedule.phase;
            let times: Vec<_> = std::iter::from_fn(|| schedule.due(1000 * SECOND - 1)).collect();
            assert!(times.iter().all(|time| (time + phase) % (10 * SECOND) < 2 * SECOND), "{times:?}");
            assert!(times.len().abs_diff(5000) <= 50, "5 per second: {}", times.len());
            assert!(times.is_sorted());
        }
    }

    #[test]
    fn each_device_has_a_phase_of_its_own() {
        let load = on_and_off(10, 50, 100.0);
        let phase = |publisher| Schedule::new(load.clone(), publisher, 100).phase / SECOND;
        let mut phases: Vec<_> = (0..100).map(phase).collect();
        phases.sort_unstable();
        phases.dedup();
        assert!(phases.len() > 35 && phases.last() < Some(&60), "{phases:?}");
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
                arrivals,
                burst,
                seed,
                ..paced(
                    Pace::Growing { to: per_second(rate as f64 / 10.0), time: Duration::from_millis(ramp) },
                    0,
                )
            },
        )
    }

    proptest! {
        #[test]
        fn times_never_go_back_and_how_often_one_looks_changes_nothing(
            load in any_load(), publisher in 0u32..5, step in 1u64..SECOND,
        ) {
            let (mut patient, mut eager) = (Schedule::new(load.clone(), publisher, 5), Schedule::new(load, publisher, 5));
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
            let count = times(&load(rate as f64), publishers, seconds * SECOND - 1).len() as u64;
            prop_assert_eq!(count, rate * seconds);
        }
    }
}
