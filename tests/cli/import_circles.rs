//! No files of the source import each other in a circle, so that each can be read after those that it uses. A module and its submodules
//! may use each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The modules that a module imports, by their paths below `src`, such as `bench/report`.
type Imports = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_files_import_each_other_in_a_circle() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let imports = imports(&src);
    assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 500, "imports are not found");
    assert_eq!(circles(imports), Imports::new());
}

#[test]
fn a_circle_is_found_and_the_modules_around_it_are_not() {
    let module = |uses: &[&str]| uses.iter().map(ToString::to_string).collect();
    let imports = [
        ("main", module(&["a"])),
        ("a", module(&["b"])),
        ("b", module(&["c"])),
        ("c", module(&["a", "d"])),
        ("d", module(&[])),
    ];
    let found = circles(imports.map(|(name, uses)| (name.to_owned(), uses)).into());
    assert_eq!(found.into_keys().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn imports_in_braces_are_found() {
    let modules = ["a", "a/b", "c", "d/e"].map(str::to_owned).into();
    let text = "use crate::c::{self, Name};\npub(super) use crate::{\n    a::b::Other as X, d::e,\n};\nuse std::fs;\n#[cfg(test)]\nuse crate::z;";
    let found: Vec<_> = imports_of("x", text, &modules).into_iter().collect();
    assert_eq!(found, ["a/b", "c", "d/e"]);
}

/// What remains when modules that use no other, and modules that no other uses, are taken away again and again.
fn circles(mut imports: Imports) -> Imports {
    loop {
        let used: BTreeSet<String> = imports.values().flatten().cloned().collect();
        let before = imports.len();
        imports.retain(|module, uses| !uses.is_empty() && used.contains(module));
        if imports.len() == before {
            return imports;
        }
        let remaining: BTreeSet<String> = imports.keys().cloned().collect();
        imports.values_mut().for_each(|uses| uses.retain(|used| remaining.contains(used)));
    }
}

fn imports(src: &Path) -> Imports {
    let mut texts = BTreeMap::new();
    read_modules(src, "", &mut texts);
    let modules = texts.keys().cloned().collect();
    texts.iter().map(|(module, text)| (module.clone(), imports_of(module, text, &modules))).collect()
}

/// Reads the source of all modules except those of tests.
fn read_modules(directory: &Path, parent: &str, texts: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_stem().unwrap().to_str().unwrap();
        let module = if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
        if name == "tests" {
            continue;
        }
        if entry.is_dir() {
            read_modules(&entry, &module, texts);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let module = if name == "mod" { parent.to_owned() } else { module };
            texts.insert(module, fs::read_to_string(&entry).unwrap());
        }
    }
}

/// The modules of the `use` lines before those for tests.
fn imports_of(module: &str, text: &str, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]").next().unwrap();
    let mut imports = BTreeSet::new();
    let mut rest = text;
    while let Some(start) = rest.find("use ") {
        let before = rest[..start].rsplit('\n').next().unwrap().trim().split('(').next().unwrap();
        rest = &rest[start + "use ".len()..];
        if !matches!(before, "" | "pub") {
            continue;
        }
        let tree: String = rest.split(';').next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        for path in expand(&tree) {
            let is_related = |other: &String| {
                module == other
                    || module.starts_with(&format!("{other}/"))
                    || other.starts_with(&format!("{module}/"))
            };
            imports.extend(resolve(module, &path, modules).filter(|other| !is_related(other)));
        }
    }
    imports
}

/// The paths of a tree of imports: `a::{b, c::d as e}` has two.
fn expand(tree: &str) -> Vec<String> {
    let Some((prefix, list)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap().trim().to_owned()];
    };
    let list = list.trim_end().strip_suffix('}').unwrap_or(list);
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (position, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&list[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    items.push(&list[start..]);
    let items = items.into_iter().map(str::trim).filter(|item| !item.is_empty());
    items.flat_map(|item| expand(&format!("{}{item}", prefix.trim()))).collect()
}

/// The file that a path leads into; `None` for another crate.
fn resolve(module: &str, path: &str, modules: &BTreeSet<String>) -> Option<String> {
    let mut parts: Vec<&str> = path.split("::").collect();
    let mut place: Vec<&str> = module.split('/').collect();
    match parts.first() {
        Some(&"crate") => {
            parts.remove(0);
            place.clear();
        }
        Some(&"self") => drop(parts.remove(0)),
        Some(&"super") => {
            while parts.first() == Some(&"super") {
                parts.remove(0);
                place.pop();
            }
        }
        _ => return None,
    }
    let candidate = |length: usize| [&place[..], &parts[..length]].concat().join("/");
    let longest = (1..=parts.len()).rev().map(candidate).find(|candidate| modules.contains(candidate));
    longest.or_else(|| (!place.is_empty()).then(|| place.join("/")))
}
