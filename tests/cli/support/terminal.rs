//! A program on a terminal, and the screen that its user sees: the output, run through a terminal emulator.

use super::{DEADLINE, Running, kill, mq_path, on_a_terminal};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A program on a terminal.
pub struct Terminal {
    running: Running,
    emulator: vt100::Parser,
    /// The output that the emulator has read.
    fed: usize,
    device: File,
    process: String,
}

impl Terminal {
    /// Starts `mq` with these words on a terminal of this size. `None`, and a word about it, where script is not installed.
    pub fn start(words: &str, columns: u16, rows: u16) -> Option<Terminal> {
        Terminal::start_with("TERM=xterm-256color", words, columns, rows)
    }

    /// As [`Terminal::start`], with variables set by the shell. The line ends with the modes of the terminal before and after.
    pub fn start_with(variables: &str, words: &str, columns: u16, rows: u16) -> Option<Terminal> {
        let mq = mq_path();
        Terminal::start_line(
            &format!("{variables} sh -c 'echo process $$; exec {mq} {words}'"),
            columns,
            rows,
        )
    }

    /// As [`Terminal::start_with`], with a line of the shell that says `process` and a number first.
    pub fn start_line(line: &str, columns: u16, rows: u16) -> Option<Terminal> {
        let line = format!(
            "stty cols {columns} rows {rows}; echo device $(tty) modes $(stty -g); {line}; status=$?; echo; \
             echo status $status modes $(stty -g)"
        );
        let mut running = on_a_terminal(&line)?;
        let shown = running.wait_for_stdout("device ");
        let device = File::open(shown.split_whitespace().nth(1).unwrap()).expect("the terminal is a file");
        let shown = running.wait_for_stdout("process ");
        let process = shown.split_whitespace().nth(1).unwrap().to_owned();
        let emulator = vt100::Parser::new(rows, columns, 0);
        Some(Terminal { running, emulator, fed: 0, device, process })
    }

    /// Types these characters.
    pub fn keys(&mut self, keys: &str) {
        self.running.write(keys);
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.screen();
        self.emulator.screen_mut().set_size(rows, columns);
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.device, size).expect("the terminal accepts a size");
    }

    /// Closes the terminal, as its window does.
    pub fn close(mut self) {
        self.running.kill();
    }

    /// The process of the program.
    pub fn process(&self) -> u32 {
        self.process.parse().expect("the shell says it")
    }

    /// Sends a signal to the program.
    pub fn signal(&self, name: &str) {
        kill(name, &self.process.to_string());
    }

    /// The rows of the screen, without spaces at their ends.
    pub fn screen(&mut self) -> String {
        let output = self.running.stdout_so_far();
        self.emulator.process(&output[self.fed..]);
        self.fed = output.len();
        let (_, columns) = self.emulator.screen().size();
        let rows = self.emulator.screen().rows(0, columns);
        rows.map(|row| row.trim_end().to_owned() + "\n").collect::<String>().trim_end().to_owned()
    }

    /// Whether a cell has a colour.
    pub fn has_colours(&mut self) -> bool {
        self.screen();
        let screen = self.emulator.screen();
        let (rows, columns) = screen.size();
        let cells = (0..rows).flat_map(|row| (0..columns).filter_map(move |column| screen.cell(row, column)));
        cells
            .into_iter()
            .any(|cell| cell.fgcolor() != vt100::Color::Default || cell.bgcolor() != vt100::Color::Default)
    }

    /// Whether the program uses the alternate screen.
    pub fn is_alternate(&mut self) -> bool {
        self.screen();
        self.emulator.screen().alternate_screen()
    }

    /// Waits until the screen fulfils this.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, mut is_so: impl FnMut(&mut Terminal) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !is_so(self) {
            assert!(Instant::now() < deadline, "not {what}:\n{}", self.screen());
            sleep(Duration::from_millis(2)); // there is nothing else to wait for
        }
    }

    /// Waits until the screen shows this.
    #[track_caller]
    pub fn wait_for(&mut self, part: &str) {
        self.wait_until(part, |terminal| terminal.screen().contains(part));
    }

    /// Waits until the screen no longer shows this.
    #[track_caller]
    pub fn wait_without(&mut self, part: &str) {
        self.wait_until(&format!("without {part}"), |terminal| !terminal.screen().contains(part));
    }

    /// Waits until the program is stopped, as by Ctrl-Z.
    #[track_caller]
    pub fn wait_until_stopped(&mut self) {
        let path = format!("/proc/{}/stat", self.process);
        self.wait_until("stopped", |_| {
            let stat = std::fs::read_to_string(&path).unwrap_or_default();
            stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
        });
    }

    /// Waits for the end of the program, and asserts its status and that the terminal is as it was. Returns the output after the
    /// alternate screen.
    #[track_caller]
    pub fn end(self, status: i32) -> String {
        let output = self.end_with_output(status);
        output.rsplit("\u{1b}[?1049l").next().unwrap_or_default().to_owned()
    }

    /// As [`Terminal::end`], but returns all output.
    #[track_caller]
    pub fn end_with_output(mut self, status: i32) -> String {
        // The modes before are on the screen as well, unless the program uses the alternate one.
        self.wait_until("ended", |terminal| {
            String::from_utf8_lossy(&terminal.running.stdout_so_far()).matches(" modes ").count() == 2
        });
        assert!(!self.is_alternate(), "the alternate screen is left");
        let screen = self.emulator.screen();
        assert!(!screen.hide_cursor(), "the cursor is visible");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(!screen.bracketed_paste());
        let finished = self.running.finish();
        let output = String::from_utf8_lossy(&finished.stdout).into_owned();
        let modes: Vec<&str> = output.lines().filter_map(|line| line.split("modes ").nth(1)).collect();
        assert_eq!(modes.len(), 2, "{output}");
        assert_eq!(modes[0].trim(), modes[1].trim(), "the modes of the terminal are restored");
        assert!(output.contains(&format!("status {status} ")), "{output}");
        output
    }
}
