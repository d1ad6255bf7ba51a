//! The messages of a service to systemd: datagrams to the socket in NOTIFY_SOCKET.

use super::describe;
use crate::bridge::Snapshot;
use crate::escape::shortened;
use std::cell::RefCell;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The service manager, if there is one.
#[derive(Debug, Clone)]
pub(super) struct Service(Option<Rc<Manager>>);

#[derive(Debug)]
struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
    /// Half of the time without a sign of life after which the manager restarts the service.
    watchdog: Option<Duration>,
    last: RefCell<Last>,
}

/// The last messages.
#[derive(Debug)]
struct Last {
    status: String,
    sign: Instant,
}

impl Service {
    /// The manager that started this process.
    pub(super) fn find() -> Service {
        Service(Service::manager().map(Rc::new))
    }

    fn manager() -> Option<Manager> {
        let address = address(&std::env::var_os("NOTIFY_SOCKET")?)?;
        let socket = UnixDatagram::unbound().ok()?;
        socket.set_nonblocking(true).ok()?;
        let is_for_us =
            std::env::var("WATCHDOG_PID").map_or(true, |pid| pid == std::process::id().to_string());
        let watchdog = std::env::var("WATCHDOG_USEC").ok().filter(|_| is_for_us);
        let watchdog =
            watchdog.and_then(|time| time.parse().ok()).map(|time| Duration::from_micros(time) / 2);
        let last = RefCell::new(Last { status: String::new(), sign: Instant::now() });
        Some(Manager { socket, address, watchdog, last })
    }

    /// The bridges run, though they may not be connected yet.
    pub(super) fn ready(&self) {
        self.send("READY=1");
    }

    pub(super) fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Whether a manager listens.
    pub(super) fn exists(&self) -> bool {
        self.0.is_some()
    }

    /// Reports the states of the connections if they changed, and a sign of life.
    pub(super) fn show(&self, snapshots: &[Snapshot]) {
        let Some(manager) = &self.0 else { return };
        let mut last = manager.last.borrow_mut();
        let states =
            snapshots.iter().map(|one| format!("{}: {}", shortened(&one.name), describe::states(one)));
        let status = states.collect::<Vec<_>>().join("; ").replace('\n', " ");
        if status != last.status {
            self.send(&format!("STATUS={status}"));
            last.status = status;
        }
        if manager.watchdog.is_some_and(|time| last.sign.elapsed() >= time) {
            self.send("WATCHDOG=1");
            last.sign = Instant::now();
        }
    }

    /// A manager that does not read gets no message, and is not waited for.
    fn send(&self, message: &str) {
        if let Some(manager) = &self.0 {
            let _ = manager.socket.send_to_addr(message.as_bytes(), &manager.address);
        }
    }
}

/// A path, or a name in the abstract namespace of Linux, which begins with `@`.
fn address(name: &OsString) -> Option<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = name.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        return SocketAddr::from_abstract_name(name).ok();
    }
    let path = Path::new(name);
    path.is_absolute().then(|| SocketAddr::from_pathname(path).ok())?
}
