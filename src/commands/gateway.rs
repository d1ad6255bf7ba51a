//! `mq gateway`: the MQTT-SN gateway in the foreground.

use super::hang_up::HangUp;
use super::log::{Log, shown};
use super::shutdown::Signals;
use super::{Messages, block_on, password};
use crate::cli::gateway::GatewayArgs;
use crate::commands::error::{Error, ExitStatus};
use crate::gateway::{Event, Gateway, Peer};
use crate::transport::descriptors;
use crate::words::counted;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

pub(super) fn run(args: &GatewayArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let mut config = args.config()?;
    let is_verbose = args.verbose;
    descriptors::raise_limit();
    block_on(async {
        let mut signals = Signals::catch()?;
        let mut hang_up = HangUp::catch()?;
        password::complete(&args.client.connection, &mut config.broker.password).await?;
        let mut gateway = bind(config).await?;
        announce(&gateway)?;
        let (log, log_end) = Log::start(messages);
        log_events(&mut gateway, log, is_verbose);
        let mut status = ExitStatus::DONE;
        let stop = async {
            tokio::select! {
                signal = signals.next() => status = signal,
                () = hang_up.received() => status = ExitStatus::HUNG_UP,
            }
        };
        gateway.run(stop).await;
        log_end.wait();
        Ok(status)
    })
}

/// Opens the port of a gateway.
pub(super) async fn bind(config: crate::gateway::Config) -> Result<Gateway, Error> {
    let listen = config.listen;
    let failed = |source| Error::system(format!("listen on {listen} (UDP)"), source);
    Gateway::bind(config).await.map_err(failed)
}

/// Logs the events of a gateway; the connections of clients only if the log is verbose.
pub(super) fn log_events(gateway: &mut Gateway, log: Log, is_verbose: bool) {
    gateway.on_event(move |event| {
        if let Some(text) = describe(&event, is_verbose) {
            log.say(&text);
        }
    });
}

/// Prints the address that the gateway listens on. A closed standard output is not an error: clients may know the port.
pub(super) fn announce(gateway: &Gateway) -> Result<SocketAddr, Error> {
    let address = gateway.local_address().map_err(|source| Error::system("read the address", source))?;
    let mut output = io::stdout().lock();
    let _ = writeln!(output, "listening on {address} (MQTT-SN)").and_then(|()| output.flush());
    Ok(address)
}

fn describe(event: &Event, is_verbose: bool) -> Option<String> {
    let text = match event {
        Event::Connected { .. }
        | Event::Disconnected { .. }
        | Event::Asleep { .. }
        | Event::Silent { .. }
        | Event::NoAnswer { .. }
        | Event::Expired { .. }
            if !is_verbose =>
        {
            return None;
        }
        Event::Connected { client_id, peer, version } => {
            format!("{} connected from {peer} with {version}", shown(client_id))
        }
        Event::Disconnected { client_id } => format!("{} disconnected from MQTT-SN", shown(client_id)),
        Event::Asleep { client_id, duration } => {
            format!("{} sleeps for {}", shown(client_id), seconds(*duration))
        }
        Event::Silent { client_id } => {
            format!("{} was lost: nothing arrived within its keep alive or sleep duration", shown(client_id))
        }
        Event::NoAnswer { client_id } => {
            format!("{} was lost: it did not answer a repeated message", shown(client_id))
        }
        Event::GaveWay { count, client_id, peer, crowd } => gave_way(*count, client_id, peer, *crowd),
        Event::Overrun { client_id } => {
            format!("{} was disconnected: the broker's messages exceed its queue", shown(client_id))
        }
        Event::Refused { count: 1, client_id, peer, reason } => {
            format!("refused {} from {peer}: {reason}", shown(client_id))
        }
        Event::Refused { count, client_id, peer, reason } => format!(
            "refused {count} clients in the last seconds; the last one was {} from {peer}: {reason}",
            shown(client_id)
        ),
        Event::BrokerLost { client_id, reason } => {
            format!("{} lost its connection to the broker: {reason}", shown(client_id))
        }
        Event::Dropped { client_id, count } => format!(
            "dropped {} for {}: its queue was full, or they were too large, or it rejected their topics",
            counted(*count, "message"),
            shown(client_id)
        ),
        Event::Expired { client_id, count } => {
            format!("{} for {} expired in its queue", counted(*count, "message"), shown(client_id))
        }
        Event::UnconnectedDropped { count, reason } => {
            format!("dropped {} of QoS -1: {reason}", counted(*count, "message"))
        }
        Event::SharedAccepted => "connected to the broker, for all clients".to_owned(),
        Event::SharedLost { reason, pause } => {
            format!("no connection to the broker: {reason}; trying again in {:.1} s", pause.as_secs_f64())
        }
        Event::DeliveryUnknown { count } => {
            let messages = counted(*count, "message");
            format!("the broker lost its session amid {messages} of QoS 2, which may be lost")
        }
        Event::Malformed { count: 1, peer, reason } => format!("ignored a datagram from {peer}: {reason}"),
        Event::Malformed { count, peer, reason } => {
            format!("ignored {count} datagrams in the last seconds; the last one from {peer}: {reason}")
        }
    };
    Some(text)
}

fn gave_way(count: u64, client_id: &str, peer: &Peer, crowd: Option<usize>) -> String {
    let client_id = shown(client_id);
    let text = match crowd {
        None => format!("{client_id} was silent for the longest time and made room for another client"),
        Some(clients) => format!(
            "{client_id} was silent for the longest time of {clients} clients at {} and made room for a client at another address",
            peer.address.ip()
        ),
    };
    match count {
        1 => text,
        _ => format!("{text}; so did {} in the last seconds", counted(count - 1, "other")),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}
