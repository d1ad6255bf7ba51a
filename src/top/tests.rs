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
    rejection: Option<&'static str>,
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
            rejection: None,
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
                '⌫' => KeyCode::Backspace,
                character => KeyCode::Char(character),
            };
            self.event(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        }
    }

    fn event(&mut self, event: Event) {
        let Bench { app, model, births, connection, rejection, now } = self;
        app.handle(event, Input { model, births, connection, rejection: *rejection, now: *now, clock: *now });
    }

    fn click(&mut self, column: u16, row: u16) {
        let kind = MouseEventKind::Down(MouseButton::Left);
        self.event(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    }

    /// The rows of the screen, without spaces at their ends.
    fn screen(&mut self, columns: u16, rows: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let Bench { app, model, births, connection, rejection, now } = self;
        let input = Input { model, births, connection, rejection: *rejection, now: *now, clock: *now };
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
    bench.keys("v");
    let screen = bench.screen(80, 24);
    assert!(
        screen.contains("0000  7b 22 73 74 61 74 65 22 3a 22 4f 4e 22 2c 22 70  {\"state\":\"ON\",\"p"),
        "{screen}"
    );
    let screen = bench.screen(40, 24);
    assert!(
        screen.contains(" chart  hex ") && screen.contains("0008  3a 22 4f 4e 22 2c 22 70  :\"ON\",\"p"),
        "{screen}"
    );
}

#[test]
fn a_field_of_the_chart_is_chosen_by_its_path() {
    let mut bench = Bench::new();
    bench.receive("a", b"{\"power\":7,\"at\":{\"x\":[1,2]}}");
    bench.screen(80, 24);
    bench.keys("F");
    bench.screen(80, 24);
    assert!(bench.screen(80, 24).contains("field of the chart, as in a.b[0]:"));
    bench.keys("at.y\n");
    let screen = bench.screen(80, 24);
    assert!(screen.contains("the last message has no number at at.y, but at "), "{screen}");
    bench.keys("⌫x[1]\n");
    assert!(bench.screen(80, 24).contains("at.x[1]  last 2  min 2  max 2"));
    bench.receive("a", b"{\"power\":7,\"at\":{\"x\":[5,6]},\"more\":1}");
    bench.now += 1000;
    let screen = bench.screen(80, 24);
    assert!(screen.contains("at.x[1]  last 6  min 2  max 6"), "other fields do not change it: {screen}");
    bench.keys("<");
    assert!(bench.screen(80, 24).contains("at.x[0]  last 5"));
}

#[test]
fn texts_of_the_footer_are_shown_whole() {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let assert_whole = |bench: &mut Bench, texts: &[&str]| {
        for (columns, rows) in [(80, 24), (40, 15)] {
            let screen = bench.screen(columns, rows);
            for text in texts {
                assert!(squeezed(&screen).contains(&squeezed(text)), "{text}: {screen}");
            }
        }
    };
    let mut bench = home();
    bench.screen(80, 24);
    bench.keys("n\n");
    assert_whole(&mut bench, &["payload (@FILE reads it, Ctrl-O opens $EDITOR):"]);
    bench.keys("x\n content-typ x\n");
    let problem = "expected 0, 1, 2, r, NAME=VALUE or a property: content-typ; did you mean 'content-type'?";
    assert_whole(&mut bench, &["QoS, r to retain, properties:", "0 content-typ x", problem]);
    bench.keys("\u{1b}");
    let notice = format!("exported 12 messages to /a/long/{}path/history.ndjson", "directory/".repeat(15));
    bench.app.notify(notice.clone(), bench.now);
    assert_whole(&mut bench, &[&notice]);
    let topic = format!("home/{}", "level/".repeat(30));
    bench.receive_with(&topic, b"1", true, Properties::EMPTY);
    bench.screen(80, 24);
    bench.keys("t/level\n");
    bench.screen(80, 24);
    bench.keys("x");
    assert_whole(&mut bench, &[&format!("delete the retained message of {topic}? y/n")]);
    bench.keys("n");
    bench.receive_with(&"x/".repeat(30_000), b"1", true, Properties::EMPTY);
    bench.keys("/⌫⌫⌫⌫⌫x/x\n");
    bench.screen(80, 24);
    bench.keys("x");
    assert_whole(&mut bench, &["delete the retained message of x/x/x/", "? y/n"]);
}

#[test]
fn an_image_is_shown_by_its_size_even_if_it_could_be_another_format() {
    let mut bench = Bench::new();
    // An array of nine items in CBOR as well.
    bench.receive("a", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x02");
    assert!(bench.screen(80, 24).contains("PNG image, 640 x 480"));
    bench.keys("\n");
    let screen = bench.screen(80, 24);
    assert!(screen.contains("0000  89 50 4e 47") && !screen.contains("cbor"), "{screen}");
}

#[test]
fn the_start_of_a_long_payload_is_shown_with_the_size_of_all() {
    let mut bench = Bench::new();
    bench.model = Model::new(Limits { topics: 10, bytes: 8 << 20 });
    bench.receive("a", "long line\n".repeat(300_000).as_bytes());
    bench.screen(80, 24);
    bench.keys("\n");
    let screen = bench.screen(80, 24);
    assert!(screen.contains("3000000 bytes") && screen.contains("text, first 1 MiB kept"), "{screen}");
    bench.keys(&"J".repeat(20_100));
    assert!(bench.screen(80, 24).contains("… further lines are not shown"));
    bench.keys("r");
    assert!(bench.screen(80, 24).contains("cannot publish it again: the payload is not kept whole"));
    bench.keys("Y");
    assert!(bench.screen(80, 24).contains("not copied: the payload is not kept whole"));
    bench.receive("a", format!("x{}", "é".repeat(600_000)).as_bytes());
    bench.now += 1000;
    bench.keys("vvvvv");
    let screen = bench.screen(80, 24);
    assert!(screen.contains("text, first 1 MiB kept"), "the start ends within a character: {screen}");
    bench.model = Model::new(Limits { topics: 10, bytes: 1000 });
    bench.receive("a", b"1");
    bench.receive("a", &[0; 2000]);
    let screen = bench.screen(80, 24);
    assert!(screen.contains("not kept: the memory limit is reached"), "{screen}");
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
    assert!(screen.contains("FULL: 1 message left out"), "{screen}");
    assert!(screen.contains("the broker closed\\u{1b}; again in 3 s"), "{screen}");
    assert!(bench.screen(40, 15).contains("the broker closed\\u{1b}; again in 3 s"));
}

#[test]
fn a_rejected_subscription_is_shown_until_it_is_gone() {
    let mut bench = Bench::new();
    bench.rejection = Some("the broker rejected the subscription to #: not authorized");
    assert!(bench.screen(80, 24).contains("rejected the subscription to #: not authorized"));
    bench.keys("Y");
    let screen = bench.screen(80, 24);
    assert!(screen.contains("no topic is selected") && !screen.contains("rejected"), "{screen}");
    bench.now += 10_000;
    assert!(bench.screen(80, 24).contains("rejected the subscription to #"));
    bench.keys("Y");
    bench.now += 1000;
    bench.keys("j");
    assert!(bench.screen(80, 24).contains("no topic is selected"), "it was hardly seen");
    bench.now += 1000;
    bench.keys("j");
    assert!(!bench.screen(80, 24).contains("no topic is selected"), "a key removes it");
}

#[test]
fn statistics_of_the_broker_have_rates() {
    let mut bench = home();
    // The retained value, 8 seconds old; then live ones, which have the flag as well.
    for (now, received) in [(0, "1000"), (2000, "2500"), (12_000, "4000")] {
        bench.now = now;
        let retained = |bench: &mut Bench, topic: &str, payload: &str| {
            bench.receive_with(topic, payload.as_bytes(), true, Properties::EMPTY);
        };
        retained(&mut bench, "$SYS/broker/version", "mosquitto version 2.0.11");
        retained(&mut bench, "$SYS/broker/clients/connected", "12");
        retained(&mut bench, "$SYS/broker/publish/messages/received", received);
        bench.receive("$SYS/brokers/other/stats/connections/count", b"99");
        if now == 0 {
            bench.screen(80, 24);
            bench.keys("$1");
        }
        if now < 12_000 {
            let screen = bench.screen(80, 24);
            let (_, panel) = screen.split_once(" broker ").unwrap();
            assert!(!panel.contains("/s"), "the time of the retained value is unknown: {panel}");
        }
    }
    assert_screen("statistics", bench.screen(80, 24));
    let screen = bench.screen(40, 15);
    assert!(screen.contains(" messages received       4000     150/s"), "{screen}");
    bench.receive("$SYS/broker/memory/used", b"1234567");
    assert!(!bench.screen(40, 8).contains("memory used"));
    bench.keys("JJ");
    assert!(bench.screen(40, 8).contains("memory used"));
    bench.keys("K");
    assert!(bench.screen(80, 24).contains(" memory used         1.2 MB"), "{}", bench.screen(80, 24));
    let mut bench = home();
    bench.receive("$SYS/brokers/one/stats/connections/count", b"3");
    bench.receive("$SYS/brokers/two/stats/connections/count", b"4");
    bench.screen(80, 24);
    bench.keys("$1");
    let screen = bench.screen(80, 24);
    assert!(screen.contains(" clients connected   7"), "the sum of the nodes: {screen}");
    for (now, node, received) in
        [(0, "one", "0"), (500, "two", "0"), (10_000, "one", "100"), (10_500, "two", "300")]
    {
        bench.now = now;
        bench.receive(&format!("$SYS/brokers/{node}/metrics/messages/received"), received.as_bytes());
        bench.screen(80, 24);
    }
    let screen = bench.screen(80, 24);
    assert!(screen.contains(" 400        40/s"), "nodes report at different times: {screen}");
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
