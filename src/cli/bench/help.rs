//! Texts of the help: paragraphs that several modes share, and options whose help differs between modes.

use clap::Arg;

/// How publishers choose the times of sends.
pub(super) const PACE: &str = "\
Publishers send as fast as the broker acknowledges, or with --rate at planned times regardless of the
broker. The latency then also counts from the planned time, so that a broker that stalls cannot hide it.";

/// How missing messages are detected.
pub(super) const LOSS: &str = "\
Subscribers check that every message arrives, once and in order. At QoS 0, missing messages count as
lost when all were sent and none arrived for a second, or for three times the longest latency; at QoS 1
and 2, after --timeout.";

pub(super) const TEMPLATES: &str = "\
Topics and payloads can contain {run}, the identifier of the run, {client}, the client identifier of
the publisher, and {i}, its number. Each message has a new value of {seq}, its number, {ts}, the time
(RFC 3339; {ts:s}, {ts:ms}, {ts:us} and {ts:ns} since 1970), {uuid} and {rand:0..100}, a random number.
In topics, {s} is the number of the publisher's subscriber. Payloads can also contain values that each
publisher generates: {counter:1} counts its messages from 1, {counter:0..100:5} from 0 to 95 in steps of
5, and again; {walk:18.0..25.0:0.1} is a random walk between 18 and 25 in steps of at most 0.1,
{sine:18.0..25.0:100} a sine with a period of 100 messages, {choice:on|off|fault} one of these texts.";

pub(super) const AUTHENTICATION: &str = "\
With --auth-method, each client authenticates on each new connection. A token is read once for all
clients; with SCRAM, each client has its own user name and password. The CPU time of a SCRAM proof is
part of the time that a user waits, and counts in the clients accepted per second. It is not caused by
the broker, so connack and --connect-timeout exclude it: authenticate is the CPU time of each proof,
authenticate_wait the time that clients waited for a CPU of this machine. Each process computes a proof
for the same password and salt only once.";

/// The metrics of `--fail-if`, of all modes together.
pub(super) const METRICS: &str = "\
The metrics of --fail-if are p50, p90, p99, p99.9, any other percentile, min, mean and max of the main
latency of the run (end to end with subscribers, else to the acknowledgement), or of another one as in
connack.p99: tcp, tls, ws, connack, authenticate, authenticate_wait, ack, ack_planned, end_to_end,
end_to_end_planned, round_trip, round_trip_planned, resubscribed, lag. Their values are times (500us,
10ms, 2s).
Rates (5000/s, 5k/s): throughput, sent_rate, acknowledged_rate, received_rate, connect_rate. Counts,
most of them also as a percentage: loss, duplicates, reordered, denied, unacknowledged, late,
unmatched (acknowledged without matching subscribers), connect_failures, lost_connections, connected,
reconnects, sent, received, foreign, gap_lost, errors; at an MQTT-SN gateway retries, gateway_retries,
unanswered, congestion, datagrams_sent, datagrams_received, dropped_datagrams. Also cpu (percent, of the busiest thread) and
elapsed (a time).
--abort-if takes those that are known during a run: p99 and the rates, each of the last second of the
measurement, and connect_failures, lost_connections, denied, connected, sent, received, elapsed.";

pub(super) const SEE_METRICS: &str = "`mq bench --help` lists the metrics of --fail-if.";

/// The exit statuses of a run.
pub(super) const RUN_STATUS: &str = "\
Exit status: 0 when all messages were sent without a loss that violates the QoS, 1 when clients could
not connect, the broker stopped responding or lost messages, or a worker process failed, 2 usage or an
invalid file, 3 the broker rejected a subscription or a message, 4 a condition of --fail-if held or was
not measured, --abort-if ended the run, it was worse than the baseline or --search found no rate, 5 the
broker refused the connections, 7 connections were lost, 130 and 143 interrupted (the report is still
written). If no client connected, the status is 1 or 5, whatever the conditions are.";

/// Replaces the help of an option by that of a mode.
pub(super) fn reword(arg: Arg, texts: &[(&str, &'static str)]) -> Arg {
    match texts.iter().find(|(id, _)| arg.get_id() == id) {
        Some((_, help)) => arg.help(*help),
        None => arg,
    }
}

/// Paragraphs, separated by blank lines.
pub(super) fn paragraphs(paragraphs: &[&str]) -> String {
    paragraphs.join("\n\n")
}

/// The help of `mq bench`: that of pubsub, and examples of all modes.
pub(super) fn of_bench() -> String {
    paragraphs(&[SUMMARY, PACE, LOSS, TEMPLATES, EXAMPLES, METRICS, RUN_STATUS])
}

const SUMMARY: &str = "\
The options above are those of pubsub; `mq bench MODE --help` describes each mode with its options. The
report goes to standard output.";

const EXAMPLES: &str = "\
Examples:
  mq bench --embedded -c 1000                   1000 clients, embedded broker
  mq bench -h test.example -c 500 -q 2          QoS 2 with another broker
  mq bench --rate 5k --duration 30              5000 messages per second in all
  mq bench --topology fan-out -c 500            1 publisher, 500 subscribers
  mq bench conn -c 20000 --hold 60              20000 connections for a minute
  mq bench pub -c 500                           latency from PUBLISH to PUBACK
  # messages of other publishers
  mq bench sub -c 10 -t 'sensors/#' --duration 60
  mq bench rr -c 50 -V 5                        latency of requests in MQTT 5
  mq bench reconnect -c 2000 --keep-sessions    sessions outlive connections
  mq bench --sn --embedded -c 500               MQTT-SN clients of a gateway
  # 5000 of them behind 8 forwarders
  mq bench --sn -h gateway.example -c 5000 --sn-forwarders 8
  mq bench scenario mix.toml                    groups with different loads
  mq bench merge 1.json 2.json 3.json           one report of three machines
  mq bench -c 20000 --check                     the limits of this machine
  mq bench --html run.html --json run.json      a page with plots, and a report
  mq bench --fail-if 'p99>10ms, loss>0'         exit status for a CI job
  mq bench --baseline run.json --tolerance 20%  comparison with a report
  mq bench --search rate --until 'p99>50ms'     the highest sustained rate";
