//! Atomic file replacement: after a failure at any point, the file has either the old content or the new one.
//!
//! The new content is written to a temporary file in the same directory, synced, and renamed into place. All of this happens
//! under a lock, so that concurrent changes are not lost. The lock is on the file itself, which leaves no lock file behind.
//! Since a rename replaces the locked file, a process that gets the lock checks whether the path still refers to that file,
//! and starts again if it does not.
//!
//! A file that is a mount point or in a read-only directory cannot be replaced. It is overwritten in place, which readers can
//! observe; the caller gets a warning.

use rustix::fs::{AtFlags, CWD, FlockOperation, Gid, Mode, OFlags, RawMode, Uid, flock};
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use zeroize::Zeroizing;

/// The maximum size of a credentials file, enough for over a million users.
const MAX_SIZE: u64 = 256 * 1024 * 1024;

/// The lock timeout. Other processes hold the lock for milliseconds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// The maximum number of times that the file may be replaced between open and lock. Each time, another process made progress.
const ATTEMPTS: usize = 10_000;

/// The part of a temporary file's name between the file's name and the random number.
const MARK: &str = ".mq-";

/// The number of hexadecimal digits in the random number.
const DIGITS: usize = 16;

/// The part of the file's name that fits into a temporary name, beside a dot, [`MARK`] and the digits.
const MAX_NAME: usize = 200;

/// The mode of a new file, until it gets the mode of the old one.
const PRIVATE: u32 = 0o600;

