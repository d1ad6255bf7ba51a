//! Azure IoT Hub: what follows from the device, signatures that are made of a key, and the few topics that there are.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use ring::hmac;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

const HUB: &str = "contoso.azure-devices.net";
const KEY: &[u8] = b"a key of a device that is secret";

/// An IoT hub with one device, `d1`, and a module on it, by "Communicate with an IoT hub using the MQTT protocol".
#[derive(Default)]
struct IotHub {
    /// It ends each connection after the first message, as when a signature expires.
    ends_after_message: bool,
    /// When the signatures of the connections so far expire.
    expiries: Arc<Mutex<Vec<String>>>,
}

impl Rules for IotHub {
    fn connect(&self, way: &Way, connect: &Connect) -> Result<Vec<u8>, Vec<u8>> {
        if connect.level != 4 {
            return Err(connack(1));
        }
        let (id, resource) = match connect.client_id.as_str() {
            "d1" => ("d1", format!("{HUB}/devices/d1")),
            "d1/m1" => ("d1/m1", format!("{HUB}/devices/d1/modules/m1")),
            _ => return Err(connack(5)),
        };
        let expiry = connect.password.as_deref().and_then(|token| token.split("&se=").nth(1));
        self.expiries.lock().unwrap().extend(expiry.map(str::to_owned));
        let is_named = connect.username.as_deref() == Some(&format!("{HUB}/{id}/?api-version=2021-04-12"));
        let is_signed = connect.password.as_deref().is_some_and(|token| is_signed(token, &resource));
        match way.port == 8883 && is_named && (is_signed || way.has_certificate) {
            true => Ok(connack(0)),
            false => Err(connack(5)),
        }
    }

    fn takes(&self, message: &Message) -> bool {
        let known = [
            "devices/d1/messages/events/",
            "devices/d1/modules/m1/messages/events/",
            "$iothub/twin/GET/?$rid=",
        ];
        message.qos < 2
            && message.length <= 256 * 1024
            && known.iter().any(|known| message.topic.starts_with(known))
    }

    fn takes_filters(&self, filters: &[(String, u8)]) -> bool {
        let known = ["devices/d1/messages/devicebound/#", "devices/d1/modules/m1/#", "$iothub/twin/res/#"];
        filters.len() <= 5 && filters.iter().all(|(filter, _)| known.contains(&filter.as_str()))
    }

    fn ends_after_message(&self) -> bool {
        self.ends_after_message
    }
}

/// Whether a token is good: signed for the resource with the key, which another library checks, and not expired.
fn is_signed(token: &str, resource: &str) -> bool {
    let fields = token.strip_prefix("SharedAccessSignature ").unwrap();
    let field = |name: &str| fields.split('&').find_map(|field| field.strip_prefix(name)).unwrap();
    let decoded = |text| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let (encoded, expiry) = (field("sr="), field("se="));
    let signature = STANDARD.decode(decoded(field("sig="))).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY);
    let is_genuine = hmac::verify(&key, format!("{encoded}\n{expiry}").as_bytes(), &signature).is_ok();
    is_genuine && decoded(encoded) == resource && expiry.parse::<u64>().unwrap() > now()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn hub() -> Hosted {
    Hosted::start(HUB, IotHub::default())
}

fn key_file(hub: &Hosted) -> String {
    hub.file("device.key", &format!("{}\n", STANDARD.encode(KEY))).display().to_string()
}

#[test]
fn a_device_and_its_key_are_enough() {
    let hub = hub();
    let key = key_file(&hub);
    hub.mq(&format!("pub --preset azure-iothub --device d1 --sas-key-file {key} -m x -q 1")).run().succeed();
    assert_eq!(hub.log()[0], format!("CONNECT {HUB}:8883"));
    assert_says(
        &hub.log()[1],
        &["level 4 client \"d1\" user contoso.azure-devices.net/d1/?api-version=2021-04-12"],
    );
    assert_says(&hub.log()[2], &["topic: \"devices/d1/messages/events/\", qos: 1"]);
}

