//! `mq bridge`: the options become settings, the bridges run, and their events and counts are shown.

mod check;
mod describe;
mod dry_run;
mod events;
mod json_lines;
mod metrics;
mod notify;
mod status;

use super::log::Log;
use super::shutdown::Signals;
use super::{Messages, block_on, complete_client, password};
use crate::bridge::{Bridges, Event, Monitor, Settings};
use crate::cli::bridge::{BridgeArgs, Plan};
use crate::commands::error::{Error, ExitStatus};
use events::Events;
use json_lines::JsonLines;
use metrics::Metrics;
use notify::Service;
use status::Status;
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The period of looks at the counts.
const LOOK: Duration = Duration::from_millis(250);

pub(super) fn run(args: &BridgeArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let planned = args.plans()?;
    let mut plans = planned.plans;
    if let Some(topic) = &args.dry_run {
        return dry_run::print(&plans, topic.as_str(), args.json);
    }
    planned.remarks.iter().for_each(|remark| messages.say(remark));
    for plan in &mut plans {
        for client in [&mut plan.local, &mut plan.remote] {
            complete_client(client, None, messages)?;
            client.tls.warning(messages.names).inspect(|warning| messages.say(warning));
        }
    }
    let mut settings = args.settings(&plans)?;
    block_on(async {
        ask_passwords(&plans, &mut settings).await?;
        match args.check {
            true => check::run(settings, &plans, args.json).await,
            false => serve(args, settings, messages).await,
        }
    })
}

/// Asks for the passwords that profiles want to be typed.
async fn ask_passwords(plans: &[Plan], settings: &mut [Settings]) -> Result<(), Error> {
    for (plan, settings) in plans.iter().zip(settings) {
        password::complete(&plan.local.connection, &mut settings.local.options.password).await?;
        password::complete(&plan.remote.connection, &mut settings.remote.options.password).await?;
    }
    Ok(())
}

/// Runs the bridges until a signal, or until all of them have failed.
async fn serve(args: &BridgeArgs, settings: Vec<Settings>, messages: Messages) -> Result<ExitStatus, Error> {
    let mut signals = Signals::catch()?;
    let mut metrics = args.metrics.map(Metrics::bind).transpose()?;
    let (log, log_end) = Log::start(messages);
    let json = args.json.then(JsonLines::start);
    if let Some(address) = metrics.as_ref().and_then(Metrics::address) {
        log.say(&format!("metrics at http://{address}/metrics"));
    }
    let handler = handler(Events::new(settings.len()), log.clone(), json.clone());
    let uses: Vec<_> =
        settings.iter().map(|settings| [!settings.out.is_empty(), !settings.incoming.is_empty()]).collect();
    let bridges = Bridges::new(settings, handler);
    let monitor = bridges.monitor();
    let service = Service::find();
    service.ready();
    let is_stopped = Rc::new(Cell::new(false));
    let stop = {
        let (is_stopped, service) = (Rc::clone(&is_stopped), service.clone());
        async move {
            signals.next().await;
            is_stopped.set(true);
            service.stopping();
            // A second signal does not wait for acknowledgements.
            tokio::spawn(async move { std::process::exit(signals.next().await.0.into()) });
        }
    };
    let status = Status::new(args.interval, uses.clone(), messages, (log.clone(), json.clone()));
    let failures = {
        let run = bridges.run(stop);
        let show = show(monitor.clone(), status, service, metrics.as_mut());
        tokio::pin!(run, show);
        tokio::select! {
            failures = &mut run => failures,
            () = &mut show => Vec::new(),
        }
    };
    status::say_totals(&monitor, &uses, &log, json.as_ref());
    drop(log);
    log_end.wait();
    if let Some(json) = json {
        json.finish();
    }
    match failures.into_iter().next() {
        Some((name, source)) if !is_stopped.get() => Err(Error::Bridge { name, source }),
        _ => Ok(ExitStatus::DONE),
    }
}

/// Logs the events of all bridges.
fn handler(events: Events, log: Log, json: Option<JsonLines>) -> impl FnMut(Event) + 'static {
    move |event| {
        if let Some(json) = &json {
            json.print(&events::object(&event));
        }
        log.say(&events.line(&event));
    }
}

/// Shows the counts until it is dropped.
async fn show(monitor: Monitor, mut status: Status, service: Service, mut metrics: Option<&mut Metrics>) {
    let start = Instant::now();
    let mut look = tokio::time::interval(LOOK);
    loop {
        let asked = async {
            match &mut metrics {
                Some(metrics) => metrics.asked().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = look.tick() => {
                let snapshots = monitor.snapshots();
                status.show(start.elapsed(), &snapshots);
                service.show(&snapshots);
            }
            answer = asked => {
                let _ = answer.send(metrics::page(&monitor.snapshots()));
            }
        }
    }
}
