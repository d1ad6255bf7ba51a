//! The options of `mq sub`.

use super::connection::DiagnosticArgs;
use super::output::OutputArgs;
use super::session::ClientArgs;
use super::values;
use crate::protocol::{Qos, RetainHandling, TopicFilter};
use clap::{ArgAction, Args};
use std::time::Duration;

/// What `mq sub` takes.
#[derive(Debug, Clone, Args)]
#[command(
    override_usage = "mq sub [OPTIONS] {-t FILTER... | -U FILTER...}",
    after_help = "\
Examples:
  mq sub -t 'home/#' -v                  all topics below home/, each with its topic
  mq sub -t home/door -C 1 -W 10         the next message, or exit status 27 after 10 seconds
  mq sub -t 'home/#' --retained-only -v  what the broker keeps, then exit
  mq sub -t jobs -i worker -c -q 1       nothing is missed while the client is away
  mq sub -t '$share/workers/jobs'        share the messages with others of the group
  mq sub -t 'home/#' -F '@H:@M %t %p'    the time, the topic and the payload
  mq sub -t 'home/#' --json | jq .       whatever the payloads hold; docs/json.md tells the keys

Exit status: 0 done, 1 no connection, 2 usage, 3 the broker denied a subscription, 5 it refused the
connection, 7 the connection was lost, 27 timed out, 130 and 143 interrupted."
)]
pub struct SubscribeArgs {
    /// A topic filter to subscribe to; + stands for one level, # for all that follow. Can be repeated
    #[arg(short = 't', long = "topic", value_name = "FILTER", required_unless_present = "unsubscribe", value_parser = values::topic_filter, help_heading = "Subscription")]
    pub topic: Vec<TopicFilter>,
    /// The highest QoS to receive at
    #[arg(short = 'q', long, default_value = "0", value_parser = values::qos, help_heading = "Subscription")]
    pub qos: Qos,
    /// Leave out messages whose topic matches. Can be repeated
    #[arg(short = 'T', long, value_name = "FILTER", value_parser = values::topic_filter, help_heading = "Subscription")]
    pub filter_out: Vec<TopicFilter>,
    /// A topic filter to unsubscribe from, in a session that was kept. Can be repeated
    #[arg(short = 'U', long, value_name = "FILTER", value_parser = values::topic_filter, help_heading = "Subscription")]
    pub unsubscribe: Vec<TopicFilter>,
    /// Leave out messages that the broker had kept
    #[arg(short = 'R', long = "no-retained", action = ArgAction::SetTrue, conflicts_with = "retained_only", help_heading = "Subscription")]
    pub no_retained: bool,
    /// Print only messages that the broker had kept, and exit at the first other one
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Subscription")]
    pub retained_only: bool,
    /// Let RETAIN stay as it was published (MQTT 5)
    #[arg(long, action = ArgAction::SetTrue, help_heading = "Subscription")]
    pub retain_as_published: bool,
    /// Whether kept messages are sent on subscribing: always, new or never (MQTT 5)
    #[arg(long, value_name = "WHEN", default_value = "always", value_parser = retain_handling, help_heading = "Subscription")]
    pub retain_handling: RetainHandling,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Exit after this many messages
    #[arg(short = 'C', long, value_name = "MESSAGES", value_parser = values::count, help_heading = "Exit")]
    pub count: Option<u64>,
    /// Exit after this many seconds, connecting included
    #[arg(short = 'W', long, value_name = "SECONDS", value_parser = at_least_one_second, help_heading = "Exit")]
    pub timeout: Option<Duration>,
    /// Exit when the subscriptions are made, to set up a session that is kept
    #[arg(short = 'E', long = "exit-after-subscribe", action = ArgAction::SetTrue, help_heading = "Exit")]
    pub exit_after_subscribe: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    #[command(flatten)]
    pub(crate) diagnostics: DiagnosticArgs,
}

fn retain_handling(text: &str) -> Result<RetainHandling, String> {
    match text {
        "always" => Ok(RetainHandling::Always),
        "new" => Ok(RetainHandling::New),
        "never" => Ok(RetainHandling::Never),
        _ => Err("it takes always, new or never".to_owned()),
    }
}

fn at_least_one_second(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(seconds) if seconds >= 1 => Ok(Duration::from_secs(seconds)),
        _ => Err("it takes a whole number of seconds, at least 1".to_owned()),
    }
}
