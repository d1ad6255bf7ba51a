//! The catalogue of error messages: `tests/snapshots/errors/`, a file an area. A file holds cases, and the results of their
//! commands: standard error and exit status.
//!
//! | line | meaning |
//! |---|---|
//! | `## TITLE` | begins a case, in an empty directory, `[DIR]` |
//! | `file: NAME TEXT` | adds a line to a file; `\n`, `\t` and `\xNN` are escapes |
//! | `bytes: NAME HEX` | writes a file from bytes in hexadecimal, as in `support::bytes` |
//! | `fill: NAME COUNT` | writes a file of so many bytes `x` |
//! | `dir: NAME` | creates a directory |
//! | `mode: NAME 644` | sets the mode of a file |
//! | `pem: NAME` | writes a file of certificates or keys, see `tls` |
//! | `env: NAME=VALUE` | sets a variable |
//! | `stdin: TEXT` | adds a line to standard input |
//! | `peer: STEP` | adds a step to the script of the peer at port `[PORT]` of 127.0.0.1, see `script` |
//! | `$ mq WORDS` | runs the program; a word can have `'...'` |
//! | `\| TEXT`, `= STATUS` | the result, written by `SNAPSHOTS=overwrite` |

use super::super::support::certificates::Files;
use super::super::support::*;
use super::script::Peer;
use super::{assert_snapshot, names, snapshots};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

