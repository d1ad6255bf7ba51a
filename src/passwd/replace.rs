//! Replaces a file as a whole: whatever happens at whatever moment, there is the old file or the new one.
//!
//! The new file is written beside the old one under another name, brought to the disk, and renamed. All that happens under a lock,
//! so that programs that run at the same time lose nothing of each other. It is a lock on the file itself, which leaves no litter;
//! but renaming puts another file in its place, and so whoever has got the lock looks whether the file is still the one with
//! that name, and begins anew if it is not.
//!
//! A file that is a mount of its own cannot be replaced, nor one in a directory that is read-only. It is written in place, which
//! readers can notice; the caller is told so.

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

/// What a larger file holds are no credentials; this is room for over a million.
const MAX_SIZE: u64 = 256 * 1024 * 1024;

/// How long others may hold the lock. They hold it for milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// So often a file may be replaced between opening and locking it. Everyone who is faster has made progress.
const ATTEMPTS: usize = 10_000;

/// What stands between the file's name and a random number in the name of the file that is being written.
const MARK: &str = ".mq-";

/// Hexadecimal digits of the random number.
const DIGITS: usize = 16;

/// So much of a file's name fits into another name, beside a dot, [`MARK`] and the digits.
const MAX_NAME: usize = 200;

/// Only for the owner, until it is known what the old file allows.
const PRIVATE: u32 = 0o600;

/// Why a file was not replaced. It is as it was, unless the text says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system does not do something.
    #[error("cannot {action} {}: {source}", path.display())]
    System {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is a directory, a device or a pipe.
    #[error("{} is {kind}, not a file", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// It is not what it should be.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// It is too large to be a file of credentials.
    #[error("{} has {size} bytes; that is no password file ({MAX_SIZE} at most)", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        size: u64,
    },
    /// There is a file already, where a new one was to be made.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Somebody else has the lock.
    #[error("another program has had the lock of {} for {} s", path.display(), PATIENCE.as_secs())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The new file cannot belong to whom the old one belongs, who could then not read it.
    #[error(
        "{} belongs to user {uid} and group {gid}, which a new file cannot keep: {source}; it is as it was. \
         Run this as that user or as root",
        path.display()
    )]
    Owner {
        /// The file.
        path: PathBuf,
        /// The user's number.
        uid: u32,
        /// The group's number.
        gid: u32,
        /// Why not.
        source: io::Error,
    },
    /// The new file is there, but a power cut could bring the old one back.
    #[error("{} is replaced, but it is not certain that it is on the disk: {source}", path.display())]
    NotOnDisk {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// A file that nobody else replaces as long as this is there.
#[derive(Debug)]
pub struct Locked {
    /// The file itself, where a symbolic link was named.
    path: PathBuf,
    file: File,
    metadata: Metadata,
}

impl Locked {
    /// Waits for the lock of a file that is there. Symbolic links are followed.
    ///
    /// # Errors
    /// When it is no file, cannot be written, or others do not let go of it.
    pub fn open(named: &Path) -> Result<Locked, FileError> {
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
    /// When it cannot be read, or is far too large.
    pub fn read(&mut self) -> Result<Vec<u8>, FileError> {
        read_all(&mut self.file, &self.path)
    }

    /// Puts this in the place of the file's content, and lets go of the lock. Gives a warning where that was not done in one step.
    ///
    /// # Errors
    /// When it cannot be written or renamed; the file is then as it was.
    pub fn replace(self, content: &[u8]) -> Result<Option<String>, FileError> {
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

    /// Writes over the content where no other file can take its place: in a container, a single file is often a mount of its own.
    /// The old content is kept until the new one is on the disk.
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
                (Err(_), None) => failed("write, and it may be damaged:", &self.path, source),
            });
        }
        if let Some(saved) = saved {
            saved.remove();
        }
        let shown = self.path.display();
        Ok(Some(format!(
            "{shown} was written in place, because it cannot be replaced in one step ({reason}); \
             a program that read it at that moment may have seen a part of it"
        )))
    }

    /// Whether everybody on this machine can read the file.
    pub fn is_open_to_others(&self) -> bool {
        is_open_to_others(&self.metadata)
    }

    /// By how many names the file is known. Only one of them leads to the new content later.
    pub fn hard_links(&self) -> u64 {
        self.metadata.nlink()
    }
}

/// Makes a file that is not there yet, for its owner alone.
///
/// # Errors
/// When there is one already, or it cannot be written.
pub fn create(path: &Path, content: &[u8]) -> Result<(), FileError> {
    // Asked first, so that an error about the directory does not hide what is nearer.
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

/// The content of a file of credentials, which is not going to be changed.
///
/// # Errors
/// When it is no file, cannot be read, or is far too large.
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut file = open(path, OpenOptions::new().read(true))?;
    read_all(&mut file, path)
}

/// Whether everybody on the machine can read it.
pub fn is_open_to_others(metadata: &Metadata) -> bool {
    metadata.mode() & 0o004 != 0
}

/// Opens a file, and nothing that is none: to open a device or a pipe could wait for ever, or do something.
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
    // With room for all, so that no copy stays behind where it grew: there can be passwords that are not hashed.
    let mut content = Vec::with_capacity(size as usize + 1);
    // It may grow while it is read.
    let size = file.take(MAX_SIZE + 1).read_to_end(&mut content).map_err(unreadable)? as u64;
    match size > MAX_SIZE {
        true => Err(FileError::TooLarge { path: path.to_owned(), size }),
        false => Ok(content),
    }
}

