//! Numbers in typed words.
//!
//! mosquitto's tools read numbers with `atoi`, which ignores a carriage return, a unit, or missing digits. Scripts rely on it
//! unknowingly, such as those with CRLF or with unset variables.

/// The value without blanks and line ends around it.
pub(super) fn trim(value: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = value.iter().position(|byte| !is_blank(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}

/// The number at the start of a text, as `atoi` reads it, but without overflow.
pub(super) fn integer(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (is_negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let number =
        digits.fold(0_i64, |number, digit| number.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if is_negative { -number } else { number }
}

/// The decimal number at the start of a text, as `atof` reads it; `0` if it has no digits.
pub(super) fn decimal(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.trim_ascii_start());
    let end = text.find(|character: char| !character.is_ascii_digit() && !".eE+-".contains(character));
    let mut number = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    while !number.is_empty() && number.parse::<f64>().is_err() {
        number = number.get(..number.len() - 1).unwrap_or_default(); // the text is ASCII
    }
    if number.is_empty() { "0".to_owned() } else { number.to_owned() }
}

/// Whether it is a whole number, of any size and sign.
pub(super) fn is_whole(value: &str) -> bool {
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The first character that is not part of a number.
pub(super) fn invalid_character(value: &str, is_decimal: bool) -> Option<String> {
    let digits = value.trim_start_matches(['+', '-']);
    let invalid = digits.chars().find(|&character| {
        let is_of_decimal = is_decimal && matches!(character, '.' | 'e' | 'E' | '-' | '+');
        !(character.is_ascii_digit() || is_of_decimal)
    })?;
    Some(format!("; '{}' is not a digit", invalid.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_by_atoi() {
        for (text, number) in [
            ("1883\r", 1883),
            ("", 0),
            ("foo", 0),
            (" 1 ", 1),
            ("60s", 60),
            ("-5x", -5),
            ("+1", 1),
            ("0x1", 0),
            ("99999999999999999999", i64::MAX),
        ] {
            assert_eq!(integer(text.as_bytes()), number, "{text}");
        }
    }

    #[test]
    fn decimals_are_read_as_by_atof() {
        for (text, number) in [
            ("0.1s", "0.1"),
            ("", "0"),
            ("abc", "0"),
            ("1e-2\r", "1e-2"),
            ("2e", "2"),
            ("-1", "-1"),
            ("e", "0"),
        ] {
            assert_eq!(decimal(text.as_bytes()), number, "{text}");
        }
    }

    #[test]
    fn blanks_are_taken_off_both_ends() {
        assert_eq!(trim(b" 1 2\r\n"), b"1 2");
        assert_eq!(trim(b" \r"), b"");
        assert_eq!(trim(b""), b"");
    }
}
