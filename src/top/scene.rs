//! The data that a frame shows.

use super::content::Decoding;
use super::feed::Connection;
use super::model::Model;
use super::palette::Palette;
use jiff::tz::TimeZone;

/// The data that a frame shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) model: &'a Model,
    pub(crate) decoding: Decoding<'a>,
    pub(crate) connection: &'a Connection,
    pub(crate) palette: Palette,
    pub(crate) zone: &'a TimeZone,
    /// The milliseconds since the start.
    pub(crate) now: u64,
}
