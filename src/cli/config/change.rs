//! Sets or unsets a value of a file of profiles, and checks that the file does not become invalid.

use super::check::{Finding, FindingKind, of_changeable};
use super::document::{DEFAULT_PROFILE, DEFAULTS, Document, PROFILES, unknown_key};
use super::edit::{self, Literal};
use super::entry::table_of;
use super::file::{self, Source};
use super::options::{Options, is_flag, is_repeated, key};
use super::toml_value::{literal, quoted};
use crate::cli::Error;
use clap::Arg;
use std::path::Path;
use toml::de::DeTable;

/// A change of one value.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// The profile; without one, the defaults.
    pub(crate) profile: Option<&'a str>,
    pub(crate) key: &'a str,
    /// The new value, which is a list for a repeatable option; `None` to unset it.
    pub(crate) values: Option<&'a [String]>,
}

/// The new text of a file.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) text: String,
    /// The settings that are still missing or wrong.
    pub(crate) notes: Vec<String>,
}

impl Change<'_> {
    /// The table with the key, by its names from the top.
    fn table(&self) -> Vec<&str> {
        match self.profile {
            Some(profile) => vec![PROFILES, profile],
            None if self.key == DEFAULT_PROFILE => Vec::new(),
            None => vec![DEFAULTS],
        }
    }

    /// The table as messages name it.
    fn shown_table(&self) -> String {
        self.profile.map_or_else(|| format!("[{DEFAULTS}]"), table_of)
    }

    /// Changes the file with this path, text and mode. Earlier mistakes in other values do not prevent it.
    ///
    /// # Errors
    /// If the text is not TOML, the key or the value is invalid, or the value contradicts another one.
    pub(crate) fn apply(&self, path: &Path, text: &str, mode: u32) -> Result<Changed, Error> {
        if !has_crlf(text) {
            return self.apply_to_lines(path, text, mode);
        }
        let Changed { text, notes } = self.apply_to_lines(path, &text.replace("\r\n", "\n"), mode)?;
        Ok(Changed { text: text.replace('\n', "\r\n"), notes })
    }

    fn apply_to_lines(&self, path: &Path, text: &str, mode: u32) -> Result<Changed, Error> {
        let options = Options::all();
        let document = |text: &str| {
            let source = Source { path: path.to_owned(), text: text.to_owned(), mode };
            Document::read(&source, &options)
        };
        let before = document(text);
        if DeTable::parse(text).is_err()
            && let Some(mistake) = before.mistakes.first()
        {
            return Err(Error::usage(format!("in {mistake}; `mq config edit` opens the file")));
        }
        let text = match self.values {
            Some(values) => edit::with(text, &self.table(), self.key, &self.literal(&options, values)?)?,
            None => edit::without(text, &self.table(), self.key)?
                .ok_or_else(|| Error::usage(self.not_set(&options, &before)))?,
        };
        let before = of_changeable(&options, &before);
        let after = of_changeable(&options, &document(&text));
        let (new, old): (Vec<Finding>, Vec<Finding>) = after.into_iter().partition(|finding| {
            let count = |findings: &[Finding]| findings.iter().filter(|other| other.is_same(finding)).count();
            count(&before) == 0
        });
        if let Some(finding) = new.iter().find(|finding| self.is_refused(finding)) {
            return Err(Error::usage(self.problem(finding)));
        }
        let (incomplete, wrong): (Vec<_>, Vec<_>) =
            new.iter().partition(|finding| finding.kind == FindingKind::Incomplete);
        let mut notes: Vec<String> = incomplete.into_iter().map(|finding| self.problem(finding)).collect();
        if !old.is_empty() || !wrong.is_empty() {
            notes.push("the file has mistakes; `mq config check` reports them".to_owned());
        }
        Ok(Changed { text, notes })
    }

    /// Whether a mistake that the change causes prevents it. Without a value, mistakes appear that it concealed.
    fn is_refused(&self, finding: &Finding) -> bool {
        match finding.kind {
            FindingKind::Text => true,
            FindingKind::Value | FindingKind::Contradiction => self.values.is_some(),
            FindingKind::Incomplete => false,
        }
    }

    /// The mistake, with the table unless it is obvious.
    fn problem(&self, finding: &Finding) -> String {
        let is_obvious = finding.kind == FindingKind::Value && finding.table == Some(self.shown_table());
        match finding.table.as_ref().filter(|_| !is_obvious) {
            Some(table) => format!("{table}: {}", finding.problem),
            None => finding.problem.clone(),
        }
    }

    /// The reason why there is nothing to unset.
    fn not_set(&self, options: &Options, document: &Document) -> String {
        let key = self.key;
        if key == DEFAULT_PROFILE && self.profile.is_none() {
            return format!("{key} is not set");
        }
        if let Some(profile) = self.profile.filter(|profile| document.profile(profile).is_none()) {
            return super::document::no_profile(profile, document);
        }
        let mut tables: Vec<String> = document
            .entries()
            .filter(|entry| entry.key == key)
            .filter_map(|entry| entry.origin.table())
            .collect();
        tables.dedup();
        match tables.as_slice() {
            [] if options.find(key).is_none() => self.unknown(options),
            [] => format!("{key} is not set"),
            tables => format!("{key} is not set in {}, but in {}", self.shown_table(), tables.join(", ")),
        }
    }

    /// Describes an unknown key. One with the table in front, as other tools have it, needs an option.
    fn unknown(&self, options: &Options) -> String {
        let key = self.key;
        let of_profile = key.strip_prefix(PROFILES).and_then(|rest| rest.strip_prefix('.'));
        match of_profile.unwrap_or(key).rsplit_once('.') {
            Some((DEFAULTS, inner)) if options.find(inner).is_some() => {
                format!("unknown key {key:?}: expected {inner}; [{DEFAULTS}] is the table without --profile")
            }
            Some((profile, inner)) if options.find(inner).is_some() => {
                format!("unknown key {key:?}: expected --profile {profile} {inner}")
            }
            _ if of_profile.is_some() || key == PROFILES => {
                format!("unknown key {key:?}: expected --profile NAME before a key, or {DEFAULT_PROFILE}")
            }
            _ => unknown_key(options, key),
        }
    }

    /// The value in TOML.
    fn literal(&self, options: &Options, values: &[String]) -> Result<Literal, Error> {
        let one = |value: &String, arg: &Arg| match value.as_str() {
            "true" | "false" if is_flag(arg) => Ok(value.clone()),
            _ if is_flag(arg) => {
                let problem = format!("invalid value '{value}' for {}: expected true or false", self.key);
                Err(Error::usage(problem))
            }
            _ => Ok(literal(value)),
        };
        if self.key == DEFAULT_PROFILE && self.profile.is_none() {
            let [value] = values else {
                return Err(Error::usage(format!("{DEFAULT_PROFILE} takes one value")));
            };
            return Ok(Literal::One(quoted(value)));
        }
        let arg = options.find(self.key).ok_or_else(|| Error::usage(self.unknown(options)))?;
        let values = values.iter().map(|value| one(value, arg)).collect::<Result<Vec<_>, _>>()?;
        match values.as_slice() {
            _ if is_repeated(arg) => Ok(Literal::List(values)),
            [value] => Ok(Literal::One(value.clone())),
            _ => Err(Error::usage(format!("{} takes one value", key(arg)))),
        }
    }
}

