//! Packets that a service does not accept, found before they are sent: most services answer them by closing the connection, or not at
//! all.

use super::violation::{Problem, Violation};
use super::{Device, Service};
use crate::protocol::topic::split_share;
use crate::protocol::{Properties, PropertyId, PropertyValue, Publish, Qos, Version};

/// Event Grid's largest payload of a message that is kept, in either version of MQTT ("MQTT retain in Azure Event Grid", 2025-07-30; an
/// older page said that MQTT 3.1.1 has no RETAIN there).
const EVENT_GRID_RETAINED: usize = 64 * 1024;

/// Event Grid's longest values of these properties of a message, in bytes.
const EVENT_GRID_PROPERTY: usize = 256;
const EVENT_GRID_PROPERTIES: [PropertyId; 3] =
    [PropertyId::ResponseTopic, PropertyId::ContentType, PropertyId::CorrelationData];

/// All user properties of a message to Event Grid, in bytes.
const EVENT_GRID_USER_PROPERTIES: usize = 32 * 1024;

/// Event Grid's longest authentication data, in bytes.
const EVENT_GRID_TOKEN: usize = 8 * 1024;

/// Event Grid's longest will delay interval, in seconds.
const EVENT_GRID_WILL_DELAY: u32 = 300;

/// The prefixes of AWS IoT Core's own topics and of rule topics, whose rule name does not count towards the limits.
const AWS_TOPICS: &str = "$aws/";
const AWS_RULES: &str = "$aws/rules/";

/// Topics that a device may publish to besides its own.
const HUB_REQUESTS: [&str; 3] =
    ["$iothub/twin/GET/?$rid=", "$iothub/twin/PATCH/properties/reported/?$rid=", "$iothub/methods/res/"];

/// Topic filters that a device may subscribe to besides its own.
const HUB_FILTERS: [&str; 3] =
    ["$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#", "$iothub/methods/POST/#"];

/// The rules of a service.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    service: Service,
    version: Version,
    /// The client's device, for a service with devices.
    device: Option<Device>,
}

/// The content of CONNECT that services have rules for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectContent<'a> {
    pub client_id: &'a str,
    /// The keep alive in seconds.
    pub keep_alive: u16,
    pub connect: Properties<'a>,
    pub disconnect: Properties<'a>,
    /// Whether it names an authentication method of MQTT 5.
    pub has_method: bool,
}

impl Rules {
    /// The rules for this MQTT version, and for this device if the service has devices.
    pub(crate) fn new(service: Service, version: Version, device: Option<Device>) -> Rules {
        Rules { service, version, device }
    }

    /// The most topic filters in one SUBSCRIBE.
    pub(crate) fn filters_in_subscribe(&self) -> usize {
        self.service.facts().filters
    }

    /// The maximum number of QoS 1 messages in flight. MQTT 3 cannot announce it.
    pub(crate) fn in_flight(&self) -> u16 {
        self.service.facts().in_flight
    }

    /// Checks the content of CONNECT.
    ///
    /// # Errors
    /// The violated rule.
    pub(crate) fn check_connect(&self, client: &ConnectContent<'_>) -> Result<(), Violation> {
        let service_limits = self.service.facts();
        if !service_limits.versions.contains(&self.version) {
            return Err(self.violation(Problem::Version(self.version)));
        }
        let (length, seconds) = (client.client_id.len(), client.keep_alive);
        if let Some(maximum) = service_limits.client_id.filter(|maximum| length > *maximum) {
            return Err(self.violation(Problem::ClientIdLength { length, maximum }));
        }
        if self.service == Service::AzureEventGrid && length == 0 && !self.version.is_v5() {
            return Err(self.violation(Problem::NoClientId));
        }
        if seconds > service_limits.keep_alive {
            return Err(self.violation(Problem::KeepAlive { seconds, maximum: service_limits.keep_alive }));
        }
        if self.service == Service::AwsIotCore && client.has_method {
            return Err(self.violation(Problem::AuthenticationMethod));
        }
        self.check_no_user_property("CONNECT", client.connect)?;
        self.check_no_user_property("DISCONNECT", client.disconnect)
    }

