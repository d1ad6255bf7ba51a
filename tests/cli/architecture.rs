//! ARCHITECTURE.md against the source: the layer table lists exactly the modules that each module uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Layers = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_layer_table_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    assert_eq!(layers_in_page(&page), layers_in_source(&root.join("src")));
}

#[test]
fn the_map_names_paths_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let map = section(&page, "## The map");
    let paths: Vec<&str> =
        map.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(paths.len() > 20, "{paths:?}");
    for path in paths {
        assert!(root.join(path).exists(), "{path} does not exist");
    }
}

fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let (_, rest) = page.split_once(heading).unwrap_or_else(|| panic!("{heading} is missing"));
    rest.split("\n## ").next().unwrap()
}

fn layers_in_page(page: &str) -> Layers {
    let rows = section(page, "## The layers").lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut names = row.split('`').skip(1).step_by(2).map(str::to_owned);
        (names.next().unwrap(), names.collect())
    })
    .collect()
}

/// The modules of the library, and the other modules that their `use` lines and paths name.
fn layers_in_source(src: &Path) -> Layers {
    let mut layers = Layers::new();
    for path in rust_files(src) {
        let relative = path.strip_prefix(src).unwrap();
        let first = relative.iter().next().unwrap().to_str().unwrap();
        let module = first.trim_end_matches(".rs").to_owned();
        if module == "lib" || module == "bin" {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let used = layers.entry(module.clone()).or_default();
        for (position, path) in text.match_indices("crate::") {
            for name in first_names(&text[position + path.len()..]) {
                if name != module && (src.join(name).is_dir() || src.join(format!("{name}.rs")).is_file()) {
                    used.insert(name.to_owned());
                }
            }
        }
    }
    layers
}

/// The name that a path starts with, or those of a list in braces.
fn first_names(path: &str) -> impl Iterator<Item = &str> {
    let list = match path.strip_prefix('{') {
        Some(list) => list.split('}').next().unwrap(),
        None => path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap(),
    };
    let name = |item: &'_ str| item.trim().find(|c: char| !c.is_alphanumeric() && c != '_');
    list.split(',')
        .map(move |item| name(item).map_or(item.trim(), |end| &item.trim()[..end]))
        .filter(|name| !name.is_empty())
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| is_rust(path))
        .collect()
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

/// Programs whose options a text below `commands` may show, as the start of a command to type.
const OTHER_PROGRAMS: [&str; 10] = [
    "sysctl -w ",
    "ulimit -n ",
    "openssl ",
    "ssh-keygen ",
    "keytool ",
    "editcap ",
    "tcpdump ",
    "ip address ",
    "-provider default",
    "needs no -provider",
];

#[test]
fn no_option_is_named_below_commands_and_the_command_line() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut named = Vec::new();
    for path in rust_files(&src) {
        let relative = path.strip_prefix(&src).unwrap();
        let names_options = ["commands", "cli", "bin"].iter().any(|layer| relative.starts_with(layer));
        let is_test = relative.file_stem().is_some_and(|stem| stem == "tests");
        if names_options || is_test {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let product = text.split("#[cfg(test)]\nmod ").next().unwrap();
        for literal in string_literals(product) {
            let text = without_other_commands(&literal);
            let options = options_in(&text);
            if !options.is_empty() {
                named.push(format!("{}: {options:?} in {literal:?}", relative.display()));
            }
        }
    }
    assert!(named.is_empty(), "name these options in src/commands or src/cli:\n{}", named.join("\n"));
}

#[test]
fn options_in_texts_are_recognised() {
    for (text, options) in [
        ("use -h HOST and -p PORT", vec!["-h", "-p"]),
        ("--rate: no rate to try", vec!["--rate"]),
        ("it needs `--cafile FILE`, or (-S)", vec!["--cafile", "-S"]),
        ("-----BEGIN CERTIFICATE-----", vec![]),
        ("ECDHE-RSA-AES128-GCM-SHA256 at -1, a-b", vec![]),
        (":root{--back:#fff;color:var(--text)}", vec![]),
        ("run `ulimit -n 10` first; --force skips it", vec!["--force"]),
    ] {
        assert_eq!(options_in(&without_other_commands(text)), options, "{text}");
    }
    let source = "// \"--comment\"\nlet c = '\"'; f(\"--one\\\" two\", r#\"--\"raw\"#, b\"bytes\", 'l');";
    assert_eq!(string_literals(source), ["--one\\\" two", "--\"raw", "bytes"]);
}

/// The words of a text that are options: one hyphen and a letter, or two hyphens and a lower-case name.
fn options_in(text: &str) -> Vec<&str> {
    let is_edge = |c: char| c.is_whitespace() || "'\"`(),;:.=|/".contains(c);
    let is_option = |word: &&str| match word.strip_prefix("--") {
        Some(name) => {
            name.len() > 1
                && name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        }
        None => word
            .strip_prefix('-')
            .is_some_and(|letter| letter.len() == 1 && letter.starts_with(|c: char| c.is_ascii_alphabetic())),
    };
    // Custom properties of a style sheet look like options.
    if text.contains("var(--") {
        return Vec::new();
    }
    text.split(is_edge).filter(is_option).collect()
}

/// A text without the commands of other programs, each up to the end of its quotes or of the line.
fn without_other_commands(text: &str) -> String {
    let mut rest = text.to_owned();
    for program in OTHER_PROGRAMS {
        while let Some(start) = rest.find(program) {
            let end = rest[start..].find(['`', '\'', '\n', ')']).map_or(rest.len(), |end| start + end);
            rest.replace_range(start..end, "");
        }
    }
    rest
}

/// The string literals of Rust source, as they are written, without those in comments.
fn string_literals(source: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some((literal, length)) = literal_at(rest) {
            literals.push(literal.to_owned());
            length
        } else {
            character_at(rest).unwrap_or(first.len_utf8())
        };
        rest = &rest[length..];
    }
    literals
}

/// A string literal at the start of the source, and its length with the quotes.
fn literal_at(source: &str) -> Option<(&str, usize)> {
    if let Some(raw) = source.strip_prefix("r").filter(|raw| raw.starts_with(['#', '"'])) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let text = raw[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let length = text.find(&end)?;
        return Some((&text[..length], 1 + hashes + 1 + length + end.len()));
    }
    let text = source.strip_prefix('"')?;
    let mut is_escaped = false;
    let length = text.find(|c| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    })?;
    Some((&text[..length], length + 2))
}

/// The length of a character literal at the start of the source. A lifetime has no closing quote.
fn character_at(source: &str) -> Option<usize> {
    let text = source.strip_prefix('\'')?;
    let content = match text.strip_prefix('\\') {
        Some(escaped) => 1 + escaped.chars().next()?.len_utf8(),
        None => text.chars().next()?.len_utf8(),
    };
    let has_end = text.get(content..)?.starts_with('\'');
    (has_end || text.starts_with("\\u{")).then(|| {
        let end = if has_end { content } else { text.find('\'').unwrap_or(content) };
        1 + end + 1
    })
}
