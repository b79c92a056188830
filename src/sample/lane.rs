//! What one thread does, or all threads together for a large student: it takes a group, reads its prompt once, starts a
//! sample wherever a slot is free, and moves all running samples on by one token, until nothing is left.

use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::pick::{Picker, stream};
use super::{Finished, SampleError, Work};
use crate::domain::Finish;
use crate::student::cache::KvCache;
use crate::student::packed::{Row, Scratch};

/// Tokens of a prompt read in one step.
const PREFILL: usize = 512;

/// A group whose prompt has been read.
struct Open {
    group: usize,
    samples: std::ops::Range<u32>,
    /// Logits after the prompt, with the banned tokens out.
    logits: Vec<f32>,
}

/// A sample in progress; its cache stands at the same index.
struct Running {
    group: usize,
    sample: u32,
    random: ChaCha8Rng,
    ids: Vec<u32>,
    log_probs: Vec<f32>,
}

/// One thread's memory.
struct Lane<'a> {
    work: &'a Work<'a>,
    results: &'a Sender<Result<Finished, SampleError>>,
    /// Keys and values of the open group's prompt.
    prompt: KvCache,
    open: Option<Open>,
    running: Vec<Running>,
    caches: Vec<KvCache>,
    spare: Vec<KvCache>,
    rows: Vec<Row>,
    scratch: Scratch,
    picker: Picker,
}

/// The receiver has gone, or something failed and was reported.
struct Ended;

/// Samples until the queue is empty.
pub(super) fn run(work: &Work, results: &Sender<Result<Finished, SampleError>>) {
    let mut lane = Lane {
        work,
        results,
        prompt: KvCache::default(),
        open: None,
        running: Vec::new(),
        caches: Vec::new(),
        spare: Vec::new(),
        rows: Vec::new(),
        scratch: Scratch::default(),
        picker: Picker::default(),
    };
    while work.goes_on() {
        if lane.fill().is_err() || lane.running.is_empty() || lane.advance().is_err() {
            return;
        }
    }
}

