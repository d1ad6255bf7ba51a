//! The styles of the screen. Without colour, only bold, dim and reversed text is used.

use ratatui::style::{Color, Modifier, Style};

/// The styles, with colour or without.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Palette {
    is_coloured: bool,
}

impl Palette {
    pub(crate) fn new(is_coloured: bool) -> Palette {
        Palette { is_coloured }
    }

    pub(super) fn plain(self) -> Style {
        Style::new()
    }

    pub(super) fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Text of less weight.
    pub(super) fn faint(self) -> Style {
        if self.is_coloured {
            Style::new().fg(Color::DarkGray)
        } else {
            Style::new().add_modifier(Modifier::DIM)
        }
    }

    pub(super) fn selected(self, style: Style) -> Style {
        style.add_modifier(Modifier::REVERSED)
    }

    /// The bars at the top and the bottom.
    pub(super) fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(super) fn good(self) -> Style {
        self.colour(Color::Green)
    }

    pub(super) fn warning(self) -> Style {
        self.colour(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    pub(super) fn failure(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(super) fn key(self) -> Style {
        self.colour(Color::Cyan)
    }

    pub(super) fn text(self) -> Style {
        self.colour(Color::Green)
    }

    pub(super) fn number(self) -> Style {
        self.colour(Color::Yellow)
    }

    pub(super) fn literal(self) -> Style {
        self.colour(Color::Magenta)
    }

    fn colour(self, colour: Color) -> Style {
        if self.is_coloured { Style::new().fg(colour) } else { Style::new() }
    }
}
