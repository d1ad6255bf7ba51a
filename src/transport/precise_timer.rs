//! One timer for many deadlines, as precise as the system allows; the runtime's own timers have millisecond resolution.

pub(crate) use implementation::PreciseTimer;

#[cfg(all(target_os = "linux", not(feature = "portable")))]
mod implementation {
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;
    use tokio::io::unix::AsyncFd;

    /// A timer that the event loop waits for like for a socket.
    #[derive(Debug)]
    pub(crate) struct PreciseTimer(AsyncFd<OwnedFd>);

    impl PreciseTimer {
        /// A timer that is not set.
        ///
        /// # Errors
        /// If no descriptor is available.
        pub(crate) fn new() -> io::Result<PreciseTimer> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[allow(
                deprecated,
                reason = "its successor is unsafe; an owned descriptor stays open as long as it is registered"
            )]
            Ok(PreciseTimer(AsyncFd::new(timer)?))
        }

        /// Sets it to go off once after a time, instead of when it was set to before.
        pub(crate) fn set(&self, after: Duration) {
            // A time of 0 would switch it off.
            let after = after.max(Duration::from_nanos(1));
            let it_value = Timespec {
                tv_sec: after.as_secs().try_into().unwrap_or(i64::MAX),
                tv_nsec: after.subsec_nanos().into(),
            };
            let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
            let once = Itimerspec { it_interval, it_value };
            let set = timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once);
            debug_assert!(set.is_ok(), "the descriptor is a timer and the time is one");
        }

        /// Waits until it goes off.
        pub(crate) async fn wait(&self) {
            if let Ok(mut guard) = self.0.readable().await {
                let _ = rustix::io::read(self.0.get_ref(), &mut [0; 8]);
                guard.clear_ready();
            }
        }
    }
}

#[cfg(any(not(target_os = "linux"), feature = "portable"))]
mod implementation {
    use std::cell::Cell;
    use std::io;
    use std::time::Duration;
    use tokio::sync::Notify;
    use tokio::time::{Instant, sleep_until};

    /// A timer of the runtime.
    #[derive(Debug)]
    pub(crate) struct PreciseTimer {
        at: Cell<Option<Instant>>,
        was_set: Notify,
    }

    impl PreciseTimer {
        /// A timer that is not set.
        ///
        /// # Errors
        /// None here. On Linux, a descriptor may not be available.
        pub(crate) fn new() -> io::Result<PreciseTimer> {
            Ok(PreciseTimer { at: Cell::new(None), was_set: Notify::new() })
        }

        /// Sets it to go off once after a time, instead of when it was set to before.
        pub(crate) fn set(&self, after: Duration) {
            self.at.set(Some(Instant::now() + after));
            self.was_set.notify_one();
        }

        /// Waits until it goes off.
        pub(crate) async fn wait(&self) {
            loop {
                let Some(at) = self.at.get() else {
                    self.was_set.notified().await;
                    continue;
                };
                tokio::select! {
                    () = sleep_until(at) => break self.at.set(None),
                    () = self.was_set.notified() => {}
                }
            }
        }
    }
}
