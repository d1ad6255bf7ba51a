//! `--repeat-of FILE`: the options of a report, below those of the command line.
//!
//! The report may be a stranger's. It can only set options that shape a load: none that write a file or judge a run, and none that
//! send a file whose content it does not know. Profiles and variables do not apply, except that a typed `--profile` may set the
//! secrets that the report leaves out.

use super::MODES;
use super::chosen_mode::ChosenMode;
use super::recorded::{self, files_of_scenario, is_recorded, is_secret, names_content};
use super::report_file::{self, REPEAT_OF};
use crate::bench::Report;
use crate::bench::report::RecordedCommand;
use crate::cli::argv::{self, PROPERTY};
use crate::cli::config::{self, Configuration, Entry, Origin};
use crate::cli::properties::SEPARATOR;
use crate::cli::values::one_of;
use crate::cli::{Error, Names, url};
use clap::{Arg, Command};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Other options that set a secret as well.
const ALTERNATIVES: [(&str, &[&str]); 7] = [
    ("password", &["password_file", "ask_password", "sas_key_file", "credentials"]),
    ("password_file", &["password", "ask_password", "sas_key_file", "credentials"]),
    ("url", &["host", "unix"]),
    ("properties", &["auth_data_file"]),
    ("key_password_file", &["key"]),
    ("sas_key_file", &["password", "password_file", "ask_password"]),
    ("credentials", &["password", "password_file", "ask_password"]),
];

/// A run to repeat.
pub(in crate::cli) struct EarlierRun {
    path: PathBuf,
    command: RecordedCommand,
    /// Unless each of several runs had its own.
    seed: Option<u32>,
}

impl EarlierRun {
    /// Reads the report that the words name, each an option with its value. The command line takes over its mode.
    ///
    /// # Errors
    /// If the file is not the report of a run that can be repeated, or has another mode than the command line.
    pub(in crate::cli) fn read(
        mode: &mut ChosenMode,
        words: &[OsString],
    ) -> Result<Option<EarlierRun>, Error> {
        let start = format!("{REPEAT_OF}=");
        let typed = words.iter().take_while(|word| *word != "--");
        let named = typed.filter_map(|word| word.as_encoded_bytes().strip_prefix(start.as_bytes()));
        let Some(path) = named.last() else { return Ok(None) };
        if !mode.has(recorded::REPEAT_OF) || words.iter().any(|word| word == "--help") {
            return Ok(None);
        }
        let path = PathBuf::from(std::os::unix::ffi::OsStrExt::from_bytes(path) as &OsStr);
        let run = EarlierRun::of_file(path)?;
        mode.adopt(&run.command.mode).map_err(|problem| run.usage(&problem))?;
        Ok(Some(run))
    }

