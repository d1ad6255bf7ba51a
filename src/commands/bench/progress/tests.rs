//! The panel at several widths, and the lines.

use super::panel::lines;
use super::status::{Extent, Late, Second, Status};
use super::*;
use crate::bench::report::Limit;

/// A run that sends more and more; each tenth second has no latencies.
fn status() -> Status {
    let second = |number: u32| Second {
        sent: f64::from(number * 200),
        received: f64::from(number * 190),
        p50: (!number.is_multiple_of(10)).then_some(1_200_000),
        p99: (!number.is_multiple_of(10)).then_some(u64::from(number) * 100_000),
        ..Second::default()
    };
    let reason = "sends waited 700 times for the broker or the network to accept bytes";
    Status {
        phase: "measuring",
        is_connecting: false,
        is_loaded: true,
        extent: Extent::Time { elapsed: Duration::from_secs(62), whole: Duration::from_secs(90) },
        connected: 108,
        clients: 110,
        later: 0,
        last_second: 62,
        seconds: (3..63).map(second).collect(),
        failures: vec!["2 clients could not connect".to_owned(), "1 message rejected".to_owned()],
        errors: vec![(2, "the broker refused: 接続が多すぎる \u{1b}[2J".to_owned())],
        late: Some(Late { sent: 5000, late: 130, by_us: 30 }),
        limit: Limit::Broker(reason.to_owned()),
    }
}

fn screen(status: &Status, width: usize, charset: Charset) -> String {
    lines(status, width, charset).into_iter().map(|line| line.text + "\n").collect()
}

#[test]
fn a_wide_terminal_has_a_column_for_each_second() {
    let expected = "\
measuring    ━━━━━━━━━━━━━━━━━━━━──────────  62 s of 90 s, 28 s left
connected    108 of 110 clients
sent         12400/s    ▁▁▁▁▁▂▂▂▂▂▂▂▂▃▃▃▃▃▃▃▃▄▄▄▄▄▄▄▅▅▅▅▅▅▅▅▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇▇████████  peak 12400/s
received     11780/s    ▁▁▁▁▁▂▂▂▂▂▂▂▂▃▃▃▃▃▃▃▃▄▄▄▄▄▄▄▅▅▅▅▅▅▅▅▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇▇████████  peak 11780/s
p50 latency  1.20 ms    ███████ █████████ █████████ █████████ █████████ █████████ ██  peak 1.20 ms
p99 latency  6.20 ms    ▁▁▁▁▁▂▂ ▂▂▂▂▂▃▃▃▃ ▃▃▃▄▄▄▄▄▄ ▅▅▅▅▅▅▅▅▆ ▆▆▆▆▆▆▇▇▇ ▇▇▇▇█████ ██  peak 6.20 ms
errors       2 clients could not connect, 1 message rejected
             2x the broker refused: 接続が多すぎる \\u{1b}[2J
late         130 of 5000 sends, 30 because of mq
limit        broker: sends waited 700 times for the broker or the network to accept bytes
";
    assert_eq!(screen(&status(), 119, Charset::Utf8), expected);
}

#[test]
fn a_usual_terminal_has_a_column_for_two_seconds() {
    let expected = "\
measuring    ━━━━━━━━━━━━━━━━━━━━──────────  62 s of 90 s, 28 s left
connected    108 of 110 clients
sent         12400/s    ▁▁▂▂▂▂▃▃▃▃▄▄▄▄▅▅▅▅▆▆▆▆▇▇▇▇████  peak 12400/s
received     11780/s    ▁▁▂▂▂▂▃▃▃▃▄▄▄▄▅▅▅▅▆▆▆▆▇▇▇▇████  peak 11780/s
p50 latency  1.20 ms    ██████████████████████████████  peak 1.20 ms
p99 latency  6.20 ms    ▁▁▂▂▂▂▃▃▃▃▄▄▄▄▅▅▅▅▆▆▆▆▇▇▇▇████  peak 6.20 ms
errors       2 clients could not connect, 1 message rejected
             2x the broker refused: 接続が多すぎる \\u{1b}[2J
late         130 of 5000 sends, 30 because of mq
limit        broker: sends waited 700 times for the broker or the network to a…
";
    assert_eq!(screen(&status(), 79, Charset::Utf8), expected);
}

#[test]
fn forty_columns_have_values_and_small_sparklines() {
    let expected = "\
measuring    62 s of 90 s, 28 s left
connected    108 of 110 clients
sent         12400/s    ▁▂▂▃▄▄▅▆▆▇███
received     11780/s    ▁▂▂▃▄▄▅▆▆▇███
p50 latency  1.20 ms    █████████████
p99 latency  6.20 ms    ▁▂▂▃▄▄▅▆▆▇███
errors       2 clients could not conne…
             2x the broker refused: 接…
late         130 of 5000 sends, 30 bec…
limit        broker: sends waited 700 …
";
    assert_eq!(screen(&status(), 39, Charset::Utf8), expected);
}

#[test]
fn ten_columns_have_the_values() {
    let expected = "\
measuring
108/110
sent 12k
recv 12k
p50 1.2ms
p99 6.2ms
errors 2…
- 2x the…
late 130…
limit br…
";
    assert_eq!(screen(&status(), 9, Charset::Utf8), expected);
}

#[test]
fn ascii_is_enough() {
    let shown = screen(&Status { errors: vec![], ..status() }, 79, Charset::Ascii);
    assert!(shown.is_ascii(), "{shown}");
    assert!(
        shown.contains("sent         12400/s    __....,,,,::::----====++++####  peak 12400/s"),
        "{shown}"
    );
    assert!(shown.starts_with("measuring    ####################----------  62 s"), "{shown}");
}

#[test]
fn no_width_is_exceeded() {
    use unicode_width::UnicodeWidthStr;
    for width in 0..150 {
        let wide = screen(&status(), width, Charset::Utf8).lines().map(UnicodeWidthStr::width).max();
        assert!(wide <= Some(width), "{width}: {wide:?}");
    }
}

#[test]
fn clients_that_come_later_are_not_missing() {
    let status = Status { connected: 100, clients: 100, later: 10, ..status() };
    let text = screen(&status, 80, Charset::Utf8);
    assert!(text.contains("connected    100 of 100 clients, 10 later\n"), "{text}");
    assert!(line(&status).contains(": 100 of 100 connected, 10 later, "), "{}", line(&status));
}

#[test]
fn a_run_that_connects_shows_connects_alone() {
    let second = Second { connected: 523.4, ..Second::default() };
    let status = Status {
        phase: "connecting",
        is_connecting: true,
        is_loaded: false,
        extent: Extent::Count {
            elapsed: Duration::from_secs(2),
            done: 1000,
            whole: 20_000,
            left: Some(Duration::from_secs(130)),
        },
        connected: 1000,
        clients: 20_000,
        later: 0,
        last_second: 2,
        seconds: vec![second; 2],
        failures: vec![],
        errors: vec![],
        late: None,
        limit: Limit::None,
    };
    let expected = "\
connecting   ━─────────────────────────────  1000 of 20000, 2 s, about 2m10s left
connected    1000 of 20000 clients
connects     523/s      ██  peak 523/s
";
    assert_eq!(screen(&status, 99, Charset::Utf8), expected);
}

#[test]
fn a_line_has_the_rates_since_the_last_one() {
    let expected = "measuring, 62 s of 90 s, 28 s left: 108 of 110 connected, sent 11500/s, received 10925/s, \
                    p50 1.20 ms, p99 6.20 ms, 2 clients could not connect, 1 message rejected";
    assert_eq!(line(&status()), expected);
}
