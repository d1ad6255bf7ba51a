//! Where passwords come from, and that they are never shown.

use super::support::*;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use tempfile::TempDir;

/// Nobody listens here.
const NOWHERE: &str = "-h 127.0.0.1 -p 9";

/// A file that only we can read, unless the mode says otherwise.
fn file(text: impl AsRef<[u8]>, mode: u32) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("password");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    (directory, path)
}

/// A broker that accepts a client whose CONNECT equals this from the flags on, and its one empty message.
fn expecting(flags_and_rest: &'static str) -> ScriptedPeer {
    ScriptedPeer::start(move |peer| {
        let mut client = peer.accept();
        client.expect(&format!("10 (`MQTT` 04 {flags_and_rest})"));
        client.send("20 (00 00)");
        client.expect("30 (`a`) e0 ()");
    })
}

const ANN: &str = "c2 003c `` `ann` `se cret`";

#[test]
fn a_password_is_read_from_the_first_line_of_a_file() {
    for text in ["se cret", "se cret\n", "se cret\r\n", "se cret\nand more\n"] {
        let (_directory, path) = file(text, 0o600);
        let peer = expecting(ANN);
        let finished = peer.mq("pub -t a -n -u ann --password-file").arg(path).run();
        assert_eq!(finished.stderr, "");
        finished.succeed();
        peer.finish();
    }
}

#[test]
fn a_password_is_read_from_standard_input() {
    let peer = expecting(ANN);
    peer.mq("pub -t a -n -u ann --password-file -").stdin("se cret\n").run().succeed();
    peer.finish();
    for option in ["-s", "-l", "--ndjson"] {
        let stderr = mq(&format!("pub {NOWHERE} -t a {option} -u ann --password-file -")).run().fail(2);
        assert_says(&stderr, &["--password-file -", option]);
    }
}

#[test]
fn the_environment_gives_values_that_no_option_gives() {
    let peer = expecting(ANN);
    let program = peer.mq("pub -t a -n").env("MQ_USERNAME", "ann").env("MQ_PASSWORD", "se cret");
    program.run().succeed();
    peer.finish();
    let peer = expecting("c2 003c `` `bob` `typed`");
    let program = peer.mq("pub -t a -n -u bob -P typed").env("MQ_USERNAME", "ann").env("MQ_PASSWORD", "no");
    program.run().succeed();
    peer.finish();
}

#[test]
fn a_password_that_nobody_asked_for_needs_a_user() {
    let peer = expecting("02 003c ``");
    peer.mq("pub -t a -n").env("MQ_PASSWORD", "secret").run().succeed();
    peer.finish();
    let (_directory, path) = file("secret", 0o600);
    let stderr = mq(&format!("pub {NOWHERE} -t a -n --password-file")).arg(path).run().fail(2);
    assert_says(&stderr, &["--password-file", "-u"]);
}

#[test]
fn under_the_names_of_mosquitto_the_environment_says_nothing() {
    let peer = expecting("02 003c ``");
    let program = peer.called_as("mosquitto_pub -t a -n");
    program.env("MQ_USERNAME", "ann").env("MQ_PASSWORD", "secret").run().succeed();
    peer.finish();
}

#[test]
fn there_is_one_source_of_a_password() {
    for (options, parts) in [
        ("-P secret --password-file f", ["-P", "--password-file"]),
        ("-P secret --ask-password", ["-P", "--ask-password"]),
        ("--ask-password --password-file f", ["--ask-password", "--password-file"]),
    ] {
        let stderr = mq(&format!("pub {NOWHERE} -t a -n -u ann {options}")).run().fail(2);
        assert_says(&stderr, &parts);
    }
}

#[test]
fn a_file_without_a_password_is_named() {
    let stderr = mq(&format!("sub {NOWHERE} -t a -u ann --password-file /nonexistent/file")).run().fail(1);
    assert_says(&stderr, &["/nonexistent/file", "No such file"]);
    for text in ["", "\n", "\nsecret\n"] {
        let (_directory, path) = file(text, 0o600);
        let stderr = mq(&format!("sub {NOWHERE} -t a -u ann --password-file")).arg(&path).run().fail(1);
        assert_says(&stderr, &[&path.display().to_string(), "empty"]);
    }
}

#[test]
fn a_file_that_others_can_read_is_reported() {
    let (_directory, path) = file("se cret\n", 0o644);
    let peer = expecting(ANN);
    let finished = peer.mq("pub -t a -n -u ann --password-file").arg(&path).run();
    assert_says(&finished.stderr, &["other users", &path.display().to_string(), "chmod 600"]);
    finished.succeed();
    peer.finish();
}

