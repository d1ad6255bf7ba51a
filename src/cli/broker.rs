//! The options of `mq broker`.

use super::broker_limits::{self, Limit};
use super::broker_tls::BrokerTlsArgs;
use super::connection::PORT;
use super::sn;
use super::values::expected;
use crate::bench::limits::MAX_FRONT_PROCESSES;
use crate::cli::{Error, UsageError};
use crate::quantity;
use clap::{ArgAction, ArgGroup, Args, ValueHint};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Arguments of `mq broker`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("users").multiple(true), after_help = "\
The first line on standard output is the address that the broker listens on. The addresses for WebSocket, TLS
and the unix socket follow, if requested.

The broker keeps everything in memory and is made for development and tests. SIGHUP reloads the files of
--password-file, --scram-file, --acl and --cert; connected clients stay connected. The broker rejects a file with an
invalid line: it does not start, or, after SIGHUP, keeps what it has. Without such files, SIGHUP stops the broker as
SIGTERM does.

Access rules decide about each message. A client may subscribe to anything, and receives what it may read. A PUBLISH
that it may not send gets reason code 0x87 (not authorized); before MQTT 5, the message is dropped silently. Both are
counted on $SYS/broker/publish/messages/denied and $SYS/broker/publish/messages/withheld.

A client that exceeds --client-memory, or its share when much of --memory is in use, gets reason code 0x97 (quota
exceeded) for the subscription or the connection; before MQTT 5, 0x80 or a closed connection. Messages for a client
that does not read them are dropped. Both are counted on $SYS/broker/quota/exceeded and
$SYS/broker/publish/messages/dropped. A packet other than PUBLISH has at most 1 MiB.

Limits for --limit, with their defaults:
  packet-size=256MiB         largest PUBLISH; --client-memory if that is less
  receive-maximum=1024       unacknowledged messages from a client of MQTT 5
  in-flight=1024             unacknowledged messages to a client
  topic-aliases=64           topic aliases of a client
  queued-messages=100000     messages that wait for a client
  subscriptions=100000       subscriptions of a client
  sessions=1000000           sessions, connected or not
  retained-messages=1000000  retained messages
  retained-bytes=256MiB      their size
  connect-time=10s           time for each step up to CONNECT
  stall-time=5s              time that publishers wait for a client that does not read

Examples:
  mq broker                      listen on 127.0.0.1, port 1883
  mq broker -p 0                 listen on a free port
  mq broker --ws-port 8080       accept MQTT over WebSocket as well
  mq broker --unix ./mq.sock     listen on a unix socket only; with -p PORT on both
  mq broker --sn-port 10000      accept MQTT-SN clients as well
  mq broker --password-file pw   allow only users in this file of `mq passwd`
  mq broker --scram-file keys    allow only users in this file of `mq passwd scram`
  mq broker --acl rules          apply these access rules of mosquitto
  mq broker --cert c --key k     accept TLS on port 8883 only; with -p PORT on both
  mq broker --bind 0.0.0.0       listen on all addresses, open to the network")]
