//! The certificates that a server sent, from its own to the last issuer among them, and which of them fails a check.
//!
//! webpki reports the check that failed, but not the certificate. Here, each certificate is checked for that fault.

use super::certificate::{CHECKED_BY_WEBPKI, Certificate};
use super::defect::Defect;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::CertificateDer;
use std::iter::once;

/// The certificate of a server, and the issuers that it sent with it.
pub(super) struct Chain<'a> {
    leaf: (&'a CertificateDer<'a>, &'a Certificate),
    /// `None` for one that cannot be read.
    sent: Vec<(&'a CertificateDer<'a>, Option<Certificate>)>,
    /// The leaf and its issuers, as indices into `sent`, in this order.
    order: Vec<usize>,
}

/// A certificate that failed a check.
pub(super) struct Culprit {
    /// Its name and its role in the chain.
    pub(super) certificate: String,
    pub(super) defect: Defect,
    /// Whether it is the authority at the end of the server's chain.
    pub(super) is_root: bool,
}

impl<'a> Chain<'a> {
    pub(super) fn new(
        leaf_der: &'a CertificateDer<'a>,
        leaf: &'a Certificate,
        intermediates: &'a [CertificateDer<'a>],
    ) -> Chain<'a> {
        let sent = intermediates.iter().map(|der| (der, Certificate::read(der))).collect();
        let mut chain = Chain { leaf: (leaf_der, leaf), sent, order: Vec::new() };
        while let Some(next) = chain.next_issuer() {
            chain.order.push(next);
        }
        chain
    }

    /// The issuer of the last certificate, unless it is already in the chain.
    fn next_issuer(&self) -> Option<usize> {
        let last = Some(self.last()).filter(|last| !last.is_self_issued())?;
        let is_issuer = |one: &Option<Certificate>| one.as_ref().is_some_and(|one| last.names_as_issuer(one));
        let mut others = self.sent.iter().enumerate().filter(|(index, _)| !self.order.contains(index));
        others.find(|(_, (_, one))| is_issuer(one)).map(|(index, _)| index)
    }

    fn certificates(&self) -> impl DoubleEndedIterator<Item = &Certificate> {
        let issuers = self.order.iter().filter_map(|index| self.sent.get(*index)?.1.as_ref());
        once(self.leaf.1).chain(issuers)
    }

    /// Each certificate with its label, the server's own first.
    pub(super) fn links(&self) -> impl Iterator<Item = (String, &Certificate)> {
        self.certificates().enumerate().map(|(position, one)| (label(position, one), one))
    }

    pub(super) fn last(&self) -> &Certificate {
        self.certificates().next_back().unwrap_or(self.leaf.1)
    }

    pub(super) fn before_last(&self) -> Option<&Certificate> {
        self.certificates().rev().nth(1)
    }

    /// The first certificate, those of trusted authorities included, with a key of RSA that is too short.
    pub(super) fn weak_key(&self, authorities: &[Certificate]) -> Option<(String, usize)> {
        let weak = |(label, one): (String, &Certificate)| Some((label, one.weak_rsa_bits()?));
        self.links().chain(authorities.iter().map(with_trusted_label)).find_map(weak)
    }

    /// The first certificate that the next one did not sign, and that next one.
    pub(super) fn bad_signature(&self, supported: WebPkiSupportedAlgorithms) -> Option<(String, String)> {
        let pairs = self.links().zip(self.certificates().skip(1));
        let mut unsigned = pairs.filter(|((_, one), issuer)| !one.is_signed_by(issuer, supported));
        unsigned.next().map(|((label, _), issuer)| (label, issuer.subject()))
    }

    /// Finds the certificate that webpki's error is about.
    pub(super) fn blame(&self, authorities: &[Certificate], error: &webpki::Error) -> Culprit {
        self.blame_unreadable(error).or_else(|| self.blame_by_fault(authorities, error)).unwrap_or_else(
            || Culprit {
                certificate: "a certificate of its chain".to_owned(),
                defect: Defect::of_webpki(error),
                is_root: false,
            },
        )
    }

    /// A certificate that webpki cannot read, in the chain or sent along.
    fn blame_unreadable(&self, error: &webpki::Error) -> Option<Culprit> {
        let fails = |der: &CertificateDer<'_>| {
            webpki::EndEntityCert::try_from(der).is_err_and(|found| found == *error)
        };
        if fails(self.leaf.0) {
            return Some(self.culprit(0, self.leaf.1, error));
        }
        let is_bad = |index: &usize| self.sent.get(*index).is_some_and(|(der, _)| fails(der));
        let in_chain = self.order.iter().position(&is_bad).map(|position| position + 1);
        if let Some((position, one)) =
            in_chain.and_then(|place| Some((place, self.certificates().nth(place)?)))
        {
            return Some(self.culprit(position, one, error));
        }
        let index = (0..self.sent.len()).find(is_bad)?;
        let number = index + 2; // the server's own is the first
        let certificate = match self.sent.get(index).and_then(|(_, one)| one.as_ref()) {
            Some(one) => format!("certificate {number} of its chain ({})", one.subject()),
            None => format!("certificate {number} of its chain"),
        };
        Some(Culprit { certificate, defect: Defect::of_webpki(error), is_root: false })
    }

    fn blame_by_fault(&self, authorities: &[Certificate], error: &webpki::Error) -> Option<Culprit> {
        let mut in_chain = self.certificates().enumerate();
        if let Some((position, one)) = in_chain.find(|(position, one)| is_at_fault(error, *position, one)) {
            return Some(self.culprit(position, one, error));
        }
        let authority = authorities.iter().find(|one| is_at_fault(error, self.order.len() + 1, one))?;
        let (certificate, _) = with_trusted_label(authority);
        Some(Culprit { certificate, defect: with_details(error, authority), is_root: false })
    }

    fn culprit(&self, position: usize, one: &Certificate, error: &webpki::Error) -> Culprit {
        let is_root = position > 0 && position == self.order.len() && one.is_self_issued();
        Culprit { certificate: label(position, one), defect: with_details(error, one), is_root }
    }
}

