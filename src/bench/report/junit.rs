//! The verdicts as JUnit XML, for CI systems: a test case for each condition.

use super::verdict::{Judgement, Verdict};
use super::{Report, scenario_word};
use crate::escape;
use std::fmt::Write;

impl Report {
    /// The verdicts as a test suite.
    pub(crate) fn to_junit(&self) -> String {
        let verdicts = self.verdicts();
        let count =
            |is_counted: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| is_counted(verdict)).count();
        let failures = count(Verdict::is_failure);
        let skipped = count(is_skipped);
        let counts = format!(
            "tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"",
            verdicts.len()
        );
        let time = self.elapsed.as_secs_f64();
        let name = format!("mq bench {}", scenario_word(self.plan.scenario));
        let start = self.started_at.strftime("%Y-%m-%dT%H:%M:%S");
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mq bench\" {counts} time=\"{time:.3}\">\n\
             <testsuite name=\"{name}\" {counts} time=\"{time:.3}\" timestamp=\"{start}\">\n<properties>\n"
        );
        let properties = [
            ("broker", self.plan.broker.as_str()),
            ("tool", self.tool.as_str()),
            ("verdict", self.judgement().key()),
        ];
        for (name, value) in properties {
            let _ = writeln!(xml, "<property name=\"{name}\" value=\"{}\"/>", attribute(value));
        }
        xml += "</properties>\n";
        verdicts.iter().for_each(|verdict| xml += &case(verdict));
        let _ = writeln!(
            xml,
            "<system-out>{}</system-out>\n</testsuite>\n</testsuites>",
            attribute(&self.sentence())
        );
        xml
    }
}

/// A condition that was not measured is skipped, unless the run fails because of that.
fn is_skipped(verdict: &Verdict) -> bool {
    verdict.judgement == Judgement::NotMeasured && !verdict.is_failure()
}

fn case(verdict: &Verdict) -> String {
    let rule = verdict.rule.key();
    let (name, text) = (attribute(&verdict.condition), attribute(&verdict.text));
    let body = match verdict.judgement {
        _ if verdict.is_failure() => format!("<failure message=\"{text}\" type=\"{rule}\">{text}</failure>"),
        Judgement::NotMeasured => format!("<skipped message=\"{text}\"/>"),
        Judgement::Doubtful => format!("<system-out>caution: {text}</system-out>"),
        Judgement::Passed | Judgement::Failed => format!("<system-out>{text}</system-out>"),
    };
    format!("<testcase classname=\"mq-bench.{rule}\" name=\"{name}\">{body}</testcase>\n")
}

/// A text as the value of an attribute. XML allows no control characters, so they are escaped as in a terminal.
fn attribute(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in escape::line(text).chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\u{FFFE}' | '\u{FFFF}' => escaped.push(char::REPLACEMENT_CHARACTER),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::tests::{mix, report, spoil};
    use super::super::verdict::Rule;
    use super::*;

    #[test]
    fn each_condition_is_a_test_case() {
        let mut report = report();
        spoil(&mut report, 3, 0);
        report.conditions =
            vec![Verdict::new(Rule::FailIf, "tls.p99>1s", Judgement::NotMeasured, "a <b> & \"c\"")];
        report.busiest_thread_percent = Some(95.0);
        let xml = report.to_junit();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        let cases: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
        assert_eq!(suite.attribute("tests"), Some(cases.len().to_string().as_str()));
        assert_eq!((suite.attribute("failures"), suite.attribute("skipped")), (Some("2"), Some("0")));
        let failures = document.descendants().filter(|node| node.has_tag_name("failure"));
        let messages: Vec<_> = failures.filter_map(|node| node.attribute("message")).collect();
        assert_eq!(messages, ["a <b> & \"c\"", "3 of 100000 messages lost at QoS 1"]);
        assert!(xml.contains("<system-out>caution: mq was the bottleneck"), "{xml}");
    }

    #[test]
    fn text_of_others_stays_text() {
        let mut report = mix();
        report.groups[0].name = "\"/><x>\u{1}\u{1b}[2J\u{FFFF}\u{202e}\n".to_owned();
        report.plan.broker = "]]>&<".to_owned();
        let xml = report.to_junit();
        let document = roxmltree::Document::parse(&xml).unwrap();
        assert!(!document.descendants().any(|node| node.has_tag_name("x")));
    }
}
