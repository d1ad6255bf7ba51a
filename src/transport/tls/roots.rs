//! Trusted certificates.

use super::certificate::Certificate;
use super::defect::Defect;
use super::file_kind;
use crate::input_file;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::io;
use std::path::{Path, PathBuf};

/// Trusted certificates: authorities, and certificates trusted as they are.
#[derive(Debug, Clone)]
pub(crate) struct Roots {
    pub(super) anchors: RootCertStore,
    /// The certificates themselves, the anchors' and those that issue nothing.
    pub(super) certificates: Vec<CertificateDer<'static>>,
    sources: Vec<String>,
}

/// The reason why certificates are unusable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RootsError {
    #[error("{}", describe(.0))]
    Read(#[from] io::Error),
    #[error("the file is empty; expected certificates in PEM form")]
    Empty,
    #[error(
        "expected PEM, but found a certificate in DER form; \
         `openssl x509 -inform der -in FILE -out FILE.pem` converts it"
    )]
    Der,
    #[error("contains a private key but not a certificate; use the file with the certificate")]
    Key,
    #[error("contains no certificate; expected -----BEGIN CERTIFICATE-----")]
    None,
    #[error("{0}")]
    OtherKind(&'static str),
    #[error("certificate {number} in it is damaged")]
    Damaged { number: usize },
    #[error("certificate {number} in it cannot be used: it {defect}")]
    Defective { number: usize, defect: Defect },
    #[error("contains no certificate of an authority; expected one that issued client certificates")]
    NoAuthority,
    #[error("expected a directory, but found a file")]
    NotADirectory,
    #[error("no file in this directory contains a certificate in PEM form")]
    NoneInDirectory,
    #[error("the operating system has no trusted certificates{details}")]
    NoneInSystem { details: String },
}

impl Roots {
    /// Trusts no certificate.
    pub(crate) fn nobody() -> Roots {
        Roots { anchors: RootCertStore::empty(), certificates: Vec::new(), sources: Vec::new() }
    }

    /// Adds the certificates of a file.
    ///
    /// # Errors
    /// If the file has no certificate, or one is unreadable.
    pub(crate) fn add_file(&mut self, path: &Path) -> Result<(), RootsError> {
        self.add(read_certificates(path)?)?;
        self.sources.push(path.display().to_string());
        Ok(())
    }

    /// Adds the certificates of all files in a directory, whatever their names. Other files are skipped.
    ///
    /// # Errors
    /// If the directory has no certificate.
    pub(crate) fn add_directory(&mut self, path: &Path) -> Result<(), RootsError> {
        if path.is_file() {
            return Err(RootsError::NotADirectory);
        }
        let entries: Result<Vec<PathBuf>, io::Error> =
            path.read_dir()?.map(|entry| entry.map(|entry| entry.path())).collect();
        let mut files: Vec<PathBuf> = entries?.into_iter().filter(|path| path.is_file()).collect();
        files.sort();
        let before = self.certificates.len();
        for certificates in files.iter().filter_map(|file| read_certificates(file).ok()) {
            // A damaged file should not make the others unusable.
            let _ = self.add(certificates);
        }
        if self.certificates.len() == before {
            return Err(RootsError::NoneInDirectory);
        }
        self.sources.push(path.display().to_string());
        Ok(())
    }

    /// Adds the authorities that the operating system trusts.
    ///
    /// # Errors
    /// If it has none, as in a container without certificates.
    pub(crate) fn add_system(&mut self) -> Result<(), RootsError> {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = self.anchors.add_parsable_certificates(found.certs.iter().cloned());
        if added == 0 {
            let details = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
            return Err(RootsError::NoneInSystem { details });
        }
        self.certificates.extend(found.certs);
        self.sources.push("the operating system".to_owned());
        Ok(())
    }

    /// Whether this certificate itself is trusted.
    pub(super) fn contains(&self, certificate: &CertificateDer<'_>) -> bool {
        self.certificates.iter().any(|trusted| trusted == certificate)
    }

    /// The sources of the certificates.
    pub(super) fn sources(&self) -> String {
        self.sources.join(" and ")
    }

    fn add(&mut self, certificates: Vec<CertificateDer<'static>>) -> Result<(), RootsError> {
        for (position, der) in certificates.into_iter().enumerate() {
            let number = position + 1;
            let Some(certificate) = Certificate::read(&der) else {
                return Err(RootsError::Damaged { number });
            };
            // webpki treats any anchor as an authority; a server's own certificate must not become one.
            if certificate.may_issue() {
                let anchor = webpki::anchor_from_trusted_cert(&der);
                let anchor = anchor
                    .map_err(|error| RootsError::Defective { number, defect: Defect::of_webpki(&error) })?;
                self.anchors.roots.push(anchor.to_owned());
            }
            self.certificates.push(der);
        }
        Ok(())
    }
}

/// The certificates in a PEM file; at least one.
pub(super) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, RootsError> {
    let bytes = input_file::read_text(path, input_file::LIMIT)?;
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let number = certificates.len() + 1;
        certificates.push(certificate.map_err(|_| RootsError::Damaged { number })?);
    }
    if !certificates.is_empty() {
        return Ok(certificates);
    }
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    if let Some(kind) = file_kind::of(&bytes) {
        return Err(RootsError::OtherKind(kind));
    }
    Err(match bytes.as_slice() {
        [] => RootsError::Empty,
        [0x30, ..] => RootsError::Der, // a SEQUENCE
        _ if has(b"PRIVATE KEY-----") => RootsError::Key,
        _ => RootsError::None,
    })
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::IsADirectory => "this is a directory, and a file is needed".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}
