//! Sparkplug's births: the names and types that later messages of a node or a device omit. Data refers to a metric by its alias,
//! and need not repeat its type, so without the birth both are unknown.

use super::topic::Topic;
use super::{Metric, inflated, template};
use crate::payload::Problem;
use crate::payload::protobuf::{WireValue, fields};
use std::borrow::Cow;
use std::collections::HashMap;

/// The maximum size of all births together, in bytes. The oldest ones are dropped first.
const MAX_SIZE: usize = 4 << 20;

/// The maximum size of one birth, in bytes.
const MAX_BIRTH: usize = 1 << 20;

/// The longest name that is stored.
const MAX_NAME: usize = 1024;

/// The cost of an entry besides its name.
const ENTRY: usize = 64;

/// The births of all nodes and devices, within the size limit.
#[derive(Debug, Default)]
pub(crate) struct Births {
    pub(super) births: HashMap<String, Birth>,
    pub(super) size: usize,
    /// The number of births so far.
    count: u64,
}

#[derive(Debug)]
pub(super) struct BirthMetric {
    pub(super) name: String,
    pub(super) data_type: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Birth {
    by_alias: HashMap<u64, BirthMetric>,
    types: HashMap<String, u64>,
    /// The types of the members, by the names of templates.
    templates: HashMap<String, HashMap<String, u64>>,
    pub(super) size: usize,
    number: u64,
}

/// The known births of a message's node or device.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BirthContext<'b> {
    own: Option<&'b Birth>,
    /// The node's, which has the definitions of the devices' templates.
    node: Option<&'b Birth>,
}

impl Births {
    /// Stores the message, if it is a birth.
    pub(crate) fn learn(&mut self, topic: &str, payload: &[u8]) {
        let Some(topic) = Topic::parse_anywhere(topic).filter(Topic::is_birth) else { return };
        let Ok(mut birth) = Birth::read(payload) else { return };
        let key = topic.key();
        birth.size += key.len() + ENTRY;
        self.forget(&key);
        self.count += 1;
        birth.number = self.count;
        while self.size + birth.size > MAX_SIZE {
            let oldest = self.births.iter().min_by_key(|(_, birth)| birth.number);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { return };
            self.forget(&oldest);
        }
        self.size += birth.size;
        self.births.insert(key, birth);
    }

    pub(super) fn context(&self, topic: &Topic<'_>) -> BirthContext<'_> {
        BirthContext { own: self.births.get(&topic.key()), node: self.births.get(&topic.of_node().key()) }
    }

    fn forget(&mut self, key: &str) {
        if let Some(birth) = self.births.remove(key) {
            self.size -= birth.size;
        }
    }
}

impl<'b> BirthContext<'b> {
    pub(super) fn by_alias(self, alias: u64) -> Option<&'b BirthMetric> {
        self.own?.by_alias.get(&alias)
    }

    /// The type of the metric of this name: of a member of a template, or of the message itself.
    pub(super) fn type_of(self, name: &str, template: Option<&str>) -> Option<u64> {
        let Some(template) = template else { return self.own?.types.get(name).copied() };
        let births = [self.own, self.node].into_iter().flatten();
        births.filter_map(|birth| birth.templates.get(template)?.get(name)).next().copied()
    }
}

impl Birth {
    fn read(payload: &[u8]) -> Result<Birth, Problem> {
        let content = inflated(payload).map_or(Cow::Borrowed(payload), Cow::Owned);
        let mut birth = Birth::default();
        for field in fields(&content, 0)? {
            if let (2, WireValue::Bytes(metric)) = (field.number, field.value) {
                birth.learn(&Metric::read(metric, field.at)?)?;
            }
        }
        Ok(birth)
    }

    fn learn(&mut self, metric: &Metric<'_>) -> Result<(), Problem> {
        let Some(name) = metric.name else { return Ok(()) };
        if let Some(alias) = metric.alias.filter(|_| self.has_room(name)) {
            self.by_alias.insert(alias, BirthMetric { name: name.to_owned(), data_type: metric.data_type });
        }
        if let Some(data_type) = metric.data_type.filter(|_| self.has_room(name)) {
            self.types.insert(name.to_owned(), data_type);
        }
        match metric.value.map(|field| (field.number, field.value, field.at)) {
            Some((18, WireValue::Bytes(message), at)) => self.learn_template(name, message, at),
            _ => Ok(()),
        }
    }

    /// Stores the members of a definition, or of an instance that refers to one.
    fn learn_template(&mut self, name: &str, message: &[u8], at: usize) -> Result<(), Problem> {
        let (reference, members) = template::members(message, at)?;
        let template = reference.unwrap_or_else(|| name.strip_prefix("_types_/").unwrap_or(name));
        for member in members {
            let (Some(name), Some(data_type)) = (member.name, member.data_type) else { continue };
            if self.has_room(name) && self.has_room(template) {
                self.templates.entry(template.to_owned()).or_default().insert(name.to_owned(), data_type);
            }
        }
        Ok(())
    }

    /// Counts an entry of this name, if there is room for it.
    fn has_room(&mut self, name: &str) -> bool {
        let size = self.size + name.len() + ENTRY;
        let has_room = name.len() <= MAX_NAME && size <= MAX_BIRTH;
        if has_room {
            self.size = size;
        }
        has_room
    }
}
