//! Decides by the variables NO_COLOR, CLICOLOR_FORCE and CLICOLOR whether output is coloured.
//!
//! NO_COLOR has the last word, as both conventions want it (no-color.org, bixense.com/clicolors). The crate `colored` lets
//! CLICOLOR_FORCE win, and takes an empty variable for one that is set.

use std::io::{IsTerminal, stdout};

/// Applies the variables to all output.
pub(super) fn follow_variables() {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let is_on = |name| set(name).map(|value| value != "0");
    let is_coloured = match (set("NO_COLOR"), is_on("CLICOLOR_FORCE")) {
        (Some(_), _) => false,
        (None, Some(true)) => true,
        (None, _) => is_on("CLICOLOR").unwrap_or(true) && stdout().is_terminal(),
    };
    colored::control::set_override(is_coloured);
}
