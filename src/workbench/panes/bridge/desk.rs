//! Requests on their way, and the text that one of them carries. Every request has a number of its own, by which its answer
//! is known: what other panes decide meanwhile is no answer to it.

use std::collections::VecDeque;
use std::time::Duration;

use super::decide::Draft;
use crate::pipeline::events::{Event, Level};
use crate::pipeline::review::{Act, Request};
use crate::workbench::pane::{Cx, Wish};

/// An answer to a request that stays away this long is no longer waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Requests on their way. A session that stands still is opened for each, so one follows the other; a run takes them as
/// they come.
#[derive(Default)]
pub(super) struct Desk {
    waiting: VecDeque<(u32, Request)>,
    /// Numbers of those that are not answered, and when they were sent.
    sent: Vec<(u32, Duration)>,
    /// Number of the last request.
    last: u32,
    kept: Option<Kept>,
}

/// A text that was sent and is not accepted yet: were it refused, nobody would want to write it again.
struct Kept {
    draft: Draft,
    text: String,
    /// Number of the request that carries it.
    by: u32,
}

impl Desk {
    /// Sends a request when its turn comes.
    pub fn send(&mut self, request: Request, cx: &mut Cx<'_>) {
        self.queue(request, cx);
    }

    /// Puts a request behind those that wait. Gives its number.
    fn queue(&mut self, request: Request, cx: &mut Cx<'_>) -> u32 {
        self.last = self.last.wrapping_add(1);
        let number = self.last;
        self.waiting.push_back((number, request));
        self.pump(cx);
        number
    }

    fn pump(&mut self, cx: &mut Cx<'_>) {
        let live = !cx.run.phase.over();
        while live || self.sent.iter().all(|(_, sent)| cx.now.saturating_sub(*sent) > PATIENCE) {
            let Some((number, request)) = self.waiting.pop_front() else { return };
            self.sent.push((number, cx.now));
            cx.wish(Wish::Review(number, request));
        }
    }

    /// Sends a text, and keeps it until it is accepted.
    pub fn write(&mut self, act: Act, draft: Draft, text: &str, cx: &mut Cx<'_>) {
        let by = self.queue(act.into(), cx);
        self.kept = Some(Kept { draft, text: text.to_string(), by });
    }

    /// What the writing of a text begins with: the text that was refused, else the one that stands there.
    pub fn begun(&self, draft: &Draft) -> String {
        let same = |of: &Draft| (&of.question, of.step, of.of) == (&draft.question, draft.step, draft.of);
        let kept = self.kept.as_ref().filter(|kept| same(&kept.draft));
        kept.map_or(&draft.was, |kept| &kept.text).clone()
    }

    /// Whether something was sent that is not answered, and how much more waits.
    pub fn busy(&self) -> Option<usize> {
        (!self.sent.is_empty()).then_some(self.waiting.len())
    }

    /// Hears what became of its requests.
    pub fn hear(&mut self, event: &Event, cx: &mut Cx<'_>) {
        if let Event::RunFinished { .. } = event {
            self.sent.clear();
        }
        let Some(number) = cx.answers else { return };
        self.sent.retain(|(sent, _)| *sent != number);
        if self.kept.as_ref().is_some_and(|kept| kept.by == number) {
            match event {
                Event::Refused { reason } => {
                    cx.say(Level::Warn, format!("your text is kept, edit again to go on with it; refused: {reason}"));
                }
                _ => self.kept = None,
            }
        }
        self.pump(cx);
    }
}
