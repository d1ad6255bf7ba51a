//! Reads the files of a schema: descriptor sets, and `.proto` sources with their imports.

use super::declaration::File;
use super::link::Schema;
use super::{descriptor_set, source, well_known};
use crate::input_file;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io;
use std::path::{Component, Path, PathBuf};

/// The maximum size of a file.
const MAX_SIZE: u64 = 16 * 1024 * 1024;

/// The maximum number of files with all imports.
const MAX_FILES: usize = 2000;

/// Directories above a file in which its imports are looked for.
const MAX_PARENTS: usize = 16;

/// The reason why a schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SchemaError {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: {problem}", path.display())]
    Invalid { path: PathBuf, problem: String },
}

/// Reads a schema from these files.
///
/// # Errors
/// The file that cannot be read or is invalid, with the place.
pub(crate) fn load(paths: &[PathBuf]) -> Result<Schema, SchemaError> {
    let mut loader = Loader { named: paths, ..Loader::default() };
    for path in paths {
        loader.waiting.push_back(path.clone());
    }
    while let Some(path) = loader.waiting.pop_front() {
        loader.read(&path)?;
    }
    loader.check_circles()?;
    loader.add_well_known();
    let invalid = |(index, problem): (usize, String)| {
        let path = loader.origins.get(index).cloned().unwrap_or_default();
        SchemaError::Invalid { path, problem }
    };
    Schema::link(&loader.files).map_err(invalid)
}

#[derive(Default)]
struct Loader<'p> {
    /// The files that the user named.
    named: &'p [PathBuf],
    waiting: VecDeque<PathBuf>,
    /// The read files, resolved.
    seen: HashSet<PathBuf>,
    files: Vec<File>,
    /// The path of each file.
    origins: Vec<PathBuf>,
    /// The imports of each source, as resolved paths.
    imports: BTreeMap<PathBuf, Vec<PathBuf>>,
}

