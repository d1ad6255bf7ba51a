//! Each error text in the source has a case in the catalogue, or a reason in `tests/snapshots/not-provoked.txt`.
//!
//! Texts are the `#[error("...")]` of error types. A text counts as provoked if its words, without placeholders, appear in this
//! order in the result of one command.

use super::{names, snapshots};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Shorter texts only pass on another error's, as `{0}` does.
const MIN_LETTERS: usize = 9;

#[test]
fn each_error_text_has_a_case_or_a_reason_for_having_none() {
    let results = results();
    let texts = texts();
    assert!(texts.len() > 100, "the source has error texts: {}", texts.len());
    let provoked = |text: &Text| results.iter().any(|result| appears(&text.parts, result));
    let missing: BTreeSet<String> = texts.iter().filter(|text| !provoked(text)).map(Text::key).collect();
    let excused = excused();
    let new: Vec<&String> = missing.difference(&excused).collect();
    assert!(
        new.is_empty(),
        "add a case to tests/snapshots/errors/ for each of these, or a reason to tests/snapshots/not-provoked.txt:\n{new:#?}"
    );
    let stale: Vec<&String> = excused.difference(&missing).collect();
    assert!(
        stale.is_empty(),
        "remove from tests/snapshots/not-provoked.txt, as they have a case or are gone:\n{stale:#?}"
    );
}

/// An error text of the source.
struct Text {
    name: String,
    variant: String,
    parts: Vec<String>,
}

impl Text {
    fn key(&self) -> String {
        format!("{}::{}", self.name, self.variant)
    }
}

/// The variants without a case: the first word of each line; the rest is the reason.
fn excused() -> BTreeSet<String> {
    let text = std::fs::read_to_string(snapshots("not-provoked.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entries = lines.map(|line| {
        let (key, reason) = line.split_once(": ").unwrap_or((line, ""));
        assert!(!reason.trim().is_empty(), "a reason follows the colon: {line}");
        key.to_owned()
    });
    entries.collect()
}

/// The output of each command of the catalogue.
fn results() -> Vec<String> {
    let mut results = vec![String::new()];
    for name in names("errors") {
        let text = std::fs::read_to_string(snapshots("errors").join(name + ".txt")).unwrap();
        for line in text.lines() {
            match line.strip_prefix('|') {
                Some(line) => {
                    let result = results.last_mut().unwrap();
                    *result += line.strip_prefix(' ').unwrap_or(line);
                    *result += "\n";
                }
                None => results.push(String::new()),
            }
        }
    }
    results
}

fn appears(parts: &[String], result: &str) -> bool {
    let mut rest = result;
    parts.iter().all(|part| match rest.split_once(part.as_str()) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

fn texts() -> Vec<Text> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let texts = files.iter().flat_map(|path| texts_in(&std::fs::read_to_string(path).unwrap()));
    texts.filter(|text| letters(&text.parts) >= MIN_LETTERS).collect()
}

fn letters(parts: &[String]) -> usize {
    parts.iter().flat_map(|part| part.chars()).filter(|char| char.is_alphabetic()).count()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn texts_in(source: &str) -> Vec<Text> {
    let mut texts = Vec::new();
    let mut rest = source;
    let mut name = String::new();
    while let Some((before, after)) = rest.split_once("#[error(") {
        if let Some((_, declaration)) = before.rsplit_once(" enum ") {
            name = identifier(declaration);
        }
        rest = after;
        let Some(literal) = after.trim_start().strip_prefix('"') else { continue };
        let (text, after) = string(literal);
        let (_, after) = after.split_once(")]").expect("the attribute ends");
        let line =
            after.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with(['#', '/']));
        let line = line.expect("an item follows an attribute");
        let (name, variant) = match line.split_once("struct ") {
            Some((_, declaration)) => (identifier(declaration), "text".to_owned()),
            None => (name.clone(), identifier(line)),
        };
        texts.push(Text { name, variant, parts: parts(&text) });
    }
    texts
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|char| char.is_alphanumeric()).collect()
}

/// The content of a string literal whose opening quote is already read, and the source after it.
fn string(source: &str) -> (String, &str) {
    let mut text = String::new();
    let mut chars = source.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (text, &source[at + 1..]),
            '\\' => match chars.next().expect("an escape has a second character").1 {
                'n' => text.push('\n'),
                '\n' => {
                    let blank = chars.as_str().len() - chars.as_str().trim_start().len();
                    chars = source.char_indices();
                    chars.nth(source[..at + 2 + blank].chars().count() - 1);
                }
                other => text.push(other),
            },
            _ => text.push(char),
        }
    }
    panic!("a string literal without an end: {source}");
}

/// The text between the placeholders.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let is_doubled = matches!(char, '{' | '}') && chars.peek() == Some(&char);
        if is_doubled {
            chars.next();
        }
        if char == '{' && !is_doubled {
            chars.by_ref().take_while(|char| *char != '}').for_each(drop);
            parts.push(String::new());
        } else {
            parts.last_mut().expect("has one").push(char);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}
