//! What routes write under `profanity`, compiled: the words once for all that say the same of them.

use std::rc::Rc;

use portcullis_config::{
    self as config, Config, Diagnostics, Profanity, ProfanityAction, ProfanityTarget, Route,
    Segment, Threshold, code, suggest,
};
use portcullis_profanity::{Filter, Note, PACKS, Severity, Wanted};

use super::{Fields, Finder, ProfanityRule};
use crate::compile::moded;
use crate::policy::Moded;

/// Words of the operator's, and exceptions, that are taken; and the bytes of each.
const MOST: usize = 1000;
const LONGEST: usize = 64;

/// Compiles what every route says; a route that says nothing, or is off, has `None`. What is wrong is reported for
/// those that are off, too.
pub(crate) fn compile(
    config: &Config,
    diagnostics: &mut Diagnostics,
) -> Vec<Option<Moded<ProfanityRule>>> {
    let mut finders = Finders::default();
    if let Some(shared) = &config.profanity {
        finders.get(shared, "/profanity", diagnostics);
        if !config.routes.iter().any(|route| route.profanity.is_some()) {
            warn_of_nowhere("/profanity", diagnostics);
        }
    }
    let routes = config.routes.iter().map(|route| {
        let target = route.profanity.as_ref()?;
        let at = format!("/routes/{}/profanity", route.index);
        let finder = finders.get(&target.profanity, &at, diagnostics)?;
        let rule = rule(route, target, finder, &at, diagnostics)?;
        let mode = target.profanity.mode.capped_by(route.mode);
        moded(mode.capped_by(config.mode), || rule)
    });
    routes.collect()
}

fn rule(
    route: &Route,
    target: &ProfanityTarget,
    finder: Rc<Finder>,
    at: &str,
    diagnostics: &mut Diagnostics,
) -> Option<ProfanityRule> {
    let action = target.profanity.action;
    let fields = Fields::compile(&target.fields, &finder, action).map(Rc::new);
    let elsewhere = [
        ("query", !target.query.is_empty()),
        ("path", !target.path.is_empty()),
        ("headers", !target.headers.is_empty()),
    ];
    if fields.is_none() && elsewhere.iter().all(|(_, written)| !written) {
        warn_of_nowhere(at, diagnostics);
        return None;
    }
    for (key, _) in elsewhere.into_iter().filter(|(_, written)| *written) {
        if action == ProfanityAction::Mask {
            diagnostics.error(
                code::PROFANITY_MASK,
                format!("{at}/{key}"),
                "`mask` acts on `fields` of the body only",
                Some("give what is looked at here an action of its own, on a route of its own, or leave it out".to_owned()),
            );
        }
    }
    Some(ProfanityRule {
        action,
        path: path(route, &target.path, at, diagnostics),
        query: target.query.clone(),
        headers: names(&target.headers),
        fields,
        finder,
    })
}

fn names(headers: &[config::HeaderName]) -> Vec<String> {
    let names = headers.iter();
    names.map(|name| name.as_str().to_owned()).collect()
}

/// The parameters of a path by their segments.
fn path(
    route: &Route,
    wanted: &[String],
    at: &str,
    diagnostics: &mut Diagnostics,
) -> Vec<(usize, String)> {
    let segments = route.path.segments.iter().enumerate();
    let templates: Vec<(usize, &str)> = segments
        .filter_map(|(at, segment)| match segment {
            Segment::Template(name) => Some((at, name.as_str())),
            Segment::Literal(_) => None,
        })
        .collect();
    for (index, name) in wanted.iter().enumerate() {
        if !templates.iter().any(|(_, template)| template == name) {
            let near = suggest(name, templates.iter().map(|(_, name)| *name));
            diagnostics.error(
                code::PROFANITY_PATH_PARAMETER,
                format!("{at}/path/{index}"),
                format!("the route's path has no `{{{}}}`", name.escape_debug()),
                Some(near.map_or_else(
                    || format!("its path is `{}`", route.path.text),
                    |near| format!("did you mean `{near}`?"),
                )),
            );
        }
    }
    let wanted = |(_, name): &(usize, &str)| wanted.iter().any(|wanted| wanted == name);
    let named = templates.into_iter().filter(wanted);
    named.map(|(at, name)| (at, name.to_owned())).collect()
}

fn warn_of_nowhere(at: &str, diagnostics: &mut Diagnostics) {
    diagnostics.warning(
        code::PROFANITY_NOWHERE,
        at,
        "nothing is looked at",
        Some("say where on a route: `profanity: {fields: [/name]}`".to_owned()),
    );
}

