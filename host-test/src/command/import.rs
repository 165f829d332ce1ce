//! `portcullis import`: an OpenAPI document as a policy, and all of it that the policy does not enforce.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use portcullis_config::{Diagnostic, Severity, Strictness, Unmatched};
use portcullis_host_test::document::{Document, MAX_BYTES, ReadError};
use portcullis_host_test::openapi::{self, Import as Imported, Notation, Options};
use portcullis_host_test::profile::Profile;
use portcullis_host_test::report;
use portcullis_host_test::scenario::matcher::show;
use portcullis_host_test::verdict::verdict;

use super::{Exit, module};

/// Findings shown with their lines; finding the line of each of thousands would take long.
const MAX_SHOWN: usize = 50;
/// Lines at the top of a policy for what it does not enforce.
const MAX_COMMENTS: usize = 20;

/// An OpenAPI document as a policy: a route for each operation, its parameters and its body
#[derive(Debug, Args)]
#[command(after_help = "\
The policy is a beginning: it is yours to edit. \
All that the document says and the policy does not enforce is told on stderr, with its place.

  $ portcullis import openapi.json -o policy.yaml
  $ portcullis check policy.yaml
  $ portcullis serve policy.yaml --upstream http://127.0.0.1:8000")]
pub(crate) struct Import {
    /// An OpenAPI document of version 3.0 or 3.1, JSON or YAML
    #[arg(value_name = "OPENAPI")]
    document: PathBuf,
    /// Where the policy goes [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace a policy that is there
    #[arg(long, requires = "output")]
    force: bool,
    /// How the policy is written [default: as its file is called, or yaml]
    #[arg(long)]
    format: Option<Format>,
    /// The policy's name [default: made of the document's title]
    #[arg(long)]
    name: Option<String>,
    /// What stands before every path [default: the path of the document's first server]
    #[arg(long, value_name = "PATH")]
    base_path: Option<String>,
    /// A path parameter that may hold slashes where it ends a path, as FastAPI's `{NAME:path}` may; repeatable
    #[arg(long = "tail", value_name = "NAME")]
    tails: Vec<String>,
    /// What is done about a `readOnly` property that is sent; none is ever required
    #[arg(long, default_value = "ignore")]
    read_only: ReadOnly,
    /// Ask for credentials where the document does: only that they are there, so one without them gets 422, not 401
    #[arg(long)]
    require_security: bool,
    /// What is done about requests that no operation describes
    #[arg(long, default_value = "reject")]
    unmatched: OnUnmatched,
    /// Whether `"12"` is a number: `pydantic` takes what FastAPI takes
    #[arg(long, default_value = "schema")]
    strictness: OnStrictness,
    /// Write nothing, and end with 3, if anything in the document is not enforced
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, with comments
    Yaml,
    /// One JSON document
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReadOnly {
    /// It passes if its schema takes it
    Ignore,
    /// The request is refused
    Reject,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnUnmatched {
    /// 404, or 405 where only the method is wrong
    Reject,
    /// They are forwarded
    Allow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnStrictness {
    /// No
    Schema,
    /// Yes
    Pydantic,
}

impl Import {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let document = match openapi::read_file(&self.document) {
            Ok(document) => document,
            Err(ReadError::Unreadable(unreadable)) => {
                anstream::eprint!("{}", report::unreadable(&unreadable, true));
                return Ok(Exit::CouldNotRun);
            }
            Err(error) => return Err(error.into()),
        };
        let imported = match openapi::import(&document, &self.options()) {
            Ok(imported) => imported,
            Err(errors) => {
                anstream::eprint!("{}", report::diagnostics(&document, &errors, true));
                return Ok(Exit::CouldNotRun);
            }
        };
        tell(&document, &imported);
        if self.strict && !imported.not_enforced.is_empty() {
            anstream::eprintln!("no policy is written: `--strict`");
            return Ok(Exit::PolicyInvalid);
        }
        let text = self.text(&document, &imported);
        if text.len() > MAX_BYTES {
            bail!("the policy would be larger than the {MAX_BYTES} bytes that a policy can have");
        }
        match &self.output {
            None => anstream::print!("{text}"),
            Some(file) => self.write(file, &text)?,
        }
        refused(&text)
    }

    fn options(&self) -> Options {
        Options {
            name: self.name.clone(),
            base_path: self.base_path.clone(),
            tails: self.tails.clone(),
            read_only: match self.read_only {
                ReadOnly::Ignore => openapi::ReadOnly::Ignore,
                ReadOnly::Reject => openapi::ReadOnly::Reject,
            },
            require_security: self.require_security,
            unmatched: match self.unmatched {
                OnUnmatched::Reject => Unmatched::Reject,
                OnUnmatched::Allow => Unmatched::Allow,
            },
            strictness: match self.strictness {
                OnStrictness::Schema => Strictness::Schema,
                OnStrictness::Pydantic => Strictness::Pydantic,
            },
        }
    }

    fn notation(&self) -> Notation {
        let is_json = |file: &PathBuf| file.extension().is_some_and(|end| end == "json");
        match self.format {
            Some(Format::Yaml) => Notation::Yaml,
            Some(Format::Json) => Notation::Json,
            None if self.output.as_ref().is_some_and(is_json) => Notation::Json,
            None => Notation::Yaml,
        }
    }

    fn text(&self, document: &Document, imported: &Imported) -> String {
        let notation = self.notation();
        let policy = openapi::text(&imported.policy, notation);
        match notation {
            Notation::Json => policy,
            Notation::Yaml => self.comments(document, imported) + &policy,
        }
    }

    /// Where the policy comes from, what it leaves out and how to go on.
    fn comments(&self, document: &Document, imported: &Imported) -> String {
        let source = comment(document.source.name());
        let output = self.output.as_ref().map(|file| file.display().to_string());
        let output = comment(output.as_deref().unwrap_or("policy.yaml"));
        let mut text = format!(
            "# {}, as `portcullis import {source}` read it. It is yours to edit; then:\n\
             #   portcullis check {output}\n\
             #   portcullis serve {output} --upstream http://127.0.0.1:8000\n",
            comment(if imported.title.is_empty() {
                "An API"
            } else {
                &imported.title
            }),
        );
        let list = &imported.not_enforced;
        if !list.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# Not enforced ({}):", list.len());
        }
        for finding in list.iter().take(MAX_COMMENTS) {
            let place = comment(&place(document, finding));
            let _ = writeln!(text, "#   {place}: {}", comment(&finding.message));
        }
        if let Some(more) = list
            .len()
            .checked_sub(MAX_COMMENTS)
            .filter(|more| *more > 0)
        {
            let _ = writeln!(text, "#   and {more} more, which the import tells");
        }
        text
    }

    fn write(&self, file: &Path, text: &str) -> anyhow::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true);
        if self.force {
            options.create(true).truncate(true);
        } else {
            options.create_new(true);
        }
        let name = file.display();
        let mut opened = match options.open(file) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                bail!(
                    "`{name}` is there already (help: `--force` replaces it, and all edits in it)"
                )
            }
            opened => opened.with_context(|| format!("cannot write `{name}`"))?,
        };
        opened
            .write_all(text.as_bytes())
            .with_context(|| format!("cannot write `{name}`"))
    }
}

