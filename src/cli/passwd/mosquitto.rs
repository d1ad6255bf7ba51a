//! Reads the command line as mosquitto_passwd does: options come first, one letter a word, and what follows is taken as it
//! stands, `--help` or `list` included.

use super::PasswdArgs;
use super::scheme::Algorithm;
use crate::cli::{Failure, numbers};
use crate::error::ExitStatus;
use clap::ValueEnum;
use std::ffi::OsString;
use std::num::NonZeroU32;

const USAGE: &str = "\
mosquitto_passwd is a tool for managing password files for mosquitto; this is mq in its place.

Usage: mosquitto_passwd [-H hash] [-I iterations] [-c | -D] passwordfile username
       mosquitto_passwd [-H hash] [-I iterations] [-c] -b passwordfile username password
       mosquitto_passwd [-H hash] [-I iterations] -U passwordfile
 -b : take the password from the command line, where other users can see it
 -c : create a new password file; it must not exist yet. - prints the line instead
 -D : delete the user
 -H : argon2id, sha512-pbkdf2 or sha512 (default sha512-pbkdf2)
 -I : the iterations of sha512-pbkdf2 (default 1000)
 -U : hash a password file that holds plain text

`mq passwd --help` tells more.
";

/// Reads the words behind the program's name.
///
/// # Errors
/// What is wrong with them, in the order in which mosquitto_passwd looks; or its usage, as it prints it for what it does not know.
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
    following.split_first().ok_or_else(|| refused(&format!("{option} needs a value")))
}

fn algorithm(value: &OsString) -> Result<Algorithm, Failure> {
    let known = value.to_str().and_then(|text| Algorithm::from_str(text, false).ok());
    let known = known.filter(|hash| hash.is_mosquittos());
    known.ok_or_else(|| {
        let shown = value.as_encoded_bytes().escape_ascii();
        refused(&format!("unknown hash '{shown}' for -H; it takes argon2id, sha512-pbkdf2 or sha512"))
    })
}

fn iterations(value: &OsString) -> Result<NonZeroU32, Failure> {
    let number = u32::try_from(numbers::integer(value.as_encoded_bytes())).ok();
    number.and_then(NonZeroU32::new).ok_or_else(|| {
        let shown = value.as_encoded_bytes().escape_ascii();
        refused(&format!("invalid number of iterations '{shown}' for -I; it takes at least 1"))
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
            return Err(refused(&format!("{names} do not go together")));
        }
    }
    Ok(())
}

/// Takes what follows the options. Words too many are overlooked only where an option says what is wanted.
fn take_operands(args: &mut PasswdArgs, words: &[OsString]) -> Result<(), Failure> {
    let wanted: &[&str] = match (args.hash_plain, args.batch) {
        (true, _) => &["passwordfile"],
        (false, true) => &["passwordfile", "username", "password"],
        (false, false) => &["passwordfile", "username"],
    };
    let is_told = args.create || args.delete || args.hash_plain;
    if let Some(missing) = wanted.get(words.len()).filter(|_| is_told) {
        return Err(refused(&format!("missing {missing}; it takes {}", wanted.join(" "))));
    }
    if !is_told && words.len() != wanted.len() {
        return Err(Failure { text: USAGE.to_owned(), is_wanted: true, status: ExitStatus::FAILED });
    }
    let mut words = words.iter().take(wanted.len()).cloned();
    args.file = words.next().map(Into::into);
    args.user = words.next();
    args.password = words.next();
    Ok(())
}

fn refused(problem: &str) -> Failure {
    let problem = crate::escape::lines(problem);
    let text = format!("mosquitto_passwd: {problem}\nhint: `mosquitto_passwd` alone prints its usage\n");
    Failure { text, is_wanted: false, status: ExitStatus::FAILED }
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
