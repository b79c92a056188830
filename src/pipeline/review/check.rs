//! The checks that stand before a product may be trained on, as they are when a researcher approves or changes it.

use super::desk::Desk;
use super::error::ReviewError;
use super::product::{Product, ProductId};
use crate::domain::{Diagnosis, Excerpt, Question, check_diagnosis};
use crate::session::records::{Recycled, Scores, Status, Trace};

/// Checks a product as it stands.
///
/// # Errors
/// [`ReviewError::Check`] with what is wrong.
pub fn check(desk: &Desk<'_>, id: &ProductId, product: &Product) -> Result<(), ReviewError> {
    let question = desk.question(id.question())?;
    let fault = match product {
        Product::Trace(trace) => answer(desk, &trace.text, &question),
        Product::Scores(scores) => Scores::standing(&scores.steps).reason().map(str::to_string),
        Product::Bridge(bridge) => match desk.session.get::<Trace>(&bridge.question)?.map(|trace| trace.status) {
            Some(Status::Rejected { reason }) => Some(format!("its trace is rejected ({reason}); approve that first")),
            _ => answer(desk, &bridge.bridged.text, &question),
        },
        Product::Recycled(recycled) => match &recycled.diagnosis {
            None => Some("there is no diagnosis to train on; edit it or ask again".into()),
            Some(diagnosis) => diagnosed(desk, recycled, diagnosis, &question).err(),
        },
    };
    fault.map_or(Ok(()), |fault| Err(ReviewError::Check { product: id.clone(), fault }))
}

/// What is wrong with the answer of a solution, if anything is.
pub fn answer(desk: &Desk<'_>, text: &str, question: &Question) -> Option<String> {
    let verdict = desk.verifier.judge(text, &question.gold);
    let found = match verdict.answer {
        _ if verdict.correct => return None,
        Some(answer) => format!("its answer reads as {answer}"),
        None => "no answer can be read from it".into(),
    };
    Some(format!("it must reach {}, and {found}; its last line should be `#### {}`", question.gold, question.gold))
}

/// Where the excerpt of a diagnosis lies, or everything that is wrong with the diagnosis, in words.
pub fn diagnosed(
    desk: &Desk<'_>,
    recycled: &Recycled,
    diagnosis: &Diagnosis,
    question: &Question,
) -> Result<Excerpt, String> {
    let most = desk.recipe.recycle.max_excerpt;
    check_diagnosis(diagnosis, &recycled.response, &question.gold, desk.verifier, most)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}
