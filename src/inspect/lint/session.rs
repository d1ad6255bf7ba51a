//! The order of packets in a connection: CONNECT and CONNACK first and once, then AUTH, and DISCONNECT last.

use super::packet_context::Subject;
use super::report::Report;
use super::{End, LONG, Premises};
use crate::inspect::tracker::Agreement;
use crate::inspect::tracker::negotiated::Connect;
use crate::inspect::{Direction, Name, Rule, Severity};
use crate::protocol::{PacketType, PropertyId, ReasonCode, Version};

/// The progress of a connection.
#[derive(Debug, Default)]
pub(super) struct Session {
    version: Option<Version>,
    connect: Option<Seen>,
    /// CONNECT broke no rule, so the server has to answer it.
    is_connect_sound: bool,
    connack: Option<Seen>,
    refused: Option<Seen>,
    /// The client sent further packets before CONNACK, so it could not know the server's limits.
    is_hasty: bool,
    has_spoken: [bool; 2],
    disconnected: [Option<Seen>; 2],
    is_reauthenticating: bool,
}

/// The time of a packet, in nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Option<u64>,
}

impl Session {
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
        subject: &Subject<'_>,
        premises: &mut Premises,
        is_sound: bool,
        report: &mut Report,
    ) {
        self.version = Some(subject.version);
        self.nothing_after_the_end(subject, report);
        match subject.direction {
            Direction::ClientToServer => self.client(subject, premises, report),
            Direction::ServerToClient => self.server(subject, *premises, report),
        }
        let agreement = &subject.packet.tracker.agreement;
        match subject.kind {
            PacketType::Connect => self.is_connect_sound = is_sound,
            PacketType::Auth => self.auth(subject, agreement, *premises, report),
            PacketType::Disconnect => self.disconnect(subject, agreement, report),
            _ => {}
        }
        if let Some(has_spoken) = self.has_spoken.get_mut(subject.direction as usize) {
            *has_spoken = true;
        }
    }

    /// Reports a CONNECT without an answer, and a connection that was not closed.
    pub(super) fn end(&self, end: End, premises: Premises, report: &mut Report) {
        let has_server_spoken = self.has_spoken.last().copied().unwrap_or_default();
        if let Some(connect) = self.connect
            && self.is_connect_sound
            && !has_server_spoken
            && premises.is_complete()
        {
            let severity = end.severity(connect.at, Severity::Warning);
            report.find_as(severity, Rule::AnswerConnect, 0..0, "CONNECT was not answered");
        }
        let stayed = |seen: &Option<Seen>| seen.and_then(|seen| end.since(seen.at)).filter(|it| *it >= LONG);
        if let Some(waited) = stayed(&self.refused) {
            let detail = format!("the connection stayed open for {} s after CONNACK", waited / super::SECOND);
            report.find_as(Severity::Warning, Rule::AfterRefusal, 0..0, detail);
        }
        if let Some(waited) = self.disconnected.iter().find_map(stayed) {
            let detail =
                format!("the connection stayed open for {} s after DISCONNECT", waited / super::SECOND);
            report.find(Rule::NotClosed, 0..0, detail);
        }
    }

    fn nothing_after_the_end(&self, subject: &Subject<'_>, report: &mut Report) {
        let has_ended = self.disconnected.get(subject.direction as usize).is_some_and(Option::is_some);
        if has_ended {
            let detail = format!("{} after DISCONNECT", subject.kind);
            report.find(Rule::AfterDisconnect, subject.whole(), detail);
        } else if self.refused.is_some() && !subject.is_from_client() && subject.kind != PacketType::Connack {
            let detail = format!("{} after a CONNACK that refuses", subject.kind);
            report.find(Rule::AfterRefusal, subject.whole(), detail);
        }
    }

    fn client(&mut self, subject: &Subject<'_>, premises: &mut Premises, report: &mut Report) {
        let [has_spoken, _] = self.has_spoken;
        let is_first = !has_spoken && premises.is_whole(Direction::ClientToServer);
        if subject.kind == PacketType::Connect {
            if self.connect.is_some() {
                report.find(Rule::SecondConnect, subject.whole(), "second CONNECT");
                return;
            }
            premises.beginning = is_first;
            self.connect = Some(Seen { at: subject.time() });
            return;
        }
        if is_first && premises.handshake {
            let detail = format!("the first packet is {}", subject.kind);
            report.find(Rule::FirstNotConnect, subject.whole(), detail);
        }
        if self.connack.is_none() && premises.is_complete() {
            self.before_connack(subject, report);
        }
    }

    /// Checks a packet before CONNACK. Without an authentication method, the client need not wait.
    fn before_connack(&mut self, subject: &Subject<'_>, report: &mut Report) {
        if matches!(subject.kind, PacketType::Auth | PacketType::Disconnect) {
            return;
        }
        self.is_hasty = true;
        let connect = subject.packet.tracker.agreement.connect.as_ref();
        if connect.is_some_and(|connect| connect.authentication_method.is_some()) {
            let detail = format!("{} before CONNACK", subject.kind);
            report.find(Rule::BeforeConnackWithMethod, subject.whole(), detail);
        }
    }

    fn server(&mut self, subject: &Subject<'_>, premises: Premises, report: &mut Report) {
        if subject.kind == PacketType::Connack {
            return self.connack(subject, premises, report);
        }
        if self.connack.is_some() || !premises.is_complete() {
            return;
        }
        let [_, has_spoken] = self.has_spoken;
        match subject.kind {
            PacketType::Auth => {}
            PacketType::Disconnect => {
                let detail = "DISCONNECT before CONNACK";
                report.find(Rule::DisconnectBeforeConnack, subject.whole(), detail);
            }
            kind if !has_spoken => {
                let detail = format!("the server's first packet is {kind}");
                report.find(Rule::FirstNotConnack, subject.whole(), detail);
            }
            _ => {}
        }
    }

    fn connack(&mut self, subject: &Subject<'_>, premises: Premises, report: &mut Report) {
        if self.connack.is_some() {
            report.find(Rule::SecondConnack, subject.whole(), "second CONNACK");
            return;
        }
        let seen = Seen { at: subject.time() };
        self.connack = Some(seen);
        let agreement = &subject.packet.tracker.agreement;
        // CONNACK may not have been decoded.
        let is_accepted = agreement.connack.as_ref().map(|connack| connack.is_accepted);
        if is_accepted == Some(false) {
            self.refused = Some(seen);
        }
        if let Some(connect) = agreement.connect.as_ref().filter(|_| premises.beginning) {
            if is_accepted == Some(true) {
                accepted(subject, connect, report);
            }
            method(subject, connect, report);
        }
    }

    fn auth(
        &mut self,
        subject: &Subject<'_>,
        agreement: &Agreement,
        premises: Premises,
        report: &mut Report,
    ) {
        let Some(connect) = agreement.connect.as_ref().filter(|_| premises.is_complete()) else { return };
        method(subject, connect, report);
        let Some(code) = subject.reason_code() else { return };
        let range = subject.range(Name::ReasonCode);
        if self.connack.is_none() {
            let rule = match subject.direction {
                Direction::ClientToServer => Rule::AuthContinueClient,
                Direction::ServerToClient => Rule::AuthContinueServer,
            };
            if code != ReasonCode::CONTINUE_AUTHENTICATION {
                report.find(rule, range, format!("the reason code is {code}"));
            }
            return;
        }
        let begins = subject.is_from_client() && code == ReasonCode::RE_AUTHENTICATE;
        if !begins && !self.is_reauthenticating {
            let detail = format!("the {} sent {code} after CONNACK", subject.direction.sender());
            report.find(Rule::ReauthenticationCode, range, detail);
        }
        self.is_reauthenticating = begins || (self.is_reauthenticating && code != ReasonCode::SUCCESS);
    }

    fn disconnect(&mut self, subject: &Subject<'_>, agreement: &Agreement, report: &mut Report) {
        let expiry = subject.property(PropertyId::SessionExpiryInterval);
        if let Some(connect) = &agreement.connect
            && let Some(expiry) = expiry.filter(|_| subject.is_from_client())
            && connect.session_expiry_interval == 0
            && subject.property_number(PropertyId::SessionExpiryInterval) != Some(0)
        {
            let detail = "the session expiry interval was 0 in CONNECT";
            report.find(Rule::SessionExpiryRaised, expiry.range.clone(), detail);
        }
        if let Some(disconnected) = self.disconnected.get_mut(subject.direction as usize) {
            disconnected.get_or_insert(Seen { at: subject.time() });
        }
    }
}

