//! A model that is asked for an edit again: each time it is another question to the cache of paid answers, and one that was
//! answered before a kill is not asked twice.

use std::sync::{Arc, Mutex};

use footbridge::domain::{Action, Diagnosis, Question};
use footbridge::pipeline::answers::SessionAnswers;
use footbridge::pipeline::review::{Act, Desk, Kind, ProductId, apply};
use footbridge::session::Session;
use footbridge::session::records::BridgedTrace;
use footbridge::teacher::{
    CacheSettings, Cached, Chat, ChatRequest, Completion, Meter, ModelSettings, ModelTeacher, Prompts, Teacher,
    TeacherError,
};

use super::base::{Own, RECIPE};

/// Says the same edit with another letter before it for every sample.
struct Edits {
    text: String,
    asked: Mutex<Vec<u32>>,
}

impl Chat for Edits {
    fn name(&self) -> &str {
        "edits"
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn complete(&self, request: &ChatRequest) -> Result<Completion, TeacherError> {
        self.asked.lock().unwrap().push(request.sample);
        let letter = char::from(b'A' + (request.sample % 26) as u8);
        let text = format!("{letter}: {}", self.text);
        Ok(Completion { text, prompt_tokens: 1, completion_tokens: 1, cut: false, cached: false })
    }
}

/// A teacher whose process is killed when an edit has come, before anything was made of it.
struct Killed<'a>(&'a dyn Teacher);

impl Killed<'_> {
    fn lost(answer: Result<String, TeacherError>) -> Result<String, TeacherError> {
        answer.and(Err(TeacherError::Cancelled))
    }
}

impl Teacher for Killed<'_> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn trace(&self, question: &Question, attempt: u32) -> Result<String, TeacherError> {
        self.0.trace(question, attempt)
    }

    fn importance(&self, of: &Question, steps: &[String], index: usize, attempt: u32) -> Result<f64, TeacherError> {
        self.0.importance(of, steps, index, attempt)
    }

    fn jumpiness(&self, of: &Question, steps: &[String], index: usize, attempt: u32) -> Result<f64, TeacherError> {
        self.0.jumpiness(of, steps, index, attempt)
    }

    fn compress(&self, of: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        Self::lost(self.0.compress(of, prefix, step, attempt))
    }

    fn expand(&self, of: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        Self::lost(self.0.expand(of, prefix, step, attempt))
    }

    fn localize(&self, of: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        Self::lost(self.0.localize(of, prefix, step, attempt))
    }

    fn diagnose(
        &self,
        question: &Question,
        response: &str,
        reference: Option<&str>,
        attempt: u32,
    ) -> Result<Diagnosis, TeacherError> {
        self.0.diagnose(question, response, reference, attempt)
    }
}

#[test]
fn an_edit_that_is_asked_for_again_is_another_one_and_none_is_paid_for_twice() {
    let own = Own::at_bridge();
    let (question, at) = own.step(|bridge, at| bridge.steps[at].action == Action::Localize);
    let text = own.bridge(&question).steps[at].text.clone();
    let Own { home: _home, session, .. } = own;
    let session = Arc::new(session);
    let answers = Arc::new(SessionAnswers::open(session.clone()).unwrap());
    answers.at("1-bridge");
    let edits = Edits { text: text.clone(), asked: Mutex::default() };
    let chat = Arc::new(Cached::new(edits, answers, CacheSettings::default(), Arc::new(Meter::default())));
    let settings = ModelSettings { temperature: 0.7, top_p: 0.9, max_tokens: 50, max_retries: 0 };
    let model = ModelTeacher::new(chat.clone(), Arc::new(Prompts::world().unwrap()), settings);
    let again = |teacher: &dyn Teacher| {
        let desk = Desk { teacher: Some(teacher), ..Desk::new(&session, &RECIPE).unwrap() };
        let product = ProductId::new(Kind::Bridge, &question);
        apply(&desk, &Act::AskAgain { product, step: Some(at + 1) }.into())
    };
    let asked = || chat.inner().asked.lock().unwrap().clone();
    let written = |session: &Session| session.get::<BridgedTrace>(&question).unwrap().unwrap().steps[at].text.clone();

    // The answer is kept, the decision is not: whoever goes on gets that answer.
    let before = session.get::<BridgedTrace>(&question).unwrap();
    assert!(again(&Killed(&model)).is_err());
    assert_eq!((asked().len(), session.get::<BridgedTrace>(&question).unwrap()), (1, before));
    again(&model).unwrap();
    let first = written(&session);
    assert_eq!(asked().len(), 1, "it was answered before the kill");
    assert!(first != text && first.ends_with(&text), "{first}");

    // Once the decision stands, asking is asking anew.
    again(&model).unwrap();
    let samples = asked();
    assert_eq!(samples.len(), 2);
    assert_ne!(samples[0], samples[1]);
    assert_ne!(written(&session), first);
}
