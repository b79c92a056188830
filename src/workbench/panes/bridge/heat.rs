//! The student's loss on a step, token by token. The session keeps the losses; which token each belongs to is found by
//! cutting the trace into tokens once more, as the stage scores did. Where that is not possible, or gives another number
//! of tokens than was measured, the losses are laid over the words by their place, and it is said.

use std::sync::Mutex;
use std::sync::{Arc, PoisonError};

use super::page::Page;
use crate::domain::steps::{in_code_points, located};
use crate::domain::{Message, split_answer};
use crate::export::preview::speech_of;
use crate::pipeline::begun::recipe_of;
use crate::session::Session;
use crate::student::ChatTokens;
use crate::student::speech::Speech;

/// A piece of a step with its loss in nats.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// The text as it stands.
    pub text: String,
    /// Its loss; of a word the mean of the losses at its place.
    pub loss: f32,
}

/// The losses of one step.
#[derive(Clone, Debug, PartialEq)]
pub enum Losses {
    /// Each on its token.
    Tokens(Vec<Piece>),
    /// By place, over words.
    Words(Vec<Piece>),
    /// Nothing was measured.
    Nothing,
}

/// The losses of all steps, and how long the texts are.
#[derive(Clone, Debug, PartialEq)]
pub struct Heat {
    /// The question they are of.
    pub question: String,
    /// By step.
    pub steps: Vec<Losses>,
    /// Tokens of the trace, answer line and end of turn included.
    pub before: Option<usize>,
    /// The same of the bridged text.
    pub after: Option<usize>,
    /// Why the tokens are not known.
    pub fault: Option<String>,
}

type Kept = Option<Result<Arc<Speech>, String>>;

/// A session's tokenizer, read once.
#[derive(Clone, Debug, Default)]
pub struct Tongue(Arc<Mutex<Kept>>);

impl Tongue {
    fn of(&self, session: &Session) -> Result<Arc<Speech>, String> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || {
            let speech = speech_of(session, &recipe_of(session)?).map_err(|error| error.to_string())?;
            Ok(Arc::new(speech))
        };
        kept.get_or_insert_with(read).clone()
    }
}

impl Heat {
    /// Finds the tokens of a question's steps.
    pub fn read(session: &Session, tongue: &Tongue, page: &Page) -> Self {
        let mut heat = Self {
            question: page.id.clone(),
            steps: page.steps.iter().map(|step| words(&step.text, &step.losses)).collect(),
            before: page.scores.as_ref().map(|scores| scores.trace_tokens as usize),
            after: None,
            fault: None,
        };
        let Some(trace) = &page.trace else { return heat };
        let speech = match tongue.of(session) {
            Ok(speech) => speech,
            Err(fault) => return Self { fault: Some(fault), ..heat },
        };
        let asked = page.question.as_ref().map_or("", |question| &question.text);
        let encode = |text: &str| speech.encode_chat(&[Message::user(asked), Message::assistant(text)]);
        match encode(&trace.text) {
            Ok(chat) => heat.place(page, &trace.text, &chat),
            Err(error) => heat.fault = Some(error.to_string()),
        }
        let bridged = page.bridge.as_ref().and_then(|bridge| encode(&bridge.bridged.text).ok());
        heat.after = bridged.map(|chat| chat.trained.len());
        heat
    }

    /// Lays the losses on the tokens, where their numbers agree.
    fn place(&mut self, page: &Page, trace: &str, chat: &ChatTokens) {
        self.before = Some(chat.trained.len());
        let texts: Vec<&str> = page.steps.iter().map(|step| step.text.as_str()).collect();
        let Some(tokens) = tokens(chat, split_answer(trace).0, &texts) else { return };
        for ((losses, step), tokens) in self.steps.iter_mut().zip(&page.steps).zip(tokens) {
            if !step.losses.is_empty() && tokens.len() == step.losses.len() {
                *losses = Losses::Tokens(joined(tokens, &step.losses));
            }
        }
    }
}

