//! The progress of a run: a panel on a terminal, lines elsewhere.

use super::*;
use crate::support::screen::screen;
use std::fs;

/// `mq bench` with these words on a terminal of this width.
fn on_columns(columns: u16, variables: &str, words: &str) -> Option<Running> {
    let program = mq_path();
    let line = format!(
        "stty rows 24 cols {columns}; TERM=xterm {variables} {program} bench {words}; echo status $?; stty -a"
    );
    on_a_terminal(&line)
}

/// Waits until the terminal shows this.
#[track_caller]
fn wait_for_screen(running: &Running, columns: u16, is_shown: impl Fn(&[String]) -> bool) -> Vec<String> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let shown = screen(&running.stdout_so_far(), columns.into());
        if is_shown(&shown) {
            return shown;
        }
        assert!(Instant::now() < deadline, "{shown:#?}");
        std::thread::sleep(std::time::Duration::from_millis(5)); // there is nothing else to wait for
    }
}

/// The rows with each number replaced by 0, and each bar by its length.
fn masked(rows: &[String]) -> Vec<String> {
    let mask = |row: &String| {
        let mut masked = String::new();
        for character in row.chars() {
            match character {
                '0'..='9' if masked.ends_with('0') => {}
                '0'..='9' => masked.push('0'),
                '━' | '─' => masked.push('─'),
                character => masked.push(character),
            }
        }
        masked
    };
    rows.iter().map(mask).collect()
}

fn is_on_hold(rows: &[String]) -> bool {
    rows.iter().any(|row| row.starts_with("hold"))
        && rows.iter().any(|row| row.contains("3 of 3") || row == "3/3")
}

#[test]
fn a_panel_fits_terminals_of_any_width() {
    let broker = EmbeddedBroker::start();
    let bar = "─".repeat(30);
    for (columns, head, clients) in [
        (120, format!("hold         {bar}  0 s of 0 s, 0 s left"), "connected    0 of 0 clients"),
        (80, format!("hold         {bar}  0 s of 0 s, 0 s left"), "connected    0 of 0 clients"),
        (40, "hold         0 s of 0 s, 0 s left".to_owned(), "connected    0 of 0 clients"),
        (10, "hold".to_owned(), "0/0"),
    ] {
        let words = format!("conn -c 3 --hold 100 {}", broker.options());
        let Some(mut running) = on_columns(columns, "", &words) else { return };
        let rows = wait_for_screen(&running, columns, is_on_hold);
        let announced =
            "mq bench: 3 clients connect and stay connected, for 100 s".chars().collect::<Vec<_>>();
        let mut expected: Vec<String> = announced
            .chunks(columns.into())
            .map(|row| row.iter().collect::<String>().trim_end().to_owned())
            .collect();
        expected.extend([head, clients.to_owned()]);
        assert_eq!(masked(&rows), masked(&expected), "{columns} columns");
        running.write("\x03");
        let shown = running.finish().stdout;
        let rows = screen(&shown, columns.into()).join("\n");
        assert!(!rows.contains("left"), "the panel is gone: {rows}");
        let unwrapped = rows.replace('\n', "");
        for part in ["3 of 3 clients", "status 130", " echo"] {
            let part = if columns == 10 { part.replace(' ', "") } else { part.to_owned() };
            let unwrapped = if columns == 10 { unwrapped.replace(' ', "") } else { unwrapped.clone() };
            assert!(unwrapped.contains(&part), "{part} in {rows}");
        }
    }
}

#[test]
fn a_panel_follows_the_size_of_the_terminal() {
    let broker = EmbeddedBroker::start();
    let directory = tempfile::TempDir::new().unwrap();
    let fifo = directory.path().join("resize");
    let program = mq_path();
    let fifo_path = fifo.display();
    let line = format!(
        "mkfifo {fifo_path}; stty rows 24 cols 80; \
         (while read columns; do stty -F /dev/tty cols $columns; done <{fifo_path}) & \
         TERM=xterm {program} bench conn -c 3 --hold 100 {}",
        broker.options()
    );
    let Some(mut running) = on_a_terminal(&line) else { return };
    wait_for_screen(&running, 80, |rows| is_on_hold(rows) && rows.iter().any(|row| row.contains('─')));
    let mut resize = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    for (columns, head) in [(40, "hold         0 s of 0 s, 0 s left"), (10, "hold"), (0, "hold         ")] {
        std::io::Write::write_all(&mut resize, format!("{columns}\n").as_bytes()).unwrap();
        wait_for_screen(&running, 80, |rows| {
            let rows = masked(rows);
            let is_head = |row: &String| if columns == 0 { row.contains('─') } else { row == head };
            rows.iter().filter(|row| row.starts_with("hold")).all(is_head) && rows.len() <= 3
        });
    }
    drop(resize);
    running.write("\x03");
    running.finish();
}