/// Says on stderr what was found: stdout may be the policy.
fn tell(document: &Document, imported: &Imported) {
    let list = &imported.not_enforced;
    let (shown, rest) = list.split_at_checked(MAX_SHOWN).unwrap_or((list, &[]));
    anstream::eprint!("{}", report::diagnostics(document, shown, true));
    for finding in rest {
        line("warning[import-not-enforced]", &finding.pointer, finding);
    }
    let (shown, rest) = imported
        .notes
        .split_at_checked(MAX_SHOWN)
        .unwrap_or((&imported.notes, &[]));
    for note in shown {
        line("note", &place(document, note), note);
    }
    for note in rest {
        line("note", &note.pointer, note);
    }
    anstream::eprintln!(
        "{}: {}, {} not enforced",
        show(document.source.name().as_bytes()),
        counted(imported.routes(), "route"),
        counted(list.len(), "thing"),
    );
}

/// Whether the module takes the policy: it knows limits that no document says anything of.
fn refused(text: &str) -> anyhow::Result<Exit> {
    let policy = Document::read("the policy", text.as_bytes())?;
    let verdict = verdict(&module(None)?, Profile::ENVOY, &policy.value)?;
    let mut errors = verdict.diagnostics;
    errors.retain(|finding| finding.severity == Severity::Error);
    if errors.is_empty() {
        return Ok(Exit::Ok);
    }
    policy.sort(&mut errors);
    anstream::eprint!("{}", report::diagnostics(&policy, &errors, true));
    anstream::eprintln!("no gateway takes this policy until it is edited");
    Ok(Exit::PolicyInvalid)
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn line(kind: &str, place: &str, finding: &Diagnostic) {
    let help = finding.help.as_ref().map(|help| format!(" (help: {help})"));
    let text = format!(
        "{kind}: {place}: {}{}",
        finding.message,
        help.unwrap_or_default()
    );
    anstream::eprintln!("{}", show(text.as_bytes()));
}

/// `openapi.json:12:9 /paths/~1a/get`.
fn place(document: &Document, finding: &Diagnostic) -> String {
    let range = document.spans.at(&finding.pointer).key_or_head();
    let place = document.source.place(range.start);
    format!("{}:{place} {}", document.source.name(), finding.pointer)
}

/// Somebody else's text in a comment: on one line, and nothing that a reader of YAML could end it at.
fn comment(text: &str) -> String {
    let visible = |c: char| {
        if (' '..='~').contains(&c) || c.is_alphanumeric() {
            c
        } else {
            '?'
        }
    };
    text.chars().map(visible).collect()
}
