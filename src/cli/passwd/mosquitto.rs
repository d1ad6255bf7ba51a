//! Parses the command line as mosquitto_passwd does: options come first, each a word of one letter. All following words are
//! operands, even `--help` or `list`.

use super::PasswdArgs;
use super::scheme::Algorithm;
use crate::cli::{Failure, numbers};
use crate::cli::{FailureKind, Names};
use clap::ValueEnum;
use std::ffi::OsString;
use std::num::NonZeroU32;

const USAGE: &str = "\
mosquitto_passwd is a tool for managing password files for mosquitto. This is mq's implementation.

Usage: mosquitto_passwd [-H hash] [-I iterations] [-c | -D] passwordfile username
       mosquitto_passwd [-H hash] [-I iterations] [-c] -b passwordfile username password
       mosquitto_passwd [-H hash] [-I iterations] -U passwordfile
 -b : take the password from the command line (visible in the process list)
 -c : create a new password file, which must not exist yet; - prints the line instead
 -D : delete the user
 -H : argon2id, sha512-pbkdf2 or sha512 (default sha512-pbkdf2)
 -I : iterations of sha512-pbkdf2 (default 1000)
 -U : hash a password file with plain-text passwords

See `mq passwd --help` for more.
";

/// Parses the words after the program name.
///
/// # Errors
/// The first problem, in mosquitto_passwd's order of checks; or the usage, if mosquitto_passwd prints its own.
pub(in crate::cli) fn parse(words: &[OsString]) -> Result<PasswdArgs, Failure> {
    let mut args = PasswdArgs::empty();
    let mut rest = words;
    while let Some((option, following)) = rest.split_first() {
        rest = match option.to_str() {
            Some("-b") => flag(&mut args.batch, following),
            Some("-c") => flag(&mut args.create, following),
            Some("-D") => flag(&mut args.delete, following),
            Some("-U") => flag(&mut args.hash_plain, following),
            Some("-H") => {
                let (value, following) = value("-H", following)?;
                args.scheme.hash = Some(algorithm(value)?);
                following
            }
            Some("-I") => {
                let (value, following) = value("-I", following)?;
                args.scheme.iterations = Some(iterations(value)?);
                following
            }
            _ => break,
        };
    }
    check(&args)?;
    take_operands(&mut args, rest)?;
    Ok(args)
}

fn flag<'a>(flag: &mut bool, following: &'a [OsString]) -> &'a [OsString] {
    *flag = true;
    following
}

fn value<'a>(option: &str, following: &'a [OsString]) -> Result<(&'a OsString, &'a [OsString]), Failure> {
    following.split_first().ok_or_else(|| refused(&format!("missing value for {option}")))
}

fn algorithm(value: &OsString) -> Result<Algorithm, Failure> {
    let known = value.to_str().and_then(|text| Algorithm::from_str(text, false).ok());
    let known = known.filter(|hash| hash.is_mosquittos());
    known.ok_or_else(|| {
        let shown = value.as_encoded_bytes().escape_ascii();
        refused(&format!(
            "unknown hash algorithm '{shown}' for -H: expected argon2id, sha512-pbkdf2 or sha512"
        ))
    })
}

fn iterations(value: &OsString) -> Result<NonZeroU32, Failure> {
    let number = u32::try_from(numbers::integer(value.as_encoded_bytes())).ok();
    number.and_then(NonZeroU32::new).ok_or_else(|| {
        let shown = value.as_encoded_bytes().escape_ascii();
        refused(&format!("invalid number of iterations '{shown}' for -I: expected at least 1"))
    })
}

fn check(args: &PasswdArgs) -> Result<(), Failure> {
    for (one, other, names) in [
        (args.create, args.delete, "-c and -D"),
        (args.create, args.hash_plain, "-c and -U"),
        (args.delete, args.hash_plain, "-D and -U"),
        (args.batch, args.delete, "-b and -D"),
    ] {
        if one && other {
            return Err(refused(&format!("{names} cannot be combined")));
        }
    }
    Ok(())
}

/// Takes the operands. Surplus words are ignored only if an option determines the action.
fn take_operands(args: &mut PasswdArgs, words: &[OsString]) -> Result<(), Failure> {
    let wanted: &[&str] = match (args.hash_plain, args.batch) {
        (true, _) => &["passwordfile"],
        (false, true) => &["passwordfile", "username", "password"],
        (false, false) => &["passwordfile", "username"],
    };
    let is_told = args.create || args.delete || args.hash_plain;
    if let Some(missing) = wanted.get(words.len()).filter(|_| is_told) {
        return Err(refused(&format!("missing {missing}: expected {}", wanted.join(" "))));
    }
    if !is_told && words.len() != wanted.len() {
        return Err(Failure {
            text: USAGE.to_owned(),
            kind: FailureKind::Requested,
            names: Names::Mosquitto,
        });
    }
    let mut words = words.iter().take(wanted.len()).cloned();
    args.file = words.next().map(Into::into);
    args.user = words.next();
    args.password = words.next();
    Ok(())
}

fn refused(problem: &str) -> Failure {
    let problem = crate::escape::lines(problem);
    let text = format!(
        "mosquitto_passwd: {problem}\nhint: run `mosquitto_passwd` without arguments for its usage\n"
    );
    Failure { text, kind: FailureKind::Usage, names: Names::Mosquitto }
}

impl PasswdArgs {
    fn empty() -> PasswdArgs {
        PasswdArgs {
            command: None,
            create: false,
            force: false,
            delete: false,
            hash_plain: false,
            batch: false,
            password_file: None,
            scheme: super::SchemeArgs::default(),
            format: super::FormatArgs::default(),
            new_user: super::NewUserArgs::default(),
            file: None,
            user: None,
            password: None,
        }
    }
}
