//! The documents against the program: every console block runs as it is printed, and its output is compared.
//!
//! The shell of a page has a network of its own (`unshare --net`), so `localhost:1883` in a page is port 1883 indeed, no command
//! reaches another machine, and pages run at the same time. Comments in a page, on lines before a block, say what a reader need not see:
//!
//! | comment | meaning |
//! |---|---|
//! | `<!-- test: broker -->` | anywhere in the page: `mq broker` runs before the first block |
//! | `<!-- test: file NAME -->` | the block is the content of this file, below the home directory |
//! | `<!-- test: before COMMAND -->` | this command runs before the block; its output is ignored |
//! | `<!-- test: figures vary -->` | numbers and units of time may differ |
//! | `<!-- test: in any order -->` | the lines of the output may have another order |
//! | `<!-- test: not run, REASON -->` | the block does not run |
//!
//! In the output, `...` on a line of its own stands for any lines, and elsewhere for any part of a line.

mod commands;
mod expected;
mod page;
mod shell;

use page::{Block, Page};
use shell::Shell;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

/// Blocks that need another broker, a capture of others, or minutes. A new one raises the number, so that its reason is looked at.
const NOT_RUN: usize = 15;

#[test]
fn console_blocks_print_what_they_show() {
    if !Shell::is_available() {
        return;
    }
    let failures = Mutex::new(String::new());
    thread::scope(|scope| {
        for path in documents() {
            let failures = &failures;
            scope.spawn(move || {
                if let Err(failure) = run(&path) {
                    writeln!(failures.lock().unwrap(), "{}:{failure}\n", path.display()).unwrap();
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn blocks_that_do_not_run_have_a_reason_and_are_counted() {
    let pages: Vec<(PathBuf, Page)> =
        documents().into_iter().map(|path| (path.clone(), read(&path))).collect();
    let mut not_run = Vec::new();
    for (path, page) in &pages {
        for block in page.blocks.iter().filter(|block| block.is_console()) {
            if let Some(reason) = block.reason_not_to_run() {
                assert!(reason.len() > 10, "{}:{}: no reason", path.display(), block.line);
                not_run.push(format!("{}:{}: {reason}", path.display(), block.line));
            }
        }
    }
    assert_eq!(not_run.len(), NOT_RUN, "{}", not_run.join("\n"));
}

#[test]
fn commands_with_a_prompt_are_in_console_blocks() {
    for path in documents() {
        for block in read(&path).blocks.iter().filter(|block| !block.is_console()) {
            let prompt = block.lines.iter().find(|line| line.starts_with("$ "));
            assert_eq!(prompt, None, "{}:{}: mark the block as console", path.display(), block.line);
        }
    }
}

#[test]
fn commands_that_do_not_run_have_known_options_and_valid_values() {
    let mut commands = 0;
    for path in documents() {
        for block in read(&path).blocks {
            let script = if block.is_shell() {
                block.lines.join("\n")
            } else if block.reason_not_to_run().is_some() {
                block.steps().into_iter().map(|step| step.command + "\n").collect()
            } else {
                continue;
            };
            let (count, errors) = commands::check(&script);
            assert_eq!(errors, "", "{}:{}", path.display(), block.line);
            commands += count;
        }
    }
    assert!(commands > 150, "{commands} commands");
}

#[test]
fn links_between_pages_lead_to_files() {
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for target in targets(&text) {
            let file = path.parent().unwrap().join(target);
            assert!(file.exists(), "{}: {target} does not exist", path.display());
        }
    }
}

#[test]
fn installed_pages_have_only_links_to_installed_files() {
    let directory = tempfile::TempDir::new().unwrap();
    let status = Command::new(root().join("packaging/install-docs.sh")).arg(directory.path()).status();
    assert!(status.unwrap().success());
    let installed = |path: &Path| directory.path().join(path.strip_prefix(root()).unwrap());
    let mut links = 0;
    for path in documents() {
        let page = installed(&path);
        let text = fs::read_to_string(&page).unwrap();
        for target in targets(&text) {
            links += 1;
            let file = page.parent().unwrap().join(target);
            assert!(file.exists(), "{}: {target} is not installed", page.display());
        }
        let original = fs::read_to_string(&path).unwrap();
        let words = |text: &str| text.split(|character: char| !character.is_alphanumeric()).count();
        assert!(words(&text) * 10 > words(&original) * 9, "{}: the text is there", page.display());
    }
    assert!(links > 50, "{links} links are left");
}

/// The files that a page links to.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}

#[test]
fn the_index_lists_all_pages() {
    let index = fs::read_to_string(root().join("docs/README.md")).unwrap();
    for path in documents().iter().filter(|path| path.parent().unwrap().ends_with("docs")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name == "README.md" || index.contains(&format!("({name})")), "docs/README.md lacks {name}");
    }
}

/// The README, and the pages for users.
fn documents() -> Vec<PathBuf> {
    let in_docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> =
        in_docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect();
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> Page {
    Page::parse(&fs::read_to_string(path).unwrap())
        .unwrap_or_else(|error| panic!("{}:{error}", path.display()))
}

/// Runs the blocks of a page in one shell. The error begins with the line.
fn run(path: &Path) -> Result<(), String> {
    let page = read(path);
    let runs = |block: &Block| block.is_console() && block.reason_not_to_run().is_none();
    if !page.blocks.iter().any(runs) {
        return Ok(());
    }
    let mut shell = Shell::start();
    if page.needs_broker {
        shell.run("mq broker &", |output| output.starts_with("listening on "))?;
    }
    for block in &page.blocks {
        let in_block = |error: String| format!("{}: {error}", block.line);
        if let Some(name) = block.file() {
            shell.write_file(name, &block.lines);
        }
        if runs(block) {
            for command in block.before() {
                shell.run(command, |_| true).map_err(in_block)?;
            }
            for step in block.steps() {
                let expected =
                    expected::Expected::new(&step.output, block.figures_vary(), block.is_in_any_order());
                shell.run(&step.command, |output| expected.matches(output)).map_err(|output| {
                    in_block(format!(
                        "$ {}\n--- expected\n{}\n--- output\n{output}---",
                        step.command,
                        step.output.join("\n")
                    ))
                })?;
            }
        }
    }
    Ok(())
}
