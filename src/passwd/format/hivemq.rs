//! HiveMQ's file RBAC extension: `credentials.xml`. Only the users' passwords are edited in the text, so that comments, order
//! and roles stay unchanged.

use super::{
    Change, Document, FormatError, Index, PasswordCheck, ROLE, Secret, Settings, User, choose_role, digest,
};
use crate::passwd::{Hash, Password, Scheme};
use roxmltree::{Node, ParsingOptions};
use std::ops::Range;
use zeroize::Zeroizing;

/// The salt length of the extension's own tool: letters and digits, hashed as text.
const SALT_LEN: usize = 32;

/// A limit on the XML nodes, well above the size of any real credentials file.
const MAX_NODES: u32 = 10_000_000;

#[derive(Debug)]
pub(super) struct HiveMq {
    text: String,
    entries: Vec<UserElement>,
    index: Index,
    /// The range of the `<users>` element.
    users: Range<usize>,
    /// The indentation of a user.
    indent: String,
    role: Option<String>,
    roles: Vec<String>,
}

/// A user, as read and as it will be written.
#[derive(Debug)]
struct UserElement {
    name: String,
    password: String,
    /// The position in the text; `None` for a new user.
    source: Option<ElementRanges>,
    is_changed: bool,
    is_removed: bool,
}

#[derive(Debug)]
struct ElementRanges {
    user: Range<usize>,
    /// The end of the name, where a missing password is inserted.
    name_end: usize,
    password: Option<Range<usize>>,
}

fn new_document(role: &str) -> String {
    let role = escape(role);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<file-rbac>
    <users>
    </users>
    <roles>
        <role>
            <id>{role}</id>
            <permissions>
                <permission>
                    <topic>#</topic>
                </permission>
            </permissions>
        </role>
    </roles>
</file-rbac>
"
    )
}

impl HiveMq {
    pub(super) fn open(text: Option<&str>, settings: &Settings) -> Result<HiveMq, FormatError> {
        let wanted = settings.role.as_deref();
        let text = text.map_or_else(|| new_document(wanted.unwrap_or(ROLE)), str::to_owned);
        let mut document = HiveMq::read(text)?;
        let known: Vec<&str> = document.roles.iter().map(String::as_str).collect();
        document.role = choose_role(wanted, &known)?;
        Ok(document)
    }

    fn read(text: String) -> Result<HiveMq, FormatError> {
        let invalid = |text: String| FormatError::Document(text);
        check_encoding(&text).map_err(invalid)?;
        let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
        let tree = roxmltree::Document::parse_with_options(&text, options)
            .map_err(|error| invalid(format!("not an XML document: {error}")))?;
        let root = tree.root_element();
        if !root.has_tag_name("file-rbac") {
            return Err(invalid(format!("expected <file-rbac> but found <{}>", root.tag_name().name())));
        }
        let users = child(root, "users").ok_or_else(|| invalid("missing <users>".to_owned()))?;
        let mut entries = Vec::new();
        let mut index = Index::default();
        for user in users.children().filter(|node| node.has_tag_name("user")) {
            let entry = UserElement::read(user).ok_or_else(|| {
                let line = tree.text_pos_at(user.range().start).row;
                invalid(format!("the user on line {line} has no <name>"))
            })?;
            if !index.note(&entry.name, entries.len()) {
                return Err(invalid(format!("duplicate user {:?}", entry.name)));
            }
            entries.push(entry);
        }
        let roles = role_names(root);
        let (users, indent) = (users.range(), indent_of(&text, &entries));
        drop(tree);
        Ok(HiveMq { text, entries, index, users, indent, role: None, roles })
    }

    /// The position where users are added: before the closing tag and the blanks in front of it.
    fn end_of_users(&self) -> usize {
        let element = self.text.get(self.users.clone()).unwrap_or_default();
        let inside = element.rfind("</").and_then(|end| element.get(..end)).unwrap_or_default();
        self.users.start + inside.trim_end().len()
    }

    fn is_self_closing(&self) -> bool {
        self.text.get(self.users.clone()).is_some_and(|element| element.ends_with("/>"))
    }

    fn new_users(&self) -> String {
        let new = self.entries.iter().filter(|entry| entry.source.is_none() && !entry.is_removed);
        new.map(|entry| self.element(entry)).collect()
    }

    /// The XML element of a user, on lines of its own.
    fn element(&self, entry: &UserElement) -> String {
        let indent = &self.indent;
        let (name, password) = (escape(&entry.name), escape(&entry.password));
        let role = escape(self.role.as_deref().unwrap_or_default());
        let lines = [
            "<user>".to_owned(),
            format!("    <name>{name}</name>"),
            format!("    <password>{password}</password>"),
            "    <roles>".to_owned(),
            format!("        <id>{role}</id>"),
            "    </roles>".to_owned(),
            "</user>".to_owned(),
        ];
        lines.iter().map(|line| format!("\n{indent}{line}")).collect()
    }

    /// The replacements in the text, in order.
    fn edits(&self) -> Vec<(Range<usize>, String)> {
        let mut edits: Vec<(Range<usize>, String)> =
            self.entries.iter().filter_map(|entry| entry.edit(&self.text)).collect();
        let new = self.new_users();
        if !new.is_empty() && self.is_self_closing() {
            let name_end = self.users.end - "/>".len();
            edits.push((name_end..self.users.end, format!(">{new}\n</users>")));
        } else if !new.is_empty() {
            let end = self.end_of_users();
            edits.push((end..end, new));
        }
        edits
    }
}

