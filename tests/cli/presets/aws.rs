//! AWS IoT Core: certificates and custom authorizers, ports and ALPN, and its quotas.

use super::*;

const ENDPOINT: &str = "a1b2c3-ats.iot.eu-west-1.amazonaws.com";

/// AWS IoT Core, by "Protocols, port mappings, and authentication" and its quotas.
struct IotCore;

impl Rules for IotCore {
    fn connect(&self, way: &Way, connect: &Connect) -> Result<Vec<u8>, Vec<u8>> {
        let is_known = way.server_name.as_deref() == Some(ENDPOINT) && way.host == ENDPOINT;
        let authorizer = connect.username.as_deref().unwrap_or_default();
        let has_authorizer =
            authorizer.contains("?x-amz-customauthorizer-name=door") && connect.password.is_some();
        let is_let_in = match (way.port, way.alpn.as_deref()) {
            (8883, None) => way.has_certificate,
            (443, Some("x-amzn-mqtt-ca")) => way.has_certificate,
            (443, Some("mqtt")) => has_authorizer,
            _ => false,
        };
        let fits = connect.client_id.len() <= 128 && connect.keep_alive <= 1200 && connect.method.is_none();
        match is_known && is_let_in && fits {
            true if connect.level == 5 => Ok(connack_v5(0)),
            true => Ok(connack(0)),
            false => Err(Vec::new()),
        }
    }

    fn takes(&self, message: &Message) -> bool {
        let is_reserved = message.topic.starts_with("$aws/") && message.is_retained;
        message.qos < 2 && message.length <= 128 * 1024 && fits(&message.topic) && !is_reserved
    }

    fn takes_filters(&self, filters: &[(String, u8)]) -> bool {
        filters.len() <= 8 && filters.iter().all(|(filter, qos)| *qos < 2 && fits(filter))
    }
}

fn fits(topic: &str) -> bool {
    topic.len() <= 256 && topic.matches('/').count() <= 7
}

fn iot_core() -> Hosted {
    Hosted::start(ENDPOINT, IotCore)
}

#[test]
fn certificates_go_to_8883_without_ALPN_and_to_443_with_it() {
    for (port, line) in [("", "8883 no ALPN"), ("-p 443", "443 x-amzn-mqtt-ca")] {
        let aws = iot_core();
        aws.mq(&format!("pub --preset aws {{certificate}} {port} -i d -t a/b -m x -q 1")).run().succeed();
        let (port, way) = line.split_once(' ').unwrap();
        assert_eq!(
            aws.log(),
            [
                format!("CONNECT {ENDPOINT}:{port}"),
                format!("level 4 client \"d\" user nobody keep alive 60 {ENDPOINT} {way} certificate"),
                "Message { topic: \"a/b\", qos: 1, is_retained: false, length: 1 }".to_owned(),
                "DISCONNECT".to_owned(),
            ]
        );
    }
}

#[test]
fn custom_authorizers_go_to_443_and_are_named_in_the_user_name() {
    let aws = iot_core();
    aws.mq("pub --preset aws --authorizer door -u ann -P secret -i d -t a -m x -V 5").run().succeed();
    let user = "user ann?x-amz-customauthorizer-name=door";
    assert_eq!(aws.log()[0], format!("CONNECT {ENDPOINT}:443"));
    assert_says(&aws.log()[1], &["level 5", user, "mqtt no certificate"]);
    let aws = iot_core();
    let words = "pub --preset aws --authorizer door -u ann?token=t -P secret -i d -t a -m x";
    aws.mq(words).run(); // this authorizer wants its name first, and lets nobody in
    assert_says(&aws.log()[1], &["user ann?token=t&x-amz-customauthorizer-name=door"]);
}

#[test]
fn messages_beyond_the_limits_of_AWS_are_refused_before_sending() {
    let long_topic = "t".repeat(257);
    let long_id = "i".repeat(129);
    for (words, parts) in [
        ("pub -t a -m x -q 2", &["cannot publish to a", "does not support QoS 2 (--preset aws)"][..]),
        ("pub -t a/b/c/d/e/f/g/h/i -m x", &["at most 7 slashes in a topic, not 8"]),
        (&format!("pub -t {long_topic} -m x"), &["at most 256 bytes, not 257"]),
        ("pub -t $SYS/a -m x", &["begin with $"]),
        ("pub -t $aws/things/t/shadow/update -r -m x", &["does not retain messages below $aws/"]),
        (&format!("pub -t a -m x -i {long_id}"), &["client identifiers of at most 128 bytes, not 129"]),
        ("pub -t a -m x -k 1201", &["keep alive of at most 1200 s, not 1201"]),
        ("pub -t a -m x -V 31", &["does not support MQTT 3.1"]),
        ("pub -t a -m x --auth-method OAUTH2-JWT", &["does not support enhanced authentication"]),
        ("pub -t a -m x --will-topic b --will-qos 2", &["the will", "does not support QoS 2"]),
        ("pub -t a --stdin-line -q 2", &["does not support QoS 2"]),
        ("sub -t a -q 2", &["cannot subscribe to a", "does not support QoS 2"]),
        ("sub -t a/b/c/d/e/f/g/h/#", &["7 slashes"]),
        (
            "sub -t a -V 5 -D subscribe subscription-identifier 1",
            &["does not support subscription identifiers"],
        ),
        ("rr -t a -n -q 2", &["does not support QoS 2"]),
        ("rr -t a -n -e a/b/c/d/e/f/g/h/i", &["cannot subscribe to a/b/", "7 slashes"]),
        ("inspect -t a -q 2", &["does not support QoS 2"]),
    ] {
        let aws = iot_core();
        let finished = aws.mq(&format!("{words} --preset aws {{certificate}}")).run();
        assert_says(&finished.fail(2), parts);
        aws.assert_untouched();
    }
}