    fn of_file(path: PathBuf) -> Result<EarlierRun, Error> {
        let refused = |problem: &str| Error::content(REPEAT_OF, &path, problem.to_owned());
        if std::fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(refused("it is not a regular file; worker processes read it again"));
        }
        let report = report_file::read(REPEAT_OF, &path)?;
        let Report { setup, hosts, repeat, .. } = report;
        let Some(command) = setup.command else {
            let merged = "it is a merged report; repeat each of the runs";
            let other = "it does not contain the options of the run, as an earlier version of mq wrote it; run the load again";
            return Err(refused(if hosts.len() > 1 { merged } else { other }));
        };
        let seed = setup.seed.filter(|_| repeat.is_none());
        let run = EarlierRun { path, command, seed };
        let known = MODES.iter().map(|mode| mode.name).filter(|name| !["merge", "compare"].contains(name));
        let known: Vec<&str> = known.collect();
        if !known.contains(&run.command.mode.as_str()) {
            let expected = format!("the mode is {:?}: expected {}", run.command.mode, one_of(&known));
            return Err(run.refused(expected));
        }
        Ok(run)
    }

    fn refused(&self, problem: String) -> Error {
        Error::content(REPEAT_OF, &self.path, problem)
    }

    /// A mistake on the command line.
    fn usage(&self, problem: &str) -> Error {
        Error::usage(format!("{REPEAT_OF} {}: {problem}", self.path.display()))
    }

    /// The text of the scenario file.
    pub(in crate::cli) fn scenario(&self) -> Option<&str> {
        self.command.scenario.as_deref()
    }

    /// The options of the report that the words do not override, and the secrets of a typed profile.
    ///
    /// # Errors
    /// If the report sets an option that it must not set, a file has changed, or a secret is missing.
    pub(in crate::cli) fn configuration(
        &self,
        own: &Command,
        words: &[OsString],
    ) -> Result<Configuration, Error> {
        let entries = self.entries(own)?;
        let entries = config::below_typed(own, words, entries);
        let secrets = self.secrets_of_profile(own, words)?;
        self.check_secrets(own, words, &secrets)?;
        self.check_files(own, words, &entries)?;
        Ok(Configuration::of_report(entries.into_iter().chain(secrets).collect()))
    }

    fn entries(&self, own: &Command) -> Result<Vec<Entry>, Error> {
        let seed = self.seed.map(|seed| vec![format!("--{}", recorded::SEED), seed.to_string()]);
        let seed = seed.into_iter().filter_map(|words| self.entry(own, &words, |_| true).ok());
        let entries = self.command.options.iter().map(|words| self.entry(own, words, is_recorded_or_seed));
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(|problem| self.refused(problem))?;
        Ok(entries.into_iter().chain(seed).collect())
    }

    /// The entry for an option with the words of its value.
    fn entry(
        &self,
        own: &Command,
        words: &[String],
        is_allowed: impl Fn(&Arg) -> bool,
    ) -> Result<Entry, String> {
        let (name, values) = words.split_first().ok_or("it has an option without a name")?;
        let arg = argv::find(own, name.as_ref()).filter(|arg| is_allowed(arg));
        let arg = arg.ok_or_else(|| format!("it sets {name}, which a report cannot set"))?;
        let following: Vec<OsString> = values.iter().map(OsString::from).collect();
        let count = match arg.get_long() {
            _ if config::is_flag(arg) => 0,
            Some(PROPERTY) => argv::value_count(PROPERTY, &following),
            _ => 1,
        };
        if values.len() != count || values.iter().any(|value| value.contains('\0')) {
            return Err(format!("its value of {name} is not one of that option"));
        }
        let value = following.join(OsStr::new(SEPARATOR));
        if is_secret(arg, &value) {
            return Err(format!("it sets {name} to a secret, which a report cannot set"));
        }
        let word = match count {
            0 => OsString::from(name),
            _ => argv::joined(own, Names::Mq, arg, &following),
        };
        let path: Rc<Path> = self.path.as_path().into();
        let mut entry = Entry::typed(arg, &value);
        (entry.word, entry.origin) = (Some(word), Origin::Report(path));
        Ok(entry)
    }

    /// The values of a typed profile for the options that the report leaves out.
    fn secrets_of_profile(&self, own: &Command, words: &[OsString]) -> Result<Vec<Entry>, Error> {
        if !config::names_profile(words) || self.command.left_out.is_empty() {
            return Ok(Vec::new());
        }
        let profile = config::read(own, Names::Mq, words)?;
        let wanted = |entry: &Entry| {
            let ids = self.command.left_out.iter().filter_map(|name| left_out_option(own, name));
            let ids = ids.flat_map(|arg| ids_of(arg.get_id().as_str()));
            matches!(entry.origin, Origin::Profile { .. }) && ids.into_iter().any(|id| id == entry.id())
        };
        Ok(profile.entries.into_iter().filter(wanted).collect())
    }

    /// Refuses a run without one of the secrets of the earlier run.
    fn check_secrets(&self, own: &Command, words: &[OsString], profile: &[Entry]) -> Result<(), Error> {
        let typed = config::typed_options(own, words);
        let mut missing = Vec::new();
        for name in &self.command.left_out {
            let Some(arg) = left_out_option(own, name) else {
                return Err(self.refused(format!("it leaves out {name}, which is not an option of a load")));
            };
            let is_same = |(arg, value): &(&Arg, OsString)| {
                let is_url = arg.get_id() == "url" && name == recorded::PASSWORD;
                recorded::secret_name(arg, value) == *name
                    || (is_url && url::has_credentials(&value.to_string_lossy()).1)
            };
            let ids = ids_of(arg.get_id().as_str());
            let is_alternative = |id: &str| ids.contains(&id) && !(id == arg.get_id() && name.contains(' '));
            let is_typed = typed.iter().any(|set| is_same(set) || is_alternative(set.0.get_id().as_str()));
            if !is_typed && !profile.iter().any(|entry| ids.contains(&entry.id())) {
                missing.push(name.as_str());
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let (missing, them) = (missing.join(", "), if missing.len() == 1 { "it" } else { "them" });
        Err(self.usage(&format!("secrets are not in reports, so set {them} again: {missing}")))
    }

    /// Refuses files with another content than in the earlier run.
    fn check_files(&self, own: &Command, words: &[OsString], entries: &[Entry]) -> Result<(), Error> {
        let is_content = |entry: &&Entry| {
            own.get_arguments().any(|arg| arg.get_id().as_str() == entry.id() && names_content(arg))
        };
        let of_options = entries.iter().filter(is_content).filter_map(|entry| entry.value().to_str());
        let mut paths: Vec<String> = of_options.map(str::to_owned).collect();
        if !config::typed_options(own, words).iter().any(|(arg, _)| arg.get_id() == "file") {
            paths.extend(self.scenario().map(files_of_scenario).unwrap_or_default());
        }
        paths.iter().try_for_each(|path| self.check_file(path))
    }

    fn check_file(&self, path: &str) -> Result<(), Error> {
        let recorded = self.command.files.iter().find(|file| file.path == path);
        let before = recorded.and_then(|file| file.sha256.as_ref());
        let problem = match (before, recorded::digest(Path::new(path))) {
            (None, _) => "it does not record the content of",
            (Some(_), None) => "cannot read",
            (Some(before), Some(now)) if *before != now => "another content than in that run:",
            (Some(_), Some(_)) => return Ok(()),
        };
        Err(self.refused(format!("{problem} {path}; restore the file, or name it on the command line")))
    }
}

/// A report of repeated runs may set the seed of each.
fn is_recorded_or_seed(arg: &Arg) -> bool {
    is_recorded(arg) || arg.get_id() == recorded::SEED
}

/// The option of a secret that a report leaves out.
fn left_out_option<'a>(own: &'a Command, name: &str) -> Option<&'a Arg> {
    argv::find(own, name.split(' ').next()?.as_ref()).filter(|arg| is_recorded(arg))
}

/// The option itself and its alternatives.
fn ids_of(id: &str) -> Vec<&str> {
    let others = ALTERNATIVES.iter().find(|(option, _)| *option == id).map(|(_, others)| *others);
    [id].into_iter().chain(others.into_iter().flatten().copied()).collect()
}
