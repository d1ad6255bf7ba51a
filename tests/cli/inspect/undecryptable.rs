//! TLS connections that cannot be decrypted, and the reason in the output.

use super::*;
use crate::support::capture::capture;

/// The client random of the ClientHello below.
const RANDOM: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A ClientHello without extensions, in one record.
fn client_hello() -> String {
    format!("> {}", record(&format!("01 00 00 ( 0303 {RANDOM} 00 0002 1301 01 00 00 ( ) )")))
}

/// A ServerHello of this version, with TLS_AES_128_GCM_SHA256 and without extensions.
fn server_hello(version: &str) -> String {
    format!("< {}", record(&format!("02 00 00 ( {version} {} 00 1301 00 )", "bb".repeat(32))))
}

fn record(message: &str) -> String {
    format!("16 0303 00 ( {message} )")
}

/// The reason for the only connection, which is captured as in the script. The key log has a secret for its client random.
fn reason(script: &str) -> String {
    let keys = tempfile::NamedTempFile::new().unwrap();
    let secret = "cc".repeat(32);
    std::fs::write(keys.path(), format!("CLIENT_HANDSHAKE_TRAFFIC_SECRET {RANDOM} {secret}\n")).unwrap();
    let program = mq("inspect --format json --tls-keylog").arg(keys.path()).stdin(capture(script));
    let objects = objects(&program.run().succeed());
    assert_eq!(objects.len(), 1, "{objects:?}");
    assert_eq!((&objects[0]["event"], &objects[0]["protocol"]), (&"foreign".into(), &"tls".into()));
    objects[0]["text"].as_str().unwrap().to_owned()
}

#[test]
fn an_alert_that_ends_the_handshake_is_the_reason() {
    let script = format!("{}\n< 15 0303 0002 0228", client_hello());
    assert_eq!(reason(&script), "the handshake failed: the server sent HandshakeFailure");
}

#[test]
fn an_alert_in_the_clear_is_the_reason_without_a_key_log_too() {
    let shown = |script: &str| mq("inspect").stdin(capture(script)).run().succeed();
    let (client, server) = (client_hello(), server_hello("0303"));
    let tls13 = format!("{client}\n{server}\n< 17 0303 0004 00000000\n> 15 0303 0002 0230\nclose");
    assert!(shown(&tls13).ends_with(": TLS; the handshake failed: the client sent UnknownCA\n"));
    // Split at any byte; warnings do not end a handshake.
    let split = format!("{client}\n< 15\n< 0303 00\n< 02 0170\n< 15 0303 0002 02\n< 46\nclose");
    assert!(shown(&split).ends_with(": TLS; the handshake failed: the server sent ProtocolVersion\n"));
    let unknown = format!("{client}\n< 15 0303 0002 02fe\nclose");
    assert!(shown(&unknown).ends_with(": TLS; the handshake failed: the server sent alert 254\n"));
    let advice = ": TLS; --tls-keylog FILE decrypts it\n";
    for encrypted in ["> 17 0303 0004 00000000\n< 15 0303 0002 0228", "> ff", ""] {
        let script = format!("{client}\n{server}\n{encrypted}\nclose");
        assert!(shown(&script).ends_with(advice), "{encrypted}");
    }
}

#[test]
fn an_unsupported_version_is_the_reason() {
    let script = format!("{}\n{}", client_hello(), server_hello("0302"));
    assert_eq!(reason(&script), "unsupported version: TLSv1_1; only TLS 1.2 and 1.3 can be decrypted");
}

#[test]
fn a_missing_server_hello_is_the_reason() {
    let script = format!("{}\n> 17 0303 0004 00000000", client_hello());
    assert_eq!(reason(&script), "the handshake was not captured");
}
