//! Both formats in all variants that writers produce, and errors for invalid files.

use super::{FileType, ReadError, Reader};
use crate::inspect::capture::fuzzing;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::{self, Read, Write};

/// The fields of a frame: number, time, link type, bytes, and length on the wire.
type Read1 = (u64, Option<u64>, u32, Vec<u8>, u32);

/// The bytes of two frames, of which the second was cut off.
const FIRST: &[u8] = b"first frame";
const SECOND: &[u8] = b"second";
const SECOND_LENGTH: u32 = 60;

/// 2026-01-02 03:04:05.678901 UTC.
const SECONDS: u32 = 1_767_323_045;
const MICROS: u32 = 678_901;

fn read(source: impl Read) -> (Vec<Read1>, Result<Option<u64>, ReadError>) {
    let mut reader = Reader::new(source);
    let mut frames = Vec::new();
    loop {
        match reader.next_frame() {
            Ok(Some(frame)) => frames.push((
                frame.at.frame,
                frame.at.time,
                frame.link_type,
                frame.bytes.to_vec(),
                frame.original_length,
            )),
            Ok(None) => return (frames, Ok(reader.truncation().map(|cut| cut.offset))),
            Err(error) => return (frames, Err(error)),
        }
    }
}

fn frames(bytes: &[u8]) -> Vec<Read1> {
    let (frames, end) = read(bytes);
    assert_eq!(end.unwrap(), None);
    frames
}

fn error(bytes: &[u8]) -> String {
    read(bytes).1.unwrap_err().to_string()
}

/// Both frames, as the reader should return them.
fn both(time: Option<u64>) -> Vec<Read1> {
    vec![(1, time, 1, FIRST.to_vec(), FIRST.len() as u32), (2, time, 1, SECOND.to_vec(), SECOND_LENGTH)]
}

fn nanos() -> u64 {
    u64::from(SECONDS) * 1_000_000_000 + u64::from(MICROS) * 1000
}

/// Writes numbers in one byte order.
#[derive(Clone, Copy)]
struct Order {
    is_big: bool,
}

const ORDERS: [Order; 2] = [Order { is_big: false }, Order { is_big: true }];

