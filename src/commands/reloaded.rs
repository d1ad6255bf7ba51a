//! The files of `mq broker`: read at the start, and again at every SIGHUP.

use super::log::Log;
use crate::commands::error::Error;
use crate::signals;
use rustix::process::Signal as Number;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

/// The content of files, in the broker's form.
pub(super) trait Content: Sized + Send + Sync + 'static {
    /// The content in the plural or singular, with its verb: `the users are`.
    const SUBJECT: &'static str;

    /// Its extent or name: `3 users`.
    fn summary(&self) -> String;

    /// Warnings about rules that are valid and most likely not meant. Each text follows the path of the file.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The time of reading files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    Start,
    /// At a signal, when the user cannot be asked.
    Signal,
}

type Read<T> = Arc<dyn Fn(Occasion) -> Result<T, Error> + Send + Sync>;

/// Files and their current content.
pub(super) struct Reloaded<T> {
    path: PathBuf,
    read: Read<T>,
    content: watch::Sender<Arc<T>>,
    hangup: Signal,
}

impl<T: Content> Reloaded<T> {
    /// Reads the files; `path` is the one that messages name. From here on, SIGHUP no longer ends the program.
    ///
    /// # Errors
    /// If a file cannot be read, or is invalid.
    pub(super) fn open(
        path: &Path,
        read: impl Fn(Occasion) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<Reloaded<T>, Error> {
        let failed = |source| Error::system("catch SIGHUP", source);
        let hangup = signals::catch(Number::HUP).map_err(failed)?;
        let content = watch::Sender::new(Arc::new(read(Occasion::Start)?));
        Ok(Reloaded { path: path.to_owned(), read: Arc::new(read), content, hangup })
    }

    /// The file that messages name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The warnings about the current content, with the file.
    pub(super) fn warnings(&self) -> Vec<String> {
        warnings(&self.path, &**self.content.borrow())
    }

    /// The current content.
    pub(super) fn content(&self) -> watch::Receiver<Arc<T>> {
        self.content.subscribe()
    }

    /// Reads the files again at each SIGHUP, forever. An invalid file changes nothing.
    pub(super) async fn keep_up_to_date(&mut self, log: &Log) {
        while self.hangup.recv().await.is_some() {
            let read = Arc::clone(&self.read);
            // Decrypting a key can take a second.
            let Ok(result) = spawn_blocking(move || read(Occasion::Signal)).await else { continue };
            match result {
                Ok(content) => {
                    log.say(&format!("read {} again: {}", self.path.display(), content.summary()));
                    warnings(&self.path, &content).iter().for_each(|warning| log.say(warning));
                    self.content.send_replace(Arc::new(content));
                }
                Err(error) => {
                    let kept = self.content.borrow().summary();
                    log.say(&error.to_string());
                    log.say(&format!("{} unchanged: {kept}", T::SUBJECT));
                }
            }
        }
    }
}

fn warnings<T: Content>(path: &Path, content: &T) -> Vec<String> {
    let path = path.display();
    content.warnings().into_iter().map(|warning| format!("warning: {path}{warning}")).collect()
}