/// Whether the certificate at this position, of which the server's own is 0, has the fault that an error is about.
fn is_at_fault(error: &webpki::Error, position: usize, one: &Certificate) -> bool {
    use webpki::Error;
    #[allow(deprecated)] // they are still variants
    match error {
        Error::EndEntityUsedAsCa => position > 0 && !one.is_authority(),
        Error::CaUsedAsEndEntity => position == 0,
        Error::RequiredEkuNotFound | Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
            !one.is_for_servers()
        }
        Error::PathLenConstraintViolated => {
            position > 0 && one.path_length().is_some_and(|limit| position - 1 > limit)
        }
        Error::NameConstraintViolation => position > 0 && one.has_name_constraints(),
        Error::UnsupportedSignatureAlgorithmContext(context) => {
            one.signature_identifier().as_ref() == Some(&context.signature_algorithm_id)
        }
        Error::UnsupportedSignatureAlgorithmForPublicKeyContext(context) => {
            position > 0 && one.key_identifier().as_ref() == Some(&context.public_key_algorithm_id)
        }
        Error::InvalidCertValidity => {
            let (not_before, not_after) = one.dates();
            not_before > not_after
        }
        _ => false,
    }
}

fn with_details(error: &webpki::Error, one: &Certificate) -> Defect {
    let unknown = || one.unknown_critical_extension(&CHECKED_BY_WEBPKI);
    match Defect::of_webpki(error) {
        Defect::NotForServers { .. } => Defect::NotForServers { usage: one.other_usage() },
        Defect::UnsupportedSignature(_) => Defect::UnsupportedSignature(one.signature_algorithm()),
        Defect::UnsupportedKey(_) => Defect::UnsupportedKey(one.key_kind()),
        Defect::CriticalExtension(kind) => Defect::CriticalExtension(unknown().unwrap_or(kind)),
        defect => defect,
    }
}

fn label(position: usize, one: &Certificate) -> String {
    match position {
        0 => one.subject(),
        _ => format!("its intermediate {}", one.subject()),
    }
}

fn with_trusted_label(one: &Certificate) -> (String, &Certificate) {
    (format!("the trusted authority {}", one.subject()), one)
}
