//! Client identifiers and credentials: made from a template, or taken from the client's row of a file.

use super::generator::GeneratorState;
use super::run_id::RunId;
use super::template::{Template, Values};
use std::borrow::Cow;
use std::sync::Arc;

/// Client identifiers and credentials of all clients.
#[derive(Debug, Clone)]
pub(crate) struct Identities {
    pub client_id: ClientIds,
    pub username: Option<Template>,
    pub password: Option<Secret>,
    /// The rows of a file, one per client; empty without a file.
    pub rows: Arc<[Row]>,
}

/// The source of a client identifier that is not in a row.
#[derive(Debug, Clone)]
pub(crate) enum ClientIds {
    /// This prefix, then the run, a letter for the client's kind, and a number.
    Prefix(String),
    /// A text that contains the client's number.
    Template(Template),
}

/// The source of passwords.
#[derive(Debug, Clone)]
pub(crate) enum Secret {
    /// The same for all, byte for byte.
    Same(Vec<u8>),
    /// A text that contains the client's number.
    Template(Template),
}

/// One client's row of a file. Missing fields are as for all other clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub client_id: Option<String>,
    pub username: Option<String>,
    pub password: Option<Vec<u8>>,
}

/// A client's place in the run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientIndex {
    pub run: RunId,
    /// Its number among all clients of all shards, counted from 0.
    pub number: u32,
    /// A letter for the client's kind.
    pub kind: char,
    /// Its number among the clients of this kind.
    pub number_of_kind: u32,
}

impl Identities {
    /// The client identifier; with a short prefix at most 23 bytes, which is all that MQTT 3.1 allows.
    pub(crate) fn client_id(&self, index: ClientIndex) -> String {
        if let Some(id) = self.row(index).and_then(|row| row.client_id.clone()) {
            return id;
        }
        match &self.client_id {
            ClientIds::Prefix(prefix) => {
                format!("{prefix}-{}-{}{}", index.run, index.kind, index.number_of_kind)
            }
            ClientIds::Template(template) => fill_in(template, index, ""),
        }
    }

    /// The user name.
    pub(crate) fn username(&self, index: ClientIndex) -> Option<Cow<'_, str>> {
        if let Some(name) = self.row(index).and_then(|row| row.username.as_deref()) {
            return Some(name.into());
        }
        let template = self.username.as_ref()?;
        Some(fill_in(template, index, &self.client_id(index)).into())
    }

    pub(crate) fn password(&self, index: ClientIndex) -> Option<Cow<'_, [u8]>> {
        if let Some(password) = self.row(index).and_then(|row| row.password.as_deref()) {
            return Some(password.into());
        }
        match self.password.as_ref()? {
            Secret::Same(bytes) => Some(bytes.into()),
            Secret::Template(template) => {
                Some(fill_in(template, index, &self.client_id(index)).into_bytes().into())
            }
        }
    }

    fn row(&self, index: ClientIndex) -> Option<&Row> {
        self.rows.get(index.number as usize)
    }
}

/// The text of a template for a client with this identifier.
pub(super) fn fill_in(template: &Template, index: ClientIndex, client: &str) -> String {
    let mut text = String::new();
    let values = Values {
        run: index.run,
        publisher: index.number,
        subscriber: 0,
        client,
        sequence: 0,
        generators: GeneratorState::default(),
    };
    template.fill_in(&values, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identities() -> Identities {
        Identities {
            client_id: ClientIds::Prefix("mq".to_owned()),
            username: Some(Template::of_client("user{i}").unwrap()),
            password: Some(Secret::Template(Template::of_client("{client}!{i}").unwrap())),
            rows: Arc::default(),
        }
    }

    const INDEX: ClientIndex = ClientIndex { run: RunId(0x1a2b), number: 12, kind: 's', number_of_kind: 2 };

    #[test]
    fn templates_are_filled_in_for_each_client() {
        let identities = identities();
        assert_eq!(identities.client_id(INDEX), "mq-00001a2b-s2");
        assert_eq!(identities.username(INDEX).unwrap(), "user12");
        assert_eq!(identities.password(INDEX).unwrap().as_ref(), b"mq-00001a2b-s2!12");
        let id = ClientIds::Template(Template::of_client("dev-{i}").unwrap());
        assert_eq!(Identities { client_id: id, ..identities }.client_id(INDEX), "dev-12");
    }

    #[test]
    fn a_row_overrides_only_its_own_cells() {
        let row = Row { client_id: Some("one".to_owned()), password: Some(vec![0xff]), ..Row::default() };
        let rows = std::iter::repeat_n(Row::default(), 12).chain([row]).collect();
        let identities = Identities { rows, ..identities() };
        assert_eq!(identities.client_id(INDEX), "one");
        assert_eq!(identities.username(INDEX).unwrap(), "user12");
        assert_eq!(identities.password(INDEX).unwrap().as_ref(), [0xff]);
        let other = ClientIndex { number: 3, ..INDEX };
        assert_eq!(identities.username(other).unwrap(), "user3");
    }

    #[test]
    fn a_password_that_is_the_same_for_all_is_no_template() {
        let password = Some(Secret::Same(b"{i}".to_vec()));
        assert_eq!(Identities { password, ..identities() }.password(INDEX).unwrap().as_ref(), b"{i}");
    }
}
