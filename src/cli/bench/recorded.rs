//! The options of a run for its report: all that shape the load, from the command line, option files, profiles and variables.
//! Secrets, and the names of files with secrets, are left out.

use super::chosen_mode;
use super::run::Run;
use crate::bench::plan::Plan;
use crate::bench::report::{RecordedCommand, RecordedFile};
use crate::cli::config::{self, Entry};
use crate::cli::properties::SEPARATOR;
use clap::{Arg, ArgMatches, Command};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use toml::{Table, Value};

/// The option that repeats a run.
pub(super) const REPEAT_OF: &str = "repeat_of";

/// The seed has a key of its own in the report.
pub(super) const SEED: &str = "seed";

/// Headings of options that do not shape the load, with the exceptions.
const OTHER_HEADINGS: [&str; 4] = ["Report", "Diagnostics", "General", "Scenario"];
const OF_REPORT: [&str; 2] = ["search", "until"];

/// Options under other headings that do not shape the load, or that write a file.
const NOT_RECORDED: [&str; 5] = [REPEAT_OF, SEED, "start_at", "profile", "tls_keylog"];

/// Options whose values are secrets or name files with secrets. A report that names such a file could send it to its own broker.
const SECRET: [&str; 10] = [
    "password",
    "password_file",
    "psk",
    "ws_header",
    "auth_data_file",
    "credentials",
    "key",
    "key_password_file",
    "sas_key_file",
    "tls_engine_kpass_sha1",
];

/// Headings of the options whose files do not shape the load.
const CONNECTING: [&str; 3] = ["Connection", "TLS", "Hosted brokers"];

/// The number of bytes of a file that are read at a time.
const CHUNK: usize = 64 * 1024;

/// The name of a password that a variable set.
pub(super) const PASSWORD: &str = "--pw";

/// Whether the option shapes the load.
pub(super) fn is_recorded(arg: &Arg) -> bool {
    let (id, heading) = (arg.get_id().as_str(), arg.get_help_heading().unwrap_or_default());
    let is_named = arg.get_long().is_some() || arg.get_short().is_some();
    is_named
        && id != "help"
        && !arg.is_hide_set()
        && !NOT_RECORDED.contains(&id)
        && (!OTHER_HEADINGS.contains(&heading) || OF_REPORT.contains(&id))
}

/// Whether a value of the option is a secret, or names a file with secrets.
pub(super) fn is_secret(arg: &Arg, value: &OsStr) -> bool {
    let id = arg.get_id().as_str();
    // A query can contain a token.
    let has_query = ["url", "ws_path"].contains(&id) && value.as_encoded_bytes().contains(&b'?');
    SECRET.contains(&id) || has_query || Entry::typed(arg, value).is_secret()
}

/// Whether the content of the file that the option names is a part of the load.
pub(super) fn names_content(arg: &Arg) -> bool {
    let heading = arg.get_help_heading().unwrap_or_default();
    is_recorded(arg) && config::is_path(arg) && !CONNECTING.contains(&heading)
}

/// The option as typed.
pub(super) fn name_of(arg: &Arg) -> String {
    match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => String::new(),
    }
}

/// The options that were set, in their order.
pub(in crate::cli) fn options(mode: &str, own: &Command, matches: &ArgMatches) -> RecordedCommand {
    let mut found = Vec::new();
    for arg in own.get_arguments().filter(|arg| is_recorded(arg)) {
        let id = arg.get_id().as_str();
        if config::is_typed(matches, id) {
            let values = matches.get_raw(id).into_iter().flatten();
            let indices = matches.indices_of(id).into_iter().flatten();
            found.extend(indices.zip(values).map(|(index, value)| (index, arg, value)));
        }
    }
    found.sort_by_key(|(index, ..)| *index);
    let mut command = RecordedCommand { mode: mode.to_owned(), ..RecordedCommand::default() };
    for (_, arg, value) in found {
        match value.to_str().filter(|_| !is_secret(arg, value)) {
            Some(_) if config::is_flag(arg) => command.options.push(vec![name_of(arg)]),
            Some(value) => {
                let values = value.split(SEPARATOR).map(str::to_owned);
                command.options.push([name_of(arg)].into_iter().chain(values).collect());
            }
            None => leave_out(&mut command, secret_name(arg, value)),
        }
    }
    command
}

fn leave_out(command: &mut RecordedCommand, name: String) {
    if !command.left_out.contains(&name) {
        command.left_out.push(name);
    }
}

/// The option without its secret: a header keeps its name, and a property its packet and its name.
pub(super) fn secret_name(arg: &Arg, value: &OsStr) -> String {
    let (option, value) = (name_of(arg), value.to_string_lossy());
    match arg.get_id().as_str() {
        "ws_header" => match value.split_once(':') {
            Some((name, _)) => format!("{option} {}", name.trim()),
            None => option,
        },
        "properties" => {
            let words: Vec<&str> = value.split(SEPARATOR).take(2).collect();
            format!("{option} {}", words.join(" "))
        }
        _ => option,
    }
}

impl Run {
    /// The options with the parts that are known once the plan is made: credentials from variables, the scenario file, and the
    /// content of files.
    pub(crate) fn recorded(&self, plan: &Plan) -> Option<RecordedCommand> {
        let mut command = self.recorded.clone()?;
        let connection = &self.args.client.connection;
        let identities = &plan.broker.identities;
        if let (true, Some(name)) = (connection.is_username_offered, &connection.username) {
            command.options.push(vec!["--username".to_owned(), name.clone()]);
        }
        if connection.is_password_offered() && connection.password.is_some() && identities.password.is_some()
        {
            leave_out(&mut command, PASSWORD.to_owned());
        }
        let repeats =
            command.options.iter().any(|words| words.first().is_some_and(|name| name == "--repeat"));
        if let (Some(seed), true) = (self.seed, repeats) {
            command.options.push(vec![format!("--{SEED}"), seed.to_string()]);
        }
        command.scenario = self.scenario_text().map(str::to_owned);
        let all = chosen_mode::all_options();
        let mut paths: Vec<String> = Vec::new();
        for words in &command.options {
            if let [name, path] = words.as_slice()
                && crate::cli::argv::find(&all, name.as_ref()).is_some_and(names_content)
            {
                paths.push(path.clone());
            }
        }
        paths.extend(command.scenario.as_deref().map(files_of_scenario).unwrap_or_default());
        let mut seen = HashSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        let files = paths.into_iter().map(|path| RecordedFile { sha256: digest(Path::new(&path)), path });
        command.files = files.collect();
        Some(command)
    }
}

/// The files that a scenario file names.
pub(super) fn files_of_scenario(text: &str) -> Vec<String> {
    let all = chosen_mode::all_options();
    let keys: HashSet<&str> =
        all.get_arguments().filter(|arg| names_content(arg)).map(|arg| arg.get_id().as_str()).collect();
    let Ok(table) = toml::from_str::<Table>(text) else { return Vec::new() };
    let groups = table.get("group").and_then(Value::as_array).into_iter().flatten();
    let tables = groups.filter_map(Value::as_table).chain([&table]);
    let files = tables.flatten().filter(|(key, _)| keys.contains(key.as_str()));
    files.filter_map(|(_, value)| Some(value.as_str()?.to_owned())).collect()
}

/// The SHA-256 digest of a file in hexadecimal; `None` for a pipe or a device, and if it cannot be read.
pub(super) fn digest(path: &Path) -> Option<String> {
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let (mut hash, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        match file.read(&mut chunk).ok()? {
            0 => break,
            count => hash.update(chunk.get(..count)?),
        }
    }
    let hex = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(hex)
}
