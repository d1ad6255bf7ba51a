//! NanoMQ's password file: lines of `"user": "password"`, in plain text.

use super::lines::Lines;
use super::{Change, Document, FormatError, Index, PasswordCheck, Secret, User, digest};
use crate::passwd::Password;
use zeroize::Zeroizing;

/// Characters that cannot be quoted: NanoMQ does not document how it reads a backslash.
fn is_refused(character: char) -> bool {
    character.is_control() || matches!(character, '"' | '\\')
}

pub(super) fn problem_of(name: &str) -> Option<String> {
    name.contains(is_refused)
        .then(|| "has a quote or a backslash, which NanoMQ's file cannot represent".to_owned())
}

pub(super) fn secret(password: &Password) -> Result<Secret, FormatError> {
    let text = std::str::from_utf8(password.as_bytes());
    let text =
        text.map_err(|_| FormatError::Password("is not UTF-8, which NanoMQ's file cannot represent"))?;
    if text.contains(is_refused) {
        let problem = "has a quote, a backslash or a control character, which NanoMQ's file cannot represent";
        return Err(FormatError::Password(problem));
    }
    Ok(Secret::whole(text.to_owned()))
}

#[derive(Debug)]
pub(super) struct NanoMq {
    lines: Lines,
    index: Index,
}

impl NanoMq {
    pub(super) fn open(text: Option<&str>) -> Result<NanoMq, FormatError> {
        let lines = Lines::parse(text.unwrap_or_default());
        let mut index = Index::default();
        for (place, line) in lines.all().filter(|(_, line)| !is_blank_or_comment(line)) {
            let failed = |problem: &str| FormatError::Line { number: place + 1, problem: problem.to_owned() };
            let (name, _) =
                split(line).ok_or_else(|| failed("malformed line; the form is \"user\": \"password\""))?;
            if !index.note(name, place) {
                return Err(failed(&format!("duplicate user {name:?}")));
            }
        }
        Ok(NanoMq { lines, index })
    }

    fn password(&self, name: &str) -> Option<&str> {
        let line = self.lines.find(self.index.find(name)?)?;
        split(line).map(|(_, password)| password)
    }
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#') || line.starts_with("//")
}

/// The quoted name and password of a line.
fn split(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.trim().strip_prefix('"')?.split_once('"')?;
    let password = rest.trim_start().strip_prefix([':', '='])?.trim_start();
    let password = password.trim_end_matches(',').trim_end().strip_prefix('"')?.strip_suffix('"')?;
    (!name.contains('\\') && !password.contains(['"', '\\'])).then_some((name, password))
}

impl Document for NanoMq {
    fn users(&self) -> Vec<User> {
        let names = self
            .lines
            .all()
            .filter(|(_, line)| !is_blank_or_comment(line))
            .filter_map(|(_, line)| split(line));
        let describe = |(name, _): (&str, &str)| User {
            name: name.to_owned(),
            scheme: "plain text".to_owned(),
            is_weak: true,
        };
        names.map(describe).collect()
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<Change, FormatError> {
        let found = self.index.find(name);
        let line = Zeroizing::new(format!("\"{name}\": \"{}\"", *secret.hash));
        let place = self.lines.put(found, &line);
        self.index.note(name, place);
        Ok(if found.is_some() { Change::Updated } else { Change::Added })
    }

    fn remove(&mut self, name: &str) -> bool {
        let removed = self.index.remove(name).map(|place| self.lines.remove(place));
        removed.is_some()
    }

    fn verify(&self, name: &str, password: &Password) -> PasswordCheck {
        let known = self.password(name);
        known.map_or(PasswordCheck::UnknownUser, |known| {
            digest::verdict(digest::are_equal(known.as_bytes(), password.as_bytes()))
        })
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.lines.to_bytes()
    }
}
