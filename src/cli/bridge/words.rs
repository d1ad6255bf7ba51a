//! Texts about connection options in the words of a bridge: the keys of profiles, or those of a section of mosquitto.conf.
//!
//! A bridge has two clients, and `mq bridge` does not have their options. So messages about `-u` must name the key that sets
//! the user of that side.

use super::conf::Place;
use super::keys;
use crate::bridge::Side;
use crate::cli::config::side::option_keys;
use crate::cli::{Error, UsageError};

/// The place where the connection options of a side are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// `--from` or `--to`, which take a profile or a URL.
    Profile,
    /// A section of mosquitto.conf.
    File,
}

impl Words {
    /// A text with keys in place of the options of a client.
    pub(crate) fn translate(self, side: Side, text: &str) -> String {
        let broker = self.broker(side);
        let sends_it = match self {
            Words::Profile => "; allow-control-characters in a profile sends it",
            Words::File => "",
        };
        let phrases = [
            ("; --allow-control-characters sends it", sends_it.to_owned()),
            ("-h HOST and -p PORT select another", format!("{broker} HOST:PORT selects another")),
            ("-p PORT and --ws-path PATH", format!("{broker} HOST:PORT and --ws-path PATH")),
            ("-p PORT", format!("{broker} HOST:PORT")),
            ("-h takes", format!("{broker} takes")),
            ("without -i the broker chooses one", "without it the bridge makes one".to_owned()),
        ];
        let text = phrases.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        let known = option_keys();
        let mut translated = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(start) = rest.find('-') {
            let (before, option) = rest.split_at(start);
            let length =
                option.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').count();
            let (option, after) = option.split_at(length);
            let begins = translated.chars().chain(before.chars()).next_back();
            let is_word = begins.is_none_or(|last| !last.is_alphanumeric());
            let key = known.iter().find(|(name, _)| is_word && name == option).map(|(_, key)| key.as_str());
            translated.push_str(before);
            translated.push_str(key.map_or(option, |key| self.word(side, key)));
            rest = after;
        }
        translated.push_str(rest);
        translated
    }

    /// An error about the options of a side. `place_of` has the place of a key in the file.
    pub(super) fn error(self, side: Side, error: Error, place_of: impl Fn(&str) -> Option<Place>) -> Error {
        match (self, error) {
            (_, Error::Usage(error @ UsageError::Line { .. })) => Error::Usage(error),
            // The value has a place already, of a file or a variable.
            (_, Error::Usage(UsageError::Invalid { option, problem })) if !option.starts_with('-') => {
                let problem = match self {
                    Words::File => self.translate(side, &problem.to_string()).into(),
                    Words::Profile => problem,
                };
                Error::Usage(UsageError::Invalid { option, problem })
            }
            (Words::File, Error::Usage(error)) => {
                let text = self.translate(side, &error.to_string());
                match place_of(&text) {
                    Some(place) => place.mistake(text),
                    None => Error::usage(text),
                }
            }
            (Words::Profile, Error::Usage(error)) => {
                let option = self.broker(side);
                let text = error.to_string();
                match text.starts_with(option) {
                    true => Error::Usage(error),
                    false => Error::usage(UsageError::invalid(option, self.translate(side, &text))),
                }
            }
            (_, Error::Unusable { option, path, problem }) => {
                let key = option.trim_start_matches('-');
                let option = match self {
                    Words::File => keys::name_of(key, side).unwrap_or(option),
                    Words::Profile => key,
                };
                Error::Unusable { option, path, problem: self.translate(side, &problem) }
            }
            (_, other) => other,
        }
    }

    /// The option or the key that selects the broker.
    fn broker(self, side: Side) -> &'static str {
        match (self, side) {
            (Words::Profile, Side::Local) => "--from",
            (Words::Profile, Side::Remote) => "--to",
            (Words::File, Side::Local) => "local_address",
            (Words::File, Side::Remote) => "address",
        }
    }

    /// The word for a connection option.
    fn word(self, side: Side, key: &str) -> &str {
        match (self, key) {
            (_, "host" | "port" | "url") => self.broker(side),
            (Words::File, key) => keys::name_of(key, side).unwrap_or(key),
            (Words::Profile, key) => key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_the_keys_of_their_side() {
        let text = "-P without -u, which MQTT 3.1.1 does not allow; add -u NAME";
        for (words, side, expected) in [
            (
                Words::File,
                Side::Remote,
                "remote_password without remote_username, which MQTT 3.1.1 does not allow; add remote_username NAME",
            ),
            (
                Words::File,
                Side::Local,
                "local_password without local_username, which MQTT 3.1.1 does not allow; add local_username NAME",
            ),
            (
                Words::Profile,
                Side::Local,
                "password without username, which MQTT 3.1.1 does not allow; add username NAME",
            ),
        ] {
            assert_eq!(words.translate(side, text), expected);
        }
    }

    #[test]
    fn options_are_whole_words() {
        for (text, expected) in [
            ("--psk-identity needs --psk", "bridge_identity needs bridge_psk"),
            ("(--cafile, --capath)", "(bridge_cafile, bridge_capath)"),
            ("SHA-256 and x-u stay, `-i` does not", "SHA-256 and x-u stay, `remote_clientid` does not"),
            (
                "is the broker running there? -h HOST and -p PORT select another",
                "is the broker running there? address HOST:PORT selects another",
            ),
            ("-", "-"),
        ] {
            assert_eq!(Words::File.translate(Side::Remote, text), expected);
        }
    }
}
