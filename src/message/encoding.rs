//! Bytes as text: unchanged if they are UTF-8, otherwise in Base64 or hexadecimal digits.

use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{DecodeError, Engine};

/// The encoding of bytes as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// The string's own bytes.
    Utf8,
    /// Base64 with `+`, `/` and, when it is read, with or without `=`.
    Base64,
    /// Two hexadecimal digits for each byte.
    Hex,
}

const LENIENT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Encoding {
    /// All encodings.
    pub(crate) const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Base64, Encoding::Hex];

    /// The name in JSON and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf8",
            Encoding::Base64 => "base64",
            Encoding::Hex => "hex",
        }
    }

    /// Decodes a string to bytes.
    ///
    /// # Errors
    /// The reason why the string is invalid.
    pub(crate) fn decode(self, text: String) -> Result<Vec<u8>, String> {
        match self {
            Encoding::Utf8 => Ok(text.into_bytes()),
            Encoding::Base64 => LENIENT_BASE64
                .decode(&text)
                .map_err(|error| format!("it is not Base64: {}", base64_problem(&error))),
            Encoding::Hex => decode_hex(&text),
        }
    }
}

/// The reason why a text is not Base64.
pub(crate) fn base64_problem(error: &DecodeError) -> String {
    match error {
        DecodeError::InvalidByte(offset, _) | DecodeError::InvalidLastSymbol { offset, .. } => {
            format!("unexpected character at position {}", offset + 1)
        }
        DecodeError::InvalidLength(length) => format!("incomplete with {length} characters"),
        DecodeError::InvalidPadding => "wrong padding".to_owned(),
    }
}

/// Base64 for these bytes.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Appends two hexadecimal digits for each byte.
pub(crate) fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.extend([byte >> 4, byte & 0xf].map(hex_digit));
    }
}

/// The digit for a value up to 15.
pub(crate) fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

/// Decodes pairs of hexadecimal digits.
pub(crate) fn decode_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok())).collect();
    let digits = digits.ok_or("it contains characters other than hexadecimal digits")?;
    let (pairs, odd) = digits.as_chunks::<2>();
    if !odd.is_empty() {
        return Err("it has an odd number of hexadecimal digits".to_owned());
    }
    Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}
