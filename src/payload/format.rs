//! The formats of payloads, their names, and the content types that state them.

use std::fmt;

/// A format of payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// CBOR (RFC 8949).
    Cbor,
    /// CBOR items without an array around them (RFC 8742).
    CborSequence,
    /// MessagePack.
    MessagePack,
    /// Sparkplug B, in protocol buffers.
    Sparkplug,
    /// Protocol buffers without a schema.
    Protobuf,
    /// Gzip (RFC 1952).
    Gzip,
    /// Zlib (RFC 1950).
    Zlib,
    /// Deflate without a header (RFC 1951).
    Deflate,
    /// Zstandard (RFC 8878).
    Zstd,
    /// LZ4 frames.
    Lz4,
    /// Snappy, framed or one block.
    Snappy,
    /// Bzip2; recognised, but not decompressed.
    Bzip2,
    /// XZ; recognised, but not decompressed.
    Xz,
}

/// The format that a content type or a topic states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatedFormat {
    /// This one.
    As(Format),
    /// One that is not decoded here.
    Other,
    /// None.
    Nothing,
}

impl Format {
    /// The formats that a user can ask for.
    pub const SELECTABLE: [Format; 12] = [
        Format::Json,
        Format::Cbor,
        Format::CborSequence,
        Format::MessagePack,
        Format::Sparkplug,
        Format::Protobuf,
        Format::Gzip,
        Format::Zlib,
        Format::Deflate,
        Format::Zstd,
        Format::Lz4,
        Format::Snappy,
    ];

    /// Whether it is a compression of another payload.
    pub(super) fn is_compression(self) -> bool {
        match self {
            Format::Gzip
            | Format::Zlib
            | Format::Deflate
            | Format::Zstd
            | Format::Lz4
            | Format::Snappy
            | Format::Bzip2
            | Format::Xz => true,
            Format::Json
            | Format::Cbor
            | Format::CborSequence
            | Format::MessagePack
            | Format::Sparkplug
            | Format::Protobuf => false,
        }
    }

    /// Its name in options and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Cbor => "cbor",
            Format::CborSequence => "cbor-seq",
            Format::MessagePack => "msgpack",
            Format::Sparkplug => "sparkplug",
            Format::Protobuf => "protobuf",
            Format::Gzip => "gzip",
            Format::Zlib => "zlib",
            Format::Deflate => "deflate",
            Format::Zstd => "zstd",
            Format::Lz4 => "lz4",
            Format::Snappy => "snappy",
            Format::Bzip2 => "bzip2",
            Format::Xz => "xz",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The format that a content type states. The structured suffix (`senml+cbor`) counts before the name, and the prefixes `x-` and `vnd.`
/// do not count.
pub(super) fn of_content_type(content_type: &str) -> StatedFormat {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // `octet-stream` states no more than that there are bytes.
    if matches!(essence.as_str(), "" | "application/octet-stream") {
        return StatedFormat::Nothing;
    }
    let subtype = essence.split_once('/').map_or(essence.as_str(), |(_, subtype)| subtype);
    let name = subtype.rsplit('+').next().unwrap_or(subtype);
    let name = name.strip_prefix("vnd.").unwrap_or(name);
    StatedFormat::As(match name.strip_prefix("x-").unwrap_or(name) {
        "json" => Format::Json,
        "cbor" => Format::Cbor,
        "cbor-seq" => Format::CborSequence,
        "msgpack" | "messagepack" => Format::MessagePack,
        "gzip" => Format::Gzip,
        "zlib" => Format::Zlib,
        "deflate" => Format::Deflate,
        "zstd" => Format::Zstd,
        "lz4" => Format::Lz4,
        "snappy" | "snappy-framed" => Format::Snappy,
        "bzip2" => Format::Bzip2,
        "xz" => Format::Xz,
        _ => return StatedFormat::Other,
    })
}
