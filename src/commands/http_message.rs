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

/// Reads a request up to the end of its head, or to the maximum size; `None` if the client closed the connection before. Bytes that
/// do not begin as a request end the reading.
pub(super) async fn read_head(stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    while !has_ended(&head) && may_be_request(&head) && head.len() < MAX_REQUEST_BYTES {
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
        let bad_request = || refuse("400 Bad Request", "", "this is not a request of HTTP/1.1");
        if !may_be_request(head) {
            return Err(bad_request());
        }
        if !has_ended(head) {
            return Err(refuse("431 Request Header Fields Too Large", "", "the request is too long"));
        }
        let head = String::from_utf8_lossy(head);
        // An empty line in front of the request is ignored (RFC 9112, 2.2).
        let mut lines = head.lines().skip_while(|line| line.is_empty());
        let words: Vec<&str> = lines.next().unwrap_or_default().split_ascii_whitespace().collect();
        let [method, target, version] = words[..] else { return Err(bad_request()) };
        if !version.starts_with("HTTP/1.") {
            return Err(bad_request());
        }
        let (authority, target) = split_target(target);
        let path = target.split('?').next().unwrap_or_default();
        if !paths.contains(&path) {
            let (reason, has_body) = (format!("not found: {advice}\n"), method != "HEAD");
            return Err(respond("404 Not Found", METRICS_TYPE, "", &reason, has_body));
        }
        if !matches!(method, "GET" | "HEAD") {
            return Err(refuse("405 Method Not Allowed", "Allow: GET, HEAD\r\n", "use GET"));
        }
        let host = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("host").then(|| value.trim())
        });
        // The header is ignored if the target has a host (RFC 9112, 3.2.2).
        let host = authority.or(host).map(str::to_owned);
        Ok(Request { path: path.to_owned(), host, has_body: method == "GET" })
    }
}

/// The host of a target in absolute form, which a server must accept (RFC 9112, 3.2.2), and the path with its query.
fn split_target(target: &str) -> (Option<&str>, &str) {
    let Some((scheme, rest)) = target.split_once("://") else { return (None, target) };
    if !scheme.eq_ignore_ascii_case("http") {
        return (None, target);
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let path = if path.starts_with('/') { path } else { "/" };
    (Some(authority), path)
}

/// Whether the first byte can be that of a method, or of an empty line before it.
fn may_be_request(head: &[u8]) -> bool {
    head.first().is_none_or(|byte| byte.is_ascii_alphabetic() || b"\r\n".contains(byte))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(head: &str) -> String {
        match Request::of(head.as_bytes(), &["/", "/metrics"], "use /metrics") {
            Ok(request) => format!("{} {:?}", request.path, request.host),
            Err(refusal) => refusal.split(' ').nth(1).unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn targets_have_two_forms() {
        for (head, expected) in [
            ("GET /metrics HTTP/1.1\r\nHost: a:1\r\n\r\n", "/metrics Some(\"a:1\")"),
            ("GET http://b/metrics?x=y HTTP/1.1\r\nHost: a\r\n\r\n", "/metrics Some(\"b\")"),
            ("GET HTTP://[::1]:80 HTTP/1.1\r\n\r\n", "/ Some(\"[::1]:80\")"),
            ("GET http://b?x=/metrics HTTP/1.1\r\n\r\n", "/ Some(\"b\")"),
            ("\r\nGET /metrics HTTP/1.0\n\n", "/metrics None"),
            ("GET https://b/metrics HTTP/1.1\r\n\r\n", "404"),
            ("GET http://b/other HTTP/1.1\r\n\r\n", "404"),
            ("POST http://b/metrics HTTP/1.1\r\n\r\n", "405"),
        ] {
            assert_eq!(answer(head), expected, "{head:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_request_are_refused() {
        for head in ["\r\n\r\n", "\0\r\n\r\n", "\x16\x03\x01", "GET /metrics\r\n\r\n", "a b c\r\n\r\n"] {
            assert_eq!(answer(head), "400", "{head:?}");
        }
        assert_eq!(answer("PRI * HTTP/2.0\r\n\r\n"), "400");
        assert_eq!(answer("GET /metrics HTTP/1.1\r\n"), "431");
    }
}
