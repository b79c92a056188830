//! One question: what its rollouts answered, how ρ moved between checkpoints, and every rollout to read.

use std::collections::BTreeMap;

use super::rows::{Count, Sampled, sampling};
use crate::domain::Finish;
use crate::pipeline::begun::recipe_of;
use crate::session::Session;
use crate::session::records::RolloutGroup;
use crate::workbench::jobs::Cancel;
use crate::workbench::look::Glyphs;
use crate::workbench::text::{count, figure, printable};
use crate::workbench::widgets::page::{Ink, Page, plain};

/// What a stage sampled for the question.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// The stage.
    pub stage: Sampled,
    /// The rollouts.
    pub group: RolloutGroup,
}

/// An answer, how often it was given, and whether it is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the verifier read, printable; `None` where nothing could be read.
    pub text: Option<String>,
    /// Rollouts that gave it.
    pub times: u32,
    /// Whether the verifier took it.
    pub right: bool,
}

/// What is known of one question's rollouts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detail {
    /// The question.
    pub id: String,
    /// Stages that have sampled it, in the order of the plan.
    pub samplings: Vec<Sampling>,
}

/// Reads the rollouts of one question.
///
/// # Errors
/// In words, when the session can't be read; when it was cancelled.
pub fn read(session: &Session, cancel: &Cancel, id: &str) -> Result<Detail, String> {
    let mut samplings = Vec::new();
    for stage in sampling(&recipe_of(session)?) {
        cancel.check()?;
        let group = session.get::<RolloutGroup>(&format!("{}/{id}", stage.key)).map_err(|error| error.to_string())?;
        samplings.extend(group.map(|group| Sampling { stage, group }));
    }
    Ok(Detail { id: id.to_string(), samplings })
}

impl Sampling {
    /// Right ones among all.
    pub fn count(&self) -> Count {
        Count { k: self.group.correct(), n: self.group.n() }
    }

    /// What was answered, most frequent first.
    pub fn answers(&self) -> Vec<Answer> {
        let mut times: BTreeMap<(Option<&str>, bool), u32> = BTreeMap::new();
        for rollout in &self.group.rollouts {
            *times.entry((rollout.answer.as_deref(), rollout.correct)).or_default() += 1;
        }
        let mut answers: Vec<Answer> = times
            .into_iter()
            .map(|((text, right), times)| Answer { text: text.map(printable), times, right })
            .collect();
        answers.sort_by_key(|answer| std::cmp::Reverse(answer.times));
        answers
    }

    /// `143 tokens on average, 2 cut`.
    fn lengths(&self) -> String {
        let rollouts = &self.group.rollouts;
        let cut = rollouts.iter().filter(|rollout| rollout.finish == Finish::Length).count();
        let mean = self.group.tokens() as f64 / (rollouts.len().max(1)) as f64;
        let cut = if cut > 0 { format!(", {cut} cut off") } else { String::new() };
        format!("{mean:.0} tokens on average{cut}")
    }
}

/// Cells of the bar of ρ.
const BAR: usize = 10;
/// Answers that are told of each stage in the short view.
const ANSWERS: usize = 6;

/// How ρ moved, stage by stage: name, bar, ρ, k/n, and what was answered.
pub fn moved(detail: &Detail, page: &mut Page, glyphs: &Glyphs) {
    let mut before: Option<f64> = None;
    for sampling in &detail.samplings {
        let count = sampling.count();
        let rho = count.rho();
        let step = before.map_or(String::new(), |before| format!("{:>+5.2}", rho - before));
        before = Some(rho);
        let full = (rho * BAR as f64).round() as usize;
        let bar = glyphs.bar.last().copied().unwrap_or_default().repeat(full.min(BAR));
        let ink = if count.k == 0 { Ink::Bad } else { Ink::Good };
        let mut pieces = vec![
            (Ink::Name, format!("{:<6}", sampling.stage.name)),
            (ink, bar),
            (Ink::Dim, glyphs.track.repeat(BAR - full.min(BAR))),
            (Ink::Text, format!(" {:>4} ", figure(rho))),
            (Ink::Dim, format!("{:>7} {step:>5}  ", format!("{}/{}", count.k, count.n))),
        ];
        pieces.extend(answered(sampling, glyphs));
        page.line(pieces);
    }
}

