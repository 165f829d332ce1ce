//! The walk over a text: characters become items, items become pieces (words, about), and each piece is looked at alone, with the ones
//! before it, and as a letter of a word that is spelled out.
//!
//! Memory is bounded by a window: what lies further back than any rule looks is handed out and forgotten.

mod letters;

use std::ops::{ControlFlow, Range};

use self::letters::Case;
use crate::Found;
use crate::address;
use crate::disguise::{backwards, spelled_out, starred};
use crate::examine::examine;
use crate::fold::{Look, ascii_char, look};
use crate::grams::Grams;
use crate::item::{Item, OTHER, Spelling, WALL, mark};
use crate::joined::join;
use crate::lexicon::{Hit, Lexicon};
use crate::piece::{Gap, Piece};
use crate::sink::Sink;
use crate::skim::{Skimmed, read, skim};

/// Items in the window before the oldest are let go.
const WINDOW: usize = 1024;

/// Items of one piece; a longer one is cut, with `OVERLAP` items in both parts.
const PIECE: usize = 192;

/// No entry has more letters.
const OVERLAP: usize = 48;

/// Single letters of one word that is spelled out.
const SPELLED_OUT: usize = 96;

/// Items that are read backwards at once.
const BACKWARDS: usize = 256;

/// Characters between two letters of a word that is spelled out.
const APART: u8 = 3;

/// Buffers of a search, to be used again for the next; bounded, whatever the text.
#[derive(Debug, Default)]
pub struct Scratch {
    items: Vec<Item>,
    side: Vec<Item>,
    found: Vec<Found>,
    hits: Vec<Hit>,
    /// Items looked at since the scratch was made: what the search cost, whatever the machine.
    pub(crate) steps: u64,
}

impl Scratch {
    /// Bytes on the heap.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        (self.items.capacity() + self.side.capacity()) * size_of::<Item>()
            + self.found.capacity() * size_of::<Found>()
            + self.hits.capacity() * size_of::<Hit>()
    }
}

/// A search under way.
struct Walk<'a> {
    lexicon: &'a Lexicon,
    skims: bool,
    items: &'a mut Vec<Item>,
    side: &'a mut Vec<Item>,
    sink: Sink<'a>,
    /// The last two pieces, the later one last.
    before: [Option<Piece>; 2],
    gap: Gap,
    from: usize,
    spelling: Spelling,
    grams: Grams,
    suspect: bool,
    marks: u8,
    stars: u8,
    cut: bool,
    case: Case,
    /// The first item and the number of single letters in a row.
    singles: Option<(usize, usize)>,
    /// The first item of what is shown backwards.
    backwards: Option<usize>,
    /// The bytes of a web address behind its host.
    address: Range<usize>,
}

/// Hands each match in `text` to `hand`, in source order and not overlapping, until it breaks.
pub(crate) fn scan(
    lexicon: &Lexicon,
    text: &str,
    scratch: &mut Scratch,
    hand: &mut dyn FnMut(Found) -> ControlFlow<()>,
) {
    scan_with(lexicon, text, scratch, hand, true);
}

/// The same; unless it `skims`, without the quick way, which must make no difference.
pub(crate) fn scan_with(
    lexicon: &Lexicon,
    text: &str,
    scratch: &mut Scratch,
    hand: &mut dyn FnMut(Found) -> ControlFlow<()>,
    skims: bool,
) {
    scratch.items.clear();
    scratch.found.clear();
    let mut walk = Walk {
        lexicon,
        skims,
        items: &mut scratch.items,
        side: &mut scratch.side,
        sink: Sink::new(&mut scratch.found, &mut scratch.hits, &mut scratch.steps),
        before: [None; 2],
        gap: Gap {
            count: 0,
            space: true,
            ..Gap::default()
        },
        from: 0,
        spelling: Spelling::default(),
        grams: Grams::default(),
        suspect: false,
        marks: 0,
        stars: 0,
        cut: false,
        case: Case::None,
        singles: None,
        backwards: None,
        address: 0..0,
    };
    if walk.text(text, hand).is_continue() {
        let _ = walk.sink.hand_out(usize::MAX, hand);
    }
}

