//! A chart as SVG: a pure function from series and axes to text. The series may be of one run or of several.
//!
//! Every series has a colour and a dash, both visible in the legend, so that no two depend on the colour alone. The legend also holds
//! the values, which the script of the page displays beside a pointer; without a script, the chart is complete except for these.

use super::axis::Axis;
use super::markup::as_text;
use std::fmt::Write;

/// The size in units of the drawing; the page scales it.
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 250.0;

/// The position of the axes: labels are to the left and below.
const LEFT: f64 = 58.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 42.0;

/// Lines with fewer points than this mark each of them.
const MAX_DOTS: usize = 40;

/// The maximum number of points of a line: more cannot be distinguished on a screen.
const MAX_POINTS: usize = 240;

/// The maximum number of points of a series of symbols, which take more room than those of a line.
const MAX_SYMBOLS: usize = 60;

/// The maximum number of points of all lines of a chart, so that the size of the page is limited.
const MAX_POINTS_TOGETHER: usize = 1600;

/// The number of styles in the style sheet; further series repeat them.
pub(super) const STYLES: usize = 8;

/// The width of a letter of a label, at most.
const LETTER: f64 = 8.0;

/// The shade of a band, for the legend.
const BAND_KEY: &str = "<svg class=\"key\" viewBox=\"0 0 34 10\" aria-hidden=\"true\"><path class=\"band\" d=\"M1 0H33V10H1z\"/></svg>";

/// Values by position, and their name.
pub(super) struct Series {
    pub(super) name: String,
    /// The colour and the dash.
    pub(super) style: usize,
    pub(super) mark: Mark,
    /// In the order of x; `None` leaves a gap in the line.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// How the values of a series are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A line through all values. If they are few, each has a dot.
    Line,
    /// A line without dots, since its values are points of a curve that is defined between them.
    Curve,
    /// A symbol for each value above zero.
    Symbol,
}

/// A range of x that is shaded.
pub(super) struct Band {
    pub(super) name: &'static str,
    pub(super) range: (f64, f64),
}

/// The axes and everything between them.
pub(super) struct Chart {
    pub(super) caption: String,
    /// A sentence below the chart; may be empty.
    pub(super) note: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) bands: Vec<Band>,
    pub(super) series: Vec<Series>,
}

impl Chart {
    /// The chart with caption, legend and note.
    pub(super) fn to_html(&self) -> String {
        let caption = as_text(&self.caption);
        let mut html = format!(
            "<figure class=\"chart\" tabindex=\"0\" data-x=\"{:?}\">\n<figcaption>{caption} <output></output></figcaption>\n\
             <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{caption}\">\n",
            self.x.quantity
        );
        html += &self.bands();
        html += &self.grid();
        let series: Vec<_> = self.series.iter().map(|series| Drawn::new(self, series)).collect();
        series.iter().for_each(|drawn| html += &drawn.to_svg());
        let _ = writeln!(html, "<path class=\"pointer\" d=\"M0 {TOP}V{}\"/>\n</svg>", HEIGHT - BOTTOM);
        html += "<ul class=\"legend\">\n";
        series.iter().for_each(|drawn| html += &drawn.to_legend());
        if !self.bands.is_empty() {
            let mut names: Vec<_> = self.bands.iter().map(|band| band.name).collect();
            names.dedup();
            let _ = writeln!(html, "<li>{BAND_KEY}<span>{}</span></li>", names.join(", "));
        }
        html += "</ul>\n";
        if !self.note.is_empty() {
            let _ = writeln!(html, "<p class=\"soft\">{}</p>", as_text(&self.note));
        }
        html + "</figure>\n"
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.place(value) * (HEIGHT - TOP - BOTTOM)
    }

    fn bands(&self) -> String {
        let mut svg = String::new();
        for Band { name, range: (from, to) } in &self.bands {
            let (left, right) = (self.x(*from), self.x(*to));
            let _ = writeln!(
                svg,
                "<rect class=\"band\" x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\"><title>{name}</title></rect>",
                (right - left).max(0.0),
                HEIGHT - TOP - BOTTOM
            );
            if right - left >= name.len() as f64 * LETTER {
                let middle = (left + right) / 2.0;
                let _ = writeln!(
                    svg,
                    "<text x=\"{middle:.1}\" y=\"{:.1}\" class=\"middle\">{name}</text>",
                    TOP + 13.0
                );
            }
        }
        svg
    }

