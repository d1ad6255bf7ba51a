//! Signals, and the default action of those that were caught for a while.
//!
//! A handler stays for the rest of the process, since only unsafe code restores the default action. A prompt catches all signals
//! that would leave the terminal without echo; afterwards [`StandIn`] does what the system did before, except for signals that
//! another part of the program has taken with [`catch`].

use rustix::process::{Signal as Number, getpgrp, getpid, getsid, kill_process};
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a program, as far as it can leave the terminal as it was. Others are about a fault in the program.
pub(crate) const ENDING: [Number; 10] = [
    Number::INT,
    Number::TERM,
    Number::HUP,
    Number::QUIT,
    Number::USR1,
    Number::USR2,
    Number::ALARM,
    Number::VTALARM,
    Number::PROF,
    Number::XCPU,
];

/// The number that shells add to that of a signal.
const STATUS_OF_SIGNALS: u8 = 128;

/// The signals that a part of the program handles, a bit each.
static TAKEN: AtomicU64 = AtomicU64::new(0);

/// The signals that were ignored before the first prompt, a bit each: SIGINT and SIGQUIT in the background jobs of a script.
static IGNORED: AtomicU64 = AtomicU64::new(0);

/// The number of prompts so far.
static PROMPTS: AtomicUsize = AtomicUsize::new(0);

/// Catches a signal for the rest of the process. Call it inside the runtime.
pub(crate) fn catch(number: Number) -> io::Result<Signal> {
    TAKEN.fetch_or(bit(number), Ordering::Relaxed);
    signal(SignalKind::from_raw(number.as_raw()))
}

fn bit(number: Number) -> u64 {
    1 << (number.as_raw() & 63)
}

/// The exit status of a program that a signal ended, as shells show it.
pub(crate) fn status(number: Number) -> u8 {
    u8::try_from(number.as_raw()).unwrap_or_default().saturating_add(STATUS_OF_SIGNALS)
}

/// Whether a signal is ignored, as SIGHUP below `nohup`. Only Linux tells without unsafe code.
pub(crate) fn is_ignored(number: Number) -> bool {
    ignored() & bit(number) != 0
}

/// The signals that are ignored, a bit each.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The kernel's lowest bit is that of signal 1. The last real-time signal, which nothing here asks for, is left out.
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).map_or(0, |mask| mask << 1)
}

/// Whether a shell can continue the process after Ctrl-Z. The kernel does not stop the processes of a session's first group, such as
/// those of a container.
pub(crate) fn has_job_control() -> bool {
    getsid(None).is_ok_and(|session| session != getpgrp())
}

/// Stops the process, as the default action of SIGTSTP does.
pub(crate) fn stop_process() {
    let _ = kill_process(getpid(), Number::STOP);
}

/// Several caught signals.
#[derive(Debug)]
pub(crate) struct Several(Vec<(Number, Signal)>);

impl Several {
    /// Catches them for the rest of the process, except SIGHUP if it is ignored, as below `nohup`. Call it inside the runtime.
    pub(crate) fn catch(numbers: impl IntoIterator<Item = Number>) -> io::Result<Several> {
        Several::with(numbers, ignored(), catch)
    }

    fn with(
        numbers: impl IntoIterator<Item = Number>,
        ignored: u64,
        catch: impl Fn(Number) -> io::Result<Signal>,
    ) -> io::Result<Several> {
        let is_caught = |number: &Number| *number != Number::HUP || ignored & bit(Number::HUP) == 0;
        let numbers = numbers.into_iter().filter(is_caught);
        numbers.map(|number| Ok((number, catch(number)?))).collect::<io::Result<_>>().map(Several)
    }

    /// Waits for one of them; forever if there is none.
    pub(crate) async fn next(&mut self) -> Number {
        poll_fn(|context| {
            let caught = self
                .0
                .iter_mut()
                .find_map(|(number, signal)| signal.poll_recv(context).is_ready().then_some(*number));
            caught.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// The signals at a prompt, and their default action after it.
#[derive(Debug)]
pub(crate) struct StandIn {
    /// Those that end or stop the process.
    signals: Several,
    /// The number of the prompt. A later one has a stand-in of its own.
    prompt: usize,
}

impl StandIn {
    /// Catches the signals until a part of the program takes them. Call it inside the runtime.
    pub(crate) fn begin() -> io::Result<StandIn> {
        let prompt = PROMPTS.fetch_add(1, Ordering::Relaxed) + 1;
        let ignored = ignored();
        let ending = ENDING.into_iter().fold(0, |bits, number| bits | bit(number));
        IGNORED.fetch_or(ignored & ending, Ordering::Relaxed);
        let stop = has_job_control().then_some(Number::TSTP);
        let by_default = |number: Number| signal(SignalKind::from_raw(number.as_raw()));
        Ok(StandIn { signals: Several::with(ENDING.into_iter().chain(stop), ignored, by_default)?, prompt })
    }

    /// Waits for a signal at the prompt.
    pub(crate) async fn next(&mut self) -> Number {
        self.signals.next().await
    }

    /// Does what the system would do, for each later signal that no part of the program has taken and that was not ignored.
    pub(crate) async fn act(mut self) {
        loop {
            let number = self.signals.next().await;
            if PROMPTS.load(Ordering::Relaxed) != self.prompt {
                return;
            }
            match number {
                _ if (TAKEN.load(Ordering::Relaxed) | IGNORED.load(Ordering::Relaxed)) & bit(number) != 0 => {
                }
                Number::TSTP => stop_process(),
                number => std::process::exit(status(number).into()),
            }
        }
    }
}
