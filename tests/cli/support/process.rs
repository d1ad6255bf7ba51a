//! Programs as a user runs them: a line of words, bytes on stdin, and the results.
//!
//! Whatever is waited for has a deadline; a failure shows all that the program said.

use super::DEADLINE;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The program under test, with these words as its arguments. `MQ_TESTED` names another build of it.
pub fn mq(words: &str) -> Program {
    Program::new(mq_path()).words(words)
}

/// The path of the program under test.
pub fn mq_path() -> &'static str {
    static PATH: LazyLock<String> =
        LazyLock::new(|| std::env::var("MQ_TESTED").unwrap_or_else(|_| env!("CARGO_BIN_EXE_mq").to_owned()));
    &PATH
}

/// Whether the program under test is the one that was built with the tests, with debug assertions as they have them.
pub fn is_built_with_the_tests() -> bool {
    mq_path() == env!("CARGO_BIN_EXE_mq")
}

/// The program under test, called by the name of one of mosquitto's tools, with these words as its arguments.
pub fn called_as(name: &str, words: &str) -> Program {
    let mut program = mq(words);
    program.command.arg0(name);
    program
}

/// A shell on a terminal of its own. `None`, and a word about it, where script is not installed.
pub fn on_a_terminal(line: &str) -> Option<Running> {
    let script = Program::new(super::broker::find("script")?).words("-qe /dev/null -c");
    // The same shell for all users; typed control characters may interrupt the program, not the line.
    let script = script.arg(format!("trap : INT; {line}")).env("SHELL", "/bin/sh");
    Some(script.open_stdin().spawn())
}

/// A program that was not started yet.
pub struct Program {
    command: Command,
    stdin: Stdin,
    closes_stdout_after: usize,
    is_stdout_held: bool,
}

enum Stdin {
    Empty,
    Bytes(Vec<u8>),
    Open,
}

impl Program {
    /// A program by its path.
    pub fn new(path: impl AsRef<OsStr>) -> Program {
        let mut command = Command::new(path);
        command.env("XDG_CONFIG_HOME", "/nonexistent").env("LC_ALL", "C.UTF-8");
        for variable in ["RUST_BACKTRACE", "SSLKEYLOGFILE", "GITHUB_ACTIONS"] {
            command.env_remove(variable);
        }
        // Every option about the connection has one, and the user's environment may set some.
        for (variable, _) in std::env::vars_os().filter(|(name, _)| name.as_bytes().starts_with(b"MQ_")) {
            command.env_remove(variable);
        }
        Program { command, stdin: Stdin::Empty, closes_stdout_after: usize::MAX, is_stdout_held: false }
    }

    /// Adds arguments, separated by white space.
    pub fn words(mut self, words: &str) -> Program {
        self.command.args(words.split_whitespace());
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Program {
        self.command.env(name, value);
        self
    }

    /// Adds one argument as it is.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Program {
        self.command.arg(argument);
        self
    }

    /// Sets its working directory.
    pub fn in_directory(mut self, path: impl AsRef<Path>) -> Program {
        self.command.current_dir(path);
        self
    }

    /// Takes everything out of its environment.
    pub fn without_env(mut self) -> Program {
        self.command.env_clear();
        self
    }

    /// The program's standard input, which is empty by default.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Program {
        self.stdin = Stdin::Bytes(bytes.into());
        self
    }

    /// Keeps stdin open, for [`Running::write`].
    pub fn open_stdin(mut self) -> Program {
        self.stdin = Stdin::Open;
        self
    }

    /// Closes the program's stdout after this many lines, as `head` does.
    pub fn closing_stdout_after(mut self, lines: usize) -> Program {
        self.closes_stdout_after = lines;
        self
    }

    /// Does not read the program's stdout before [`Running::read_stdout`].
    pub fn holding_stdout(mut self) -> Program {
        self.is_stdout_held = true;
        self
    }

    /// Starts it.
    pub fn spawn(mut self) -> Running {
        let stdin = if matches!(self.stdin, Stdin::Empty) { Stdio::null() } else { Stdio::piped() };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let words = [self.command.get_program()].into_iter().chain(self.command.get_args());
        let shown = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let mut child =
            self.command.spawn().unwrap_or_else(|error| panic!("{shown} does not start: {error}"));
        let stdout = child.stdout.take().expect("is piped");
        let (held_stdout, stdout) = if self.is_stdout_held {
            (Some(stdout), Captured::default())
        } else {
            (None, Captured::of(stdout, self.closes_stdout_after))
        };
        let stderr = Captured::of(child.stderr.take().expect("is piped"), usize::MAX);
        let mut open_stdin = child.stdin.take();
        if let Stdin::Bytes(bytes) = self.stdin {
            let mut pipe = open_stdin.take().expect("is piped");
            thread::spawn(move || pipe.write_all(&bytes)); // a program may end before it read everything
        }
        Running { child, shown, stdin: open_stdin, stdout, held_stdout, stderr }
    }

    /// Starts it and waits for its end.
    #[track_caller]
    pub fn run(self) -> Finished {
        self.spawn().finish()
    }
}