/// Checks a CONNACK that accepts the connection.
fn accepted(subject: &Subject<'_>, connect: &Connect, report: &mut Report) {
    // MQTT 3.1 does not have the flag.
    if connect.clean_start && subject.tree.is_set(Name::SessionPresent) && subject.version > Version::V31 {
        let detail = "Session Present is set, but the client started clean";
        report.find(Rule::SessionPresentClean, subject.range(Name::SessionPresent), detail);
    }
    if connect.has_client_id {
        return;
    }
    match subject.version {
        Version::V5 if subject.lacks(PropertyId::AssignedClientIdentifier) => {
            let detail = "CONNACK assigns no client identifier, but the client has none";
            report.find(Rule::AssignedIdMissing, subject.whole(), detail);
        }
        Version::V311 if !connect.clean_start => {
            report.find(Rule::EmptyIdAccepted, subject.whole(), "the server accepted the client");
        }
        Version::V31 | Version::V311 | Version::V5 => {}
    }
}

/// Checks that AUTH and CONNACK use CONNECT's authentication method.
fn method(subject: &Subject<'_>, connect: &Connect, report: &mut Report) {
    let field = subject.property(PropertyId::AuthenticationMethod);
    let range = field.map_or_else(|| subject.whole(), |field| field.range.clone());
    let Some(chosen) = &connect.authentication_method else {
        if field.is_some() || subject.kind == PacketType::Auth {
            let rule = match subject.direction {
                Direction::ClientToServer => Rule::AuthUnaskedClient,
                Direction::ServerToClient => Rule::AuthUnaskedServer,
            };
            report.find(rule, range, "CONNECT set no authentication method");
        }
        return;
    };
    let named = subject.property_text(PropertyId::AuthenticationMethod);
    if let Some(named) = named.filter(|named| *named != &**chosen) {
        let detail = format!("the method is {named:?}, but CONNECT's is {chosen:?}");
        report.find(Rule::AuthMethodDiffers, range, detail);
    }
}
