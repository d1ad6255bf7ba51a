//! Reports for the tests of rendering and judging.

use super::*;
use crate::bench::record::ConnectTimes;

/// A run whose broker was watched.
pub(in crate::bench) fn watched() -> Report {
    use crate::bench::broker_watch::{BrokerSide, Metric, Sample};
    let sample = |at: u64, values: [f64; 4]| {
        let metrics = [Metric::Clients, Metric::MessagesReceived, Metric::CpuTime, Metric::ResidentMemory];
        Sample { at: at * 1_000_000_000, values: metrics.into_iter().zip(values).collect() }
    };
    let mega = 1024.0 * 1024.0;
    let samples = vec![sample(0, [1.0, 10.0, 1.0, 5.0 * mega]), sample(2, [101.0, 2010.0, 1.5, 6.0 * mega])];
    let mut report = report();
    report.timeline.at(2_000_000_000).sent = 1;
    report.broker_side = Some(BrokerSide {
        source: "$SYS".to_owned(),
        version: Some("a <b>\u{1b}[31m".to_owned()),
        processes: vec![(7, "x".to_owned())],
        problems: vec!["some <i>".to_owned()],
        samples,
    });
    report
}

/// A run over two brokers that do not share messages.
pub(in crate::bench) fn two_brokers() -> Report {
    let address = |port: u16| format!("127.0.0.1:{port}");
    let part = |own: u16, other: u16| {
        let to = |port, lost| Deliveries { to: address(port), owed: 25_000, lost };
        BrokerPart {
            address: address(own),
            clients: 550,
            connected: 550,
            sent: 50_000,
            acknowledged: 50_000,
            received: 25_000,
            owed: 50_000,
            lost: 25_000,
            deliveries: vec![to(own, 0), to(other, 25_000)],
            latencies: [(LatencyKind::EndToEnd, spread(400_000_000))].into(),
            ..BrokerPart::default()
        }
    };
    let mut report = report();
    spoil(&mut report, 50_000, 0);
    report.plan.broker = format!("{}, {}", address(1883), address(1884));
    report.brokers = vec![part(1883, 1884), part(1884, 1883)];
    report
}

/// A run without problems.
pub(in crate::bench) fn report() -> Report {
    let flow = |count, milliseconds: u64| Flow { count, span: Some((0, milliseconds * 1_000_000)) };
    let mut timeline = Timeline::default();
    let slot = timeline.at(0);
    (slot.connected, slot.sent, slot.acknowledged, slot.received) = (1100, 100_000, 100_000, 100_000);
    (1..=1000).for_each(|step| slot.latency.record(step * 40_000));
    let latencies = [
        (LatencyKind::TcpConnect, spread(150_000)),
        (LatencyKind::Connack, spread(1_500_000)),
        (LatencyKind::Acknowledged, spread(15_000_000)),
        (LatencyKind::EndToEnd, spread(400_000_000)),
    ];
    Report {
        tool: "mq 0.1.0".to_owned(),
        started_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        plan: Planned {
            broker: "127.0.0.1:1883".to_owned(),
            scenario: Scenario::PublishSubscribe,
            version: Version::V5,
            processes: 1,
            threads: 2,
            clients: 1100,
            publishers: 1000,
            subscribers: 100,
            receivers: 100,
            payload_size: 64,
            volume: Volume::Messages(100_000),
            warm_up: Duration::ZERO,
            rate: None,
            rate_course: None,
            connect_rate: None,
            load: Some(Load::default()),
        },
        setup: Setup::default(),
        groups: vec![group()],
        brokers: Vec::new(),
        hosts: vec![Host {
            system: "linux x86_64".to_owned(),
            cpus: 2,
            open_files: Some(1024),
            machine: None,
        }],
        ending: Ending::Complete,
        is_drain_cut: false,
        elapsed: Duration::from_secs(1),
        phases: vec![(Step::Connect, 0), (Step::Subscribe, 5_000), (Step::Measure, 250_000_000)],
        connects: flow(1100, 1_250),
        refused: 0,
        connections_lost: 0,
        tls: TlsCounts::default(),
        datagrams: None,
        reconnects: 0,
        subscribed: 100,
        subscribers_to_the_end: 100,
        sent: flow(100_000, 5_000),
        acknowledged: flow(100_000, 5_500),
        unmatched: Some(0),
        received: flow(100_000, 6_000),
        account: Account { sent: 100_000, owed: 100_000, ..Account::default() },
        duplicates: 0,
        reordered: 0,
        foreign: 0,
        late: 0,
        late_by_us: Some(0),
        blocked_sends: 0,
        cpu: Duration::from_millis(700),
        busiest_thread_percent: Some(41.5),
        latencies: latencies.into(),
        timeline,
        errors: Errors::default(),
        worker_faults: Vec::new(),
        broker_side: None,
        search: None,
        repeat: None,
        conditions: Vec::new(),
    }
}