#[test]
fn messages_stay_whole_above_a_panel() {
    let broker = EmbeddedBroker::start();
    let words = format!("conn -c 3 --hold 100 -d --progress panel {}", broker.options());
    let Some(mut running) = on_columns(120, "", &words) else { return };
    let rows = wait_for_screen(&running, 120, is_on_hold);
    let of_packets: Vec<_> = rows.iter().filter(|row| row.contains("CONN")).collect();
    assert!(of_packets.len() >= 2, "CONNECT and CONNACK: {rows:#?}");
    assert_eq!(rows.iter().filter(|row| row.starts_with("connected ")).count(), 1, "{rows:#?}");
    running.write("\x03");
    running.finish();
}

#[test]
fn worker_processes_and_errors_are_in_the_panel() {
    let Some(broker) = Mosquitto::start_with("allow_anonymous false") else { return };
    let words = format!("conn -c 100 --connect-rate 2 --processes 2 --hold 100 {}", broker.options());
    let Some(running) = on_columns(80, "", &words) else { return };
    wait_for_screen(&running, 80, |rows| {
        let has = |part: &str| rows.iter().any(|row| row.contains(part));
        has("connected    0 of 100 clients") && has("could not connect") && has("x ") && has("not authorized")
    });
    drop(running);
}

#[test]
fn a_stopped_run_leaves_the_terminal_to_the_shell() {
    let broker = EmbeddedBroker::start();
    let directory = tempfile::TempDir::new().unwrap();
    let id = directory.path().join("id");
    let program = mq_path();
    let line = format!(
        "stty cols 80 rows 24; TERM=xterm sh -c 'echo $$ >{}; exec {program} bench conn -c 3 --hold 100 {}'",
        id.display(),
        broker.options()
    );
    let Some(running) = on_a_terminal(&line) else { return };
    wait_for_screen(&running, 80, is_on_hold);
    let id = fs::read_to_string(id).unwrap();
    let id = id.trim();
    kill("TSTP", id);
    wait_for_screen(&running, 80, |rows| rows.len() == 1 && rows[0].starts_with("mq bench:"));
    kill("CONT", id);
    wait_for_screen(&running, 80, is_on_hold);
    kill("TERM", id);
    let rows = screen(&running.finish().stdout, 80);
    assert!(!rows.iter().any(|row| row.contains("left")), "{rows:#?}");
}

#[test]
fn a_panel_needs_a_terminal_that_moves_its_cursor() {
    let broker = EmbeddedBroker::start();
    let words = format!("-c 2 --messages 2000 {}", broker.options());
    for (variables, options, has_panel) in [
        ("", "", true),
        ("NO_COLOR=1", "", true),
        ("TERM=dumb", "", false),
        ("TERM=dumb", "--progress panel", false),
        ("", "--progress never", false),
        ("", "--progress lines", false),
        ("", "--quiet --progress panel", false),
    ] {
        let Some(running) = on_columns(80, variables, &format!("{words} {options}")) else { return };
        let shown = String::from_utf8(running.finish().stdout).unwrap();
        assert_eq!(shown.contains("\x1b[J"), has_panel, "{variables} {options}: {shown:?}");
        let colours = shown.split("\x1b[").skip(1).filter(|part| {
            part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m')
        });
        assert!(colours.count() == 0 || variables != "NO_COLOR=1", "{shown:?}");
    }
}

#[test]
fn elsewhere_there_is_a_line_every_ten_seconds() {
    let broker = EmbeddedBroker::start();
    let quiet = broker.mq("bench conn -c 3 --hold 100 --quiet").spawn();
    let never = broker.mq("bench conn -c 3 --hold 100 --progress never").spawn();
    let mut running = broker.mq("bench conn -c 3 --hold 100").spawn();
    let line = running.wait_for_stderr("hold");
    assert_eq!(masked(&[line]), ["mq bench: hold, 0 s of 0 s, 0 s left: 0 of 0 connected"]);
    running.signal("INT");
    running.finish().expect_status(130);
    for (running, lines) in [(quiet, 0), (never, 1)] {
        running.signal("INT");
        let stderr = running.finish().stderr;
        assert_eq!(stderr.lines().count(), lines, "only the announcement: {stderr}");
    }
}

#[test]
fn any_signal_that_ends_the_panel_leaves_the_terminal_as_it_was() {
    let broker = EmbeddedBroker::start();
    for (name, status) in [("HUP", 129), ("QUIT", 131), ("USR1", 138)] {
        let words = format!("bench conn -c 3 --hold 100 {}", broker.options());
        let Some(mut terminal) = Terminal::start(&words, 80, 24) else { return };
        terminal.wait_for("hold");
        terminal.wait_for("left");
        terminal.signal(name);
        terminal.end_with_output(status);
    }
}
