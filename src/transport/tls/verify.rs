//! Checks the server's certificate, with OpenSSL's rules for cases that mosquitto's users depend on, and reports defects.
//!
//! webpki does the checks, but strictly: it accepts no version 1 certificates, no server certificates that are also an authority, and
//! only names in subjectAltName. mosquitto's manuals and many OpenSSL scripts produce such certificates, so three cases are checked here:
//! a certificate that is itself trusted, one of version 1 or with CA:TRUE that a trusted authority signed, and the common name if
//! subjectAltName has no host name.
//!
//! rustls keeps only the alert of a refusal. The reason for users is stored with the task that makes the connection ([`remembering`]).

use super::certificate::{CHECKED_HERE, Certificate, Extension, Validity};
use super::chain::Chain;
use super::defect::Defect;
use super::error::TlsError;
use super::roots::Roots;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};
use std::cell::RefCell;
use std::net::IpAddr;

tokio::task_local! {
    static REMEMBERED: RefCell<Remembered>;
}

/// The facts about a task's handshake that rustls does not keep.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// The reason why the server's certificate was refused.
    pub(super) refusal: Option<TlsError>,
    /// The scheme of the server's signature; `None` if a session was resumed.
    pub(super) signature: Option<SignatureScheme>,
}

/// Makes a handshake. Returns its result, and the facts about it.
pub(super) async fn remembering<T>(handshake: impl Future<Output = T>) -> (T, Remembered) {
    let handshake = async {
        let result = handshake.await;
        (result, REMEMBERED.with(RefCell::take))
    };
    REMEMBERED.scope(RefCell::default(), handshake).await
}

fn remember(error: TlsError) {
    // Only a handshake asks for the checks, and it is inside of `remembering`.
    let _ = REMEMBERED.try_with(|known| known.borrow_mut().refusal = Some(error));
}

/// The signature schemes offered to the server.
#[derive(Debug)]
pub(super) struct OfferedSchemes(pub(super) Vec<SignatureScheme>);

impl OfferedSchemes {
    /// Checks that the server's signature has one of them. Servers of TLS 1.2 may ignore the offer.
    fn check(&self, signature: &DigitallySignedStruct) -> Result<(), Error> {
        if !self.0.contains(&signature.scheme) {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        let _ = REMEMBERED.try_with(|known| known.borrow_mut().signature = Some(signature.scheme));
        Ok(())
    }
}

/// Checks certificates against those that are trusted.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) host: String,
    pub(super) trust: Roots,
    pub(super) checks_name: bool,
    pub(super) supported: WebPkiSupportedAlgorithms,
    pub(super) schemes: OfferedSchemes,
}

/// Accepts every certificate.
#[derive(Debug)]
pub(super) struct NoVerifier {
    pub(super) schemes: OfferedSchemes,
}

/// The reason why a certificate is refused: for the user, and as the error that makes rustls send the right alert.
#[derive(Debug)]
struct VerifyRefusal {
    error: Box<TlsError>,
    alert: CertificateError,
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
        let refuse = |VerifyRefusal { error, alert }| {
            remember(*error);
            Err(alert.into())
        };
        let Some(certificate) = Certificate::read(leaf) else { return refuse(self.unreadable(leaf)) };
        let presented = Presented { leaf, certificate, intermediates, server_name, now };
        let check_name = || if self.checks_name { presented.check_name() } else { Ok(()) };
        match self.check_trust(&presented).and_then(|()| check_name()) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(refusal) => refuse(refusal),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.schemes.check(signature)?;
        let Some(certificate) = read_version_1(leaf) else {
            let verified = verify_tls12_signature(message, leaf, signature, &self.supported);
            return verified.inspect_err(|error| self.remember_signature(leaf, error));
        };
        let of_scheme = self.supported.mapping.iter().find(|(scheme, _)| *scheme == signature.scheme);
        let algorithms = of_scheme.map(|(_, algorithms)| *algorithms).unwrap_or_default();
        if certificate.has_signed(message, signature.signature(), algorithms) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let error = CertificateError::BadSignature.into();
        self.remember_signature(leaf, &error);
        Err(error)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.schemes.check(signature)?;
        let verified = match read_version_1(leaf).map(|certificate| certificate.public_key()) {
            None => verify_tls13_signature(message, leaf, signature, &self.supported),
            Some(Some(key)) => verify_tls13_signature_with_raw_key(message, &key, signature, &self.supported),
            Some(None) => Err(CertificateError::BadEncoding.into()),
        };
        verified.inspect_err(|error| self.remember_signature(leaf, error))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.0.clone()
    }
}

impl Verifier {
    fn check_trust(&self, presented: &Presented<'_>) -> Result<(), VerifyRefusal> {
        if let Some(bits) = presented.certificate.weak_rsa_bits() {
            return Err(presented.refuse(Defect::WeakKey { bits }));
        }
        if self.trust.contains(presented.leaf) {
            return presented.check_dates().and_then(|()| presented.check_purpose());
        }
        if presented.certificate.is_version_1() || presented.certificate.is_authority() {
            return self.check_directly_issued(presented);
        }
        self.check_chain(presented).map_err(|error| self.explain(presented, &error))
    }

