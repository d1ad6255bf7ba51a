//! `mq top`: the topics of a broker on the terminal.

use super::{Messages, block_on, password};
use crate::cli::session::ClientArgs;
use crate::cli::subscribe::SubscribeArgs;
use crate::cli::top::TopArgs;
use crate::cli::top_brokers::{TabBroker, brokers};
use crate::cli::{Names, UsageError};
use crate::client::Options;
use crate::commands::error::{Error, ExitStatus};
use crate::payload::PayloadDecoding;
use crate::protocol::property::Context;
use crate::protocol::{Qos, TopicFilter};
use crate::recording::Recorder;
use crate::time_zone;
use crate::top::{
    self, Connection, Ending, Feed, FeedError, Limits, Palette, Playback, Player, ReplayError, Settings,
    Shared, SortKey, Source, requests,
};
use crate::transport::Address;
use std::io::{self, IsTerminal, stdin, stdout};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The time for DISCONNECT at the end.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The exit status of a program that a signal ended, as a shell reports it, without the signal's number.
const BY_SIGNAL: u8 = 128;

/// The initial state of a screen.
struct Start {
    client: ClientArgs,
    is_of_profile: bool,
    options: Options,
    subscriptions: Vec<(TopicFilter, Qos)>,
    recorder: Option<Recorder>,
    limits: Limits,
    settings: Settings,
}

pub(super) fn run(args: &TopArgs, messages: Messages) -> Result<ExitStatus, Error> {
    check_terminal()?;
    if let Some(path) = &args.replay {
        return replay(args, path, messages);
    }
    let starts = brokers(args)?.into_iter().enumerate();
    let starts = starts.map(|(index, broker)| start(args, broker, index == 0, messages));
    let mut starts: Vec<Start> = starts.collect::<Result<_, _>>()?;
    if starts.len() > 1 && args.persistence.retries.is_none() {
        // A single broker that cannot be reached ends the program, which leaves no tab behind.
        starts.iter_mut().for_each(|start| start.options.retries.include_first = true);
    }
    show(starts)
}

/// A broker of the options. The first one is recorded.
fn start(args: &TopArgs, broker: TabBroker, is_first: bool, messages: Messages) -> Result<Start, Error> {
    let TabBroker { client, is_of_profile } = broker;
    let record = args.record.as_deref().filter(|_| is_first);
    let options = args.client_options(&client, messages.names)?;
    args.schema.check_format("--decode", args.decode)?;
    let settings = Settings {
        is_list: args.list,
        sort: args.sort,
        types: args.schema.types_for(args.decode)?,
        choice: args.decode,
        is_recording: record.is_some(),
        is_read_only: args.read_only,
        ..settings(&name(&options.endpoint.address), messages)
    };
    let subscriptions = args.subscriptions(&client, messages.names)?;
    let recorder = open_recorder(record, messages)?;
    Ok(Start { client, is_of_profile, options, subscriptions, recorder, limits: args.limits(), settings })
}

/// The list view for `mq sub -w`; `None` if its options or the place of its output ask for something else.
pub(super) fn run_list(args: &SubscribeArgs, messages: Messages) -> Option<Result<ExitStatus, Error>> {
    let is_asked_for = messages.names == Names::Mq && args.asks_for_screen() && check_terminal().is_ok();
    is_asked_for.then(|| show_list(args, messages))
}

fn show_list(args: &SubscribeArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let options = args.client.client_options(messages.names, &args.persistence, None)?;
    args.check(messages.names, options.version)?;
    let subscriptions = args.subscriptions(args.client.other_filters(messages.names)?)?;
    if subscriptions.is_empty() {
        let of_url = args.client.network.without_topic();
        return Err(Error::usage(UsageError::Missing(format!("-t FILTER{of_url}"))));
    }
    let choice = args.output.decode.unwrap_or_default();
    args.schema.check_format("--decode", choice)?;
    let settings = Settings {
        is_list: true,
        types: args.schema.types_for(choice)?,
        choice,
        is_recording: args.keep.record.is_some(),
        ..settings(&name(&options.endpoint.address), messages)
    };
    let recorder = open_recorder(args.keep.record.as_deref(), messages)?;
    let limits = TopArgs::default_limits();
    let client = args.client.clone();
    show(vec![Start { client, is_of_profile: false, options, subscriptions, recorder, limits, settings }])
}

/// Shows brokers, each in a tab.
fn show(starts: Vec<Start>) -> Result<ExitStatus, Error> {
    block_on(async {
        let mut password = None;
        let (mut sources, mut receptions) = (Vec::new(), Vec::new());
        for start in starts {
            let Start { client, is_of_profile, mut options, subscriptions, recorder, limits, settings } =
                start;
            if let Some(rules) = client.rules(options.version) {
                client.check_subscriptions(&rules, &subscriptions)?;
            }
            let properties = client.properties.collect(Context::Subscribe)?;
            // A password that was asked for goes to the brokers of its options, not to one with a profile of its own.
            if let (Some(known), true, false) = (&password, client.connection.ask_password, is_of_profile) {
                options.password = Some(Clone::clone(known));
            } else {
                password::complete(&client.connection, &mut options.password).await?;
            }
            if !is_of_profile {
                password.clone_from(&options.password);
            }
            let shared = Shared::new(limits, Connection::Connecting);
            let (requests, receiver) = requests();
            let feed = Feed::new(shared.clone(), receiver, subscriptions, properties, recorder);
            let (reception, failed) = Reception::start(options, feed)?;
            receptions.push(reception);
            sources.push(Source { settings, shared, requests, controls: None, failed });
        }
        let ending = top::run(sources).await;
        Reception::end(receptions);
        status(ending)
    })
}

