//! A summary as Markdown, for the page of a CI job.

use super::Report;
use super::broker_side::HEADS;
use super::brokers::BROKER_HEADS;
use super::format::{duration, rate};
use super::group::{DELIVERY_HEADS, LATENCY_HEADS};
use super::metrics::{METRICS, flows};
use crate::escape;
use std::fmt::Write;

impl Report {
    /// The summary.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text =
            format!("## mq bench\n\n**{}**: {}\n\n", self.judgement().word(), as_text(&self.sentence()));
        text += &self.markdown_verdicts();
        match self.groups.as_slice() {
            [only] => {
                let (clients, load) = (only.clients_by_role(), self.load_of(only, &self.for_a_time()));
                let _ = write!(text, "{}; {}, ", as_text(&clients), as_text(&load));
            }
            groups => {
                let _ = write!(text, "{} clients in {} groups, ", self.clients(), groups.len());
            }
        }
        let _ = write!(text, "{}\n\n", as_text(&self.place()));
        text += &self.markdown_groups();
        text += &self.markdown_brokers();
        text += &self.markdown_counts();
        text += &self.markdown_latencies();
        for words in self.tls_rows() {
            let _ = writeln!(text, "- TLS: {}", as_text(&words));
        }
        for (name, words) in self.datagram_rows() {
            let _ = writeln!(text, "- {name}: {}", as_text(&words));
        }
        if let Some(words) = self.lowered_qos() {
            let _ = writeln!(text, "- QoS: {words}");
        }
        if let Some(words) = self.describe_ending() {
            let _ = writeln!(text, "- ended: {}", as_text(&words));
        }
        for (stage, error, times) in self.errors.by_count() {
            let _ = writeln!(text, "- {}: {times} x {}", super::json::stage_word(stage), as_text(error));
        }
        for (name, words) in self.setup_rows() {
            let _ = writeln!(text, "- {name}: {}", as_text(&words));
        }
        for finding in self.self_check() {
            let _ = writeln!(text, "- self-check: {}", as_text(&finding.text));
        }
        text.truncate(text.trim_end().len());
        let repeat = self.repeat.as_ref().map(|repeat| format!("\n{}", repeat.to_markdown()));
        text + "\n" + &self.markdown_broker() + &self.markdown_search() + &repeat.unwrap_or_default()
    }

    /// The conditions of the user, and the others that did not pass.
    fn markdown_verdicts(&self) -> String {
        let mut text = String::new();
        for verdict in self.notable_verdicts() {
            let _ = writeln!(text, "- **{}** {}", verdict.judgement.word(), as_text(&verdict.words()));
        }
        if text.is_empty() { text } else { text + "\n" }
    }

    fn markdown_groups(&self) -> String {
        if !self.is_mix() {
            return String::new();
        }
        let (heads, rule) = (DELIVERY_HEADS.join(" | "), "---:|".repeat(DELIVERY_HEADS.len()));
        let (more_heads, more_rule) = match self.has_group_latencies() {
            true => (format!(" {} |", LATENCY_HEADS.join(" | ")), "---|---:|---:|---:|---:|"),
            false => Default::default(),
        };
        let mut text =
            format!("| group | clients | load | {heads} |{more_heads}\n|---|---|---|{rule}{more_rule}\n");
        for group in &self.groups {
            let words =
                [group.name.as_str(), &group.clients_by_role(), &group.load(&self.for_a_time())].map(as_text);
            let counts = group.deliveries().map(|count| count.to_string());
            let latencies = match self.has_group_latencies() {
                true => format!(" {} |", group.latency_cells().join(" | ")),
                false => String::new(),
            };
            let _ = writeln!(text, "| {} | {} |{latencies}", words.join(" | "), counts.join(" | "));
        }
        text + "\n"
    }

    fn markdown_brokers(&self) -> String {
        if self.brokers.is_empty() {
            return String::new();
        }
        let heads: Vec<_> = BROKER_HEADS.into_iter().chain(LATENCY_HEADS).collect();
        let rule = "---:|".repeat(BROKER_HEADS.len()) + "---|---:|---:|---:|---:|";
        let mut text = format!("| broker | {} |\n|---|{rule}\n", heads.join(" | "));
        for part in &self.brokers {
            let cells = self.broker_cells(part).into_iter().chain(self.broker_latency_cells(part));
            let cells: Vec<_> = cells.collect();
            let _ = writeln!(text, "| {} | {} |", as_text(&part.address), cells.join(" | "));
        }
        for words in self.silent_pairs() {
            let _ = write!(text, "\n- {}", as_text(&words));
        }
        text.truncate(text.trim_end().len());
        text + "\n\n"
    }

    fn markdown_broker(&self) -> String {
        let rows = self.broker_rows();
        let mut text = String::new();
        for remark in self.broker_remarks() {
            let _ = writeln!(text, "- broker side: {}", as_text(&remark));
        }
        if !rows.is_empty() {
            let _ = write!(text, "\n| broker side | {} |\n|---|---:|---:|---:|\n", HEADS.join(" | "));
        }
        for (name, cells) in rows {
            let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
        }
        text
    }

    fn markdown_search(&self) -> String {
        let Some(search) = &self.search else {
            return String::new();
        };
        let heads: Vec<_> = search.heads().into_iter().map(as_text).collect();
        let rule = "---:|".repeat(heads.len().saturating_sub(1));
        let mut text = format!("\n| {} |\n|{rule}---|\n", heads.join(" | "));
        for row in search.rows() {
            let cells: Vec<_> = row.iter().map(|cell| as_text(cell)).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text + &format!("\n{}\n", search.outcome())
    }

    fn markdown_counts(&self) -> String {
        let mut text = "| | count | per second |\n|---|---:|---:|\n".to_owned();
        for (name, flow, per_second) in flows(self) {
            let per_second = per_second.map_or("-".to_owned(), rate);
            let _ = writeln!(text, "| {name} | {} | {per_second} |", flow.count);
        }
        for metric in METRICS.iter().filter(|metric| metric.counts_deliveries && self.is_delivery_judged()) {
            if let Some((label, count)) = metric.failure.zip(metric.count(self)) {
                let _ = writeln!(text, "| {label} | {count} | |");
            }
        }
        text + "\n"
    }

    fn markdown_latencies(&self) -> String {
        let rows = self.latency_rows();
        if rows.is_empty() {
            return String::new();
        }
        let mut text =
            "| latency | mean | p50 | p90 | p99 | p99.9 | max |\n|---|---:|---:|---:|---:|---:|---:|\n"
                .to_owned();
        for (kind, row) in rows {
            let times = [row.mean, row.p50, row.p90, row.p99, row.p99_9, row.max].map(duration);
            let _ =
                writeln!(text, "| {} | {} |", kind.full_title(self.acknowledged_qos()), times.join(" | "));
        }
        text + "\n"
    }
}

