//! `--metrics`: answers `GET /metrics` with the totals of the run in progress. A minimal HTTP server is enough: each response
//! closes its connection, and requests are bounded in size, time and number.

use crate::bench::report::prometheus;
use crate::bench::{Step, Totals, View};
use crate::commands::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// The maximum size of a request's head; the timeout of the whole exchange is below.
const MOST_REQUEST_BYTES: usize = 8 * 1024;
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The maximum number of simultaneous requests; others wait in the kernel's backlog.
const MOST_CONNECTIONS: usize = 16;

/// The latest totals of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Live(Arc<Mutex<(Option<Step>, Totals)>>);

impl Live {
    /// Stores the current totals.
    pub(super) fn note(&self, view: &View<'_>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (Some(view.step), *view.totals);
    }

    fn page(&self) -> String {
        let (step, totals) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        prometheus::live(step, &totals)
    }
}

/// Listens, and answers in the background of this runtime.
pub(super) async fn serve(address: SocketAddr, live: Live) -> Result<(), Error> {
    let listener = TcpListener::bind(address).await;
    let failed = |source| Error::system(format!("listen on {address} for --metrics"), source);
    let listener = listener.map_err(failed)?;
    tokio::spawn(async move {
        let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        while let Ok(permit) = room.clone().acquire_owned().await {
            if let Ok((stream, _)) = listener.accept().await {
                let live = live.clone();
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(TIME_LIMIT, answer(stream, &live)).await;
                    drop(permit);
                });
            }
        }
    });
    Ok(())
}

async fn answer(mut stream: TcpStream, live: &Live) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !has_ended(&head) && head.len() < MOST_REQUEST_BYTES {
        if (&mut stream).take((MOST_REQUEST_BYTES - head.len()) as u64).read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    stream.write_all(response(&head, live).as_bytes()).await?;
    stream.shutdown().await?;
    // Unread bytes would turn the close into a reset, which could arrive before the response does.
    tokio::io::copy(&mut stream.take(MOST_REQUEST_BYTES as u64), &mut tokio::io::sink()).await?;
    Ok(())
}

fn has_ended(head: &[u8]) -> bool {
    head.windows(4).any(|bytes| bytes == b"\r\n\r\n") || head.windows(2).any(|bytes| bytes == b"\n\n")
}

fn response(head: &[u8], live: &Live) -> String {
    if !has_ended(head) {
        return respond("431 Request Header Fields Too Large", "", "the request is too long\n", true);
    }
    let line =
        String::from_utf8_lossy(head.split(|&byte| byte == b'\n').next().unwrap_or_default()).into_owned();
    let mut words = line.split_ascii_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    match (method, path) {
        ("GET", "/metrics") => respond("200 OK", "", &live.page(), true),
        ("HEAD", "/metrics") => respond("200 OK", "", &live.page(), false),
        (_, "/metrics") => respond("405 Method Not Allowed", "Allow: GET, HEAD\r\n", "use GET\n", true),
        _ => respond("404 Not Found", "", "not found: use /metrics\n", true),
    }
}

fn respond(status: &str, headers: &str, body: &str, has_body: bool) -> String {
    let length = body.len();
    let body = if has_body { body } else { "" };
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
