//! The end of the screen: signals, a panic, and a terminal that is gone.

use super::super::support::*;
use super::{home, top};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

#[test]
fn every_end_restores_the_terminal() {
    let broker = home();
    let others = [("QUIT", 131), ("USR1", 138), ("USR2", 140), ("ALRM", 142), ("VTALRM", 154), ("XCPU", 152)];
    for (signal, status) in [("TERM", 143), ("INT", 130), ("HUP", 129)].into_iter().chain(others) {
        let Some(mut terminal) = top(&broker, "") else { return };
        terminal.wait_for("garden");
        assert!(terminal.is_alternate());
        terminal.signal(signal);
        let shown = terminal.end(status);
        assert!(!shown.contains("mq"), "nothing is said: {shown}");
    }
}

#[test]
fn a_panic_restores_the_terminal_before_its_message() {
    if !cfg!(debug_assertions) || !process::is_built_with_the_tests() {
        return; // release builds have no panic on request
    }
    let broker = home();
    for (thread, key) in [("screen", "j"), ("reception", "sa\r"), ("output", "")] {
        let variables = format!("TERM=xterm TEST_PANIC_OF_MQ_TOP={thread}");
        let words = format!("top {}", broker.options());
        let Some(mut terminal) = Terminal::start_with(&variables, &words, 80, 24) else { return };
        if !key.is_empty() {
            terminal.wait_for("garden");
            terminal.keys(key);
        }
        let output = terminal.end_with_output(101);
        let (_, after) = output.rsplit_once("\u{1b}[?1049l").expect("the alternate screen is left");
        let request = format!("requested by a test in the {thread} thread");
        assert_says(after, &[&request, "mq: this is a fault in mq itself"]);
    }
}

#[test]
fn a_terminal_that_is_gone_ends_the_program_in_silence() {
    let broker = home();
    // In a session of its own, the program gets no SIGHUP, so it has to notice that its input ends.
    for session in ["", "setsid -w"] {
        let directory = TempDir::new().unwrap();
        let [errors, status] = ["errors", "status"].map(|name| directory.path().join(name));
        let line = format!(
            "sh -c 'trap \"\" HUP; echo process $$; TERM=xterm {session} {} top {} 2>{}; echo $? >{}'",
            mq_path(),
            broker.options(),
            errors.display(),
            status.display()
        );
        let Some(mut terminal) = Terminal::start_line(&line, 80, 24) else { return };
        terminal.wait_for("garden");
        terminal.close();
        assert_eq!(content_of(&status), "129\n", "{session}");
        assert_eq!(std::fs::read_to_string(errors).unwrap(), "", "{session}");
    }
}

/// The content of a file that another program writes.
fn content_of(path: &Path) -> String {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let content = std::fs::read_to_string(path).unwrap_or_default();
        if content.ends_with('\n') {
            return content;
        }
        assert!(Instant::now() < deadline, "nothing in {}", path.display());
        std::thread::sleep(Duration::from_millis(2)); // there is nothing else to wait for
    }
}