/// Escapes a broker's text, which must not become a link, a table or HTML.
fn as_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in escape::line(text).chars() {
        if character.is_ascii_punctuation()
            && !matches!(character, ':' | ',' | '.' | ';' | '/' | '-' | '%' | '(' | ')' | '\'')
        {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::search::tests::searched;
    use super::super::tests::{mix, report};
    use crate::bench::record::Stage;

    #[test]
    fn the_summary_has_two_tables_and_the_errors() {
        let mut report = report();
        report.errors.add(Stage::Run, "a | <b> [c](d)\n# e".to_owned(), 2);
        let expected = "\
## mq bench

**FAIL**: 16667 messages/s for 6 s: p99 1.20 s (end to end), nothing lost

- **FAIL** 2 errors, see the list of errors

1000 publishers, 100 subscribers; 100000 messages of 64 bytes at QoS 1, 20 in flight per publisher, 127.0.0.1:1883, MQTT 5.0

| | count | per second |
|---|---:|---:|
| connected | 1100 | 880 |
| sent | 100000 | 20000 |
| acknowledged | 100000 | 18182 |
| received | 100000 | 16667 |
| lost | 0 | |
| duplicated | 0 | |
| out of order | 0 | |

| latency | mean | p50 | p90 | p99 | p99.9 | max |
|---|---:|---:|---:|---:|---:|---:|
";
        let markdown = report.to_markdown();
        assert!(markdown.starts_with(expected), "{markdown}");
        assert!(markdown.contains("\n| end to end | 4"), "{markdown}");
        assert!(markdown.ends_with("\n\n- run: 2 x a \\| \\<b\\> \\[c\\](d)\\\\n\\# e\n"), "{markdown}");
    }

    #[test]
    fn groups_and_searches_have_a_table() {
        let mut report = mix();
        report.search = Some(searched());
        let markdown = report.to_markdown();
        for part in [
            "\n1105 clients in 2 groups, 127.0.0.1:1883, MQTT 5.0\n\n| group | clients |",
            "\n| idle | 5 idle clients | connections | 0 | 0 | 0 | 0 | 0 |\n",
            "\n| tried per second | sent\\_rate | p99 | loss | verdict |\n|---:|---:|---:|---:|---|\n",
            "| 1950/s | 1.20 s | 1.5 % | failed: loss\\>1%: it was 1.5 % |\n\nthe highest sustained rate",
        ] {
            assert!(markdown.contains(part), "{part} in {markdown}");
        }
    }
}
