//! The state of the screen, and the effects of keys and mouse on it. It owns no terminal and reads no clock.

use super::acting::{self, Effect, Payload, Purpose, Question, Step};
use super::content::Decoding;
use super::detail::Detail;
use super::editor::Edit;
use super::feed::{Connection, Request};
use super::footer::Footer;
use super::keys;
use super::layout::{self, Layout};
use super::model::{Filter, Model, NodeId, Outline, SortKey};
use super::palette::Palette;
use super::playback::Control;
use super::prompt::{Prompt, Typed};
use super::scene::Scene;
use super::sys::Panel;
use super::table::{self, Summaries};
use super::title::{self, Title};
use crate::payload::schema::MessageTypes;
use crate::payload::{Births, PayloadDecoding};
use crate::protocol::TopicName;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::{Position, Rect};

/// The rows that one step of the wheel moves.
const WHEEL: isize = 3;

/// The step of a replay, in milliseconds.
const SEEK: i64 = 10_000;

/// The time in milliseconds for which a notice is shown.
const NOTICE_TIME: u64 = 8000;

/// The time in milliseconds after which a key removes a notice.
const SEEN_TIME: u64 = 2000;

/// Settings that do not change.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The broker's name.
    pub(crate) broker: String,
    pub(crate) is_list: bool,
    pub(crate) sort: SortKey,
    pub(crate) palette: Palette,
    pub(crate) zone: TimeZone,
    pub(crate) types: Option<&'static MessageTypes>,
    /// The decoding of payloads.
    pub(crate) choice: PayloadDecoding,
    pub(crate) is_recording: bool,
    /// Whether the keys that send something are off.
    pub(crate) is_read_only: bool,
    /// Whether a recording is shown.
    pub(crate) is_replay: bool,
}

/// The state of reception and clock for a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) model: &'a Model,
    pub(crate) births: &'a Births,
    pub(crate) connection: &'a Connection,
    /// The rejection of a subscription.
    pub(crate) rejection: Option<&'a str>,
    /// The milliseconds since the start.
    pub(crate) now: u64,
    /// The time of the data, which differs in a replay.
    pub(crate) clock: u64,
}

/// The state of the screen.
#[derive(Debug)]
pub(crate) struct App {
    settings: Settings,
    outline: Outline,
    is_paused: bool,
    /// The model at the time of the pause, and that time.
    frozen: Option<Box<(Model, u64)>>,
    is_following: bool,
    /// The first line of the help, if it is shown, and that of its next page.
    help: Option<(usize, Option<usize>)>,
    detail: Option<Detail>,
    /// The panel of the broker, in the place of the message.
    panel: Option<Panel>,
    /// The open prompt with the typed text, and its problem.
    prompt: Option<(Purpose, Prompt)>,
    problem: Option<String>,
    /// The prompt whose effect is under way, which comes back if that fails.
    accepted: Option<(Purpose, Prompt)>,
    question: Option<Question>,
    filter: String,
    notice: Option<(String, u64)>,
    summaries: Summaries,
    /// The first row of the table.
    top: usize,
    layout: Layout,
}

impl App {
    pub(crate) fn new(settings: Settings) -> App {
        App {
            outline: Outline::new(settings.is_list, settings.sort),
            settings,
            is_paused: false,
            frozen: None,
            is_following: false,
            help: None,
            detail: None,
            panel: None,
            prompt: None,
            problem: None,
            accepted: None,
            question: None,
            filter: String::new(),
            notice: None,
            summaries: Summaries::default(),
            top: 0,
            layout: Layout::default(),
        }
    }

    /// The topic whose history is shown.
    pub(crate) fn looks_at(&self) -> Option<NodeId> {
        self.detail.as_ref().and(self.outline.selected())
    }

    /// Whether more nodes have to be compared with the filter, in the next frame.
    pub(crate) fn is_filtering(&self) -> bool {
        self.outline.is_matching()
    }

