#!/usr/bin/env bash
# The crate ax25_tnc 0.4.0, with which Rust programs send packets of amateur radio through a modem (KISS over TCP, as Dire Wolf has it), ends a packet at each
# octet C0 within it, and takes the packets of a second radio for those of other stations.
#
# Expected (KISS, M. Chepponis and P. Karn, "The KISS TNC", 1987) C0 (FEND) begins and ends each frame. A C0 within the data is sent as DB DC, a DB as DB DD. The
#           first octet is no data: its upper half is the number of the radio, its lower half the command, 0 for data. (AX.25 2.2) The control octet
#           of an information frame has the next number to be received in its upper three bits and its own in bits 1 to 3: C0 is one with the numbers 6 and 0.
# Seen:     send_frame() writes the octets as they are. The modem gets "Temp 21 \xC0 ok" as "Temp 21 ", and the rest as a frame with command 0 of radio 2, as
#           the space is 20; a position compressed to octets or a text in Persian (the letter yeh is DB 8C) is changed or dropped, and the I frame with the numbers
#           6 and 0 has its addresses only, so that a connection never gets over it. Received frames are given to the parser with the octet of the
#           radio: that of radio 1 (10) is the first octet of the destination, and with it, sender and digipeaters move by one letter. Only that of
#           radio 0 is right, as leading zeros are skipped.
# So:       send only texts without C0 and DB through it (ASCII), or write to the modem yourself: to_bytes() of the crate ax25 is right, and three
#           lines escape it. Let the modem have one radio for each address, as radio 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "radio"
version = "1.0.0"
edition = "2021"
[dependencies]
ax25 = "=0.4.0"
ax25_tnc = "=0.4.0"
TOML
cat >src/main.rs <<'RUST'
use ax25::frame::*;
use ax25_tnc::tnc::{Tnc, TncAddress};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// The frames that a modem finds in the octets: radio, command and data.
fn modem(stream: &[u8]) -> Vec<(u8, u8, Vec<u8>)> {
    let mut found = Vec::new();
    for frame in stream.split(|octet| *octet == 0xc0).filter(|frame| !frame.is_empty()) {
        let mut data = Vec::new();
        let mut octets = frame[1..].iter();
        while let Some(octet) = octets.next() {
            match octet {
                0xdb => match octets.next() {
                    Some(0xdc) => data.push(0xc0),
                    Some(0xdd) => data.push(0xdb),
                    _ => {} // "the receiver leaves escaped mode and takes no action"
                },
                octet => data.push(*octet),
            }
        }
        found.push((frame[0] >> 4, frame[0] & 15, data));
    }
    found
}

fn received(modem: &mut TcpStream) -> Vec<u8> {
    let (mut all, mut part) = (Vec::new(), [0; 1000]);
    while let Ok(size @ 1..) = modem.read(&mut part) {
        all.extend(&part[..size]);
    }
    all
}

fn line(frame: &Ax25Frame) -> String {
    let route: String = frame.route.iter().map(|hop| format!(",{}", hop.repeater)).collect();
    let content = match &frame.content {
        FrameContent::UnnumberedInformation(ui) => format!("UI \"{}\"", ui.info.escape_ascii()),
        FrameContent::Information(i) => format!("I {} {} \"{}\"", i.receive_sequence, i.send_sequence, i.info.escape_ascii()),
        other => format!("{other:?}"),
    };
    format!("{}: {content}", format!("{}>{}{route}", frame.source, frame.destination).escape_default())
}

fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tnc:tcpkiss:127.0.0.1:{}", listener.local_addr().unwrap().port());
    let radio = Tnc::open(&address.parse::<TncAddress>().unwrap()).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();

    let ui = |info: &[u8]| Ax25Frame::new_simple_ui_frame("N0CALL-1".parse().unwrap(), "APZ123".parse().unwrap(), info.to_vec());
    let information = |receive_sequence, send_sequence| Ax25Frame {
        content: FrameContent::Information(Information {
            pid: ProtocolIdentifier::None,
            info: b"hello".to_vec(),
            receive_sequence,
            send_sequence,
            poll: false,
        }),
        ..ui(b"")
    };
    println!("sent");
    for (name, frame) in [
        ("ASCII", ui(b"Temp 21 ok")),
        ("octet C0", ui(b"Temp 21 \xc0 ok")),
        ("octet DB", ui(b"level \xdb\xdd!")),
        ("Persian", ui(">\u{645}\u{6cc}".as_bytes())),
        ("I frame, numbers 5 and 0", information(5, 0)),
        ("I frame, numbers 6 and 0", information(6, 0)),
    ] {
        println!("{name}: {}", line(&frame));
        radio.send_frame(&frame).unwrap();
        for (number, command, data) in modem(&received(&mut stream)) {
            let frame = Ax25Frame::from_bytes(&data).map_or_else(|e| format!("{e}: \"{}\"", data.escape_ascii()), |frame| line(&frame));
            println!("  radio {number}, command {command}: {frame}");
        }
    }

    println!("received");
    let incoming = radio.incoming();
    let mut frame = ui(b"Temp 21 ok");
    frame.route.push(RouteEntry { repeater: "WIDE1-1".parse().unwrap(), has_repeated: false });
    for number in 0..3 {
        stream.write_all(&[&[0xc0, number << 4][..], &frame.to_bytes(), &[0xc0]].concat()).unwrap();
        match incoming.recv_timeout(Duration::from_secs(20)) {
            Ok(Ok(frame)) => println!("  radio {number}: {}", line(&frame)),
            other => println!("  radio {number}: {other:?}"),
        }
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
sent
ASCII: N0CALL-1>APZ123: UI "Temp 21 ok"
  radio 0, command 0: N0CALL-1>APZ123: UI "Temp 21 ok"
octet C0: N0CALL-1>APZ123: UI "Temp 21 \xc0 ok"
  radio 0, command 0: N0CALL-1>APZ123: UI "Temp 21 "
  radio 2, command 0: Address field too short: start 0 end 0: "ok"
octet DB: N0CALL-1>APZ123: UI "level \xdb\xdd!"
  radio 0, command 0: N0CALL-1>APZ123: UI "level \xdb!"
Persian: N0CALL-1>APZ123: UI ">\xd9\x85\xdb\x8c"
  radio 0, command 0: N0CALL-1>APZ123: UI ">\xd9\x85"
I frame, numbers 5 and 0: N0CALL-1>APZ123: I 5 0 "hello"
  radio 0, command 0: N0CALL-1>APZ123: I 5 0 "hello"
I frame, numbers 6 and 0: N0CALL-1>APZ123: I 6 0 "hello"
  radio 0, command 0: Frame is too short: len 14: "\x82\xa0\xb4bdf\xe0\x9c`\x86\x82\x98\x98c"
  radio 15, command 0: Address field too short: start 0 end 1: "hello"
received
  radio 0: N0CALL-1>APZ123,WIDE1-1: UI "Temp 21 ok"
  radio 1: pN0CAL-12>\u{8}APZ12-3,1WIDE1: UI "Temp 21 ok"
  radio 2: pN0CAL-12>\u{10}APZ12-3,1WIDE1: UI "Temp 21 ok"
TEXT
diff expected seen || {
    echo "the behaviour is no longer as described"
    exit 1
}
echo "ax25_tnc 0.4.0: as described"
