//! A run: the stages one after the other on their own thread, commands in, events out.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::context::{Context, StageError, Summary};
use super::control::Control;
use super::emit::Emitter;
use super::engine::{Check, Engine};
use super::events::{Command, Event, Outcome, StageKind};
use super::locate::locate;
use super::material::{Material, TRAIN};
use super::memory;
use super::plan::plan;
use super::stages;
use super::teaching::{self, Teaching};
use crate::domain::Verifier;
use crate::recipe::{DeviceChoice, Recipe, StudentRecipe};
use crate::session::records::{Asked, Sourced, StageDone};
use crate::session::{Author, Batch, Session, StateLine};
use crate::student::device::cuda_devices;
use crate::teacher::{Prompts, Teacher};

/// A running loop.
pub struct Run {
    /// What happens.
    pub events: Receiver<Event>,
    /// What the loop is told.
    pub commands: Sender<Command>,
    /// The records, for reading while the run is at work; gone with its last event.
    pub session: Weak<Session>,
    /// Ends with the run.
    pub handle: JoinHandle<Outcome>,
}

/// Starts, or continues, the run of a session on its ground. The channel of events closes behind the last one.
pub fn start(session: Session, recipe: Recipe, ground: Ground) -> Run {
    let (events_in, events) = channel();
    let (commands, commands_out) = channel::<Command>();
    let control = Control::echoing(events_in.clone());
    let listener = control.clone();
    // Ends when every sender is gone.
    std::thread::spawn(move || commands_out.iter().for_each(|command| listener.apply(&command)));
    let session = Arc::new(session);
    let read_side = Arc::downgrade(&session);
    let handle = std::thread::spawn(move || {
        let echo = Echo(control.clone());
        let begun = Instant::now();
        let emit = Emitter::new(events_in);
        let outcome = match go(&session, &recipe, ground, &emit, &control) {
            Ok(()) => Outcome::Done,
            Err(StageError::Cancelled) => Outcome::Cancelled,
            Err(error) => Outcome::Failed { reason: error.to_string() },
        };
        // The session is closed before the last event, so that whoever hears it may open it.
        close(session);
        drop(echo);
        let seconds = begun.elapsed().as_secs_f64();
        emit.send(Event::RunFinished { outcome: outcome.clone(), seconds });
        outcome
    });
    Run { events, commands, session: read_side, handle }
}

/// Time that a reader has to finish before its session is closed without it.
const READERS: Duration = Duration::from_secs(5);

