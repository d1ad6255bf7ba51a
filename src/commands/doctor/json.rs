//! The JSON report: one object, whose keys docs/doctor-json.md describes.

use super::super::limits::LimitValue;
use super::report::{Examination, Report, VersionResult, layer_name, moment};
use crate::json::Writer;
use crate::protocol::Version;
use crate::transport::tls::{Negotiated, NegotiatedAlgorithms, ShownCertificate, Verified};
use std::time::Duration;

/// The whole report on a line.
pub(super) fn write(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object(Writer::new(&mut out, false));
    object.report(report);
    out.push(b'\n');
    out
}

struct Object<'o>(Writer<'o>);

impl Object<'_> {
    fn report(&mut self, report: &Report) {
        let examined = report.examined.as_ref();
        self.0.open_object();
        self.text("address", Some(&report.address));
        self.text("peer", report.peer.as_deref());
        let via = report.via.as_ref();
        self.text("proxy", via.map(|via| via.proxy.as_str()));
        self.text("proxy_peer", via.and_then(|via| via.peer.as_deref()));
        self.text("asked_of_proxy", via.map(|via| via.target.as_str()));
        self.texts("transport", report.transport.iter().copied());
        self.0.key("tls");
        match &report.tls {
            Some(tls) => self.tls(report, tls),
            None => self.0.literal("null"),
        }
        self.versions(report);
        self.text("broker_version", examined.and_then(|examined| examined.broker_version.known()));
        self.text("checked_with", examined.map(|examined| number_of(examined.version)).as_deref());
        if let Some(examined) = examined {
            self.examined(examined);
        }
        self.texts("warnings", report.warnings().iter().map(String::as_str));
        self.0.key("complete");
        self.0.literal(report.is_complete);
        self.0.close_object();
    }

    fn tls(&mut self, report: &Report, tls: &Negotiated) {
        self.0.open_object();
        let NegotiatedAlgorithms { version, suite, group, signature } = &tls.algorithms;
        self.text("version", Some(version));
        self.text("cipher_suite", Some(suite));
        self.text("key_exchange", group.as_deref());
        self.text("signature", signature.as_deref());
        self.text("alpn", tls.protocol.as_deref());
        self.verified(report.verified);
        self.0.key("certificates");
        self.0.open_array();
        for certificate in &tls.chain {
            self.0.element();
            match certificate {
                Some(certificate) => self.certificate(report, certificate),
                None => self.0.literal("null"),
            }
        }
        self.0.close_array();
        self.0.close_object();
    }

    /// With a pre-shared key there is no certificate to verify.
    fn verified(&mut self, verified: Option<Verified>) {
        let Verified { chain, name } = verified.unwrap_or(Verified { chain: true, name: true });
        for (key, passed) in [("verified", chain && name), ("chain_verified", chain), ("name_verified", name)]
        {
            self.0.key(key);
            self.0.literal(passed);
        }
    }

    fn certificate(&mut self, report: &Report, certificate: &ShownCertificate) {
        self.0.open_object();
        self.text("subject", Some(&certificate.subject));
        self.text("issuer", Some(&certificate.issuer));
        self.texts("names", certificate.names.iter().map(String::as_str));
        self.text("not_before", Some(&moment(certificate.not_before)));
        self.text("not_after", Some(&moment(certificate.not_after)));
        self.0.key("days_left");
        self.0.literal(report.days_left(certificate));
        self.0.close_object();
    }

    fn versions(&mut self, report: &Report) {
        self.0.key("versions");
        self.0.open_array();
        for (version, outcome) in &report.versions {
            self.0.element();
            self.0.open_object();
            self.text("version", Some(&number_of(*version)));
            self.outcome(outcome);
            self.0.close_object();
        }
        self.0.close_array();
    }

    fn outcome(&mut self, outcome: &VersionResult) {
        let (word, why, reason_code, return_code) = match outcome {
            VersionResult::Accepted => ("accepted", None, None, None),
            VersionResult::Refused { why, reason_code, return_code } => {
                ("refused", Some(why), *reason_code, *return_code)
            }
            VersionResult::NotTried(why) => ("not_tried", Some(why), None, None),
        };
        self.text("outcome", Some(word));
        if let Some(why) = why {
            self.text("why", Some(why));
        }
        if let Some(reason_code) = reason_code {
            self.0.key("reason_code");
            self.0.literal(reason_code.0);
        }
        if let Some(return_code) = return_code {
            self.0.key("return_code");
            self.0.literal(return_code);
        }
    }

    fn examined(&mut self, examined: &Examination) {
        self.limits(examined);
        self.checks(examined);
        self.0.key("connect_ns");
        self.0.open_object();
        for (layer, time) in &examined.layers {
            self.time(layer_name(*layer), *time);
        }
        self.time("connack", examined.connack);
        self.0.close_object();
        if let Some(delay) = examined.second_acknowledgement {
            self.time("second_acknowledgement_ns", delay);
            self.0.key("acknowledgement_delayed_by_tcp");
            self.0.literal(examined.is_acknowledgement_delayed());
        }
        if let Some([least, median, most]) = examined.round_trip() {
            self.0.key("round_trip_ns");
            self.0.open_object();
            self.0.key("count");
            self.0.literal(examined.round_trips.len());
            self.time("min", least);
            self.time("median", median);
            self.time("max", most);
            self.0.close_object();
        }
    }

    fn limits(&mut self, examined: &Examination) {
        if examined.limits.is_empty() {
            return;
        }
        self.0.key("limits");
        self.0.open_object();
        for limit in &examined.limits {
            self.0.key(&limit.name.replace('-', "_"));
            self.0.open_object();
            self.0.key("value");
            match &limit.value {
                Some(LimitValue::Flag(flag)) => self.0.literal(flag),
                Some(LimitValue::Number(number)) => self.0.literal(number),
                Some(LimitValue::Text(text)) => self.0.string(text),
                None => self.0.literal("null"),
            }
            self.0.key("said");
            self.0.literal(limit.is_stated);
            self.0.close_object();
        }
        self.0.close_object();
    }

    fn checks(&mut self, examined: &Examination) {
        self.0.key("checks");
        self.0.open_array();
        for (check, finding) in &examined.checks {
            self.0.element();
            self.0.open_object();
            self.text("check", Some(check.key()));
            self.text("verdict", Some(finding.verdict.word()));
            self.text("why", Some(&finding.why));
            self.0.close_object();
        }
        self.0.close_array();
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        self.0.key(key);
        match value {
            Some(value) => self.0.string(value),
            None => self.0.literal("null"),
        }
    }

    fn texts<'t>(&mut self, key: &str, values: impl Iterator<Item = &'t str>) {
        self.0.key(key);
        self.0.open_array();
        for value in values {
            self.0.element();
            self.0.string(value);
        }
        self.0.close_array();
    }

    fn time(&mut self, key: &str, time: Duration) {
        self.0.key(key);
        self.0.literal(time.as_nanos());
    }
}

/// As in `3.1.1`.
fn number_of(version: Version) -> String {
    version.to_string().replace("MQTT ", "")
}
