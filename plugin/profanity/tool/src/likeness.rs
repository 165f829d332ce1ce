//! Whether a word that holds an entry spells it, or would if a letter were repeated or an `l` an `i`.

use portcullis_profanity::packing::pattern;

/// How letters differ that have the same pattern.
#[derive(Clone, Copy, Default)]
pub(crate) struct Likeness {
    /// A letter stands twice where the entry has it once.
    pub(crate) stretched: bool,
    /// An `l` stands for an `i`, or the other way round.
    pub(crate) swapped: bool,
}

/// A word as its runs of one class: how many letters, and whether `l` and `i` are among them.
pub(crate) struct Runs(Vec<(usize, bool, bool)>);

impl Runs {
    pub(crate) fn of(word: &str) -> Self {
        let mut runs: Vec<(usize, bool, bool)> = Vec::new();
        let mut before = Vec::new();
        for letter in word.bytes() {
            let class = pattern(char::from(letter).encode_utf8(&mut [0; 4]));
            if class != before || runs.is_empty() {
                runs.push((0, false, false));
                before = class;
            }
            if let Some((count, l, i)) = runs.last_mut() {
                *count += 1;
                *l |= letter == b'l';
                *i |= letter == b'i';
            }
        }
        Self(runs)
    }

    /// How the runs from `from` on are like `entry`; `None` if a letter stands in `entry` more often.
    pub(crate) fn likeness(&self, from: usize, entry: &Self) -> Option<Likeness> {
        let mut likeness = Likeness::default();
        for (at, ((count, l, i), (wanted, wanted_l, wanted_i))) in
            self.0.iter().skip(from).zip(&entry.0).enumerate()
        {
            if count < wanted {
                return None;
            }
            // At the edges a longer run may belong to what stands beside.
            let edge = at == 0 && from > 0
                || at + 1 == entry.0.len() && from + entry.0.len() < self.0.len();
            likeness.stretched |= count > wanted && !edge;
            likeness.swapped |= (l, i) != (wanted_l, wanted_i);
        }
        Some(likeness)
    }
}