    /// Checks the length of authentication data, in bytes.
    ///
    /// # Errors
    /// If it is too long for the service.
    pub(crate) fn check_authentication_data(&self, length: usize) -> Result<(), Violation> {
        let maximum = EVENT_GRID_TOKEN;
        let is_too_long = self.service == Service::AzureEventGrid && length > maximum;
        self.unless(is_too_long, || Problem::AuthenticationData { length, maximum })
    }

    /// Checks a message.
    ///
    /// # Errors
    /// The violated rule.
    pub(crate) fn check_publish(&self, publish: &Publish<'_>) -> Result<(), Violation> {
        let (size, maximum) = (publish.payload.len(), self.service.facts().payload);
        self.unless(publish.qos == Qos::ExactlyOnce, || Problem::ExactlyOnce)?;
        self.unless(size > maximum, || Problem::Payload { size, maximum })?;
        self.check_topic(publish.topic)?;
        match self.service {
            Service::AwsIotCore => {
                let is_reserved = publish.topic.starts_with(AWS_TOPICS);
                self.unless(publish.retain && is_reserved, || Problem::RetainReserved)
            }
            Service::AzureIotHub => self.check_hub_topic(publish.topic),
            Service::AzureEventGrid => {
                let is_too_large = publish.retain && size > EVENT_GRID_RETAINED;
                let maximum = EVENT_GRID_RETAINED;
                self.unless(is_too_large, || Problem::RetainedPayload { size, maximum })?;
                self.check_properties(publish.properties)
            }
        }
    }

    /// Checks a subscription at this QoS.
    ///
    /// # Errors
    /// The violated rule.
    pub(crate) fn check_filter(&self, filter: &str, qos: Qos) -> Result<(), Violation> {
        let share = split_share(filter).ok().flatten();
        self.check_topic(share.map_or(filter, |(_, filter)| filter))?;
        match self.service {
            // It would not even be answered.
            Service::AwsIotCore => self.unless(qos == Qos::ExactlyOnce, || Problem::ExactlyOnce),
            Service::AzureIotHub => self.check_hub_filter(filter),
            Service::AzureEventGrid => self.unless(share.is_some(), || Problem::SharedSubscription),
        }
    }

    /// Checks the number of filters and the properties of a SUBSCRIBE.
    ///
    /// # Errors
    /// The violated rule.
    pub(crate) fn check_subscribe(&self, count: usize, properties: Properties<'_>) -> Result<(), Violation> {
        if let Some(maximum) = self.service.facts().subscriptions.filter(|maximum| count > *maximum) {
            return Err(self.violation(Problem::Subscriptions { count, maximum }));
        }
        let has_identifier = properties.find(PropertyId::SubscriptionIdentifier).is_some();
        self.unless(has_identifier, || Problem::SubscriptionIdentifier)?;
        self.check_no_user_property("SUBSCRIBE", properties)
    }

    /// The effect of RETAIN at this service, if it is not to keep the message.
    pub(crate) fn remark_on_retain(&self) -> Option<String> {
        let is_hub = self.service == Service::AzureIotHub;
        is_hub.then(|| {
            format!("{} does not retain messages; RETAIN only marks them, as mqtt-retain", self.service)
        })
    }

    /// A warning that a subscription gets no retained messages, if it gets none.
    pub(crate) fn remark_on_retained(&self, filter: &str) -> Option<String> {
        let misses = self.service == Service::AwsIotCore && filter.contains(['+', '#']);
        misses.then(|| {
            format!("{} sends no kept messages to filters with wildcards, as {filter}", self.service)
        })
    }

