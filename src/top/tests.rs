//! Whole screens.

use super::app::{App, Input, Settings};
use super::feed::Connection;
use super::model::{Limits, Model, SortKey};
use super::palette::Palette;
use crate::payload::{Births, PayloadDecoding};
use crate::protocol::{Properties, PropertiesBuf, PropertyId, PropertyValue, Publish, Qos};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

struct Bench {
    app: App,
    model: Model,
    births: Births,
    connection: Connection,
    now: u64,
}

impl Bench {
    fn new() -> Bench {
        let settings = Settings {
            broker: "localhost:1883".to_owned(),
            is_list: false,
            sort: SortKey::Name,
            palette: Palette::new(true),
            zone: TimeZone::UTC,
            types: None,
            choice: PayloadDecoding::Auto,
            is_recording: false,
            is_read_only: false,
            is_replay: false,
        };
        let model = Model::new(Limits { topics: 1000, bytes: 1 << 20 });
        Bench {
            app: App::new(settings),
            model,
            births: Births::default(),
            connection: Connection::Connected,
            now: 0,
        }
    }

    fn receive(&mut self, topic: &str, payload: &[u8]) {
        self.receive_with(topic, payload, false, Properties::EMPTY);
    }

    fn receive_with(&mut self, topic: &str, payload: &[u8], retain: bool, properties: Properties<'_>) {
        let qos = Qos::AtLeastOnce;
        let publish = Publish { dup: false, qos, retain, topic, packet_id: None, properties, payload };
        self.births.learn(topic, payload);
        let time = Timestamp::from_millisecond(1_700_000_000_000 + i64::try_from(self.now).unwrap()).unwrap();
        self.model.receive(&publish, time, self.now);
    }

