//! Reads the checked-in lists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;

/// What the lists say of one word.
#[derive(Debug, Default, Clone)]
pub(crate) struct Opinion {
    /// The lists that hold it.
    lists: BTreeSet<&'static str>,
    /// How many they are.
    pub(crate) votes: usize,
    /// 1 to 4, where dsojevic grades it.
    pub(crate) grade: u8,
    /// 0 to 5, the worst of rustrict's profane, offensive and sexual.
    pub(crate) level: u8,
    /// cuss has it.
    pub(crate) rated: bool,
    /// And is sure of it.
    pub(crate) sure: bool,
    /// Bits of the tags.
    pub(crate) tags: u8,
}

/// The lists of English, each with its file.
const ENGLISH: [(&str, &str); 8] = [
    ("dsojevic", "words.txt"),
    ("better-profanity", "words.txt"),
    ("badwords-list", "words.txt"),
    ("obscenity", "words.txt"),
    ("leo-profanity", "words.txt"),
    ("2toad", "en.txt"),
    ("rustrict", "words.txt"),
    ("cuss", "en.txt"),
];

/// The lines of a file without comments and blank ones.
pub(crate) fn lines(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    Ok(text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .map(str::to_owned)
        .collect())
}

/// Everything the lists of `language` say, by word in a to z.
pub(crate) fn opinions(lists: &Path, language: &str) -> anyhow::Result<BTreeMap<String, Opinion>> {
    let sources = match language {
        "es" => vec![
            ("naughty-words", "es.txt"),
            ("2toad", "es.txt"),
            ("cuss", "es.txt"),
        ],
        "de" => vec![("naughty-words", "de.txt"), ("2toad", "de.txt")],
        _ => ENGLISH.to_vec(),
    };
    let mut opinions: BTreeMap<String, Opinion> = BTreeMap::new();
    for (list, file) in sources {
        for line in lines(&lists.join(list).join(file))? {
            let mut columns = line.split('\t');
            let Some(word) = columns.next().and_then(one_word) else {
                continue;
            };
            let columns: Vec<&str> = columns.collect();
            // What cuss takes for hardly profane at all is no vote, nor, of another language, what it is not sure of.
            if list == "cuss" && (columns == ["0"] || language != "en" && columns != ["2"]) {
                continue;
            }
            let opinion = opinions.entry(word).or_default();
            if opinion.lists.insert(list) {
                opinion.votes += 1;
            }
            match (list, columns.as_slice()) {
                ("dsojevic", [grade, tags]) => {
                    opinion.grade = opinion.grade.max(grade.parse()?);
                    for (bit, tag) in portcullis_profanity::TAGS.iter().enumerate() {
                        opinion.tags |= u8::from(tags.split(',').any(|given| given == *tag)) << bit;
                    }
                }
                ("rustrict", [profane, offensive, sexual, _]) => {
                    for column in [profane, offensive, sexual] {
                        opinion.level = opinion.level.max(column.parse()?);
                    }
                }
                ("cuss", [rating]) => {
                    opinion.rated = true;
                    opinion.sure |= *rating == "2";
                }
                _ => {}
            }
        }
    }
    Ok(opinions)
}

/// `line` in a to z, if it is one word that can be looked for: signs and digits that stand for letters are read as such, so that each list
/// says of a word once what it thinks of it.
fn one_word(line: &str) -> Option<String> {
    let line = line.trim();
    if line.contains(' ') {
        return None;
    }
    let word = plain(line)?;
    (word.len() > 1 && word.len() <= 30).then_some(word)
}

/// `text` in a to z; `None` if a letter of it is not in a to z when its accents are left out.
pub(crate) fn plain(text: &str) -> Option<String> {
    let mut plain = String::new();
    for c in text.to_lowercase().chars() {
        plain.push_str(match c {
            'a'..='z' => {
                plain.push(c);
                continue;
            }
            '\'' | '-' | '.' | ' ' | '’' => "",
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | '@' | '4' | 'ā' | 'ă' | 'ą' => "a",
            'ç' | 'ć' | 'č' => "c",
            'ď' | 'đ' => "d",
            'è' | 'é' | 'ê' | 'ë' | '3' | 'ē' | 'ę' | 'ě' => "e",
            'ğ' | '9' | '6' => "g",
            'ì' | 'í' | 'î' | 'ï' | '1' | '!' | 'ī' | 'ı' => "i",
            'ł' | 'ľ' => "l",
            'ñ' | 'ń' | 'ň' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | '0' | 'ō' | 'ő' => "o",
            'ř' => "r",
            'ś' | 'š' | 'ş' | 'ș' | '5' | '$' => "s",
            'ß' => "ss",
            'ť' | 'ţ' | 'ț' | '7' | '+' => "t",
            'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' => "u",
            'ý' | 'ÿ' => "y",
            'ź' | 'ż' | 'ž' => "z",
            'æ' => "ae",
            'œ' => "oe",
            '8' => "b",
            _ => return None,
        });
    }
    Some(plain)
}