    /// Checks the lengths of a topic and its owner. The prefix of a shared subscription or of a rule topic does not count.
    fn check_topic(&self, topic: &str) -> Result<(), Violation> {
        let service_limits = self.service.facts();
        let is_aws = self.service == Service::AwsIotCore;
        self.unless(is_aws && topic.starts_with('$') && !topic.starts_with(AWS_TOPICS), || {
            Problem::Reserved
        })?;
        let of_rule = topic.strip_prefix(AWS_RULES).filter(|_| is_aws);
        let counted = of_rule.and_then(|rest| rest.split_once('/')).map_or(topic, |(_, rest)| rest);
        let (length, slashes) = (counted.len(), counted.matches('/').count());
        if let Some(maximum) = service_limits.topic_length.filter(|maximum| length > *maximum) {
            return Err(self.violation(Problem::TopicLength { length, maximum }));
        }
        match service_limits.slashes.filter(|maximum| slashes > *maximum) {
            Some(maximum) => Err(self.violation(Problem::Slashes { slashes, maximum })),
            None => Ok(()),
        }
    }

    fn check_hub_topic(&self, topic: &str) -> Result<(), Violation> {
        let own = self.device.as_ref().map(Device::telemetry_topic);
        let known: Vec<&str> = own.iter().map(String::as_str).chain(HUB_REQUESTS).collect();
        let is_known = known.iter().any(|known| topic.starts_with(known));
        self.unless(!is_known, || Problem::UnknownTopic(known.join(", ")))
    }

    fn check_hub_filter(&self, filter: &str) -> Result<(), Violation> {
        let own = self.device.as_ref().map(Device::command_filters).unwrap_or_default();
        let known: Vec<&str> = own.iter().map(String::as_str).chain(HUB_FILTERS).collect();
        self.unless(!known.contains(&filter), || Problem::UnknownFilter(known.join(", ")))
    }

    fn check_properties(&self, properties: Properties<'_>) -> Result<(), Violation> {
        let mut of_user = 0;
        for property in properties.iter() {
            let length = match property.value {
                PropertyValue::Text(text) => text.len(),
                PropertyValue::Binary(bytes) => bytes.len(),
                PropertyValue::Pair(name, value) => {
                    of_user += name.len() + value.len();
                    continue;
                }
                PropertyValue::Number(_) => continue,
            };
            let (id, maximum) = (property.id, EVENT_GRID_PROPERTY);
            let is_too_long = EVENT_GRID_PROPERTIES.contains(&id) && length > maximum;
            self.unless(is_too_long, || Problem::Property { id, length, maximum })?;
        }
        let (length, maximum) = (of_user, EVENT_GRID_USER_PROPERTIES);
        self.unless(length > maximum, || Problem::UserProperties { length, maximum })?;
        let (seconds, maximum) =
            (properties.number(PropertyId::WillDelayInterval).unwrap_or(0), EVENT_GRID_WILL_DELAY);
        self.unless(seconds > maximum, || Problem::WillDelay { seconds, maximum })
    }

    fn check_no_user_property(
        &self,
        packet: &'static str,
        properties: Properties<'_>,
    ) -> Result<(), Violation> {
        let has_one = properties.find(PropertyId::UserProperty).is_some();
        let is_refused = has_one && self.service == Service::AzureEventGrid;
        self.unless(is_refused, || Problem::UserProperty(packet))
    }

    fn unless(&self, is_wrong: bool, problem: impl FnOnce() -> Problem) -> Result<(), Violation> {
        if is_wrong { Err(self.violation(problem())) } else { Ok(()) }
    }

