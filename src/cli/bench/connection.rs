//! The connection and the login of the clients of `mq bench`: the options that all commands share, for many clients.

use super::credentials;
use super::run::{Load, Run};
use super::run_args::RunArgs;
use crate::authentication::scram;
use crate::bench::identity::{ClientIds, ClientIndex, Identities, Secret};
use crate::bench::plan::{Broker, Group, PacketProperties, Plan, Will};
use crate::bench::template::Template;
use crate::cli::Error;
use crate::cli::Names;
use crate::cli::UsageError;
use crate::client::{Authentication, Method};
use crate::protocol::property::Context;
use crate::protocol::{PropertiesBuf, PropertyId, Version};
use crate::transport::{Endpoint, Tls};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The default prefix of client identifiers.
const DEFAULT_PREFIX: &str = "mq";

/// The maximum time in which clients are connected before the load starts.
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 24 * 3600);

impl Run {
    /// The connection settings of this many clients.
    pub(super) fn broker(&self, clients: u32, groups: &[Group]) -> Result<Broker, Error> {
        let is_sn = self.args.is_sn()?;
        // The rules of MQTT 3.1.1, as MQTT-SN has them.
        let mut version = if is_sn { Version::V311 } else { self.args.client.version()? };
        let chose_version = self.args.client.connection.version.is_some();
        if self.has_shared_subscription() && version != Version::V5 && chose_version {
            return Err(Error::usage("--share needs MQTT 5: use -V 5"));
        }
        if let Some(group) = groups.iter().find(|group| group.session.session_expiry.is_some()) {
            if is_sn {
                let name = &group.name;
                let text = format!("group {name:?}: session_expiry cannot be used with an MQTT-SN gateway");
                return Err(Error::usage(text));
            }
            // As -x does.
            version = if chose_version { version } else { Version::V5 };
            if !version.is_v5() {
                let name = &group.name;
                let text = format!("group {name:?}: session_expiry needs MQTT 5: use -V 5");
                return Err(Error::usage(text));
            }
        }
        self.args.broker(version, clients, self.keep_sessions)
    }

    fn has_shared_subscription(&self) -> bool {
        matches!(&self.load, Load::Group(spec) if spec.share.is_some())
    }
}

impl RunArgs {
    fn broker(&self, version: Version, clients: u32, keeps_sessions: bool) -> Result<Broker, Error> {
        let connect = self.client.connect_properties(version)?;
        let collect = |context| self.client.properties.collect(context);
        let identities = self.identities(version)?;
        let expires = connect.as_properties().number(PropertyId::SessionExpiryInterval).is_some();
        let keeps = self.client.session.disable_clean_session || expires;
        if keeps && matches!(identities.client_id, ClientIds::Prefix(_)) && identities.rows.is_empty() {
            let text = "--disable-clean-session and -x keep sessions, which cannot be resumed without -i; add -i 'dev-{i}'";
            return Err(Error::usage(text.to_owned()));
        }
        let has_logins = identities.rows.iter().any(|row| row.username.is_some() || row.password.is_some());
        if has_logins && self.is_sn()? {
            return Err(Error::usage("--credentials: MQTT-SN 1.2 has no user names and passwords"));
        }
        let mut endpoints = self.checked_endpoints()?;
        Ok(Broker {
            endpoint: endpoints.remove(0),
            more_endpoints: endpoints,
            bind: self.client.connection.bind.as_ref().map(|bind| bind.0.clone()).unwrap_or_default(),
            version,
            keep_alive: self.client.connection.keep_alive,
            identities,
            authentication: self.authentication(version, &connect, clients)?,
            will: self.will()?,
            clean_start: !self.client.session.disable_clean_session,
            keeps_sessions,
            properties: PacketProperties {
                connect,
                publish: collect(Context::Publish)?,
                subscribe: collect(Context::Subscribe)?,
                disconnect: collect(Context::Disconnect)?,
            },
            front_processes: 0,
            forwarders: self.sn.sn_forwarders,
            watch: None,
        })
    }

