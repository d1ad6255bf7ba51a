//! Options of which one excludes another: that of the higher source counts, without a word.

use super::*;

/// A broker at a place that only the profile knows, or of which a profile has another idea.
const PLACE: &str = "
[profile.place]
host = '127.0.0.1'
port = {port}
[profile.nowhere]
host = '127.0.0.2'
port = 9
srv = true
username = 'ann'
password = 'of the file'
[profile.unix]
unix = '/nonexistent/socket'
[profile.url]
url = 'mqtt://ann:pass@127.0.0.2:{port}/other/topic'
[profile.other-port]
url = 'mqtt://127.0.0.1:9'
";

const FILE: Set = Set { file: PLACE, variables: &[] };

#[test]
fn a_place_that_is_typed_wins_over_another_kind_of_place() {
    FILE.connects("--profile unix -h 127.0.0.1 -p {port}", "04 02 003c ``");
    FILE.connects("--profile unix -L mqtt://127.0.0.1:{port}", "04 02 003c ``");
    let set = Set { file: PLACE, variables: &[("MQ_URL", "mqtt://127.0.0.1:{port}")] };
    set.connects("--profile unix", "04 02 003c ``");
    for profile in ["place", "nowhere", "url"] {
        let profiles = Profiles::new(PLACE.replace("{port}", "9"));
        let words = format!("pub -t a -n --unix /nonexistent/typed --profile {profile}");
        assert_says(&profiles.mq(&words).run().fail(1), &["/nonexistent/typed"]);
    }
}

#[test]
fn host_and_port_that_are_typed_win_over_those_of_a_url() {
    FILE.connects("--profile url -h 127.0.0.1", "04 c2 003c `` `ann` `pass`");
    FILE.connects("--profile other-port -p {port}", "04 02 003c ``");
    let set = Set { file: PLACE, variables: &[("MQ_HOST", "127.0.0.1")] };
    set.connects("--profile url", "04 c2 003c `` `ann` `pass`");
}

#[test]
fn a_url_that_is_typed_wins_over_place_and_credentials() {
    FILE.connects("--profile nowhere -L mqtt://bob:typed@127.0.0.1:{port}", "04 c2 003c `` `bob` `typed`");
    FILE.connects("--profile nowhere -L mqtt://127.0.0.1:{port}", "04 c2 003c `` `ann` `of the file`");
    FILE.connects("--profile url -L mqtt://127.0.0.1:{port}", "04 02 003c ``");
}

#[test]
fn a_topic_that_is_typed_wins_over_that_of_a_url() {
    FILE.connects("--profile url -h 127.0.0.1 -t a", "04 c2 003c `` `ann` `pass`");
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("82 (0001 `typed` 00)");
        client.send("90 (0001 00)");
        client.expect("e0 ()");
    });
    let url = format!("mqtt://127.0.0.1:{}/other", peer.address().port());
    mq("sub -E -t typed").env("MQ_URL", url).run().succeed();
    peer.finish();
}

#[test]
fn a_password_has_one_source_in_the_end() {
    const FILE: &str = "
[defaults]
host = '127.0.0.1'
port = {port}
username = 'ann'
[profile.text]
password = 'text'
[profile.file]
password-file = '/nonexistent/password'
[profile.terminal]
ask-password = true
[profile.url]
url = 'mqtt://ann:pass@127.0.0.1:{port}'
";
    let file = Set { file: FILE, variables: &[] };
    file.connects("--profile text", "04 c2 003c `` `ann` `text`");
    let environment = Set { file: FILE, variables: &[("MQ_USERNAME", "bob"), ("MQ_PASSWORD", "set")] };
    for profile in ["text", "file", "terminal", "url"] {
        file.connects(&format!("--profile {profile} -P typed"), "04 c2 003c `` `ann` `typed`");
        environment.connects(&format!("--profile {profile}"), "04 c2 003c `` `bob` `set`");
    }
    let file_variable = Set { file: FILE, variables: &[("MQ_PASSWORD_FILE", "/nonexistent/password")] };
    file_variable.connects("--profile text -P typed", "04 c2 003c `` `ann` `typed`");
}

#[test]
fn a_password_of_the_environment_needs_a_user_still() {
    let set =
        Set { file: "[defaults]\nurl = 'mqtt://127.0.0.1:{port}'\n", variables: &[("MQ_PASSWORD", "x")] };
    set.connects("", "04 02 003c ``");
}

#[test]
fn an_identifier_and_a_prefix_exclude_each_other() {
    const FILE: &str = "[defaults]\nhost = '127.0.0.1'\nport = {port}\nid-prefix = 'p'\n";
    Set { file: FILE, variables: &[] }.connects("-i typed", "04 02 003c `typed`");
    Set { file: FILE, variables: &[("MQ_ID", "set")] }.connects("", "04 02 003c `set`");
}

#[test]
fn the_version_and_options_of_another_version_exclude_each_other() {
    const FILE: &str = "
[defaults]
host = '127.0.0.1'
port = {port}
[profile.v5]
session-expiry-interval = 7
property = 'connect receive-maximum 7'
[profile.v3]
protocol-version = 311
";
    let file = Set { file: FILE, variables: &[] };
    file.connects("--profile v5", "05 02 003c (21 0007 11 00000007) ``");
    file.connects("--profile v5 -V 311", "04 02 003c ``");
    file.connects("--profile v5 -x 8", "05 02 003c (21 0007 11 00000008) ``");
    file.connects("--profile v5 -D connect session-expiry-interval 9", "05 02 003c (21 0007 11 00000009) ``");
    file.connects("--profile v3 -x 8", "05 02 003c (11 00000008) ``");
}

#[test]
fn encryption_that_is_typed_wins_over_none() {
    let profiles =
        Profiles::new("[profile.plain]\nno-tls = true\n[profile.psk]\npsk = '00'\npsk-identity = 'a'\n");
    for profile in ["plain", "psk"] {
        let words = format!("pub -t a -n -h 127.0.0.1 -p 9 --cafile /nonexistent/ca --profile {profile}");
        assert_says(&profiles.mq(&words).run().fail(1), &["--cafile", "/nonexistent/ca"]);
    }
    let profiles = Profiles::new("[defaults]\ninsecure = true\nno-tls = true\n");
    let shown = profiles.mq("config show").env("MQ_CAFILE", "/ca").run().succeed();
    assert!(shown.contains("/ca") && !shown.contains("insecure") && !shown.contains("no-tls"), "{shown}");
}

#[test]
fn within_a_source_a_contradiction_is_reported() {
    let profiles = Profiles::new("[profile.home]\nid = 'a'\nid-prefix = 'b'\n");
    let stderr = profiles.mq("pub -t a -n --profile home").run().fail(2);
    assert_says(&stderr, &["--id", "--id-prefix", &profiles.shown(), "line 2"]);
    let profiles = Profiles::new("[profile.home]\npsk-identity = 'a'\n");
    let stderr = profiles.mq("pub -t a -n --profile home").run().fail(2);
    assert_says(
        &stderr,
        &["--psk-identity needs --psk", &format!("psk-identity (line 2) in {}", profiles.shown())],
    );
    let stderr = mq("pub -t a -n").env("MQ_KEY", "a").run().fail(2);
    assert_says(&stderr, &["--key needs --cert", "MQ_KEY in the environment"]);
}
