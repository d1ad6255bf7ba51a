//! The panel as lines of text for a terminal of any size. Nothing here knows a terminal.

use super::describe::{self, Uses};
use crate::bridge::{DirectionSnapshot, SideState, Snapshot};
use crate::columns;
use crate::commands::terminal::{Line, Size, Tone};
use crate::escape;

/// The columns before the counts of a direction, and before an error.
const COUNTS: usize = 7;
const ERROR: usize = 4;

/// The maximum of lines of an error.
const ERROR_LINES: usize = 2;

/// The fewest columns of a name.
const SHORTEST_NAME: usize = 8;

/// A bridge on the panel.
pub(super) struct Shown<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) uses: Uses,
    /// The messages forwarded per second, out and in.
    pub(super) rates: [f64; 2],
}

/// The lines for all bridges. If they do not fit, each bridge has one line, and those that are not connected come first.
pub(super) fn lines(bridges: &[Shown<'_>], size: Size) -> Vec<Line> {
    // The last column stays empty: after a character there, terminals differ in the place of the cursor.
    let columns = size.columns.saturating_sub(1);
    let whole: Vec<Line> = bridges.iter().flat_map(|bridge| bridge.lines(columns)).collect();
    if whole.len() <= size.rows {
        return whole;
    }
    let mut sorted: Vec<&Shown<'_>> = bridges.iter().collect();
    sorted.sort_by_key(|bridge| bridge.works());
    let room = if sorted.len() > size.rows { size.rows.saturating_sub(1) } else { size.rows };
    let mut lines: Vec<Line> = sorted.iter().take(room).map(|bridge| bridge.line(columns)).collect();
    match sorted.len().saturating_sub(room) {
        0 => {}
        1 => lines.push(plain("and 1 more bridge", columns)),
        others => lines.push(plain(&format!("and {others} more bridges"), columns)),
    }
    lines
}

impl Shown<'_> {
    fn works(&self) -> bool {
        [&self.snapshot.local, &self.snapshot.remote]
            .iter()
            .all(|side| matches!(side.state, SideState::Connected))
    }

    fn directions(&self) -> impl Iterator<Item = (&'static str, &DirectionSnapshot, f64)> {
        describe::directions(self.snapshot, self.uses, self.rates)
    }

    fn lines(&self, columns: usize) -> Vec<Line> {
        let mut lines = vec![self.head(columns, "")];
        for (word, direction, rate) in self.directions() {
            let text = format!("  {word:3}  {}", describe::direction(direction, Some(rate)));
            lines.extend(wrapped(&text, columns, COUNTS, usize::MAX));
        }
        for (side, of) in [("local", &self.snapshot.local), ("remote", &self.snapshot.remote)] {
            if let Some(error) = of.last_error.as_ref().filter(|_| !matches!(of.state, SideState::Connected))
            {
                let text = format!("  {side}: {}", escape::line(error));
                lines.extend(wrapped(&text, columns, ERROR, ERROR_LINES));
            }
        }
        lines
    }

    /// The bridge in one line.
    fn line(&self, columns: usize) -> Line {
        let counts = self
            .directions()
            .map(|(word, direction, rate)| format!("; {word} {} ({rate:.0}/s)", direction.counts.forwarded));
        self.head(columns, &counts.collect::<String>())
    }

    /// The name, cut so that the state is visible, the state, and more.
    fn head(&self, columns: usize, more: &str) -> Line {
        let rest = format!("  {}{more}", describe::states(self.snapshot));
        let room = columns.saturating_sub(columns::width(&rest)).max(SHORTEST_NAME);
        let name = columns::cut(&escape::line(&self.snapshot.name), room, "~");
        let tone = if self.works() { Tone::Heading } else { Tone::Warning };
        let label = name.len();
        let text = columns::cut(&(name + &rest), columns, "~");
        Line { tone, label: label.min(text.len()), text }
    }
}

fn wrapped(text: &str, columns: usize, hanging: usize, most: usize) -> impl Iterator<Item = Line> {
    columns::wrap(text, columns, hanging).into_iter().take(most).map(move |line| plain(&line, columns))
}

fn plain(text: &str, columns: usize) -> Line {
    Line { tone: Tone::Plain, label: 0, text: columns::cut(text, columns, "~") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::{Counts, SideSnapshot};
    use std::time::Duration;

    fn snapshot(name: &str, local: SideState, remote: SideState) -> Snapshot {
        let side = |state| SideSnapshot {
            state,
            connections: 1,
            last_error: Some(
                "cannot connect to 127.0.0.1:1884: Connection refused (os error 111)".to_owned(),
            ),
        };
        let direction = |forwarded| DirectionSnapshot {
            counts: Counts { forwarded, ..Counts::default() },
            in_flight: 15,
            queued: 3,
            queued_bytes: 300,
            delay_p50: Some(Duration::from_micros(250)),
            delay_p99: Some(Duration::from_millis(7)),
        };
        Snapshot {
            name: name.to_owned(),
            local: side(local),
            remote: side(remote),
            out: direction(24370),
            incoming: direction(9),
        }
    }

    fn texts(snapshots: &[Snapshot], columns: usize, rows: usize) -> Vec<String> {
        let shown: Vec<Shown<'_>> = snapshots
            .iter()
            .map(|snapshot| Shown { snapshot, uses: [true, true], rates: [199.6, 0.0] })
            .collect();
        lines(&shown, Size { columns, rows }).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn the_state_is_visible_beside_a_long_name_and_counts_are_wrapped() {
        let snapshots = [snapshot(&"name-".repeat(20), SideState::Connected, SideState::Waiting)];
        assert_eq!(
            texts(&snapshots, 40, 15),
            [
                "name-na~  local connected, remote wait~",
                "  out  forwarded 24370 (200/s), in",
                "       flight 15, queued 3, dropped 0,",
                "       delay p50 250 µs, p99 7.00 ms",
                "  in   forwarded 9 (0/s), in flight 15,",
                "       queued 3, dropped 0, delay p50",
                "       250 µs, p99 7.00 ms",
                "  remote: cannot connect to",
                "    127.0.0.1:1884: Connection refused",
            ]
        );
    }

    #[test]
    fn bridges_that_do_not_fit_have_a_line_each_and_those_in_trouble_come_first() {
        let mut snapshots: Vec<Snapshot> = (0..6)
            .map(|number| snapshot(&format!("b{number}"), SideState::Connected, SideState::Connected))
            .collect();
        snapshots[4].remote.state = SideState::Waiting;
        assert_eq!(
            texts(&snapshots, 80, 4),
            [
                "b4  local connected, remote waiting; out 24370 (200/s); in 9 (0/s)",
                "b0  both connected; out 24370 (200/s); in 9 (0/s)",
                "b1  both connected; out 24370 (200/s); in 9 (0/s)",
                "and 3 more bridges",
            ]
        );
        assert_eq!(texts(&snapshots, 120, 24).len(), 6 * 3 + 1);
    }
}
