//! The clients of an MQTT-SN gateway: each with a socket of its own, or several behind a forwarder of their thread.

use super::client_slot::{ClientSlot, Task};
use super::plan::Plan;
use super::record::Datagrams;
use super::target::Route;
use crate::protocol::sn::client::Settings;
use crate::transport::forwarder::Forwarder;
use crate::transport::mqtt_sn::{GatewayCounts, connect_from, connect_through, open_forwarder};
use crate::transport::{ConnectError, Stream};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The forwarders of a thread, and the counts of its datagrams.
#[derive(Debug, Default)]
pub(super) struct GatewayClients {
    counts: Arc<GatewayCounts>,
    /// By the number of the gateway and of the forwarder.
    forwarders: RefCell<BTreeMap<(u8, u32), Forwarder>>,
}

impl GatewayClients {
    /// Prepares a client's connection to its gateway.
    ///
    /// # Errors
    /// If there is no local port, or no route.
    pub(super) async fn connect(
        &self,
        plan: &Plan,
        route: &Route,
        slot: ClientSlot,
        settings: &Settings,
    ) -> Result<Stream, ConnectError> {
        let group = plan.group(slot);
        let settings = Settings {
            is_unconnected: group.is_unconnected && slot.task == Task::Publish,
            predefined: group.topic_id.iter().map(|id| (*id, id.to_string())).collect(),
            counts_rejections: true,
            ..settings.clone()
        };
        let (number, counts) = (plan.number_of(slot), Arc::clone(&self.counts));
        let Some(forwarder) = plan.forwarder_of(slot) else {
            let open = |source, target| connect_from(source, target, settings.clone(), Arc::clone(&counts));
            return route.open_datagrams(number, open).await;
        };
        let forwarder = self.forwarder(route, slot.broker.unwrap_or_default(), forwarder).await?;
        Ok(connect_through(&forwarder, number, settings, counts))
    }

    /// A forwarder, which the first of its clients opens.
    async fn forwarder(&self, route: &Route, broker: u8, number: u32) -> Result<Forwarder, ConnectError> {
        let known = |forwarders: &BTreeMap<_, _>| forwarders.get(&(broker, number)).cloned();
        if let Some(forwarder) = known(&self.forwarders.borrow()) {
            return Ok(forwarder);
        }
        let opened = route.open_datagrams(number, open_forwarder).await?;
        let forwarders = &mut *self.forwarders.borrow_mut();
        if let Some(forwarder) = known(forwarders) {
            return Ok(forwarder);
        }
        tokio::task::spawn_local(opened.clone().run());
        forwarders.insert((broker, number), opened.clone());
        Ok(opened)
    }

    /// The datagrams of all clients of the thread.
    pub(super) fn datagrams(&self) -> Datagrams {
        let dropped = self.forwarders.borrow().values().map(Forwarder::dropped).sum();
        Datagrams::of(&self.counts, dropped)
    }
}
