//! The chosen member on a page: the training text exactly as it is rendered, with the trained tokens marked; where the
//! student's tokenizer can't be had, the messages with their roles; and for questions the question with its rollouts.

use super::read::{Kind, Row, Set, SharedRenderer, rendering};
use crate::domain::Message;
use crate::export::lineage::lineage_of;
use crate::export::marks::beside_marks;
use crate::export::preview::{Part, Shown};
use crate::recipe::Recipe;
use crate::session::records::{Asked, Prepared, RolloutGroup};
use crate::session::{Session, SessionError};
use crate::workbench::look::Glyphs;
use crate::workbench::text::printable_lines;
use crate::workbench::widgets::page::{Ink, Page, Piece, plain, split};

use super::tree::{Branch, tree};

/// A member as it is shown.
#[derive(Clone, Debug)]
pub enum Detail {
    /// As the student is trained on it.
    Rendered(Shown),
    /// The messages, and why they are not rendered.
    Messages(Vec<Message>, String),
    /// A question with its gold answer and what was answered.
    Question(Asked, Option<RolloutGroup>),
}

/// Reads a member.
///
/// # Errors
/// In words.
pub fn detail(
    session: &Session,
    recipe: &Recipe,
    renderer: &SharedRenderer,
    set: &Set,
    row: &Row,
) -> Result<Detail, String> {
    if !matches!(row.kind, Kind::Text(_)) {
        let asked = session.get::<Asked>(&format!("train/{}", row.id)).map_err(told)?;
        let asked = asked.ok_or_else(|| format!("the session has no question {}", row.id))?;
        return Ok(Detail::Question(asked, session.get::<RolloutGroup>(&row.key).map_err(told)?));
    }
    let text = prepared(session, set, row)?;
    match rendering(session, recipe, renderer) {
        Ok(renderer) => renderer.shown(&row.key, &text).map(Detail::Rendered).map_err(|error| error.to_string()),
        Err(why) => Ok(Detail::Messages(text.sample.messages, why.clone())),
    }
}

/// The way back from a member; a question has none.
///
/// # Errors
/// In words.
pub fn lineage(session: &Session, recipe: &Recipe, set: &Set, row: &Row) -> Result<Vec<Branch>, String> {
    if !matches!(row.kind, Kind::Text(_)) {
        return Ok(Vec::new());
    }
    let text = prepared(session, set, row)?;
    let found = lineage_of(session, recipe, &row.key, text).map_err(|error| error.to_string())?;
    Ok(tree(&found))
}

fn told(error: SessionError) -> String {
    error.to_string()
}

fn prepared(session: &Session, set: &Set, row: &Row) -> Result<Prepared, String> {
    if let Some(text) = set.texts.iter().find(|text| text.sample.id == row.id) {
        return Ok(text.clone());
    }
    let recorded = session.get::<Prepared>(&row.key).map_err(told)?;
    recorded.ok_or_else(|| format!("the session has no text {}", row.key))
}

impl Detail {
    /// On a page.
    pub fn page(&self, glyphs: &Glyphs) -> Page {
        let mut page = Page::default();
        match self {
            Detail::Rendered(shown) => rendered(&mut page, shown, glyphs),
            Detail::Messages(messages, why) => {
                page.say(Ink::Warn, &format!("not rendered: {why}"));
                for message in messages {
                    page.say(Ink::Name, message.role.as_str());
                    page.extend(&[(Ink::Dim, "  ".to_string())], plain(&message.content, Ink::Text));
                }
            }
            Detail::Question(asked, group) => question(&mut page, asked, group.as_ref(), glyphs),
        }
        page
    }

    /// The text alone, to be copied.
    pub fn text(&self) -> String {
        match self {
            Detail::Rendered(shown) => shown.pieces.iter().map(|piece| piece.text.as_str()).collect(),
            Detail::Messages(messages, _) => {
                let message = |message: &Message| format!("{}: {}\n", message.role.as_str(), message.content);
                messages.iter().map(message).collect()
            }
            Detail::Question(asked, _) => asked.question.text.clone(),
        }
    }
}

fn rendered(page: &mut Page, shown: &Shown, glyphs: &Glyphs) {
    if shown.trained != shown.recorded as usize {
        let words = format!(
            "the run counted {} trained tokens, here are {}: its tokenizer or template was another one",
            shown.recorded, shown.trained
        );
        page.say(Ink::Warn, &words);
    }
    let mut pieces: Vec<Piece> = Vec::new();
    let [open, close] = glyphs.trained;
    for piece in &shown.pieces {
        let text = beside_marks(&printable_lines(&piece.text).replace('\t', "    "), glyphs.trained);
        match piece.part {
            Part::Read => pieces.push((Ink::Dim, text)),
            Part::Trained => {
                pieces.extend([(Ink::Good, open.to_string()), (Ink::Strong, text), (Ink::Good, close.to_string())]);
            }
            Part::Cut => {
                pieces.push((Ink::Bad, "\n(cut off, behind the longest text)\n".to_string()));
                pieces.push((Ink::Dim, text));
            }
        }
    }
    page.extend(&[], split(&pieces));
}

fn question(page: &mut Page, asked: &Asked, group: Option<&RolloutGroup>, glyphs: &Glyphs) {
    page.extend(&[], plain(&asked.question.text, Ink::Text));
    page.line(vec![
        (Ink::Name, "gold ".to_string()),
        (Ink::Good, crate::workbench::text::printable(&asked.question.gold)),
    ]);
    let Some(group) = group else { return page.say(Ink::Dim, "its rollouts are not there") };
    page.say(
        Ink::Text,
        &format!("{} of {} rollouts right, under {}", group.correct(), group.n(), group.provenance.checkpoint),
    );
    for rollout in &group.rollouts {
        let (ink, mark) = if rollout.correct { (Ink::Good, glyphs.done) } else { (Ink::Bad, glyphs.failed) };
        let answer = rollout.answer.as_deref().unwrap_or("nothing could be read");
        page.line(vec![(ink, format!("{mark} ")), (ink, crate::workbench::text::printable(answer))]);
        page.extend(&[(Ink::Dim, "  ".to_string())], plain(&rollout.text, Ink::Dim));
    }
}