    fn violation(&self, problem: Problem) -> Violation {
        Violation { service: self.service, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(service: Service, version: Version) -> Rules {
        let device = (service == Service::AzureIotHub).then(|| Device::parse("d").unwrap());
        Rules::new(service, version, device)
    }

    fn aws() -> Rules {
        rules(Service::AwsIotCore, Version::V5)
    }

    fn publish(topic: &str, qos: Qos, retain: bool, payload: &[u8], rules: &Rules) -> String {
        let properties = Properties::EMPTY;
        let publish = Publish { dup: false, qos, retain, topic, packet_id: None, properties, payload };
        problem_text(rules.check_publish(&publish))
    }

    fn topic(topic: &str, rules: &Rules) -> String {
        publish(topic, Qos::AtMostOnce, false, b"", rules)
    }

    fn filter(filter: &str, rules: &Rules) -> String {
        problem_text(rules.check_filter(filter, Qos::AtMostOnce))
    }

    fn problem_text(result: Result<(), Violation>) -> String {
        result.err().map(|violation| violation.to_string()).unwrap_or_default()
    }

    fn connect_content() -> ConnectContent<'static> {
        ConnectContent {
            client_id: "c",
            keep_alive: 60,
            connect: Properties::EMPTY,
            disconnect: Properties::EMPTY,
            has_method: false,
        }
    }

    #[test]
    fn aws_counts_slashes_and_bytes_but_not_those_of_rules_and_shares() {
        assert_eq!(topic("a/b/c/d/e/f/g/h", &aws()), "");
        assert_eq!(topic("$aws/rules/r/a/b/c/d/e/f/g/h", &aws()), "");
        assert_eq!(filter("$share/g/a/b/c/d/e/f/g/+", &aws()), "");
        let slashes = "AWS IoT Core accepts at most 7 slashes in a topic, not 8";
        assert_eq!(topic("a/b/c/d/e/f/g/h/", &aws()), slashes);
        assert_eq!(topic("$aws/rules/r/a/b/c/d/e/f/g/h/i", &aws()), slashes);
        assert_eq!(filter("a/b/c/d/e/f/g/h/#", &aws()), slashes);
        assert_eq!(topic(&"a".repeat(256), &aws()), "");
        assert_eq!(
            topic(&"a".repeat(257), &aws()),
            "AWS IoT Core accepts topics of at most 256 bytes, not 257"
        );
    }

    #[test]
    fn aws_has_no_qos_2_and_no_large_payloads() {
        let aws = aws();
        let payload = vec![0; 131_073];
        assert_eq!(publish("a", Qos::AtLeastOnce, true, &payload[1..], &aws), "");
        assert_eq!(
            publish("a", Qos::AtMostOnce, false, &payload, &aws),
            "AWS IoT Core accepts payloads of at most 131072 bytes, not 131073"
        );
        assert_eq!(publish("a", Qos::ExactlyOnce, false, b"", &aws), "AWS IoT Core does not support QoS 2");
        assert_eq!(
            problem_text(aws.check_filter("a", Qos::ExactlyOnce)),
            "AWS IoT Core does not support QoS 2"
        );
        assert_eq!(
            publish("$aws/things/t/shadow/update", Qos::AtMostOnce, true, b"", &aws),
            "AWS IoT Core does not retain messages below $aws/"
        );
        assert!(topic("$SYS/a", &aws).contains("begin with $"));
    }

    #[test]
    fn introductions_are_measured() {
        let check = |service, version, client: ConnectContent<'_>| {
            problem_text(rules(service, version).check_connect(&client))
        };
        let (aws, hub, grid) = (Service::AwsIotCore, Service::AzureIotHub, Service::AzureEventGrid);
        assert_eq!(check(aws, Version::V311, connect_content()), "");
        assert_eq!(check(aws, Version::V31, connect_content()), "AWS IoT Core does not support MQTT 3.1");
        assert_eq!(check(hub, Version::V5, connect_content()), "Azure IoT Hub does not support MQTT 5.0");
        let long = "c".repeat(129);
        let named = ConnectContent { client_id: &long, ..connect_content() };
        assert!(check(aws, Version::V5, named).ends_with("at most 128 bytes, not 129"));
        for (service, longest) in [(aws, 1200), (hub, 1177), (grid, 1160)] {
            let quiet = |keep_alive| ConnectContent { keep_alive, ..connect_content() };
            assert_eq!(check(service, Version::V311, quiet(longest)), "");
            assert!(check(service, Version::V311, quiet(longest + 1)).contains("keep alive"), "{service}");
        }
        let method = ConnectContent { has_method: true, ..connect_content() };
        assert!(check(aws, Version::V5, method).contains("enhanced authentication"));
        assert_eq!(check(grid, Version::V5, method), "");
        let nameless = ConnectContent { client_id: "", ..connect_content() };
        assert!(check(grid, Version::V311, nameless).contains("client identifier"));
        assert_eq!(check(grid, Version::V5, nameless), "");
    }

