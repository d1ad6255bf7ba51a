//! Requests and responses of HTTP, for the servers of metrics. Each response closes its connection, and requests are bounded in
//! size and time.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The maximum size of a request's head.
const MAX_REQUEST_BYTES: usize = 8 * 1024;

/// The timeout of a whole exchange.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The time for a client to close its side after the response.
const LINGER: Duration = Duration::from_secs(1);

/// The content type of metrics, and of plain answers.
pub(super) const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Reads a request up to the end of its head, or to the maximum size; `None` if the client closed the connection before.
pub(super) async fn read_head(stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    while !has_ended(&head) && head.len() < MAX_REQUEST_BYTES {
        if (&mut *stream).take((MAX_REQUEST_BYTES - head.len()) as u64).read_buf(&mut head).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(head))
}

/// Sends a response, and closes the connection.
pub(super) async fn send(mut stream: TcpStream, response: &str) -> std::io::Result<()> {
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await?;
    // Unread bytes would turn the close into a reset, which could arrive before the response does.
    let mut rest = stream.take(MAX_REQUEST_BYTES as u64);
    let _ = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
    Ok(())
}

/// A request for one of the resources.
pub(super) struct Request {
    pub(super) path: String,
    pub(super) host: Option<String>,
    /// Whether the response has a body: it is for GET, not HEAD.
    pub(super) has_body: bool,
}

impl Request {
    /// The request with this head, for one of these paths.
    ///
    /// # Errors
    /// The response that refuses it. `advice` names the paths.
    pub(super) fn of(head: &[u8], paths: &[&str], advice: &str) -> Result<Request, String> {
        if !has_ended(head) {
            return Err(refuse("431 Request Header Fields Too Large", "", "the request is too long"));
        }
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split_ascii_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let path = target.split('?').next().unwrap_or_default();
        if !paths.contains(&path) {
            return Err(refuse("404 Not Found", "", &format!("not found: {advice}")));
        }
        if !matches!(method, "GET" | "HEAD") {
            return Err(refuse("405 Method Not Allowed", "Allow: GET, HEAD\r\n", "use GET"));
        }
        let host = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("host").then(|| value.trim().to_owned())
        });
        Ok(Request { path: path.to_owned(), host, has_body: method == "GET" })
    }
}

fn has_ended(head: &[u8]) -> bool {
    head.windows(4).any(|bytes| bytes == b"\r\n\r\n") || head.windows(2).any(|bytes| bytes == b"\n\n")
}

/// A response without the resource, and the reason.
pub(super) fn refuse(status: &str, headers: &str, reason: &str) -> String {
    respond(status, METRICS_TYPE, headers, &format!("{reason}\n"), true)
}

pub(super) fn respond(status: &str, kind: &str, headers: &str, body: &str, has_body: bool) -> String {
    let length = body.len();
    let body = if has_body { body } else { "" };
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}