    fn keys(&mut self, keys: &str) {
        for character in keys.chars() {
            let code = match character {
                '\n' => KeyCode::Enter,
                '\u{1b}' => KeyCode::Esc,
                '↓' => KeyCode::Down,
                '↑' => KeyCode::Up,
                '←' => KeyCode::Left,
                '→' => KeyCode::Right,
                character => KeyCode::Char(character),
            };
            self.event(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        }
    }

    fn event(&mut self, event: Event) {
        let Bench { app, model, births, connection, now } = self;
        app.handle(event, Input { model, births, connection, now: *now, clock: *now });
    }

    fn click(&mut self, column: u16, row: u16) {
        let kind = MouseEventKind::Down(MouseButton::Left);
        self.event(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    }

    /// The rows of the screen, without spaces at their ends.
    fn screen(&mut self, columns: u16, rows: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let Bench { app, model, births, connection, now } = self;
        let input = Input { model, births, connection, now: *now, clock: *now };
        terminal.draw(|frame| _ = app.render(input, frame.buffer_mut())).unwrap();
        if let Some(id) = app.looks_at() {
            model.look_at(id);
        }
        let text = terminal.backend().to_string();
        let rows = text.lines().map(|row| row.trim_matches('"').trim_end().to_owned() + "\n");
        rows.collect()
    }
}

fn home() -> Bench {
    let mut bench = Bench::new();
    bench.receive_with("home/kitchen/temperature", b"21.5", true, Properties::EMPTY);
    bench.receive("home/kitchen/light", b"{\"state\":\"ON\",\"power\":7}");
    bench.receive("home/bath/temperature", b"19");
    bench.receive("garden", b"\x1b[2J\xe2\x80\xae");
    bench
}

/// Compares a screen with its file in `tests/snapshots/top/`, which `SNAPSHOTS=overwrite` writes again.
#[track_caller]
fn assert_screen(name: &str, screen: String) {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/top/");
    let path = std::path::PathBuf::from(format!("{directory}{name}.txt"));
    let expected = snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw();
    snapbox::Assert::new().action_env(snapbox::assert::DEFAULT_ACTION_ENV).eq(screen, expected);
}

#[test]
fn a_wide_screen_shows_the_tree_with_all_figures() {
    let mut bench = home();
    bench.now = 1500;
    assert_screen("tree", bench.screen(90, 12));
}

#[test]
fn a_narrow_screen_shows_names_values_and_ages() {
    let mut bench = home();
    bench.now = 61_000;
    assert_screen("narrow", bench.screen(40, 15));
    assert_screen("tiny", bench.screen(20, 5));
}

#[test]
fn the_smallest_sizes_are_drawn() {
    for (columns, rows) in [(1, 1), (1, 24), (2, 3), (7, 2), (80, 1), (80, 2), (80, 3), (200, 4)] {
        for keys in ["", "\n", "v", "v", "v", "?", "\u{1b}/kitch~("] {
            let mut bench = home();
            bench.screen(80, 24);
            bench.keys("\n");
            bench.keys(keys);
            bench.screen(columns, rows);
        }
    }
}

#[test]
fn a_list_has_whole_topics() {
    let mut bench = home();
    bench.keys("tS");
    assert_screen("list", bench.screen(80, 8));
}

#[test]
fn the_pane_is_beside_the_table_of_a_wide_screen() {
    let mut bench = home();
    let mut properties = PropertiesBuf::new();
    properties.push(PropertyId::ContentType, PropertyValue::Text("application/json")).unwrap();
    properties.push(PropertyId::UserProperty, PropertyValue::Pair("unit", "W\u{1b}")).unwrap();
    bench.now = 2000;
    bench.receive_with(
        "home/kitchen/light",
        b"{\"state\":\"ON\",\"power\":9,\"list\":[1,{\"a\":null}]}",
        true,
        properties.as_properties(),
    );
    bench.screen(120, 20);
    bench.keys("/light\n");
    bench.screen(120, 20);
    bench.keys("G\n");
    assert_screen("message", bench.screen(120, 20));
    bench.keys("[[");
    assert_screen("folded", bench.screen(120, 20));
}

#[test]
fn changes_history_and_chart_are_views_of_the_pane() {
    let mut bench = home();
    bench.screen(80, 24);
    bench.keys("/light\n");
    bench.screen(80, 24);
    bench.keys("G\n");
    bench.screen(80, 24);
    for (now, power) in [(1000, 9), (2500, 12), (65_000, 3)] {
        bench.now = now;
        bench.receive("home/kitchen/light", format!("{{\"state\":\"ON\",\"power\":{power}}}").as_bytes());
    }
    for name in ["changes", "history", "chart"] {
        bench.keys("v");
        assert_screen(name, bench.screen(80, 24));
    }
    assert_screen("sparkline", bench.screen(80, 12));
}

#[test]
fn the_help_lists_the_keys() {
    let mut bench = home();
    bench.keys("?");
    assert_screen("keys", bench.screen(80, 24));
    let mut shown = bench.screen(40, 15);
    for _ in 0..3 {
        assert!(shown.contains("any key shows more"), "{shown}");
        bench.keys("x");
        shown = bench.screen(40, 15);
    }
    assert!(shown.contains("any key closes") && shown.contains("draw again"), "{shown}");
    bench.keys("x");
    assert!(!bench.screen(40, 15).contains("keys:"));
}

#[test]
fn the_mouse_selects_folds_scrolls_and_sorts() {
    let mut bench = home();
    bench.screen(80, 24);
    bench.click(3, 3);
    bench.click(3, 3);
    assert!(bench.screen(80, 8).contains("▸ home"));
    bench.click(77, 1);
    assert!(bench.screen(80, 8).contains("AGE▼"));
}

#[test]
fn a_pause_keeps_the_values_and_counts_what_arrives() {
    let mut bench = home();
    bench.screen(80, 24);
    bench.keys("p");
    bench.receive("home/kitchen/light", b"new");
    let paused = bench.screen(80, 24);
    assert!(paused.contains("PAUSED  +1 message") && !paused.contains("new"), "{paused}");
    bench.keys("p");
    assert!(bench.screen(80, 24).contains("new"));
}

#[test]
fn the_latest_message_is_followed() {
    let mut bench = home();
    bench.screen(80, 24);
    bench.keys("f\n");
    bench.screen(80, 24);
    bench.receive("home/bath/temperature", b"20");
    assert!(bench.screen(80, 24).contains("home/bath/temperature"));
    bench.receive("garden", b"wet");
    assert!(bench.screen(80, 24).contains("3 bytes"));
}

#[test]
fn limits_and_lost_connections_are_shown() {
    let mut bench = home();
    bench.model = Model::new(Limits { topics: 1, bytes: 1 << 20 });
    bench.receive("a", b"1");
    bench.receive("b", b"1");
    bench.connection = Connection::Lost { reason: "the broker closed\u{1b}".to_owned(), again_at: 4500 };
    bench.now = 2000;
    let screen = bench.screen(120, 5);
    assert!(screen.contains("DISCONNECTED, again in 3 s"), "{screen}");
    assert!(screen.contains("FULL: 1 message to further topics left out"), "{screen}");
    assert!(screen.contains("the broker closed\\u{1b}"), "{screen}");
}

#[test]
fn statistics_of_the_broker_have_rates() {
    let mut bench = home();
    for (now, received) in [(0, "1000"), (10_000, "2500")] {
        bench.now = now;
        bench.receive("$SYS/broker/version", b"mosquitto version 2.0.11");
        bench.receive("$SYS/broker/clients/connected", b"12");
        bench.receive("$SYS/broker/publish/messages/received", received.as_bytes());
        bench.receive("$SYS/brokers/other/stats/connections/count", b"99");
        if now == 0 {
            bench.screen(80, 24);
            bench.keys("$1");
            bench.screen(80, 24);
        }
    }
    assert_screen("statistics", bench.screen(80, 24));
    bench.receive("$SYS/broker/memory/used", b"1234567");
    assert!(bench.screen(80, 24).contains(" memory used         1.2 MB"), "{}", bench.screen(80, 24));
    let mut bench = home();
    bench.receive("$SYS/brokers/one/stats/connections/count", b"3");
    bench.receive("$SYS/brokers/two/stats/connections/count", b"4");
    bench.screen(80, 24);
    bench.keys("$1");
    let screen = bench.screen(80, 24);
    assert!(screen.contains(" clients connected   7"), "the sum of the nodes: {screen}");
}

#[test]
fn a_topic_is_deleted_only_after_the_answer_yes() {
    let mut bench = home();
    bench.screen(80, 24);
    bench.keys("t/kitchen/temp\n");
    bench.screen(80, 24);
    bench.keys("x");
    let screen = bench.screen(80, 24);
    assert!(screen.contains("delete the retained message of home/kitchen/temperature? y/n"), "{screen}");
    bench.keys("n");
    assert!(!bench.screen(80, 24).contains("y/n"));
}
