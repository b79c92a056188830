//! A conversation as tokens: which of them are trained (reading.md, row 26) and which step each belongs to (row 13).

use crate::domain::{Message, Role};

use super::Student;
use super::error::StudentError;
use super::template::ChatTemplate;
use super::tokenizer::Tokenizer;

/// Where a message's content stands in the rendered text, in code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentSpan {
    /// Who speaks.
    pub role: Role,
    /// First code point.
    pub start: usize,
    /// The code point behind the last.
    pub end: usize,
    /// Code points that the template cut off the content's front.
    pub trimmed: usize,
}

/// A conversation as tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatTokens {
    /// The rendered text.
    pub text: String,
    /// Its ids.
    pub ids: Vec<u32>,
    /// Per token the code points `start..end` of the text.
    pub offsets: Vec<(usize, usize)>,
    /// Ascending positions of the tokens that are trained: every assistant turn's content and end-of-turn token.
    /// Position p is predicted from the tokens before it, that is from row p − 1.
    pub trained: Vec<usize>,
    /// Content of every message, in order.
    pub contents: Vec<ContentSpan>,
}

impl ChatTokens {
    /// The ids at the trained positions.
    pub fn targets(&self) -> Vec<u32> {
        self.trained.iter().map(|p| self.ids[*p]).collect()
    }

    /// Cuts the conversation to its first `max` tokens.
    pub fn truncate(&mut self, max: usize) {
        self.ids.truncate(max);
        self.offsets.truncate(max);
        self.trained.retain(|p| *p < max);
    }

    /// Which step of message `message` each token belongs to; `None` outside its content (end-of-turn included).
    ///
    /// `starts` are the ascending code points at which the steps' spans begin, counted in the content as given; a
    /// span begins with the separator in front of its step. A token belongs to the step in which its first character
    /// lies (reading.md, row 13).
    pub fn step_of_token(&self, message: usize, starts: &[usize]) -> Vec<Option<usize>> {
        let Some(content) = self.contents.get(message) else { return vec![None; self.ids.len()] };
        let starts: Vec<usize> = starts.iter().map(|s| content.start + s.saturating_sub(content.trimmed)).collect();
        let step = |&(a, b): &(usize, usize)| {
            let inside = content.start <= a && b <= content.end && a < b;
            if inside { starts.iter().rposition(|start| *start <= a) } else { None }
        };
        self.offsets.iter().map(step).collect()
    }
}

impl Student {
    /// Renders and encodes a conversation, with the positions that are trained.
    ///
    /// # Errors
    /// From the template or the tokenizer; nothing is guessed where a content cannot be found again.
    pub fn encode_chat(&self, messages: &[Message]) -> Result<ChatTokens, StudentError> {
        encode(&self.template, &self.tokenizer, messages)
    }

    /// Ids of a conversation with the header of the student's next turn behind it: what a sampler continues.
    ///
    /// # Errors
    /// From the template or the tokenizer.
    pub fn encode_prompt(&self, messages: &[Message]) -> Result<Vec<u32>, StudentError> {
        let rendered = self.template.locate(messages, true)?;
        Ok(self.tokenizer.encode_rendered(&rendered.text, &rendered.contents)?.ids)
    }
}

/// [`Student::encode_chat`] from the two parts it takes.
pub(super) fn encode(
    template: &ChatTemplate,
    tokenizer: &Tokenizer,
    messages: &[Message],
) -> Result<ChatTokens, StudentError> {
    let rendered = template.locate(messages, false)?;
    let encoded = tokenizer.encode_rendered(&rendered.text, &rendered.contents)?;
    let specials = tokenizer.specials_outside(&rendered.text, &rendered.contents);
    let points = CodePoints::of(&rendered.text);
    let mut contents = Vec::new();
    let mut spans = Vec::new();
    for ((message, range), trimmed) in messages.iter().zip(&rendered.contents).zip(&rendered.trimmed) {
        let (start, end) = (points.at(range.start), points.at(range.end));
        contents.push(ContentSpan { role: message.role, start, end, trimmed: *trimmed });
        if message.role == Role::Assistant {
            // The end-of-turn token is the special token that the template writes behind the content.
            let stop = specials.iter().find(|s| s.start >= range.end);
            let stop = stop.filter(|s| rendered.text[range.end..s.start].trim().is_empty());
            spans.push((start, stop.map_or(end, |s| points.at(s.end))));
        }
    }
    let inside = |&(a, b): &(usize, usize)| a < b && spans.iter().any(|(s, e)| *s <= a && b <= *e);
    let trained = (1..encoded.ids.len()).filter(|p| inside(&encoded.offsets[*p])).collect();
    Ok(ChatTokens { text: rendered.text, ids: encoded.ids, offsets: encoded.offsets, trained, contents })
}

/// Byte positions of a text's code points.
struct CodePoints(Vec<usize>);

impl CodePoints {
    fn of(text: &str) -> Self {
        Self(text.char_indices().map(|(byte, _)| byte).collect())
    }

    /// Number of code points before byte `byte`.
    fn at(&self, byte: usize) -> usize {
        self.0.partition_point(|start| *start < byte)
    }
}
