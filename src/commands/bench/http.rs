//! The HTTP server of a run: `GET /metrics` for `--metrics`, and the live page for `--serve`. A minimal server is enough: each
//! response closes its connection, and requests are bounded in size, time and number.
//!
//! It has a thread of its own, so that it delays neither the leader nor the clients, and can send the last report after the run.
//! A browser gets the newest report when it has taken the one before: a slow one misses some, and nothing queues up.

use super::live::{self, Live, Watcher};
use crate::bench::report::live_page;
use crate::commands::error::Error;
use crate::commands::http_message::{self, METRICS_TYPE, Request, TIME_LIMIT, refuse, respond};
use crate::commands::http_places::{Place, Places};
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// The maximum number of simultaneous requests; others wait in the kernel's backlog. Browsers that follow the run do not count.
const MAX_CONNECTIONS: usize = 16;

/// An address to listen on, and the option that names it.
#[derive(Debug)]
pub(super) struct Listener {
    socket: StdListener,
    /// Whether the page is served, besides the metrics.
    has_page: bool,
}

impl Listener {
    /// # Errors
    /// If the address is not free, or not of this machine.
    pub(super) fn bind(address: SocketAddr, option: &str, has_page: bool) -> Result<Listener, Error> {
        let bind = || {
            let socket = StdListener::bind(address)?;
            socket.set_nonblocking(true)?;
            Ok(Listener { socket, has_page })
        };
        bind().map_err(|source| Error::system(format!("listen on {address} for {option}"), source))
    }

    /// The address with its port.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }
}

/// Answers on all listeners until the program ends.
pub(super) fn serve(listeners: Vec<Listener>, live: Live) -> Result<(), Error> {
    if listeners.is_empty() {
        return Ok(());
    }
    let failed = |source| Error::system("start the HTTP server", source);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let run = move || {
        runtime.block_on(async move {
            for Listener { socket, has_page } in listeners {
                let is_local = socket.local_addr().is_ok_and(|address| address.ip().is_loopback());
                if let Ok(socket) = TcpListener::from_std(socket) {
                    let site = Site { live: live.clone(), has_page, is_local };
                    tokio::spawn(site.accept(socket));
                }
            }
            live::publish_regularly(live).await;
        });
    };
    std::thread::Builder::new().name("http".to_owned()).spawn(run).map(drop).map_err(failed)
}

/// The resources of an address.
#[derive(Debug, Clone)]
struct Site {
    live: Live,
    has_page: bool,
    /// Whether only this machine can connect.
    is_local: bool,
}

/// The answer to a request.
enum Answer {
    Whole(String),
    Events(Watcher),
}

impl Site {
    async fn accept(self, listener: TcpListener) {
        let mut places = Places::new(MAX_CONNECTIONS);
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let site = self.clone();
                    let mut place = places.take().await;
                    tokio::spawn(async move {
                        let answered = timeout(TIME_LIMIT, site.answer(stream, &mut place)).await;
                        drop(place);
                        if let Ok(Ok(Some((stream, watcher)))) = answered {
                            let _ = send_events(stream, watcher).await;
                        }
                    });
                }
                // Without descriptors, the next attempt fails as well.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Answers a request; returns the connection if it follows the run.
    async fn answer(
        &self,
        mut stream: TcpStream,
        place: &mut Place,
    ) -> std::io::Result<Option<(TcpStream, Watcher)>> {
        let Some(head) = place.read_head(&mut stream).await? else { return Ok(None) };
        let whole = match self.answer_to(&head) {
            Answer::Events(watcher) => return Ok(Some((stream, watcher))),
            Answer::Whole(whole) => whole,
        };
        http_message::send(stream, &whole).await?;
        Ok(None)
    }

    fn answer_to(&self, head: &[u8]) -> Answer {
        let (paths, advice): (&[&str], &str) = match self.has_page {
            true => (&["/", "/events", "/metrics"], "use / or /metrics"),
            false => (&["/metrics"], "use /metrics"),
        };
        let Request { path, host, has_body } = match Request::of(head, paths, advice) {
            Ok(request) => request,
            Err(refusal) => return Answer::Whole(refusal),
        };
        if path != "/metrics" && self.is_local && !host.is_none_or(|host| is_of_this_machine(&host)) {
            let text = "this page is for this machine: use the address 127.0.0.1 or the name localhost";
            return Answer::Whole(refuse("403 Forbidden", "", text));
        }
        match path.as_str() {
            "/metrics" => Answer::Whole(respond("200 OK", METRICS_TYPE, "", &self.live.metrics(), has_body)),
            "/" => Answer::Whole(self.page(has_body)),
            _ if !has_body => Answer::Whole(respond("200 OK", "text/event-stream", "", "", false)),
            _ => match self.live.watch() {
                Some(watcher) => Answer::Events(watcher),
                None => {
                    Answer::Whole(refuse("503 Service Unavailable", "", "too many browsers follow this run"))
                }
            },
        }
    }

    fn page(&self, has_body: bool) -> String {
        let page = live_page(&self.live.current().part);
        let headers = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
        respond("200 OK", "text/html; charset=utf-8", headers, &page, has_body)
    }
}

/// Sends each report until the last one, or until the browser is gone or does not read.
async fn send_events(mut stream: TcpStream, mut watcher: Watcher) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
    timeout(TIME_LIMIT, stream.write_all(head.as_bytes())).await??;
    let mut edition = watcher.live().current();
    loop {
        let event = event(&edition);
        timeout(TIME_LIMIT, stream.write_all(event.as_bytes())).await??;
        if edition.is_last {
            return timeout(TIME_LIMIT, stream.shutdown()).await?;
        }
        let mut byte = [0];
        tokio::select! {
            changed = watcher.editions.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
            }
            // A browser sends nothing more on this connection.
            _ = stream.read(&mut byte) => return Ok(()),
        }
        edition = watcher.editions.borrow_and_update().clone();
    }
}

/// A report as a server-sent event: the title, then the elements.
fn event(edition: &live::Edition) -> String {
    let name = if edition.is_last { "end" } else { "report" };
    let part = &edition.part;
    let mut event = format!("event: {name}\ndata: {}\n", part.title.replace(['\r', '\n'], " "));
    for line in part.html.lines() {
        event.push_str("data: ");
        event.push_str(line);
        event.push('\n');
    }
    event.push('\n');
    event
}

/// Whether a Host header is an address or the name of the loopback interface. The name of another site that leads to this machine
/// would let that site read the page.
fn is_of_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.parse::<IpAddr>().is_ok() || name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_are_not_of_this_machine() {
        for host in ["127.0.0.1", "127.0.0.1:9000", "[::1]:9000", "localhost:1", "LOCALHOST"] {
            assert!(is_of_this_machine(host), "{host}");
        }
        for host in ["evil.example", "evil.example:9000", "127.0.0.1.evil.example", "localhost.evil:80", ""] {
            assert!(!is_of_this_machine(host), "{host}");
        }
    }
}
