//! One failed question as pages: the near-miss with its first error marked, the seven fields, and the three lessons they
//! become, made by the function that the next SFT uses.

use serde_json::Value;

use crate::domain::{Diagnosis, MatchKind, Question, SftSample, Verifier, count_steps};
use crate::pipeline::lessons::Failure;
use crate::pipeline::review::FIELDS;
use crate::pipeline::teaching::asked_of;
use crate::session::records::{Asked, Recycled, RolloutGroup};
use crate::session::{Session, show_time};
use crate::workbench::look::Glyphs;
use crate::workbench::text::printable;
use crate::workbench::widgets::highlight::{Language, highlight, spoken};
use crate::workbench::widgets::page::{Ink, Page, Piece, plain, split};

/// A page, what its header says, and what copying it takes.
#[derive(Clone, Debug, Default)]
pub struct Leaf {
    /// Beside the header's name.
    pub facts: Vec<(Ink, String)>,
    /// The page.
    pub page: Page,
    /// The text on it.
    pub copied: String,
}

/// Everything about one failed question.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// Key of its record.
    pub key: String,
    /// The response that was diagnosed.
    pub miss: Leaf,
    /// The diagnosis: its fields, and as JSON.
    pub diagnosis: [Leaf; 2],
    /// The lessons: as they are read, and as JSON.
    pub lessons: [Leaf; 2],
    /// The seven fields, for editing; empty texts where there is no diagnosis.
    pub fields: Vec<(&'static str, String)>,
}

impl Detail {
    /// The diagnosis as JSON, for editing as a whole.
    pub fn json(&self) -> String {
        let fields = self.fields.iter().map(|(name, text)| ((*name).to_string(), Value::from(text.as_str())));
        pretty(&Value::Object(fields.collect()))
    }
}

/// Reads a failed question; `None` where there is none under the key.
///
/// # Errors
/// In words: a session or recipe that cannot be read.
pub fn read(session: &Session, key: &str, glyphs: Glyphs) -> Result<Option<Detail>, String> {
    let Some(record) = session.get::<Recycled>(key).map_err(|error| error.to_string())? else { return Ok(None) };
    let asked = session.get::<Asked>(&format!("train/{}", record.question)).map_err(|error| error.to_string())?;
    let iteration = key.split_once('/').and_then(|(iteration, _)| iteration.parse().ok()).unwrap_or(1);
    let group = session.get::<RolloutGroup>(&format!("{iteration}-rollouts/{}", record.question));
    let group = group.map_err(|error| error.to_string())?;
    let fields = fields_of(record.diagnosis.as_ref());
    let mut detail = Detail { key: key.to_string(), fields, ..Detail::default() };
    let question = asked.map(|asked| asked.question).unwrap_or_default();
    detail.miss = miss(&record, &question, group.as_ref(), glyphs);
    detail.diagnosis = diagnosis(&record, &detail);
    let failure = Failure { iteration, key, question: &question, record: &record };
    detail.lessons = match lessons(session, &failure) {
        Ok(made) => made,
        Err(error) => [Leaf::fault(&error), Leaf::fault(&error)],
    };
    Ok(Some(detail))
}

impl Leaf {
    fn fault(error: &str) -> Self {
        let mut page = Page::default();
        page.say(Ink::Bad, error);
        Self { page, ..Self::default() }
    }
}

fn fields_of(diagnosis: Option<&Diagnosis>) -> Vec<(&'static str, String)> {
    let value = diagnosis.and_then(|diagnosis| serde_json::to_value(diagnosis).ok()).unwrap_or_default();
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
    FIELDS.into_iter().map(|name| (name, text(name))).collect()
}

/// The response: what stands before the wrong step with a bar left of it, the first error marked.
fn miss(record: &Recycled, question: &Question, group: Option<&RolloutGroup>, glyphs: Glyphs) -> Leaf {
    let rollout = group.and_then(|group| group.rollouts.get(record.near_miss as usize));
    let of = group.map_or(String::new(), |group| format!(" of {}", group.rollouts.len()));
    let mut facts = vec![(Ink::Text, format!("{}{of}", record.near_miss + 1))];
    facts.push((Ink::Text, format!("score {:.2}", record.score)));
    if let Some(rollout) = rollout {
        let answer = rollout.answer.as_deref().map_or("no answer read".into(), |answer| format!("said {answer}"));
        facts.push((Ink::Dim, format!("{} tokens", rollout.tokens)));
        let steps = count_steps(&rollout.text);
        facts.push((Ink::Dim, if steps == 1 { "1 step".into() } else { format!("{steps} steps") }));
        facts.push((Ink::Text, printable(&answer)));
    }
    if record.repetition {
        facts.push((Ink::Warn, "repeats itself".into()));
    }
    let mut page = Page::default();
    page.extend(&[(Ink::Dim, "  ".into())], plain(&question.text, Ink::Strong));
    page.say(Ink::Dim, &format!("  gold {}", question.gold));
    page.line(Vec::new());
    let bar = [(Ink::Good, format!("{} ", glyphs.border[5]))];
    let none = [(Ink::Dim, "  ".to_string())];
    let (kept, rest) = marked(record, glyphs);
    page.extend(&bar, kept);
    page.extend(&none, rest);
    Leaf { facts, page, copied: record.response.clone() }
}

