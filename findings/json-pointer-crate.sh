#!/usr/bin/env bash
# The crate json-pointer 0.3.4 writes pointers as URI fragments that name another value, and reads fragments with other letters than ASCII as two letters
# for each.
#
# Expected (RFC 6901, 3) In a token, ~ is ~0 and / is ~1. (4) Array indices are 0 or digits without a leading 0. (6) The pointer, with these escapes, is encoded in
#           UTF-8, and octets that a fragment may not have are percent-encoded: for the name "a/b" it is #/a~1b, and for "m~n" it is #/m~0n.
# Seen:     uri_fragment() leaves the escapes out: "a/b" becomes #/a/b, the member b of a, and "m~n" becomes #/m%7en, which the crate itself rejects; "~1" becomes
#           #/%7e1, which is "/". to_string() is right. Of a fragment, each octet is taken as a letter: #/temp%C3%A9rature is not
#           found, also where the crate wrote it. The indices 01 and +1 are taken for 1.
# So:       a reference made from a topic such as "plant/line1" as a name points to another value, or none. Percent-encode to_string() instead, and decode
#           fragments before they are read.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "pointers"
version = "1.0.0"
edition = "2021"
[dependencies]
json-pointer = "=0.3.4"
serde_json = "1"
TOML
cat >src/main.rs <<'RUST'
use json_pointer::JsonPointer;

fn main() {
    let text = r#"{"a/b": 1, "a": {"b": 2}, "m~n": 8, "~1": 9, "/": 10, "température": 21, "c%d": 3, "list": [5, 6]}"#;
    let document: serde_json::Value = serde_json::from_str(text).unwrap();
    let find = |pointer: &str| match pointer.parse::<JsonPointer<_, _>>() {
        Ok(found) => found.get(&document).map_or_else(|error| format!("{error:?}"), |value| value.to_string()),
        Err(error) => format!("{error:?}"),
    };
    println!("{text}");
    for name in ["a/b", "m~n", "~1", "c%d", "température"] {
        let pointer = JsonPointer::new([name]);
        println!("{name}: {}", pointer.get(&document).unwrap());
        for written in [pointer.to_string(), pointer.uri_fragment()] {
            println!("  {written} is {}", find(&written));
        }
    }
    println!("read");
    for pointer in ["#/a~1b", "#/m~0n", "#/c%25d", "#/temp%C3%A9rature", "#/température", "/list/1", "/list/01", "/list/+1"] {
        println!("  {pointer} is {}", find(pointer));
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
{"a/b": 1, "a": {"b": 2}, "m~n": 8, "~1": 9, "/": 10, "température": 21, "c%d": 3, "list": [5, 6]}
a/b: 1
  /a~1b is 1
  #/a/b is 2
m~n: 8
  /m~0n is 8
  #/m%7en is InvalidEscape("~n")
~1: 9
  /~01 is 9
  #/%7e1 is 10
c%d: 3
  /c%d is 3
  #/c%25d is 3
température: 21
  /température is 21
  #/temp%c3%a9rature is NoSuchKey("tempÃ©rature")
read
  #/a~1b is 1
  #/m~0n is 8
  #/c%25d is 3
  #/temp%C3%A9rature is NoSuchKey("tempÃ©rature")
  #/température is 21
  /list/1 is 6
  /list/01 is 6
  /list/+1 is 6
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "json-pointer 0.3.4: as described"
