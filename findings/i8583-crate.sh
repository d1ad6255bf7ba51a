#!/usr/bin/env bash
# The crate i8583 0.1.0, which writes and reads messages of payment terminals (ISO 8583), says that all fields behind a removed one are missing, but sends them,
# and reads field 63 with a length of four digits.
#
# Expected (ISO 8583:1987, clause 4, bit maps) Each bit of the bitmap tells whether its field is in the message, and only those fields follow. (Directory of data elements)
#           The fields 60 to 63 are reserved for private use, ans...999, with a length of three digits (LLLVAR). (i8583, documentation) unset_field removes one
#           field, and toggle_bit_64 sets or removes bit 64.
# Seen:     unset_field(11) also clears the bits of 37, 41 and 63, and leaves their data in the message, so that a reader finds octets without a
#           field behind field 7, or takes them for the next message. toggle_bit_64(false) clears the bits behind 64 in the same way. Field 63 of the specification
#           v1987 is written as 0003abc, and 003abc is an error.
# So:       after a field is taken out, the message is another one: set the fields of each message anew, and put a specification of your own with LLL for
#           field 63 in place of v1987.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "terminal"
version = "1.0.0"
edition = "2021"
[dependencies]
i8583 = "=0.1.0"
TOML
cat >src/main.rs <<'RUST'
use i8583::{v1987::SPEC, Packer, Unpacker};

fn show(name: &str, packer: &Packer) -> Vec<u8> {
    let message = packer.pack(Vec::new()).unwrap();
    println!("{name}: {}", message.escape_ascii());
    read(&message);
    message
}

fn read(message: &[u8]) {
    match Unpacker::new(message).unpack(&SPEC) {
        Ok(fields) => {
            for (number, field) in fields.iter().enumerate().filter(|(number, field)| *number > 1 && field.is_some()) {
                println!("  {number}: {}", field.unwrap().escape_ascii());
            }
        }
        Err(error) => println!("  {error}"),
    }
}

fn main() {
    let fields = [(0, "0200"), (3, "000000"), (7, "1130174500"), (11, "000042"), (37, "RRN000000042"), (41, "TERM0001")];
    let mut packer = Packer::new(&SPEC);
    for (number, value) in fields {
        packer.set_field(number, value.as_bytes().into()).unwrap();
    }
    show("all", &packer);
    packer.unset_field(11);
    show("without 11", &packer);

    let mut packer = Packer::new(&SPEC);
    for (number, value) in [(0, "0400"), (3, "000000"), (70, "301"), (102, "12345")] {
        packer.set_field(number, value.as_bytes().into()).unwrap();
    }
    show("with 70 and 102", &packer);
    packer.toggle_bit_64(false);
    show("without bit 64", &packer);

    let mut packer = Packer::new(&SPEC);
    for (number, value) in [(0, "0800"), (62, "abc"), (63, "abc")] {
        packer.set_field(number, value.as_bytes().into()).unwrap();
    }
    show("62 and 63", &packer);
    println!("62 and 63 as in the standard: 08000000000000000006003abc003abc");
    read(b"08000000000000000006003abc003abc");
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
all: 020022200000088000000000001130174500000042RRN000000042TERM0001
  3: 000000
  7: 1130174500
  11: 000042
  37: RRN000000042
  41: TERM0001
without 11: 020022000000000000000000001130174500RRN000000042TERM0001
  3: 000000
  7: 1130174500
with 70 and 102: 0400A00000000000000004000000040000000000003010512345
  3: 000000
  70: 301
  102: 12345
without bit 64: 04002000000000000000000000
  3: 000000
62 and 63: 08000000000000000006003abc0003abc
  62: abc
  63: abc
62 and 63 as in the standard: 08000000000000000006003abc003abc
  invalid digit found in string : Could not convert field(63) len
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "i8583 0.1.0: as described"
