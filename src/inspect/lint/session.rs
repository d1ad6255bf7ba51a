//! The order of packets in a connection: CONNECT and CONNACK first and once, then AUTH, and DISCONNECT last.

use super::packet_context::PacketContext;
use super::report::FindingList;
use super::{ANSWER_TIMEOUT, CaptureCoverage, ConnectionEnd};
use crate::inspect::timing::SECOND;
use crate::inspect::tracker::Negotiation;
use crate::inspect::tracker::negotiated::Connect;
use crate::inspect::{Direction, Name, Rule, Severity};
use crate::protocol::{PacketType, PropertyId, ReasonCode, Version};

/// The progress of a connection.
#[derive(Debug, Default)]
pub(super) struct PacketOrder {
    version: Option<Version>,
    connect: Option<ObservedPacket>,
    /// CONNECT broke no rule, so the server has to answer it.
    is_connect_sound: bool,
    connack: Option<ObservedPacket>,
    /// `None` as long as there are no signs of an end.
    end: Option<Box<ObservedEnd>>,
    /// The client sent further packets before CONNACK, so it could not know the server's limits.
    is_hasty: bool,
    has_spoken: [bool; 2],
    is_reauthenticating: bool,
}

/// Packets after which a connection has to end.
#[derive(Debug, Default)]
struct ObservedEnd {
    /// CONNACK that refuses.
    refused: Option<ObservedPacket>,
    disconnected: [Option<ObservedPacket>; 2],
}

/// The time of a packet, in nanoseconds.
#[derive(Debug, Clone, Copy)]
struct ObservedPacket {
    at: Option<u64>,
}

impl PacketOrder {
    /// The version whose statements are cited.
    pub(super) fn version(&self) -> Version {
        self.version.unwrap_or(Version::V311)
    }

    /// Whether the client sent further packets before CONNACK.
    pub(super) fn is_hasty(&self) -> bool {
        self.is_hasty
    }

    pub(super) fn check(
        &mut self,
        context: &PacketContext<'_>,
        coverage: &mut CaptureCoverage,
        is_sound: bool,
        report: &mut FindingList,
    ) {
        self.version = Some(context.version);
        self.nothing_after_the_end(context, report);
        match context.direction {
            Direction::ClientToServer => self.client(context, coverage, report),
            Direction::ServerToClient => self.server(context, *coverage, report),
        }
        let negotiation = &context.packet.tracker.negotiation;
        match context.kind {
            PacketType::Connect => self.is_connect_sound = is_sound,
            PacketType::Auth => self.auth(context, negotiation, *coverage, report),
            PacketType::Disconnect => self.disconnect(context, negotiation, report),
            _ => {}
        }
        if let Some(has_spoken) = self.has_spoken.get_mut(context.direction as usize) {
            *has_spoken = true;
        }
    }

    /// Reports a CONNECT without an answer, and a connection that was not closed.
    pub(super) fn end(&self, end: ConnectionEnd, coverage: CaptureCoverage, report: &mut FindingList) {
        let has_server_spoken = self.has_spoken.last().copied().unwrap_or_default();
        if let Some(connect) = self.connect
            && self.is_connect_sound
            && !has_server_spoken
            && coverage.is_complete()
        {
            let severity = end.severity(connect.at, Severity::Warning);
            report.find_as(severity, Rule::AnswerConnect, 0..0, "CONNECT was not answered");
        }
        let stayed = |seen: &Option<ObservedPacket>| {
            seen.and_then(|seen| end.since(seen.at)).filter(|it| *it >= ANSWER_TIMEOUT)
        };
        let Some(seen) = &self.end else { return };
        if let Some(waited) = stayed(&seen.refused) {
            let detail = format!("the connection stayed open for {} s after CONNACK", waited / SECOND);
            report.find_as(Severity::Warning, Rule::AfterRefusal, 0..0, detail);
        }
        if let Some(waited) = seen.disconnected.iter().find_map(stayed) {
            let detail = format!("the connection stayed open for {} s after DISCONNECT", waited / SECOND);
            report.find(Rule::NotClosed, 0..0, detail);
        }
    }

