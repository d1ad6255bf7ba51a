//! `mq inspect`: what is on the wire, decoded, with what is wrong.

mod capture;
mod key_log;
mod typed;
mod viewer;

use super::Messages;
use crate::cli::inspect::InspectArgs;
use crate::error::{Error, ExitStatus};
use crate::inspect::Inspector;
use key_log::Known;
use std::io::{self, IsTerminal};
use viewer::Viewer;

pub(super) fn run(args: &InspectArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let inspector = Inspector::new(args.protocol_version);
    let mut viewer = Viewer::new(args);
    if args.hex.is_some() || args.base64.is_some() {
        typed::run(args, inspector, &mut viewer)?;
    } else if args.file.is_none() && io::stdin().is_terminal() {
        return Err(Error::Usage("name a capture, or pipe one to standard input".to_owned()));
    } else {
        let secrets = Known::open(args.tls_keylog.as_deref())?;
        let result = capture::run(args.file.as_deref(), &secrets, inspector, &mut viewer);
        // What came before a mistake is shown nonetheless.
        viewer.flush()?;
        result?.iter().for_each(|note| messages.say(note));
    }
    viewer.finish()
}