/// Plays a recording on the screen.
fn replay(args: &TopArgs, path: &Path, messages: Messages) -> Result<ExitStatus, Error> {
    let settings = Settings {
        broker: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        is_list: args.list,
        sort: args.sort,
        types: args.schema.types_for(args.decode)?,
        choice: args.decode,
        is_read_only: true,
        is_replay: true,
        ..settings("", messages)
    };
    let shared = Shared::new(args.limits(), Connection::Replay(Playback::START));
    let player = Player::open(path, shared.clone(), args.limits())?;
    block_on(async {
        let (requests, _) = requests();
        let (controls, receiver) = mpsc::channel();
        let (failure, failed) = oneshot::channel();
        let play = move || match player.run(&receiver) {
            Ok(()) => {}
            Err(error) => drop(failure.send(FeedError::Replay(error))),
        };
        let started = thread::Builder::new().name("replay".to_owned()).spawn(play);
        started.map_err(|source| Error::system("start a thread", source))?;
        status(top::run(vec![Source { settings, shared, requests, controls: Some(controls), failed }]).await)
    })
}

/// The exit status after the end of the screen.
fn status(ending: io::Result<Ending>) -> Result<ExitStatus, Error> {
    match ending.map_err(|source| Error::system("use the terminal", source))? {
        Ending::Quit => Ok(ExitStatus::DONE),
        Ending::Signal(number) => Err(Error::Interrupted(ExitStatus(BY_SIGNAL.saturating_add(number)))),
        Ending::HungUp => Err(Error::Interrupted(ExitStatus::HUNG_UP)),
        Ending::Feed(FeedError::Client(error)) => Err(Error::Client(error)),
        Ending::Feed(FeedError::Recording(error) | FeedError::Replay(ReplayError::Recording(error))) => {
            Err(Error::Recording(error))
        }
        Ending::Feed(FeedError::Replay(ReplayError::Line { path, line, problem })) => {
            Err(Error::Capture { name: format!("{}, line {line}", path.display()), problem })
        }
    }
}

/// Refuses to draw on a terminal that cannot move the cursor, or without a terminal for keys.
fn check_terminal() -> Result<(), Error> {
    let problem = if !stdout().is_terminal() {
        "standard output is not a terminal"
    } else if !stdin().is_terminal() {
        "standard input is not a terminal"
    } else {
        match std::env::var_os("TERM") {
            Some(name) if name == "dumb" => "the terminal cannot move its cursor (TERM=dumb)",
            Some(name) if !name.is_empty() => return Ok(()),
            Some(_) | None => "the variable TERM does not name a terminal",
        }
    };
    Err(Error::usage(format!("cannot show the topics: {problem}; mq sub -v prints messages instead")))
}

fn open_recorder(path: Option<&Path>, messages: Messages) -> Result<Option<Recorder>, Error> {
    let Some(path) = path else { return Ok(None) };
    let (recorder, note) = Recorder::open(path, None)?;
    note.inspect(|note| messages.say(note));
    Ok(Some(recorder))
}

/// The settings that do not depend on the command.
fn settings(broker: &str, messages: Messages) -> Settings {
    let (zone, note) = time_zone::local();
    note.inspect(|note| messages.say(note));
    Settings {
        broker: broker.to_owned(),
        is_list: false,
        sort: SortKey::default(),
        palette: Palette::new(colored::control::SHOULD_COLORIZE.should_colorize()),
        zone,
        types: None,
        choice: PayloadDecoding::Auto,
        is_recording: false,
        is_read_only: false,
        is_replay: false,
    }
}

/// The broker in the title.
fn name(address: &Address) -> String {
    match address {
        Address::Tcp { host, port } => format!("{host}:{port}"),
        other => other.to_string(),
    }
}

/// The thread of a reception.
struct Reception {
    /// Dropped to stop it.
    stop: oneshot::Sender<()>,
    ended: mpsc::Receiver<()>,
}

impl Reception {
    fn start(options: Options, mut feed: Feed) -> Result<(Reception, oneshot::Receiver<FeedError>), Error> {
        let (stop, stopped) = oneshot::channel::<()>();
        let (failure, failed) = oneshot::channel();
        let (end, ended) = mpsc::channel();
        let receive = move || {
            let result = block_on(async {
                let stopped = async { drop(stopped.await) };
                Ok(top::receive(options, &mut feed, stopped).await)
            });
            if let Ok(Err(error)) = result {
                let _ = failure.send(error);
            }
            let _ = end.send(());
        };
        let started = thread::Builder::new().name("reception".to_owned()).spawn(receive);
        started.map_err(|source| Error::system("start a thread", source))?;
        Ok((Reception { stop, ended }, failed))
    }

    /// Stops the receptions, and waits until they have disconnected. They have nothing to lose if that takes longer.
    fn end(receptions: Vec<Reception>) {
        let deadline = Instant::now() + DISCONNECT_TIMEOUT;
        let ended = receptions.into_iter().map(|Reception { stop, ended }| {
            drop(stop);
            ended
        });
        for ended in ended.collect::<Vec<_>>() {
            let _ = ended.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        }
    }
}
