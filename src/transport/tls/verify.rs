//! Checks the server's certificate as mosquitto's users know it from OpenSSL, and says what is wrong with it.
//!
//! webpki does the work, and is strict: it knows no certificates of version 1, no server certificates that are also an
//! authority, and no names but those in subjectAltName. mosquitto's manuals and many scripts around OpenSSL make exactly such
//! ones, so three things are checked here besides: a certificate that was itself given as trusted, one of version 1 or of an
//! authority that a trusted authority signed, and the common name where there is no host name in subjectAltName.

use super::certificate::{Certificate, Validity};
use super::failure::TlsError;
use super::trust::Trust;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use std::sync::Arc;

/// Checks certificates against those that are trusted.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) trust: Trust,
    pub(super) checks_name: bool,
    pub(super) supported: WebPkiSupportedAlgorithms,
}

/// Takes every certificate.
#[derive(Debug)]
pub(super) struct NoVerifier {
    pub(super) supported: WebPkiSupportedAlgorithms,
}

/// A server's certificates, the time and the name to check them for.
struct Presented<'a> {
    leaf: &'a CertificateDer<'a>,
    certificate: Certificate,
    intermediates: &'a [CertificateDer<'a>],
    server_name: &'a ServerName<'a>,
    now: UnixTime,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = Certificate::read(leaf).ok_or(CertificateError::BadEncoding)?;
        let presented = Presented { leaf, certificate, intermediates, server_name, now };
        let check_name = || if self.checks_name { presented.check_name() } else { Ok(()) };
        match self.check_trust(&presented).and_then(|()| check_name()) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(problem) => Err(CertificateError::Other(OtherError(Arc::new(problem))).into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let Some(certificate) = read_version_1(leaf) else {
            return verify_tls12_signature(message, leaf, signature, &self.supported);
        };
        let of_scheme = self.supported.mapping.iter().find(|(scheme, _)| *scheme == signature.scheme);
        let algorithms = of_scheme.map(|(_, algorithms)| *algorithms).unwrap_or_default();
        if certificate.has_signed(message, signature.signature(), algorithms) {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match read_version_1(leaf).map(|certificate| certificate.public_key()) {
            None => verify_tls13_signature(message, leaf, signature, &self.supported),
            Some(Some(key)) => verify_tls13_signature_with_raw_key(message, &key, signature, &self.supported),
            Some(None) => Err(CertificateError::BadEncoding.into()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.supported.supported_schemes()
    }
}

impl Verifier {
    fn check_trust(&self, presented: &Presented<'_>) -> Result<(), TlsError> {
        if let Some(bits) = presented.certificate.weak_rsa_bits() {
            return Err(presented.unfit(&weak_key(bits)));
        }
        if self.trust.contains(presented.leaf) {
            return presented.check_dates().and_then(|()| presented.check_purpose());
        }
        if presented.certificate.is_version_1() || presented.certificate.is_authority() {
            return self.check_directly_issued(presented);
        }
        let verify = |parsed: ParsedCertificate<'_>| {
            let (anchors, algorithms) = (&self.trust.anchors, self.supported.all);
            let (intermediates, now) = (presented.intermediates, presented.now);
            verify_server_cert_signed_by_trust_anchor(&parsed, anchors, intermediates, now, algorithms)
        };
        let verified = ParsedCertificate::try_from(presented.leaf).and_then(verify);
        verified.map_err(|error| self.explain(presented, &error))
    }

    /// What webpki does not look at: an authority that is trusted must itself have signed it, and nothing may be asked for
    /// that is not checked here.
    fn check_directly_issued(&self, presented: &Presented<'_>) -> Result<(), TlsError> {
        let certificate = &presented.certificate;
        let authorities = self.authorities(certificate);
        let mut fitting = authorities.iter().filter(|one| one.may_issue() && !one.has_name_constraints());
        if fitting.any(|authority| certificate.is_signed_by(authority, self.supported)) {
            if certificate.has_unknown_critical_extension() {
                return Err(presented.unfit("has a critical extension that is not known here"));
            }
            return presented.check_dates().and_then(|()| presented.check_purpose());
        }
        let intermediates = presented.intermediates.iter().filter_map(Certificate::read);
        let mut issuers =
            intermediates.filter(|one| certificate.names_as_issuer(one) && !one.is_self_issued());
        if authorities.is_empty() && issuers.next().is_some() {
            let kind = if certificate.is_version_1() { "of version 1" } else { "an authority's (CA:TRUE)" };
            let reason =
                format!("is {kind}, and so is accepted only when a trusted authority issued it itself");
            return Err(presented.unfit(&reason));
        }
        Err(self.explain(presented, &CertificateError::UnknownIssuer.into()))
    }

    /// The trusted certificates with the name that a certificate has for its issuer.
    fn authorities(&self, certificate: &Certificate) -> Vec<Certificate> {
        let trusted = self.trust.certificates.iter().filter_map(Certificate::read);
        trusted.filter(|trusted| certificate.names_as_issuer(trusted)).collect()
    }

    /// Says what webpki found, and on which certificate.
    fn explain(&self, presented: &Presented<'_>, error: &Error) -> TlsError {
        let host = presented.host();
        let mut chain = vec![&presented.certificate];
        let intermediates: Vec<_> = presented.intermediates.iter().filter_map(Certificate::read).collect();
        // The server's chain, as far as one names the next.
        while let Some(next) = chain.last().filter(|last| !last.is_self_issued()).and_then(|last| {
            intermediates
                .iter()
                .find(|one| last.names_as_issuer(one) && !chain.iter().any(|seen| std::ptr::eq(*seen, *one)))
        }) {
            chain.push(next);
        }
        let Error::InvalidCertificate(problem) = error else {
            return TlsError::Other { host, reason: error.to_string() };
        };
        match problem {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                let outdated = chain.iter().find_map(|one| one.check_dates(&host, presented.now).err());
                outdated.unwrap_or_else(|| presented.unfit(&format!("is outdated: {problem}")))
            }
            CertificateError::UnknownIssuer
            | CertificateError::BadSignature
            | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                let last = chain.last().copied().unwrap_or(&presented.certificate);
                self.explain_issuer(host, &chain, last, problem)
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                presented.unfit("is not meant for servers (its extended key usage does not say so)")
            }
            CertificateError::UnhandledCriticalExtension => {
                presented.unfit("has a critical extension that is not known here")
            }
            problem => presented.unfit(&format!("is not accepted: {problem}")),
        }
    }

    fn explain_issuer(
        &self,
        host: String,
        chain: &[&Certificate],
        last: &Certificate,
        problem: &CertificateError,
    ) -> TlsError {
        let (subject, issuer) = (last.subject(), last.issuer());
        let trusted = self.trust.sources();
        let authorities = self.authorities(last);
        let weak = |one: &Certificate| Some((one.subject(), weak_key(one.weak_rsa_bits()?)));
        if let Some((subject, reason)) = chain.iter().copied().chain(&authorities).find_map(weak) {
            return TlsError::Unfit { host, subject, reason };
        }
        if !matches!(problem, CertificateError::UnknownIssuer | CertificateError::BadSignature) {
            let reason = format!("is signed with {}, which is not accepted", last.signature_algorithm());
            return TlsError::Unfit { host, subject, reason };
        }
        if authorities.is_empty() {
            return match chain {
                [.., previous, root] if root.is_self_issued() => {
                    TlsError::UnknownIssuer { host, subject: previous.subject(), issuer, trusted }
                }
                [alone] if alone.is_self_issued() => TlsError::SelfSigned { host, subject, trusted },
                _ => TlsError::UnknownIssuer { host, subject, issuer, trusted },
            };
        }
        let reason = match authorities.iter().any(Certificate::may_issue) {
            true => "has another key",
            false => "is not an authority (CA:TRUE)",
        };
        TlsError::NotByIssuer { host, subject, issuer, trusted, reason }
    }
}