    fn nothing_after_the_end(&self, context: &PacketContext<'_>, report: &mut FindingList) {
        let Some(seen) = &self.end else { return };
        let has_ended = seen.disconnected.get(context.direction as usize).is_some_and(Option::is_some);
        if has_ended {
            let detail = format!("{} after DISCONNECT", context.kind);
            report.find(Rule::AfterDisconnect, context.whole(), detail);
        } else if seen.refused.is_some() && !context.is_from_client() && context.kind != PacketType::Connack {
            let detail = format!("{} after a CONNACK that refuses", context.kind);
            report.find(Rule::AfterRefusal, context.whole(), detail);
        }
    }

    fn client(
        &mut self,
        context: &PacketContext<'_>,
        coverage: &mut CaptureCoverage,
        report: &mut FindingList,
    ) {
        let [has_spoken, _] = self.has_spoken;
        let is_first = !has_spoken && coverage.is_whole(Direction::ClientToServer);
        if context.kind == PacketType::Connect {
            if self.connect.is_some() {
                report.find(Rule::SecondConnect, context.whole(), "second CONNECT");
                return;
            }
            coverage.beginning = is_first;
            self.connect = Some(ObservedPacket { at: context.time() });
            return;
        }
        if is_first && coverage.handshake {
            let detail = format!("the first packet is {}", context.kind);
            report.find(Rule::FirstNotConnect, context.whole(), detail);
        }
        if self.connack.is_none() && coverage.is_complete() {
            self.before_connack(context, report);
        }
    }

    /// Checks a packet before CONNACK. Without an authentication method, the client need not wait.
    fn before_connack(&mut self, context: &PacketContext<'_>, report: &mut FindingList) {
        if matches!(context.kind, PacketType::Auth | PacketType::Disconnect) {
            return;
        }
        self.is_hasty = true;
        let connect = context.packet.tracker.negotiation.connect.as_ref();
        if connect.is_some_and(|connect| connect.authentication_method.is_some()) {
            let detail = format!("{} before CONNACK", context.kind);
            report.find(Rule::BeforeConnackWithMethod, context.whole(), detail);
        }
    }

    fn server(&mut self, context: &PacketContext<'_>, coverage: CaptureCoverage, report: &mut FindingList) {
        if context.kind == PacketType::Connack {
            return self.connack(context, coverage, report);
        }
        if self.connack.is_some() || !coverage.is_complete() {
            return;
        }
        let [_, has_spoken] = self.has_spoken;
        match context.kind {
            PacketType::Auth => {}
            PacketType::Disconnect => {
                let detail = "DISCONNECT before CONNACK";
                report.find(Rule::DisconnectBeforeConnack, context.whole(), detail);
            }
            kind if !has_spoken => {
                let detail = format!("the server's first packet is {kind}");
                report.find(Rule::FirstNotConnack, context.whole(), detail);
            }
            _ => {}
        }
    }

    fn connack(&mut self, context: &PacketContext<'_>, coverage: CaptureCoverage, report: &mut FindingList) {
        if self.connack.is_some() {
            report.find(Rule::SecondConnack, context.whole(), "second CONNACK");
            return;
        }
        let seen = ObservedPacket { at: context.time() };
        self.connack = Some(seen);
        let negotiation = &context.packet.tracker.negotiation;
        // CONNACK may not have been decoded.
        let is_accepted = negotiation.connack.as_ref().map(|connack| connack.is_accepted);
        if is_accepted == Some(false) {
            self.end.get_or_insert_default().refused = Some(seen);
        }
        if let Some(connect) = negotiation.connect.as_ref().filter(|_| coverage.beginning) {
            if is_accepted == Some(true) {
                accepted(context, connect, report);
            }
            method(context, connect, report);
        }
    }

