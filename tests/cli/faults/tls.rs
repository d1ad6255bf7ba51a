//! Connections with TLS that are cut, in the handshake or after it.

use super::certificates::*;
use super::*;

/// The bytes of a handshake with TLS 1.3 and a small certificate, in both directions.
const HANDSHAKE: usize = 1500;

#[test]
fn connections_that_are_cut_in_the_handshake_of_tls() {
    let ca = authority("Test CA");
    let server = ca.issue(server_params());
    let files = [("server.pem", server.pem()), ("server.key", server.key_pem())];
    let files = files.each_ref().map(|(name, content)| (*name, content.as_str()));
    let lines_of_tls = "certfile {directory}/server.pem\nkeyfile {directory}/server.key\n";
    let Some(broker) = Mosquitto::start_with_files(lines_of_tls, &files) else { return };
    let trusted = Files::new(&[("ca.pem", ca.pem())]);
    for (number, fault) in [Fault::Cut, Fault::Reset, Fault::Stall, Fault::HalfOpen].into_iter().enumerate() {
        let proxy = |seed: u64| {
            let plan = Plan {
                fault,
                connections: if fault.is_silent() { 1 } else { 2 },
                most_bytes: HANDSHAKE,
                seed,
            };
            FaultProxy::planned(broker.address(), plan)
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
        let direct = format!(
            "sub -L mqtts://{}/lines{number} --cafile {{}}/ca.pem -E -c -i {id} -q 2",
            broker.address()
        );
        mq(&trusted.words(&direct)).run().succeed();
        let words = format!("-c -i {id} -q 2 -C {} --retries 50", messages());
        let subscriber = command(&of_subscriber, "sub", &words).spawn();
        command(&of_publisher, "pub", "-V 5 -l -q 2 --retries 50").stdin(lines()).run().succeed();
        let received: Vec<String> = subscriber.finish().succeed().lines().map(str::to_owned).collect();
        assert_complete(&received, 2, &format!("{fault:?}, MQ_FAULT_SEED={}", seed()));
    }
}
