//! A trace cut into steps (eq. 4), always the same way for the same text (reading.md, row 22).
//!
//! The first rule that applies cuts the whole trace: at headings (`### …`, `Step 3: …`), else at blank lines, else at
//! every line. A piece that is one long line is cut on into sentences. A displayed formula stays with what is before it.
//! Then neighbours are joined until the cap holds. The final `#### answer` line is no step: [`split_answer`] first.

use serde::{Deserialize, Serialize};

/// A line longer than this many bytes is cut into sentences.
const LONG_LINE: usize = 280;
/// A sentence shorter than this many bytes stays with the one before.
const SHORT_SENTENCE: usize = 24;
/// A full stop after one of these is no end of a sentence.
const ABBREVIATIONS: [&str; 20] = [
    "mr", "mrs", "ms", "dr", "st", "vs", "e.g", "i.e", "etc", "no", "approx", "hr", "hrs", "min", "mins", "ft", "in",
    "oz", "lb", "lbs",
];

/// Where a step lies, in bytes. The separator in front belongs to the step (reading.md, row 13): spans touch each other,
/// the first begins at 0, the last ends with the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSpan {
    /// Where the separator before the step begins.
    pub start: usize,
    /// Where the step's own text begins.
    pub text: usize,
    /// Where the step ends; blank text after the last step is counted to it.
    pub end: usize,
}

impl StepSpan {
    /// The step's own text, or nothing if the span does not fit this trace.
    pub fn of<'a>(&self, trace: &'a str) -> &'a str {
        trace.get(self.text..self.end).unwrap_or("").trim_end()
    }
}

/// Where a step lies, in Unicode code points, as tokenizers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodePointSpan {
    /// Where the separator before the step begins.
    pub start: usize,
    /// Where the step's own text begins.
    pub text: usize,
    /// Where the step ends.
    pub end: usize,
}

/// The same spans counted in code points. Spans must be ordered, as [`split_steps`] gives them.
pub fn in_code_points(trace: &str, spans: &[StepSpan]) -> Vec<CodePointSpan> {
    let (mut byte, mut point) = (0, 0);
    let mut upto = |to: usize| {
        let to = to.min(trace.len());
        if let Some(piece) = trace.get(byte..to) {
            point += piece.chars().count();
            byte = to;
        }
        point
    };
    spans.iter().map(|s| CodePointSpan { start: upto(s.start), text: upto(s.text), end: upto(s.end) }).collect()
}

/// Where the steps lie in the body, one after the other; `None` where one is not there word by word.
pub fn located(body: &str, texts: &[&str]) -> Option<Vec<StepSpan>> {
    let mut spans = Vec::with_capacity(texts.len());
    let mut at = 0;
    for text in texts {
        let begin = at + body.get(at..)?.find(text)?;
        let end = begin + text.len();
        spans.push(StepSpan { start: at, text: begin, end });
        at = end;
    }
    Some(spans)
}

/// Separates the final answer: if the last line that is not blank begins with `####`, gives what is before it, without
/// blank text at its end, and the line; else the whole text and `None`.
pub fn split_answer(trace: &str) -> (&str, Option<&str>) {
    let text = trace.trim_end();
    let begin = text.rfind('\n').map_or(0, |at| at + 1);
    let line = text[begin..].trim_start();
    if line.starts_with("####") { (text[..begin].trim_end(), Some(line)) } else { (trace, None) }
}

/// Steps of a whole answer, its final answer line not counted (N_step of eq. 32).
pub fn count_steps(answer: &str) -> usize {
    split_steps(split_answer(answer).0, usize::MAX).len()
}

/// Cuts a trace into at most `max_steps` steps (at least one). Blank text has no steps. Linear in the text.
pub fn split_steps(trace: &str, max_steps: usize) -> Vec<StepSpan> {
    let lines = own_lines(trace);
    let mut begins: Vec<usize> = Vec::new();
    let blocks = group(&lines);
    for (index, &begin) in blocks.iter().enumerate() {
        let end = blocks.get(index + 1).copied().unwrap_or(trace.len());
        begins.push(begin);
        sentences(trace, begin, end, &mut begins);
    }
    spans(trace, &capped(begins, max_steps.max(1)))
}

/// What stands between steps of this trace when it is put together anew: a blank line where it had one, else a line
/// break.
pub fn separator_of(trace: &str, spans: &[StepSpan]) -> &'static str {
    let blank = |span: &StepSpan| trace.get(span.start..span.text).is_some_and(|gap| gap.matches('\n').count() > 1);
    if spans.iter().skip(1).any(blank) { "\n\n" } else { "\n" }
}

