//! The state of one node and its devices.

use super::sequence::Sequence;
use super::{Anomaly, Observer};
use crate::payload::protobuf::WireValue;
use crate::payload::sparkplug::births::{BirthContext, Births};
use crate::payload::sparkplug::message::Message;
use crate::payload::sparkplug::template;
use crate::payload::sparkplug::topic::MessageType;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The most devices and aliases of a node. Beyond that, they are not judged.
const MAX_DEVICES: usize = 10_000;
const MAX_ALIASES: usize = 10_000;

/// The size of a node without devices and aliases, and of each of these.
const NODE_SIZE: usize = 768;
const DEVICE_SIZE: usize = 64;
const ALIAS_SIZE: usize = 32;

/// The most messages of which a copy is recognised: fewer than there are sequence numbers.
const MAX_RECENT: usize = 16;

/// Nanoseconds that a node has for its birth after a request.
const REBIRTH_TIMEOUT: u64 = 30 * SECOND;
const SECOND: u64 = 1_000_000_000;

/// The stage of a node's or a device's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Its last birth or death may not have been seen.
    Unknown,
    /// Seen from the start, and not born yet.
    Unborn,
    Born,
    Dead,
}

#[derive(Debug)]
pub(super) struct Node {
    observer: Observer,
    life: Life,
    sequence: Sequence,
    /// The sequence numbers are judged.
    is_numbered: bool,
    /// The latest of several connections that publish as the node.
    shared: Option<u32>,
    /// Hashes of the latest messages, if the broker may deliver copies.
    recent: Vec<u64>,
    /// The `bdSeq` of the birth, and of the birth before it.
    bd_seq: Option<u64>,
    earlier_bd_seq: Option<u64>,
    /// The connection of the last CONNECT, and the `bdSeq` in its will.
    will: Option<(u32, Option<u64>)>,
    devices: HashMap<String, Device>,
    /// The bytes of their names.
    device_names: usize,
    /// All births of devices since the node's birth are in `devices`.
    are_devices_known: bool,
    /// The owners of the aliases: 0 is the node itself.
    aliases: HashMap<u64, u32>,
    devices_so_far: u32,
    /// The time of a request for a birth, in nanoseconds.
    rebirth: Option<u64>,
    /// It was reported that the birth was not seen.
    is_unseen_birth_told: bool,
}

#[derive(Debug, Clone, Copy)]
struct Device {
    life: Life,
    /// Distinguishes the node's devices, from 1.
    number: u32,
}

impl Node {
    pub(super) fn new(observer: Observer) -> Node {
        Node {
            observer,
            life: Life::Unknown,
            sequence: Sequence::default(),
            is_numbered: false,
            shared: None,
            recent: Vec::new(),
            bd_seq: None,
            earlier_bd_seq: None,
            will: None,
            devices: HashMap::new(),
            device_names: 0,
            are_devices_known: false,
            aliases: HashMap::new(),
            devices_so_far: 0,
            rebirth: None,
            is_unseen_birth_told: false,
        }
        .started(observer)
    }

    fn started(mut self, observer: Observer) -> Node {
        self.start(observer, true);
        self
    }

    pub(super) fn observer(&self) -> Observer {
        self.observer
    }

    pub(super) fn size(&self) -> usize {
        NODE_SIZE
            + self.device_names
            + self.devices.len() * DEVICE_SIZE
            + self.aliases.len() * ALIAS_SIZE
            + size_of_val(self.recent.as_slice())
    }

    pub(super) fn connect(&mut self, observer: Observer, bd_seq: Option<u64>) -> Option<Anomaly> {
        let before = self.will.replace((observer.connection, bd_seq));
        let (connection, earlier) = before?;
        let is_repeated = connection < observer.connection && earlier.is_some() && earlier == bd_seq;
        is_repeated.then_some(Anomaly::BdSeqRepeated(bd_seq?))
    }

