//! A bridge as the options or a section of mosquitto.conf describe it, and its settings for the engine.

use super::args::BridgeArgs;
use super::conf::Place;
use super::words::Words;
use crate::bridge::Side;
use crate::bridge::loops::{self, Graph, Link, LinkEnd, Loop, LoopKind};
use crate::bridge::routes::{MAX_TARGETS, Routes};
use crate::bridge::rule::{Direction, Rule};
use crate::bridge::settings::{End, Pause, RetainMode, Settings};
use crate::cli::session::{ClientArgs, PersistenceArgs};
use crate::cli::{Error, Names, UsageError};
use crate::client::Options;
use crate::escape::shortened;
use crate::protocol::property::PropertyId;
use crate::protocol::topic::{TopicFilter, check_name};
use crate::protocol::{PropertiesBuf, Qos};
use crate::transport::{Address, Endpoint};
use std::collections::HashMap;

/// The most bytes of a text in MQTT.
const MAX_BYTES: usize = 65_535;

/// A bridge, before its clients are completed.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) name: String,
    /// The client identifiers, local and remote, unless the connection options set others.
    pub(super) client_ids: [String; 2],
    pub(crate) local: ClientArgs,
    pub(crate) remote: ClientArgs,
    /// Further addresses of the remote broker.
    pub(super) alternatives: Vec<(String, u16)>,
    pub(crate) rules: Vec<Rule>,
    pub(super) tuning: Tuning,
    pub(super) source: Source,
    /// The place of the local broker's options; those of the remote one have that of the plan.
    pub(super) local_words: Words,
}

/// The origin of a plan.
#[derive(Debug)]
pub(super) enum Source {
    Options,
    /// A section of a file, with the places of its keys.
    Section {
        place: Place,
        keys: Vec<(&'static str, Place)>,
    },
}

/// The settings that options and sections have in common.
#[derive(Debug)]
pub(super) struct Tuning {
    pub(super) round_robin: bool,
    pub(super) pause: Pause,
    pub(super) session_expiry: Option<u32>,
    pub(super) receive_maximum: Option<u16>,
    pub(super) maximum_packet_size: Option<u32>,
    pub(super) try_private: bool,
    pub(super) retain_out: RetainMode,
    pub(super) retain_in: RetainMode,
    /// `None` for the default, which depends on the broker.
    pub(super) notifications: Option<Notifications>,
    pub(super) notification_topic: Option<String>,
    pub(super) unsubscribes: bool,
}

/// The brokers that have the status topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notifications {
    Both,
    Local,
    None,
}

impl Source {
    /// The place of the first key in a text; that of the section if it has none of them.
    pub(super) fn place_of(&self, text: &str) -> Option<Place> {
        let Source::Section { place, keys } = self else { return None };
        let is_word = |word: &str, key: &str| word.trim_matches(|c: char| !c.is_alphanumeric()) == key;
        let named = text.split([' ', '(']).find_map(|word| keys.iter().find(|(key, _)| is_word(word, key)));
        Some(named.map_or(place, |(_, place)| place).clone())
    }
}

impl Plan {
    /// The settings of the bridge, once its clients are complete.
    ///
    /// # Errors
    /// The conflicting options, or a file that cannot be used.
    pub(super) fn settings(&self, args: &BridgeArgs) -> Result<Settings, Error> {
        self.try_settings(args).map_err(|error| match (&self.source, error) {
            (Source::Section { place, .. }, Error::Usage(error))
                if !matches!(error, UsageError::Line { .. }) =>
            {
                place.mistake(error.to_string())
            }
            (_, error) => error,
        })
    }

    /// The words for the connection options of a side.
    pub(crate) fn words(&self, side: Side) -> Words {
        match (side, &self.source) {
            (Side::Local, _) => self.local_words,
            (Side::Remote, Source::Options) => Words::Profile,
            (Side::Remote, Source::Section { .. }) => Words::File,
        }
    }

