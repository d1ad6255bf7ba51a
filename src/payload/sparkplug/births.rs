//! Sparkplug's births: the names and types that later messages of a node or a device omit. Data refers to a metric by its alias,
//! and need not repeat its type, so without the birth both are unknown.

use super::bounded::Bounded;
use super::topic::Topic;
use super::{Metric, inflated, template};
use crate::payload::Problem;
use crate::payload::protobuf::{WireValue, fields};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The maximum size of all births together, in bytes. The oldest ones are dropped first.
const MAX_SIZE: usize = 4 << 20;

/// The maximum size of one birth, in bytes.
const MAX_BIRTH: usize = 1 << 20;

/// The longest name that is stored.
const MAX_NAME: usize = 1024;

/// The cost of an entry besides its name.
const ENTRY: usize = 64;

/// The cost of a birth besides its entries, with the smallest tables.
const BIRTH: usize = 512;

/// The most births.
const MAX_BIRTHS: usize = MAX_SIZE / BIRTH;

/// The births of all nodes and devices, within the size limit.
#[derive(Debug)]
pub(crate) struct Births {
    pub(super) births: Bounded<Birth>,
}

#[derive(Debug)]
pub(super) struct BirthMetric {
    pub(super) name: String,
    pub(super) data_type: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Birth {
    by_alias: HashMap<u64, BirthMetric>,
    /// The types of all metrics, if known, by their names.
    types: HashMap<String, Option<u64>>,
    /// The types of the members, by the names of templates.
    templates: HashMap<String, HashMap<String, u64>>,
    /// The names of the templates that the birth defines.
    definitions: HashSet<String>,
    size: usize,
    /// The limits left something out.
    is_partial: bool,
}

/// The known births of a message's node or device.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BirthContext<'b> {
    own: Option<&'b Birth>,
    /// The node's, which has the definitions of the devices' templates.
    node: Option<&'b Birth>,
}

impl Default for Births {
    fn default() -> Births {
        Births { births: Bounded::new(MAX_BIRTHS, MAX_SIZE) }
    }
}

impl Births {
    /// Stores the message, if it is a birth.
    pub(crate) fn learn(&mut self, topic: &str, payload: &[u8]) {
        let Some(topic) = Topic::parse_anywhere(topic).filter(Topic::is_birth) else { return };
        let Ok(birth) = Birth::read(payload) else { return };
        let key = topic.key();
        let size = birth.size + key.len() + BIRTH;
        self.births.insert(&key, birth, size);
    }

    pub(super) fn context(&self, topic: &Topic<'_>) -> BirthContext<'_> {
        BirthContext { own: self.births.get(&topic.key()), node: self.births.get(&topic.of_node().key()) }
    }
}

impl<'b> BirthContext<'b> {
    pub(super) fn by_alias(self, alias: u64) -> Option<&'b BirthMetric> {
        self.own?.by_alias.get(&alias)
    }

    /// The type of the metric of this name: of a member of a template, or of the message itself.
    pub(super) fn type_of(self, name: &str, template: Option<&str>) -> Option<u64> {
        let Some(template) = template else { return self.own?.types.get(name).copied().flatten() };
        let births = [self.own, self.node].into_iter().flatten();
        births.filter_map(|birth| birth.templates.get(template)?.get(name)).next().copied()
    }
}

impl<'b> BirthContext<'b> {
    /// The birth of the node or device itself, if it was stored completely.
    pub(super) fn complete(self) -> Option<&'b Birth> {
        self.own.filter(|birth| !birth.is_partial)
    }

    /// Whether there is a birth of the node or device itself.
    pub(super) fn is_known(self) -> bool {
        self.own.is_some()
    }

    /// Whether the node's birth surely does not define the template.
    pub(super) fn lacks_definition(self, template: &str) -> bool {
        self.node.is_some_and(|birth| !birth.is_partial && !birth.definitions.contains(template))
    }
}

impl Birth {
    /// The metric of this alias.
    pub(super) fn alias(&self, alias: u64) -> Option<&BirthMetric> {
        self.by_alias.get(&alias)
    }

    /// The type of the metric of this name, if the birth has such a metric.
    pub(super) fn metric(&self, name: &str) -> Option<Option<u64>> {
        self.types.get(name).copied()
    }

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
        if self.has_room(name) {
            self.types.insert(name.to_owned(), metric.data_type);
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
        if reference.is_none() && self.has_room(template) {
            self.definitions.insert(template.to_owned());
        }
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
        } else {
            self.is_partial = true;
        }
        has_room
    }
}
