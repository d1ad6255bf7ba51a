//! VerneMQ's password file: lines of mosquitto 1.x only. A comment or a hash of another kind crashes VerneMQ's reload, so such
//! a file is rejected here.

use super::lines::Lines;
use super::{Change, Document, FormatError, Index, PasswordCheck, Secret, User, digest};
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
pub(super) struct VerneMq {
    lines: Lines,
    index: Index,
}

impl VerneMq {
    pub(super) fn open(text: Option<&str>) -> Result<VerneMq, FormatError> {
        let text = text.unwrap_or_default();
        let mut index = Index::default();
        let lines = Lines::parse(text);
        // Carriage returns are kept for the check, since VerneMQ takes them as part of the hash.
        for (place, line) in text.split_terminator('\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            let checked = check(line).and_then(|name| match index.note(name, place) {
                true => Ok(()),
                false => Err(format!("duplicate user {name:?}")),
            });
            checked.map_err(|problem| FormatError::Line { number: place + 1, problem })?;
        }
        Ok(VerneMq { lines, index })
    }

    fn hash(&self, place: usize) -> Result<Hash, String> {
        let (_, hash) =
            self.lines.find(place).and_then(|line| line.split_once(':')).ok_or("it has no hash")?;
        Hash::parse(hash.as_bytes()).map_err(|error| error.to_string())
    }
}

/// The name in a line that VerneMQ accepts.
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
        let named = self.lines.all().filter_map(|(place, line)| Some((place, line.split_once(':')?.0)));
        named.map(|(place, name)| digest::describe(name, self.hash(place))).collect()
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<Change, FormatError> {
        let found = self.index.find(name);
        let line = Zeroizing::new(format!("{name}:{}", *secret.hash));
        let place = self.lines.put(found, &line);
        self.index.note(name, place);
        Ok(if found.is_some() { Change::Updated } else { Change::Added })
    }

    fn remove(&mut self, name: &str) -> bool {
        let removed = self.index.remove(name).map(|place| self.lines.remove(place));
        removed.is_some()
    }

    fn verify(&self, name: &str, password: &Password) -> PasswordCheck {
        let place = self.index.find(name);
        place.map_or(PasswordCheck::UnknownUser, |place| digest::verify(self.hash(place), password))
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.lines.to_bytes()
    }
}
