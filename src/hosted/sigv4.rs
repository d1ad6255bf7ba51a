//! AWS Signature Version 4 as query parameters: a WebSocket connection authenticated by an access key.
//!
//! AWS IoT Core expects the session token after the signature, not signed.

use super::{ENCODED, mac};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, utf8_percent_encode};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fmt::Write;
use std::time::SystemTime;
use zeroize::Zeroizing;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The service that signatures are for.
const SERVICE: &str = "iotdevicegateway";

/// The validity of a signature in seconds.
const EXPIRES: u32 = 86_400;

/// In paths, the slash stays as it is, too.
const IN_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// An access key and the region that it is used in. Its secrets are wiped when it is dropped, and never shown.
#[derive(Clone)]
pub(crate) struct AccessKey {
    /// The key's name.
    pub id: String,
    pub secret: Zeroizing<String>,
    /// The session token of temporary credentials.
    pub session_token: Option<Zeroizing<String>>,
    /// As in `eu-west-1`.
    pub region: String,
}

/// The signed parts of a request besides its query.
struct Request<'a> {
    host: &'a str,
    path: &'a str,
    service: &'a str,
    /// The hash of the body.
    content: &'a str,
}

impl AccessKey {
    /// The query that opens a WebSocket at this host (as in the Host header) and path, valid from `now`.
    pub(crate) fn query(&self, host: &str, path: &str, now: SystemTime) -> Zeroizing<String> {
        let nothing = hex(&Sha256::digest(b""));
        let mut query = self.signed(&Request { host, path, service: SERVICE, content: &nothing }, now);
        if let Some(token) = &self.session_token {
            let _ = write!(query, "&X-Amz-Security-Token={}", utf8_percent_encode(token, ENCODED));
        }
        query
    }

    fn signed(&self, request: &Request<'_>, now: SystemTime) -> Zeroizing<String> {
        let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
        let (day, time) = (now.strftime("%Y%m%d").to_string(), now.strftime("%Y%m%dT%H%M%SZ").to_string());
        let scope = format!("{day}/{}/{}/aws4_request", self.region, request.service);
        let credential = format!("{}/{scope}", self.id);
        let credential = utf8_percent_encode(&credential, ENCODED);
        let query = format!(
            "X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date={time}&X-Amz-Expires={EXPIRES}&X-Amz-SignedHeaders=host"
        );
        let Request { host, content, .. } = request;
        let path = utf8_percent_encode(request.path, IN_PATH);
        let canonical = format!("GET\n{path}\n{query}\nhost:{host}\n\nhost\n{content}");
        let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let signature = hex(&mac(&self.signing_key(&day, request.service), &to_sign));
        Zeroizing::new(format!("{query}&X-Amz-Signature={signature}"))
    }

    /// A key for one day, region and service.
    fn signing_key(&self, day: &str, service: &str) -> Zeroizing<Vec<u8>> {
        let first = Zeroizing::new(format!("AWS4{}", *self.secret).into_bytes());
        let parts = [day, &self.region, service, "aws4_request"];
        parts.into_iter().fold(first, |key, part| mac(&key, part))
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey")
            .field("id", &self.id)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// The region in the name of an endpoint of AWS IoT Core.
pub(crate) fn region_of(host: &str) -> Option<&str> {
    host.split_once(".iot.")?.1.split('.').next()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn key() -> AccessKey {
        AccessKey {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: Zeroizing::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
            session_token: None,
            region: "us-east-1".to_owned(),
        }
    }

    fn at(time: &str) -> SystemTime {
        time.parse::<Timestamp>().unwrap().into()
    }

    /// The example of AWS's documentation, which is of another service.
    #[test]
    fn a_known_request_is_signed_as_aws_signs_it() {
        let host = "examplebucket.s3.amazonaws.com";
        let request = Request { host, path: "/test.txt", service: "s3", content: "UNSIGNED-PAYLOAD" };
        let query = key().signed(&request, at("2013-05-24T00:00:00Z"));
        assert_eq!(
            *query,
            "X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
             &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        );
    }

    #[test]
    fn the_token_of_a_session_stands_behind_the_signature() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let lent = AccessKey { session_token: Some(Zeroizing::new("a+b/=".to_owned())), ..key() };
        let (plain, lent) = (key().query("h", "/mqtt", now), lent.query("h", "/mqtt", now));
        assert_eq!(*lent, format!("{}&X-Amz-Security-Token=a%2Bb%2F%3D", *plain));
    }

    #[test]
    fn secrets_are_not_shown() {
        assert!(!format!("{:?}", key()).contains("wJalr"));
    }

    #[test]
    fn endpoints_name_their_region() {
        assert_eq!(region_of("a1-ats.iot.eu-west-1.amazonaws.com"), Some("eu-west-1"));
        assert_eq!(region_of("mqtt.example.com"), None);
    }
}
