//! Stages that ask many at once: the same outcome as one by one; what is lost goes to review; what stops the run stops it
//! cleanly, with everything kept.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use footbridge::domain::{Diagnosis, Question};
use footbridge::pipeline::events::{Command, Event, Outcome};
use footbridge::pipeline::material::world_of;
use footbridge::pipeline::review::{Act, Request};
use footbridge::pipeline::run::{Ground, start};
use footbridge::recipe::Recipe;
use footbridge::session::records::{BridgedTrace, Prepared, Scores, Status, Trace};
use footbridge::session::{NewSession, Sessions};
use footbridge::teacher::{RuleTeacher, Teacher, TeacherError};

use crate::pipeline::runs::{Found, SEED, UNDISTURBED, outcome, recipe};

/// The rules from many threads, with faults.
struct Busy {
    rules: RuleTeacher,
    /// Calls that are allowed before the budget is spent.
    allowed: AtomicI64,
    /// Question whose trace, and question whose first judge call, has no answer.
    lost: [String; 2],
    /// Questions whose traces are longer than any student reads.
    long: Vec<String>,
    /// Calls under way, and the most there were.
    under_way: AtomicUsize,
    most: Arc<AtomicUsize>,
    /// What happens before a first step's importance is judged.
    before: Box<dyn Fn(&Question) + Send + Sync>,
}

impl Busy {
    fn new(recipe: &Recipe, allowed: i64, lost: [&str; 2]) -> Self {
        Self {
            rules: RuleTeacher::new(world_of(recipe).unwrap(), recipe.seed),
            allowed: AtomicI64::new(allowed),
            lost: lost.map(str::to_owned),
            long: Vec::new(),
            under_way: AtomicUsize::new(0),
            most: Arc::new(AtomicUsize::new(0)),
            before: Box::new(|_| {}),
        }
    }

    fn call<T>(&self, make: impl FnOnce(&RuleTeacher) -> Result<T, TeacherError>) -> Result<T, TeacherError> {
        if self.allowed.fetch_sub(1, Ordering::Relaxed) <= 0 {
            return Err(TeacherError::BudgetSpent("the budget is spent".into()));
        }
        let now = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        std::thread::sleep(std::time::Duration::from_millis(1));
        let made = make(&self.rules);
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        made
    }
}

impl Teacher for Busy {
    fn name(&self) -> &str {
        "rules"
    }

    fn concurrency(&self) -> usize {
        8
    }

    fn trace(&self, question: &Question, attempt: u32) -> Result<String, TeacherError> {
        if question.id == self.lost[0] {
            return Err(TeacherError::Unanswered("refused".into()));
        }
        if self.long.contains(&question.id) {
            return self.call(|rules| Ok("so we go on and on\n".repeat(400) + &rules.trace(question, attempt)?));
        }
        self.call(|rules| rules.trace(question, attempt))
    }

    fn importance(&self, question: &Question, steps: &[String], at: usize, attempt: u32) -> Result<f64, TeacherError> {
        if at == 0 {
            (self.before)(question);
        }
        if question.id == self.lost[1] && at == 0 {
            return Err(TeacherError::Unanswered("wordy".into()));
        }
        self.call(|rules| rules.importance(question, steps, at, attempt))
    }

    fn jumpiness(&self, question: &Question, steps: &[String], at: usize, attempt: u32) -> Result<f64, TeacherError> {
        self.call(|rules| rules.jumpiness(question, steps, at, attempt))
    }

    fn compress(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        self.call(|rules| rules.compress(question, prefix, step, attempt))
    }

    fn expand(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        self.call(|rules| rules.expand(question, prefix, step, attempt))
    }

    fn localize(&self, question: &Question, prefix: &str, step: &str, attempt: u32) -> Result<String, TeacherError> {
        self.call(|rules| rules.localize(question, prefix, step, attempt))
    }

    fn diagnose(
        &self,
        question: &Question,
        response: &str,
        reference: Option<&str>,
        attempt: u32,
    ) -> Result<Diagnosis, TeacherError> {
        self.call(|rules| rules.diagnose(question, response, reference, attempt))
    }
}

/// Runs a session, new or old, with the busy rules; the most calls that were under way at once.
fn run(sessions: &Sessions, recipe: &Recipe, allowed: i64, lost: [&str; 2]) -> (Outcome, usize) {
    let busy = Busy::new(recipe, allowed, lost);
    let most = busy.most.clone();
    let ground = Ground::with_teacher(recipe, 2, Box::new(busy)).unwrap();
    let session = if sessions.contains("run") {
        sessions.open("run").unwrap()
    } else {
        sessions.create("run", &NewSession { recipe: &recipe.to_toml(), seed: recipe.seed }).unwrap()
    };
    (outcome(start(session, recipe.clone(), ground)), most.load(Ordering::Relaxed))
}

#[test]
fn many_at_once_and_a_spent_budget_in_between_end_as_one_by_one() {
    let home = tempfile::tempdir().unwrap();
    let (sessions, recipe) = (Sessions::at(home.path()), recipe(SEED, &[]));
    let mut kept = 0;
    // The budget ends among the traces, then among the judge calls.
    for allowed in [10, 60] {
        let (ended, _) = run(&sessions, &recipe, allowed, ["", ""]);
        assert_eq!(ended, Outcome::Failed { reason: "the budget is spent".into() });
        let session = sessions.open_read_only("run").unwrap();
        let count = session.count::<Trace>("").unwrap() + session.count::<Scores>("").unwrap();
        assert!(count >= kept + 10, "{count} products after {kept}");
        kept = count;
    }
    let (ended, most) = run(&sessions, &recipe, i64::MAX, ["", ""]);
    assert_eq!(ended, Outcome::Done);
    assert!((2..=8).contains(&most), "{most} calls at once");
    Found::of(&sessions, "run", &recipe).assert_equals(&UNDISTURBED);
}

