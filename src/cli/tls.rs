//! The options about TLS.
//!
//! `--cafile`, `--capath` and `--psk` enable TLS, and so does port 8883, where the operating system's certificates are trusted
//! unless others are named. Under mosquitto's names nothing else enables TLS, and options without effect are ignored. Under `mq`
//! every option here enables it, since ignoring one silently would leave a secret unencrypted.

use super::connection::{PORT, TLS_PORT};
use super::identity::{IdentityFiles, TypedPasswords, needs_prompt, unusable};
use super::{Names, values};
use crate::cli::Error;
use crate::cli::UsageError;
use crate::escape;
use crate::transport::Tls;
use crate::transport::tls::{
    Certificates, Identity, KeyExchangeGroups, KeyLogFile, Roots, RootsError, Settings, SettingsError,
    SignatureSchemes, Suites, Verification, Version, check_server_name,
};
#[cfg(feature = "psk")]
use crate::transport::tls::{KeyPassword, Psk, PskError, PskSettings};
use clap::{ArgAction, Args};
use std::io;
use std::path::{Path, PathBuf};

/// Variable with the file of connection secrets, as in browsers and curl.
const KEY_LOG_VARIABLE: &str = "SSLKEYLOGFILE";

/// Encryption of the connection, and trusted authorities.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsArgs {
    /// Use TLS, and trust the certificates in this file
    #[arg(long, value_name = "FILE")]
    pub cafile: Option<PathBuf>,
    /// Use TLS, and trust the certificates in the files of this directory
    #[arg(long, value_name = "DIR")]
    pub capath: Option<PathBuf>,
    /// Use TLS, and trust the operating system's certificates; the default on port 8883
    #[arg(long, action = ArgAction::SetTrue)]
    pub tls_use_os_certs: bool,
    /// Client certificate, followed in the file by its issuers. Needs --key
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// Private key of --cert
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]
    #[arg(long, value_name = "FILE")]
    pub key_password_file: Option<PathBuf>,
    /// Format of --key: pem
    #[arg(long, value_name = "FORM", value_parser = ["pem", "engine"], hide_possible_values = true)]
    pub keyform: Option<String>,
    /// Name that the broker's certificate must match [default: the host]
    #[arg(long, value_name = "NAME")]
    pub tls_hostname: Option<String>,
    /// Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate
    #[arg(long, action = ArgAction::SetTrue)]
    pub insecure: bool,
    /// Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]
    #[arg(long, value_name = "VERSION", value_parser = values::tls_version)]
    pub tls_version: Option<Version>,
    /// Cipher suites by OpenSSL's names, separated by colons. Those of TLS 1.3 stay unless named
    #[arg(long, value_name = "LIST")]
    pub ciphers: Option<String>,
    /// Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]
    #[arg(long, value_name = "LIST", value_parser = values::key_exchange_groups)]
    pub tls_groups: Option<KeyExchangeGroups>,
    /// Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]
    #[arg(long, value_name = "LIST", value_parser = values::signature_schemes)]
    pub tls_signatures: Option<SignatureSchemes>,
    /// Protocols to offer with ALPN, separated by commas
    #[arg(long, value_name = "NAMES")]
    pub tls_alpn: Option<String>,
    /// Append the connection's secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]
    #[arg(long, value_name = "FILE")]
    pub tls_keylog: Option<PathBuf>,
    /// Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity
    #[arg(long, value_name = "HEX")]
    pub psk: Option<String>,
    /// Identity of --psk at the broker
    #[arg(long, value_name = "NAME")]
    pub psk_identity: Option<String>,
    /// Disable TLS, regardless of the port and the other options
    #[arg(long, action = ArgAction::SetTrue)]
    pub no_tls: bool,
    /// Not supported
    #[arg(long, value_name = "ENGINE", hide = true)]
    pub tls_engine: Option<String>,
    /// Not supported
    #[arg(long, value_name = "SHA1", hide = true)]
    pub tls_engine_kpass_sha1: Option<String>,
    /// The standard port of a hosted service, all of which require TLS.
    #[arg(skip)]
    pub(super) required_port: Option<u16>,
    /// The passwords of encrypted keys that were typed at a prompt.
    #[arg(skip)]
    pub(super) typed_passwords: TypedPasswords,
}

