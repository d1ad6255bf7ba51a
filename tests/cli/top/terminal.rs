//! The terminal: its size, signals, and the modes at the end.

use super::super::support::*;
use super::{home, top};

#[test]
fn a_suspended_program_leaves_the_screen_and_draws_it_again() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "") else { return };
    terminal.wait_for("garden");
    for stop in ["by a signal", "by a key"] {
        if stop == "by a key" {
            terminal.keys("\u{1a}");
        } else {
            terminal.signal("TSTP");
        }
        terminal.wait_until_stopped();
        terminal.wait_until(&format!("left {stop}"), |terminal| !terminal.is_alternate());
        terminal.signal("CONT");
        terminal
            .wait_until("back", |terminal| terminal.is_alternate() && terminal.screen().contains("garden"));
    }
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn the_screen_follows_the_size_of_the_terminal() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "") else { return };
    terminal.wait_for("kitchen");
    let states = [("", "4 topics"), ("\r", "─ value ─"), ("?", "any key closes"), ("?/home", "/home")];
    for (keys, shown) in states {
        terminal.keys(keys);
        for (columns, rows) in [(20, 5), (200, 60), (10, 3), (40, 15), (80, 24)] {
            terminal.resize(columns, rows);
        }
        let is_whole = |terminal: &mut Terminal| {
            let screen = terminal.screen();
            screen.contains(shown) && screen.lines().count() == 24
        };
        terminal.wait_until("drawn", is_whole);
    }
    terminal.resize(20, 5);
    terminal.wait_until("small", |terminal| terminal.screen().ends_with("/home"));
    terminal.resize(80, 24);
    terminal.keys("\u{3}");
    terminal.end(130);
}

#[test]
fn a_key_typed_during_a_resize_is_not_kept_back() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "") else { return };
    terminal.wait_for("kitchen");
    let mut typed = "/".to_owned();
    terminal.keys(&typed);
    for round in 0..50 {
        terminal.resize(80, if round % 2 == 0 { 20 } else { 24 });
        terminal.keys("x");
        typed.push('x');
        terminal.wait_for(&typed);
    }
    terminal.keys("\u{3}");
    terminal.end(130);
}

#[test]
fn a_screen_needs_a_terminal() {
    let stderr = mq("top").env("TERM", "xterm").run().fail(2);
    assert_says(&stderr, &["mq top: cannot show the topics: standard output is not a terminal", "mq sub -v"]);
    for variables in ["TERM=dumb", "TERM="] {
        let Some(terminal) = Terminal::start_with(variables, "top", 80, 24) else { return };
        let shown = terminal.end(2);
        assert_says(&shown, &["mq top: cannot show the topics", "TERM"]);
    }
}

#[test]
fn a_failure_is_reported_after_the_screen() {
    let Some(terminal) = Terminal::start("top -h 127.0.0.1 -p 9", 80, 24) else { return };
    assert_says(&terminal.end(1), &["mq top: cannot connect to 127.0.0.1:9"]);
}

#[test]
fn without_colour_there_is_none() {
    let broker = home();
    let words = format!("top {}", broker.options());
    let is_coloured = |variables| {
        let mut terminal = Terminal::start_with(variables, &words, 80, 24)?;
        terminal.wait_for("garden");
        let is_coloured = terminal.has_colours();
        terminal.keys("q");
        terminal.end(0);
        Some(is_coloured)
    };
    let Some(with_colour) = is_coloured("TERM=xterm") else { return };
    assert!(with_colour);
    assert_eq!(is_coloured("TERM=xterm NO_COLOR=1"), Some(false));
}

#[test]
fn a_lost_connection_is_shown_and_data_stays() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "") else { return };
    terminal.wait_for("garden");
    drop(broker);
    terminal.wait_for("DISCONNECTED");
    assert_says(&terminal.screen(), &["garden", "dry"]);
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn a_refusal_after_the_first_connection_keeps_the_data() {
    for reason in ["8b", "87", "97", "82"] {
        let peer = ScriptedPeer::start(move |peer| {
            let mut wire = peer.accept_v5("");
            wire.expect_type(0x82);
            wire.send("90 (0001 () 00) 30 (`a` () 'kept')");
            wire.send(&format!("e0 ({reason})"));
            drop(wire);
            let mut refused = peer.accept();
            refused.expect_type(0x10);
            refused.send("20 (00 87 ())");
            drop(refused);
            let mut wire = peer.accept_v5("");
            wire.expect_type(0x82);
            wire.send("90 (0001 () 00) 30 (`b` () 'late')");
            wire.expect_type(0xe0);
        });
        let Some(mut terminal) = top(&peer, "") else { return };
        terminal.wait_for("the broker ended the connection: ");
        assert_says(&terminal.screen(), &["DISCONNECTED, again", "kept"]);
        terminal.wait_for("the broker refused the connection: ");
        assert_says(&terminal.screen(), &["DISCONNECTED, again", "kept"]);
        terminal.wait_for("late");
        assert_says(&terminal.screen(), &["connected", "kept"]);
        terminal.keys("q");
        terminal.end(0);
        peer.finish();
    }
}

#[test]
fn a_client_whose_session_was_taken_over_does_not_take_it_back() {
    let peer = ScriptedPeer::start(|peer| {
        let mut wire = peer.accept_v5("");
        wire.expect_type(0x82);
        wire.send("90 (0001 () 00) 30 (`a` () 'kept') e0 (8e)");
        drop(wire);
        peer.expect_nobody();
    });
    let Some(mut terminal) = top(&peer, "-i me") else { return };
    terminal.wait_for("session taken over");
    assert_says(&terminal.screen(), &["NOT CONNECTED", "kept"]);
    peer.finish();
    terminal.keys("$");
    terminal.wait_for("not connected: nothing is sent");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn what_matters_most_in_the_title_stays_on_a_narrow_screen() {
    let broker = home();
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("day.ndjson");
    let words = format!("--read-only --record {}", path.display());
    let Some(mut terminal) = top(&broker, &words) else { return };
    terminal.wait_for("4 topics");
    terminal.keys("/kitchen\rpf");
    terminal.wait_for("PAUSED");
    let title = |terminal: &mut Terminal| terminal.screen().lines().next().unwrap().to_owned();
    assert_says(&title(&mut terminal), &["PAUSED", "0/s", "REC", "read-only", "filter kitchen"]);
    terminal.resize(40, 15);
    terminal.wait_until("narrow", |terminal| title(terminal).contains("filter"));
    assert_says(&title(&mut terminal), &["PAUSED", "REC", "r/o", "filter kit"]);
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn a_rejected_subscription_is_shown() {
    let peer = ScriptedPeer::accepting_v5("", |wire| {
        wire.expect_type(0x82);
        wire.send("90 (0001 (1f `no #`) 87)");
        wire.expect_type(0xe0);
    });
    let Some(mut terminal) = top(&peer, "") else { return };
    terminal.wait_for("the broker rejected the subscription to #: not authorized");
    assert_says(&terminal.screen(), &["connected", "no message yet"]);
    terminal.keys("q");
    terminal.end(0);
    peer.finish();
}