#[test]
fn a_lost_product_goes_to_review_with_its_reason_and_the_run_goes_on() {
    let scored = UNDISTURBED.all::<Scores>();
    let (trace, judged) = (scored.keys().next().unwrap(), scored.keys().nth(1).unwrap());
    let home = tempfile::tempdir().unwrap();
    let (sessions, recipe) = (Sessions::at(home.path()), recipe(SEED, &[("iterations", "1")]));
    assert_eq!(run(&sessions, &recipe, i64::MAX, [trace, judged]).0, Outcome::Done);
    let found = Found::of(&sessions, "run", &recipe);
    let traces = found.all::<Trace>();
    assert_eq!(traces[trace].status, Status::Review { reason: "refused".into() });
    assert_eq!((traces[trace].text.as_str(), traces[trace].attempts), ("", 1));
    let scores = found.all::<Scores>();
    assert!(!scores.contains_key(trace));
    assert_eq!(scores[judged].steps[0].scores.importance, None);
    assert_eq!(scores[judged].unanswered, ["step 1, importance: wordy"]);
    assert!(matches!(scores[judged].status, Status::Review { .. }));
}

/// The student reads 1024 tokens. A hard trace beyond that has no D, and goes to review; a medium one is cut for training,
/// as texts beyond the recipe's length are.
#[test]
fn a_trace_longer_than_the_student_reads_does_not_end_the_run() {
    let (scored, traced) = (UNDISTURBED.all::<Scores>(), UNDISTURBED.all::<Trace>());
    let hard = scored.keys().next().unwrap().clone();
    let medium = traced.keys().find(|id| !scored.contains_key(*id)).unwrap().clone();
    let recipe = recipe(SEED, &[("iterations", "1")]);
    assert!(recipe.sft.max_tokens > 1024);
    let busy = Busy { long: vec![hard.clone(), medium.clone()], ..Busy::new(&recipe, i64::MAX, ["", ""]) };
    let home = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(home.path());
    let session = sessions.create("run", &NewSession { recipe: &recipe.to_toml(), seed: recipe.seed }).unwrap();
    let ground = Ground::with_teacher(&recipe, 2, Box::new(busy)).unwrap();
    assert_eq!(outcome(start(session, recipe.clone(), ground)), Outcome::Done);
    let found = Found::of(&sessions, "run", &recipe);
    let traces = found.all::<Trace>();
    let Status::Review { reason } = &traces[&hard].status else { panic!("{:?}", traces[&hard].status) };
    assert!(reason.ends_with("and the student reads 1024"), "{reason}");
    assert_eq!(traces[&medium].status, Status::Approved);
    assert!(!found.all::<Scores>().contains_key(&hard) && found.all::<Scores>().len() + 1 == scored.len());
    let longest = found.all::<Prepared>().values().map(|text| text.tokens).max().unwrap();
    assert!((900..1024).contains(&longest), "{longest} tokens are trained");
}

#[test]
fn a_trace_written_while_it_is_judged_is_judged_again_as_it_was_written() {
    let recipe = recipe(SEED, &[("iterations", "1")]);
    let (judging, judged) = channel();
    let (go_on, gone_on) = channel::<()>();
    let held = Mutex::new(Some((judging, gone_on)));
    let before = move |question: &Question| {
        // The first one only, and until it is written anew.
        let first = held.lock().unwrap().take();
        if let Some((judging, gone_on)) = first {
            judging.send(question.id.clone()).unwrap();
            let _ = gone_on.recv();
        }
    };
    let busy = Busy { before: Box::new(before), ..Busy::new(&recipe, i64::MAX, ["", ""]) };
    let home = tempfile::tempdir().unwrap();
    let sessions = Sessions::at(home.path());
    let session = sessions.create("run", &NewSession { recipe: &recipe.to_toml(), seed: recipe.seed }).unwrap();
    let run = start(session, recipe.clone(), Ground::with_teacher(&recipe, 2, Box::new(busy)).unwrap());
    let question: String = judged.recv().unwrap();
    let old = sessions.open_read_only("run").unwrap().get::<Trace>(&question).unwrap().unwrap();
    // A line that the rules could not have written: its step is lost, the run is not.
    let written = format!("Now I know the way.\n{}", old.text);
    let act = Act::EditTrace { question: question.clone(), text: written.clone() };
    run.commands.send(Command::Review(Request { by: Some("ada".into()), reason: None, act })).unwrap();
    let refused = run.events.iter().find_map(|event| match event {
        Event::Decided { .. } => Some(None),
        Event::Refused { reason } => Some(Some(reason)),
        _ => None,
    });
    assert_eq!(refused, Some(None));
    drop(go_on);
    while !matches!(run.events.recv().unwrap(), Event::StageFinished { stage, .. } if stage.key() == "1-bridge") {}
    run.commands.send(Command::Cancel).unwrap();
    assert_eq!(outcome(run), Outcome::Cancelled);

    let session = sessions.open_read_only("run").unwrap();
    let scores = session.get::<Scores>(&question).unwrap().unwrap();
    assert_eq!(session.get::<Trace>(&question).unwrap().unwrap().text, written);
    assert_eq!(scores.steps[0].text, "Now I know the way.");
    assert!(scores.unanswered[0].contains("does not recognise"), "{:?}", scores.unanswered);
    assert_eq!(session.get::<BridgedTrace>(&question).unwrap().unwrap().steps.len(), scores.steps.len());
}
