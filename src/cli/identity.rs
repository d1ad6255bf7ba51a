//! A certificate and its key from files. The password of an encrypted key comes from a file, a variable, or the terminal.

use super::{Names, prompt, values};
use crate::cli::Error;
use crate::escape;
use crate::input_file;
use crate::transport::tls::{Identity, Key, KeyError, KeyPassword, OwnCertificate, RootsError};
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Variable with the password of an encrypted key, for scripts.
const PASSWORD_VARIABLE: &str = "MQ_KEY_PASSWORD";

/// The files of a certificate, with the options that name them.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdentityFiles<'a> {
    pub(super) names: Names,
    pub(super) certificate: (&'static str, &'a Path),
    pub(super) key: (&'static str, &'a Path),
    /// The file of `--key-password-file`.
    pub(super) password_file: Option<&'a Path>,
    /// Whether the user can be asked for the password now.
    pub(super) may_ask: bool,
    pub(super) typed: &'a TypedPasswords,
}

/// The passwords of keys that the user has typed: a command reads a key several times, but asks only once.
#[derive(Debug, Clone, Default)]
pub(crate) struct TypedPasswords(Arc<Mutex<Vec<TypedPassword>>>);

/// The file of a key, and its password.
type TypedPassword = (PathBuf, Arc<KeyPassword>);

impl TypedPasswords {
    fn of(&self, key: &Path) -> Option<Arc<KeyPassword>> {
        let passwords = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        passwords.iter().find(|(path, _)| path == key).map(|(_, password)| password.clone())
    }

    fn add(&self, key: &Path, password: &Arc<KeyPassword>) {
        let mut passwords = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        passwords.push((key.to_owned(), password.clone()));
    }
}

/// Whether the key is encrypted, and its password has to be typed on the terminal.
pub(super) fn needs_prompt(key: &Path, password_file: Option<&Path>) -> bool {
    password_file.is_none()
        && io::stderr().is_terminal()
        // A pipe can be read only once.
        && key.is_file()
        && matches!(Key::read(key), Ok(Key::Encrypted(_)))
}

impl IdentityFiles<'_> {
    /// Reads the files.
    ///
    /// # Errors
    /// The file that cannot be used.
    pub(super) fn read(&self) -> Result<Identity, Error> {
        let (certificate_option, certificate_file) = self.certificate;
        let (key_option, key_file) = self.key;
        let certificate = OwnCertificate::read(certificate_file)
            .map_err(|error| unusable(certificate_option, certificate_file, &error))?;
        let bad_key = |error: KeyError| unusable(key_option, key_file, &error);
        let key = match Key::read(key_file).map_err(bad_key)? {
            Key::Plain(key) => key,
            Key::Encrypted(key) => key.decrypt(&*self.password()?).map_err(bad_key)?,
        };
        let subject = certificate.subject();
        certificate.with_key(&key).map_err(bad_key)?.ok_or_else(|| {
            let file = certificate_file.display();
            let problem =
                format!("the key does not match the certificate {subject} in {file} ({certificate_option})");
            unusable(key_option, key_file, &problem)
        })
    }

    fn password(&self) -> Result<Arc<KeyPassword>, Error> {
        let (key_option, key_file) = self.key;
        if let Some(path) = self.password_file {
            let read = input_file::read_text(path, input_file::LIMIT).map_err(RootsError::from);
            let mut password = read.map_err(|error| unusable("--key-password-file", path, &error))?;
            for line_end in [b'\n', b'\r'] {
                password.pop_if(|last| *last == line_end);
            }
            return Ok(Arc::new(KeyPassword::new(std::mem::take(&mut *password))));
        }
        if let (Names::Mq, Some(password)) = (self.names, std::env::var_os(PASSWORD_VARIABLE)) {
            return Ok(Arc::new(KeyPassword::new(values::bytes(&password))));
        }
        if let Some(password) = self.typed.of(key_file) {
            return Ok(password);
        }
        if self.may_ask && io::stderr().is_terminal() {
            let question = format!("password of {}: ", escape::line(&key_file.to_string_lossy()));
            let password = Arc::new(KeyPassword::new(prompt::ask(&question)?.into_vec()));
            self.typed.add(key_file, &password);
            return Ok(password);
        }
        let variable = match self.names {
            Names::Mq => format!(" or the variable {PASSWORD_VARIABLE}"),
            Names::Mosquitto => String::new(),
        };
        let problem = format!(
            "the key is encrypted, and there is no terminal to ask for its password; set \
             --key-password-file FILE{variable}"
        );
        Err(unusable(key_option, key_file, &problem))
    }
}

pub(super) fn unusable(option: &'static str, path: &Path, problem: &impl ToString) -> Error {
    Error::Unusable { option, path: path.to_owned(), problem: problem.to_string() }
}
