//! A page of Markdown as its fenced blocks, with the comments before them.

/// The blocks of a page.
pub struct Page {
    pub blocks: Vec<Block>,
    pub needs_broker: bool,
}

/// A fenced block.
pub struct Block {
    /// The line of its fence, from 1.
    pub line: usize,
    language: String,
    pub lines: Vec<String>,
    comments: Vec<String>,
}

/// A command, and what it prints.
pub struct Step {
    pub command: String,
    pub output: Vec<String>,
}

impl Page {
    /// The error begins with the line.
    pub fn parse(text: &str) -> Result<Page, String> {
        let mut page = Page { blocks: Vec::new(), needs_broker: false };
        let mut comments = Vec::new();
        let mut open: Option<Block> = None;
        for (line, number) in text.lines().zip(1..) {
            let fence = line.strip_prefix("```");
            match (&mut open, fence) {
                (Some(_), Some(_)) => page.blocks.extend(open.take()),
                (Some(block), None) => block.lines.push(line.to_owned()),
                (None, Some(language)) => {
                    let comments = std::mem::take(&mut comments);
                    open = Some(Block {
                        line: number,
                        language: language.to_owned(),
                        lines: Vec::new(),
                        comments,
                    });
                }
                (None, None) => match comment(line) {
                    Some("broker") => page.needs_broker = true,
                    Some(comment) if is_known(comment) => comments.push(comment.to_owned()),
                    Some(comment) => return Err(format!("{number}: unknown comment: {comment}")),
                    None if line.trim().is_empty() => {}
                    None if comments.is_empty() => {}
                    None => return Err(format!("{number}: a comment for the test, but no block below it")),
                },
            }
        }
        match open {
            Some(block) => Err(format!("{}: the block has no end", block.line)),
            None => Ok(page),
        }
    }
}

impl Block {
    pub fn is_console(&self) -> bool {
        self.language == "console"
    }

    /// Commands without a prompt, for readers to adapt.
    pub fn is_shell(&self) -> bool {
        self.language == "sh"
    }

    pub fn reason_not_to_run(&self) -> Option<&str> {
        self.comments_with("not run, ").next()
    }

    pub fn file(&self) -> Option<&str> {
        self.comments_with("file ").next()
    }

    pub fn before(&self) -> impl Iterator<Item = &str> {
        self.comments_with("before ")
    }

    pub fn figures_vary(&self) -> bool {
        self.comments_with("figures vary").next().is_some()
    }

    pub fn is_in_any_order(&self) -> bool {
        self.comments_with("in any order").next().is_some()
    }

    /// The commands with their output. A command continues after a backslash at the end of a line.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for line in &self.lines {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step { command: command.to_owned(), output: Vec::new() }),
                (None, Some(step)) if step.output.is_empty() && step.command.ends_with('\\') => {
                    step.command.push('\n');
                    step.command.push_str(line);
                }
                (None, Some(step)) => step.output.push(line.clone()),
                (None, None) => panic!("line {}: output before the first command", self.line),
            }
        }
        steps
    }

    fn comments_with(&self, start: &str) -> impl Iterator<Item = &str> {
        self.comments.iter().filter_map(move |comment| comment.strip_prefix(start))
    }
}

fn comment(line: &str) -> Option<&str> {
    line.strip_prefix("<!-- test: ")?.strip_suffix(" -->")
}

fn is_known(comment: &str) -> bool {
    let starts = ["not run, ", "file ", "before "];
    comment == "figures vary"
        || comment == "in any order"
        || starts.iter().any(|start| comment.starts_with(start))
}
