//! Guesses the type of a file that is not a capture, so that the error message can suggest a remedy.

use std::fmt;

/// The guessed file type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    /// No bytes.
    Empty,
    /// JSON.
    Json,
    /// Text.
    Text,
    /// A program.
    Elf,
    /// Bare MQTT packets.
    Mqtt,
    /// Compressed in this format.
    Compressed(&'static str),
    /// A capture in another format.
    OtherCapture(&'static str),
    /// None of the other types.
    Unknown,
}

/// File types by magic number.
const MAGIC: [(&[u8], FileType); 27] = [
    (b"\x7fELF", FileType::Elf),
    (b"\x28\xb5\x2f\xfd", FileType::Compressed("zstd")),
    (b"\xfd7zXZ\0", FileType::Compressed("xz")),
    (b"BZh", FileType::Compressed("bzip2")),
    (b"\x04\x22\x4d\x18", FileType::Compressed("lz4")),
    (b"PK\x03\x04", FileType::Compressed("zip")),
    (b"\x1f\x8b", FileType::Compressed("gzip")),
    (b"snoop\0\0\0", FileType::OtherCapture("snoop")),
    // The usual properties, and a dictionary size that is a multiple of 64 KiB.
    (b"\x5d\0\0", FileType::Compressed("lzma")),
    (b"LZIP", FileType::Compressed("lzip")),
    (b"\x89LZO\0", FileType::Compressed("lzop")),
    (b"\x1f\x9d", FileType::Compressed("compress")),
    (b"7z\xbc\xaf\x27\x1c", FileType::Compressed("7-Zip")),
    (b"\xff\x06\0\0sNaPpY", FileType::Compressed("snappy")),
    (b"Rar!\x1a\x07", FileType::Compressed("RAR")),
    (b"\xaa\xaa\xaa\xaa", FileType::OtherCapture("5views")),
    (b"TR\0d\0", FileType::OtherCapture("nettl")),
    (b"TRSNIFF data    \x1a", FileType::OtherCapture("Sniffer")),
    (b"iptrace ", FileType::OtherCapture("iptrace")),
    (b"\x05VNF", FileType::OtherCapture("Visual Networks")),
    (b"\x01\x10", FileType::OtherCapture("LANalyzer")),
    (b"\x7fver", FileType::OtherCapture("EtherPeek")),
    (b"btsnoop\0", FileType::OtherCapture("btsnoop")),
    (b"XCP\0", FileType::OtherCapture("NetXRay")),
    (b"+---------+---------------+----------+", FileType::OtherCapture("K12")),
    (b"GMBU", FileType::OtherCapture("Network Monitor")),
    (b"RTSS", FileType::OtherCapture("Network Monitor")),
];

/// The number of bytes that are examined.
const ENOUGH: usize = 512;

/// The likely type of a file that starts with `bytes`.
pub(super) fn kind(bytes: &[u8]) -> FileType {
    let bytes = bytes.get(..ENOUGH).unwrap_or(bytes);
    if bytes.is_empty() {
        return FileType::Empty;
    }
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return *kind;
    }
    if bytes.first() == Some(&0x10) && bytes.windows(6).take(8).any(|window| window == b"\0\x04MQTT") {
        return FileType::Mqtt;
    }
    if !is_text(bytes) {
        return FileType::Unknown;
    }
    match bytes.trim_ascii_start().first() {
        Some(b'{' | b'[') => FileType::Json,
        _ => FileType::Text,
    }
}

/// Whether `bytes` are UTF-8, possibly truncated inside a character, without control characters.
fn is_text(bytes: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    is_utf8 && !bytes.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
}

impl fmt::Display for FileType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileType::Empty => f.write_str("an empty file"),
            FileType::Json => f.write_str("JSON"),
            FileType::Text => f.write_str("text"),
            FileType::Elf => f.write_str("a program (ELF)"),
            FileType::Mqtt => f.write_str("bare MQTT packets"),
            FileType::Compressed(how) => write!(f, "compressed with {how}; decompress it first"),
            FileType::OtherCapture(format) => {
                write!(f, "a capture in {format} format; convert it with 'editcap -F pcapng'")
            }
            FileType::Unknown => f.write_str("data in an unknown format"),
        }
    }
}
