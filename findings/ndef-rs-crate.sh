#!/usr/bin/env bash
# The crate ndef-rs 0.2.3, which writes and reads the messages of NFC tags, leaves out the language of Text records, so that other readers lose the first
# letters or see no text, and this one shows letters that are no text.
#
# Expected (NFC Forum, Text RTD 1.0, 3.2) The payload of a record of type T begins with a status octet (bit 7 for UTF-16, the lower six bits for the length of the
#           language code), the language code and the text: 02 65 6E 48 69 is Hi in English. (NDEF 1.0, 2.3.3) Records may come in chunks: all but the
#           last have the flag CF, all but the first have no type and the type name format 6 (unchanged), and together they are one record. (3.2.5, 3.2.8) With
#           the flag IL, an octet with the length of the id follows, which may be 0. (Type 2 Tag 1.1, 6.1) The last octet of the capability
#           container is 00 for a tag that may be written, and 0F for one that may not.
# Seen:     TextPayload has the text only. "Call Anna at the front desk" is written so that C (43) is the status octet: other readers see " Anna at the front desk" in
#           the language "all", no text for "Tag 12: Do not remove", and an error for Hello. Hi in English is read as "\u{2}enHi", and UTF-16 is an error. Chunks are
#           records of their own, and http://example.com/menu in two of them a URI record of http://example.com. A record with an id of length 0 is
#           written again with the flag and without the length. A tag built without access() is one that may not be written.
# So:       put the status octet and the language before the text with a payload type of your own, and take them off when reading; join chunks first; and call
#           access(0, 0) for tags that are to be written again.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "ndef-rs-crate"
version = "0.1.0"
edition = "2021"
[dependencies]
ndef-rs = "=0.2.3"
TOML
cat >src/main.rs <<'RUST'
use ndef_rs::payload::{RecordPayload, TextPayload, UriPayload};
use ndef_rs::tag::{NFT2Tag, TlvValue};
use ndef_rs::{NdefMessage, NdefRecord, TNF};

fn hex(b: &[u8]) -> String {
    b.iter().map(|x| format!("{x:02X}")).collect::<Vec<_>>().join(" ")
}

// a Text payload as the standard has it: status octet, language code, text
fn by_the_rules(p: &[u8]) -> String {
    let n = (p[0] & 0x3f) as usize;
    if p[0] & 0x80 != 0 {
        return "in UTF-16".into();
    }
    match (p.get(1..1 + n), p.get(1 + n..)) {
        (Some(l), Some(t)) => format!("language {:?}, text {:?}", String::from_utf8_lossy(l), String::from_utf8_lossy(t)),
        _ => format!("language code of {n} octets, of which there are {}", p.len() - 1),
    }
}

fn main() {
    println!("Text records written");
    for text in ["Hello", "Tag 12: Do not remove", "Call Anna at the front desk"] {
        let record = NdefRecord::builder().tnf(TNF::WellKnown).payload(&TextPayload::from_static(text)).build().unwrap();
        println!("  {text}");
        println!("    {}", hex(&NdefMessage::from(record).to_buffer().unwrap()));
        println!("    {}", by_the_rules(&TextPayload::from_static(text).payload()));
    }

    println!("Text records read");
    for (what, payload) in [
        ("Hi, en", b"\x02enHi".to_vec()),
        ("Gr\u{fc}ezi, de-CH", b"\x05de-CHGr\xc3\xbcezi".to_vec()),
        ("Hi, en, UTF-16", b"\x82en\xfe\xff\0H\0i".to_vec()),
    ] {
        let mut m = vec![0xd1, 1, payload.len() as u8, b'T'];
        m.extend(&payload);
        let m = NdefMessage::decode(&m).unwrap();
        match TextPayload::try_from(&m.records()[0]) {
            Ok(t) => println!("  {what}: {:?}", t.text()),
            Err(e) => println!("  {what}: {e}"),
        }
    }

    println!("http://example.com/menu in two chunks");
    let mut m = b"\xb1\x01\x0cU\x03example.com".to_vec();
    m.extend(b"\x56\x00\x05/menu");
    let m = NdefMessage::decode(&m).unwrap();
    for r in m.records() {
        println!("  {:?} {:?} {:?}", r.tnf(), String::from_utf8_lossy(r.record_type()), String::from_utf8_lossy(r.payload()));
    }
    println!("  as a URI: {}", UriPayload::try_from(&m.records()[0]).unwrap().full_uri());

    println!("a record with an id of length zero");
    let m = b"\xd9\x01\x05\x00U\x03a.fr";
    println!("  read     {}", hex(m));
    let again = NdefMessage::decode(m).unwrap().to_buffer().unwrap();
    println!("  written  {}", hex(&again));
    println!("  and read {}", NdefMessage::decode(&again).map_or_else(|e| e.to_string(), |_| "well".into()));

    println!("a tag of 48 octets");
    let empty = || TlvValue::message(&[]);
    let tag = NFT2Tag::builder().size_in_bytes(48).add_tlv(empty()).add_tlv(TlvValue::terminator()).build();
    println!("  as it comes   {}", hex(&tag.to_bytes().unwrap()));
    let tag = NFT2Tag::builder().size_in_bytes(48).access(0, 0).add_tlv(empty()).add_tlv(TlvValue::terminator()).build();
    println!("  access(0, 0)  {}", hex(&tag.to_bytes().unwrap()));
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
Text records written
  Hello
    D1 01 05 54 48 65 6C 6C 6F
    language code of 8 octets, of which there are 4
  Tag 12: Do not remove
    D1 01 15 54 54 61 67 20 31 32 3A 20 44 6F 20 6E 6F 74 20 72 65 6D 6F 76 65
    language "ag 12: Do not remove", text ""
  Call Anna at the front desk
    D1 01 1B 54 43 61 6C 6C 20 41 6E 6E 61 20 61 74 20 74 68 65 20 66 72 6F 6E 74 20 64 65 73 6B
    language "all", text " Anna at the front desk"
Text records read
  Hi, en: "\u{2}enHi"
  Grüezi, de-CH: "\u{5}de-CHGrüezi"
  Hi, en, UTF-16: Invalid encoding
http://example.com/menu in two chunks
  WellKnown "U" "\u{3}example.com"
  Unchanged "" "/menu"
  as a URI: http://example.com
a record with an id of length zero
  read     D9 01 05 00 55 03 61 2E 66 72
  written  D9 01 05 55 03 61 2E 66 72
  and read Invalid record ID
a tag of 48 octets
  as it comes   E1 10 06 0F 03 00 FE
  access(0, 0)  E1 10 06 00 03 00 FE
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "ndef-rs 0.2.3: as described"
