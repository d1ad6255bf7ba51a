//! NanoMQ's password file: lines of `"user": "password"`, in plain text.

use super::lines::UserLines;
use super::{Change, Document, FormatError, PasswordCheck, Secret, User, digest};
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
pub(super) struct NanoMq(UserLines);

impl NanoMq {
    pub(super) fn open(text: Option<&str>) -> Result<NanoMq, FormatError> {
        let lines = UserLines::parse(text.unwrap_or_default(), |_, line| match split(line) {
            _ if is_blank_or_comment(line) => Ok(None),
            Some((name, _)) => Ok(Some(name)),
            None => Err("malformed line; the form is \"user\": \"password\"".to_owned()),
        })?;
        Ok(NanoMq(lines))
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
        let names = self.0.all().filter(|line| !is_blank_or_comment(line)).filter_map(split);
        let describe = |(name, _): (&str, &str)| User {
            name: name.to_owned(),
            scheme: "plain text".to_owned(),
            is_weak: true,
        };
        names.map(describe).collect()
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<Change, FormatError> {
        let line = Zeroizing::new(format!("\"{name}\": \"{}\"", *secret.hash));
        Ok(self.0.set(name, &line))
    }

    fn remove(&mut self, name: &str) -> bool {
        self.0.remove(name)
    }

    fn verify(&self, name: &str, password: &Password) -> PasswordCheck {
        let known = self.0.find(name).and_then(split);
        known.map_or(PasswordCheck::UnknownUser, |(_, known)| {
            digest::verdict(digest::are_equal(known.as_bytes(), password.as_bytes()))
        })
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.0.to_bytes()
    }
}
