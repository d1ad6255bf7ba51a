//! The panel on a terminal.

use super::*;

/// The words of a bridge with a panel, which forwards `a/#`.
fn bridge_of(name: &str, local: &EmbeddedBroker, remote: &EmbeddedBroker) -> String {
    let [from, to] = [local, remote].map(Server::address);
    format!("bridge --from mqtt://{from} --to mqtt://{to} --name {name} --notifications none \"a/# out 1\"")
}

#[test]
fn a_panel_shows_states_and_counts_on_a_terminal() {
    let (local, mut remote) = brokers();
    let name = "a-bridge-with-a-name-that-is-longer-than-the-terminal";
    let words = bridge_of(name, &local, &remote);
    let Some(mut terminal) = Terminal::start(&words, 50, 14) else { return };
    terminal.wait_for("a-bridge-with-a-name-that-is-lon~  both connected");
    local.mq("pub -t a/1 -m x -q 1").run().succeed();
    terminal.wait_for("  out  forwarded 1 (");
    terminal.wait_for("in flight 0, queued 0,\n       dropped 0");
    remote.kill();
    terminal.wait_for("  local connected, remote ");
    terminal.wait_for("  remote: ");
    terminal.resize(100, 20);
    terminal.wait_for("a-bridge-with-a-name-that-is-longer-than-the-terminal  local connected, remote ");
    // Its echo does not leave a line of the panel behind.
    terminal.keys("\x03");
    let output = terminal.end_with_output(0);
    assert_says(&output, &[&format!("{name}: ended; out: forwarded 1")]);
}

#[test]
fn typed_keys_do_not_write_into_the_panel() {
    let (local, remote) = brokers();
    let words = bridge_of("b1", &local, &remote);
    let Some(mut terminal) = Terminal::start(&words, 80, 14) else { return };
    terminal.wait_for("b1  both connected");
    terminal.keys("typed\ntyped\n");
    local.mq("pub -t a/1 -m x -q 1").run().succeed();
    terminal.wait_for("  out  forwarded 1 (");
    let screen = terminal.screen();
    assert!(!screen.contains("typed") && screen.matches("both connected").count() == 1, "{screen}");
    terminal.keys("\x03");
    // The modes of the terminal are as before.
    terminal.end_with_output(0);
}

#[test]
fn a_stopped_bridge_leaves_the_terminal_to_the_shell() {
    let (local, remote) = brokers();
    let line = format!(
        "TERM=xterm sh -c 'set -m; sh -c \"echo process \\$\\$; exec {} bridge --from mqtt://{} --to mqtt://{} \
         --name b1 --notifications none a/#\"; echo the shell; read line; fg >/dev/null'",
        mq_path(),
        local.address(),
        remote.address()
    );
    let Some(mut terminal) = Terminal::start_line(&line, 80, 14) else { return };
    terminal.wait_for("b1  both connected");
    terminal.keys("\x1a");
    terminal.wait_for("the shell");
    let screen = terminal.screen();
    assert!(!screen.contains("both connected") && !screen.contains("forwarded"), "{screen}");
    terminal.keys("\n");
    terminal.wait_for("b1  both connected");
    local.mq("pub -t a/1 -m x").run().succeed();
    terminal.wait_for("  out  forwarded 1 (");
    assert_eq!(terminal.screen().matches("b1  both connected").count(), 1, "{}", terminal.screen());
    terminal.keys("\x03");
    assert_says(&terminal.end_with_output(0), &["b1: ended; out: forwarded 1"]);
}

#[test]
fn a_terminal_that_takes_no_output_does_not_hold_up_messages() {
    let (local, mut remote) = brokers();
    let words = bridge_of("b1", &local, &remote);
    let Some(mut terminal) = Terminal::start(&words, 80, 14) else { return };
    terminal.wait_for("b1  both connected");
    // Ctrl-S: the message about the lost connection waits.
    terminal.keys("\x13");
    remote.process().signal("TERM");
    remote.process().wait_for_end();
    let port = remote.address().port();
    let again = EmbeddedBroker::start_with(&format!("-p {port}"));
    let subscriber = again.subscriber("-t a/# -C 1");
    local.mq("pub -t a/1 -m x -q 1").run().succeed();
    subscriber.finish().succeed();
    terminal.keys("\x11");
    terminal.wait_for("b1  both connected");
    terminal.keys("\x03");
    terminal.end_with_output(0);
}

#[test]
fn any_signal_that_ends_the_panel_leaves_the_terminal_as_it_was() {
    let (local, remote) = brokers();
    for (name, status) in [("QUIT", 131), ("USR1", 138)] {
        let Some(mut terminal) = Terminal::start(&bridge_of("b1", &local, &remote), 80, 14) else { return };
        terminal.wait_for("b1  both connected");
        terminal.signal(name);
        terminal.end_with_output(status);
    }
}
