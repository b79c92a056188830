//! The teacher of the generated world: it knows each problem's program and works everything out by rule.
//!
//! It keeps no memory. A trace is drawn from (seed, question, attempt), and the lines of a trace are recognised by
//! their text, so it can judge and edit traces that were stored, resumed, or mended by hand.

use std::sync::Arc;

use super::{Conversation, Teacher, TeacherError, pretraining::PretrainStream};
use crate::{
    data::world::{
        Problem, World,
        diagnose::{claims::claims_of, diagnose},
        dice::Dice,
        judge,
        pretrain::Phase,
        trace::{Line, Role, plain_line, raw_trace, role_of},
    },
    domain::{Diagnosis, Question},
};

/// The rule-based teacher of one world.
#[derive(Clone, Debug)]
pub struct RuleTeacher {
    world: Arc<World>,
    seed: u64,
}

impl RuleTeacher {
    /// The teacher of `world`; `seed` decides how its traces and scores are drawn.
    pub fn new(world: impl Into<Arc<World>>, seed: u64) -> Self {
        Self { world: world.into(), seed }
    }

    fn problem(&self, question: &Question) -> Result<&Problem, TeacherError> {
        self.world.find(&question.id).ok_or_else(|| TeacherError::UnknownQuestion(question.id.clone()))
    }

    fn line(&self, question: &Question, step: &str) -> Result<Line, TeacherError> {
        let problem = self.problem(question)?;
        recognise(problem, step).ok_or_else(|| TeacherError::UnknownStep {
            question: question.id.clone(),
            step: step.chars().take(80).collect(),
        })
    }

    fn step(&self, question: &Question, steps: &[String], index: usize) -> Result<Line, TeacherError> {
        let step = steps.get(index).ok_or_else(|| TeacherError::NoSuchStep {
            question: question.id.clone(),
            index,
            steps: steps.len(),
        })?;
        self.line(question, step)
    }

    fn dice(&self, what: &str, question: &Question, index: usize, line: &Line) -> Dice {
        Dice::new(self.seed, &[what, &question.id, &index.to_string(), &line.text])
    }

    /// One plain line per operation of `step`; a step without operations stays as it is.
    fn plainly(&self, question: &Question, step: &str) -> Result<String, TeacherError> {
        let line = self.line(question, step)?;
        if !carries_out(line.role) {
            return Ok(line.text);
        }
        let problem = self.problem(question)?;
        let lines: Vec<String> = line.steps.iter().filter_map(|&i| problem.steps.get(i)).map(plain_line).collect();
        Ok(lines.join("\n"))
    }
}

impl Teacher for RuleTeacher {
    fn name(&self) -> &str {
        "rules"
    }

    fn trace(&self, question: &Question, attempt: u32) -> Result<String, TeacherError> {
        let mut dice = Dice::new(self.seed, &["trace", &question.id, &attempt.to_string()]);
        Ok(raw_trace(self.problem(question)?, &mut dice))
    }

    fn importance(
        &self,
        question: &Question,
        steps: &[String],
        index: usize,
        _attempt: u32,
    ) -> Result<f64, TeacherError> {
        let line = self.step(question, steps, index)?;
        Ok(judge::importance(&line, &mut self.dice("importance", question, index, &line)))
    }

    fn jumpiness(
        &self,
        question: &Question,
        steps: &[String],
        index: usize,
        _attempt: u32,
    ) -> Result<f64, TeacherError> {
        let line = self.step(question, steps, index)?;
        if index == 0 {
            return Ok(0.0);
        }
        Ok(judge::jumpiness(&line, &mut self.dice("jumpiness", question, index, &line)))
    }

    fn compress(&self, question: &Question, _prefix: &str, step: &str, _attempt: u32) -> Result<String, TeacherError> {
        let line = self.line(question, step)?;
        match line.role {
            Role::Restate | Role::Verify | Role::Filler | Role::Summary => Ok(String::new()),
            Role::Fused => Ok(line.text),
            Role::Plain | Role::Wordy => self.plainly(question, step),
        }
    }

    fn expand(&self, question: &Question, _prefix: &str, step: &str, _attempt: u32) -> Result<String, TeacherError> {
        self.plainly(question, step)
    }

    fn localize(&self, question: &Question, _prefix: &str, step: &str, _attempt: u32) -> Result<String, TeacherError> {
        self.plainly(question, step)
    }

    fn diagnose(
        &self,
        question: &Question,
        response: &str,
        _reference: Option<&str>,
        _attempt: u32,
    ) -> Result<Diagnosis, TeacherError> {
        diagnose(self.problem(question)?, response).ok_or_else(|| TeacherError::NothingWrong(question.id.clone()))
    }

    fn neutral(&self, seed: u64) -> Result<Box<dyn Iterator<Item = Conversation> + '_>, TeacherError> {
        Ok(Box::new(PretrainStream::new(Phase::Settle, seed)?))
    }
}

fn carries_out(role: Role) -> bool {
    matches!(role, Role::Plain | Role::Wordy | Role::Fused)
}

/// A line of the world's own traces, or one reworded by hand that still carries out steps of the program.
fn recognise(problem: &Problem, step: &str) -> Option<Line> {
    if let Some(line) = role_of(problem, step) {
        return Some(line);
    }
    let text = step.trim().to_owned();
    let mut carried = Vec::new();
    for claim in claims_of(&text) {
        let index = problem.steps.iter().position(|known| known.matches(claim.op, claim.a, claim.b))?;
        if claim.result.is_some_and(|number| number != problem.steps[index].r) {
            return None;
        }
        carried.push(index);
    }
    let role = match carried.len() {
        0 => return None,
        1 => Role::Wordy,
        _ => Role::Fused,
    };
    Some(Line { text, role, steps: carried })
}
