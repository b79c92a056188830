//! One SFT run, resumable at every saved update: prepare the texts once, then train, record and save.
//!
//! Medium and bridged are two runs, each with fresh AdamW moments and its own warm-up and cosine (reading.md, row 27).
//! Updates that were recorded after the last saved state are repeated on resume, with the same result.

use sha2::{Digest, Sha256};

use super::checkpoints::{finish, is_finished, restore, save_and_stop, save_partial};
use super::context::{Context, StageError, Summary, all};
use super::events::Level;
use super::seeds::cycle;
use crate::domain::{SampleKind, SftSample};
pub use crate::session::records::Matched;
use crate::session::records::{Prepared, SftUpdate};
use crate::session::{Author, Batch};
use crate::student::ChatTokens;
use crate::teacher::PromptKind;
use crate::train::schedule::warmup_cosine;

/// Texts, rate and size of one SFT run.
pub struct Fit {
    /// What is trained on.
    pub samples: Vec<SftSample>,
    /// Peak learning rate.
    pub lr: f64,
    /// Updates and trained tokens to match instead of one pass in batches (control arms).
    pub matched: Option<Matched>,
}

/// The size an ordinary run over these texts has.
pub fn size_of(cx: &Context, samples: &[SftSample]) -> Result<Matched, StageError> {
    let mut tokens = 0;
    for sample in samples {
        tokens += encoded(cx, sample)?.trained.len() as u64;
    }
    let epochs = u64::from(cx.recipe.sft.epochs);
    let updates = samples.len().div_ceil(cx.recipe.sft.batch) * epochs as usize;
    Ok(Matched { updates, tokens: tokens * epochs })
}

/// A text as it is trained: cut to the recipe's length and to what the student reads.
pub fn encoded(cx: &Context, sample: &SftSample) -> Result<ChatTokens, StageError> {
    let student = cx.engine.text();
    let mut chat = student.encode_chat(&sample.messages)?;
    chat.truncate(cx.recipe.sft.max_tokens.min(student.config.max_positions));
    Ok(chat)
}

/// Trains, from wherever it stopped.
pub fn fit(cx: &Context, fit: Fit) -> Result<Summary, StageError> {
    let (prepared, matched) = prepare(cx, fit.samples, fit.matched)?;
    let parent = cx.checkpoint();
    if prepared.is_empty() || matched.is_some_and(|m| m.updates == 0) {
        cx.emit.log(Level::Warn, format!("{}: nothing to train on; the weights stay as they were", cx.stage));
        cx.engine.use_checkpoint(cx.session, &parent)?;
        finish(cx, &parent, &data_hash(&prepared))?;
        return Ok(Summary { text: "nothing to train on".into(), tokens: 0 });
    }
    cx.emit.log(Level::Info, format!("{} trains on {}", cx.stage, mix(&prepared)));
    let mut chats = Vec::with_capacity(prepared.len());
    for text in &prepared {
        chats.push(encoded(cx, &text.sample)?);
    }
    let batches = batches(cx, &chats, matched);
    let updates = batches.len();
    let finished = is_finished(cx)?;
    let mut at = if finished { updates } else { restore(cx, &parent, cx.recipe.sft.adamw)? };
    cx.emit.started(cx.stage, at as u64, updates as u64, "updates");
    let mut tokens = 0;
    let mut last = None;
    while at < updates {
        if let Err(stop) = cx.check() {
            return Err(if matches!(stop, StageError::Cancelled) { save_and_stop(cx, at) } else { stop });
        }
        let lr = warmup_cosine(at, updates, fit.lr, cx.recipe.sft.warmup_ratio, cx.recipe.sft.min_lr_ratio);
        let batch: Vec<ChatTokens> = batches[at].iter().map(|&i| chats[i].clone()).collect();
        let metrics = cx.engine.sft_step(batch, lr, cx.recipe.sft.loss)?;
        at += 1;
        tokens += metrics.tokens as u64;
        let update = SftUpdate { loss: metrics.loss, lr, grad_norm: metrics.grad_norm, tokens: metrics.tokens as u64 };
        write_update(cx, at, &update)?;
        last = Some(update);
        if at % cx.recipe.sft.save_every as usize == 0 && at < updates {
            save_partial(cx, at)?;
        }
        cx.emit.progress(cx.stage, at as u64, updates as u64, tokens);
    }
    if !finished {
        finish(cx, &parent, &data_hash(&prepared))?;
    }
    let last = match last {
        Some(update) => Some(update),
        None => cx.session.get::<SftUpdate>(&format!("{}/{updates:05}", cx.stage.key()))?,
    };
    let loss = last.map_or(f64::NAN, |u| u.loss);
    Ok(Summary { text: format!("{} texts, {updates} updates, last loss {loss:.3}", prepared.len()), tokens })
}