/// Closes a session when whoever reads in it has finished.
fn close(session: Arc<Session>) {
    let waited = Instant::now();
    while Arc::strong_count(&session) > 1 && waited.elapsed() < READERS {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Ends the echo of pauses with the run, also where the run's thread dies.
struct Echo(Control);

impl Drop for Echo {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Everything a run stands on. Laid before anything is begun, so that a recipe or a student that cannot be used is told
/// while there is nothing to clear up.
pub struct Ground {
    teaching: Teaching,
    material: Material,
    prompts: Prompts,
    verifier: Verifier,
    engine: Engine,
    refresh: bool,
}

impl Ground {
    /// Reads or makes the questions and loads the student.
    ///
    /// # Errors
    /// What of the recipe, the student's folder, a file of questions or the world cannot be used.
    pub fn lay(recipe: &Recipe, threads: usize) -> Result<Self, StageError> {
        Self::lay_aloud(recipe, threads, &mut |_| ())
    }

    /// As [`Ground::lay`]; `tell` hears how far a download has come and what memory the run will take.
    ///
    /// # Errors
    /// As [`Ground::lay`].
    pub fn lay_aloud(recipe: &Recipe, threads: usize, tell: &mut dyn FnMut(&str)) -> Result<Self, StageError> {
        super::supported::supported(recipe)?;
        super::supported::supported_teacher(recipe)?;
        let teaching = Teaching::prepare(recipe, threads, tell)?;
        Self::taught(recipe, threads, teaching, tell)
    }

    /// As [`Ground::lay`], with a teacher of the caller's.
    ///
    /// # Errors
    /// As [`Ground::lay`].
    pub fn with_teacher(recipe: &Recipe, threads: usize, teacher: Box<dyn Teacher>) -> Result<Self, StageError> {
        Self::taught(recipe, threads, Teaching::Ready(teacher), &mut |_| ())
    }

    fn taught(
        recipe: &Recipe,
        threads: usize,
        teaching: Teaching,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Self, StageError> {
        super::supported::supported(recipe)?;
        let verifier = recipe.data.verifier.parse::<Verifier>().map_err(|e| StageError::Recipe(e.to_string()))?;
        let material = Material::of(recipe, verifier)?;
        let prompts = teaching::prompts(recipe)?;
        let config = locate(&recipe.student.path, tell)?.config()?;
        let teacher = teaching.config()?;
        if on_cpu(&recipe.student) {
            memory::check(recipe, (&config, teacher.as_ref()), threads, tell)?;
        } else if let Some(teacher) = &teacher {
            memory::check_teacher(recipe, teacher, threads, tell)?;
        }
        let teaching = teaching.loaded()?;
        let asked = recipe.clone();
        let check: Check = Box::new(move |placed, room| match room {
            Some(room) => Ok(Some(memory::check_on(&asked, &config, placed, room)?)),
            None => Ok(None),
        });
        let engine = Engine::start_checked(&recipe.student, threads, check, tell)?;
        if let Some(note) = &engine.placed().note {
            tell(&format!("computing on the CPU: {note}"));
        }
        Ok(Self { teaching, material, prompts, verifier, engine, refresh: false })
    }

    /// What the student computes on, in words.
    pub fn device(&self, threads: usize) -> String {
        let placed = self.engine.placed();
        if placed.is_cpu() { format!("{} · {threads} threads", placed.name) } else { placed.name.clone() }
    }

    /// With `refresh`, a model teacher is asked anew for what the session keeps an answer to.
    pub fn refreshing(mut self, refresh: bool) -> Self {
        self.refresh = refresh;
        self
    }

    /// Refuses a session whose questions came from files that hold something else by now, or whose own prompts cannot be
    /// used.
    ///
    /// # Errors
    /// [`StageError::Recipe`] with the file and both hashes; what the session's records cannot tell; a prompt's line.
    pub fn fits(&self, session: &Session) -> Result<(), StageError> {
        teaching::prompts_of(session, Prompts::new(self.prompts.set())?)?;
        for source in &self.material.sources {
            let Some(known) = session.get::<Sourced>(&source.split)? else { continue };
            if known.sha256 != source.sha256 {
                return Err(StageError::Recipe(format!(
                    "{} is not the file that this session began with: its SHA-256 begins with {:.12} and began with \
                     {:.12}; put the old file back, or start a new session",
                    source.path, source.sha256, known.sha256
                )));
            }
        }
        Ok(())
    }
}

/// Whether the student will compute on the CPU, whose memory the plan is about.
fn on_cpu(student: &StudentRecipe) -> bool {
    match student.device.parse() {
        Ok(DeviceChoice::Cuda(_)) => false,
        Ok(DeviceChoice::Auto) => cuda_devices().is_empty(),
        Ok(DeviceChoice::Cpu) | Err(_) => true,
    }
}

fn go(
    session: &Arc<Session>,
    recipe: &Recipe,
    ground: Ground,
    emit: &Emitter,
    control: &Control,
) -> Result<(), StageError> {
    let stages = plan(recipe);
    emit.send(Event::RunStarted { session: session.name().into(), seed: recipe.seed, stages: stages.clone() });
    write_questions(session, &ground.material)?;
    let prompts = Arc::new(teaching::keep_prompts(session, ground.prompts)?);
    let taught = ground.teaching.begin(recipe, session, &prompts, (control, ground.refresh))?;
    for stage in &stages {
        let done = session.get::<StageDone>(&stage.key())?;
        if let Some(done) = done {
            let StageDone { summary, seconds, tokens } = done;
            emit.send(Event::StageFinished { stage: stage.clone(), summary, seconds, tokens });
            continue;
        }
        session.set_state(&StateLine { line: format!("at {stage}"), finished: false })?;
        taught.at(&stage.key());
        let cx = Context {
            session,
            recipe,
            engine: &ground.engine,
            teacher: taught.teacher.as_ref(),
            material: &ground.material,
            prompts: &prompts,
            verifier: ground.verifier,
            emit,
            control,
            stages: &stages,
            stage,
        };
        let outcome = cx.check().and_then(|()| run_stage(&cx));
        // What was decided before the end is kept, also where the end is a cancel.
        cx.attend()?;
        outcome?;
    }
    session.set_state(&StateLine { line: "complete".into(), finished: true })?;
    Ok(())
}

/// Keeps the questions in the session, once, so that panes and exports need nothing else.
fn write_questions(session: &Session, material: &Material) -> Result<(), StageError> {
    if session.count::<Asked>("")? > 0 {
        return Ok(());
    }
    let mut batch = Batch::new(Author::Pipeline);
    for source in &material.sources {
        batch.put(&source.split, source);
    }
    let splits = material.evaluated.iter().map(|split| (split.name.as_str(), &split.questions));
    for (split, questions) in std::iter::once((TRAIN, &material.train)).chain(splits) {
        for question in questions {
            let asked = Asked { split: split.into(), question: question.clone() };
            batch.put(&format!("{split}/{}", question.id), &asked);
        }
    }
    session.write(batch)?;
    Ok(())
}

fn run_stage(cx: &Context) -> Result<(), StageError> {
    let (begun, stood) = (Instant::now(), cx.control.stood_still());
    let worked = || begun.elapsed().saturating_sub(cx.control.stood_still().saturating_sub(stood)).as_secs_f64();
    cx.emit.begin();
    let spent = super::spent::Spent::resume(cx)?;
    let result = dispatch(cx).and_then(|summary| super::gates::pass(cx, summary));
    let Summary { text, tokens } = match result {
        Ok(summary) => summary,
        Err(error) => {
            // Where even this can't be written, the first error is the one to tell.
            let _ = spent.keep(cx, worked(), cx.emit.tokens());
            return Err(error);
        }
    };
    let (seconds, tokens) = (spent.seconds + worked(), spent.tokens + tokens);
    let done = StageDone { summary: text.clone(), seconds, tokens };
    let mut batch = Batch::new(Author::Pipeline);
    batch.put(&cx.stage.key(), &done);
    cx.session.write(batch)?;
    cx.emit.send(Event::StageFinished { stage: cx.stage.clone(), summary: text, seconds, tokens });
    Ok(())
}

fn dispatch(cx: &Context) -> Result<Summary, StageError> {
    match cx.stage.kind {
        StageKind::Difficulty => stages::difficulty::run(cx),
        StageKind::Traces => stages::traces::run(cx),
        StageKind::Scores => stages::scores::run(cx),
        StageKind::Bridge => stages::bridge::run(cx),
        StageKind::SftMedium => stages::sft_medium::run(cx),
        StageKind::SftBridged => stages::sft_bridged::run(cx),
        StageKind::SftRecycled => stages::sft_recycled::run(cx),
        StageKind::Rollouts => stages::rollouts::run(cx),
        StageKind::Split => stages::split::run(cx),
        StageKind::Grpo => stages::grpo::run(cx),
        StageKind::Recycle => stages::recycle::run(cx),
        StageKind::Evaluate => stages::evaluate::run(cx),
    }
}
