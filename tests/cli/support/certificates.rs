//! Certificates as people have them: right ones, and wrong ones of every kind. The keys that are made here are P-256.

use pkcs8::pkcs5::pbes2;
use pkcs8::{LineEnding, PrivateKeyInfoRef};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, SigningKey, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::PathBuf;
use tempfile::TempDir;

/// A certificate and its key.
pub struct Certificate {
    pub der: CertificateDer<'static>,
    pub key: KeyPair,
    params: CertificateParams,
}

impl Certificate {
    /// The certificate in PEM.
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// The key as PKCS#8 in PEM.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// The key in the form of SEC1, `EC PRIVATE KEY`, which is inside PKCS#8.
    pub fn key_sec1_pem(&self) -> String {
        let info = PrivateKeyInfoRef::try_from(self.key.serialized_der()).unwrap();
        pem("EC PRIVATE KEY", info.private_key.as_bytes())
    }

    /// The key as encrypted PKCS#8 in PEM.
    pub fn encrypted_key_pem(&self, password: &str) -> String {
        let info = PrivateKeyInfoRef::try_from(self.key.serialized_der()).unwrap();
        let method = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(2048, b"salt and pepper.", [7; 16]);
        let encrypted = info.encrypt_with_params(method.unwrap(), password).unwrap();
        encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap().to_string()
    }

    /// The key as rustls takes it.
    pub fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).unwrap()
    }

    /// Issues another certificate.
    pub fn issue(&self, params: CertificateParams) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let issued = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        Certificate { der: issued.der().clone(), key, params }
    }

    /// Issues a certificate for this key, in PEM. Returns the certificate in PEM.
    pub fn issue_for(&self, key: &str, params: &CertificateParams) -> String {
        let key = KeyPair::from_pem(key).unwrap();
        let issued = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        pem("CERTIFICATE", issued.der())
    }

    /// As [`Certificate::issue`], but of version 1: without extensions, as `openssl x509 -req` makes them.
    pub fn issue_version_1(&self, params: CertificateParams) -> Certificate {
        let issued = self.issue(params);
        Certificate { der: without_extensions(&issued.der, &self.key), ..issued }
    }

    /// Directly signed by itself.
    pub fn self_signed(params: CertificateParams) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Certificate { der: certificate.der().clone(), key, params }
    }
}

/// An authority of this name.
pub fn authority(name: &str) -> Certificate {
    Certificate::self_signed(authority_params(name))
}

/// The parameters of an authority.
pub fn authority_params(name: &str) -> CertificateParams {
    let mut params = named(name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// For a server at this machine.
pub fn server_params() -> CertificateParams {
    named("localhost", &["localhost", "127.0.0.1", "::1"])
}

/// With a common name, and these in subjectAltName.
pub fn named(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

/// Valid in these years only.
pub fn between(years: (i32, i32), mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    params
}

/// Valid for this many more seconds.
pub fn expiring_in(seconds: u64, mut params: CertificateParams) -> CertificateParams {
    params.not_after = (std::time::SystemTime::now() + std::time::Duration::from_secs(seconds)).into();
    params
}

/// Good for servers only.
pub fn for_servers(mut params: CertificateParams) -> CertificateParams {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// Good for clients only.
pub fn for_clients(mut params: CertificateParams) -> CertificateParams {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// With an extension whose content, in DER, may be anything.
pub fn with_extension(
    oid: &[u64],
    is_critical: bool,
    content: &[u8],
    mut params: CertificateParams,
) -> CertificateParams {
    let mut extension = CustomExtension::from_oid_content(oid, content.to_vec());
    extension.set_criticality(is_critical);
    params.custom_extensions.push(extension);
    params
}

/// A directory of files that vanishes with the test.
pub struct Files(TempDir);

impl Files {
    /// With these files in it.
    pub fn new(files: &[(&str, String)]) -> Files {
        let directory = Files(TempDir::new().unwrap());
        for (name, content) in files {
            std::fs::write(directory.path(name), content).unwrap();
        }
        directory
    }

    /// The path of a file, which need not be there.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A text with the directory in place of `{}`.
    pub fn words(&self, words: &str) -> String {
        words.replace("{}", &self.0.path().display().to_string())
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    pkcs8::der::pem::encode_string(label, LineEnding::LF, der).unwrap()
}

/// Takes version and extensions out of a certificate, and signs it again.
fn without_extensions(der: &[u8], issuer: &KeyPair) -> CertificateDer<'static> {
    let parts = split(split(der)[0].1);
    let mut rest = Vec::new();
    for (whole, _) in split(parts[0].1) {
        if !matches!(whole[0], 0xa0 | 0xa3) {
            rest.extend_from_slice(whole);
        }
    }
    let signed = wrap(0x30, &rest);
    let mut signature = vec![0]; // no unused bits
    signature.extend(issuer.sign(&signed).unwrap());
    let certificate = [signed.as_slice(), parts[1].0, &wrap(0x03, &signature)].concat();
    wrap(0x30, &certificate).into()
}

/// The values that follow each other in DER, each whole and its content.
fn split(mut der: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut values = Vec::new();
    while !der.is_empty() {
        let (header, length) = match der[1] {
            short @ 0..=0x7f => (2, usize::from(short)),
            0x81 => (3, usize::from(der[2])),
            _ => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
        };
        let (whole, rest) = der.split_at(header + length);
        values.push((whole, &whole[header..]));
        der = rest;
    }
    values
}

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len() as u16;
    let mut der = vec![tag];
    match length {
        0..=0x7f => der.push(length as u8),
        0x80..=0xff => der.extend([0x81, length as u8]),
        _ => {
            der.push(0x82);
            der.extend(length.to_be_bytes());
        }
    }
    der.extend_from_slice(content);
    der
}
