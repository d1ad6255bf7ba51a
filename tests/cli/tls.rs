//! TLS: whom it trusts, who we are, what it offers, and what is said when it fails. With a server of our own, and with
//! mosquitto and its OpenSSL.

use super::support::certificates::*;
use super::support::*;
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{SignatureAlgorithm, SignatureScheme};
use std::sync::Arc;

const NOWHERE: &str = "-h 127.0.0.1 -p 9";

/// `mq pub` to a server that shows this chain.
#[track_caller]
fn publish(chain: &[&Certificate], trusted: &Certificate, options: &str) -> process::Finished {
    let files = Files::new(&[("ca.pem", trusted.pem())]);
    let server = TlsPeer::start(chain);
    let finished = server
        .mq(&format!("pub -t a -m x -h localhost --cafile {} {options}", files.words("{}/ca.pem")))
        .run();
    server.finish();
    finished
}

/// As [`publish`], and it fails with these words.
#[track_caller]
fn assert_untrusted(chain: &[&Certificate], trusted: &Certificate, options: &str, parts: &[&str]) {
    assert_says(&publish(chain, trusted, options).fail(1), parts);
}

#[test]
fn a_server_of_a_trusted_authority_is_trusted() {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    for options in
        ["", "-h 127.0.0.1", "--tls-version tlsv1.2", "--tls-version tlsv1.3", "--ciphers ECDHE+AESGCM"]
    {
        publish(&[&server], &ca, options).succeed();
    }
}

#[test]
fn intermediates_are_followed() {
    let ca = authority("Root CA");
    let intermediate = ca.issue(authority_params("Intermediate CA"));
    let server = intermediate.issue(server_params());
    publish(&[&server, &intermediate], &ca, "").succeed();
    publish(&[&server, &intermediate, &ca], &ca, "").succeed();
    publish(&[&server], &intermediate, "").succeed();
    let parts =
        ["CN=localhost was issued by CN=Intermediate CA, which is not among the certificates of", "ca.pem"];
    assert_untrusted(&[&server], &ca, "", &parts);
}

#[test]
fn an_unknown_authority_is_named() {
    let (ca, other) = (authority("Test CA"), authority("Other CA"));
    let server = ca.issue(server_params());
    let parts =
        ["localhost is not trusted", "CN=localhost was issued by CN=Test CA", "ca.pem", "hint: --cafile"];
    assert_untrusted(&[&server], &other, "", &parts);
    assert_untrusted(&[&server, &ca], &other, "", &parts);
}

#[test]
fn an_authority_of_the_same_name_is_another() {
    let server = authority("Test CA").issue(server_params());
    assert_untrusted(
        &[&server],
        &authority("Test CA"),
        "",
        &["names CN=Test CA as its issuer", "has another key"],
    );
}

#[test]
fn a_server_may_not_issue_certificates() {
    let ca = authority("Test CA");
    let one = ca.issue(named("one", &["one.example"]));
    let other = one.issue(server_params());
    assert_untrusted(&[&other], &one, "", &["CN=one", "is not an authority"]);
    assert_untrusted(&[&other, &one], &ca, "", &["not"]);
}

#[test]
fn outdated_certificates_are_reported_with_their_dates() {
    let ca = authority("Test CA");
    let expired = ca.issue(between((2019, 2020), server_params()));
    let parts =
        ["the certificate of localhost is no longer valid: CN=localhost expired on 2020-01-01 00:00 UTC"];
    assert_untrusted(&[&expired], &ca, "", &parts);
    let future = ca.issue(between((2090, 2091), server_params()));
    assert_untrusted(
        &[&future],
        &ca,
        "",
        &["not valid yet: CN=localhost is valid from 2090-01-01 00:00 UTC", "clock"],
    );
    let intermediate = ca.issue(between((2019, 2020), authority_params("Old CA")));
    let server = intermediate.issue(server_params());
    assert_untrusted(&[&server, &intermediate], &ca, "", &["CN=Old CA expired on 2020-01-01"]);
}

#[test]
fn a_certificate_for_others_is_reported_with_its_names() {
    let ca = authority("Test CA");
    let server = ca.issue(named("broker", &["broker.example", "192.0.2.7"]));
    let parts = ["not for localhost", "broker.example, 192.0.2.7", "hint: --tls-hostname NAME"];
    assert_untrusted(&[&server], &ca, "", &parts);
    publish(&[&server], &ca, "--tls-hostname broker.example").succeed();
    publish(&[&server], &ca, "--tls-hostname 192.0.2.7").succeed();
    assert_untrusted(&[&server], &ca, "--tls-hostname broker", &["not for broker"]);
}

#[test]
fn the_common_name_counts_only_without_host_names() {
    let ca = authority("Test CA");
    publish(&[&ca.issue(named("localhost", &[]))], &ca, "").succeed();
    publish(&[&ca.issue(named("127.0.0.1", &[]))], &ca, "-h 127.0.0.1").succeed();
    publish(&[&ca.issue(named("*.host.example", &[]))], &ca, "--tls-hostname a.host.example").succeed();
    let both = ca.issue(named("localhost", &["broker.example"]));
    assert_untrusted(&[&both], &ca, "", &["not for localhost: it names broker.example"]);
}

#[test]
fn a_certificate_for_clients_is_not_for_servers() {
    let ca = authority("Test CA");
    let client = ca.issue(for_clients(server_params()));
    assert_untrusted(&[&client], &ca, "", &["CN=localhost is not meant for servers"]);
    assert_untrusted(&[&client], &client, "", &["CN=localhost is not meant for servers"]);
}

#[test]
fn a_self_signed_certificate_is_trusted_when_it_is_given() {
    let mut with_ca = authority_params("localhost");
    with_ca.subject_alt_names = server_params().subject_alt_names;
    for params in [server_params(), with_ca] {
        let server = Certificate::self_signed(params.clone());
        publish(&[&server], &server, "").succeed();
        publish(&[&server], &server, "--tls-version tlsv1.2").succeed();
        let other = Certificate::self_signed(params.clone());
        assert_untrusted(&[&server], &authority("Test CA"), "", &["CN=localhost is self-signed", "--cafile"]);
        assert_untrusted(&[&server], &other, "", &["CN=localhost"]);
        assert_untrusted(&[&server], &server, "--tls-hostname b.example", &["not for b.example"]);
        let expired = Certificate::self_signed(between((2019, 2020), params));
        assert_untrusted(&[&expired], &expired, "", &["expired on 2020-01-01"]);
    }
}

#[test]
fn certificates_of_version_1_are_checked_as_well() {
    let ca = authority("Test CA");
    let server = ca.issue_version_1(named("localhost", &[]));
    publish(&[&server], &ca, "--tls-version tlsv1.2").succeed();
    publish(&[&server], &ca, "--tls-version tlsv1.3").succeed();
    publish(&[&server], &server, "").succeed();
    assert_untrusted(&[&server], &ca, "-h 127.0.0.1", &["not for 127.0.0.1: it names localhost"]);
    assert_untrusted(&[&server], &authority("Other CA"), "", &["issued by CN=Test CA"]);
    assert_untrusted(&[&server], &authority("Test CA"), "", &["has another key"]);
    let expired = ca.issue_version_1(between((2019, 2020), named("localhost", &[])));
    assert_untrusted(&[&expired], &ca, "", &["expired on 2020-01-01"]);
    let intermediate = ca.issue(authority_params("Intermediate CA"));
    let behind = intermediate.issue_version_1(named("localhost", &[]));
    assert_untrusted(&[&behind, &intermediate], &ca, "", &["is of version 1"]);
}

