//! A grid of characters with a style each, and the characters that life lines and legs are made of.

use unicode_width::UnicodeWidthChar as _;

use super::super::Tone;

/// What a character means, from which its colour follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    Plain,
    Strong,
    Muted,
    Request,
    Reply,
    Good,
    Bad,
    Doubt,
}

impl Style {
    /// The parameters of its SGR sequence.
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Muted => "2",
            Self::Request => "34",
            Self::Reply => "36",
            Self::Good => "1;32",
            Self::Bad => "1;31",
            Self::Doubt => "33",
        }
    }
}

impl From<Tone> for Style {
    fn from(tone: Tone) -> Self {
        match tone {
            Tone::Good => Self::Good,
            Tone::Bad => Self::Bad,
            Tone::Calm => Self::Strong,
            Tone::Doubt => Self::Doubt,
        }
    }
}

/// The characters that a picture is made of.
#[derive(Debug)]
pub(super) struct Glyphs {
    pub(super) alive: char,
    pub(super) in_doubt: char,
    pub(super) pause: char,
    pub(super) across: char,
    pub(super) waits: char,
    pub(super) crossing: char,
    /// A leg that meets another goes down: to the right, to the left; and where the two meet.
    pub(super) slopes: [char; 2],
    pub(super) meeting: char,
    /// A leg begins at a life line: to the right, to the left.
    pub(super) leaves: [char; 2],
    /// A leg turns down into its wait: coming from the left, from the right; and where it also goes on.
    pub(super) turns: [char; 2],
    pub(super) parts: char,
    /// A wait ends: to the right, to the left; and where it also goes on.
    pub(super) resumes: [char; 2],
    pub(super) branches: [char; 2],
    pub(super) heads: [char; 2],
    pub(super) captured: char,
    pub(super) unknown: char,
    pub(super) durable: char,
    pub(super) decision: char,
    pub(super) crash: char,
    pub(super) restart: char,
    pub(super) demand: char,
    pub(super) foot: char,
    pub(super) corners: [char; 4],
    pub(super) stem: char,
}

pub(super) const UNICODE: Glyphs = Glyphs {
    alive: '│',
    in_doubt: '┆',
    pause: '⋮',
    across: '─',
    waits: '╎',
    crossing: '┼',
    slopes: ['╲', '╱'],
    meeting: '╳',
    leaves: ['├', '┤'],
    turns: ['╮', '╭'],
    parts: '┬',
    resumes: ['╰', '╯'],
    branches: ['├', '┤'],
    heads: ['►', '◄'],
    captured: '✗',
    unknown: '?',
    durable: '●',
    decision: '◆',
    crash: '×',
    restart: '○',
    demand: '◇',
    foot: '┴',
    corners: ['╭', '╮', '╰', '╯'],
    stem: '┬',
};

pub(super) const ASCII: Glyphs = Glyphs {
    alive: '|',
    in_doubt: ':',
    pause: '.',
    across: '-',
    waits: '!',
    crossing: '+',
    slopes: ['\\', '/'],
    meeting: 'X',
    leaves: ['|', '|'],
    turns: ['.', '.'],
    parts: '+',
    resumes: ['\'', '\''],
    branches: ['+', '+'],
    heads: ['>', '<'],
    captured: 'X',
    unknown: '?',
    durable: '*',
    decision: '#',
    crash: 'x',
    restart: 'o',
    demand: '@',
    foot: '+',
    corners: ['+', '+', '+', '+'],
    stem: '+',
};

/// A grid that grows downwards. The second column of a wide character holds nothing.
#[derive(Debug)]
pub(super) struct Canvas {
    lines: Vec<Vec<Cell>>,
    width: usize,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    c: Option<char>,
    style: Style,
    /// It belongs to a text, which nothing may cover.
    is_text: bool,
}

const BLANK: Cell = Cell { c: Some(' '), style: Style::Plain, is_text: false };

impl Canvas {
    pub(super) const fn new(width: usize) -> Self {
        Self { lines: Vec::new(), width }
    }

    /// Adds an empty line and says which it is.
    pub(super) fn line(&mut self) -> usize {
        self.lines.push(vec![BLANK; self.width]);
        self.lines.len() - 1
    }

    /// How many lines there are.
    pub(super) const fn height(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn put(&mut self, x: usize, y: usize, c: char, style: Style) {
        if let Some(cell) = self.lines.get_mut(y).and_then(|line| line.get_mut(x)) {
            debug_assert!(!cell.is_text, "{c} covers a text");
            *cell = Cell { c: Some(c), style, is_text: false };
        }
    }

    /// The character there; a blank outside the grid.
    pub(super) fn at(&self, x: usize, y: usize) -> char {
        self.lines.get(y).and_then(|line| line.get(x)).and_then(|cell| cell.c).unwrap_or(' ')
    }

    /// Writes `text` from `x` on; what does not fit into the grid is left out.
    pub(super) fn text(&mut self, x: usize, y: usize, text: &str, style: Style) {
        let Some(line) = self.lines.get_mut(y) else { return };
        let mut x = x;
        for c in text.chars() {
            let wide = c.width().unwrap_or(0);
            if wide == 0 || x + wide > line.len() {
                continue;
            }
            debug_assert!(line[x..x + wide].iter().all(|cell| !cell.is_text), "{text:?} covers another text");
            line[x] = Cell { c: Some(c), style, is_text: true };
            for hidden in &mut line[x + 1..x + wide] {
                *hidden = Cell { c: None, style, is_text: true };
            }
            x += wide;
        }
    }

    /// The grid as text, without blanks at the ends of lines.
    pub(super) fn to_text(&self, colour: bool) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let end = line.iter().rposition(|cell| cell.c.is_some_and(|c| c != ' ')).map_or(0, |last| last + 1);
            let mut open = Style::Plain;
            for &Cell { c, style, .. } in &line[..end] {
                let Some(c) = c else { continue };
                // A blank looks the same in every style.
                if colour && style != open && c != ' ' {
                    text.push_str("\x1b[0m");
                    if style != Style::Plain {
                        text.push_str("\x1b[");
                        text.push_str(style.code());
                        text.push('m');
                    }
                    open = style;
                }
                text.push(c);
            }
            if open != Style::Plain {
                text.push_str("\x1b[0m");
            }
            text.push('\n');
        }
        text
    }
}
