//! The files that `mq broker` is given: users, access rules, and the certificate.

use super::log::Log;
use super::reloaded::{Content, Occasion, Reloaded};
use super::users;
use crate::authentication::Failure;
use crate::authentication::scram::Stranger;
use crate::broker::{Access, Acl, AclError, ScramAccess, ScramUsers, Users};
use crate::cli::UsageError;
use crate::cli::broker::BrokerArgs;
use crate::commands::error::Error;
use crate::input_file;
use crate::transport::tls::Acceptor;
use crate::words::counted;
use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

impl Content for Acceptor {
    const SUBJECT: &'static str = "the certificate is";

    fn summary(&self) -> String {
        self.certificate().to_owned()
    }

    fn warnings(&self) -> Vec<String> {
        self.validity()
            .problem()
            .map(|problem| format!(": {problem}; clients reject it"))
            .into_iter()
            .collect()
    }
}

impl Content for Acl {
    const SUBJECT: &'static str = "the access rules are";

    fn summary(&self) -> String {
        counted(self.len(), "rule")
    }

    fn warnings(&self) -> Vec<String> {
        self.surprises().map(|(line, surprise)| format!(", line {line}: {surprise}")).collect()
    }
}

/// The files that are read again at SIGHUP.
pub(super) struct Files {
    pub(super) users: Option<Reloaded<Users>>,
    pub(super) scram_users: Option<Reloaded<ScramUsers>>,
    pub(super) acl: Option<Reloaded<Acl>>,
    pub(super) certificate: Option<Reloaded<Acceptor>>,
}

impl Files {
    /// Reads the files that the options name.
    ///
    /// # Errors
    /// The first file that is not usable.
    pub(super) fn open(args: &BrokerArgs) -> Result<Files, Error> {
        Ok(Files {
            users: args.password_file.as_deref().map(users::open).transpose()?,
            scram_users: args.scram_file.as_deref().map(users::open).transpose()?,
            acl: args.acl.as_deref().map(open_acl).transpose()?,
            certificate: open_certificate(args)?,
        })
    }

    /// Whether SIGHUP reads a file again.
    pub(super) fn is_any_read_again(&self) -> bool {
        self.users.is_some() || self.scram_users.is_some() || self.acl.is_some() || self.certificate.is_some()
    }

    /// The rules for admitting clients, if any.
    pub(super) fn access(&self, args: &BrokerArgs) -> Result<Option<Access>, Error> {
        if self.users.is_none() && self.scram_users.is_none() {
            return Ok(None);
        }
        let failed = |failure: Failure| Error::system("offer SCRAM", io::Error::other(failure.to_string()));
        let stranger = Arc::new(Stranger::new().map_err(failed)?);
        let scram = self.scram_users.as_ref().map(|file| ScramAccess { users: file.content(), stranger });
        Ok(Some(Access {
            users: self.users.as_ref().map(Reloaded::content),
            scram,
            allows_anonymous: args.allow_anonymous,
            allows_empty_passwords: args.allow_empty_passwords,
        }))
    }

    /// The problems of the files that were read at the start.
    pub(super) fn warnings(&self) -> Vec<String> {
        let of_users = self.users.as_ref().map(Reloaded::warnings);
        let of_scram_users = self.scram_users.as_ref().map(Reloaded::warnings);
        let of_acl = self.acl.as_ref().map(Reloaded::warnings);
        let of_certificate = self.certificate.as_ref().map(Reloaded::warnings);
        [of_users, of_scram_users, of_acl, of_certificate].into_iter().flatten().flatten().collect()
    }

    /// Reads the files again at each SIGHUP, forever, and reports when the certificate expires.
    pub(super) async fn keep_up_to_date(&mut self, log: &Log) {
        let Files { users, scram_users, acl, certificate } = self;
        let expiry = certificate.as_ref().map(|file| (file.content(), file.path().to_owned()));
        tokio::join!(
            report_expiry(expiry, log),
            keep_up_to_date(users.as_mut(), log),
            keep_up_to_date(scram_users.as_mut(), log),
            keep_up_to_date(acl.as_mut(), log),
            keep_up_to_date(certificate.as_mut(), log),
        );
    }
}

async fn keep_up_to_date<T: Content>(file: Option<&mut Reloaded<T>>, log: &Log) {
    match file {
        Some(file) => file.keep_up_to_date(log).await,
        None => pending().await,
    }
}

/// The longest time between two looks at the clock of the system, which can be set and does not stop while the machine sleeps.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Reports once when the current certificate of a file expires. One that had expired when it was read was reported then.
async fn report_expiry(certificate: Option<(watch::Receiver<Arc<Acceptor>>, PathBuf)>, log: &Log) {
    let Some((mut certificate, path)) = certificate else { return pending().await };
    loop {
        let validity = certificate.borrow_and_update().validity().clone();
        let expiry = async {
            while let Some(left) = validity.remaining() {
                tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
            }
        };
        let has_expired = validity.remaining().is_none();
        tokio::select! {
            () = expiry, if !has_expired => {
                let problem = validity.problem().unwrap_or_default();
                log.say(&format!("warning: {}: {problem}; clients reject it", path.display()));
            }
            changed = certificate.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return pending().await,
            },
        }
        if certificate.changed().await.is_err() {
            return pending().await;
        }
    }
}

fn open_acl(path: &Path) -> Result<Reloaded<Acl>, Error> {
    let file = path.to_owned();
    Reloaded::open(path, move |_| {
        let text = input_file::read_utf8(&file, input_file::LIMIT);
        let text =
            text.map_err(|error| Error::unusable("--acl", &file, format!("cannot be read: {error}")))?;
        Acl::parse(&text).map_err(|AclError { line, column, problem }| {
            Error::usage(UsageError::Line { path: file.clone(), line, column: Some(column), problem })
        })
    })
}

fn open_certificate(args: &BrokerArgs) -> Result<Option<Reloaded<Acceptor>>, Error> {
    let Some(path) = &args.tls.cert else { return Ok(None) };
    let options = args.tls.clone();
    let read = move |occasion| options.acceptor(occasion == Occasion::Start).map_err(Error::from);
    Reloaded::open(path, read).map(Some)
}