    /// The option or the key that sets the client identifier of a side.
    pub(crate) fn identifier_key(&self, side: Side) -> &'static str {
        let client = match side {
            Side::Local => &self.local,
            Side::Remote => &self.remote,
        };
        let is_in_options = client.identity.id.is_some() || client.identity.id_prefix.is_some();
        match (self.words(side), side) {
            (Words::Profile, Side::Local) if is_in_options => "id in the profile, or MQ_FROM_ID,",
            (Words::Profile, Side::Remote) if is_in_options => "id in the profile, or MQ_TO_ID,",
            _ => match (&self.source, side) {
                (Source::Options, _) => "--name",
                (Source::Section { .. }, Side::Local) => "local_clientid",
                (Source::Section { .. }, Side::Remote) => "remote_clientid",
            },
        }
    }

    /// An error about the connection options of a side, in words that the user of a bridge knows.
    pub(crate) fn in_words(&self, side: Side, error: Error) -> Error {
        self.words(side).error(side, error, |text| self.source.place_of(text))
    }

    fn try_settings(&self, args: &BridgeArgs) -> Result<Settings, Error> {
        let [local_id, remote_id] = &self.client_ids;
        let [out, incoming] = Direction::BOTH.map(|direction| Routes::compile(&self.rules, direction));
        for routes in [&out, &incoming] {
            if routes.maximum_targets() > MAX_TARGETS {
                return Err(Error::usage(format!(
                    "the rules have up to {} targets for one message; the maximum is {MAX_TARGETS}",
                    routes.maximum_targets()
                )));
            }
        }
        let local =
            self.end(&self.local, local_id, &[]).map_err(|error| self.in_words(Side::Local, error))?;
        let remote = self
            .end(&self.remote, remote_id, &self.alternatives)
            .map_err(|error| self.in_words(Side::Remote, error))?;
        let (local, remote) = (
            End { unsubscribe: self.obsolete(Direction::In, &out)?, ..local },
            End {
                unsubscribe: self.obsolete(Direction::Out, &incoming)?,
                maximum_packet_size: self.tuning.maximum_packet_size,
                receive_maximum: self.tuning.receive_maximum.or(remote.receive_maximum),
                session_expiry: self.tuning.session_expiry.unwrap_or(remote.session_expiry),
                round_robin: self.tuning.round_robin,
                ..remote
            },
        );
        let hop_mark = args.hop_mark.then(|| remote.options.client_id.clone());
        if let (Some(_), Some(side)) = (&hop_mark, side_without_v5(&local, &remote)) {
            return Err(Error::usage(format!(
                "--hop-mark is a property of MQTT 5, but the connection to the {side} broker uses an older version; set protocol-version in a profile, or bridge_protocol_version mqttv50 in a file"
            )));
        }
        let [local_status, remote_status] = self.status_topics(&remote.options.client_id)?;
        Ok(Settings {
            name: self.name.clone(),
            local,
            remote,
            out,
            incoming,
            queue: args.queue,
            retain_out: self.tuning.retain_out,
            retain_in: self.tuning.retain_in,
            rate: args.rate,
            maximum_age: args.max_age,
            local_status,
            remote_status,
            hop_mark,
            acknowledgement_timeout: args.ack_timeout,
            drain_timeout: args.drain_timeout,
        })
    }

    fn end(&self, client: &ClientArgs, client_id: &str, others: &[(String, u16)]) -> Result<End, Error> {
        let mut client = client.clone();
        if client.identity.id.is_none() && client.identity.id_prefix.is_none() {
            client.identity.id = Some(client_id.to_owned());
        }
        client.prefer_version_5(Names::Mq)?;
        client.network.check_no_topic()?;
        let persistence = PersistenceArgs { retries: None, max_inflight: 20 };
        let mut options = client.client_options(Names::Mq, &persistence, None)?;
        if options.will.is_some() {
            let text = "--will-topic cannot be used with a bridge, whose will is its status message";
            return Err(Error::usage(text));
        }
        check_identifier(&options.client_id).map_err(|problem| Error::usage(format!("-i: {problem}")))?;
        let properties = options.properties.as_properties();
        let session_expiry = properties.number(PropertyId::SessionExpiryInterval).unwrap_or(u32::MAX);
        let receive_maximum = properties.two_bytes(PropertyId::ReceiveMaximum);
        options.properties = without_engine_properties(&options.properties);
        let alternatives = others.iter().map(|place| endpoint(&client, place)).collect::<Result<_, _>>()?;
        let is_hosted = client.service(Names::Mq).is_some();
        Ok(End {
            options,
            alternatives,
            round_robin: false,
            pause: self.tuning.pause,
            session_expiry,
            receive_maximum,
            maximum_packet_size: None,
            maximum_qos: if is_hosted { Qos::AtLeastOnce } else { Qos::ExactlyOnce },
            try_private: self.tuning.try_private && !is_hosted,
            needs_no_local: false,
            unsubscribe: Vec::new(),
        })
    }

    /// The filters that a session may have from an earlier run, although no rule of today subscribes to them.
    fn obsolete(&self, direction: Direction, current: &Routes) -> Result<Vec<TopicFilter>, Error> {
        if !self.tuning.unsubscribes {
            return Ok(Vec::new());
        }
        let ways = self.rules.iter().flat_map(Rule::ways).filter(|way| way.direction == direction);
        let mut filters = Vec::new();
        for way in ways {
            let filter =
                TopicFilter::parse(way.target_filter()).map_err(|error| Error::usage(error.to_string()))?;
            let is_current = current.subscriptions().iter().any(|subscription| subscription.filter == filter);
            if !is_current && !filters.contains(&filter) {
                filters.push(filter);
            }
        }
        Ok(filters)
    }

    /// The status topics, local and remote.
    fn status_topics(&self, client_id: &str) -> Result<[Option<String>; 2], Error> {
        let topic = self.tuning.notification_topic.clone();
        let topic = topic.unwrap_or_else(|| format!("$SYS/broker/connection/{client_id}/state"));
        let is_hosted = |client: &ClientArgs| client.service(Names::Mq).is_some();
        let wanted = match self.tuning.notifications {
            Some(Notifications::Both) => [true, true],
            Some(Notifications::Local) => [true, false],
            Some(Notifications::None) => [false, false],
            // Hosted services reject a will on such a topic.
            None => [!is_hosted(&self.local), !is_hosted(&self.remote)],
        };
        if topic.len() > MAX_BYTES && wanted.contains(&true) {
            return Err(Error::usage(format!(
                "the status topic with the client identifier has {} bytes; MQTT allows at most {MAX_BYTES}; choose a shorter name, or set a notification topic",
                topic.len()
            )));
        }
        if wanted.contains(&true)
            && let Err(error) = check_name(&topic)
        {
            let text = format!(
                "the status topic has the client identifier '{}': {error}; choose another name, set a notification topic, or turn notifications off",
                shortened(client_id)
            );
            return Err(match self.source.place_of(self.identifier_key(Side::Remote)) {
                Some(place) => place.mistake(text),
                None => Error::usage(text),
            });
        }
        Ok(wanted.map(|is_wanted| is_wanted.then(|| topic.clone())))
    }
}

