//! Sources of user name and password: options, a file, the terminal, the environment.
//!
//! A password on the command line is visible in the process list; the other sources avoid this.

use super::Names;
use super::connection::ConnectionArgs;
use crate::cli::Error;
use crate::cli::UsageError;
use crate::escape;
use crate::input_file;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The maximum length of a password in MQTT, and of a line end.
const MAX_LINE: u64 = 65_535 + 2;

/// Denotes standard input instead of a file.
pub(super) const STDIN: &str = "-";

impl ConnectionArgs {
    /// Reads user name and password from the sources in the options, or else from the environment. `stdin_option` is
    /// the option that reads standard input for another purpose. Returns a warning, if any.
    ///
    /// # Errors
    /// If a file cannot be read, or two options read standard input.
    pub(crate) fn complete_credentials(
        &mut self,
        names: Names,
        stdin_option: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let reads_variables = names == Names::Mq && !self.ignores_variables;
        if reads_variables && self.username.is_none() {
            self.username = username_from_environment()?;
            self.is_username_offered = true;
        }
        let mut warning = None;
        if let Some(path) = &self.password_file {
            if let (true, Some(option)) = (path.as_os_str() == STDIN, stdin_option) {
                let problem = format!("--password-file - and {option} both read standard input");
                return Err(Error::usage(problem));
            }
            let password;
            (password, warning) = password_from_file(path)?;
            self.password = Some(password);
        } else if reads_variables && self.password.is_none() && !self.ask_password {
            self.password = std::env::var_os("MQ_PASSWORD").filter(|value| !value.is_empty());
            self.is_password_offered = true;
        }
        Ok(warning)
    }

    /// The prompt, if the password is to be typed on the terminal.
    pub(crate) fn password_question(&self) -> Option<String> {
        let user = self.username.as_ref().map(|name| format!(" for {}", escape::line(name)));
        self.ask_password.then(|| format!("Password{}: ", user.unwrap_or_default()))
    }
}

fn username_from_environment() -> Result<Option<String>, Error> {
    let value = std::env::var_os("MQ_USERNAME").filter(|value| !value.is_empty());
    let not_text = |_| Error::usage(UsageError::NotUtf8("MQ_USERNAME"));
    value.map(|value| value.into_string().map_err(not_text)).transpose()
}

/// The password in a file's first line, and a warning if other users can read the file. `-` is standard input.
///
/// # Errors
/// If it cannot be read, or its first line is not a password.
pub(crate) fn password_from_file(path: &Path) -> Result<(OsString, Option<String>), Error> {
    if path.as_os_str() == STDIN {
        return Ok((first_line(io::stdin().lock()).map_err(Error::Input)?, None));
    }
    Ok((read_file(path)?, warning_about(path)))
}

fn read_file(path: &Path) -> Result<OsString, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    first_line(BufReader::new(File::open(path).map_err(failed)?)).map_err(failed)
}

/// The next line of standard input without its end, which can be empty.
pub(crate) fn line_of_stdin() -> io::Result<OsString> {
    next_line(io::stdin().lock())
}

/// The first line without its end and without a byte order mark; it need not be UTF-8.
pub(crate) fn first_line(input: impl BufRead) -> io::Result<OsString> {
    let mut line = next_line(input)?.into_vec();
    input_file::remove_mark(&mut line);
    let line = OsString::from_vec(line);
    if line.is_empty() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "its first line is empty"));
    }
    Ok(line)
}

/// The next line without its end, which can be empty and need not be UTF-8.
pub(super) fn next_line(input: impl BufRead) -> io::Result<OsString> {
    // Allocated in full, as growing would leave a copy of the secret in memory.
    let mut line = Vec::with_capacity(MAX_LINE as usize + 1);
    input.take(MAX_LINE + 1).read_until(b'\n', &mut line)?;
    if line.len() as u64 > MAX_LINE {
        let text = "its first line is too long for a password";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    for end in [b'\n', b'\r'] {
        line.pop_if(|last| *last == end);
    }
    Ok(OsString::from_vec(line))
}

/// Whether other users of this machine can read the file.
pub(super) fn is_open_to_others(path: &Path) -> bool {
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file);
    metadata.is_some_and(|metadata| metadata.permissions().mode() & 0o044 != 0)
}

fn warning_about(path: &Path) -> Option<String> {
    let shown = path.display();
    is_open_to_others(path)
        .then(|| format!("other users can read the password in {shown}; `chmod 600 {shown}` prevents it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line_without_its_end() {
        for (text, password) in [
            (&b"secret"[..], &b"secret"[..]),
            (b"secret\n", b"secret"),
            (b"secret\r\n", b"secret"),
            (b" two words \nand more", b" two words "),
            (b"caf\xe9\n", b"caf\xe9"),
            (b"\xef\xbb\xbfsecret\r\n", b"secret"),
        ] {
            assert_eq!(first_line(text).unwrap().as_encoded_bytes(), password);
        }
        for text in [&b""[..], b"\n", b"\r\n", b"\nsecret\n", &[b'a'; 70_000]] {
            assert!(first_line(text).is_err());
        }
    }
}
