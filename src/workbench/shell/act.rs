//! What the workbench's own actions do.

use super::layers::{Body, Layer, Owner, Purpose};
use super::picker::Picker;
use super::{Effect, Shell, help};
use crate::pipeline::events::{Command, Level};
use crate::workbench::action::{Action, MOVES, SHELL, Shell as Do};
use crate::workbench::pane::{Ask, PaneId, Reply};
use crate::workbench::panes;
use crate::workbench::state::Phase;

impl Shell {
    /// Whether one of the workbench's own actions makes sense now.
    pub(super) fn shell_available(&self, action: Do) -> bool {
        match action {
            Do::Pause => matches!(self.run.phase, Phase::Running | Phase::Pausing | Phase::Paused),
            Do::PassGate => self.run.gate.is_some() && self.at_work(),
            Do::CloseTile | Do::Zoom | Do::Wider | Do::Narrower => self.tiles.panes().len() > 1,
            _ => true,
        }
    }

    /// What an action is called now.
    pub(super) fn label(&self, id: PaneId, action: Action, usual: &'static str) -> &'static str {
        match action {
            Action::Shell(Do::Quit) if self.run.phase == Phase::Stopping => "leave at once",
            Action::Shell(Do::Quit) if self.at_work() => "stop",
            Action::Shell(Do::Pause) if matches!(self.run.phase, Phase::Paused | Phase::Pausing) => "go on",
            Action::Shell(_) | Action::Move(_) => usual,
            own => self.panes[id.index()].label(own, &self.run).unwrap_or(usual),
        }
    }

    /// Does what a key, the palette or the mouse asks for.
    pub(super) fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
        if let Action::Shell(action) = action {
            return self.do_shell(action, effects);
        }
        let id = self.tiles.focus();
        let (_, wishes) = self.with(id, |pane, cx| pane.act(action, cx));
        self.carry_all(vec![(id, wishes)], effects);
    }

    fn do_shell(&mut self, action: Do, effects: &mut Vec<Effect>) {
        match action {
            Do::Quit => self.quit(effects),
            Do::Help => self.layers.push(help::layer(self)),
            Do::Palette => self.palette(),
            Do::Pane(pane) => self.goto(pane, None, effects),
            Do::NextTile if self.tiles.step(1) => {}
            Do::PreviousTile if self.tiles.step(-1) => {}
            Do::NextTile | Do::NextPane => self.turn(1, effects),
            Do::PreviousTile | Do::PreviousPane => self.turn(-1, effects),
            Do::SplitRight => self.split(true),
            Do::SplitBelow => self.split(false),
            Do::CloseTile => drop(self.tiles.close()),
            Do::Zoom => self.tiles.zoom(),
            Do::Wider => self.tiles.widen(5),
            Do::Narrower => self.tiles.widen(-5),
            Do::Pause => self.pause(effects),
            Do::PassGate => self.pass_gate(),
            Do::Redraw => effects.push(Effect::Redraw),
            Do::Theme => self.themes(),
            Do::Copy => self.copy(effects),
            Do::SaveTable => match self.panes[self.tiles.focus().index()].sheet() {
                Some(sheet) => self.save_sheet(sheet),
                None => self.note(Level::Info, "there is no table here to save"),
            },
            Do::SaveScreen => {
                let text = self.house.free_file(&format!("footbridge-{}", self.tiles.focus().name()), "svg");
                let ask = Ask::Line { title: "save the screen as".to_string(), text, live: false };
                self.layers.extend(Layer::of(Owner::Shell(Purpose::SaveScreen), ask));
            }
            Do::Cancel => self.give_up(),
        }
    }

    /// The pane that is `by` further, in place of the focused one.
    fn turn(&mut self, by: isize, effects: &mut Vec<Effect>) {
        let count = PaneId::ALL.len() as isize;
        let at = (self.tiles.focus().index() as isize + by).rem_euclid(count);
        self.goto(PaneId::ALL[at as usize], None, effects);
    }

    /// A new tile, with the first pane that is not in sight, those that go well with the focused one first.
    fn split(&mut self, across: bool) {
        let beside = [PaneId::Bridge, PaneId::Questions, PaneId::Rewards, PaneId::Run];
        let shown = self.tiles.panes();
        let next = beside.into_iter().chain(PaneId::ALL).find(|pane| !shown.contains(pane));
        if let Some(pane) = next.filter(|pane| self.tiles.split(across, *pane)) {
            self.show_pane(pane);
        }
    }