impl UserElement {
    fn read(user: Node<'_, '_>) -> Option<UserElement> {
        let (name, password) = (child(user, "name")?, child(user, "password"));
        let source = ElementRanges {
            user: user.range(),
            name_end: name.range().end,
            password: password.map(|node| node.range()),
        };
        Some(UserElement {
            name: text_of(name),
            password: password.map(text_of).unwrap_or_default(),
            source: Some(source),
            is_changed: false,
            is_removed: false,
        })
    }

    fn edit(&self, text: &str) -> Option<(Range<usize>, String)> {
        let source = self.source.as_ref()?;
        if self.is_removed {
            let before = text.get(..source.user.start).unwrap_or_default();
            return Some((before.trim_end().len()..source.user.end, String::new()));
        }
        let element = format!("<password>{}</password>", escape(&self.password));
        let place = source.password.clone().unwrap_or(source.name_end..source.name_end);
        self.is_changed.then_some((place, element))
    }

    fn hash(&self) -> Result<Hash, String> {
        match self.password.trim().split(':').collect::<Vec<_>>().as_slice() {
            [salt, iterations, digest] => digest::pbkdf2_of(iterations, salt, digest),
            _ => Err("malformed hash; the form is SALT:ITERATIONS:HASH".to_owned()),
        }
    }
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// The concatenated text of an element, without comments.
fn text_of(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|text| text.text()).collect()
}

fn role_names(root: Node<'_, '_>) -> Vec<String> {
    let roles = child(root, "roles").into_iter().flat_map(|roles| roles.children());
    roles.filter_map(|role| child(role, "id")).map(text_of).collect()
}

/// The indentation of the first user, or the default.
fn indent_of(text: &str, entries: &[UserElement]) -> String {
    let first = entries.first().and_then(|entry| entry.source.as_ref());
    let before = first.and_then(|source| text.get(..source.user.start));
    let line = before.and_then(|before| before.rsplit('\n').next());
    let blank = line.filter(|line| line.chars().all(char::is_whitespace));
    blank.unwrap_or("        ").to_owned()
}

/// The text was read as UTF-8; with another encoding, HiveMQ would read different names.
fn check_encoding(text: &str) -> Result<(), String> {
    let declaration =
        text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")).map(|(inside, _)| inside);
    let encoding = declaration.and_then(|inside| inside.split_once("encoding")).map(|(_, rest)| rest);
    match encoding {
        Some(rest) if !rest.to_ascii_lowercase().contains("utf-8") => {
            Err("the encoding is not UTF-8; convert the file first".to_owned())
        }
        _ => Ok(()),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The extension puts names into topics, and rejects names that would be wildcards there.
pub(super) fn problem_of(name: &str) -> Option<String> {
    if name.contains(['#', '+']) {
        return Some("has an MQTT wildcard, which HiveMQ's extension rejects".to_owned());
    }
    let is_refused = name.contains(['\u{fffe}', '\u{ffff}']);
    is_refused.then(|| "has a character that XML cannot represent".to_owned())
}

pub(super) fn secret(password: &Password, settings: &Settings) -> Result<Secret, FormatError> {
    let salt = alphanumeric_salt()?;
    let (iterations, salt_len) = (settings.iterations, salt.len());
    let scheme = Scheme::Pbkdf2Sha512 { iterations, salt_len };
    scheme.check()?;
    let hash = scheme.hash_with_salt(password, salt)?;
    let (salt, digest) = (digest::to_base64(hash.salt()), digest::to_base64(hash.digest()));
    Ok(Secret::whole(format!("{salt}:{iterations}:{digest}")))
}

/// Uses rejection sampling, so that all 62 characters are equally likely.
fn alphanumeric_salt() -> Result<Vec<u8>, FormatError> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut salt = Vec::with_capacity(SALT_LEN);
    while salt.len() < SALT_LEN {
        let bytes = digest::random::<SALT_LEN>()?;
        let letters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 63)));
        salt.extend(letters.take(SALT_LEN - salt.len()));
    }
    Ok(salt)
}

impl Document for HiveMq {
    fn users(&self) -> Vec<User> {
        let entries = self.entries.iter().filter(|entry| !entry.is_removed);
        entries.map(|entry| digest::describe(&entry.name, entry.hash())).collect()
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<Change, FormatError> {
        let password = secret.hash.to_string();
        if let Some(entry) = self.index.find(name).and_then(|place| self.entries.get_mut(place)) {
            entry.password = password;
            entry.is_changed = true;
            return Ok(Change::Updated);
        }
        if self.role.is_none() {
            return Err(FormatError::Setting(format!(
                "the new user {name:?} needs a role, or HiveMQ rejects the file; known roles: {:?}",
                self.roles
            )));
        }
        self.index.note(name, self.entries.len());
        let name = name.to_owned();
        self.entries.push(UserElement { name, password, source: None, is_changed: true, is_removed: false });
        Ok(Change::Added)
    }

    fn remove(&mut self, name: &str) -> bool {
        // The entry is kept, since its range is still to be removed from the text.
        let entry = self.index.take(name).and_then(|place| self.entries.get_mut(place));
        entry.map(|entry| entry.is_removed = true).is_some()
    }

    fn verify(&self, name: &str, password: &Password) -> PasswordCheck {
        let entry = self.index.find(name).and_then(|place| self.entries.get(place));
        entry.map_or(PasswordCheck::UnknownUser, |entry| digest::verify(entry.hash(), password))
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut text = String::with_capacity(self.text.len());
        let mut copied = 0;
        for (range, replacement) in self.edits() {
            text.push_str(self.text.get(copied..range.start).unwrap_or_default());
            text.push_str(&replacement);
            copied = range.end;
        }
        text.push_str(self.text.get(copied..).unwrap_or_default());
        Zeroizing::new(text.into_bytes())
    }
}
