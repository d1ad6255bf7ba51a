//! The options that select a file format, and those that apply to single formats.

use super::SchemeArgs;
use super::scheme::{Algorithm, iterations};
use crate::cli::Error;
use crate::cli::Names;
use crate::cli::UsageError;
use crate::cli::values::{expected, one_of};
use crate::passwd::format::{self, Format, SaltPosition, Settings};
use crate::passwd::target;
use clap::builder::PossibleValue;
use clap::{ArgAction, Args, ValueEnum};
use std::num::NonZeroU32;

/// RabbitMQ's default virtual host.
const VIRTUAL_HOST: &str = "/";

/// The file format.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FormatArgs {
    /// Format of the credentials file [default: mosquitto]
    #[arg(long, value_name = "FORMAT", help_heading = "Other brokers")]
    pub format: Option<Format>,
    /// Position of EMQX's salt when it hashes with sha256 or sha512 [default: prefix]
    #[arg(long, value_name = "POSITION", help_heading = "Other brokers")]
    pub salt_position: Option<SaltPositionName>,
}

/// The options for new users.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct NewUserArgs {
    /// Role of a new user, for mosquitto-dynsec and hivemq [default: all-topics, if the file has it]
    #[arg(long, value_name = "NAME", help_heading = "Other brokers")]
    pub role: Option<String>,
    /// Make a new user a superuser, for emqx-json and emqx-csv
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Other brokers")]
    pub superuser: bool,
    /// Virtual host in which a new user gets all permissions, for rabbitmq [default: /]
    #[arg(long, value_name = "NAME", help_heading = "Other brokers")]
    pub vhost: Option<String>,
}

/// The hash settings of an existing file, if the file itself does not contain them.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct StoredArgs {
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    /// Hash algorithm of EMQX [default: sha256]
    #[arg(short = 'H', long, value_name = "ALGORITHM", help_heading = "Other brokers")]
    pub hash: Option<Algorithm>,
    /// Iterations of EMQX's sha256-pbkdf2 or sha512-pbkdf2 [default: 20000]
    #[arg(short = 'I', long, value_name = "COUNT", value_parser = iterations, help_heading = "Other brokers")]
    pub iterations: Option<NonZeroU32>,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Format] {
        &Format::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = self.name();
        Some(PossibleValue::new(name).help(help))
    }
}

/// The salt positions on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SaltPositionName {
    /// Before the password
    Prefix,
    /// After the password
    Suffix,
    /// No salt
    Disable,
}

impl From<SaltPositionName> for SaltPosition {
    fn from(name: SaltPositionName) -> SaltPosition {
        match name {
            SaltPositionName::Prefix => SaltPosition::Prefix,
            SaltPositionName::Suffix => SaltPosition::Suffix,
            SaltPositionName::Disable => SaltPosition::Disable,
        }
    }
}

impl FormatArgs {
    pub(crate) fn format(&self) -> Format {
        self.format.unwrap_or(Format::Mosquitto)
    }

    /// Whether the format is not mosquitto's password file.
    pub(crate) fn is_of_other_broker(&self) -> bool {
        self.format() != Format::Mosquitto
    }

    /// The settings for new users and their hashes.
    ///
    /// # Errors
    /// If an option is set that the format does not use.
    pub(crate) fn settings(&self, scheme: &SchemeArgs, new: &NewUserArgs) -> Result<Settings, Error> {
        let format = self.format();
        self.check_options(scheme, new)?;
        let iterations = scheme.iterations.unwrap_or(target::DEFAULT_ITERATIONS);
        target::pbkdf2(iterations).check().map_err(|error| Error::usage(UsageError::Value(error.into())))?;
        Ok(Settings {
            scheme: match format {
                Format::Mosquitto => scheme.scheme(Names::Mq)?,
                _ => target::pbkdf2(iterations),
            },
            algorithm: match format {
                Format::EmqxJson | Format::EmqxCsv | Format::RabbitMq => scheme.hash.and_then(algorithm),
                _ => None,
            },
            salt_position: self.salt_position.map(SaltPosition::from).unwrap_or_default(),
            iterations,
            is_superuser: new.superuser,
            role: new.role.clone(),
            virtual_host: new.vhost.clone().unwrap_or_else(|| VIRTUAL_HOST.to_owned()),
        })
    }