fn answered(sampling: &Sampling, glyphs: &Glyphs) -> Vec<(Ink, String)> {
    let answers = sampling.answers();
    let mut pieces = Vec::new();
    for answer in answers.iter().take(ANSWERS) {
        if !pieces.is_empty() {
            pieces.push((Ink::Dim, format!(" {} ", glyphs.dot)));
        }
        let (ink, mark) = if answer.right { (Ink::Good, glyphs.done) } else { (Ink::Text, "") };
        let ink = if answer.text.is_none() { Ink::Dim } else { ink };
        let text = answer.text.as_deref().unwrap_or("unparsed");
        pieces.push((ink, format!("{mark}{text} x{}", answer.times)));
    }
    if answers.len() > ANSWERS {
        pieces.push((Ink::Dim, format!(" {} {} others", glyphs.dot, answers.len() - ANSWERS)));
    }
    pieces
}

/// Every rollout of a stage: number, right or wrong, the extracted answer, tokens, why it ended, the text.
pub fn rollouts(sampling: &Sampling, glyphs: &Glyphs) -> Page {
    let mut page = Page::default();
    let group = &sampling.group;
    let (of, how) = (&group.provenance, &group.sampling);
    let said = format!(
        "by {}, verifier {}, prompt {}; temperature {}, top-p {}, at most {} tokens; {}",
        of.checkpoint,
        of.verifier,
        of.prompt,
        how.temperature,
        how.top_p,
        count(how.max_new_tokens as u64),
        sampling.lengths()
    );
    page.say(Ink::Dim, &said);
    for (at, rollout) in group.rollouts.iter().enumerate() {
        page.line(Vec::new());
        let (ink, mark) = if rollout.correct { (Ink::Good, glyphs.done) } else { (Ink::Bad, glyphs.failed) };
        let answer = rollout.answer.as_deref().map_or("unparsed".to_string(), printable);
        let ended = match rollout.finish {
            Finish::EndOfTurn => "ended its turn",
            Finish::Length => "cut off: out of tokens",
        };
        page.line(vec![
            (Ink::Name, format!("{:>3} ", at + 1)),
            (ink, format!("{mark} {answer}")),
            (Ink::Dim, format!("  {} tokens, {ended}", count(u64::from(rollout.tokens)))),
        ]);
        page.extend(&[(Ink::Dim, "    ".to_string())], plain(&rollout.text, Ink::Text));
    }
    page
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub mod tests {
    use super::*;
    use crate::domain::{Provenance, Rollout};
    use crate::workbench::look::Look;

    /// Three rollouts, one right, one unreadable and cut.
    pub fn sampled() -> Sampling {
        let rollout = |answer: Option<&str>, correct, finish| Rollout {
            text: "so\u{1b}[31m it is".to_string(),
            tokens: 12,
            finish,
            answer: answer.map(String::from),
            correct,
        };
        let provenance =
            Provenance { verifier: "gsm8k-strict".into(), prompt: "abc".into(), checkpoint: "base".into() };
        let rollouts = vec![
            rollout(Some("400"), false, Finish::EndOfTurn),
            rollout(Some("220"), true, Finish::EndOfTurn),
            rollout(Some("400"), false, Finish::EndOfTurn),
            rollout(None, false, Finish::Length),
        ];
        let sampling = crate::recipe::Recipe::default().difficulty.sampling;
        let group = RolloutGroup { question: "q".into(), provenance, sampling, rollouts };
        let stage = Sampled { key: "1-difficulty".into(), name: "base".into(), checkpoint: "base".into() };
        Sampling { stage, group }
    }

    fn text(page: &Page) -> String {
        let line = |row: &crate::workbench::widgets::page::Row| {
            row.gutter.iter().chain(&row.pieces).map(|(_, text)| text.as_str()).collect::<String>()
        };
        page.rows().iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn answers_are_grouped_most_frequent_first() {
        let answers = sampled().answers();
        let told: Vec<_> = answers.iter().map(|a| (a.text.as_deref(), a.times, a.right)).collect();
        assert_eq!(told, [(Some("400"), 2, false), (None, 1, false), (Some("220"), 1, true)]);
    }

    #[test]
    fn how_rho_moved_and_every_rollout_are_told() {
        let glyphs = Look::picture().glyphs;
        let detail = Detail { id: "q".into(), samplings: vec![sampled(), sampled()] };
        let mut page = Page::default();
        moved(&detail, &mut page, &glyphs);
        let lines = text(&page);
        assert!(lines.contains("1/4") && lines.contains("400 x2 · unparsed x1 · ✓220 x1"), "{lines}");
        assert!(lines.contains("+0.00"), "{lines}");
        let all = text(&rollouts(&sampled(), &glyphs));
        assert!(all.contains("  2 ✓ 220  12 tokens, ended its turn"), "{all}");
        assert!(all.contains("  4 ✗ unparsed  12 tokens, cut off: out of tokens"), "{all}");
        assert!(all.contains("\n    so it is") && !all.contains('\u{1b}'), "{all}");
    }
}