#[test]
fn without_a_terminal_no_password_can_be_requested() {
    let Some(setsid) = broker::find("setsid") else { return };
    let setsid = Program::new(setsid).words("-w").arg(mq_path());
    let stderr = setsid.words(&format!("pub {NOWHERE} -t a -n -u ann --ask-password")).run().fail(1);
    assert_says(&stderr, &["terminal", "--password-file"]);
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let peer = expecting(ANN);
    let program = mq_path();
    let line = format!("{program} pub {} -t a -n -u ann --ask-password", peer.options());
    let Some(mut running) = on_a_terminal(&line) else { return };
    running.wait_for_part_of_stdout("Password for ann: ");
    running.write("se cret\r");
    let finished = running.finish();
    finished.expect_status(0);
    assert!(!String::from_utf8_lossy(&finished.stdout).contains("cret"));
    peer.finish();
}

#[test]
fn no_password_is_requested_if_an_option_is_invalid() {
    let program = mq_path();
    for (words, part) in [
        ("pub -t a -m x -c -u ann", "-i ID"),
        ("pub -t a -m x", "-u NAME"),
        ("pub -L mqtt://host -u ann -m x", "-t"),
        ("pub -t a -f /nonexistent/file -u ann", "/nonexistent/file"),
        ("pub -t a -u ann -m x --cafile /nonexistent/ca", "/nonexistent/ca"),
        ("sub -t a -u ann --json -v", "--json"),
        ("sub -u ann -L mqtt://host", "-t"),
        ("rr -t a -n -u ann -e b -V 311 --retain-as-published", "MQTT 5"),
        ("bench -u ann -i same", "{i}"),
    ] {
        let Some(running) = on_a_terminal(&format!("{program} {words} --ask-password")) else { return };
        let text = String::from_utf8(running.finish().stdout).unwrap();
        assert_says(&text, &[part]);
        assert!(!text.contains("Password"), "{words}: {text}");
    }
}

#[test]
fn a_signal_at_the_prompt_leaves_the_terminal_as_it_was() {
    let program = mq_path();
    let line = format!("{program} pub {NOWHERE} -t a -n -u ann --ask-password; echo status $?; stty -a");
    let Some(mut running) = on_a_terminal(&line) else { return };
    running.wait_for_part_of_stdout("Password for ann: ");
    running.write("\x03");
    let text = String::from_utf8(running.finish().stdout).unwrap();
    assert_says(&text, &["status 130"]);
    for flag in ["echo", "icanon", "isig"] {
        assert!(text.split_whitespace().any(|word| word == flag), "{flag} in {text}");
    }
}

#[test]
fn a_signal_from_elsewhere_leaves_the_terminal_as_it_was() {
    let program = mq_path();
    let line = format!(
        "sh -c 'echo pid $$; exec {program} pub {NOWHERE} -t a -n -u ann --ask-password'; echo status $?; stty -a"
    );
    let Some(mut running) = on_a_terminal(&line) else { return };
    let pid = running.wait_for_stdout("pid ").trim_start_matches("pid ").trim().to_owned();
    running.wait_for_part_of_stdout("Password for ann: ");
    let kill = std::process::Command::new("sh").args(["-c", &format!("kill -TERM {pid}")]).status();
    assert!(kill.unwrap().success());
    let text = String::from_utf8(running.finish().stdout).unwrap();
    assert_says(&text, &["status 143"]);
    assert!(text.split_whitespace().any(|word| word == "echo"), "echo in {text}");
}

#[test]
fn a_password_is_never_shown() {
    let secret = "xyzzy";
    let (_directory, path) = file(secret, 0o644);
    let (_options, options) = file(format!("-u ann\n-P {secret}\n"), 0o600);
    let path = path.display();
    let options = options.display();
    let broker = EmbeddedBroker::start();
    for words in [
        format!("pub -d -t a -n -u ann -P {secret}"),
        format!("pub -d -t a -n -u ann --password-file {path}"),
        format!("pub -d -t a -n -o {options}"),
        format!("sub -E -d -V 5 -t a -u ann -P {secret}"),
        format!(
            "sub -E -d -V 5 -t a -D connect authentication-method m -D connect authentication-data {secret}"
        ),
        format!("pub -t a -n -u ann -P {secret} -q 7"),
        format!("pub -t a -n -P {secret}"),
        format!("pub -t a -n -o {options} --ask-password"),
        format!("pub -t a -n -D connect authentication-dat {secret}"),
        format!("pub -t a -n -D publish authentication-data {secret}"),
        format!("pub -t a -n --pww={secret}"),
        format!("bench -c 1 --messages 1 -u ann -P {secret}"),
    ] {
        let finished = broker.mq(&words).run();
        for output in [&finished.stderr, &String::from_utf8_lossy(&finished.stdout).into_owned()] {
            assert!(!output.contains(secret), "{words} shows it: {output}");
        }
    }
}

