//! The title: the broker, the state of the connection and the totals. If there is not room for all of it, the broker's name is
//! shortened in the middle first, then parts are shortened or left out, the least important ones first.

use super::canvas::{fill, put};
use super::feed::Connection;
use super::footer;
use super::model::{LeftOut, NodeId};
use super::playback::Playback;
use super::scene::Scene;
use super::text;
use crate::columns;
use crate::words::counted;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Below this width, the state of a replay is short.
const NARROW: u16 = 80;

/// The columns that the broker and the filter keep as long as other parts can be left out, and the fewest for them.
const BROKER: usize = 12;
const FILTER: usize = 16;
const MIN_BROKER: usize = 5;
const MIN_FILTER: usize = 8;

/// The forms of the mark for a screen that sends nothing.
const READ_ONLY: [&str; 2] = ["read-only", "r/o"];

/// The columns in front of a part.
const GAP: &str = "  ";

/// The state that the title shows besides the scene.
#[derive(Debug, Clone, Copy)]
pub(super) struct Title<'a> {
    pub(super) broker: &'a str,
    /// The messages since the display was paused.
    pub(super) held: Option<u64>,
    pub(super) is_following: bool,
    pub(super) is_recording: bool,
    pub(super) is_read_only: bool,
    pub(super) is_replay: bool,
    pub(super) filter: &'a str,
    /// How far the comparison with a filter is, in percent.
    pub(super) filtered: Option<usize>,
}

/// The importance of the parts that can be shortened, the least one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    LeftOut,
    Messages,
    Topics,
    Held,
    Connection,
    Following,
    Filtering,
    Rate,
    Mark,
}

/// A part of the title: its forms, the longest first; an empty one leaves it out.
#[derive(Debug)]
struct Part {
    rank: Rank,
    forms: Vec<String>,
}

impl Part {
    fn new(rank: Rank, forms: impl IntoIterator<Item = impl Into<String>>) -> Part {
        Part { rank, forms: forms.into_iter().map(Into::into).collect() }
    }

    fn text(&self) -> &str {
        self.forms.first().map(String::as_str).unwrap_or_default()
    }

    fn columns(&self) -> usize {
        columns_with_gap(self.text())
    }
}

fn columns_with_gap(text: &str) -> usize {
    if text.is_empty() { 0 } else { GAP.len() + columns::width(text) }
}

/// Draws the title.
pub(super) fn render(title: Title<'_>, scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let palette = scene.palette;
    fill(buffer, area, palette.bar());
    let (connection, is_good) = connection(title, scene, area.width);
    let style = if is_good { palette.bar() } else { palette.selected(palette.warning()) };
    let width = usize::from(area.width);
    let line = fitted(title, parts(title, scene, connection), width);
    put(buffer, area.x, area.y, width, &text::line(&line, width), style);
}

/// The parts in their order.
fn parts(title: Title<'_>, scene: &Scene<'_>, connection: Part) -> Vec<Part> {
    let root = scene.model.state(NodeId::ROOT);
    let rate = text::rate_or_zero(scene.model.rate(NodeId::ROOT, scene.now));
    let plural = if root.messages == 1 { "" } else { "s" };
    let mark = |is_set: bool, text: &str| is_set.then(|| Part::new(Rank::Mark, [text]));
    let held = |held: u64| {
        let forms =
            [format!("+{}", counted(held, "message")), format!("+{}", text::count(held)), String::new()];
        Part::new(Rank::Held, forms)
    };
    let filtering = |percent: usize| {
        Part::new(Rank::Filtering, [format!("filtering {percent} %"), format!("{percent} %")])
    };
    let parts = [
        Some(connection),
        left_out(scene.model.left_out()),
        skipped(scene.connection),
        mark(title.held.is_some(), "PAUSED"),
        title.held.map(held),
        Some(Part::new(Rank::Topics, [counted(root.topics, "topic"), String::new()])),
        Some(Part::new(
            Rank::Messages,
            [format!("{} msg{plural}", text::count(root.messages)), String::new()],
        )),
        Some(Part::new(Rank::Rate, [format!("{rate}/s"), String::new()])),
        title.is_following.then(|| Part::new(Rank::Following, ["follow", ""])),
        mark(title.is_recording && !matches!(scene.connection, Connection::Ended(_)), "REC"),
        title.is_read_only.then(|| Part::new(Rank::Mark, READ_ONLY)),
        title.filtered.map(filtering),
    ];
    parts.into_iter().flatten().collect()
}

/// The line in at most this many columns.
fn fitted(title: Title<'_>, mut parts: Vec<Part>, width: usize) -> String {
    let filter = if title.filter.is_empty() { String::new() } else { format!("filter {}", title.filter) };
    let filter = text::line(&filter, width);
    let of_filter = columns_with_gap(&filter).min(GAP.len() + FILTER);
    let of_broker = columns::width(&text::line(title.broker, width)).min(BROKER);
    let taken = |parts: &[Part]| parts.iter().map(Part::columns).sum::<usize>() + 1;
    while of_broker + taken(&parts) + of_filter > width {
        let shortened = parts.iter_mut().filter(|part| part.forms.len() > 1).min_by_key(|part| part.rank);
        let Some(part) = shortened else { break };
        part.forms.remove(0);
    }
    let of_parts = taken(&parts);
    let is_whole = of_broker + of_parts + of_filter <= width;
    let of_broker = if is_whole { of_broker } else { of_broker.min(MIN_BROKER) };
    let room = width.saturating_sub(of_parts + of_broker + GAP.len()).max(MIN_FILTER);
    let filter = text::line(&filter, room);
    let room = width.saturating_sub(of_parts + columns_with_gap(&filter)).max(MIN_BROKER);
    let mut line = format!(" {}", text::shortened(title.broker, room));
    for part in parts.iter().map(Part::text).chain([filter.as_str()]).filter(|part| !part.is_empty()) {
        line.push_str(GAP);
        line.push_str(part);
    }
    line
}

