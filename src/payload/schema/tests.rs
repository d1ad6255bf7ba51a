//! Compares with payloads that Google's library made (tests/schemas/encode.py), and reads hostile schemas and payloads.

use super::decode::DecodeError;
use super::{MessageType, MessageTypes, SchemaError, TypeRule, load};
use crate::json::Writer;
use crate::message::decode_hex;
use crate::protocol::TopicFilter;
use proptest::prelude::*;
use serde_json::Value;
use std::path::{Path, PathBuf};

const PAYLOADS: &str = include_str!("../../../tests/schemas/payloads.txt");

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas").join(name)
}

fn types(paths: &[PathBuf], name: &str) -> MessageTypes {
    let mut types = MessageTypes::new(load(paths).unwrap());
    types.add(&[TypeRule { filter: None, type_name: name.to_owned() }]).unwrap();
    types
}

fn decoded(message_type: MessageType<'_>, bytes: &[u8]) -> Result<String, DecodeError> {
    let mut out = Vec::new();
    message_type.write(bytes, &mut Writer::new(&mut out, false))?;
    Ok(String::from_utf8(out).unwrap())
}

/// The value with all numbers as floats, since libraries write them differently.
fn normal(value: Value) -> Value {
    match value {
        Value::Number(number) => format!("{:e}", number.to_string().parse::<f64>().unwrap()).into(),
        Value::Array(list) => list.into_iter().map(normal).collect(),
        Value::Object(object) => object.into_iter().map(|(key, value)| (key, normal(value))).collect(),
        other => other,
    }
}

fn parsed(text: &str) -> Value {
    normal(serde_json::from_str(text).unwrap())
}

/// The cases: schema, type, bytes and JSON.
fn cases() -> impl Iterator<Item = (&'static str, &'static str, Vec<u8>, &'static str)> {
    PAYLOADS.lines().map(|line| {
        let parts: Vec<&str> = line.split('\t').collect();
        (parts[0], parts[1], decode_hex(parts[2]).unwrap(), parts[3])
    })
}

