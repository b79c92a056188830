//! The run at a glance: how long it takes, how fast it goes, what it takes of memory, what its teacher took.

use std::collections::BTreeMap;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::pipeline::answers::spending;
use crate::session::{Session, show_size};
use crate::teacher::Usage;
use crate::workbench::jobs::{Cancel, Query};
use crate::workbench::pane::{Cx, Seen};
use crate::workbench::stages::StageState;
use crate::workbench::text;
use crate::workbench::widgets::{joined, put};

/// How often memory is asked for.
const APART: Duration = Duration::from_secs(1);

/// What this process takes of memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Now.
    pub now: u64,
    /// The most so far.
    pub peak: u64,
}

/// What a session keeps beside its stages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    /// What the model teacher took, by stage.
    pub spent: BTreeMap<String, Usage>,
    /// Bytes of every saved checkpoint.
    pub checkpoints: BTreeMap<String, u64>,
}

impl Kept {
    /// Over all stages; `None` where no model was asked.
    pub fn all(&self) -> Option<Usage> {
        (!self.spent.is_empty()).then(|| self.spent.values().copied().sum())
    }

    /// Reads it.
    ///
    /// # Errors
    /// In words, when the session can't be read.
    pub fn read(session: &Session, cancel: &Cancel) -> Result<Self, String> {
        let mut kept = Self::default();
        for (spender, usage) in spending(session).map_err(|error| error.to_string())? {
            let stage = spender.split_once('/').map_or(spender.as_str(), |(stage, _)| stage);
            *kept.spent.entry(stage.to_string()).or_default() += usage;
        }
        let store = session.checkpoints();
        for id in store.list().map_err(|error| error.to_string())? {
            cancel.check()?;
            // One that is being replaced just now is left out; the next look sees it.
            if let Ok(manifest) = store.manifest(&id) {
                kept.checkpoints.insert(id, manifest.files.iter().map(|file| file.bytes).sum());
            }
        }
        Ok(kept)
    }
}

/// What is known beside the run's own words.
#[derive(Default)]
pub struct Vitals {
    memory: Query<Memory>,
    asked: Option<Duration>,
    kept: Query<Kept>,
}

impl Vitals {
    /// What the session keeps, as far as it is known.
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.value()
    }

    /// Reads again what the session keeps.
    pub fn refresh(&mut self, cx: &Cx<'_>) {
        cx.requery(&mut self.kept, Kept::read);
    }

    /// Takes what has come, and asks for memory now and then while a run is at work here.
    pub fn poll(&mut self, cx: &Cx<'_>, in_sight: bool) {
        cx.poll(&mut self.kept);
        cx.poll(&mut self.memory);
        let due = self.asked.is_none_or(|asked| cx.now.saturating_sub(asked) >= APART);
        if in_sight && due && !cx.run.phase.over() {
            self.asked = Some(cx.now);
            let status = cx.house.status;
            self.memory.refresh(cx.jobs, cx.now, move |_| {
                let status = status()?;
                memory(&status).ok_or_else(|| "this system does not say".to_string())
            });
        }
    }

    /// Gives up what is under way.
    pub fn give_up(&mut self) {
        self.memory.cancel();
        self.kept.cancel();
    }

    /// The facts, the most telling first.
    pub fn facts(&self, seen: &Seen<'_>) -> Vec<String> {
        let run = seen.run;
        let over = run.phase.over();
        let at_work = run.stages.iter().rfind(|row| matches!(row.state, StageState::Running(_))).filter(|_| !over);
        let mut facts = Vec::new();
        let still = run.waits();
        let moves = still.is_none();
        facts.extend(still);
        if let Some(left) = at_work.and_then(|row| run.stage_eta(row)) {
            facts.push(format!("stage {} left", text::clock(left)));
        }
        facts.extend(run.eta().map(|left| format!("run about {} left", text::clock(left))));
        if let Some(row) = at_work.filter(|row| moves && row.rate > 0.0) {
            facts.push(format!("{} tok/s", text::short(row.rate)));
        }
        if let Some(memory) = self.memory.value().filter(|_| !over) {
            facts.push(format!("memory {}, peak {}", show_size(memory.now), show_size(memory.peak)));
        }
        if let Some(all) = self.kept().and_then(Kept::all) {
            facts.push(format!("teacher {}", spent(&all)));
        }
        // Alone it would say no more than the title does.
        if !run.device.is_empty() && !facts.is_empty() {
            facts.push(run.device.clone());
        }
        facts
    }

    /// Draws them into one row, as many as fit.
    pub fn draw(&self, buf: &mut Buffer, row: Rect, seen: &Seen<'_>) {
        let mut facts = self.facts(seen);
        let wide = |facts: &[String]| facts.iter().map(|fact| text::width(fact) + 3).sum::<usize>();
        while facts.len() > 1 && wide(&facts) > usize::from(row.width) {
            facts.pop();
        }
        let style = seen.look.theme.dim;
        put(buf, row, [vec![Span::raw("   ")], joined(&facts, seen.look, style)].concat());
    }
}

/// What calls of a teacher took, in words.
pub fn spent(usage: &Usage) -> String {
    let mut facts =
        vec![format!("{} calls", text::count(usage.calls)), format!("{} tokens", text::short(usage.tokens() as f64))];
    if usage.cost > 0.0 {
        facts.push(format!("cost {:.2}", usage.cost));
    }
    for (count, words) in [(usage.cached, "from the cache"), (usage.retries, "asked again"), (usage.failed, "failed")] {
        if count > 0 {
            facts.push(format!("{} {words}", text::count(count)));
        }
    }
    facts.join(", ")
}

/// Memory as `/proc/self/status` says it; `None` where it doesn't.
fn memory(status: &str) -> Option<Memory> {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    };
    Some(Memory { now: field("VmRSS:")?, peak: field("VmHWM:")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_where_the_system_says_it() {
        let status = "Name:\tfootbridge\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\nThreads:\t5\n";
        assert_eq!(memory(status), Some(Memory { now: 100 << 20, peak: 200 << 20 }));
        assert_eq!(memory("VmRSS:\t  lots\n"), None);
        assert_eq!(memory(""), None);
    }

    #[test]
    fn what_a_teacher_took_names_what_there_is() {
        let usage = Usage { calls: 1_200, prompt_tokens: 30_000, completion_tokens: 12_000, ..Usage::default() };
        assert_eq!(spent(&usage), "1,200 calls, 42.0k tokens");
        let usage = Usage { cost: 1.5, cached: 3, failed: 2, ..usage };
        assert_eq!(spent(&usage), "1,200 calls, 42.0k tokens, cost 1.50, 3 from the cache, 2 failed");
    }
}
