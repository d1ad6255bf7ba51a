//! `mq passwd import`: hashes a list of users on all cores, and adds them to the file in one change.

use super::Destination;
use super::document::{self, FormatSettings, refused};
use super::signal_guard::{SignalGuard, interruptible};
use crate::cli::passwd::{ImportArgs, STANDARD};
use crate::commands::Messages;
use crate::commands::error::{Error, ExitStatus};
use crate::passwd::FileError;
use crate::passwd::format::{Change, FormatError, Secret};
use crate::passwd::import::{ImportError, Row, Rows};
use crate::words::counted;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The rows per core in a batch: enough to keep all cores busy, without many passwords in memory.
const ROWS_PER_CORE: usize = 32;

/// An import in progress.
struct Import {
    kind: FormatSettings,
    destination: Destination,
    list: PathBuf,
    has_no_header: bool,
    keeps_going: bool,
    bar: ProgressBar,
    messages: Messages,
}

/// The counts for the summary.
#[derive(Debug, Default)]
struct ImportCounts {
    added: usize,
    updated: usize,
    left_out: usize,
}

/// A user with its hashed password.
struct Hashed {
    line: u64,
    name: String,
    secret: Secret,
}

pub(super) fn run(args: &ImportArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let settings = args.format.settings(&args.scheme, &args.new_user)?;
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{bar:40} {percent}%  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let import = Import {
        kind: FormatSettings { format: args.format.format(), settings },
        destination: Destination::new(args.create, args.force, args.file.clone())?,
        list: args.list.clone(),
        has_no_header: args.no_header,
        keeps_going: args.keep_going,
        bar: bar.clone(),
        messages,
    };
    document::warn_about_plain_text(import.kind.format, messages);
    let imported = interruptible(move |guard| import.run(guard));
    bar.finish_and_clear();
    let (count, warnings_about_file) = imported?;
    warnings_about_file.iter().for_each(|text| messages.say(text));
    report_change(&count, messages);
    Ok(if count.left_out == 0 { ExitStatus::DONE } else { ExitStatus::FAILED })
}

fn report_change(count: &ImportCounts, messages: Messages) {
    let ImportCounts { added, updated, left_out } = count;
    let rest =
        if *left_out == 0 { String::new() } else { format!(", {} skipped", counted(*left_out, "row")) };
    messages.say(&format!("{added} added, {updated} updated{rest}"));
}

impl Import {
    fn run(&self, guard: &SignalGuard) -> Result<(ImportCounts, Vec<String>), Error> {
        self.kind.check(&self.destination)?;
        let mut count = ImportCounts::default();
        let users = self.hash_all(&mut count)?;
        let ((), warnings_about_file) = self.kind.change(&self.destination, guard, |document, path| {
            for user in &users {
                match document.set(&user.name, &user.secret) {
                    Ok(Change::Added) => count.added += 1,
                    Ok(Change::Updated) => count.updated += 1,
                    Err(error @ FormatError::Setting(_)) => return Err(refused(error, path)),
                    Err(error) => self.leave_out(user.line, &error.to_string(), &mut count)?,
                }
            }
            Ok(())
        })?;
        Ok((count, warnings_about_file))
    }

    fn open_list(&self) -> Result<Box<dyn Read>, Error> {
        if self.list.as_os_str() == STANDARD {
            return Ok(Box::new(io::stdin().lock()));
        }
        let unreadable = |source| Error::file(&self.list, source);
        let file = File::open(&self.list).map_err(unreadable)?;
        self.bar.set_length(file.metadata().map_err(unreadable)?.len());
        Ok(Box::new(file))
    }

    fn hash_all(&self, count: &mut ImportCounts) -> Result<Vec<Hashed>, Error> {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let rows = Rows::new(self.open_list()?, self.has_no_header);
        let mut rows = rows.map_err(|error| self.bad_list(&error.to_string()))?;
        let mut users = Vec::new();
        while let Some(batch) = self.next_batch(&mut rows, cores * ROWS_PER_CORE, count)? {
            for (row, secret) in batch.iter().zip(self.hash_batch(&batch, cores)) {
                match secret {
                    Ok(secret) => users.push(Hashed { line: row.line, name: row.name.clone(), secret }),
                    Err(error @ FormatError::Password(_)) => {
                        self.leave_out(row.line, &error.to_string(), count)?;
                    }
                    Err(error) => return Err(refused(error, &self.list)),
                }
            }
            self.bar.set_position(rows.bytes_read());
            self.bar.set_message(counted(users.len(), "user"));
        }
        Ok(users)
    }

    /// The next valid rows, possibly none; `None` at the end of the list.
    fn next_batch(
        &self,
        rows: &mut Rows<impl Read>,
        size: usize,
        count: &mut ImportCounts,
    ) -> Result<Option<Vec<Row>>, Error> {
        let mut batch = Vec::with_capacity(size);
        let mut is_over = true;
        for row in rows.take(size) {
            is_over = false;
            match row {
                Ok(row) => self.check_name(row, &mut batch, count)?,
                Err(ImportError::Row { line, problem }) => self.leave_out(line, &problem, count)?,
                Err(error) => return Err(self.bad_list(&error.to_string())),
            }
        }
        Ok((!is_over).then_some(batch))
    }

    fn check_name(&self, row: Row, batch: &mut Vec<Row>, count: &mut ImportCounts) -> Result<(), Error> {
        match self.kind.format.check_name(&row.name) {
            Ok(()) => batch.push(row),
            Err(error) => self.leave_out(row.line, &error.to_string(), count)?,
        }
        Ok(())
    }

    /// The secret of each row, in row order.
    fn hash_batch(&self, batch: &[Row], cores: usize) -> Vec<Result<Secret, FormatError>> {
        let next = AtomicUsize::new(0);
        let hash = || {
            let rows = std::iter::from_fn(|| {
                let destination = next.fetch_add(1, Ordering::Relaxed);
                batch.get(destination).map(|row| (destination, row))
            });
            rows.map(|(destination, row)| {
                (destination, self.kind.format.secret(&row.password, &self.kind.settings))
            })
            .collect::<Vec<_>>()
        };
        let mut secrets: Vec<(usize, Result<Secret, FormatError>)> = thread::scope(|scope| {
            let threads: Vec<_> = (0..cores.min(batch.len())).map(|_| scope.spawn(hash)).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("hashing does not panic")).collect()
        });
        secrets.sort_unstable_by_key(|(destination, _)| *destination);
        secrets.into_iter().map(|(_, secret)| secret).collect()
    }

    /// Skips a bad row if the import keeps going, and aborts otherwise.
    fn leave_out(&self, line: u64, problem: &str, count: &mut ImportCounts) -> Result<(), Error> {
        let text = format!("line {line}: {problem}");
        if !self.keeps_going {
            return Err(self.bad_list(&format!("{text}; nothing was changed")));
        }
        count.left_out += 1;
        self.bar.suspend(|| self.messages.say(&format!("{}: {text}; row skipped", self.list.display())));
        Ok(())
    }

    fn bad_list(&self, problem: &str) -> Error {
        FileError::Content { path: self.list.clone(), problem: problem.to_owned() }.into()
    }
}
