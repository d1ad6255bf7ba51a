//! Entry points for fuzzers: files and pages that the load generator reads. Compiled for tests and with `--cfg fuzzing` only.

pub use super::broker_watch::fuzzing::metrics_pages;
use super::comparison::several::{Comparisons, NamedReport};
use super::report::{Charset, Report};

/// The tolerance of comparisons in percent.
const TOLERANCE: f64 = 10.0;

/// Reads a report and writes it again; by the length of the input, also as a text, in the other formats, or compared with itself.
pub fn reports(bytes: &[u8]) {
    let report = match Report::from_json(bytes) {
        Ok(report) => report,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let json = report.to_json();
    let again = Report::from_json(json.as_bytes()).expect("a written report can be read");
    assert_eq!(again.to_json(), json);
    match bytes.len() % 3 {
        0 => {
            check_text(&report.to_text(Charset::Utf8));
            check_text(&report.to_text(Charset::Ascii));
        }
        1 => write_formats(&report),
        _ => compare(&report),
    }
}

fn write_formats(report: &Report) {
    for text in [report.to_markdown(), report.to_csv(), report.to_prometheus(), report.to_html()] {
        check_text(&text);
    }
    let junit = report.to_junit();
    assert!(roxmltree::Document::parse(&junit).is_ok(), "{junit}");
    drop(report.to_hdr_log());
}

fn compare(report: &Report) {
    let named = |name: &str| NamedReport { name: name.to_owned(), report: report.clone() };
    let comparisons = Comparisons::new(named("old"), vec![named("new")], TOLERANCE);
    check_text(&comparisons.to_text());
    check_text(&comparisons.to_markdown());
}

/// Checks that no text of the file reaches a terminal unescaped.
fn check_text(text: &str) {
    let control = text.chars().find(|&character| character.is_control() && character != '\n');
    assert_eq!(control, None, "{text:?}");
}
