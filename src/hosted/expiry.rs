//! The expiry of tokens that contain it: JSON Web Tokens (RFC 7519, `exp`) and shared access signatures (`se`).
//! Nothing is verified here; the broker does that.

use super::sas;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The end of the year 9999 in seconds since 1970; an expiry after it is not understood.
const LATEST: f64 = 253_402_300_799.0;

/// When a token expires; `None` if it does not contain that, or is of another kind.
pub(crate) fn token_expiry(token: &[u8]) -> Option<SystemTime> {
    let token = std::str::from_utf8(token).ok()?.trim();
    let seconds = match token.strip_prefix(sas::SCHEME) {
        Some(fields) => of_signature(fields),
        None => of_web_token(token),
    }?;
    (0.0..=LATEST).contains(&seconds).then(|| UNIX_EPOCH + Duration::from_secs_f64(seconds))
}

fn of_signature(fields: &str) -> Option<f64> {
    fields.split('&').find_map(|field| field.strip_prefix("se="))?.parse().ok()
}

fn of_web_token(token: &str) -> Option<f64> {
    let mut parts = token.split('.');
    let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None; // An encrypted token has five parts, of which nobody else can read one.
    }
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    claims.get("exp")?.as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(token: &str) -> Option<u64> {
        Some(token_expiry(token.as_bytes())?.duration_since(UNIX_EPOCH).unwrap().as_secs())
    }

    fn web_token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_expiry_of_a_token_is_read() {
        assert_eq!(seconds(&web_token(r#"{"aud":"a","exp":1700000000}"#)), Some(1_700_000_000));
        assert_eq!(seconds(&web_token(r#"{"exp":1700000000.5}"#)), Some(1_700_000_000));
        assert_eq!(seconds(&format!("{}\n", web_token(r#"{"exp":1}"#))), Some(1));
        assert_eq!(seconds("SharedAccessSignature sr=a&sig=b&se=1700000000&skn=c"), Some(1_700_000_000));
    }

    #[test]
    fn tokens_without_an_expiry_are_no_error() {
        for claims in ["", "{}", "[]", r#"{"exp":"soon"}"#, r#"{"exp":-1}"#, r#"{"exp":1e300}"#, "{\"exp\":"]
        {
            assert_eq!(seconds(&web_token(claims)), None, "{claims}");
        }
        for token in ["", "a", "a.b", "a.b.c", "a.b.c.d.e", "SharedAccessSignature sr=a", "\u{fffd}..", ".."]
        {
            assert_eq!(seconds(token), None, "{token}");
        }
        assert_eq!(token_expiry(b"\xff.\xff.\xff"), None);
    }
}
