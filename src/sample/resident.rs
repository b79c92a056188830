//! Generation on a device that is not the CPU: one batch of many sequences, whose tensors never leave the device but for
//! the drawn tokens, read back every few steps.
//!
//! A prompt is read once for all its samples. A slot whose sample has ended is given to the next at the next look. The
//! block of keys and values is a ring of columns ([`super::ring`]). Each sample draws from its own random stream, so that
//! it does not matter which slot it has and when; the device's matrix products may round differently in another batch,
//! which the CPU's kernels do not.
//!
//! The shapes of a step are fixed, so that a step could be captured as a CUDA graph and played back as one launch. It is
//! not. burn 0.22.1 records one (`burn::tensor::capture`), but playing it back is `unsafe` (`Graph::replay`: nothing knows
//! whether the recorded buffers still exist), and this crate has none of that. Playing back also needs buffers that stay:
//! the column of a step is a number in its launches (`slice_assign`), and mask, positions and shares are new tensors at
//! every look. What is missing is a safe wrapper that owns those buffers, and a column that is read from a tensor.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use burn::tensor::{Bool, Int, Tensor, TensorData};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::draw::{Drawn, draw};
use super::pick::stream;
use super::ring::Ring;
use super::{Finished, Group, SampleError, SamplerSettings};
use crate::domain::Finish;
use crate::student::resident::{ReadPrompts, ResidentDecoder};

/// Steps between two looks at what was drawn. A sample that ends early computes on in vain until the next one.
const LOOK: usize = 8;
/// Tokens of prompts that are read at once, padding included.
pub const READ: usize = 16_384;
/// Attention scores of prompts that are alive at once.
pub const SCORES: usize = 1 << 28;
/// Positions beyond the longest sequence that steps in vain may reach.
pub const SLACK: usize = LOOK + 1;

/// A sample in its slot.
struct Running {
    group: usize,
    sample: u32,
    random: ChaCha8Rng,
    ids: Vec<u32>,
    /// Whether its first token, drawn after the prompt, has not been looked at yet.
    fresh: bool,
}

/// Prompts that were read, until all their samples have begun.
struct Open {
    groups: Vec<usize>,
    read: ReadPrompts,
}

/// A sample that is to begin.
struct Start {
    slot: usize,
    group: usize,
    sample: u32,
}

/// The batch.
struct Batch<'a> {
    decoder: &'a ResidentDecoder,
    groups: &'a [Group],
    settings: &'a SamplerSettings,
    end_of_turn: &'a [u32],
    /// Samples that have not begun.
    waiting: VecDeque<(usize, u32)>,
    open: Vec<Open>,
    slots: Vec<Option<Running>>,
    ring: Ring<'a>,
    /// The tokens that go in next, `[rows]`, and whether they came from logits that are no numbers.
    drawn: Drawn,
}

/// Draws every sample of every group; see [`super::generate`].
pub(super) fn run(
    decoder: &ResidentDecoder,
    groups: &[Group],
    settings: &SamplerSettings,
    end_of_turn: &[u32],
    go_on: &(dyn Fn() -> bool + Sync),
    take: &mut dyn FnMut(Finished) -> ControlFlow<()>,
) -> Result<(), SampleError> {
    let waiting = groups.iter().enumerate().flat_map(|(index, group)| group.samples.clone().map(move |s| (index, s)));
    let waiting: VecDeque<(usize, u32)> = waiting.collect();
    if settings.max_new_tokens == 0 {
        for (group, sample) in waiting {
            if take(Finished { group, sample, ids: Vec::new(), log_probs: Vec::new(), finish: Finish::Length })
                .is_break()
            {
                break;
            }
        }
        return Ok(());
    }
    let mut batch = Batch::new(decoder, groups, settings, end_of_turn, waiting);
    while go_on() {
        batch.fill();
        let Some(steps) = batch.steps() else { break };
        let looks = batch.advance(steps);
        if batch.look(&looks, take)?.is_break() {
            break;
        }
        batch.shrink();
    }
    Ok(())
}

