//! The help of each command and subcommand, as listed under `Commands:` or `Modes:` of its parent.

use super::super::support::*;
use super::{assert_snapshot, names};

#[test]
fn the_help_of_each_command_is_as_reviewed() {
    let commands = commands(Vec::new());
    for command in &commands {
        assert_snapshot("help", &file_name(command), help("mq", &command.join(" ")));
    }
    let mut expected: Vec<String> = commands.iter().map(|command| file_name(command)).collect();
    expected.extend(TOOLS.map(str::to_owned));
    expected.sort();
    assert_eq!(names("help"), expected, "files in tests/snapshots/help/, and commands");
}

const TOOLS: [&str; 4] = ["mosquitto_passwd", "mosquitto_pub", "mosquitto_rr", "mosquitto_sub"];

#[test]
fn the_help_under_the_names_of_mosquitto_is_as_reviewed() {
    for tool in TOOLS {
        assert_snapshot("help", tool, help(tool, ""));
    }
}

fn file_name(command: &[String]) -> String {
    ["mq".to_owned()].iter().chain(command).cloned().collect::<Vec<_>>().join("-")
}

/// This command, and all commands below it.
fn commands(command: Vec<String>) -> Vec<Vec<String>> {
    let help = help("mq", &command.join(" "));
    let list = help.lines().skip_while(|line| !["Commands:", "Modes:"].contains(line)).skip(1);
    let list = list.take_while(|line| !line.is_empty());
    // A description that is continued on the next line is indented deeper.
    let names = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let below = names.flat_map(|name| commands([command.clone(), vec![name.to_owned()]].concat()));
    let below: Vec<Vec<String>> = below.collect();
    [vec![command], below].concat()
}

fn help(name: &str, words: &str) -> String {
    let finished = called_as(name, words).words("--help").env("COLUMNS", "100").run();
    assert_eq!(finished.stderr, "", "on standard error of {name} {words}");
    String::from_utf8(finished.stdout).unwrap()
}
