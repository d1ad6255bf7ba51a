//! The topics of a broker on a screen: `mq top`.
//!
//! - `model` has the topics in memory; `feed` receives into it on a thread of its own as long as `reception` says, `replay` fills it from a recording.
//! - `app` is the state of the screen and the effect of keys, `acting` the actions of its prompts; `layout`, `title`, `table`, `detail` and
//!   `chart` draw it into the cells of a frame.
//! - `terminal` writes frames, `events` reads keys and signals, and `run` joins all of it. `editor` has the user's editor in between.
//!
//! Strangers' text reaches a cell only through `text::line`, which escapes and cuts it.

mod acting;
mod app;
mod canvas;
mod chart;
mod content;
mod delivery;
mod detail;
mod diff;
mod editor;
mod events;
mod fault;
mod feed;
mod footer;
mod image;
mod keys;
mod layout;
mod model;
mod palette;
mod payload_file;
mod playback;
mod prompt;
mod reception;
mod replay;
mod replay_source;
mod run;
mod scene;
mod sys;
mod table;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod title;
pub(crate) mod words;

pub(crate) use app::Settings;
pub(crate) use events::Ending;
pub(crate) use feed::{Connection, Feed, FeedError, Shared, requests};
pub(crate) use model::{Limits, SortKey};
pub(crate) use palette::Palette;
pub(crate) use playback::{Playback, ReplayError};
pub(crate) use reception::receive;
pub(crate) use replay::Player;
pub(crate) use run::{Source, run};
pub(crate) use terminal::restore;
