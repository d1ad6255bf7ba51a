//! Our programs with those of others: mosquitto's clients, and rumqttc, the library that many devices use.

use super::support::*;
use std::time::Duration;

#[test]
fn mosquitto_pub_to_mq_sub() {
    on_each_broker(|broker| {
        for version in ["mqttv31", "mqttv311", "mqttv5"] {
            let subscriber = broker.subscriber(&format!("-V {version} -t home/# -q 2 -v -C 4"));
            for qos in 0..=2 {
                let Some(publisher) =
                    broker.mosquitto_pub(&format!("-V {version} -t home/{qos} -q {qos} -m hello"))
                else {
                    return;
                };
                publisher.run().succeed();
            }
            broker.mosquitto_pub("-t home/n -n").unwrap().run().succeed();
            let lines = "home/0 hello\nhome/1 hello\nhome/2 hello\nhome/n (null)\n";
            assert_eq!(subscriber.finish().succeed(), lines);
        }
    });
}

#[test]
fn mq_pub_to_mosquitto_sub() {
    on_each_broker(|broker| {
        for version in ["mqttv31", "mqttv311", "mqttv5"] {
            let options = format!("-V {version} -t home/# -q 2 -v");
            let Some(mut subscriber) = subscribed_mosquitto_sub(broker, &options) else { return };
            for qos in 0..=2 {
                broker.mq(&format!("pub -V {version} -t home/{qos} -q {qos} -m hello")).run().succeed();
                assert_eq!(subscriber.wait_for_stdout(""), format!("home/{qos} hello"));
            }
        }
    });
}

/// A subscriber that has printed a message: messages published from now on reach it.
fn subscribed_mosquitto_sub(broker: &dyn Broker, options: &str) -> Option<Running> {
    let program = broker.mosquitto_sub(&format!("-t ready {options}"))?;
    broker.mq("pub -t ready -m ready -r -q 1").run().succeed();
    let mut running = program.spawn();
    running.wait_for_stdout("ready");
    Some(running)
}

#[test]
fn the_same_options_print_the_same() {
    on_each_broker(|broker| {
        broker.mq("pub -r -t home/a -m text -q 1").run().succeed();
        broker.mq("pub -r -t home/b -q 1 -s").stdin(bytes::hex("00 ff 0a")).run().succeed();
        for options in [
            "-t home/a -C 1",
            "-t home/+ -C 2 -v",
            "-t home/b -C 1 -N",
            "-t # -T home/b -C 1 -v -N",
            "-t # --retained-only -C 2 -q 1",
        ] {
            let Some(theirs) = broker.mosquitto_sub(options) else { return };
            let theirs = theirs.run();
            let ours = broker.mq(&format!("sub {options}")).run();
            assert_eq!(sorted(&ours.stdout), sorted(&theirs.stdout), "{options}");
            assert_eq!(ours.status, theirs.status, "{options}");
        }
    });
}

/// The order of retained messages is the broker's affair.
fn sorted(output: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = output.split(|byte| *byte == b'\n').collect();
    lines.sort_unstable();
    lines
}

#[test]
fn lines_of_mosquitto_pub_all_arrive() {
    on_each_broker(|broker| {
        let subscriber = broker.subscriber("-t lines -q 1 -C 1000");
        let lines: String = (0..1000).map(|number| format!("{number}\n")).collect();
        let Some(publisher) = broker.mosquitto_pub("-t lines -l -q 1") else { return };
        publisher.stdin(lines.as_bytes()).run().succeed();
        assert!(subscriber.finish().succeed() == lines, "the same lines come out");
    });
}

#[test]
fn a_kept_session_moves_from_mosquitto_sub_to_mq_sub() {
    on_each_broker(|broker| {
        let Some(subscriber) = broker.mosquitto_sub("-c -i me -t a -q 1 -E") else { return };
        subscriber.run().succeed();
        broker.mosquitto_pub("-t a -m x -q 1").unwrap().run().succeed();
        assert_eq!(broker.mq("sub -c -i me -t a -q 1 -C 1").run().succeed(), "x\n");
    });
}

