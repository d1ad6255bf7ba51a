//! The differences between two runs: a merge refuses them, a comparison with a baseline lists them.

use super::json::scenario_word;
use super::{Group, Load, Planned, RecordedCommand, Report, TlsCount};
use crate::bench::plan::Volume;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The characters of an option's value and of a digest in a comparison.
const LONGEST_VALUE: usize = 100;
const SHOWN_OF_DIGEST: usize = 12;

/// A row per difference: the key and both values.
pub(crate) type Differences = Vec<(String, String, String)>;

impl Report {
    /// The differences between two runs, except the number of clients.
    pub(super) fn differences(&self, other: &Report) -> Differences {
        let names =
            |report: &Report| report.groups.iter().map(|group| group.name.clone()).collect::<Vec<_>>();
        let mut all = self.plan.differences(&other.plan);
        let (ours, theirs) = (names(self).join(", "), names(other).join(", "));
        if ours == theirs {
            let groups = self.groups.iter().zip(&other.groups);
            all.extend(groups.flat_map(|(ours, theirs)| ours.differences(theirs)));
        } else if self.plan.scenario == other.plan.scenario {
            all.push(("the groups".to_owned(), ours, theirs));
        }
        all
    }

    /// The differences between two runs, including the number of clients.
    pub(crate) fn all_differences(&self, other: &Report) -> Differences {
        let mut all = self.plan.extents(&other.plan);
        all.extend(self.differences(other));
        if let (Volume::Messages(first), Volume::Messages(second)) = (self.plan.volume, other.plan.volume) {
            all.extend(difference("messages", &first, &second));
        }
        all
    }
}

impl Report {
    /// The options that differ, and the texts and files that shape the load: also those that the plan does not describe, and those
    /// that do not change the load, as the host. None if one of the reports has no options.
    pub(crate) fn option_differences(&self, other: &Report) -> Differences {
        let mut all = self.typed_differences(other);
        if let Some((first, second)) = self.negotiated_tls().zip(other.negotiated_tls()) {
            all.extend(difference("the negotiated TLS", &first, &second));
        }
        all
    }

    /// The algorithms that full handshakes of TLS negotiated, in words.
    fn negotiated_tls(&self) -> Option<String> {
        let full = self.tls.by_count().into_iter().filter(|one| one.signature.is_some());
        let words: BTreeSet<String> = full.map(TlsCount::words).collect();
        (!words.is_empty()).then(|| Vec::from_iter(words).join(" and "))
    }

    fn typed_differences(&self, other: &Report) -> Differences {
        let Some((first, second)) = self.setup.command.as_ref().zip(other.setup.command.as_ref()) else {
            return Vec::new();
        };
        let (first, second) = (option_texts(first), option_texts(second));
        let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
        let text = |options: &BTreeMap<String, String>, name: &String| {
            options.get(name).cloned().unwrap_or_else(|| "not set".to_owned())
        };
        let differing = names.into_iter().filter(|name| first.get(*name) != second.get(*name));
        differing.map(|name| (name.clone(), text(&first, name), text(&second, name))).collect()
    }
}

/// The value of each option as text; of a scenario and of files, a part of the digest.
fn option_texts(command: &RecordedCommand) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for words in &command.options {
        let Some((name, value)) = words.split_first() else { continue };
        let value = if value.is_empty() { "set".to_owned() } else { value.join(" ") };
        let value: String = value.chars().take(LONGEST_VALUE).collect();
        texts.entry(name.clone()).and_modify(|text| *text = format!("{text}, {value}")).or_insert(value);
    }
    texts.extend(command.left_out.iter().map(|name| (name.clone(), "a secret".to_owned())));
    let short = |digest: &str| digest.chars().take(SHOWN_OF_DIGEST).collect::<String>();
    for file in &command.files {
        let digest = file.sha256.as_deref().map_or("unknown".to_owned(), short);
        texts.insert(format!("the content of {}", file.path), digest);
    }
    if let Some(text) = &command.scenario {
        let digest: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        texts.insert("the scenario file".to_owned(), short(&digest));
    }
    texts
}

/// A row if two values differ.
fn difference<T: PartialEq + ToString>(key: &str, first: &T, second: &T) -> Option<(String, String, String)> {
    (first != second).then(|| (key.to_owned(), first.to_string(), second.to_string()))
}

/// The differences between two loads; none if one of the reports does not record its load.
fn of_loads(first: Option<&Load>, second: Option<&Load>) -> Differences {
    first.zip(second).map(|(first, second)| first.differences(second)).unwrap_or_default()
}

