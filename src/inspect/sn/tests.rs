//! Any datagrams are decoded, into fields that cover every byte, and are written in every format.

use crate::inspect::fuzzing::datagrams;
use proptest::collection::vec;
use proptest::prelude::*;

/// A type octet, mostly one of a message.
fn type_octet() -> impl Strategy<Value = u8> {
    prop_oneof![8 => 0..0x1e_u8, 1 => Just(0xfe), 1 => any::<u8>()]
}

/// A datagram whose length field is right.
fn message() -> impl Strategy<Value = Vec<u8>> {
    (type_octet(), vec(any::<u8>(), 0..30)).prop_map(|(octet, body)| {
        let length = body.len() as u8 + 2;
        [vec![length, octet], body].concat()
    })
}

proptest! {
    #[test]
    fn any_datagrams_are_decoded(all in vec((any::<u8>(), prop_oneof![message(), vec(any::<u8>(), 0..40)]), 0..40)) {
        let bytes: Vec<u8> = all
            .into_iter()
            .flat_map(|(how, datagram)| [vec![how, datagram.len() as u8], datagram].concat())
            .collect();
        datagrams(&bytes);
    }
}
