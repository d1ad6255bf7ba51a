//! The brokers of `-h`: one, or several separated by commas, each with a port if it differs from `-p`.

use super::run_args::RunArgs;
use crate::bench::broker_watch::WatchSource;
use crate::cli::Names;
use crate::cli::UsageError;
use crate::cli::values::expected;
use crate::cli::{Error, session::ClientArgs};
use crate::transport::{Address, Endpoint};
use std::net::{IpAddr, Ipv6Addr};

/// The maximum number of brokers. Each has latencies of its own, and losses between each two are counted.
const MAX_BROKERS: usize = 64;

/// A broker in the list.
#[derive(Debug, PartialEq, Eq)]
struct Entry<'a> {
    host: &'a str,
    port: Option<u16>,
}

impl RunArgs {
    /// The endpoint of each broker; at least one.
    pub(super) fn endpoints(&self) -> Result<Vec<Endpoint>, Error> {
        let mut client = self.client.clone();
        // The plan contains all source addresses.
        client.connection.bind = None;
        let entries = self.entries()?;
        if entries.len() > 1 {
            self.check_several()?;
        }
        let endpoints = match entries.as_slice() {
            [] => vec![client.endpoint(Names::Mq)?],
            entries => entries.iter().map(|entry| entry.endpoint(&client)).collect::<Result<_, _>>()?,
        };
        check_hosts(&endpoints)?;
        Ok(endpoints)
    }

    /// The brokers that `-h` names; empty without it, and if it is the path of a unix socket.
    fn entries(&self) -> Result<Vec<Entry<'_>>, Error> {
        let connection = &self.client.connection;
        let Some(host) = connection.host.as_deref().filter(|_| connection.port != Some(0)) else {
            return Ok(Vec::new());
        };
        let wrong = |problem| Error::usage(UsageError::invalid(format!("-h {host}"), problem));
        let entries = host.split(',').map(entry).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
        if entries.len() > MAX_BROKERS {
            return Err(Error::usage(format!(
                "-h: {} brokers exceed the maximum of {MAX_BROKERS}",
                entries.len()
            )));
        }
        Ok(entries)
    }

    /// Refuses options that are about one broker.
    fn check_several(&self) -> Result<(), Error> {
        if self.client.preset.preset.is_some() {
            let text = "--preset is about one service: name one host with -h";
            return Err(Error::usage(text));
        }
        if self.client.network.url.is_some() {
            return Err(Error::usage("-h names several brokers, but -L names one; leave one of them out"));
        }
        match &self.watch_broker {
            Some(WatchSource::Sys) => Err(Error::usage(
                "--watch-broker reads the $SYS topics of one broker, but -h names several; use --watch-broker=URL with a Prometheus page",
            )),
            _ => Ok(()),
        }
    }
}

impl Entry<'_> {
    fn endpoint(&self, client: &ClientArgs) -> Result<Endpoint, Error> {
        let mut client = client.clone();
        if let Some(port) = self.port.filter(|_| client.network.srv) {
            return Err(Error::usage(format!(
                "-S: the SRV records contain the port; leave :{port} out of -h"
            )));
        }
        let ClientArgs { network, connection, .. } = &mut client;
        network.set_broker(connection, self.host, self.port);
        client.endpoint(Names::Mq)
    }
}

/// Refuses a list in the wrong place, and a broker that is named twice.
fn check_hosts(endpoints: &[Endpoint]) -> Result<(), Error> {
    for (number, endpoint) in endpoints.iter().enumerate() {
        let address = &endpoint.address;
        if matches!(address, Address::Tcp { host, .. } if host.contains(',')) {
            return Err(Error::usage("-L names one broker; name several with -h, as in -h a,b:1884"));
        }
        if endpoints.iter().take(number).any(|other| other.address == *address) {
            return Err(Error::usage(format!("-h: duplicate broker {address}")));
        }
    }
    Ok(())
}

/// `HOST`, `HOST:PORT`, `[IPV6]` or `[IPV6]:PORT`.
fn entry(text: &str) -> Result<Entry<'_>, String> {
    let wrong = || expected("HOST or HOST:PORT, several of them separated by commas");
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or_else(wrong)?;
        host.parse::<Ipv6Addr>().map_err(|_| wrong())?;
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(port_of(port)?),
            None if rest.is_empty() => None,
            None => return Err(wrong()),
        };
        return Ok(Entry { host, port });
    }
    // More than one colon is an IPv6 address, which may have a zone.
    let parts =
        text.split_once(':').filter(|(_, port)| text.parse::<IpAddr>().is_err() && !port.contains(':'));
    let (host, port) = match parts {
        Some((host, port)) => (host, Some(port_of(port)?)),
        None => (text, None),
    };
    if host.is_empty() { Err(wrong()) } else { Ok(Entry { host, port }) }
}

fn port_of(text: &str) -> Result<u16, String> {
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| expected("a port from 1 to 65535 after the colon"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_a_port_or_not() {
        let parsed = |text| entry(text).map(|entry| (entry.host, entry.port));
        assert_eq!(parsed("a.example"), Ok(("a.example", None)));
        assert_eq!(parsed("a.example:1884"), Ok(("a.example", Some(1884))));
        assert_eq!(parsed("10.0.0.7:1884"), Ok(("10.0.0.7", Some(1884))));
        assert_eq!(parsed("::1"), Ok(("::1", None)));
        assert_eq!(parsed("fe80::1%eth0"), Ok(("fe80::1%eth0", None)));
        assert_eq!(parsed("[::1]"), Ok(("::1", None)));
        assert_eq!(parsed("[::1]:1884"), Ok(("::1", Some(1884))));
        for text in ["", ":1883", "a:", "a:0", "a:65536", "a:b", "[::1", "[a]:1", "[::1]1"] {
            assert!(entry(text).is_err(), "{text}");
        }
    }
}
