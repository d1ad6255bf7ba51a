//! Where packets of MQTT end in a stream of bytes.

/// Follows one direction of a connection.
#[derive(Debug, Default)]
pub struct PacketEnds {
    /// The bytes of the packet that are still to come, after its length.
    left: usize,
    length: Option<Length>,
}

/// A length of which not all bytes are known.
#[derive(Debug, Default)]
struct Length {
    value: usize,
    shift: u32,
}

impl PacketEnds {
    /// Passes over these bytes. Whether a packet ends with the last of them.
    pub fn pass(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            match &mut self.length {
                None if self.left > 0 => {
                    let count = self.left.min(rest.len());
                    self.left -= count;
                    rest = &rest[count..];
                    continue;
                }
                None => self.length = Some(Length::default()),
                Some(length) => {
                    length.value |= usize::from(byte & 0x7f) << length.shift;
                    length.shift += 7;
                    if byte & 0x80 == 0 {
                        self.left = length.value;
                        self.length = None;
                    }
                }
            }
            rest = after;
        }
        self.left == 0 && self.length.is_none()
    }
}

#[test]
fn packets_end_where_their_length_says_however_they_arrive() {
    let long = [&[0x30, 0x80, 0x01][..], &[0; 128]].concat();
    let bytes = [&[0x20, 2, 0, 0][..], &long, &[0xd0, 0]].concat();
    let mut ends = PacketEnds::default();
    let found: Vec<usize> = (0..bytes.len()).filter(|&at| ends.pass(&bytes[at..=at])).collect();
    assert_eq!(found, [3, 134, 136]);
    let mut ends = PacketEnds::default();
    assert!(ends.pass(&bytes[..4]));
    assert!(!ends.pass(&bytes[4..20]));
    assert!(ends.pass(&bytes[20..]));
}
