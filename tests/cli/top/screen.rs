//! What the screen shows, and the keys.

use super::super::support::*;
use super::{home, top};

/// The rows of the table, without the figures that depend on time.
fn names(screen: &str) -> Vec<String> {
    let rows = screen.lines().skip(2).take_while(|row| !row.trim().is_empty());
    rows.map(|row| row.chars().take(32).collect::<String>().trim_end().to_owned()).collect()
}

#[test]
fn the_tree_shows_each_level_with_the_last_value() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "") else { return };
    terminal.wait_for("4 topics  4 msgs");
    let screen = terminal.screen();
    assert_says(&screen, &["connected", "TOPIC", "VALUE", "COUNT", "RATE", "SIZE", "AGE", "? keys"]);
    let shown = names(&screen);
    let expected = [
        "▾ garden",
        "    soil",
        "▾ home",
        "  ▾ bath",
        "      temperature",
        "  ▾ kitchen",
        "      light",
        "      temperature",
    ];
    let begins: Vec<&str> =
        shown.iter().zip(expected).map(|(row, name)| row.get(..name.len()).unwrap_or(row)).collect();
    assert_eq!(begins, expected, "{screen}");
    assert_says(&screen, &["R dry", "R 21.5", "R {\"state\":\"ON\",\"power\":7}", "(3 topics)"]);
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn keys_fold_select_and_sort() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "") else { return };
    terminal.wait_for("kitchen");
    terminal.keys("1");
    terminal.wait_without("kitchen");
    terminal.wait_for("▸ home");
    terminal.keys("N");
    terminal.wait_until("home first", |terminal| names(&terminal.screen())[0].starts_with("▸ home"));
    terminal.keys("g ");
    terminal.wait_for("▸ kitchen");
    terminal.keys("t");
    terminal.wait_for("home/kitchen/temperature");
    terminal.keys("?");
    terminal.wait_for("fold or unfold");
    terminal.keys("x");
    terminal.wait_without("fold or unfold");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn a_filter_is_applied_while_it_is_typed() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "--list") else { return };
    terminal.wait_for("garden/soil");
    terminal.keys("/bath");
    terminal.wait_without("garden/soil");
    assert_says(&terminal.screen(), &["home/bath/temperature", "/bath"]);
    terminal.keys("\u{1b}");
    terminal.wait_for("garden/soil");
    terminal.keys("/=on\r");
    terminal.wait_without("garden/soil");
    assert_says(&terminal.screen(), &["home/kitchen/light", "filter =on"]);
    terminal.keys("/\u{15}~(");
    terminal.wait_for("invalid regular expression");
    terminal.keys("\u{3}");
    terminal.end(130);
}

#[test]
fn new_messages_are_shown_unless_the_display_is_paused() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "'home/#'") else { return };
    terminal.wait_for("3 topics");
    broker.mq("pub -t home/kitchen/temperature -m 22").run().succeed();
    terminal.wait_for("22");
    terminal.keys("p");
    terminal.wait_for("PAUSED");
    broker.mq("pub -t home/kitchen/temperature -m late").run().succeed();
    terminal.wait_for("+1 message");
    assert!(!terminal.screen().contains("late"));
    terminal.keys("p");
    terminal.wait_for("late");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn the_pane_shows_the_message_its_changes_its_history_and_a_chart() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "--list -q 1 'home/#'") else { return };
    terminal.wait_for("home/kitchen/light");
    terminal.keys("/light\r\r");
    terminal.wait_for("QoS 1, retained, 24 bytes");
    assert_says(&terminal.screen(), &["json", "\"state\": \"ON\",", "\"power\": 7"]);
    broker.mq("pub -t home/kitchen/light -q 1 -m").arg("{\"state\":\"ON\",\"power\":9}").run().succeed();
    terminal.wait_for("\"power\": 9");
    terminal.keys("v");
    terminal.wait_for("+   \"power\": 9");
    assert_says(&terminal.screen(), &["-   \"power\": 7"]);
    terminal.keys("v");
    terminal.wait_for("2 messages");
    terminal.keys("v");
    terminal.wait_for("power  last 9  min 7  max 9  2 messages");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn a_chart_shows_the_greatest_numbers() {
    let broker = EmbeddedBroker::start();
    broker.mq("pub -t value -r -m 1e308").run().succeed();
    let Some(mut terminal) = top(&broker, "-q 1") else { return };
    terminal.wait_for("value");
    terminal.keys("\rV");
    terminal.wait_for("─ hex ─");
    terminal.keys("V");
    terminal.wait_for("last 1.000e308");
    broker.mq("pub -t value -q 1 -m -1e308").run().succeed();
    terminal.wait_for("last -1.000e308  min -1.000e308  max 1.000e308");
    // Both ends of the line, in the rows of their labels.
    let is_drawn = |screen: &str, label: &str| {
        screen.lines().any(|row| row.starts_with(label) && row.chars().any(|cell| cell > '\u{2800}'))
    };
    terminal.wait_until("drawn", |terminal| {
        let screen = terminal.screen();
        is_drawn(&screen, "1.000e308") && is_drawn(&screen, "-1.000e308")
    });
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn letters_with_Ctrl_or_Alt_are_other_keys() {
    let broker = home();
    let Some(mut terminal) = top(&broker, "--list") else { return };
    terminal.wait_for("garden/soil");
    // Ctrl-P, Ctrl-X and Alt-q: no pause, no question, no end. An open question would take the last key.
    terminal.keys("\u{10}\u{18}\u{1b}q?");
    terminal.wait_for("keys: any key");
    assert!(!terminal.screen().contains("PAUSED"));
    terminal.keys("qq");
    terminal.end(0);
}

#[test]
fn long_lines_of_a_message_are_wrapped() {
    let broker = EmbeddedBroker::start();
    let text = format!("{}end", "日本\u{1b}word ".repeat(20));
    broker.mq("pub -t a/long -r -m").arg(&text).run().succeed();
    let Some(mut terminal) = top(&broker, "") else { return };
    terminal.wait_for("long");
    terminal.keys("g\r");
    terminal.wait_for("no message at this level; select a topic below it");
    terminal.keys("j");
    terminal.wait_for("word end");
    terminal.keys("q");
    terminal.end(0);
}

#[test]
fn text_of_strangers_cannot_leave_its_cell() {
    let broker = EmbeddedBroker::start();
    let Some(mut terminal) = top(&broker, "") else { return };
    terminal.wait_for("connected");
    for payload in ["\u{1b}[2J\u{1b}[31mred", "a\nb", "\u{202e}abc\u{200b}"] {
        // Retained, as the subscription may come later.
        broker.mq("pub -t x -r -m").arg(payload).run().succeed();
    }
    terminal.wait_for("\\u{202e}abc\\u{200b}");
    terminal.keys("\r");
    terminal.wait_for("text");
    terminal.keys("q");
    terminal.end(0);
}
