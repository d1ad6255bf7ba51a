//! A line chart as SVG: a pure function from points to text.

use std::fmt::Write;

/// The size in units of the drawing; the page scales it.
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 300.0;

/// The position of the axes: labels are to the left and below.
const LEFT: f64 = 66.0;
const RIGHT: f64 = 26.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 44.0;

/// Lines with fewer points than this mark each of them, so that a single point is visible.
const MOST_DOTS: usize = 40;

/// More points than this cannot be distinguished on a screen.
const MOST_POINTS: usize = 600;

/// A line and its name.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// The scale from values to positions, and the labels.
pub(super) struct Axis {
    pub(super) title: &'static str,
    pub(super) scale: Scale,
    /// The values of the ends.
    pub(super) range: (f64, f64),
    /// Values with their labels.
    pub(super) ticks: Vec<(f64, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    Logarithmic,
}

/// The axes and the lines between them.
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
}

impl Axis {
    /// From zero to a round number above the largest value.
    pub(super) fn linear(title: &'static str, largest: f64) -> Axis {
        let step = round_step(largest);
        let steps = (largest / step).ceil().clamp(1.0, 10.0) as u32;
        let ticks = (0..=steps).map(|tick| f64::from(tick) * step).map(|value| (value, number(value)));
        Axis { title, scale: Scale::Linear, range: (0.0, f64::from(steps) * step), ticks: ticks.collect() }
    }

    /// From a power of ten below the smallest value to one above the largest; both values must be positive.
    pub(super) fn logarithmic(
        title: &'static str,
        (smallest, largest): (f64, f64),
        label: impl Fn(f64) -> String,
    ) -> Axis {
        let first = smallest.log10().floor();
        let last = largest.log10().ceil().max(first + 1.0);
        let powers = (0..=(last - first) as i32).map(|power| 10_f64.powf(first + f64::from(power)));
        let ticks = powers.map(|value| (value, label(value))).collect();
        let range = (10_f64.powf(first), 10_f64.powf(last));
        Axis { title, scale: Scale::Logarithmic, range, ticks }
    }

    /// The position of a value between the ends, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
        let map = |value: f64| match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.max(f64::MIN_POSITIVE).log10(),
        };
        let (low, high) = (map(self.range.0), map(self.range.1));
        ((map(value) - low) / (high - low)).clamp(0.0, 1.0)
    }
}

impl Chart {
    /// The chart with its title and legend.
    pub(super) fn to_html(&self) -> String {
        let mut html = format!("<figure>\n<figcaption>{}</figcaption>\n", self.title);
        let _ = writeln!(
            html,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            self.title
        );
        html += &self.grid();
        for (number, series) in self.series.iter().enumerate() {
            html += &self.line(series, number);
        }
        html += "</svg>\n<p class=\"legend\">";
        for (number, series) in self.series.iter().enumerate() {
            let _ = write!(html, "<span class=\"c{}\">{}</span> ", number % 6, series.name);
        }
        html + "</p>\n</figure>\n"
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.place(value) * (HEIGHT - TOP - BOTTOM)
    }

    fn grid(&self) -> String {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let mut svg = String::new();
        for (value, label) in &self.x.ticks {
            let x = self.x(*value);
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}\"/><text x=\"{x:.1}\" y=\"{:.1}\" \
                 text-anchor=\"middle\">{label}</text>",
                bottom + 16.0
            );
        }
        for (value, label) in &self.y.ticks {
            let y = self.y(*value);
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/><text x=\"{:.1}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{label}</text>",
                LEFT - 6.0,
                y + 4.0
            );
        }
        let middle = (LEFT + right) / 2.0;
        let _ = writeln!(
            svg,
            "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - 8.0,
            self.x.title
        );
        svg
    }

    fn line(&self, series: &Series, number: usize) -> String {
        let points = thinned(&series.points);
        let places: Vec<_> = points.iter().map(|&(x, y)| (self.x(x), self.y(y))).collect();
        let mut path = String::new();
        for (index, (x, y)) in places.iter().enumerate() {
            let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
        }
        let class = number % 6;
        let mut svg = String::new();
        if places.len() > 1 {
            let _ = writeln!(svg, "<path class=\"line c{class}\" d=\"{path}\"/>");
        }
        if places.len() <= MOST_DOTS {
            for (x, y) in places {
                let _ = writeln!(svg, "<circle class=\"c{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\"/>");
            }
        }
        svg
    }
}

/// Thins the points out for a screen: it keeps the highest of each group, since a peak must stay visible.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let group = points.len().div_ceil(MOST_POINTS).max(1);
    let highest = |points: &[(f64, f64)]| points.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
    points.chunks(group).filter_map(highest).collect()
}

/// A step of 1, 2 or 5 times a power of ten that divides the largest value into about five.
fn round_step(largest: f64) -> f64 {
    let rough = (largest / 5.0).max(0.2);
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough * 0.999);
    (factor.unwrap_or(10.0) * power).max(1.0)
}

/// A number with a letter for thousands, as in 25k.
fn number(value: f64) -> String {
    let (scaled, unit) = match value {
        1e9.. => (value / 1e9, "G"),
        1e6.. => (value / 1e6, "M"),
        1e3.. => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = format!("{scaled:.2}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(&Axis::linear("", 23_456.0)), ["0", "5k", "10k", "15k", "20k", "25k"]);
        assert_eq!(labels(&Axis::linear("", 0.0)), ["0", "1"]);
        assert_eq!(labels(&Axis::linear("", 7.0)), ["0", "2", "4", "6", "8"]);
        let axis = Axis::logarithmic("", (150.0, 20_000.0), |value| format!("{value:.0}"));
        assert_eq!(labels(&axis), ["100", "1000", "10000", "100000"]);
        let narrow = Axis::logarithmic("", (100.0, 100.0), |value| format!("{value:.0}"));
        assert_eq!(labels(&narrow), ["100", "1000"]);
    }

    #[test]
    fn places_are_between_the_axes() {
        let chart = Chart {
            title: "t",
            x: Axis::linear("x", 10.0),
            y: Axis::logarithmic("y", (1.0, 100.0), number),
            series: vec![],
        };
        assert_eq!((chart.x(0.0), chart.x(10.0), chart.x(f64::MAX)), (LEFT, WIDTH - RIGHT, WIDTH - RIGHT));
        assert_eq!((chart.y(1.0), chart.y(100.0), chart.y(0.0)), (HEIGHT - BOTTOM, TOP, HEIGHT - BOTTOM));
    }

    #[test]
    fn peaks_survive_thinning() {
        let mut points: Vec<_> = (0..4096).map(|x| (f64::from(x), 1.0)).collect();
        points[777].1 = 50.0;
        let thin = thinned(&points);
        assert!(thin.len() <= MOST_POINTS && thin.contains(&(777.0, 50.0)));
    }
}
