//! What there is to show: the templates of a session with where each comes from, and one of them rendered on a question
//! with what the session knows of it. Without a session, the built-in ones on a made-up question.

use std::sync::Arc;

use crate::domain::diff::{self, Piece as Difference};
use crate::domain::{Message, Question};
use crate::pipeline::begun::recipe_of;
use crate::pipeline::specimen::{Specimen, failures, question_in};
use crate::pipeline::teaching::{prompts, resumed};
use crate::session::records::{Asked, PromptChange, Trace};
use crate::session::{Session, show_time};
use crate::teacher::prompts::{check, hash};
use crate::teacher::{PromptKind, Prompts};
use crate::workbench::jobs::Cancel;
use crate::workbench::text::{printable, printable_lines};
use crate::workbench::widgets::highlight::{Language, highlight, spoken};
use crate::workbench::widgets::page::{Ink, Page};

/// One template.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is for.
    pub kind: PromptKind,
    /// Its text.
    pub source: String,
    /// The built-in text.
    pub built_in: String,
    /// Hash of its text.
    pub hash: String,
    /// Where it comes from, in a word or two.
    pub origin: String,
    /// Why it does not work, with its line.
    pub fault: Option<String>,
    /// Variables and text.
    pub page: Page,
    /// What differs from the built-in text.
    pub diff: Page,
}

impl Entry {
    /// Whether it differs from the built-in text.
    pub fn differs(&self) -> bool {
        self.source != self.built_in
    }
}

/// The templates, in the order of [`PromptKind::ALL`].
#[derive(Clone, Debug)]
pub struct Entries {
    /// Each with its pages.
    pub all: Vec<Entry>,
    /// Those that work; built-in ones in place of the others.
    pub prompts: Arc<Prompts>,
}

/// The built-in templates.
///
/// # Errors
/// Those of the templates.
pub fn built_in() -> Result<Entries, String> {
    let prompts = Prompts::standard().map_err(|error| error.to_string())?;
    let entry = |kind: PromptKind| {
        let source = prompts.source(kind).to_string();
        entry(kind, source.clone(), source, "built in".into(), (None, Vec::new()))
    };
    Ok(Entries { all: PromptKind::ALL.into_iter().map(entry).collect(), prompts: Arc::new(prompts) })
}

/// The templates of a session. One that does not work is shown with its fault.
///
/// # Errors
/// In words: a recipe that does not read, a session that cannot be read.
pub fn entries(session: &Session) -> Result<Entries, String> {
    let recipe = recipe_of(session)?;
    let mut asked = prompts(&resumed(&recipe, session)).map_err(|error| error.to_string())?;
    let plain = Prompts::new(asked.set()).map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    for kind in PromptKind::ALL {
        let file = session.dir().join("prompts").join(format!("{}.j2", kind.name()));
        let place = file.display().to_string();
        let own = std::fs::read_to_string(&file).ok();
        let source = own.clone().unwrap_or_else(|| asked.source(kind).to_string());
        let fault = check(kind, &source, &place).err().map(|error| error.to_string());
        if fault.is_none() {
            asked = asked.replaced(kind, source.clone(), place).map_err(|error| error.to_string())?;
        }
        let change = session.get::<PromptChange>(kind.name()).map_err(|error| error.to_string())?;
        let change = change.filter(|change| change.hash == hash(&source));
        let built_in = plain.source(kind).to_string();
        let folder = &recipe.prompts.folder;
        let origin = match &change {
            _ if source == built_in => "built in".to_string(),
            Some(change) => format!("session, {}", printable(&change.decided.by.to_string())),
            None if !folder.is_empty() => format!("folder {}", printable(folder)),
            None => "session's file".to_string(),
        };
        let history = change.map(|change| {
            let before = hash(&change.before);
            format!("{}, {}: in place of {before}", change.decided.by, show_time(change.decided.at))
        });
        all.push(entry(kind, source, built_in, origin, (fault, history.into_iter().collect())));
    }
    Ok(Entries { all, prompts: Arc::new(asked) })
}

fn entry(
    kind: PromptKind,
    source: String,
    built_in: String,
    origin: String,
    (fault, history): (Option<String>, Vec<String>),
) -> Entry {
    let mut page = Page::default();
    if let Some(fault) = &fault {
        page.say(Ink::Bad, fault);
    }
    let asks = if kind.is_teachers() { "the teacher is asked" } else { "the student is asked" };
    page.say(Ink::Dim, &format!("{asks}: {}", kind.words()));
    let mut names = vec![(Ink::Dim, "variables ".to_string())];
    for (name, must) in kind.variables() {
        names.extend([(Ink::Name, name.to_string()), (Ink::Dim, if must { "  " } else { "?  " }.to_string())]);
    }
    page.line(names);
    history.iter().for_each(|line| page.say(Ink::Dim, line));
    page.line(Vec::new());
    for (at, line) in highlight(source.trim_end_matches('\n'), Language::Template).into_iter().enumerate() {
        page.labelled(vec![(Ink::Dim, format!("{:>3} ", at + 1))], line);
    }
    let diff = difference(&built_in, &source);
    let hash = hash(&source);
    Entry { kind, source, built_in, hash, origin, fault, page, diff }
}

