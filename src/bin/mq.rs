//! The program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(mqkit::commands::run(std::env::args_os()).0)
}