/// Checks the length of a client identifier.
///
/// # Errors
/// The length, in a sentence.
pub(super) fn check_identifier(identifier: &str) -> Result<(), String> {
    match identifier.len() {
        ..=MAX_BYTES => Ok(()),
        length => Err(format!("the client identifier has {length} bytes; MQTT allows at most {MAX_BYTES}")),
    }
}

/// Checks the rules of all bridges for loops, and notes the brokers that must support no-local.
///
/// # Errors
/// The two rules of a loop.
pub(super) fn check_loops(plans: &[Plan], settings: &mut [Settings]) -> Result<(), Error> {
    let mut brokers: Vec<String> = Vec::new();
    let mut number = |address: &Address| {
        let name = comparable(address);
        brokers.iter().position(|known| *known == name).unwrap_or_else(|| {
            brokers.push(name);
            brokers.len() - 1
        })
    };
    let mut links: Vec<Link<'_>> = Vec::new();
    for (plan, settings) in plans.iter().zip(settings.iter()) {
        let mut end = |end: &End| LinkEnd {
            broker: number(&end.options.endpoint.address),
            has_no_local: end.has_no_local(),
        };
        let (local, remote) = (end(&settings.local), end(&settings.remote));
        links.push(Link { rules: &plan.rules, local, remote, stops_marked: settings.hop_mark.is_some() });
    }
    let graph = Graph::new(&links);
    if let Some(found) = graph.first_loop() {
        return Err(loop_error(plans, settings, found));
    }
    let may_lack: Vec<[bool; 2]> = settings
        .iter()
        .map(|settings| [&settings.local, &settings.remote].map(|end| !end.options.version.is_v5()))
        .collect();
    let needs_no_local = graph.needs_no_local(&may_lack);
    for (settings, [local, remote]) in settings.iter_mut().zip(needs_no_local) {
        settings.local.needs_no_local = local;
        settings.remote.needs_no_local = remote;
    }
    Ok(())
}