/// Waits for the lock, but not for ever. The kernel frees it when its owner ends, however that happens.
fn lock(file: &File, path: &Path) -> Result<(), FileError> {
    let failed = |error: rustix::io::Errno| failed("lock", path, error.into());
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => return Ok(()),
        Err(rustix::io::Errno::WOULDBLOCK) => {}
        Err(error) => return Err(failed(error)),
    }
    // There is no lock with a deadline. The thread's copy of the descriptor stands for the same lock.
    let copy = file.try_clone().map_err(|source| FileError::System {
        action: "lock",
        path: path.to_owned(),
        source,
    })?;
    let (sender, locked) = channel();
    thread::spawn(move || sender.send(lock_and_wait(&copy)));
    let late = |_| FileError::Locked { path: path.to_owned() };
    locked.recv_timeout(PATIENCE).map_err(late)?.map_err(failed)
}

fn lock_and_wait(file: &File) -> rustix::io::Result<()> {
    loop {
        match flock(file, FlockOperation::LockExclusive) {
            Err(rustix::io::Errno::INTR) => {}
            result => return result,
        }
    }
}

/// Whether the name still leads to this file.
fn is_at(path: &Path, metadata: &Metadata) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|found| (found.dev(), found.ino()) == (metadata.dev(), metadata.ino()))
}

/// Whether no file can be made beside another, though that one may be open for writing.
fn is_closed_directory(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}

/// Whether a file is a mount of its own, which keeps its name.
fn is_mount(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices)
}

fn overwrite(file: &mut File, content: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.write_all(content)?;
    file.set_len(content.len() as u64)?;
    file.sync_all()
}

/// The old content of a file that is written in place, beside it, for the case that this is interrupted.
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
                    "an earlier change was interrupted; {saved} has the content from before it: compare them, and remove it"
                );
                Err(FileError::Content { path: target.to_owned(), problem })
            }
            Err(source) => Err(failed("make a file beside", target, source)),
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

/// A file that is being written. It goes away unless it gets its place.
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
        let file = file.map_err(|source| failed("make a file beside", target, source))?;
        Ok(NewFile { path, target: target.to_owned(), file, is_in_place: false })
    }

    fn write(&mut self, content: &[u8]) -> Result<(), FileError> {
        // Whatever the umask left of it.
        self.set_mode(PRIVATE)?;
        self.file.write_all(content).map_err(|source| failed("write the new", &self.target, source))
    }

    /// Takes over owner, mode and access list; first the owner, which can take bits of the mode away.
    fn take_after(&mut self, old_file: &File, old: &Metadata) -> Result<(), FileError> {
        let (uid, gid) = (old.uid(), old.gid());
        let own = self.file.metadata().map_err(|source| failed("look at the new", &self.target, source))?;
        if (own.uid(), own.gid()) != (uid, gid) {
            let owner = (own.uid() != uid).then(|| Uid::from_raw(uid));
            rustix::fs::fchown(&self.file, owner, Some(Gid::from_raw(gid))).map_err(|error| {
                FileError::Owner { path: self.target.clone(), uid, gid, source: error.into() }
            })?;
        }
        self.set_mode(old.mode())?;
        let kept = copy_access_list(old_file, &self.file);
        kept.map_err(|error| failed("keep the access list of", &self.target, error.into()))
    }

    fn set_mode(&self, mode: u32) -> Result<(), FileError> {
        let mode = Mode::from_raw_mode((mode & 0o7777) as RawMode);
        let set = rustix::fs::fchmod(&self.file, mode);
        set.map_err(|error| failed("set the mode of the new", &self.target, error.into()))
    }

    fn sync(&self) -> Result<(), FileError> {
        let synced = self.file.sync_all();
        synced.map_err(|source| failed("bring to the disk the new", &self.target, source))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_in_place {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Takes over who else may read the file, without which a broker that is named there could not.
#[cfg(target_os = "linux")]
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

/// Other systems keep it elsewhere.
#[cfg(not(target_os = "linux"))]
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

/// What all names of files begin with that are written for this one.
fn temporary_prefix(target: &Path) -> OsString {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let end = (0..=MAX_NAME.min(name.len())).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    OsString::from(format!(".{}{MARK}", name.get(..end).unwrap_or_default()))
}

/// Removes what runs that were killed left beside the file. Whoever writes there holds the lock, which we hold now, or makes a
/// new file and fails, since it is there.
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

/// Renames in one step, and only where there is nothing yet.
fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{RenameFlags, renameat_with};
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // File systems that cannot do it.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {}
            result => return Ok(result?),
        }
    }
    rustix::fs::linkat(CWD, from, CWD, to, AtFlags::empty())?;
    fs::remove_file(from)
}

/// Brings the new name to the disk. Where the directory cannot be opened for reading, there is no way to.
fn sync_directory(path: &Path) -> Result<(), FileError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(directory) = File::open(parent) else { return Ok(()) };
    match directory.sync_all() {
        // File systems that have nothing to bring there.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result.map_err(|source| FileError::NotOnDisk { path: path.to_owned(), source }),
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> FileError {
    FileError::System { action, path: path.to_owned(), source }
}
