//! What a student computes, for holding it against another implementation.

use burn::tensor::{Int, Tensor, TensorData};
use serde_json::{Value, json};

use super::super::exit::Failure;
use crate::domain::Message;
use crate::pipeline::locate::Place;
use crate::sample::{Group, SamplerSettings, generate};
use crate::student::device::Placed;
use crate::student::workers::Workers;
use crate::student::{Student, StudentError};

/// One JSON document with the student's folder and, per text, the rendered chat, its ids, the logits after the last
/// `last` of them and the `greedy` next tokens.
pub fn of(
    (word, place): (&str, &Place),
    texts: &[String],
    (last, greedy): (usize, usize),
    placed: &Placed,
) -> Result<String, Failure> {
    let student = place.load(&placed.device).map_err(Failure::usage)?;
    let mut student = student.with_compute(placed.compute);
    // A greedy answer of a fixed length: no token ends it.
    let end_of_turn = std::mem::take(&mut student.end_of_turn);
    let mut rows = Vec::new();
    for text in texts {
        rows.push(row(&student, text, last, greedy)?);
    }
    let document = json!({"student": word, "end_of_turn": end_of_turn, "pad": student.pad, "rows": rows});
    serde_json::to_string(&document).map_err(Failure::failed)
}

fn row(student: &Student, text: &str, last: usize, greedy: usize) -> Result<Value, Failure> {
    let asked = [Message::user(text)];
    let rendered = student.template.render(&asked, true).map_err(Failure::usage)?;
    let ids = student.encode_prompt(&asked).map_err(Failure::usage)?;
    let positions = student.config.max_positions;
    if ids.len() + greedy > positions {
        return Err(Failure::usage(StudentError::TooLong { tokens: ids.len() + greedy, max: positions }));
    }
    let logits = logits(student, &ids, last.min(ids.len()))?;
    let group = Group { prompt: ids.clone(), stream: 0, samples: 0..1 };
    let settings = SamplerSettings {
        temperature: 0.0,
        top_p: 1.0,
        max_new_tokens: greedy,
        slots: 1,
        banned_first: Vec::new(),
        log_probs: false,
    };
    let mut answer = Vec::new();
    generate(student, &Workers::new(1), &[group], &settings, &mut |done| {
        answer = done.ids;
        std::ops::ControlFlow::Continue(())
    })
    .map_err(Failure::failed)?;
    Ok(json!({"question": text, "text": rendered, "ids": ids, "logits": logits, "greedy": answer}))
}

/// Logits after the last `last` of `ids`, a row each, by the pass that training makes.
fn logits(student: &Student, ids: &[u32], last: usize) -> Result<Vec<Vec<f32>>, Failure> {
    let row: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
    let input = Tensor::<2, Int>::from_data(TensorData::new(row, [1, ids.len()]), &student.model.device());
    let hidden = student.model.hidden(input, &student.rope(ids.len()));
    let table = student.model.logits(hidden.narrow(0, ids.len() - last, last));
    let values = table
        .into_data()
        .try_to_vec::<f32>()
        .map_err(|e| Failure::failed(crate::student::device::one_line(&format!("{e:?}"))))?;
    Ok(values.chunks(student.config.vocab_size).map(<[f32]>::to_vec).collect())
}
