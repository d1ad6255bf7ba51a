//! `mq sub --exec`: a command for each message.

use super::support::*;
use std::fs;
use tempfile::TempDir;

fn exec(broker: &(impl Server + ?Sized), options: &str, command: &str) -> Running {
    let mut running = broker.mq(&format!("sub -d -t a {options} --exec")).arg(command).spawn();
    running.wait_for_stderr("<- SUBACK");
    running
}

#[test]
fn a_command_gets_the_payload_and_the_properties() {
    on_each_broker(|broker| {
        let command = r#"echo "$MQTT_TOPIC $MQTT_QOS $MQTT_RETAIN $MQTT_CONTENT_TYPE $MQTT_RESPONSE_TOPIC \
$MQTT_CORRELATION_DATA $MQTT_USER_PROPERTIES"; od -An -tx1"#;
        let running = exec(broker, "-V 5 -q 1 -C 1", command);
        broker
            .mq("pub -V 5 -t a -q 1 -s -D publish content-type x -D publish response-topic y")
            .words("-D publish correlation-data z -D publish user-property k v")
            .stdin([0, 0xff])
            .run()
            .succeed();
        assert_eq!(running.finish().succeed(), "a 1 0 x y 7a [[\"k\",\"v\"]]\n 00 ff\n");
    });
}

#[test]
fn nothing_of_a_message_becomes_a_part_of_a_command() {
    let broker = EmbeddedBroker::start();
    let directory = TempDir::new().unwrap();
    let trap = directory.path().join("trap");
    let nasty = format!("a/$(touch {0})`touch {0}`;touch {0}", trap.display());
    let mut running = broker.mq("sub -d -t a/# -C 1 --exec").arg("cat; echo; echo $MQTT_TOPIC").spawn();
    running.wait_for_stderr("<- SUBACK");
    broker.mq("pub -t").arg(&nasty).arg("-m").arg(&nasty).run().succeed();
    assert_eq!(running.finish().succeed(), format!("{nasty}\n{nasty}\n"));
    assert!(!trap.exists());
}

#[test]
fn variables_of_absent_properties_are_not_inherited() {
    let broker = EmbeddedBroker::start();
    let mut running = broker
        .mq("sub -d -t a -C 1 --exec")
        .arg("echo \"<$MQTT_CONTENT_TYPE>\"")
        .env("MQTT_CONTENT_TYPE", "old")
        .spawn();
    running.wait_for_stderr("<- SUBACK");
    broker.mq("pub -t a -m x").run().succeed();
    assert_eq!(running.finish().succeed(), "<>\n");
}

#[test]
fn commands_run_one_after_the_other_or_side_by_side() {
    let broker = EmbeddedBroker::start();
    let running = exec(&broker, "-C 20", "cat; echo");
    let lines: String = (0..20).map(|number| format!("{number}\n")).collect();
    broker.mq("pub -t a -l").stdin(lines.clone()).run().succeed();
    assert_eq!(running.finish().succeed(), lines);
    // Each of two waits for the other, which can only end when they run at the same time.
    let directory = TempDir::new().unwrap();
    let [one, two] = ["one", "two"].map(|name| directory.path().join(name));
    for pipe in [&one, &two] {
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    }
    let command = "case $(cat) in 1) echo > one; cat two;; 2) cat one; echo > two;; esac";
    let command = format!("cd {}; {command}", directory.path().display());
    let running = exec(&broker, "-C 2 --exec-jobs 2", &command);
    broker.mq("pub -t a -l").stdin("1\n2\n").run().succeed();
    running.finish().succeed();
}

#[test]
fn failures_are_reported_and_change_the_exit_status() {
    let broker = EmbeddedBroker::start();
    let running = exec(&broker, "-C 3", "exit $(cat)");
    broker.mq("pub -t a -l").stdin("0\n3\n4\n").run().succeed();
    let stderr = running.finish().fail(1);
    assert_says(&stderr, &["--exec for a message to a: exit status: 3", "2 of 3 commands failed"]);
}

#[test]
fn a_command_need_not_read_its_input() {
    let broker = EmbeddedBroker::start();
    let running = exec(&broker, "-C 1", "exec true");
    broker.mq("pub -t a -s").stdin("x".repeat(1_000_000)).run().succeed();
    assert_eq!(running.finish().succeed(), "");
    let running = exec(&broker, "-C 1", "wc -c");
    broker.mq("pub -t a -s").stdin("x".repeat(1_000_000)).run().succeed();
    assert_eq!(running.finish().succeed().trim(), "1000000");
}

#[test]
fn a_message_is_acknowledged_when_its_command_runs() {
    let directory = TempDir::new().unwrap();
    let gate = directory.path().join("gate");
    assert!(std::process::Command::new("mkfifo").arg(&gate).status().unwrap().success());
    let opened = gate.clone();
    let peer = ScriptedPeer::accepting(move |client| {
        client.expect("82 (0001 `a` 01)");
        client.send("90 (0001 01)");
        client.send("32 (`a` 0001 'x')");
        client.expect("40 (0001)");
        client.send("32 (`a` 0002 'x')");
        client.expect_quiet();
        fs::write(&opened, "go").unwrap();
        client.expect("40 (0002)");
        fs::write(&opened, "go").unwrap();
        client.expect("e0 ()");
    });
    let command = format!("cat {} > /dev/null", gate.display());
    let finished = peer.mq("sub -t a -q 1 -C 2 --exec").arg(command).run();
    peer.finish();
    finished.succeed();
}

#[test]
fn messages_that_wait_for_their_commands_are_no_silence() {
    let peer = ScriptedPeer::accepting(|client| {
        client.expect("82 (0001 `a` 00)");
        client.send("90 (0001 00)  30 (`a` '1')  30 (`a` '2')  30 (`a` '3')");
        client.expect("e0 ()");
    });
    let command = "sleep 0.4; read -r line; echo \"$line\"";
    let finished = peer.mq("sub -t a --idle-timeout 0.5 --exec").arg(command).run();
    peer.finish();
    finished.expect_status(27);
    assert_eq!(String::from_utf8_lossy(&finished.stdout), "1\n2\n3\n");
}

#[test]
fn commands_that_run_are_waited_for_when_it_is_over() {
    let broker = EmbeddedBroker::start();
    let directory = TempDir::new().unwrap();
    let gate = directory.path().join("gate");
    assert!(std::process::Command::new("mkfifo").arg(&gate).status().unwrap().success());
    let command = format!("echo begun >&2; cat {}; echo end", gate.display());
    let mut running = exec(&broker, "", &command);
    broker.mq("pub -t a -m x").run().succeed();
    running.wait_for_stderr("begun");
    running.signal("TERM");
    running.wait_for_stderr("-> DISCONNECT");
    fs::write(&gate, "through the gate\n").unwrap();
    let finished = running.finish();
    finished.expect_status(143);
    assert_eq!(String::from_utf8_lossy(&finished.stdout), "through the gate\nend\n");
}
