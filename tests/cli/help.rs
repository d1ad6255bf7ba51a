//! The help and the manual: groups of options, the pager, and pages rendered by `man`.

use super::support::*;
use tempfile::TempDir;

#[test]
fn help_prints_a_command_a_mode_or_a_group() {
    let help = mq("help sub").run().succeed();
    assert!(help.starts_with(&mq("sub --help").run().succeed()), "{help}");
    assert_says(&help, &["Print one group with `mq help sub GROUP`: ", "hosted-brokers"]);
    assert_eq!(mq("help man").run().succeed(), mq("man --help").run().succeed());
    assert_eq!(mq("help").run().succeed(), mq("--help").run().succeed());
    assert!(mq("help bench conn").run().succeed().starts_with(&mq("bench conn --help").run().succeed()));
    let report = mq("help bench report").run().succeed();
    assert!(report.starts_with("Report:\n"), "{report}");
    assert_says(&report, &["--html", "--json"]);
    assert!(
        !report.contains("--host") && !report.contains("Usage:") && !report.contains("pubsub"),
        "{report}"
    );
    let tls = mq("help sub tls").run().succeed();
    assert_says(&tls, &["TLS:\n", "--cafile"]);
    assert_eq!(mq("help sub Hosted Brokers").run().succeed(), mq("help sub hosted").run().succeed());
    assert_says(&mq("help bench rr messages").run().succeed(), &["Messages:\n"]);
}

#[test]
fn help_has_its_usual_width_if_COLUMNS_is_no_width() {
    let with = |columns: &str| mq("pub --help").env("COLUMNS", columns).run().succeed();
    let usual = with("80");
    for columns in ["0", "1", "19"] {
        assert_eq!(with(columns), usual, "COLUMNS={columns}");
    }
    assert_ne!(with("60"), usual);
}

#[test]
fn unknown_commands_and_groups_are_named() {
    assert_says(&mq("help snub").run().fail(2), &["unknown command 'snub'; did you mean 'sub'?"]);
    let stderr = mq("help sub repot").run().fail(2);
    assert_says(&stderr, &["mq sub has no group 'repot': expected subscription, ", "tls"]);
    assert_says(&mq("help bench reprt").run().fail(2), &["did you mean 'report'?"]);
    mq("help sub --nothing").run().fail(2);
}

#[test]
fn a_page_of_the_manual_has_its_sections() {
    for command in ["pub", "sub", "bench", "bench-conn", "bench-pub"] {
        let page = mq(&format!("man --roff {command}")).run().succeed();
        for section in
            ["NAME", "SYNOPSIS", "EXAMPLES", "\"EXIT STATUS\"", "ENVIRONMENT", "FILES", "\"SEE ALSO\""]
        {
            assert!(page.contains(&format!(".SH {section}\n")), "{section} in the page of {command}");
        }
    }
    assert_says(&mq("man --roff").run().succeed(), &["SUBCOMMANDS", "mq\\-pub(1)"]);
    assert_says(&mq("man nothing").run().fail(2), &["nothing", "pub"]);
    assert_says(&mq("man snub").run().fail(2), &["did you mean 'sub'?"]);
}

#[test]
fn pages_have_names_in_one_word_or_several() {
    let page = |words: &str| mq(&format!("man --roff {words}")).run().succeed();
    assert_eq!(page("mq-sub"), page("sub"));
    assert_eq!(page("bench conn"), page("mq-bench-conn"));
    assert_eq!(page("mq bench conn"), page("bench-conn"));
    assert_eq!(page("mq"), page(""));
    let group = page("bench report");
    assert_says(&group, &[".SH REPORT", "\\-\\-html", "\\fBmq\\-bench\\fR(1)"]);
    assert!(!group.contains("\\-\\-host") && !group.contains(".SH SYNOPSIS"), "{group}");
}

#[test]
fn a_page_is_plain_text_unless_it_goes_to_a_terminal() {
    if broker::find("man").is_none() {
        return;
    }
    for words in ["man sub", "man mq-sub"] {
        let page = mq(words).env("PAGER", "false").env("MANPAGER", "false").run().succeed();
        assert_says(&page, &["MQ-SUB(1)", "\nSYNOPSIS\n", "--retain-as-published", "\nEXIT STATUS\n"]);
        assert!(!page.contains(['\u{8}', '\u{1b}']) && !page.contains(".SH"), "{page}");
    }
    assert_says(&mq("man bench report").run().succeed(), &["\nREPORT\n", "--html"]);
}

#[test]
fn without_man_the_help_is_printed() {
    let empty = TempDir::new().unwrap();
    let printed = mq("man sub").env("PATH", empty.path()).run().succeed();
    assert_says(&printed, &["Usage: mq sub", "--retain-as-published"]);
}

