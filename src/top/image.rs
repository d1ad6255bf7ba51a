//! The kind and the size of an image, from its first bytes.

/// `PNG image, 640 x 480`, if the payload is an image.
pub(super) fn describe(payload: &[u8]) -> Option<String> {
    let (kind, size) = match payload {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, rest @ ..] => ("PNG", png_size(rest)),
        [0xff, 0xd8, 0xff, ..] => ("JPEG", jpeg_size(payload)),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', rest @ ..] => ("GIF", gif_size(rest)),
        _ => return None,
    };
    let size = size.map(|(width, height)| format!(", {width} x {height}")).unwrap_or_default();
    Some(format!("{kind} image{size}"))
}

/// The IHDR chunk: its length, its name, width and height.
fn png_size(chunks: &[u8]) -> Option<(u32, u32)> {
    let [_, _, _, _, b'I', b'H', b'D', b'R', rest @ ..] = chunks else { return None };
    let (width, rest) = rest.split_first_chunk::<4>()?;
    let height = rest.first_chunk::<4>()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

fn gif_size(screen: &[u8]) -> Option<(u32, u32)> {
    let [w0, w1, h0, h1, ..] = screen else { return None };
    Some((u16::from_le_bytes([*w0, *w1]).into(), u16::from_le_bytes([*h0, *h1]).into()))
}

/// The first frame header (SOF0 to SOF15 without DHT, JPG and DAC) among the segments.
fn jpeg_size(payload: &[u8]) -> Option<(u32, u32)> {
    let mut rest = payload.get(2..)?;
    loop {
        let [0xff, marker, l0, l1, ..] = rest else { return None };
        let is_frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if is_frame {
            let [h0, h1, w0, w1] = *rest.get(5..)?.first_chunk::<4>()?;
            return Some((u16::from_be_bytes([w0, w1]).into(), u16::from_be_bytes([h0, h1]).into()));
        }
        let length = usize::from(u16::from_be_bytes([*l0, *l1])).max(2);
        rest = rest.get(2 + length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn images_are_described_by_their_headers() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x02";
        assert_eq!(describe(png).as_deref(), Some("PNG image, 640 x 480"));
        assert_eq!(describe(&png[..14]).as_deref(), Some("PNG image"));
        let jpeg = b"\xff\xd8\xff\xe0\0\x04JF\xff\xc0\0\x11\x08\x01\xe0\x02\x80\x03";
        assert_eq!(describe(jpeg).as_deref(), Some("JPEG image, 640 x 480"));
        assert_eq!(describe(b"\xff\xd8\xff\xe0\0\0").as_deref(), Some("JPEG image"));
        assert_eq!(describe(b"GIF89a\x0a\0\x05\0").as_deref(), Some("GIF image, 10 x 5"));
        assert_eq!(describe(b"text"), None);
    }
}