    /// The endpoint of each broker; at least one.
    fn checked_endpoints(&self) -> Result<Vec<Endpoint>, Error> {
        let mut endpoints = self.endpoints()?;
        let has_tls = endpoints.iter().any(|endpoint| endpoint.tls.is_some());
        if self.embedded && has_tls {
            return Err(Error::usage("--embedded: the embedded broker does not support TLS"));
        }
        if self.tls_resume && !has_tls {
            return Err(Error::usage("--tls-resume needs TLS; add --cafile FILE"));
        }
        let can_resume = endpoints.iter().filter_map(|endpoint| endpoint.tls.as_ref()).all(Tls::can_resume);
        if self.tls_resume && !can_resume {
            return Err(Error::usage("--tls-resume: sessions with --psk are not resumed; leave it out"));
        }
        if !self.tls_resume {
            for endpoint in &mut endpoints {
                endpoint.tls = endpoint.tls.take().map(Tls::without_resumption);
            }
        }
        if self.client.network.url_topic(Names::Mq)?.is_some() {
            return Err(Error::usage("-L: set the topic with -t, which accepts a template"));
        }
        Ok(endpoints)
    }

    /// The authentication of the clients besides the fields of CONNECT.
    fn authentication(
        &self,
        version: Version,
        connect: &PropertiesBuf,
        clients: u32,
    ) -> Result<Option<Authentication>, Error> {
        let args = &self.client.authentication;
        let Some(method) = args.method(version, connect)? else { return Ok(None) };
        if args.reauthenticate.is_some() {
            let text =
                "--reauthenticate: clients of a run authenticate only once per connection; leave it out";
            return Err(Error::usage(text.to_owned()));
        }
        if self.embedded {
            let text = "--embedded: the embedded broker does not support --auth-method; use `mq broker --scram-file FILE` for SCRAM";
            return Err(Error::usage(text.to_owned()));
        }
        let memory = scram::Memory::with_room_for(clients as usize);
        Ok(Some(Authentication { method, interval: None, memory }))
    }

    fn identities(&self, version: Version) -> Result<Identities, Error> {
        let rows = match &self.credentials {
            Some(path) => credentials::read(path)?,
            None => Arc::default(),
        };
        self.client.check_characters(Names::Mq)?;
        for text in rows.iter().flat_map(|row| [&row.client_id, &row.username]).flatten() {
            self.client.connection.check_characters("--credentials", text)?;
        }
        // MQTT 5 allows a password without a user name, and so do rows with user names.
        let has_names = rows.iter().all(|row| row.username.is_some()) && !rows.is_empty();
        let allowed = if has_names { Version::V5 } else { version };
        let (username, password) = self.client.credentials(Names::Mq, allowed)?;
        if let (Some(path), None, false) = (&self.credentials, &username, version.is_v5()) {
            credentials::check_names(path, &rows, version)?;
        }
        let template = |option: &str, text: &str| {
            Template::of_client(text)
                .map_err(|error| Error::usage(UsageError::invalid(format!("{option} {text}"), error)))
        };
        let identity = &self.client.identity;
        let client_id = match &identity.id {
            Some(id) => ClientIds::Template(template("-i", id)?),
            None => {
                ClientIds::Prefix(identity.id_prefix.clone().unwrap_or_else(|| DEFAULT_PREFIX.to_owned()))
            }
        };
        // A password from a file is taken literally.
        let typed = self.client.connection.password.is_some()
            && self.client.connection.password_file.is_none()
            && !self.client.connection.is_password_offered();
        let password = match password.map(String::from_utf8) {
            Some(Ok(text)) if typed => Some(Secret::Template(Template::of_secret(&text))),
            Some(Ok(text)) => Some(Secret::Same(text.into_bytes())),
            Some(Err(bytes)) => Some(Secret::Same(bytes.into_bytes())),
            None => None,
        };
        Ok(Identities {
            client_id,
            username: username.map(|name| template("-u", &name)).transpose()?,
            password,
            rows,
        })
    }

