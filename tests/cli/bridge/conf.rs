//! Files as people post them: bridges beside the settings of their broker.

use super::*;

/// The first example of most guides, with the broker's own settings around it.
const HOME: &str = "\
# Place your local configuration in /etc/mosquitto/conf.d/
pid_file /run/mosquitto/mosquitto.pid
persistence true
persistence_location /var/lib/mosquitto/
log_dest file /var/log/mosquitto/mosquitto.log
log_type all
listener 1883 0.0.0.0
allow_anonymous true

connection bridge-01
address broker.example:1883
topic # out 0
topic # in 0
remote_username ann
remote_password xyzzy
start_type automatic
notifications true
cleansession false
";

/// A bridge to AWS IoT Core, from its blog.
const AWS: &str = "\
# AWS IoT endpoint, use AWS CLI 'aws iot describe-endpoint'
connection awsiot
address x-ats.iot.eu-west-1.amazonaws.com:8883

# Specifying which topics are bridged and in what fashion
topic awsiot_to_localgateway in 1
topic localgateway_to_awsiot out 1
topic both_directions both 1

# Setting protocol version explicitly
bridge_protocol_version mqttv311
bridge_insecure false

# Bridge connection name and MQTT client Id, enabling the connection automatically when the broker starts.
cleansession true
clientid bridgeawsiot
start_type automatic
notifications false
log_type all
";

/// A bridge between two sites, with prefixes, old names and several addresses.
const SITES: &str = "\
port 1884
connection site1
addresses 10.0.0.1:1883 10.0.0.2 [::1]:1885
round_robin true
bridge_attempt_unsubscribe false
topic sensors/# out 1 site1/ \"\"
topic commands/+ in 2 \"\" site1/
topic \"\" both 0 status/site1 sites/1/status
try_private true
username ann
password two words
keepalive_interval 60
restart_timeout 10 30
notification_topic bridges/site1
notifications_local_only true
local_clientid local-site1
bridge_max_packet_size 0
bridge_outgoing_retain false
";

#[test]
fn files_with_the_settings_of_the_broker_are_accepted() {
    for (text, topic, target) in [
        (HOME, "a/b", "forwarded to a/b at the remote broker, up to QoS 0"),
        (AWS, "both_directions", "forwarded to both_directions at the local broker, up to QoS 1"),
        (SITES, "site1/sensors/1", "forwarded to sensors/1 at the remote broker, up to QoS 1"),
        (SITES, "sites/1/status", "forwarded to status/site1 at the local broker, up to QoS 0"),
    ] {
        let text = with_file(&file(text), &format!("--dry-run {topic}")).run().succeed();
        assert_says(&text, &[target]);
    }
}

#[test]
fn keys_that_are_not_about_bridges_are_passed_over_with_one_message() {
    let files = file(&HOME.replace("broker.example:1883", "127.0.0.1:1").replace("0.0.0.0", "127.0.0.1"));
    let mut bridge = with_file(&files, "").spawn();
    let line = bridge.wait_for_stderr("passed over");
    let keys = "pid_file, persistence, persistence_location, log_dest, log_type, listener, allow_anonymous";
    assert!(line.ends_with(&format!("keys that are not about bridges: {keys}")), "{line}");
    bridge.wait_for_stderr("other users can read the passwords");
    bridge.wait_for_stderr("connecting again");
    bridge.signal("TERM");
    let finished = bridge.finish();
    finished.expect_status(0);
    assert!(!finished.stderr.contains("xyzzy"), "{}", finished.stderr);
}

#[test]
fn the_local_broker_is_that_of_the_file() {
    let (local, remote) = (EmbeddedBroker::start(), EmbeddedBroker::start());
    let section = format!("connection c\naddress {}\ntopic a/# out 1\n", remote.address());
    let port = local.address().port();
    for lines in [
        format!("listener {port}\n{section}"),
        format!("port {port}\n{section}"),
        format!("listener 8883\ncertfile c\nlistener {port} 0.0.0.0\n{section}"),
        format!("{section}local_address {}\n", local.address()),
        format!("{section}local_address mqtt://{}\n", local.address()),
    ] {
        let files = file(&lines);
        let mut bridge = with_file(&files, "").spawn();
        let line = bridge.wait_for_stderr("connected to the local broker");
        assert!(line.contains(&format!("port {port}")), "{line}");
    }
}

