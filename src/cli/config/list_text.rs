//! Changes the elements of a list in the text of a file. Comments between the elements stay, as do elements that do not change.

use super::toml_value::quoted;
use std::ops::Range;
use toml::Spanned;
use toml::de::DeValue;

/// An element and the text before it.
struct Element {
    lead: String,
    text: String,
}

/// A list as text: elements, and the text after the last one.
struct List {
    elements: Vec<Element>,
    tail: String,
}

/// The text of the list at this place with other elements.
pub(super) fn changed(
    text: &str,
    span: Range<usize>,
    values: &[Spanned<DeValue<'_>>],
    new: &[String],
) -> String {
    let mut list = List::read(text, span, values);
    let old: Vec<String> =
        values.iter().zip(&list.elements).map(|(value, element)| literal(value, &element.text)).collect();
    let before = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (old.get(before..).unwrap_or_default(), new.get(before..).unwrap_or_default());
    let after = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_count, new_count) = (old_rest.len() - after, new_rest.len() - after);
    let paired = old_count.min(new_count);
    let elements = list.elements.iter_mut().skip(before);
    for (element, text) in elements.zip(new_rest.iter().take(paired)) {
        element.text.clone_from(text);
    }
    for place in (before + paired..before + old_count).rev() {
        list.remove(place);
    }
    for (position, text) in new_rest.iter().take(new_count).enumerate().skip(paired) {
        list.insert(before + position, text);
    }
    list.text()
}

