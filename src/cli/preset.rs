//! The options about hosted brokers.

use super::values;
use crate::cli::Error;
use crate::hosted::sas::Signer;
use crate::hosted::{Device, Service, Violation};
use crate::suggestion::did_you_mean;
use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::time::Duration;

/// The options about hosted brokers.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Hosted brokers")]
pub(crate) struct PresetArgs {
    /// Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the
    /// service does not support; see docs/hosted-brokers.md
    #[arg(long, value_name = "SERVICE", value_parser = service)]
    pub preset: Option<Service>,
    /// With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics
    #[arg(long, value_name = "DEVICE", value_parser = Device::parse, requires = "preset")]
    pub device: Option<Device>,
    /// With azure-iothub: file with the device's key or connection string. It signs a SAS token for each connection
    #[arg(long, value_name = "FILE", requires = "preset", conflicts_with_all = ["password", "password_file", "ask_password"], value_hint = ValueHint::FilePath)]
    pub sas_key_file: Option<PathBuf>,
    /// With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]
    #[arg(long, value_name = "DURATION", requires = "preset", value_parser = values::positive_duration)]
    pub sas_lifetime: Option<Duration>,
    /// With aws: the custom authorizer that checks user name and password
    #[arg(long, value_name = "NAME", requires = "preset", value_parser = authorizer)]
    pub authorizer: Option<String>,
    /// Signs passwords, once the key is read.
    #[arg(skip)]
    pub(super) signer: Option<Signer>,
}

impl PresetArgs {
    /// An error about a violation of the service's rules, with its subject and the option that chose the service.
    pub(crate) fn refused(&self, subject: &str, violation: &Violation) -> Error {
        let word = self.preset.map(Service::word).unwrap_or_default();
        let remedy = if violation.is_missing_client_id() { "; -i ID sets one" } else { "" };
        Error::usage(format!("{subject}: {violation}{remedy} (--preset {word})"))
    }

    /// Rejects options of other services, which would have no effect.
    pub(super) fn check_fits(&self, service: Service) -> Result<(), Error> {
        let hub = Service::AzureIotHub;
        let options = [
            ("--device", self.device.is_some(), hub),
            ("--sas-key-file", self.sas_key_file.is_some(), hub),
            ("--sas-lifetime", self.sas_lifetime.is_some(), hub),
            ("--authorizer", self.authorizer.is_some(), Service::AwsIotCore),
        ];
        match options.into_iter().find(|(_, is_given, of)| *is_given && *of != service) {
            Some((option, _, of)) => Err(Error::usage(format!(
                "{option} is for --preset {}, but --preset is {}",
                of.word(),
                service.word()
            ))),
            None => Ok(()),
        }
    }
}

fn service(text: &str) -> Result<Service, String> {
    Service::ALL.into_iter().find(|service| service.word() == text).ok_or_else(|| {
        let words = Service::ALL.map(Service::word);
        format!("{}{}", values::expected(values::one_of(&words)), did_you_mean(text, words))
    })
}

/// Parses the name of an authorizer, which becomes part of a query.
fn authorizer(text: &str) -> Result<String, String> {
    let is_fit = |character: char| character.is_ascii_alphanumeric() || "_=,@-".contains(character);
    match text.is_empty() || !text.chars().all(is_fit) {
        true => Err(values::expected("letters, digits and _=,@-")),
        false => Ok(text.to_owned()),
    }
}
