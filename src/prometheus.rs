//! The text format of Prometheus.

use crate::escape;
use std::fmt::{Display, Write};

/// The name and the value of a label.
pub(crate) type Label<'a> = (&'a str, &'a str);

/// A page of metrics.
#[derive(Debug)]
pub(crate) struct Page {
    /// The start of all names.
    prefix: &'static str,
    text: String,
}

impl Page {
    pub(crate) fn new(prefix: &'static str) -> Page {
        Page { prefix, text: String::new() }
    }

    /// The HELP and TYPE lines of a metric.
    pub(crate) fn head(&mut self, name: &str, kind: &str, help: &str) {
        let prefix = self.prefix;
        let _ = writeln!(self.text, "# HELP {prefix}{name} {help}\n# TYPE {prefix}{name} {kind}");
    }

    pub(crate) fn value(&mut self, name: &str, labels: &[Label<'_>], value: impl Display) {
        let prefix = self.prefix;
        let _ = write!(self.text, "{prefix}{name}");
        for (number, (name, value)) in labels.iter().enumerate() {
            let before = if number == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{name}=\"{}\"", escaped(value));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{end} {value}");
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// The value of a label, which may be a broker's text. The format can escape line feeds, but no other control character.
fn escaped(text: &str) -> String {
    escape::lines(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let mut page = Page::new("mq_");
        page.head("up", "gauge", "Whether it is up.");
        page.value("up", &[], 1);
        page.value("up", &[("a", "x\"y\\z\n\u{1b}"), ("b", "é")], 0.5);
        assert_eq!(
            page.into_text(),
            "# HELP mq_up Whether it is up.\n# TYPE mq_up gauge\nmq_up 1\n\
             mq_up{a=\"x\\\"y\\\\z\\n\\\\u{1b}\",b=\"é\"} 0.5\n"
        );
    }
}
