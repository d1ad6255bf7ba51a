//! Entry points for fuzzers: texts that users write. Compiled for tests and with `--cfg fuzzing` only.

pub use super::bench::fuzzing::scenarios;
pub use super::bridge::fuzzing::bridge_files;
pub use super::config::fuzzing::configurations;
use super::option_file::lines;
use super::url::{Url, page, proxy};
use super::{Names, command};
use crate::transport::Proxy;

thread_local! {
    static COMMAND: clap::Command = command();
}

/// Reads an option file of `mq pub`; of mosquitto_pub if the input has an odd length.
pub fn option_files(bytes: &[u8]) {
    COMMAND.with(|command| {
        let publish = command.find_subcommand("pub").expect("there is mq pub");
        let names = if bytes.len().is_multiple_of(2) { Names::Mq } else { Names::Mosquitto };
        match lines(publish, names, bytes) {
            Ok(lines) => {
                let count = bytes.split(|byte| *byte == b'\n').count();
                for line in lines {
                    assert!((1..=count).contains(&line.number));
                    assert!(!line.word.is_empty() && !line.option.is_empty());
                }
            }
            Err((number, problem)) => assert!(number > 0 && !problem.is_empty()),
        }
    });
}

/// Reads the URL of a broker, a proxy and a page.
pub fn urls(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for names in [Names::Mq, Names::Mosquitto] {
        if let Ok(url) = Url::parse(text, names) {
            assert!(!url.host.is_empty() || text.to_ascii_lowercase().starts_with("unix:"), "{text:?}");
            assert_ne!(url.port, Some(0));
            drop(url.topic());
            drop(url.raw_path());
        }
    }
    // These two differ only in schemes that are known but not offered.
    assert_eq!(Url::parse(text, Names::Mq).is_ok(), Url::parse_of_broker(text, Names::Mq).is_ok());
    if let Ok(proxy) = proxy(text) {
        assert!(!proxy.host.is_empty() && proxy.port > 0);
        let bare = Proxy { credentials: None, ..proxy.clone() };
        assert_eq!(format!("{proxy} {proxy:?}"), format!("{bare} {bare:?}"), "credentials are not shown");
    }
    if let Ok(page) = page(text) {
        assert!(!page.host.is_empty() && page.path.starts_with('/'), "{text:?}");
    }
}
