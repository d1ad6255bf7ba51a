//! Completions: the words that `mq complete` offers, and the same in real shells.

use super::support::*;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use tempfile::TempDir;

/// A directory with a configuration, a recording and a few files.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place { directory: TempDir::new().unwrap() };
        let config = "[profile.home]\nhost = 'broker.example'\n[profile.office]\nurl = 'mqtt://ann:xyzzy@office.example'\n";
        place.write("config.toml", config);
        place.write("rec.ndjson", "{\"topic\":\"garden/lamp\"}\n{\"topic\":\"garden/o'clock\"}\n{\"topic\":\"garden/$(touch gone)\"}\n");
        place.write("other.ndjson.txt", "{\"topic\":\"no/recording\"}\n");
        place.write("ca.pem", "");
        fs::create_dir(place.path().join("pages")).unwrap();
        fs::create_dir(place.path().join("bin")).unwrap();
        symlink(mq_path(), place.path().join("bin/mq")).unwrap();
        place
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    /// The answer of `mq complete` for these words.
    fn answer(&self, words: &[&str]) -> String {
        let line: String = ["mq"].iter().chain(words).map(|word| format!("{word}\0")).collect();
        let program = Program::new("sh").arg("-c").arg("cd \"$1\" && exec \"$2\" complete").arg("sh");
        let program =
            program.arg(self.path()).arg(mq_path()).env("MQ_CONFIG", self.path().join("config.toml"));
        program.stdin(line).run().succeed()
    }

    /// The words that are offered.
    fn words(&self, words: &[&str]) -> Vec<String> {
        let answer = self.answer(words);
        answer.lines().skip(1).filter_map(|line| Some(line.split('\t').next()?.to_owned())).collect()
    }
}

#[test]
fn profiles_and_topics_of_a_recording_are_offered() {
    let place = Place::new();
    assert_eq!(place.words(&["sub", "--profile", ""]), ["home", "office"]);
    assert_eq!(place.words(&["top", "--also", "ho"]), ["home"]);
    assert_eq!(place.words(&["bridge", "--from", "of"]), ["office"]);
    let answer = place.answer(&["sub", "--profile", ""]);
    assert_says(&answer, &["home\tbroker.example\n", "office\t"]);
    assert!(!answer.contains("xyzzy"), "{answer}");
    assert_eq!(place.words(&["sub", "-t", "garden/l"]), ["garden/lamp"]);
    assert_eq!(place.words(&["pub", "--topic=garden/l"]), ["--topic=garden/lamp"]);
    assert_eq!(place.words(&["sub", "-t", "no"]), [] as [&str; 0]);
    assert_eq!(place.words(&["pub", "--replay", "other.ndjson.txt", "-t", ""]), ["no/recording"]);
}

#[test]
fn a_topic_of_a_stranger_is_one_line_without_control_characters() {
    let place = Place::new();
    place.write("rec.ndjson", "{\"topic\":\"a\\nb\"}\n{\"topic\":\"\\u001b[2J\"}\n{\"topic\":\"\\u202ex\"}\n{\"topic\":\"fine\"}\n\0\n");
    assert_eq!(place.answer(&["sub", "-t", ""]), "words\tnone\t\nfine\t\n");
}

#[test]
fn a_key_of_the_configuration_file_has_the_values_of_its_option() {
    let place = Place::new();
    let values = |words: &[&str]| place.words(&[&["config", "set"], words, &[""]].concat());
    assert_eq!(values(&["ws"]), ["true", "false"]);
    assert_eq!(values(&["--profile", "home", "tls-version"]), ["tlsv1.2", "tlsv1.3"]);
    assert_eq!(values(&["default-profile"]), ["home", "office"]);
    assert_eq!(values(&["will-qos"]), ["0", "1", "2"]);
    assert_eq!(values(&["nothing"]), [] as [&str; 0]);
    assert_says(&place.answer(&["config", "set", "cafile", "c"]), &["words\tfiles\t"]);
    assert!(values(&[]).contains(&"keepalive".to_owned()));
    assert_eq!(place.words(&["config", "unset", "--profile", "home", ""]), ["host"]);
    assert_eq!(place.words(&["config", "unset", "--profile=office", ""]), ["url"]);
    assert_eq!(place.words(&["config", "unset", ""]), [] as [&str; 0]);
}

#[test]
fn words_that_no_shell_sends_are_survived() {
    let complete = |stdin: &[u8]| mq("complete").stdin(stdin).run().succeed();
    for stdin in [
        &b""[..],
        b"\0",
        b"mq",
        b"mq\0",
        b"mq\0\0",
        b"\xff\0\xff\0",
        b"mq\0sub\0-t\0\xff\0",
        b"mq\0pub\0-\xc3\0x\0",
    ] {
        complete(stdin);
    }
    assert_says(&complete(b"mq\0pu\0\n"), &["pub\tPublish messages\n"]);
    let config = Place::new();
    config.write("config.toml", "[profile.home");
    assert_eq!(config.words(&["sub", "--profile", ""]), [] as [&str; 0]);
}

