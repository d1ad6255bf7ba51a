#!/usr/bin/env bash
# The crate modbus-core 0.2.0, which reads and writes Modbus on small devices, drops requests of RTU that write several coils or registers, and answers
# the writing of a coil with too few octets.
#
# Expected (Modbus Application Protocol Specification V1.1b3) 6.11 and 6.12, functions 0F and 10: after the function come the address, the quantity, the
#           number of octets and the values. 6.5, function 05: the answer repeats the request, with the address and the value, FF00 or 0000.
#           (Modbus over Serial Line V1.02, 2.5.1) In RTU the slave address is in front and a checksum at the end.
# Seen:     for 0F and 10, rtu::server::decode_request takes the high octet of the quantity, which is 0, for the number of octets, and gives nothing, without
#           an error; in TCP it reads the same requests. The answer to 05 has no value, in RTU and TCP: its header says 4 octets instead of 6. In an
#           answer that is received, the value is ignored, so on and off are the same.
# So:       a master that sets two registers gets no answer from such a slave, and one that sets a coil waits for two more octets.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "slave"
version = "1.0.0"
edition = "2021"
[dependencies]
modbus-core = "=0.2.0"
TOML
cat >src/main.rs <<'RUST'
use modbus_core::{rtu, tcp, Response, ResponsePdu};

/// A request of RTU to slave 17, with its checksum.
fn frame(pdu: &[u8]) -> Vec<u8> {
    let mut octets = vec![17];
    octets.extend_from_slice(pdu);
    octets.extend_from_slice(&rtu::crc16(&octets).to_be_bytes());
    octets
}

fn main() {
    let requests: [(&str, &[u8]); 6] = [
        ("03, read 2 registers", &[0x03, 0, 107, 0, 2]),
        ("06, write a register", &[0x06, 0, 1, 0, 3]),
        ("0f, write 10 coils", &[0x0f, 0, 19, 0, 10, 2, 0xcd, 0x01]),
        ("10, write 2 registers", &[0x10, 0, 1, 0, 2, 4, 0, 10, 1, 2]),
        ("10, write 1 register", &[0x10, 0, 1, 0, 1, 2, 0, 10]),
        ("17, read 2 and write 1 registers", &[0x17, 0, 3, 0, 2, 0, 14, 0, 1, 2, 0, 255]),
    ];
    for (name, pdu) in requests {
        let found = match rtu::server::decode_request(&frame(pdu)) {
            Ok(Some(request)) => format!("{:?}", request.pdu.0),
            Ok(None) => "nothing".into(),
            Err(error) => format!("an error, {error:?}"),
        };
        println!("RTU, {name} | {found}");
        let mut header = vec![0, 1, 0, 0, 0, pdu.len() as u8 + 1, 17];
        header.extend_from_slice(pdu);
        let found = match tcp::server::decode_request(&header) {
            Ok(Some(request)) => format!("{:?}", request.pdu.0),
            Ok(None) => "nothing".into(),
            Err(error) => format!("an error, {error:?}"),
        };
        println!("TCP, {name} | {found}");
    }
    for (name, response) in [("05, coil 172", Response::WriteSingleCoil(172)), ("06, register 1 is 3", Response::WriteSingleRegister(1, 3))] {
        let mut buffer = [0; 20];
        let adu = rtu::ResponseAdu { hdr: rtu::Header { slave: 17 }, pdu: ResponsePdu(Ok(response)) };
        let size = rtu::server::encode_response(adu, &mut buffer).unwrap();
        println!("RTU, answer to {name} | {:02x?}", &buffer[..size]);
        let adu = tcp::ResponseAdu { hdr: tcp::Header { transaction_id: 1, unit_id: 17 }, pdu: ResponsePdu(Ok(response)) };
        let size = tcp::server::encode_response(adu, &mut buffer).unwrap();
        println!("TCP, answer to {name} | {:02x?}", &buffer[..size]);
    }
    let answer = frame(&[0x05, 0, 172, 0, 0]);
    println!("RTU, coil 172 was switched off | {:?}", rtu::client::decode_response(&answer).map(|found| found.map(|answer| answer.pdu.0)));
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
RTU, 03, read 2 registers | ReadHoldingRegisters(107, 2)
TCP, 03, read 2 registers | ReadHoldingRegisters(107, 2)
RTU, 06, write a register | WriteSingleRegister(1, 3)
TCP, 06, write a register | WriteSingleRegister(1, 3)
RTU, 0f, write 10 coils | nothing
TCP, 0f, write 10 coils | WriteMultipleCoils(19, Coils { data: [205, 1], quantity: 10 })
RTU, 10, write 2 registers | nothing
TCP, 10, write 2 registers | WriteMultipleRegisters(1, Data { data: [0, 10, 1, 2], quantity: 2 })
RTU, 10, write 1 register | nothing
TCP, 10, write 1 register | WriteMultipleRegisters(1, Data { data: [0, 10], quantity: 1 })
RTU, 17, read 2 and write 1 registers | ReadWriteMultipleRegisters(3, 2, 14, Data { data: [0, 255], quantity: 1 })
TCP, 17, read 2 and write 1 registers | ReadWriteMultipleRegisters(3, 2, 14, Data { data: [0, 255], quantity: 1 })
RTU, answer to 05, coil 172 | [11, 05, 00, ac, 15, 64]
TCP, answer to 05, coil 172 | [00, 01, 00, 00, 00, 04, 11, 05, 00, ac]
RTU, answer to 06, register 1 is 3 | [11, 06, 00, 01, 00, 03, 9a, 9b]
TCP, answer to 06, register 1 is 3 | [00, 01, 00, 00, 00, 06, 11, 06, 00, 01, 00, 03]
RTU, coil 172 was switched off | Ok(Some(Ok(WriteSingleCoil(172))))
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "modbus-core 0.2.0: as described"