#[test]
fn a_signature_without_the_key_of_the_certificate_is_refused() {
    let ca = authority("Test CA");
    for version_1 in [false, true] {
        let params = named("localhost", &[]);
        let mut server = if version_1 { ca.issue_version_1(params) } else { ca.issue(params) };
        server.key = rcgen::KeyPair::generate().unwrap();
        for version in ["tlsv1.2", "tlsv1.3"] {
            assert_untrusted(
                &[&server],
                &ca,
                &format!("--tls-version {version}"),
                &["handshake with localhost failed"],
            );
        }
    }
}

#[test]
fn with_CA_TRUE_a_server_needs_an_authority_that_is_trusted_itself() {
    let ca = authority("Test CA");
    let mut params = authority_params("localhost");
    params.subject_alt_names = server_params().subject_alt_names;
    publish(&[&ca.issue(params.clone())], &ca, "").succeed();
    let intermediate = ca.issue(authority_params("Intermediate CA"));
    let server = intermediate.issue(params);
    assert_untrusted(&[&server, &intermediate], &ca, "", &["CA:TRUE", "issued it directly"]);
}

#[test]
fn nothing_is_checked_with_insecure() {
    let server = Certificate::self_signed(between((2019, 2020), named("other", &["other.example"])));
    for options in ["--insecure", "--insecure --tls-version tlsv1.3"] {
        let peer = TlsPeer::start(&[&server]);
        peer.mq(&format!("pub -t a -m x {options}")).run().succeed();
        peer.finish();
    }
}

/// Every command that connects, and what it sends nothing to.
const CONNECTING: [&str; 7] = [
    "pub -t a -m x -h 127.0.0.1 -p 9",
    "sub -t a -h 127.0.0.1 -p 9",
    "rr -t a -e b -m x -h 127.0.0.1 -p 9",
    "bench conn -c 1 --connect-timeout 1 -h 127.0.0.1 -p 9",
    "doctor -h 127.0.0.1 -p 9",
    "inspect -t a -h 127.0.0.1 -p 9",
    "pub -t a -m x -L mqtts://127.0.0.1:9",
];

#[test]
fn insecure_without_a_trust_source_warns_that_any_certificate_is_accepted() {
    const WARNING: &str = "warning: --insecure accepts any certificate";
    for command in CONNECTING {
        let stderr = mq(&format!("{command} --insecure")).run().stderr;
        assert_eq!(stderr.matches(WARNING).count(), 1, "{command}: {stderr}");
        for options in
            ["", "--insecure --no-tls", "--insecure --tls-use-os-certs", "--insecure --cafile none"]
        {
            let stderr = mq(&format!("{command} {options}")).run().stderr;
            assert!(!stderr.contains("warning"), "{command} {options}: {stderr}");
        }
    }
    let stderr = mq("pub -t a -m x -h 127.0.0.1 -p 9 --insecure --quiet").run().stderr;
    assert_eq!(stderr, "");
}

#[test]
fn insecure_with_a_trust_source_skips_the_host_name_alone() {
    let ca = authority("Private CA");
    let server = ca.issue(named("other", &["other.example"]));
    let expired = ca.issue(between((2019, 2020), named("localhost", &["localhost"])));
    let files = Files::new(&[
        ("ca.pem", ca.pem()),
        ("other.pem", authority("Other CA").pem()),
        ("server.pem", server.pem()),
        ("server.key", server.key_pem()),
    ]);
    std::fs::create_dir(files.path("directory")).unwrap();
    std::fs::write(files.path("directory/other.pem"), authority("Other CA").pem()).unwrap();
    std::fs::write(files.path("config"), files.words("[profile.p]\ncafile = '{}/other.pem'\n")).unwrap();
    let run = |chain: &Certificate, called: &str, options: &str| {
        let peer = TlsPeer::start(&[chain]);
        let line = files.words(&format!("{called} -t a -m x {options}"));
        let program = if called == "pub" { peer.mq(&line) } else { peer.called_as(&line) };
        let finished = program
            .env("SSL_CERT_FILE", files.path("other.pem"))
            .env("SSL_CERT_DIR", files.path("missing"))
            .env("MQ_CONFIG", files.path("config"))
            .run();
        peer.finish();
        finished
    };
    for called in ["pub", "mosquitto_pub"] {
        let accepted = run(&server, called, "--cafile {}/ca.pem --insecure");
        assert!(!accepted.stderr.contains("warning"), "{}", accepted.stderr);
        accepted.succeed();
        assert_says(&run(&server, called, "--cafile {}/ca.pem").fail(1), &["not for 127.0.0.1"]);
        let parts = ["expired on 2020-01-01"];
        assert_says(&run(&expired, called, "--cafile {}/ca.pem --insecure").fail(1), &parts);
        for source in ["--cafile {}/other.pem", "--capath {}/directory", "--tls-use-os-certs"] {
            let stderr = run(&server, called, &format!("{source} --insecure")).fail(1);
            assert_says(&stderr, &["CN=other was issued by CN=Private CA, which is not among"]);
        }
    }
    let preset = "--preset aws -h localhost --cert {}/server.pem --key {}/server.key --insecure";
    for options in ["--profile p --insecure", "--insecure --tls-use-os-certs --tls-version tlsv1.2", preset] {
        assert_says(&run(&server, "pub", options).fail(1), &["is not trusted"]);
    }
    // mosquitto's tools trust the operating system's certificates where no option names others.
    let peer = TlsPeer::start(&[&server]);
    let line = format!("mosquitto_pub -m x -L mqtts://127.0.0.1:{}/a --insecure", peer.address().port());
    let (name, words) = line.split_once(' ').unwrap();
    let finished = called_as(name, words).env("SSL_CERT_FILE", files.path("other.pem")).run();
    assert_says(&finished.fail(1), &["not among the certificates of the operating system"]);
    peer.finish();
}

#[test]
fn insecure_means_the_same_for_every_command() {
    let server = authority("Private CA").issue(named("other", &["other.example"]));
    let files = Files::new(&[("other.pem", authority("Other CA").pem())]);
    for command in ["sub -t a", "rr -t a -e b -m x", "bench conn -c 1", "doctor -V 5", "inspect -t a"] {
        let peer = TlsPeer::start(&[&server]);
        let line = files.words(&format!("{command} --cafile {{}}/other.pem --insecure"));
        let finished = peer.mq(&line).run();
        let output = String::from_utf8_lossy(&finished.stdout) + &*finished.stderr;
        assert_says(&output, &["CN=Private CA"]);
        peer.finish();
    }
    let peer = TlsPeer::start(&[&server]);
    let line = format!("inspect --listen 127.0.0.1:0 --to {} --insecure", peer.address());
    let mut proxy = mq(&files.words(&format!("{line} --cafile {{}}/other.pem"))).spawn();
    let listening = proxy.wait_for_stderr("127.0.0.1:");
    let address = listening.rsplit("127.0.0.1:").next().unwrap();
    let port: String = address.chars().take_while(char::is_ascii_digit).collect();
    mq(&format!("pub -t a -m x -h 127.0.0.1 -p {port}")).run();
    proxy.wait_for_stderr("CN=Private CA");
    peer.finish();
}

const SUBJECT_ALT_NAME: [u64; 4] = [2, 5, 29, 17];
const EXTENDED_KEY_USAGE: [u64; 4] = [2, 5, 29, 37];

/// A subjectAltName of these names, each with its tag.
fn alternative_names(names: &[(u8, &[u8])]) -> Vec<u8> {
    let names: Vec<u8> =
        names.iter().flat_map(|(tag, name)| [&[*tag, name.len() as u8], *name].concat()).collect();
    [&[0x30, names.len() as u8], &*names].concat()
}

