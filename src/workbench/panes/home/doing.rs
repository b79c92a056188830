//! What the pane's own actions do.

use super::asking::{self, Offer};
use super::chores::{Done, free_name};
use super::compare::Compare;
use super::form::{Form, Line};
use super::list::Item;
use super::plan::Plan;
use super::{Do, Front, Home};
use crate::pipeline::events::Level;
use crate::recipe::{Arm, Recipe, Takes, preset_names};
use crate::session::show_size;
use crate::workbench::house::Launch;
use crate::workbench::pane::{Ask, Cx, PaneId, Wish};

impl Home {
    pub(super) fn act_own(&mut self, action: Do, cx: &mut Cx<'_>) {
        match (action, self.front) {
            (Do::Open, Front::Form) => self.change(cx),
            (Do::Open, _) => self.open(cx),
            (Do::Demo, _) => self.demo(cx),
            (Do::New, _) => self.offer(cx),
            (Do::Resume, _) => self.resume(cx),
            (Do::Duplicate, _) => self.duplicate(cx),
            (Do::Rename, _) => self.ask_name(cx),
            (Do::Delete, _) => self.ask_delete(cx),
            (Do::Compare, _) => self.compare(cx),
            (Do::Mark, _) => self.list.mark(),
            (Do::Search, _) => {
                let text = match (self.front, &self.form) {
                    (Front::Form, Some(form)) => form.search.clone(),
                    _ => self.list.filter.clone(),
                };
                cx.ask(asking::SEARCH, Ask::Line { title: "search".to_string(), text, live: true });
            }
            (Do::Start, _) => self.start(cx),
            (Do::Plan, _) => self.foresee(cx),
            (Do::Save, _) => self.ask_file(cx),
            (Do::Reset, _) => {
                if let Some(form) = &mut self.form
                    && let Some(Line::Setting(field)) = form.selected()
                {
                    form.reset(field.key);
                }
            }
            (Do::Only, _) => {
                if let Some(form) = &mut self.form {
                    form.only = !form.only;
                }
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.list.rows().unwrap_or_default().iter().map(|row| row.name().to_string()).collect()
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        match self.list.selected() {
            Some(Item::Session(name)) => {
                if cx.source.is_none_or(|source| source.name() != name) {
                    let holder = self.list.row(&name).and_then(|row| row.holder()).map(str::to_string);
                    cx.wish(Wish::Open(name.clone()));
                    if !cx.run.phase.over() {
                        return;
                    }
                    if let Some(holder) = holder {
                        cx.say(Level::Warn, format!("{holder} has {name}: here it is looked at only"));
                    }
                }
                cx.wish(Wish::Goto(PaneId::Run, None));
            }
            Some(Item::Preset("demo")) if self.list.is_first_start() => self.demo(cx),
            Some(Item::Preset(name)) => self.form_on(Form::preset(name, &self.names()), cx),
            None => {}
        }
    }

    fn demo(&mut self, cx: &mut Cx<'_>) {
        match Recipe::preset("demo") {
            Ok(recipe) => {
                let name = free_name(&self.names(), "demo", Arm::Bridged);
                self.launch(Launch::New { recipe: Box::new(recipe), name: Some(name) }, cx);
            }
            Err(error) => cx.say(Level::Error, error.to_string()),
        }
    }

    /// Begins a run, where none is at work.
    fn launch(&mut self, launch: Launch, cx: &mut Cx<'_>) {
        if !cx.run.phase.over() {
            return cx.say(Level::Warn, "a run is at work here; stop it first, or let it end");
        }
        cx.wish(Wish::Launch(launch));
    }

    fn resume(&mut self, cx: &mut Cx<'_>) {
        if let Some(name) = self.list.session().map(|row| row.name().to_string()) {
            self.launch(Launch::Resume { name }, cx);
        }
    }

    pub(super) fn form_on(&mut self, form: Result<Form, String>, cx: &mut Cx<'_>) {
        match form {
            Ok(form) => (self.form, self.front) = (Some(form), Front::Form),
            Err(why) => cx.say(Level::Error, why),
        }
    }

    fn duplicate(&mut self, cx: &mut Cx<'_>) {
        let Some(row) = self.list.session() else { return };
        let Ok(made) = &row.made else { return };
        let form = Form::again(row.name(), &made.recipe, &self.names());
        self.form_on(form, cx);
    }

    /// Asks what a new run shall stand on.
    pub(super) fn offer(&mut self, cx: &mut Cx<'_>) {
        let (mut offers, mut items) = (Vec::new(), Vec::new());
        let mut add = |offer, words: String| {
            offers.push(offer);
            items.push(words);
        };
        if let Some(form) = self.form.as_ref().filter(|_| self.front == Front::List) {
            add(Offer::Left, format!("the form as it was left ({}, {} differ)", form.from, form.draft.changed()));
        }
        preset_names().for_each(|name| add(Offer::Preset(name), format!("preset {name}")));
        add(Offer::File, "a TOML file".to_string());
        if let Some(row) = self.list.session().filter(|row| row.made.is_ok()) {
            add(Offer::Session(row.name().to_string()), format!("the recipe of {}", row.name()));
        }
        self.offered = offers;
        cx.ask(asking::OFFER, Ask::Choose { title: "a new run on".to_string(), items, at: 0 });
    }

    fn ask_name(&mut self, cx: &mut Cx<'_>) {
        let Some(row) = self.list.session() else { return };
        if let Some(holder) = row.holder() {
            return cx.say(Level::Warn, format!("{holder} has {}; it keeps its name while it runs", row.name()));
        }
        self.about = row.name().to_string();
        let title = format!("another name for {}", row.name());
        cx.ask(asking::RENAME, Ask::Line { title, text: self.about.clone(), live: true });
    }

    fn ask_delete(&mut self, cx: &mut Cx<'_>) {
        let Some(row) = self.list.session() else { return };
        if let Some(holder) = row.holder() {
            return cx.say(Level::Warn, format!("{holder} has {}; a session at work can't be deleted", row.name()));
        }
        self.about = row.name().to_string();
        let lines = vec![
            format!("{}: its records, decisions and checkpoints are deleted.", show_size(row.summary.bytes)),
            "This cannot be undone.".to_string(),
        ];
        let title = format!("delete {}?", row.name());
        cx.ask(asking::DELETE, Ask::Confirm { title, lines, yes: "delete".to_string() });
    }

    /// The selected session beside those that are marked, else beside the open one.
    fn compare(&mut self, cx: &mut Cx<'_>) {
        let Some(this) = self.list.session().map(|row| row.name().to_string()) else { return };
        let mut others: Vec<String> = self.list.marked.iter().filter(|name| **name != this).cloned().collect();
        if others.is_empty() {
            others.extend(cx.source.map(|source| source.name().to_string()).filter(|name| *name != this));
        }
        if others.is_empty() {
            return cx.say(Level::Warn, "mark another session with m, or open one, to compare this one with it");
        }
        (self.compare, self.front) = (Some(Compare::of(this, others, cx)), Front::Compare);
    }

    /// Changes what is selected in the form.
    fn change(&mut self, cx: &mut Cx<'_>) {
        let Some(form) = &mut self.form else { return };
        let line = |title: String, text: String| Ask::Line { title, text, live: true };
        match form.selected() {
            Some(Line::Start) => self.start(cx),
            Some(Line::From) => self.offer(cx),
            Some(Line::Name) => cx.ask(asking::NAME, line("name of the session".to_string(), form.name())),
            Some(Line::Limit) => {
                let text = form.limit.map_or(String::new(), |limit| limit.to_string());
                cx.ask(asking::LIMIT, line("at most so many questions of each kind".to_string(), text));
            }
            Some(Line::Setting(field)) => {
                let (key, text) = (field.key, form.draft.text(field.key));
                self.about = key.to_string();
                match field.takes {
                    Takes::Switch => form.set(key, if text == "true" { "false" } else { "true" }),
                    Takes::OneOf(words) => {
                        let items = words.iter().map(ToString::to_string).collect();
                        let at = words.iter().position(|word| *word == text).unwrap_or(0);
                        cx.ask(asking::WORD, Ask::Choose { title: key.to_string(), items, at });
                    }
                    _ => cx.ask(asking::VALUE, line(format!("{key}: {}", field.about), text)),
                }
            }
            Some(Line::Head(_)) | None => {}
        }
    }

    fn start(&mut self, cx: &mut Cx<'_>) {
        let Some(form) = &mut self.form else { return };
        match form.ready() {
            Ok(recipe) => {
                let name = form.name();
                self.begun = Some(name.clone());
                let launch = Launch::New { recipe: Box::new(recipe.clone()), name: Some(name) };
                self.launch(launch, cx);
            }
            Err(why) => {
                let key = form.faults().find_map(|fault| fault.keys.first().copied());
                key.into_iter().for_each(|key| form.select_setting(key));
                cx.say(Level::Warn, why);
            }
        }
    }

    fn foresee(&mut self, cx: &mut Cx<'_>) {
        let Some(form) = &self.form else { return };
        match form.ready() {
            Ok(recipe) => (self.plan, self.front) = (Some(Plan::of(recipe, cx)), Front::Plan),
            Err(why) => cx.say(Level::Warn, why),
        }
    }

    fn ask_file(&mut self, cx: &mut Cx<'_>) {
        let Some(form) = &self.form else { return };
        if let Err(why) = form.ready() {
            return cx.say(Level::Warn, why);
        }
        let title = "save the recipe as a TOML file".to_string();
        cx.ask(asking::SAVE, Ask::Line { title, text: form.file_name(), live: false });
    }

    /// Takes what has come of what was done behind the screen.
    pub(super) fn take_ended(&mut self, cx: &mut Cx<'_>) {
        for ended in self.chores.ended(cx) {
            match &ended {
                Ok(done) => {
                    cx.say(Level::Info, done.said());
                    self.follow(done, cx);
                }
                Err(why) => cx.say(Level::Error, why.clone()),
            }
            self.list.refresh(cx);
        }
        if cx.poll(&mut self.reading) {
            let read = std::mem::take(&mut self.reading);
            match (read.error().map(str::to_string), read.into_value()) {
                (None, Some(form)) => self.form_on(Ok(form), cx),
                (why, _) => cx.say(Level::Error, why.unwrap_or_default()),
            }
        }
    }

    /// The session that is open may have gone, or have another name.
    fn follow(&mut self, done: &Done, cx: &mut Cx<'_>) {
        let open = cx.source.map(|source| source.name().to_string());
        match done {
            Done::Removed(name, _) if open.as_ref() == Some(name) => cx.wish(Wish::Close),
            Done::Renamed(from, to) => {
                if self.list.marked.remove(from) {
                    self.list.marked.insert(to.clone());
                }
                self.list.select_session(to);
                if open.as_ref() == Some(from) {
                    cx.wish(Wish::Open(to.clone()));
                }
            }
            Done::Removed(..) | Done::Saved(_) => {}
        }
    }
}