/// How many descriptors a process has.
#[cfg(target_os = "linux")]
pub fn descriptors(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count)
}

/// The CPU time that a process has used, in seconds.
#[cfg(target_os = "linux")]
pub fn cpu_seconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks = |field: usize| fields[field].parse::<u32>().unwrap();
    // Linux reports hundredths of a second on all machines.
    f64::from(ticks(11) + ticks(12)) / 100.0
}

/// The resident memory of a process, in bytes, without the pages of files.
#[cfg(target_os = "linux")]
pub fn own_memory(process: u32) -> u64 {
    size_in_status(process, "RssAnon:")
}

/// A size in the status of a process, in bytes.
#[cfg(target_os = "linux")]
fn size_in_status(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).expect("Linux reports it");
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// A program that runs; it is killed when this goes away.
pub struct Running {
    child: Child,
    shown: String,
    stdin: Option<ChildStdin>,
    stdout: Captured,
    held_stdout: Option<ChildStdout>,
    stderr: Captured,
}

impl Running {
    /// Reads the stdout that was held.
    pub fn read_stdout(&mut self) {
        self.stdout = Captured::of(self.held_stdout.take().expect("it was held"), usize::MAX);
    }

    /// Closes the stdout that was held.
    pub fn close_stdout(&mut self) {
        self.held_stdout = None;
        self.stdout = Captured::of(std::io::empty(), usize::MAX);
    }

    /// The next line on stdout that contains this; earlier lines are passed over for good.
    #[track_caller]
    pub fn wait_for_stdout(&mut self, part: &str) -> String {
        let line = self.stdout.wait_for_line(part);
        line.unwrap_or_else(|| panic!("no line with {part:?} on stdout of {}", self.everything()))
    }

    /// Waits until stdout contains this, whether or not its line has ended.
    #[track_caller]
    pub fn wait_for_part_of_stdout(&mut self, part: &str) {
        let has_come = self.stdout.wait_for_part(part.as_bytes());
        assert!(has_come, "no {part:?} on stdout of {}", self.everything());
    }

    /// All of stdout until now.
    pub fn stdout_so_far(&self) -> Vec<u8> {
        self.stdout.bytes()
    }

    /// All of stderr until now.
    pub fn stderr_so_far(&self) -> String {
        String::from_utf8_lossy(&self.stderr.bytes()).into_owned()
    }

    /// The next line on stderr that contains this; earlier lines are passed over for good.
    #[track_caller]
    pub fn wait_for_stderr(&mut self, part: &str) -> String {
        let line = self.stderr.wait_for_line(part);
        line.unwrap_or_else(|| panic!("no line with {part:?} on stderr of {}", self.everything()))
    }

    /// As [`Running::wait_for_stderr`], `None` when the program ends first.
    pub fn try_wait_for_stderr(&mut self, part: &str) -> Option<String> {
        self.stderr.wait_for_line(part)
    }

