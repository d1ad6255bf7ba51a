//! A panic on request, so that tests see the terminal after one. Release builds do not read the variable.

/// The variable with the name of the thread that panics.
const VARIABLE: &str = "TEST_PANIC_OF_MQ_TOP";

/// Panics if the variable names this thread, in a build with debug assertions.
pub(super) fn panic_if_asked(thread: &str) {
    if cfg!(debug_assertions) && std::env::var_os(VARIABLE).is_some_and(|name| name == *thread) {
        panic!("requested by a test in the {thread} thread");
    }
}
