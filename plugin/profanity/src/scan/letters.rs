//! The piece under way: letters become items, a repeated one no new item, and the case tells where the words of camelCase begin.

use super::{PIECE, Walk};
use crate::fold::ascii_char;
use crate::grams::Grams;
use crate::item::{Item, STAR, Spelling, mark};
use crate::piece::{Gap, Piece};

/// The case of the letter before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    None,
    Lower,
    /// With how many capitals before it.
    Upper(u8),
}

impl Walk<'_> {
    /// Takes the small letters from `at` on, behind another one: what most of most texts is, and what no rule of camelCase applies to.
    pub(super) fn lower_case(&mut self, bytes: &[u8], at: usize) -> usize {
        let Some(mut before) = self.items.last().map(|last| last.class) else {
            return at;
        };
        let room = PIECE.saturating_sub(self.items.len() - self.from);
        let (mut grams, mut suspect, mut seen) = (self.grams, self.suspect, self.marks);
        let mut tail = self.spelling.tail();
        let mut end = at as u32;
        for &byte in bytes.get(at..).unwrap_or_default().iter().take(room) {
            if !byte.is_ascii_lowercase() {
                break;
            }
            let (class, marks) = ascii_char(byte);
            let start = end;
            end += 1;
            seen |= marks;
            if before == class {
                if let Some(last) = self.items.last_mut() {
                    last.run = last.run.saturating_add(1);
                    last.marks |= marks;
                    last.end = end;
                }
                continue;
            }
            before = class;
            tail.push(class);
            suspect |= grams.push_other(class, self.lexicon);
            self.items.push(Item {
                start,
                end,
                class,
                run: 1,
                marks,
            });
        }
        let items = self.items.get(self.from..).unwrap_or_default();
        self.spelling.extend(tail, items);
        (self.grams, self.suspect, self.marks) = (grams, suspect, seen);
        end as usize
    }

    pub(super) fn letter(&mut self, class: u8, mut marks: u8, start: usize, end: usize) {
        if self.items.len() - self.from >= PIECE {
            self.cut_piece();
        }
        let (start, end) = (start as u32, end as u32);
        let open = self.items.len() > self.from;
        if marks & mark::LETTER != 0 && end - start == 1 {
            let case = self.case;
            if marks & mark::UPPER != 0 {
                if case == Case::Lower {
                    marks |= mark::HUMP;
                }
                self.case = Case::Upper(if let Case::Upper(before) = case {
                    before.saturating_add(1)
                } else {
                    0
                });
            } else {
                if matches!(case, Case::Upper(1..)) && open {
                    match self.items.last_mut() {
                        // Of "HTMLpage" the "L" would be in the second word, but of "ASSface" the second "S" cannot.
                        Some(last) if last.run == 1 => {
                            last.marks |= mark::HUMP;
                            self.marks |= mark::HUMP;
                        }
                        _ => marks |= mark::HUMP,
                    }
                }
                self.case = Case::Lower;
            }
        } else {
            self.case = Case::None;
        }
        self.marks |= marks;
        if class == STAR {
            self.stars = self.stars.saturating_add(1);
        }
        if open
            && marks & mark::HUMP == 0
            && let Some(last) = self.items.last_mut().filter(|last| {
                last.class == class && (last.marks ^ marks) & (mark::SYMBOL | mark::DIGIT) == 0
            })
        {
            last.run = last.run.saturating_add(1);
            last.marks |= marks;
            last.end = end;
            return;
        }
        self.spelling.push(class);
        self.suspect |= self.grams.push(class, self.lexicon);
        self.items.push(Item {
            start,
            end,
            class,
            run: 1,
            marks,
        });
    }

    /// What is not seen belongs to the character before it.
    pub(super) fn nothing(&mut self, start: usize, end: usize) {
        if self.items.len() > self.from
            && let Some(last) = self
                .items
                .last_mut()
                .filter(|last| last.end == start as u32)
        {
            last.end = end as u32;
        }
    }

    pub(super) fn take_piece(&mut self, cut: bool) -> Piece {
        let piece = Piece {
            from: self.from,
            to: self.items.len(),
            spelling: self.spelling,
            suspect: self.suspect,
            marks: self.marks,
            stars: self.stars,
            cut: cut || self.cut,
            gap: self.gap,
        };
        (self.from, self.spelling, self.marks, self.stars, self.cut) =
            (self.items.len(), Spelling::default(), 0, 0, false);
        (self.gap, self.case) = (Gap::default(), Case::None);
        (self.grams, self.suspect) = (Grams::default(), false);
        piece
    }
}