    /// Refuses duplicate client identifiers: the broker would disconnect each client when the next one connects.
    pub(super) fn check_identities(&self, plan: &Plan) -> Result<(), Error> {
        let identities = &plan.broker.identities;
        if let Some(path) = &self.credentials {
            credentials::check_count(path, identities.rows.len(), plan.highest_number())?;
        }
        self.check_proofs(plan)?;
        let has_own = identities.rows.first().is_some_and(|row| row.client_id.is_some());
        match &identities.client_id {
            ClientIds::Template(template) if plan.clients() > 1 && !has_own && !template.names_publisher() => {
                Err(Error::usage(
                    "-i: all clients would have the same identifier; add the client's number, as in -i 'dev-{i}'"
                        .to_owned(),
                ))
            }
            ClientIds::Template(_) | ClientIds::Prefix(_) => Ok(()),
        }
    }

    /// Checks that every client has credentials for SCRAM. A worker process does not have all of them yet.
    fn check_proofs(&self, plan: &Plan) -> Result<(), Error> {
        let method = plan.broker.authentication.as_ref().map(|authentication| &authentication.method);
        let Some(&Method::Scram(algorithm)) = method.filter(|_| !self.worker) else { return Ok(()) };
        let parts = (0..plan.threads).flat_map(|thread| plan.slots_of_thread(thread));
        parts
            .map(|part| plan.client_index(part))
            .try_for_each(|index| self.check_proof(algorithm, plan, index))
    }

    fn check_proof(&self, algorithm: scram::Algorithm, plan: &Plan, index: ClientIndex) -> Result<(), Error> {
        let (identities, number) = (&plan.broker.identities, index.number);
        let (Some(username), Some(password)) = (identities.username(index), identities.password(index))
        else {
            return Err(Error::usage(format!(
                "--auth-method {} needs a user name and a password for each client, which client {number} does not have; \
                 set them with -u 'user{{i}}' and -P, or with --credentials FILE",
                algorithm.method()
            )));
        };
        if self.client.connection.ask_password && password.is_empty() {
            // A prompt will ask for it.
            return Ok(());
        }
        let checked = scram::Client::new(algorithm, &username, &password);
        checked
            .map(drop)
            .map_err(|failure| Error::usage(UsageError::invalid(format!("client {number}"), failure)))
    }

    fn will(&self) -> Result<Option<Will>, Error> {
        let Some(will) = self.client.will()? else { return Ok(None) };
        let topic = Template::of_client(&will.topic);
        let topic = topic.map_err(|error| {
            Error::usage(UsageError::invalid(format!("--will-topic {}", will.topic), error))
        })?;
        Ok(Some(Will {
            topic,
            payload: will.payload,
            qos: will.qos,
            retain: will.retain,
            properties: will.properties,
        }))
    }

    /// Refuses a start time in the past. A worker process leaves that check to its leader.
    pub(super) fn check_start(&self) -> Result<(), Error> {
        let Some(start) = self.start_at.filter(|_| !self.worker) else { return Ok(()) };
        let now = SystemTime::now();
        let problem = match (now.duration_since(start), start.duration_since(now)) {
            (Ok(passed), _) if !passed.is_zero() => format!("was {:.1} s ago", passed.as_secs_f64()),
            (_, Ok(wait)) if wait > LONGEST_WAIT => "is more than a week away".to_owned(),
            _ => return Ok(()),
        };
        Err(Error::usage(format!("--start-at: that {problem}")))
    }

    /// The shard's part of the rate.
    pub(super) fn part_of_connect_rate(&self) -> Result<Option<u32>, Error> {
        let Some((rate, shard)) = self.connect_rate.zip(self.shard) else { return Ok(self.connect_rate) };
        let part = shard.range(rate).len();
        match u32::try_from(part) {
            Ok(part) if part > 0 => Ok(Some(part)),
            _ => Err(Error::usage(format!(
                "--connect-rate {rate} cannot be shared by {} shards",
                shard.count()
            ))),
        }
    }
}
