//! A latency histogram as bars of characters.

use super::format::duration;
use crate::bench::record::Latencies;
use std::fmt::Write;

/// The longest bar.
const WIDTH: u64 = 40;

/// With more rows than this, each row covers a power of ten.
const MAX_ROWS: usize = 12;

/// Bars in eighths, from none to seven; a full one is another character.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A range of times and the number of samples in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bin {
    end: u64,
    count: u64,
}

/// The rows of a histogram, each up to a round time.
pub(super) fn draw(latencies: &Latencies, is_utf8: bool) -> String {
    let bins = bins(latencies);
    let total: u64 = bins.iter().map(|bin| bin.count).sum();
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or_default();
    let mut text = String::new();
    for Bin { end, count } in bins {
        let percent = 100.0 * count as f64 / total.max(1) as f64;
        let bar = if is_utf8 { blocks(count, most) } else { hashes(count, most) };
        let row = format!("up to {:>9}  {percent:>6.2} %  {bar}", duration(end));
        let _ = writeln!(text, "{}", row.trim_end());
    }
    text
}

/// The bins from the first non-empty one to the last.
fn bins(latencies: &Latencies) -> Vec<Bin> {
    let fine = bins_with(latencies, &[1, 2, 5]);
    if fine.len() <= MAX_ROWS { fine } else { bins_with(latencies, &[1]) }
}

fn bins_with(latencies: &Latencies, steps: &[u64]) -> Vec<Bin> {
    let ends = (0..20)
        .flat_map(|power| steps.iter().map(move |step| step.saturating_mul(10_u64.saturating_pow(power))));
    let mut bins = Vec::new();
    let mut ends = ends.peekable();
    let (mut end, mut count) = (ends.next().unwrap_or(u64::MAX), 0);
    for value in latencies.histogram().iter_recorded() {
        while value.value_iterated_to() > end {
            bins.push(Bin { end, count: std::mem::take(&mut count) });
            end = ends.next().unwrap_or(u64::MAX);
        }
        count += value.count_since_last_iteration();
    }
    bins.push(Bin { end, count });
    let empty = bins.iter().take_while(|bin| bin.count == 0).count();
    bins.split_off(empty.min(bins.len()))
}

/// A bar in eighths of a character. A count above zero is always visible.
fn blocks(count: u64, most: u64) -> String {
    let eighths = scaled(count, most, WIDTH * 8);
    let full = "█".repeat((eighths / 8) as usize);
    let rest = EIGHTHS.get((eighths % 8) as usize).copied().unwrap_or_default();
    full + rest
}

fn hashes(count: u64, most: u64) -> String {
    "#".repeat(scaled(count, most, WIDTH) as usize)
}

fn scaled(count: u64, most: u64, length: u64) -> u64 {
    let scaled = u128::from(count) * u128::from(length) / u128::from(most.max(1));
    u64::try_from(scaled).unwrap_or(length).max(count.min(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latencies(times: &[(u64, u64)]) -> Latencies {
        let mut latencies = Latencies::default();
        for &(microseconds, count) in times {
            (0..count).for_each(|_| latencies.record(microseconds * 1000));
        }
        latencies
    }

    #[test]
    fn bars_are_as_long_as_the_counts() {
        let latencies = latencies(&[(90, 100), (150, 333), (700, 1), (701, 66)]);
        let expected = "\
up to    100 µs   20.00 %  ████████████
up to    200 µs   66.60 %  ████████████████████████████████████████
up to    500 µs    0.00 %
up to   1.00 ms   13.40 %  ████████
";
        assert_eq!(draw(&latencies, true), expected);
        assert!(draw(&latencies, false).contains("13.40 %  ########\n"));
    }

    #[test]
    fn rare_latencies_are_still_visible() {
        let latencies = latencies(&[(90, 100_000), (900, 1)]);
        let drawn = draw(&latencies, true);
        assert!(drawn.ends_with("0.00 %  ▏\n"), "{drawn}");
        assert!(draw(&latencies, false).ends_with("0.00 %  #\n"));
    }

    #[test]
    fn a_wide_range_has_a_row_for_each_power_of_ten() {
        let drawn = draw(&latencies(&[(1, 1), (100_000_000, 1)]), true);
        assert!(drawn.lines().count() <= MAX_ROWS, "{drawn}");
        assert_eq!(drawn.matches('█').count(), 2 * WIDTH as usize, "both are as frequent: {drawn}");
        let mut longest = Latencies::default();
        longest.record(u64::MAX);
        assert_eq!(draw(&longest, true).lines().count(), 1);
    }
}
