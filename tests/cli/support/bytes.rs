//! Packets as text, a field per line, so that a test shows the bytes on the wire.
//!
//! | written | meaning |
//! |---|---|
//! | `10 003c` | these bytes, in hexadecimal |
//! | `..` | any byte (in a pattern) |
//! | `'text'` | the bytes of the text |
//! | `` `text` `` | an MQTT string: two bytes of length, and the text |
//! | `( ... )` | a variable byte integer with the length of the content, and the content |
//! | `# ...` | a comment, up to the end of the line |
//!
//! So CONNECT is ``10 (`MQTT` 04 02 003c `client`)``.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

/// The bytes described by `text`.
pub fn hex(text: &str) -> Vec<u8> {
    let bytes: Option<Vec<u8>> = Pattern::parse(text).0.into_iter().collect();
    bytes.expect("'..' stands for nothing that could be sent")
}

/// Bytes to be expected, `None` for any.
pub struct Pattern(Vec<Option<u8>>);

impl Pattern {
    /// The pattern described by `text`.
    pub fn parse(text: &str) -> Pattern {
        let mut chars = text.chars().peekable();
        let bytes = parse_group(&mut chars);
        assert!(chars.next().is_none(), "a ')' without '(' in {text}");
        Pattern(bytes)
    }

    /// How many bytes it describes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether `received` is the beginning of a match.
    pub fn begins_with(&self, received: &[u8]) -> bool {
        received.len() <= self.len()
            && received.iter().zip(&self.0).all(|(got, want)| want.is_none_or(|want| want == *got))
    }

    /// The expected and the received bytes, with a mark under the first difference.
    pub fn diff(&self, received: &[u8]) -> String {
        let mut text = String::new();
        let rows = self.len().max(received.len()).div_ceil(16);
        for row in 0..rows {
            let range = row * 16..(row + 1) * 16;
            let want: Vec<_> = range.clone().map(|at| self.0.get(at).copied()).collect();
            let got: Vec<_> = range.map(|at| received.get(at).copied()).collect();
            let wrong = want
                .iter()
                .zip(&got)
                .map(|(want, got)| !matches!((want, got), (Some(None), Some(_))) && want.flatten() != *got);
            let row_text = |cells: &mut dyn Iterator<Item = String>| cells.collect::<Vec<_>>().join(" ");
            let want_text = row_text(&mut want.iter().map(|byte| match byte {
                Some(Some(byte)) => format!("{byte:02x}"),
                Some(None) => "..".into(),
                None => "  ".into(),
            }));
            let got_text =
                row_text(&mut got.iter().map(|byte| byte.map_or("  ".into(), |byte| format!("{byte:02x}"))));
            let marks = row_text(&mut wrong.map(|wrong| if wrong { "^^" } else { "  " }.into()));
            let characters: String = got
                .iter()
                .flatten()
                .map(|byte| if byte.is_ascii_graphic() { *byte as char } else { '.' })
                .collect();
            let offset = row * 16;
            let _ = writeln!(
                text,
                "{offset:5} expected  {want_text}\n      received  {got_text}  {characters}\n                {}",
                marks.trim_end()
            );
        }
        text
    }
}

fn parse_group(chars: &mut Peekable<Chars>) -> Vec<Option<u8>> {
    let mut bytes = Vec::new();
    while let Some(&next) = chars.peek() {
        match next {
            ')' => break,
            '(' => {
                chars.next();
                let inside = parse_group(chars);
                assert_eq!(chars.next(), Some(')'), "a '(' without ')'");
                bytes.extend(variable_byte_integer(inside.len()));
                bytes.extend(inside);
            }
            '\'' | '`' => {
                let text = quoted(chars);
                if next == '`' {
                    bytes.extend((text.len() as u16).to_be_bytes().map(Some));
                }
                bytes.extend(text.bytes().map(Some));
            }
            '#' => while chars.next_if(|&c| c != '\n').is_some() {},
            _ if next.is_whitespace() => drop(chars.next()),
            _ => bytes.push(byte_or_any(chars)),
        }
    }
    bytes
}

fn quoted(chars: &mut Peekable<Chars>) -> String {
    let quote = chars.next().expect("the caller has seen it");
    let mut text = String::new();
    loop {
        match chars.next().expect("a quote that is not closed") {
            c if c == quote => return text,
            c => text.push(c),
        }
    }
}

fn byte_or_any(chars: &mut Peekable<Chars>) -> Option<u8> {
    let pair: String = chars.take(2).collect();
    if pair == ".." {
        None
    } else {
        Some(u8::from_str_radix(&pair, 16).unwrap_or_else(|_| panic!("{pair:?} is no hexadecimal byte")))
    }
}

fn variable_byte_integer(mut value: usize) -> impl Iterator<Item = Option<u8>> {
    let mut is_more = true;
    std::iter::from_fn(move || {
        is_more.then(|| {
            let byte = (value % 128) as u8;
            value /= 128;
            is_more = value > 0;
            Some(if is_more { byte | 0x80 } else { byte })
        })
    })
}

#[test]
fn packets_can_be_written_a_field_per_line() {
    let connect = hex("10 ( # CONNECT
            `MQTT` 04
            02 003c
            'ab' (21 0014) )");
    assert_eq!(connect, b"\x10\x10\0\x04MQTT\x04\x02\0\x3cab\x03\x21\0\x14");
}

#[test]
fn a_difference_is_marked_below_the_byte() {
    let pattern = Pattern::parse("20 02 .. 00");
    assert!(pattern.begins_with(&[0x20, 2, 1]));
    assert!(!pattern.begins_with(&[0x20, 2, 1, 5]));
    assert!(pattern.diff(&[0x20, 2, 1, 5]).contains("expected  20 02 .. 00 "));
    assert!(pattern.diff(&[0x20, 2, 1, 5]).ends_with("         ^^\n"));
}
