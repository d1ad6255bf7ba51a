//! Hosted brokers with limits and conventions of their own, as their documentation states them (AWS IoT Core: quotas and "differences
//! from MQTT specifications"; Azure IoT Hub: "communicate with an IoT hub using the MQTT protocol"; Azure Event Grid: "MQTT features" and
//! "quotas and limits", all as of 2025).
//!
//! Nothing here owns a socket or reads a clock: the caller passes packets to the rules, and the time to the tokens.

mod device;
mod expiry;
mod rules;
pub(crate) mod sas;
mod service;
pub(crate) mod sigv4;
mod violation;

pub(crate) use device::Device;
pub(crate) use expiry::token_expiry;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
pub(crate) use rules::{ConnectContent, Rules};
pub(crate) use service::Service;
use sha2::Sha256;
pub(crate) use violation::Violation;
use zeroize::Zeroizing;

/// Percent-encoded in signatures: everything but letters, digits and the unreserved marks of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// HMAC-SHA256, by which both clouds sign. It may be the key of another one.
fn mac(key: &[u8], text: &str) -> Zeroizing<Vec<u8>> {
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    Zeroizing::new(mac.chain_update(text.as_bytes()).finalize().into_bytes().to_vec())
}
