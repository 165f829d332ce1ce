//! What routes write under `profanity`, compiled: the words once for all that say the same of them.

use std::rc::Rc;

use portcullis_config::{
    self as config, Config, Diagnostics, Mode, Profanity, ProfanityAction, ProfanityTarget, Route,
    Segment, Threshold, code, pointer_child, suggest,
};
use portcullis_profanity::{Filter, Note, PACKS, Severity, Wanted};

use super::{Fields, Finder, ProfanityRule};
use crate::compile::moded;
use crate::policy::Moded;

/// Words of the operator's, and exceptions, that are taken.
const MOST: usize = 2000;

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
    let mut of_route = |route: &Route| {
        let target = route.profanity.as_ref()?;
        let at = format!("/routes/{}/profanity", route.index);
        let finder = finders.get(&target.profanity, &at, diagnostics)?;
        let rule = rule(route, target, finder, &at, diagnostics)?;
        let mode = target.profanity.mode.capped_by(route.mode);
        moded(mode.capped_by(config.mode), || rule)
    };
    config.routes.iter().map(&mut of_route).collect()
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
                Some("each is looked for in every text: leave out what the built-in lists have".to_owned()),
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
