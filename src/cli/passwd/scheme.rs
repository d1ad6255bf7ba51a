//! The options that select the password hash.

use crate::cli::Error;
use crate::cli::Names;
use crate::cli::UsageError;
use crate::cli::numbers;
use crate::cli::values::expected;
use crate::passwd::{MosquittoTarget, Scheme, target};
use clap::{Args, ValueEnum, value_parser};
use std::num::NonZeroU32;

/// The default of mosquitto_passwd 2.1, since scripts that call it rely on the cost of a login.
const MOSQUITTO_ITERATIONS: NonZeroU32 = NonZeroU32::new(1000).expect("it is not zero");

/// The password hash options.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SchemeArgs {
    /// Hash algorithm [default: sha512-pbkdf2]
    #[arg(short = 'H', long, value_name = "ALGORITHM", help_heading = "Hash")]
    pub hash: Option<Algorithm>,
    /// Broker version that loads the file; selects the hash, and checks the existing lines
    #[arg(long, value_name = "BROKER", help_heading = "Hash")]
    pub target: Option<TargetName>,
    /// Iterations of sha512-pbkdf2; more make guesses and logins slower [default: 20000]
    #[arg(short = 'I', long, value_name = "COUNT", value_parser = iterations, help_heading = "Hash")]
    pub iterations: Option<NonZeroU32>,
    /// Memory of argon2id [default: 47104]
    #[arg(long, value_name = "KIB", value_parser = value_parser!(u32).range(8..=i64::from(Scheme::MAX_MEMORY_KIB)), help_heading = "Hash")]
    pub memory: Option<u32>,
    /// Passes of argon2id over its memory [default: 1]
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..=i64::from(Scheme::MAX_PASSES)), help_heading = "Hash")]
    pub passes: Option<u32>,
    /// Lanes of argon2id (parallelism) [default: 1]
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..=i64::from(Scheme::MAX_LANES)), help_heading = "Hash")]
    pub lanes: Option<u32>,
}

/// The hash algorithms, with mosquitto_passwd's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Algorithm {
    /// For mosquitto 2.1 built with Argon2: guesses also cost memory
    Argon2id,
    /// For mosquitto 2.0 and later
    #[value(name = "sha512-pbkdf2")]
    Sha512Pbkdf2,
    /// For mosquitto 1, and other brokers: guesses are very cheap
    Sha512,
    /// For EMQX
    #[value(name = "sha256-pbkdf2")]
    Sha256Pbkdf2,
    /// For EMQX and RabbitMQ: guesses are very cheap
    Sha256,
}

impl Algorithm {
    /// The name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Algorithm::Argon2id => "argon2id",
            Algorithm::Sha512Pbkdf2 => "sha512-pbkdf2",
            Algorithm::Sha512 => "sha512",
            Algorithm::Sha256Pbkdf2 => "sha256-pbkdf2",
            Algorithm::Sha256 => "sha256",
        }
    }

    /// Whether the algorithm has iterations.
    pub(super) fn is_pbkdf2(self) -> bool {
        matches!(self, Algorithm::Sha512Pbkdf2 | Algorithm::Sha256Pbkdf2)
    }

    /// Whether mosquitto's own file supports it.
    pub(super) fn is_mosquittos(self) -> bool {
        !matches!(self, Algorithm::Sha256 | Algorithm::Sha256Pbkdf2)
    }
}

/// The broker versions on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TargetName {
    /// mosquitto 1.x
    #[value(name = "mosquitto-1")]
    Mosquitto1,
    /// mosquitto 2.0
    #[value(name = "mosquitto-2.0")]
    Mosquitto20,
    /// mosquitto 2.1 built without Argon2, the default
    #[value(name = "mosquitto-2.1")]
    Mosquitto21,
    /// mosquitto 2.1 built with Argon2
    #[value(name = "mosquitto-2.1-argon2")]
    Mosquitto21Argon2,
}

impl From<TargetName> for MosquittoTarget {
    fn from(name: TargetName) -> MosquittoTarget {
        match name {
            TargetName::Mosquitto1 => MosquittoTarget::Mosquitto1,
            TargetName::Mosquitto20 => MosquittoTarget::Mosquitto20,
            TargetName::Mosquitto21 => MosquittoTarget::Mosquitto21,
            TargetName::Mosquitto21Argon2 => MosquittoTarget::Mosquitto21Argon2,
        }
    }
}

