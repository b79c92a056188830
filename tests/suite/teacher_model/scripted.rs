//! A chat that answers from a list, and every product's way through a model teacher.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use footbridge::domain::{Diagnosis, Question};
use footbridge::teacher::{
    Chat, ChatRequest, Completion, ModelSettings, ModelTeacher, PromptKind, Prompts, Teacher, TeacherError,
};

/// Answers in order; then there is nothing more to say.
pub struct Script {
    answers: Mutex<VecDeque<Result<Completion, TeacherError>>>,
    pub asked: Mutex<Vec<ChatRequest>>,
}

impl Chat for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn concurrency(&self) -> usize {
        3
    }

    fn complete(&self, request: &ChatRequest) -> Result<Completion, TeacherError> {
        self.asked.lock().unwrap().push(request.clone());
        self.answers.lock().unwrap().pop_front().expect("more was asked than was expected")
    }
}

fn said(text: &str) -> Result<Completion, TeacherError> {
    Ok(Completion { text: text.into(), prompt_tokens: 1, completion_tokens: 1, cut: false, cached: false })
}

fn cut(text: &str) -> Result<Completion, TeacherError> {
    said(text).map(|completion| Completion { cut: true, ..completion })
}

/// A teacher with two retries that gets these answers.
fn teacher(answers: Vec<Result<Completion, TeacherError>>) -> (ModelTeacher<Script>, Arc<Script>) {
    let script = Arc::new(Script { answers: Mutex::new(answers.into()), asked: Mutex::default() });
    let settings = ModelSettings { temperature: 0.7, top_p: 0.9, max_tokens: 50, max_retries: 2 };
    (ModelTeacher::new(script.clone(), Arc::new(Prompts::standard().unwrap()), settings), script)
}

fn question() -> Question {
    Question { id: "q".into(), text: "What is 2 × 3?".into(), gold: "6".into(), ..Question::default() }
}

fn steps() -> Vec<String> {
    vec!["Take 2 and 3.".into(), "2 × 3 = 6".into()]
}

