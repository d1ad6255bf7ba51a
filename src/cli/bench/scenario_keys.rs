//! The keys of scenario files. The parser's errors quote their examples, and tests compare the parser and docs/scenarios.md with them.

/// A key of a scenario file, as the document describes it.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// The type of its value.
    pub(super) value: &'static str,
    pub(super) meaning: &'static str,
    pub(super) default: &'static str,
    /// A valid value in TOML.
    pub(super) example: &'static str,
}

/// A commented file that runs as it is.
pub(super) const EXAMPLE: &str = include_str!("scenario_example.toml");

const DURATION: &str = "duration";
const COUNT: &str = "integer";
const TEXT: &str = "string";
const CONDITIONS: &str = "conditions, or a list of them";

/// The keys of the file, before the groups.
pub(super) static OF_FILE: [Key; 5] = [
    Key {
        name: "duration",
        value: DURATION,
        meaning: "Duration of the measurement. The run also ends when all groups have sent their `messages`",
        default: "the end of the last `stages` or `end`; 10 s if a group has no `messages`; else none",
        example: "\"1m\"",
    },
    Key {
        name: "warm_up",
        value: DURATION,
        meaning: "Time before the measurement in which all groups already send",
        default: "2 s if none of `duration`, `messages`, `stages` and `end` is set, else 0",
        example: "\"5s\"",
    },
    Key {
        name: "keep_connected",
        value: "duration, or `\"forever\"`",
        meaning: "Time for which all clients stay connected after the work is done, or `\"forever\"`: until Ctrl-C. `--keep-connected` replaces it",
        default: "none",
        example: "\"5m\"",
    },
    Key {
        name: "fail_if",
        value: CONDITIONS,
        meaning: "Conditions on the whole run: if one holds or was not measured, the exit status is 4. `--fail-if` replaces them",
        default: "none",
        example: "[\"p99>100ms\", \"loss>0\"]",
    },
    Key {
        name: "abort_if",
        value: CONDITIONS,
        meaning: "Conditions on the whole run: if one holds, the run ends early, with exit status 4. `--abort-if` replaces them",
        default: "none",
        example: "\"lost_connections>1%\"",
    },
];

/// The keys that every group must have.
pub(super) const REQUIRED: [&str; 2] = ["name", "scenario"];

/// The keys without an option, of all groups.
pub(super) const OF_ALL: [&str; 4] = ["start", "clean_start", "session_expiry", "reconnect"];

/// The keys without an option, of groups that publish.
pub(super) const OF_PUBLISHERS: [&str; 1] = ["end"];