/// The only group of that run.
pub(in crate::bench) fn group() -> Group {
    Group {
        name: String::new(),
        scenario: Scenario::PublishSubscribe,
        publishers: 1000,
        subscribers: 100,
        idle: 0,
        not_started: 0,
        qos: Qos::AtLeastOnce,
        topic_qos: Vec::new(),
        subscription_qos: Qos::AtLeastOnce,
        granted_qos: None,
        payload_sizes: (64, 64),
        in_flight: 20,
        rate: None,
        rate_course: None,
        messages: Some(100_000),
        listens_to: None,
        share: None,
        shape: Some(Load::default()),
        outcome: Outcome {
            account: Account { sent: 100_000, owed: 100_000, ..Account::default() },
            ..Outcome::default()
        },
        connects: ConnectTimes::default(),
        latencies: BTreeMap::new(),
        measured: None,
    }
}

/// Sets the numbers of lost and duplicate messages, in the report and in its only group.
pub(in crate::bench) fn spoil(report: &mut Report, lost: u64, duplicates: u64) {
    (report.account.lost, report.duplicates) = (lost, duplicates);
    let outcome = &mut report.groups[0].outcome;
    (outcome.account.lost, outcome.duplicates) = (lost, duplicates);
}

/// A run of two groups.
pub(in crate::bench) fn mix() -> Report {
    let mut report = report();
    report.plan.scenario = Scenario::Mix;
    report.plan.clients += 5;
    let sensors = Group { name: "sensors".to_owned(), ..group() };
    let idle = Group {
        name: "idle".to_owned(),
        scenario: Scenario::Connect,
        publishers: 0,
        subscribers: 0,
        idle: 5,
        messages: None,
        outcome: Outcome::default(),
        ..group()
    };
    report.groups = vec![sensors, idle];
    report
}

/// A thousand samples of up to five times the middle one.
pub(in crate::bench) fn spread(middle: u64) -> Latencies {
    let mut latencies = Latencies::default();
    for step in 1..=1000 {
        let times = match step {
            1..=500 => step * 2,
            501..=900 => 1000 + (step - 500) * 5 / 2,
            901..=990 => 2000 + (step - 900) * 100 / 9,
            _ => 3000 + (step - 990) * 200,
        };
        latencies.record(middle / 1000 * times);
    }
    latencies
}

#[test]
fn a_plan_with_times_is_distinguished_from_the_real_ones() {
    let mut report = report();
    report.latencies.insert(LatencyKind::EndToEndPlanned, spread(400_000_000));
    assert_eq!(report.latency_rows().len(), 4, "the same");
    report.latencies.insert(LatencyKind::EndToEndPlanned, spread(900_000_000));
    let kinds: Vec<_> = report.latency_rows().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds.last(), Some(&LatencyKind::EndToEndPlanned));
    assert_eq!(report.main_latency(), Some(LatencyKind::EndToEndPlanned));
}