/// Lines before the wrong step, and those from it on with the first error marked.
fn marked(record: &Recycled, glyphs: Glyphs) -> (Vec<Vec<Piece>>, Vec<Vec<Piece>>) {
    let response = record.response.as_str();
    let piece = |ink, text: &str| (ink, crate::workbench::text::printable_lines(text));
    let cut = record.excerpt.and_then(|excerpt| {
        Some((response.get(..excerpt.start)?, response.get(excerpt.start..excerpt.end)?, response.get(excerpt.end..)?))
    });
    let Some((before, wrong, after)) = cut.zip(record.excerpt).map(|(cut, _)| cut) else {
        return (Vec::new(), plain(response, Ink::Text));
    };
    let kept = record.prefix.len().min(before.len());
    let kept = if before.is_char_boundary(kept) && before.starts_with(&record.prefix) { kept } else { 0 };
    let how = match record.excerpt.map(|excerpt| excerpt.kind) {
        Some(MatchKind::Normalised) => ", found apart from spelling",
        Some(MatchKind::Fuzzy) => ", found nearly",
        _ => "",
    };
    let mark = (Ink::Bad, format!(" {} first error{how}", glyphs.here));
    // The mark stands at the end of the line in which the error ends.
    let (line_end, below) = after.split_once('\n').map_or((after, None), |(line, below)| (line, Some(below)));
    let gap = before[kept..].trim_start_matches('\n');
    let mut pieces = vec![piece(Ink::Text, gap), piece(Ink::Bad, wrong), piece(Ink::Text, line_end), mark];
    pieces.extend(below.map(|below| piece(Ink::Text, &format!("\n{below}"))));
    let kept = if kept == 0 { Vec::new() } else { plain(&before[..kept], Ink::Text) };
    (kept, split(&pieces))
}

fn diagnosis(record: &Recycled, detail: &Detail) -> [Leaf; 2] {
    let ink = match record.status.name() {
        "approved" | "edited" => Ink::Good,
        "rejected" => Ink::Bad,
        "review" => Ink::Warn,
        _ => Ink::Text,
    };
    let mut facts = vec![(ink, record.status.name().to_string())];
    facts.extend(record.prompts.get("diagnosis").map(|hash| (Ink::Dim, format!("prompt {}", printable(hash)))));
    let mut page = Page::default();
    if let Some(reason) = record.status.reason() {
        page.say(ink, &format!("{}: {reason}", record.status.name()));
    }
    if let Some(decided) = &record.decided {
        let why = decided.reason.as_ref().filter(|_| record.status.reason().is_none());
        let why = why.map_or(String::new(), |why| format!(": {why}"));
        page.say(Ink::Dim, &format!("{}, {}{why}", decided.by, show_time(decided.at)));
    }
    let Some(_) = &record.diagnosis else {
        page.say(Ink::Text, "There is no diagnosis. Ask the teacher again, or write one.");
        let leaf = Leaf { facts, page, copied: String::new() };
        return [leaf.clone(), leaf];
    };
    let mut json = page.clone();
    for (name, text) in &detail.fields {
        page.line(vec![(Ink::Name, name.replace('_', " "))]);
        let ink = if *name == "first_error" { Ink::Bad } else { Ink::Text };
        page.extend(&[(Ink::Dim, "  ".into())], plain(text, ink));
    }
    json.extend(&[], highlight(&detail.json(), Language::Json));
    let copied = detail.json();
    [Leaf { facts: facts.clone(), page, copied: copied.clone() }, Leaf { facts, page: json, copied }]
}

