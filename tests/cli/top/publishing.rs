//! Messages published from the screen: from a prompt, a file or an editor.

use super::super::support::*;
use super::{home, top};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

#[test]
fn a_message_is_published_from_three_prompts() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "") else { return };
    terminal.wait_for("garden");
    terminal.keys("n");
    terminal.wait_for("publish to topic: garden");
    terminal.keys("\u{15}attic/#\r");
    terminal.wait_for("wildcards");
    terminal.keys("\u{15}attic\r");
    terminal.wait_for("payload");
    terminal.keys("cold\r");
    terminal.wait_for("QoS");
    terminal.keys("\u{15}1 r unit=C\r");
    terminal.wait_for("published 1 message");
    terminal.wait_for("attic");
    terminal.keys("q");
    terminal.end(0);
    let retained = broker.mq("sub -t attic -C 1 -v -V 5 -F").arg("%t %p %r %P").run().succeed();
    assert_eq!(retained, "attic cold 1 unit:C\n");
}

#[test]
fn properties_are_typed_as_for_pub() {
    let broker = home();
    let mut subscriber = broker.subscriber("-t attic -C 1 -V 5 --json");
    let Some(mut terminal) = top(&broker, "") else { return };
    terminal.wait_for("garden");
    terminal.keys("n\u{15}attic\rcold\r");
    terminal.wait_for("QoS");
    terminal.keys("\u{15}1 content-typ x\r");
    terminal.wait_for("expected 0, 1, 2, r, NAME=VALUE or a property: content-typ; did you mean");
    terminal.keys(
        "\u{15}-D publish content-type 'text/plain; a=b' response-topic b/c correlation-data 7 \
         payload-format-indicator 1 message-expiry-interval 99 user-property unit C\r",
    );
    let message = subscriber.wait_for_stdout("cold");
    terminal.keys("q");
    terminal.end(0);
    let expected = [
        "\"content_type\":\"text/plain; a=b\"",
        "\"response_topic\":\"b/c\"",
        "\"correlation_data\":",
        "\"message_expiry_interval\":",
        "\"payload_format_indicator\":1",
        "[[\"unit\",\"C\"]]",
    ];
    assert_says(&message, &expected);
}

/// An editor: a script with these lines, in which `$1` is the file.
fn editor(directory: &TempDir, lines: &str) -> PathBuf {
    let path = directory.path().join("editor");
    std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
    path
}

/// A screen whose editor is opened after this text.
fn top_with_editor(broker: &impl Server, editor: &str, typed: &str) -> Option<Terminal> {
    let variables = format!("TERM=xterm EDITOR=other VISUAL=\"{editor}\"");
    let mut terminal = Terminal::start_with(&variables, &format!("top {}", broker.options()), 80, 24)?;
    terminal.wait_for("garden");
    terminal.keys("n\u{15}garden/soil\r");
    terminal.wait_for("payload");
    terminal.keys(&format!("{typed}\u{f}"));
    Some(terminal)
}

