//! The formats of payloads, their names, and the content types that state them.

use super::PayloadDecoding;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PayloadFormat {
    Json,
    /// CBOR (RFC 8949).
    Cbor,
    /// CBOR items without an array around them (RFC 8742).
    CborSequence,
    MessagePack,
    /// Sparkplug B, in protocol buffers.
    Sparkplug,
    /// Protocol buffers, with or without a schema.
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
    As(PayloadFormat),
    /// A format that is not supported.
    Other,
    /// No format.
    Nothing,
}

impl PayloadDecoding {
    /// The values that a user can select, in the order of the help.
    pub(crate) const ALL: [PayloadDecoding; 16] = [
        PayloadDecoding::Auto,
        PayloadDecoding::Text,
        PayloadDecoding::Hex,
        PayloadDecoding::As(PayloadFormat::Json),
        PayloadDecoding::As(PayloadFormat::Cbor),
        PayloadDecoding::As(PayloadFormat::MessagePack),
        PayloadDecoding::As(PayloadFormat::CborSequence),
        PayloadDecoding::As(PayloadFormat::Sparkplug),
        PayloadDecoding::As(PayloadFormat::Protobuf),
        PayloadDecoding::Wire,
        PayloadDecoding::As(PayloadFormat::Gzip),
        PayloadDecoding::As(PayloadFormat::Zlib),
        PayloadDecoding::As(PayloadFormat::Deflate),
        PayloadDecoding::As(PayloadFormat::Zstd),
        PayloadDecoding::As(PayloadFormat::Lz4),
        PayloadDecoding::As(PayloadFormat::Snappy),
    ];

    /// The name in options, and its description in the help.
    pub(crate) fn name(self) -> (&'static str, &'static str) {
        match self {
            PayloadDecoding::Auto => ("auto", "By content type, topic and shape"),
            PayloadDecoding::Text => ("text", "Text if valid, otherwise bytes"),
            PayloadDecoding::Hex => ("hex", "Bytes"),
            PayloadDecoding::Wire => ("wire", "Protocol buffers, as fields by number"),
            PayloadDecoding::As(format) => format.names(),
        }
    }
}

impl PayloadFormat {
    /// Whether it is a compression of another payload.
    pub(super) fn is_compression(self) -> bool {
        match self {
            PayloadFormat::Gzip
            | PayloadFormat::Zlib
            | PayloadFormat::Deflate
            | PayloadFormat::Zstd
            | PayloadFormat::Lz4
            | PayloadFormat::Snappy
            | PayloadFormat::Bzip2
            | PayloadFormat::Xz => true,
            PayloadFormat::Json
            | PayloadFormat::Cbor
            | PayloadFormat::CborSequence
            | PayloadFormat::MessagePack
            | PayloadFormat::Sparkplug
            | PayloadFormat::Protobuf => false,
        }
    }

    /// The name in options and in JSON.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        self.names().0
    }

    /// The name, and its description in the help.
    pub(super) fn names(self) -> (&'static str, &'static str) {
        match self {
            PayloadFormat::Json => ("json", "JSON"),
            PayloadFormat::Cbor => ("cbor", "CBOR"),
            PayloadFormat::CborSequence => ("cbor-seq", "CBOR items without an array around them"),
            PayloadFormat::MessagePack => ("msgpack", "MessagePack"),
            PayloadFormat::Sparkplug => ("sparkplug", "Sparkplug B"),
            PayloadFormat::Protobuf => ("protobuf", "Protocol buffers, by the schema or as fields by number"),
            PayloadFormat::Gzip => ("gzip", "Compressed with gzip"),
            PayloadFormat::Zlib => ("zlib", "Compressed with zlib"),
            PayloadFormat::Deflate => ("deflate", "Compressed with deflate, without a header"),
            PayloadFormat::Zstd => ("zstd", "Compressed with Zstandard"),
            PayloadFormat::Lz4 => ("lz4", "Compressed with LZ4, in frames"),
            PayloadFormat::Snappy => ("snappy", "Compressed with Snappy, in frames or one block"),
            PayloadFormat::Bzip2 => ("bzip2", "Compressed with bzip2"),
            PayloadFormat::Xz => ("xz", "Compressed with XZ"),
        }
    }
}

impl fmt::Display for PayloadFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The format that a content type states. A structured suffix (`senml+cbor`) takes precedence, and the prefixes `x-` and `vnd.`
/// are ignored.
pub(super) fn of_content_type(content_type: &str) -> StatedFormat {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // `octet-stream` does not state a format.
    if matches!(essence.as_str(), "" | "application/octet-stream") {
        return StatedFormat::Nothing;
    }
    let subtype = essence.split_once('/').map_or(essence.as_str(), |(_, subtype)| subtype);
    let name = subtype.rsplit('+').next().unwrap_or(subtype);
    let name = name.strip_prefix("vnd.").unwrap_or(name);
    StatedFormat::As(match name.strip_prefix("x-").unwrap_or(name) {
        "json" => PayloadFormat::Json,
        "cbor" => PayloadFormat::Cbor,
        "cbor-seq" => PayloadFormat::CborSequence,
        "msgpack" | "messagepack" => PayloadFormat::MessagePack,
        "gzip" => PayloadFormat::Gzip,
        "zlib" => PayloadFormat::Zlib,
        "deflate" => PayloadFormat::Deflate,
        "zstd" => PayloadFormat::Zstd,
        "lz4" => PayloadFormat::Lz4,
        "snappy" | "snappy-framed" => PayloadFormat::Snappy,
        "bzip2" => PayloadFormat::Bzip2,
        "xz" => PayloadFormat::Xz,
        _ => return StatedFormat::Other,
    })
}
