#!/usr/bin/env bash
# The crate coap-lite 0.13.3, with which Rust programs serve CoAP devices (also the base of the crate coap): uploads of many blocks are cut to their last
# block, lost blocks are zeros, parts of an earlier upload remain, and answers to other queries are served.
#
# Expected: (RFC 7959) the number of a block has up to 20 bits, so an option has up to three octets (2.2). If blocks are missing when the last one comes, the answer
#           must be 4.08 (2.5, 2.9.2). A new upload to the same resource overwrites what the server kept of an unfinished one (2.5). A response whose
#           Block1 option has M unset is the final one, so 2.31 Continue has M set, as the example in 3.2 shows (2.3). (RFC 7252) Uri-Query is part of the address, and a stored
#           response is for requests with the same options only (5.10.1, 5.6). (RFC 7641) an observer is an endpoint and a token; another token is another entry (4.1).
# Seen:     block 4096 is written as block 0, and not read: the handler passes it on as a whole body of 16 octets, after 65536 that it had taken. Blocks 0 and 2 are a body with
#           16 zeros between them. An upload of two blocks after an unfinished one of three has the third block of that. 2.31 comes with M unset. With Block2, GET
#           /log?day=2 is answered with day 1. A client that observes /log?day=1 and /log?day=2 has one entry, for the second.
# So:       a firmware of more than 64 KiB in blocks of 16 octets, or 4 MiB in blocks of 1024, is replaced by its last block, and the device gets a success.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "blocks"
version = "1.0.0"
edition = "2021"
[dependencies]
coap-lite = "=0.13.3"
TOML
cat >src/main.rs <<'RUST'
use coap_lite::block_handler::BlockValue;
use coap_lite::{BlockHandler, BlockHandlerConfig, CoapOption, CoapRequest, Packet, RequestType, Subject};

type Handler = BlockHandler<&'static str>;

/// The octets of a block option: number, more, size exponent.
fn option(number: u32, more: bool, exponent: u32) -> Vec<u8> {
    (number << 4 | u32::from(more) << 3 | exponent).to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn request(method: RequestType, query: &str) -> CoapRequest<&'static str> {
    let mut packet = Packet::new();
    packet.header.message_id = 1;
    packet.set_token(query.as_bytes().iter().rev().take(1).copied().collect());
    let mut request = CoapRequest::from_packet(packet, "device");
    request.set_method(method);
    request.set_path("/log");
    if !query.is_empty() {
        request.message.add_option(CoapOption::UriQuery, query.as_bytes().to_vec());
    }
    request
}

/// Sends a block, and says what the server answers or the program gets.
fn put(handler: &mut Handler, number: u32, more: bool, octet: u8) -> String {
    let mut request = request(RequestType::Put, "");
    request.message.add_option(CoapOption::Block1, option(number, more, 0));
    request.message.payload = vec![octet; 16];
    let sent = Packet::from_bytes(&request.message.to_bytes().unwrap()).unwrap();
    request.message = sent;
    match handler.intercept_request(&mut request) {
        Ok(true) => {
            let response = request.response.unwrap().message;
            let found: BlockValue = response.get_first_option(CoapOption::Block1).unwrap().clone().try_into().unwrap();
            format!("{} with Block1 {}/{}/{}", response.header.code, found.num, u8::from(found.more), found.size())
        }
        Ok(false) => {
            let body = &request.message.payload;
            let mut runs: Vec<(u8, usize)> = Vec::new();
            for octet in body {
                match runs.last_mut() {
                    Some((last, count)) if last == octet => *count += 1,
                    _ => runs.push((*octet, 1)),
                }
            }
            format!("body of {} octets: {}", body.len(), runs.iter().map(|(octet, count)| format!("{count} times {:?}", char::from(*octet))).collect::<Vec<_>>().join(", "))
        }
        Err(error) => format!("error {error}"),
    }
}

fn handler() -> Handler {
    BlockHandler::new(BlockHandlerConfig::default())
}

fn get(handler: &mut Handler, query: &str) -> String {
    let mut request = request(RequestType::Get, query);
    request.message.add_option(CoapOption::Block2, option(0, false, 2));
    let served = handler.intercept_request(&mut request).unwrap();
    if !served {
        request.response.as_mut().unwrap().message.payload = query.as_bytes().repeat(20);
        handler.intercept_response(&mut request).unwrap();
    }
    let response = request.response.unwrap().message;
    format!("{}..., {}", String::from_utf8_lossy(&response.payload[..5]), if served { "stored" } else { "new" })
}

fn main() {
    for number in [4095, 4096, 5000] {
        let written: Vec<u8> = BlockValue::new(number, true, 16).unwrap().into();
        let read = BlockValue::try_from(option(number as u32, true, 0)).map(|found| found.num).map_err(|error| error.to_string());
        println!("block {number} | written {}, right {} | read {read:?}", hex(&written), hex(&option(number as u32, true, 0)));
    }

    let mut one = handler();
    println!("two blocks | {} | {}", put(&mut one, 0, true, b'a'), put(&mut one, 1, false, b'b'));
    let mut one = handler();
    for number in 0..4096 {
        put(&mut one, number, true, b'a');
    }
    println!("4097 blocks | {}", put(&mut one, 4096, false, b'b'));
    let mut one = handler();
    println!("without block 1 | {} | {}", put(&mut one, 0, true, b'a'), put(&mut one, 2, false, b'c'));
    let mut one = handler();
    for number in 0..3 {
        put(&mut one, number, true, b'a');
    }
    println!("two blocks after three of another upload | {} | {}", put(&mut one, 0, true, b'b'), put(&mut one, 1, false, b'c'));

    let mut one = handler();
    for query in ["day=1", "day=2"] {
        println!("GET /log?{query} with Block2 | {}", get(&mut one, query));
    }

    let mut subject = Subject::default();
    for query in ["day=1", "day=2"] {
        subject.register(&request(RequestType::Get, query));
        let tokens: Vec<String> = subject.get_resource_observers("log").unwrap().iter().map(|found| String::from_utf8_lossy(&found.token).into_owned()).collect();
        println!("observe /log?{query} | tokens {tokens:?}");
    }
}
RUST
cargo run -q | tee seen
cat >expected <<'TEXT'
block 4095 | written fff8, right fff8 | read Ok(4095)
block 4096 | written 08, right 010008 | read Err("Incompatible option value: overflow: got 3 bytes, expected 2")
block 5000 | written 3888, right 013888 | read Err("Incompatible option value: overflow: got 3 bytes, expected 2")
two blocks | 2.31 with Block1 0/0/16 | body of 32 octets: 16 times 'a', 16 times 'b'
4097 blocks | body of 16 octets: 16 times 'b'
without block 1 | 2.31 with Block1 0/0/16 | body of 48 octets: 16 times 'a', 16 times '\0', 16 times 'c'
two blocks after three of another upload | 2.31 with Block1 0/0/16 | body of 48 octets: 16 times 'b', 16 times 'c', 16 times 'a'
GET /log?day=1 with Block2 | day=1..., new
GET /log?day=2 with Block2 | day=1..., stored
observe /log?day=1 | tokens ["1"]
observe /log?day=2 | tokens ["2"]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "coap-lite 0.13.3: as described"
