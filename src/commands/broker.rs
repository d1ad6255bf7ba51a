//! `mq broker`: the embedded broker in the foreground.

use super::broker_files::Files;
use super::broker_fronts::{self, FrontProcesses};
use super::broker_limits;
use super::hang_up::HangUp;
use super::log::{Log, shown};
use super::reloaded::Reloaded;
use super::shutdown::Signals;
use super::{Messages, block_on, gateway};
use crate::broker::{Broker, Config, Event, Intent, ListenError};
use crate::cli::broker::BrokerArgs;
use crate::cli::gateway::embedded;
use crate::commands::error::{Error, ExitStatus};
use crate::gateway::Gateway;
use crate::transport::{Address, descriptors};
use crate::words::counted;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::sync::oneshot;

pub(super) fn run(args: &BrokerArgs, messages: Messages) -> Result<ExitStatus, Error> {
    if args.front {
        return broker_fronts::run();
    }
    let is_verbose = args.verbose;
    let listen_sn = args.listen_sn()?;
    descriptors::raise_limit();
    block_on(async {
        let mut signals = Signals::catch()?;
        let mut files = Files::open(args)?;
        let mut hang_up = if files.is_any_read_again() { HangUp::never() } else { HangUp::catch()? };
        let warnings = files.warnings();
        args.warning()
            .into_iter()
            .chain(warnings.iter().map(String::as_str))
            .for_each(|text| messages.say(text));
        let mut broker = Broker::bind(config(args, &files)?)
            .await
            .map_err(|ListenError { place, source }| Error::system(format!("listen on {place}"), source))?;
        let fronts =
            args.front_processes.map(|count| FrontProcesses::start(&mut broker, count)).transpose()?;
        announce(&broker);
        let mut gateway = bind_gateway(listen_sn, args, &broker).await?;
        let (log, log_end) = Log::start(messages);
        if let Some(gateway) = &mut gateway {
            gateway::announce(gateway)?;
            gateway::log_events(gateway, log.clone(), is_verbose);
        }
        let event_log = log.clone();
        broker.on_event(move |event| {
            if let Some(text) = describe(&event, is_verbose) {
                event_log.say(&text);
            }
        });
        let mut status = ExitStatus::DONE;
        let stop = async {
            tokio::select! {
                signal = signals.next() => status = signal,
                () = hang_up.received() => status = ExitStatus::HUNG_UP,
                () = files.keep_up_to_date(&log) => {}
                () = end_of_stdin(), if args.stop_with_stdin => {}
            }
        };
        run_both(broker, gateway, stop).await;
        drop(fronts);
        drop(log);
        log_end.wait();
        Ok(status)
    })
}

fn config(args: &BrokerArgs, files: &Files) -> Result<Config, Error> {
    let address = |port| SocketAddr::new(args.bind, port);
    let mut config = Config {
        listen: args.listen(),
        listen_web_socket: args.ws_port.map(address),
        listen_tls: args.tls.port().map(address),
        listen_web_socket_tls: args.tls.wss_port.map(address),
        tls: files.certificate.as_ref().map(Reloaded::content),
        listen_unix: args.unix.clone(),
        access: files.access(args)?,
        acl: files.acl.as_ref().map(Reloaded::content),
        client_memory: args.client_memory,
        memory: args.memory,
        ..Config::default()
    };
    for limit in &args.limits {
        broker_limits::set(&mut config, *limit);
    }
    Ok(config)
}

/// The gateway for MQTT-SN clients, if requested.
async fn bind_gateway(
    listen: Option<SocketAddr>,
    args: &BrokerArgs,
    broker: &Broker,
) -> Result<Option<Gateway>, Error> {
    let Some(listen) = listen else { return Ok(None) };
    let tcp = broker.local_address().map(|address| {
        // A broker on all addresses is also on this one.
        let ip = if address.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { address.ip() };
        Address::Tcp { host: ip.to_string(), port: address.port() }
    });
    let unix = broker.unix_path().map(|path| Address::Unix(path.to_owned()));
    let Some(address) = tcp.or(unix) else { return Ok(None) };
    let config = embedded(listen, address, args.sn_version);
    let clients = args.sn_max_clients.unwrap_or(config.clients);
    gateway::bind(crate::gateway::Config { clients, ..config }).await.map(Some)
}

/// Runs the broker, and the gateway until the same end, so that its clients disconnect first.
async fn run_both(broker: Broker, gateway: Option<Gateway>, stop: impl Future<Output = ()>) {
    let Some(gateway) = gateway else {
        broker.run(stop).await;
        return;
    };
    let (ended, end) = oneshot::channel();
    let of_gateway = async {
        gateway.run(stop).await;
        // The broker's end is the only other one, and needs no message.
        let _ = ended.send(());
    };
    let of_broker = broker.run(async {
        let _ = end.await;
    });
    tokio::join!(of_gateway, of_broker);
}

