//! The panic hook: reports the panic, which is a bug, and ends the process. Release builds could not continue anyway, and a
//! broker or load generator that continues with half of its tasks would report wrong results.

use super::{echo, print_error};
use crate::top;
use std::panic;
use std::process;

/// The exit status of a Rust program after a panic.
const STATUS: i32 = 101;

/// Ends the process after the message of any thread's panic; without a core dump, which could hold passwords.
pub(super) fn end_on_panic() {
    let default_hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        top::restore();
        echo::restore();
        default_hook(info);
        print_error("mq: this is a fault in mq itself; please report it with the lines above\n");
        process::exit(STATUS);
    }));
}
