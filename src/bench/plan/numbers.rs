//! Numbers of clients, and their assignment to threads and processes.

use super::{Group, Part, Plan, Task};
use crate::bench::identity::Who;
use crate::bench::shard::Counts;

impl Plan {
    /// Numbers the clients consecutively over all groups.
    pub fn number_through(groups: &mut [Group]) {
        let (mut publishers, mut subscribers, mut clients) = (0u32, 0u32, 0u32);
        let mut before = Counts::default();
        for group in groups {
            group.place.groups_before = before;
            before = before.plus(group.whole());
            (group.first_publisher, group.first_subscriber, group.first_client) =
                (publishers, subscribers, clients);
            publishers = publishers.saturating_add(group.publishers);
            subscribers = subscribers.saturating_add(group.judged().max(group.subscribers));
            clients = clients.saturating_add(group.clients());
        }
    }

    /// The group of the publisher with this number among all groups, and its number within the group.
    pub fn group_of_publisher(&self, number: u32) -> Option<(&Group, u32)> {
        let of_group =
            |group: &Group| number.checked_sub(group.first_publisher).filter(|&n| n < group.publishers);
        self.groups.iter().find_map(|group| Some((group, of_group(group)?)))
    }

    /// A client's number among all clients.
    pub fn number_of(&self, part: Part) -> u32 {
        let group = self.group(part);
        let before = match part.task {
            Task::Publish | Task::Request => 0,
            Task::Subscribe | Task::Respond => group.publishers,
            Task::Stay => group.publishers + group.subscribers,
        };
        group.first_client + before + part.number
    }

    /// The clients of one thread, subscribers first.
    pub fn parts_of_thread(&self, thread: usize) -> Vec<Part> {
        let groups = self.groups.iter().enumerate();
        let all = groups.flat_map(|(number, group)| group.parts(number));
        all.filter(|&part| self.thread_of(part) == thread).collect()
    }

    /// The members of a shared subscription have a common account, so they share a thread.
    fn thread_of(&self, part: Part) -> usize {
        let is_shared = part.task == Task::Subscribe && self.group(part).share.is_some();
        if is_shared { part.group % self.threads } else { part.number as usize % self.threads }
    }

    /// The threads of one process.
    pub fn threads_of_process(&self, process: usize) -> impl Iterator<Item = usize> + use<> {
        (process..self.threads).step_by(self.processes.max(1))
    }

    /// The number of clients of each process.
    pub fn clients_of_processes(&self) -> Vec<u32> {
        let mut counts = vec![0; self.processes.max(1)];
        let parts = self.groups.iter().enumerate().flat_map(|(number, group)| group.parts(number));
        for part in parts {
            let process = self.thread_of(part) % self.processes.max(1);
            counts.get_mut(process).into_iter().for_each(|count| *count += 1);
        }
        counts
    }

    /// A client's number among the clients of all shards.
    pub fn global_number_of(&self, part: Part) -> u32 {
        let group = self.group(part);
        let whole = group.whole();
        let number = match part.task {
            Task::Publish | Task::Request => group.place.before.publishers,
            Task::Subscribe | Task::Respond => whole.publishers + group.place.before.subscribers,
            Task::Stay => whole.publishers + whole.subscribers + group.place.before.idle,
        };
        group.place.groups_before.clients() + number + part.number
    }

    /// One more than the highest client number.
    pub fn highest_number(&self) -> u32 {
        let parts = self.groups.iter().enumerate().flat_map(|(number, group)| group.parts(number));
        parts.map(|part| self.global_number_of(part) + 1).max().unwrap_or_default()
    }

    /// A client's position in the run, as its names need it.
    pub fn who(&self, part: Part) -> Who {
        let place = &self.group(part).place;
        let (kind, number_of_kind) = match part.task {
            Task::Publish => ('p', place.groups_before.publishers + place.before.publishers),
            Task::Request => ('q', place.groups_before.publishers + place.before.publishers),
            Task::Subscribe => ('s', place.groups_before.subscribers + place.before.subscribers),
            Task::Respond => ('r', place.groups_before.subscribers + place.before.subscribers),
            Task::Stay => ('c', place.groups_before.idle + place.before.idle),
        };
        let number = self.global_number_of(part);
        Who { run: self.run, number, kind, number_of_kind: number_of_kind + part.number }
    }

    /// The client identifier.
    pub fn client_id(&self, part: Part) -> String {
        self.broker.identities.client_id(self.who(part))
    }
}
