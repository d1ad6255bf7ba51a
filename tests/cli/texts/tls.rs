//! The certificates, keys and TLS servers that cases of the catalogue name.

use super::super::support::certificates::*;
use super::super::support::*;
use rustls::version::{TLS12, TLS13};

/// Starts a server; the authority to trust is then in `ca.pem`.
pub fn start(name: &str, files: &Files) -> TlsPeer {
    let ca = authority("Test CA");
    std::fs::write(files.path("ca.pem"), ca.pem()).unwrap();
    let good = || ca.issue(server_params());
    match name {
        "good" => TlsPeer::start(&[&good()]),
        "expired" => TlsPeer::start(&[&ca.issue(between((2019, 2020), server_params()))]),
        "not yet valid" => TlsPeer::start(&[&ca.issue(between((2090, 2091), server_params()))]),
        "unknown issuer" => TlsPeer::start(&[&authority("Other CA").issue(server_params())]),
        "issuer of the same name" => TlsPeer::start(&[&authority("Test CA").issue(server_params())]),
        "self-signed" => TlsPeer::start(&[&Certificate::self_signed(server_params())]),
        "other name" => TlsPeer::start(&[&ca.issue(named("broker", &["broker.example", "192.0.2.7"]))]),
        "for clients" => TlsPeer::start(&[&ca.issue(for_clients(server_params()))]),
        "demanding" => TlsPeer::start_with(&TLS12, &[&good()], Some(&authority("Client CA")), |_| {}),
        "TLS 1.2" => TlsPeer::start_with(&TLS12, &[&good()], None, |_| {}),
        "ALPN mqtt" => TlsPeer::start_with(&TLS13, &[&good()], None, |config| {
            config.alpn_protocols = vec![b"mqtt".to_vec()];
        }),
        _ => panic!("unknown TLS server: {name}"),
    }
}

/// The content of a file by its name.
pub fn file(name: &str) -> Vec<u8> {
    let certificate = authority("Test CA");
    match name {
        "ca.pem" | "client.pem" => certificate.pem().into_bytes(),
        "ca.der" => certificate.der.to_vec(),
        "damaged.pem" => certificate.pem().replace("\n-----END", "AAAA\n-----END").into_bytes(),
        "key.pem" => certificate.key_pem().into_bytes(),
        "key.der" => certificate.key.serialize_der(),
        "damaged-key.pem" => certificate.key_pem().replace("\n-----END", "AAAA\n-----END").into_bytes(),
        "encrypted-key.pem" => certificate.encrypted_key_pem("secret").into_bytes(),
        _ => panic!("unknown file: {name}"),
    }
}