impl Walk<'_> {
    fn text(
        &mut self,
        text: &str,
        hand: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let bytes = text.as_bytes();
        let mut at = 0;
        // Up to here it has been skimmed.
        let mut skimmed = 0;
        while let Some(&byte) = bytes.get(at) {
            if at >= skimmed && self.is_between(at, byte) {
                let Skimmed { resume, stop } = self.skim(bytes, at);
                skimmed = stop + 1;
                if resume > at {
                    self.begin_anew(hand)?;
                    at = resume;
                    continue;
                }
            }
            if byte.is_ascii() {
                let (class, marks) = self.ascii(bytes, at, byte);
                at += 1;
                if class > OTHER {
                    self.separator(class, hand)?;
                    continue;
                }
                self.letter(class, marks, at - 1, at);
                if byte.is_ascii_lowercase() {
                    at = self.lower_case(bytes, at);
                }
                continue;
            }
            let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else {
                break;
            };
            let end = at + c.len_utf8();
            match look(c) {
                Look::One(class @ ..=OTHER, marks) => self.letter(class, marks, at, end),
                Look::One(class, _) => self.separator(class, hand)?,
                Look::Two(one, two) => {
                    self.letter(one, mark::LETTER, at, end);
                    self.letter(two, mark::LETTER, at, end);
                }
                Look::Nothing => self.nothing(at, end),
                Look::Backwards => {
                    self.piece(hand)?;
                    self.backwards = Some(self.items.len());
                }
                Look::Forwards => {
                    self.piece(hand)?;
                    self.turn();
                }
            }
            at = end;
        }
        self.piece(hand)?;
        self.turn();
        self.spell_out();
        ControlFlow::Continue(())
    }

    /// What the character at `at` counts as, which is `byte`.
    #[inline]
    fn ascii(&mut self, bytes: &[u8], at: usize, byte: u8) -> (u8, u8) {
        if matches!(byte, b':' | b'.') && at >= self.address.end {
            self.address = address::parts(bytes, at).unwrap_or(0..0);
        } else if address::is_delimiter(byte) && self.address.contains(&at) {
            return (WALL, 0);
        }
        ascii_char(byte)
    }

    /// Whether all words before the one at `at`, which begins with `byte`, are done with, so that it may be skimmed.
    fn is_between(&self, at: usize, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            && self.items.len() == self.from
            && self.skims
            && self.singles.is_none()
            && at >= self.address.end
            && self.backwards.is_none()
            && !self.sink.reaches(|| {
                let first = self.before.iter().flatten().next();
                first
                    .and_then(|piece| self.items.get(piece.from))
                    .map_or(u32::MAX, |item| item.start)
            })
    }

    fn skim(&mut self, bytes: &[u8], at: usize) -> Skimmed {
        let (lexicon, side, sink) = (self.lexicon, &mut *self.side, &mut self.sink);
        let mut holds = |word: &[u8], suspect| {
            let piece = read(word, suspect, side);
            sink.would_find(|sink| examine(lexicon, side, &piece, sink))
        };
        let skimmed = skim(lexicon, bytes, at, &self.before, self.gap, &mut holds);
        *self.sink.steps += (skimmed.stop - at) as u64;
        skimmed
    }

    /// Forgets all that has been read, which nothing that follows has to do with.
    fn begin_anew(&mut self, hand: &mut dyn FnMut(Found) -> ControlFlow<()>) -> ControlFlow<()> {
        self.items.clear();
        self.from = 0;
        self.before = [None; 2];
        self.gap = Gap::default();
        self.sink.hand_out(usize::MAX, hand)
    }

    fn separator(
        &mut self,
        class: u8,
        hand: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.items.len() > self.from {
            self.piece(hand)?;
        }
        self.gap.add(class);
        ControlFlow::Continue(())
    }

    /// Ends the piece under way, if there is one, and looks at it.
    fn piece(&mut self, hand: &mut dyn FnMut(Found) -> ControlFlow<()>) -> ControlFlow<()> {
        if self.items.len() == self.from {
            return ControlFlow::Continue(());
        }
        let piece = self.take_piece(false);
        let items = self.items.get(piece.from..piece.to).unwrap_or_default();
        examine(self.lexicon, items, &piece, &mut self.sink);
        if piece.stars > 0 {
            starred(self.lexicon, items, self.side, &mut self.sink);
        } else if piece.marks & mark::SYMBOL != 0 && items.len() >= 5 {
            spelled_out(self.lexicon, items, self.side, &mut self.sink);
        }
        join(
            self.lexicon,
            self.items,
            &self.before,
            &piece,
            &mut self.sink,
        );
        self.single(&piece);
        let [_, last] = self.before;
        self.before = [last, Some(piece)];
        if self.items.len() >= WINDOW
            || self
                .backwards
                .is_some_and(|from| self.items.len() - from > BACKWARDS)
        {
            return self.forget(hand);
        }
        ControlFlow::Continue(())
    }

    /// Looks at what there is of a piece that is too long, and goes on with its end as the beginning of another.
    fn cut_piece(&mut self) {
        let piece = self.take_piece(true);
        examine(
            self.lexicon,
            self.items.get(piece.from..piece.to).unwrap_or_default(),
            &piece,
            &mut self.sink,
        );
        self.spell_out();
        self.before = [None; 2];
        // Items further back are needed by nothing now but by what is read backwards, which a piece of this length ends.
        self.backwards = None;
        let keep = piece.to.saturating_sub(OVERLAP);
        self.items.drain(..keep);
        self.from = 0;
        self.marks = piece.marks;
        self.stars = piece.stars;
        self.cut = true;
        self.spelling = Spelling::of(self.items);
        self.suspect = true;
    }

    /// Counts single letters in a row, and looks at the word that they spell when the row ends.
    fn single(&mut self, piece: &Piece) {
        let alone = piece.to - piece.from == 1 && piece.stars == 0 && !piece.cut;
        if !alone && self.singles.is_none() {
            return;
        }
        let row = self.singles.filter(|&(_, count)| {
            piece.gap.count <= APART && !piece.gap.wall && count < SPELLED_OUT
        });
        match row {
            Some((from, count)) if alone => self.singles = Some((from, count + 1)),
            _ => {
                self.spell_out();
                self.singles = alone.then_some((piece.from, 1));
            }
        }
    }

    fn spell_out(&mut self) {
        if let Some((from, count @ 3..)) = self.singles.take() {
            let items = self.items.get(from..from + count).unwrap_or_default();
            crate::disguise::apart(self.lexicon, items, &mut self.sink);
        }
    }

    /// Ends what is shown backwards and reads it so.
    fn turn(&mut self) {
        if let Some(from) = self.backwards.take() {
            backwards(
                self.lexicon,
                self.items.get(from..).unwrap_or_default(),
                self.side,
                &mut self.sink,
            );
        }
    }

    /// Lets go of what no rule looks back to any more.
    fn forget(&mut self, hand: &mut dyn FnMut(Found) -> ControlFlow<()>) -> ControlFlow<()> {
        if self.backwards.is_some() {
            self.turn();
            self.backwards = Some(self.items.len());
        }
        let singles = self.singles.map(|(from, _)| from);
        let keep = self
            .before
            .iter()
            .flatten()
            .map(|piece| piece.from)
            .chain(singles)
            .chain(self.backwards)
            .min()
            .unwrap_or(self.items.len());
        let oldest = self
            .items
            .get(keep)
            .map_or(usize::MAX, |item| item.start as usize);
        self.items.drain(..keep);
        self.from -= keep;
        for piece in self.before.iter_mut().flatten() {
            piece.from -= keep;
            piece.to -= keep;
        }
        self.singles = self.singles.map(|(from, count)| (from - keep, count));
        self.backwards = self.backwards.map(|from| from - keep);
        self.sink.hand_out(oldest, hand)
    }
}