impl Presented<'_> {
    fn check_dates(&self) -> Result<(), TlsError> {
        self.certificate.check_dates(&self.host(), self.now)
    }

    fn check_purpose(&self) -> Result<(), TlsError> {
        match self.certificate.is_for_servers() {
            true => Ok(()),
            false => Err(self.unfit("is not meant for servers (its extended key usage does not say so)")),
        }
    }

    /// As in mosquitto, the common name counts only where subjectAltName has no host name.
    fn check_name(&self) -> Result<(), TlsError> {
        let is_named = ParsedCertificate::try_from(self.leaf)
            .is_ok_and(|parsed| verify_server_name(&parsed, self.server_name).is_ok());
        let common_name =
            if self.certificate.has_dns_names() { None } else { self.certificate.common_name() };
        if is_named || common_name.as_deref().is_some_and(|name| matches(name, &self.host())) {
            return Ok(());
        }
        let mut names = self.certificate.names();
        names.extend(common_name.map(|name| name.escape_debug().to_string()));
        let names = if names.is_empty() { "no host at all".to_owned() } else { names.join(", ") };
        Err(TlsError::OtherName { host: self.host(), names })
    }

    fn unfit(&self, reason: &str) -> TlsError {
        let subject = self.certificate.subject();
        TlsError::Unfit { host: self.host(), subject, reason: reason.to_owned() }
    }

    fn host(&self) -> String {
        self.server_name.to_str().into_owned()
    }
}

impl Certificate {
    fn check_dates(&self, host: &str, now: UnixTime) -> Result<(), TlsError> {
        let (host, subject) = (host.to_owned(), self.subject());
        match self.validity(now) {
            Validity::Valid => Ok(()),
            Validity::Expired(date) => Err(TlsError::Expired { host, subject, date }),
            Validity::NotYet(date) => Err(TlsError::NotYetValid { host, subject, date }),
        }
    }
}

fn weak_key(bits: usize) -> String {
    format!("has a key of RSA with {bits} bits, and less than 2048 is not accepted")
}

/// Whether a common name stands for a host: letter case does not count, and `*` stands for a whole first label.
fn matches(common_name: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    if common_name.eq_ignore_ascii_case(host) {
        return true;
    }
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    match (common_name.strip_prefix("*."), host.split_once('.')) {
        // At least two labels must stay, so that nobody is named `*.com`.
        (Some(domain), Some((first, rest))) if !is_address && !first.is_empty() && domain.contains('.') => {
            domain.eq_ignore_ascii_case(rest)
        }
        _ => false,
    }
}

fn read_version_1(leaf: &CertificateDer<'_>) -> Option<Certificate> {
    Certificate::read(leaf).filter(Certificate::is_version_1)
}

impl ServerCertVerifier for NoVerifier {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    // Whoever may show any certificate may also have its key.

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.supported.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_common_name_stands_for_one_host_or_one_label() {
        assert!(matches("Broker.example", "broker.EXAMPLE"));
        assert!(matches("*.example.org", "a.example.org"));
        assert!(matches("192.0.2.1", "192.0.2.1"));
        assert!(!matches("*.example.org", "a.b.example.org"));
        assert!(!matches("*.example.org", "example.org"));
        assert!(!matches("*.org", "example.org"));
        assert!(!matches("*.0.2.1", "192.0.2.1"));
        assert!(!matches("", "a"));
    }
}
