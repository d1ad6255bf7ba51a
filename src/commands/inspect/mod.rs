//! `mq inspect`: decodes MQTT traffic and reports protocol errors.

mod capture;
mod datagram_proxy;
mod interruptible;
mod key_log;
mod literal_packets;
mod live;
mod live_pipeline;
mod picture;
mod preface;
mod proxy;
mod rules;
mod viewer;
mod write;

use super::{Messages, block_on};
use crate::cli::inspect::InspectArgs;
use crate::cli::inspect_live::Listen;
use crate::commands::error::{Error, ExitStatus};
use crate::inspect::Inspector;
use crate::inspect::capture::conversation::Ports;
use crate::inspect::view::ViewFormat;
use crate::time_zone;
use datagram_proxy::DatagramProxy;
use interruptible::Interruption;
use key_log::SharedKeyLog;
use live_pipeline::{TrafficEnd, ViewerHandle, ViewerResult};
use picture::PageTarget;
use proxy::Proxy;
use std::io::{self, IsTerminal};
use viewer::Viewer;
use write::Recorder;

pub(super) fn run(args: &InspectArgs, messages: Messages) -> Result<ExitStatus, Error> {
    if args.rules || args.explain.is_some() {
        return rules::run(args);
    }
    args.live.check()?;
    args.sn.check(args.hex.is_some() || args.base64.is_some())?;
    args.schema.check_format("--payload", args.payload)?;
    if args.format != ViewFormat::Json {
        time_zone::local().1.inspect(|note| messages.say(note));
    }
    if let Some(listen) = args.live.listen {
        return run_proxy(args, listen, messages);
    }
    if args.live.is_client() {
        args.check_no_capture()?;
        return live::run(args, recorder(args, messages)?, messages);
    }
    if args.diagnose.flatten().is_some() {
        let problem = "--diagnose=INTERVAL is for live traffic; a capture has one report, at its end";
        return Err(Error::usage(problem));
    }
    let inspector = Inspector::new(args.live.client.connection.version).with_sn(args.sn.settings()?);
    if args.hex.is_some() || args.base64.is_some() {
        if args.live.key_log().is_some() {
            return Err(Error::usage("--tls-keylog is for captures; typed packets are not encrypted"));
        }
        let mut viewer = Viewer::new(args, None, args.types()?);
        literal_packets::run(args, inspector, &mut viewer)?;
        return finish(viewer, None, messages);
    }
    if args.file.is_none() && io::stdin().is_terminal() {
        return Err(Error::usage("name a capture, or pipe one to standard input"));
    }
    let is_report = args.diagnose.is_some() || args.html.is_some();
    if args.live.write.is_some() && args.is_selective() && !is_report {
        return Err(Error::usage(
            "--write records everything; omit --filter, --follow, --since, --until and --conversation",
        ));
    }
    let types = args.types()?;
    let mut viewer = Viewer::new(args, PageTarget::create(args)?, types);
    let mut recorder = recorder(args, messages)?;
    let secrets = SharedKeyLog::open(args.live.key_log())?;
    let interruption = Interruption::default();
    let ports = Ports::with_mqtt_sn(args.sn.ports());
    let source = capture::Source { file: args.file.as_deref(), ports, secrets: &secrets, is_report };
    let result = capture::run(source, inspector, &mut viewer, recorder.as_mut(), &interruption);
    // Show the packets before the error.
    let is_damaged = matches!(result, Err(Error::Capture { .. }));
    let page = if is_damaged { viewer.report_partial(messages) } else { Ok(()) };
    viewer.flush()?;
    page?;
    result?.iter().for_each(|note| messages.say(note));
    let status = finish(viewer, recorder, messages)?;
    interruption.get().map_or(Ok(status), |signal| Err(Error::Interrupted(*signal)))
}

fn run_proxy(args: &InspectArgs, listen: Listen, messages: Messages) -> Result<ExitStatus, Error> {
    if listen.is_datagram {
        return run_datagram_proxy(args, listen, messages);
    }
    let proxy = Proxy::new(&args.live, listen, messages)?;
    let recorder = recorder(args, messages)?;
    block_on(async {
        let listening = proxy.listen()?;
        let (queue, mut viewer_handle) = live_pipeline::start(args, recorder, messages)?;
        let ended = listening.run(queue, &mut viewer_handle, args.live.timeout).await?;
        proxy_outcome(ended, viewer_handle, messages).await
    })
}

fn run_datagram_proxy(args: &InspectArgs, listen: Listen, messages: Messages) -> Result<ExitStatus, Error> {
    if args.diagnose.is_some() || args.html.is_some() {
        return Err(Error::usage("--diagnose and --html are for MQTT; leave them out with --listen udp://"));
    }
    args.live.acceptor()?;
    let recorder = recorder(args, messages)?;
    block_on(async {
        let proxy = DatagramProxy::open(&args.live, listen, messages).await?;
        let (queue, mut viewer_handle) = live_pipeline::start(args, recorder, messages)?;
        let ended = proxy.run(queue, &mut viewer_handle, args.live.timeout).await?;
        proxy_outcome(ended, viewer_handle, messages).await
    })
}

async fn proxy_outcome(
    ended: TrafficEnd,
    viewer_handle: ViewerHandle,
    messages: Messages,
) -> Result<ExitStatus, Error> {
    match ended {
        TrafficEnd::Viewed(outcome) => outcome,
        TrafficEnd::Stopped(reason) => judge(viewer_handle.finish().await, messages.stopped(reason, true)),
    }
}

/// Findings take precedence over the way the traffic ended: a proxy usually ends by a signal.
fn judge(outcome: ViewerResult, ended: Result<ExitStatus, Error>) -> Result<ExitStatus, Error> {
    match outcome? {
        ExitStatus::DONE => ended,
        status => Ok(status),
    }
}

/// Writes the rest and the linter's summary, and returns the exit status.
fn finish(viewer: Viewer, recorder: Option<Recorder>, messages: Messages) -> Result<ExitStatus, Error> {
    let is_written = recorder.is_none_or(Recorder::finish);
    viewer.unseen().inspect(|note| messages.say(note));
    let tally = viewer.finish(messages)?;
    if let Some(tally) = &tally {
        messages.say(&tally.to_string());
    }
    Ok(match tally {
        _ if !is_written => ExitStatus::FAILED,
        Some(tally) if tally.errors > 0 => ExitStatus::MISSED,
        Some(_) | None => ExitStatus::DONE,
    })
}

fn recorder(args: &InspectArgs, messages: Messages) -> Result<Option<Recorder>, Error> {
    let path = args.live.write.as_deref();
    path.map(|path| Recorder::create(path, args.file.as_deref(), messages)).transpose()
}
