//! The lines that differ between two documents.

use super::content::Line;

/// The most lines of the differing parts that are compared; longer ones are shown as replaced.
const MAX_COMPARED: usize = 400;

/// A line of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Kept,
    Removed,
    Added,
}

/// The lines of both documents, in order.
pub(super) fn compare<'l>(old: &'l [Line], new: &'l [Line]) -> Vec<(Change, &'l Line)> {
    let same_start = old.iter().zip(new).take_while(|(one, other)| is_same(one, other)).count();
    let (start, new) = new.split_at(same_start);
    let old = old.get(same_start..).unwrap_or_default();
    let same_end =
        old.iter().rev().zip(new.iter().rev()).take_while(|(one, other)| is_same(one, other)).count();
    let (new, end) = new.split_at(new.len() - same_end);
    let old = old.get(..old.len() - same_end).unwrap_or_default();
    let mut lines: Vec<_> = start.iter().map(|line| (Change::Kept, line)).collect();
    if old.len() > MAX_COMPARED || new.len() > MAX_COMPARED {
        lines.extend(old.iter().map(|line| (Change::Removed, line)));
        lines.extend(new.iter().map(|line| (Change::Added, line)));
    } else {
        push_middle(old, new, &mut lines);
    }
    lines.extend(end.iter().map(|line| (Change::Kept, line)));
    lines
}

/// Without the comma at the end, which depends on the lines behind.
fn is_same(one: &Line, other: &Line) -> bool {
    one.depth == other.depth && text(one) == text(other)
}

fn text(line: &Line) -> String {
    let text: String = line.parts.iter().map(|(_, part)| part.as_str()).collect();
    text.strip_suffix(',').map(str::to_owned).unwrap_or(text)
}

/// The longest common subsequence is kept.
fn push_middle<'l>(old: &'l [Line], new: &'l [Line], lines: &mut Vec<(Change, &'l Line)>) {
    let width = new.len() + 1;
    let mut common = vec![0u16; (old.len() + 1) * width];
    let at = |common: &[u16], i: usize, j: usize| common.get(i * width + j).copied().unwrap_or_default();
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            let length = if is_same(one, other) {
                at(&common, i + 1, j + 1) + 1
            } else {
                at(&common, i + 1, j).max(at(&common, i, j + 1))
            };
            if let Some(place) = common.get_mut(i * width + j) {
                *place = length;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    loop {
        match (old.get(i), new.get(j)) {
            (Some(one), Some(other)) if is_same(one, other) => {
                lines.push((Change::Kept, other));
                (i, j) = (i + 1, j + 1);
            }
            (Some(one), other) if other.is_none() || at(&common, i + 1, j) >= at(&common, i, j + 1) => {
                lines.push((Change::Removed, one));
                i += 1;
            }
            (_, Some(other)) => {
                lines.push((Change::Added, other));
                j += 1;
            }
            (Some(_), None) | (None, None) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::content::Tone;
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        text.lines().map(|line| Line { depth: 0, parts: vec![(Tone::Plain, line.to_owned())] }).collect()
    }

    fn shown(old: &str, new: &str) -> String {
        let (old, new) = (lines(old), lines(new));
        let lines = compare(&old, &new);
        let mark = |change| match change {
            Change::Kept => ' ',
            Change::Removed => '-',
            Change::Added => '+',
        };
        lines.iter().map(|(change, line)| format!("{}{}\n", mark(*change), line.parts[0].1)).collect()
    }

    #[test]
    fn changed_lines_are_marked() {
        assert_eq!(shown("a\nb\nc", "a\nx\nc"), " a\n-b\n+x\n c\n");
        assert_eq!(shown("a\nb", "a,\nb,\nc"), " a,\n b,\n+c\n");
        assert_eq!(shown("", "a"), "+a\n");
        assert_eq!(shown("a", ""), "-a\n");
        assert_eq!(shown("1\n2\n3\n4", "2\n9\n4\n5"), "-1\n 2\n-3\n+9\n 4\n+5\n");
    }
}