/// A failed replacement. The file is unchanged, unless the text says otherwise.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// A system call failed.
    #[error("cannot {action} {}: {source}", path.display())]
    System {
        /// The attempted action.
        action: &'static str,
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The path is a directory, a device or a pipe.
    #[error("{} is {kind}, not a file", path.display())]
    NotAFile {
        path: PathBuf,
        /// Its file type.
        kind: &'static str,
    },
    /// The content is invalid.
    #[error("{}: {problem}", path.display())]
    Content {
        path: PathBuf,
        /// The reason.
        problem: String,
    },
    /// The file is too large for a credentials file.
    #[error("{} is too large for a password file: {size} bytes (at most {MAX_SIZE})", path.display())]
    TooLarge {
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// The file to create already exists.
    #[error("{} already exists", path.display())]
    Exists { path: PathBuf },
    /// Another process holds the lock.
    #[error("cannot lock {}: another program has held the lock for {} s", path.display(), LOCK_TIMEOUT.as_secs())]
    Locked { path: PathBuf },
    /// The new file cannot keep the old one's owner, which would lose access.
    #[error(
        "{} belongs to user {uid} and group {gid}, which a new file cannot keep: {source}; run this as that user or as root \
        to change the file",
        path.display()
    )]
    Owner {
        path: PathBuf,
        /// The user ID.
        uid: u32,
        /// The group ID.
        gid: u32,
        /// The reason.
        source: io::Error,
    },
    /// Writing in place failed, and so did restoring the old content.
    #[error("cannot write {}, which may be damaged: {source}", path.display())]
    Damaged {
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file is replaced, but a power failure could restore the old one.
    #[error("{} is replaced, but not synced to the disk: {source}", path.display())]
    NotOnDisk {
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// A locked file, which no other process replaces until this is dropped.
#[derive(Debug)]
pub(crate) struct Locked {
    /// The resolved path, if a symbolic link was given.
    path: PathBuf,
    file: File,
    metadata: Metadata,
}

impl Locked {
    /// Locks an existing file, with a timeout. Symbolic links are followed.
    ///
    /// # Errors
    /// If it is not a regular file, not writable, or locked for too long.
    pub(crate) fn open(named: &Path) -> Result<Locked, FileError> {
        let path = fs::canonicalize(named).map_err(|source| failed("find", named, source))?;
        for _ in 0..ATTEMPTS {
            let file = open(&path, OpenOptions::new().read(true).write(true))?;
            lock(&file, &path)?;
            let metadata = file.metadata().map_err(|source| failed("read", &path, source))?;
            if is_at(&path, &metadata) {
                remove_litter(&path);
                return Ok(Locked { path, file, metadata });
            }
        }
        Err(FileError::Locked { path })
    }

    /// The file's content.
    ///
    /// # Errors
    /// If it cannot be read or is too large.
    pub(crate) fn read(&mut self) -> Result<Vec<u8>, FileError> {
        read_all(&mut self.file, &self.path)
    }

    /// Replaces the content and releases the lock. Returns a warning if the replacement was not atomic.
    ///
    /// # Errors
    /// If the file cannot be written or renamed. It is then unchanged.
    pub(crate) fn replace(self, content: &[u8]) -> Result<Option<String>, FileError> {
        let mut new = match NewFile::beside(&self.path) {
            Ok(new) => new,
            Err(FileError::System { source, .. }) if is_closed_directory(&source) => {
                return self.write_in_place(content, None, &source);
            }
            Err(error) => return Err(error),
        };
        new.write(content)?;
        new.take_after(&self.file, &self.metadata)?;
        new.sync()?;
        match fs::rename(&new.path, &self.path) {
            Ok(()) => {}
            Err(source) if is_mount(&source) => {
                drop(new);
                let saved = SavedFile::beside(&self.path)?;
                return self.write_in_place(content, Some(saved), &source);
            }
            Err(source) => return Err(failed("replace", &self.path, source)),
        }
        new.is_in_place = true;
        sync_directory(&self.path).map(|()| None)
    }

    /// Overwrites the content of a file that cannot be replaced: in a container, a single file is often a mount point. The old
    /// content is kept until the new one is synced.
    fn write_in_place(
        mut self,
        content: &[u8],
        saved: Option<SavedFile>,
        reason: &io::Error,
    ) -> Result<Option<String>, FileError> {
        self.file.rewind().map_err(|source| failed("read", &self.path, source))?;
        let old = Zeroizing::new(self.read()?);
        if let Some(saved) = &saved {
            saved.fill(&old)?;
        }
        if let Err(source) = overwrite(&mut self.file, content) {
            return Err(match (overwrite(&mut self.file, &old), saved) {
                (Ok(()), _) => failed("write", &self.path, source),
                (Err(_), Some(saved)) => saved.into_error(&source),
                (Err(_), None) => FileError::Damaged { path: self.path.clone(), source },
            });
        }
        if let Some(saved) = saved {
            saved.remove();
        }
        let shown = self.path.display();
        Ok(Some(format!(
            "{shown} was written in place, because it cannot be replaced atomically ({reason}); \
             a concurrent reader may have seen partial content"
        )))
    }

    /// Whether all local users can read the file.
    pub(crate) fn is_open_to_others(&self) -> bool {
        is_open_to_others(&self.metadata)
    }

    /// The number of hard links. After a replacement only one of them has the new content.
    pub(crate) fn hard_links(&self) -> u64 {
        self.metadata.nlink()
    }
}

/// Creates a new file, readable only by its owner.
///
/// # Errors
/// If the file exists or cannot be written.
pub(crate) fn create(path: &Path, content: &[u8]) -> Result<(), FileError> {
    // Checked first, so that an error about the directory does not hide this more specific one.
    if fs::symlink_metadata(path).is_ok() {
        return Err(FileError::Exists { path: path.to_owned() });
    }
    let mut new = NewFile::beside(path)?;
    new.write(content)?;
    new.sync()?;
    rename_to_free_name(&new.path, path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists { path: path.to_owned() },
        _ => failed("create", path, source),
    })?;
    new.is_in_place = true;
    sync_directory(path)
}

/// The content of a credentials file, without a lock.
///
/// # Errors
/// If it is not a regular file, cannot be read, or is too large.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut file = open(path, OpenOptions::new().read(true))?;
    read_all(&mut file, path)
}

/// Whether all local users can read the file.
pub(crate) fn is_open_to_others(metadata: &Metadata) -> bool {
    metadata.mode() & 0o004 != 0
}

/// Opens a regular file only: opening a device or a pipe could block or have side effects.
fn open(path: &Path, options: &mut OpenOptions) -> Result<File, FileError> {
    let unreadable = |source| failed("open", path, source);
    check_kind(path, &fs::metadata(path).map_err(unreadable)?)?;
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file = options.custom_flags(flags.cast_signed()).open(path).map_err(unreadable)?;
    check_kind(path, &file.metadata().map_err(unreadable)?)?;
    Ok(file)
}

fn check_kind(path: &Path, metadata: &Metadata) -> Result<(), FileError> {
    let kind = match metadata.file_type() {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => "a directory",
        _ => "a device, a pipe or a socket",
    };
    Err(FileError::NotAFile { path: path.to_owned(), kind })
}

