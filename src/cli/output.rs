//! How `mq sub` and `mq rr` print messages.

use crate::output::{Layout, Printer};
use clap::{ArgAction, Args};

/// How messages are printed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Print the topic in front of the payload
    #[arg(short = 'v', long, action = ArgAction::SetTrue)]
    pub verbose: bool,
    /// Print no line end after a message
    #[arg(short = 'N', long = "no-newline", action = ArgAction::SetTrue)]
    pub no_newline: bool,
}

impl OutputArgs {
    /// What prints messages so.
    pub fn printer(&self) -> Printer {
        let layout = if self.verbose { Layout::TopicAndPayload } else { Layout::Payload };
        Printer::new(layout, !self.no_newline)
    }
}
