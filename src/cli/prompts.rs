//! `footbridge prompts list|show|render|set|check`: what student and teacher are asked.

use std::fmt::Write as _;
use std::path::Path;

use comfy_table::{Table, presets};

use super::args::{PromptsVerb, WhichPrompts};
use super::exit::{Exit, Failure};
use super::out;
use crate::domain::Question;
use crate::pipeline::begun::recipe_of;
use crate::pipeline::prompting::{PromptingError, change, listed};
use crate::pipeline::specimen::{Specimen, question_in, question_of};
use crate::pipeline::teaching::{prompts, prompts_of};
use crate::recipe::Recipe;
use crate::session::{Session, Sessions};
use crate::teacher::prompts::{check as verify, nearest};
use crate::teacher::{PromptKind, Prompts};
use crate::workbench::text::printable;

/// Does what is asked.
pub fn run(verb: &PromptsVerb) -> Result<Exit, Failure> {
    let text = match verb {
        PromptsVerb::List { which } => list(&Meant::find(which)?.prompts),
        PromptsVerb::Show { name, which } => Meant::find(which)?.prompts.source(named(name)?).to_owned(),
        PromptsVerb::Render { name, question, text, which } => {
            let (kind, meant) = (named(name)?, Meant::find(which)?);
            rendered(&meant, &meant.specimen(question.as_deref(), text.as_deref())?, kind)?
        }
        PromptsVerb::Set { session, name, file, yes, by, sessions } => {
            set(&Sessions::at(&sessions.path), session, (named(name)?, file), (by.as_deref(), *yes))?
        }
        PromptsVerb::Check { folder } => check(folder)?,
    };
    let _ = out::stdout(&text)?;
    Ok(Exit::Done)
}

/// The prompt of this name.
fn named(name: &str) -> Result<PromptKind, Failure> {
    PromptKind::named(name)
        .ok_or_else(|| Failure::usage(format!("there is no prompt `{name}`; the nearest is `{}`", nearest(name))))
}

/// The prompts that are meant, and where their questions are.
struct Meant {
    prompts: Prompts,
    recipe: Recipe,
    session: Option<Session>,
}

impl Meant {
    fn find(which: &WhichPrompts) -> Result<Self, Failure> {
        let (recipe, session) = match &which.session {
            None => (Recipe::find(&which.recipe).map_err(Failure::usage)?, None),
            Some(name) => {
                let session = Sessions::at(&which.sessions.path).open_read_only(name).map_err(Failure::usage)?;
                let recipe = recipe_of(&session)?;
                (crate::pipeline::teaching::resumed(&recipe, &session), Some(session))
            }
        };
        let mut found = prompts(&recipe).map_err(Failure::usage)?;
        if let Some(session) = &session {
            found = prompts_of(session, found).map_err(Failure::usage)?;
        }
        if let Some(folder) = &which.prompts {
            found = found.overridden(folder).map_err(Failure::usage)?;
        }
        Ok(Self { prompts: found, recipe, session })
    }

    /// The question that is meant, with what a prompt may want beside it.
    fn specimen(&self, id: Option<&str>, text: Option<&str>) -> Result<Specimen, Failure> {
        if let Some(text) = text {
            let question = Question { id: "text".into(), text: text.into(), gold: "42".into(), ..Question::default() };
            return Ok(Specimen::of(question));
        }
        match &self.session {
            None => Ok(Specimen::of(question_of(&self.recipe, id).map_err(Failure::usage)?)),
            Some(session) => {
                let question = question_in(session, id.unwrap_or_default()).map_err(Failure::usage)?;
                Specimen::of_session(session, question).map_err(Failure::usage)
            }
        }
    }
}

fn list(prompts: &Prompts) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["prompt", "asks", "for", "hash", "from"]);
    for kind in PromptKind::ALL {
        let asks = if kind.is_teachers() { "the teacher" } else { "the student" };
        table.add_row([kind.name(), asks, kind.words(), &prompts.hash(kind), &printable(prompts.place(kind))]);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn rendered(meant: &Meant, specimen: &Specimen, kind: PromptKind) -> Result<String, Failure> {
    let mut text = String::new();
    for message in specimen.render(&meant.prompts, kind).map_err(Failure::usage)? {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "[{}]\n{}\n", message.role.as_str(), message.content.trim_end());
    }
    Ok(text.trim_end().to_owned())
}

/// Changes a prompt of a session that stands still, as the prompts pane does.
fn set(
    sessions: &Sessions,
    name: &str,
    (kind, file): (PromptKind, &Path),
    (by, yes): (Option<&str>, bool),
) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", file.display())))?;
    verify(kind, &text, &file.display().to_string()).map_err(Failure::usage)?;
    let session = sessions.open(name).map_err(Failure::usage)?;
    for note in session.notes() {
        out::stderr(note);
    }
    let hash = change(&session, kind, &text, (by, yes)).map_err(|error| match error {
        PromptingError::Used { name, uses } => Failure::usage(format!(
            "the prompt `{name}` was used: {}; those stay as they are, and what comes after differs; --yes changes it",
            listed(&uses)
        )),
        PromptingError::Session(error) => Failure::failed(error),
        error @ PromptingError::Write { .. } => Failure::failed(error),
        error => Failure::usage(error),
    })?;
    Ok(format!("the prompt {} is {hash} from here on", kind.name()))
}

fn check(folder: &Path) -> Result<String, Failure> {
    let built_in = Prompts::standard().map_err(Failure::failed)?;
    let mut prompts = Prompts::standard().map_err(Failure::failed)?;
    prompts = prompts.overridden(folder).map_err(Failure::usage)?;
    let mut text = String::new();
    let replaced = PromptKind::ALL.into_iter().filter(|kind| prompts.place(*kind) != built_in.place(*kind));
    for kind in replaced {
        let _ = writeln!(text, "{}: valid; {}, hash {}", prompts.place(kind), kind.words(), prompts.hash(kind));
    }
    if text.is_empty() {
        return Err(Failure::usage(format!("{} holds no prompts; their files end in .j2", folder.display())));
    }
    Ok(text)
}