macro_rules! areas {
    ($($(#[$attribute:meta])* $test:ident: $name:literal,)*) => {
        const AREAS: &[&str] = &[$($name),*];
        $(#[test] $(#[$attribute])* fn $test() { check($name); })*
    };
}

areas! {
    errors_of_authentication: "authentication",
    errors_of_bench: "bench",
    errors_of_bench_with_mqtt_sn: "bench-mqtt-sn",
    errors_of_bridges: "bridge",
    errors_of_the_broker: "broker",
    errors_of_the_command_line: "command-line",
    errors_of_configuration: "configuration",
    errors_of_connecting: "connecting",
    errors_of_inspect: "inspect",
    errors_of_messages: "messages",
    errors_of_mqtt_sn: "mqtt-sn",
    errors_of_passwd: "passwd",
    errors_of_presets: "presets",
    errors_of_proxies_and_web_sockets: "proxies-and-web-sockets",
    #[cfg_attr(feature = "sqlite", ignore = "the snapshots are those of a build without the feature")]
    errors_of_recordings: "recordings",
    errors_of_the_protocol: "protocol",
    errors_of_tls: "tls",
    errors_under_the_names_of_mosquitto: "mosquitto",
}

#[test]
fn each_file_of_the_catalogue_is_an_area() {
    let mut areas = AREAS.to_vec();
    areas.sort_unstable();
    assert_eq!(names("errors"), areas);
}

/// Runs the cases of an area, and compares their results.
fn check(area: &str) {
    let path = snapshots("errors").join(format!("{area}.txt"));
    let mut run = Run::new();
    let text = std::fs::read_to_string(path).unwrap();
    for line in text.lines().filter(|line| !line.starts_with(['|', '=', '!'])) {
        run.line(line);
    }
    let failures: Vec<String> =
        run.result.lines().filter(|line| line.starts_with('!')).map(str::to_owned).collect();
    assert_snapshot("errors", area, run.result);
    assert_eq!(failures, [] as [&str; 0], "in tests/snapshots/errors/{area}.txt");
}

/// The state between two lines.
struct Run {
    result: String,
    files: Files,
    variables: Vec<(String, OsString)>,
    stdin: Vec<u8>,
    peer: Vec<String>,
}

impl Run {
    fn new() -> Run {
        Run {
            result: String::new(),
            files: Files::new(&[]),
            variables: Vec::new(),
            stdin: Vec::new(),
            peer: Vec::new(),
        }
    }

    fn line(&mut self, line: &str) {
        if line.starts_with("## ") {
            *self = Run { result: std::mem::take(&mut self.result), ..Run::new() };
        }
        self.result += line;
        self.result += "\n";
        if let Some(command) = line.strip_prefix("$ ") {
            self.command(command);
        } else if let Some((keyword, value)) = line.split_once(": ").filter(|_| !line.starts_with('#')) {
            self.setting(keyword, value);
        }
    }

    fn setting(&mut self, keyword: &str, value: &str) {
        let (name, rest) = value.split_once(' ').unwrap_or((value, ""));
        let path = self.files.path(name);
        match keyword {
            "file" => {
                let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
                let line = self.bytes(rest, "[none]");
                file.write_all(&line).and_then(|()| file.write_all(b"\n")).unwrap();
            }
            "bytes" => std::fs::write(path, bytes::hex(rest)).unwrap(),
            "fill" => std::fs::write(path, vec![b'x'; rest.parse().unwrap()]).unwrap(),
            "dir" => std::fs::create_dir(path).unwrap(),
            "mode" => {
                let mode = u32::from_str_radix(rest, 8).unwrap();
                std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
            }
            "pem" => std::fs::write(path, super::tls::file(name)).unwrap(),
            "env" => {
                let (name, value) = value.split_once('=').unwrap();
                let value = OsString::from_vec(self.bytes(value, "[none]"));
                self.variables.push((name.to_owned(), value));
            }
            "stdin" => {
                let line = self.bytes(value, "[none]");
                self.stdin.extend(line);
                self.stdin.push(b'\n');
            }
            "peer" => self.peer.push(value.to_owned()),
            _ => panic!("unknown setting: {keyword}: {value}"),
        }
    }

    fn command(&mut self, command: &str) {
        let steps = std::mem::take(&mut self.peer);
        let stdin = std::mem::take(&mut self.stdin);
        // A case that fails must not hide the results of the others.
        match catch_unwind(AssertUnwindSafe(|| self.result_of(command, &steps, stdin))) {
            Ok(result) => self.result += &result,
            Err(_) => self.result += "! the command did not end, or the script of the peer does not fit\n",
        }
    }

    fn result_of(&self, command: &str, steps: &[String], stdin: Vec<u8>) -> String {
        let peer = Peer::start(steps, &self.files);
        let port = peer.as_ref().map(|peer| peer.address().port().to_string());
        let port = port.as_deref().unwrap_or("[none]");
        let words = split(command).into_iter().map(|word| OsString::from_vec(self.bytes(&word, port)));
        let words: Vec<OsString> = words.collect();
        let (name, words) = words.split_first().expect("a command has a name");
        let mut program = called_as(name.to_str().unwrap(), "").stdin(stdin);
        program = words.iter().fold(program, Program::arg);
        program = self.variables.iter().fold(program, |program, (name, value)| program.env(name, value));
        let finished = program.run();
        if let Some(peer) = peer {
            peer.finish();
        }
        let stderr = self.redact(&finished.stderr, port);
        let mut result = String::new();
        for line in stderr.lines() {
            let _ = writeln!(result, "{}", format!("| {line}").trim_end());
        }
        let _ = writeln!(result, "= {}", finished.status);
        result
    }

    /// The bytes of a text with `[DIR]`, `[PORT]` and escapes.
    fn bytes(&self, text: &str, port: &str) -> Vec<u8> {
        let text = self.files.words(&text.replace("[DIR]", "{}")).replace("[PORT]", port);
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((&first, after)) = rest.split_first() {
            let (byte, after) = match (first, after) {
                (b'\\', [b'n', after @ ..]) => (b'\n', after),
                (b'\\', [b't', after @ ..]) => (b'\t', after),
                (b'\\', [b'x', high, low, after @ ..]) => {
                    let digits = [*high, *low];
                    let digits = std::str::from_utf8(&digits).unwrap();
                    (u8::from_str_radix(digits, 16).unwrap(), after)
                }
                _ => (first, after),
            };
            bytes.push(byte);
            rest = after;
        }
        bytes
    }

    /// The text without paths, ports and resolvers of this run.
    fn redact(&self, text: &str, port: &str) -> String {
        let text = text.replace(&self.files.words("{}"), "[DIR]");
        let text = text.replace(mq_path(), "[MQ]").replace(port, "[PORT]");
        // The reason of the C library depends on the network of the machine.
        let lookup = "failed to lookup address information: ";
        text.split_inclusive('\n')
            .map(|line| match line.split_once(lookup) {
                Some((before, _)) => format!("{before}{lookup}[REASON]\n"),
                None => line.to_owned(),
            })
            .collect()
    }
}

/// The words of a command, of which a part can be between single quotes.
fn split(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    for char in command.chars() {
        match char {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' if !is_quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}