    fn grid(&self) -> String {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let mut svg = String::new();
        let mut free_from = 0.0;
        for (value, label) in &self.x.ticks {
            let x = self.x(*value);
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}\"/>");
            let half = label.chars().count() as f64 * LETTER / 2.0;
            if x - half >= free_from {
                let middle = x.min(WIDTH - half);
                let _ = writeln!(
                    svg,
                    "<text x=\"{middle:.1}\" y=\"{:.1}\" class=\"middle\">{label}</text>",
                    bottom + 16.0
                );
                free_from = x + half + LETTER;
            }
        }
        for (value, label) in &self.y.ticks {
            let y = self.y(*value);
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/><text x=\"{:.1}\" y=\"{:.1}\" class=\"end\">{label}</text>",
                LEFT - 6.0,
                y + 4.0
            );
        }
        let middle = (LEFT + right) / 2.0;
        let title = as_text(&self.x.title);
        let _ = writeln!(
            svg,
            "<text x=\"{middle:.1}\" y=\"{:.1}\" class=\"middle\">{title}</text>",
            HEIGHT - 8.0
        );
        svg
    }
}

/// A series with its positions.
struct Drawn<'a> {
    series: &'a Series,
    points: Vec<Option<Point>>,
}

/// A value with its position, and the texts of both coordinates.
struct Point {
    x: f64,
    y: f64,
    at: String,
    value: String,
}

impl Drawn<'_> {
    fn new<'a>(chart: &Chart, series: &'a Series) -> Drawn<'a> {
        let most = match series.mark {
            Mark::Line | Mark::Curve => {
                (MAX_POINTS_TOGETHER / chart.series.len().max(1)).clamp(2, MAX_POINTS)
            }
            Mark::Symbol => MAX_SYMBOLS,
        };
        let is_drawn = |value: &f64| series.mark != Mark::Symbol || *value > 0.0;
        let points = thinned(&series.points, most).into_iter().map(|(x, value)| {
            value.filter(is_drawn).map(|value| Point {
                x: chart.x(x),
                y: chart.y(value),
                at: chart.x.quantity.show(x),
                value: chart.y.quantity.show(value),
            })
        });
        Drawn { series, points: points.collect() }
    }

    fn style(&self) -> usize {
        self.series.style % STYLES
    }

    fn to_svg(&self) -> String {
        match self.series.mark {
            Mark::Line => self.line() + &self.dots(),
            Mark::Curve => self.line(),
            Mark::Symbol => self.points.iter().flatten().map(|point| self.symbol(point)).collect(),
        }
    }

    fn line(&self) -> String {
        let mut path = String::new();
        let mut command = 'M';
        for point in &self.points {
            let Some(Point { x, y, .. }) = point else {
                command = 'M';
                continue;
            };
            let _ = write!(path, "{command}{x:.1} {y:.1}");
            command = 'L';
        }
        if path.is_empty() {
            path
        } else {
            format!("<path class=\"line s{}\" d=\"{path}\"/>\n", self.style())
        }
    }

    /// Marks the points of a short line, with their values, and those of a long one that have no neighbours to be connected with.
    fn dots(&self) -> String {
        let is_alone = |index: usize| {
            let is_gap = |index: Option<usize>| {
                index.and_then(|index| self.points.get(index)).is_none_or(Option::is_none)
            };
            is_gap(index.checked_sub(1)) && is_gap(index.checked_add(1))
        };
        let is_short = self.points.iter().flatten().count() <= MAX_DOTS;
        let points =
            self.points.iter().enumerate().filter_map(|(index, point)| Some((index, point.as_ref()?)));
        let points = points.filter(|(index, _)| is_short || is_alone(*index));
        let mut svg = String::new();
        for (_, Point { x, y, at, value }) in points {
            let (style, name) = (self.style(), as_text(&self.series.name));
            let _ = writeln!(
                svg,
                "<circle class=\"s{style}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.2\"><title>{name}, {at}: {value}</title></circle>"
            );
        }
        svg
    }

    fn symbol(&self, Point { x, y, at, value }: &Point) -> String {
        let (style, name) = (self.style(), as_text(&self.series.name));
        let path = symbol_path(style, *x, *y);
        format!("<path class=\"symbol s{style}\" d=\"{path}\"><title>{name}, {at}: {value}</title></path>\n")
    }

    /// The line or the symbol with its name, and the values for the script.
    fn to_legend(&self) -> String {
        let style = self.style();
        let key = match self.series.mark {
            Mark::Line | Mark::Curve => format!("<path class=\"line s{style}\" d=\"M1 5H33\"/>"),
            Mark::Symbol => {
                format!("<path class=\"symbol s{style}\" d=\"{}\"/>", symbol_path(style, 17.0, 5.0))
            }
        };
        let list = |text: &dyn Fn(&Point) -> String| {
            self.points.iter().flatten().map(text).collect::<Vec<_>>().join("|")
        };
        format!(
            "<li data-x=\"{}\" data-at=\"{}\" data-value=\"{}\"><svg class=\"key\" viewBox=\"0 0 34 10\" aria-hidden=\"true\">{key}</svg>\
             <span>{}</span> <output></output></li>\n",
            list(&|point| format!("{:.1}", point.x)),
            list(&|point| point.at.clone()),
            list(&|point| point.value.clone()),
            as_text(&self.series.name)
        )
    }
}