    /// Asks for QoS and properties of a message whose payload was edited.
    pub(crate) fn ask_for_delivery(&mut self, topic: TopicName, payload: Vec<u8>, delivery: &str) {
        self.ask(Purpose::Delivery(topic, Payload::Edited(payload)), delivery);
    }

    /// Asks for the payload again, with the text that was typed before the editor or the file failed.
    pub(crate) fn ask_for_payload(
        &mut self,
        topic: TopicName,
        typed: &str,
        delivery: String,
        problem: String,
    ) {
        self.ask(Purpose::Payload(topic, delivery), typed);
        self.problem = Some(problem);
    }

    /// Shows why an effect failed, in the prompt that asked for it, if there was one. A file that fails was typed as the payload.
    pub(crate) fn failed(&mut self, problem: String, now: u64) {
        match self.accepted.take() {
            Some((Purpose::Delivery(topic, Payload::File(path)), prompt)) => {
                let typed = format!("@{}", path.display());
                self.ask_for_payload(topic, &typed, prompt.text().to_owned(), problem);
            }
            Some(prompt) => (self.prompt, self.problem) = (Some(prompt), Some(problem)),
            None => self.notify(problem, now),
        }
    }

    /// Shows a notice for some time.
    pub(crate) fn notify(&mut self, text: String, now: u64) {
        self.notice = Some((text, now.saturating_add(NOTICE_TIME)));
    }

