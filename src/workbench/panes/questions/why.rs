//! What the session knows of one question, from the samples of its difficulty to the training texts made of it.

use super::rows::{band_name, sampling};
use crate::domain::Band;
use crate::pipeline::begun::recipe_of;
use crate::pipeline::stages::difficulty;
use crate::session::records::{Asked, BridgedTrace, Decided, Prepared, Recycled, Scores, Sourced, Status, Trace};
use crate::session::{Record, RolloutBrief, Session, SessionError, show_time};
use crate::workbench::jobs::Cancel;
use crate::workbench::text::{printable, wrap};
use crate::workbench::widgets::page::{Ink, Piece};

/// The lines, in the order in which things came to be. Names stand in the first piece.
///
/// # Errors
/// In words, when the session can't be read; when it was cancelled.
pub fn read(session: &Session, cancel: &Cancel, id: &str) -> Result<Vec<Vec<Piece>>, String> {
    let mut told = Told { session, id, lines: Vec::new() };
    told.question().and_then(|()| told.rollouts()).and_then(|()| told.products()).map_err(|error| error.to_string())?;
    cancel.check()?;
    told.texts(cancel)?;
    Ok(told.lines)
}

/// Columns of a name, and of the words beside it.
const NAME: usize = 11;
const WORDS: usize = 88;

/// A line broken so that it can be read in a window that does not break lines.
pub fn broken(line: Vec<Piece>) -> Vec<Vec<Piece>> {
    let [(ink, name), (words, text)] = line.as_slice() else { return vec![line] };
    let name = |at: usize| if at == 0 { name.clone() } else { " ".repeat(NAME) };
    let lines = wrap(text, WORDS).into_iter().enumerate();
    lines.map(|(at, part)| vec![(*ink, name(at)), (*words, part)]).collect()
}

struct Told<'a> {
    session: &'a Session,
    id: &'a str,
    lines: Vec<Vec<Piece>>,
}

impl Told<'_> {
    fn say(&mut self, name: &str, words: &str) {
        self.lines.push(vec![(Ink::Name, format!("{name:<NAME$}")), (Ink::Text, printable(words))]);
    }

    fn more(&mut self, words: &str) {
        self.lines.push(vec![(Ink::Dim, " ".repeat(NAME)), (Ink::Dim, printable(words))]);
    }

    fn question(&mut self) -> Result<(), SessionError> {
        let Some(asked) = self.session.get::<Asked>(&format!("train/{}", self.id))? else { return Ok(()) };
        self.say("question", &asked.question.text);
        self.say("gold", &asked.question.gold);
        if let Some(source) = self.session.get::<Sourced>("train")? {
            self.say("source", &format!("{} ({}, verifier {})", source.name, source.path, source.verifier));
        }
        Ok(())
    }

    fn rollouts(&mut self) -> Result<(), SessionError> {
        let Ok(recipe) = recipe_of(self.session) else { return Ok(()) };
        for stage in sampling(&recipe) {
            let key = format!("{}/{}", stage.key, self.id);
            let first = self.session.rollout_briefs(&key).next().transpose()?;
            let Some((_, brief)) = first.filter(|(at, _)| *at == key) else { continue };
            let RolloutBrief { n, correct, parsed, cut, provenance, .. } = &brief;
            let band = match stage.key == difficulty::FIRST {
                true => format!(", {}", band_name(Band::of(*correct, *n, &difficulty::edges(&recipe)))),
                false => String::new(),
            };
            let words = format!("{correct} of {n} right{band}; {parsed} readable, {cut} cut off");
            self.say(&stage.name, &words);
            self.more(&format!("{key}, by {}, verifier {}", provenance.checkpoint, provenance.verifier));
        }
        Ok(())
    }

    fn products(&mut self) -> Result<(), SessionError> {
        if let Some(trace) = self.session.get::<Trace>(self.id)? {
            let words = format!("by {} in {} attempts", trace.teacher, trace.attempts);
            self.product("trace", &words, &trace.status, trace.decided.as_ref());
        }
        if let Some(scores) = self.session.get::<Scores>(self.id)? {
            let words = format!("{} steps, D under {}", scores.steps.len(), scores.checkpoint);
            self.product("scores", &words, &scores.status, scores.decided.as_ref());
        }
        if let Some(bridge) = self.session.get::<BridgedTrace>(self.id)? {
            let words = format!("{} steps, {} local samples", bridge.steps.len(), bridge.bridged.locals.len());
            self.product("bridge", &words, &bridge.status, bridge.decided.as_ref());
            for (at, step) in bridge.steps.iter().enumerate() {
                let by = if step.overruled.is_some() { ", chosen by a researcher" } else { "" };
                self.more(&format!("step {} {}: {}{by}", at + 1, step.action.as_str(), step.reason));
            }
        }
        for key in self.session.keys::<Recycled>("").collect::<Result<Vec<_>, _>>()? {
            let Some((iteration, _)) = key.split_once('/').filter(|(_, question)| *question == self.id) else {
                continue;
            };
            let Some(failure) = self.session.get::<Recycled>(&key)? else { continue };
            let error = failure.diagnosis.as_ref().map_or("no diagnosis", |diagnosis| diagnosis.error_type.as_str());
            let words = format!("near-miss {}, score {:.2}: {error}", failure.near_miss + 1, failure.score);
            self.product(&format!("recycled {iteration}"), &words, &failure.status, failure.decided.as_ref());
        }
        Ok(())
    }

    fn product(&mut self, name: &str, words: &str, status: &Status, decided: Option<&Decided>) {
        let why = status.reason().map_or(String::new(), |reason| format!(" ({reason})"));
        self.say(name, &format!("{words}; {}{why}", status.name()));
        if let Some(decided) = decided {
            let reason = decided.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
            self.more(&format!("{}, {}{reason}", decided.by, show_time(decided.at)));
        }
    }

    /// The training texts that stem from it.
    fn texts(&mut self, cancel: &Cancel) -> Result<(), String> {
        let mut any = false;
        for item in self.session.scan::<Prepared>("") {
            cancel.check()?;
            let (key, prepared) = item.map_err(|error| error.to_string())?;
            if prepared.sample.question == self.id {
                let name = if any { "" } else { "trained as" };
                self.say(name, &format!("{} ({} tokens, {key})", prepared.sample.id, prepared.tokens));
                self.more(&format!("from {}", prepared.sample.lineage.join(", ")));
                any = true;
            }
        }
        if !any {
            let table = Prepared::TABLE;
            self.say("trained as", &format!("nothing yet: no {table} record stems from it"));
        }
        Ok(())
    }
}