#[test]
fn payloads_of_another_library_are_decoded_and_encoded_as_there() {
    for (schema, name, bytes, json) in cases() {
        let types = types(&[path(schema)], name);
        let of_all = types.of_topic("t").unwrap();
        let text = decoded(of_all, &bytes).unwrap();
        assert_eq!(parsed(&text), parsed(json), "{name} {json}");
        let encoded = of_all.encode(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(crate::payload::hex(&encoded), crate::payload::hex(&bytes), "{name} {text}");
        // The library does not order the entries of maps in JSON.
        let encoded = of_all.encode(json.as_bytes()).unwrap_or_else(|error| panic!("{error}: {json}"));
        assert_eq!(parsed(&decoded(of_all, &encoded).unwrap()), parsed(json), "{name}");
    }
}

#[test]
fn a_descriptor_set_is_the_same_schema_as_its_sources() {
    for (schema, name, bytes, _) in cases() {
        let set = path(&schema.replace(".proto", ".desc"));
        if !set.exists() {
            continue;
        }
        let (of_set, of_source) = (types(&[set], name), types(&[path(schema)], name));
        let (of_set, of_source) = (of_set.of_topic("t").unwrap(), of_source.of_topic("t").unwrap());
        let text = decoded(of_source, &bytes).unwrap();
        assert_eq!(decoded(of_set, &bytes).unwrap(), text);
        assert_eq!(of_set.encode(text.as_bytes()).unwrap(), bytes, "{name}");
    }
}

/// A schema in a directory of its own, with the type `T`.
fn of_text(text: &str) -> Result<MessageTypes, String> {
    of_files(&[("a.proto", text)])
}

fn of_files(files: &[(&str, &str)]) -> Result<MessageTypes, String> {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let schema = load(&[directory.path().join(files[0].0)]).map_err(|error| match error {
        SchemaError::Invalid { path, problem } => {
            format!("{}: {problem}", path.file_name().unwrap_or_default().to_string_lossy())
        }
        SchemaError::Unreadable { source, .. } => source.to_string(),
    })?;
    let mut types = MessageTypes::new(schema);
    types.add(&[TypeRule { filter: None, type_name: "T".to_owned() }])?;
    Ok(types)
}

#[test]
fn invalid_sources_are_reported_with_their_place() {
    for (text, problem) in [
        ("message T { int32 a = ; }", "line 1, column 23: expected a number but found ';'"),
        (
            "message T {\n  int32 a = 0;\n}",
            "line 2, column 13: invalid field number 0: expected 1 to 536870911",
        ),
        ("message T { int32 a = 536870912; }", "invalid field number 536870912"),
        ("message T { intt32 a = 1; }", "line 1, column 13: unknown type 'intt32' of the field a in T"),
        ("message T {", "line 1, column 12: expected a field or '}' but found the end of the file"),
        ("syntax = \"proto4\";", "unknown syntax \"proto4\": expected proto2 or proto3"),
        ("/* message T {}", "line 1, column 1: the comment has no end"),
        ("message T { string a = 1 [json_name = \"x }", "the string has no end"),
        ("message T {} message T {}", "'T' is declared twice"),
        ("message T { map<int32, T> m = 1; } message T { map<int32, T> m = 1; }", "'T' is declared twice"),
        (
            "message T {\n  int32 a = 1;\n  map<int32, T> a = 2;\n}",
            "line 3, column 6: the field 'a' is declared twice in T",
        ),
        (
            "message T {\n  int32 a = 1;\n  oneof o { int32 b = 1; }\n}",
            "line 3, column 13: the fields 'a' and 'b' of T have the same number 1",
        ),
        ("edition = \"2099\";", "line 1, column 11: unknown edition \"2099\": expected 2023 or 2024"),
        ("message T { int32 a = 1 [json_name = \"\\q\"]; }", "the string has an invalid escape"),
        ("message T { int32 a = 1 [json_name = \"\\ud800\"]; }", "the string has an invalid escape"),
        ("import \"nope.proto\";", "line 1, column 8: cannot find the import \"nope.proto\""),
        ("import \"../a.proto\";", "cannot find the import \"../a.proto\""),
        ("massage T {}", "expected a declaration such as message, enum or import but found 'massage'"),
        ("message T { § }", "unexpected character '§'"),
        ("message T { int32 a = 1 [x = ---1]; }", "expected a value but found '-'"),
        ("// é\n/*\n*/ message T { x y = z; }", "line 3, column 22: expected a number but found 'z'"),
        ("message T { map<int32> a = 1; }", "expected ',' but found '>'"),
        ("enum E { A = 4294967296; }", "the number of an enum value must fit in 32 bits"),
        ("extend Nope { int32 a = 1; }", "unknown message 'Nope' that a extends"),
        ("", "unknown message type 'T': the schema has no messages"),
        ("package p; message T {}", "unknown message type 'T': the schema has p.T; did you mean 'p.T'?"),
    ] {
        let error = of_text(text).unwrap_err();
        assert!(error.contains(problem), "{error}\n{problem}");
    }
    let nested = "message M {".repeat(40);
    assert!(of_text(&nested).unwrap_err().contains("messages are nested over 32 deep"));
}

#[test]
fn a_long_line_of_fields_is_read() {
    let fields: String = (1..50_000).map(|number| format!("optional int32 f{number} = {number};")).collect();
    let types = of_text(&format!("message T {{ {fields} }}")).unwrap();
    assert_eq!(decoded(types.of_topic("t").unwrap(), &[8, 1]).as_deref(), Ok(r#"{"f1":1}"#));
}

#[test]
fn strings_in_sources_have_escapes() {
    for (written, key) in [
        (r#"cu\"s-tom@x"#, r#"cu\"s-tom@x"#),
        (r"\x41\102\u00e9\U0001F600", "AB\u{e9}\u{1f600}"),
        (r"\303\251\\\?\'", "\u{e9}\\\\?'"),
    ] {
        let types = of_text(&format!("message T {{ optional int32 a = 1 [json_name = \"{written}\"]; }}"));
        let types = types.unwrap();
        let shown = decoded(types.of_topic("t").unwrap(), &[8, 1]);
        assert_eq!(shown.unwrap(), format!("{{\"{key}\":1}}"), "{written}");
    }
}

#[test]
fn field_numbers_end_where_tags_do() {
    let types = of_text("message T { optional int32 a = 1; }").unwrap();
    let message_type = types.of_topic("t").unwrap();
    // 536,870,911 and the number after it
    assert!(decoded(message_type, &[0xf8, 0xff, 0xff, 0xff, 0x0f, 1]).is_ok());
    assert!(decoded(message_type, &[0x80, 0x80, 0x80, 0x80, 0x10, 1]).is_err());
}

#[test]
fn files_that_import_each_other_are_rejected() {
    let files = [
        ("a.proto", "import \"b.proto\"; message T {}"),
        ("b.proto", "import \"c.proto\";"),
        ("c.proto", "import \"a.proto\";"),
    ];
    let error = of_files(&files).unwrap_err();
    let circle = "the files import each other in a circle: a.proto, b.proto, c.proto, a.proto";
    assert!(error.contains(circle), "{error}");
    assert!(of_files(&[("a.proto", "import \"a.proto\"; message T {}")]).unwrap_err().contains("circle"));
    // Two ways to one file do not make a circle.
    let files = [
        ("a.proto", "import \"b.proto\"; import \"c.proto\"; message T { D d = 1; }"),
        ("b.proto", "import \"d.proto\";"),
        ("c.proto", "import public \"d.proto\";"),
        ("d.proto", "message D {}"),
    ];
    assert!(of_files(&files).is_ok());
}

#[test]
fn imports_are_found_beside_the_file_and_above_it() {
    let files = [
        (
            "top/in/a.proto",
            "import \"top/in/b.proto\"; import \"other/c.proto\"; message T { B b = 1; C c = 2; }",
        ),
        ("top/in/b.proto", "message B {}"),
        ("other/c.proto", "message C {}"),
    ];
    assert!(of_files(&files).is_ok());
}

#[test]
fn syntax_of_real_schemas_is_read() {
    let text = r#"
        syntax = "proto2"; package p.q;
        import weak "google/protobuf/descriptor.proto";
        option (custom).path = { a: 1, b { c: "}" } };
        extend google.protobuf.FieldOptions { optional int32 max_size = 50001; }
        message T {
          option deprecated = true;
          reserved 2, 9 to max; reserved "x", "y";
          optional .p.q.T.message message = 1 [(max_size) = 5, deprecated = true, json_name = 'it' "s"];
          message message { repeated T.E enum = 1; map < string , .p.q.T > map = 2 [ (max_size) = -1 ]; }
          enum E { option allow_alias = true; A = 0 [(x) = "a" "b"]; B = 0x10; C = -010; reserved 5; }
          optional float f = 3 [default = -1.5e+3]; optional double d = 4 [default = inf];
          oneof choice { option (x) = 1; string s = 5; group G = 6 { optional int32 a = 1; } }
          optional bytes optional = 7; optional q.T t = 8;
        };
        service S { rpc M (stream T) returns (T); rpc N (T) returns (T) { option (http) = { get: "/" }; } }
    "#;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.proto");
    std::fs::write(&file, text).unwrap();
    let types = types(&[file], "p.q.T");
    let of_all = types.of_topic("t").unwrap();
    let json = r#"{"its":{"enum":["B","C"],"map":{"k":{"f":1.0}}},"f":0.0,"g":{"a":5},"optional":"","t":{"d":"NaN"}}"#;
    let encoded = of_all.encode(json.as_bytes()).unwrap();
    assert_eq!(decoded(of_all, &encoded).unwrap(), json);
}

const KINDS: &str = r#"
    syntax = "proto3";
    message T {
      int32 i = 1; uint32 u = 2; sint32 s = 3; int64 l = 4; bool b = 5; string t = 6; bytes y = 7; float f = 8; double d = 9;
      repeated int32 r = 10; map<string, int32> m = 11; T n = 12; E e = 13; oneof o { int32 x = 14; T z = 15; }
      map<bool, T> k = 16; fixed32 h = 17; string label = 18;
    }
    enum E { ZERO = 0; ONE = 1; }"#;

fn kinds() -> MessageTypes {
    of_text(KINDS).unwrap()
}

#[test]
fn every_form_of_valid_bytes_is_read() {
    let types = kinds();
    for (hex, json) in [
        ("", "{}"),
        // Packed and unpacked, apart from each other.
        ("5001 52020203 0807 5004", r#"{"i":7,"r":[1,2,3,4]}"#),
        // The last scalar counts, and messages merge.
        ("0801 0802", r#"{"i":2}"#),
        ("62020801 62021005", r#"{"n":{"i":1,"u":5}}"#),
        ("62056203 08ff01 62046202 1003", r#"{"n":{"n":{"i":255,"u":3}}}"#),
        // The last field of a oneof counts; the value before another field is dropped.
        ("7005 7a020801", r#"{"z":{"i":1}}"#),
        ("7a020801 7005", r#"{"x":5}"#),
        ("7a020801 7005 7a021001", r#"{"z":{"u":1}}"#),
        // Map entries: parts may be absent, in any order, and repeated.
        ("5a00", r#"{"m":{"":0}}"#),
        ("5a0510050a0161 5a050a01611007", r#"{"m":{"a":7}}"#),
        ("82010408011200 820100", r#"{"k":{"true":{},"false":{}}}"#),
        // Numbers longer than their type are cut, unknown enum values stay.
        ("08ffffffffffffffffff01 1080808080f0ffffffff01 6805", r#"{"i":-1,"u":0,"e":5}"#),
        ("2801 28808001", r#"{"b":true}"#),
        // Unknown fields are kept, also inside.
        (
            "a2060161 6203a80601 f8ffffff0f01",
            r#"{"n":{"@unknown":[{"field":101,"type":"VARINT","value":1}]},"@unknown":[{"field":100,"type":"LEN","value":"a"},{"field":536870911,"type":"VARINT","value":1}]}"#,
        ),
        (
            "a3060801a406",
            r#"{"@unknown":[{"field":100,"type":"GROUP","value":[{"field":1,"type":"VARINT","value":1}]}]}"#,
        ),
        // A group where a message is declared.
        ("63080164", r#"{"n":{"i":1}}"#),
    ] {
        let bytes = decode_hex(&hex.replace(' ', "")).unwrap();
        let found = decoded(types.of_topic("t").unwrap(), &bytes);
        assert_eq!(found.as_deref(), Ok(json), "{hex}");
    }
}

#[test]
fn bytes_that_do_not_match_are_reported_with_field_and_position() {
    let types = kinds();
    for (hex, problem) in [
        ("0d00000000", "field i: expected wire type VARINT but found I32 at byte 0"),
        ("0a0161", "field i: expected wire type VARINT but found LEN at byte 2"),
        ("62040a020801", "field n.i: expected wire type VARINT but found LEN at byte 4"),
        ("62050801", "it ends too early at byte 4"),
        ("62020880", "field n: it ends too early at byte 4"),
        ("3201ff", "field t: not UTF-8 at byte 2"),
        ("5201ff", "field r: it ends too early at byte 3"),
        ("5a030a01ff", "field m: not UTF-8 at byte 4"),
        ("08ffffffffffffffffffff01", "unterminated varint at byte 1"),
        ("00", "not protocol buffers at byte 0"),
        ("0f", "not protocol buffers at byte 0"),
        ("0801a306a506", "not protocol buffers at byte 2"),
        ("0801a306", "not protocol buffers at byte 2"),
    ] {
        let bytes = decode_hex(hex).unwrap();
        let found = decoded(types.of_topic("t").unwrap(), &bytes);
        assert_eq!(found, Err(DecodeError::Mismatch(problem.to_owned())), "{hex}");
    }
}

#[test]
fn nesting_and_values_are_limited() {
    let types = kinds();
    let of_all = types.of_topic("t").unwrap();
    let nested = |depth: usize| {
        let mut bytes: Vec<u8> = Vec::new();
        for _ in 0..depth {
            let mut outer = vec![0x62];
            let mut length = bytes.len();
            while length >= 0x80 {
                outer.push(length as u8 | 0x80);
                length >>= 7;
            }
            outer.push(length as u8);
            outer.append(&mut bytes);
            bytes = outer;
        }
        bytes
    };
    assert!(decoded(of_all, &nested(100)).is_ok());
    let too_deep = decoded(of_all, &nested(101));
    assert!(
        matches!(&too_deep, Err(DecodeError::Mismatch(text)) if text.contains("messages nested over 100 deep"))
    );
    let groups = [[0xa3, 6].repeat(100_000), [0xa4, 6].repeat(100_000)].concat();
    assert!(
        matches!(decoded(of_all, &groups), Err(DecodeError::Mismatch(text)) if text.contains("groups nested too deeply"))
    );
    let many = [8, 1].repeat(1_000_001);
    assert!(matches!(decoded(of_all, &many), Err(DecodeError::TooLarge(_))));
    let mut packed = vec![0x52, 0x81, 0x89, 0x7a];
    packed.resize(4 + 2_000_001, 1);
    assert!(matches!(decoded(of_all, &packed), Err(DecodeError::TooLarge(_))));
}

#[test]
fn mistakes_in_json_are_reported_with_their_path() {
    let types = kinds();
    for (json, problem) in [
        ("{", "not JSON: EOF while parsing an object at line 1 column 1"),
        ("[]", "expected an object for T but found an array"),
        (r#"{"q":1}"#, r#"unknown field "q" of T"#),
        (
            r#"{"n":{"k":{"true":{"lable":1}}}}"#,
            r#"n.k.true: unknown field "lable" of T; did you mean 'label'?"#,
        ),
        (r#"{"i":"x"}"#, r#"i: expected an integer (int32) but found the string "x""#),
        (r#"{"i":1.5}"#, "i: expected an integer (int32) but found the number 1.5"),
        (r#"{"i":2147483648}"#, "i: 2147483648 is out of the range of int32"),
        (r#"{"u":-1}"#, "u: -1 is out of the range of uint32"),
        (r#"{"r":[1,{"i":1}]}"#, "r[1]: expected an integer (int32) but found an object"),
        (r#"{"r":[1,null]}"#, "r[1]: null cannot be in a list or map"),
        (r#"{"r":1}"#, "r: expected an array but found the number 1"),
        (r#"{"b":1}"#, "b: expected true or false but found the number 1"),
        (r#"{"b":"true"}"#, r#"b: expected true or false but found the string "true""#),
        (r#"{"t":5}"#, "t: expected a string but found the number 5"),
        (r#"{"y":"*"}"#, "y: it is not Base64"),
        (r#"{"e":"TWO"}"#, r#"e: unknown value "TWO" of E"#),
        (r#"{"e":"0NE"}"#, r#"e: unknown value "0NE" of E; did you mean 'ONE'?"#),
        (r#"{"f":1e39}"#, "f: 1e+39 is out of the range of float"),
        (r#"{"d":"inf"}"#, r#"d: expected a number (double) but found the string "inf""#),
        (r#"{"x":1,"z":{}}"#, r#""x" and "z" exclude each other (oneof o)"#),
        (r#"{"k":{"yes":{}}}"#, r#"k.yes: expected true or false but found the string "yes""#),
        (r#"{"@unknown":[]}"#, r#""@unknown" has fields without a name"#),
    ] {
        let error = types.of_topic("t").unwrap().encode(json.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}\n{problem}");
    }
    let required = of_text("message T { required int32 a = 1; optional T t = 2; }").unwrap();
    let error = required.of_topic("t").unwrap().encode(br#"{"a":1,"t":{"a":null}}"#).unwrap_err().to_string();
    assert_eq!(error, r#"t: missing the required field "a""#);
}

#[test]
fn other_forms_of_json_are_accepted() {
    let types = of_text(&format!("{KINDS} message U {{ T my_field = 1; }}")).unwrap();
    let of_all = types.of_topic("t").unwrap();
    for (json, other) in [
        (r#"{"i":5}"#, r#"{"i":"5"}"#),
        (r#"{"i":5}"#, r#"{"i":5.0}"#),
        (r#"{"i":500}"#, r#"{"i":5e2}"#),
        (r#"{"e":"ONE"}"#, r#"{"e":1}"#),
        (r#"{"y":"+/8="}"#, r#"{"y":"-_8"}"#),
        (r#"{"l":"9007199254740993"}"#, r#"{"l":9007199254740993}"#),
        ("{}", r#"{"i":null,"n":null,"r":null,"m":null,"u":0,"t":""}"#),
    ] {
        assert_eq!(of_all.encode(json.as_bytes()), of_all.encode(other.as_bytes()), "{other}");
    }
}

#[test]
fn the_most_exact_filter_counts() {
    let schema = of_files(&[("a.proto", "message T {} message A {} message B {} message C {} message D {}")]);
    let rule = |filter: &str, type_name: &str| TypeRule {
        filter: (!filter.is_empty()).then(|| TopicFilter::parse(filter).unwrap()),
        type_name: type_name.to_owned(),
    };
    let mut types = schema.unwrap();
    types.groups_mut().clear();
    types.add(&[rule("a/b", "A"), rule("a/+", "B"), rule("a/#", "C")]).unwrap();
    types.add(&[rule("", "D"), rule("a/b/c", "A")]).unwrap();
    for (topic, name) in [("a/b", "A"), ("a/c", "B"), ("a", "C"), ("a/b/c", "C"), ("b", "D"), ("a/c/d", "C")]
    {
        assert_eq!(types.of_topic(topic).map(MessageType::name), Some(name), "{topic}");
    }
}

proptest! {
    #[test]
    fn no_payload_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let types = kinds();
        let _ = decoded(types.of_topic("t").unwrap(), &bytes);
    }

    #[test]
    fn changed_payloads_do_not_make_it_panic(case in 0_usize..19, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (schema, name, mut bytes, _) = cases().nth(case).unwrap();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let types = types(&[path(schema)], name);
        let of_all = types.of_topic("t").unwrap();
        if let Ok(text) = decoded(of_all, &bytes) {
            serde_json::from_str::<Value>(&text).unwrap();
            // JSON without unknown fields can be encoded, and makes the same bytes again. Default values that were on the wire
            // are not encoded, so the first text may have more.
            if let Ok(encoded) = of_all.encode(text.as_bytes()) {
                let again = decoded(of_all, &encoded).unwrap();
                prop_assert_eq!(of_all.encode(again.as_bytes()), Ok(encoded));
            }
        }
    }

    #[test]
    fn no_source_makes_it_panic(words in proptest::collection::vec(
        prop::sample::select(vec!["message", "T", "{", "}", "int32", "=", "1", ";", "oneof", "map", "<", ">", ",", "[", "]", "\"a\"",
            "enum", "group", "extend", "option", "(", ")", ".", "optional", "repeated", "reserved", "to", "import", "package", "-", "/*"]),
        0..40,
    )) {
        let _ = super::source::read("a", &words.join(" "));
    }

    #[test]
    fn no_descriptor_set_makes_it_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut set = std::fs::read(path("network.desc")).unwrap();
        let at = at.index(set.len());
        set[at] = byte;
        if byte < 64 {
            set.truncate(cut.index(set.len()));
        }
        if let Ok(files) = super::descriptor_set::read(&set) {
            let _ = super::Schema::link(&files);
        }
    }
}
