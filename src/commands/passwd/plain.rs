//! `mq passwd -U`: hashes the plain-text passwords in the file, and leaves hashed lines unchanged. mosquitto_passwd hashes
//! those again, which makes the file useless.

use super::signal_guard::{SignalGuard, interruptible};
use super::{parse, warnings};
use crate::cli::Names;
use crate::commands::Messages;
use crate::commands::error::{Error, ExitStatus};
use crate::passwd::file::PasswordLine;
use crate::passwd::{FileError, Hash, HashError, Locked, Password, PasswordFile, Scheme, replace};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

/// The counts for the summary.
struct HashCounts {
    hashed: usize,
    left: usize,
}

pub(super) fn run(path: PathBuf, scheme: Scheme, messages: Messages) -> Result<ExitStatus, Error> {
    let (count, warnings_about_file) = interruptible(move |guard| hash_file(&path, scheme, guard))?;
    warnings_about_file.iter().for_each(|text| messages.say(text));
    let HashCounts { hashed, left } = count;
    match messages.names {
        Names::Mosquitto if hashed + left == 0 => Ok(ExitStatus::FAILED),
        Names::Mosquitto => Ok(ExitStatus::DONE),
        Names::Mq => {
            messages.say(&format!("{hashed} hashed, {left} already hashed"));
            Ok(ExitStatus::DONE)
        }
    }
}

/// Hashes without the lock, so that others can use the file, and starts again if it has changed.
fn hash_file(path: &Path, scheme: Scheme, guard: &SignalGuard) -> Result<(HashCounts, Vec<String>), Error> {
    loop {
        let mut file = parse(replace::read(path)?, path)?;
        let count = hash_all(&mut file, scheme, path)?;
        let mut locked = Locked::open(path)?;
        if locked.read()? == file.as_read() {
            let mut warnings_about_file = warnings(&locked, path);
            guard.pass()?;
            warnings_about_file.extend(locked.replace(&file.to_bytes())?);
            return Ok((count, warnings_about_file));
        }
    }
}

fn hash_all(file: &mut PasswordFile, scheme: Scheme, path: &Path) -> Result<HashCounts, Error> {
    let mut plain = Vec::new();
    let mut left = 0;
    for entry in file.entries() {
        let unfit = |problem| FileError::Content {
            path: path.to_owned(),
            problem: format!("line {}: {problem}; nothing was changed", entry.line),
        };
        match password(&entry).map_err(unfit)? {
            Some(password) => plain.push((entry.line, password)),
            None => left += 1,
        }
    }
    let hashed = plain.len();
    for (line, hash) in hash_on_all_cores(&plain, scheme)? {
        file.set_line(line, &hash);
    }
    Ok(HashCounts { hashed, left })
}

/// The plain-text password of a line; `None` if the line is already hashed.
fn password(entry: &PasswordLine<'_>) -> Result<Option<Password>, String> {
    match Hash::parse(entry.hash) {
        Ok(_) => return Ok(None),
        Err(HashError::Unknown) if !looks_hashed(entry.hash) => {}
        Err(error) => return Err(format!("it looks like a hash, but is not usable: {error}")),
    }
    match entry.rest {
        b"" => Err("no password after the ':'".to_owned()),
        bytes => Password::new(bytes.to_vec()).map(Some).map_err(|error| error.to_string()),
    }
}

/// Whether the text has the form of other programs' hashes, `$2y$10$...`, which is unlikely for a password.
fn looks_hashed(text: &[u8]) -> bool {
    let mut parts = text.split(|byte| *byte == b'$');
    let is_first_empty = parts.next().is_some_and(<[u8]>::is_empty);
    let is_name = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_alphanumeric);
    is_first_empty && parts.next().is_some_and(is_name) && parts.count() >= 1
}

fn hash_on_all_cores(plain: &[(usize, Password)], scheme: Scheme) -> Result<Vec<(usize, String)>, Error> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let share = plain.len().div_ceil(cores).max(1);
    thread::scope(|scope| {
        let threads: Vec<_> =
            plain.chunks(share).map(|share| scope.spawn(move || hash_share(share, scheme))).collect();
        let mut hashes = Vec::with_capacity(plain.len());
        for thread in threads {
            hashes.extend(thread.join().expect("hashing does not panic")?);
        }
        Ok(hashes)
    })
}

fn hash_share(share: &[(usize, Password)], scheme: Scheme) -> Result<Vec<(usize, String)>, HashError> {
    share.iter().map(|(line, password)| Ok((*line, scheme.hash(password)?.to_string()))).collect()
}