/// Texts and trained tokens of each kind, in the order in which the kinds come (reading.md, row 45).
fn mix(prepared: &[Prepared]) -> String {
    let mut kinds: Vec<(SampleKind, usize, u64)> = Vec::new();
    for Prepared { sample, tokens, .. } in prepared {
        let at = kinds.iter().position(|(kind, ..)| *kind == sample.kind).unwrap_or(kinds.len());
        if at == kinds.len() {
            kinds.push((sample.kind, 0, 0));
        }
        kinds[at].1 += 1;
        kinds[at].2 += u64::from(*tokens);
    }
    let parts = kinds.iter().map(|(kind, texts, tokens)| format!("{texts} {} ({tokens} tokens)", kind.as_str()));
    parts.collect::<Vec<_>>().join(", ")
}

/// Fixes the texts of this stage, in one frame. A stage that has made an update keeps them, and reads them back; one that
/// has not is built from what is approved now, so that decisions made meanwhile are seen.
fn prepare(
    cx: &Context,
    samples: Vec<SftSample>,
    matched: Option<Matched>,
) -> Result<(Vec<Prepared>, Option<Matched>), StageError> {
    let (stage, prefix) = (cx.stage.key(), format!("{}/", cx.stage.key()));
    let known: Vec<Prepared> = all::<Prepared>(cx.session, &prefix)?.into_iter().map(|(_, p)| p).collect();
    let fixed = cx.session.get::<Matched>(&stage)?;
    if !known.is_empty() && cx.session.count::<SftUpdate>(&prefix)? > 0 {
        return Ok((known, matched.map(|matched| fixed.unwrap_or(matched))));
    }
    let mut batch = Batch::new(Author::Pipeline);
    let mut prepared = Vec::with_capacity(samples.len());
    for (i, sample) in samples.into_iter().enumerate() {
        let tokens = encoded(cx, &sample)?.trained.len() as u32;
        let prompt = prompt_of(cx, &sample);
        let text = Prepared { sample, tokens, prompt };
        if known.get(i) != Some(&text) {
            batch.put(&format!("{prefix}{i:06}"), &text);
        }
        prepared.push(text);
    }
    for i in prepared.len()..known.len() {
        batch.delete::<Prepared>(&format!("{prefix}{i:06}"));
    }
    if let Some(matched) = matched.filter(|matched| fixed != Some(*matched)) {
        batch.put(&stage, &matched);
    }
    cx.session.write(batch)?;
    Ok((prepared, matched))
}

/// Hash of the prompt of a text's user turn.
fn prompt_of(cx: &Context, sample: &SftSample) -> String {
    let asked = || cx.material.find(&sample.question).map(|question| PromptKind::asking(question.ask));
    let kind = match sample.kind {
        SampleKind::Medium | SampleKind::Bridged | SampleKind::RawHard => asked(),
        SampleKind::Local => Some(PromptKind::Local),
        SampleKind::Diagnose => Some(PromptKind::Diagnose),
        SampleKind::Repair => Some(PromptKind::Repair),
        SampleKind::NewTrace => Some(PromptKind::NewTrace),
        SampleKind::Neutral => None,
    };
    kind.map(|kind| cx.prompts.hash(kind)).unwrap_or_default()
}

/// The texts of each update. Ordinary: seeded passes in batches. Matched: texts until the tokens are reached and every
/// update has one, spread evenly over the updates.
fn batches(cx: &Context, chats: &[ChatTokens], matched: Option<Matched>) -> Vec<Vec<usize>> {
    let place = cx.stage.key();
    let (seed, sft) = (cx.recipe.seed, &cx.recipe.sft);
    match matched {
        None => {
            let pass = chats.len();
            (0..sft.epochs as usize)
                .flat_map(|epoch| {
                    let order = cycle(seed, &place, pass, epoch * pass, pass);
                    order.chunks(sft.batch).map(<[usize]>::to_vec).collect::<Vec<_>>()
                })
                .collect()
        }
        Some(matched) => {
            let mut picked = Vec::new();
            let mut tokens = 0;
            while tokens < matched.tokens || picked.len() < matched.updates {
                let next = cycle(seed, &place, chats.len(), picked.len(), 1)[0];
                tokens += chats[next].trained.len().max(1) as u64;
                picked.push(next);
            }
            let updates = matched.updates;
            (0..updates)
                .map(|u| picked[u * picked.len() / updates..(u + 1) * picked.len() / updates].to_vec())
                .collect()
        }
    }
}

fn write_update(cx: &Context, at: usize, update: &SftUpdate) -> Result<(), StageError> {
    let mut batch = Batch::new(Author::Pipeline);
    batch.put(&format!("{}/{at:05}", cx.stage.key()), update);
    cx.session.write(batch)?;
    cx.emit.metric(cx.stage, at as u64, "loss", update.loss);
    cx.emit.metric(cx.stage, at as u64, "lr", update.lr);
    cx.emit.metric(cx.stage, at as u64, "grad-norm", update.grad_norm);
    Ok(())
}

fn data_hash(prepared: &[Prepared]) -> String {
    let mut hash = Sha256::new();
    for text in prepared {
        hash.update(text.sample.id.as_bytes());
        for message in &text.sample.messages {
            hash.update([0]);
            hash.update(message.content.as_bytes());
        }
        hash.update([1]);
    }
    hex::encode(hash.finalize())[..12].to_string()
}