pub(super) static OF_GROUP: [Key; 39] = [
    Key {
        name: "name",
        value: TEXT,
        meaning: "Name of the group in topics and reports, unique in the file: letters, digits, `-`, `_` and `.`",
        default: "required",
        example: "\"sensors\"",
    },
    Key {
        name: "scenario",
        value: "`\"pubsub\"`, `\"conn\"`, `\"pub\"`, `\"sub\"` or `\"rr\"`",
        meaning: "Work of the clients, as the modes of `mq bench`",
        default: "required",
        example: "\"pubsub\"",
    },
    Key {
        name: "clients",
        value: COUNT,
        meaning: "Number of clients; of publishers in groups that publish",
        default: "100",
        example: "1000",
    },
    Key {
        name: "publishers",
        value: COUNT,
        meaning: "Number of publishers",
        default: "`clients`; 1 with `topology = \"fan-out\"`",
        example: "50",
    },
    Key {
        name: "subscribers",
        value: COUNT,
        meaning: "Number of subscribers, or of clients that respond; 0 measures acknowledgements only",
        default: "one per publisher up to 100, then one per ten",
        example: "5",
    },
    Key {
        name: "topology",
        value: "`\"pairs\"`, `\"fan-in\"`, `\"fan-out\"` or `\"mesh\"`",
        meaning: "Assignment of subscribers to publishers; not together with `topic`",
        default: "by the numbers of clients",
        example: "\"fan-in\"",
    },
    Key {
        name: "qos",
        value: "0, 1 or 2; -1 at an MQTT-SN gateway",
        meaning: "QoS level of messages and subscriptions; -1 sends messages without a connection",
        default: "1",
        example: "2",
    },
    Key {
        name: "subscription_qos",
        value: "0, 1 or 2",
        meaning: "QoS level of the subscriptions",
        default: "`qos`",
        example: "1",
    },
    Key {
        name: "size",
        value: "size or range of sizes",
        meaning: "Payload size; the header of measured messages takes 24 bytes, with a rate 32",
        default: "64",
        example: "\"64..1KiB\"",
    },
    Key {
        name: "payload_file",
        value: "path",
        meaning: "File with the payload; with subscribers, it follows the header",
        default: "dots",
        example: "\"reading.json\"",
    },
    Key {
        name: "payload_recording",
        value: "path",
        meaning: "Messages that `mq sub --json` wrote to a file; the payloads are sent in order",
        default: "dots",
        example: "\"day.json\"",
    },
    Key {
        name: "recorded_topics",
        value: "boolean",
        meaning: "Send each message of `payload_recording` to its recorded topic",
        default: "false",
        example: "true",
    },
    Key {
        name: "payload_template",
        value: TEXT,
        meaning: "Payload with placeholders for numbers, times, random and generated values, see *Payload templates*; with subscribers, it follows the header",
        default: "dots",
        example: "'{\"t\": {walk:18.0..25.0:0.1}}'",
    },
    Key {
        name: "topic",
        value: TEXT,
        meaning: "Topic template with `{run}`, `{i}`, `{s}`, `{client}` and the placeholders of payloads; the topic filter of a `sub` group, which requires it",
        default: "`mq-bench/{run}/NAME/{s}/{i}`",
        example: "\"plant/{i}/temperature\"",
    },
    Key {
        name: "topic_id",
        value: COUNT,
        meaning: "Predefined topic id of all messages at an MQTT-SN gateway, instead of `topic`",
        default: "none",
        example: "7",
    },
    Key {
        name: "topics",
        value: "path",
        meaning: "CSV file of topics, whose first line names the columns: `topic`, `qos`, and `weight` or `rate`",
        default: "none",
        example: "\"topics.csv\"",
    },
    Key {
        name: "retain",
        value: "boolean",
        meaning: "Retain the messages: the broker keeps the last one of each topic",
        default: "false",
        example: "true",
    },
    Key {
        name: "share",
        value: TEXT,
        meaning: "Name of one shared subscription for all subscribers; each message goes to one of them",
        default: "none",
        example: "\"workers\"",
    },
    Key {
        name: "messages",
        value: COUNT,
        meaning: "Number of messages of all publishers of the group together",
        default: "as many as fit in `duration`",
        example: "10000",
    },
    Key {
        name: "in_flight",
        value: COUNT,
        meaning: "Maximum number of unacknowledged QoS 1 and 2 messages per publisher, or of unanswered requests",
        default: "20; 1 in `rr` groups",
        example: "10",
    },
    Key {
        name: "rate",
        value: "rate",
        meaning: "Messages per second of all publishers of the group together, at planned times",
        default: "as fast as the broker acknowledges",
        example: "\"5k/s\"",
    },
    Key {
        name: "arrivals",
        value: "`\"constant\"` or `\"poisson\"`",
        meaning: "Distribution of the planned times: equal or random intervals",
        default: "`\"constant\"`",
        example: "\"poisson\"",
    },
    Key {
        name: "burst",
        value: COUNT,
        meaning: "Number of messages that a publisher sends at a time, within `rate`",
        default: "1",
        example: "10",
    },
    Key {
        name: "ramp",
        value: "duration, or two rates",
        meaning: "Time in which `rate` grows from 0; or two rates that replace `rate`, from the first to the second over `duration`",
        default: "none",
        example: "\"100..5k\"",
    },
    Key {
        name: "stages",
        value: "list of rates and durations",
        meaning: "Rates one after another, instead of `rate`: a constant rate, a linear change, or 0 for a pause; nothing after the last one",
        default: "none",
        example: "[\"100 for 30s\", \"100..1k for 1m\", \"0 for 10s\"]",
    },
    Key {
        name: "on_off",
        value: "two durations",
        meaning: "On and off times of each publisher, in turn, from a random place in this cycle. `rate` stays the mean, so that publishers send faster while they are on",
        default: "always on",
        example: "\"10s/50s\"",
    },
    Key {
        name: "think",
        value: "duration or range",
        meaning: "Random pause of each publisher before each message, after the answer to the one before; `in_flight` is then 1 by default",
        default: "none",
        example: "\"50ms..2s\"",
    },
    Key {
        name: "start",
        value: DURATION,
        meaning: "Time in the measurement at which the clients of the group connect and begin to send",
        default: "before the load",
        example: "\"10s\"",
    },
    Key {
        name: "end",
        value: DURATION,
        meaning: "Time in the measurement from which on the group sends nothing; its clients stay connected",
        default: "`duration`",
        example: "\"40s\"",
    },
    Key {
        name: "keep_alive",
        value: "duration in whole seconds",
        meaning: "Keep-alive interval, at least 5 s",
        default: "`--keepalive`",
        example: "\"1m\"",
    },
    Key {
        name: "clean_start",
        value: "boolean",
        meaning: "Discard an existing session at the first connection; `false` keeps the sessions of subscribers in MQTT 3",
        default: "`true`, without `--disable-clean-session`",
        example: "false",
    },
    Key {
        name: "session_expiry",
        value: "duration in whole seconds, or -1 for never",
        meaning: "Session expiry interval, which needs MQTT 5: subscribers that reconnect get the messages that they missed",
        default: "0, or `-x`",
        example: "\"1h\"",
    },
    Key {
        name: "will_topic",
        value: TEXT,
        meaning: "Topic of the will of each client, with `{i}`, `{client}` and `{run}`",
        default: "`--will-topic`",
        example: "\"plant/{i}/state\"",
    },
    Key {
        name: "will_payload",
        value: TEXT,
        meaning: "Payload of the will",
        default: "empty",
        example: "\"offline\"",
    },
    Key { name: "will_qos", value: "0, 1 or 2", meaning: "QoS of the will", default: "0", example: "1" },
    Key {
        name: "will_retain",
        value: "boolean",
        meaning: "Retain the will at the broker for later subscribers",
        default: "false",
        example: "true",
    },
    Key {
        name: "reconnect",
        value: "duration, or `\"never\"`",
        meaning: "Delay before each attempt of a client to make a lost connection again; with `\"never\"`, the client leaves the run and counts as lost",
        default: "`\"never\"`",
        example: "\"2s\"",
    },
    Key {
        name: "fail_if",
        value: CONDITIONS,
        meaning: "Conditions on the messages and connections of this group: if one holds or was not measured, the exit status is 4",
        default: "none",
        example: "[\"p99>100ms\", \"loss>0\"]",
    },
    Key {
        name: "abort_if",
        value: CONDITIONS,
        meaning: "Conditions on the messages and connections of this group: if one holds, the whole run ends early, with exit status 4",
        default: "none",
        example: "\"lost_connections>1%\"",
    },
];

/// A key of the file or of a group.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    OF_FILE.iter().chain(&OF_GROUP).find(|key| key.name == name)
}
