//! VerneMQ's password file: lines of mosquitto 1.x only. A comment or a hash of another kind crashes VerneMQ's reload, so such
//! a file is rejected here.

use super::lines::UserLines;
use super::{Change, Document, FormatError, PasswordCheck, Secret, User, digest};
use crate::passwd::{Hash, Password, Scheme};
use zeroize::Zeroizing;

/// The scheme of vmq-passwd. VerneMQ itself accepts any salt length.
const SCHEME: Scheme = Scheme::Sha512 { salt_len: 12 };

pub(super) fn problem_of(name: &str) -> Option<String> {
    name.contains(':').then(|| "has a colon, which would split the line".to_owned())
}

pub(super) fn secret(password: &Password) -> Result<Secret, FormatError> {
    Ok(Secret::whole(SCHEME.hash(password)?.to_string()))
}

#[derive(Debug)]
pub(super) struct VerneMq(UserLines);

impl VerneMq {
    pub(super) fn open(text: Option<&str>) -> Result<VerneMq, FormatError> {
        let lines = UserLines::parse(text.unwrap_or_default(), |_, line| match line {
            "" => Ok(None),
            _ => check(line).map(Some),
        })?;
        Ok(VerneMq(lines))
    }
}

fn hash(line: &str) -> Result<Hash, String> {
    let (_, hash) = line.split_once(':').ok_or("it has no hash")?;
    Hash::parse(hash.as_bytes()).map_err(|error| error.to_string())
}

/// The name in a line that VerneMQ accepts. VerneMQ takes a carriage return as part of the hash.
fn check(line: &str) -> Result<&str, String> {
    let crashes = "VerneMQ crashes on lines other than USER:$6$SALT$HASH and empty ones";
    if line.ends_with('\r') {
        return Err("it ends with a carriage return, which VerneMQ takes as part of the hash".to_owned());
    }
    let (name, hash) = line.split_once(':').ok_or(crashes)?;
    let hash = Hash::parse(hash.as_bytes()).map_err(|error| format!("{error}; {crashes}"))?;
    match hash.scheme() {
        Scheme::Sha512 { .. } => Ok(name),
        Scheme::Pbkdf2Sha512 { .. } | Scheme::Argon2id { .. } => Err(crashes.to_owned()),
    }
}

impl Document for VerneMq {
    fn users(&self) -> Vec<User> {
        let named = self.0.all().filter_map(|line| Some((line, line.split_once(':')?.0)));
        named.map(|(line, name)| digest::describe(name, hash(line))).collect()
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<Change, FormatError> {
        let line = Zeroizing::new(format!("{name}:{}", *secret.hash));
        Ok(self.0.set(name, &line))
    }

    fn remove(&mut self, name: &str) -> bool {
        self.0.remove(name)
    }

    fn verify(&self, name: &str, password: &Password) -> PasswordCheck {
        let line = self.0.find(name);
        line.map_or(PasswordCheck::UnknownUser, |line| digest::verify(hash(line), password))
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.0.to_bytes()
    }
}