#[test]
fn a_payload_over_128_KB_is_refused() {
    let aws = iot_core();
    let words = "pub --preset aws {certificate} -i d -t a -q 1 -s";
    let refused = aws.mq(words).stdin(vec![b'x'; 128 * 1024 + 1]).run().fail(2);
    assert_says(&refused, &["AWS IoT Core accepts payloads of at most 131072 bytes, not 131073"]);
    aws.assert_untouched();
    aws.mq(words).stdin(vec![b'x'; 128 * 1024]).run().succeed();
}

#[test]
fn lines_of_input_are_checked_one_by_one() {
    let aws = iot_core();
    let lines = [r#"{"topic":"a/b","payload":"x"}"#, r#"{"topic":"1/2/3/4/5/6/7/8/9","payload":"x"}"#, ""];
    let words = "pub --preset aws {certificate} -i d --ndjson -q 1";
    let failed = aws.mq(words).stdin(lines.join("\n")).run().fail(3);
    assert_says(&failed, &["cannot publish to 1/2/3/4/5/6/7/8/9", "at most 7 slashes in a topic, not 8"]);
    let log = aws.log();
    assert_eq!(log.iter().filter(|line| line.starts_with("Message")).count(), 1, "{log:?}");
    assert!(!log.contains(&"closed".to_owned()), "{log:?}");
}

#[test]
fn more_than_eight_filters_take_several_packets() {
    let aws = iot_core();
    let filters: Vec<String> = (0..19).map(|number| format!("-t f/{number}")).collect();
    let words = format!("sub --preset aws {{certificate}} -i d -E {}", filters.join(" "));
    aws.mq(&words).run().succeed();
    assert_eq!(aws.log()[2..], ["SUBSCRIBE 8", "SUBSCRIBE 8", "SUBSCRIBE 3", "DISCONNECT"]);
    let aws = iot_core();
    let words = format!("inspect --preset aws {{certificate}} -i d -W 1 {}", filters.join(" "));
    aws.mq(&words).run();
    assert_eq!(aws.log()[2..5], ["SUBSCRIBE 8", "SUBSCRIBE 8", "SUBSCRIBE 3"]);
}

#[test]
fn kept_messages_do_not_come_by_wildcards() {
    let aws = iot_core();
    let words = "sub --preset aws {certificate} -i d --retained-only -t a/#";
    let finished = aws.mq(words).run();
    assert_says(&finished.stderr, &["sends no kept messages to filters with wildcards, as a/#"]);
    finished.expect_status(0);
}

#[test]
fn missing_options_are_named() {
    let aws = iot_core();
    for (words, parts) in [
        ("pub -t a -m x", &["--cert FILE and --key FILE, -u NAME", "or --ws and an access key"][..]),
        ("pub -t a -m x {certificate} --ws", &["certificates over WebSocket"]),
        ("pub -t a -m x {certificate} --no-tls", &["--no-tls", "requires TLS"]),
    ] {
        assert_says(&aws.mq(&format!("{words} --preset aws")).run().fail(2), parts);
    }
    let nowhere = aws.without_host("pub -t a -m x {certificate} --preset aws").run().fail(2);
    assert_says(&nowhere, &["needs -h HOST", "-ats.iot.REGION.amazonaws.com"]);
    let plain = aws.without_host(&format!("pub -L mqtt://{ENDPOINT}/a -m x {{certificate}} --preset aws"));
    assert_says(&plain.run().fail(2), &["-L", "mqtts://"]);
    let address = aws.without_host("pub -h 127.0.0.1 -t a -m x {certificate} --preset aws").run().fail(2);
    assert_says(&address, &["-h 127.0.0.1", "SNI", "--tls-hostname"]);
    aws.assert_untouched();
}

#[test]
fn a_URL_says_the_same() {
    let aws = iot_core();
    let url = format!("mqtts://{ENDPOINT}:443/a/b");
    aws.without_host(&format!("pub -L {url} -m x -i d --preset aws {{certificate}}")).run().succeed();
    assert_says(&aws.log()[1], &["x-amzn-mqtt-ca certificate"]);
}

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// Whether a request's query is signed with the key, by the documented steps and another library.
fn is_signed(target: &str, token: &str) -> bool {
    let (path, query) = target.split_once('?').unwrap();
    let (signed, rest) = query.split_once("&X-Amz-Signature=").unwrap();
    let (signature, session) = rest.split_once("&X-Amz-Security-Token=").unwrap_or((rest, ""));
    let field = |name: &str| signed.split('&').find_map(|field| field.strip_prefix(name)).unwrap();
    let scope = field("X-Amz-Credential=").replace("%2F", "/");
    let scope = scope.strip_prefix("AKIAEXAMPLE/").unwrap();
    let sha256 = |text: &str| hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref());
    let canonical = format!("GET\n{path}\n{signed}\nhost:{ENDPOINT}\n\nhost\n{}", sha256(""));
    let time = field("X-Amz-Date=");
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(&canonical));
    let sign = |key: &[u8], text: &str| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        ring::hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
    };
    let key = scope.split('/').fold(format!("AWS4{SECRET}").into_bytes(), |key, part| sign(&key, part));
    let is_for_here =
        scope.ends_with("/eu-west-1/iotdevicegateway/aws4_request") && time.starts_with(&scope[..8]);
    is_for_here && hex(&sign(&key, &to_sign)) == signature && session == token
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_access_key_signs_the_request_for_a_WebSocket() {
    for (token, encoded) in [("", ""), ("a+/=", "a%2B%2F%3D")] {
        let aws = iot_core();
        let program =
            aws.mq("sub --preset aws --ws -i me -t a/# -W 5 -d").env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE");
        let program = program.env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_SESSION_TOKEN", token);
        let finished = program.run();
        finished.expect_status(1);
        assert_says(&finished.stderr, &["the server refused the WebSocket at /mqtt: 403"]);
        assert!(!finished.stderr.contains("X-Amz"), "{}", finished.stderr);
        assert_eq!(aws.log()[0], format!("CONNECT {ENDPOINT}:443"));
        let request = aws.log()[1].clone();
        let target = request.strip_prefix("GET ").and_then(|rest| rest.strip_suffix(" HTTP/1.1")).unwrap();
        assert!(is_signed(target, encoded), "{target}");
    }
}

