//! The options that say which broker the credentials are for, and what only some of them have.

use super::SchemeArgs;
use super::scheme::Algorithm;
use crate::cli::Names;
use crate::error::Error;
use crate::passwd::format::{self, Format, SaltPosition, Settings};
use crate::passwd::target;
use clap::{ArgAction, Args, ValueEnum};
use std::num::NonZeroU32;

/// The virtual host that RabbitMQ has by itself.
const VIRTUAL_HOST: &str = "/";

/// Whose credentials they are.
#[derive(Debug, Clone, Default, Args)]
pub struct FormatArgs {
    /// The broker that reads the file [default: mosquitto]
    #[arg(long, value_name = "FORMAT", help_heading = "Other brokers")]
    pub format: Option<FormatName>,
    /// Where EMQX puts the salt when it hashes with sha256 or sha512 [default: prefix]
    #[arg(long, value_name = "POSITION", help_heading = "Other brokers")]
    pub salt_position: Option<SaltPositionName>,
}

/// What a new user gets.
#[derive(Debug, Clone, Default, Args)]
pub struct NewUserArgs {
    /// The role of a new user, for mosquitto-dynsec and hivemq [default: all-topics, where the file has it]
    #[arg(long, value_name = "NAME", help_heading = "Other brokers")]
    pub role: Option<String>,
    /// Make a new user a superuser, for emqx-json and emqx-csv
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Other brokers")]
    pub superuser: bool,
    /// The virtual host in which a new user may do everything, for rabbitmq [default: /]
    #[arg(long, value_name = "NAME", help_heading = "Other brokers")]
    pub vhost: Option<String>,
}

/// How the hashes in a file were made, where the file itself does not say.
#[derive(Debug, Clone, Default, Args)]
pub struct StoredArgs {
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    /// How EMQX hashes [default: sha256]
    #[arg(short = 'H', long, value_name = "ALGORITHM", help_heading = "Other brokers")]
    pub hash: Option<Algorithm>,
    /// How often EMQX hashes with sha256-pbkdf2 or sha512-pbkdf2 [default: 20000]
    #[arg(short = 'I', long, value_name = "COUNT", help_heading = "Other brokers")]
    pub iterations: Option<NonZeroU32>,
}

/// The names of the formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// mosquitto's password file
    Mosquitto,
    /// mosquitto's dynamic security plugin (JSON)
    MosquittoDynsec,
    /// EMQX's built-in database, to be imported (JSON)
    EmqxJson,
    /// EMQX's built-in database, to be imported (CSV without quotes)
    EmqxCsv,
    /// RabbitMQ's definitions (JSON)
    Rabbitmq,
    /// VerneMQ's password file
    Vernemq,
    /// HiveMQ's file RBAC extension (XML)
    Hivemq,
    /// NanoMQ's password file, in plain text
    Nanomq,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Format {
        match name {
            FormatName::Mosquitto => Format::Mosquitto,
            FormatName::MosquittoDynsec => Format::Dynsec,
            FormatName::EmqxJson => Format::EmqxJson,
            FormatName::EmqxCsv => Format::EmqxCsv,
            FormatName::Rabbitmq => Format::RabbitMq,
            FormatName::Vernemq => Format::VerneMq,
            FormatName::Hivemq => Format::HiveMq,
            FormatName::Nanomq => Format::NanoMq,
        }
    }
}

/// Where a salt can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SaltPositionName {
    /// Before the password
    Prefix,
    /// Behind the password
    Suffix,
    /// There is no salt
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
    /// The format.
    pub fn format(&self) -> Format {
        self.format.map_or(Format::Mosquitto, Format::from)
    }

    /// Whether it is another broker's than mosquitto, or its plugin's.
    pub fn is_foreign(&self) -> bool {
        self.format() != Format::Mosquitto
    }

    /// What is chosen for new users and their hashes.
    ///
    /// # Errors
    /// When an option was typed that the format has no use for.
    pub fn settings(&self, scheme: &SchemeArgs, new: &NewUserArgs) -> Result<Settings, Error> {
        let format = self.format();
        self.check_options(scheme, new)?;
        let iterations = scheme.iterations.unwrap_or(target::DEFAULT_ITERATIONS);
        target::pbkdf2(iterations).check().map_err(|error| Error::Usage(error.to_string()))?;
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

    /// Refuses options that the format has no use for: one that changes nothing would leave its user in the belief that it did.
    ///
    /// # Errors
    /// Which option it is.
    pub fn check_options(&self, scheme: &SchemeArgs, new: &NewUserArgs) -> Result<(), Error> {
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
            ("-I", scheme.iterations.is_some(), has_iterations, "PBKDF2, which would not be used here"),
            ("--target", scheme.target.is_some(), is_own, "mosquitto's password file"),
            ("--memory", scheme.memory.is_some(), is_own, "argon2id"),
            ("--passes", scheme.passes.is_some(), is_own, "argon2id"),
            ("--lanes", scheme.lanes.is_some(), is_own, "argon2id"),
        ] {
            if is_typed && !is_used {
                return Err(Error::Usage(format!("{option} is for {whose}")));
            }
        }
        match scheme.hash {
            Some(hash) if !is_own && !known_hashes(format).contains(&hash) => Err(Error::Usage(format!(
                "this broker does not know {}; {}",
                hash.name(),
                list_of(known_hashes(format))
            ))),
            _ => Ok(()),
        }
    }
}

impl StoredArgs {
    /// What is needed to check hashes.
    ///
    /// # Errors
    /// When an option was typed that the format has no use for.
    pub fn settings(&self) -> Result<Settings, Error> {
        let own_hash = (!self.format.is_foreign()).then_some("-H").filter(|_| self.hash.is_some());
        let own_count = (!self.format.is_foreign()).then_some("-I").filter(|_| self.iterations.is_some());
        if let Some(option) = own_hash.or(own_count) {
            return Err(Error::Usage(format!("{option} is for EMQX; other files say how they are hashed")));
        }
        let scheme = SchemeArgs { hash: self.hash, iterations: self.iterations, ..SchemeArgs::default() };
        self.format.settings(&scheme, &NewUserArgs::default())
    }
}

/// What each broker hashes with.
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
        names => format!("it takes {}", names.join(", ")),
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
