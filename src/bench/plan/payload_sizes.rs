//! The sizes of the payloads of a group.

use super::{Group, Plan, Task};
use crate::bench::client_slot::ClientSlot;
use crate::bench::template::ValueLengths;

impl Plan {
    /// The bounds of the payload sizes of a group, in bytes. With a template, no message has to reach them.
    pub(crate) fn payload_sizes(&self, group: &Group) -> (usize, usize) {
        let last = group.publishers.saturating_sub(1);
        let number = |publisher: u32| (group.offsets.before.publishers + publisher).to_string().len();
        let client = if group.payload.names_client() { self.client_id_lengths(group) } else { (0, 0) };
        let lengths = ValueLengths { publisher: (number(0), number(last)), client };
        group.payload.sizes(group.header_size(), &lengths)
    }

    /// The lengths of the shortest and the longest client identifier of the group's publishers.
    fn client_id_lengths(&self, group: &Group) -> (usize, usize) {
        let task = if group.is_answered { Task::Request } else { Task::Publish };
        let index = self.groups.iter().position(|other| other.first_client == group.first_client);
        let length = |number: u32| {
            let slot = ClientSlot { group: index.unwrap_or_default(), task, number, broker: None };
            self.client_id(slot).len()
        };
        // Identifiers that are not in a file differ in the digits of a number.
        let last = group.publishers.saturating_sub(1);
        let step = if self.broker.identities.rows.is_empty() { last.max(1) as usize } else { 1 };
        let lengths: Vec<usize> = (0..=last).step_by(step).map(length).collect();
        let (shortest, longest) = (lengths.iter().min(), lengths.iter().max());
        (shortest.copied().unwrap_or_default(), longest.copied().unwrap_or_default())
    }
}
