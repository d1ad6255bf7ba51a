//! The options about enhanced authentication: the method, the source of its data, and the interval of reauthentication.

use super::connection::ConnectionArgs;
use super::secrets::{STDIN, is_open_to_others};
use super::values;
use crate::authentication::{TokenSource, read_token, scram};
use crate::cli::Error;
use crate::cli::UsageError;
use crate::client::{Authentication, Method};
use crate::hosted::token_expiry;
use crate::protocol::{PropertiesBuf, PropertyId, Version};
use clap::{Args, ValueHint};
use jiff::Timestamp;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Prefix of the SCRAM methods.
const SCRAM: &str = "SCRAM-";

/// The options about authentication.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Authentication")]
pub(crate) struct AuthenticationArgs {
    /// Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and
    /// the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other
    /// name is sent with --auth-data-file
    #[arg(long, value_name = "NAME", value_parser = values::authentication_method)]
    pub auth_method: Option<String>,
    /// File with the method's authentication data; - is standard input. Sent whole, except for the line end after a
    /// single line of text
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub auth_data_file: Option<PathBuf>,
    /// Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM
    /// exchange
    #[arg(long, value_name = "DURATION", value_parser = values::positive_duration)]
    pub reauthenticate: Option<Duration>,
    /// When the data file is read.
    #[arg(skip)]
    pub(super) reading: Reading,
    /// Content of the data file, once read.
    #[arg(skip)]
    source: Option<TokenSource>,
    /// Its length in bytes.
    #[arg(skip)]
    length: usize,
    /// The expiry of the data as a text, if it has expired.
    #[arg(skip)]
    expired: Option<String>,
}

/// When a data file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Reading {
    /// For each authentication, since the file may have been renewed.
    #[default]
    EachTime,
    /// Once at the start, for all clients.
    Once,
    /// Never: the leader process has read it, and the file may no longer exist.
    Never,
}

impl AuthenticationArgs {
    /// Whether a method was chosen, which requires MQTT 5.
    pub(super) fn is_wanted(&self) -> bool {
        self.auth_method.is_some()
    }

    /// Reads the data file. `stdin_option` is the option that reads standard input for another purpose. Returns a
    /// warning, if any.
    ///
    /// # Errors
    /// If the file cannot be read, or two options read standard input.
    pub(crate) fn read_data(
        &mut self,
        connection: &ConnectionArgs,
        stdin_option: Option<&str>,
    ) -> Result<Option<String>, Error> {
        self.check_has_method()?;
        let Some(path) = self.auth_data_file.clone().filter(|_| self.reading != Reading::Never) else {
            return Ok(None);
        };
        if path.as_os_str() == STDIN {
            self.check_stdin(connection, stdin_option)?;
            let data = read_token(io::stdin().lock()).map_err(Error::Input)?;
            self.take(&data);
            self.source = Some(TokenSource::Bytes(data));
            return Ok(None);
        }
        let failed = |source| Error::File { path: path.clone(), source };
        let data = File::open(&path).and_then(read_token).map_err(failed)?;
        self.take(&data);
        let is_file = path.is_file();
        if self.reauthenticate.is_some() && !is_file {
            return Err(cannot_be_read_again(&path));
        }
        let is_open_to_others = is_open_to_others(&path);
        let is_read_again = is_file && self.reading == Reading::EachTime;
        self.source =
            Some(if is_read_again { TokenSource::File(path.clone()) } else { TokenSource::Bytes(data) });
        Ok(is_open_to_others.then(|| {
            let shown = path.display();
            format!(
                "other users can read the authentication data in {shown}; `chmod 600 {shown}` prevents it"
            )
        }))
    }

    /// Records the length of the data and whether it has expired.
    fn take(&mut self, data: &[u8]) {
        self.length = data.len();
        self.expired = expired(data);
    }

    /// Length of the authentication data in bytes.
    pub(super) fn data_length(&self) -> usize {
        self.length
    }

    /// The data's file and expiry, if it has expired.
    pub(super) fn expired(&self) -> Option<(&Path, &str)> {
        self.auth_data_file.as_deref().zip(self.expired.as_deref())
    }

    /// A warning about a weak method.
    pub(crate) fn warning(&self) -> Option<String> {
        let algorithm = scram::Algorithm::of_client(self.auth_method.as_deref()?)?;
        algorithm.is_weak().then(|| {
            format!(
                "{} is weak; prefer SCRAM-SHA-256 or SCRAM-SHA-512 if the broker supports them",
                algorithm.method()
            )
        })
    }

