//! Worker processes that failed: the report names them, so that neither the broker nor a connection is blamed.

use super::verdict::{Rule, Verdict};
use super::{Ending, Report};
use crate::bench::record::WorkerFault;
use crate::words::counted;

impl Report {
    /// The first fault in words, with the number of others.
    pub(crate) fn worker_fault(&self) -> Option<String> {
        let (first, others) = self.worker_faults.split_first()?;
        let more = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
        let clients = self.worker_faults.iter().map(|fault| fault.clients).fold(0, u64::saturating_add);
        let missing = match clients {
            0 => String::new(),
            clients => format!("; {} not measured", counted(clients, "client")),
        };
        Some(format!("{}{more}{missing}", first.name()))
    }

    /// The clients whose worker process failed before they connected.
    pub(super) fn abandoned_early(&self) -> u64 {
        let early = |fault: &WorkerFault| fault.clients.saturating_sub(fault.connected);
        self.worker_faults.iter().map(early).fold(0, u64::saturating_add)
    }

    /// An ending that worker processes caused.
    pub(super) fn abandoned_ending(&self) -> Option<&'static str> {
        if self.worker_faults.is_empty() {
            return None;
        }
        match self.ending {
            Ending::NotConnected if self.connects.count == 0 && self.not_connected() == 0 => {
                Some("no worker process was left")
            }
            Ending::AllLost if self.connections_lost == 0 => Some("no worker process was left"),
            Ending::Stalled(_) => Some("timeout: a worker process did not finish its work"),
            Ending::Complete | Ending::Interrupted | Ending::NotConnected | Ending::AllLost => None,
        }
    }

    pub(super) fn workers_check(&self) -> Option<Verdict> {
        let condition = "every worker process works to the end";
        let faults = self.worker_faults.len() as u64;
        let bad = || self.worker_fault().unwrap_or_default();
        let is_due = faults > 0 || self.plan.processes > 1;
        is_due.then(|| Verdict::none_of(Rule::Workers, condition, faults, bad))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Judgement;
    use super::super::tests::report;
    use super::*;

    fn fault(process: u64, clients: u64, connected: u64) -> WorkerFault {
        WorkerFault { process, processes: 3, event: "was killed by signal 9".to_owned(), clients, connected }
    }

    #[test]
    fn a_failed_worker_process_is_named_first() {
        let mut report = report();
        report.worker_faults = vec![fault(2, 4, 4), fault(3, 4, 4)];
        let name = "worker process 2 of 3 was killed by signal 9 (and 1 more); 8 clients not measured";
        assert!(
            report.sentence().starts_with(&format!("{name}; 16667 messages/s ")),
            "{}",
            report.sentence()
        );
        let failed = report.verdicts().into_iter().filter(Verdict::is_failure);
        assert_eq!(failed.map(|verdict| verdict.text).collect::<Vec<_>>(), [name]);
        assert_eq!(report.judgement(), Judgement::Failed);
    }

    #[test]
    fn clients_of_a_failed_worker_process_are_not_those_that_the_broker_did_not_accept() {
        let mut report = report();
        report.connects.count = 1096;
        report.worker_faults = vec![fault(2, 4, 0)];
        let failed = report.verdicts().into_iter().filter(Verdict::is_failure);
        let texts: Vec<_> = failed.map(|verdict| verdict.text).collect();
        assert_eq!(texts, ["worker process 2 of 3 was killed by signal 9; 4 clients not measured"]);
        let clients = report.verdicts().into_iter().find(|verdict| verdict.rule == Rule::Clients).unwrap();
        assert_eq!(
            (clients.judgement, clients.text.as_str()),
            (
                Judgement::NotMeasured,
                "1096 of 1100 clients connected; a worker process failed before the others did"
            )
        );
    }

    #[test]
    fn an_ending_without_workers_does_not_blame_the_broker() {
        let mut report = report();
        report.worker_faults = vec![fault(1, 1100, 1100)];
        let described = |ending| {
            let report = Report { ending, ..report.clone() };
            report.describe_ending().unwrap().into_owned()
        };
        assert_eq!(described(Ending::AllLost), "no worker process was left");
        assert_eq!(
            described(Ending::Stalled(crate::bench::Step::Drain)),
            "timeout: a worker process did not finish its work"
        );
    }
}