fn unanswered<T: std::fmt::Debug>(outcome: Result<T, TeacherError>) -> String {
    match outcome {
        Err(TeacherError::Unanswered(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_be_read_is_asked_for_again_with_the_next_sample_number() {
    let (teacher, script) = teacher(vec![said("It matters a lot."), said("0.6"), said("0.75")]);
    assert_eq!(teacher.importance(&question(), &steps(), 1, 0), Ok(0.75));
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked.iter().map(|request| request.sample).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(asked.iter().all(|request| request.purpose == "importance" && request.messages == asked[0].messages));
    assert_eq!((asked[0].temperature, asked[0].top_p, asked[0].max_tokens), (0.7, 0.9, 50));
    drop(asked);
    // The caller's next attempt has numbers of its own.
    script.answers.lock().unwrap().push_back(said("1"));
    assert_eq!(teacher.importance(&question(), &steps(), 1, 1), Ok(1.0));
    assert_eq!(script.asked.lock().unwrap().last().unwrap().sample, 3);
}

#[test]
fn a_judge_that_never_says_a_number_leaves_no_score() {
    let (teacher, _) = teacher(vec![said("0 or 1"), cut("0.5"), said("")]);
    assert_eq!(
        unanswered(teacher.jumpiness(&question(), &steps(), 1, 0)),
        "jumpiness: the answer is empty (3 answers)"
    );
}

#[test]
fn the_first_step_does_not_jump_and_nobody_is_asked() {
    let (teacher, script) = teacher(vec![]);
    assert_eq!(teacher.jumpiness(&question(), &steps(), 0, 0), Ok(0.0));
    assert!(script.asked.lock().unwrap().is_empty());
    assert!(matches!(teacher.importance(&question(), &steps(), 2, 0), Err(TeacherError::NoSuchStep { .. })));
}

#[test]
fn what_the_chat_gives_up_is_not_asked_for_again() {
    let lost = TeacherError::Unanswered("the server refused".into());
    for error in [lost, TeacherError::BudgetSpent("spent".into()), TeacherError::Unusable("no key".into())] {
        let (teacher, script) = teacher(vec![Err(error.clone())]);
        assert_eq!(teacher.trace(&question(), 0), Err(error));
        assert_eq!(script.asked.lock().unwrap().len(), 1);
    }
}

#[test]
fn traces_end_with_their_answer() {
    let good = "Take 2 and 3.\n2 × 3 = 6\n#### 6";
    for (text, product) in [
        (good, good),
        ("<think>hm, #### 5?</think>\n 2 × 3 = 6\n#### 6\n", "2 × 3 = 6\n#### 6"),
        ("\u{1b}[31m2 × 3 = 6\u{1b}[0m\r\n#### 6", "2 × 3 = 6\n#### 6"),
    ] {
        let (teacher, _) = teacher(vec![said(text)]);
        assert_eq!(teacher.trace(&question(), 0).as_deref(), Ok(product));
    }
    for (text, reason) in [
        ("2 × 3 = 6", "the last line of the solution is not `#### answer`"),
        ("#### 6", "the solution is an answer without a step"),
        ("2 × 3 = 6\n####", "the answer line is \"####\", not `#### answer`"),
        ("#### Step 1\n2 × 3 = 6\n#### 6", "`####` stands before the last line of the solution"),
        ("<think>2 × 3 = 6\n#### 6", "the model was still thinking when its answer ended"),
    ] {
        let (teacher, _) = teacher(vec![said("no"), said("no"), said(text)]);
        assert_eq!(unanswered(teacher.trace(&question(), 0)), format!("trace: {reason} (3 answers)"));
    }
}

#[test]
fn edits_are_the_step_alone_and_keep_its_result() {
    let step = "Now, as one can see, 2 times 3, that is 2 × 3 = 6.";
    type Edit = fn(&ModelTeacher<Script>, &str) -> Result<String, TeacherError>;
    let compress: Edit = |teacher, step| teacher.compress(&question(), "", step, 0);
    let expand: Edit = |teacher, step| teacher.expand(&question(), "Take 2 and 3.", step, 0);
    let localize: Edit = |teacher, step| teacher.localize(&question(), "", step, 0);
    for (edit, text, product) in [
        (compress, "2 × 3 = 6", "2 × 3 = 6"),
        (compress, "NOTHING", ""),
        (compress, "\"2 × 3 = 6\"", "2 × 3 = 6"),
        (expand, "2 + 2 + 2 = 6\nSo 2 × 3 = 6.", "2 + 2 + 2 = 6\nSo 2 × 3 = 6."),
        (expand, "```\n2 × 3 = 6\n```", "2 × 3 = 6"),
        (localize, "**Rewritten step:** 2 × 3 = 6", "2 × 3 = 6"),
        (localize, step, step),
    ] {
        let (teacher, _) = teacher(vec![said(text)]);
        assert_eq!(edit(&teacher, step).as_deref(), Ok(product), "{text}");
    }
    for (edit, text, reason) in [
        (expand, "NOTHING", "compress"),
        (compress, "2 × 3 = 6\n#### 6", "the answer line belongs to the trace"),
        (compress, "This step says that 2 times 3 is 6, which follows from the above.", "the shortened step has"),
        (expand, "2 + 2 + 2 = 5", "the edited step no longer holds 6"),
        (localize, "Here it is:\n```\n2 × 3 = 6\n```", "there is a Markdown fence"),
        (localize, "\"\"", "the edited step is empty"),
    ] {
        let reason = if reason == "compress" { "the edited step no longer holds 6" } else { reason };
        let (teacher, _) = teacher(vec![said(text), said(text), said(text)]);
        let told = unanswered(edit(&teacher, step));
        assert!(told.contains(reason), "{text}: {told}");
    }
}

#[test]
fn a_diagnosis_is_one_object_of_exactly_seven_fields() {
    let whole = Diagnosis {
        first_error: "2 × 3 = 5".into(),
        error_type: "wrong calculation".into(),
        why_wrong: "2 × 3 is 6.".into(),
        missing_knowledge: "The table of 3.".into(),
        minimal_fix: "Multiply again.".into(),
        correct_next_step: "2 × 3 = 6".into(),
        short_correct_reasoning: "2 × 3 = 6\n#### 6".into(),
    };
    let json = serde_json::to_string(&whole).unwrap();
    let ask = |teacher: &ModelTeacher<Script>| teacher.diagnose(&question(), "2 × 3 = 5\n#### 5", None, 0);
    for text in [json.clone(), format!("```json\n{json}\n```"), format!("<think>so</think>{json}")] {
        let (teacher, _) = teacher(vec![said(&text)]);
        assert_eq!(ask(&teacher).as_ref(), Ok(&whole), "{text}");
    }
    for text in [
        json.replace(",\"minimal_fix\":\"Multiply again.\"", ""),
        json.replacen('{', "{\"more\":\"\",", 1),
        json.replacen('{', "{\"minimal_fix\":\"\",", 1),
        json.replace("\"Multiply again.\"", "7"),
        format!("Here it is: {json}"),
        format!("{json}\nI hope this helps."),
        format!("{json}{json}"),
        format!("[{json}]"),
        json[..json.len() - 5].to_owned(),
    ] {
        let (teacher, _) = teacher(vec![said(&text), said(&text), said(&text)]);
        let told = unanswered(ask(&teacher));
        assert!(told.starts_with("diagnosis: not a JSON object with exactly the seven fields"), "{text}: {told}");
    }
}

#[test]
fn products_name_the_prompts_they_were_asked_with() {
    let (teacher, _) = teacher(vec![]);
    let prompts = Prompts::standard().unwrap();
    assert_eq!(teacher.prompt(PromptKind::Trace), Some(prompts.hash(PromptKind::Trace)));
    assert_eq!((teacher.name(), teacher.concurrency()), ("script", 3));
}