#[test]
fn an_extension_that_cannot_be_read_is_not_taken_for_absent() {
    let ca = authority("Test CA");
    let with_names = |names: &[(u8, &[u8])], is_ca: bool| {
        let mut params = named("localhost", &[]);
        if is_ca {
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        }
        with_extension(&SUBJECT_ALT_NAME, false, &alternative_names(names), params)
    };
    let unreadable: [&[(u8, &[u8])]; 3] = [
        &[(0x82, b"br\xfcke.example")], // a byte over 127 in a dNSName
        &[(0x82, b"broker.example"), (0xa3, &[0x30, 0x00])], // x400Address
        &[(0x82, b"broker.example"), (0x89, b"x")], // there is no form 9
    ];
    for (names, is_ca) in unreadable.iter().flat_map(|names| [(names, false), (names, true)]) {
        let server = ca.issue(with_names(names, is_ca));
        let parts = ["CN=localhost", "invalid extension subjectAltName", "hint:"];
        assert_untrusted(&[&server], &ca, "", &parts);
        if !is_ca {
            assert_untrusted(&[&server], &server, "", &["invalid extension subjectAltName"]);
        }
    }
    let twice = with_names(&[(0x82, b"broker.example")], false);
    let content = alternative_names(&[(0x82, b"other.example")]);
    let twice = ca.issue(with_extension(&SUBJECT_ALT_NAME, false, &content, twice));
    assert_untrusted(&[&twice], &ca, "", &["CN=localhost"]);
    assert_untrusted(&[&twice], &twice, "", &["invalid extension subjectAltName"]);
    let usage = with_extension(&EXTENDED_KEY_USAGE, false, &[0x02, 0x01, 0x01], server_params());
    let usage = ca.issue(usage);
    assert_untrusted(&[&usage], &ca, "", &["CN=localhost"]);
    assert_untrusted(&[&usage], &usage, "", &["CN=localhost is not meant for servers"]);
    // A name that is found does not depend on the others.
    let server = ca.issue(with_names(&[(0x82, b"localhost"), (0xa3, &[0x30, 0x00])], false));
    publish(&[&server], &ca, "").succeed();
}

#[test]
fn an_address_as_a_dns_name_is_reported_as_such() {
    let ca = authority("Test CA");
    let names = alternative_names(&[(0x82, b"127.0.0.1")]);
    let server = ca.issue(with_extension(&SUBJECT_ALT_NAME, false, &names, named("broker", &[])));
    let parts = ["not for 127.0.0.1: it has 127.0.0.1 as a DNS name, and not as an IP address", "IP:ADDRESS"];
    assert_untrusted(&[&server], &ca, "-h 127.0.0.1", &parts);
    assert_untrusted(&[&server], &ca, "", &["not for localhost: it names 127.0.0.1"]);
}

#[test]
fn the_certificate_that_fails_a_check_is_the_one_that_is_blamed() {
    let ca = authority("Root CA");
    let blamed = |intermediate: rcgen::CertificateParams, parts: &[&str]| {
        let intermediate = ca.issue(intermediate);
        let server = intermediate.issue(server_params());
        let stderr = publish(&[&server, &intermediate], &ca, "").fail(1);
        assert_says(
            &stderr,
            &["the certificate of localhost cannot be used: its intermediate CN=Other", "hint:"],
        );
        assert_says(&stderr, parts);
    };
    let other = authority_params("Other");
    blamed(
        for_clients(other.clone()),
        &["CN=Other is not meant for servers", "clientAuth, and not serverAuth"],
    );
    let mut not_an_authority = other.clone();
    not_an_authority.is_ca = rcgen::IsCa::ExplicitNoCa;
    blamed(not_an_authority, &["issued a certificate of the chain, but is not an authority (CA:TRUE)"]);
    blamed(named("Other", &[]), &["is not an authority (CA:TRUE)"]);
    let critical = with_extension(&[1, 2, 3, 4], true, &[0x05, 0x00], other.clone());
    blamed(critical, &["has the critical extension 1.2.3.4, which is not supported"]);
    let mut constrained = other.clone();
    constrained.name_constraints = Some(rcgen::NameConstraints {
        permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("example.com".to_owned())],
        excluded_subtrees: Vec::new(),
    });
    blamed(constrained, &["name constraints"]);
    let duplicate = with_extension(&[2, 5, 29, 19], true, &[0x30, 0x00], other.clone());
    blamed(duplicate, &["an extension is invalid, or is there more than once"]);

    let mut short = other.clone();
    short.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    let short = ca.issue(short);
    let below = short.issue(authority_params("Below"));
    let server = below.issue(server_params());
    let parts = ["its intermediate CN=Other allows fewer intermediate certificates", "hint:"];
    assert_untrusted(&[&server, &below, &short], &ca, "", &parts);

    let critical = ca.issue(with_extension(&[1, 2, 3, 4], true, &[0x05, 0x00], server_params()));
    assert_untrusted(&[&critical], &ca, "", &["CN=localhost has the critical extension 1.2.3.4"]);
    let impostor = authority("Root CA").issue(other.clone());
    let server = ca.issue(authority_params("Other")).issue(server_params());
    let parts = ["is not trusted: CN=Other names CN=Root CA as its issuer", "has another key"];
    assert_untrusted(&[&server, &impostor], &ca, "", &["CN=Other"]);
    let server = impostor.issue(server_params());
    assert_untrusted(&[&server, &impostor], &ca, "", &parts);
    let replaced = ca.issue(other);
    let parts =
        ["CN=localhost has an invalid signature: CN=Other, which it names as its issuer, did not sign it"];
    assert_untrusted(&[&server, &replaced], &ca, "", &parts);
}

#[test]
fn a_server_sees_the_alert_that_says_why_it_was_refused() {
    use rustls::AlertDescription as Alert;
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let other = authority("Other CA");
    let intermediate = ca.issue(for_clients(authority_params("Client CA")));
    let below = intermediate.issue(server_params());
    let mut impostor = ca.issue(server_params());
    impostor.key = rcgen::KeyPair::generate().unwrap();
    let files = Files::new(&[("ca.pem", ca.pem()), ("other.pem", other.pem())]);
    let expired = ca.issue(between((2019, 2020), server_params()));
    let future = ca.issue(between((2090, 2091), server_params()));
    let elsewhere = ca.issue(named("a", &["broker.example"]));
    let for_clients = ca.issue(for_clients(server_params()));
    let self_signed = Certificate::self_signed(server_params());
    let critical = ca.issue(with_extension(&[1, 2, 3, 4], true, &[0x05, 0x00], server_params()));
    for (chain, cafile, alert) in [
        (&[&server][..], "other.pem", Alert::UnknownCA),
        (&[&self_signed], "ca.pem", Alert::UnknownCA),
        (&[&expired], "ca.pem", Alert::CertificateExpired),
        (&[&future], "ca.pem", Alert::CertificateExpired),
        (&[&elsewhere], "ca.pem", Alert::BadCertificate),
        (&[&critical], "ca.pem", Alert::BadCertificate),
        (&[&for_clients], "ca.pem", Alert::UnsupportedCertificate),
        (&[&below, &intermediate], "ca.pem", Alert::UnsupportedCertificate),
        (&[&impostor], "ca.pem", Alert::DecryptError),
    ] {
        for version in [&TLS12, &TLS13] {
            let peer = TlsPeer::start_with(version, chain, None, |_| {});
            let line = files.words(&format!("-t a -m x -h localhost --cafile {{}}/{cafile}"));
            peer.mq(&format!("pub {line}")).run().fail(1);
            assert_eq!(peer.finish().alert, Some(alert), "{version:?} {cafile}");
        }
        let peer = TlsPeer::start(chain);
        let line = files.words(&format!("-t a -m x -h localhost --cafile {{}}/{cafile}"));
        peer.called_as(&format!("mosquitto_pub {line}")).run().fail(1);
        assert_eq!(peer.finish().alert, Some(alert), "{cafile}");
    }
}