#[test]
fn every_shell_has_a_script() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert_says(&mq(&format!("completions {shell}")).run().succeed(), &["mq complete"]);
    }
    assert_says(&mq("completions tcsh").run().fail(2), &["tcsh"]);
}

/// Typed words, and a part of the line or list that a tab makes of them.
const LINES: [(&str, &str); 18] = [
    ("mq pu", "> mq pub "),
    ("mq sub --tls-v", "> mq sub --tls-version"),
    ("mq sub --profile ho", "--profile home "),
    ("mq pub -D publish conte", "-D publish content-type "),
    ("mq sub --decode msg", "--decode msgpack "),
    ("mq sub --retain-handling=al", "--retain-handling=always "),
    ("mq sub -t garden/l", "-t garden/lamp "),
    ("mq sub -t garden/\\$", "-t garden/\\$\\(touch\\ gone\\) "),
    ("mq inspect --filter 'qos=1 to", "--filter 'qos=1 topic="),
    ("mq sub --cafile ca", "--cafile ca.pem "),
    ("mq sub --cafile=ca", "--cafile=ca.pem "),
    ("mq man --dir p", "--dir pages/"),
    ("mq sub -t a > ca", "-t a > ca.pem "),
    ("mq sub 2>ca.pem --tls-v", "2>ca.pem --tls-version"),
    ("mq broker --limit sess", "--limit sessions="),
    ("mq sub --auth-method OA", "--auth-method OAUTH2-JWT "),
    ("mq config set insecure t", "insecure true "),
    ("mq config unset --profile office u", "--profile office url "),
];

/// What no tab completes: hidden options, and files where none go.
const UNCHANGED: [&str; 2] = ["mq bench --work", "mq sub -t ca.p"];

fn check_shell(shell: &str, files: &[(&str, &str)], start: &str) {
    if broker::find(shell).is_none() {
        return;
    }
    let place = Place::new();
    for (name, text) in files {
        place.write(name, text);
    }
    for (name, shell) in [("mq.bash", "bash"), ("_mq", "zsh"), ("mq.fish", "fish")] {
        place.write(name, &mq(&format!("completions {shell}")).run().succeed());
    }
    let here = place.path().display();
    let line = format!(
        "cd {here}; export HOME={here} XDG_CONFIG_HOME={here}/xdg XDG_DATA_HOME={here}/xdg ZDOTDIR={here} PATH={here}/bin:$PATH \
         MQ_CONFIG={here}/config.toml TERM=xterm LC_ALL=C.UTF-8; sh -c 'echo process $$; exec {start}'"
    );
    let Some(mut terminal) = Terminal::start_line(&line, 100, 40) else { return };
    terminal.wait_for("ready>");
    for (typed, expected) in LINES {
        terminal.keys(&format!("{typed}\t"));
        // A closing quotation mark is the shell's own matter. The mark at the end shows that a space is there.
        terminal.wait_for(expected.trim_end());
        if expected.ends_with(' ') {
            terminal.keys("X");
            terminal.wait_for(&format!("{expected}X"));
        }
        clear(&mut terminal);
    }
    for typed in UNCHANGED {
        terminal.keys(&format!("{typed}\tX"));
        terminal.wait_for(&format!("{typed}X"));
        clear(&mut terminal);
    }
    assert!(!place.path().join("gone").exists(), "no part of a topic was run");
    terminal.keys("exit\r");
    terminal.end_with_output(0);
}

/// Empties the line and the screen.
fn clear(terminal: &mut Terminal) {
    terminal.keys("\u{15}\u{c}");
    terminal.wait_until("empty", |terminal| terminal.screen().trim().ends_with("ready>"));
}

#[test]
fn bash_completes_words() {
    let files = [("rc", "PS1='ready> '\n. ./mq.bash\n")];
    check_shell("bash", &files, "bash --noprofile --rcfile rc -i");
}

#[test]
fn zsh_completes_words() {
    let files = [(
        ".zshrc",
        "PS1='ready> '\nfpath=($ZDOTDIR $fpath)\nautoload -U compinit\ncompinit -u -D\nbindkey -e\n",
    )];
    check_shell("zsh", &files, "zsh -d -i");
}

#[test]
fn fish_completes_words() {
    let files =
        [("rc.fish", "function fish_prompt; echo -n 'ready> '; end\nset -g fish_greeting\nsource mq.fish\n")];
    check_shell("fish", &files, "fish --init-command \"source rc.fish\"");
}
