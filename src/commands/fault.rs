//! What happens after a panic, which is a fault of ours: it is told, and the process ends. Release builds could not go on
//! anyway, and a broker or a load generator that goes on with half of its parts would tell lies.

use super::print_error;
use std::panic;
use std::process;

/// What Rust's programs end with after a panic.
const STATUS: i32 = 101;

/// Ends the process after the message of any thread's panic; without a core dump, which could hold passwords.
pub(super) fn end_on_panic() {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        tell(info);
        print_error("mq: this is a fault in mq itself; please report it with the lines above\n");
        process::exit(STATUS);
    }));
}