/// A line that is not blank.
struct Line {
    begin: usize,
    heading: bool,
    /// A blank line stands before it.
    after_blank: bool,
    /// It belongs to a displayed formula, or opens one.
    formula: bool,
    /// It is the final `#### answer` line, left in the text: a step of its own that says nothing about the others.
    answer: bool,
}

fn own_lines(trace: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let (mut at, mut blank_before) = (0, false);
    let mut open: Option<&str> = None;
    for raw in trace.split_inclusive('\n') {
        let text = raw.trim();
        if text.is_empty() {
            blank_before = true;
            open = None;
        } else {
            let begin = at + (raw.len() - raw.trim_start().len());
            let formula = open.is_some() || text.starts_with("\\[") || text.starts_with("$$");
            open = formula_after(open, text);
            lines.push(Line { begin, heading: is_heading(text), after_blank: blank_before, formula, answer: false });
            blank_before = false;
        }
        at += raw.len();
    }
    if let Some(last) = lines.last_mut()
        && trace[last.begin..].starts_with("####")
    {
        last.answer = true;
        last.heading = false;
    }
    lines
}

/// What closes the displayed formula that is open after this line, if one is.
fn formula_after<'a>(open: Option<&'a str>, line: &str) -> Option<&'a str> {
    let (close, inside) = match open {
        Some(close) => (close, line),
        None if line.starts_with("\\[") => ("\\]", &line[2..]),
        None if line.starts_with("$$") => ("$$", &line[2..]),
        None => return None,
    };
    if inside.contains(close) { None } else { Some(close) }
}

/// `# …` to `###### …`, or a line such as `Step 2:` and `**Step 2: …**`.
fn is_heading(line: &str) -> bool {
    let hashes = line.bytes().take_while(|&b| b == b'#').count();
    if hashes > 0 {
        return hashes <= 6;
    }
    let words = line.trim_start_matches('*');
    words.strip_prefix("Step ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Where blocks begin, by the first rule that applies.
fn group(lines: &[Line]) -> Vec<usize> {
    let headings = lines.iter().any(|line| line.heading);
    let paragraphs = lines.iter().skip(1).any(|line| line.after_blank && !line.formula && !line.answer);
    let opens = |line: &Line| match (headings, paragraphs) {
        (true, _) => line.heading,
        (false, true) => line.after_blank && !line.formula,
        (false, false) => !line.formula,
    };
    let begins = |(index, line): &(usize, &Line)| *index == 0 || line.answer || opens(line);
    lines.iter().enumerate().filter(begins).map(|(_, line)| line.begin).collect()
}

/// Adds where sentences begin inside a block that is one long line.
fn sentences(trace: &str, begin: usize, end: usize, begins: &mut Vec<usize>) {
    let block = trace[begin..end].trim_end();
    if block.len() <= LONG_LINE || block.contains('\n') {
        return;
    }
    let mut last = 0;
    let mut stop: Option<usize> = None;
    for (at, c) in block.char_indices() {
        match c {
            '.' | '!' | '?' | '。' => stop = Some(at),
            '"' | '\'' | ')' | '”' | '’' if stop.is_some() => {}
            _ if c.is_whitespace() => {}
            _ => {
                let gap = block[..at].ends_with(char::is_whitespace);
                if let Some(ended) = stop
                    && (gap || block[ended..].starts_with('。'))
                    && at - last >= SHORT_SENTENCE
                    && block.len() - at >= SHORT_SENTENCE
                    && !c.is_lowercase()
                    && !is_abbreviation(&block[last..ended])
                {
                    begins.push(begin + at);
                    last = at;
                }
                stop = None;
            }
        }
    }
}

/// The word before a full stop is short for something.
fn is_abbreviation(before: &str) -> bool {
    let tail: Vec<char> = before.chars().rev().take(8).take_while(|c| !c.is_whitespace() && *c != '(').collect();
    let word: String = tail.into_iter().rev().collect::<String>().to_lowercase();
    ABBREVIATIONS.contains(&word.as_str()) || (word.len() == 1 && word.chars().all(|c| c.is_ascii_alphabetic()))
}

/// Joins neighbours evenly until at most `max` are left.
fn capped(begins: Vec<usize>, max: usize) -> Vec<usize> {
    if begins.len() <= max {
        return begins;
    }
    (0..max).map(|i| begins[(i as u128 * begins.len() as u128 / max as u128) as usize]).collect()
}

fn spans(trace: &str, begins: &[usize]) -> Vec<StepSpan> {
    let mut spans: Vec<StepSpan> = Vec::with_capacity(begins.len());
    let mut start = 0;
    for (index, &text) in begins.iter().enumerate() {
        let end = match begins.get(index + 1) {
            Some(&next) => text + trace[text..next].trim_end().len(),
            None => trace.len(),
        };
        spans.push(StepSpan { start, text, end });
        start = end;
    }
    spans
}
