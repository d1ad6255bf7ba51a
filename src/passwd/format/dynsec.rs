//! mosquitto's dynamic security plugin. A client has its hash in three keys, which both 2.0 and 2.1 read. 2.1 itself writes a
//! single key, `encoded_password`, which 2.0 does not know.

use super::json::{self, UserList};
use super::{
    Change, Document, FormatError, PasswordCheck, ROLE, Secret, Settings, User, choose_role, digest,
};
use crate::passwd::{Hash, Password, Scheme};
use serde_json::{Value, json};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// The only salt length that mosquitto 2.0 accepts.
const SALT_LEN: usize = 12;

/// The initial document of mosquitto_ctrl: clients without a role may receive and unsubscribe. `#` does not match `$` topics.
fn new_document(role: &str) -> String {
    json!({
        "defaultACLAccess": {
            "publishClientSend": false, "publishClientReceive": true, "subscribe": false, "unsubscribe": true
        },
        "clients": [],
        "groups": [],
        "roles": [{
            "rolename": role,
            "acls": [
                {"acltype": "publishClientSend", "topic": "#", "priority": 0, "allow": true},
                {"acltype": "subscribePattern", "topic": "#", "priority": 0, "allow": true}
            ]
        }]
    })
    .to_string()
        + "\n"
}

#[derive(Debug)]
pub(super) struct Dynsec {
    list: UserList,
    role: Option<String>,
}

impl Dynsec {
    pub(super) fn open(text: Option<&str>, settings: &Settings) -> Result<Dynsec, FormatError> {
        let wanted = settings.role.as_deref();
        let new = text.is_none().then(|| new_document(wanted.unwrap_or(ROLE)));
        let mut list =
            UserList::parse(new.as_deref().or(text).unwrap_or_default(), Some("clients"), "username")?;
        if new.is_some() {
            list.lay_out();
        }
        // The plugin does not load a client with an unknown role.
        let roles = list.root().get("roles").and_then(Value::as_array).into_iter().flatten();
        let known: Vec<&str> = roles.filter_map(|role| json::text(role, "rolename")).collect();
        let role = choose_role(wanted, &known)?;
        Ok(Dynsec { list, role })
    }
}

pub(super) fn secret(password: &Password, settings: &Settings) -> Result<Secret, FormatError> {
    let scheme = Scheme::Pbkdf2Sha512 { iterations: settings.iterations, salt_len: SALT_LEN };
    let hash = scheme.hash(password)?;
    let (salt, iterations) = (digest::to_base64(hash.salt()), Some(settings.iterations));
    Ok(Secret { hash: digest::to_base64(hash.digest()).into(), salt: Some(salt), iterations })
}

/// The hash of a client: the key that 2.1 writes, or else the three keys.
fn hash_of(client: &Value) -> Result<Hash, String> {
    if let Some(encoded) = json::text(client, "encoded_password") {
        return Hash::parse(encoded.as_bytes()).map_err(|error| error.to_string());
    }
    let key = |key| json::text(client, key).ok_or_else(|| format!("it has no {key}"));
    let iterations = client.get("iterations").ok_or("it has no iterations")?.to_string();
    digest::pbkdf2_of(&iterations, key("salt")?, key("password")?)
}

impl Document for Dynsec {
    fn users(&self) -> Vec<User> {
        let describe = |(name, client): (&str, &Value)| {
            let mut user = digest::describe(name, hash_of(client));
            if client.get("disabled") == Some(&Value::Bool(true)) {
                user.scheme += ", disabled";
            }
            user
        };
        self.list.all().map(describe).collect()
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<Change, FormatError> {
        let role = self.role.as_deref();
        Ok(self.list.set(name, |client, change| {
            if change == Change::Added {
                let roles: Vec<Value> = role.into_iter().map(|role| json!({"rolename": role})).collect();
                client.insert("roles".to_owned(), roles.into());
            }
            client.shift_remove("encoded_password");
            client.insert("password".to_owned(), secret.hash.as_str().into());
            client.insert("salt".to_owned(), secret.salt.as_deref().into());
            client.insert("iterations".to_owned(), secret.iterations.map(NonZeroU32::get).into());
        }))
    }

    /// Also removes the client from its groups, which would otherwise refer to an unknown client.
    fn remove(&mut self, name: &str) -> bool {
        let groups = self.list.root().get_mut("groups").and_then(Value::as_array_mut).into_iter().flatten();
        for clients in groups.filter_map(|group| group.get_mut("clients")?.as_array_mut()) {
            clients.retain(|client| json::text(client, "username") != Some(name));
        }
        self.list.remove(name)
    }

    fn verify(&self, name: &str, password: &Password) -> PasswordCheck {
        let client = self.list.find(name);
        client.map_or(PasswordCheck::UnknownUser, |client| digest::verify(hash_of(client), password))
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.list.to_bytes()
    }
}
