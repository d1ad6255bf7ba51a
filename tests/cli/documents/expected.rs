//! The output that a page shows, compared with the real one.

use regex::Regex;

/// The lines after a command.
pub struct Expected {
    pattern: Regex,
    is_in_any_order: bool,
}

impl Expected {
    pub fn new(lines: &[String], figures_vary: bool, is_in_any_order: bool) -> Expected {
        let mut lines = lines.to_vec();
        if is_in_any_order {
            lines.sort();
        }
        let mut pattern = String::from(r"\A");
        for line in &lines {
            if line == "..." {
                pattern.push_str(r"(?:[^\n]*\n)*");
            } else {
                let parts: Vec<String> = line.split("...").map(|part| literal(part, figures_vary)).collect();
                pattern.push_str(&parts.join(r"[^\n]*"));
                pattern.push_str(r"\n");
            }
        }
        pattern.push_str(r"\z");
        Expected { pattern: Regex::new(&pattern).expect("it is made of literals"), is_in_any_order }
    }

    /// Neither the end of the last line nor empty lines after it count.
    pub fn matches(&self, output: &str) -> bool {
        let lines = output.trim_end_matches('\n');
        let output = if lines.is_empty() { String::new() } else { format!("{lines}\n") };
        if !self.is_in_any_order {
            return self.pattern.is_match(&output);
        }
        let mut lines: Vec<&str> = output.split_inclusive('\n').collect();
        lines.sort_unstable();
        self.pattern.is_match(&lines.concat())
    }
}

/// A pattern for this text. If the figures vary, so do the units of times and the spaces that align them.
fn literal(text: &str, figures_vary: bool) -> String {
    let escaped = regex::escape(text);
    if !figures_vary {
        return escaped;
    }
    let figures = Regex::new(r"[0-9]+(?:(?:\\\.|:|,)[0-9]+)*( (?:ns|µs|ms|s)\b)?| +").expect("it is valid");
    let replaced = figures.replace_all(&escaped, |found: &regex::Captures<'_>| {
        match (found[0].starts_with(' '), found.get(1).is_some()) {
            (true, _) => " +",
            (false, true) => r"[0-9]+(?:[.:,][0-9]+)* (?:ns|µs|ms|s)",
            (false, false) => r"[0-9]+(?:[.:,][0-9]+)*",
        }
    });
    replaced.into_owned()
}

#[test]
fn three_dots_stand_for_lines_and_parts_of_lines() {
    let expected = Expected::new(&["a".into(), "...".into(), "b ... c".into()], false, false);
    assert!(expected.matches("a\nb 1 c\n"));
    assert!(expected.matches("a\nx\ny\nb  c\n"));
    assert!(!expected.matches("a\nb 1 c\nd\n"));
    assert!(!expected.matches("b 1 c\n"));
}

#[test]
fn figures_vary_only_where_the_page_says_so() {
    let line = ["22:46:22.57   1 <- PUBACK  id 1, after 62 µs".to_owned()];
    let other = "09:00:00.1  12 <- PUBACK  id 1, after 3.297 ms\n";
    assert!(Expected::new(&line, true, false).matches(other));
    assert!(!Expected::new(&line, false, false).matches(other));
    assert!(!Expected::new(&line, true, false).matches(&other.replace("PUBACK", "PUBREC")));
}

#[test]
fn lines_in_any_order_are_all_needed() {
    let expected = Expected::new(&["b".into(), "a".into()], false, true);
    assert!(expected.matches("a\nb\n"));
    assert!(!expected.matches("a\n"));
}
