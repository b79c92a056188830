//! Token logs of rollouts: how likely each token was, and which bytes of the text it stands for. Both are known when a
//! rollout is finished; no pass of the student is made for them.

use std::collections::HashMap;

use super::engine::Reply;
use crate::session::token_logs::{TokenLog, quantised};
use crate::student::Student;
use crate::student::tokenizer::Tokenizer;

/// Bytes of the tokens seen so far.
#[derive(Default)]
pub struct Lengths(HashMap<u32, u16>);

impl Lengths {
    /// The log of a reply. Where tokens don't add up to the text (a tokenizer that joins words in ways of its own), the log
    /// has no places, and the text is shown without colours. Empty where the sampler tells no log-probs.
    pub fn log(&mut self, student: &Student, reply: &Reply) -> TokenLog {
        if reply.log_probs.is_empty() {
            return TokenLog::default();
        }
        let bytes: Vec<u16> = reply
            .ids
            .iter()
            .map(|id| if student.end_of_turn.contains(id) { 0 } else { self.of(&student.tokenizer, *id) })
            .collect();
        let whole = bytes.iter().map(|bytes| usize::from(*bytes)).sum::<usize>() == reply.text.len();
        let surprise = reply.log_probs.iter().map(|log_prob| quantised(*log_prob)).collect();
        TokenLog { surprise, bytes: if whole { bytes } else { Vec::new() } }
    }

    fn of(&mut self, tokenizer: &Tokenizer, id: u32) -> u16 {
        *self.0.entry(id).or_insert_with(|| {
            let text = tokenizer.decode(&[id]).unwrap_or_default();
            // A part of a character; byte-level names have a character for each byte.
            let bytes = if text.contains(char::REPLACEMENT_CHARACTER) {
                tokenizer.name(id).map_or(0, |name| name.chars().count())
            } else {
                text.len()
            };
            u16::try_from(bytes).unwrap_or(u16::MAX)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::domain::Finish;
    use crate::recipe::Recipe;

    #[test]
    fn the_words_of_the_world_are_cut_as_they_were_sampled() {
        let student = crate::pipeline::workshop::base(&Recipe::preset("demo").unwrap().student).unwrap();
        let text = "Let x be 12 + 3.\n#### 15";
        let mut ids = student.tokenizer.encode(text).unwrap();
        ids.push(student.end_of_turn[0]);
        let log_probs: Vec<f32> = (0..ids.len()).map(|at| -(at as f32)).collect();
        let text = student.tokenizer.decode(&ids[..ids.len() - 1]).unwrap();
        let tokens = ids.len() as u32;
        let reply = Reply { question: 0, sample: 0, ids, log_probs, text, tokens, finish: Finish::EndOfTurn };
        let mut lengths = Lengths::default();
        let log = lengths.log(&student, &reply);
        let pieces = log.cut(&reply.text).unwrap();
        assert_eq!(pieces.len(), reply.ids.len());
        assert_eq!(pieces.iter().map(|(piece, _)| *piece).collect::<String>(), reply.text);
        assert_eq!(pieces[3].1, 3.0);
        let odd = Reply { text: "other".into(), ..reply };
        assert_eq!(lengths.log(&student, &odd).cut("other"), None);
    }
}