    fn palette(&mut self) {
        let focus = self.tiles.focus();
        let all = [panes::bindings(focus), SHELL, MOVES].into_iter().flatten();
        let (mut items, mut actions) = (Vec::new(), Vec::new());
        for bound in all.filter(|bound| self.available(focus, bound.action)) {
            let keys = self
                .keymap
                .keys(bound)
                .first()
                .map_or(String::new(), |key| format!("  ({})", key.name(&self.look.glyphs)));
            items.push(format!("{}{keys}", self.label(focus, bound.action, bound.label)));
            actions.push(bound.action);
        }
        let body = Body::Palette { picker: Picker::new(items, 0), actions };
        self.layers.push(Layer { owner: Owner::Shell(Purpose::Command), title: "commands".to_string(), body });
    }

    fn themes(&mut self) {
        let items = self.look.themes();
        let at = items.iter().position(|name| *name == self.look.theme_name).unwrap_or(0);
        let ask = Ask::Choose { title: "theme".to_string(), items, at };
        self.layers.extend(Layer::of(Owner::Shell(Purpose::Theme), ask));
    }

    fn copy(&mut self, effects: &mut Vec<Effect>) {
        let Some((what, words)) = self.panes[self.tiles.focus().index()].copied() else {
            return self.note(Level::Info, "there is nothing here to copy");
        };
        self.note(Level::Info, &format!("copied {what}"));
        effects.push(Effect::Copy(words));
    }

    /// Gives up what is asked of the session: the focused pane asks anew when it is shown again.
    fn give_up(&mut self) {
        self.history.cancel();
        let id = self.tiles.focus();
        self.with(id, |pane, cx| pane.give_up(cx));
        self.note(Level::Info, "given up");
    }

    fn pause(&mut self, effects: &mut Vec<Effect>) {
        let command = match self.run.phase {
            Phase::Running => {
                self.run.phase = Phase::Pausing;
                Command::Pause
            }
            Phase::Pausing => {
                self.run.phase = Phase::Running;
                Command::Resume
            }
            Phase::Paused => Command::Resume,
            _ => return,
        };
        effects.push(Effect::Send(command));
    }

    fn pass_gate(&mut self) {
        let Some((stage, pending)) = &self.run.gate else { return };
        let lines = vec![format!(
            "{} products of {stage} that passed their checks are approved, and the run goes on.",
            crate::workbench::text::count(*pending)
        )];
        let ask = Ask::Confirm { title: "approve what waits?".to_string(), lines, yes: "approve all".to_string() };
        self.layers.extend(Layer::of(Owner::Shell(Purpose::Gate), ask));
    }

    fn quit(&mut self, effects: &mut Vec<Effect>) {
        if !self.at_work() {
            return effects.push(Effect::Leave);
        }
        let (purpose, title, words, yes) = match self.run.phase {
            Phase::Stopping => {
                let words = "It is stopping; left at once, the current step is lost and nothing else.";
                (Purpose::Leave, "leave at once?", words, "leave at once")
            }
            _ => {
                let words = "It stops after the current step, and nothing that is done is lost.";
                (Purpose::Stop, "stop this run?", words, "stop the run")
            }
        };
        let lines = vec![words.to_string(), format!("Go on later with: {}", self.run.resume)];
        let ask = Ask::Confirm { title: title.to_string(), lines, yes: yes.to_string() };
        self.layers.extend(Layer::of(Owner::Shell(purpose), ask));
    }

    /// What the researcher answered to the workbench itself.
    pub(super) fn decided(&mut self, purpose: &Purpose, reply: Reply, effects: &mut Vec<Effect>) {
        match (purpose, reply) {
            (Purpose::Stop, Reply::Yes) if self.at_work() => {
                (self.run.phase, self.leaving) = (Phase::Stopping, true);
                self.run.log.push(self.now, Level::Info, "stopping after the current step");
                effects.push(Effect::Send(Command::Cancel));
            }
            (Purpose::Stop | Purpose::Leave, Reply::Yes) => effects.push(Effect::Leave),
            (Purpose::Gate, Reply::Yes) if self.run.gate.take().is_some() => {
                effects.push(Effect::Send(Command::PassGate));
            }
            (Purpose::Theme, Reply::Chosen(at)) => {
                if let Some(name) = self.look.themes().get(at) {
                    self.theme(name);
                }
            }
            (Purpose::SaveTable, Reply::Text(path)) => {
                if let Some(sheet) = self.saving.take() {
                    match sheet.written_as(&path) {
                        Ok(content) => self.write_file(&path, content),
                        Err(why) => self.note(Level::Error, &why),
                    }
                }
            }
            (Purpose::SaveScreen, Reply::Text(path)) => {
                let svg = self.picture(self.size.0, self.size.1);
                self.write_file(&path, svg);
            }
            _ => {}
        }
    }
}