    fn check_chain(&self, presented: &Presented<'_>) -> Result<(), webpki::Error> {
        let leaf = webpki::EndEntityCert::try_from(presented.leaf)?;
        let verified = leaf.verify_for_usage(
            self.supported.all,
            &self.trust.anchors.roots,
            presented.intermediates,
            presented.now,
            webpki::KeyUsage::server_auth(),
            None,
            None,
        );
        verified.map(drop)
    }

    /// The checks that webpki skips: a trusted authority must have signed the certificate directly, and it must have no critical
    /// extension that is not checked here.
    fn check_directly_issued(&self, presented: &Presented<'_>) -> Result<(), VerifyRefusal> {
        let certificate = &presented.certificate;
        let authorities = self.authorities(certificate);
        let mut fitting = authorities.iter().filter(|one| one.may_issue() && !one.has_name_constraints());
        if fitting.any(|authority| certificate.is_signed_by(authority, self.supported)) {
            if let Some(extension) = certificate.unknown_critical_extension(&CHECKED_HERE) {
                return Err(presented.refuse(Defect::CriticalExtension(extension)));
            }
            if let Some(name) = certificate.unreadable_extension() {
                return Err(presented.refuse(Defect::UnreadableExtension(name)));
            }
            return presented.check_dates().and_then(|()| presented.check_purpose());
        }
        let intermediates = presented.intermediates.iter().filter_map(Certificate::read);
        let mut issuers =
            intermediates.filter(|one| certificate.names_as_issuer(one) && !one.is_self_issued());
        if authorities.is_empty() && issuers.next().is_some() {
            let kind = if certificate.is_version_1() { "of version 1" } else { "an authority's (CA:TRUE)" };
            return Err(presented.refuse(Defect::IndirectlyIssued { kind }));
        }
        Err(self.explain(presented, &webpki::Error::UnknownIssuer))
    }

    /// The trusted certificates whose subject is the issuer of a certificate.
    fn authorities(&self, certificate: &Certificate) -> Vec<Certificate> {
        let trusted = self.trust.certificates.iter().filter_map(Certificate::read);
        trusted.filter(|trusted| certificate.names_as_issuer(trusted)).collect()
    }

    /// Maps webpki's error to a defect of one certificate.
    fn explain(&self, presented: &Presented<'_>, error: &webpki::Error) -> VerifyRefusal {
        let chain = Chain::new(presented.leaf, &presented.certificate, presented.intermediates);
        let authorities = self.authorities(chain.last());
        match error {
            webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => {
                self.explain_dates(presented, &chain)
            }
            webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey => {
                self.explain_issuer(&chain, &authorities, error)
            }
            error => {
                let culprit = chain.blame(&authorities, error);
                if culprit.is_root && authorities.is_empty() {
                    // An authority that the server sent and that is not trusted; its other defects do not matter.
                    return self.explain_issuer(&chain, &authorities, &webpki::Error::UnknownIssuer);
                }
                VerifyRefusal::of(self.host.clone(), culprit.certificate, culprit.defect)
            }
        }
    }

    fn explain_dates(&self, presented: &Presented<'_>, chain: &Chain<'_>) -> VerifyRefusal {
        let outdated =
            chain.links().find_map(|(label, one)| one.check_dates(&self.host, label, presented.now).err());
        outdated.unwrap_or_else(|| presented.refuse(Defect::Dates))
    }

    fn explain_issuer(
        &self,
        chain: &Chain<'_>,
        authorities: &[Certificate],
        error: &webpki::Error,
    ) -> VerifyRefusal {
        let host = self.host.clone();
        if let Some((certificate, bits)) = chain.weak_key(authorities) {
            return VerifyRefusal::of(host, certificate, Defect::WeakKey { bits });
        }
        let is_signature = matches!(error, webpki::Error::InvalidSignatureForPublicKey);
        if let Some((certificate, issuer)) = chain.bad_signature(self.supported).filter(|_| is_signature) {
            return VerifyRefusal::of(host, certificate, Defect::BadSignature { issuer });
        }
        let (last, trusted) = (chain.last(), self.trust.sources());
        let (subject, issuer) = (last.subject(), last.issuer());
        let error_for_people = if authorities.is_empty() {
            match (chain.before_last(), last.is_self_issued()) {
                (Some(previous), true) => {
                    TlsError::UnknownIssuer { host, subject: previous.subject(), issuer, trusted }
                }
                (None, true) => TlsError::SelfSigned { host, subject, trusted },
                (_, false) => TlsError::UnknownIssuer { host, subject, issuer, trusted },
            }
        } else {
            let reason = match authorities.iter().any(Certificate::may_issue) {
                true => "has another key",
                false => "is not an authority (CA:TRUE)",
            };
            TlsError::NotByIssuer { host, subject, issuer, trusted, reason }
        };
        let alert = match is_signature {
            true => CertificateError::BadSignature,
            false => CertificateError::UnknownIssuer,
        };
        VerifyRefusal { error: Box::new(error_for_people), alert }
    }