impl Lane<'_> {
    /// Starts samples until every slot is taken or none is left.
    fn fill(&mut self) -> Result<(), Ended> {
        while self.running.len() < self.work.slots && self.work.goes_on() {
            let next = match &mut self.open {
                Some(open) => open.samples.next().map(|sample| (open.group, sample)),
                None => None,
            };
            match next {
                Some((group, sample)) => self.start(group, sample)?,
                None if !self.open_next() => return Ok(()),
                None => {}
            }
        }
        Ok(())
    }

    /// Takes a group from the queue and reads its prompt.
    fn open_next(&mut self) -> bool {
        let work = self.work;
        self.open = None;
        let group = work.next.fetch_add(1, Ordering::Relaxed);
        let Some(asked) = work.groups.get(group) else { return false };
        work.decoder.reserve(&mut self.prompt, asked.prompt.len());
        let caches = std::slice::from_mut(&mut self.prompt);
        for (chunk, tokens) in asked.prompt.chunks(PREFILL).enumerate() {
            let row = |(i, token): (usize, &u32)| Row { sequence: 0, position: chunk * PREFILL + i, token: *token };
            self.rows.clear();
            self.rows.extend(tokens.iter().enumerate().map(row));
            work.decoder.step(&self.rows, caches, &mut self.scratch);
        }
        let mut logits = work.decoder.logits(1, &mut self.scratch).to_vec();
        for banned in &work.settings.banned_first {
            if let Some(logit) = logits.get_mut(*banned as usize) {
                *logit = f32::NEG_INFINITY;
            }
        }
        self.open = Some(Open { group, samples: asked.samples.clone(), logits });
        true
    }

    /// Draws a sample's first token and, unless that ends it, gives it a slot.
    fn start(&mut self, group: usize, sample: u32) -> Result<(), Ended> {
        let asked = &self.work.groups[group];
        let mut new = Running { group, sample, random: stream(asked.stream, sample), ids: vec![], log_probs: vec![] };
        if self.work.settings.max_new_tokens == 0 {
            return self.finish(new, Finish::Length);
        }
        let Some(open) = &self.open else { return Ok(()) };
        let token = choose(self.work, &mut self.picker, &open.logits, &mut new);
        if let Some(finish) = self.append(&mut new, token)? {
            return self.finish(new, finish);
        }
        let mut cache = self.spare.pop().unwrap_or_default();
        self.work.decoder.reserve(&mut cache, self.work.positions);
        self.work.decoder.share(&self.prompt, &mut cache, asked.prompt.len());
        self.caches.push(cache);
        self.running.push(new);
        Ok(())
    }

    /// One more token for every running sample.
    fn advance(&mut self) -> Result<(), Ended> {
        self.rows.clear();
        for (sequence, running) in self.running.iter().enumerate() {
            let position = self.work.groups[running.group].prompt.len() + running.ids.len() - 1;
            let token = running.ids.last().copied().unwrap_or(0);
            self.rows.push(Row { sequence, position, token });
        }
        self.work.decoder.step(&self.rows, &mut self.caches, &mut self.scratch);
        let vocab = self.work.decoder.config().vocab_size;
        let logits = self.work.decoder.logits(self.running.len(), &mut self.scratch);
        let tokens: Vec<_> = if self.work.decoder.is_large() {
            let rows = self.running.par_iter_mut().zip(logits.par_chunks_exact(vocab));
            let one = |picker: &mut Picker, (running, logits): (&mut Running, &[f32])| {
                choose(self.work, picker, logits, running)
            };
            rows.map_init(Picker::default, one).collect()
        } else {
            let rows = self.running.iter_mut().zip(logits.chunks_exact(vocab));
            rows.map(|(running, logits)| choose(self.work, &mut self.picker, logits, running)).collect()
        };
        // From the back, so that taking one out moves only samples that have had their turn.
        for (index, token) in tokens.into_iter().enumerate().rev() {
            let mut running = self.running.swap_remove(index);
            let cache = self.caches.swap_remove(index);
            match self.append(&mut running, token)? {
                Some(finish) => {
                    self.spare.push(cache);
                    self.finish(running, finish)?;
                }
                None => {
                    self.running.push(running);
                    self.caches.push(cache);
                }
            }
        }
        Ok(())
    }

    /// Adds a token; says whether the sample ends with it.
    fn append(&self, running: &mut Running, token: Option<u32>) -> Result<Option<Finish>, Ended> {
        let prompt = self.work.groups[running.group].prompt.len();
        let Some(token) = token else {
            let (group, sample, position) = (running.group, running.sample, prompt + running.ids.len());
            // Nobody listens any more where this fails, and then the run is over anyway.
            drop(self.results.send(Err(SampleError::NotFinite { group, sample, position })));
            return Err(Ended);
        };
        running.ids.push(token);
        let room = self.work.settings.max_new_tokens.min(self.work.decoder.config().max_positions - prompt);
        Ok(if self.work.end_of_turn.contains(&token) {
            Some(Finish::EndOfTurn)
        } else if running.ids.len() >= room {
            Some(Finish::Length)
        } else {
            None
        })
    }

    fn finish(&self, done: Running, finish: Finish) -> Result<(), Ended> {
        let Running { group, sample, ids, log_probs, .. } = done;
        self.results.send(Ok(Finished { group, sample, ids, log_probs, finish })).map_err(|_| Ended)
    }
}

/// The next token of a sample, or nothing where no logit is a number.
fn choose(work: &Work, picker: &mut Picker, logits: &[f32], running: &mut Running) -> Option<u32> {
    let token = picker.pick(logits, work.settings.temperature, work.settings.top_p, &mut running.random)?;
    if work.settings.log_probs {
        running.log_probs.push(picker.log_prob());
    }
    Some(token)
}