/// A broker whose only user has another password than the clients of these tests.
fn refusing() -> (TempDir, EmbeddedBroker) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("users");
    called_as("mosquitto_passwd", "-c -b").arg(&path).words("ann other").run().expect_status(0);
    let broker = EmbeddedBroker::start_with(&format!("-p 0 -v --password-file {}", path.display()));
    (directory, broker)
}

/// Asserts that the process list shows the password if, and only if, it is in the arguments. The service must not end meanwhile.
#[track_caller]
fn assert_process_list(service: &Running, is_in_arguments: bool) {
    #[cfg(target_os = "linux")]
    {
        let arguments = std::fs::read(format!("/proc/{}/cmdline", service.id())).unwrap();
        let shows = arguments.windows(5).any(|part| part == b"xyzzy");
        assert_eq!(shows, is_in_arguments, "the process list");
    }
}

/// Stops a service, and asserts that its output does not have the password.
#[track_caller]
fn assert_hidden(service: Running) {
    service.signal("TERM");
    let finished = service.finish();
    for output in [&finished.stderr, &String::from_utf8_lossy(&finished.stdout).into_owned()] {
        assert!(!output.contains("xyzzy"), "{output}");
    }
}

#[test]
fn a_gateway_does_not_show_its_password() {
    let (_users, mut broker) = refusing();
    let (_directory, path) = file("xyzzy", 0o600);
    for (options, is_in_arguments) in
        [("-P xyzzy".to_owned(), true), (format!("--password-file {}", path.display()), false)]
    {
        let mut gateway = sn::Gateway::start(broker.address(), &format!("-v -u ann {options}"));
        gateway.peer().send("04 04 01 003c 'me'");
        gateway.running.wait_for_stderr("not authorized");
        assert_process_list(&gateway.running, is_in_arguments);
        assert_hidden(gateway.running);
    }
    assert!(!broker.process().wait_for_stderr("ann").contains("xyzzy"));
}

#[test]
fn a_bridge_does_not_show_its_passwords() {
    let (_users, refusing) = refusing();
    let local = EmbeddedBroker::start();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // A bridge without a broker tries again; one with a broker that refuses it ends.
    for (remote, says) in [(closed, "cannot connect"), (refusing.address(), "not authorized")] {
        let from_url = format!("bridge --from mqtt://{} --to mqtt://ann:xyzzy@{remote}", local.address());
        let from_variable = from_url.replace("ann:xyzzy@", "");
        for (words, is_in_arguments) in [(from_url, true), (from_variable, false)] {
            let mut program = mq(&words).arg("# out 1");
            if !is_in_arguments {
                program = program.env("MQ_TO_USERNAME", "ann").env("MQ_TO_PASSWORD", "xyzzy");
            }
            let mut bridge = program.spawn();
            bridge.wait_for_stderr(says);
            if remote != refusing.address() {
                assert_process_list(&bridge, is_in_arguments);
            }
            assert_hidden(bridge);
        }
    }
}

#[test]
fn the_screen_of_topics_does_not_show_its_password() {
    let (_users, broker) = refusing();
    let (address, program) = (broker.address(), mq_path());
    let line = format!("{program} top -h {} -p {} -u ann -P xyzzy", address.ip(), address.port());
    let Some(running) = on_a_terminal(&line) else { return };
    let shown = String::from_utf8_lossy(&running.finish().stdout).into_owned();
    assert_says(&shown, &["not authorized"]);
    assert!(!shown.contains("xyzzy"), "{shown}");
}

#[test]
fn a_broker_does_not_show_the_passwords_of_clients_and_keys() {
    let (_users, mut broker) = refusing();
    for words in ["pub -t a -n -u ann -P xyzzy", "pub -V 5 -t a -n -u xyzzy2 -P xyzzy"] {
        broker.mq(words).run().fail(5);
        let line = broker.process().wait_for_stderr("not authorized");
        assert!(!line.replace("xyzzy2", "").contains("xyzzy"), "{line}");
    }
    let certificate = certificates::authority("CA");
    let files = certificates::Files::new(&[
        ("cert.pem", certificate.pem()),
        ("key.pem", certificate.encrypted_key_pem("right")),
    ]);
    let words = files.words("broker --tls-port 0 --cert {}/cert.pem --key {}/key.pem");
    let stderr = mq(&words).env("MQ_KEY_PASSWORD", "xyzzy").run().fail(1);
    assert_says(&stderr, &["--key", "password of the key is wrong"]);
    assert!(!stderr.contains("xyzzy"), "{stderr}");
}