#[test]
fn properties_reach_mosquitto_sub() {
    on_each_broker(|broker| {
        let options = "-V 5 -t a -F %C|%R|%D|%P|%p";
        let Some(mut subscriber) = subscribed_mosquitto_sub(broker, options) else { return };
        broker
            .mq("pub -t a -m x -D publish content-type text/plain -D publish response-topic re/ply")
            .words("-D publish correlation-data id -D publish user-property k v")
            .run()
            .succeed();
        assert_eq!(subscriber.wait_for_stdout("|"), "text/plain|re/ply|id|k:v|x");
    });
}

#[test]
fn rumqttc_of_3_1_1_echoes() {
    use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
    on_each_broker(|broker| {
        let mut options =
            MqttOptions::new("rumqttc", broker.address().ip().to_string(), broker.address().port());
        options.set_keep_alive(Duration::from_secs(5));
        let (client, mut connection) = Client::new(options, 100);
        client.subscribe("to/rumqttc", QoS::ExactlyOnce).unwrap();
        let subscriber = broker.subscriber("-t from/rumqttc -q 2 -C 3");
        let mut is_started = false;
        let mut echoed = 0;
        while echoed < 3 {
            let event = connection
                .recv_timeout(DEADLINE)
                .expect("an event before the deadline")
                .expect("a connection");
            match event {
                Event::Incoming(Packet::SubAck(_)) => is_started = true,
                Event::Incoming(Packet::Publish(publish)) => {
                    client.publish("from/rumqttc", publish.qos, false, publish.payload.to_vec()).unwrap();
                }
                Event::Outgoing(rumqttc::Outgoing::Publish(_)) => echoed += 1,
                _ => {}
            }
            if std::mem::take(&mut is_started) {
                publish_one_of_each_qos(broker, "311");
            }
        }
        // Its event loop has to be kept going for the acknowledgements.
        std::thread::spawn(move || connection.iter().take_while(Result::is_ok).count());
        assert_eq!(subscriber.finish().succeed(), "qos 0\nqos 1\nqos 2\n");
        drop(client);
    });
}

#[test]
fn rumqttc_of_5_echoes() {
    use rumqttc::v5::mqttbytes::{QoS, v5::Packet};
    use rumqttc::v5::{Client, Event, MqttOptions};
    on_each_broker(|broker| {
        let mut options =
            MqttOptions::new("rumqttc", broker.address().ip().to_string(), broker.address().port());
        options.set_keep_alive(Duration::from_secs(5));
        let (client, mut connection) = Client::new(options, 100);
        client.subscribe("to/rumqttc", QoS::ExactlyOnce).unwrap();
        let subscriber = broker.subscriber("-V 5 -t from/rumqttc -q 2 -C 3");
        let mut is_started = false;
        let mut echoed = 0;
        while echoed < 3 {
            let event = connection
                .recv_timeout(DEADLINE)
                .expect("an event before the deadline")
                .expect("a connection");
            match event {
                Event::Incoming(Packet::SubAck(_)) => is_started = true,
                Event::Incoming(Packet::Publish(publish)) => {
                    client.publish("from/rumqttc", publish.qos, false, publish.payload.to_vec()).unwrap();
                }
                Event::Outgoing(rumqttc::Outgoing::Publish(_)) => echoed += 1,
                _ => {}
            }
            if std::mem::take(&mut is_started) {
                publish_one_of_each_qos(broker, "5");
            }
        }
        std::thread::spawn(move || connection.iter().take_while(Result::is_ok).count());
        assert_eq!(subscriber.finish().succeed(), "qos 0\nqos 1\nqos 2\n");
        drop(client);
    });
}

fn publish_one_of_each_qos(broker: &dyn Broker, version: &str) {
    for qos in 0..=2 {
        let program = broker.mq(&format!("pub -V {version} -t to/rumqttc -q {qos} -m"));
        program.arg(format!("qos {qos}")).run().succeed();
    }
}