impl Order {
    fn u16(self, value: u16) -> [u8; 2] {
        if self.is_big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn u32(self, value: u32) -> [u8; 4] {
        if self.is_big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn words(self, values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| self.u32(*value)).collect()
    }

    fn pcap(self, magic: u32, fraction: u32, extra: &[u8]) -> Vec<u8> {
        let mut file = self.u32(magic).to_vec();
        file.extend([self.u16(2), self.u16(4)].concat());
        file.extend(self.words(&[0, 0, 65_535, 1]));
        for (bytes, length) in [(FIRST, FIRST.len() as u32), (SECOND, SECOND_LENGTH)] {
            file.extend(self.words(&[SECONDS, fraction, bytes.len() as u32, length]));
            file.extend(extra);
            file.extend(bytes);
        }
        file
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let length = self.u32(body.len() as u32 + 12);
        [&self.u32(kind)[..], &length, &body, &length].concat()
    }

    fn section(self) -> Vec<u8> {
        let mut body = self.words(&[0x1a2b_3c4d]);
        body.extend([self.u16(1), self.u16(0)].concat());
        body.extend([0xff; 8]);
        self.block(0x0a0d_0d0a, &body)
    }

    fn interface(self, link_type: u16, snapshot_length: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = [self.u16(link_type), [0, 0]].concat();
        body.extend(self.u32(snapshot_length));
        for (code, value) in options {
            body.extend([self.u16(*code), self.u16(value.len() as u16)].concat());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        self.block(1, &body)
    }

    fn enhanced(self, interface: u32, units: u64, bytes: &[u8], length: u32) -> Vec<u8> {
        let head = [interface, (units >> 32) as u32, units as u32, bytes.len() as u32, length];
        self.block(6, &[self.words(&head), bytes.to_vec()].concat())
    }

    fn old_packet(self, units: u64, bytes: &[u8], length: u32) -> Vec<u8> {
        let head = [(units >> 32) as u32, units as u32, bytes.len() as u32, length];
        self.block(2, &[vec![0, 0, 0, 9], self.words(&head), bytes.to_vec()].concat())
    }

    fn simple(self, bytes: &[u8], length: u32) -> Vec<u8> {
        self.block(3, &[self.words(&[length]), bytes.to_vec()].concat())
    }

    fn pcapng(self) -> Vec<u8> {
        let units = u64::from(SECONDS) * 1_000_000 + u64::from(MICROS);
        let mut file = [self.section(), self.interface(1, 0, &[])].concat();
        file.extend(self.block(0x0bad_0bad, b"of another tool."));
        file.extend(self.enhanced(0, units, FIRST, FIRST.len() as u32));
        file.extend(self.block(5, &[0; 12]));
        file.extend(self.old_packet(units, SECOND, SECOND_LENGTH));
        file
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_form_gives_the_same_frames() {
    for order in ORDERS {
        assert_eq!(frames(&order.pcap(0xa1b2_c3d4, MICROS, b"")), both(Some(nanos())));
        assert_eq!(frames(&order.pcap(0xa1b2_3c4d, MICROS * 1000, b"")), both(Some(nanos())));
        assert_eq!(frames(&order.pcap(0xa1b2_cd34, MICROS, b"in patch")), both(Some(nanos())));
        assert_eq!(frames(&order.pcapng()), both(Some(nanos())));
        assert_eq!(frames(&gzip(&order.pcapng())), both(Some(nanos())));
        let file = order.pcapng();
        let (start, end) = file.split_at(70);
        assert_eq!(frames(&[gzip(start), gzip(end)].concat()), both(Some(nanos())), "two members of gzip");
    }
}

#[test]
fn simple_packets_have_no_time_and_are_cut_at_the_snapshot_length() {
    for order in ORDERS {
        let mut file = [order.section(), order.interface(1, 11, &[])].concat();
        file.extend(order.simple(FIRST, 11));
        file.extend(order.simple(b"first frame", 99));
        let found = frames(&file);
        assert_eq!(found[0], (1, None, 1, FIRST.to_vec(), 11));
        assert_eq!(found[1], (2, None, 1, FIRST.to_vec(), 99));
    }
}

#[test]
fn an_interface_sets_the_unit_of_its_timestamps() {
    for order in ORDERS {
        let offset = if order.is_big { (-1_i64).to_be_bytes() } else { (-1_i64).to_le_bytes() };
        let mut file = order.section();
        for options in [
            &[(9, &[9_u8][..])][..],
            &[(9, &[3])],
            &[(9, &[12])],
            &[(9, &[0x8a])],
            &[(2, b"odd"), (9, &[0]), (14, &offset)],
        ] {
            file.extend(order.interface(1, 0, options));
        }
        let units = [2_000_000_005, 2_005, 2_000_000_005_999, 2 * 1024 + 512, 3];
        for (interface, units) in units.into_iter().enumerate() {
            file.extend(order.enhanced(interface as u32, units, FIRST, 11));
        }
        let times: Vec<_> = frames(&file).into_iter().filter_map(|frame| frame.1).collect();
        assert_eq!(times, [2_000_000_005, 2_005_000_000, 2_000_000_005, 2_500_000_000, 2_000_000_000]);
    }
}

#[test]
fn a_section_has_its_own_byte_order_and_interfaces() {
    let [little, big] = ORDERS;
    let mut file = [little.section(), little.interface(1, 0, &[])].concat();
    file.extend(little.enhanced(0, 1, FIRST, 11));
    file.extend([big.section(), big.interface(101, 0, &[])].concat());
    file.extend(big.enhanced(0, 2, SECOND, 6));
    let found = frames(&file);
    assert_eq!((found[0].2, found[0].1), (1, Some(1000)));
    assert_eq!((found[1].2, found[1].1), (101, Some(2000)));
    file.extend(little.section());
    let place = file.len();
    file.extend(little.enhanced(0, 1, FIRST, 11));
    let text = format!("packet of unknown interface 0 at byte {place}");
    assert_eq!(error(&file), text);
}

#[test]
fn a_frame_is_given_as_soon_as_its_bytes_are_there() {
    /// Returns these bytes, and panics at the next read.
    struct Once(Option<Vec<u8>>);
    impl Read for Once {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let bytes = self.0.as_mut().expect("there is a frame before more is read");
            let count = bytes.len().min(room.len());
            room[..count].copy_from_slice(&bytes[..count]);
            bytes.drain(..count);
            if bytes.is_empty() {
                self.0 = None;
            }
            Ok(count)
        }
    }
    for file in [ORDERS[0].pcap(0xa1b2_c3d4, 0, b""), ORDERS[0].pcapng()] {
        let size = file.windows(SECOND.len()).position(|part| part == SECOND).unwrap() + 8;
        let mut reader = Reader::new(Once(Some(file[..size.min(file.len())].to_vec())));
        assert_eq!(reader.next_frame().unwrap().unwrap().bytes, FIRST);
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_read_up_to_there() {
    for file in [ORDERS[0].pcap(0xa1b2_c3d4, MICROS, b""), ORDERS[1].pcapng()] {
        for size in 4..file.len() {
            let (found, end) = read(&file[..size]);
            assert_eq!(found, both(Some(nanos()))[..found.len()], "{size}");
            let rest_starts = end.unwrap().unwrap_or(size as u64);
            assert!(rest_starts <= size as u64 && found.len() < 2, "{size}");
        }
    }
    let (found, end) = read(&ORDERS[0].pcap(0xa1b2_c3d4, MICROS, b"")[..60]);
    assert_eq!((found.len(), end.unwrap()), (1, Some(51)));
}

#[test]
fn truncated_or_damaged_gzip_yields_the_packets_before() {
    let file = ORDERS[0].pcap(0xa1b2_c3d4, MICROS, b"");
    let mut packed = gzip(&file);
    let (found, end) = read(&packed[..packed.len() - 4]);
    assert_eq!((found, end.unwrap()), (both(Some(nanos())), Some(file.len() as u64)));
    let middle = packed.len() - 12;
    packed[middle] ^= 0xff;
    let (_, end) = read(&packed[..]);
    let text = end.map_or_else(|error| error.to_string(), |end| format!("cut at {end:?}"));
    assert!(text.contains("damaged gzip") || text.contains("cut at Some"), "{text}");
}

#[test]
fn other_files_are_refused_with_their_likely_kind() {
    for (bytes, text) in [
        (&b""[..], "not a capture, but an empty file"),
        (b"hello\n", "not a capture, but text"),
        (b" {\"a\":1}", "not a capture, but JSON"),
        (b"\x7fELF\x02\x01", "not a capture, but a program (ELF)"),
        (b"\x28\xb5\x2f\xfd....", "not a capture, but compressed with zstd; decompress it first"),
        (
            b"snoop\0\0\0\0\0\0\x02",
            "not a capture, but a capture in snoop format; convert it with 'editcap -F pcapng'",
        ),
        (b"\x10\x0c\x00\x04MQTT\x04\x02\0\0\0\0", "not a capture, but bare MQTT packets"),
        (b"\0\0", "not a capture, but data in an unknown format"),
    ] {
        assert_eq!(error(bytes), text);
    }
    assert_eq!(error(&gzip(b"hello\n")), "not a capture, but gzip of text");
    assert_eq!(error(&gzip(b"")), "not a capture, but gzip of an empty file");
}

#[test]
fn a_bad_block_is_an_error_with_its_offset_after_the_packets_before() {
    let [order, _] = ORDERS;
    let good = order.pcap(0xa1b2_c3d4, MICROS, b"");
    let bad = [good.clone(), order.words(&[0, 0, 0x7fff_ffff, 0])].concat();
    let (found, end) = read(&bad[..]);
    assert_eq!(found, both(Some(nanos())));
    let place = good.len();
    assert_eq!(
        end.unwrap_err().to_string(),
        format!("record length out of range (2147483647) at byte {place}")
    );

    let good = order.pcapng();
    let place = good.len();
    for (block, text) in [
        (order.words(&[6, 33, 0]), "invalid length 33 of a block of type 0x6"),
        (order.words(&[6, 0, 0]), "invalid length 0 of a block of type 0x6"),
        (order.words(&[77, u32::MAX - 3, 0]), "invalid length 4294967292 of a block of type 0x4d"),
        (
            order.words(&[77, 12, 16]),
            "block of type 0x4d with different lengths at its start (12) and end (16)",
        ),
        (order.block(6, &[0; 8]), "packet block too short"),
        (order.enhanced(7, 0, b"", 0), "packet of unknown interface 7"),
        (order.block(1, &[0; 4]), "interface description too short"),
        (order.block(6, &order.words(&[0, 0, 0, 9, 9])), "packet of 9 bytes in a block with room for 0"),
    ] {
        let (found, end) = read(&[good.clone(), block].concat()[..]);
        assert_eq!(found.len(), 2);
        assert_eq!(end.unwrap_err().to_string(), format!("{text} at byte {place}"));
    }
}

#[test]
fn after_an_error_there_is_nothing_more() {
    let mut reader = Reader::new(&b"text"[..]);
    assert!(matches!(
        reader.next_frame(),
        Err(ReadError::NotACapture { kind: FileType::Text, is_gzip: false })
    ));
    assert_eq!(reader.next_frame().unwrap(), None);
}

#[test]
fn a_length_that_is_a_lie_takes_no_memory() {
    let [order, _] = ORDERS;
    let mut file = order.pcap(0xa1b2_c3d4, 0, b"")[..24].to_vec();
    file.extend(order.words(&[0, 0, 60 << 20, 0]));
    let mut reader = Reader::new(&file[..]);
    assert_eq!(reader.next_frame().unwrap(), None);
    assert!(reader.truncation().is_some());
    assert!(reader.input.capacity() < 1 << 20);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic_and_alike_in_pieces(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for order in ORDERS {
            for start in [order.pcap(0xa1b2_c3d4, 0, b"")[..24].to_vec(), order.section(), Vec::new()] {
                fuzzing::reader(&[start, bytes.clone()].concat());
            }
        }
    }

    #[test]
    fn a_capture_that_was_changed_is_read_alike_in_pieces(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        is_packed: bool,
    ) {
        for order in ORDERS {
            let mut file = order.pcapng();
            for (place, value) in &changes {
                let place = place.index(file.len());
                file[place] = *value;
            }
            fuzzing::reader(&if is_packed { gzip(&file) } else { file });
        }
    }
}