/// Line by line what differs from the built-in text: `-` only there, `+` only here.
fn difference(built_in: &str, source: &str) -> Page {
    let mut page = Page::default();
    if built_in == source {
        page.say(Ink::Dim, "It says what the built-in one says.");
        return page;
    }
    for piece in diff::lines(built_in, source) {
        let (ink, sign, text) = match &piece {
            Difference::Same(text) => (Ink::Text, "  ", text),
            Difference::Gone(text) => (Ink::Removed, "- ", text),
            Difference::New(text) => (Ink::Added, "+ ", text),
        };
        for line in printable_lines(text.trim_end_matches('\n')).split('\n') {
            page.guttered(vec![(ink, sign.to_string())], vec![(ink, line.replace('\t', "    "))]);
        }
    }
    page
}

/// A template with its values in place.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Which.
    pub kind: PromptKind,
    /// On which question.
    pub question: String,
    /// What the session knew of it, in words.
    pub known: String,
    /// The turns.
    pub page: Page,
    /// The turns, as they are copied.
    pub copied: String,
}

/// Renders a template on a question of the session: the one named, else the first.
///
/// # Errors
/// In words: no such question, no question at all, a template that does not render.
pub fn rendered(session: &Session, prompts: &Prompts, kind: PromptKind, id: Option<&str>) -> Result<Rendered, String> {
    let question = match id {
        Some(id) => question_in(session, id).map_err(|error| error.to_string())?,
        None => match session.scan::<Asked>("train/").next().or_else(|| session.scan::<Asked>("").next()) {
            Some(item) => item.map_err(|error| error.to_string())?.1.question,
            None => return Err("the session has no questions yet: they are written when its run begins".into()),
        },
    };
    let trace = session.get::<Trace>(&question.id).map_err(|error| error.to_string())?;
    let failed = failures(session, &question.id).map_err(|error| error.to_string())?.pop();
    let known = match (trace.is_some(), failed) {
        (true, Some(iteration)) => format!("its trace, its failure of iteration {iteration}"),
        (false, Some(iteration)) => format!("its failure of iteration {iteration}, a made-up trace"),
        (true, None) => "its trace, a made-up failure".to_string(),
        (false, None) => "a made-up trace and failure".to_string(),
    };
    let specimen = Specimen::of_session(session, question).map_err(|error| error.to_string())?;
    show(prompts, kind, &specimen, known)
}

/// Renders a template without a session.
///
/// # Errors
/// A template that does not render.
pub fn made_up(prompts: &Prompts, kind: PromptKind) -> Result<Rendered, String> {
    let text = "Mona has 12 eggs and buys 2 boxes of 6 eggs. How many eggs does she have?".to_string();
    let solution = Some("2 * 6 = 12\n12 + 12 = 24\n#### 24".to_string());
    let question = Question { id: "made up".into(), text, gold: "24".into(), solution, ..Question::default() };
    show(prompts, kind, &Specimen::of(question), "everything made up".into())
}

fn show(prompts: &Prompts, kind: PromptKind, specimen: &Specimen, known: String) -> Result<Rendered, String> {
    let messages = specimen.render(prompts, kind).map_err(|error| error.to_string())?;
    let mut page = Page::default();
    for Message { role, content } in &messages {
        page.line(vec![(Ink::Strong, format!("[{}]", role.as_str()))]);
        page.extend(&[(Ink::Dim, "  ".into())], highlight(content.trim_end(), spoken(content)));
        page.line(Vec::new());
    }
    let copied = messages.iter().map(|turn| format!("[{}]\n{}\n", turn.role.as_str(), turn.content.trim_end()));
    let copied = copied.collect::<Vec<_>>().join("\n");
    Ok(Rendered { kind, question: printable(&specimen.question.id), known, page, copied })
}

/// Every question to choose from: its id and its text.
///
/// # Errors
/// In words: a session that cannot be read; cancelled.
pub fn questions(session: &Session, cancel: &Cancel) -> Result<Vec<(String, String)>, String> {
    let mut all = Vec::new();
    for item in session.scan::<Asked>("") {
        cancel.check()?;
        let (_, asked) = item.map_err(|error| error.to_string())?;
        all.push((asked.question.id, printable(&asked.question.text)));
    }
    Ok(all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn lines(page: &Page) -> Vec<String> {
        let piece = |(_, text): &(Ink, String)| text.clone();
        page.rows().iter().map(|row| row.gutter.iter().chain(&row.pieces).map(piece).collect()).collect()
    }

    #[test]
    fn built_in_templates_show_their_variables_and_lines() {
        let entries = built_in().unwrap();
        let importance = &entries.all[PromptKind::Importance as usize];
        let shown = lines(&importance.page);
        assert_eq!(shown[0], "the teacher is asked: how much a step matters");
        assert!(shown[1].contains("gold  trace?  without"), "{}", shown[1]);
        assert!(shown[3].starts_with("  1 {# system #}"), "{}", shown[3]);
        assert!(!importance.differs() && lines(&importance.diff)[0].contains("built-in"));
    }

    #[test]
    fn a_difference_is_told_by_signs() {
        let page = difference("one\ntwo\n", "one\n2\n");
        assert_eq!(lines(&page), ["  one", "- two", "+ 2"]);
    }

    #[test]
    fn every_template_renders_without_a_session() {
        let entries = built_in().unwrap();
        for kind in PromptKind::ALL {
            let rendered = made_up(&entries.prompts, kind).unwrap();
            assert!(!rendered.page.is_empty() && rendered.copied.contains("eggs") | rendered.copied.contains("13"));
        }
    }
}