/// The tokens of each step with their code points, as the stage scores counts them; `None` where the steps are not found
/// in the trace.
fn tokens(chat: &ChatTokens, body: &str, texts: &[&str]) -> Option<Vec<Vec<(usize, usize, String)>>> {
    let spans = located(body, texts)?;
    let starts = in_code_points(body, &spans).into_iter().map(|span| span.start);
    let bounds: Vec<usize> = starts.chain([body.chars().count()]).collect();
    let steps = chat.step_of_token(chat.contents.len().saturating_sub(1), &bounds);
    let characters: Vec<char> = chat.text.chars().collect();
    let mut tokens = vec![Vec::new(); texts.len()];
    for position in &chat.trained {
        if let (Some(step), Some(&(start, end))) =
            (steps.get(*position).copied().flatten(), chat.offsets.get(*position))
            && let Some(of) = tokens.get_mut(step)
        {
            let text = characters.get(start..end).map(|text| text.iter().collect());
            of.push((start, end, text.unwrap_or_default()));
        }
    }
    Some(tokens)
}

/// Tokens with their losses. Tokens that stand in one character (bytes of it) become one piece with their highest loss.
fn joined(tokens: Vec<(usize, usize, String)>, losses: &[f32]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::with_capacity(tokens.len());
    let mut last = None;
    for ((start, end, text), loss) in tokens.into_iter().zip(losses) {
        match pieces.last_mut() {
            Some(piece) if last == Some((start, end)) => piece.loss = piece.loss.max(*loss),
            _ => pieces.push(Piece { text, loss: *loss }),
        }
        last = Some((start, end));
    }
    pieces
}

/// Losses over words by their place: the n-th share of the losses belongs to the n-th share of the characters.
fn words(text: &str, losses: &[f32]) -> Losses {
    let total = text.chars().count();
    if losses.is_empty() || total == 0 {
        return Losses::Nothing;
    }
    let mut pieces = Vec::new();
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let length = word.chars().count();
        let from = at * losses.len() / total;
        let to = ((at + length) * losses.len()).div_ceil(total).clamp(from + 1, losses.len().max(from + 1));
        let under = losses.get(from..to.min(losses.len())).unwrap_or_default();
        let loss = under.iter().sum::<f32>() / under.len().max(1) as f32;
        pieces.push(Piece { text: word.to_string(), loss });
        at += length;
    }
    Losses::Words(pieces)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::data::world::base::BASE;
    use crate::student::StudentFiles;

    fn speech() -> Speech {
        Speech::new(&StudentFiles {
            config: BASE.config.to_vec(),
            tokenizer: BASE.tokenizer.to_vec(),
            tokenizer_config: BASE.tokenizer_config.to_vec(),
            generation_config: Some(BASE.generation_config.to_vec()),
            ..StudentFiles::default()
        })
        .unwrap()
    }

    #[test]
    fn the_tokens_of_the_steps_give_the_trace_back() {
        let trace = "3 * 5 = 15\n15 + 2 = 17\n#### 17";
        let chat = speech().encode_chat(&[Message::user("how many?"), Message::assistant(trace)]).unwrap();
        let body = split_answer(trace).0;
        let steps = tokens(&chat, body, &["3 * 5 = 15", "15 + 2 = 17"]).unwrap();
        let text = |at: usize| steps[at].iter().map(|(.., text)| text.as_str()).collect::<String>();
        assert_eq!(text(0) + &text(1), body);
        assert!(steps.iter().all(|tokens| tokens.len() > 3));
        assert!(tokens(&chat, body, &["not there"]).is_none());
    }

    #[test]
    fn losses_over_words_are_means_at_their_place() {
        let Losses::Words(pieces) = words("ab cd", &[1.0, 3.0, 5.0, 7.0, 9.0]) else { panic!("no words") };
        assert_eq!(pieces[0], Piece { text: "ab ".into(), loss: 3.0 });
        assert_eq!(pieces[1], Piece { text: "cd".into(), loss: 8.0 });
        assert_eq!(words("", &[1.0]), Losses::Nothing);
        assert_eq!(words("word", &[]), Losses::Nothing);
        let Losses::Words(few) = words("a b c d e f", &[2.0]) else { panic!("no words") };
        assert!(few.iter().all(|piece| piece.loss == 2.0));
    }

    #[test]
    fn bytes_of_one_character_are_one_piece() {
        let tokens = vec![(0, 1, "é".to_string()), (0, 1, "é".to_string()), (1, 2, "a".to_string())];
        let pieces = joined(tokens, &[1.0, 4.0, 0.5]);
        assert_eq!(pieces, [Piece { text: "é".into(), loss: 4.0 }, Piece { text: "a".into(), loss: 0.5 }]);
    }
}