/// As mosquitto's own tests have it for its clients.
#[test]
fn a_certificate_for_another_name_is_a_bad_certificate_unless_it_is_insecure() {
    let ca = authority("Test CA");
    let server = ca.issue(named("localhost", &["localhost"]));
    let files = Files::new(&[("ca.pem", ca.pem())]);
    for (options, status, alert) in [
        ("-h localhost", 0, None),
        ("-h 127.0.0.1", 1, Some(rustls::AlertDescription::BadCertificate)),
        ("-h 127.0.0.1 --insecure", 0, None),
    ] {
        let peer = TlsPeer::start(&[&server]);
        let line = files.words(&format!("mosquitto_pub --cafile {{}}/ca.pem -d -t a -m message {options}"));
        peer.called_as(&line).run().expect_status(status);
        assert_eq!(peer.finish().alert, alert, "{options}");
    }
}

#[test]
fn each_connection_is_told_its_own_reason() {
    let ca = authority("Test CA");
    let files = Files::new(&[("ca.pem", ca.pem())]);
    let expired = ca.issue(between((2019, 2020), server_params()));
    let peer = TlsPeer::start(&[&expired]);
    let line = files.words("bench conn -c 1 -h localhost --cafile {}/ca.pem");
    let finished = peer.mq(&line).run();
    let output = String::from_utf8_lossy(&finished.stdout) + &*finished.stderr;
    assert_says(&output, &["CN=localhost expired on 2020-01-01"]);
    assert_eq!(peer.finish().alert, Some(rustls::AlertDescription::CertificateExpired));
}

#[test]
fn refusals_of_a_server_are_reported() {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let clients = authority("Client CA");
    let (ann, eve) = (clients.issue(named("ann", &[])), authority("Evil CA").issue(named("eve", &[])));
    let old = clients.issue(between((2019, 2020), named("old", &[])));
    let files = Files::new(&[
        ("ca.pem", ca.pem()),
        ("ann.pem", ann.pem()),
        ("ann.key", ann.key_pem()),
        ("ann.sec1", ann.key_sec1_pem()),
        ("eve.pem", eve.pem()),
        ("eve.key", eve.key_pem()),
        ("old.pem", old.pem()),
        ("old.key", old.key_pem()),
    ]);
    for version in ["tlsv1.2", "tlsv1.3"] {
        let publish = |options: &str| {
            let peer = match version {
                "tlsv1.2" => TlsPeer::start_with(&TLS12, &[&server], Some(&clients), |_| {}),
                _ => TlsPeer::demanding(&[&server], &clients),
            };
            let options = files.words(&format!("--cafile {{}}/ca.pem {options}"));
            let finished =
                peer.mq(&format!("pub -t a -m x -h localhost --tls-version {version} {options}")).run();
            peer.finish();
            finished
        };
        publish("--cert {}/ann.pem --key {}/ann.key").succeed();
        publish("--cert {}/ann.pem --key {}/ann.sec1 --keyform pem").succeed();
        let parts = ["localhost requires a client certificate", "issued by CN=Client CA", "--cert"];
        assert_says(&publish("").fail(1), &parts);
        let parts = [
            "localhost rejected the client certificate CN=eve (issued by CN=Evil CA)",
            "it takes those issued by CN=Client CA",
        ];
        assert_says(&publish("--cert {}/eve.pem --key {}/eve.key").fail(1), &parts);
        let parts = ["CN=old", "which expired on 2020-01-01"];
        assert_says(&publish("--cert {}/old.pem --key {}/old.key").fail(1), &parts);
    }
}

#[test]
fn version_suite_name_and_protocol_are_as_chosen() {
    let ca = authority("Test CA");
    let server = ca.issue(named("localhost", &["localhost", "broker.example", "127.0.0.1"]));
    let files = Files::new(&[("ca.pem", ca.pem())]);
    let see = |options: &str| {
        let peer = TlsPeer::start_with(&TLS13, &[&server], None, |config| {
            config.alpn_protocols = vec![b"mqtt".to_vec()];
        });
        peer.mq(&format!("pub -t a -m x --cafile {} {options}", files.words("{}/ca.pem"))).run().succeed();
        peer.finish()
    };
    let seen = see("-h localhost");
    assert_eq!(seen.server_name.as_deref(), Some("localhost"));
    assert_eq!(seen.version, Some(rustls::ProtocolVersion::TLSv1_3));
    assert_eq!(seen.alpn, None);
    let seen =
        see("--tls-hostname broker.example --tls-alpn http/1.1,mqtt --ciphers TLS_CHACHA20_POLY1305_SHA256");
    assert_eq!(seen.server_name.as_deref(), Some("broker.example"));
    assert_eq!(seen.alpn.as_deref(), Some(&b"mqtt"[..]));
    assert_eq!(seen.suite, "Some(TLS13_CHACHA20_POLY1305_SHA256)");
    assert_eq!(see("").server_name, None, "an address is not sent");
}

#[test]
fn versions_suites_and_protocols_without_overlap_are_reported() {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let files = Files::new(&[("ca.pem", ca.pem())]);
    let fail = |options: &str, parts: &[&str]| {
        let peer = TlsPeer::start_with(&TLS13, &[&server], None, |config| {
            config.alpn_protocols = vec![b"mqtt".to_vec()];
        });
        let options = format!("pub -t a -m x -h localhost --cafile {} {options}", files.words("{}/ca.pem"));
        assert_says(&peer.mq(&options).run().fail(1), parts);
        peer.finish();
    };
    fail("--tls-alpn x-other", &["localhost supports none of the protocols", "--tls-alpn"]);
    let peer = TlsPeer::start_with(&TLS12, &[&server], None, |_| {});
    let options =
        format!("pub -t a -m x -h localhost --tls-version tlsv1.3 --cafile {}", files.words("{}/ca.pem"));
    assert_says(
        &peer.mq(&options).run().fail(1),
        &["supports none of the offered TLS versions", "TLS 1.3 only", "--tls-version"],
    );
    peer.finish();
    let peer = TlsPeer::start_with(&TLS12, &[&server], None, |_| {});
    let options = options.replace("--tls-version tlsv1.3", "--ciphers aRSA");
    assert_says(&peer.mq(&options).run().fail(1), &["none of the offered cipher suites"]);
    peer.finish();
}

#[test]
fn peers_without_tls_are_reported() {
    let files = Files::new(&[("ca.pem", authority("Test CA").pem())]);
    let cafile = files.words("--cafile {}/ca.pem");
    for answer in ["20 (00 00)", "'HTTP/1.1 400 Bad Request' 0d0a 0d0a"] {
        let peer = ScriptedPeer::start(move |peer| {
            let mut client = peer.accept();
            client.send(answer);
            client.expect_end();
        });
        let stderr = peer.mq(&format!("pub -t a -m x {cafile}")).run().fail(1);
        assert_says(&stderr, &["127.0.0.1 does not speak TLS", "plain", "--no-tls"]);
        peer.finish();
    }
    let peer = ScriptedPeer::start(|peer| drop(peer.accept()));
    let stderr = peer.mq(&format!("sub -t a {cafile}")).run().fail(1);
    assert_says(&stderr, &["127.0.0.1 closed the connection during the TLS handshake", "--no-tls"]);
    peer.finish();
    let peer = ScriptedPeer::accepting(|client| client.expect("30 (`a` 'x') e0 ()"));
    peer.mq(&format!("pub -t a -m x {cafile} --no-tls")).run().succeed();
    peer.finish();
}

#[test]
fn a_silent_server_is_given_up() {
    let files = Files::new(&[("ca.pem", authority("Test CA").pem())]);
    let peer = ScriptedPeer::start(|peer| drop(peer.accept().expect_end()));
    let options = files.words("pub -t a -m x --connect-timeout 0.1 --cafile {}/ca.pem");
    assert_says(&peer.mq(&options).run().fail(1), &["within 0.1 s"]);
    peer.finish();
}