impl TlsArgs {
    pub(crate) fn default_port(&self, names: Names) -> u16 {
        if let Some(port) = self.required_port {
            return port;
        }
        let is_tls = match names {
            Names::Mq => self.is_given(),
            Names::Mosquitto => self.has_authority() || self.psk.is_some(),
        };
        if is_tls && !self.no_tls { TLS_PORT } else { PORT }
    }

    /// Checks the options for conflicts, before any file is read.
    ///
    /// # Errors
    /// The conflicting options.
    pub(crate) fn check_combinations(&self) -> Result<(), Error> {
        let has_engine = self.tls_engine.is_some();
        let is_engine_key = self.keyform.as_deref() == Some("engine");
        let conflicts = [
            (
                self.psk.is_some() && self.has_authority(),
                "--psk cannot be used with certificates (--cafile, --capath)",
            ),
            (
                self.psk.is_some() && self.tls_groups.is_some(),
                "--tls-groups is for TLS with certificates; leave --psk out",
            ),
            (
                self.psk.is_some() && self.tls_signatures.is_some(),
                "--tls-signatures is for TLS with certificates; leave --psk out",
            ),
        ];
        let missing = [
            (self.cert.is_some() && self.key.is_none(), "--cert", "--key; both can name the same file"),
            (self.key.is_some() && self.cert.is_none(), "--key", "--cert; both can name the same file"),
            (self.keyform.is_some() && self.key.is_none(), "--keyform", "--key"),
            (
                self.tls_engine_kpass_sha1.is_some() && !(has_engine && is_engine_key),
                "--tls-engine-kpass-sha1",
                "--tls-engine and --keyform engine",
            ),
            (self.psk.is_some() && self.psk_identity.is_none(), "--psk", "--psk-identity"),
            (self.psk_identity.is_some() && self.psk.is_none(), "--psk-identity", "--psk"),
            (self.key_password_file.is_some() && self.key.is_none(), "--key-password-file", "--key"),
        ];
        let unsupported = [
            (is_engine_key, "--keyform engine: engines are not supported; set --key to a PEM file"),
            (has_engine, "--tls-engine: engines are not supported; set --key to a PEM file"),
        ];
        let of_text = |(is_wrong, problem): (bool, &'static str)| is_wrong.then(|| UsageError::from(problem));
        let of_missing = |(is_wrong, option, needed): (bool, &str, &'static str)| {
            is_wrong.then(|| UsageError::Needs { option: option.to_owned(), needed })
        };
        let found = conflicts.into_iter().filter_map(of_text);
        let found = found.chain(missing.into_iter().filter_map(of_missing));
        let mut found = found.chain(unsupported.into_iter().filter_map(of_text));
        found.next().map_or(Ok(()), |problem| Err(Error::usage(problem)))
    }

    /// Checks the values that need no file.
    ///
    /// # Errors
    /// The option with an invalid value.
    pub(super) fn check_values(&self, names: Names) -> Result<(), Error> {
        if let Some(name) = &self.tls_hostname {
            check_server_name(name)
                .map_err(|error| Error::usage(UsageError::invalid(self.option_of(&error), error)))?;
        }
        if let Some(psk) = &self.psk {
            values::hexadecimal(psk).ok_or_else(not_hexadecimal)?;
        }
        // The ciphers for a pre-shared key have names of OpenSSL.
        if self.psk.is_none() && self.psk_identity.is_none() {
            self.suites(names)?;
        }
        self.alpn().map(drop)
    }

    /// The TLS settings of a connection to this host and port; `None` without TLS. `is_secure_url` is set for a URL such as
    /// `mqtts://`, which requires TLS on any port. A unix socket has port 0.
    ///
    /// # Errors
    /// The conflicting options, or a file that cannot be used.
    pub(crate) fn tls(
        &self,
        names: Names,
        host: &str,
        is_secure_url: bool,
        port: u16,
    ) -> Result<Option<Tls>, Error> {
        self.check_combinations()?;
        if self.no_tls && is_secure_url && names == Names::Mq {
            return Err(Error::usage("--no-tls cannot be used with a URL that requires TLS"));
        }
        if !self.is_spoken(names, is_secure_url, port) {
            return Ok(None);
        }
        if let Some(psk) = &self.psk {
            return self.with_shared_key(names, host, psk).map(Some);
        }
        let settings = Settings {
            server_name: self.tls_hostname.as_deref().unwrap_or(host).to_owned(),
            verification: self.verification(names)?,
            identity: self.identity(names)?,
            suites: self.suites(names)?,
            groups: self.tls_groups.clone(),
            signatures: self.tls_signatures.clone(),
            minimum_version: self.tls_version.unwrap_or(Version::Tls12),
            alpn: self.alpn()?,
            key_log: self.key_log(names)?,
        };
        let tls = Certificates::new(settings).map(|tls| Some(Tls::Certificates(tls)));
        tls.map_err(|error| Error::usage(UsageError::invalid(self.option_of(&error), error)))
    }

    /// The option that the settings are unusable for.
    fn option_of(&self, error: &SettingsError) -> &'static str {
        match error {
            SettingsError::ServerName(_) if self.tls_hostname.is_some() => "--tls-hostname",
            SettingsError::ServerName(_) => "-h",
            SettingsError::Suites => "--ciphers",
            SettingsError::Signatures => "--tls-signatures",
        }
    }

