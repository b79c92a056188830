//! `footbridge sessions bench`: what a session of many rollouts costs. Writes one with made texts, then measures
//! opening, looking up, listing, checking and repairing it.

pub mod made;
mod system;

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use self::made::Maker;
use super::args::SessionsBenchArgs;
use super::exit::{Exit, Failure};
use super::out;
use crate::domain::BandEdges;
use crate::pipeline::stages::difficulty::{FIRST, bands};
use crate::session::records::RolloutGroup;
use crate::session::{Author, Batch, NewSession, Session, SessionError, Sessions, show_size};

/// Groups in a frame, as the pipeline writes them at most.
const FRAME: usize = 64;
/// Questions that are looked up.
const LOOKUPS: usize = 100;

/// Time and memory of one thing that was done.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    /// What was done.
    pub what: String,
    /// Seconds on the clock.
    pub seconds: f64,
    /// Processor seconds of all threads.
    pub cpu_seconds: f64,
    /// Most memory the process held meanwhile, bytes; 0 where the system does not say.
    pub peak_bytes: u64,
}

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Questions.
    pub questions: usize,
    /// Rollouts over all questions.
    pub rollouts: u64,
    /// Tokens over all rollouts.
    pub tokens: u64,
    /// Bytes of their texts.
    pub text_bytes: u64,
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// Bytes of the store.
    pub store_bytes: u64,
    /// Whether the files could be dropped from the system's cache before the cold opening.
    pub cold: bool,
    /// In order.
    pub phases: Vec<Phase>,
    /// What `repair` said.
    pub repaired: String,
}

/// Writes, measures, prints; removes the session unless it is to be kept.
pub fn run(args: &SessionsBenchArgs) -> Result<Exit, Failure> {
    let sessions = Sessions::at(&args.sessions.path);
    let name = format!("bench-{}x{}", args.questions, args.samples);
    let session = sessions.create(&name, &NewSession { recipe: "extends = \"demo\"\n", seed: args.seed });
    let session = session.map_err(Failure::usage)?;
    let figures = measure(&sessions, session, args).map_err(Failure::failed);
    if !args.keep {
        sessions.remove(&name, true).map_err(Failure::failed)?;
    }
    let figures = figures?;
    let _ = if args.json {
        out::json_line(&serde_json::to_string(&figures).map_err(Failure::failed)?)?
    } else {
        out::stdout(&show(&figures))?
    };
    Ok(Exit::Done)
}

fn measure(sessions: &Sessions, session: Session, args: &SessionsBenchArgs) -> Result<Figures, SessionError> {
    let (name, dir) = (session.name().to_owned(), session.dir().to_path_buf());
    let mut figures = Figures {
        questions: args.questions,
        rollouts: 0,
        tokens: 0,
        text_bytes: 0,
        journal_bytes: 0,
        store_bytes: 0,
        cold: false,
        phases: Vec::new(),
        repaired: String::new(),
    };
    write(&session, args, &mut figures)?;
    timed(&mut figures.phases, "close", || drop(session));
    figures.journal_bytes = system::bytes_below(&dir.join("journal"));
    figures.store_bytes = system::bytes_below(&dir.join("store"));
    figures.cold = system::drop_from_cache(&dir);
    let cold = if figures.cold { "open, cold" } else { "open, warm (the cache could not be dropped)" };
    drop(timed(&mut figures.phases, cold, || sessions.open(&name))?);
    let session = timed(&mut figures.phases, "open, warm", || sessions.open(&name))?;
    read(&session, args, "", &mut figures)?;
    drop(session);
    let session = timed(&mut figures.phases, "open beside a run", || sessions.open_read_only(&name))?;
    read(&session, args, ", beside a run", &mut figures)?;
    drop(session);
    let check = timed(&mut figures.phases, "sessions check", || sessions.check(&name))?;
    if !check.is_sound() {
        out::stderr(&check.to_string());
    }
    remove(&dir.join("store"))?;
    drop(timed(&mut figures.phases, "open, the store lost", || sessions.open(&name))?);
    flip_a_byte(&dir.join("journal/000001.fbj"))?;
    let repaired =
        timed(&mut figures.phases, "sessions repair, a byte of the journal damaged", || sessions.repair(&name))?;
    figures.repaired = repaired.to_string();
    Ok(figures)
}