    fn unreadable(&self, leaf: &CertificateDer<'_>) -> VerifyRefusal {
        let defect = match webpki::EndEntityCert::try_from(leaf) {
            Err(error) => Defect::of_webpki(&error),
            Ok(_) => Defect::Malformed("one of its fields is invalid"),
        };
        VerifyRefusal::of(self.host.clone(), "it".to_owned(), defect)
    }

    /// Records that the server's signature in the handshake does not match its certificate.
    fn remember_signature(&self, leaf: &CertificateDer<'_>, error: &Error) {
        let Error::InvalidCertificate(problem) = error else { return };
        let certificate = Certificate::read(leaf);
        let host = self.host.clone();
        let subject = certificate.as_ref().map_or_else(|| "its certificate".to_owned(), Certificate::subject);
        remember(match (problem, certificate) {
            (CertificateError::BadSignature, _) => {
                let reason = format!(
                    "the server did not prove that it has the key of {subject}: its signature is invalid"
                );
                TlsError::Other { host, reason }
            }
            (
                CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
                Some(certificate),
            ) => {
                let defect = Defect::UnsupportedKey(certificate.key_kind());
                TlsError::Unfit { host, certificate: subject, defect }
            }
            (problem, _) => {
                TlsError::Unfit { host, certificate: subject, defect: Defect::of_rustls(problem) }
            }
        });
    }
}

impl VerifyRefusal {
    fn of(host: String, certificate: String, defect: Defect) -> VerifyRefusal {
        let alert = defect.alert();
        VerifyRefusal { error: Box::new(TlsError::Unfit { host, certificate, defect }), alert }
    }
}

impl Presented<'_> {
    fn check_dates(&self) -> Result<(), VerifyRefusal> {
        self.certificate.check_dates(&self.host(), self.certificate.subject(), self.now)
    }

    fn check_purpose(&self) -> Result<(), VerifyRefusal> {
        match self.certificate.is_for_servers() {
            true => Ok(()),
            false => Err(self.refuse(Defect::NotForServers { usage: self.certificate.other_usage() })),
        }
    }

    /// As in mosquitto, the common name counts only if subjectAltName has no DNS name. A subjectAltName that cannot be read
    /// may have one.
    fn check_name(&self) -> Result<(), VerifyRefusal> {
        let is_named = webpki::EndEntityCert::try_from(self.leaf)
            .is_ok_and(|leaf| leaf.verify_is_valid_for_subject_name(self.server_name).is_ok());
        if is_named {
            return Ok(());
        }
        let (host, alert) = (self.host(), CertificateError::NotValidForName);
        let dns_names = match self.certificate.dns_names() {
            Extension::Unreadable => return Err(self.refuse(Defect::UnreadableExtension("subjectAltName"))),
            Extension::Present(names) => names,
            Extension::Absent => Vec::new(),
        };
        let common_name = if dns_names.is_empty() { self.certificate.common_name() } else { None };
        if common_name.as_deref().is_some_and(|name| matches(name, &host)) {
            return Ok(());
        }
        let address = host.parse::<IpAddr>();
        if address.is_ok_and(|address| dns_names.iter().any(|name| name.parse() == Ok(address))) {
            return Err(VerifyRefusal { error: Box::new(TlsError::AddressAsName { host }), alert });
        }
        let mut names = self.certificate.names();
        names.extend(common_name.map(|name| name.escape_debug().to_string()));
        let names = if names.is_empty() { "no host at all".to_owned() } else { names.join(", ") };
        Err(VerifyRefusal { error: Box::new(TlsError::OtherName { host, names }), alert })
    }

    fn refuse(&self, defect: Defect) -> VerifyRefusal {
        VerifyRefusal::of(self.host(), self.certificate.subject(), defect)
    }

    fn host(&self) -> String {
        self.server_name.to_str().into_owned()
    }
}

impl Certificate {
    fn check_dates(&self, host: &str, subject: String, now: UnixTime) -> Result<(), VerifyRefusal> {
        let host = host.to_owned();
        let (error, alert) = match self.validity(now) {
            Validity::Valid => return Ok(()),
            Validity::Expired(date) => (TlsError::Expired { host, subject, date }, CertificateError::Expired),
            Validity::NotYet(date) => {
                (TlsError::NotYetValid { host, subject, date }, CertificateError::NotValidYet)
            }
        };
        Err(VerifyRefusal { error: Box::new(error), alert })
    }
}

/// Whether a common name matches a host: letter case is ignored, and `*` matches a whole first label.
fn matches(common_name: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    if common_name.eq_ignore_ascii_case(host) {
        return true;
    }
    let is_address = host.parse::<IpAddr>().is_ok();
    match (common_name.strip_prefix("*."), host.split_once('.')) {
        // At least two labels must remain, so `*.com` is invalid.
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

    // An attacker that may present any certificate may also have its key.

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.schemes.check(signature).map(|()| HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.schemes.check(signature).map(|()| HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.0.clone()
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