    fn check_has_method(&self) -> Result<(), Error> {
        let options = [
            ("--auth-data-file", self.auth_data_file.is_some()),
            ("--reauthenticate", self.reauthenticate.is_some()),
        ];
        match options.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) if self.auth_method.is_none() => {
                Err(Error::usage(UsageError::Needs { option: option.into(), needed: "--auth-method NAME" }))
            }
            _ => Ok(()),
        }
    }

    fn check_stdin(&self, connection: &ConnectionArgs, stdin_option: Option<&str>) -> Result<(), Error> {
        let password = connection.password_file.as_ref().filter(|path| path.as_os_str() == STDIN);
        if let Some(option) = password.map(|_| "--password-file -").or(stdin_option) {
            let problem = format!("--auth-data-file - and {option} both read standard input");
            return Err(Error::usage(problem));
        }
        match self.reauthenticate {
            Some(_) => Err(cannot_be_read_again(Path::new(STDIN))),
            None => Ok(()),
        }
    }

    /// The authentication that the client performs, if a method was chosen.
    ///
    /// # Errors
    /// If an option is missing, or conflicts with another one.
    pub(super) fn authentication(
        &self,
        version: Version,
        properties: &PropertiesBuf,
        connection: &ConnectionArgs,
        credentials: (Option<&str>, Option<&[u8]>),
    ) -> Result<Option<Authentication>, Error> {
        let Some(method) = self.method(version, properties)? else { return Ok(None) };
        if let Method::Scram(algorithm) = method {
            check_credentials(algorithm, connection.ask_password, credentials)?;
        }
        let memory = scram::Memory::with_room_for(1);
        Ok(Some(Authentication { method, interval: self.reauthenticate, memory }))
    }

    /// The chosen method, without credentials.
    ///
    /// # Errors
    /// If it conflicts with other options.
    pub(super) fn method(
        &self,
        version: Version,
        properties: &PropertiesBuf,
    ) -> Result<Option<Method>, Error> {
        let Some(name) = &self.auth_method else { return Ok(None) };
        if !version.is_v5() {
            return Err(Error::usage(UsageError::NeedsV5 { option: "--auth-method".into(), version }));
        }
        for id in [PropertyId::AuthenticationMethod, PropertyId::AuthenticationData] {
            if properties.as_properties().find(id).is_some() {
                let problem =
                    format!("--auth-method and -D connect {id} set the same property; leave -D out");
                return Err(Error::usage(problem));
            }
        }
        match scram::Algorithm::of_client(name) {
            Some(_) if self.auth_data_file.is_some() => Err(Error::usage(format!(
                "--auth-data-file cannot be used with {name}, which computes its data from the password"
            ))),
            Some(algorithm) => Ok(Some(Method::Scram(algorithm))),
            None => self.token(name).map(Some),
        }
    }

    fn token(&self, name: &str) -> Result<Method, Error> {
        let is_scram = name.get(..SCRAM.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCRAM));
        if is_scram {
            return Err(Error::usage(format!(
                "--auth-method {name}: unknown; expected SCRAM-SHA-256, SCRAM-SHA-512 or the weak SCRAM-SHA-1"
            )));
        }
        let source = self.source.clone().unwrap_or(TokenSource::None);
        Ok(Method::Token { method: name.to_owned(), source })
    }
}

fn check_credentials(
    algorithm: scram::Algorithm,
    is_asked: bool,
    credentials: (Option<&str>, Option<&[u8]>),
) -> Result<(), Error> {
    let (Some(username), Some(password)) = credentials else {
        return Err(Error::usage(format!(
            "--auth-method {} needs a user name and a password; set -u NAME and --ask-password",
            algorithm.method()
        )));
    };
    // A password that will be typed later cannot be checked yet.
    let password = if is_asked { b"typed" } else { password };
    scram::Client::new(algorithm, username, password)
        .map_err(|failure| Error::usage(UsageError::Value(failure.into())))?;
    Ok(())
}

fn cannot_be_read_again(path: &Path) -> Error {
    let shown = path.display();
    Error::usage(format!("--reauthenticate reads --auth-data-file again, but {shown} is not a regular file"))
}

/// The expiry of an expired token, as a text that follows "the token"; `None` if it is valid or has no expiry.
pub(super) fn expired(token: &[u8]) -> Option<String> {
    let expiry = token_expiry(token)?;
    let since = SystemTime::now().duration_since(expiry).ok()?;
    let at = Timestamp::try_from(expiry).ok()?.round(jiff::Unit::Second).ok()?;
    Some(format!("expired at {at}, {} ago", rough(since)))
}

/// A duration in its largest unit.
fn rough(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_roughly() {
        for (seconds, text) in
            [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 days")]
        {
            assert_eq!(rough(Duration::from_secs(seconds)), text);
        }
    }
}