    fn auth(
        &mut self,
        context: &PacketContext<'_>,
        negotiation: &Negotiation,
        coverage: CaptureCoverage,
        report: &mut FindingList,
    ) {
        let Some(connect) = negotiation.connect.as_ref().filter(|_| coverage.is_complete()) else { return };
        method(context, connect, report);
        let Some(code) = context.reason_code() else { return };
        let range = context.range(Name::ReasonCode);
        if self.connack.is_none() {
            let rule = match context.direction {
                Direction::ClientToServer => Rule::AuthContinueClient,
                Direction::ServerToClient => Rule::AuthContinueServer,
            };
            if code != ReasonCode::CONTINUE_AUTHENTICATION {
                report.find(rule, range, format!("the reason code is {code}"));
            }
            return;
        }
        let begins = context.is_from_client() && code == ReasonCode::RE_AUTHENTICATE;
        if !begins && !self.is_reauthenticating {
            let detail = format!("the {} sent {code} after CONNACK", context.direction.sender());
            report.find(Rule::ReauthenticationCode, range, detail);
        }
        self.is_reauthenticating = begins || (self.is_reauthenticating && code != ReasonCode::SUCCESS);
    }

    fn disconnect(
        &mut self,
        context: &PacketContext<'_>,
        negotiation: &Negotiation,
        report: &mut FindingList,
    ) {
        let expiry = context.property(PropertyId::SessionExpiryInterval);
        if let Some(connect) = &negotiation.connect
            && let Some(expiry) = expiry.filter(|_| context.is_from_client())
            && connect.session_expiry_interval == 0
            && context.property_number(PropertyId::SessionExpiryInterval) != Some(0)
        {
            let detail = "the session expiry interval was 0 in CONNECT";
            report.find(Rule::SessionExpiryRaised, expiry.range.clone(), detail);
        }
        let disconnected = &mut self.end.get_or_insert_default().disconnected;
        if let Some(disconnected) = disconnected.get_mut(context.direction as usize) {
            disconnected.get_or_insert(ObservedPacket { at: context.time() });
        }
    }
}

/// Checks a CONNACK that accepts the connection.
fn accepted(context: &PacketContext<'_>, connect: &Connect, report: &mut FindingList) {
    // MQTT 3.1 does not have the flag.
    if connect.clean_start && context.tree.is_set(Name::SessionPresent) && context.version > Version::V31 {
        let detail = "Session Present is set, but the client started clean";
        report.find(Rule::SessionPresentClean, context.range(Name::SessionPresent), detail);
    }
    if connect.has_client_id {
        return;
    }
    match context.version {
        Version::V5 if context.lacks(PropertyId::AssignedClientIdentifier) => {
            let detail = "CONNACK assigns no client identifier, but the client has none";
            report.find(Rule::AssignedIdMissing, context.whole(), detail);
        }
        Version::V311 if !connect.clean_start => {
            report.find(Rule::EmptyIdAccepted, context.whole(), "the server accepted the client");
        }
        Version::V31 | Version::V311 | Version::V5 => {}
    }
}

/// Checks that AUTH and CONNACK use CONNECT's authentication method.
fn method(context: &PacketContext<'_>, connect: &Connect, report: &mut FindingList) {
    let field = context.property(PropertyId::AuthenticationMethod);
    let range = field.map_or_else(|| context.whole(), |field| field.range.clone());
    let Some(chosen) = &connect.authentication_method else {
        if field.is_some() || context.kind == PacketType::Auth {
            let rule = match context.direction {
                Direction::ClientToServer => Rule::AuthUnaskedClient,
                Direction::ServerToClient => Rule::AuthUnaskedServer,
            };
            report.find(rule, range, "CONNECT had no authentication method");
        }
        return;
    };
    let named = context.property_text(PropertyId::AuthenticationMethod);
    if let Some(named) = named.filter(|named| *named != &**chosen) {
        let detail = format!("the method is {named:?}, but CONNECT's is {chosen:?}");
        report.find(Rule::AuthMethodDiffers, range, detail);
    }
}
