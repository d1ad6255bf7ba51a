//! The precedence of sources, and the commands that read them.

use super::*;

/// Four sources of one value.
const ALL: &str = "
default-profile = 'home'
[defaults]
host = '127.0.0.1'
keepalive = 11
[profile.home]
port = {port}
keepalive = 12
[profile.work]
port = {port}
keepalive = '13'
[profile.plain]
port = {port}
";

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let environment = Set { file: ALL, variables: &[("MQ_KEEPALIVE", "14")] };
    environment.connects("-k 15", "04 02 000f ``");
    environment.connects("", "04 02 000e ``");
    let file = Set { file: ALL, variables: &[] };
    file.connects("", "04 02 000c ``");
    file.connects("--profile work", "04 02 000d ``");
    file.connects("--profile=plain", "04 02 000b ``");
    let variable = Set { file: ALL, variables: &[("MQ_PROFILE", "work")] };
    variable.connects("", "04 02 000d ``");
    variable.connects("--profile home", "04 02 000c ``");
}

#[test]
fn an_empty_variable_says_nothing() {
    let set = Set { file: ALL, variables: &[("MQ_KEEPALIVE", ""), ("MQ_PROFILE", "")] };
    set.connects("", "04 02 000c ``");
}

#[test]
fn a_switch_can_be_turned_off_by_a_higher_source() {
    const FILE: &str = "
[defaults]
host = '127.0.0.1'
port = {port}
id = 'a'
disable-clean-session = true
[profile.off]
disable-clean-session = false
";
    let file = Set { file: FILE, variables: &[] };
    file.connects("", "04 00 003c `a`");
    file.connects("--profile off", "04 02 003c `a`");
    file.connects("--profile off -c", "04 00 003c `a`");
    for off in ["false", "0", "No", "off"] {
        let variables: &[(&str, &str)] = match off {
            "false" => &[("MQ_DISABLE_CLEAN_SESSION", "false")],
            "0" => &[("MQ_DISABLE_CLEAN_SESSION", "0")],
            "No" => &[("MQ_DISABLE_CLEAN_SESSION", "No")],
            _ => &[("MQ_DISABLE_CLEAN_SESSION", "off")],
        };
        Set { file: FILE, variables }.connects("", "04 02 003c `a`");
    }
    Set { file: FILE, variables: &[("MQ_DISABLE_CLEAN_SESSION", "1")] }
        .connects("--profile off", "04 00 003c `a`");
}

#[test]
fn repeatable_options_add_up_without_duplicates() {
    const FILE: &str = "
[defaults]
host = '127.0.0.1'
port = {port}
property = 'connect user-property from defaults'
[profile.home]
property = ['connect receive-maximum 7', 'connect user-property from the file']
";
    let set = Set {
        file: FILE,
        variables: &[("MQ_PROPERTY", "connect user-property e v\nconnect topic-alias-maximum 3")],
    };
    set.connects(
        "--profile home -D connect receive-maximum 9",
        "05 02 003c (26 `from` `defaults` 26 `from` `the file` 26 `e` `v` 22 0003 21 0009) ``",
    );
    set.connects(
        "--profile home",
        "05 02 003c (26 `from` `defaults` 21 0007 26 `from` `the file` 26 `e` `v` 22 0003) ``",
    );
}

#[test]
fn an_option_file_counts_as_typed() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("options");
    std::fs::write(&path, "-k 20\n").unwrap();
    let set = Set { file: ALL, variables: &[("MQ_KEEPALIVE", "14")] };
    set.connects(&format!("-o {}", path.display()), "04 02 0014 ``");
}

#[test]
fn required_options_are_satisfied_by_a_profile() {
    let set = Set { file: "[profile.a]\nurl = 'mqtt://127.0.0.1:{port}/a'\n", variables: &[] };
    set.runs("pub -n --profile a", "04 02 003c ``");
    let set = Set { file: "", variables: &[("MQ_URL", "mqtt://127.0.0.1:{port}/a")] };
    set.runs("pub -n", "04 02 003c ``");
}

#[test]
fn every_command_that_connects_has_profiles() {
    let profiles = Profiles::new("[profile.home]\nhost = '127.0.0.2'\nport = 9\n");
    for words in ["pub -t a -n", "sub -t a", "rr -t a -n", "inspect", "inspect -t a"] {
        let stderr = profiles.mq(&format!("{words} --profile home")).run().fail(1);
        assert_says(&stderr, &["127.0.0.2:9"]);
    }
    let profiles = Profiles::new("[defaults]\nurl = 'ws://127.0.0.1:9/path'\n");
    assert_says(&profiles.mq("bench conn -c 1").run().fail(1), &["could not connect"]);
    let broker = EmbeddedBroker::start();
    let address = format!("[profile.home]\nurl = 'mqtt://127.0.0.1:{}/topic'\n", broker.address().port());
    let profiles = Profiles::new(address);
    profiles.mq("bench --profile home -c 1 --messages 10 --processes 2").run().succeed();
    let mut running = profiles.mq("inspect --profile home -t topic -C 1").spawn();
    running.wait_for_stdout("SUBACK");
    profiles.mq("pub --profile home -m x").run().succeed();
    running.wait_for_stdout("PUBLISH");
    running.finish().succeed();
}

