//! The screen of a terminal after a program has written to it, as far as `mq` uses a terminal's features.

/// The rows of a terminal of these columns after these bytes, up to the last one with text.
pub fn screen(bytes: &[u8], columns: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut screen = Screen { rows: vec![vec![]], row: 0, column: 0, columns, wraps: true };
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\r' => screen.column = 0,
            '\n' => screen.down(),
            '\u{1b}' => {
                // CSI: parameters up to a letter. A sequence that is not complete yet is the end.
                let sequence: String =
                    characters.by_ref().skip(1).take_while(|c| !c.is_ascii_alphabetic()).collect();
                let consumed = text.len() - characters.as_str().len();
                let end = text[..consumed].chars().last().unwrap_or_default();
                screen.obey(&sequence, end);
            }
            character => screen.put(character),
        }
    }
    let rows = screen.rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned());
    let mut rows: Vec<String> = rows.collect();
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    rows
}

struct Screen {
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    columns: usize,
    wraps: bool,
}

impl Screen {
    fn down(&mut self) {
        self.row += 1;
        if self.row == self.rows.len() {
            self.rows.push(vec![]);
        }
    }

    fn put(&mut self, character: char) {
        if self.column == self.columns {
            if self.wraps {
                self.column = 0;
                self.down();
            } else {
                self.column -= 1;
            }
        }
        let row = &mut self.rows[self.row];
        row.resize(row.len().max(self.column + 1), ' ');
        row[self.column] = character;
        self.column += 1;
    }

    fn obey(&mut self, parameters: &str, end: char) {
        let count = parameters.parse().unwrap_or(1);
        match (parameters, end) {
            (_, 'A') => self.row = self.row.saturating_sub(count),
            ("", 'K') => self.rows[self.row].truncate(self.column),
            ("", 'J') => {
                self.rows[self.row].truncate(self.column);
                self.rows.truncate(self.row + 1);
            }
            ("?7", 'h') => self.wraps = true,
            ("?7", 'l') => self.wraps = false,
            (_, 'm') => {}
            (parameters, end) => panic!("unknown to this terminal: CSI {parameters}{end}"),
        }
    }
}
