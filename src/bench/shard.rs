//! One machine's share of a run: each shard has its own clients, topics, rates and messages.
//!
//! A shard is a complete run: its subscribers receive from its own publishers, so that it can account for every
//! message. The numbers in names and schedules are consecutive over all shards.

use super::plan::{Counts, Group};
use std::ops::Range;

/// Shard `number` of `count`, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    number: u32,
    count: u32,
}

impl Shard {
    /// Shard `number` of `count`, counted from 1.
    pub(crate) fn new(number: u32, count: u32) -> Option<Shard> {
        (1..=count).contains(&number).then(|| Shard { number: number - 1, count })
    }

    pub(crate) fn count(self) -> u32 {
        self.count
    }

    /// The shard's range of `all` things. The ranges of all shards together cover each thing once.
    pub(crate) fn range(self, all: u32) -> Range<u32> {
        let end = |number: u32| (u64::from(all) * u64::from(number) / u64::from(self.count)) as u32;
        end(self.number)..end(self.number + 1)
    }

    fn share_of_messages(self, all: u64) -> u64 {
        let end = |number: u32| (u128::from(all) * u128::from(number) / u128::from(self.count)) as u64;
        end(self.number + 1) - end(self.number)
    }
}

/// The reason why groups cannot be split into shards.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ShardError {
    /// A group has too few clients of a kind.
    #[error("{count} {kind} cannot be shared by {shards} shards")]
    TooFew {
        /// The number of these clients.
        count: u32,
        /// Their kind, in the plural.
        kind: &'static str,
        shards: u32,
    },
    /// The topics of a group are the same in all shards.
    #[error("the shards would receive each other's messages")]
    SameTopics,
}

/// Reduces each group to the share of one shard.
///
/// # Errors
/// If a group has too few clients for all shards, or the shards would receive each other's messages.
pub(crate) fn cut(groups: &mut [Group], shard: Shard) -> Result<(), ShardError> {
    groups.iter_mut().try_for_each(|group| cut_group(group, shard))
}

fn cut_group(group: &mut Group, shard: Shard) -> Result<(), ShardError> {
    for (kind, count) in
        [("publishers", group.publishers), ("subscribers", group.subscribers), ("clients", group.idle)]
    {
        if count > 0 && count < shard.count {
            return Err(ShardError::TooFew { count, kind, shards: shard.count });
        }
    }
    if group.publishers > 0 && group.subscribers > 0 && !group.topics.are_apart() {
        return Err(ShardError::SameTopics);
    }
    let whole = group.counts();
    let publishers = shard.range(whole.publishers);
    let subscribers = shard.range(whole.subscribers);
    let idle = shard.range(whole.idle);
    group.messages = group.messages.map(|messages| match whole.publishers {
        0 => shard.share_of_messages(messages),
        _ => publishers.clone().map(|publisher| group.messages_of(publisher)).sum(),
    });
    group.offsets.whole = whole;
    group.offsets.before =
        Counts { publishers: publishers.start, subscribers: subscribers.start, idle: idle.start };
    (group.publishers, group.subscribers, group.idle) =
        (publishers.len() as u32, subscribers.len() as u32, idle.len() as u32);
    group.topic_list = group.topic_list.as_ref().map(|list| list.subset(&publishers));
    group.topics = group.topics.clone().subset(publishers, subscribers);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::Plan;
    use crate::bench::plan::tests::{group, plan};
    use crate::bench::rate::Rate;
    use crate::bench::rate_profile::{Bounds, Pace, RateProfile};
    use crate::bench::schedule::{Arrivals, OpenLoop, Schedule};

    /// The plans of all shards of these groups.
    fn shards(groups: &[Group], count: u32) -> Vec<Plan> {
        let of = |number| {
            let mut groups = groups.to_vec();
            cut(&mut groups, Shard::new(number, count).unwrap()).unwrap();
            plan(groups)
        };
        (1..=count).map(of).collect()
    }

    #[test]
    fn shards_are_counted_from_one() {
        assert_eq!(Shard::new(3, 3), Some(Shard { number: 2, count: 3 }));
        assert_eq!((Shard::new(0, 3), Shard::new(4, 3), Shard::new(1, 0)), (None, None, None));
    }

    #[test]
    fn together_they_have_every_name_once() {
        let groups = [group(10, 4), Group { idle: 7, ..group(0, 0) }, group(5, 5)];
        let names = |plan: &Plan| -> Vec<(String, u32)> {
            let parts = (0..plan.threads).flat_map(|thread| plan.slots_of_thread(thread));
            parts.map(|part| (plan.client_id(part), plan.global_number_of(part))).collect()
        };
        let mut whole = names(&plan(groups.to_vec()));
        let mut split: Vec<_> = shards(&groups, 4).iter().flat_map(names).collect();
        whole.sort();
        split.sort();
        assert_eq!(split, whole);
    }

    #[test]
    fn together_they_have_every_topic_and_message_once() {
        let whole = group(10, 4);
        let topics = |group: &Group| -> Vec<(String, u64)> {
            let of = |publisher| (group.topics.topic(publisher, ""), group.messages_of(publisher));
            (0..group.publishers).map(of).collect()
        };
        let parts: Vec<_> =
            shards(std::slice::from_ref(&whole), 3).into_iter().flat_map(|plan| plan.groups).collect();
        let mut split: Vec<_> = parts.iter().flat_map(topics).collect();
        let count = split.len();
        assert_eq!(split.iter().map(|(_, messages)| messages).sum::<u64>(), whole.messages.unwrap());
        let of_publishers =
            |list: Vec<(String, u64)>| -> Vec<u64> { list.into_iter().map(|(_, count)| count).collect() };
        assert_eq!(of_publishers(split.clone()), of_publishers(topics(&whole)));
        split.sort();
        split.dedup_by(|a, b| a.0 == b.0);
        assert_eq!((split.len(), count), (10, 10));
        let filters: std::collections::BTreeSet<_> = parts
            .iter()
            .flat_map(|part| (0..part.subscribers).map(|subscriber| part.topics.filter(subscriber)))
            .collect();
        assert_eq!(filters.len(), 4);
    }

    #[test]
    fn together_they_send_at_the_planned_times_of_all() {
        let rate = Rate::per_second(10.0).unwrap();
        let profile = RateProfile::new(Pace::Constant(rate), Bounds::default());
        let load = OpenLoop { profile, arrivals: Arrivals::Constant, burst: 1, duty_cycle: None, seed: 1 };
        let firsts = |group: &Group| -> Vec<u64> {
            let schedule = |number| {
                Schedule::new(
                    load.clone(),
                    group.offsets.before.publishers + number,
                    group.whole().publishers,
                )
            };
            (0..group.publishers).map(|number| schedule(number).next()).collect()
        };
        let whole = group(7, 7);
        let parts = shards(std::slice::from_ref(&whole), 3).into_iter().flat_map(|plan| plan.groups);
        assert_eq!(parts.flat_map(|part| firsts(&part)).collect::<Vec<_>>(), firsts(&whole));
    }

    #[test]
    fn too_few_subscribers_for_the_shards_are_reported() {
        let error = |group: Group| cut(&mut [group], Shard::new(1, 3).unwrap()).unwrap_err().to_string();
        assert_eq!(error(group(10, 2)), "2 subscribers cannot be shared by 3 shards");
    }
}
