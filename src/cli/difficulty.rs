//! `footbridge difficulty`: samples a student on a file of questions and bands them, without a session.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

use serde::Serialize;

use super::args::DifficultyArgs;
use super::data::spec;
use super::exit::{Exit, Failure};
use super::{out, student_word};
use crate::data::open;
use crate::data::world::Split;
use crate::domain::{Band, BandEdges, Message, Question, Verifier};
use crate::pipeline::control::Control;
use crate::pipeline::engine::{Asking, Engine};
use crate::pipeline::locate::{WORLD, locate};
use crate::pipeline::material::world_of;
use crate::pipeline::seeds::stream;
use crate::recipe::{Recipe, SamplingRecipe, StudentRecipe};
use crate::session::Sessions;
use crate::student::Student;
use crate::teacher::Prompts;

/// What the samples of one question came to, as `--json` prints it.
#[derive(Clone, Debug, Default, Serialize)]
struct Sampled {
    id: String,
    n: u32,
    correct: u32,
    parsed: u32,
    tokens: u64,
    band: Option<&'static str>,
}

/// Samples, judges, prints the bands.
pub fn run(args: &DifficultyArgs) -> Result<Exit, Failure> {
    let (mut questions, verifier) = questions(args)?;
    questions.truncate(args.limit.unwrap_or(usize::MAX));
    let world = args.data == WORLD;
    let prompts = if world || args.student == WORLD { Prompts::world() } else { Prompts::standard() };
    let prompts = prompts.map_err(Failure::failed)?;
    let path = student_word::path(&args.student, &Sessions::at(&args.sessions.path))?;
    locate(&path, &mut out::stderr).map_err(Failure::usage)?;
    let mut recipe = StudentRecipe { path, ..StudentRecipe::default() };
    if let Some(choice) = args.device.choice {
        recipe.device = choice.to_string();
    }
    let engine = Engine::start(&recipe, super::start::threads(args.threads)).map_err(Failure::usage)?;
    let asked: Vec<Vec<Message>> =
        questions.iter().map(|q| prompts.ask(q)).collect::<Result<_, _>>().map_err(Failure::failed)?;
    let mut sampling = SamplingRecipe::default();
    let wanted = args.max_new_tokens.unwrap_or(sampling.max_new_tokens);
    sampling.max_new_tokens = room(engine.text(), &questions, &asked, wanted)?;
    out::stderr(&format!(
        "difficulty: {}, {} each, T={} top-p={}, at most {} tokens",
        counted(questions.len(), "question"),
        counted(args.n as usize, "sample"),
        sampling.temperature,
        sampling.top_p,
        sampling.max_new_tokens
    ));
    let begun = Instant::now();
    let asking = Asking {
        prompts: asked,
        streams: questions.iter().map(|q| stream(args.seed, "difficulty", &q.id)).collect(),
        samples: args.n,
        sampling,
        ban_marker: false,
        log_probs: false,
    };
    let sampled = sample(&engine, asking, &questions, verifier, begun)?;
    let _ =
        if args.json { out::json(&json(&sampled)?)? } else { out::stdout(&table(&sampled, args, verifier, begun))? };
    Ok(Exit::Done)
}

/// The longest answer, `wanted` tokens or what the student's context leaves after the longest prompt: one length for
/// all, since a question that gets more room is not measured alike. Says so where it cuts.
fn room(student: &Student, questions: &[Question], asked: &[Vec<Message>], wanted: usize) -> Result<usize, Failure> {
    let limit = student.config.max_positions;
    let (mut longest, mut of) = (0, "");
    for (question, messages) in questions.iter().zip(asked) {
        let tokens = student.encode_prompt(messages).map_err(Failure::usage)?.len();
        if tokens > longest {
            (longest, of) = (tokens, question.id.as_str());
        }
    }
    let left = limit.saturating_sub(longest);
    if left == 0 {
        let line = format!("the prompt of `{of}` has {longest} tokens and the student reads {limit}; leave it out");
        return Err(Failure::usage(line));
    }
    if wanted > left {
        out::stderr(&format!(
            "note: answers are cut at {left} tokens instead of {wanted}: the student reads {limit}, and the longest \
             prompt (`{of}`) takes {longest}"
        ));
    }
    Ok(wanted.min(left))
}