#[test]
fn variables_and_default_profiles_reach_commands_with_none_of_their_options_typed() {
    let broker = EmbeddedBroker::start();
    let port = broker.address().port().to_string();
    for words in ["bench -c 1 --messages 10", "bench conn -c 1", "doctor"] {
        let finished = mq(words).env("MQ_HOST", "127.0.0.1").env("MQ_PORT", &port).run();
        assert_says(&String::from_utf8_lossy(&finished.stdout), &[&format!("127.0.0.1:{port}")]);
        for file in [
            format!("[defaults]\nhost = '127.0.0.1'\nport = {port}\n"),
            format!("default-profile = 'a'\n[profile.a]\nurl = 'mqtt://127.0.0.1:{port}'\n"),
        ] {
            let finished = Profiles::new(file).mq(words).run();
            assert_says(&String::from_utf8_lossy(&finished.stdout), &[&format!("127.0.0.1:{port}")]);
        }
    }
    let profiles = Profiles::new("[profile.a]\nport = 9\n");
    assert_says(&profiles.mq("inspect --profile a").stdin("").run().fail(1), &[":9"]);
}

#[test]
fn the_configuration_is_for_clients_only() {
    let profiles = Profiles::new(
        "default-profile = 'home'\n[profile.home]\nhost = '127.0.0.2'\nport = 9\ncafile = '/nonexistent'\n",
    );
    let set = |words: &str| profiles.mq(words).env("MQ_PORT", "9");
    assert_says(&set("inspect --hex c000").run().succeed(), &["PINGREQ"]);
    set("bench --embedded -c 1 --messages 1").run().succeed();
    // The catalogue of errors has the texts.
    for words in [
        "broker",
        "inspect --hex c000",
        "bench --embedded -c 1",
        "bench merge a.json",
        "inspect --listen 0 --to 127.0.0.1",
    ] {
        set(&format!("{words} --profile home")).run().fail(2);
    }
}

#[test]
fn under_the_names_of_mosquitto_nothing_is_read() {
    let peer = ScriptedPeer::accepting(|client| client.expect("30 (`a`) e0 ()"));
    let profiles = Profiles::new("this is no TOML");
    let program = peer.called_as("mosquitto_pub -t a -n").env("MQ_CONFIG", profiles.path());
    program.env("MQ_KEEPALIVE", "x").env("MQ_PROFILE", "x").env("MQ_URL", "mqtt://other").run().succeed();
    peer.finish();
    let stderr = called_as("mosquitto_pub", "--profile home -t a -n").run().fail(1);
    assert_first_line(&stderr, "mosquitto_pub: unknown option or word '--profile'");
}

#[test]
fn the_file_is_in_the_configuration_directory_of_the_user() {
    for (variable, name) in [("XDG_CONFIG_HOME", "mq/config.toml"), ("HOME", ".config/mq/config.toml")] {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "[defaults]\nhost = '127.0.0.2'\nport = 9\n").unwrap();
        let in_home = |words: &str| mq(words).without_env().env(variable, directory.path());
        assert_says(&in_home("pub -t a -n").run().fail(1), &["127.0.0.2:9"]);
        assert_says(&in_home("config path").run().succeed(), &[&path.display().to_string()]);
        let stderr = in_home("pub -t a -n -p 9").env("MQ_CONFIG", "").run().fail(1);
        assert_says(&stderr, &[":9: Connection refused"]);
    }
}

#[test]
fn a_home_directory_is_optional() {
    // The address of localhost is ::1 where no file has it.
    assert_says(&mq("pub -t a -n -p 9").without_env().run().fail(1), &[":9: Connection refused"]);
    let stderr = mq("pub -t a -n --profile home").without_env().run().fail(2);
    assert_says(&stderr, &["--profile", "home", "HOME"]);
    assert_says(&mq("config path").without_env().run().fail(1), &["XDG_CONFIG_HOME", "HOME"]);
    assert_says(&mq("config show").without_env().run().succeed(), &["file: none", "localhost", "built-in"]);
}

#[test]
fn paths_are_looked_for_beside_the_file() {
    let profiles = Profiles::new(
        "[profile.a]\npassword-file = 'secret'\nusername = 'ann'\n[profile.b]\ncafile = '~/ca.pem'\n",
    );
    let stderr = profiles.mq("pub -t a -n -h 127.0.0.1 -p 9 --profile a").run().fail(1);
    assert_says(&stderr, &[&profiles.directory.path().join("secret").display().to_string()]);
    let stderr = profiles
        .mq("pub -t a -n -h 127.0.0.1 -p 9 --profile b")
        .env("HOME", "/nonexistent/home")
        .run()
        .fail(1);
    assert_says(&stderr, &["/nonexistent/home/ca.pem"]);
}