/// The comments between the elements of a list, each with its `#`.
pub(super) fn comments(text: &str, span: Range<usize>, values: &[Spanned<DeValue<'_>>]) -> Vec<String> {
    let list = List::read(text, span, values);
    let gaps = list.elements.iter().map(|element| element.lead.as_str()).chain([list.tail.as_str()]);
    let lines = gaps.flat_map(str::lines);
    lines
        .filter_map(|line| line.get(line.find('#')?..).map(|comment| comment.trim_end().to_owned()))
        .collect()
}

/// The element as it would be written anew, to compare it.
fn literal(value: &Spanned<DeValue<'_>>, text: &str) -> String {
    match value.get_ref() {
        DeValue::String(content) => quoted(content),
        _ => text.to_owned(),
    }
}

impl List {
    fn read(text: &str, span: Range<usize>, values: &[Spanned<DeValue<'_>>]) -> List {
        let part = |range: Range<usize>| text.get(range).unwrap_or_default().to_owned();
        let mut end = span.start + 1;
        let mut elements = Vec::new();
        for value in values {
            elements.push(Element { lead: part(end..value.span().start), text: part(value.span()) });
            end = value.span().end;
        }
        List { elements, tail: part(end..span.end.saturating_sub(1)) }
    }

    fn text(&self) -> String {
        let elements = self.elements.iter().map(|element| element.lead.clone() + &element.text);
        format!("[{}{}]", elements.collect::<String>(), self.tail)
    }

    /// The text after an element, up to the next one.
    fn gap(&mut self, place: usize) -> &mut String {
        match self.elements.get_mut(place + 1) {
            Some(next) => &mut next.lead,
            None => &mut self.tail,
        }
    }

    /// Removes an element and one comma.
    fn remove(&mut self, place: usize) {
        let mut lead = self.elements.remove(place).lead;
        let is_last = self.elements.len() == place;
        let gap = match self.elements.get_mut(place) {
            Some(next) => &mut next.lead,
            None => &mut self.tail,
        };
        let mut rest = gap.clone();
        if let Some(comma) = comma_in(&rest) {
            rest.remove(comma);
        } else if let Some(comma) = comma_in(&lead).filter(|_| !lead.contains('\n')) {
            lead.remove(comma);
        }
        let has_own_line = lead.ends_with([' ', '\t', '\n']) || lead.is_empty();
        let rest = if has_own_line { rest.trim_start_matches([' ', '\t']) } else { rest.as_str() };
        let lead = match lead.rfind('\n') {
            // The rest of the line is empty.
            Some(end) if rest.starts_with(['\n', '\r']) => {
                lead.get(..end).unwrap_or_default().trim_end_matches('\r')
            }
            _ if rest.is_empty() && is_last => lead.trim_end_matches([' ', '\t']),
            _ => &lead,
        };
        *gap = format!("{lead}{rest}");
    }

    /// Inserts an element at this place, on a line of its own if the list has such lines.
    fn insert(&mut self, place: usize, text: &str) {
        let indent = self.indent();
        let separator = indent.as_ref().map_or_else(|| " ".to_owned(), |indent| format!("\n{indent}"));
        if self.elements.is_empty() {
            let is_empty = self.tail.trim().is_empty();
            let (lead, tail) = if is_empty { ("", "") } else { (self.tail.trim_end(), "\n") };
            let lead = if is_empty { String::new() } else { format!("{lead}\n    ") };
            self.tail = tail.to_owned();
            self.elements.push(Element { lead, text: text.to_owned() });
            return;
        }
        let Some(before) = place.checked_sub(1) else {
            if let Some(first) = self.elements.first_mut() {
                let lead = std::mem::replace(&mut first.lead, format!(",{separator}"));
                self.elements.insert(0, Element { lead, text: text.to_owned() });
            }
            return;
        };
        let gap = self.gap(before);
        let line_end = gap.find('\n').filter(|_| indent.is_some());
        // Up to the end of the line, so that a comment stays behind its element.
        let (head, rest) = line_end.and_then(|end| gap.split_at_checked(end)).unwrap_or(("", gap));
        let (lead, rest) = match comma_in(head) {
            Some(_) => (format!("{head}{separator}"), format!(",{rest}")),
            None => (format!(",{head}{separator}"), rest.to_owned()),
        };
        *gap = rest;
        self.elements.insert(place, Element { lead, text: text.to_owned() });
    }

    /// The indentation of elements on lines of their own, if there are any.
    fn indent(&self) -> Option<String> {
        let leads = self.elements.iter().map(|element| element.lead.as_str());
        leads.filter_map(|lead| lead.get(lead.rfind('\n')? + 1..)).next().map(str::to_owned)
    }
}

/// The comma outside of comments.
fn comma_in(gap: &str) -> Option<usize> {
    let mut is_comment = false;
    gap.char_indices().find_map(|(place, character)| {
        is_comment = match character {
            '\n' => false,
            '#' => true,
            _ => is_comment,
        };
        (character == ',' && !is_comment).then_some(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::de::DeTable;

    fn set(text: &str, new: &[&str]) -> String {
        let text = format!("a = {text}");
        let new: Vec<String> = new.iter().map(|text| quoted(text)).collect();
        let table = DeTable::parse(&text).unwrap();
        let (_, value) = table.get_ref().iter().next().unwrap();
        let DeValue::Array(values) = value.get_ref() else { panic!("{text}") };
        let changed = changed(&text, value.span(), values, &new);
        // Whatever it looks like, the values are right.
        let parsed: toml::Table = format!("a = {changed}").parse().unwrap();
        let expected: toml::Table = format!("a = [{}]", new.join(", ")).parse().unwrap();
        assert_eq!(parsed, expected, "{changed}");
        for comment in comments(&text, value.span(), values) {
            assert!(changed.contains(&comment), "{comment} in {changed}");
        }
        changed
    }

    #[test]
    fn comments_stay_where_elements_change() {
        let lines = "[ # all\n  'a', # first\n  # between\n  'b' # second\n  # last\n]";
        assert_eq!(set(lines, &["a", "b"]), lines);
        assert_eq!(set(lines, &["a", "c"]), lines.replace("'b'", "\"c\""));
        assert_eq!(set(lines, &["a"]), "[ # all\n  'a', # first\n  # between\n  # second\n  # last\n]");
        assert_eq!(set(lines, &["b"]), "[ # all\n  # first\n  # between\n  'b' # second\n  # last\n]");
        assert_eq!(
            set(lines, &["a", "b", "c"]),
            "[ # all\n  'a', # first\n  # between\n  'b', # second\n  \"c\"\n  # last\n]"
        );
        assert_eq!(
            set(lines, &["a", "x", "b"]),
            "[ # all\n  'a', # first\n  \"x\",\n  # between\n  'b' # second\n  # last\n]"
        );
        set(lines, &[]);
        set(lines, &["x", "a", "b"]);
        set(lines, &["x", "y", "z"]);
        set("[ # none\n]", &["a", "b"]);
    }

    #[test]
    fn lists_of_every_form_are_changed() {
        let forms = [
            "[]",
            "['a']",
            "['a', 'b', 'c']",
            "[ 'a' , 'b' , ]",
            "[\n'a',\n'b',\n]",
            "[\n\t'a', 'b',\n\t'c'\n]",
            "[\n 'a' # x, y\n , 'b' # ]\n ,\n 'c']",
            "[\r\n  'a', # x\r\n  'b',\r\n]",
        ];
        let words = ["a", "b", "c", "d"];
        for form in forms {
            for count in 0..3_usize.pow(4) {
                let chosen: Vec<&str> = words
                    .iter()
                    .enumerate()
                    .flat_map(|(place, word)| vec![*word; count / 3_usize.pow(place as u32) % 3])
                    .collect();
                set(form, &chosen);
            }
        }
        assert_eq!(set("['a', 'b', 'c']", &["a", "c"]), "['a', 'c']");
        assert_eq!(set("['a', 'b', 'c']", &["b", "c"]), "['b', 'c']");
        assert_eq!(set("['a', 'b', 'c']", &["a", "b"]), "['a', 'b']");
        assert_eq!(set("['a']", &["a", "b"]), "['a', \"b\"]");
        assert_eq!(set("['a']", &["b", "a"]), "[\"b\", 'a']");
        assert_eq!(set("[\n'a',\n'b',\n]", &["b"]), "[\n'b',\n]");
    }
}