impl Loader<'_> {
    fn read(&mut self, path: &Path) -> Result<(), SchemaError> {
        let unreadable = |source| SchemaError::Unreadable { path: path.to_owned(), source };
        let resolved = path.canonicalize().map_err(unreadable)?;
        if !self.seen.insert(resolved.clone()) {
            return Ok(());
        }
        let invalid = |problem| SchemaError::Invalid { path: path.to_owned(), problem };
        if self.seen.len() > MAX_FILES {
            return Err(invalid(format!("the schema has over {MAX_FILES} files")));
        }
        let content = input_file::read_text(path, MAX_SIZE).map_err(unreadable)?;
        if !is_source(path, &content) {
            return self.add_set(path, &content).map_err(invalid);
        }
        let text = std::str::from_utf8(&content).map_err(|_| invalid("not UTF-8".to_owned()))?;
        let file = source::read(&path.display().to_string(), text).map_err(invalid)?;
        let mut imports = Vec::new();
        for import in &file.imports {
            if let Some(found) = self.find(path, &import.path) {
                imports.push(found.canonicalize().unwrap_or_else(|_| found.clone()));
                self.waiting.push_back(found);
            } else if well_known::source(&import.path).is_none() {
                let place = import.place.map(|place| format!("{place}: ")).unwrap_or_default();
                return Err(invalid(format!(
                    "{place}cannot find the import {:?} beside the file, in the directories above it, or among the named files",
                    import.path
                )));
            }
        }
        self.imports.insert(resolved, imports);
        self.add(file, path);
        Ok(())
    }

    fn add(&mut self, file: File, path: &Path) {
        self.files.push(file);
        self.origins.push(path.to_owned());
    }

    /// Adds the files of a descriptor set. Two sets may both have the same imports.
    fn add_set(&mut self, path: &Path, content: &[u8]) -> Result<(), String> {
        let files = descriptor_set::read(content)
            .map_err(|problem| format!("not a descriptor set of protoc: {problem}"))?;
        if files.iter().all(|file| file.messages.is_empty()) {
            return Err("it has no messages".to_owned());
        }
        for file in files {
            if self.files.len() > MAX_FILES {
                return Err(format!("the schema has over {MAX_FILES} files"));
            }
            if !self.files.iter().any(|known| known.name == file.name) {
                self.add(file, path);
            }
        }
        Ok(())
    }

    /// The file that a source imports: beside it, below one of the directories above, or a named file.
    fn find(&self, importer: &Path, import: &str) -> Option<PathBuf> {
        let import = Path::new(import);
        // As in protoc, an import cannot leave its directory.
        if !import.components().all(|component| matches!(component, Component::Normal(_))) {
            return None;
        }
        let directory = importer.parent().filter(|directory| !directory.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new(".")).canonicalize().ok()?;
        let beside = directory.ancestors().take(MAX_PARENTS).map(|parent| parent.join(import));
        let found = beside.into_iter().find(|path| path.is_file());
        let named = |path: &&PathBuf| path.ends_with(import) || path.file_name() == import.file_name();
        found.or_else(|| self.named.iter().find(named).cloned())
    }

    /// Adds Google's files that sources import and do not have beside them, and that sets lack.
    fn add_well_known(&mut self) {
        let mut wanted: Vec<String> =
            self.files.iter().flat_map(|file| &file.imports).map(|import| import.path.clone()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        for path in wanted {
            let Some(text) = well_known::source(&path) else { continue };
            let Ok(file) = source::read(&path, &text) else { continue };
            let is_declared = |name: &str| {
                let known = self.files.iter().flat_map(|file| &file.messages);
                known.into_iter().any(|message| message.full_name == name)
            };
            if !file.messages.iter().any(|message| is_declared(&message.full_name)) {
                self.add(file, Path::new(&path));
            }
        }
    }

    /// Rejects sources that import each other, as protoc does.
    fn check_circles(&self) -> Result<(), SchemaError> {
        let mut done = HashSet::new();
        for start in self.imports.keys() {
            self.check_circle(start, &mut done)?;
        }
        Ok(())
    }

    /// Walks the imports of a file, depth first, without recursion.
    fn check_circle<'s>(
        &'s self,
        start: &'s PathBuf,
        done: &mut HashSet<&'s PathBuf>,
    ) -> Result<(), SchemaError> {
        // The path from the start, with the imports still to visit.
        let mut trail: Vec<(&PathBuf, std::slice::Iter<'_, PathBuf>)> = Vec::new();
        if !done.contains(start) {
            trail.push((start, self.imports_of(start)));
        }
        while let Some((file, rest)) = trail.last_mut() {
            let file = *file;
            let Some(next) = rest.next() else {
                done.insert(file);
                trail.pop();
                continue;
            };
            if let Some(from) = trail.iter().position(|(visited, _)| *visited == next) {
                let circle = trail.iter().skip(from).map(|(file, _)| file_name(file));
                let circle: Vec<_> = circle.chain([file_name(next)]).collect();
                let problem = format!("the files import each other in a circle: {}", circle.join(", "));
                return Err(SchemaError::Invalid { path: next.clone(), problem });
            }
            if !done.contains(next) {
                trail.push((next, self.imports_of(next)));
            }
        }
        Ok(())
    }

    fn imports_of(&self, file: &PathBuf) -> std::slice::Iter<'_, PathBuf> {
        self.imports.get(file).map(Vec::as_slice).unwrap_or_default().iter()
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Whether the content is a source and not a descriptor set.
fn is_source(path: &Path, content: &[u8]) -> bool {
    if path.extension().is_some_and(|extension| extension == "proto") {
        return true;
    }
    let is_text = std::str::from_utf8(content)
        .is_ok_and(|text| !text.contains(|c: char| c.is_control() && !c.is_whitespace()));
    is_text && descriptor_set::read(content).is_err()
}
