//! SRV records (RFC 2782): the servers of a service, in the order to try them.

use super::ConnectError;
use super::error::NoService;
use domain::base::iana::Rcode;
use domain::base::{Name, ParsedName, Rtype};
use domain::rdata::Srv;
use domain::resolv::StubResolver;
use domain::resolv::stub::Answer;

/// A server of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    priority: u16,
    weight: u16,
}

/// The servers of a name such as `_mqtt._tcp.example.com` in order of priority; at least one.
///
/// # Errors
/// If there are no records, or the resolver does not answer.
pub(super) async fn look_up(name: &str) -> Result<Vec<Server>, ConnectError> {
    let failed = |reason: String| ConnectError::ServiceLookup { name: name.to_owned(), reason };
    let none = |details| Err(ConnectError::NoService { name: name.to_owned(), details });
    let question: Name<Vec<u8>> = name.parse().map_err(|error| failed(format!("{error}")))?;
    let answer = StubResolver::new().query((question, Rtype::SRV)).await;
    let answer = answer.map_err(|error| failed(error.to_string()))?;
    match answer.header().rcode() {
        Rcode::NOERROR => {}
        Rcode::NXDOMAIN => return none(NoService::NoName),
        other => return Err(failed(format!("the name server answers {other}"))),
    }
    let targets = targets(&answer).map_err(|error| failed(error.to_string()))?;
    let targets = in_order(targets, &mut fastrand::Rng::new());
    match targets.as_slice() {
        [] => none(NoService::NoRecord),
        [only] if only.host.is_empty() => none(NoService::NotOffered),
        _ => Ok(targets),
    }
}

fn targets(answer: &Answer) -> Result<Vec<Server>, domain::base::wire::ParseError> {
    let records = answer.answer()?.limit_to_in::<Srv<ParsedName<_>>>();
    let target = |record: Srv<ParsedName<_>>| Server {
        host: record.target().to_string().trim_end_matches('.').to_owned(),
        port: record.port(),
        priority: record.priority(),
        weight: record.weight(),
    };
    records.map(|record| Ok(target(record?.into_data()))).collect()
}

/// Lower priorities first; among equal priorities, a higher weight is more likely to come first.
fn in_order(mut targets: Vec<Server>, random: &mut fastrand::Rng) -> Vec<Server> {
    targets.sort_by_key(|target| (target.priority, target.weight));
    let mut ordered = Vec::with_capacity(targets.len());
    while let Some(first) = targets.first() {
        let priority = first.priority;
        let same = || targets.iter().take_while(|target| target.priority == priority);
        let total: u32 = same().map(|target| u32::from(target.weight)).sum();
        let mut left = random.u32(0..=total);
        let chosen = same().position(|target| {
            let is_chosen = left <= u32::from(target.weight);
            left = left.saturating_sub(target.weight.into());
            is_chosen
        });
        ordered.push(targets.remove(chosen.unwrap_or_default()));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, priority: u16, weight: u16) -> Server {
        Server { host: host.to_owned(), port: 1883, priority, weight }
    }

    fn order(targets: &[Server], random: &mut fastrand::Rng) -> String {
        in_order(targets.to_vec(), random).into_iter().map(|target| target.host).collect()
    }

    #[test]
    fn lower_priorities_come_first() {
        let targets = [target("c", 30, 100), target("a", 10, 0), target("b", 20, 65535)];
        assert_eq!(order(&targets, &mut fastrand::Rng::with_seed(1)), "abc");
    }

    #[test]
    fn higher_weights_come_first_more_often() {
        let targets = [target("a", 1, 10), target("b", 1, 90), target("c", 2, 0)];
        let mut random = fastrand::Rng::with_seed(1);
        let orders: Vec<String> = (0..1000).map(|_| order(&targets, &mut random)).collect();
        let heavy_first = orders.iter().filter(|order| *order == "bac").count();
        let light_first = orders.iter().filter(|order| *order == "abc").count();
        assert_eq!(heavy_first + light_first, 1000);
        assert!((850..950).contains(&heavy_first), "{heavy_first}");
    }
}