/// Writes every group; making the texts is not counted.
fn write(session: &Session, args: &SessionsBenchArgs, figures: &mut Figures) -> Result<(), SessionError> {
    let maker = Maker::new(args.seed, args.samples, args.tokens);
    let mut spent = Phase { what: "write".into(), seconds: 0.0, cpu_seconds: 0.0, peak_bytes: 0 };
    system::reset_peak();
    let questions: Vec<usize> = (0..args.questions).collect();
    for part in questions.chunks(FRAME) {
        let groups: Vec<RolloutGroup> = part.iter().map(|question| maker.group(*question)).collect();
        for group in &groups {
            figures.rollouts += u64::from(group.n());
            figures.tokens += group.tokens();
            figures.text_bytes += group.rollouts.iter().map(|r| r.text.len() as u64).sum::<u64>();
        }
        let (begun, cpu) = (Instant::now(), system::cpu_seconds());
        let mut batch = Batch::new(Author::Pipeline);
        for group in &groups {
            batch.put(&key(&group.question), group);
        }
        session.write(batch)?;
        spent.seconds += begun.elapsed().as_secs_f64();
        spent.cpu_seconds += system::cpu_seconds() - cpu;
    }
    spent.peak_bytes = system::peak_bytes();
    figures.phases.push(spent);
    Ok(())
}

/// Looks questions up and lists all of them.
fn read(session: &Session, args: &SessionsBenchArgs, how: &str, figures: &mut Figures) -> Result<(), SessionError> {
    let lookups = LOOKUPS.min(args.questions);
    let stride = args.questions / lookups.max(1);
    let mut found = 0;
    let what = format!("rollouts of one question{how} (mean of {lookups})");
    timed(&mut figures.phases, &what, || {
        for at in 0..lookups {
            // Scattered, so that neighbours in a frame or a page are no help.
            let id = Maker::id((at * 37 % lookups) * stride);
            found += usize::from(session.get::<RolloutGroup>(&key(&id))?.is_some());
        }
        Ok::<_, SessionError>(())
    })?;
    if let Some(last) = figures.phases.last_mut() {
        last.seconds /= lookups.max(1) as f64;
        last.cpu_seconds /= lookups.max(1) as f64;
    }
    let edges = BandEdges { medium_from: 1.0 / 8.0, simple_from: 0.5 };
    let what = format!("k, n and band of every question{how}");
    let listed = timed(&mut figures.phases, &what, || bands(session, FIRST, &edges))
        .map_err(|e| SessionError::Record { table: "rollouts".into(), key: String::new(), what: e.to_string() })?;
    if found != lookups || listed.len() != args.questions {
        let what = format!("{found} of {lookups} looked up, {} of {} listed", listed.len(), args.questions);
        return Err(SessionError::Record { table: "rollouts".into(), key: String::new(), what });
    }
    Ok(())
}

/// Takes a folder away, as a damaged disk might.
fn remove(folder: &Path) -> Result<(), SessionError> {
    std::fs::remove_dir_all(folder).map_err(|e| SessionError::disk("remove", folder, e))
}

/// Changes one byte in the middle of a file.
fn flip_a_byte(path: &Path) -> Result<(), SessionError> {
    let work = || {
        let mut file = std::fs::File::options().read(true).write(true).open(path)?;
        let middle = file.metadata()?.len() / 2;
        let mut byte = [0];
        file.seek(SeekFrom::Start(middle))?;
        file.read_exact(&mut byte)?;
        file.seek(SeekFrom::Start(middle))?;
        file.write_all(&[!byte[0]])
    };
    work().map_err(|e| SessionError::disk("write", path, e))
}

fn key(question: &str) -> String {
    format!("{FIRST}/{question}")
}

fn timed<T>(phases: &mut Vec<Phase>, what: &str, work: impl FnOnce() -> T) -> T {
    system::reset_peak();
    let (begun, cpu) = (Instant::now(), system::cpu_seconds());
    let outcome = work();
    phases.push(Phase {
        what: what.to_owned(),
        seconds: begun.elapsed().as_secs_f64(),
        cpu_seconds: system::cpu_seconds() - cpu,
        peak_bytes: system::peak_bytes(),
    });
    outcome
}

fn show(figures: &Figures) -> String {
    let Figures { questions, rollouts, tokens, text_bytes, journal_bytes, store_bytes, .. } = figures;
    let mut text = format!(
        "{questions} questions, {rollouts} rollouts, {tokens} tokens, {} of text\n\
         on disk: journal {}, store {}; {:.1} times smaller than the text\n",
        show_size(*text_bytes),
        show_size(*journal_bytes),
        show_size(*store_bytes),
        *text_bytes as f64 / (journal_bytes + store_bytes).max(1) as f64,
    );
    for Phase { what, seconds, cpu_seconds, peak_bytes } in &figures.phases {
        let rate = if what == "write" {
            format!("   {:.0} rollouts a second", *rollouts as f64 / seconds.max(1e-9))
        } else {
            String::new()
        };
        text.push_str(&format!(
            "{what:<52} {:>10}   {:>10} CPU   peak {:>10}{rate}\n",
            show_seconds(*seconds),
            show_seconds(*cpu_seconds),
            show_size(*peak_bytes),
        ));
    }
    text.push_str(&figures.repaired);
    text
}

/// `1.23 s` or `0.45 ms`.
fn show_seconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.2} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}