    pub(super) fn request_rebirth(&mut self, time: Option<u64>) {
        self.rebirth = self.rebirth.or(time);
    }

    /// Messages may have been lost, so all that they may have changed is unknown.
    pub(super) fn lose(&mut self) {
        self.life = Life::Unknown;
        self.sequence = Sequence::default();
        self.is_numbered = !self.observer.is_publisher;
        self.forget_devices(false);
        self.aliases.clear();
        self.rebirth = None;
    }

    /// Takes a message. Returns `None` for a copy.
    pub(super) fn observe(
        &mut self,
        observer: Observer,
        time: Option<u64>,
        message: &Message<'_>,
        births: &Births,
    ) -> Option<Vec<Anomaly>> {
        let mut anomalies = Vec::new();
        self.follow(observer, message.message_type, &mut anomalies);
        if observer.may_repeat
            && let Some(later) = self.remember(message)
        {
            // It may be another message with the same content.
            if later > 0 {
                self.lose();
            }
            return None;
        }
        if message.message_type == MessageType::NodeBirth {
            self.sequence.start(message.seq);
        } else if message.message_type != MessageType::NodeDeath && self.is_numbered {
            anomalies.extend(self.sequence.next(message.seq));
        }
        match message.message_type {
            MessageType::NodeBirth => self.node_birth(message, &mut anomalies),
            MessageType::NodeDeath => self.node_death(message, &mut anomalies),
            MessageType::DeviceBirth => self.device_birth(message, &mut anomalies),
            MessageType::DeviceDeath => self.device_death(message, &mut anomalies),
            MessageType::NodeData | MessageType::DeviceData => {
                self.data(time, message, births, &mut anomalies);
            }
            MessageType::NodeCommand | MessageType::DeviceCommand => {}
        }
        if message.message_type != MessageType::NodeDeath {
            self.templates(message, births.context(&message.topic), &mut anomalies);
        }
        Some(anomalies)
    }

    /// Remembers the message. If it was received before, returns the number of messages since.
    fn remember(&mut self, message: &Message<'_>) -> Option<usize> {
        let mut hasher = DefaultHasher::new();
        (message.topic, message.content).hash(&mut hasher);
        let hash = hasher.finish();
        let later = self.recent.iter().rev().position(|known| *known == hash);
        if later.is_none() {
            if self.recent.len() >= MAX_RECENT {
                self.recent.remove(0);
            }
            self.recent.push(hash);
        }
        later
    }

    /// Adopts another connection, or the losses on this one.
    fn follow(&mut self, observer: Observer, message_type: MessageType, anomalies: &mut Vec<Anomaly>) {
        let earlier = std::mem::replace(&mut self.observer, observer);
        if earlier.connection != observer.connection || earlier.is_publisher != observer.is_publisher {
            let is_later = observer.connection > earlier.connection;
            let is_second = !is_later && earlier.is_publisher && observer.is_publisher;
            if is_second {
                if self.shared.is_none() && earlier.losses == 0 && observer.losses == 0 {
                    anomalies.push(Anomaly::TwoPublishers(message_type));
                }
                self.shared = self.shared.max(Some(earlier.connection));
            }
            self.start(observer, is_later);
        } else if earlier.losses != observer.losses || !observer.is_complete {
            self.lose();
        }
    }

    fn start(&mut self, observer: Observer, is_later: bool) {
        self.lose();
        if observer.is_from_start && observer.losses == 0 && is_later {
            self.life = Life::Unborn;
        }
    }