/// A diamond, a triangle or a square around a position.
fn symbol_path(style: usize, x: f64, y: f64) -> String {
    match style % 3 {
        0 => format!("M{:.1} {:.1}l4.5 4.5l-4.5 4.5l-4.5 -4.5z", x, y - 4.5),
        1 => format!("M{:.1} {:.1}l4.5 8h-9z", x, y - 4.5),
        _ => format!("M{:.1} {:.1}h7.6v7.6h-7.6z", x - 3.8, y - 3.8),
    }
}

/// Thins the points out to about `most`. Of each group it keeps the lowest and the highest value, since neither a standstill nor a peak
/// may disappear.
fn thinned(points: &[(f64, Option<f64>)], most: usize) -> Vec<(f64, Option<f64>)> {
    if points.len() <= most {
        return points.to_vec();
    }
    let group = points.len().div_ceil((most / 2).max(1));
    points.chunks(group).flat_map(extremes).collect()
}

/// The lowest and the highest value, in the order of x; a gap without values.
fn extremes(points: &[(f64, Option<f64>)]) -> Vec<(f64, Option<f64>)> {
    let values = || points.iter().enumerate().filter_map(|(index, &(_, value))| Some((index, value?)));
    let lowest = values().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index);
    let highest = values().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index);
    let mut kept: Vec<usize> = lowest.into_iter().chain(highest).collect();
    kept.sort_unstable();
    kept.dedup();
    match kept.as_slice() {
        [] => points.first().copied().into_iter().collect(),
        kept => kept.iter().filter_map(|index| points.get(*index).copied()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::axis::Quantity;
    use super::*;

    fn chart(series: Vec<Series>) -> Chart {
        let (x, y) = (Axis::time(10.0), Axis::latency([1.0, 100.0].into_iter()).unwrap());
        Chart { caption: "t".to_owned(), note: String::new(), x, y, bands: vec![], series }
    }

    fn line(name: &str, style: usize, points: &[(f64, Option<f64>)]) -> Series {
        Series { name: name.to_owned(), style, mark: Mark::Line, points: points.to_vec() }
    }

    #[test]
    fn places_are_between_the_axes() {
        let chart = chart(vec![]);
        assert_eq!((chart.x(0.0), chart.x(10.0), chart.x(f64::MAX)), (LEFT, WIDTH - RIGHT, WIDTH - RIGHT));
        assert_eq!((chart.y(1.0), chart.y(100.0), chart.y(0.0)), (HEIGHT - BOTTOM, TOP, HEIGHT - BOTTOM));
    }

    #[test]
    fn peaks_and_standstills_survive_thinning() {
        let mut points: Vec<_> = (0..4096).map(|x| (f64::from(x), Some(10.0))).collect();
        (points[777].1, points[778].1) = (Some(50.0), Some(0.0));
        let thin = thinned(&points, MAX_POINTS);
        assert!(thin.len() <= MAX_POINTS && thin.is_sorted_by_key(|(x, _)| *x), "{}", thin.len());
        assert!(thin.contains(&(777.0, Some(50.0))) && thin.contains(&(778.0, Some(0.0))));
    }

    #[test]
    fn a_gap_interrupts_the_line_and_a_lone_point_is_visible() {
        let mut points: Vec<_> = (0..100).map(|x| (f64::from(x) / 10.0, Some(10.0))).collect();
        for gap in [50, 52, 53] {
            points[gap].1 = None;
        }
        let html = chart(vec![line("a", 0, &points)]).to_html();
        let path = html.lines().find(|line| line.starts_with("<path class=\"line s0\"")).unwrap();
        assert_eq!(path.matches('M').count(), 3, "{path}");
        assert_eq!(html.matches("<circle").count(), 1, "{html}");
    }

    #[test]
    fn every_series_of_eight_runs_has_its_own_style_and_its_values() {
        let points: Vec<_> = (0..4096).map(|x| (f64::from(x) / 410.0, Some(f64::from(x)))).collect();
        let series = (0..8).map(|run| line(&format!("<run {run}>"), run, &points)).collect();
        let html = chart(series).to_html();
        for run in 0..8 {
            let key =
                format!("<path class=\"line s{run}\" d=\"M1 5H33\"/></svg><span>&lt;run {run}&gt;</span>");
            assert!(html.contains(&key), "{key} in {html}");
        }
        assert!(html.len() < 60_000, "{}", html.len());
    }

    #[test]
    fn symbols_are_only_where_something_happened() {
        let points = [(1.0, Some(0.0)), (2.0, Some(3.0)), (3.0, None)];
        let series = Series { mark: Mark::Symbol, ..line("lost", 1, &points) };
        let chart = Chart { y: Axis::linear(Quantity::Count, 3.0), ..chart(vec![series]) };
        let html = chart.to_html();
        assert_eq!(html.matches("<title>").count(), 1);
        assert!(html.contains("<title>lost, 2 s: 3</title>"), "{html}");
    }
}
