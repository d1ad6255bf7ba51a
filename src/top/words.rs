//! Words of a typed line.

/// The words, which quotation marks of both kinds keep together.
///
/// # Errors
/// If a quotation mark is missing.
pub(crate) fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut mark) = (Vec::new(), None::<String>, None);
    for character in text.chars() {
        match (mark, character) {
            (Some(open), character) if character == open => mark = None,
            (None, '"' | '\'') => {
                mark = Some(character);
                word.get_or_insert_default();
            }
            (None, character) if character.is_whitespace() => words.extend(word.take()),
            (_, character) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    mark.map_or(Ok(words), |mark| Err(format!("a quotation mark is missing: {mark}")))
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn quotation_marks_keep_words_together() {
        assert_eq!(words(" a 'b c'd \"\" \"it's\" ").unwrap(), ["a", "b cd", "", "it's"]);
        assert!(words("").unwrap().is_empty());
        assert!(words("a 'b").is_err());
    }
}
