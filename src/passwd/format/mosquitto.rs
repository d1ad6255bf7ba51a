//! mosquitto's password file as a [`Document`], for the import of user lists.

use super::{Change, Document, FormatError, PasswordCheck, Secret, User, digest};
use crate::passwd::{Hash, Password, PasswordFile, Scheme, UserName, file};
use zeroize::Zeroizing;

#[derive(Debug)]
pub(super) struct Mosquitto(PasswordFile);

impl Mosquitto {
    pub(super) fn open(content: Option<&[u8]>) -> Result<Mosquitto, FormatError> {
        let file = PasswordFile::parse(content.unwrap_or_default().to_vec());
        file.map(Mosquitto).map_err(|error| FormatError::Document(error.to_string()))
    }

    fn hash(entry: &file::PasswordLine<'_>) -> Result<Hash, String> {
        Hash::parse(entry.hash).map_err(|error| error.to_string())
    }
}

pub(super) fn problem_of(name: &str) -> Option<String> {
    match UserName::parse(name.as_bytes()) {
        Ok(user) => user.why_not_loaded().map(|reason| format!("{reason}; no broker would accept this user")),
        Err(_) => Some("has a colon, which would split the line".to_owned()),
    }
}

pub(super) fn secret(password: &Password, scheme: Scheme) -> Result<Secret, FormatError> {
    Ok(Secret::whole(scheme.hash(password)?.to_string()))
}

impl Document for Mosquitto {
    fn users(&self) -> Vec<User> {
        let describe = |entry: file::PasswordLine<'_>| {
            digest::describe(&String::from_utf8_lossy(entry.user), Mosquitto::hash(&entry))
        };
        self.0.entries().map(describe).collect()
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<Change, FormatError> {
        let user = UserName::parse(name.as_bytes())
            .map_err(|error| FormatError::Name { name: name.to_owned(), problem: error.to_string() })?;
        Ok(match self.0.set(&user, &secret.hash) {
            file::Change::Added => Change::Added,
            file::Change::Updated { .. } => Change::Updated,
        })
    }

    fn remove(&mut self, name: &str) -> bool {
        UserName::parse(name.as_bytes()).is_ok_and(|user| self.0.remove(&user) > 0)
    }

    fn verify(&self, name: &str, password: &Password) -> PasswordCheck {
        let entry = self.0.find(name.as_bytes());
        entry.map_or(PasswordCheck::UnknownUser, |entry| digest::verify(Mosquitto::hash(&entry), password))
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_bytes())
    }
}
