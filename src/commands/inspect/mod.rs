//! `mq inspect`: what is on the wire, decoded, with what is wrong.

mod typed;
mod viewer;

use super::Messages;
use crate::cli::inspect::InspectArgs;
use crate::error::{Error, ExitStatus};
use crate::inspect::Inspector;
use viewer::Viewer;

pub(super) fn run(args: &InspectArgs, _messages: Messages) -> Result<ExitStatus, Error> {
    let inspector = Inspector::new(args.protocol_version);
    let mut viewer = Viewer::new(args);
    typed::run(args, inspector, &mut viewer)?;
    viewer.finish()
}
