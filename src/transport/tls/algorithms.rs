//! Key exchange groups and signature schemes to offer, by their names in TLS and in OpenSSL.

use rustls::SignatureScheme;
use rustls::crypto::SupportedKxGroup;
use rustls::crypto::ring::kx_group;

/// Key exchange groups, the preferred one first.
#[derive(Debug, Clone)]
pub(crate) struct KeyExchangeGroups(pub(super) Vec<&'static dyn SupportedKxGroup>);

/// The signature schemes that a server may sign its handshake with.
#[derive(Debug, Clone)]
pub(crate) struct SignatureSchemes(pub(super) Vec<SignatureScheme>);

/// The reason why a list of names is not usable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AlgorithmError {
    Unknown(String),
    Duplicate(String),
}

/// The names of the groups; the first one of each is that of TLS.
static GROUPS: [&[&str]; 3] = [&["x25519"], &["secp256r1", "P-256", "prime256v1"], &["secp384r1", "P-384"]];

/// The names of the schemes; the first one of each is that of TLS.
static SCHEMES: [(SignatureScheme, &[&str]); 9] = [
    (SignatureScheme::ECDSA_NISTP256_SHA256, &["ecdsa_secp256r1_sha256", "ECDSA+SHA256"]),
    (SignatureScheme::ECDSA_NISTP384_SHA384, &["ecdsa_secp384r1_sha384", "ECDSA+SHA384"]),
    (SignatureScheme::ED25519, &["ed25519"]),
    (
        SignatureScheme::RSA_PSS_SHA256,
        &["rsa_pss_rsae_sha256", "rsa_pss_sha256", "RSA-PSS+SHA256", "PSS+SHA256"],
    ),
    (
        SignatureScheme::RSA_PSS_SHA384,
        &["rsa_pss_rsae_sha384", "rsa_pss_sha384", "RSA-PSS+SHA384", "PSS+SHA384"],
    ),
    (
        SignatureScheme::RSA_PSS_SHA512,
        &["rsa_pss_rsae_sha512", "rsa_pss_sha512", "RSA-PSS+SHA512", "PSS+SHA512"],
    ),
    (SignatureScheme::RSA_PKCS1_SHA256, &["rsa_pkcs1_sha256", "RSA+SHA256"]),
    (SignatureScheme::RSA_PKCS1_SHA384, &["rsa_pkcs1_sha384", "RSA+SHA384"]),
    (SignatureScheme::RSA_PKCS1_SHA512, &["rsa_pkcs1_sha512", "RSA+SHA512"]),
];

/// The groups in the order of [`GROUPS`].
fn all_groups() -> [&'static dyn SupportedKxGroup; 3] {
    [kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1]
}

impl KeyExchangeGroups {
    /// Parses names separated by colons or commas.
    ///
    /// # Errors
    /// If a name is unknown, or occurs twice.
    pub(crate) fn parse(list: &str) -> Result<KeyExchangeGroups, AlgorithmError> {
        let known: Vec<_> = GROUPS.into_iter().zip(all_groups()).collect();
        parse(list, &known).map(KeyExchangeGroups)
    }

    /// The names of all groups in TLS.
    pub(crate) fn names() -> Vec<&'static str> {
        GROUPS.iter().filter_map(|names| names.first().copied()).collect()
    }
}

impl SignatureSchemes {
    /// Parses names separated by colons or commas.
    ///
    /// # Errors
    /// If a name is unknown, or occurs twice.
    pub(crate) fn parse(list: &str) -> Result<SignatureSchemes, AlgorithmError> {
        let known = SCHEMES.map(|(scheme, names)| (names, scheme));
        parse(list, &known).map(SignatureSchemes)
    }

    /// The names of all schemes in TLS.
    pub(crate) fn names() -> Vec<&'static str> {
        SCHEMES.iter().filter_map(|(_, names)| names.first().copied()).collect()
    }

    /// Whether TLS 1.3 can use one of them: it has no PKCS #1 v1.5 signatures of handshakes.
    pub(crate) fn has_tls_13(&self) -> bool {
        self.0.iter().any(|scheme| !name_of_scheme(*scheme).starts_with("rsa_pkcs1"))
    }
}

/// The name of a group in TLS.
pub(super) fn name_of_group(group: &dyn SupportedKxGroup) -> String {
    let known = all_groups().into_iter().zip(GROUPS).find(|(known, _)| known.name() == group.name());
    let name = known.and_then(|(_, names)| names.first().copied());
    name.or_else(|| group.name().as_str()).unwrap_or("unknown").to_owned()
}

/// The name of a scheme in TLS.
pub(super) fn name_of_scheme(scheme: SignatureScheme) -> &'static str {
    let known = SCHEMES.iter().find(|(known, _)| *known == scheme).and_then(|(_, names)| names.first());
    known.copied().or_else(|| scheme.as_str()).unwrap_or("unknown")
}

/// The algorithms of a list, in its order. The case of names does not matter.
fn parse<T: Copy>(list: &str, known: &[(&'static [&'static str], T)]) -> Result<Vec<T>, AlgorithmError> {
    let (mut found, mut seen) = (Vec::new(), Vec::new());
    for name in list.split([':', ',']).map(str::trim) {
        let is_meant = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let Some(&(names, algorithm)) = known.iter().find(|(names, _)| is_meant(names)) else {
            return Err(AlgorithmError::Unknown(name.to_owned()));
        };
        if seen.contains(&names) {
            return Err(AlgorithmError::Duplicate(name.to_owned()));
        }
        seen.push(names);
        found.push(algorithm);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::ring;

    #[test]
    fn all_supported_algorithms_have_a_name() {
        assert_eq!(ring::default_provider().kx_groups.len(), GROUPS.len());
        for (group, names) in all_groups().into_iter().zip(GROUPS) {
            assert_eq!(name_of_group(group), names[0]);
        }
        let numbers = |schemes: Vec<SignatureScheme>| {
            let mut numbers: Vec<u16> = schemes.into_iter().map(u16::from).collect();
            numbers.sort_unstable();
            numbers
        };
        let supported = ring::default_provider().signature_verification_algorithms.supported_schemes();
        let known = SignatureSchemes::parse(&SignatureSchemes::names().join(":")).unwrap();
        assert_eq!(numbers(known.0), numbers(supported));
    }

    #[test]
    fn names_are_those_of_tls_and_of_openssl() {
        let groups = |list| KeyExchangeGroups::parse(list).map(|KeyExchangeGroups(groups)| groups.len());
        assert_eq!(groups("P-384, x25519:prime256v1"), Ok(3));
        assert_eq!(groups("x25519:X25519"), Err(AlgorithmError::Duplicate("X25519".to_owned())));
        assert_eq!(groups("secp256r1,P-256"), Err(AlgorithmError::Duplicate("P-256".to_owned())));
        assert_eq!(groups("x25519:x448"), Err(AlgorithmError::Unknown("x448".to_owned())));
        assert_eq!(groups(""), Err(AlgorithmError::Unknown(String::new())));
        let schemes = |list| SignatureSchemes::parse(list).unwrap();
        assert_eq!(schemes("ECDSA+SHA256:Ed25519").0, schemes("ecdsa_secp256r1_sha256,ed25519").0);
        assert!(!schemes("RSA+SHA256,rsa_pkcs1_sha512").has_tls_13());
        assert!(schemes("RSA+SHA256,PSS+SHA256").has_tls_13());
    }
}
