//! Brokers that die in the middle of a stream of lines: nothing is lost, and at QoS 2 nothing comes twice.

use super::support::*;
use std::collections::HashSet;

const LINES: usize = 3000;

fn lines() -> String {
    (0..LINES).map(|number| format!("{number}\n")).collect()
}

/// Where a broker dies, in the handling of one packet.
#[derive(Debug, Clone, Copy)]
enum Death {
    BeforeKeeping,
    BeforeAnswering,
    AfterAnswering,
}

/// What a broker has on its disk.
#[derive(Default)]
struct Disk {
    payloads: Vec<Vec<u8>>,
    /// Messages of QoS 2 that are not released.
    unreleased: HashSet<[u8; 2]>,
    has_session: bool,
}

impl Disk {
    /// Serves the next connection until the publisher ends it, or for so many packets and then dies. Whether it died.
    fn serve(&mut self, peer: &mut peer::Acceptor, death: Option<(usize, Death)>) -> bool {
        let mut client = peer.accept();
        client.expect_type(0x10);
        client.send(if self.has_session { "20 (01 00)" } else { "20 (00 00)" });
        self.has_session = true;
        for count in 0.. {
            let packet = client.packet();
            if packet.is_empty() || packet[0] == 0xe0 {
                return false;
            }
            let moment = death.filter(|(packets, _)| *packets == count).map(|(_, moment)| moment);
            if matches!(moment, Some(Death::BeforeKeeping)) {
                return true;
            }
            let answer = self.keep(&packet);
            if matches!(moment, Some(Death::BeforeAnswering)) {
                return true;
            }
            client.try_send_bytes(&answer);
            if matches!(moment, Some(Death::AfterAnswering)) {
                return true;
            }
        }
        unreachable!("it returns")
    }

    /// Takes PUBLISH or PUBREL, and gives the answer.
    fn keep(&mut self, packet: &[u8]) -> Vec<u8> {
        let start = packet.iter().skip(1).position(|byte| byte & 0x80 == 0).unwrap() + 2;
        let body = &packet[start..];
        if packet[0] == 0x62 {
            self.unreleased.remove(&body[..2]);
            return vec![0x70, 2, body[0], body[1]];
        }
        let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let packet_id = [body[2 + topic], body[3 + topic]];
        let is_qos_2 = packet[0] & 0x06 == 0x04;
        if !is_qos_2 || self.unreleased.insert(packet_id) {
            self.payloads.push(body[4 + topic..].to_vec());
        }
        vec![if is_qos_2 { 0x50 } else { 0x40 }, 2, packet_id[0], packet_id[1]]
    }
}

/// What a broker keeps that dies at each of these moments while `mq pub -l` sends at this QoS.
fn kept_by_dying_broker(qos: u8) -> Vec<String> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let peer = ScriptedPeer::start(move |peer| {
        let mut disk = Disk::default();
        for death in
            [(700, Death::BeforeKeeping), (333, Death::BeforeAnswering), (501, Death::AfterAnswering)]
        {
            assert!(disk.serve(peer, Some(death)), "it dies before the publisher is done");
        }
        assert!(!disk.serve(peer, None));
        sender.send(disk.payloads).unwrap();
    });
    peer.mq(&format!("pub -i me -c -t a -l -q {qos}")).stdin(lines()).run().succeed();
    peer.finish();
    let payloads = receiver.recv().unwrap();
    payloads.into_iter().map(|payload| String::from_utf8(payload).unwrap()).collect()
}

#[test]
fn no_line_of_qos_1_is_lost_when_the_broker_dies() {
    let mut seen = HashSet::new();
    let mut kept = kept_by_dying_broker(1);
    kept.retain(|line| seen.insert(line.clone()));
    assert_eq!(kept.join("\n") + "\n", lines(), "each line, in order of their first arrival");
}

#[test]
fn each_line_of_qos_2_arrives_once_when_the_broker_dies() {
    assert_eq!(kept_by_dying_broker(2).join("\n") + "\n", lines());
}

#[test]
fn lines_pass_through_a_mosquitto_that_is_restarted() {
    for qos in [1, 2] {
        let configuration = "persistence true\npersistence_location {directory}/\n";
        let Some(mut broker) = Mosquitto::start_with(configuration) else { return };
        let mut subscriber = broker.mq(&format!("sub -d -i reader -c -t a -q {qos}")).spawn();
        subscriber.wait_for_stderr("<- SUBACK");
        let mut publisher = broker.mq(&format!("pub -i writer -c -t a -l -q {qos}")).open_stdin().spawn();
        publisher.write("first\n");
        subscriber.wait_for_stdout("first");
        let lines = lines();
        let (parts, last) = (lines.as_bytes().chunks(lines.len() / 3), format!("{}", LINES - 1));
        for part in parts {
            publisher.write(part);
            broker.stop();
            broker.restart();
            subscriber.wait_for_stderr("<- SUBACK");
        }
        publisher.finish().succeed();
        subscriber.wait_for_stdout(&last);
        subscriber.signal("INT");
        let finished = subscriber.finish();
        finished.expect_status(130);
        let output = String::from_utf8(finished.stdout).unwrap();
        // mosquitto 2.0.11 forgets with a restart that it sent PUBREL, and sends the message again.
        let mut seen = HashSet::from(["first"]);
        let received: Vec<&str> = output.lines().filter(|line| seen.insert(line)).collect();
        assert!(received.iter().copied().eq(lines.lines()), "QoS {qos}: {} of {LINES} lines", received.len());
    }
}