pub(crate) struct BrokerArgs {
    /// Port to listen on; 0 picks a free one [default: 1883, or none with --unix or --cert]
    #[arg(short = 'p', long)]
    pub port: Option<u16>,
    /// Port to listen on for MQTT over WebSocket, at any path; 0 picks a free one
    #[arg(long, value_name = "PORT")]
    pub ws_port: Option<u16>,
    /// UDP port for MQTT-SN clients: runs a gateway to this broker, as `mq gateway` does; 0 picks a free port
    #[arg(long, value_name = "PORT")]
    pub sn_port: Option<u16>,
    /// Maximum number of MQTT-SN clients
    #[arg(long, value_name = "COUNT", hide = true)]
    pub sn_max_clients: Option<usize>,
    /// MQTT-SN version of all its clients: 1.2 or 2.0 [default: the version in CONNECT; 2.0 is experimental]
    #[arg(long, value_name = "VERSION", value_parser = sn::version, requires = "sn_port")]
    pub sn_version: Option<sn::Version>,
    /// Unix socket to listen on, for clients that may write to it. Replaces the socket of a broker that was killed
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub unix: Option<PathBuf>,
    /// Allow only the users in this mosquitto password file; SIGHUP reloads it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "users")]
    pub password_file: Option<PathBuf>,
    /// Allow users in this file of `mq passwd scram` by SCRAM-SHA-256 and SCRAM-SHA-512. Clients that name no method
    /// are checked against --password-file. SIGHUP reloads the file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "users")]
    pub scram_file: Option<PathBuf>,
    /// Apply the access rules in this file, in the syntax of mosquitto's acl_file; SIGHUP reloads it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub acl: Option<PathBuf>,
    /// Allow clients without a user name as well; needs --password-file or --scram-file
    #[arg(long, requires = "users")]
    pub allow_anonymous: bool,
    /// Accept an empty password if the user's stored hash is that of an empty password
    #[arg(long, requires = "password_file")]
    pub allow_empty_passwords: bool,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: IpAddr,
    /// Limit for the memory of one client, such as 16MiB. It includes subscriptions, the will, buffers and undelivered
    /// messages
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = memory, help_heading = "Limits")]
    pub client_memory: usize,
    /// Limit for the memory of all clients and of retained messages, such as 512MiB or 2GiB
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = memory, help_heading = "Limits")]
    pub memory: usize,
    /// Change another limit, as in sessions=10; repeatable. See the list below
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = broker_limits::limit, help_heading = "Limits")]
    pub limits: Vec<Limit>,
    /// Accept clients in this number of further processes, each with its own limit of open files. They serve one port: of
    /// --ws-port, or else -p, --wss-port, --tls-port
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_FRONT_PROCESSES)), help_heading = "Limits")]
    pub front_processes: Option<u16>,
    /// Run as such a process: standard input is the socket to the broker, standard output the listening socket
    #[arg(long, hide = true)]
    pub front: bool,
    /// Stop at the end of standard input, such as when the parent process exits
    #[arg(long, action = ArgAction::SetTrue)]
    pub stop_with_stdin: bool,
    /// Log on standard error when clients connect and disconnect
    #[arg(short = 'v', long, action = ArgAction::SetTrue)]
    pub verbose: bool,
    /// The last field: its heading would be that of the following options as well.
    #[command(flatten)]
    pub tls: BrokerTlsArgs,
}

/// The minimum that leaves room for a client.
const MIN_MEMORY: usize = 64 << 10;

/// A size that leaves room for a client.
fn memory(text: &str) -> Result<usize, String> {
    let size = quantity::size(text).and_then(|bytes| usize::try_from(bytes).ok());
    size.filter(|size| *size >= MIN_MEMORY)
        .ok_or_else(|| expected("a size of at least 64KiB, such as 16MiB or 2GiB"))
}

impl BrokerArgs {
    /// The address for MQTT-SN clients, if any. Those of MQTT-SN 1.2 have no user names and passwords.
    ///
    /// # Errors
    /// If the broker admits no client without them.
    pub(crate) fn listen_sn(&self) -> Result<Option<SocketAddr>, Error> {
        let has_names = self.sn_version == Some(sn::Version::V20);
        if self.sn_port.is_some() && self.has_users() && !self.allow_anonymous && !has_names {
            let needed =
                "--allow-anonymous, since clients of MQTT-SN 1.2 have no user names; or --sn-version 2";
            return Err(Error::usage(UsageError::Needs { option: "--sn-port".into(), needed }));
        }
        if self.sn_port.is_some() && self.listen().is_none() && self.unix.is_none() {
            let needed = "-p PORT or --unix PATH beside TLS, for its own connections";
            return Err(Error::usage(UsageError::Needs { option: "--sn-port".into(), needed }));
        }
        Ok(self.sn_port.map(|port| SocketAddr::new(self.bind, port)))
    }

    fn has_users(&self) -> bool {
        self.password_file.is_some() || self.scram_file.is_some()
    }

    /// A warning if the access rules do not protect anything.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        (self.acl.is_some() && !self.has_users()).then_some(
            "warning: --acl without --password-file or --scram-file: clients can claim any user name",
        )
    }

    /// The TCP address: MQTT's port by default, or none if only a unix socket or TLS is requested.
    pub(crate) fn listen(&self) -> Option<SocketAddr> {
        let is_elsewhere = self.unix.is_some() || self.tls.is_given();
        let port = self.port.or((!is_elsewhere).then_some(PORT));
        port.map(|port| SocketAddr::new(self.bind, port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_a_size() {
        assert_eq!(memory("64K"), Ok(64 << 10));
        assert_eq!(memory("100000"), Ok(100_000));
        assert_eq!(memory("2G"), Ok(2 << 30));
        assert_eq!(memory("64KiB"), Ok(64 << 10));
        for text in ["", "M", "0", "63K", "1T", "-1M", "1m", "99999999999999999999", "99999999999999G", "é"]
        {
            assert!(memory(text).is_err(), "{text}");
        }
    }
}
