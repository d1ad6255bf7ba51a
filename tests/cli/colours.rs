//! JSON in colours: on a terminal only, and never if NO_COLOR is set.

use super::support::*;

const PUBLISH: &str = "30 0b 00 01 61 7b 22 78 22 3a 31 7d 20";

/// The output of `mq` with these words on a terminal, with these variables.
fn on_terminal(variables: &str, words: &str) -> Option<String> {
    let terminal = Terminal::start_with(&format!("TERM=xterm {variables}"), words, 200, 40)?;
    Some(terminal.end_with_output(0))
}

#[test]
fn messages_as_json_are_coloured_on_a_terminal() {
    let broker = EmbeddedBroker::start();
    broker.mq("pub -t a -r -q 1 -m {\"x\":[1,null]}").run().succeed();
    let sub = |words: &str| format!("sub {} -t a -C 1 {words}", broker.options());
    for words in ["-F %j", "-F %J", "--json", "--pretty --decode json", "--decode json -v"] {
        let Some(output) = on_terminal("", &sub(words)) else { return };
        assert!(output.contains("\u{1b}[36m\""), "{words}: {output:?}");
        let plain = on_terminal("NO_COLOR=1", &sub(words)).unwrap();
        assert!(!plain.contains("\u{1b}["), "{words}: {plain:?}");
        let piped = mq(&sub(words)).env("CLICOLOR_FORCE", "1").run().succeed();
        assert!(!piped.contains('\u{1b}'), "{words}: {piped:?}");
    }
    // A payload is printed as it is.
    let Some(output) = on_terminal("", &sub("-F %p")) else { return };
    assert!(!output.contains("\u{1b}["), "{output:?}");
}

#[test]
fn no_color_has_the_last_word() {
    let inspect = || mq("inspect --hex c000");
    let is_coloured = |program: Program| program.run().succeed().contains("\u{1b}[");
    assert!(!is_coloured(inspect()));
    assert!(is_coloured(inspect().env("CLICOLOR_FORCE", "1")));
    assert!(!is_coloured(inspect().env("CLICOLOR_FORCE", "0")));
    assert!(!is_coloured(inspect().env("CLICOLOR_FORCE", "")));
    assert!(!is_coloured(inspect().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")));
    assert!(is_coloured(inspect().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "")));
    let Some(empty) = on_terminal("NO_COLOR=", "inspect --hex c000") else { return };
    assert!(empty.contains("\u{1b}["), "an empty variable is not set: {empty:?}");
    let off = on_terminal("CLICOLOR=0", "inspect --hex c000").unwrap();
    assert!(!off.contains("\u{1b}["), "{off:?}");
}

#[test]
fn packets_as_json_are_coloured_on_a_terminal() {
    for words in ["--format json", "--format json --stats"] {
        let words = format!("inspect {words} --hex {}", PUBLISH.replace(' ', ""));
        let Some(output) = on_terminal("", &words) else { return };
        assert!(output.contains("\u{1b}[36m\""), "{words}: {output:?}");
        let plain = on_terminal("NO_COLOR=1", &words).unwrap();
        assert!(!plain.contains("\u{1b}["), "{words}: {plain:?}");
        assert!(!mq(&words).env("CLICOLOR_FORCE", "1").run().succeed().contains('\u{1b}'), "{words}");
    }
}
