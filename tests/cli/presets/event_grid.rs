//! Azure Event Grid: MQTT 5, tokens and when they expire, and its limits.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::{SystemTime, UNIX_EPOCH};

const NAMESPACE: &str = "ns.westeurope-1.ts.eventgrid.azure.net";

/// The MQTT broker of an Event Grid namespace, by "MQTT features" and "quotas and limits".
struct EventGrid;

impl Rules for EventGrid {
    fn connect(&self, way: &Way, connect: &Connect) -> Result<Vec<u8>, Vec<u8>> {
        let is_known = way.server_name.as_deref() == Some(NAMESPACE) && way.port == 8883;
        let fits = connect.keep_alive <= 1160;
        if !is_known || !fits {
            return Err(Vec::new());
        }
        let data = connect.data.as_deref().unwrap_or_default();
        match connect.method.as_deref() {
            None if way.has_certificate && connect.level == 4 => Ok(connack(0)),
            None if way.has_certificate => Ok(connack_v5(0)),
            Some("OAUTH2-JWT") if is_good(data) => Ok(connack_v5(0)),
            Some("OAUTH2-JWT") => Err(connack_v5(0x87)),
            Some("BUSY") => Err(connack_v5(0x97)),
            Some(_) => Err(connack_v5(0x8c)),
            None => Err(connack_v5(0x87)),
        }
    }

    fn takes(&self, message: &Message) -> bool {
        message.qos < 2 && message.length <= 512 * 1024 && fits(&message.topic)
    }

    fn takes_filters(&self, filters: &[(String, u8)]) -> bool {
        let is_shared = |filter: &str| filter.starts_with("$share/");
        filters.len() <= 10 && filters.iter().all(|(filter, _)| fits(filter) && !is_shared(filter))
    }

    fn authenticates_again(&self, data: &[u8]) -> bool {
        is_good(data)
    }
}

fn fits(topic: &str) -> bool {
    topic.len() <= 256 && topic.split('/').count() <= 15
}

fn is_good(token: &[u8]) -> bool {
    let token = std::str::from_utf8(token).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    claims["exp"].as_u64().unwrap() > now()
}