fn read_all(file: &mut File, path: &Path) -> Result<Vec<u8>, FileError> {
    let unreadable = |source| failed("read", path, source);
    let size = file.metadata().map_err(unreadable)?.len();
    if size > MAX_SIZE {
        return Err(FileError::TooLarge { path: path.to_owned(), size });
    }
    // Full capacity, since reallocation would leave copies of plain-text passwords in memory.
    let mut content = Vec::with_capacity(size as usize + 1);
    // The file may grow during the read.
    let size = file.take(MAX_SIZE + 1).read_to_end(&mut content).map_err(unreadable)? as u64;
    match size > MAX_SIZE {
        true => Err(FileError::TooLarge { path: path.to_owned(), size }),
        false => Ok(content),
    }
}

/// Waits for the lock, with a timeout. The kernel releases a lock when its owner exits or crashes.
fn lock(file: &File, path: &Path) -> Result<(), FileError> {
    let failed = |error: rustix::io::Errno| failed("lock", path, error.into());
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => return Ok(()),
        Err(rustix::io::Errno::WOULDBLOCK) => {}
        Err(error) => return Err(failed(error)),
    }
    // flock has no timeout. The thread's duplicate of the descriptor shares the lock.
    let copy = file.try_clone().map_err(|source| FileError::System {
        action: "lock",
        path: path.to_owned(),
        source,
    })?;
    let (sender, locked) = channel();
    thread::spawn(move || sender.send(lock_and_wait(&copy)));
    let late = |_| FileError::Locked { path: path.to_owned() };
    locked.recv_timeout(LOCK_TIMEOUT).map_err(late)?.map_err(failed)
}

fn lock_and_wait(file: &File) -> rustix::io::Result<()> {
    loop {
        match flock(file, FlockOperation::LockExclusive) {
            Err(rustix::io::Errno::INTR) => {}
            result => return result,
        }
    }
}

/// Whether the path still refers to this file.
fn is_at(path: &Path, metadata: &Metadata) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|found| (found.dev(), found.ino()) == (metadata.dev(), metadata.ino()))
}

/// Whether the directory does not permit new files, although the file itself may be writable.
fn is_closed_directory(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}

/// Whether the file is a mount point, which cannot be renamed over.
fn is_mount(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices)
}

fn overwrite(file: &mut File, content: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.write_all(content)?;
    file.set_len(content.len() as u64)?;
    file.sync_all()
}

/// A backup of the old content beside a file that is overwritten in place, in case of an interruption.
#[derive(Debug)]
struct SavedFile {
    path: PathBuf,
    target: PathBuf,
    file: File,
}

impl SavedFile {
    fn beside(target: &Path) -> Result<SavedFile, FileError> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(".mq-old");
        let path = target.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&path);
        match file {
            Ok(file) => Ok(SavedFile { path, target: target.to_owned(), file }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let saved = path.display();
                let problem = format!(
                    "an earlier change was interrupted; {saved} has the previous content: compare both files, then remove it"
                );
                Err(FileError::Content { path: target.to_owned(), problem })
            }
            Err(source) => Err(failed("create a file beside", target, source)),
        }
    }

    fn fill(&self, content: &[u8]) -> Result<(), FileError> {
        let written = (&self.file).write_all(content).and_then(|()| self.file.sync_all());
        written.map_err(|source| {
            let _ = fs::remove_file(&self.path);
            failed("save the old content beside", &self.target, source)
        })
    }

    fn remove(self) {
        let _ = fs::remove_file(&self.path);
    }

    fn into_error(self, source: &io::Error) -> FileError {
        let problem = format!("cannot be written ({source}); its old content is in {}", self.path.display());
        FileError::Content { path: self.target, problem }
    }
}

/// A temporary file, removed on drop unless it was renamed into place.
#[derive(Debug)]
struct NewFile {
    path: PathBuf,
    target: PathBuf,
    file: File,
    is_in_place: bool,
}

impl NewFile {
    fn beside(target: &Path) -> Result<NewFile, FileError> {
        let path = target.with_file_name(temporary_name(target)?);
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(PRIVATE).open(&path);
        let file = file.map_err(|source| failed("create a file beside", target, source))?;
        Ok(NewFile { path, target: target.to_owned(), file, is_in_place: false })
    }

    fn write(&mut self, content: &[u8]) -> Result<(), FileError> {
        // The umask may have cleared bits.
        self.set_mode(PRIVATE)?;
        self.file.write_all(content).map_err(|source| failed("write the new", &self.target, source))
    }

