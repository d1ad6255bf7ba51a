//! A broker on its own thread, for programs and tests that need one in their process.

use super::{Broker, Config, Event, Report};
use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// A running broker. It stops when the handle is dropped.
#[derive(Debug)]
pub(crate) struct Handle {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Report>>,
}

impl Handle {
    /// Starts a broker without an event handler.
    ///
    /// # Errors
    /// If the configuration has no address, an address cannot be bound, or no thread can be started.
    pub(crate) fn start(config: Config) -> io::Result<Handle> {
        Handle::start_with(config, |_| {})
    }

    /// Starts a broker that calls `handler`, on its own thread, with every event.
    ///
    /// # Errors
    /// If the configuration has no address, an address cannot be bound, or no thread can be started.
    pub(crate) fn start_with(
        config: Config,
        handler: impl FnMut(Event) + Send + 'static,
    ) -> io::Result<Handle> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut broker = runtime.block_on(Broker::bind(config)).map_err(|error| error.source)?;
        let no_address = || io::Error::new(io::ErrorKind::InvalidInput, "the configuration has no address");
        let address = broker.local_address().ok_or_else(no_address)?;
        broker.on_event(handler);
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("broker".to_owned()).spawn(move || {
            runtime.block_on(broker.run(async {
                let _ = stopped.await;
            }))
        })?;
        Ok(Handle { address, stop: Some(stop), thread: Some(thread) })
    }

    /// The address that clients connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the broker and returns its totals.
    pub(crate) fn stop(mut self) -> Report {
        self.finish()
    }

    fn finish(&mut self) -> Report {
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            let _ = stop.send(());
        }
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.finish();
    }
}