impl Planned {
    /// The settings that are equal in all shards of a run.
    fn differences(&self, other: &Planned) -> Differences {
        let seconds = |time: Duration| format!("{} s", time.as_secs_f64());
        let volume = |plan: &Planned| match plan.volume {
            Volume::Messages(_) => "a number of messages".to_owned(),
            Volume::Duration(duration) => seconds(duration),
        };
        let rows = [
            difference("the scenario", &scenario_word(self.scenario), &scenario_word(other.scenario)),
            difference("the warm-up", &seconds(self.warm_up), &seconds(other.warm_up)),
            difference("the version", &self.version.to_string(), &other.version.to_string()),
            difference("the payload's size", &self.payload_size, &other.payload_size),
            difference("the volume", &volume(self), &volume(other)),
        ];
        let mut rows: Differences = rows.into_iter().flatten().collect();
        rows.extend(of_loads(self.load.as_ref(), other.load.as_ref()));
        rows
    }

    /// The settings that vary by shard.
    fn extents(&self, other: &Planned) -> Differences {
        let connects = |plan: &Planned| plan.connect_rate.map_or("none".to_owned(), |rate| rate.to_string());
        let rate = |plan: &Planned| plan.rate.map_or("none".to_owned(), |rate| rate.to_string());
        let rows = [
            difference("clients", &self.clients, &other.clients),
            difference("publishers", &self.publishers, &other.publishers),
            difference("subscribers", &self.subscribers, &other.subscribers),
            difference("the rate", &rate(self), &rate(other)),
            difference("the connect rate", &connects(self), &connects(other)),
        ];
        rows.into_iter().flatten().collect()
    }
}

impl Group {
    /// The settings that are equal in all shards of a run.
    fn differences(&self, other: &Group) -> Differences {
        let key = |key: &str| match self.name.as_str() {
            "" => key.to_owned(),
            name => format!("{key} of {name}"),
        };
        let listens = |group: &Group| group.listens_to.clone().unwrap_or_else(|| "none".to_owned());
        let shares = |group: &Group| group.share.clone().unwrap_or_else(|| "none".to_owned());
        let scenario = |group: &Group| scenario_word(group.scenario);
        let rows = [
            difference(&key("the scenario"), &scenario(self), &scenario(other)),
            difference(&key("the QoS"), &self.qos.to_string(), &other.qos.to_string()),
            difference(
                &key("the subscriptions' QoS"),
                &self.subscription_qos.to_string(),
                &other.subscription_qos.to_string(),
            ),
            difference(&key("the payload's size"), &self.payload_sizes.1, &other.payload_sizes.1),
            difference(&key("the messages in flight"), &self.in_flight, &other.in_flight),
            difference(&key("the topic filter"), &listens(self), &listens(other)),
            // A report without the load does not record the shared subscription either.
            difference(&key("the shared subscription"), &shares(self), &shares(other))
                .filter(|_| self.shape.is_some() && other.shape.is_some()),
        ];
        let shapes = of_loads(self.shape.as_ref(), other.shape.as_ref());
        let shapes = shapes.into_iter().map(|(name, first, second)| (key(&name), first, second));
        // The plan already lists these two for the only group.
        let said = if self.name.is_empty() { ["the scenario", "the payload's size"] } else { [""; 2] };
        rows.into_iter().flatten().filter(|(key, _, _)| !said.contains(&key.as_str())).chain(shapes).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    fn with_tls(counts: &[(&str, Option<&str>, u64)]) -> Report {
        let counts = counts.iter().map(|(group, signature, count)| TlsCount {
            version: "TLS 1.3".to_owned(),
            suite: "TLS_AES_128_GCM_SHA256".to_owned(),
            group: Some((*group).to_owned()),
            signature: signature.map(str::to_owned),
            count: *count,
        });
        Report { tls: counts.collect(), ..report() }
    }

    #[test]
    fn other_algorithms_of_tls_are_a_difference() {
        let one = with_tls(&[("x25519", Some("ed25519"), 7), ("x25519", None, 3)]);
        let same = with_tls(&[("x25519", Some("ed25519"), 9)]);
        let other = with_tls(&[("secp384r1", Some("ed25519"), 7)]);
        assert_eq!(one.option_differences(&same), []);
        assert_eq!(one.option_differences(&report()), [], "without TLS, the transport differs");
        let [first, second] =
            ["x25519", "secp384r1"].map(|group| format!("TLS 1.3, TLS_AES_128_GCM_SHA256, {group}, ed25519"));
        assert_eq!(one.option_differences(&other), [("the negotiated TLS".to_owned(), first, second)]);
    }
}