    /// Rejects options that the format does not use, since a user could believe that they have an effect.
    ///
    /// # Errors
    /// The first such option.
    pub(crate) fn check_options(&self, scheme: &SchemeArgs, new: &NewUserArgs) -> Result<(), Error> {
        let format = self.format();
        let is_emqx = matches!(format, Format::EmqxJson | Format::EmqxCsv);
        let has_roles = matches!(format, Format::Dynsec | Format::HiveMq);
        let is_own = format == Format::Mosquitto;
        let is_pbkdf2 = scheme.hash.is_some_and(Algorithm::is_pbkdf2);
        let has_iterations = is_own || has_roles || (is_emqx && is_pbkdf2);
        for (option, is_typed, is_used, whose) in [
            ("--salt-position", self.salt_position.is_some(), is_emqx, "emqx-json and emqx-csv"),
            ("--superuser", new.superuser, is_emqx, "emqx-json and emqx-csv"),
            ("--role", new.role.is_some(), has_roles, "mosquitto-dynsec and hivemq"),
            ("--vhost", new.vhost.is_some(), format == Format::RabbitMq, "rabbitmq"),
            ("-I", scheme.iterations.is_some(), has_iterations, "PBKDF2, which is not used here"),
            ("--target", scheme.target.is_some(), is_own, "mosquitto's password file"),
            ("--memory", scheme.memory.is_some(), is_own, "argon2id"),
            ("--passes", scheme.passes.is_some(), is_own, "argon2id"),
            ("--lanes", scheme.lanes.is_some(), is_own, "argon2id"),
        ] {
            if is_typed && !is_used {
                return Err(Error::usage(format!("{option} is for {whose}")));
            }
        }
        match scheme.hash {
            Some(hash) if !is_own && !known_hashes(format).contains(&hash) => Err(Error::usage(format!(
                "this broker does not support {}; {}",
                hash.name(),
                list_of(known_hashes(format))
            ))),
            _ => Ok(()),
        }
    }
}

impl StoredArgs {
    /// The settings for checking existing hashes.
    ///
    /// # Errors
    /// If an option is set that the format does not use.
    pub(crate) fn settings(&self) -> Result<Settings, Error> {
        let own_hash = (!self.format.is_of_other_broker()).then_some("-H").filter(|_| self.hash.is_some());
        let own_count =
            (!self.format.is_of_other_broker()).then_some("-I").filter(|_| self.iterations.is_some());
        if let Some(option) = own_hash.or(own_count) {
            return Err(Error::usage(format!(
                "{option} is for EMQX; other files contain their hash settings"
            )));
        }
        let scheme = SchemeArgs { hash: self.hash, iterations: self.iterations, ..SchemeArgs::default() };
        self.format.settings(&scheme, &NewUserArgs::default())
    }
}

fn known_hashes(format: Format) -> &'static [Algorithm] {
    match format {
        Format::Mosquitto => &[Algorithm::Argon2id, Algorithm::Sha512Pbkdf2, Algorithm::Sha512],
        Format::EmqxJson | Format::EmqxCsv => {
            &[Algorithm::Sha256, Algorithm::Sha512, Algorithm::Sha256Pbkdf2, Algorithm::Sha512Pbkdf2]
        }
        Format::RabbitMq => &[Algorithm::Sha256, Algorithm::Sha512],
        Format::Dynsec | Format::HiveMq => &[Algorithm::Sha512Pbkdf2],
        Format::VerneMq => &[Algorithm::Sha512],
        Format::NanoMq => &[],
    }
}

fn list_of(hashes: &[Algorithm]) -> String {
    match hashes.iter().map(|hash| hash.name()).collect::<Vec<_>>().as_slice() {
        [] => "it does not hash".to_owned(),
        names => expected(one_of(names)),
    }
}

fn algorithm(hash: Algorithm) -> Option<format::Algorithm> {
    match hash {
        Algorithm::Argon2id => None,
        Algorithm::Sha512Pbkdf2 => Some(format::Algorithm::Pbkdf2Sha512),
        Algorithm::Sha512 => Some(format::Algorithm::Sha512),
        Algorithm::Sha256Pbkdf2 => Some(format::Algorithm::Pbkdf2Sha256),
        Algorithm::Sha256 => Some(format::Algorithm::Sha256),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passwd::format::ROLE;

    #[test]
    fn the_help_names_the_role_that_is_used() {
        let command = NewUserArgs::augment_args(clap::Command::new("x"));
        let role = command.get_arguments().find(|arg| arg.get_id() == "role").unwrap();
        assert!(role.get_help().unwrap().to_string().contains(&format!("[default: {ROLE},")));
    }
}