    /// Whether a connection to this port uses TLS.
    pub(super) fn is_spoken(&self, names: Names, is_secure_url: bool, port: u16) -> bool {
        !self.no_tls && (is_secure_url || port == TLS_PORT || self.is_asked_for(names))
    }

    fn is_asked_for(&self, names: Names) -> bool {
        match names {
            _ if self.required_port.is_some() => true,
            Names::Mq => self.is_given(),
            Names::Mosquitto => self.has_authority() || self.psk.is_some() || self.tls_use_os_certs,
        }
    }

    fn has_authority(&self) -> bool {
        self.cafile.is_some() || self.capath.is_some()
    }

    /// Whether any TLS option is given.
    pub(super) fn is_given(&self) -> bool {
        self.has_authority()
            || self.tls_use_os_certs
            || self.cert.is_some()
            || self.tls_hostname.is_some()
            || self.insecure
            || self.tls_version.is_some()
            || self.ciphers.is_some()
            || self.tls_groups.is_some()
            || self.tls_signatures.is_some()
            || self.tls_alpn.is_some()
            || self.tls_keylog.is_some()
            || self.psk.is_some()
    }

    /// Whether any certificate is accepted. Under mosquitto's names, and for a hosted service, the operating system's certificates
    /// are trusted when no option names others.
    fn accepts_any_certificate(&self, names: Names) -> bool {
        let is_hosted = self.required_port.is_some();
        let has_trust_source = self.has_authority() || self.tls_use_os_certs || is_hosted;
        names == Names::Mq && self.insecure && !has_trust_source
    }