/// Waits until standard input ends; its content is ignored.
async fn end_of_stdin() {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = sender.send(());
    });
    let _ = receiver.await;
}

/// Prints the addresses that the broker listens on. A closed standard output is not an error: clients may know the port.
fn announce(broker: &Broker) {
    let tcp = broker.local_address().map(|address| address.to_string());
    let web_socket = broker.web_socket_address().map(|address| format!("{address} (WebSocket)"));
    let tls = broker.tls_address().map(|address| format!("{address} (TLS)"));
    let secure_web_socket =
        broker.web_socket_tls_address().map(|address| format!("{address} (WebSocket over TLS)"));
    let unix = broker.unix_path().map(|path| format!("{} (unix socket)", path.display()));
    let places = [tcp, web_socket, tls, secure_web_socket, unix].into_iter().flatten();
    let text: String = places.map(|place| format!("listening on {place}\n")).collect();
    let mut output = io::stdout().lock();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

/// The line for an event; connections and disconnections only with --verbose.
fn describe(event: &Event, is_verbose: bool) -> Option<String> {
    let text = match event {
        Event::Connected { .. }
        | Event::Disconnected { .. }
        | Event::Denied { is_detail: true, .. }
        | Event::Refused { is_summed: true, .. }
            if !is_verbose =>
        {
            return None;
        }
        Event::RefusedMore { .. } | Event::DeniedMore { .. } if is_verbose => return None,
        Event::Connected { client_id, peer, version } => {
            format!("{} connected from {peer} with {version}", shown(client_id))
        }
        Event::Disconnected { client_id, reason: Some(reason), fault: Some(fault) } => {
            format!("{} disconnected: {reason}: {fault}", shown(client_id))
        }
        Event::Disconnected { client_id, reason: Some(reason), fault: None } => {
            format!("{} disconnected: {reason}", shown(client_id))
        }
        Event::Disconnected { client_id, reason: None, .. } => format!("{} was lost", shown(client_id)),
        Event::Refused { peer, reason, .. } => {
            format!("refused a connection from {peer}: {}", broker_limits::describe_reason(reason))
        }
        Event::RefusedMore { count, last_reason } => format!(
            "refused {} in the last seconds; the last one: {}",
            counted(*count, "more connection"),
            broker_limits::describe_reason(last_reason)
        ),
        Event::Denied { client_id, user, topic, intent, .. } => {
            let user = user.as_ref().map(|user| format!(" (user {})", shown(user))).unwrap_or_default();
            let denied = match intent {
                Intent::Write => "publish to",
                Intent::Read => "receive",
            };
            format!("{}{user} may not {denied} {}", shown(client_id), shown(topic))
        }
        Event::DeniedMore { count } => format!(
            "the access rules denied messages of {} in the last seconds; -v names them",
            counted(*count, "more client")
        ),
        Event::QuotaExceeded { client_id, excess } => {
            format!("{} exceeded a limit: {}", shown(client_id), broker_limits::describe(*excess))
        }
        Event::Dropped { client_id, count, excess } => format!(
            "dropped {} for {}, {}because of a limit: {}",
            counted(*count, "message"),
            shown(client_id),
            if *count == 1 { "" } else { "the last one " },
            broker_limits::describe(*excess)
        ),
        Event::RetainedStoreFull { count, excess } => format!(
            "did not retain {}: the store is full: {}",
            counted(*count, "message"),
            broker_limits::describe(*excess)
        ),
        Event::AcceptFailed(error) => describe_failed_accept(error),
        Event::FrontStarted { process } => format!("front process {process} accepts clients"),
        Event::FrontEnded { process, end, clients, pause } => {
            broker_fronts::describe_end(*process, end, *clients, *pause)
        }
        Event::FrontSilent(silence) => broker_fronts::describe_silence(silence),
        Event::FrontResponds(silence) => broker_fronts::describe_response(silence),
        Event::FrontFailed { error, pause } => {
            format!("cannot start a front process: {error}; the next attempt is in {} ms", pause.as_millis())
        }
    };
    Some(text)
}

fn describe_failed_accept(error: &io::Error) -> String {
    let is_limit = error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error());
    let remedy = if is_limit {
        "; clients wait until others disconnect. `ulimit -Hn` shows the limit, and --front-processes accepts more clients"
    } else {
        ""
    };
    format!("cannot accept connections: {error}{remedy}")
}
