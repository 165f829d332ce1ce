//! Letters, digits and signs with nothing between them, and what lies between two such pieces: a word and the space before it, about.

use crate::item::{APOSTROPHE, SPACE, Spelling, WALL};

/// What lies between two pieces.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Gap {
    /// Characters; 255 is "that or more".
    pub(crate) count: u8,
    /// White space is among them, or the text begins here.
    pub(crate) space: bool,
    pub(crate) apostrophe: bool,
    /// Nothing is joined over it.
    pub(crate) wall: bool,
}

impl Gap {
    /// Adds a separator of [`crate::item`].
    #[inline]
    pub(crate) fn add(&mut self, class: u8) {
        self.count = self.count.saturating_add(1);
        match class {
            SPACE => self.space = true,
            APOSTROPHE => self.apostrophe = true,
            WALL => self.wall = true,
            _ => {}
        }
    }
}

/// Letters, digits and signs with nothing between them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    /// Its items in the window.
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) spelling: Spelling,
    /// Four letters of it begin what counts inside words.
    pub(crate) suspect: bool,
    /// The marks of all its items.
    pub(crate) marks: u8,
    /// How many items are stars.
    pub(crate) stars: u8,
    /// It is part of a longer one.
    pub(crate) cut: bool,
    /// What lies before it.
    pub(crate) gap: Gap,
}