/// The three lessons, as the next SFT would train on them.
fn lessons(session: &Session, failure: &Failure<'_>) -> Result<[Leaf; 2], String> {
    let (recipe, prompts) = asked_of(session).map_err(|error| error.to_string())?;
    let verifier = recipe.data.verifier.parse::<Verifier>().map_err(|error| error.to_string())?;
    let made = failure.lessons(&prompts, failure.iteration + 1).map_err(|error| error.to_string())?;
    let Some(made) = made else {
        let mut page = Page::default();
        page.say(Ink::Dim, "No lessons come from a failure without a diagnosis.");
        return Ok([Leaf { page: page.clone(), ..Leaf::default() }, Leaf { page, ..Leaf::default() }]);
    };
    let standing = failure.record.status.name();
    let used = match failure.record.status.may_train() {
        true if failure.iteration < recipe.iterations => {
            format!("SFT of iteration {} reads them", failure.iteration + 1)
        }
        true => "no SFT follows this iteration".to_string(),
        false => format!("not trained on while {standing}"),
    };
    let facts = vec![(if failure.record.status.may_train() { Ink::Good } else { Ink::Warn }, used)];
    let gold = &failure.question.gold;
    let reached = verifier.ends_with_gold(made[2].messages.last().map_or("", |turn| &turn.content), gold);
    let (mut page, mut json) = (Page::default(), Page::default());
    for (at, sample) in made.iter().enumerate() {
        let mut head = vec![(Ink::Strong, format!("{} {}", at + 1, sample.kind.as_str()))];
        head.push((Ink::Dim, format!("  {}", printable(&sample.id))));
        if at == 2 {
            let (ink, words) = if reached { (Ink::Good, "ends with") } else { (Ink::Bad, "does not end with") };
            head.push((ink, format!("  {words} #### {}", printable(gold))));
        }
        page.line(head);
        turns(&mut page, sample);
        page.line(Vec::new());
        json.extend(&[], highlight(&pretty(sample), Language::Json));
    }
    let copied = made.iter().map(pretty).collect::<Vec<_>>().join("\n");
    Ok([Leaf { facts: facts.clone(), page, copied: copied.clone() }, Leaf { facts, page: json, copied }])
}

/// The turns of a sample; what is trained stands out by the word before it.
fn turns(page: &mut Page, sample: &SftSample) {
    for turn in &sample.messages {
        let trained = turn.role == crate::domain::Role::Assistant;
        let (ink, word) = if trained { (Ink::Good, "trained") } else { (Ink::Dim, turn.role.as_str()) };
        let lines = highlight(&turn.content, spoken(&turn.content));
        for (at, line) in lines.into_iter().enumerate() {
            let word = if at == 0 { word } else { "" };
            page.labelled(vec![(ink, format!("  {word:<8}"))], line);
        }
    }
}

fn pretty(value: &impl serde::Serialize) -> String {
    // A record that was read writes as JSON.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::{find_excerpt, prefix_before};
    use crate::session::records::Status;
    use crate::workbench::look::Look;

    fn record(response: &str, excerpt: &str) -> Recycled {
        let found = find_excerpt(response, excerpt);
        Recycled {
            question: "q".into(),
            near_miss: 2,
            score: 2.84,
            repetition: true,
            response: response.into(),
            reference: None,
            diagnosis: None,
            excerpt: found,
            prefix: found.map_or(String::new(), |found| prefix_before(response, &found).into()),
            prompts: Default::default(),
            status: Status::Review { reason: "no diagnosis".into() },
            decided: None,
        }
    }

    fn lines(page: &Page) -> Vec<String> {
        let text = |row: &crate::workbench::widgets::page::Row| {
            row.gutter.iter().chain(&row.pieces).map(|(_, text)| text.as_str()).collect::<String>()
        };
        page.rows().iter().map(text).collect()
    }

    #[test]
    fn the_first_error_is_marked_where_it_lies_and_the_prefix_is_barred() {
        let question = Question { text: "How many?".into(), gold: "7".into(), ..Question::default() };
        let response = "3 + 3 = 6\n6 + 1 = 8\nSo 8.\n#### 8";
        let leaf = miss(&record(response, "6 + 1 = 8"), &question, None, Look::picture().glyphs);
        assert_eq!(
            lines(&leaf.page),
            ["  How many?", "  gold 7", "", "│ 3 + 3 = 6", "  6 + 1 = 8 ◀ first error", "  So 8.", "  #### 8"]
        );
        let wrong = leaf.page.rows()[4].pieces.iter().find(|(_, text)| text == "6 + 1 = 8").unwrap();
        assert_eq!(wrong.0, Ink::Bad);
        let near = miss(&record(response, "6 + 1 is 8"), &question, None, Look::picture().glyphs);
        assert!(lines(&near.page)[4].ends_with("first error, found nearly"), "{:?}", lines(&near.page));
        assert!(leaf.facts.contains(&(Ink::Warn, "repeats itself".into())));
    }

    #[test]
    fn a_place_that_does_not_fit_the_text_marks_nothing_and_breaks_nothing() {
        let question = Question::default();
        let mut odd = record("日本", "");
        odd.excerpt = Some(crate::domain::Excerpt { start: 1, end: 900, kind: MatchKind::Exact });
        odd.prefix = "something else".into();
        let leaf = miss(&odd, &question, None, Look::picture().glyphs);
        assert_eq!(lines(&leaf.page).last().unwrap(), "  日本");
    }

    #[test]
    fn without_a_diagnosis_there_are_seven_empty_fields_to_fill() {
        let fields = fields_of(None);
        assert_eq!(fields.len(), 7);
        let detail = Detail { fields, ..Detail::default() };
        let json: Value = serde_json::from_str(&detail.json()).unwrap();
        assert_eq!(json["short_correct_reasoning"], "");
    }
}
