//! SECURITY.md: the tests that it names exist.

use std::path::Path;

/// The words in backticks that name a module or a function of the tests.
fn named(page: &str) -> Vec<&str> {
    let cells = page.lines().filter_map(|line| line.trim_end_matches([' ', '|']).rsplit_once('|'));
    let words = cells.flat_map(|(_, last)| last.split('`').skip(1).step_by(2));
    let words = words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    words.filter(|word| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')).collect()
}

/// Whether the module exists, or the function in its module.
fn exists(name: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_module = |path: &str| {
        let place = path.replace("::", "/");
        root.join(format!("tests/cli/{place}.rs")).is_file()
            || root.join(format!("tests/cli/{place}")).is_dir()
    };
    let Some((module, function)) = name.rsplit_once("::").filter(|_| !is_module(name)) else {
        return is_module(name) || root.join(format!("fuzz/fuzz_targets/{name}.rs")).is_file();
    };
    let place = module.replace("::", "/");
    let files = [format!("tests/cli/{place}.rs"), format!("src/{place}.rs")];
    let sources = files.iter().filter_map(|file| std::fs::read_to_string(root.join(file)).ok());
    sources.into_iter().any(|source| source.contains(&format!("fn {function}()")))
}

#[test]
fn every_promise_names_a_test_that_exists() {
    let names = named(include_str!("../../SECURITY.md"));
    assert!(names.len() > 40, "{names:?}");
    let missing: Vec<&&str> = names.iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "SECURITY.md names tests that do not exist: {missing:?}");
}
