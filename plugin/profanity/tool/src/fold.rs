//! The fold table: what each character beyond ASCII looks like.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, ensure};

use crate::lists::lines;

/// Scripts whose letters may pass for Latin ones, as ranges of code points: Latin, Greek, Cyrillic, Armenian, Cherokee, phonetic and
/// letter-like signs, and the styled alphabets. No other script is ever folded.
const SCRIPTS: [(u32, u32); 19] = [
    (0x80, 0x58f),
    (0x10a0, 0x10c5),
    (0x13a0, 0x13ff),
    (0x1c80, 0x1c8f),
    (0x1d00, 0x1dbf),
    (0x1e00, 0x1fff),
    (0x2000, 0x218f),
    (0x2200, 0x23ff),
    (0x2460, 0x24ff),
    (0x249c, 0x24e9),
    (0x2c60, 0x2cff),
    (0xa4d0, 0xa4ff),
    (0xa640, 0xa69f),
    (0xa720, 0xa7ff),
    (0xab30, 0xabbf),
    (0xfb00, 0xfb06),
    (0xff21, 0xff5a),
    (0x1d400, 0x1d7ff),
    (0x1f100, 0x1f1ff),
];

/// Letters that pass for Latin ones in use, beyond what Unicode counts as confusable: mostly Cyrillic and Greek small letters that look
/// like Latin small capitals.
const MORE: &str = "ƅbՀhвbзeиuкkмmнhпnтtцuчyшwщwьbъbэeяrгrлnжxβbγyδdεeηnθoκkλaμuνvπnρpστtφoχxψwωwΣeσoςcՏsՍuՈnԼlԵeԳqաwգqդnեtթpիhլlծoկyհhղnմuյjնuոnչsպwջ2ռnսuվlտwրnցgւrփpքpօoƒf";

fn allowed(code: u32) -> bool {
    SCRIPTS
        .iter()
        .any(|&(from, to)| (from..=to).contains(&code))
}

/// What a table says of one character: `-` for nothing that is seen, `|` for either `i` or `l`, or letters.
fn letters_of(name: &str) -> Option<String> {
    let rest = [
        "LATIN SMALL LETTER ",
        "LATIN CAPITAL LETTER ",
        "LATIN LETTER SMALL CAPITAL ",
        "NEGATIVE CIRCLED LATIN CAPITAL LETTER ",
        "NEGATIVE SQUARED LATIN CAPITAL LETTER ",
        "REGIONAL INDICATOR SYMBOL LETTER ",
        "SQUARED LATIN CAPITAL LETTER ",
    ]
    .iter()
    .find_map(|prefix| name.strip_prefix(prefix))?;
    let letter = rest.split(" WITH ").next()?;
    let letter = match letter {
        "DOTLESS I" => return Some("|".into()),
        "DOTLESS J" => "J",
        "OPEN E" | "REVERSED E" | "REVERSED OPEN E" | "TURNED E" | "SCHWA" => "E",
        "SCRIPT G" => "G",
        "ALPHA" | "TURNED A" => "A",
        "OPEN O" | "CLOSED OPEN E" => "O",
        "ENG" => "N",
        "AE" | "OE" => letter,
        "SHARP S" => "SS",
        one if one.len() == 1 => one,
        _ => return None,
    };
    Some(letter.to_lowercase())
}

/// Writes `fold.txt` into `into` from Unicode's UnicodeData.txt and the confusables as the PyPI package `confusable_homoglyphs` has them.
pub(crate) fn gather(data: &Path, confusables: &Path, into: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(data)?;
    let mut rows: BTreeMap<u32, (&str, &str, &str)> = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(';').collect();
        if let [code, name, category, _, _, decomposition, ..] = fields.as_slice() {
            rows.insert(
                u32::from_str_radix(code, 16)?,
                (*name, *category, *decomposition),
            );
        }
    }
    let similar: serde_json::Value = serde_json::from_slice(&std::fs::read(confusables)?)?;
    let mut table: BTreeMap<u32, String> = BTreeMap::new();
    for (&code, &(name, category, _)) in rows.range(0x80..) {
        let invisible = matches!(category, "Mn" | "Me" | "Cf")
            || matches!(code, 0x115f | 0x1160 | 0x3164 | 0xffa0 | 0x2800);
        if invisible {
            table.insert(code, "-".into());
        } else if allowed(code)
            && (category.starts_with('L')
                || category == "So"
                || category == "Nl"
                || category == "Sc")
        {
            let found = decomposed(&rows, code)
                .or_else(|| letters_of(name))
                .or_else(|| more(code))
                .or_else(|| confusable(&similar, &rows, code, 2));
            if let Some(letters) = found {
                table.insert(code, letters);
            }
        }
    }
    // Variation selectors and tags beyond the table's own rows.
    for code in (0xe0100..=0xe01ef).chain(0xe0020..=0xe007f) {
        table.insert(code, "-".into());
    }
    for (code, letters) in [
        (0xa3, "l"),
        (0xa2, "c"),
        (0x20ac, "e"),
        (0xa5, "y"),
        (0xa1, "|"),
        (0x2c60, "l"),
        (0xdf, "ss"),
    ] {
        table.insert(code, letters.into());
    }
    let mut out = String::from(
        "# What characters look like, from UnicodeData.txt and confusables.txt; see SOURCE.\n",
    );
    for (code, letters) in table {
        writeln!(out, "{code:x} {letters}")?;
    }
    Ok(std::fs::write(into.join("fold.txt"), out)?)
}

