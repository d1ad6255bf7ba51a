//! `mq bridge`: the options become settings, the bridges run, and their events and counts are shown.

mod check;
mod check_client;
mod check_will;
mod describe;
mod dry_run;
mod events;
mod json_lines;
mod metrics;
mod notify;
mod panel;
mod panel_thread;
mod retained;
mod same_broker;
mod status;
mod stop_signals;

use super::log::Log;
use super::{Messages, block_on, completed, password};
use crate::bridge::{Bridges, Event, EventKind, Monitor, Settings, Side};
use crate::cli::bridge::{BridgeArgs, Plan, Words};
use crate::commands::error::{Error, ExitStatus};
use crate::escape::shortened;
use events::Events;
use json_lines::JsonLines;
use metrics::Metrics;
use notify::Service;
use status::Status;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use stop_signals::StopSignals;

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
        complete(plan, Side::Local, messages)?;
        complete(plan, Side::Remote, messages)?;
    }
    let mut settings = args.settings(&plans)?;
    block_on(async {
        ask_passwords(&plans, &mut settings).await?;
        match args.check {
            true => check::run(settings, &plans, args.json).await,
            false => serve(args, settings, &plans, messages).await,
        }
    })
}

/// Completes the credentials of a side, and reports warnings.
fn complete(plan: &mut Plan, side: Side, messages: Messages) -> Result<(), Error> {
    let words = plan.words(side);
    let client = match side {
        Side::Local => &mut plan.local,
        Side::Remote => &mut plan.remote,
    };
    let result = completed(client, None, messages.names);
    let of_tls = client.tls.warning(messages.names).map(str::to_owned);
    let warnings = result.map_err(|error| plan.in_words(side, error))?;
    warnings.iter().chain(&of_tls).for_each(|warning| messages.say(&words.translate(side, warning)));
    Ok(())
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
async fn serve(
    args: &BridgeArgs,
    settings: Vec<Settings>,
    plans: &[Plan],
    messages: Messages,
) -> Result<ExitStatus, Error> {
    let mut signals = StopSignals::catch()?;
    let mut metrics = args.metrics.map(Metrics::bind).transpose()?;
    let (log, log_end) = Log::start(messages);
    let json = args.json.then(|| JsonLines::start(log.clone()));
    if let Some(address) = metrics.as_ref().and_then(Metrics::address) {
        log.say(&format!("metrics at http://{address}/metrics"));
    }
    let last_failure = Rc::new(RefCell::new(None));
    let handler = handler(settings.len(), Rc::clone(&last_failure), log.clone(), json.clone());
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
            signals.first().await;
            is_stopped.set(true);
            service.stopping();
            tokio::spawn(signals.end_at_second(messages));
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
    // The monitor has the bridges, and they have the handler, which has the log: its end would not come.
    drop((monitor, log));
    log_end.wait();
    if let Some(json) = json {
        json.finish();
    }
    let last_failure = last_failure.take();
    match failures.into_iter().find(|(name, _)| last_failure.as_ref() == Some(name)) {
        Some((name, source)) if !is_stopped.get() => {
            let plan = plans.iter().find(|plan| plan.name == name);
            let sides = [Side::Local, Side::Remote];
            let words = sides.map(|side| plan.map_or(Words::Profile, |plan| plan.words(side)));
            let identifier_keys = sides.map(|side| plan.map_or("--name", |plan| plan.identifier_key(side)));
            Err(Error::Bridge { name: shortened(&name).into_owned(), source, words, identifier_keys })
        }
        _ => Ok(ExitStatus::DONE),
    }
}

/// Logs the events of this number of bridges. The last failure is left to the error that ends the command.
fn handler(
    bridges: usize,
    last_failure: Rc<RefCell<Option<String>>>,
    log: Log,
    json: Option<JsonLines>,
) -> impl FnMut(Event) + 'static {
    let events = Events::new(bridges);
    let mut failures = 0;
    move |event| {
        if let Some(json) = &json {
            json.print(&events::object(&event));
        }
        if matches!(event.kind, EventKind::Failed { .. }) {
            failures += 1;
            if failures == bridges {
                *last_failure.borrow_mut() = Some(event.name.to_string());
                return;
            }
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
                let now = start.elapsed();
                if status.wants(now) || service.exists() {
                    let snapshots = monitor.snapshots();
                    status.show(now, &snapshots);
                    service.show(&snapshots);
                }
            }
            answer = asked => {
                let _ = answer.send(metrics::page(&monitor.snapshots()));
            }
        }
    }
}
