//! Parses texts with placeholders in braces, such as `sensors/{i}`. The caller knows the placeholders and their values.

/// A part of such a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<P> {
    /// Literal text.
    Text(String),
    /// A placeholder.
    Placeholder(P),
}

/// Splits a text into parts. Braces are a placeholder if `is_placeholder` accepts their content, and text otherwise. An unclosed
/// placeholder ends at the end of the text and has `is_open` set.
///
/// # Errors
/// The error of `named` for a placeholder.
pub fn parse<P, E>(
    mut text: &str,
    is_placeholder: impl Fn(&str) -> bool,
    named: impl Fn(Braces<'_>) -> Result<P, E>,
) -> Result<Vec<Piece<P>>, E> {
    let mut pieces = Vec::new();
    while let Some((before, rest)) = text.split_once('{') {
        push_text(&mut pieces, before);
        match rest.split_once('}').filter(|(inside, _)| is_placeholder(inside)) {
            Some((inside, after)) => {
                pieces.push(Piece::Placeholder(named(Braces { inside, is_open: false })?));
                text = after;
            }
            None if is_placeholder(rest) => {
                pieces.push(Piece::Placeholder(named(Braces { inside: rest, is_open: true })?));
                text = "";
            }
            None => {
                push_text(&mut pieces, "{");
                text = rest;
            }
        }
    }
    push_text(&mut pieces, text);
    Ok(pieces)
}

/// The content of a pair of braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Braces<'t> {
    /// The text in them.
    pub inside: &'t str,
    /// The second one is missing.
    pub is_open: bool,
}

/// Whether the content looks like a placeholder in a text that may also have literal braces, such as JSON.
pub fn is_word(inside: &str) -> bool {
    inside.starts_with(|c: char| c.is_ascii_lowercase())
        && inside.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ":.-".contains(c))
}

fn push_text<P>(pieces: &mut Vec<Piece<P>>, words: &str) {
    if let Some(Piece::Text(last)) = pieces.last_mut() {
        last.push_str(words);
    } else if !words.is_empty() {
        pieces.push(Piece::Text(words.to_owned()));
    }
}