    fn node_birth(&mut self, message: &Message<'_>, anomalies: &mut Vec<Anomaly>) {
        let bd_seq = message.bd_seq();
        if let Some((connection, Some(will))) = self.will
            && let Some(birth) = bd_seq.filter(|birth| *birth != will)
            && connection == self.observer.connection
            && self.observer.is_publisher
        {
            anomalies.push(Anomaly::WillMismatch { will, birth });
        }
        if bd_seq != self.bd_seq {
            self.earlier_bd_seq = self.bd_seq;
        }
        self.bd_seq = bd_seq;
        self.shared = self.shared.filter(|latest| self.observer.connection <= *latest);
        self.is_numbered = !self.observer.is_publisher || self.shared.is_none();
        self.life = Life::Born;
        self.rebirth = None;
        self.is_unseen_birth_told = false;
        self.forget_devices(true);
        self.aliases.clear();
        self.learn_aliases(0, message, anomalies);
    }

    fn node_death(&mut self, message: &Message<'_>, anomalies: &mut Vec<Anomaly>) {
        if let (Some(birth), Some(death)) = (self.bd_seq, message.bd_seq())
            && birth != death
            && self.life == Life::Born
        {
            anomalies.push(match self.earlier_bd_seq {
                Some(earlier) if earlier == death => Anomaly::DeathOfEarlier { birth, death },
                _ => Anomaly::DeathMismatch { birth, death },
            });
            return;
        }
        if self.life == Life::Born {
            self.life = Life::Dead;
        }
    }

    /// Whether the node is alive, or may be; otherwise that is an anomaly.
    fn check_life(&self, message_type: MessageType, anomalies: &mut Vec<Anomaly>) -> bool {
        match self.life {
            Life::Unknown | Life::Born => return true,
            Life::Unborn => anomalies.push(Anomaly::BeforeNodeBirth(message_type)),
            Life::Dead => anomalies.push(Anomaly::AfterNodeDeath(message_type)),
        }
        false
    }

    fn device_birth(&mut self, message: &Message<'_>, anomalies: &mut Vec<Anomaly>) {
        self.check_life(message.message_type, anomalies);
        if let Some(owner) = self.set_device(message.topic.device(), Life::Born) {
            self.learn_aliases(owner, message, anomalies);
        }
    }

    fn device_death(&mut self, message: &Message<'_>, anomalies: &mut Vec<Anomaly>) {
        self.check_life(message.message_type, anomalies);
        self.set_device(message.topic.device(), Life::Dead);
    }

    fn data(
        &mut self,
        time: Option<u64>,
        message: &Message<'_>,
        births: &Births,
        anomalies: &mut Vec<Anomaly>,
    ) {
        let context = births.context(&message.topic);
        self.check_rebirth(time, anomalies);
        if !self.check_life(message.message_type, anomalies) {
            return;
        }
        let life = match message.message_type {
            MessageType::DeviceData => self.device(message.topic.device()),
            _ => self.life,
        };
        match life {
            Life::Born => metrics(message, context, anomalies),
            Life::Unborn => anomalies.push(Anomaly::BeforeDeviceBirth(message.message_type)),
            Life::Dead => anomalies.push(Anomaly::AfterDeviceDeath(message.message_type)),
            Life::Unknown => self.tell_unseen_birth(message, context, anomalies),
        }
    }

    fn tell_unseen_birth(
        &mut self,
        message: &Message<'_>,
        context: BirthContext<'_>,
        anomalies: &mut Vec<Anomaly>,
    ) {
        let has_unnamed = || message.metrics().any(|metric| metric.name.is_none());
        if self.observer.has_births && !self.is_unseen_birth_told && !context.is_known() && has_unnamed() {
            self.is_unseen_birth_told = true;
            anomalies.push(Anomaly::BirthNotSeen);
        }
    }

    fn check_rebirth(&mut self, time: Option<u64>, anomalies: &mut Vec<Anomaly>) {
        let Some((now, requested)) = time.zip(self.rebirth) else { return };
        let waited = now.saturating_sub(requested);
        if waited >= REBIRTH_TIMEOUT {
            self.rebirth = None;
            anomalies.push(Anomaly::RebirthIgnored(waited / SECOND));
        }
    }

    fn device(&self, device: &str) -> Life {
        let absent = if self.are_devices_known { Life::Unborn } else { Life::Unknown };
        self.devices.get(device).map_or(absent, |device| device.life)
    }

