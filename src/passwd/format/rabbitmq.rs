//! RabbitMQ's definitions: users, and their permissions in a virtual host. A user without a permission cannot even connect.

use super::json::{self, UserList};
use super::{Algorithm, Change, Document, FormatError, PasswordCheck, Secret, Settings, User, digest};
use crate::passwd::Password;
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// The length of RabbitMQ's salts.
const SALT_LEN: usize = 4;

#[derive(Debug)]
pub(super) struct RabbitMq {
    list: UserList,
    algorithm: Algorithm,
    virtual_host: String,
}

impl RabbitMq {
    pub(super) fn open(text: Option<&str>, settings: &Settings) -> Result<RabbitMq, FormatError> {
        let algorithm = algorithm_of(settings)?;
        let virtual_host = settings.virtual_host.clone();
        let parse = |text: &str| UserList::parse(text, Some("users"), "name");
        let mut list = match text {
            Some(text) => parse(text)?,
            // A broker that starts from definitions does not create the default virtual host.
            None => parse(&format!(
                "{}\n",
                json!({"vhosts": [{"name": virtual_host}], "users": [], "permissions": []})
            ))?,
        };
        if text.is_none() {
            list.lay_out();
        }
        if list.root().get("permissions").is_some_and(|permissions| !permissions.is_array()) {
            return Err(FormatError::Document("\"permissions\" is not an array".to_owned()));
        }
        Ok(RabbitMq { list, algorithm, virtual_host })
    }

    /// Permits everything in the virtual host, unless the user already has a permission there.
    fn permit(&mut self, name: &str) {
        let Some(root) = self.list.root().as_object_mut() else { return };
        let permissions = root.entry("permissions").or_insert_with(|| Value::Array(Vec::new()));
        let Some(permissions) = permissions.as_array_mut() else { return };
        let is_here = |permission: &Value| {
            json::text(permission, "user") == Some(name)
                && json::text(permission, "vhost") == Some(&self.virtual_host)
        };
        if !permissions.iter().any(is_here) {
            permissions.push(json!({
                "user": name, "vhost": self.virtual_host, "configure": ".*", "write": ".*", "read": ".*"
            }));
        }
    }
}

fn algorithm_of(settings: &Settings) -> Result<Algorithm, FormatError> {
    match settings.algorithm.unwrap_or(Algorithm::Sha256) {
        algorithm @ (Algorithm::Sha256 | Algorithm::Sha512) => Ok(algorithm),
        other => {
            Err(FormatError::Setting(format!("RabbitMQ does not support {other}, only SHA-256 and SHA-512")))
        }
    }
}

fn module_of(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Sha512 => "rabbit_password_hashing_sha512",
        Algorithm::Sha256 | Algorithm::Pbkdf2Sha256 | Algorithm::Pbkdf2Sha512 => {
            "rabbit_password_hashing_sha256"
        }
    }
}

pub(super) fn secret(password: &Password, settings: &Settings) -> Result<Secret, FormatError> {
    if password.is_empty() {
        return Err(FormatError::Password("is empty, which RabbitMQ always rejects"));
    }
    let salt = digest::random::<SALT_LEN>()?;
    Ok(Secret::whole(hash(password, &salt, algorithm_of(settings)?)))
}

fn hash(password: &Password, salt: &[u8], algorithm: Algorithm) -> String {
    let parts = [salt, password.as_bytes()];
    let digest = if algorithm == Algorithm::Sha512 { digest::sha512(parts) } else { digest::sha256(parts) };
    digest::to_base64(&[salt, &digest].concat())
}

/// The salt, the algorithm and the whole hash of a user.
fn parts(user: &Value) -> Result<(Vec<u8>, Algorithm, &str), String> {
    let hash = json::text(user, "password_hash").filter(|hash| !hash.is_empty());
    let hash = hash.ok_or("it has no password_hash")?;
    let algorithm = match json::text(user, "hashing_algorithm") {
        None | Some("rabbit_password_hashing_sha256") => Algorithm::Sha256,
        Some("rabbit_password_hashing_sha512") => Algorithm::Sha512,
        Some(other) => return Err(format!("unsupported hashing_algorithm {other:?}")),
    };
    let wanted = SALT_LEN + if algorithm == Algorithm::Sha512 { 64 } else { 32 };
    let mut bytes = digest::from_base64(hash).filter(|bytes| bytes.len() == wanted);
    let bytes = bytes.as_mut().ok_or_else(|| format!("the hash is not Base64 of {wanted} bytes"))?;
    bytes.truncate(SALT_LEN);
    Ok((std::mem::take(bytes), algorithm, hash))
}

impl Document for RabbitMq {
    fn users(&self) -> Vec<User> {
        let describe = |(name, user): (&str, &Value)| {
            let scheme = match parts(user) {
                Ok((_, algorithm, _)) => algorithm.to_string(),
                Err(problem) => format!("unusable: {problem}"),
            };
            User { name: name.to_owned(), scheme, is_weak: true }
        };
        self.list.all().map(describe).collect()
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<Change, FormatError> {
        let module = module_of(self.algorithm);
        let change = self.list.set(name, |user, change| {
            user.insert("password_hash".to_owned(), secret.hash.as_str().into());
            user.insert("hashing_algorithm".to_owned(), module.into());
            if change == Change::Added {
                user.insert("tags".to_owned(), json!([]));
            }
        });
        if change == Change::Added {
            self.permit(name);
        }
        Ok(change)
    }

    /// Also removes the permissions: RabbitMQ does not import permissions of unknown users.
    fn remove(&mut self, name: &str) -> bool {
        for key in ["permissions", "topic_permissions"] {
            if let Some(permissions) = self.list.root().get_mut(key).and_then(Value::as_array_mut) {
                permissions.retain(|permission| json::text(permission, "user") != Some(name));
            }
        }
        self.list.remove(name)
    }

    fn verify(&self, name: &str, password: &Password) -> PasswordCheck {
        match self.list.find(name).map(parts) {
            None => PasswordCheck::UnknownUser,
            Some(Err(problem)) => PasswordCheck::Unusable(problem),
            // RabbitMQ always rejects an empty password.
            Some(Ok(_)) if password.is_empty() => PasswordCheck::Wrong,
            Some(Ok((salt, algorithm, stored))) => {
                let computed = hash(password, &salt, algorithm);
                digest::verdict(digest::are_equal(computed.as_bytes(), stored.as_bytes()))
            }
        }
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.list.to_bytes()
    }
}