    /// Copies owner, mode and ACL. The owner comes first, since changing it can clear mode bits.
    fn take_after(&mut self, old_file: &File, old: &Metadata) -> Result<(), FileError> {
        let (uid, gid) = (old.uid(), old.gid());
        let own = self
            .file
            .metadata()
            .map_err(|source| failed("read the metadata of the new", &self.target, source))?;
        if (own.uid(), own.gid()) != (uid, gid) {
            let owner = (own.uid() != uid).then(|| Uid::from_raw(uid));
            rustix::fs::fchown(&self.file, owner, Some(Gid::from_raw(gid))).map_err(|error| {
                FileError::Owner { path: self.target.clone(), uid, gid, source: error.into() }
            })?;
        }
        self.set_mode(old.mode())?;
        let kept = copy_access_list(old_file, &self.file);
        kept.map_err(|error| failed("copy the access list of", &self.target, error.into()))
    }

    fn set_mode(&self, mode: u32) -> Result<(), FileError> {
        let mode = Mode::from_raw_mode((mode & 0o7777) as RawMode);
        let set = rustix::fs::fchmod(&self.file, mode);
        set.map_err(|error| failed("set the mode of the new", &self.target, error.into()))
    }

    fn sync(&self) -> Result<(), FileError> {
        let synced = self.file.sync_all();
        synced.map_err(|source| failed("sync to the disk the new", &self.target, source))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_in_place {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Copies the ACL, which may be the only reason that the broker can read the file.
#[cfg(all(target_os = "linux", not(feature = "portable")))]
fn copy_access_list(from: &File, to: &File) -> rustix::io::Result<()> {
    use rustix::fs::{XattrFlags, fgetxattr, fsetxattr};
    use rustix::io::Errno;
    const ACCESS_LIST: &str = "system.posix_acl_access";
    let mut list = vec![0; 64 * 1024]; // the most that Linux keeps
    match fgetxattr(from, ACCESS_LIST, list.as_mut_slice()) {
        Ok(length) => {
            let list = list.get(..length).unwrap_or_default();
            fsetxattr(to, ACCESS_LIST, list, XattrFlags::empty())
        }
        Err(Errno::NODATA | Errno::NOTSUP | Errno::NOSYS) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Other systems do not store the ACL in this attribute.
#[cfg(any(not(target_os = "linux"), feature = "portable"))]
fn copy_access_list(_from: &File, _to: &File) -> rustix::io::Result<()> {
    Ok(())
}

fn temporary_name(target: &Path) -> Result<OsString, FileError> {
    let mut random = [0; DIGITS / 2];
    let no_random = |error: getrandom::Error| failed("find a name beside", target, io::Error::other(error));
    getrandom::fill(&mut random).map_err(no_random)?;
    let mut name = temporary_prefix(target);
    name.push(random.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    Ok(name)
}

/// The prefix of temporary names for this file.
fn temporary_prefix(target: &Path) -> OsString {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let end = (0..=MAX_NAME.min(name.len())).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    OsString::from(format!(".{}{MARK}", name.get(..end).unwrap_or_default()))
}

/// Removes temporary files left by killed processes. A running process that writes one either holds the lock, which this
/// process now has, or creates a new file and fails because the file exists.
fn remove_litter(path: &Path) {
    let Some(entries) = path.parent().and_then(|directory| fs::read_dir(directory).ok()) else { return };
    let prefix = temporary_prefix(path);
    for entry in entries.flatten() {
        let name = entry.file_name();
        let digits = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
        let is_ours =
            digits.is_some_and(|digits| digits.len() == DIGITS && digits.iter().all(u8::is_ascii_hexdigit));
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Renames atomically, without replacing an existing file.
fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(all(any(target_os = "linux", target_vendor = "apple"), not(feature = "portable")))]
    {
        use rustix::fs::{RenameFlags, renameat_with};
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Not supported by the file system.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {}
            result => return Ok(result?),
        }
    }
    rustix::fs::linkat(CWD, from, CWD, to, AtFlags::empty())?;
    fs::remove_file(from)
}

/// Syncs the rename to disk, if the directory can be opened for reading.
fn sync_directory(path: &Path) -> Result<(), FileError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(directory) = File::open(parent) else { return Ok(()) };
    match directory.sync_all() {
        // The file system does not support syncing directories.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result.map_err(|source| FileError::NotOnDisk { path: path.to_owned(), source }),
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> FileError {
    FileError::System { action, path: path.to_owned(), source }
}
