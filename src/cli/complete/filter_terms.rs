//! The last term of a filter of `mq inspect`: its key, or the value of a key that has few.

use super::candidate::{Candidate, Completion};
use crate::inspect::filter;

/// Completes the last term; the terms before it stay.
pub(super) fn complete(current: &str) -> Completion {
    let separator = |character: char| character.is_whitespace() || character == '(';
    let start = current.rfind(separator).map_or(0, |at| at + 1);
    let (before, term) = current.split_at_checked(start).unwrap_or((current, ""));
    let (negation, term) = match term.strip_prefix('!') {
        Some(term) => ("!", term),
        None => ("", term),
    };
    let is_operator = |character: char| "=!<>~".contains(character);
    let completion = match term.find(is_operator) {
        None => keys(term),
        Some(end) => values(term, end),
    };
    completion.after(&format!("{before}{negation}"))
}

fn keys(term: &str) -> Completion {
    let text = |key: &str| if filter::is_flag(key) { key.to_owned() } else { format!("{key}=") };
    let keys = filter::KEYS.iter().map(|key| Candidate::new(&text(key), ""));
    Completion { is_partial: true, ..Completion::of(keys, term) }
}

/// The values of the key before this place, after the operator or the last comma.
fn values(term: &str, end: usize) -> Completion {
    let key = term.get(..end).unwrap_or_default();
    let start = term.rfind(|character: char| "=!<>~,".contains(character)).map_or(end, |at| at + 1);
    let (before, value) = term.split_at_checked(start).unwrap_or((term, ""));
    let values = filter::values(key).into_iter().map(|value| Candidate::new(value, ""));
    Completion::of(values, value).after(before)
}
