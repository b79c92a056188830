//! The failed questions as rows, what of them a filter shows, and what there is of which kind.

use std::collections::BTreeMap;

use crate::domain::MatchKind;
use crate::pipeline::review::{Kind, Product, ProductId};
use crate::session::records::{Asked, Recycled, Status};
use crate::session::{Author, Session};
use crate::workbench::jobs::Cancel;
use crate::workbench::text::printable;

/// What stands in place of an error type where there is no diagnosis.
pub const NO_DIAGNOSIS: &str = "no diagnosis";

/// A failed question.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Key of its record.
    pub key: String,
    /// Iteration in which it failed.
    pub iteration: u32,
    /// Question id.
    pub question: String,
    /// Text of the question, one printable line.
    pub text: String,
    /// Where the diagnosis stands.
    pub status: Status,
    /// Who decided on it, where somebody did.
    pub decided: Option<String>,
    /// Kind of error, in the teacher's words.
    pub error: String,
    /// How the first error was found in the response.
    pub found: Option<MatchKind>,
    /// Near-miss score (eq. 30).
    pub score: f64,
    /// Whether the response repeats itself.
    pub repeats: bool,
    /// Everything it can be searched by, in small letters.
    words: String,
}

impl Row {
    fn of(key: String, record: Recycled, text: &str) -> Self {
        let error = record.diagnosis.as_ref().map_or(NO_DIAGNOSIS, |diagnosis| diagnosis.error_type.trim());
        let error = printable(error);
        let by = |author: &Author| match author {
            Author::Researcher(name) => printable(name),
            other => other.to_string(),
        };
        let (question, status) = (record.question.clone(), record.status.clone());
        let decided = record.decided.as_ref().map(|decided| by(&decided.by));
        let (found, score, repeats) = (record.excerpt.map(|excerpt| excerpt.kind), record.score, record.repetition);
        let words = format!("{question}\n{text}\n{}", Product::Recycled(record).words()).to_lowercase();
        let iteration = key.split_once('/').and_then(|(iteration, _)| iteration.parse().ok()).unwrap_or(0);
        Self { key, iteration, question, text: printable(text), status, decided, error, found, score, repeats, words }
    }

    /// Its product.
    pub fn product(&self) -> ProductId {
        ProductId::new(Kind::Recycled, self.key.clone())
    }
}

/// Every failed question, in the order of iterations and ids.
///
/// # Errors
/// A session that cannot be read; cancelled.
pub fn read(session: &Session, cancel: &Cancel) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for item in session.scan::<Recycled>("") {
        cancel.check()?;
        let (key, record) = item.map_err(|error| error.to_string())?;
        let asked = session.get::<Asked>(&format!("train/{}", record.question)).map_err(|error| error.to_string())?;
        rows.push(Row::of(key, record, asked.as_ref().map_or("", |asked| &asked.question.text)));
    }
    rows.sort_by(|a, b| (a.iteration, &a.question).cmp(&(b.iteration, &b.question)));
    Ok(rows)
}

/// How a match is said in a column.
pub fn found_word(found: Option<MatchKind>) -> &'static str {
    match found {
        Some(MatchKind::Exact) => "exact",
        Some(MatchKind::Normalised) => "normal",
        Some(MatchKind::Fuzzy) => "fuzzy",
        None => "none",
    }
}

/// Which rows are shown: every condition must hold; of several values for one key any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    status: Vec<String>,
    error: Vec<String>,
    found: Vec<String>,
    repeats: Option<bool>,
    text: Vec<String>,
}

/// Words for a standing in a filter; `pending` waits for a decision.
const STANDINGS: [&str; 6] = ["proposed", "approved", "edited", "rejected", "review", "pending"];
const FOUND: [&str; 4] = ["exact", "normal", "fuzzy", "none"];

impl Filter {
    /// Reads `status:review error:"wrong calculation" match:fuzzy repeats:yes words`.
    ///
    /// # Errors
    /// In words: a key or a value that is not known.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        for (key, value) in terms(text) {
            let known = |words: &[&str], what: &str| match words.iter().find(|word| word.starts_with(value.as_str())) {
                Some(word) => Ok((*word).to_string()),
                None => Err(format!("`{value}` is no {what}; they are {}", words.join(", "))),
            };
            match key.as_deref() {
                None => filter.text.push(value),
                Some("status") => filter.status.push(known(&STANDINGS, "standing")?.replace("pending", "proposed")),
                Some("error") => filter.error.push(value),
                Some("match") => filter.found.push(known(&FOUND, "match")?),
                Some("repeats") => filter.repeats = Some(known(&["yes", "no"], "answer")? == "yes"),
                Some(other) => {
                    return Err(format!("`{other}:` is not known; there are status:, error:, match: and repeats:"));
                }
            }
        }
        Ok(filter)
    }

    /// Whether a row is shown.
    pub fn fits(&self, row: &Row) -> bool {
        let any = |wanted: &[String], is: &dyn Fn(&String) -> bool| wanted.is_empty() || wanted.iter().any(is);
        any(&self.status, &|status| status == row.status.name())
            && any(&self.error, &|error| row.error.to_lowercase().contains(error))
            && any(&self.found, &|found| found == found_word(row.found))
            && self.repeats.is_none_or(|repeats| repeats == row.repeats)
            && self.text.iter().all(|text| row.words.contains(text))
    }
}

