//! A planned rate over time: a few points of a piecewise linear curve.

use serde::{Deserialize, Serialize};

/// The maximum number of times with a point of their own.
const MAX_TIMES: usize = 300;

const NANOSECONDS_PER_SECOND: f64 = 1e9;

/// A rate over the time since the load began. It is linear between two points, and stays after the last one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RateCourse(Vec<RatePoint>);

/// A rate at a time. Two points with the same time are a jump.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct RatePoint {
    /// In nanoseconds.
    pub at_ns: u64,
    pub per_second: f64,
}

impl RateCourse {
    /// A course through points in the order of their times.
    pub(super) fn new(points: Vec<RatePoint>) -> RateCourse {
        RateCourse(points)
    }

    /// The sum of several courses. A course with very many points loses some of them.
    pub(crate) fn sum(courses: &[RateCourse]) -> RateCourse {
        let mut times: Vec<u64> =
            courses.iter().flat_map(|course| &course.0).map(|point| point.at_ns).collect();
        times.sort_unstable();
        times.dedup();
        let step = times.len().div_ceil(MAX_TIMES).max(1);
        let last = times.last().copied().filter(|_| step > 1);
        let mut sum = RateCourse::default();
        for at_ns in times.into_iter().step_by(step).chain(last) {
            let of_all =
                |rate: fn(&RateCourse, u64) -> f64| courses.iter().map(|course| rate(course, at_ns)).sum();
            if !sum.0.is_empty() {
                sum.push(at_ns, of_all(RateCourse::before));
            }
            sum.push(at_ns, of_all(RateCourse::after));
        }
        sum
    }

    /// Whether it has few enough points for a report.
    pub(crate) fn is_short(&self) -> bool {
        self.0.len() <= MAX_TIMES
    }

    /// The number of messages that are planned from one time until another.
    pub(crate) fn messages(&self, from: u64, until: u64) -> f64 {
        let first = self.0.partition_point(|point| point.at_ns <= from);
        let corners = self.0.iter().skip(first).map(|point| point.at_ns).take_while(|time| *time < until);
        let (mut begin, mut messages) = (from, 0.0);
        for end in corners.chain([until]) {
            let time = end.saturating_sub(begin) as f64 / NANOSECONDS_PER_SECOND;
            messages += (self.after(begin) + self.before(end)) / 2.0 * time;
            begin = end;
        }
        messages
    }

    /// The lowest and the highest rate, without pauses; `None` if nothing is planned.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        let pairs = self.0.iter().zip(self.0.iter().skip(1)).filter(|(from, to)| from.at_ns < to.at_ns);
        let sending =
            pairs.map(|(from, to)| (from.per_second, to.per_second)).filter(|ends| *ends != (0.0, 0.0));
        let last = self.0.last().map(|point| (point.per_second, point.per_second));
        let ends = sending.chain(last.filter(|ends| *ends != (0.0, 0.0)));
        let ordered = ends.map(|(from, to)| (from.min(to), from.max(to)));
        ordered.reduce(|(low, high), (from, to)| (low.min(from), high.max(to)))
    }

    /// Adds a point, unless it is the last one.
    fn push(&mut self, at_ns: u64, per_second: f64) {
        let point = RatePoint { at_ns, per_second };
        if self.0.last() != Some(&point) {
            self.0.push(point);
        }
    }

    /// The points up to a time, and the rate at that time.
    pub(crate) fn until(&self, end: u64) -> Vec<RatePoint> {
        let points = self.0.iter().copied().take_while(|point| point.at_ns < end);
        points.chain([RatePoint { at_ns: end, per_second: self.before(end) }]).collect()
    }

    /// The rate immediately before a time.
    pub(crate) fn before(&self, time: u64) -> f64 {
        self.between(self.0.partition_point(|point| point.at_ns < time), time)
    }

    /// The rate from a time on.
    fn after(&self, time: u64) -> f64 {
        self.between(self.0.partition_point(|point| point.at_ns <= time), time)
    }

    /// The rate at a time before the point with this index.
    fn between(&self, next: usize, time: u64) -> f64 {
        let Some(from) = next.checked_sub(1).and_then(|index| self.0.get(index)) else { return 0.0 };
        let Some(to) = self.0.get(next) else { return from.per_second };
        // A report of others may have its points in any order.
        let length = to.at_ns.saturating_sub(from.at_ns).max(1);
        let part = time.saturating_sub(from.at_ns) as f64 / length as f64;
        from.per_second + (to.per_second - from.per_second) * part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(points: &[(u64, f64)]) -> RateCourse {
        RateCourse(points.iter().map(|&(at_ns, per_second)| RatePoint { at_ns, per_second }).collect())
    }

    #[test]
    fn courses_add_up_at_every_point() {
        let ramp = course(&[(0, 0.0), (100, 50.0)]);
        let late = course(&[(0, 0.0), (50, 0.0), (50, 10.0), (80, 10.0), (80, 0.0)]);
        let expected = [(0, 0.0), (50, 25.0), (50, 35.0), (80, 50.0), (80, 40.0), (100, 50.0)];
        let sum = RateCourse::sum(&[ramp.clone(), late]);
        assert_eq!(sum, course(&expected));
        assert_eq!((sum.before(50), sum.before(90), sum.before(1000)), (25.0, 45.0, 50.0));
        assert_eq!(ramp.until(50), course(&[(0, 0.0), (50, 25.0)]).0);
    }

    #[test]
    fn messages_are_the_integral_of_the_rate() {
        let second = 1_000_000_000;
        let stages = course(&[(0, 100.0), (2 * second, 100.0), (2 * second, 0.0), (4 * second, 0.0)]);
        assert_eq!(stages.messages(0, second / 2), 50.0);
        assert_eq!(stages.messages(second, 9 * second), 100.0, "nothing after the last stage");
        assert_eq!(stages.messages(2 * second, 4 * second), 0.0);
        let ramp = course(&[(second, 0.0), (3 * second, 40.0)]);
        assert_eq!(ramp.messages(0, 2 * second), 10.0);
        assert_eq!(ramp.messages(second, 4 * second), 80.0, "the last rate stays");
        assert_eq!(ramp.messages(3 * second, 2 * second), 0.0);
        assert_eq!((stages.range(), ramp.range()), (Some((100.0, 100.0)), Some((0.0, 40.0))));
        assert_eq!(RateCourse::default().range(), None);
    }

    #[test]
    fn a_course_of_very_many_stages_is_thinned() {
        let points: Vec<_> = (0..10_000).map(|second| (second, second as f64)).collect();
        let sum = RateCourse::sum(&[course(&points)]);
        assert!(sum.0.len() <= 2 * MAX_TIMES + 2, "{}", sum.0.len());
        assert_eq!(sum.0.last().map(|point| (point.at_ns, point.per_second)), Some((9999, 9999.0)));
    }
}
