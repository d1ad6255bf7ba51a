//! EMQX's users as CSV. EMQX splits lines at each comma and does not support quotes, so some names cannot be represented.
//! It trims cells, and rejects the whole file if one line is bad.

use super::emqx::Hashing;
use super::lines::UserLines;
use super::{Change, Document, FormatError, PasswordCheck, Secret, Settings, User};
use crate::passwd::Password;
use zeroize::Zeroizing;

const HEADER: &str = "user_id,password_hash,salt,is_superuser\n";

/// The reason why a cell cannot represent the name, if it cannot.
pub(super) fn problem_of(name: &str) -> Option<String> {
    if name.contains(',') {
        return Some("has a comma, which EMQX's CSV cannot represent; use its JSON".to_owned());
    }
    (name.trim() != name).then(|| "begins or ends with a blank, which EMQX strips; use its JSON".to_owned())
}

#[derive(Debug)]
pub(super) struct EmqxCsv {
    lines: UserLines,
    columns: CsvColumns,
    hashing: Hashing,
    is_superuser: bool,
}

/// The number of columns, and the index of each known one.
#[derive(Debug, Clone, Copy, Default)]
struct CsvColumns {
    count: usize,
    name: usize,
    hash: usize,
    salt: Option<usize>,
    is_superuser: Option<usize>,
}

impl CsvColumns {
    fn of(header: &str) -> Result<CsvColumns, FormatError> {
        let names: Vec<&str> = header.split(',').map(str::trim).collect();
        let find = |wanted| names.iter().position(|&name| name == wanted);
        let (Some(name), Some(hash)) = (find("user_id"), find("password_hash")) else {
            let problem = format!("not a header; the header is {}, in any order", HEADER.trim_end());
            return Err(FormatError::Line { number: 1, problem });
        };
        let (salt, is_superuser) = (find("salt"), find("is_superuser"));
        Ok(CsvColumns { count: names.len(), name, hash, salt, is_superuser })
    }

    /// The name in a line, which must have as many cells as the header.
    fn name_in(self, line: &str) -> Result<&str, String> {
        let cells: Vec<&str> = cells(line).collect();
        if cells.len() != self.count {
            let (expected, found) = (self.count, cells.len());
            return Err(format!(
                "expected {expected} cells as in the header but found {found}; EMQX does not support quotes"
            ));
        }
        Ok(cells.get(self.name).copied().unwrap_or_default())
    }

    /// The hash and the salt in a line.
    fn secret_in(self, line: &str) -> (&str, &str) {
        let cell = |column| cells(line).nth(column).unwrap_or_default();
        (cell(self.hash), self.salt.map(cell).unwrap_or_default())
    }
}

fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(str::trim)
}

impl EmqxCsv {
    pub(super) fn open(text: Option<&str>, settings: &Settings) -> Result<EmqxCsv, FormatError> {
        let text = text.unwrap_or(HEADER);
        let columns = CsvColumns::of(text.lines().next().unwrap_or_default())?;
        let hashing = Hashing::of(settings)?;
        let lines = UserLines::parse(text, |place, line| match place {
            0 => Ok(None),
            _ => columns.name_in(line).map(Some),
        })?;
        Ok(EmqxCsv { lines, columns, hashing, is_superuser: settings.is_superuser })
    }
}

impl Document for EmqxCsv {
    fn users(&self) -> Vec<User> {
        let describe = |line: &str| {
            let name = cells(line).nth(self.columns.name).unwrap_or_default();
            self.hashing.describe(name, self.columns.secret_in(line).0)
        };
        self.lines.all().skip(1).map(describe).collect()
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<Change, FormatError> {
        let salt = secret.salt.as_deref().unwrap_or_default();
        if self.columns.salt.is_none() && !salt.is_empty() {
            let problem = "missing column \"salt\"".to_owned();
            return Err(FormatError::Line { number: 1, problem });
        }
        let found = self.lines.find(name);
        let is_new = found.is_none();
        let mut cells: Vec<String> = match found {
            Some(line) => cells(line).map(str::to_owned).collect(),
            None => vec![String::new(); self.columns.count],
        };
        let mut put = |column: Option<usize>, text: &str| {
            if let Some(cell) = column.and_then(|column| cells.get_mut(column)) {
                text.clone_into(cell);
            }
        };
        put(Some(self.columns.name), name);
        put(Some(self.columns.hash), &secret.hash);
        put(self.columns.salt, salt);
        if is_new {
            put(self.columns.is_superuser, if self.is_superuser { "true" } else { "false" });
        }
        Ok(self.lines.set(name, &cells.join(",")))
    }

    fn remove(&mut self, name: &str) -> bool {
        self.lines.remove(name)
    }

    fn verify(&self, name: &str, password: &Password) -> PasswordCheck {
        let Some(line) = self.lines.find(name) else { return PasswordCheck::UnknownUser };
        let (hash, salt) = self.columns.secret_in(line);
        self.hashing.verify(hash, salt, password)
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.lines.to_bytes()
    }
}
