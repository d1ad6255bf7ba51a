//! The brokers of `mq top`, each in a tab.

use super::Error;
use super::config::side;
use super::session::ClientArgs;
use super::top::TopArgs;

/// The option with further brokers.
const ALSO: &str = "--also";

/// The client of a tab.
#[derive(Debug, Clone)]
pub(crate) struct TabBroker {
    pub(crate) client: ClientArgs,
    /// Whether it is that of a profile of its own, so that a typed password is not for it.
    pub(crate) is_of_profile: bool,
}

/// The brokers of a command line. Those of a URL differ from the first one in the URL only.
///
/// # Errors
/// If a profile does not exist, or is invalid.
pub(crate) fn brokers(args: &TopArgs) -> Result<Vec<TabBroker>, Error> {
    let further = args.also.iter().map(|also| {
        if !also.contains("://") {
            let client = side::client_of_profile(ALSO, also)?;
            return Ok(TabBroker { client, is_of_profile: true });
        }
        let mut client = args.client.clone();
        (client.connection.host, client.connection.port) = (None, None);
        client.network.lead_to(also, ALSO);
        Ok(TabBroker { client, is_of_profile: false })
    });
    let first = TabBroker { client: args.client.clone(), is_of_profile: false };
    [Ok(first)].into_iter().chain(further).collect()
}