/// Checks that no two clients have the same identifier at the same broker, which would end the first one when the second one connects.
///
/// # Errors
/// The identifier, and where the second client gets it.
pub(super) fn check_client_ids(plans: &[Plan], settings: &[Settings]) -> Result<(), Error> {
    let mut known: HashMap<(String, &str), (&Plan, Side)> = HashMap::new();
    let ends = plans.iter().zip(settings).flat_map(|(plan, settings)| {
        [Side::Local, Side::Remote].map(|side| (plan, side, settings.end(side)))
    });
    for (plan, side, end) in ends {
        let client_id = end.options.client_id.as_str();
        let others = end.alternatives.iter().map(|endpoint| &endpoint.address);
        for address in [&end.options.endpoint.address].into_iter().chain(others) {
            let (first, first_side) = *known.entry((comparable(address), client_id)).or_insert((plan, side));
            // The same client may list an address twice.
            if !std::ptr::eq(first, plan) || first_side != side {
                return Err(same_client_id((first, first_side), (plan, side), client_id, address));
            }
        }
    }
    Ok(())
}

fn same_client_id(
    (first, first_side): (&Plan, Side),
    (plan, side): (&Plan, Side),
    client_id: &str,
    address: &Address,
) -> Error {
    let key = plan.identifier_key(side);
    let (id, name) = (shortened(client_id), shortened(&first.name));
    let other = match std::ptr::eq(first, plan) {
        true => format!("the {first_side} client of the same bridge"),
        false => format!("the {first_side} client of connection '{name}'"),
    };
    let text = format!(
        "the {side} client has the client identifier '{id}' of {other}, at the same broker {address}: each would end the other; {key} sets another one"
    );
    match plan.source.place_of(key) {
        Some(place) => place.mistake(text),
        None => Error::usage(text),
    }
}

fn loop_error(plans: &[Plan], settings: &[Settings], found: Loop) -> Error {
    let named = |place: loops::Place| {
        let plan = plans.get(place.link);
        let rule =
            plan.and_then(|plan| plan.rules.get(place.rule)).map(ToString::to_string).unwrap_or_default();
        let rule = shortened(&rule);
        let name = plan.filter(|_| plans.len() > 1).map(|plan| shortened(&plan.name));
        let name = name.map(|name| format!(" of connection '{name}'")).unwrap_or_default();
        format!("'{rule}' ({}){name}", place.direction.word())
    };
    let first = named(found.first);
    let second = if found.first == found.second { "it".to_owned() } else { named(found.second) };
    let broker = settings.get(found.first.link).map(|settings| match found.first.direction {
        Direction::Out => settings.remote.options.endpoint.address.to_string(),
        Direction::In => settings.local.options.endpoint.address.to_string(),
    });
    let broker = broker.unwrap_or_default();
    Error::usage(match found.kind {
        LoopKind::Echo => format!(
            "the rules loop: {first} publishes topics on {broker} that {second} forwards back, and this connection has no way to leave out its own messages (no-local); use MQTT 5, prefixes, or topics that do not overlap"
        ),
        LoopKind::Endless => format!(
            "the rules loop: {first} publishes topics on {broker} that {second} forwards, without end; use prefixes or topics that do not overlap, or --hop-mark with MQTT 5"
        ),
    })
}

/// An address in a form in which addresses of the same broker are equal.
fn comparable(address: &Address) -> String {
    match address {
        Address::Tcp { host, port } => {
            let host = host.to_ascii_lowercase();
            let is_this_machine =
                host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
            format!("{}:{port}", if is_this_machine { "localhost" } else { &host })
        }
        other => other.to_string(),
    }
}

fn endpoint(client: &ClientArgs, (host, port): &(String, u16)) -> Result<Endpoint, Error> {
    let mut client = client.clone();
    let ClientArgs { network, connection, .. } = &mut client;
    network.set_broker(connection, host, Some(*port));
    client.endpoint(Names::Mq)
}

/// The properties that are not the engine's.
fn without_engine_properties(properties: &PropertiesBuf) -> PropertiesBuf {
    let mut rest = PropertiesBuf::new();
    for property in properties.as_properties().iter() {
        if !matches!(property.id, PropertyId::SessionExpiryInterval | PropertyId::ReceiveMaximum) {
            rest.push_checked(property);
        }
    }
    rest
}

fn side_without_v5(local: &End, remote: &End) -> Option<&'static str> {
    let is_old = |options: &Options| !options.version.is_v5();
    match (is_old(&local.options), is_old(&remote.options)) {
        (true, _) => Some("local"),
        (_, true) => Some("remote"),
        _ => None,
    }
}

/// The name of this machine, for client identifiers.
pub(super) fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}