    /// Writes to the stdin that was kept open.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(bytes.as_ref()).and_then(|()| stdin.flush()).expect("the program reads its stdin");
    }

    /// Ends the stdin that was kept open.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, `INT` or `TERM`.
    pub fn signal(&self, name: &str) {
        kill(name, &self.child.id().to_string());
    }

    /// Sends a signal to the programs that this one has started.
    #[cfg(target_os = "linux")]
    pub fn signal_children(&self, name: &str) {
        kill(name, &format!("$(cat /proc/{0}/task/{0}/children)", self.child.id()));
    }

    /// The peak of resident memory in bytes, without the pages of the program file, whose size depends on the build.
    #[cfg(target_os = "linux")]
    pub fn peak_memory(&self) -> u64 {
        let process = self.child.id();
        size_in_status(process, "VmHWM:") - size_in_status(process, "RssFile:")
    }

    /// The resident memory of its own, in bytes, without the pages of files.
    #[cfg(target_os = "linux")]
    pub fn own_memory(&self) -> u64 {
        own_memory(self.child.id())
    }

    /// How many threads it has.
    #[cfg(target_os = "linux")]
    pub fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.child.id())).map_or(0, Iterator::count)
    }

    /// How many descriptors it has.
    #[cfg(target_os = "linux")]
    pub fn descriptors(&self) -> usize {
        descriptors(self.child.id())
    }

    /// Waits until it has no more descriptors than this.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn wait_for_descriptors(&self, most: usize) {
        let deadline = Instant::now() + DEADLINE;
        while self.descriptors() > most {
            assert!(Instant::now() < deadline, "{} descriptors, not {most}", self.descriptors());
            thread::sleep(Duration::from_millis(2)); // there is nothing else to wait for
        }
    }

    /// The CPU time that it has used, in seconds.
    #[cfg(target_os = "linux")]
    pub fn cpu_seconds(&self) -> f64 {
        cpu_seconds(self.child.id())
    }

    /// Kills it as if the machine had failed.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal until it has ended: a second one counts only if it comes a while after the first.
    #[track_caller]
    pub fn signal_until_end(&mut self, name: &str) {
        let deadline = Instant::now() + DEADLINE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "still running after {DEADLINE:?}: {}", self.everything());
            self.signal(name);
            thread::sleep(Duration::from_millis(20)); // there is nothing else to wait for
        }
    }

    /// Waits until it has ended.
    #[track_caller]
    pub fn wait_for_end(&mut self) {
        let has_ended = self.wait_until(Instant::now() + DEADLINE).is_some();
        assert!(has_ended, "still running after {DEADLINE:?}: {}", self.everything());
    }

    /// Waits for its end, and for the end of its output.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        self.close_stdin();
        let deadline = Instant::now() + DEADLINE;
        let has_ended = self.stdout.wait_for_end(deadline) && self.stderr.wait_for_end(deadline);
        let status = if has_ended { self.wait_until(deadline) } else { None };
        let Some(status) = status else { panic!("still running after {DEADLINE:?}: {}", self.everything()) };
        Finished {
            status: status.code().unwrap_or_else(|| -status.signal().expect("what else")),
            stdout: self.stdout.bytes(),
            stderr: with_words_of_glibc(&String::from_utf8_lossy(&self.stderr.bytes())),
            shown: self.shown.clone(),
        }
    }

    /// Output ends a moment before the process does, and the standard library has no wait with a deadline.
    fn wait_until(&mut self, deadline: Instant) -> Option<ExitStatus> {
        loop {
            match self.child.try_wait().unwrap() {
                None if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
                ended_or_late => return ended_or_late,
            }
        }
    }

    fn everything(&self) -> String {
        show(&self.shown, &self.stdout.bytes(), &String::from_utf8_lossy(&self.stderr.bytes()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The output and the exit status of a program.
pub struct Finished {
    /// The exit status; negative: the signal that ended it.
    pub status: i32,
    /// All of stdout.
    pub stdout: Vec<u8>,
    /// All of stderr, with glibc's words for errors of the system.
    pub stderr: String,
    shown: String,
}

impl Finished {
    /// Asserts status 0, and returns stdout.
    #[track_caller]
    pub fn succeed(self) -> String {
        self.expect_status(0);
        assert!(std::str::from_utf8(&self.stdout).is_ok(), "text on stdout of {}", self.everything());
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Asserts this status and an explanation on stderr, which is returned.
    #[track_caller]
    pub fn fail(self, status: i32) -> String {
        self.expect_status(status);
        assert!(!self.stderr.is_empty(), "status {status} without a word: {}", self.everything());
        self.stderr
    }

    /// Asserts this status.
    #[track_caller]
    pub fn expect_status(&self, status: i32) {
        assert_eq!(self.status, status, "status of {}", self.everything());
    }

    fn everything(&self) -> String {
        show(&self.shown, &self.stdout, &self.stderr)
    }
}

/// Sends a signal with the shell's own `kill`: the program of that name is not on every machine.
#[track_caller]
pub fn kill(name: &str, processes: &str) {
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {processes}")]).status();
    assert!(status.unwrap().success(), "kill -{name} works");
}

/// A text begins with this line, to the byte.
#[track_caller]
pub fn assert_first_line(text: &str, line: &str) {
    assert_eq!(text.lines().next(), Some(line), "{text}");
}

/// The address in `listening on ADDRESS, ...`, a line of a proxy.
#[track_caller]
pub fn listening_address(line: &str) -> SocketAddr {
    let place = line.strip_prefix("listening on ").and_then(|rest| rest.split_once(',')).unwrap().0;
    place.rsplit('/').next().unwrap().parse().unwrap()
}

/// A text contains all these parts, in whatever case they are written, and wherever a report is folded.
#[track_caller]
pub fn assert_says(text: &str, parts: &[&str]) {
    let lower = text.to_lowercase();
    let unfolded = lower.replace(&format!("\n{:18}", ""), " ");
    for part in parts {
        let part = part.to_lowercase();
        assert!(lower.contains(&part) || unfolded.contains(&part), "{part:?} is missing in: {text}");
    }
}

fn show(program: &str, stdout: &[u8], stderr: &str) -> String {
    let stdout = String::from_utf8_lossy(stdout);
    format!("{program}\n--- stdout\n{}\n--- stderr\n{}\n---", last_part(&stdout), last_part(stderr))
}

/// The text with glibc's words for errors of the system, which a static program takes from musl.
fn with_words_of_glibc(text: &str) -> String {
    const WORDS: [(&str, &str); 4] = [
        ("I/O error (os error 5)", "Input/output error (os error 5)"),
        ("No file descriptors available (os error 24)", "Too many open files (os error 24)"),
        ("Address in use (os error 98)", "Address already in use (os error 98)"),
        ("Address not available (os error 99)", "Cannot assign requested address (os error 99)"),
    ];
    WORDS.iter().fold(text.to_owned(), |text, (musl, glibc)| text.replace(musl, glibc))
}

/// The end of a long output, which shows the reason for a failure.
fn last_part(text: &str) -> &str {
    let start = text.len().saturating_sub(8000);
    let start = (start..=text.len()).find(|&at| text.is_char_boundary(at)).expect("the end is a boundary");
    &text[start..]
}

/// The bytes from a pipe so far.
#[derive(Default)]
struct Captured(Arc<(Mutex<Output>, Condvar)>);

#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    /// Up to where lines were waited for.
    seen: usize,
    has_ended: bool,
}

impl Captured {
    fn of(mut pipe: impl Read + Send + 'static, lines: usize) -> Captured {
        let captured = Captured(Arc::default());
        let shared = captured.0.clone();
        thread::spawn(move || {
            let mut lines_left = lines;
            let mut chunk = vec![0; 65536];
            while lines_left > 0 {
                let taken = pipe.read(&mut chunk).unwrap_or(0);
                let (output, changed) = &*shared;
                if taken == 0 {
                    break;
                }
                output.lock().unwrap().bytes.extend(&chunk[..taken]);
                changed.notify_all();
                if lines != usize::MAX {
                    lines_left = lines_left
                        .saturating_sub(chunk[..taken].iter().filter(|&&byte| byte == b'\n').count());
                }
            }
            drop(pipe);
            let (output, changed) = &*shared;
            output.lock().unwrap().has_ended = true;
            changed.notify_all();
        });
        captured
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.0.lock().unwrap().bytes.clone()
    }

    fn wait_for_end(&self, deadline: Instant) -> bool {
        let (output, changed) = &*self.0;
        let left = deadline.saturating_duration_since(Instant::now());
        let (output, _) =
            changed.wait_timeout_while(output.lock().unwrap(), left, |output| !output.has_ended).unwrap();
        output.has_ended
    }

    fn wait_for_part(&self, part: &[u8]) -> bool {
        let (output, changed) = &*self.0;
        let is_missing = |output: &mut Output| {
            !output.has_ended && !output.bytes.windows(part.len()).any(|some| some == part)
        };
        let waited = changed.wait_timeout_while(output.lock().unwrap(), DEADLINE, is_missing);
        !is_missing(&mut waited.unwrap().0)
    }

    fn wait_for_line(&self, part: &str) -> Option<String> {
        let deadline = Instant::now() + DEADLINE;
        let (output, changed) = &*self.0;
        let mut output = output.lock().unwrap();
        loop {
            while let Some(line) = output.next_line() {
                if line.contains(part) {
                    return Some(line);
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if output.has_ended || left.is_zero() {
                return None;
            }
            output = changed.wait_timeout(output, left).unwrap().0;
        }
    }
}

impl Output {
    fn next_line(&mut self) -> Option<String> {
        let rest = &self.bytes[self.seen..];
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        self.seen += end + 1;
        Some(line)
    }
}