#[test]
fn files_that_are_not_certificates_are_reported_before_connecting() {
    let ca = authority("Test CA");
    let files = Files::new(&[
        ("ca.pem", ca.pem()),
        ("empty", String::new()),
        ("text", "hello\n".to_owned()),
        ("key", ca.key_pem()),
        ("damaged", ca.pem().replace("\n-----END", "AAAA\n-----END")),
    ]);
    std::fs::write(files.path("der"), &ca.der).unwrap();
    std::fs::create_dir(files.path("directory")).unwrap();
    for (options, parts) in [
        ("--cafile {}/empty", ["--cafile", "/empty: the file is empty"]),
        ("--cafile {}/text", ["--cafile", "/text: contains no certificate"]),
        ("--cafile {}/key", ["--cafile", "/key: contains a private key but not a certificate"]),
        ("--cafile {}/der", ["--cafile", "openssl x509 -inform der"]),
        ("--cafile {}/damaged", ["--cafile", "certificate 1 in it is damaged"]),
        ("--cafile {}/missing", ["--cafile", "/missing: cannot be read: No such file"]),
        ("--cafile {}/directory", ["--cafile", "this is a directory"]),
        (
            "--capath {}/directory",
            ["--capath", "/directory: no file in this directory contains a certificate"],
        ),
        ("--capath {}/ca.pem", ["--capath", "but found a file"]),
        ("--capath {}/missing", ["--capath", "No such file"]),
        ("--cafile {}/empty --insecure", ["--cafile", "empty"]),
        ("--cert {}/empty --key {}/key --cafile {}/ca.pem", ["--cert", "/empty"]),
        ("--cafile {}/ca.pem --tls-keylog {}/missing/log", ["--tls-keylog", "/missing/log"]),
    ] {
        assert_says(&mq(&format!("pub {NOWHERE} -t a -m x {}", files.words(options))).run().fail(1), &parts);
    }
}

#[test]
fn a_directory_is_searched_for_certificates() {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let files = Files::new(&[
        ("whatever", ca.pem()),
        ("README", "hello".into()),
        ("other", authority("Other CA").pem()),
    ]);
    let peer = TlsPeer::start(&[&server]);
    peer.mq(&files.words("pub -t a -m x --capath {}")).run().succeed();
    peer.finish();
}

#[cfg(target_os = "linux")]
#[test]
fn port_8883_means_tls_and_the_certificates_of_the_system() {
    // Any address of 127.0.0.0/8 is ours, and the process's number keeps this one free.
    let [.., a, b] = std::process::id().to_be_bytes();
    let host = format!("127.88.{a}.{b}");
    let ca = authority("Test CA");
    let server = ca.issue(named("broker", &[&host]));
    let files = Files::new(&[("ca.pem", ca.pem()), ("other.pem", authority("Other CA").pem())]);
    let publish = |words: &str, system: &str| {
        let peer = TlsPeer::start_on(format!("{host}:8883").parse().unwrap(), &[&server]);
        let line = files.words(&format!("pub -t a -m x -h {host} {words}"));
        let finished = mq(&line).env("SSL_CERT_FILE", files.path(system)).run();
        peer.finish();
        finished
    };
    publish("-p 8883", "ca.pem").succeed();
    publish("--tls-use-os-certs", "ca.pem").succeed();
    publish("--cafile {}/ca.pem", "other.pem").succeed();
    publish("--cafile {}/other.pem --tls-use-os-certs", "ca.pem").succeed();
    publish("--insecure", "other.pem").succeed();
    let parts = ["issued by CN=Test CA, which is not among the certificates of the operating system"];
    assert_says(&publish("-p 8883", "other.pem").fail(1), &parts);
    let stderr = publish("-p 8883 --cafile {}/other.pem", "ca.pem").fail(1);
    assert_says(&stderr, &["other.pem"]);
}

#[test]
fn a_system_without_certificates_is_reported() {
    let files = Files::new(&[("empty", String::new())]);
    let nothing = mq(&format!("pub {NOWHERE} -t a -m x --tls-use-os-certs"))
        .env("SSL_CERT_FILE", files.path("empty"))
        .env("SSL_CERT_DIR", files.path("missing"));
    assert_says(
        &nothing.run().fail(1),
        &["the operating system has no trusted certificates", "--cafile FILE"],
    );
}

#[test]
fn keys_are_read_in_every_form_or_reported() {
    let ca = authority("Test CA");
    let ann = ca.issue(named("ann", &[]));
    let other = ca.issue(named("eve", &[]));
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let files = Files::new(&[
        ("ca.pem", ca.pem()),
        ("ann.pem", ann.pem()),
        ("both", ann.pem() + &ann.key_pem()),
        ("encrypted", ann.encrypted_key_pem("secret")),
        ("password", "secret\n".to_owned()),
        ("wrong", "guess\n".to_owned()),
        ("old", old.to_owned()),
        ("other", other.key_pem()),
        ("text", "hello".to_owned()),
    ]);
    std::fs::write(files.path("der"), ann.key.serialized_der()).unwrap();
    let line =
        |options: &str| files.words(&format!("pub -t a -m x -h localhost --cafile {{}}/ca.pem {options}"));
    let server = ca.issue(server_params());
    let encrypted = "--cert {}/ann.pem --key {}/encrypted";
    for (options, password) in [
        ("--cert {}/both --key {}/both", ""),
        (&*format!("{encrypted} --key-password-file {{}}/password"), "ignored"),
        (encrypted, "secret"),
    ] {
        let peer = TlsPeer::demanding(&[&server], &ca);
        peer.mq(&line(options)).env("MQ_KEY_PASSWORD", password).run().succeed();
        peer.finish();
    }
    for (key, parts) in [
        ("encrypted", ["/encrypted", "--key-password-file FILE or the variable MQ_KEY_PASSWORD"]),
        ("encrypted --key-password-file {}/wrong", ["/encrypted", "the password of the key is wrong"]),
        ("encrypted --key-password-file {}/none", ["--key-password-file", "No such file"]),
        ("old", ["/old", "openssl pkcs8 -topk8"]),
        ("other", ["/other", "does not match the certificate CN=ann"]),
        ("text", ["/text", "no private key"]),
        ("ann.pem", ["/ann.pem", "contains a certificate but not a private key"]),
        ("der", ["/der", "openssl pkey -inform der"]),
    ] {
        let stderr = mq(&line(&format!("--cert {{}}/ann.pem --key {{}}/{key} -p 9"))).run().fail(1);
        let option = if parts[0].starts_with("--") { parts[0] } else { "--key" };
        assert_says(&stderr, &[&format!("mq pub: {option} {}", files.path("").display())]);
        assert_says(&stderr, &parts);
    }
}

/// `openssl` with these words, in which `{}` stands for the directory. `None` when it is not installed.
fn openssl(files: &Files, words: &str) -> Option<()> {
    let program = Program::new(broker::find("openssl")?);
    program.words(&files.words(words)).run().succeed();
    Some(())
}

/// The files of a client with an encrypted key.
fn files_with_encrypted_key() -> (Certificate, Files) {
    let ca = authority("Test CA");
    let ann = ca.issue(named("ann", &[]));
    let files = Files::new(&[
        ("ca.pem", ca.pem()),
        ("ann.pem", ann.pem()),
        ("encrypted", ann.encrypted_key_pem("secret")),
    ]);
    (ca, files)
}

#[test]
fn the_password_of_a_key_is_asked_for_once() {
    let (ca, files) = files_with_encrypted_key();
    let server = ca.issue(server_params());
    for command in ["pub -t a -n", "sub -t a -W 1"] {
        let peer = TlsPeer::demanding(&[&server], &ca);
        let options = files.words("--cafile {}/ca.pem --cert {}/ann.pem --key {}/encrypted");
        let words = format!("{command} -h localhost -p {} {options}", peer.address().port());
        let Some(mut running) = on_a_terminal(&format!("{} {words}", mq_path())) else { return };
        running.wait_for_part_of_stdout("password of ");
        running.write("secret\r");
        let text = String::from_utf8(running.finish().stdout).unwrap();
        assert_eq!(text.matches("password of ").count(), 1, "{command}: {text}");
        assert!(!text.contains("secret"), "{text}");
        peer.finish();
    }
}