/// What is asked, and how answers are judged: as the command line says, else as the benchmark or file is.
fn questions(args: &DifficultyArgs) -> Result<(Vec<Question>, Verifier), Failure> {
    let verifier: Option<Verifier> = args.verifier.as_deref().map(str::parse).transpose().map_err(Failure::usage)?;
    if args.data == WORLD {
        return Ok((world_questions()?, verifier.unwrap_or(Verifier::Gsm8kStrict)));
    }
    let source = open(&spec(&args.data, &args.reading, verifier)?).map_err(Failure::usage)?;
    source.notes.iter().for_each(|note| out::stderr(&format!("note: {note}")));
    Ok((source.questions, source.verifier))
}

/// The training questions of the demo's world.
fn world_questions() -> Result<Vec<Question>, Failure> {
    let recipe = Recipe::preset("demo").map_err(Failure::failed)?;
    Ok(world_of(&recipe).map_err(Failure::failed)?.questions(Split::Train))
}

fn sample(
    engine: &Engine,
    asking: Asking,
    questions: &[Question],
    verifier: Verifier,
    begun: Instant,
) -> Result<Vec<Sampled>, Failure> {
    let empty = |q: &Question| Sampled { id: q.id.clone(), ..Sampled::default() };
    let mut sampled: Vec<Sampled> = questions.iter().map(empty).collect();
    let total = u64::from(asking.samples) * questions.len() as u64;
    let (mut done, mut said) = (0_u64, Instant::now());
    for reply in engine.generate(asking, &Control::new()).map_err(Failure::failed)? {
        let reply = reply.map_err(Failure::failed)?;
        let verdict = verifier.judge(&reply.text, &questions[reply.question].gold);
        let of = &mut sampled[reply.question];
        of.n += 1;
        of.tokens += u64::from(reply.tokens);
        of.correct += u32::from(verdict.correct);
        of.parsed += u32::from(verdict.answer.is_some());
        done += 1;
        if said.elapsed().as_secs() >= 5 {
            let left = begun.elapsed().as_secs_f64() / done as f64 * (total - done) as f64;
            out::stderr(&format!("difficulty: {done} of {total} samples, about {left:.0} s left"));
            said = Instant::now();
        }
    }
    for of in &mut sampled {
        of.band = Some(Band::of(of.correct, of.n, &BandEdges::default()).as_str());
    }
    Ok(sampled)
}

/// `1 sample`, `8 samples`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn json(sampled: &[Sampled]) -> Result<String, Failure> {
    let mut text = String::new();
    for of in sampled {
        text.push_str(&serde_json::to_string(of).map_err(Failure::failed)?);
        text.push('\n');
    }
    Ok(text)
}

fn table(sampled: &[Sampled], args: &DifficultyArgs, verifier: Verifier, begun: Instant) -> String {
    let mut bands: BTreeMap<Band, usize> = Band::ALL.into_iter().map(|band| (band, 0)).collect();
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for of in sampled {
        *bands.entry(Band::of(of.correct, of.n, &BandEdges::default())).or_default() += 1;
        *counts.entry(of.correct).or_default() += 1;
    }
    let all = sampled.len().max(1) as f64;
    let samples: u32 = sampled.iter().map(|s| s.n).sum();
    let parsed: u32 = sampled.iter().map(|s| s.parsed).sum();
    let tokens: u64 = sampled.iter().map(|s| s.tokens).sum();
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "student {} · {} · verifier {}", args.student, args.data, verifier);
    let (asked, each) = (counted(sampled.len(), "question"), counted(args.n as usize, "sample"));
    let _ = writeln!(text, "{asked}, {each} each");
    for (band, n) in bands {
        let _ = writeln!(text, "{:<7} {n:>6}  {:>5.1} %", band.as_str(), 100.0 * n as f64 / all);
    }
    let spread: Vec<String> = counts.iter().map(|(k, n)| format!("{k}/{}: {n}", args.n)).collect();
    let _ = writeln!(text, "right samples  {}", spread.join(" · "));
    let _ = writeln!(text, "parsed  {:.1} %", 100.0 * f64::from(parsed) / f64::from(samples.max(1)));
    let seconds = begun.elapsed().as_secs_f64();
    let _ = writeln!(text, "{tokens} tokens in {seconds:.1} s, {:.0} tokens/s", tokens as f64 / seconds.max(1e-9));
    text
}
