//! The version of the program, in a line or with all details in which builds of one version differ.

use std::env::consts::{ARCH, OS};
use std::ffi::OsString;

/// The version and the features of the build.
#[cfg(feature = "psk")]
pub(crate) const VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), " (TLS by rustls with ring, psk by OpenSSL)");
/// The version and the features of the build.
#[cfg(not(feature = "psk"))]
pub(crate) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (TLS by rustls with ring, no psk)");

/// The commit, if the builder names it. Reading it from git would make builds from an archive differ from those of a clone.
const COMMIT: Option<&str> = option_env!("MQ_COMMIT");

/// Whether these words, without the program's name, ask for all of it.
pub(super) fn is_verbose(words: &[OsString]) -> bool {
    let is_version = |word: &OsString| word == "--version" || word == "-V";
    match words {
        [first, second] => {
            (is_version(first) && second == "--verbose") || (first == "--verbose" && is_version(second))
        }
        _ => false,
    }
}

/// A line for each fact.
pub(super) fn verbose() -> String {
    let mut features = Vec::new();
    if cfg!(feature = "psk") {
        features.push("psk");
    }
    if cfg!(feature = "sqlite") {
        features.push("sqlite");
    }
    let features = if features.is_empty() { "none".to_owned() } else { features.join(", ") };
    let tls = if cfg!(feature = "psk") { "rustls with ring; OpenSSL for --psk" } else { "rustls with ring" };
    let linking = if cfg!(target_env = "musl") { ", static" } else { "" };
    format!(
        "mq {}\ncommit    {}\nfeatures  {features}\nTLS       {tls}\nplatform  {OS}, {ARCH}{linking}\n",
        env!("CARGO_PKG_VERSION"),
        COMMIT.filter(|commit| !commit.is_empty()).unwrap_or("unknown"),
    )
}
