#!/usr/bin/env bash
# prost-reflect 0.16.4 rejects JSON numbers with a fraction if any crate of the program turns on serde_json's feature arbitrary_precision.
#
# Expected (ProtoJSON): a double or float is a JSON number such as 1.5, or a string.
# Seen:     without the feature, all five texts are read. With it, {"d":1.5} and {"f":-0.25} are errors ("invalid type: map, expected a
#           64-bit floating point value"); {"d":3}, {"i":7} and {"d":"1.5"} are read.
# So:       Cargo unites the features of a program, so a dependency that keeps the digits of its own numbers breaks messages elsewhere, and
#           whole numbers in tests do not show it.
set -euo pipefail
DIR=$(mktemp -d)
trap 'rm -r "$DIR"' EXIT
mkdir "$DIR/src"

cat > "$DIR/Cargo.toml" <<'TOML'
[package]
name = "numbers"
version = "0.1.0"
edition = "2021"

[features]
digits = ["serde_json/arbitrary_precision"]

[dependencies]
prost-reflect = { version = "=0.16.4", features = ["serde"] }
serde_json = "=1.0.145"
TOML

cat > "$DIR/src/main.rs" <<'RUST'
use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};
use prost_reflect::{DescriptorPool, DynamicMessage};

fn field(name: &str, number: i32, kind: Type) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.into()),
        number: Some(number),
        label: Some(Label::Optional as i32),
        r#type: Some(kind as i32),
        ..Default::default()
    }
}

fn main() {
    let fields = vec![field("d", 1, Type::Double), field("f", 2, Type::Float), field("i", 3, Type::Int32)];
    let message = DescriptorProto { name: Some("M".into()), field: fields, ..Default::default() };
    let file = FileDescriptorProto {
        name: Some("m.proto".into()),
        syntax: Some("proto3".into()),
        message_type: vec![message],
        ..Default::default()
    };
    let pool = DescriptorPool::from_file_descriptor_set(FileDescriptorSet { file: vec![file] }).unwrap();
    let descriptor = pool.get_message_by_name("M").unwrap();
    for text in [r#"{"d":1.5}"#, r#"{"f":-0.25}"#, r#"{"d":3}"#, r#"{"i":7}"#, r#"{"d":"1.5"}"#] {
        let mut reader = serde_json::Deserializer::from_str(text);
        match DynamicMessage::deserialize(descriptor.clone(), &mut reader) {
            Ok(_) => println!("{text} read"),
            Err(error) => println!("{text} {error}"),
        }
    }
}
RUST

run() { (cd "$DIR" && cargo run --quiet "$@" 2> cargo.log) || { cat "$DIR/cargo.log"; exit 1; }; }

echo "without the feature"
run | tee "$DIR/plain"
echo "with serde_json's arbitrary_precision"
run --features digits | tee "$DIR/digits"
[ "$(grep -c ' read$' "$DIR/plain")" = 5 ]
[ "$(grep -c ' read$' "$DIR/digits")" = 3 ]
[ "$(grep -c 'invalid type: map, expected a .*-bit floating point value' "$DIR/digits")" = 2 ]
echo "prost-reflect 0.16.4: as described"
