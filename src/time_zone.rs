//! Local time: TZ as the C library reads it, else /etc/localtime.

use jiff::tz::TimeZone;
use std::ffi::OsStr;
use std::path::Path;

/// Where the C library looks for time zones.
const DATABASES: [&str; 3] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo"];

/// The hours of an offset that the C library takes at most; it reads more as this many.
const MAX_HOURS: u32 = 24;

/// The local time zone, and a note where TZ does not name one that can be read, which means UTC.
pub(crate) fn local() -> (TimeZone, Option<String>) {
    let of_system = TimeZone::try_system();
    let variable = std::env::var_os("TZ").filter(|value| !value.is_empty());
    match (of_system, variable) {
        (Ok(zone), _) => (zone, None),
        // As in a container without any time zone.
        (Err(_), None) => (TimeZone::UTC, None),
        (Err(_), Some(value)) => named(&value),
    }
}

/// The C library's result for values that are neither names in the database nor POSIX rules.
fn named(value: &OsStr) -> (TimeZone, Option<String>) {
    let shown = value.to_string_lossy();
    let name = shown.strip_prefix(':').unwrap_or(&shown);
    if let Some(zone) = with_bounded_offset(name) {
        return (zone, None);
    }
    match (of_file(name), name.starts_with("right/")) {
        (Some(zone), false) => (zone, None),
        (Some(zone), true) => {
            (zone, Some(format!("TZ={shown}: leap seconds are not counted in the times shown")))
        }
        (None, _) => (TimeZone::UTC, Some(format!("TZ={shown} is not a known time zone; times are in UTC"))),
    }
}

/// A file below the database, as `posix/Europe/Paris`, or any file by its absolute path.
fn of_file(name: &str) -> Option<TimeZone> {
    if name.split('/').any(|part| part == "..") {
        return None;
    }
    DATABASES.iter().find_map(|database| {
        let content =
            crate::input_file::read(&Path::new(database).join(name), crate::input_file::LIMIT).ok()?;
        let name = name.strip_prefix("posix/").or(name.strip_prefix("right/")).unwrap_or(name);
        TimeZone::tzif(name, &content).ok()
    })
}

/// `XYZ-25`, which is `XYZ-24` for the C library; other rules are read elsewhere.
fn with_bounded_offset(rule: &str) -> Option<TimeZone> {
    let sign = rule.find(['+', '-']).or_else(|| rule.find(|character: char| character.is_ascii_digit()))?;
    let (name, offset) = rule.split_at(sign);
    let digits = offset.trim_start_matches(['+', '-']);
    let (hours, rest) = digits.split_at(digits.find(':').unwrap_or(digits.len()));
    let hours: u32 = hours.parse().ok().filter(|hours| *hours > MAX_HOURS)?;
    let sign = if offset.starts_with('-') { "-" } else { "" };
    let bounded = format!("{name}{sign}{}{rest}", hours.min(MAX_HOURS));
    TimeZone::posix(&bounded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn shown(value: &str) -> (String, bool) {
        let (zone, note) = named(OsStr::new(value));
        let zoned = Timestamp::UNIX_EPOCH.to_zoned(zone);
        (zoned.strftime("%z %Z").to_string(), note.is_some())
    }

    #[test]
    fn offsets_are_bounded_as_the_c_library_does_it() {
        assert_eq!(shown("XYZ-25"), ("+2400 XYZ".to_owned(), false));
        assert_eq!(shown("XYZ99:30"), ("-2430 XYZ".to_owned(), false));
    }

    #[test]
    fn an_unknown_zone_is_utc_and_reported() {
        for value in ["Nowhere/At_All", "../../etc/passwd", "\u{1b}", "-", "right/Nowhere"] {
            assert_eq!(shown(value), ("+0000 UTC".to_owned(), true), "{value}");
        }
    }
}