impl SchemeArgs {
    /// The hash scheme.
    ///
    /// # Errors
    /// If the options conflict or a number is out of range.
    pub(crate) fn scheme(&self, names: Names) -> Result<Scheme, Error> {
        if let Some(hash) = self.hash.filter(|hash| !hash.is_mosquittos()) {
            let problem =
                format!("mosquitto does not support {}; select another broker with --format", hash.name());
            return Err(Error::usage(problem));
        }
        let scheme = self.with_numbers(self.algorithm(), names)?;
        scheme.check().map_err(|error| Error::usage(UsageError::Value(error.into())))?;
        match self.target() {
            Some(target) => match target.objection(scheme) {
                None => Ok(scheme),
                Some(objection) => {
                    Err(Error::usage(format!("{} does not load this hash: {objection}", target.name())))
                }
            },
            None => Ok(scheme),
        }
    }

    /// The broker version that loads the file.
    pub(crate) fn target(&self) -> Option<MosquittoTarget> {
        self.target.map(MosquittoTarget::from)
    }

    /// The scheme with its default numbers.
    fn algorithm(&self) -> Scheme {
        match (self.hash, self.target()) {
            (Some(Algorithm::Argon2id), _) => target::ARGON2ID,
            (Some(Algorithm::Sha512Pbkdf2), _) => target::pbkdf2(target::DEFAULT_ITERATIONS),
            (Some(Algorithm::Sha512), _) => target::SHA512,
            // Rejected before.
            (Some(Algorithm::Sha256 | Algorithm::Sha256Pbkdf2), _) => target::SHA512,
            (None, Some(target)) => target.scheme(),
            (None, None) => MosquittoTarget::Mosquitto20.scheme(),
        }
    }

    fn with_numbers(&self, scheme: Scheme, names: Names) -> Result<Scheme, Error> {
        if names == Names::Mq {
            self.check_numbers(scheme)?;
        }
        Ok(match scheme {
            Scheme::Sha512 { .. } => scheme,
            Scheme::Pbkdf2Sha512 { iterations, .. } => target::pbkdf2(match (self.iterations, names) {
                (Some(typed), _) => typed,
                (None, Names::Mq) => iterations,
                (None, Names::Mosquitto) => MOSQUITTO_ITERATIONS,
            }),
            Scheme::Argon2id { memory_kib, passes, lanes, salt_len } => Scheme::Argon2id {
                memory_kib: self.memory.unwrap_or(memory_kib),
                passes: self.passes.unwrap_or(passes),
                lanes: self.lanes.unwrap_or(lanes),
                salt_len,
            },
        })
    }

    /// Rejects numbers that the scheme does not use.
    fn check_numbers(&self, scheme: Scheme) -> Result<(), Error> {
        let is_pbkdf2 = matches!(scheme, Scheme::Pbkdf2Sha512 { .. });
        let is_argon2 = matches!(scheme, Scheme::Argon2id { .. });
        for (option, is_typed, is_used, of) in [
            ("-I", self.iterations.is_some(), is_pbkdf2, "sha512-pbkdf2"),
            ("--memory", self.memory.is_some(), is_argon2, "argon2id"),
            ("--passes", self.passes.is_some(), is_argon2, "argon2id"),
            ("--lanes", self.lanes.is_some(), is_argon2, "argon2id"),
        ] {
            if is_typed && !is_used {
                return Err(Error::usage(format!(
                    "{option} is for {of}, but the hash is {}; select it with -H {of}",
                    scheme.name()
                )));
            }
        }
        Ok(())
    }
}

/// A number of iterations.
pub(super) fn iterations(text: &str) -> Result<NonZeroU32, String> {
    let iterations = text.parse().ok().filter(|count: &NonZeroU32| count.get() <= Scheme::MAX_ITERATIONS);
    iterations.ok_or_else(|| {
        expected(match numbers::is_whole(text) {
            true => format!("a number from 1 to {}", Scheme::MAX_ITERATIONS),
            false => "a whole number".to_owned(),
        })
    })
}