#[test]
fn a_profile_can_be_the_local_broker_of_a_file() {
    let (local, remote) = (EmbeddedBroker::start(), EmbeddedBroker::start());
    let section = format!("connection c\naddress {}\ntopic a/# out 1\n", remote.address());
    let config = format!("[profile.home]\nhost = '127.0.0.1'\nport = {}\n", local.address().port());
    let files = Files::new(&[("bridge.conf", section), ("config.toml", config)]);
    let mut bridge = with_file(&files, "--from home").env("MQ_CONFIG", files.path("config.toml")).spawn();
    bridge.wait_for_stderr("connected to the local broker");
}

#[test]
fn the_files_of_include_dir_are_read() {
    let files = Files::new(&[
        ("a.conf", "connection a\naddress a.example\ntopic a/# out\n".to_owned()),
        ("b.conf", "connection b\naddress b.example\ntopic b/# out 0 \"\" x/\n".to_owned()),
        ("c.txt", "nonsense\n".to_owned()),
    ]);
    let main = file(&format!("include_dir {}\n", files.path("").display()));
    let text = with_file(&main, "--dry-run b/1").run().succeed();
    assert_says(&text, &["connection a\n", "connection b\n", "forwarded to x/b/1 at the remote broker"]);
}

#[test]
fn a_bridge_forwards_by_the_sections_of_a_file() {
    let (Some(local), Some(remote)) = (Mosquitto::start(), Mosquitto::start()) else { return };
    let lines = format!(
        "listener {} 127.0.0.1\npersistence true\nconnection site1\naddress {}\n\
         topic sensors/# out 1 \"\" site1/\ntopic commands/# in 2 \"\" site1/\nremote_clientid site1\n",
        local.address().port(),
        remote.address()
    );
    let files = file(&lines);
    let mut bridge = with_file(&files, "").spawn();
    wait_until_connected(&mut bridge);
    let above = remote.subscriber("-t # -v -q 1 -C 1");
    local.mq("pub -t sensors/1 -m 21 -q 1").run().succeed();
    assert_eq!(above.finish().succeed(), "site1/sensors/1 21\n");
    let below = local.subscriber("-t commands/# -v -q 2 -C 1");
    remote.mq("pub -t site1/commands/go -m 1 -q 2").run().succeed();
    assert_eq!(below.finish().succeed(), "commands/go 1\n");
}

#[test]
fn comments_may_hold_any_bytes_and_other_lines_are_utf_8() {
    let files = file("");
    let write = |lines: &[u8]| std::fs::write(files.path("bridge.conf"), lines).unwrap();
    write(b"# K\xfcche, \xff\n  # \xe9\r\nconnection c\r\naddress a.example\ntopic a out\n");
    assert_says(&with_file(&files, "--dry-run a").run().succeed(), &["forwarded to a at the remote broker"]);
    write(b"connection c\naddress a.example\ntopic \xc3\xa9/K\xfcche out\n");
    let stderr = with_file(&files, "--dry-run a").run().fail(2);
    assert_says(
        &stderr,
        &["bridge.conf, line 3, column 10: byte 0xFC is not valid UTF-8; save the file as UTF-8"],
    );
}

#[test]
fn the_first_address_is_used_again_when_it_works() {
    let local = EmbeddedBroker::start();
    let second = EmbeddedBroker::start();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let files = file(&format!(
        "connection c\nlocal_address {}\naddresses 127.0.0.1:{port} {}\ntopic a/# out 1\nrestart_timeout 1\n",
        local.address(),
        second.address()
    ));
    let mut bridge = with_file(&files, "").spawn();
    bridge.wait_for_stderr(&format!(
        "connected to the remote broker at 127.0.0.1 port {}",
        second.address().port()
    ));
    let first = EmbeddedBroker::start_with(&format!("-p {port}"));
    bridge.wait_for_stderr("the first address of the remote broker works again");
    bridge.wait_for_stderr(&format!("connected to the remote broker at 127.0.0.1 port {port}"));
    let subscriber = first.subscriber("-t a/# -q 1 -C 1");
    local.mq("pub -t a/1 -m x -q 1").run().succeed();
    assert_eq!(subscriber.finish().succeed(), "x\n");
}

#[test]
fn hints_name_the_keys_of_the_file() {
    let remote = ScriptedPeer::start(|acceptor| {
        let mut wire = acceptor.accept();
        wire.expect_type(0x10);
        wire.send("20 (00 05)");
        wire.expect_end();
    });
    let files = file(&format!(
        "connection c\naddress {}\nlocal_address 127.0.0.1:1\ntopic a out\ntry_private false\n",
        remote.address()
    ));
    let stderr = with_file(&files, "--quiet").run().fail(5);
    assert_says(&stderr, &["hint: remote_username USER and remote_password PASSWORD set the credentials"]);
    remote.finish();
}
