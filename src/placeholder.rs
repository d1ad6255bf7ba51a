//! Texts with placeholders in braces, as in `sensors/{i}`: how they are read. What stands in braces, and what becomes of it, is for
//! others to know.

/// A part of such a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<P> {
    /// What is as it stands there.
    Text(String),
    /// What stands for something.
    Placeholder(P),
}

/// Takes a text apart. Braces are a placeholder's when `is_placeholder` says so of what is in them, and text otherwise; one that is never
/// closed counts as if it were closed at the end, and is handed on with `is_open`.
///
/// # Errors
/// What `named` says of a placeholder.
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

/// What stands in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Braces<'t> {
    /// The text in them.
    pub inside: &'t str,
    /// The second one is missing.
    pub is_open: bool,
}

/// Whether this may stand for something where braces are also text, so that JSON can be written as it is.
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
