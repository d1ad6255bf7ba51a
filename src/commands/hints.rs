//! What hosted brokers mean by their refusals, most of which are a closed connection without a word.

use crate::error::Error;
use crate::protocol::ReasonCode;
use crate::service::Service;
use crate::transport::ConnectError;
use crate::transport::tls::TlsError;

/// What may be behind an error of a client of this service; `None` where nothing is known of it that other brokers have not.
pub(super) fn hint(service: Service, error: &Error) -> Option<&'static str> {
    match service {
        Service::AwsIotCore => of_aws(error),
        Service::AzureIotHub => of_iot_hub(error),
        Service::AzureEventGrid => of_event_grid(error),
    }
}

/// What brokers with filters of their own mean by denying one of these, with punctuation in front.
pub(super) fn of_denied_filter(filter: &str, reason_code: ReasonCode) -> &'static str {
    let is_taken = [ReasonCode::QUOTA_EXCEEDED, ReasonCode::TOPIC_FILTER_INVALID, ReasonCode::NOT_AUTHORIZED];
    if filter.starts_with("$exclusive/") && is_taken.contains(&reason_code) {
        "; with EMQX, another client has this exclusive subscription, or they are not enabled"
    } else if filter.starts_with("$share/") {
        "; not every broker shares subscriptions: RabbitMQ does not, nor does Azure Event Grid"
    } else {
        ""
    }
}

fn of_aws(error: &Error) -> Option<&'static str> {
    match error {
        Error::Connect(ConnectError::Tls(TlsError::CertificateRefused { .. })) => Some(
            "is the certificate of --cert registered with AWS IoT Core in this account and region, and active?",
        ),
        Error::Refused {
            reason: ReasonCode::NOT_AUTHORIZED | ReasonCode::BAD_USER_NAME_OR_PASSWORD, ..
        } => Some(
            "does the policy allow iot:Connect for this client identifier (-i)? --preset aws --authorizer NAME logs in by a custom authorizer",
        ),
        Error::Connect(ConnectError::Tls(TlsError::Protocol { .. })) => {
            Some("--preset aws offers what AWS IoT Core expects on port 443")
        }
        Error::Closed(_) | Error::Lost(_) | Error::Disconnected { .. } => Some(
            "AWS IoT Core says no more when the certificate is not active, when its policy does not allow what was done (iot:Connect with this client identifier, iot:Publish, iot:Subscribe), or when the same identifier connects again; --preset aws checks its limits before anything is sent",
        ),
        _ => None,
    }
}

fn of_iot_hub(error: &Error) -> Option<&'static str> {
    match error {
        Error::Refused { reason: ReasonCode::UNSUPPORTED_PROTOCOL_VERSION, .. } => {
            Some("IoT hubs speak MQTT 3.1.1 alone: -V 311, or --preset azure-iothub")
        }
        Error::Refused { .. } => Some(
            "an IoT hub refuses a token that has expired, is signed with another key or is for another device; --preset azure-iothub --device ID --sas-key-file FILE signs one for each connection",
        ),
        Error::Closed(_) | Error::Lost(_) => Some(
            "an IoT hub ends a connection at topics other than its own, at QoS 2, when the token expires, and when the same device connects again; --preset azure-iothub checks topics and QoS before anything is sent",
        ),
        _ => None,
    }
}

fn of_event_grid(error: &Error) -> Option<&'static str> {
    match error {
        Error::Refused { reason: ReasonCode::BAD_AUTHENTICATION_METHOD, .. } => Some(
            "Event Grid takes OAUTH2-JWT with tokens of Microsoft Entra and CUSTOM-JWT with those of other issuers, where the namespace allows it",
        ),
        Error::Refused { reason: ReasonCode::QUOTA_EXCEEDED, .. } => Some(
            "a namespace allows only so many sessions for each user name; -i ID comes back to one instead of beginning another",
        ),
        Error::Refused { .. } | Error::Authentication(_) => Some(
            "is the client registered under this user name (-u), and is the token for https://eventgrid.azure.net/ (its aud)?",
        ),
        Error::Denied(_) => Some(
            "are topics like this in a topic space, with a permission binding or a role (EventGrid TopicSpaces Publisher or Subscriber) for this client?",
        ),
        Error::Closed(_) | Error::Lost(_) => Some(
            "Event Grid ends a connection at QoS 2, at RETAIN in MQTT 3.1.1 and beyond its limits; --preset azure-eventgrid checks them before anything is sent",
        ),
        _ => None,
    }
}