#[test]
fn man_pages_on_a_terminal_by_its_variables() {
    if broker::find("man").is_none() {
        return;
    }
    let variables = "TERM=xterm PAGER=false MANPAGER=\"sed s/^/PAGED/\"";
    let Some(mut terminal) = Terminal::start_with(variables, "man sub", 100, 30) else { return };
    terminal.wait_for("PAGED");
    terminal.end_with_output(0);
}

#[test]
fn a_signal_that_ends_man_ends_its_pager() {
    if broker::find("man").is_none() {
        return;
    }
    let directory = TempDir::new().unwrap();
    let pager = directory.path().join("pager");
    std::fs::write(&pager, "#!/bin/sh\necho pager $$.\nexec tail -f /dev/null\n").unwrap();
    std::fs::set_permissions(&pager, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for words in ["man sub", "help sub", "sub --help"] {
        let variables = format!("TERM=xterm PAGER={0} MANPAGER={0}", pager.display());
        let Some(mut terminal) = Terminal::start_with(&variables, words, 100, 24) else { return };
        terminal.wait_until("pager", |terminal| {
            terminal.screen().contains("pager ") && terminal.screen().contains('.')
        });
        let screen = terminal.screen();
        let number =
            screen.split("pager ").nth(1).and_then(|rest| rest.split('.').next()).unwrap().to_owned();
        terminal.signal("TERM");
        terminal.end_with_output(143);
        let process = std::path::PathBuf::from(format!("/proc/{number}"));
        assert!(!process.exists(), "{words}: the pager {number} runs on");
    }
}

/// The help on a terminal of 24 rows, with these variables.
fn help_on_terminal(variables: &str) -> Option<Terminal> {
    Terminal::start_with(&format!("TERM=xterm {variables}"), "sub --help", 80, 24)
}

const LAST_LINE: &str = "and 143 interrupted.";

#[test]
fn long_help_goes_through_a_pager_on_a_terminal() {
    for pager in ["sed s/^/PAGED:/", "sed s/^/PAGED:/ | cat"] {
        let Some(mut terminal) = help_on_terminal(&format!("PAGER=\"{pager}\"")) else { return };
        terminal.wait_for("PAGED:");
        let output = terminal.end_with_output(0);
        assert_says(&output, &["PAGED:Usage: mq sub"]);
        assert!(!output.contains("\u{1b}["), "a pager other than less gets no colours");
    }
}

#[test]
fn no_pager_and_a_missing_one_print_the_help() {
    for variables in [
        "PAGER=",
        "PAGER=cat",
        "PAGER=/nonexistent/pager",
        "PAGER=\"/nonexistent/pager 2>/dev/null\"",
        "PAGER=less TERM=dumb",
    ] {
        let Some(terminal) = help_on_terminal(variables) else { return };
        let output = terminal.end_with_output(0);
        assert_says(&output, &["Usage", "mq sub"]);
        assert!(!output.contains("no such") && !output.contains("cannot start"), "{output}");
    }
}

#[test]
fn the_status_of_the_pager_is_not_that_of_the_help() {
    let Some(terminal) = help_on_terminal("PAGER=false") else { return };
    terminal.end_with_output(0);
}

#[test]
fn short_help_has_no_pager() {
    let Some(terminal) =
        Terminal::start_with("TERM=xterm PAGER=\"sed s/^/PAGED:/\"", "completions --help", 100, 60)
    else {
        return;
    };
    assert!(!terminal.end_with_output(0).contains("PAGED"));
}

#[test]
fn less_survives_an_interrupt_and_ends_with_q() {
    if broker::find("less").is_none() {
        return;
    }
    let Some(mut terminal) = help_on_terminal("") else { return };
    terminal.wait_for("Usage: mq sub");
    terminal.wait_until("less waits", |terminal| terminal.screen().ends_with(':'));
    terminal.keys("\u{3}");
    // Keys that follow the interrupt at once may be dropped with it.
    terminal.wait_until("at the end", |terminal| {
        terminal.keys("G");
        terminal.screen().contains(LAST_LINE)
    });
    terminal.keys("q");
    terminal.end_with_output(0);
}

#[test]
fn sigterm_ends_the_pager_as_well() {
    if broker::find("less").is_none() {
        return;
    }
    let Some(mut terminal) = help_on_terminal("") else { return };
    terminal.wait_until("less waits", |terminal| terminal.screen().ends_with(':'));
    terminal.signal("TERM");
    terminal.end_with_output(143);
}

#[test]
fn a_pipe_never_starts_a_pager() {
    let directory = TempDir::new().unwrap();
    let mark = directory.path().join("mark");
    let pager = format!("touch {}", mark.display());
    assert_says(
        &mq("sub --help").env("PAGER", pager).env("TERM", "xterm").run().succeed(),
        &["Usage: mq sub"],
    );
    assert!(!mark.exists());
}

#[test]
fn a_page_that_cannot_be_written_is_an_error() {
    let line = format!("{} man sub > /dev/full", mq_path());
    let stderr = Program::new("sh").arg("-c").arg(line).run().fail(1);
    assert_says(&stderr, &["cannot write to standard output", "No space left"]);
}