#[test]
fn a_connection_string_says_hub_and_device() {
    for (device, topic) in [("d1", "devices/d1/"), ("d1;ModuleId=m1", "devices/d1/modules/m1/")] {
        let hub = hub();
        let text = format!("HostName={HUB};DeviceId={device};SharedAccessKey={}", STANDARD.encode(KEY));
        let file = hub.file("connection", &text).display().to_string();
        hub.without_host(&format!("pub --preset azure-iothub --sas-key-file {file} -m x")).run().succeed();
        assert_says(&hub.log()[2], &[&format!("topic: \"{topic}messages/events/\"")]);
    }
}

#[test]
fn a_module_has_names_of_its_own() {
    let hub = hub();
    let key = key_file(&hub);
    let preset = format!("--preset azure-iothub --device d1/m1 --sas-key-file {key}");
    hub.mq(&format!("sub {preset} -E")).run().succeed();
    assert_says(&hub.log()[1], &["client \"d1/m1\" user contoso.azure-devices.net/d1/m1/?api"]);
    assert_eq!(hub.log()[2..], ["SUBSCRIBE 1", "DISCONNECT"]);
}

#[test]
fn every_connection_has_a_new_signature() {
    let expiries = Arc::new(Mutex::new(Vec::new()));
    let hub = Hosted::start(HUB, IotHub { ends_after_message: true, expiries: expiries.clone() });
    let key = key_file(&hub);
    let words =
        format!("pub --preset azure-iothub --device d1 --sas-key-file {key} --sas-lifetime 600 -l -q 1");
    let mut publisher = hub.mq(&words).open_stdin().spawn();
    let deadline = Instant::now() + DEADLINE;
    // They are told apart by the second in which they were made.
    while expiries.lock().unwrap().iter().collect::<BTreeSet<_>>().len() < 2 {
        assert!(Instant::now() < deadline, "{:?}", expiries.lock().unwrap());
        publisher.write("a line\n");
        publisher.wait_for_stderr("connecting again");
    }
    publisher.close_stdin();
    publisher.finish().expect_status(0);
}

#[test]
fn a_certificate_needs_no_key() {
    let hub = hub();
    hub.mq("pub --preset azure-iothub --device d1 {certificate} -m x").run().succeed();
    assert_says(&hub.log()[1], &["no ALPN certificate"]);
}

#[test]
fn a_signature_of_elsewhere_is_sent_unless_it_has_expired() {
    let hub = hub();
    let resource = format!("{HUB}%2Fdevices%2Fd1");
    let token = |expiry: u64| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, KEY);
        let signature = STANDARD.encode(hmac::sign(&key, format!("{resource}\n{expiry}").as_bytes()));
        let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        format!("SharedAccessSignature sr={resource}&sig={signature}&se={expiry}")
    };
    let words = "pub --preset azure-iothub --device d1 -m x --password-file";
    let file = hub.file("old", &token(1_700_000_000));
    let refused = hub.mq(words).arg(&file).run().fail(2);
    assert_says(&refused, &["SAS token that expired at 2023-11-14T22:13:20Z", "days ago", "--sas-key-file"]);
    hub.assert_untouched();
    let file = hub.file("new", &token(now() + 600));
    hub.mq(words).arg(&file).run().succeed();
}

#[test]
fn messages_beyond_a_hub_s_limits_are_refused_before_sending() {
    for (words, parts) in [
        (
            "pub -t a/b -m x",
            &[
                "cannot publish to a/b",
                "does not support this topic",
                "devices/d1/messages/events/, $iothub/twin/GET",
            ][..],
        ),
        ("pub -t devices/d2/messages/events/ -m x", &["does not support this topic"]),
        ("pub -m x -q 2", &["does not support QoS 2 (--preset azure-iothub)"]),
        ("pub -m x -V 5", &["does not support MQTT 5"]),
        ("pub -m x -k 1178", &["a keep alive of at most 1177 s"]),
        (
            "sub -t #",
            &["cannot subscribe to #", "does not support this filter", "devices/d1/messages/devicebound/#"],
        ),
        ("pub -m x --will-topic a", &["the will", "does not support this topic"]),
        ("pub -m x -i other", &["-i other", "d1"]),
        ("pub -m x -I other", &["-I other", "d1"]),
        ("bench pub -c 2", &["one connection per device"]),
    ] {
        let hub = hub();
        let key = key_file(&hub);
        let preset = format!("--preset azure-iothub --device d1 --sas-key-file {key}");
        assert_says(&hub.mq(&format!("{words} {preset}")).run().fail(2), parts);
        hub.assert_untouched();
    }
}

