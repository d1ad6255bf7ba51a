//! Answers requests with their own payload: in MQTT 5 to the response topic and with the request's correlation data,
//! in MQTT 3 to the topic of the requester named in the header.

use super::event_context::{EventContext, InFlight};
use super::requester::answer_topic_of;
use crate::bench::error::ClientError;
use crate::bench::payload_header::PayloadHeader;
use crate::bench::record::Stage;
use crate::protocol::session::Session;
use crate::protocol::{PropertiesBuf, PropertyId, PropertyValue, Publish, Qos};
use std::collections::VecDeque;

/// The maximum number of answers waiting for room in the window; further requests are not answered.
const MAX_WAITING: usize = 10_000;

#[derive(Default)]
pub(in crate::bench) struct Responder {
    pub(super) is_subscribed: bool,
    waiting: VecDeque<Answer>,
}

struct Answer {
    topic: String,
    properties: PropertiesBuf,
    payload: Vec<u8>,
}

impl Responder {
    pub(super) fn message(&mut self, context: &EventContext<'_>, request: &Publish<'_>) {
        let record = &mut *context.measurements.record.borrow_mut();
        let Some(topic) = topic_of_answer(context, request) else {
            record.foreign += 1;
            return;
        };
        if self.waiting.len() >= MAX_WAITING {
            let text = format!("a request was not answered: {MAX_WAITING} answers were already waiting");
            return record.errors.add(Stage::Run, text, 1);
        }
        let mut properties = PropertiesBuf::new();
        if let Some(data @ PropertyValue::Binary(_)) = request.properties.find(PropertyId::CorrelationData) {
            let pushed = properties.push(PropertyId::CorrelationData, data);
            debug_assert!(pushed.is_ok(), "it was decoded, and is the first");
        }
        self.waiting.push_back(Answer { topic, properties, payload: request.payload.to_vec() });
    }

    /// Sends the waiting answers, within the broker's limits.
    pub(super) fn answer(
        &mut self,
        context: &EventContext<'_>,
        session: &mut Session<InFlight>,
        output: &mut Vec<u8>,
    ) -> Result<(), ClientError> {
        let qos = context.qos();
        while qos == Qos::AtMostOnce || session.quota() > 0 {
            let Some(Answer { topic, properties, payload }) = self.waiting.pop_front() else {
                break;
            };
            let answer = Publish {
                dup: false,
                qos,
                retain: false,
                topic: &topic,
                packet_id: None,
                properties: properties.as_properties(),
                payload: &payload,
            };
            let in_flight = || InFlight { sequence: 0, sent_at: context.now, planned_at: context.now };
            let sent = session.publish(&answer, in_flight, output);
            sent.map_err(|source| ClientError::Unsendable { topic: topic.clone(), source })?;
        }
        Ok(())
    }
}

/// The topic of the answer; `None` if the requester is not part of this run. A forged request cannot direct an answer
/// to a topic outside the run.
fn topic_of_answer(context: &EventContext<'_>, request: &Publish<'_>) -> Option<String> {
    let plan = context.plan;
    let header = PayloadHeader::read(request.payload, false).filter(|header| header.run == plan.run)?;
    let own = answer_topic_of(plan, header.publisher);
    if !plan.broker.version.is_v5() {
        return Some(own);
    }
    let named = request.properties.text(PropertyId::ResponseTopic)?;
    (named == own).then_some(own)
}
