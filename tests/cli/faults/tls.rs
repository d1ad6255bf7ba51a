//! Connections with TLS that are cut, in the handshake or after it.

use super::certificates::*;
use super::*;

/// The bytes of a handshake with TLS 1.3 and a small certificate, in both directions.
const HANDSHAKE: usize = 1500;

#[test]
fn connections_to_mosquitto_that_are_cut_in_the_handshake_of_tls() {
    let (ca, server, key) = certificate();
    let lines_of_tls = "certfile {directory}/server.pem\nkeyfile {directory}/server.key\n";
    let files = [("server.pem", server.as_str()), ("server.key", key.as_str())];
    let Some(broker) = Mosquitto::start_with_files(lines_of_tls, &files) else { return };
    run_all_with_tls(broker.address(), &ca);
}

#[test]
fn connections_to_mq_broker_that_are_cut_in_the_handshake_of_tls() {
    let (ca, server, key) = certificate();
    let files = Files::new(&[("server.pem", server), ("server.key", key)]);
    let words = "-p 0 --tls-port 0 --cert {}/server.pem --key {}/server.key";
    let mut broker = EmbeddedBroker::start_with(&files.words(words));
    let line = broker.process().wait_for_stdout("(TLS)");
    let address = line.split(' ').nth(2).and_then(|word| word.parse().ok());
    run_all_with_tls(address.unwrap_or_else(|| panic!("{line}")), &ca);
}

/// The authority, the certificate of the broker and its key, in PEM form.
fn certificate() -> (String, String, String) {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    (ca.pem(), server.pem(), server.key_pem())
}

/// A stream behind each fault, to the TLS port of a broker.
fn run_all_with_tls(broker: SocketAddr, ca: &str) {
    let trusted = Files::new(&[("ca.pem", ca.to_owned())]);
    for (number, fault) in [Fault::Cut, Fault::Reset, Fault::Stall, Fault::HalfOpen].into_iter().enumerate() {
        let proxy = |seed: u64| {
            let plan = Plan {
                fault,
                connections: if fault.is_silent() { 1 } else { 2 },
                most_bytes: HANDSHAKE,
                seed,
            };
            FaultProxy::planned(broker, plan)
        };
        let start = seed() * 100 + number as u64 * 10;
        let (of_publisher, of_subscriber) = (proxy(start), proxy(start + 5));
        let command = |proxy: &FaultProxy, subcommand: &str, options: &str| {
            let address = proxy.address();
            let options = format!(
                "{subcommand} -L mqtts://{address}/lines{number} --cafile {{}}/ca.pem --connect-timeout 3 -k 5 {options}"
            );
            mq(&trusted.words(&options))
        };
        let id = format!("reader{number}");
        let direct = format!("sub -L mqtts://{broker}/lines{number} --cafile {{}}/ca.pem -E -c -i {id} -q 2");
        mq(&trusted.words(&direct)).run().succeed();
        let words = format!("-c -i {id} -q 2 -C {} --retries 50", messages());
        let subscriber = command(&of_subscriber, "sub", &words).spawn();
        command(&of_publisher, "pub", "-V 5 -l -q 2 --retries 50").stdin(lines()).run().succeed();
        let received: Vec<String> = subscriber.finish().succeed().lines().map(str::to_owned).collect();
        assert_complete(&received, 2, &format!("{fault:?}, MQ_FAULT_SEED={}", seed()));
    }
}
