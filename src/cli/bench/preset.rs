//! Checks a plan against the limits of a hosted broker, which closes connections that violate them.

use super::run_args::RunArgs;
use crate::bench::payload::Payload;
use crate::bench::plan::{ClientSlot, Group, Plan, Task};
use crate::cli::Error;
use crate::hosted::{ConnectContent, Rules};
use crate::protocol::Publish;

impl RunArgs {
    /// The service must accept many clients.
    pub(super) fn check_service(&self) -> Result<(), Error> {
        match self.client.preset.preset {
            Some(service) if !service.accepts_many_clients() => Err(Error::usage(format!(
                "--preset {}: {service} accepts one connection per device, but a run has many clients",
                service.word()
            ))),
            _ => Ok(()),
        }
    }

    /// Checks the packets of the first clients of each group, which represent the others.
    pub(super) fn check_rules(&self, plan: &Plan) -> Result<(), Error> {
        let Some(rules) = self.client.rules(plan.broker.version) else { return Ok(()) };
        let length = self.client.authentication.data_length();
        let refused = |violation| self.client.preset.refused("--auth-data-file", &violation);
        rules.check_authentication_data(length).map_err(refused)?;
        for (index, group) in plan.groups.iter().enumerate() {
            let slot = ClientSlot { group: index, task: Task::Publish, number: 0, broker: None };
            let client_id = plan.client_id(slot);
            self.check_connect(&rules, plan, &client_id, plan.keep_alive(slot))?;
            if group.publishers > 0 {
                self.check_messages(&rules, plan, group, &client_id)?;
            }
            if group.subscribers > 0 || group.is_answered {
                let (filter, qos) = (group.filter(0), group.subscription_qos);
                let refused = |violation| {
                    self.client.preset.refused(&format!("cannot subscribe to {filter}"), &violation)
                };
                rules.check_filter(&filter, qos).map_err(refused)?;
            }
        }
        Ok(())
    }

    fn check_connect(
        &self,
        rules: &Rules,
        plan: &Plan,
        client_id: &str,
        keep_alive: u16,
    ) -> Result<(), Error> {
        let properties = &plan.broker.properties;
        let connect_content = ConnectContent {
            client_id,
            keep_alive,
            connect: properties.connect.as_properties(),
            disconnect: properties.disconnect.as_properties(),
            has_method: self.client.authentication.auth_method.is_some(),
        };
        let checked = rules
            .check_connect(&connect_content)
            .and_then(|()| rules.check_subscribe(1, properties.subscribe.as_properties()));
        checked.map_err(|violation| self.client.preset.refused("cannot connect", &violation))
    }

    fn check_messages(
        &self,
        rules: &Rules,
        plan: &Plan,
        group: &Group,
        client_id: &str,
    ) -> Result<(), Error> {
        let topic = group.topics.topic(group.first_publisher, client_id);
        let check = |topic: &str, payload: &[u8]| {
            let properties = plan.broker.properties.publish.as_properties();
            let (qos, retain) = (group.qos, group.retain);
            let publish = Publish { dup: false, qos, retain, topic, packet_id: None, properties, payload };
            let what = format!("cannot publish to {topic}");
            rules.check_publish(&publish).map_err(|violation| self.client.preset.refused(&what, &violation))
        };
        match &group.payload {
            Payload::Recording(messages) => messages
                .iter()
                .try_for_each(|message| check(message.topic.as_deref().unwrap_or(&topic), &message.payload)),
            _ => check(&topic, &vec![0; plan.payload_sizes(group).1]),
        }
    }
}
