//! Text and tables as HTML that is also well-formed XML.

pub(super) use crate::html::{as_text, shortened};
use crate::words::counted;
use std::fmt::Write;

/// The maximum number of rows of a table, so that the size of the page is limited.
const MAX_ROWS: usize = 40;

/// A table; the first column names the rows.
pub(super) struct Table<'a> {
    pub(super) caption: &'a str,
    pub(super) heads: &'a [&'a str],
    pub(super) rows: Vec<Vec<String>>,
}

impl Table<'_> {
    /// The table; nothing without rows.
    pub(super) fn to_html(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let heads: String =
            self.heads.iter().enumerate().map(|(column, head)| self.head(column, head)).collect();
        let mut html = format!(
            "<div class=\"scroll\"><table>\n<caption>{}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n",
            as_text(self.caption)
        );
        for row in self.rows.iter().take(MAX_ROWS) {
            let cells: String = row.iter().enumerate().map(|(column, cell)| cell_of(column, cell)).collect();
            let _ = writeln!(html, "<tr>{cells}</tr>");
        }
        html += "</tbody>\n</table></div>\n";
        if let Some(more) = self.rows.len().checked_sub(MAX_ROWS).filter(|more| *more > 0) {
            let _ = writeln!(html, "<p class=\"soft\">{} in the JSON report</p>", counted(more, "more row"));
        }
        html
    }

    fn head(&self, column: usize, head: &str) -> String {
        let has_words = self.rows.iter().any(|row| row.get(column).is_some_and(|cell| is_words(cell)));
        let class = if has_words { " class=\"words\"" } else { "" };
        match head {
            "" => "<td></td>".to_owned(),
            head => format!("<th scope=\"col\"{class}>{}</th>", as_text(head)),
        }
    }
}

fn cell_of(column: usize, cell: &str) -> String {
    let text = as_text(cell);
    match column {
        0 => format!("<th scope=\"row\">{text}</th>"),
        _ if is_words(cell) => format!("<td class=\"words\">{text}</td>"),
        _ => format!("<td>{text}</td>"),
    }
}

/// Whether a cell is prose; numbers and their units are aligned instead.
fn is_words(cell: &str) -> bool {
    cell.starts_with(char::is_alphabetic) || cell.split(' ').count() > 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_caption_scopes_and_a_limited_number_of_rows() {
        let rows = (0..60).map(|row| vec![format!("<{row}>"), row.to_string()]).collect();
        let html = Table { caption: "A & B", heads: &["", "count"], rows }.to_html();
        assert!(html.contains("<caption>A &amp; B</caption>"), "{html}");
        assert!(html.contains("<td></td><th scope=\"col\">count</th>"), "{html}");
        assert!(html.contains("<tr><th scope=\"row\">&lt;7&gt;</th><td>7</td></tr>"), "{html}");
        assert!(html.contains("20 more rows") && !html.contains("&lt;40&gt;"), "{html}");
        assert_eq!(Table { caption: "", heads: &[], rows: vec![] }.to_html(), "");
    }
}