fn ascii(c: char) -> Option<char> {
    c.is_ascii_alphabetic().then(|| c.to_ascii_lowercase())
}

/// The letters that a character decomposes into, marks left out.
fn decomposed(rows: &BTreeMap<u32, (&str, &str, &str)>, code: u32) -> Option<String> {
    let (_, category, decomposition) = rows.get(&code)?;
    if code < 0x80 {
        return char::from_u32(code).and_then(ascii).map(String::from);
    }
    if category.starts_with('M') {
        return Some(String::new());
    }
    let mut letters = String::new();
    for part in decomposition
        .split(' ')
        .filter(|part| !part.starts_with('<') && !part.is_empty())
    {
        match u32::from_str_radix(part, 16).ok()? {
            0x28 | 0x29 | 0x20 => {}
            part => letters.push_str(&decomposed(rows, part)?),
        }
    }
    (!letters.is_empty()).then_some(letters)
}

fn more(code: u32) -> Option<String> {
    let c = char::from_u32(code)?;
    let pairs: Vec<char> = MORE.chars().collect();
    pairs.chunks(2).find_map(|pair| match pair {
        [from, to] if *from == c && to.is_ascii_alphabetic() => Some(to.to_string()),
        _ => None,
    })
}

/// The Latin letter that Unicode says `code` is confusable with, in one step or `depth`.
fn confusable(
    similar: &serde_json::Value,
    rows: &BTreeMap<u32, (&str, &str, &str)>,
    code: u32,
    depth: usize,
) -> Option<String> {
    let c = char::from_u32(code)?;
    let others: Vec<char> = similar
        .get(c.to_string())?
        .as_array()?
        .iter()
        .filter_map(|other| other.get("c")?.as_str()?.chars().next())
        .collect();
    if others.contains(&'l') && (others.contains(&'I') || others.contains(&'1')) {
        return Some("|".into());
    }
    if let Some(letter) = others.iter().find_map(|&other| ascii(other)) {
        return Some(letter.to_string());
    }
    let named = others
        .iter()
        .find_map(|&other| letters_of(rows.get(&u32::from(other))?.0));
    named.or_else(|| {
        others
            .iter()
            .filter(|_| depth > 0)
            .find_map(|&other| confusable(similar, rows, u32::from(other), depth - 1))
    })
}

/// The packed table.
pub(crate) fn pack(lists: &Path) -> anyhow::Result<Vec<u8>> {
    let mut records: Vec<(u32, u32, u8)> = Vec::new();
    for line in lines(&lists.join("unicode/fold.txt"))? {
        let (code, letters) = line.split_once(' ').context("code point, space, letters")?;
        let code = u32::from_str_radix(code, 16)?;
        let what = match letters.as_bytes() {
            b"-" => 0,
            b"|" => 27,
            [letter @ b'a'..=b'z'] => letter - b'a' + 1,
            [one, two, ..] => {
                let ligatures = portcullis_profanity::packing::ligatures();
                let known = ligatures
                    .iter()
                    .position(|&(a, b)| same(a, *one) && same(b, *two));
                known.map_or(255, |known| 64 + known as u8)
            }
            _ => 255,
        };
        let last = records.last_mut();
        match last {
            Some((from, to, before))
                if *to + 1 == code && code - *from < 250 && *before == what =>
            {
                *to = code
            }
            // An alphabet in order: the record before becomes one that counts up.
            Some((from, to, before)) if *to + 1 == code && counts_up(*from, *to, *before, what) => {
                *before = if *before >= 32 {
                    *before
                } else {
                    *before - 1 + 32
                };
                *to = code;
            }
            _ => records.push((code, code, what)),
        }
    }
    ensure!(records.is_sorted(), "code points are in order");
    let mut bytes = Vec::new();
    for (from, to, what) in records {
        bytes.extend(from.to_be_bytes().into_iter().skip(1));
        bytes.push(u8::try_from(to - from)?);
        bytes.push(what);
    }
    Ok(bytes)
}

fn same(a: u8, b: u8) -> bool {
    let class = |letter| if letter == b'l' { b'i' } else { letter };
    class(a) == class(b)
}

fn counts_up(from: u32, to: u32, before: u8, what: u8) -> bool {
    match before {
        1..=26 if from == to => what == before + 1 && what <= 26,
        32..=58 => u32::from(what) == u32::from(before - 32) + (to - from) + 2 && what <= 26,
        _ => false,
    }
}
