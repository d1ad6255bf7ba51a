//! SCRAM's messages (RFC 5802, section 7): attributes with one-letter names, in a fixed order, separated by commas.

use super::{Algorithm, MAX_ITERATIONS, MIN_ITERATIONS};
use crate::authentication::Failure;
use crate::authentication::failure::Malformed;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The header of a client without channel binding: no binding, and no authorization identity.
pub(super) const HEADER: &str = "n,,";

/// The header of a client that supports channel binding, but was not offered it.
const HEADER_OF_SUPPORTER: &str = "y,,";

/// The longest error text that is kept, in characters.
const MAX_ERROR_LENGTH: usize = 200;

/// The server's challenge.
pub(super) struct Challenge<'a> {
    pub(super) text: &'a str,
    pub(super) nonce: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
}

/// The client's first message.
pub(super) struct First<'a> {
    /// The GS2 header, before the attributes.
    pub(super) header: &'a str,
    /// The attributes alone.
    pub(super) bare: &'a str,
    pub(super) name: String,
    pub(super) nonce: &'a str,
}

/// The client's last message.
pub(super) struct Last<'a> {
    pub(super) without_proof: &'a str,
    /// The GS2 header of the first message, repeated as channel binding data.
    pub(super) binding: Vec<u8>,
    pub(super) nonce: &'a str,
    pub(super) proof: Vec<u8>,
}

/// The server's final message.
pub(super) enum Outcome {
    Signature(Vec<u8>),
    Error(String),
}

impl<'a> Challenge<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Challenge<'a>, Failure> {
        let text = text_of(bytes)?;
        let mut attributes = Attributes::new(text);
        if let Some(error) = attributes.optional('e') {
            return Err(Failure::Reported(shortened(error)));
        }
        let nonce = attributes.nonce()?;
        let salt = attributes.base64('s', "salt")?;
        let count = attributes.number('i', "number of iterations")?;
        let iterations = u32::try_from(count).ok();
        let iterations = iterations.filter(|count| (MIN_ITERATIONS..=MAX_ITERATIONS).contains(count));
        let out_of_bounds = Failure::Iterations { count, least: MIN_ITERATIONS, most: MAX_ITERATIONS };
        Ok(Challenge { text, nonce, salt, iterations: iterations.ok_or(out_of_bounds)? })
    }
}

impl<'a> First<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<First<'a>, Malformed> {
        let text = text_of(bytes)?;
        let headers = [HEADER, HEADER_OF_SUPPORTER];
        let header = headers.into_iter().find(|header| text.starts_with(header)).ok_or(Malformed::Header)?;
        let bare = text.get(header.len()..).unwrap_or_default();
        let mut attributes = Attributes::new(bare);
        let name = unescape(attributes.required('n', "user name")?)?;
        Ok(First { header, bare, name, nonce: attributes.nonce()? })
    }
}

impl<'a> Last<'a> {
    pub(super) fn parse(bytes: &'a [u8], algorithm: Algorithm) -> Result<Last<'a>, Malformed> {
        let text = text_of(bytes)?;
        let (without_proof, _) =
            text.rsplit_once(",p=").ok_or(Malformed::Missing { key: 'p', name: "proof" })?;
        let mut proof = Attributes::new(text.get(without_proof.len() + 1..).unwrap_or_default());
        let proof = proof.base64('p', "proof")?;
        if proof.len() != algorithm.length() {
            return Err(Malformed::Value { name: "proof", problem: "not as long as the hash" });
        }
        let mut attributes = Attributes::new(without_proof);
        let binding = attributes.base64('c', "channel binding")?;
        Ok(Last { without_proof, binding, nonce: attributes.nonce()?, proof })
    }
}

impl Outcome {
    pub(super) fn parse(bytes: &[u8]) -> Result<Outcome, Malformed> {
        let mut attributes = Attributes::new(text_of(bytes)?);
        match attributes.optional('e') {
            Some(error) => Ok(Outcome::Error(shortened(error))),
            None => Ok(Outcome::Signature(attributes.base64('v', "signature")?)),
        }
    }
}

/// The error in a server's final message, if it reports one.
pub(crate) fn error_in(bytes: &[u8]) -> Option<String> {
    match Outcome::parse(bytes) {
        Ok(Outcome::Error(error)) => Some(error),
        Ok(Outcome::Signature(_)) | Err(_) => None,
    }
}

/// The name with `=` and `,` escaped, since a comma would end the attribute.
pub(super) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

fn unescape(text: &str) -> Result<String, Malformed> {
    let mut parts = text.split('=');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (character, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (None, Some(rest)) => ('=', rest),
            (None, None) => {
                return Err(Malformed::Value { name: "user name", problem: "not escaped as =2C and =3D" });
            }
        };
        name.push(character);
        name.push_str(rest);
    }
    Ok(name)
}

fn text_of(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed::NotUtf8)
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_ERROR_LENGTH).collect()
}

/// The unread attributes. Those after the expected ones are extensions, which RFC 5802 requires to be ignored.
struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Attributes<'a> {
    fn new(rest: &'a str) -> Attributes<'a> {
        Attributes { rest }
    }

    /// Takes the next attribute if it has this letter.
    fn optional(&mut self, key: char) -> Option<&'a str> {
        let (next, rest) = self.rest.split_once(',').unwrap_or((self.rest, ""));
        let value = next.strip_prefix(key)?.strip_prefix('=')?;
        self.rest = rest;
        Some(value)
    }

    fn required(&mut self, key: char, name: &'static str) -> Result<&'a str, Malformed> {
        if self.rest.starts_with("m=") {
            return Err(Malformed::Extension);
        }
        match self.optional(key).ok_or(Malformed::Missing { key, name })? {
            "" => Err(Malformed::Value { name, problem: "empty" }),
            value => Ok(value),
        }
    }

    fn nonce(&mut self) -> Result<&'a str, Malformed> {
        let nonce = self.required('r', "nonce")?;
        match nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(nonce),
            false => Err(Malformed::Value { name: "nonce", problem: "not printable ASCII" }),
        }
    }

    fn base64(&mut self, key: char, name: &'static str) -> Result<Vec<u8>, Malformed> {
        let value = self.required(key, name)?;
        STANDARD.decode(value).map_err(|_| Malformed::Value { name, problem: "not Base64" })
    }

    fn number(&mut self, key: char, name: &'static str) -> Result<u64, Malformed> {
        let value = self.required(key, name)?;
        let digits = Some(value).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|value| value.parse().ok()).ok_or(Malformed::Value { name, problem: "not a number" })
    }
}