impl<'a> Batch<'a> {
    fn new(
        decoder: &'a ResidentDecoder,
        groups: &'a [Group],
        settings: &'a SamplerSettings,
        end_of_turn: &'a [u32],
        waiting: VecDeque<(usize, u32)>,
    ) -> Self {
        let rows = settings.slots.clamp(1, waiting.len().max(1));
        let nothing = Drawn { tokens: ints(vec![0; rows], decoder), broken: bools(vec![false; rows], decoder) };
        Self {
            decoder,
            groups,
            settings,
            end_of_turn,
            waiting,
            open: Vec::new(),
            slots: (0..rows).map(|_| None).collect(),
            ring: Ring::new(decoder, rows),
            drawn: nothing,
        }
    }

    fn rows(&self) -> usize {
        self.slots.len()
    }

    fn running(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// Tokens of a sample that the block holds, or will once its last one has gone in.
    fn length(&self, running: &Running) -> usize {
        self.groups[running.group].prompt.len() + running.ids.len().saturating_sub(usize::from(!running.fresh))
    }

    /// Tokens a sample may still get.
    fn left(&self, running: &Running) -> usize {
        let room = self.decoder.config().max_positions - self.groups[running.group].prompt.len();
        room.min(self.settings.max_new_tokens).saturating_sub(running.ids.len())
    }

    /// Begins samples in free slots, if that is worth the interruption.
    fn fill(&mut self) {
        let free: Vec<usize> = (0..self.rows()).filter(|slot| self.slots[*slot].is_none()).collect();
        let worth = free.len() >= self.rows().div_ceil(16).min(self.waiting.len()) || self.running() == 0;
        if self.waiting.is_empty() || free.is_empty() || !worth {
            return;
        }
        let count = free.len().min(self.waiting.len());
        let starts: Vec<Start> = free
            .into_iter()
            .zip(self.waiting.drain(..count))
            .map(|(slot, (group, sample))| Start { slot, group, sample })
            .collect();
        let mut unread: Vec<usize> = starts.iter().map(|start| start.group).collect();
        unread.dedup();
        unread.retain(|group| !self.open.iter().any(|open| open.groups.contains(group)));
        let next = self.waiting.front().map(|(group, _)| *group);
        let open = std::mem::take(&mut self.open);
        for open in open {
            self.install(open, &starts, next);
        }
        for groups in self.portions(&unread) {
            let prompts: Vec<&[u32]> = groups.iter().map(|group| self.groups[*group].prompt.as_slice()).collect();
            let read = self.decoder.read(&prompts);
            self.install(Open { groups, read }, &starts, next);
        }
        self.masked();
    }

    /// Cuts prompts into portions that are read at once.
    fn portions(&self, groups: &[usize]) -> Vec<Vec<usize>> {
        let mut portions: Vec<(usize, Vec<usize>)> = Vec::new();
        for group in groups {
            let length = self.groups[*group].prompt.len();
            let fits = |width: usize, rows: usize| {
                rows * width <= READ && rows * width * width * self.decoder.config().heads <= SCORES
            };
            match portions.last_mut() {
                Some((width, all)) if fits(length.max(*width), all.len() + 1) => {
                    *width = length.max(*width);
                    all.push(*group);
                }
                _ => portions.push((length, vec![*group])),
            }
        }
        portions.into_iter().map(|(_, groups)| groups).collect()
    }

    /// Gives slots to the samples of these prompts: their keys and values, and their first tokens. The prompts are kept
    /// where `next`, the group that begins next, is among them.
    fn install(&mut self, open: Open, starts: &[Start], next: Option<usize>) {
        let place = |group: usize| open.groups.iter().position(|g| *g == group);
        let mine: Vec<(&Start, usize)> = starts.iter().filter_map(|s| Some((s, place(s.group)?))).collect();
        self.room(open.read.width.max(self.longest()) + LOOK + 1);
        let (mut prompt_of, mut start_of, mut begun) =
            (vec![0i64; self.rows()], vec![0i64; self.rows()], vec![false; self.rows()]);
        let mut shares = Vec::with_capacity(mine.len());
        for (index, (start, prompt)) in mine.iter().enumerate() {
            let mut random = stream(self.groups[start.group].stream, start.sample);
            shares.push(share(&mut random, self.settings));
            let (group, sample) = (start.group, start.sample);
            self.slots[start.slot] = Some(Running { group, sample, random, ids: Vec::new(), fresh: true });
            (prompt_of[start.slot], start_of[start.slot], begun[start.slot]) = (*prompt as i64, index as i64, true);
        }
        let all = begun.iter().all(|b| *b);
        let begun = bools(begun, self.decoder);
        self.ring.write(&open.read, &ints(prompt_of, self.decoder), &begun, all);
        let prompts = ints(mine.iter().map(|(_, prompt)| *prompt as i64).collect(), self.decoder);
        let first = self.draw(self.unbanned(open.read.logits.clone()).select(0, prompts), floats(shares, self.decoder));
        let start_of = ints(start_of, self.decoder);
        let Drawn { tokens, broken } = &mut self.drawn;
        *tokens = tokens.clone().mask_where(begun.clone(), first.tokens.select(0, start_of.clone()));
        let bad = first.broken.int().select(0, start_of).equal_elem(1);
        *broken = broken.clone().bool_and(begun.clone().bool_not()).bool_or(begun.bool_and(bad));
        if next.is_some_and(|group| open.groups.contains(&group)) {
            self.open.push(open);
        }
    }

    /// Logits after prompts, with the banned tokens out.
    fn unbanned(&self, logits: Tensor<2>) -> Tensor<2> {
        let [rows, vocab] = logits.dims();
        let banned = &self.settings.banned_first;
        if banned.is_empty() {
            return logits;
        }
        let out = (0..vocab as u32).map(|token| banned.contains(&token)).collect();
        let out = bools(out, self.decoder).reshape([1, vocab]).expand([rows, vocab]);
        logits.mask_fill(out, f32::NEG_INFINITY)
    }

    /// Longest sequence in the block.
    fn longest(&self) -> usize {
        self.slots.iter().flatten().map(|running| self.length(running)).max().unwrap_or(0)
    }

    /// Makes room for so many tokens at once.
    fn room(&mut self, needed: usize) {
        if self.ring.room(needed) {
            self.masked();
        }
    }

    fn masked(&mut self) {
        let lengths = self.slots.iter().map(|slot| slot.as_ref().map_or(0, |running| self.length(running)));
        let lengths: Vec<usize> = lengths.collect();
        self.ring.mask(&lengths);
    }

    fn draw(&self, logits: Tensor<2>, shares: Tensor<1>) -> Drawn {
        draw(logits, self.settings.temperature, self.settings.top_p, shares)
    }

    /// Steps until the next look; `None` where nothing runs.
    fn steps(&self) -> Option<usize> {
        let most = self.slots.iter().flatten().map(|running| self.left(running)).max()?;
        // A first token was drawn with the prompt.
        let waiting = self.slots.iter().flatten().any(|running| running.fresh);
        Some(most.saturating_sub(usize::from(waiting)).min(LOOK))
    }
}

/// What a look reads: one column of tokens before the first step and one after each, −1 where logits are no numbers.
struct Looks {
    values: Vec<i64>,
    columns: usize,
}

impl Batch<'_> {
    /// Moves every row on by `steps` tokens and reads what was drawn.
    fn advance(&mut self, steps: usize) -> Looks {
        self.room(self.longest() + steps + 1);
        let rows = self.rows();
        let mut shares = vec![0.0f32; steps * rows];
        let mut places = vec![0i64; rows];
        for row in 0..rows {
            let Some(running) = &self.slots[row] else { continue };
            places[row] = self.length(running) as i64;
            let settings = self.settings;
            if let Some(running) = &mut self.slots[row] {
                (0..steps).for_each(|step| shares[step * rows + row] = share(&mut running.random, settings));
            }
        }
        let shares = Tensor::<1>::from_data(TensorData::new(shares, [steps * rows]), self.decoder.device());
        let mut places = ints(places, self.decoder);
        let mut seen = vec![self.seen()];
        for step in 0..steps {
            let logits = self.ring.step(self.drawn.tokens.clone(), places.clone());
            self.drawn = self.draw(logits, shares.clone().narrow(0, step * rows, rows));
            places = places + 1;
            seen.push(self.seen());
        }
        let columns = seen.len();
        let data = Tensor::cat(seen, 1).into_data().convert::<i64>();
        Looks { values: data.iter::<i64>().collect(), columns }
    }

