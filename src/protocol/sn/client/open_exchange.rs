//! A request that the gateway has to answer, and its repetitions, in either version.

use super::{GatewayError, Settings};
use crate::protocol::sn::Flags;
use std::time::{Duration, Instant};

/// The kind of an exchange.
pub(super) trait Step {
    /// Whether the next step is the MQTT client's.
    fn waits_for_client(&self) -> bool;
    /// The name of the message.
    fn message(&self) -> &'static str;
    /// Whether DUP marks a repetition.
    fn has_dup(&self) -> bool;
}

/// A request without an answer.
#[derive(Debug)]
pub(super) struct OpenExchange<S> {
    pub(super) step: S,
    datagram: Vec<u8>,
    sent: Instant,
    pub(super) repetitions: u32,
}

impl<S: Step> OpenExchange<S> {
    pub(super) fn new(step: S, datagram: Vec<u8>, now: Instant) -> OpenExchange<S> {
        OpenExchange { step, datagram, sent: now, repetitions: 0 }
    }

    /// Whether the next step is the MQTT client's.
    pub(super) fn waits_for_client(&self) -> bool {
        self.step.waits_for_client()
    }

    /// The time of the next repetition.
    pub(super) fn due(&self, interval: Duration) -> Option<Instant> {
        (!self.waits_for_client()).then(|| self.sent + interval)
    }

    /// The gateway asks for a pause: the request is repeated after the interval. Returns false if it was repeated often enough.
    pub(super) fn postpone(&mut self, settings: &Settings, now: Instant) -> bool {
        self.sent = now;
        self.repetitions < settings.retry_count
    }

    /// The datagram of a repetition, if one is due.
    ///
    /// # Errors
    /// If the request was repeated often enough.
    pub(super) fn repeat(
        &mut self,
        settings: &Settings,
        now: Instant,
    ) -> Result<Option<Vec<u8>>, GatewayError> {
        let Settings { retry_interval, retry_count, .. } = *settings;
        if self.due(retry_interval).is_none_or(|due| now < due) {
            return Ok(None);
        }
        if self.repetitions >= retry_count {
            let attempts = retry_count.saturating_add(1);
            let (message, time) = (self.step.message(), retry_interval.saturating_mul(attempts));
            return Err(GatewayError::NoAnswer { message, attempts, time });
        }
        self.repetitions += 1;
        self.sent = now;
        self.set_dup();
        Ok(Some(self.datagram.clone()))
    }

    /// Sets DUP, which both versions have in the flags after the type.
    fn set_dup(&mut self) {
        let place = if self.datagram.first() == Some(&1) { 4 } else { 2 };
        if let Some(flags) = self.datagram.get_mut(place).filter(|_| self.step.has_dup()) {
            *flags |= Flags::DUP;
        }
    }
}