#[test]
fn a_signal_at_the_prompt_for_the_password_of_a_key_leaves_the_terminal_as_it_was() {
    let (_ca, files) = files_with_encrypted_key();
    let options = files.words("-h localhost -p 9 --cafile {}/ca.pem --cert {}/ann.pem --key {}/encrypted");
    let links = tempfile::TempDir::new().unwrap();
    mq("install-links").arg(links.path()).run().succeed();
    let mosquitto = links.path().join("mosquitto_pub").display().to_string();
    let mq = mq_path();
    for (command, signal) in [
        (format!("{mq} sub -t a"), "key"),
        (format!("{mq} pub -t a -n"), "TERM"),
        (format!("{mq} inspect -t a"), "key"),
        (format!("{mq} bench -c 1"), "key"),
        (format!("{mosquitto} -t a -n"), "key"),
    ] {
        let line = format!("sh -c 'echo pid $$; exec {command} {options}'; echo status $?; stty -a");
        let Some(mut running) = on_a_terminal(&line) else { return };
        let pid = running.wait_for_stdout("pid ").trim_start_matches("pid ").trim().to_owned();
        running.wait_for_part_of_stdout("password of ");
        let status = if signal == "key" {
            running.write("\x03");
            130
        } else {
            kill(signal, &pid);
            143
        };
        let text = String::from_utf8(running.finish().stdout).unwrap();
        assert_says(&text, &[&format!("status {status}")]);
        for flag in ["echo", "icanon", "isig", "icrnl"] {
            assert!(text.split_whitespace().any(|word| word == flag), "{command}: {flag} in {text}");
        }
        assert_says(&text, &["quit = ^\\;"]);
    }
}

#[test]
fn keys_that_openssl_has_encrypted_are_decrypted() {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let ann = ca.issue(named("ann", &[]));
    let files = Files::new(&[
        ("ca.pem", ca.pem()),
        ("ann.pem", ann.pem()),
        ("ann.key", ann.key_pem()),
        ("password", "secret\n".to_owned()),
        ("wrong", "guess\n".to_owned()),
    ]);
    let secret = "-passout pass:secret -out {}/encrypted";
    for method in [
        "pkcs8 -topk8 -v2 des3",
        "pkcs8 -topk8 -v2 des3 -v2prf hmacWithSHA1",
        "pkcs8 -topk8 -v2 aes-128-cbc -v2prf hmacWithSHA1",
        "pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA512",
        "pkcs8 -topk8 -scrypt",
        "ec -des3",
        "ec -aes128",
        "ec -aes192",
        "ec -aes256",
    ] {
        if openssl(&files, &format!("{method} -in {{}}/ann.key {secret}")).is_none() {
            return;
        }
        let line = "pub -t a -m x -h localhost --cafile {}/ca.pem --cert {}/ann.pem --key {}/encrypted";
        let line = |password: &str| files.words(&format!("{line} --key-password-file {{}}/{password}"));
        let peer = TlsPeer::demanding(&[&server], &ca);
        peer.mq(&line("password")).run().succeed();
        peer.finish();
        let stderr = mq(&format!("{} -p 9", line("wrong"))).run().fail(1);
        assert_says(&stderr, &["--key", "/encrypted: the password of the key is wrong"]);
    }
}

#[test]
fn a_key_as_the_manual_of_mosquitto_makes_it_is_decrypted() {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let files = Files::new(&[("ca.pem", ca.pem()), ("password", "secret".to_owned())]);
    for form in ["", "-traditional"] {
        let made = openssl(&files, &format!("genrsa -des3 -passout pass:secret {form} -out {{}}/key 2048"));
        if made.is_none() {
            return;
        }
        let request = "req -x509 -new -key {}/key -passin pass:secret -subj /CN=ann -days 2 -out {}/cert";
        openssl(&files, request).unwrap();
        let peer = TlsPeer::start(&[&server]);
        let line = "pub -t a -m x -h localhost --cafile {}/ca.pem --cert {}/cert --key {}/key";
        let line = files.words(&format!("{line} --key-password-file {{}}/password"));
        peer.mq(&line).run().succeed();
        peer.finish();
    }
}

#[test]
fn files_of_other_kinds_are_named_by_their_kind() {
    let ca = authority("Test CA");
    let ann = ca.issue(named("ann", &[]));
    let section = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
    let files = Files::new(&[
        ("ca.pem", ca.pem()),
        ("ann.pem", ann.pem()),
        ("ann.key", ann.key_pem()),
        ("password", "secret".to_owned()),
        ("trusted", ca.pem().replace(" CERTIFICATE-", " TRUSTED CERTIFICATE-")),
        ("openssh", section("OPENSSH PRIVATE KEY")),
        ("request", section("CERTIFICATE REQUEST")),
        ("public", section("PUBLIC KEY")),
        ("pkcs7", section("PKCS7")),
        ("dsa", section("DSA PRIVATE KEY")),
    ]);
    std::fs::write(files.path("p12"), [0x30, 0x82, 0x01, 0x00, 0x02, 0x01, 0x03, 0x30]).unwrap();
    std::fs::write(files.path("jks"), [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2]).unwrap();
    let key = "--cert {}/ann.pem --key {}/";
    for (options, parts) in [
        ("--cafile {}/trusted", ["BEGIN TRUSTED CERTIFICATE", "openssl x509 -in FILE -out NEW"]),
        ("--cafile {}/p12", ["PKCS#12 file", "openssl pkcs12 -in FILE -out NEW"]),
        ("--cafile {}/pkcs7", ["PKCS#7 file", "openssl pkcs7 -print_certs"]),
        ("--cafile {}/request", ["/request", "certificate request"]),
        ("--cafile {}/openssh", ["/openssh", "OpenSSH"]),
        ("--cafile {}/jks", ["Java key store", "keytool"]),
        ("--cert {}/p12 --key {}/p12", ["--cert", "PKCS#12 file"]),
        (&format!("{key}p12"), ["--key", "PKCS#12 file"]),
        (&format!("{key}openssh"), ["OpenSSH", "ssh-keygen -p -m PKCS8 -f COPY"]),
        (&format!("{key}public"), ["--key", "public key"]),
        (&format!("{key}dsa"), ["--key", "DSA"]),
    ] {
        assert_says(&mq(&format!("pub {NOWHERE} -t a -m x {}", files.words(options))).run().fail(1), &parts);
    }
    for (method, hint) in [
        ("-v1 PBE-MD5-DES -provider legacy -provider default", "-provider default -provider legacy -in FILE"),
        ("-v1 PBE-SHA1-RC2-40 -provider legacy -provider default", "-provider default -provider legacy -in"),
        ("-v1 PBE-SHA1-3DES", "-v2 aes-256-cbc -in FILE -out NEW"),
    ] {
        let words = "-topk8 -in {}/ann.key -passout pass:secret -out {}/encrypted";
        let made = Program::new(match broker::find("openssl") {
            Some(path) => path,
            None => return,
        });
        if made.words(&files.words(&format!("pkcs8 {words} {method}"))).run().status != 0 {
            continue; // an OpenSSL without the legacy provider
        }
        let line = files.words(&format!("{key}encrypted --key-password-file {{}}/password"));
        let stderr = mq(&format!("pub {NOWHERE} -t a -m x {line}")).run().fail(1);
        assert_says(&stderr, &["/encrypted: the key is encrypted by a method that is not supported", hint]);
    }
}

