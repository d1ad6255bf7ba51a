//! Cipher suites by the names that OpenSSL has for them.

use super::Version;
use rustls::SupportedCipherSuite;
use rustls::crypto::ring::{ALL_CIPHER_SUITES, cipher_suite};

/// OpenSSL's names of the supported suites.
static NAMES: [(&str, SupportedCipherSuite); 9] = [
    ("TLS_AES_256_GCM_SHA384", cipher_suite::TLS13_AES_256_GCM_SHA384),
    ("TLS_AES_128_GCM_SHA256", cipher_suite::TLS13_AES_128_GCM_SHA256),
    ("TLS_CHACHA20_POLY1305_SHA256", cipher_suite::TLS13_CHACHA20_POLY1305_SHA256),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("ECDHE-RSA-AES256-GCM-SHA384", cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-RSA-AES128-GCM-SHA256", cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-RSA-CHACHA20-POLY1305", cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
];

/// Keywords that may be excluded without effect, since no such suite exists here: weak ones, and suites without certificates.
const ABSENT: &[&str] = &[
    "aNULL",
    "eNULL",
    "NULL",
    "ADH",
    "AECDH",
    "kRSA",
    "kDHE",
    "DH",
    "DHE",
    "EDH",
    "MD5",
    "SHA",
    "SHA1",
    "RC2",
    "RC4",
    "DES",
    "3DES",
    "IDEA",
    "SEED",
    "CAMELLIA",
    "ARIA",
    "AESCCM",
    "AESCCM8",
    "EXP",
    "EXPORT",
    "LOW",
    "MEDIUM",
    "COMPLEMENTOFDEFAULT",
    "COMPLEMENTOFALL",
    "RSA",
    "aDH",
    "kDHr",
    "kDHd",
    "kPSK",
    "aPSK",
    "PSK",
    "SRP",
    "DSS",
    "aDSS",
    "SSLv2",
    "SSLv3",
    "TLSv1",
    "TLSv1.0",
    "CBC",
    "GOST",
];

/// The result of a cipher list.
#[derive(Debug, Clone)]
pub(crate) struct Suites {
    pub(super) chosen: Vec<SupportedCipherSuite>,
    /// Unknown names.
    pub unknown: Vec<String>,
    /// OpenSSL names without effect here: weak or absent suites, security levels, an order.
    pub without_effect: Vec<String>,
}

impl Suites {
    /// All supported suites.
    pub(crate) fn all() -> Suites {
        Suites { chosen: ALL_CIPHER_SUITES.to_vec(), unknown: Vec::new(), without_effect: Vec::new() }
    }

    /// Parses a list in OpenSSL's syntax: names and keywords separated by colons, `+` between keywords that must all apply, `!` for
    /// exclusion. As in OpenSSL, TLS 1.2 names do not affect TLS 1.3; a list of TLS 1.3 suites alone selects TLS 1.3. Only suites for the
    /// minimum version or later are kept.
    pub(crate) fn parse(list: &str, minimum: Version) -> Suites {
        let mut suites = Suites { chosen: Vec::new(), unknown: Vec::new(), without_effect: Vec::new() };
        let mut excluded = Vec::new();
        for item in list.split([':', ',', ' ']).filter(|item| !item.is_empty()) {
            // As in `DEFAULT@SECLEVEL=1`; `+HIGH` moves suites to the end.
            let (item, command) = item.split_at(item.find('@').unwrap_or(item.len()));
            let is_order = item.starts_with('+');
            suites
                .without_effect
                .extend([command].into_iter().filter(|word| !word.is_empty()).map(str::to_owned));
            if is_order || is_absent(item) {
                suites.without_effect.push(item.to_owned());
                continue;
            }
            match item.strip_prefix(['!', '-']) {
                Some(name) if ABSENT.contains(&name) => {}
                Some(name) => match find(name) {
                    Some(found) => excluded.extend(found),
                    None => suites.unknown.push(item.to_owned()),
                },
                None if item.is_empty() => {}
                None => match find(item) {
                    Some(found) => suites.chosen.extend(found),
                    None => suites.unknown.push(item.to_owned()),
                },
            }
        }
        let is_tls_13 = |suite: &SupportedCipherSuite| suite.tls13().is_some();
        if minimum == Version::Tls13 {
            suites.chosen.retain(is_tls_13);
        } else if !suites.chosen.is_empty() && !suites.chosen.iter().any(is_tls_13) {
            suites.chosen.extend(ALL_CIPHER_SUITES.iter().copied().filter(is_tls_13));
        }
        suites.chosen.retain(|suite| !excluded.contains(suite));
        let mut seen = Vec::new();
        suites.chosen.retain(|suite| {
            let is_new = !seen.contains(suite);
            seen.push(*suite);
            is_new
        });
        suites
    }

    /// Whether nothing is left to offer.
    pub(crate) fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    pub(crate) fn names() -> String {
        NAMES.map(|(name, _)| name).join(", ")
    }
}

/// Whether it consists of OpenSSL's keywords, one of which selects no suite here.
fn is_absent(item: &str) -> bool {
    item.split('+').any(|keyword| ABSENT.contains(&keyword))
        && item.split('+').all(|keyword| ABSENT.contains(&keyword) || keyword_test(keyword).is_some())
}

/// The suites of a name or of keywords.
fn find(item: &str) -> Option<Vec<SupportedCipherSuite>> {
    let mut found: Vec<_> = NAMES.iter().collect();
    for keyword in item.split('+') {
        let matching = keyword_test(keyword)?;
        found.retain(|(name, _)| matching(name, keyword));
    }
    Some(found.into_iter().map(|(_, suite)| *suite).collect())
}

fn keyword_test(keyword: &str) -> Option<fn(&str, &str) -> bool> {
    Some(match keyword {
        // Keywords are about TLS 1.2, as in OpenSSL.
        "DEFAULT" | "ALL" | "HIGH" | "ECDHE" | "EECDH" | "kECDHE" | "kEECDH" | "AEAD" | "TLSv1.2" => {
            |name, _| name.starts_with("ECDHE-")
        }
        "AESGCM" => |name, _| name.contains("-GCM-"),
        "AES" => |name, _| name.contains("-AES"),
        "aRSA" => |name, _| name.starts_with("ECDHE-RSA-"),
        "aECDSA" | "ECDSA" => |name, _| name.starts_with("ECDHE-ECDSA-"),
        "AES128" | "AES256" | "CHACHA20" | "SHA256" | "SHA384" => {
            |name, keyword| name.starts_with("ECDHE-") && name.contains(keyword)
        }
        name if NAMES.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) => {
            |name, keyword| name.eq_ignore_ascii_case(keyword)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Vec<&'static str> {
        let suites = Suites::parse(list, Version::Tls12);
        let name = |suite| NAMES.iter().find(|(_, known)| known == suite).map_or("?", |(name, _)| name);
        suites.chosen.iter().map(name).filter(|name| !name.starts_with("TLS_")).collect()
    }

    #[test]
    fn lists_are_read_as_openssl_has_them() {
        assert_eq!(names("ECDHE-RSA-AES128-GCM-SHA256"), ["ECDHE-RSA-AES128-GCM-SHA256"]);
        assert_eq!(names("ECDHE+AESGCM:!aECDSA").len(), 2);
        assert_eq!(names("HIGH:!aNULL:!MD5").len(), 6);
        assert_eq!(names("DEFAULT:-CHACHA20:!AES256").len(), 2);
        assert_eq!(Suites::parse("TLS_AES_128_GCM_SHA256", Version::Tls12).chosen.len(), 1);
        let suites = Suites::parse("AES128-SHA:ECDHE:@SECLEVEL=0", Version::Tls12);
        assert_eq!(suites.unknown, ["AES128-SHA"]);
        assert_eq!(suites.without_effect, ["@SECLEVEL=0"]);
    }

    #[test]
    fn ciphers_without_effect_are_distinguished_from_unknown_ones() {
        assert_eq!(names("DEFAULT@SECLEVEL=1").len(), 6);
        assert_eq!(names("HIGH:MEDIUM:+kRSA:@STRENGTH").len(), 6);
        let suites =
            Suites::parse("DEFAULT@SECLEVEL=1:kRSA+AES:MEDIUM:+HIGH:@STRENGTH:!aNULL", Version::Tls12);
        assert_eq!(suites.without_effect, ["@SECLEVEL=1", "kRSA+AES", "MEDIUM", "+HIGH", "@STRENGTH"]);
        assert!(suites.unknown.is_empty());
    }

    #[test]
    fn suites_of_tls_1_2_do_not_speak_for_tls_1_3() {
        assert_eq!(Suites::parse("CHACHA20", Version::Tls12).chosen.len(), 2 + 3);
        assert!(Suites::parse("CHACHA20", Version::Tls13).is_empty());
    }
}
