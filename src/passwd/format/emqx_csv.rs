//! EMQX's users as CSV. EMQX splits lines at each comma and does not support quotes, so some names cannot be represented.
//! It trims cells, and rejects the whole file if one line is bad.

use super::emqx::Hashing;
use super::lines::Lines;
use super::{Change, Document, FormatError, Index, PasswordCheck, Secret, Settings, User};
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
    lines: Lines,
    columns: CsvColumns,
    /// The line index of each user.
    index: Index,
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
}

impl EmqxCsv {
    pub(super) fn open(text: Option<&str>, settings: &Settings) -> Result<EmqxCsv, FormatError> {
        let lines = Lines::parse(text.unwrap_or(HEADER));
        let columns = CsvColumns::of(lines.find(0).unwrap_or_default())?;
        let hashing = Hashing::of(settings)?;
        let index = Index::default();
        let mut document = EmqxCsv { lines, columns, index, hashing, is_superuser: settings.is_superuser };
        document.index = document.read_names()?;
        Ok(document)
    }

    fn read_names(&self) -> Result<Index, FormatError> {
        let mut index = Index::default();
        for (place, line) in self.lines.all().skip(1) {
            let failed = |problem| Err(FormatError::Line { number: place + 1, problem });
            let cells: Vec<&str> = line.split(',').map(str::trim).collect();
            if cells.len() != self.columns.count {
                return failed(format!(
                    "expected {} cells as in the header but found {}; EMQX does not support quotes",
                    self.columns.count,
                    cells.len()
                ));
            }
            let name = cells.get(self.columns.name).copied().unwrap_or_default();
            if !index.note(name, place) {
                return failed(format!("duplicate user {name:?}"));
            }
        }
        Ok(index)
    }

    fn cells(&self, place: usize) -> Vec<&str> {
        self.lines.find(place).unwrap_or_default().split(',').map(str::trim).collect()
    }

    /// The hash and the salt of the user in this line.
    fn parts(&self, place: usize) -> (&str, &str) {
        let cells = self.cells(place);
        let cell = |column: Option<usize>| column.and_then(|column| cells.get(column)).copied();
        (cell(Some(self.columns.hash)).unwrap_or_default(), cell(self.columns.salt).unwrap_or_default())
    }
}

impl Document for EmqxCsv {
    fn users(&self) -> Vec<User> {
        let describe = |(place, line): (usize, &str)| {
            let name = line.split(',').nth(self.columns.name).unwrap_or_default().trim();
            self.hashing.describe(name, self.parts(place).0)
        };
        self.lines.all().skip(1).map(describe).collect()
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<Change, FormatError> {
        let salt = secret.salt.as_deref().unwrap_or_default();
        if self.columns.salt.is_none() && !salt.is_empty() {
            let problem = "missing column \"salt\"".to_owned();
            return Err(FormatError::Line { number: 1, problem });
        }
        let found = self.index.find(name);
        let mut cells: Vec<String> = match found {
            Some(place) => self.cells(place).into_iter().map(str::to_owned).collect(),
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
        if found.is_none() {
            put(self.columns.is_superuser, if self.is_superuser { "true" } else { "false" });
        }
        let place = self.lines.put(found, &cells.join(","));
        self.index.note(name, place);
        Ok(if found.is_some() { Change::Updated } else { Change::Added })
    }

    fn remove(&mut self, name: &str) -> bool {
        let removed = self.index.remove(name).map(|place| self.lines.remove(place));
        removed.is_some()
    }

    fn verify(&self, name: &str, password: &Password) -> PasswordCheck {
        let Some(place) = self.index.find(name) else { return PasswordCheck::UnknownUser };
        let (hash, salt) = self.parts(place);
        self.hashing.verify(hash, salt, password)
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.lines.to_bytes()
    }
}
