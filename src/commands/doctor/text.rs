//! The text report: a heading for each part, and a line for each fact.

use super::check::Verdict;
use super::report::{BrokerVersion, Examination, ProxyRoute, Report, VersionResult, layer_name, moment};
use crate::escape;
use crate::transport::tls::{Negotiated, NegotiatedAlgorithms, ShownCertificate};
use std::fmt::Write;
use std::time::Duration;

/// The width of the first column.
const COLUMN: usize = 36;

/// The width of verdicts.
const VERDICT: usize = 9;

/// The length of the date in an RFC 3339 timestamp.
const DAY: usize = 10;

/// The whole report.
pub(super) fn write(report: &Report) -> String {
    let mut page = Page(String::new());
    page.place(report);
    if let Some(tls) = &report.tls {
        page.tls(report, tls);
    }
    page.versions(report);
    if let Some(examined) = &report.examined {
        page.examined(examined);
    }
    let warnings = report.warnings();
    if !warnings.is_empty() {
        page.heading("warnings");
        warnings.iter().for_each(|warning| page.line(warning));
    }
    page.0
}

struct Page(String);

impl Page {
    fn place(&mut self, report: &Report) {
        self.heading("broker");
        self.fact("address", &report.address);
        if let Some(peer) = &report.peer {
            self.fact("at", peer);
        }
        if let Some(via) = &report.via {
            self.via(via);
        }
        self.fact("transport", &report.transport.join(", "));
        match report.examined.as_ref().map(|examined| &examined.broker_version) {
            None | Some(BrokerVersion::NotAsked) => {}
            Some(BrokerVersion::Unreadable) => self.fact("$SYS/broker/version", "(not readable)"),
            Some(BrokerVersion::Known(version)) => self.fact("$SYS/broker/version", version),
        }
    }

    fn via(&mut self, via: &ProxyRoute) {
        self.fact("through the proxy", &via.proxy);
        if let Some(peer) = &via.peer {
            self.fact("  at", peer);
        }
        self.fact("  asked for", &via.target);
    }

    fn tls(&mut self, report: &Report, tls: &Negotiated) {
        self.heading("TLS");
        let NegotiatedAlgorithms { version, suite, group, signature } = &tls.algorithms;
        self.fact("version", version);
        self.fact("cipher suite", suite);
        group.iter().for_each(|group| self.fact("key exchange", group));
        signature.iter().for_each(|signature| self.fact("signature", signature));
        if let Some(protocol) = &tls.protocol {
            self.fact("protocol (ALPN)", protocol);
        }
        for certificate in &tls.chain {
            match certificate {
                Some(certificate) => self.certificate(report, certificate),
                None => self.fact("certificate", "(cannot be read)"),
            }
        }
    }

    fn certificate(&mut self, report: &Report, certificate: &ShownCertificate) {
        let day = |seconds| moment(seconds).get(..DAY).map(str::to_owned).unwrap_or_default();
        let days = report.days_left(certificate);
        let left = if days < 0 { "expired".to_owned() } else { format!("{days} days left") };
        self.fact("certificate", &certificate.subject);
        if !certificate.names.is_empty() {
            self.fact("  for", &certificate.names.join(", "));
        }
        self.fact("  issued by", &certificate.issuer);
        let (first, last) = (day(certificate.not_before), day(certificate.not_after));
        self.fact("  valid", &format!("{first} to {last}, {left}"));
    }

    fn versions(&mut self, report: &Report) {
        self.heading("versions");
        for (version, outcome) in &report.versions {
            let result = match outcome {
                VersionResult::Accepted => "accepted".to_owned(),
                VersionResult::Refused { why, .. } => format!("refused: {why}"),
                VersionResult::NotTried(why) => format!("not tried: {why}"),
            };
            self.fact(&version.to_string(), &result);
        }
    }

    fn examined(&mut self, examined: &Examination) {
        if !examined.limits.is_empty() {
            self.heading("limits, by CONNACK");
        }
        for limit in &examined.limits {
            self.fact(limit.meaning, &limit.shown());
        }
        self.heading(&format!("checks, in {}", examined.version));
        for (check, finding) in &examined.checks {
            let verdict = match finding.verdict {
                Verdict::Rejected => "rejected",
                other => other.word(),
            };
            self.fact(&check.name(), &format!("{verdict:VERDICT$}{}", finding.why));
        }
        self.heading("times");
        for (layer, time) in &examined.layers {
            self.fact(&format!("connecting, {}", layer_name(*layer)), &milliseconds(*time));
        }
        self.fact("connecting, CONNACK", &milliseconds(examined.connack));
        if let Some([least, median, most]) = examined.round_trip() {
            let count = examined.round_trips.len();
            let [least, median, most] = [least, median, most].map(milliseconds);
            self.fact(
                "round trip (PINGREQ)",
                &format!("{least} least, {median} median, {most} most, of {count}"),
            );
        }
        if let Some(delay) = examined.second_acknowledgement {
            let remark = match examined.is_acknowledgement_delayed() {
                true => ": the broker does not set TCP_NODELAY (mosquitto: set_tcp_nodelay true)",
                false => "",
            };
            self.fact("second PUBACK of two", &format!("{}{remark}", milliseconds(delay)));
        }
    }

    fn heading(&mut self, text: &str) {
        let blank = if self.0.is_empty() { "" } else { "\n" };
        let _ = writeln!(self.0, "{blank}{text}");
    }

    fn fact(&mut self, name: &str, value: &str) {
        self.line(&format!("{name:COLUMN$}{value}"));
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.0, "  {}", escape::line(text.trim_end()));
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}