    /// Sets the device's life, and forgets its aliases. Returns its number, if there is room for it.
    fn set_device(&mut self, device: &str, life: Life) -> Option<u32> {
        if let Some(known) = self.devices.get_mut(device) {
            known.life = life;
            let number = known.number;
            self.aliases.retain(|_, owner| *owner != number);
            return Some(number);
        }
        if self.devices.len() >= MAX_DEVICES {
            self.are_devices_known = false;
            return None;
        }
        self.devices_so_far = self.devices_so_far.wrapping_add(1).max(1);
        self.device_names += device.len();
        let number = self.devices_so_far;
        self.devices.insert(device.to_owned(), Device { life, number });
        Some(number)
    }

    fn forget_devices(&mut self, are_devices_known: bool) {
        self.devices.clear();
        self.device_names = 0;
        self.are_devices_known = are_devices_known;
    }

    /// Stores the aliases of a birth, which must be unique in the node.
    fn learn_aliases(&mut self, owner: u32, message: &Message<'_>, anomalies: &mut Vec<Anomaly>) {
        let mut taken = None;
        for metric in message.metrics() {
            let Some((alias, name)) = metric.alias.zip(metric.name) else { continue };
            if self.aliases.len() >= MAX_ALIASES {
                break;
            }
            match self.aliases.entry(alias) {
                Entry::Vacant(free) => {
                    free.insert(owner);
                }
                Entry::Occupied(_) if taken.is_none() => {
                    taken = Some(Anomaly::AliasTaken { alias, name: name.to_owned() });
                }
                Entry::Occupied(_) => {}
            }
        }
        anomalies.extend(taken);
    }

    /// Checks that the node's birth defines the templates of the instances.
    fn templates(&self, message: &Message<'_>, context: BirthContext<'_>, anomalies: &mut Vec<Anomaly>) {
        if self.life != Life::Born {
            return;
        }
        for metric in message.metrics() {
            let Some(value) = metric.value.filter(|value| value.number == 18) else { continue };
            let WireValue::Bytes(instance) = value.value else { continue };
            let Ok((Some(reference), _)) = template::members(instance, value.at) else { continue };
            if context.lacks_definition(reference) {
                anomalies.push(Anomaly::TemplateUnknown(reference.to_owned()));
                return;
            }
        }
    }
}

/// Compares the metrics of data with those of the birth. Each kind of anomaly comes once, with its number.
fn metrics(message: &Message<'_>, context: BirthContext<'_>, anomalies: &mut Vec<Anomaly>) {
    let Some(birth) = context.complete() else { return };
    let (mut aliases, mut names, mut types) = ((None, 0), (None, 0), None);
    for metric in message.metrics() {
        let birth_type = match (metric.name, metric.alias) {
            (Some(name), _) => match birth.metric(name) {
                Some(data_type) => data_type,
                None => {
                    names = (names.0.or(Some(name)), names.1 + 1);
                    continue;
                }
            },
            (None, Some(alias)) => match birth.alias(alias) {
                Some(known) => known.data_type,
                None => {
                    aliases = (aliases.0.or(Some(alias)), aliases.1 + 1);
                    continue;
                }
            },
            (None, None) => continue,
        };
        if let (Some(birth), Some(data)) = (birth_type, metric.data_type)
            && birth != data
            && types.is_none()
        {
            let name = metric.name.or_else(|| context.by_alias(metric.alias?).map(|it| it.name.as_str()));
            types = Some(Anomaly::TypeDiffers { name: name.unwrap_or_default().to_owned(), birth, data });
        }
    }
    if let (Some(alias), count) = aliases {
        anomalies.push(Anomaly::AliasUnknown { alias, count });
    }
    if let (Some(name), count) = names {
        anomalies.push(Anomaly::MetricUnknown { name: name.to_owned(), count });
    }
    anomalies.extend(types);
}
