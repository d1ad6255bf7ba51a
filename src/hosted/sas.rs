//! Shared access signatures: the passwords of Azure IoT Hub. A key signs each for a resource and a period.
//!
//! A token is `SharedAccessSignature sr=RESOURCE&sig=SIGNATURE&se=EXPIRY`, with the signature the HMAC-SHA256 of the resource and the
//! expiry, a line each, by the key (Azure IoT Hub, "control access with shared access signatures").

use super::{Device, ENCODED, mac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::utf8_percent_encode;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// The prefix of all tokens.
pub(crate) const SCHEME: &str = "SharedAccessSignature ";

/// A key that signs tokens. It is wiped when it is dropped, and never shown.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<Vec<u8>>);

/// The content of a key file: a key alone, or a connection string with its other fields.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub key: Key,
    /// The name of the access policy, if the key is not a device's own.
    pub policy: Option<String>,
    /// The hub's host name.
    pub host: Option<String>,
    /// The device or module.
    pub device: Option<Device>,
}

/// An invalid key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    /// It is neither base64 nor a connection string.
    #[error(
        "not a key: expected a device's key in Base64, or a connection string (HostName=...;DeviceId=...;SharedAccessKey=...)"
    )]
    NoKey,
    /// It is a token.
    #[error("it contains a token, not a key")]
    Token,
    /// A connection string lacks the key.
    #[error("the connection string has no SharedAccessKey")]
    NoKeyInString,
    /// A part of a connection string is not `NAME=VALUE`.
    #[error("the connection string has a part that is not NAME=VALUE")]
    BadPart,
    /// The device's name is invalid.
    #[error("the connection string's DeviceId or ModuleId: {0}")]
    Device(String),
}

/// Makes a token for each connection.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    key: Key,
    policy: Option<String>,
    resource: String,
    lifetime: Duration,
}

impl Credentials {
    /// Parses a key in base64, or a connection string as Azure's portal and tools give it.
    ///
    /// # Errors
    /// The reason, without the text itself.
    pub(crate) fn parse(text: &str) -> Result<Credentials, KeyError> {
        let text = text.trim();
        if text.starts_with(SCHEME.trim_end()) {
            return Err(KeyError::Token);
        }
        match Key::decode(text) {
            Some(key) => Ok(Credentials { key, policy: None, host: None, device: None }),
            None if text.contains(';') || text.contains("SharedAccessKey=") => Credentials::of_string(text),
            None => Err(KeyError::NoKey),
        }
    }

    fn of_string(text: &str) -> Result<Credentials, KeyError> {
        let (mut key, mut policy, mut host, mut device, mut module) = (None, None, None, None, None);
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let (name, value) = part.trim().split_once('=').ok_or(KeyError::BadPart)?;
            match name {
                "SharedAccessKey" => key = Some(Key::decode(value).ok_or(KeyError::NoKey)?),
                "SharedAccessKeyName" => policy = Some(value.to_owned()),
                "HostName" => host = Some(value.to_owned()),
                "DeviceId" => device = Some(value),
                "ModuleId" => module = Some(value),
                _ => {} // A gateway, a model: not about the token.
            }
        }
        let key = key.ok_or(KeyError::NoKeyInString)?;
        let named = device.map(|device| match module {
            None => device.to_owned(),
            Some(module) => format!("{device}/{module}"),
        });
        let device = named.map(|named| Device::parse(&named)).transpose().map_err(KeyError::Device)?;
        Ok(Credentials { key, policy, host, device })
    }
}

impl Key {
    fn decode(text: &str) -> Option<Key> {
        let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
        (!bytes.is_empty()).then_some(Key(bytes))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Signer {
    /// Signs for this resource; each token is valid for `lifetime`. The tokens of a policy's key name the policy.
    pub(crate) fn new(key: Key, policy: Option<String>, resource: &str, lifetime: Duration) -> Signer {
        Signer { key, policy, resource: utf8_percent_encode(resource, ENCODED).to_string(), lifetime }
    }

    /// A token that is valid from `now` on.
    pub(crate) fn token(&self, now: SystemTime) -> Zeroizing<Vec<u8>> {
        let expiry = now.checked_add(self.lifetime).and_then(|end| end.duration_since(UNIX_EPOCH).ok());
        let expiry = expiry.unwrap_or_default().as_secs();
        let signature = STANDARD.encode(&*mac(&self.key.0, &format!("{}\n{expiry}", self.resource)));
        let signature = utf8_percent_encode(&signature, ENCODED);
        let mut token = format!("{SCHEME}sr={}&sig={signature}&se={expiry}", self.resource);
        if let Some(policy) = &self.policy {
            token += &format!("&skn={}", utf8_percent_encode(policy, ENCODED));
        }
        Zeroizing::new(token.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// As made by Python: `base64.b64encode(hmac.digest(key, text, 'sha256'))`, quoted by `urllib.parse.quote`.
    #[test]
    fn a_token_equals_that_of_another_program_for_the_same_key() {
        let key = Credentials::parse("c2VjcmV0LWtleS1vZi0xLWRldmljZQ==\n").unwrap().key;
        let resource = "contoso.azure-devices.net/devices/MyDevice01";
        let token = Signer::new(key, None, resource, HOUR).token(at(1_700_000_000));
        assert_eq!(
            String::from_utf8_lossy(&token),
            "SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2FMyDevice01\
             &sig=fM%2Bunzd1qeUmNR%2B27QN0rtuPZA99i9MNsi4l1XKFd7o%3D&se=1700003600"
        );
    }

    #[test]
    fn a_policy_is_named() {
        let text = "HostName=contoso.azure-devices.net;SharedAccessKeyName=a b;SharedAccessKey=AAECAw==";
        let Credentials { key, policy, host, device } = Credentials::parse(text).unwrap();
        assert_eq!((host.as_deref(), device), (Some("contoso.azure-devices.net"), None));
        let token = Signer::new(key, policy, "contoso", HOUR).token(at(0));
        assert!(token.ends_with(b"&se=3600&skn=a%20b"), "{}", token.escape_ascii());
    }

    #[test]
    fn a_connection_string_names_hub_and_device() {
        let text = "HostName=h;DeviceId=d;ModuleId=m;SharedAccessKey=AAECAw==;GatewayHostName=g";
        let credentials = Credentials::parse(text).unwrap();
        assert_eq!(credentials.host.as_deref(), Some("h"));
        assert_eq!(credentials.device, Some(Device::parse("d/m").unwrap()));
        assert_eq!(*credentials.key.0, [0, 1, 2, 3]);
    }

    #[test]
    fn invalid_keys_are_refused_and_not_shown() {
        for (text, error) in [
            ("", KeyError::NoKey),
            ("secret!", KeyError::NoKey),
            ("HostName=h;DeviceId=d", KeyError::NoKeyInString),
            ("HostName=h;SharedAccessKey=secret!", KeyError::NoKey),
            ("HostName=h;secret", KeyError::BadPart),
            ("SharedAccessSignature sr=a&sig=secret&se=1", KeyError::Token),
        ] {
            let found = Credentials::parse(text).unwrap_err();
            assert_eq!(found, error, "{text}");
            assert!(!found.to_string().contains("secret"));
        }
        let text = "DeviceId=a+b;SharedAccessKey=AAECAw==";
        assert!(matches!(Credentials::parse(text), Err(KeyError::Device(_))));
    }
}
