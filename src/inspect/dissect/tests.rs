//! Every packet type is dissected, at every length, with the finding of each fault.

use super::*;
use crate::inspect::Field;
use proptest::prelude::*;

/// Parses hexadecimal digits.
fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// The rules that a packet from the client breaks.
fn broken(hex: &str, version: Version) -> Vec<Rule> {
    let bytes = bytes(hex);
    let tree = dissect(&RawPacket::whole(&bytes), version, Some(Direction::ClientToServer));
    check_leaves(&tree, bytes.len());
    tree.findings.iter().map(|finding| finding.rule).collect()
}

/// Checks that every byte belongs to one leaf, and that groups contain their fields.
fn check_leaves(tree: &Tree<'_>, length: usize) {
    crate::inspect::fuzzing::check_leaves(tree, length);
    for (index, group) in tree.fields.iter().enumerate().filter(|(_, field)| !field.is_leaf()) {
        let is_inside =
            |field: &Field<'_>| group.range.start <= field.range.start && field.range.end <= group.range.end;
        assert!(tree.inside(index).iter().all(is_inside), "{group:?} in {:?}", tree.fields);
    }
}

#[test]
fn each_fault_of_a_packet_has_a_rule() {
    for (hex, rule) in [
        ("00 00", Rule::ReservedType),
        ("f0 00", Rule::ReservedType),
        ("c0 80 00", Rule::RemainingLengthNotMinimal),
        ("c0 ff ff ff ff", Rule::RemainingLengthTooLong),
        ("30 01 00", Rule::TooShort),
        ("30 05 0009 61 62 63", Rule::TooShort),
        ("36 05 0001 61 0001", Rule::PublishQos),
        ("30 04 0002 c3 28", Rule::StringUtf8),
        ("30 05 0003 ed a0 80", Rule::StringUtf8),
        ("30 03 0001 00", Rule::StringNull),
        ("c0 02 00 00", Rule::TrailingBytes),
        ("42 02 0001", Rule::ReservedFlags),
        ("60 02 0001", Rule::PubrelFlags),
        ("80 06 0001 0001 61 00", Rule::SubscribeFlags),
        ("82 02 0001", Rule::NoFiltersSubscribe),
        ("82 06 0001 0001 61 03", Rule::SubscriptionQos),
        ("82 06 0001 0001 61 40", Rule::SubscriptionReserved),
        ("a2 02 0001", Rule::NoFiltersUnsubscribe),
        ("a0 05 0001 0001 61", Rule::UnsubscribeFlags),
        ("e8 00", Rule::DisconnectFlags),
        ("10 0c 0004 4d515453 04 02 003c 0000", Rule::ProtocolName),
        ("10 0c 0004 4d515454 06 02 003c 0000", Rule::ProtocolLevel),
        ("10 0c 0004 4d515454 04 03 003c 0000", Rule::ConnectReserved),
        ("10 0c 0004 4d515454 04 82 003c 0000", Rule::UserNameMissing),
        ("10 0c 0004 4d515454 04 06 003c 0000", Rule::WillMissing),
        ("10 0a 0004 4d515454 04 02 003c", Rule::ClientIdMissing),
        ("20 02 02 00", Rule::ConnackReserved),
    ] {
        assert_eq!(broken(hex, Version::V311), [rule], "{hex}");
    }
}

#[test]
fn each_fault_of_properties_has_a_rule() {
    for (hex, rule) in [
        ("30 03 0001 61", Rule::PropertyLengthMissing),
        ("30 05 0001 61 01 7f", Rule::PropertyUnknown),
        ("30 07 0001 61 03 21 0001", Rule::PropertyMisplaced),
        ("30 08 0001 61 04 01 00 01 00", Rule::PropertyRepeated),
        ("30 06 0001 61 02 01 02", Rule::PropertyValue),
        ("30 07 0001 61 03 23 0000", Rule::AliasZero),
        ("30 06 0001 61 05 23 00", Rule::TooShort),
        ("30 05 0001 61 80 00", Rule::VariableByteIntegerNotMinimal),
        ("30 0b 0001 61 07 26 0001 ff 0001 62", Rule::UserPropertyUtf8),
        ("f1 00", Rule::AuthFlags),
        ("82 07 0001 00 0001 61 30", Rule::RetainHandling),
    ] {
        assert_eq!(broken(hex, Version::V5), [rule], "{hex}");
    }
}

#[test]
fn findings_name_their_bytes() {
    let packet = bytes("30 08 0004 61 62 ff 63 64 65");
    let tree = dissect(&RawPacket::whole(&packet), Version::V311, None);
    assert_eq!(tree.findings.len(), 1);
    assert_eq!(tree.findings[0].range, 6..7);
}

#[test]
fn a_payload_of_which_not_all_was_kept_has_its_length() {
    let packet = bytes("30 ff 7f 0001 61 62 63");
    let raw = RawPacket { length: 3 + 0x3fff, ..RawPacket::whole(&packet) };
    let tree = dissect(&raw, Version::V311, None);
    assert_eq!(tree.find(Name::Payload).unwrap().range, 6..3 + 0x3fff);
    check_leaves(&tree, raw.length);
}

/// Bytes that begin like a packet: a type, its flags and a matching length.
fn framed() -> impl Strategy<Value = Vec<u8>> {
    (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..120)).prop_map(|(first, body)| {
        let mut packet = vec![first, body.len() as u8];
        packet.extend(body);
        packet
    })
}

proptest! {
    #[test]
    fn any_bytes_have_leaves(packet in framed(), version in 0..3_usize) {
        let version = [Version::V31, Version::V311, Version::V5][version];
        check_leaves(&dissect(&RawPacket::whole(&packet), version, None), packet.len());
    }

    #[test]
    fn any_start_of_a_packet_has_leaves(packet in framed(), kept in 1..40_usize) {
        let kept = &packet[..kept.min(packet.len())];
        let raw = RawPacket { bytes: kept, length: packet.len(), is_cut: true, missing: &[] };
        check_leaves(&dissect(&raw, Version::V5, None), packet.len());
    }
}