    /// Handles a key, the mouse, a paste or a new size.
    pub(crate) fn handle(&mut self, event: Event, input: Input<'_>) -> Option<Effect> {
        self.accepted = None;
        let frozen = self.frozen.take();
        let model = frozen.as_ref().map_or(input.model, |frozen| &frozen.0);
        let is_key = matches!(event, Event::Key(_));
        self.notice = self.notice.take().filter(|(_, until)| {
            !is_key || input.now.saturating_add(NOTICE_TIME) < until.saturating_add(SEEN_TIME)
        });
        let effect = match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(key, model, input),
            Event::Mouse(mouse) => {
                self.mouse(mouse, model);
                None
            }
            Event::Paste(text) => {
                if let Some((_, prompt)) = &mut self.prompt {
                    prompt.insert(&text);
                    self.apply_filter();
                }
                None
            }
            Event::Key(_) | Event::Resize(..) | Event::FocusGained | Event::FocusLost => None,
        };
        self.frozen = match frozen {
            None if self.is_paused => Some(Box::new((input.model.clone(), input.clock))),
            frozen => frozen.filter(|_| self.is_paused),
        };
        effect
    }

    /// Computes the rows, and draws. Returns the place of the cursor, if it is visible.
    pub(crate) fn render(&mut self, input: Input<'_>, buffer: &mut Buffer) -> Option<Position> {
        let frozen = self.frozen.take();
        let cursor = self.render_model(input, frozen.as_deref(), buffer);
        self.frozen = frozen;
        cursor
    }

    fn render_model(
        &mut self,
        input: Input<'_>,
        frozen: Option<&(Model, u64)>,
        buffer: &mut Buffer,
    ) -> Option<Position> {
        let Input { births, connection, .. } = input;
        let (model, now) = frozen.map_or((input.model, input.clock), |(model, at)| (model, *at));
        let Settings { types, choice, palette, .. } = self.settings;
        let decoding = Decoding { births, types, choice };
        let zone = self.settings.zone.clone();
        let scene = Scene { model, decoding, connection, palette, zone: &zone, now };
        if self.is_following
            && frozen.is_none()
            && let Some(latest) = model.latest()
        {
            self.outline.select(model.tree(), latest);
        }
        self.outline.refresh(model, now);
        let footer = self.footer(input).rows(connection, input.now, palette, buffer.area);
        let has_pane = self.detail.is_some() || self.panel.is_some();
        let layout = Layout::new(buffer.area, has_pane, footer.height());
        self.layout = layout;
        self.keep_selection_visible(table::rows(layout.table));
        table::render(&self.outline, self.top, &mut self.summaries, &scene, layout.table, buffer);
        match (layout.detail, &mut self.panel, &mut self.detail) {
            (Some(area), Some(panel), _) => panel.render(&scene, area, buffer),
            (Some(area), None, Some(detail)) => detail.render(self.outline.selected(), &scene, area, buffer),
            (None, _, _) | (_, None, None) => {}
        }
        let messages = |model: &Model| model.state(NodeId::ROOT).messages;
        let title = Title {
            broker: &self.settings.broker,
            held: frozen.map(|(frozen, _)| messages(input.model).saturating_sub(messages(frozen))),
            is_following: self.is_following,
            is_recording: self.settings.is_recording,
            is_read_only: self.settings.is_read_only && !self.settings.is_replay,
            is_replay: self.settings.is_replay,
            filter: if self.prompt.is_some() { "" } else { &self.filter },
            filtered: self.outline.matched_percent(),
        };
        // The connection is shown as it is, even during a pause.
        let scene = Scene { now: input.clock, ..scene };
        title::render(title, &scene, layout.title, buffer);
        let cursor = footer.render(palette, layout.footer, buffer);
        if let Some((from, next)) = &mut self.help {
            *next = layout::render_help(*from, palette, buffer);
        }
        cursor
    }

    fn footer<'a>(&'a self, input: Input<'a>) -> Footer<'a> {
        let notice = self.notice.as_ref().filter(|(_, until)| input.now < *until);
        Footer {
            prompt: self.prompt.as_ref().map(|(purpose, prompt)| (purpose.label(), prompt)),
            problem: self.problem.as_deref(),
            question: self.question.as_ref().map(|question| question.text.as_str()),
            notice: notice.map(|(text, _)| text.as_str()),
            rejection: input.rejection,
            keys: match (&self.panel, &self.detail) {
                (Some(_), _) => keys::OF_PANEL,
                (None, Some(_)) => keys::OF_MESSAGE,
                (None, None) if self.settings.is_replay => keys::OF_REPLAY,
                (None, None) => keys::OF_TABLE,
            },
        }
    }

    fn keep_selection_visible(&mut self, rows: usize) {
        let position = self.outline.position();
        let last = self.outline.rows().len().saturating_sub(rows.max(1));
        self.top = self.top.clamp((position + 1).saturating_sub(rows.max(1)), position).min(last);
    }

    fn key(&mut self, key: KeyEvent, model: &Model, Input { now, .. }: Input<'_>) -> Option<Effect> {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            match key.code {
                KeyCode::Char('c') => return Some(Effect::Interrupt),
                KeyCode::Char('z') => return Some(Effect::Suspend),
                KeyCode::Char('l') => return Some(Effect::Redraw),
                _ => {}
            }
        }
        if let Some((Purpose::Payload(topic, delivery), prompt)) = &self.prompt
            && is_editor_key(key)
        {
            let typed = prompt.text().to_owned();
            let text = text_to_edit(&typed, topic, model);
            let edit = Edit { topic: topic.clone(), text, typed, delivery: delivery.clone() };
            self.prompt = None;
            return Some(Effect::Edit(edit));
        }
        if self.prompt.is_some() {
            return self.prompt_key(key);
        }
        let is_letter = matches!(key.code, KeyCode::Char(_));
        if is_letter && key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
            return None;
        }
        if let Some(question) = self.question.take() {
            return matches!(key.code, KeyCode::Char('y' | 'Y')).then_some(question.effect);
        }
        if let Some((_, next)) = self.help {
            let is_end = matches!(key.code, KeyCode::Char('q') | KeyCode::Esc);
            self.help = next.filter(|_| !is_end).map(|next| (next, None));
            return None;
        }
        if self.panel.is_some() && matches!(key.code, KeyCode::Esc | KeyCode::Char('$')) {
            return self.close_panel();
        }
        if self.move_key(key.code, model) || self.view_key(key.code) {
            return None;
        }
        match key.code {
            KeyCode::Char('q') => return Some(Effect::Quit),
            KeyCode::Char('m') => return Some(Effect::ToggleMouse),
            KeyCode::Tab => return Some(Effect::Turn(true)),
            KeyCode::BackTab => return Some(Effect::Turn(false)),
            KeyCode::Char(character) if self.settings.is_replay && replay_key(character).is_some() => {
                return replay_key(character).map(Effect::Control);
            }
            KeyCode::Char('$') => {
                self.panel = Some(Panel::new(self.settings.is_read_only));
                return self.can_send().then_some(Effect::Request(Request::WatchStatistics));
            }
            KeyCode::Char('y' | 'Y' | 'e' | 'n' | 'r' | 'x' | 'X' | 's' | 'u') => {
                let done = self.acting_key(key.code, model);
                return done.unwrap_or_else(|problem| {
                    self.notify(problem, now);
                    None
                });
            }
            KeyCode::Char('?') | KeyCode::F(1) => self.help = Some((0, None)),
            KeyCode::Char(character @ ('v' | 'V' | 'J' | 'K' | '[' | ']' | '<' | '>')) => {
                self.notify(format!("the key {character} is for a message; Enter opens one"), now);
            }
            KeyCode::Char(character) if !character.is_control() => {
                self.notify(format!("the key {character} has no effect; ? shows the keys"), now);
            }
            _ => {}
        }
        None
    }

    fn prompt_key(&mut self, key: KeyEvent) -> Option<Effect> {
        let (purpose, mut prompt) = self.prompt.take()?;
        match prompt.key(key) {
            Typed::Cancelled if purpose == Purpose::Filter => self.remove_filter(),
            Typed::Cancelled => self.problem = None,
            Typed::Accepted if purpose == Purpose::Filter && self.problem.is_none() => {}
            Typed::Accepted if purpose != Purpose::Filter => match purpose.clone().accept(prompt.text()) {
                Ok(Step::Done) => {}
                Ok(Step::Effect(effect)) => {
                    self.accepted = Some((purpose, prompt));
                    return Some(effect);
                }
                Ok(Step::Prompt(purpose, text)) => self.ask(purpose, &text),
                Ok(Step::Field(path)) => {
                    let chosen = self.detail.as_mut().map_or(Ok(()), |detail| detail.choose_field(&path));
                    if let Err(problem) = chosen {
                        self.problem = Some(problem);
                        self.prompt = Some((purpose, prompt));
                    }
                }
                Err(problem) => {
                    self.problem = Some(problem);
                    self.prompt = Some((purpose, prompt));
                }
            },
            Typed::Edited => {
                self.problem = None;
                self.prompt = Some((purpose, prompt));
                self.apply_filter();
            }
            Typed::Accepted | Typed::Ignored => self.prompt = Some((purpose, prompt)),
        }
        None
    }

    /// Hides the panel of the broker, and ends the subscription to its topics.
    fn close_panel(&mut self) -> Option<Effect> {
        self.panel = None;
        self.can_send().then_some(Effect::Request(Request::LeaveStatistics))
    }

    fn can_send(&self) -> bool {
        !self.settings.is_read_only && !self.settings.is_replay
    }

    fn ask(&mut self, purpose: Purpose, text: &str) {
        self.problem = None;
        self.prompt = Some((purpose, Prompt::new(text)));
    }

    /// Handles the keys that act on the broker, the clipboard or a file.
    fn acting_key(&mut self, code: KeyCode, model: &Model) -> Result<Option<Effect>, String> {
        let tree = model.tree();
        let selected = self.outline.selected().ok_or("no topic is selected");
        let value = selected.and_then(|id| model.value(id).ok_or("the selected level has no message"));
        match code {
            KeyCode::Char('y') => return Ok(Some(Effect::Copy(tree.path(selected?).into_bytes()))),
            KeyCode::Char('Y') if !value?.is_whole() => {
                return Err("not copied: the payload is not kept whole".to_owned());
            }
            KeyCode::Char('Y') => return Ok(Some(Effect::Copy(value?.payload().to_vec()))),
            KeyCode::Char('e') => {
                value?;
                self.ask(Purpose::Export(selected?), "");
            }
            _ if self.settings.is_replay => {
                return Err("this key is off, as a recording is shown".to_owned());
            }
            _ if self.settings.is_read_only => {
                return Err("this key is off, as the screen is read-only".to_owned());
            }
            KeyCode::Char('n') => {
                let topic = selected.map(|id| tree.path(id)).unwrap_or_default();
                self.ask(Purpose::Topic, &topic);
            }
            KeyCode::Char('r') => self.question = Some(acting::republish(&tree.path(selected?), value?)?),
            KeyCode::Char('x') => self.question = Some(acting::clear(model, selected?, false)?),
            KeyCode::Char('X') => self.question = Some(acting::clear(model, selected?, true)?),
            KeyCode::Char('s') => self.ask(Purpose::Subscribe, ""),
            KeyCode::Char('u') => self.ask(Purpose::Unsubscribe, ""),
            _ => {}
        }
        Ok(None)
    }

    /// Handles the keys that move the selection, and those that fold.
    fn move_key(&mut self, code: KeyCode, model: &Model) -> bool {
        let page = isize::try_from(table::rows(self.layout.table)).unwrap_or(isize::MAX);
        let tree = model.tree();
        let selected = self.outline.selected();
        match code {
            KeyCode::Up | KeyCode::Char('k') => self.step(-1),
            KeyCode::Down | KeyCode::Char('j') => self.step(1),
            KeyCode::PageUp => self.step(-page),
            KeyCode::PageDown => self.step(page),
            KeyCode::Home | KeyCode::Char('g') => self.step(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => self.step(isize::MAX),
            KeyCode::Left | KeyCode::Char('h') => {
                if let Some(id) = selected {
                    let parent = tree.parent(id).filter(|parent| *parent != NodeId::ROOT);
                    let is_open = tree.child_count(id) > 0 && !self.outline.is_folded(tree, id);
                    match parent {
                        _ if is_open && !self.outline.is_list() => self.outline.fold(tree, id, true),
                        Some(parent) => self.outline.select(tree, parent),
                        None => {}
                    }
                    self.is_following = false;
                }
            }
            KeyCode::Right | KeyCode::Char('l') => {
                selected.into_iter().for_each(|id| self.outline.fold(tree, id, false));
            }
            KeyCode::Char(' ') => selected.into_iter().for_each(|id| self.outline.toggle_fold(tree, id)),
            KeyCode::Char('0') => self.outline.unfold_levels(None),
            KeyCode::Char(digit @ '1'..='9') => {
                self.outline.unfold_levels(digit.to_digit(10).map(|levels| levels as usize));
            }
            _ => return false,
        }
        true
    }

    /// Handles the keys that change the view.
    fn view_key(&mut self, code: KeyCode) -> bool {
        if let Some(panel) = &mut self.panel
            && let KeyCode::Char(character @ ('J' | 'K')) = code
        {
            panel.scroll(if character == 'J' { 1 } else { -1 });
            return true;
        }
        if let Some(detail) = &mut self.detail
            && detail.key(code)
        {
            return true;
        }
        match code {
            KeyCode::Char('/') => {
                let filter = self.filter.clone();
                self.ask(Purpose::Filter, &filter);
            }
            KeyCode::Char('F') if self.panel.is_none() => {
                let detail = self.detail.get_or_insert_default();
                let field = detail.show_chart().to_owned();
                self.ask(Purpose::Field, &field);
            }
            KeyCode::Esc if self.detail.is_some() => self.detail = None,
            KeyCode::Esc => self.remove_filter(),
            KeyCode::Enter if self.detail.is_some() => self.detail = None,
            KeyCode::Enter => self.detail = Some(Detail::default()),
            KeyCode::Char('N') => self.outline.sort_by(SortKey::Name),
            KeyCode::Char('C') => self.outline.sort_by(SortKey::Messages),
            KeyCode::Char('R') => self.outline.sort_by(SortKey::Rate),
            KeyCode::Char('A') => self.outline.sort_by(SortKey::Age),
            KeyCode::Char('S') => self.outline.sort_by(SortKey::Size),
            KeyCode::Char('t') => self.outline.toggle_list(),
            KeyCode::Char('f') => self.is_following = !self.is_following,
            KeyCode::Char('p') => self.is_paused = !self.is_paused,
            _ => return false,
        }
        true
    }

    fn step(&mut self, rows: isize) {
        self.is_following = false;
        self.outline.step(rows);
    }

    fn mouse(&mut self, mouse: MouseEvent, model: &Model) {
        let position = Position::new(mouse.column, mouse.row);
        let is_in_detail = self.layout.detail.is_some_and(|area| area.contains(position));
        match (mouse.kind, &mut self.detail) {
            (MouseEventKind::ScrollUp, Some(detail)) if is_in_detail => detail.scroll(-WHEEL),
            (MouseEventKind::ScrollDown, Some(detail)) if is_in_detail => detail.scroll(WHEEL),
            (MouseEventKind::ScrollUp, _) => self.step(-WHEEL),
            (MouseEventKind::ScrollDown, _) => self.step(WHEEL),
            (MouseEventKind::Down(MouseButton::Left), _) => self.click(position, model),
            _ => {}
        }
    }

    /// A click selects a row, or folds the selected one; a click on a heading sorts.
    fn click(&mut self, position: Position, model: &Model) {
        if let Some((_, next)) = self.help {
            self.help = next.map(|next| (next, None));
            return;
        }
        let area: Rect = self.layout.table;
        if !area.contains(position) {
            return;
        }
        let Some(row) = usize::from(position.y - area.y).checked_sub(1) else {
            table::heading_at(area, position.x).into_iter().for_each(|key| self.outline.sort_by(key));
            return;
        };
        let index = self.top + row;
        if index >= self.outline.rows().len() {
            return;
        }
        self.is_following = false;
        if index == self.outline.position() {
            self.outline.selected().into_iter().for_each(|id| self.outline.toggle_fold(model.tree(), id));
        } else {
            self.outline.select_row(index);
        }
    }

    /// Applies the filter as far as it is typed. An invalid one changes nothing.
    fn apply_filter(&mut self) {
        let Some((Purpose::Filter, prompt)) = &self.prompt else { return };
        self.filter = prompt.text().to_owned();
        match Filter::parse(&self.filter) {
            Ok(filter) => {
                self.problem = None;
                self.outline.set_filter(filter);
            }
            Err(problem) => self.problem = Some(problem.to_string()),
        }
    }

    fn remove_filter(&mut self) {
        self.problem = None;
        self.filter.clear();
        self.outline.set_filter(None);
    }
}

/// Whether the key opens the editor.
fn is_editor_key(key: KeyEvent) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('o')
}

/// The initial text of the editor: the typed one, or else the last payload of the topic, if it is a text.
fn text_to_edit(typed: &str, topic: &TopicName, model: &Model) -> String {
    if !typed.is_empty() {
        return typed.to_owned();
    }
    let value = model.tree().find(topic.as_str()).and_then(|id| model.value(id));
    let text =
        value.filter(|value| value.is_whole()).map(|value| String::from_utf8(value.payload().to_vec()));
    text.and_then(Result::ok).unwrap_or_default()
}

/// The effect of a key during a replay; `None` for other keys.
fn replay_key(character: char) -> Option<Control> {
    Some(match character {
        'o' => Control::TogglePause,
        '+' => Control::Faster,
        '-' => Control::Slower,
        ',' => Control::Seek(-SEEK),
        '.' => Control::Seek(SEEK),
        _ => return None,
    })
}