/// The state of the connection, and whether it is as it should be.
fn connection(title: Title<'_>, scene: &Scene<'_>, width: u16) -> (Part, bool) {
    let part = |forms: &[&str]| Part::new(Rank::Connection, forms.iter().copied());
    match scene.connection {
        Connection::Connecting => (part(&["connecting"]), true),
        Connection::Connected => (part(&["connected", ""]), true),
        Connection::Replay(playback) => {
            let forms = [replay(playback, false), replay(playback, true)];
            (Part::new(Rank::Connection, forms.into_iter().skip((width < NARROW).into())), true)
        }
        Connection::Ended(_) if title.is_replay => (part(&["ENDED"]), false),
        Connection::Ended(_) => (part(&["NOT CONNECTED"]), false),
        Connection::Lost { again_at, .. } => (
            part(&[&format!("DISCONNECTED, {}", footer::again(*again_at, scene.now)), "DISCONNECTED"]),
            false,
        ),
    }
}

/// The position, the length and the speed of a replay.
fn replay(playback: &Playback, is_narrow: bool) -> String {
    let Playback { at, end, speed, is_paused, is_over, .. } = *playback;
    let clock = |milliseconds: u64| {
        let seconds = milliseconds / 1000;
        format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    };
    let state = match (is_over, is_paused) {
        (true, _) if is_narrow => "  end",
        (true, _) => "  at the end",
        (false, true) => "  STOPPED",
        (false, false) => "",
    };
    let (label, of, times) = if is_narrow { ("", "/", " x") } else { ("replay ", " of ", "  speed ") };
    let speed = if speed == 1.0 { String::new() } else { format!("{times}{speed}") };
    let end = end.map(|end| format!("{of}{}", clock(end))).unwrap_or_default();
    format!("{label}{}{end}{speed}{state}", clock(at))
}

/// The lines of a recording that are not messages.
fn skipped(connection: &Connection) -> Option<Part> {
    match connection {
        Connection::Replay(Playback { skipped: lines @ 1.., .. }) => {
            let forms = [format!("{} skipped", counted(*lines, "line")), format!("{lines} skipped")];
            Some(Part::new(Rank::LeftOut, forms))
        }
        _ => None,
    }
}

fn left_out(left_out: LeftOut) -> Option<Part> {
    let LeftOut { messages, payloads } = left_out;
    let left_out = match (messages, payloads) {
        (0, 0) => return None,
        (0, payloads) => counted(payloads, "payload"),
        (messages, _) => counted(messages, "message"),
    };
    Some(Part::new(Rank::LeftOut, [format!("FULL: {left_out} left out"), "FULL".to_owned()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(width: usize) -> String {
        let title = Title {
            broker: "broker-in-the-plant.example:8883 [2/3]",
            held: Some(12),
            is_following: true,
            is_recording: true,
            is_read_only: true,
            is_replay: false,
            filter: "home/kitchen",
            filtered: None,
        };
        let mark = |text: &str| Part::new(Rank::Mark, [text]);
        let parts = vec![
            Part::new(Rank::Connection, ["connected", ""]),
            mark("PAUSED"),
            Part::new(Rank::Held, ["+12 messages", "+12", ""]),
            Part::new(Rank::Topics, ["5 topics", ""]),
            Part::new(Rank::Messages, ["17 msgs", ""]),
            Part::new(Rank::Rate, ["3.4/s", ""]),
            Part::new(Rank::Following, ["follow", ""]),
            mark("REC"),
            Part::new(Rank::Mark, READ_ONLY),
        ];
        fitted(title, parts, width)
    }

    #[test]
    fn what_matters_most_stays_on_a_narrow_screen() {
        let all = "connected  PAUSED  +12 messages  5 topics  17 msgs  3.4/s  follow  REC  read-only";
        assert_eq!(line(150), format!(" broker-in-the-plant.example:8883 [2/3]  {all}  filter home/kitchen"));
        assert_eq!(line(125), format!(" broker-in-…883 [2/3]  {all}  filter home/kitchen"));
        for width in [80, 60, 48, 40] {
            let line = line(width);
            let kept = ["PAUSED", "REC", if width >= 60 { "read-only" } else { "r/o" }, "filter home"];
            assert!(columns::width(&line) <= width && kept.iter().all(|part| line.contains(part)), "{line}");
            assert_eq!(line.contains("3.4/s"), width >= 80, "{line}");
        }
        assert!(line(80).starts_with(" broker-in…883 [2/3]  PAUSED  3.4/s"), "{}", line(80));
        for width in [30, 20, 5, 0] {
            line(width);
        }
    }
}