#[test]
fn a_payload_over_256_KB_is_refused() {
    let hub = hub();
    let key = key_file(&hub);
    let words = format!("pub --preset azure-iothub --device d1 --sas-key-file {key} -s");
    let refused = hub.mq(&words).stdin(vec![b'x'; 256 * 1024 + 1]).run().fail(2);
    assert_says(&refused, &["payloads of at most 262144 bytes, not 262145"]);
    hub.mq(&words).stdin(vec![b'x'; 256 * 1024]).run().succeed();
}

#[test]
fn the_effect_of_retain_on_a_hub_is_reported() {
    let hub = hub();
    let key = key_file(&hub);
    let words = format!("pub --preset azure-iothub --device d1 --sas-key-file {key} -m x -r");
    let finished = hub.mq(&words).run();
    assert_says(&finished.stderr, &["Azure IoT Hub does not retain messages; RETAIN only marks them"]);
    finished.expect_status(0);
}

#[test]
fn an_invalid_key_is_reported_without_showing_it() {
    let hub = hub();
    for (content, part) in [
        ("secret!", "not a key"),
        ("HostName=h;DeviceId=d1", "no SharedAccessKey"),
        ("SharedAccessSignature sr=a&sig=secret&se=1", "a token, not a key"),
        ("", "not a key"),
    ] {
        let file = hub.file("bad", content).display().to_string();
        let words = format!("pub --preset azure-iothub --device d1 --sas-key-file {file} -m x");
        let failed = hub.mq(&words).run().fail(1);
        assert_says(&failed, &["--sas-key-file", "bad", part]);
        assert!(!failed.contains("secret"), "{failed}");
    }
    let missing =
        hub.mq("pub --preset azure-iothub --device d1 --sas-key-file /nonexistent -m x").run().fail(1);
    assert_says(&missing, &["cannot read /nonexistent"]);
    hub.assert_untouched();
}

#[test]
fn missing_and_contradicting_options_are_named() {
    let hub = hub();
    let key = key_file(&hub);
    let of_other = format!("HostName={HUB};DeviceId=d2;SharedAccessKey={}", STANDARD.encode(KEY));
    let of_other = hub.file("other", &of_other).display().to_string();
    for (words, part) in [
        (format!("--sas-key-file {key}"), "needs --device ID"),
        ("--device d1".to_owned(), "needs --sas-key-file FILE, --cert"),
        ("--device d1 -P hunter2".to_owned(), "begins with 'SharedAccessSignature'"),
        (format!("--device d1 --sas-key-file {of_other}"), "connection string in --sas-key-file is for d2"),
        (format!("--device d1 --sas-key-file {key} --authorizer a"), "--authorizer is for --preset aws"),
        ("--device d/e/f".to_owned(), "DEVICE/MODULE"),
    ] {
        let failed = hub.mq(&format!("pub --preset azure-iothub -m x {words}")).run().fail(2);
        assert_says(&failed, &[part]);
        assert!(!failed.contains("hunter2"), "{failed}");
    }
    hub.assert_untouched();
}

#[test]
fn the_web_socket_is_where_hubs_have_it() {
    for (certificate, path) in
        [("", "$iothub/websocket?iothub-no-client-cert=true"), ("{certificate}", "$iothub/websocket")]
    {
        let hub = hub();
        let key = key_file(&hub);
        let words =
            format!("pub --preset azure-iothub --device d1 --sas-key-file {key} --ws -m x {certificate}");
        hub.mq(&words).run().expect_status(1);
        assert_eq!(
            hub.log(),
            [format!("CONNECT {HUB}:443"), format!("GET /{path} HTTP/1.1\r")]
                .map(|line| line.trim().to_owned())
        );
    }
}

#[test]
fn a_refusal_gets_a_hint() {
    let hub = hub();
    let key = hub.file("wrong", &STANDARD.encode(b"another key")).display().to_string();
    let words = format!("pub --preset azure-iothub --device d1 --sas-key-file {key} -m x");
    assert_says(
        &hub.mq(&words).run().fail(5),
        &["not authorized", "hint: an IoT hub rejects expired tokens"],
    );
    let words = "pub -p 8883 -V 5 -t a -m x";
    assert_says(&hub.mq(words).run().fail(5), &["hint: IoT hubs support MQTT 3.1.1 only"]);
}
