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