/// A text without the spaces at which it may be wrapped.
fn without_breaks(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn a_payload_is_written_in_the_editor() {
    let broker = home();
    let directory = TempDir::new().unwrap();
    let editor = editor(
        &directory,
        "[ \"$1\" = -x ] || exit 9\ncat \"$2\" > \"$0.before\"; stat -c '%a %n' \"$2\" > \"$0.file\"\n\
         echo the editor reads; read answer; printf '%s\\nof two lines\\n' \"$answer\" > \"$2\"",
    );
    let mut subscriber = broker.subscriber("-t garden/soil -R -C 1 -F %x");
    let Some(mut terminal) = top_with_editor(&broker, &format!("{} -x", editor.display()), "") else {
        return;
    };
    terminal.wait_for("the editor reads");
    assert!(!terminal.is_alternate());
    terminal.keys("qqq is a payload\r");
    terminal.wait_for("QoS");
    assert!(terminal.is_alternate());
    terminal.keys("\r");
    subscriber.wait_for_stdout(&hex_of(b"qqq is a payload\nof two lines"));
    terminal.wait_for("published 1 message");
    terminal.keys("q");
    terminal.end(0);
    let written = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    assert_eq!(written("editor.before"), "dry", "the last payload of the topic");
    let file = written("editor.file");
    let (mode, path) = file.trim().split_once(' ').unwrap();
    assert_eq!(mode, "600");
    assert!(!Path::new(path).parent().unwrap().exists(), "it is removed: {path}");
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_editor_that_fails_publishes_nothing() {
    let broker = home();
    let mut subscriber = broker.subscriber("-t # -R -C 1 -v");
    let directory = TempDir::new().unwrap();
    let failing = editor(&directory, "echo changed > \"$1\"; exit 3");
    let removing = directory.path().join("removing");
    std::fs::write(&removing, "rm \"$1\"").unwrap();
    let killed = directory.path().join("killed");
    std::fs::write(&killed, "kill -9 $$").unwrap();
    for (editor, problem) in [
        (
            failing.display().to_string(),
            format!(
                "the editor exited with status 3 ({}); its text is discarded, and nothing is published yet",
                failing.display()
            ),
        ),
        (format!("sh {}", killed.display()), "the editor was killed by signal 9 (sh ".to_owned()),
        (
            "/nonexistent/editor".to_owned(),
            "cannot start the editor: program not found (VISUAL: /nonexistent/editor); set VISUAL or EDITOR to \
             another one"
                .to_owned(),
        ),
        (format!("sh {}", removing.display()), "cannot read ".to_owned()),
    ] {
        for columns in [80, 40] {
            let Some(mut terminal) = top_with_editor(&broker, &editor, "typed before") else { return };
            terminal.wait_for("payload (@FILE");
            terminal.resize(columns, 15);
            terminal.wait_until(&problem, |terminal| without_breaks(&terminal.screen()).contains(&without_breaks(&problem)));
            assert!(terminal.is_alternate());
            terminal.wait_for("typed before");
            terminal.keys("\u{3}");
            terminal.end(130);
        }
    }
    broker.mq("pub -t last -m 1").run().succeed();
    subscriber.wait_for_stdout("last 1");
}

#[test]
fn a_signal_ends_the_editor_as_well() {
    let broker = home();
    let directory = TempDir::new().unwrap();
    let editor = editor(&directory, "echo \"$1\" > \"$0.file\"; echo the editor waits; exec sleep 1000");
    let Some(mut terminal) = top_with_editor(&broker, &editor.display().to_string(), "") else { return };
    terminal.wait_for("the editor waits");
    terminal.signal("TERM");
    terminal.end(143);
    let path = std::fs::read_to_string(directory.path().join("editor.file")).unwrap();
    assert!(!Path::new(path.trim()).exists());
}

/// Escape and a letter at once would be the letter with Alt.
fn close_prompt(terminal: &mut Terminal, label: &str) {
    terminal.keys("\u{1b}");
    terminal.wait_without(label);
}

#[test]
fn a_pipe_or_a_device_does_not_stop_the_screen() {
    let directory = TempDir::new().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let broker = home();
    let Some(mut terminal) = top(&broker, "--list") else { return };
    terminal.wait_for("garden");
    terminal.keys(&format!("n\r@{}\r\r", pipe.display()));
    terminal.wait_for("it is not a regular file");
    close_prompt(&mut terminal, "payload (");
    terminal.keys(&format!("e{}\r", pipe.display()));
    terminal.wait_for("cannot export the history: ");
    close_prompt(&mut terminal, "export history");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn a_file_that_cannot_be_used_leaves_the_typed_text() {
    let directory = TempDir::new().unwrap();
    let broker = home();
    let mut subscriber = broker.subscriber("-t attic -q 1 -C 1 -V 5 -F %p,%q");
    let Some(mut terminal) = top(&broker, "--list") else { return };
    terminal.wait_for("garden");
    let path = directory.path().join("payload.txt");
    terminal.keys(&format!("n\u{15}attic\r@{}\r\u{15}1 unit=C\r", path.display()));
    terminal.wait_for("cannot read ");
    assert_says(&terminal.screen(), &["payload (@FILE reads it", "No such file"]);
    std::fs::write(&path, "cold").unwrap();
    terminal.keys("\r");
    terminal.wait_for("properties: 1 unit=C");
    terminal.keys("\r");
    subscriber.wait_for_stdout("cold,1");
    let nowhere = directory.path().join("none/history.ndjson");
    terminal.keys(&format!("e{}\r", nowhere.display()));
    terminal.wait_for("cannot export the history: ");
    assert_says(&terminal.screen(), &["export history to file: "]);
    terminal.keys("\u{15}\r");
    terminal.wait_for("a file name is missing");
    close_prompt(&mut terminal, "export history");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn the_qos_is_typed_once() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "") else { return };
    terminal.wait_for("garden");
    terminal.keys("n\u{15}attic\rcold\r\u{15}0 r 1 2\r");
    terminal.wait_for("expected one QoS: 0 and 1");
    close_prompt(&mut terminal, "QoS, r to retain");
    terminal.keys("q");
    terminal.end(0);
}
