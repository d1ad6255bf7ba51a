//! Password checks for the broker. They run on other threads, since each would block the broker's own; the numbers of concurrent
//! checks and of waiting clients are bounded. After several failures, and while others are pending, attempts wait (`logins`).
//!
//! An attacker learns as little as from mosquitto: a wrong password, an unknown user and a missing user name get the same answer.

use super::guesses::Attempt;
use super::logins::{Logins, Turn};
use super::network::Network;
use super::scram::{Authenticator, Denial, Reply, ScramAccess};
use crate::passwd::{Hash, HashError, Password};
use crate::protocol::{Connect, Properties, ReasonCode};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::available_parallelism;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;

#[derive(Debug, Default)]
pub(crate) struct Users {
    hashes: Vec<Hash>,
    places: HashMap<Box<str>, usize>,
    /// Chooses the hash that an unknown user's password is checked against.
    chooser: RandomState,
    /// The lines of the file that have no user, for a warning.
    pub ignored_lines: Vec<usize>,
}

impl Users {
    /// Takes users with their hashes. If a user is repeated, the last entry counts.
    pub(crate) fn new(users: impl IntoIterator<Item = (String, Hash)>) -> Users {
        let mut known = Users::default();
        for (name, hash) in users {
            known.places.insert(name.into(), known.hashes.len());
            known.hashes.push(hash);
        }
        known
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Checks a password. An unknown user takes as long as a known one: the check uses some user's hash, always the same for the
    /// same name, since hashes differ in cost.
    fn verify(&self, name: &str, password: &Password) -> Result<bool, HashError> {
        let known = self.places.get(name).copied();
        let any = || (self.chooser.hash_one(name) as usize).checked_rem(self.hashes.len());
        let Some(hash) = known.or_else(any).and_then(|place| self.hashes.get(place)) else {
            return Ok(false);
        };
        Ok(hash.verify(password)? && known.is_some())
    }
}

/// The credentials that clients need.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    /// The users with passwords; a change applies to later connections.
    pub users: Option<watch::Receiver<Arc<Users>>>,
    /// The users of SCRAM, if it is offered.
    pub scram: Option<ScramAccess>,
    /// Whether clients without a user name are accepted.
    pub allows_anonymous: bool,
    /// Whether an empty password can be correct. `mosquitto_passwd -b FILE USER ""` makes a hash of one, mostly by mistake.
    pub allows_empty_passwords: bool,
}

/// Checks clients' credentials.
#[derive(Debug)]
pub(super) struct Gate {
    access: Option<Access>,
    checks: Arc<Semaphore>,
    logins: Rc<Logins>,
}

impl Gate {
    pub(super) fn new(access: Option<Access>) -> Gate {
        let checks = Arc::new(Semaphore::new(available_parallelism().map_or(1, Into::into)));
        Gate { access, checks, logins: Rc::default() }
    }

    /// Checks user name and password.
    ///
    /// # Errors
    /// The reason code for refusing the client.
    pub(super) async fn admit(&self, connect: &Connect<'_>, network: Network) -> Result<(), ReasonCode> {
        let Some(access) = &self.access else { return Ok(()) };
        let rejected = Err(ReasonCode::NOT_AUTHORIZED);
        // As in mosquitto and in the access rules, an empty user name counts as missing.
        let Some(name) = connect.username.filter(|name| !name.is_empty()) else {
            return if access.allows_anonymous { Ok(()) } else { rejected };
        };
        let Some(users) = &access.users else { return rejected };
        let Some(Ok(password)) = connect.password.map(|bytes| Password::new(bytes.to_vec())) else {
            return rejected;
        };
        let turn = self.turn(Attempt { network, user: name }).await?;
        let users = Arc::clone(&users.borrow());
        let may_be_right = access.allows_empty_passwords || !password.is_empty();
        // An empty password is checked as well, so that the timing reveals nothing.
        let is_right = self.verify(users, name.to_owned(), password).await? && may_be_right;
        turn.end(is_right);
        if is_right { Ok(()) } else { rejected }
    }

    /// Waits until an attempt may be checked.
    ///
    /// # Errors
    /// The reason code for refusing the client, since too many attempts wait.
    pub(super) async fn turn(&self, attempt: Attempt<'_>) -> Result<Turn, ReasonCode> {
        self.logins.turn(attempt).await.ok_or(ReasonCode::SERVER_BUSY)
    }

    /// Begins an enhanced authentication.
    pub(super) fn begin(
        &self,
        method: &str,
        properties: Properties<'_>,
    ) -> Result<(Authenticator, Reply), Denial> {
        let scram = self.access.as_ref().and_then(|access| access.scram.as_ref());
        Authenticator::begin(scram, method, properties)
    }

    async fn verify(&self, users: Arc<Users>, name: String, password: Password) -> Result<bool, ReasonCode> {
        let unavailable = ReasonCode::SERVER_UNAVAILABLE;
        let permit = Arc::clone(&self.checks).acquire_owned().await.map_err(|_| unavailable)?;
        let check = spawn_blocking(move || {
            // With the thread, which goes on if the broker stops meanwhile.
            let _permit = permit;
            users.verify(&name, &password)
        });
        check.await.map_err(|_| unavailable)?.map_err(|_| unavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passwd::Scheme;

    fn password(text: &str) -> Password {
        Password::new(text.as_bytes().to_vec()).unwrap()
    }

    fn user(name: &str, text: &str) -> (String, Hash) {
        (name.to_owned(), Scheme::Sha512 { salt_len: 12 }.hash(&password(text)).unwrap())
    }

    #[test]
    fn a_password_is_right_for_its_user_alone() {
        let users = Users::new([user("ann", "one"), user("bob", "two"), user("ann", "three")]);
        assert_eq!(users.len(), 2);
        for (name, text, is_right) in [
            ("ann", "three", true),
            ("ann", "one", false),
            ("bob", "two", true),
            ("bob", "three", false),
            ("carol", "two", false),
            ("", "", false),
        ] {
            assert_eq!(users.verify(name, &password(text)), Ok(is_right), "{name} {text}");
        }
    }

    #[test]
    fn an_unknown_user_is_nobody_even_with_a_password_that_somebody_has() {
        let users = Users::new([user("ann", "secret")]);
        for number in 0..100 {
            assert_eq!(users.verify(&format!("user{number}"), &password("secret")), Ok(false));
        }
        assert_eq!(Users::default().verify("ann", &password("secret")), Ok(false));
    }
}