#[test]
fn a_password_that_is_no_text_is_never_shown() {
    use std::os::unix::ffi::OsStrExt;
    let secret = std::ffi::OsStr::from_bytes(b"xyzzy\xff");
    let latin_1 = std::ffi::OsStr::from_bytes(b"caf\xe9");
    let program = mq(&format!("pub {NOWHERE} -n -u ann -P")).arg(secret).arg("-t").arg(latin_1);
    let stderr = program.run().fail(2);
    assert_says(&stderr, &["caf", "-t", "UTF-8"]);
    assert!(!stderr.contains("xyzzy"), "{stderr}");
}

/// The line of a shell that says `pid` and the identifier of `mq` with these words, and the modes of the terminal at the end. No signal is
/// ignored, also if the tests run in the background.
fn line_with_pid(words: &str) -> String {
    format!("sh -c 'echo pid $$; exec env --default-signal {} {words}'; echo status $?; stty -a", mq_path())
}

/// Sends a signal to the program of [`line_with_pid`].
fn send(name: &str, running: &mut Running) {
    let text = String::from_utf8(running.stdout_so_far()).unwrap();
    let pid = text.lines().find_map(|line| line.strip_prefix("pid ")).unwrap().trim().to_owned();
    kill(name, &pid);
}

#[test]
fn any_signal_that_ends_a_prompt_leaves_the_terminal_as_it_was() {
    for (name, status) in [("HUP", 129), ("QUIT", 131), ("USR1", 138), ("ALRM", 142)] {
        let line = line_with_pid(&format!("pub {NOWHERE} -t a -n -u ann --ask-password"));
        let Some(mut running) = on_a_terminal(&line) else { return };
        running.wait_for_part_of_stdout("Password for ann: ");
        send(name, &mut running);
        let text = String::from_utf8(running.finish().stdout).unwrap();
        assert_says(&text, &[&format!("status {status}"), "quit = ^\\;"]);
        assert!(text.split_whitespace().any(|word| word == "echo"), "echo in {text}");
    }
}

#[test]
fn after_a_prompt_signals_do_what_they_did_before() {
    let broker = EmbeddedBroker::start();
    for (name, status) in [("HUP", 129), ("QUIT", 131), ("USR1", 138), ("INT", 130), ("TERM", 143)] {
        let line = line_with_pid(&format!("sub {} -t a -u ann --ask-password", broker.options()));
        let Some(mut running) = on_a_terminal(&line) else { return };
        running.wait_for_part_of_stdout("Password for ann: ");
        running.write("secret\r");
        broker.mq("pub -t a -m arrived -r -q 1").run().succeed();
        running.wait_for_part_of_stdout("arrived");
        send(name, &mut running);
        let text = String::from_utf8(running.finish().stdout).unwrap();
        assert_says(&text, &[&format!("status {status}")]);
    }
}

/// A shell that has job control, and gives the terminal its echo back, as bash and zsh do.
fn stopped_at_the_prompt(words: &str) -> Option<Running> {
    let line = format!(
        "sh -c 'set -m; {} {words}; stty -a | tr \" \" \"\\n\" | grep -x -e echo -e -echo; stty echo; \
         echo the shell; read line; fg; echo status $?'",
        mq_path()
    );
    let mut running = on_a_terminal(&line)?;
    running.wait_for_part_of_stdout("Password for ann: ");
    running.write("\x1a");
    running.wait_for_part_of_stdout("the shell");
    Some(running)
}

#[test]
fn a_prompt_that_was_stopped_shows_no_password() {
    let peer = expecting(ANN);
    let words = format!("pub {} -t a -n -u ann --ask-password", peer.options());
    let Some(mut running) = stopped_at_the_prompt(&words) else { return };
    let text = String::from_utf8(running.stdout_so_far()).unwrap();
    let (before, after) = text.split_once("Password for ann: ").unwrap();
    assert!(before.is_empty() && after.lines().any(|line| line.trim() == "echo"), "{text}");
    running.write("\n");
    running.wait_for_part_of_stdout("\r\nPassword for ann: ");
    running.write("se cret\r");
    let text = String::from_utf8(running.finish().stdout).unwrap();
    assert_says(&text, &["status 0"]);
    assert!(!text.contains("cret"), "{text}");
    peer.finish();
}

#[test]
fn the_end_of_input_is_not_an_empty_password() {
    let line = format!("{} pub {NOWHERE} -t a -n -u ann --ask-password; echo status $?", mq_path());
    let Some(mut running) = on_a_terminal(&line) else { return };
    running.wait_for_part_of_stdout("Password for ann: ");
    running.write("\x04");
    let text = String::from_utf8(running.finish().stdout).unwrap();
    assert_says(&text, &["cannot ask for the password: the input ended", "status 1"]);
}