/// Reads the file, without a check.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn read(path: &Path) -> Result<(String, u32), Error> {
    let source = file::read_from(path)?;
    Ok((source.text, source.mode))
}

/// Whether each line ends with CR LF, as editors of Windows write them.
fn has_crlf(text: &str) -> bool {
    let pairs = text.matches("\r\n").count();
    pairs > 0 && pairs == text.matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Ours.\n\n# The usual one.\n[defaults] # for all\nkeepalive = 30 # s\n\n[profile.home]\nhost = 'a' # here\n\n[profile.b]\n";

    fn set(text: &str, profile: Option<&str>, key: &str, values: &[&str]) -> Result<String, String> {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        applied(text, &Change { profile, key, values: Some(&values) }).map(|changed| changed.text)
    }

    fn unset(text: &str, profile: Option<&str>, key: &str) -> Result<String, String> {
        applied(text, &Change { profile, key, values: None }).map(|changed| changed.text)
    }

    fn applied(text: &str, change: &Change<'_>) -> Result<Changed, String> {
        change.apply(Path::new("config.toml"), text, 0o600).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_is_replaced_or_added_and_comments_stay() {
        let changed = |profile, key, value| set(TEXT, profile, key, &[value]).unwrap();
        assert_eq!(changed(None, "keepalive", "60"), TEXT.replace("30", "60"));
        assert_eq!(changed(Some("home"), "host", "b\"c"), TEXT.replace("'a'", "\"b\\\"c\""));
        assert_eq!(changed(Some("home"), "ws", "true"), TEXT.replace("# here\n", "# here\nws = true\n"));
        assert_eq!(changed(Some("b"), "port", "1884"), format!("{TEXT}port = 1884\n"));
        assert_eq!(changed(Some("c d"), "port", "1884"), format!("{TEXT}\n[profile.\"c d\"]\nport = 1884\n"));
        assert_eq!(changed(None, "host", "x"), TEXT.replace("# s\n", "# s\nhost = \"x\"\n"));
        let default = changed(None, "default-profile", "home");
        assert_eq!(default, TEXT.replace("# The", "default-profile = \"home\"\n\n# The"));
        assert_eq!(set("", None, "host", &["x"]).unwrap(), "[defaults]\nhost = \"x\"\n");
        assert_eq!(set("[defaults]", None, "host", &["x"]).unwrap(), "[defaults]\nhost = \"x\"\n");
        let lists = set("", Some("a"), "ws-header", &["A: b", "C: d"]).unwrap(); // and --ws is missing
        assert_eq!(lists, "[profile.a]\nws-header = [\"A: b\", \"C: d\"]\n");
    }

    #[test]
    fn a_value_is_removed_and_comments_stay() {
        let without = |profile, key| unset(TEXT, profile, key).unwrap();
        assert_eq!(without(None, "keepalive"), TEXT.replace("keepalive = 30 # s", "# s"));
        assert_eq!(without(Some("home"), "host"), TEXT.replace("host = 'a' # here", "# here"));
        let list = "[profile.a]\n  property = [ # all\n    'connect user-property a b', # one\n  ] # end\nport = 1\n";
        let left = "[profile.a]\n  # all\n  # one\n  # end\nport = 1\n";
        assert_eq!(unset(list, Some("a"), "property").unwrap(), left);
        assert_eq!(unset("[defaults]\nport = 1", None, "port").unwrap(), "[defaults]\n");
        assert_eq!(
            unset("profile.a.port = 1\nprofile.a.host = 'b'\n", Some("a"), "port").unwrap(),
            "profile.a.host = 'b'\n"
        );
        assert_eq!(unset("[defaults]\nhostt = 'a'\n", None, "hostt").unwrap(), "[defaults]\n");
        let named = "default-profile = 'a'\n[profile.a]\n";
        assert_eq!(unset(named, None, "default-profile").unwrap(), "[profile.a]\n");
    }

    #[test]
    fn what_cannot_be_removed_is_refused() {
        let problem = |text, profile, key| unset(text, profile, key).unwrap_err();
        assert_eq!(problem(TEXT, Some("home"), "port"), "port is not set");
        let elsewhere = problem(TEXT, Some("home"), "keepalive");
        assert_eq!(elsewhere, "keepalive is not set in [profile.home], but in [defaults]");
        assert!(problem(TEXT, None, "hostt").contains("did you mean 'host'"));
        assert!(problem(TEXT, Some("hom"), "host").contains("did you mean 'home'"));
        assert!(problem("profile = { a = { host = 'a' } }\n", Some("a"), "host").contains("mq config edit"));
        assert!(problem("defaults = { host = 'a', port = 1 }\n", None, "port").contains("mq config edit"));
    }

    #[test]
    fn comments_in_a_list_stay() {
        let list =
            "[profile.a]\nws = true\nws-header = [\n  'A: b', # the first\n  # A comment.\n  'C: d'\n]\n";
        let changed = set(list, Some("a"), "ws-header", &["A: b", "E: f"]).unwrap();
        assert_eq!(changed, list.replace("'C: d'", "\"E: f\""));
        let one = set(list, Some("a"), "ws-header", &["A: b"]).unwrap();
        assert_eq!(one, list.replace("  'C: d'\n", ""));
        let table = "[profile.a.payloads]\nschema = 'x'\n\n# The end.\n";
        let changed = set(table, Some("a"), "host", &["b"]).unwrap();
        assert_eq!(changed, format!("{table}\n[profile.a]\nhost = \"b\"\n"));
    }

    #[test]
    fn tables_in_other_forms_are_changed_or_refused() {
        let inline = "profile = { home = { host = 'a' } }\n";
        assert_eq!(set(inline, Some("home"), "host", &["b"]).unwrap(), inline.replace("'a'", "\"b\""));
        assert!(set(inline, Some("home"), "port", &["1"]).unwrap_err().contains("mq config edit"));
        let dotted = "profile.home.host = 'a'\n";
        assert_eq!(set(dotted, Some("home"), "host", &["b"]).unwrap(), dotted.replace("'a'", "\"b\""));
        assert!(set(dotted, Some("home"), "port", &["1"]).unwrap_err().contains("mq config edit"));
    }

    #[test]
    fn invalid_keys_values_and_files_are_refused() {
        let problem = |profile, key: &str, values: &[&str]| set(TEXT, profile, key, values).unwrap_err();
        assert!(problem(None, "hostt", &["x"]).contains("did you mean 'host'"));
        assert!(problem(None, "port", &["65536"]).contains("65536"));
        assert!(problem(None, "ws", &["yes"]).contains("true or false"));
        assert!(problem(None, "host", &["a", "b"]).contains("one value"));
        assert!(problem(None, "default-profile", &["x"]).contains("unknown profile"));
        assert!(set("[defaults", None, "host", &["x"]).unwrap_err().contains("line 1"));
    }
}
