//! The session that the screen is measured on: questions, their answers under one checkpoint, and curves of training.

use crate::cli::bench_session::made::Maker;
use crate::domain::Question;
use crate::pipeline::events::{StageId, StageKind};
use crate::session::records::{Asked, GrpoStep, StageDone};
use crate::session::{Author, Batch, NewSession, SessionError, Sessions};

/// Name of the session.
pub const NAME: &str = "large";
/// Groups in a frame.
const FRAME: usize = 64;
/// Tokens of an answer, on average.
const TOKENS: u32 = 200;
/// Steps of GRPO.
const STEPS: u32 = 500;

/// Makes it; gives the number of rollouts.
///
/// # Errors
/// When it can't be written.
pub fn make(sessions: &Sessions, questions: usize, samples: u32) -> Result<u64, SessionError> {
    let session = sessions.create(NAME, &NewSession { recipe: "extends = \"demo\"\n", seed: 1 })?;
    let maker = Maker::new(1, samples, TOKENS);
    let mut rollouts = 0;
    for part in (0..questions).collect::<Vec<_>>().chunks(FRAME) {
        let mut batch = Batch::new(Author::Pipeline);
        for &at in part {
            let group = maker.group(at);
            rollouts += u64::from(group.n());
            let text = group.rollouts[0].text.split(". ").take(3).collect::<Vec<_>>().join(". ");
            let question = Question { id: Maker::id(at), text, gold: "1".into(), ..Question::default() };
            batch.put(&format!("train/{}", question.id), &Asked { split: "train".into(), question });
            batch.put(&format!("1-difficulty/{}", group.question), &group);
        }
        session.write(batch)?;
    }
    let done = |kind| StageId { iteration: 1, kind, of: String::new() }.key();
    let mut batch = Batch::new(Author::Pipeline);
    let complete = StageDone { summary: "made".into(), seconds: 1.0, tokens: 1 };
    batch.put(&done(StageKind::Difficulty), &complete);
    for step in 1..=STEPS {
        let wave = f64::from(step % 17) / 40.0;
        let reward = 0.4 + 0.3 * f64::from(step) / f64::from(STEPS) + wave;
        let metrics = ["kl", "entropy", "length"].map(|name| (name.to_string(), reward * 0.1)).to_vec();
        let groups = if step == STEPS { vec![maker.group(0)] } else { Vec::new() };
        let step_record = GrpoStep { groups, reward, reward_above_before: reward - 0.5, metrics, tokens: 1000 };
        batch.put(&format!("{}/{step:05}", done(StageKind::Grpo)), &step_record);
    }
    session.write(batch)?;
    Ok(rollouts)
}
