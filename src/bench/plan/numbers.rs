//! Numbers of clients, and their assignment to threads and processes.

use super::shard_offsets::Counts;
use super::{Group, Plan};
use crate::bench::client_slot::{ClientSlot, Task};
use crate::bench::identity::ClientIndex;

impl Plan {
    /// Numbers the clients consecutively over all groups.
    pub(crate) fn number_through(groups: &mut [Group]) {
        let (mut publishers, mut subscribers, mut clients) = (0u32, 0u32, 0u32);
        let mut before = Counts::default();
        for group in groups {
            group.offsets.groups_before = before;
            before = before.plus(group.whole());
            (group.first_publisher, group.first_subscriber, group.first_client) =
                (publishers, subscribers, clients);
            publishers = publishers.saturating_add(group.publishers);
            subscribers = subscribers.saturating_add(group.receivers().max(group.subscribers));
            clients = clients.saturating_add(group.clients());
        }
    }

    /// The group of the publisher with this number among all groups, and its number within the group.
    pub(crate) fn group_of_publisher(&self, number: u32) -> Option<(&Group, u32)> {
        let of_group =
            |group: &Group| number.checked_sub(group.first_publisher).filter(|&n| n < group.publishers);
        self.groups.iter().find_map(|group| Some((group, of_group(group)?)))
    }

    /// A client's number among all clients.
    pub(crate) fn number_of(&self, slot: ClientSlot) -> u32 {
        let group = self.group(slot);
        let before = match slot.task {
            Task::Publish | Task::Request => 0,
            Task::Subscribe | Task::Respond => group.publishers,
            Task::Stay => group.publishers + group.subscribers,
        };
        group.first_client + before + slot.number
    }

    /// The clients of one thread, subscribers first.
    pub(crate) fn slots_of_thread(&self, thread: usize) -> Vec<ClientSlot> {
        let groups = self.groups.iter().enumerate();
        let all = groups.flat_map(|(number, group)| group.slots(number));
        let of_thread = all.filter(|&slot| self.thread_of(slot) == thread);
        of_thread.map(|slot| ClientSlot { broker: self.broker_of(slot), ..slot }).collect()
    }

    /// The index of a client's broker; `None` if there is only one.
    ///
    /// The clients take the brokers in turn. Publishers move on by one after each round, so that the messages of each
    /// broker's publishers go to subscribers of all brokers.
    pub(crate) fn broker_of(&self, slot: ClientSlot) -> Option<u8> {
        let brokers = u32::try_from(self.broker.count()).ok().filter(|count| *count > 1)?;
        let rounds = if slot.task.publishes() { slot.number / brokers } else { 0 };
        u8::try_from(self.global_number_of(slot).wrapping_add(rounds) % brokers).ok()
    }

    /// The number of clients of each broker.
    pub(crate) fn clients_of_brokers(&self) -> Vec<u32> {
        let mut counts = vec![0; self.broker.count()];
        let slots = self.groups.iter().enumerate().flat_map(|(number, group)| group.slots(number));
        for slot in slots {
            let broker = usize::from(self.broker_of(slot).unwrap_or_default());
            counts.get_mut(broker).into_iter().for_each(|count| *count += 1);
        }
        counts
    }

    /// The members of a shared subscription have a common account, so they share a thread.
    fn thread_of(&self, slot: ClientSlot) -> usize {
        let is_shared = slot.task == Task::Subscribe && self.group(slot).share.is_some();
        if is_shared { slot.group % self.threads } else { slot.number as usize % self.threads }
    }

    pub(crate) fn threads_of_process(&self, process: usize) -> impl Iterator<Item = usize> + use<> {
        (process..self.threads).step_by(self.processes.max(1))
    }

    /// The number of clients of each process.
    pub(crate) fn clients_of_processes(&self) -> Vec<u32> {
        let mut counts = vec![0; self.processes.max(1)];
        let slots = self.groups.iter().enumerate().flat_map(|(number, group)| group.slots(number));
        for slot in slots {
            let process = self.thread_of(slot) % self.processes.max(1);
            counts.get_mut(process).into_iter().for_each(|count| *count += 1);
        }
        counts
    }

    /// The number of sockets: one for each client, or for each forwarder at each gateway.
    pub(crate) fn sockets(&self) -> u32 {
        let brokers = u32::try_from(self.broker.count()).unwrap_or(u32::MAX);
        self.broker.forwarders.map_or(self.clients(), |forwarders| forwarders.saturating_mul(brokers))
    }

    /// The number of sockets of each process.
    pub(crate) fn sockets_of_processes(&self) -> Vec<u32> {
        let clients = self.clients_of_processes();
        if self.broker.forwarders.is_none() {
            return clients;
        }
        let brokers = self.broker.count();
        let sockets = |process| {
            let forwarders = self.threads_of_process(process).map(|thread| self.forwarders_of_thread(thread));
            u32::try_from(forwarders.map(Iterator::count).sum::<usize>() * brokers).unwrap_or(u32::MAX)
        };
        (0..clients.len()).map(sockets).collect()
    }

    /// The number of a client's forwarder; `None` if it has a socket of its own.
    pub(crate) fn forwarder_of(&self, slot: ClientSlot) -> Option<u32> {
        let mut forwarders = self.forwarders_of_thread(self.thread_of(slot));
        let count = forwarders.clone().count();
        let turn = slot.number as usize / self.threads.max(1);
        forwarders.nth(turn.checked_rem(count)?)
    }

    /// The numbers of the forwarders whose sockets a thread has.
    fn forwarders_of_thread(&self, thread: usize) -> impl Iterator<Item = u32> + Clone + use<> {
        let all = self.broker.forwarders.unwrap_or_default();
        (u32::try_from(thread).unwrap_or(u32::MAX)..all).step_by(self.threads.max(1))
    }

    /// A client's number among the clients of all shards.
    pub(crate) fn global_number_of(&self, slot: ClientSlot) -> u32 {
        let group = self.group(slot);
        let whole = group.whole();
        let number = match slot.task {
            Task::Publish | Task::Request => group.offsets.before.publishers,
            Task::Subscribe | Task::Respond => whole.publishers + group.offsets.before.subscribers,
            Task::Stay => whole.publishers + whole.subscribers + group.offsets.before.idle,
        };
        group.offsets.groups_before.clients() + number + slot.number
    }

    /// One more than the highest client number.
    pub(crate) fn highest_number(&self) -> u32 {
        let slots = self.groups.iter().enumerate().flat_map(|(number, group)| group.slots(number));
        slots.map(|slot| self.global_number_of(slot) + 1).max().unwrap_or_default()
    }

    /// A client's position in the run, as its names need it.
    pub(crate) fn client_index(&self, slot: ClientSlot) -> ClientIndex {
        let offsets = &self.group(slot).offsets;
        let (kind, number_of_kind) = match slot.task {
            Task::Publish => ('p', offsets.groups_before.publishers + offsets.before.publishers),
            Task::Request => ('q', offsets.groups_before.publishers + offsets.before.publishers),
            Task::Subscribe => ('s', offsets.groups_before.subscribers + offsets.before.subscribers),
            Task::Respond => ('r', offsets.groups_before.subscribers + offsets.before.subscribers),
            Task::Stay => ('c', offsets.groups_before.idle + offsets.before.idle),
        };
        let number = self.global_number_of(slot);
        ClientIndex { run: self.run, number, kind, number_of_kind: number_of_kind + slot.number }
    }

    pub(crate) fn client_id(&self, slot: ClientSlot) -> String {
        self.broker.identities.client_id(self.client_index(slot))
    }
}