#[test]
fn without_a_key_or_a_region_nothing_is_signed() {
    let aws = iot_core();
    let words = "sub --preset aws --ws -i me -t a/#";
    let nothing = aws.mq(words).env("AWS_ACCESS_KEY_ID", "").run().fail(2);
    assert_says(&nothing, &["AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"]);
    let keyed = |program: Program| {
        let program = program.env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE").env("AWS_SECRET_ACCESS_KEY", SECRET);
        program.env("AWS_REGION", "").env("AWS_DEFAULT_REGION", "").run().fail(2)
    };
    let nowhere = keyed(aws.without_host(&format!("{words} -h mqtt.example.com")));
    assert_says(&nowhere, &["-h mqtt.example.com", "AWS_REGION"]);
    assert_says(&keyed(aws.mq(&format!("{words} --ws-path /mqtt?a=b"))), &["--ws-path", "another query"]);
    aws.assert_untouched();
}

#[test]
fn a_connection_that_ends_without_a_word_gets_a_hint_also_without_a_preset() {
    let aws = iot_core();
    let words = "pub -p 443 {certificate} -t a -m x";
    assert_says(
        &aws.mq(words).run().fail(7),
        &["hint: AWS IoT Core closes the connection without a reason if", "--preset aws"],
    );
}

#[test]
fn reconnecting_clients_get_the_hint_once_in_a_row() {
    let aws = iot_core();
    // Without the preset, the ninth filter is sent.
    let filters: Vec<String> = (0..9).map(|number| format!("-t f/{number}")).collect();
    let words = format!("sub -p 8883 {{certificate}} -i d --retries 2 {}", filters.join(" "));
    let told = aws.mq(&words).run().fail(7);
    let lost: Vec<&str> = told.lines().filter(|line| line.contains("connecting again")).collect();
    assert_eq!(lost.len(), 2, "{told}");
    // The second one is the last failure's.
    assert_eq!(
        told.matches("hint: AWS IoT Core closes the connection without a reason").count(),
        2,
        "{told}"
    );
}

#[test]
fn bench_keeps_within_the_quotas() {
    let aws = iot_core();
    let refused = aws.mq("bench --preset aws {certificate} -c 2 -q 2").run().fail(2);
    assert_says(&refused, &["does not support QoS 2 (--preset aws)"]);
    let refused = aws.mq("bench --preset aws {certificate} -c 2 -s 200000").run().fail(2);
    assert_says(&refused, &["payloads of at most 131072 bytes"]);
    let refused = aws.mq("bench --preset aws {certificate} -c 2 -t 1/2/3/4/5/6/7/8/{i}").run().fail(2);
    assert_says(&refused, &["7 slashes"]);
    aws.assert_untouched();
    aws.mq("bench pub --preset aws {certificate} -c 2 --messages 10 -q 1").run().succeed();
    assert_eq!(aws.log().iter().filter(|line| line.starts_with("Message")).count(), 10);
}
