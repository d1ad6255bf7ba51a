//! Times as text. Many packets share a second, so its text is cached.

use crate::inspect::timing::SECOND;
use jiff::Timestamp;
use jiff::tz::TimeZone;

#[derive(Debug)]
pub(in crate::inspect) struct TimeFormatter {
    format: &'static str,
    zone: TimeZone,
    second: Option<u64>,
    /// The text of `second`, with the decimal point.
    text: String,
}

impl TimeFormatter {
    /// RFC 3339 in UTC, up to the seconds.
    pub(in crate::inspect) fn rfc_3339() -> TimeFormatter {
        TimeFormatter::new("%Y-%m-%dT%H:%M:%S", TimeZone::UTC)
    }

    /// The local time of day.
    pub(in crate::inspect) fn time_of_day() -> TimeFormatter {
        TimeFormatter::new("%H:%M:%S", crate::time_zone::local().0)
    }

    fn new(format: &'static str, zone: TimeZone) -> TimeFormatter {
        TimeFormatter { format, zone, second: None, text: String::new() }
    }

    /// Appends a time in nanoseconds since 1970, with this number of digits after the decimal point, at most nine.
    pub(in crate::inspect) fn write(&mut self, time: u64, digits: u32, out: &mut Vec<u8>) {
        let (second, rest) = (time / SECOND, time % SECOND);
        if self.second != Some(second) {
            self.second = Some(second);
            let timestamp = i64::try_from(second).ok().and_then(|second| Timestamp::from_second(second).ok());
            let zoned = timestamp.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone.clone());
            self.text = jiff::fmt::strtime::format(self.format, &zoned).unwrap_or_default();
            self.text.push('.');
        }
        out.extend_from_slice(self.text.as_bytes());
        out.extend_from_slice(nine_digits(rest as u32).get(..digits as usize).unwrap_or_default());
    }
}

/// The nine digits of a number below a billion.
fn nine_digits(number: u32) -> [u8; 9] {
    let mut rest = number;
    let mut digits = [b'0'; 9];
    for digit in digits.iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    digits
}