    /// The last drawn tokens as a look shows them, `[rows, 1]`.
    fn seen(&self) -> Tensor<2, Int> {
        self.drawn.tokens.clone().mask_fill(self.drawn.broken.clone(), -1).reshape([self.rows(), 1])
    }

    /// Adds what was drawn to the samples and hands on those that have ended.
    fn look(
        &mut self,
        looks: &Looks,
        take: &mut dyn FnMut(Finished) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, SampleError> {
        for row in 0..self.rows() {
            let Some(mut running) = self.slots[row].take() else { continue };
            let skip = usize::from(!std::mem::take(&mut running.fresh));
            let mut ended = None;
            for token in &looks.values[row * looks.columns + skip..(row + 1) * looks.columns] {
                let (group, sample) = (running.group, running.sample);
                let Ok(token) = u32::try_from(*token) else {
                    let position = self.groups[group].prompt.len() + running.ids.len();
                    return Err(SampleError::NotFinite { group, sample, position });
                };
                running.ids.push(token);
                ended = match self.end_of_turn.contains(&token) {
                    true => Some(Finish::EndOfTurn),
                    false => (self.left(&running) == 0).then_some(Finish::Length),
                };
                if ended.is_some() {
                    break;
                }
            }
            let Some(finish) = ended else {
                self.slots[row] = Some(running);
                continue;
            };
            let Running { group, sample, ids, .. } = running;
            if take(Finished { group, sample, ids, log_probs: Vec::new(), finish }).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Halves the batch where nothing waits any more and half of it stands empty.
    fn shrink(&mut self) {
        let rows = self.rows() / 2;
        if !self.waiting.is_empty() || rows < 8 || self.running() > rows {
            return;
        }
        let mut kept: Vec<usize> = (0..self.rows()).filter(|row| self.slots[*row].is_some()).collect();
        kept.extend((0..self.rows()).filter(|row| self.slots[*row].is_none()).take(rows - kept.len()));
        let slots = kept.iter().map(|row| self.slots[*row].take()).collect();
        self.slots = slots;
        let kept = ints(kept.into_iter().map(|row| row as i64).collect(), self.decoder);
        self.ring.keep(&kept);
        self.drawn.tokens = self.drawn.tokens.clone().select(0, kept.clone());
        self.drawn.broken = self.drawn.broken.clone().int().select(0, kept).equal_elem(1);
        self.masked();
    }
}

/// The next share of a sample's stream; greedy samples draw none.
fn share(random: &mut ChaCha8Rng, settings: &SamplerSettings) -> f32 {
    if settings.temperature > 0.0 { random.random::<f64>() as f32 } else { 0.0 }
}

fn ints(values: Vec<i64>, decoder: &ResidentDecoder) -> Tensor<1, Int> {
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), decoder.device())
}

fn floats(values: Vec<f32>, decoder: &ResidentDecoder) -> Tensor<1> {
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), decoder.device())
}

fn bools(values: Vec<bool>, decoder: &ResidentDecoder) -> Tensor<1, Bool> {
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), decoder.device())
}