#[test]
fn keys_and_signatures_that_are_not_supported_are_named() {
    let files = Files::new(&[("ext", "subjectAltName=DNS:localhost\n".to_owned())]);
    let ca = "req -x509 -new -nodes -days 2 -subj /CN=Root -keyout {}/ca.key -out {}/ca.pem";
    let request = "req -new -nodes -subj /CN=localhost -keyout {}/key -out {}/request";
    let sign = "x509 -req -days 2 -in {}/request -CA {}/ca.pem -CAkey {}/ca.key -set_serial 2 -extfile {}/ext -out {}/cert";
    let ec = "-newkey ec -pkeyopt ec_paramgen_curve";
    for (ca_key, key, digest, parts) in [
        (
            format!("{ec}:P-256"),
            format!("{ec}:P-256"),
            "sha512",
            ["CN=localhost is signed with SHA-512 and ECDSA", "hint:"],
        ),
        (
            format!("{ec}:P-521"),
            format!("{ec}:P-256"),
            "sha256",
            ["the trusted authority CN=Root has a key of P-521, which is not supported", "hint:"],
        ),
        (
            "-newkey rsa:1024".to_owned(),
            format!("{ec}:P-256"),
            "sha256",
            ["the trusted authority CN=Root has an RSA key of 1024 bits", "hint:"],
        ),
        (
            format!("{ec}:P-256"),
            format!("{ec}:P-256 -pkeyopt ec_param_enc:explicit"),
            "sha256",
            [
                "CN=localhost has a key of an elliptic curve with explicit parameters, which is not supported",
                "hint:",
            ],
        ),
    ] {
        if openssl(&files, &format!("{ca} {ca_key}")).is_none() {
            return;
        }
        openssl(&files, &format!("{request} {key}")).unwrap();
        openssl(&files, &format!("{sign} -{digest}")).unwrap();
        let Some(broker) = openssl_server(&files) else { return };
        let line = files.words("pub -t a -m x -h localhost --cafile {}/ca.pem");
        assert_says(&mq(&format!("{line} -p {}", broker.1)).run().fail(1), &parts);
    }
}

/// `openssl s_server` with the certificate and the key of a directory, and its port.
fn openssl_server(files: &Files) -> Option<(Running, u16)> {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let words =
        format!("s_server -accept 127.0.0.1:{} -cert {{}}/cert -key {{}}/key -naccept 2", free.port());
    let server = Program::new(broker::find("openssl")?).words(&files.words(&words)).open_stdin().spawn();
    wait_for_listener(free);
    Some((server, free.port()))
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    for (options, parts) in [
        ("--cert a", ["--cert", "--key"]),
        ("--key a", ["--key", "--cert"]),
        ("--keyform pem", ["--keyform", "--key"]),
        ("--cert a --key b --keyform engine", ["--keyform engine", "not supported"]),
        ("--cert a --key b --keyform der", ["--keyform", "der"]),
        ("--tls-engine pkcs11", ["--tls-engine", "not supported"]),
        ("--tls-engine-kpass-sha1 00", ["--tls-engine-kpass-sha1", "--tls-engine"]),
        ("--key-password-file a", ["--key-password-file", "--key"]),
        ("--psk 00 --psk-identity a --cafile b", ["--psk", "--cafile"]),
        ("--psk 00", ["--psk", "--psk-identity"]),
        ("--psk-identity a", ["--psk-identity", "--psk"]),
        ("--psk xy --psk-identity a", ["--psk", "hexadecimal"]),
        ("--psk 123 --psk-identity a", ["--psk", "hexadecimal"]),
        ("--tls-version tlsv1.1", ["tlsv1.1", "tlsv1.2"]),
        ("--tls-version 4", ["--tls-version", "tlsv1.3"]),
        ("--insecure --ciphers nonsense", ["nonsense", "ECDHE-RSA-AES128-GCM-SHA256"]),
        ("--insecure --ciphers !aNULL", ["--ciphers", "no supported suite"]),
        ("--insecure --tls-version tlsv1.3 --ciphers ECDHE", ["--ciphers", "TLS 1.3"]),
        ("--insecure --tls-alpn a,,b", ["--tls-alpn", "a,,b"]),
        ("--insecure --tls-hostname a_b..c", ["--tls-hostname", "a_b..c"]),
    ] {
        let stderr = mq(&format!("pub {NOWHERE} -t a -m x {options}")).run().fail(2);
        assert_says(&stderr, &parts);
    }
}