/// An unsigned token that is valid for this time from now.
fn token(seconds: i64) -> String {
    let expiry = now().checked_add_signed(seconds).unwrap();
    let claims = format!(r#"{{"aud":"https://eventgrid.azure.net/","exp":{expiry}}}"#);
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn event_grid() -> Hosted {
    Hosted::start(NAMESPACE, EventGrid)
}

#[test]
fn a_token_goes_into_the_method_of_Entra_and_MQTT_5() {
    let grid = event_grid();
    let file = grid.file("token", &format!("{}\n", token(600)));
    grid.mq("pub --preset azure-eventgrid -i d -t a -m x -q 1 --auth-data-file").arg(&file).run().succeed();
    assert_eq!(grid.log()[0], format!("CONNECT {NAMESPACE}:8883"));
    assert_says(&grid.log()[1], &["level 5 client \"d\" user nobody"]);
}

#[test]
fn a_run_shows_one_token_for_all_clients() {
    for options in ["", "--processes 2"] {
        let grid = event_grid();
        let file = grid.file("token", &token(600));
        let words =
            format!("bench pub --preset azure-eventgrid -c 4 --messages 40 {options} --auth-data-file");
        assert_says(&grid.mq(&words).arg(&file).run().succeed(), &["4 of 4 clients"]);
    }
    let grid = event_grid();
    let long = grid.file("long", &"x".repeat(8193));
    let refused = grid.mq("bench --preset azure-eventgrid -c 2 --auth-data-file").arg(&long).run().fail(2);
    assert_says(&refused, &["at most 8192 bytes of authentication data, not 8193"]);
    grid.assert_untouched();
}

#[test]
fn certificates_are_for_both_versions() {
    for version in ["", "-V 311"] {
        let grid = event_grid();
        grid.mq(&format!("pub --preset azure-eventgrid {{certificate}} -u ann -i d -t a -m x {version}"))
            .run()
            .succeed();
        let level = if version.is_empty() { "level 5" } else { "level 4" };
        assert_says(&grid.log()[1], &[level, "user ann", "no ALPN certificate"]);
    }
}

#[test]
fn a_token_that_has_expired_is_not_sent() {
    let grid = event_grid();
    let file = grid.file("token", &token(-200));
    let words = "pub --preset azure-eventgrid -i d -t a -m x --auth-data-file";
    let failed = grid.mq(words).arg(&file).run().fail(1);
    assert_says(&failed, &["--auth-data-file", "the token expired at 20", "3 min ago"]);
    grid.assert_untouched();
}

#[test]
fn without_a_preset_an_expired_token_is_warned_of() {
    let grid = event_grid();
    let file = grid.file("token", &token(-200));
    let words = "pub -p 8883 -i d -t a -m x --auth-method OAUTH2-JWT --auth-data-file";
    let failed = grid.mq(words).arg(&file).run().fail(5);
    assert_says(
        &failed,
        &["the token expired at 20", "not authorized", "hint: is the client registered", "(its aud)"],
    );
}

#[test]
fn a_token_that_was_renewed_is_sent_on_the_open_connection() {
    let grid = event_grid();
    let (first, second) = (token(600), token(1200));
    let file = grid.file("token", &first);
    let words = "sub --preset azure-eventgrid -i d -t a --reauthenticate 0.2 -d --auth-data-file";
    let mut subscriber = grid.mq(words).arg(&file).spawn();
    subscriber.wait_for_stderr("<- SUBACK");
    grid.file("token", &second);
    let deadline = std::time::Instant::now() + DEADLINE;
    while !grid.log().contains(&format!("AUTH {second}")) {
        assert!(std::time::Instant::now() < deadline, "{:?}", grid.log());
        subscriber.wait_for_stderr("<- AUTH");
    }
    subscriber.signal("TERM");
    subscriber.finish().expect_status(143);
}

#[test]
fn messages_beyond_event_grid_s_limits_are_refused_before_sending() {
    let levels: Vec<String> = (0..16).map(|level| level.to_string()).collect();
    let levels = levels.join("/");
    for (words, parts) in [
        ("pub -t a -m x -q 2", &["does not support QoS 2 (--preset azure-eventgrid)"][..]),
        (
            &format!("pub -t a -r -V 311 -i c -m {}", "x".repeat(65_537)),
            &["retains payloads of at most 65536 bytes, not 65537"],
        ),
        ("pub -t a -m x -V 31", &["does not support MQTT 3.1"]),
        (&format!("pub -t {levels} -m x"), &["at most 14 slashes in a topic, not 15"]),
        ("pub -t a -m x -k 1161", &["a keep alive of at most 1160 s"]),
        ("pub -t a -m x -D connect user-property a b", &["user properties in CONNECT"]),
        ("pub -t a -m x -D disconnect user-property a b", &["user properties in DISCONNECT"]),
        ("sub -t a -D subscribe user-property a b", &["user properties in SUBSCRIBE"]),
        ("sub -t a -D subscribe subscription-identifier 7", &["does not support subscription identifiers"]),
        ("sub -t a --share g", &["does not support shared subscriptions"]),
        ("pub -t a -m x --will-topic b -D will will-delay-interval 301", &["the will", "at most 300 s"]),
    ] {
        let grid = event_grid();
        let words = format!("{words} -i d --preset azure-eventgrid {{certificate}}");
        assert_says(&grid.mq(&words).run().fail(2), parts);
        grid.assert_untouched();
    }
    let grid = event_grid();
    let filters: Vec<String> = (0..51).map(|number| format!("-t {number}")).collect();
    let words = format!("sub -i d --preset azure-eventgrid {{certificate}} {}", filters.join(" "));
    assert_says(&grid.mq(&words).run().fail(2), &["at most 50 subscriptions of a client, not 51"]);
    let nameless = grid.mq("pub -t a -m x -V 311 --preset azure-eventgrid {certificate}").run().fail(2);
    assert_says(&nameless, &["needs a client identifier in MQTT 3.1.1; -i ID"]);
    let unknown = grid.mq("pub -t a -m x -i d --preset azure-eventgrid").run().fail(2);
    assert_says(&unknown, &["needs --cert FILE and --key FILE, or --auth-data-file FILE"]);
    let long = grid.file("long", &"x".repeat(8193));
    let refused =
        grid.mq("pub -t a -m x -i d --preset azure-eventgrid --auth-data-file").arg(&long).run().fail(2);
    assert_says(&refused, &["at most 8192 bytes of authentication data, not 8193"]);
    grid.assert_untouched();
}

#[test]
fn more_than_ten_filters_take_several_packets() {
    let grid = event_grid();
    let filters: Vec<String> = (0..12).map(|number| format!("-t {number}")).collect();
    let words = format!("sub -i d --preset azure-eventgrid {{certificate}} -E {}", filters.join(" "));
    grid.mq(&words).run().succeed();
    assert_eq!(grid.log()[2..], ["SUBSCRIBE 10", "SUBSCRIBE 2", "DISCONNECT"]);
}

#[test]
fn refusals_get_hints() {
    let grid = event_grid();
    let file = grid.file("token", &token(600));
    for (method, part) in
        [("OTHER", "hint: Event Grid accepts OAUTH2-JWT"), ("BUSY", "hint: a namespace limits")]
    {
        let words =
            format!("pub --preset azure-eventgrid -i d -t a -m x --auth-method {method} --auth-data-file");
        assert_says(&grid.mq(&words).arg(&file).run().fail(5), &[part]);
    }
}
