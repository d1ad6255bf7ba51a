//! The keys of the screen, with their descriptions for the help.

/// A group of keys: its title, and each key with its effect.
pub(super) type Group = (&'static str, &'static [(&'static str, &'static str)]);

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
            ("m", "mouse on or off"),
        ],
    ),
    (
        "Message",
        &[
            ("v V", "next, previous view"),
            ("J K", "scroll"),
            ("[ ]", "fold, unfold JSON"),
            ("< >", "field of the chart"),
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
