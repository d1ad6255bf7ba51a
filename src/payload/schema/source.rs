//! Reads a `.proto` source: the declarations that matter for payloads. Options are skipped, except those that change the wire
//! format or the names in JSON.

use super::declaration::{
    Enum, Extension, Features, Field, File, Import, Label, MAX_DEPTH, Message, Scalar, TypeRef, json_name,
    qualified,
};
use super::tokens::{Failure, Place, Token, Tokens};
use std::collections::{HashMap, HashSet};

/// The editions whose features are known.
const EDITIONS: [&str; 2] = ["2023", "2024"];

/// Reads the text of a source. The name is for errors.
///
/// # Errors
/// The problem, with line and column.
pub(super) fn read(name: &str, text: &str) -> Result<File, String> {
    let mut parser = Parser {
        tokens: Tokens::of(text),
        ahead: Vec::new(),
        features: Features::PROTO2,
        is_edition: false,
        depth: 0,
        file: File { name: name.to_owned(), ..File::default() },
    };
    match parser.file() {
        Ok(()) => Ok(parser.file),
        Err((at, problem)) => Err(format!("{at}: {problem}")),
    }
}

struct Parser<'t> {
    tokens: Tokens<'t>,
    /// Tokens that were looked at, the next one last.
    ahead: Vec<(Token, Place)>,
    features: Features,
    is_edition: bool,
    depth: usize,
    file: File,
}

/// The options of a field that matter.
#[derive(Default)]
struct FieldOptions {
    json_name: Option<String>,
    features: Vec<(String, String)>,
}

