//! The types of Google's package that have a form of their own in JSON, and the files that declare them, so that they can be imported
//! without being there.

/// The most seconds of a duration: 10,000 years.
pub(super) const MAX_DURATION: i64 = 315_576_000_000;

/// A type with a JSON form of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WellKnown {
    Any,
    Timestamp,
    Duration,
    FieldMask,
    Struct,
    Value,
    ListValue,
    Wrapper,
}

impl WellKnown {
    pub(super) fn named(full_name: &str) -> Option<WellKnown> {
        Some(match full_name.strip_prefix("google.protobuf.")? {
            "Any" => WellKnown::Any,
            "Timestamp" => WellKnown::Timestamp,
            "Duration" => WellKnown::Duration,
            "FieldMask" => WellKnown::FieldMask,
            "Struct" => WellKnown::Struct,
            "Value" => WellKnown::Value,
            "ListValue" => WellKnown::ListValue,
            "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value" | "UInt32Value"
            | "BoolValue" | "StringValue" | "BytesValue" => WellKnown::Wrapper,
            _ => return None,
        })
    }
}

/// The enumeration whose only value is null in JSON.
pub(super) const NULL_VALUE: &str = "google.protobuf.NullValue";

const PREFIX: &str = "google/protobuf/";

/// The declarations of a file that comes with every compiler; `None` for other files.
pub(super) fn source(path: &str) -> Option<String> {
    let body = match path.strip_prefix(PREFIX)? {
        "any.proto" => "message Any { string type_url = 1; bytes value = 2; }",
        "timestamp.proto" => "message Timestamp { int64 seconds = 1; int32 nanos = 2; }",
        "duration.proto" => "message Duration { int64 seconds = 1; int32 nanos = 2; }",
        "empty.proto" => "message Empty {}",
        "field_mask.proto" => "message FieldMask { repeated string paths = 1; }",
        "struct.proto" => STRUCT,
        "wrappers.proto" => WRAPPERS,
        "descriptor.proto" => OPTIONS,
        _ => return None,
    };
    Some(format!("syntax = \"proto3\"; package google.protobuf; {body}"))
}

const STRUCT: &str = "
    message Struct { map<string, Value> fields = 1; }
    message Value { oneof kind {
        NullValue null_value = 1; double number_value = 2; string string_value = 3;
        bool bool_value = 4; Struct struct_value = 5; ListValue list_value = 6; } }
    enum NullValue { NULL_VALUE = 0; }
    message ListValue { repeated Value values = 1; }";

const WRAPPERS: &str = "
    message DoubleValue { double value = 1; } message FloatValue { float value = 1; }
    message Int64Value { int64 value = 1; } message UInt64Value { uint64 value = 1; }
    message Int32Value { int32 value = 1; } message UInt32Value { uint32 value = 1; }
    message BoolValue { bool value = 1; } message StringValue { string value = 1; }
    message BytesValue { bytes value = 1; }";

/// The messages that declarations of own options extend.
const OPTIONS: &str = "
    message FileOptions {} message MessageOptions {} message FieldOptions {} message OneofOptions {}
    message EnumOptions {} message EnumValueOptions {} message ServiceOptions {} message MethodOptions {}";