/// The terms of a filter in small letters: a key where there is one, and a value, which quotes keep together.
fn terms(text: &str) -> Vec<(Option<String>, String)> {
    let (mut terms, mut key, mut value, mut quoted) = (Vec::new(), None, String::new(), false);
    for c in text.to_lowercase().chars().chain([' ']) {
        match c {
            '"' => quoted = !quoted,
            ':' if !quoted && key.is_none() && !value.is_empty() => key = Some(std::mem::take(&mut value)),
            c if c.is_whitespace() && !quoted => {
                if !value.is_empty() {
                    terms.push((key.take(), std::mem::take(&mut value)));
                }
                key = None;
            }
            c => value.push(c),
        }
    }
    // A quote that is still open: what stands in it counts so far.
    if !value.trim().is_empty() {
        terms.push((key, value.trim().to_string()));
    }
    terms
}

/// A filter's text with the terms of one key replaced; no value takes them away.
pub fn with_term(text: &str, key: &str, value: Option<&str>) -> String {
    let quoted = |value: &str| if value.contains(char::is_whitespace) { format!("\"{value}\"") } else { value.into() };
    let mut parts: Vec<String> = Vec::new();
    for (name, value) in terms(text) {
        match name {
            Some(name) if name == key => {}
            Some(name) => parts.push(format!("{name}:{}", quoted(&value))),
            None => parts.push(quoted(&value)),
        }
    }
    parts.extend(value.map(|value| format!("{key}:{}", quoted(value))));
    parts.join(" ")
}

/// Numbers by standing, in their order: proposed, approved, edited, rejected, review.
pub fn standings<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<(&'static str, u64)> {
    let mut counts: Vec<(&'static str, u64)> = STANDINGS[..5].iter().map(|name| (*name, 0)).collect();
    for row in rows {
        if let Some((_, count)) = counts.iter_mut().find(|(name, _)| *name == row.status.name()) {
            *count += 1;
        }
    }
    counts
}

/// Numbers by error type, the most frequent first; capitals don't matter.
pub fn errors<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for row in rows {
        counts.entry(row.error.to_lowercase()).or_insert_with(|| (row.error.clone(), 0)).1 += 1;
    }
    let mut counts: Vec<(String, u64)> = counts.into_values().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Recycle;
    use super::*;
    use crate::session::Sessions;
    use crate::workbench::house::House;
    use crate::workbench::jobs::Jobs;
    use crate::workbench::look::Look;
    use crate::workbench::pane::{Cx, Pane};
    use crate::workbench::state::State;

    fn row(id: &str, error: &str, status: Status, found: Option<MatchKind>) -> Row {
        Row {
            key: format!("1/{id}"),
            iteration: 1,
            question: id.into(),
            text: "How many eggs?".into(),
            status,
            decided: None,
            error: error.into(),
            found,
            score: 2.0,
            repeats: id == "b",
            words: format!("{id} how many eggs? {error}").to_lowercase(),
        }
    }

    fn rows() -> Vec<Row> {
        let rejected = Status::Rejected { reason: "no".into() };
        vec![
            row("a", "Wrong calculation", Status::Proposed, Some(MatchKind::Exact)),
            row("b", "wrong calculation", Status::Approved, Some(MatchKind::Fuzzy)),
            row("c", "question misread", rejected, Some(MatchKind::Exact)),
            row("d", NO_DIAGNOSIS, Status::Review { reason: "none".into() }, None),
        ]
    }

    fn shown(filter: &str) -> String {
        let filter = Filter::parse(filter).unwrap();
        rows().iter().filter(|row| filter.fits(row)).map(|row| row.question.clone()).collect()
    }

    #[test]
    fn rows_that_can_t_be_read_any_more_leave_nothing_to_stand_on() {
        let (jobs, look, run) = (Jobs::at_once(), Look::picture(), State::new("s", ""));
        let house = House::to_look_at(Sessions::at("nowhere"));
        let (now, mut wishes) = (std::time::Duration::ZERO, Vec::new());
        let (source, answers, wishes) = (None, None, &mut wishes);
        let mut cx = Cx { run: &run, now, source, jobs: &jobs, house: &house, look: &look, answers, wishes };
        let mut pane = Recycle::default();
        pane.rows.ask(&jobs, now, |_| Ok(rows()));
        pane.poll(&mut cx);
        assert_eq!(pane.place(), Some(0));
        pane.rows.ask(&jobs, now, |_| Err("the session is gone".to_string()));
        pane.poll(&mut cx);
        assert_eq!((pane.place(), pane.sheet()), (None, None));
    }

    #[test]
    fn every_part_of_a_filter_narrows_down() {
        for (filter, expected) in [
            ("", "abcd"),
            ("status:pending", "a"),
            ("status:rej status:review", "cd"),
            ("error:misread", "c"),
            ("error:\"wrong calc\" match:fuzzy", "b"),
            ("match:none", "d"),
            ("repeats:no EGGS", "acd"),
            ("eggs misread", "c"),
            ("\"many eggs", "abcd"),
            ("nothing of this", ""),
        ] {
            assert_eq!(shown(filter), expected, "{filter}");
        }
        assert!(Filter::parse("status:maybe").unwrap_err().contains("proposed, approved"));
        assert!(Filter::parse("band:hard").unwrap_err().contains("`band:` is not known"));
    }

    #[test]
    fn a_term_is_replaced_and_taken_away() {
        assert_eq!(with_term("eggs status:review", "status", Some("proposed")), "eggs status:proposed");
        assert_eq!(with_term("eggs", "error", Some("wrong unit")), "eggs error:\"wrong unit\"");
        assert_eq!(with_term("error:\"wrong unit\" eggs", "error", None), "eggs");
    }

    #[test]
    fn kinds_of_errors_and_standings_are_counted() {
        let rows = rows();
        let errors = errors(rows.iter());
        assert_eq!(errors[0], ("Wrong calculation".to_string(), 2));
        assert_eq!(errors.len(), 3);
        let counts: Vec<u64> = standings(rows.iter()).iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [1, 1, 0, 1, 1]);
    }
}