impl Parser<'_> {
    fn file(&mut self) -> Result<(), Failure> {
        loop {
            let (token, at) = self.next()?;
            match token {
                Token::End => return Ok(()),
                Token::Symbol(';') => {}
                Token::Word(word) => self.statement(&word, at)?,
                other => return Err((at, format!("expected a declaration but found {}", other.shown()))),
            }
        }
    }

    fn statement(&mut self, word: &str, at: Place) -> Result<(), Failure> {
        match word {
            "syntax" => {
                self.symbol('=')?;
                let (syntax, at) = self.text()?;
                self.features = match syntax.as_str() {
                    "proto2" => Features::PROTO2,
                    "proto3" => Features::PROTO3,
                    _ => return Err((at, format!("unknown syntax {syntax:?}: expected proto2 or proto3"))),
                };
                self.symbol(';')
            }
            "edition" => {
                self.symbol('=')?;
                let (edition, at) = self.text()?;
                if !EDITIONS.contains(&edition.as_str()) {
                    return Err((at, format!("unknown edition {edition:?}: expected 2023 or 2024")));
                }
                (self.features, self.is_edition) = (Features::EDITIONS, true);
                self.symbol(';')
            }
            "import" => self.import(),
            "package" => {
                self.file.package = self.dotted()?;
                self.symbol(';')
            }
            "option" => self.option(),
            "message" => {
                let package = self.file.package.clone();
                self.message(&package)
            }
            "enum" => {
                let package = self.file.package.clone();
                self.enumeration(&package)
            }
            "extend" => {
                let package = self.file.package.clone();
                self.extend(&package)
            }
            "service" => {
                self.word()?;
                self.symbol('{')?;
                self.skip_block()
            }
            // Visibility in edition 2024.
            "export" | "local" if self.is_edition => Ok(()),
            _ => Err((
                at,
                format!("expected a declaration such as message, enum or import but found '{word}'"),
            )),
        }
    }

    fn import(&mut self) -> Result<(), Failure> {
        let (token, at) = self.next()?;
        if !matches!(&token, Token::Word(word) if ["public", "weak", "option"].contains(&word.as_str())) {
            self.ahead.push((token.clone(), at));
        }
        let (path, at) = self.text()?;
        let import = Import { path, place: Some(at) };
        // An import for options has no names of messages.
        if token != Token::Word("option".to_owned()) {
            self.file.imports.push(import);
        }
        self.symbol(';')
    }

    /// A statement with an option. Only features matter.
    fn option(&mut self) -> Result<(), Failure> {
        let name = self.option_name()?;
        self.symbol('=')?;
        let value = self.option_value()?;
        self.features = changed(self.features, &name, &value);
        self.symbol(';')
    }

    fn message(&mut self, scope: &str) -> Result<(), Failure> {
        let full_name = qualified(scope, &self.word()?);
        self.symbol('{')?;
        self.message_body(full_name)
    }

    /// The rest of a message, after its brace.
    fn message_body(&mut self, full_name: String) -> Result<(), Failure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let (_, at) = self.next()?;
            return Err((at, format!("messages are nested over {MAX_DEPTH} deep")));
        }
        let features = self.features;
        let mut message = Message { full_name, ..Message::default() };
        loop {
            let (token, at) = self.next()?;
            match token {
                Token::Symbol('}') => break,
                Token::Symbol(';') => {}
                Token::Word(word) => self.member(&word, at, &mut message)?,
                Token::Symbol('.') => {
                    self.ahead.push((token, at));
                    self.field(Label::Single, &mut message, None)?;
                }
                other => return Err((at, format!("expected a field or '}}' but found {}", other.shown()))),
            }
        }
        check_duplicates(&message)?;
        self.file.messages.push(message);
        self.features = features;
        self.depth -= 1;
        Ok(())
    }

    fn member(&mut self, word: &str, at: Place, message: &mut Message) -> Result<(), Failure> {
        let (next, next_at) = self.next()?;
        let is_keyword = !matches!(next, Token::Symbol('.'));
        self.ahead.push((next, next_at));
        match word {
            "message" if is_keyword => self.message(&message.full_name),
            "enum" if is_keyword => self.enumeration(&message.full_name),
            "extend" => self.extend(&message.full_name),
            "option" => self.option(),
            "reserved" | "extensions" => self.skip_statement(),
            "oneof" if is_keyword => self.oneof(message),
            "export" | "local" if self.is_edition => Ok(()),
            "optional" => {
                let features = self.features;
                self.features.has_presence = true;
                let field = self.field(Label::Single, message, None);
                self.features = features;
                field
            }
            "required" => self.field(Label::Required, message, None),
            "repeated" => self.field(Label::Repeated, message, None),
            "map" if is_keyword && matches!(self.ahead.last(), Some((Token::Symbol('<'), _))) => {
                self.map(message)
            }
            _ => {
                self.ahead.push((Token::Word(word.to_owned()), at));
                self.field(Label::Single, message, None)
            }
        }
    }

    fn oneof(&mut self, message: &mut Message) -> Result<(), Failure> {
        let name = self.word()?;
        let index = message.oneofs.len();
        message.oneofs.push(name);
        self.symbol('{')?;
        loop {
            let (token, at) = self.next()?;
            match &token {
                Token::Symbol('}') => return Ok(()),
                Token::Symbol(';') => {}
                Token::Word(word) if word == "option" => self.option()?,
                _ => {
                    self.ahead.push((token, at));
                    self.field(Label::Single, message, Some(index))?;
                }
            }
        }
    }

    /// A field, or a group with its message.
    fn field(&mut self, label: Label, message: &mut Message, oneof: Option<usize>) -> Result<(), Failure> {
        let scope = message.full_name.clone();
        let field = self.declared_field(label, &scope)?;
        let mut field = Field { oneof, ..field };
        field.features.has_presence |= oneof.is_some();
        message.fields.push(field);
        Ok(())
    }

    fn declared_field(&mut self, label: Label, scope: &str) -> Result<Field, Failure> {
        let (_, at) = self.peek()?;
        let type_name = self.dotted()?;
        let mut name = self.word()?;
        self.symbol('=')?;
        let (number, number_at) = self.integer()?;
        if !(1..=536_870_911).contains(&number) {
            return Err((number_at, format!("invalid field number {number}: expected 1 to 536870911")));
        }
        let options = self.field_options()?;
        let mut features = self.features;
        let mut label = label;
        for (key, value) in &options.features {
            features = changed(features, key, value);
            if (key.as_str(), value.as_str()) == ("features.field_presence", "LEGACY_REQUIRED") {
                label = Label::Required;
            }
        }
        let type_ref = if type_name == "group" {
            let group = qualified(scope, &name);
            name = name.to_ascii_lowercase();
            features.is_delimited = true;
            self.symbol('{')?;
            self.message_body(group.clone())?;
            TypeRef::Named(format!(".{group}"))
        } else {
            self.symbol(';')?;
            Scalar::named(&type_name).map_or(TypeRef::Named(type_name), TypeRef::Scalar)
        };
        Ok(Field {
            json_name: options.json_name.unwrap_or_else(|| json_name(&name)),
            name,
            number,
            label,
            type_ref,
            oneof: None,
            features,
            place: Some(at),
        })
    }

    /// A map, which is a repeated message of a key and a value on the wire.
    fn map(&mut self, message: &mut Message) -> Result<(), Failure> {
        let (_, at) = self.peek()?;
        self.symbol('<')?;
        let key = self.dotted()?;
        self.symbol(',')?;
        let value = self.dotted()?;
        self.symbol('>')?;
        let name = self.word()?;
        self.symbol('=')?;
        let (number, _) = self.integer()?;
        let options = self.field_options()?;
        self.symbol(';')?;
        let entry = format!("{}.{name}@entry", message.full_name);
        let features = options.features.iter();
        let features = features.fold(self.features, |all, (key, value)| changed(all, key, value));
        let checks_text = features.checks_text;
        let part = |name: &str, number, type_name: String| Field {
            name: name.to_owned(),
            json_name: name.to_owned(),
            number,
            label: Label::Single,
            type_ref: Scalar::named(&type_name).map_or(TypeRef::Named(type_name), TypeRef::Scalar),
            oneof: None,
            features: Features { checks_text, ..Features::PROTO2 },
            place: Some(at),
        };
        let fields = vec![part("key", 1, key), part("value", 2, value)];
        let field = Field {
            json_name: options.json_name.unwrap_or_else(|| json_name(&name)),
            label: Label::Repeated,
            type_ref: TypeRef::Named(format!(".{entry}")),
            ..part(&name, number, String::new())
        };
        self.file.messages.push(Message {
            full_name: entry,
            fields,
            is_map_entry: true,
            ..Message::default()
        });
        message.fields.push(field);
        Ok(())
    }

    fn extend(&mut self, scope: &str) -> Result<(), Failure> {
        let extendee = self.dotted()?;
        self.symbol('{')?;
        loop {
            let (token, at) = self.next()?;
            let label = match &token {
                Token::Symbol('}') => return Ok(()),
                Token::Symbol(';') => continue,
                Token::Word(word) if word == "repeated" => Label::Repeated,
                Token::Word(word) if word == "required" => Label::Required,
                Token::Word(word) if word == "optional" => Label::Single,
                _ => {
                    self.ahead.push((token, at));
                    Label::Single
                }
            };
            let field = self.declared_field(label, scope)?;
            let extension = Extension { extendee: extendee.clone(), scope: scope.to_owned(), field };
            self.file.extensions.push(extension);
        }
    }

    fn enumeration(&mut self, scope: &str) -> Result<(), Failure> {
        let mut declared = Enum { full_name: qualified(scope, &self.word()?), values: Vec::new() };
        self.symbol('{')?;
        loop {
            let (token, at) = self.next()?;
            match token {
                Token::Symbol('}') => break,
                Token::Symbol(';') => {}
                Token::Word(word) if word == "option" => self.skip_statement()?,
                Token::Word(word) if word == "reserved" => self.skip_statement()?,
                Token::Word(name) => {
                    self.symbol('=')?;
                    declared.values.push((name, self.enum_number()?));
                    self.field_options()?;
                    self.symbol(';')?;
                }
                other => return Err((at, format!("expected a value or '}}' but found {}", other.shown()))),
            }
        }
        self.file.enums.push(declared);
        Ok(())
    }

    fn enum_number(&mut self) -> Result<i32, Failure> {
        let (token, at) = self.peek()?;
        let is_negative = token == Token::Symbol('-');
        if is_negative {
            self.next()?;
        }
        let (number, _) = self.integer()?;
        let signed = i64::try_from(number).ok().map(|number| if is_negative { -number } else { number });
        let number = signed.and_then(|number| i32::try_from(number).ok());
        number.ok_or_else(|| (at, "the number of an enum value must fit in 32 bits".to_owned()))
    }

    /// The options in brackets behind a field, if there are any.
    fn field_options(&mut self) -> Result<FieldOptions, Failure> {
        let mut options = FieldOptions::default();
        if self.peek()?.0 != Token::Symbol('[') {
            return Ok(options);
        }
        self.next()?;
        loop {
            let name = self.option_name()?;
            self.symbol('=')?;
            let value = self.option_value()?;
            if name == "json_name" {
                options.json_name = Some(value);
            } else {
                options.features.push((name, value));
            }
            match self.next()? {
                (Token::Symbol(','), _) => {}
                (Token::Symbol(']'), _) => return Ok(options),
                (other, at) => return Err((at, format!("expected ',' or ']' but found {}", other.shown()))),
            }
        }
    }

    /// The name of an option: words and parentheses up to the equals sign, without spaces.
    fn option_name(&mut self) -> Result<String, Failure> {
        let mut name = String::new();
        loop {
            let (token, at) = self.peek()?;
            match token {
                Token::Word(word) => name.push_str(&word),
                Token::Symbol(symbol @ ('.' | '(' | ')')) => name.push(symbol),
                Token::Symbol('=') if !name.is_empty() => return Ok(name),
                other => return Err((at, format!("expected an option but found {}", other.shown()))),
            }
            self.next()?;
        }
    }

    /// The value of an option; empty if it has parts.
    fn option_value(&mut self) -> Result<String, Failure> {
        let (mut token, mut at) = self.next()?;
        if matches!(token, Token::Symbol('-' | '+')) {
            (token, at) = self.next()?;
        }
        match token {
            Token::Text(mut text) => {
                while let (Token::Text(more), _) = self.peek()? {
                    self.next()?;
                    text.push_str(&more);
                }
                Ok(text)
            }
            Token::Word(word) => Ok(word),
            Token::Integer(number) => Ok(number.to_string()),
            Token::Float => Ok(String::new()),
            Token::Symbol('{') => self.skip_block().map(|()| String::new()),
            other => Err((at, format!("expected a value but found {}", other.shown()))),
        }
    }

    /// Skips the rest of a block in braces.
    fn skip_block(&mut self) -> Result<(), Failure> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()? {
                (Token::Symbol('{'), _) => depth += 1,
                (Token::Symbol('}'), _) => depth -= 1,
                (Token::End, at) => {
                    return Err((at, "expected '}' but found the end of the file".to_owned()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn skip_statement(&mut self) -> Result<(), Failure> {
        loop {
            match self.next()? {
                (Token::Symbol(';'), _) => return Ok(()),
                (Token::Symbol('{'), _) => self.skip_block()?,
                (Token::End, at) => {
                    return Err((at, "expected ';' but found the end of the file".to_owned()));
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Token, Place), Failure> {
        self.ahead.pop().map_or_else(|| self.tokens.next(), Ok)
    }

    fn peek(&mut self) -> Result<(Token, Place), Failure> {
        let token = self.next()?;
        self.ahead.push(token.clone());
        Ok(token)
    }

    fn symbol(&mut self, expected: char) -> Result<(), Failure> {
        match self.next()? {
            (Token::Symbol(symbol), _) if symbol == expected => Ok(()),
            (other, at) => Err((at, format!("expected '{expected}' but found {}", other.shown()))),
        }
    }

    fn word(&mut self) -> Result<String, Failure> {
        match self.next()? {
            (Token::Word(word), _) => Ok(word),
            (other, at) => Err((at, format!("expected a name but found {}", other.shown()))),
        }
    }

    fn text(&mut self) -> Result<(String, Place), Failure> {
        match self.next()? {
            (Token::Text(text), at) => Ok((text, at)),
            (other, at) => Err((at, format!("expected a string but found {}", other.shown()))),
        }
    }

    fn integer(&mut self) -> Result<(u64, Place), Failure> {
        match self.next()? {
            (Token::Integer(number), at) => Ok((number, at)),
            (other, at) => Err((at, format!("expected a number but found {}", other.shown()))),
        }
    }

    /// A name of several words with dots between them, and perhaps one in front.
    fn dotted(&mut self) -> Result<String, Failure> {
        let mut name = String::new();
        if self.peek()?.0 == Token::Symbol('.') {
            self.next()?;
            name.push('.');
        }
        name.push_str(&self.word()?);
        while self.peek()?.0 == Token::Symbol('.') {
            self.next()?;
            name.push('.');
            name.push_str(&self.word()?);
        }
        Ok(name)
    }
}

/// Rejects two fields with one name or number.
fn check_duplicates(message: &Message) -> Result<(), Failure> {
    let mut names = HashSet::new();
    let mut numbers = HashMap::new();
    for field in &message.fields {
        let Some(at) = field.place else { continue };
        if !names.insert(&field.name) {
            return Err((
                at,
                format!("the field '{}' is declared twice in {}", field.name, message.full_name),
            ));
        }
        if let Some(other) = numbers.insert(field.number, &field.name) {
            let problem = format!(
                "the fields '{other}' and '{}' of {} have the same number {}",
                field.name, message.full_name, field.number
            );
            return Err((at, problem));
        }
    }
    Ok(())
}

/// The features with this option applied, if it is one of them.
fn changed(features: Features, name: &str, value: &str) -> Features {
    match (name, value) {
        ("packed", _) => Features { is_packed: value == "true", ..features },
        ("features.repeated_field_encoding", _) => Features { is_packed: value == "PACKED", ..features },
        ("features.field_presence", _) => Features { has_presence: value != "IMPLICIT", ..features },
        ("features.message_encoding", _) => Features { is_delimited: value == "DELIMITED", ..features },
        ("features.utf8_validation", _) => Features { checks_text: value != "NONE", ..features },
        _ => features,
    }
}
