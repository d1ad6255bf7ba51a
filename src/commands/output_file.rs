//! A file that a command writes at its end. It is created at the start, so that an unwritable path fails early, under a temporary
//! name, and renamed into place: no reader sees a partial file. A file that exists keeps its mode; one with another owner or several
//! names is overwritten in place.

use super::error::Error;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) struct OutputFile {
    /// The path as the user typed it.
    path: PathBuf,
    file: File,
    draft: Option<Draft>,
}

/// A file under a temporary name. It is removed unless it is renamed.
#[derive(Debug)]
struct Draft {
    path: PathBuf,
    target: PathBuf,
}

impl OutputFile {
    /// Creates the file.
    ///
    /// # Errors
    /// If the path cannot be written.
    pub(super) fn create(path: &Path) -> Result<OutputFile, Error> {
        let create = || match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            // A pipe or a device cannot be replaced by a file.
            Ok(metadata) if !metadata.is_file() => Ok((OpenOptions::new().write(true).open(path)?, None)),
            Ok(metadata) => {
                let draft = Draft::replacement(fs::canonicalize(path)?, &metadata);
                // In a read-only directory, the file itself may be writable.
                let in_place = |_| Ok((OpenOptions::new().write(true).open(path)?, None));
                draft.or_else(in_place)
            }
            // The target of a symbolic link is created, and the link stays.
            Err(_) if fs::symlink_metadata(path).is_ok() => {
                Ok((OpenOptions::new().write(true).create(true).truncate(false).open(path)?, None))
            }
            Err(_) => Draft::create(path.to_owned()),
        };
        let (file, draft) = create().map_err(|source| cannot_write(path, source))?;
        Ok(OutputFile { path: path.to_owned(), file, draft })
    }

    /// Writes the content, and replaces an earlier file.
    ///
    /// # Errors
    /// If writing failed; an earlier file stays.
    pub(super) fn write(mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = match self.draft {
            Some(draft) => self.file.write_all(bytes).and_then(|()| draft.finish(bytes)),
            None => write_in_place(&mut self.file, bytes),
        };
        written.map_err(|source| cannot_write(&self.path, source))
    }
}

impl Draft {
    /// A draft that replaces a file and keeps its mode.
    ///
    /// # Errors
    /// If another file with the same owner and the same names cannot be made.
    fn replacement(target: PathBuf, replaced: &Metadata) -> io::Result<(File, Option<Draft>)> {
        if replaced.nlink() > 1 {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let (file, draft) = Draft::create(target)?;
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (replaced.uid(), replaced.gid()) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        file.set_permissions(replaced.permissions())?;
        Ok((file, draft))
    }

    fn create(target: PathBuf) -> io::Result<(File, Option<Draft>)> {
        let mut name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let path = target.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok((file, Some(Draft { path, target })))
    }

    fn finish(self, bytes: &[u8]) -> io::Result<()> {
        use io::ErrorKind::{CrossesDevices, ResourceBusy};
        match fs::rename(&self.path, &self.target) {
            // A file that is a mount point, as in a container, cannot be replaced.
            Err(error) if matches!(error.kind(), ResourceBusy | CrossesDevices) => {
                fs::write(&self.target, bytes)
            }
            result => result,
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Fails after the rename, which has already removed it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Overwrites a file and truncates it to the new length; a pipe or a device has no length.
fn write_in_place(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    if file.metadata()?.is_file() { file.set_len(bytes.len() as u64) } else { Ok(()) }
}

fn cannot_write(path: &Path, source: io::Error) -> Error {
    Error::system(format!("write {}", path.display()), source)
}
