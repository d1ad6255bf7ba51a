//! `mq install-links`: the names of mosquitto's tools as links to this program.

use super::Messages;
use crate::cli::generated_docs::InstallLinksArgs;
use crate::cli::{Names, TOOLS};
use crate::commands::error::{Error, ExitStatus};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

pub(super) fn run(args: &InstallLinksArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let program =
        std::env::current_exe().map_err(|source| failed("find", Path::new("this program"), source))?;
    let links: Vec<PathBuf> =
        TOOLS.iter().map(|tool| args.directory.join(Names::Mosquitto.of(tool))).collect();
    // All paths are checked before the first link is created, so a refusal changes nothing.
    let found = links.iter().map(|link| ExistingFile::at(link, &program)).collect::<Result<Vec<_>, _>>()?;
    for (link, found) in links.iter().zip(&found) {
        found.check(link, args.force)?;
    }
    for (link, found) in links.iter().zip(&found) {
        if *found == ExistingFile::SameLink {
            messages.say(&format!("{} already exists", link.display()));
            continue;
        }
        put_link(&program, link)?;
        messages.say(&format!("{} -> {}", link.display(), program.display()));
    }
    Ok(ExitStatus::DONE)
}

/// The file at the path of a link.
#[derive(Debug, PartialEq, Eq)]
enum ExistingFile {
    Nothing,
    SameLink,
    /// A link to another program of our name, as left by an older version.
    OtherLink,
    Directory,
    SomethingElse,
}

impl ExistingFile {
    fn at(link: &Path, program: &Path) -> Result<ExistingFile, Error> {
        let metadata = match fs::symlink_metadata(link) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ExistingFile::Nothing),
            Err(source) => return Err(failed("look at", link, source)),
        };
        if metadata.is_dir() {
            return Ok(ExistingFile::Directory);
        }
        if !metadata.is_symlink() {
            return Ok(ExistingFile::SomethingElse);
        }
        let target = fs::read_link(link).map_err(|source| failed("look at", link, source))?;
        Ok(match target {
            target if target == program => ExistingFile::SameLink,
            target if target.file_name() == program.file_name() => ExistingFile::OtherLink,
            _ => ExistingFile::SomethingElse,
        })
    }

    fn check(&self, link: &Path, is_forced: bool) -> Result<(), Error> {
        let refused = |text: &str| {
            let source = io::Error::new(io::ErrorKind::AlreadyExists, text);
            Err(failed("create the link", link, source))
        };
        match self {
            ExistingFile::Nothing | ExistingFile::SameLink | ExistingFile::OtherLink => Ok(()),
            ExistingFile::SomethingElse if is_forced => Ok(()),
            ExistingFile::SomethingElse => refused("the file exists; --force replaces it"),
            ExistingFile::Directory => refused("a directory has this name"),
        }
    }
}

/// Replaces the link atomically, so that the name is never missing.
fn put_link(program: &Path, link: &Path) -> Result<(), Error> {
    let mut name = link.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = link.with_file_name(name);
    symlink(program, &temporary).map_err(|source| failed("create the link", link, source))?;
    fs::rename(&temporary, link).map_err(|source| {
        let _ = fs::remove_file(&temporary);
        failed("create the link", link, source)
    })
}

fn failed(action: &str, path: &Path, source: io::Error) -> Error {
    Error::system(format!("{action} {}", path.display()), source)
}