    #[test]
    fn a_hub_knows_its_own_topics_alone() {
        let hub = rules(Service::AzureIotHub, Version::V311);
        for known in [
            "devices/d/messages/events/",
            "devices/d/messages/events/$.ct=application%2Fjson",
            "$iothub/twin/GET/?$rid=1",
            "$iothub/twin/PATCH/properties/reported/?$rid=1",
            "$iothub/methods/res/200/?$rid=1",
        ] {
            assert_eq!(topic(known, &hub), "");
        }
        for unknown in ["a", "devices/e/messages/events/", "devices/d/messages/events", "$iothub/twin/GET/"] {
            assert!(
                topic(unknown, &hub).contains("begin with devices/d/messages/events/, $iothub/"),
                "{unknown}"
            );
        }
        assert_eq!(filter("devices/d/messages/devicebound/#", &hub), "");
        assert_eq!(filter("$iothub/methods/POST/#", &hub), "");
        for unknown in ["#", "devices/d/#", "$share/g/$iothub/twin/res/#"] {
            assert!(filter(unknown, &hub).contains("devicebound/#, $iothub/"), "{unknown}");
        }
        assert!(problem_text(hub.check_subscribe(6, Properties::EMPTY)).contains("5 subscriptions"));
    }

    #[test]
    fn event_grid_keeps_to_its_documented_limits() {
        let grid = rules(Service::AzureEventGrid, Version::V5);
        assert_eq!(topic("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15", &grid), "");
        assert!(topic("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", &grid).contains("14 slashes"));
        assert_eq!(publish("a", Qos::AtLeastOnce, true, b"", &grid), "");
        let old = rules(Service::AzureEventGrid, Version::V311);
        let payload = vec![0; 65_537];
        for version in [&grid, &old] {
            assert_eq!(publish("a", Qos::AtLeastOnce, true, b"", version), "");
            assert_eq!(publish("a", Qos::AtLeastOnce, true, &payload[1..], version), "");
            assert_eq!(publish("a", Qos::AtLeastOnce, false, &payload, version), "");
            assert_eq!(
                publish("a", Qos::AtLeastOnce, true, &payload, version),
                "Azure Event Grid retains payloads of at most 65536 bytes, not 65537"
            );
        }
        assert!(filter("$share/g/a", &grid).contains("shared"));
        assert_eq!(problem_text(grid.check_authentication_data(8192)), "");
        assert!(problem_text(grid.check_authentication_data(8193)).contains("8192"));
    }

    #[test]
    fn event_grid_measures_properties() {
        use crate::protocol::PropertiesBuf;
        let grid = rules(Service::AzureEventGrid, Version::V5);
        let check = |id, value: PropertyValue<'_>| {
            let mut properties = PropertiesBuf::new();
            properties.push(id, value).unwrap();
            let properties = properties.as_properties();
            let message = Publish {
                dup: false,
                qos: Qos::AtMostOnce,
                retain: false,
                topic: "a",
                packet_id: None,
                properties,
                payload: b"",
            };
            let subscribe = problem_text(grid.check_subscribe(1, properties));
            (problem_text(grid.check_publish(&message)), subscribe)
        };
        let long = "a".repeat(257);
        assert_eq!(check(PropertyId::ContentType, PropertyValue::Text(&long[1..])).0, "");
        assert!(
            check(PropertyId::ContentType, PropertyValue::Text(&long))
                .0
                .contains("256 bytes of content-type")
        );
        let pair = PropertyValue::Pair("name", "value");
        assert_eq!(
            check(PropertyId::UserProperty, pair),
            (String::new(), "Azure Event Grid rejects user properties in SUBSCRIBE".to_owned())
        );
        let much = "a".repeat(32 * 1024);
        assert!(check(PropertyId::UserProperty, PropertyValue::Pair("b", &much)).0.contains("32768"));
        assert!(check(PropertyId::WillDelayInterval, PropertyValue::Number(301)).0.contains("300 s"));
        assert!(
            check(PropertyId::SubscriptionIdentifier, PropertyValue::Number(1)).1.contains("identifiers")
        );
    }
}
