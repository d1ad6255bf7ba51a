#!/usr/bin/env bash
# The crate srad-types 0.3.1, on which the Sparkplug framework srad 0.5.0 is built, announces good values as bad, loses booleans, and rejects template definitions.
#
# Expected (Sparkplug 3.0.0): the quality codes are 0 for bad, 192 for good and 500 for stale (6.4.9.1). A BooleanArray is a count of four octets and one bit for each
#           value (6.4, array types). A template definition has is_definition true [tck-id-payloads-template-definition-is-definition]. DBIRTH and DDEATH are
#           published with QoS 0 [tck-id-topics-dbirth-mqtt, tck-id-topics-ddeath-mqtt].
# Seen:     Quality::Good is 0 and Quality::Bad is 192. Each PropertySet has a quality, and that of PropertySet::new() is 0, so each metric with a property, such as
#           its unit, is bad. Of 8 booleans that the crate wrote itself it reads none, of 16 eight, of 7 and 9 all. A TemplateDefinition that it wrote is rejected because
#           is_definition is true. The QoS for DBIRTH and DDEATH is 1.
# So:       a dashboard greys out the good values and shows the bad ones, and an array of eight switches has no switch.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src

cat >Cargo.toml <<'TOML'
[package]
name = "sparkplug"
version = "0.1.0"
edition = "2021"

[profile.dev]
debug = 0

[dependencies]
srad-types = "=0.3.1"
TOML
cat >src/main.rs <<'RUST'
use srad_types::payload::{self, property_value::Value, DataType};
use srad_types::topic::{DeviceMessage, DeviceTopic, NodeMessage, NodeTopic};
use srad_types::{MetricValue, MetricValueKind, PropertySet, Quality, TemplateDefinition};

fn quality(properties: PropertySet) -> String {
    let properties: payload::PropertySet = properties.into();
    let value = properties.values[0].value.clone();
    match value {
        Some(Value::IntValue(value)) => format!("{} {value}", properties.keys[0]),
        other => format!("{other:?}"),
    }
}

fn main() {
    println!("good: {}", quality(PropertySet::new_with_quality(Quality::Good)));
    println!("bad: {}", quality(PropertySet::new_with_quality(Quality::Bad)));
    println!("stale: {}", quality(PropertySet::new_with_quality(Quality::Stale)));
    println!("by default: {}", quality(PropertySet::new()));

    for count in [7, 8, 9, 16] {
        let values: Vec<bool> = (0..count).map(|index| index % 3 == 0).collect();
        let written = MetricValue::from(values.clone());
        let payload::metric::Value::BytesValue(octets) = &written.0 else { panic!() };
        let hex: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let read = match MetricValueKind::try_from_metric_value(DataType::BooleanArray, written) {
            Ok(MetricValueKind::BooleanArray(read)) => read,
            other => panic!("{other:?}"),
        };
        println!("{count} booleans: {}, {} read, the same: {}", hex.join(" "), read.len(), read == values);
    }

    let definition = TemplateDefinition { version: Some("1".into()), metrics: vec![], parameters: vec![] };
    let written = MetricValue::from(definition);
    let payload::metric::Value::TemplateValue(template) = &written.0 else { panic!() };
    println!("template with is_definition {:?}:", template.is_definition);
    match TemplateDefinition::try_from(written) {
        Ok(_) => println!("  read"),
        Err(error) => println!("  {error}"),
    }

    for kind in [NodeMessage::NBirth, NodeMessage::NData, NodeMessage::NDeath] {
        println!("{kind:?}: {:?}", NodeTopic::new("group", kind.clone(), "node").get_publish_quality_retain());
    }
    for kind in [DeviceMessage::DBirth, DeviceMessage::DData, DeviceMessage::DDeath] {
        println!("{kind:?}: {:?}", DeviceTopic::new("group", kind.clone(), "node", "device").get_publish_quality_retain());
    }
}
RUST
cargo run --quiet 2>cargo.log | tee seen || { cat cargo.log; exit 1; }

cat >expected <<'TEXT'
good: Quality 0
bad: Quality 192
stale: Quality 500
by default: Quality 0
7 booleans: 07 00 00 00 92, 7 read, the same: true
8 booleans: 08 00 00 00 92, 0 read, the same: false
9 booleans: 09 00 00 00 92 00, 9 read, the same: true
16 booleans: 10 00 00 00 92 49, 8 read, the same: false
template with is_definition Some(true):
  Value contained an invalid value: Template payload violates tck-id-payloads-template-definition-is_definition
NBirth: (AtMostOnce, false)
NData: (AtMostOnce, false)
NDeath: (AtLeastOnce, false)
DBirth: (AtLeastOnce, false)
DData: (AtMostOnce, false)
DDeath: (AtLeastOnce, false)
TEXT
diff expected seen || { echo "srad-types behaves differently now"; exit 1; }
echo "as described"