#[test]
fn secrets_are_logged_where_it_is_asked_for() {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let files = Files::new(&[("ca.pem", ca.pem())]);
    let log = files.path("log");
    for (options, variable, label) in [
        ("--tls-keylog {}/log", "", "CLIENT_HANDSHAKE_TRAFFIC_SECRET "),
        ("--ciphers TLS_AES_128_GCM_SHA256", "{}/log", "CLIENT_HANDSHAKE_TRAFFIC_SECRET "),
        ("--tls-keylog {}/log", "", "CLIENT_RANDOM "),
    ] {
        let peer = match label {
            "CLIENT_RANDOM " => TlsPeer::start_with(&TLS12, &[&server], None, |_| {}),
            _ => TlsPeer::start(&[&server]),
        };
        let before = std::fs::read_to_string(&log).unwrap_or_default();
        let line = files.words(&format!("pub -t a -m x --cafile {{}}/ca.pem {options}"));
        peer.mq(&line).env("SSLKEYLOGFILE", files.words(variable)).run().succeed();
        peer.finish();
        let after = std::fs::read_to_string(&log).unwrap();
        let added = after.strip_prefix(&before).expect("it is added to");
        assert!(added.contains(label), "{label} in {added}");
        assert!(
            added.lines().all(|line| line.split(' ').count() == 3),
            "three words in each line of {added}"
        );
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn messages_of_any_size_pass() {
    let files = Files::new(&[("ca.pem", String::new())]);
    let Some((broker, ca)) = mosquitto("") else { return };
    std::fs::write(files.path("ca.pem"), ca.pem()).unwrap();
    let cafile = files.words("--cafile {}/ca.pem");
    let payload: String = (0..300_000).map(|number| number.to_string()).collect();
    let subscriber = broker.subscriber(&format!("{cafile} -t a -C 2 -q 1"));
    broker.mq(&format!("pub {cafile} -t a -q 1 -s")).stdin(payload.as_bytes()).run().succeed();
    broker.mq(&format!("pub {cafile} -t a -q 1 -m end")).run().succeed();
    assert!(subscriber.finish().succeed() == format!("{payload}\nend\n"), "what was sent arrives");
}

#[test]
fn a_lost_connection_is_made_again_with_tls() {
    let Some((mut broker, ca)) = mosquitto("") else { return };
    let files = Files::new(&[("ca.pem", ca.pem())]);
    let cafile = files.words("--cafile {}/ca.pem");
    let mut subscriber = broker.subscriber(&format!("{cafile} -t a -C 1"));
    broker.kill();
    broker.restart();
    subscriber.wait_for_stderr("<- SUBACK");
    broker.mq(&format!("pub {cafile} -t a -m back -q 1")).run().succeed();
    assert_eq!(subscriber.finish().succeed(), "back\n");
}

#[test]
fn mosquitto_and_we_understand_each_other() {
    let Some((broker, ca)) = mosquitto("require_certificate true") else { return };
    let ann = ca.issue_version_1(named("ann", &[]));
    let eve = authority("Evil CA").issue(named("eve", &[]));
    let files = Files::new(&[
        ("ca.pem", ca.pem()),
        ("ann.pem", ann.pem()),
        ("ann.key", ann.key_pem()),
        ("eve.pem", eve.pem()),
        ("eve.key", eve.key_pem()),
    ]);
    for version in ["tlsv1.2 --ciphers ECDHE-ECDSA-AES128-GCM-SHA256", "tlsv1.3"] {
        let publish = |options: &str| {
            let options = files.words(&format!("--tls-version {version} --cafile {{}}/ca.pem {options}"));
            broker.mq(&format!("pub -q 1 -t a -m x {options}")).run()
        };
        publish("--cert {}/ann.pem --key {}/ann.key").succeed();
        assert_says(&publish("").fail(1), &["requires a client certificate", "--cert"]);
        let load = format!("bench conn -c 1 --tls-version {version} --cafile {{}}/ca.pem");
        let report = broker.mq(&files.words(&load)).run().stdout;
        let report = String::from_utf8_lossy(&report);
        assert!(report.contains("requires a client certificate") && !report.contains("lost"), "{report}");
        let parts =
            ["rejected the client certificate CN=eve (issued by CN=Evil CA)", "does not know the issuer"];
        assert_says(&publish("--cert {}/eve.pem --key {}/eve.key").fail(1), &parts);
    }
}

#[cfg(feature = "psk")]
#[test]
fn a_shared_key_works_instead_of_certificates() {
    let configuration = "psk_hint hint\npsk_file {directory}/keys";
    let Some(broker) = Mosquitto::start_with_files(configuration, &[("keys", "ann:c0ffee00\n")]) else {
        return;
    };
    let files = Files::new(&[]);
    let subscriber = broker.subscriber("--psk C0FFEE00 --psk-identity ann -t a -C 1");
    let log = files.words("--tls-keylog {}/log");
    broker
        .mq(&format!("pub --psk c0ffee00 --psk-identity ann -t a -s -q 1 {log}"))
        .stdin("x".repeat(100_000))
        .run()
        .succeed();
    assert_eq!(subscriber.finish().succeed().trim_end().len(), 100_000);
    assert_says(&std::fs::read_to_string(files.path("log")).unwrap(), &["CLIENT_RANDOM "]);
    for options in ["--psk c0ffee01 --psk-identity ann", "--psk c0ffee00 --psk-identity eve"] {
        let stderr = broker.mq(&format!("pub -t a -m x {options}")).run().fail(1);
        assert_says(&stderr, &["127.0.0.1 rejected the pre-shared key of", &options[options.len() - 3..]]);
    }
    let options = "pub --psk c0ffee00 --psk-identity ann -t a -m x --ciphers nonsense";
    assert_says(&broker.mq(options).run().fail(2), &["--ciphers", "nonsense"]);
}

#[cfg(feature = "psk")]
#[test]
fn a_shared_key_is_not_sent_to_peers_without_tls() {
    let Some(broker) = Mosquitto::start() else { return };
    let stderr = broker.mq("pub --psk c0ffee00 --psk-identity ann -t a -m x").run().fail(1);
    assert_says(&stderr, &["127.0.0.1 closed the connection during the TLS handshake"]);
}

#[cfg(not(feature = "psk"))]
#[test]
fn a_build_without_shared_keys_says_so() {
    let stderr = mq(&format!("pub {NOWHERE} -t a -m x --psk 00ff --psk-identity ann")).run().fail(2);
    assert_says(&stderr, &["--psk", "cargo install mqkit --features psk"]);
}

#[test]
fn a_plain_listener_of_mosquitto_is_reported() {
    let Some(broker) = Mosquitto::start() else { return };
    let files = Files::new(&[("ca.pem", authority("Test CA").pem())]);
    let stderr = broker.mq(&files.words("pub -t a -m x --cafile {}/ca.pem")).run().fail(1);
    assert_says(&stderr, &["127.0.0.1 closed the connection during the TLS handshake", "plain MQTT"]);
}

/// mosquitto with a certificate of version 1, as its manual has it, and with the authority.
fn mosquitto(configuration: &str) -> Option<(Mosquitto, Certificate)> {
    let ca = authority("Test CA");
    let server = ca.issue_version_1(named("127.0.0.1", &[]));
    let files = [("ca.pem", ca.pem()), ("server.pem", server.pem()), ("server.key", server.key_pem())];
    let files = files.each_ref().map(|(name, content)| (*name, content.as_str()));
    let tls = "cafile {directory}/ca.pem\ncertfile {directory}/server.pem\nkeyfile {directory}/server.key";
    let broker = Mosquitto::start_with_files(&format!("{tls}\n{configuration}"), &files)?;
    Some((broker, ca))
}

#[test]
fn key_exchange_groups_and_signature_schemes_can_be_chosen() {
    let ca = authority("Test CA");
    let files = Files::new(&[("ca.pem", ca.pem())]);
    for (options, group) in [
        ("", "X25519"),
        ("--tls-groups P-384", "secp384r1"),
        ("--tls-groups secp256r1:x25519 --tls-version tlsv1.3", "secp256r1"),
        ("--tls-signatures ECDSA+SHA256:rsa_pss_rsae_sha256", "X25519"),
    ] {
        let server = TlsPeer::start(&[&ca.issue(server_params())]);
        let words = format!("pub -t a -m x -h localhost --cafile {} {options}", files.words("{}/ca.pem"));
        server.mq(&words).run().succeed();
        assert_eq!(
            server.finish().group.and_then(|group| group.as_str().map(str::to_owned)).as_deref(),
            Some(group)
        );
    }
}

#[test]
fn signatures_of_tls_1_2_alone_select_tls_1_2() {
    let ca = authority("Test CA");
    let files = Files::new(&[("ca.pem", ca.pem())]);
    let options = files.words("-t a -m x --cafile {}/ca.pem --tls-signatures RSA+SHA256");
    let server = TlsPeer::start(&[&ca.issue(server_params())]);
    // The server's key is of the curve P-256.
    assert_says(&server.mq(&format!("pub -h localhost {options}")).run().fail(1), &["signatures"]);
    server.finish();
    let finished = mq(&format!("pub {NOWHERE} {options} --tls-version tlsv1.3")).run();
    let problem =
        "--tls-signatures: none of the signature schemes can be used in TLS 1.3, which alone is offered";
    assert_says(&finished.fail(2), &[problem]);
}

#[test]
fn names_of_groups_and_schemes_are_checked() {
    for (options, parts) in [
        ("--tls-groups x448", &["unknown \"x448\": expected x25519, secp256r1 or secp384r1"][..]),
        ("--tls-groups secp256r2", &["did you mean 'secp256r1'?"]),
        ("--tls-groups x25519,,", &["unknown \"\""]),
        ("--tls-groups P-256:secp256r1", &["duplicate secp256r1"]),
        ("--tls-signatures ecdsa_secp256_sha256", &["expected ecdsa_secp256r1_sha256, ", "did you mean"]),
        ("--tls-groups x25519 --psk 00 --psk-identity a", &["--tls-groups is for TLS with certificates"]),
    ] {
        assert_says(&mq(&format!("pub {NOWHERE} -t a -m x {options}")).run().fail(2), parts);
    }
}

/// Signs with ECDSA and SHA-256, whatever the client offers.
#[derive(Debug)]
struct Stubborn(Arc<dyn SigningKey>);

impl SigningKey for Stubborn {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        self.0.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256])
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

#[test]
fn a_signature_that_was_not_offered_is_refused() {
    let ca = authority("Test CA");
    let files = Files::new(&[("ca.pem", ca.pem())]);
    for version in [&TLS12, &TLS13] {
        for trust in ["--cafile {}/ca.pem", "--insecure"] {
            let certificate = ca.issue(server_params());
            let key = rustls::crypto::ring::sign::any_supported_type(&certificate.key_der()).unwrap();
            let certified = CertifiedKey::new(vec![certificate.der.clone()], Arc::new(Stubborn(key)));
            let server = TlsPeer::start_with(version, &[&certificate], None, |config| {
                config.cert_resolver = Arc::new(SingleCertAndKey::from(certified));
            });
            let words = format!("pub -h localhost -t a -m x {} --tls-signatures ed25519", files.words(trust));
            let stderr = server.mq(&words).run().fail(1);
            assert_says(&stderr, &["the server broke the rules of TLS", "unadvertised"]);
            server.finish();
        }
    }
}
