//! The completions of a word.

use crate::escape;

/// A possible word, and its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) value: String,
    pub(crate) about: String,
}

/// The paths that a shell offers as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Paths {
    #[default]
    None,
    Files,
    Directories,
}

/// All that completes a word.
#[derive(Debug, Default)]
pub(crate) struct Completion {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) paths: Paths,
    /// The part of the word before a path.
    pub(crate) prefix: String,
    /// The candidates are beginnings, so no space follows them.
    pub(crate) is_partial: bool,
}

impl Candidate {
    /// The first clause of the description is kept, since a shell has one line for it.
    pub(crate) fn new(value: &str, about: impl Into<String>) -> Candidate {
        let about: String = about.into();
        let ends = ["\n", ". ", "; "].iter().filter_map(|end| about.find(end));
        let end = ends.min().unwrap_or(about.len());
        Candidate { value: value.to_owned(), about: about.get(..end).unwrap_or_default().to_owned() }
    }

    /// Whether it is one line that a terminal can show: topics and names of files can have any characters.
    fn is_safe(&self) -> bool {
        !self.value.is_empty()
            && escape::line(&self.value) == self.value
            && !self.value.starts_with('\u{feff}')
    }
}

impl Completion {
    /// The candidates that begin with the word.
    pub(crate) fn of(candidates: impl IntoIterator<Item = Candidate>, current: &str) -> Completion {
        let fits = |candidate: &Candidate| candidate.value.starts_with(current) && candidate.is_safe();
        Completion { candidates: candidates.into_iter().filter(fits).collect(), ..Completion::default() }
    }

    pub(super) fn paths(paths: Paths) -> Completion {
        Completion { paths, ..Completion::default() }
    }

    /// The completions of a word that has this text in front.
    pub(super) fn after(mut self, prefix: &str) -> Completion {
        for candidate in &mut self.candidates {
            candidate.value.insert_str(0, prefix);
        }
        prefix.clone_into(&mut self.prefix);
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.candidates.is_empty() && self.paths == Paths::None
    }
}