/// What was compiled, by what was said.
#[derive(Default)]
struct Finders<'c>(Vec<(&'c Profanity, Option<Rc<Finder>>)>);

impl<'c> Finders<'c> {
    /// The finder of a section that stands at a pointer; `None` if something in it is wrong, which is told once.
    fn get(
        &mut self,
        section: &'c Profanity,
        at: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Rc<Finder>> {
        let said = |one: &Profanity, other: &Profanity| {
            one.lists == other.lists
                && one.words == other.words
                && one.allow == other.allow
                && one.threshold == other.threshold
        };
        if let Some((_, finder)) = self.0.iter().find(|(other, _)| said(section, other)) {
            return finder.clone();
        }
        let finder = finder(section, at, diagnostics).map(Rc::new);
        self.0.push((section, finder.clone()));
        finder
    }
}

fn finder(section: &Profanity, at: &str, diagnostics: &mut Diagnostics) -> Option<Finder> {
    let lists: Vec<&str> = match &section.lists {
        Some(lists) => lists.iter().map(String::as_str).collect(),
        None => vec!["en"],
    };
    let mut fine = true;
    for (key, words) in [("words", &section.words), ("allow", &section.allow)] {
        if words.len() > MOST {
            fine = false;
            diagnostics.error(
                code::PROFANITY_WORDS,
                format!("{at}/{key}"),
                format!("{} words are more than {MOST}", words.len()),
                Some("leave out what the built-in lists have".to_owned()),
            );
        }
        for (index, word) in words
            .iter()
            .enumerate()
            .filter(|(_, word)| word.len() > LONGEST)
        {
            fine = false;
            diagnostics.error(
                code::PROFANITY_WORDS,
                format!("{at}/{key}/{index}"),
                format!(
                    "a word has at most {LONGEST} bytes, this one has {}",
                    word.len()
                ),
                None,
            );
        }
    }
    if !fine {
        return None;
    }
    let (filter, notes) = Filter::compile(&Wanted {
        lists: &lists,
        words: &section.words,
        allow: &section.allow,
        threshold: match section.threshold {
            Threshold::Mild => Severity::Mild,
            Threshold::Moderate => Severity::Moderate,
            Threshold::Severe => Severity::Severe,
        },
    });
    for note in notes {
        fine &= tell(&note, section, &lists, at, diagnostics);
    }
    fine.then(|| Finder::new(filter))
}

/// Tells of one note; whether the policy can be served all the same.
fn tell(
    note: &Note,
    section: &Profanity,
    lists: &[&str],
    at: &str,
    diagnostics: &mut Diagnostics,
) -> bool {
    let word = |words: &[String], index: usize| {
        let word = words.get(index).map_or("", String::as_str);
        word.escape_debug().to_string()
    };
    match *note {
        Note::UnknownList { index } => {
            let list = lists.get(index).copied().unwrap_or_default();
            let near = suggest(list, PACKS.iter().copied());
            diagnostics.error(
                code::PROFANITY_LIST,
                format!("{at}/lists/{index}"),
                format!("there is no list `{}`", list.escape_debug()),
                Some(near.map_or_else(
                    || format!("there are `{}`", PACKS.join("`, `")),
                    |near| format!("did you mean `{near}`?"),
                )),
            );
            false
        }
        Note::WholeToken { index, inside } => {
            diagnostics.warning(
                code::PROFANITY_WORD_WHOLE,
                format!("{at}/words/{index}"),
                format!(
                    "`{}` stands inside {inside} dictionary words, so it counts only as a word of its own",
                    word(&section.words, index)
                ),
                Some("that is mostly what was meant: list the longer forms that are to count, too".to_owned()),
            );
            true
        }
        Note::Unmatchable { index } => {
            unmatchable(
                "words",
                index,
                &word(&section.words, index),
                at,
                diagnostics,
            );
            false
        }
        Note::UnmatchableAllow { index } => {
            unmatchable(
                "allow",
                index,
                &word(&section.allow, index),
                at,
                diagnostics,
            );
            false
        }
    }
}

fn unmatchable(key: &str, index: usize, word: &str, at: &str, diagnostics: &mut Diagnostics) {
    diagnostics.error(
        code::PROFANITY_WORD,
        format!("{at}/{key}/{index}"),
        format!("`{word}` has no letters to be found by"),
        Some("words are found by their letters, whatever stands between them".to_owned()),
    );
}
