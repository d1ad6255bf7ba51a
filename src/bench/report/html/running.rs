//! The page of a run in progress. A count that is known only at its end is not displayed as zero.

use super::super::running::Snapshot;
use super::headline::{Tile, running, tiles};
use super::markup::{Table, shortened};
use super::{LATENCY_HEADS, LONGEST_CELL, MAX_GROUPS, Part};
use crate::bench::record::Stage;

/// The place of a count that is not known yet.
const AT_THE_END: &str = "known at the end";

impl Snapshot {
    /// The page without its frame.
    pub(crate) fn to_part(&self) -> Part {
        let report = &self.report;
        let mut html = report.title();
        html += &running(&self.state);
        html += &tiles([report.rate_tile(), report.latency_tile(), self.loss_tile(), report.clients_tile()]);
        html += &report.html_charts();
        html += "<h2>Figures</h2>\n";
        for table in [
            report.run_table(),
            self.group_table(),
            report.flow_table(),
            report.percentile_table(),
            self.failure_table(),
            report.error_table(),
            report.broker_table(),
        ] {
            html += &table;
        }
        Part { title: format!("mq bench, {}", report.plan.broker), html }
    }

    /// Messages on their way cannot be distinguished from lost ones.
    fn loss_tile(&self) -> Option<Tile> {
        let outstanding = self.outstanding?;
        let more = format!("of {} due; losses are {AT_THE_END}", self.report.account.owed);
        Some(("not received yet".to_owned(), outstanding.to_string(), more))
    }

    fn group_table(&self) -> String {
        let report = &self.report;
        let rows = report.groups.iter().zip(&self.groups).take(MAX_GROUPS).map(|(group, now)| {
            let [name, clients, load] = [group.name.as_str(), &group.clients_by_role(), &group.load("")]
                .map(|text| shortened(text, LONGEST_CELL));
            let connected = format!("{} of {}", now.connected, group.clients());
            let received = if group.subscribers > 0 { now.received.to_string() } else { "–".to_owned() };
            let mut cells = vec![name, clients, load, connected, now.lost.to_string(), received];
            cells.extend(group.latency_cells());
            cells
        });
        let heads = ["", "clients", "load", "connected", "connections lost", "received"];
        let heads: Vec<_> = heads.into_iter().chain(LATENCY_HEADS).collect();
        Table { caption: "Groups", heads: &heads, rows: rows.collect() }.to_html()
    }

    fn failure_table(&self) -> String {
        let report = &self.report;
        let mut rows = vec![
            ("could not connect", report.errors.count(Stage::Connect).to_string()),
            ("connections lost", report.connections_lost.to_string()),
            ("rejected", report.account.rejected.to_string()),
            ("sent late", report.late.to_string()),
        ];
        if self.outstanding.is_some() {
            let words = ["lost", "duplicated", "out of order"];
            rows.extend(words.map(|word| (word, AT_THE_END.to_owned())));
        }
        let rows = rows.into_iter().map(|(name, count)| vec![name.to_owned(), count]);
        Table { caption: "Failures", heads: &["", "count"], rows: rows.collect() }.to_html()
    }
}
