//! Copies JSON text in the writer's layout, without a tree of values: numbers keep their digits and objects keep duplicate keys.

use super::Writer;
use serde_core::de::IgnoredAny;

/// The text is not one JSON value, or nested over 1000 deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not one JSON value, or one that is nested too deeply")]
pub(crate) struct InvalidJson;

/// The most that objects and arrays may be nested; cJSON's own limit.
const MAX_DEPTH: usize = 1000;

/// Appends one JSON value, which may have white space around it. After an error, the caller must discard the appended bytes.
///
/// # Errors
/// If it is not one JSON value, has half of a surrogate pair, or is nested 1000 deep.
pub(crate) fn copy_value(text: &[u8], writer: &mut Writer<'_>) -> Result<(), InvalidJson> {
    // The text is valid from here on, so the copy need not check the order of tokens.
    serde_json::from_slice::<IgnoredAny>(text).map_err(|_| InvalidJson)?;
    let text = std::str::from_utf8(text).map_err(|_| InvalidJson)?;
    Copy { rest: text, nesting: Vec::new(), is_key_next: false }.run(writer)
}

/// The container of the current position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Enclosure {
    Object,
    Array,
}

struct Copy<'t> {
    rest: &'t str,
    nesting: Vec<Enclosure>,
    /// Whether a string that comes now is a key.
    is_key_next: bool,
}

impl<'t> Copy<'t> {
    fn run(mut self, writer: &mut Writer<'_>) -> Result<(), InvalidJson> {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', ':']);
            let Some(first) = self.rest.bytes().next() else { return Ok(()) };
            match first {
                b'{' | b'[' => self.open(first, writer)?,
                b'}' | b']' => self.close(first, writer),
                b',' => {
                    self.take(1);
                    self.is_key_next = self.nesting.last() == Some(&Enclosure::Object);
                }
                b'"' => self.copy_string(writer)?,
                _ => {
                    self.announce(writer);
                    let scalar = self.take(self.scalar_length());
                    writer.raw(scalar.as_bytes());
                }
            }
        }
    }

    fn open(&mut self, bracket: u8, writer: &mut Writer<'_>) -> Result<(), InvalidJson> {
        if self.nesting.len() == MAX_DEPTH {
            return Err(InvalidJson);
        }
        self.announce(writer);
        self.take(1);
        self.is_key_next = bracket == b'{';
        if bracket == b'{' {
            self.nesting.push(Enclosure::Object);
            writer.open_object();
        } else {
            self.nesting.push(Enclosure::Array);
            writer.open_array();
        }
        Ok(())
    }

    fn close(&mut self, bracket: u8, writer: &mut Writer<'_>) {
        self.take(1);
        self.nesting.pop();
        if bracket == b'}' { writer.close_object() } else { writer.close_array() }
    }

    fn copy_string(&mut self, writer: &mut Writer<'_>) -> Result<(), InvalidJson> {
        let quoted = self.take(self.string_length());
        let text: String = serde_json::from_str(quoted).map_err(|_| InvalidJson)?;
        if std::mem::take(&mut self.is_key_next) {
            writer.key(&text);
        } else {
            self.announce(writer);
            writer.string(&text);
        }
        Ok(())
    }

    /// Writes the comma before a value of an array.
    fn announce(&self, writer: &mut Writer<'_>) {
        if self.nesting.last() == Some(&Enclosure::Array) {
            writer.element();
        }
    }

    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// The bytes of the string that starts here, quotes included.
    fn string_length(&self) -> usize {
        let mut is_escaped = false;
        let end = self.rest.bytes().skip(1).position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        });
        end.map_or(self.rest.len(), |end| end + 2)
    }

    /// The bytes of the number or the word that starts here.
    fn scalar_length(&self) -> usize {
        self.rest.find([',', '}', ']', ' ', '\t', '\n', '\r']).unwrap_or(self.rest.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(text: &str, is_pretty: bool) -> Option<String> {
        let mut out = Vec::new();
        copy_value(text.as_bytes(), &mut Writer::new(&mut out, is_pretty)).ok()?;
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn white_space_goes_and_digits_stay() {
        let cases = [
            (" { \"a\" : 1.50 , \"b\":[ 1E5, -0 ],\"c\" : { } }\n", r#"{"a":1.50,"b":[1E5,-0],"c":{}}"#),
            ("12345678901234567890", "12345678901234567890"),
            (r#"{"twice":1,"twice":2}"#, r#"{"twice":1,"twice":2}"#),
            (r#""a\/b\u00e9\u0001\"\\""#, r#""a/bé\u0001\"\\""#),
            (r#"["a:b, ]",null,true]"#, r#"["a:b, ]",null,true]"#),
        ];
        for (text, compact) in cases {
            assert_eq!(copied(text, false).as_deref(), Some(compact), "{text}");
        }
    }

    #[test]
    fn the_layout_is_that_of_cjson() {
        let text = r#"{"a":[1,{"b":[]}],"e":{},"x":[[],[1]]}"#;
        let laid_out = "{\n\t\"a\":\t[1, {\n\t\t\t\"b\":\t[]\n\t\t}],\n\t\"e\":\t{},\n\t\"x\":\t[[], [1]]\n}";
        assert_eq!(copied(text, true).as_deref(), Some(laid_out));
    }

    #[test]
    fn text_that_is_not_one_json_value_is_refused() {
        for text in
            ["", " ", "{} {}", "{\"a\":1", "[1,]", "01", "nan", "'a'", "\"\\ud800\"", "\"\u{1}\"", "{}x"]
        {
            assert_eq!(copied(text, false), None, "{text}");
        }
        assert_eq!(copied(&"[".repeat(2000), false), None);
        assert_eq!(copied(&format!("{}{}", "[".repeat(1001), "]".repeat(1001)), false), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}:,\"\\\\ a0-9.eE+-]{0,40}") {
            for is_pretty in [false, true] {
                if let Some(copy) = copied(&text, is_pretty) {
                    proptest::prop_assert_eq!(copied(&copy, false), copied(&text, false));
                }
            }
        }
    }
}