    /// A warning if the connection can be intercepted.
    pub(crate) fn warning(&self, names: Names) -> Option<&'static str> {
        let uses_certificates = !self.no_tls && self.psk.is_none();
        (uses_certificates && self.accepts_any_certificate(names)).then_some(
            "warning: --insecure accepts any certificate, so the connection can be intercepted; \
             with --cafile, --capath or --tls-use-os-certs only the host name is not checked",
        )
    }

    /// The checks of the broker's certificate. `--insecure` skips the host name, not the chain, as in mosquitto's tools.
    fn verification(&self, names: Names) -> Result<Verification, Error> {
        if self.accepts_any_certificate(names) {
            return Ok(Verification::Nothing);
        }
        let trust = self.trust()?;
        Ok(if self.insecure { Verification::ChainOnly(trust) } else { Verification::Full(trust) })
    }

    fn trust(&self) -> Result<Roots, Error> {
        let mut trust = Roots::nobody();
        if let Some(path) = &self.cafile {
            trust.add_file(path).map_err(|error| unusable("--cafile", path, &error))?;
        }
        if let Some(path) = &self.capath {
            trust.add_directory(path).map_err(|error| unusable("--capath", path, &error))?;
        }
        if self.tls_use_os_certs || !self.has_authority() {
            trust.add_system().map_err(|error| no_system_certificates(&error))?;
        }
        Ok(trust)
    }

    fn identity(&self, names: Names) -> Result<Option<Identity>, Error> {
        let (Some(certificate), Some(key)) = (&self.cert, &self.key) else { return Ok(None) };
        self.identity_of(names, ("--cert", certificate), ("--key", key)).map(Some)
    }

    /// The certificate that the proxy presents to its clients.
    ///
    /// # Errors
    /// The file that cannot be used.
    pub(super) fn listening_identity(&self, certificate: &Path, key: &Path) -> Result<Identity, Error> {
        self.identity_of(Names::Mq, ("--listen-cert", certificate), ("--listen-key", key))
    }

    fn identity_of(
        &self,
        names: Names,
        certificate: (&'static str, &Path),
        key: (&'static str, &Path),
    ) -> Result<Identity, Error> {
        let password_file = self.key_password_file.as_deref();
        let typed = &self.typed_passwords;
        IdentityFiles { names, certificate, key, password_file, may_ask: true, typed }.read()
    }

    /// Whether the user will be asked for the password of the key.
    pub(crate) fn asks_for_password(&self) -> bool {
        let key = self.key.as_ref().filter(|_| self.cert.is_some() && !self.no_tls);
        key.is_some_and(|key| needs_prompt(key, self.key_password_file.as_deref()))
    }

    /// The cipher suites to offer. Under mosquitto's names, unknown suites are ignored if any other remains, as by OpenSSL.
    fn suites(&self, names: Names) -> Result<Suites, Error> {
        let Some(list) = &self.ciphers else { return Ok(Suites::all()) };
        let suites = Suites::parse(list, self.tls_version.unwrap_or(Version::Tls12));
        let problem = match suites.unknown.first() {
            Some(unknown) if names == Names::Mq || suites.is_empty() => {
                format!("'{unknown}' is not supported")
            }
            _ if suites.is_empty() && self.tls_version == Some(Version::Tls13) => {
                "none of them is for TLS 1.3, which --tls-version requires".to_owned()
            }
            _ if suites.is_empty() => "it has no supported suite".to_owned(),
            _ => return Ok(suites),
        };
        Err(Error::usage(format!(
            "--ciphers {}: {}; the supported suites are {}",
            escape::line(list),
            escape::line(&problem),
            Suites::names()
        )))
    }

    /// A remark on the parts of --ciphers without effect, if any.
    pub(crate) fn remark_on_ciphers(&self) -> Option<String> {
        let list = self.ciphers.as_deref().filter(|_| self.psk.is_none())?;
        let suites = Suites::parse(list, self.tls_version.unwrap_or(Version::Tls12));
        let words = suites.without_effect.join(", ");
        (!words.is_empty()).then(|| {
            format!("--ciphers: {words} has no effect; only strong suites of TLS 1.2 and newer are offered")
        })
    }

    fn alpn(&self) -> Result<Vec<Vec<u8>>, Error> {
        let Some(list) = &self.tls_alpn else { return Ok(Vec::new()) };
        let protocols: Vec<Vec<u8>> = list.split(',').map(|name| name.trim().as_bytes().to_vec()).collect();
        if protocols.iter().any(|name| name.is_empty() || name.len() > 255) {
            return Err(Error::usage(format!("--tls-alpn '{list}': a protocol has from 1 to 255 bytes")));
        }
        Ok(protocols)
    }

    fn key_log(&self, names: Names) -> Result<Option<KeyLogFile>, Error> {
        let variable = if names == Names::Mq { std::env::var_os(KEY_LOG_VARIABLE) } else { None };
        let variable = variable.filter(|value| !value.is_empty()).map(PathBuf::from);
        let (option, path) = match (&self.tls_keylog, variable) {
            (Some(path), _) => ("--tls-keylog", path.clone()),
            (None, Some(path)) => (KEY_LOG_VARIABLE, path),
            (None, None) => return Ok(None),
        };
        let opened = KeyLogFile::open(&path);
        opened.map(Some).map_err(|error| unusable(option, &path, &format!("cannot be written: {error}")))
    }

    #[cfg(feature = "psk")]
    fn with_shared_key(&self, names: Names, host: &str, psk: &str) -> Result<Tls, Error> {
        let settings = PskSettings {
            server_name: self.tls_hostname.as_deref().unwrap_or(host),
            identity: self.psk_identity.as_deref().unwrap_or_default(),
            key: values::hexadecimal(psk).map(KeyPassword::new).ok_or_else(not_hexadecimal)?,
            ciphers: self.ciphers.as_deref(),
            alpn: self.alpn()?,
            key_log: self.key_log(names)?,
        };
        if self.tls_version == Some(Version::Tls13) {
            return Err(Error::usage("--psk needs TLS 1.2, but --tls-version is tlsv1.3"));
        }
        Psk::new(settings).map(Tls::SharedKey).map_err(|error| {
            let option = match error {
                PskError::Identity => "--psk-identity",
                PskError::Ciphers(_) => "--ciphers",
                PskError::Key | PskError::Library(_) => "--psk",
            };
            Error::usage(UsageError::invalid(option, error))
        })
    }

    #[cfg(not(feature = "psk"))]
    #[allow(clippy::unused_self)]
    fn with_shared_key(&self, _names: Names, _host: &str, psk: &str) -> Result<Tls, Error> {
        values::hexadecimal(psk).ok_or_else(not_hexadecimal)?;
        Err(Error::usage(
            "--psk is not in this build; `cargo install mqkit --features psk` builds mq with it".to_owned(),
        ))
    }
}

fn not_hexadecimal() -> Error {
    Error::usage("--psk needs hexadecimal digits, two for every byte")
}

fn no_system_certificates(error: &RootsError) -> Error {
    let source = io::Error::other(format!("{error}; --cafile FILE names some"));
    Error::System { action: "speak TLS".to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Names, parse};
    use super::*;

    /// The options of `mq pub` with these words.
    fn args(words: &str) -> TlsArgs {
        let line = format!("mq pub -t a -m x {words}");
        match parse(line.split_whitespace().map(Into::into)).map(|cli| cli.command) {
            Ok(Command::Pub(args)) => args.client.tls.clone(),
            other => panic!("{words}: {other:?}"),
        }
    }

    fn is_tls(words: &str, names: Names, port: u16) -> bool {
        args(words).tls(names, "localhost", false, port).unwrap().is_some()
    }

    #[test]
    fn under_our_names_every_option_turns_tls_on() {
        for words in ["--insecure", "--insecure --tls-version tlsv1.3", "--insecure --tls-alpn mqtt"] {
            assert!(is_tls(words, Names::Mq, 1883), "{words}");
            assert_eq!(args(words).default_port(Names::Mq), 8883);
            assert!(!is_tls(words, Names::Mosquitto, 1883), "{words}");
            assert_eq!(args(words).default_port(Names::Mosquitto), 1883);
        }
        assert!(!is_tls("", Names::Mq, 1883));
    }

    #[test]
    fn under_mosquittos_names_only_authorities_and_keys_choose_the_port() {
        for words in ["--cafile a", "--capath a", "--psk 00 --psk-identity a"] {
            assert_eq!(args(words).default_port(Names::Mosquitto), 8883);
        }
        assert_eq!(args("--tls-use-os-certs").default_port(Names::Mosquitto), 1883);
        assert!(args("--cert a --key b").tls(Names::Mosquitto, "localhost", false, 1883).unwrap().is_none());
    }

    #[test]
    fn port_8883_and_secure_urls_mean_tls_unless_it_is_forbidden() {
        assert!(is_tls("--insecure", Names::Mosquitto, 8883));
        assert!(args("--insecure").tls(Names::Mosquitto, "localhost", true, 1883).unwrap().is_some());
        assert!(!is_tls("--no-tls --cafile /missing", Names::Mq, 8883));
        assert_eq!(args("--no-tls --cafile a").default_port(Names::Mq), 1883);
        assert!(args("--no-tls").tls(Names::Mq, "localhost", true, 8883).is_err());
        assert!(args("--no-tls").tls(Names::Mosquitto, "localhost", true, 8883).unwrap().is_none());
    }

    #[test]
    fn unknown_suites_are_passed_over_as_openssl_does_under_mosquittos_names() {
        let words = "--insecure --ciphers ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA";
        assert!(is_tls(words, Names::Mosquitto, 8883));
        assert!(args(words).tls(Names::Mq, "localhost", false, 8883).is_err());
        assert!(
            args("--insecure --ciphers AES128-SHA").tls(Names::Mosquitto, "localhost", false, 8883).is_err()
        );
    }
}
