//! The keys of the screen, with their descriptions for the help.

/// A group of keys: its title, and each key with its effect.
pub(super) type Group = (&'static str, &'static [(&'static str, &'static str)]);

/// The most important keys: of the table, with the pane of a message, with the panel of the broker, and of a replay.
pub(super) const OF_TABLE: &str =
    "? keys|q quit|/ filter|space fold|Enter message|p pause|f follow|N C R A S sort";
pub(super) const OF_MESSAGE: &str =
    "? keys|q quit|Esc close|v next view|J K scroll|[ ] fold|p pause|f follow|e export";
pub(super) const OF_PANEL: &str = "? keys|q quit|Esc close|J K scroll|p pause";
pub(super) const OF_REPLAY: &str =
    "? keys|q quit|o stop|+ - speed|, . seek|/ filter|Enter message|N C R A S sort";

/// All keys, in the order of the help.
pub(super) const GROUPS: &[Group] = &[
    (
        "Move",
        &[
            ("↑ ↓ j k", "one row"),
            ("PgUp PgDn", "one page"),
            ("Home End g G", "first, last row"),
            ("← h", "fold, or one level up"),
            ("→ l", "unfold"),
            ("space", "fold or unfold"),
            ("1 to 9, 0", "unfold N levels, all"),
        ],
    ),
    (
        "Show",
        &[
            ("/", "filter: text a/# ~regex"),
            ("", "payloads: =text =~regex"),
            ("Esc", "remove the filter, close"),
            ("N C R A S", "sort by that column"),
            ("t", "tree or list"),
            ("f", "follow the latest message"),
            ("p", "pause the display"),
            ("Enter", "message of the topic"),
            ("$", "statistics of the broker"),
            ("Tab", "next broker"),
            ("m", "mouse off, to select text"),
            ("Shift+drag", "select text with mouse on"),
        ],
    ),
    (
        "Message",
        &[
            ("v V", "next, previous view"),
            ("J K", "scroll"),
            ("[ ]", "fold, unfold JSON"),
            ("< > F", "field of the chart, path"),
        ],
    ),
    (
        "Act",
        &[
            ("n", "publish a message"),
            ("r", "publish it again"),
            ("x X", "delete retained, below"),
            ("y Y", "copy topic, payload"),
            ("s u", "subscribe, unsubscribe"),
            ("e", "export the history"),
        ],
    ),
    ("Replay", &[("o", "stop, continue"), ("+ -", "faster, slower"), (", .", "10 s back, forward")]),
    ("End", &[("?", "these keys"), ("q Ctrl-C", "quit"), ("Ctrl-Z", "suspend"), ("Ctrl-L", "draw again")]),
];
