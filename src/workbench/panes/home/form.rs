//! A new run, as a form over its recipe: every setting with its value, the preset's, what it is and what is wrong with it.

use std::path::Path;

use super::chores::free_name;
use crate::pipeline::supported::{supported, supported_teacher};
use crate::recipe::{Draft, FIELDS, Fault, Field, Recipe};
use crate::session::{SessionName, session_word};

/// One line of the form.
#[derive(Clone, Copy, Debug)]
pub enum Line {
    /// A heading: a section of the recipe.
    Head(&'static str),
    /// Begins the run.
    Start,
    /// What the recipe stands on.
    From,
    /// Name of the session.
    Name,
    /// Fewer questions of each kind.
    Limit,
    /// A setting.
    Setting(&'static Field),
}

impl Line {
    /// What is the same line after a change: headings and settings by their names.
    fn key(&self) -> &'static str {
        match self {
            Line::Head(section) => section,
            Line::Start => "=start",
            Line::From => "=from",
            Line::Name => "=name",
            Line::Limit => "=limit",
            Line::Setting(field) => field.key,
        }
    }
}

/// The form.
pub struct Form {
    /// The recipe.
    pub draft: Draft,
    /// What it was taken from, in words: a preset, a file, a session.
    pub from: String,
    /// What the session is named after.
    stem: String,
    /// The session's name as typed.
    name: Option<String>,
    /// The name that is suggested.
    free: String,
    /// The limit that was set last.
    pub limit: Option<usize>,
    /// Only settings whose name, value or meaning holds this.
    pub search: String,
    /// Only what differs from the preset or does not hold.
    pub only: bool,
    selected: &'static str,
    /// Names that are taken.
    taken: Vec<String>,
    /// What this version does not do, and what the name lacks.
    further: Vec<Fault>,
}

impl Form {
    /// A form over a draft; `stem` is what the session is named after.
    pub fn new(draft: Draft, from: String, stem: &str, taken: &[String]) -> Self {
        let mut form = Self {
            draft,
            from,
            stem: session_word(stem),
            name: None,
            free: String::new(),
            limit: None,
            search: String::new(),
            only: false,
            selected: "=start",
            taken: taken.to_vec(),
            further: Vec::new(),
        };
        form.hold();
        form
    }

    /// A form over a preset.
    ///
    /// # Errors
    /// In words, when there is none of this name.
    pub fn preset(name: &str, taken: &[String]) -> Result<Self, String> {
        let draft = Draft::preset(name).map_err(|error| error.to_string())?;
        Ok(Self::new(draft, format!("preset {name}"), name, taken))
    }

    /// A form over a recipe file.
    ///
    /// # Errors
    /// In words, when it can't be read or used.
    pub fn file(path: &Path, taken: &[String]) -> Result<Self, String> {
        let draft = Draft::read(path).map_err(|error| error.to_string())?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self::new(draft, path.display().to_string(), &stem, taken))
    }

    /// A form over the recipe of a session.
    ///
    /// # Errors
    /// In words, when it stands over no preset.
    pub fn again(session: &str, recipe: &Recipe, taken: &[String]) -> Result<Self, String> {
        let draft = Draft::of(recipe).map_err(|error| error.to_string())?;
        let stem = session.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-');
        let arm = format!("-{}", recipe.arm.name());
        let stem = stem.strip_suffix(&arm).unwrap_or(stem);
        Ok(Self::new(draft, format!("session {session}"), stem, taken))
    }

    /// The lines that fit, headings where something stands below them.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        if self.search.is_empty() && !self.only {
            lines.extend([Line::Start, Line::From, Line::Name, Line::Limit]);
        }
        let mut section = None;
        for field in FIELDS.iter().filter(|field| self.fits(field)) {
            let (of, _) = field.split();
            if section.replace(of) != Some(of) {
                lines.push(Line::Head(if of.is_empty() { "run" } else { of }));
            }
            lines.push(Line::Setting(field));
        }
        lines
    }

    fn fits(&self, field: &Field) -> bool {
        let wanted = self.search.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&wanted);
        let differs = || self.draft.differs(field.key) || self.fault(field.key).is_some();
        (!self.only || differs())
            && (wanted.is_empty() || holds(field.key) || holds(field.about) || holds(&self.draft.text(field.key)))
    }

    /// Place of the selected line; the first that can be selected where it is gone.
    pub fn at(&self) -> usize {
        let lines = self.lines();
        let here = |line: &Line| !matches!(line, Line::Head(_)) && line.key() == self.selected;
        let first = || lines.iter().position(|line| !matches!(line, Line::Head(_)));
        lines.iter().position(here).or_else(first).unwrap_or(0)
    }

    /// The selected line.
    pub fn selected(&self) -> Option<Line> {
        self.lines().get(self.at()).copied().filter(|line| !matches!(line, Line::Head(_)))
    }

    /// Selects the line that is `by` further; headings are passed over.
    pub fn step(&mut self, by: isize) {
        let lines = self.lines();
        let at = self.at().saturating_add_signed(by).min(lines.len().saturating_sub(1));
        self.select(at, by < 0);
    }

    /// Selects by place; of a heading, what stands below it, or above where `up`.
    pub fn select(&mut self, at: usize, up: bool) {
        let lines = self.lines();
        let stands = |line: &&Line| !matches!(line, Line::Head(_));
        let below = lines.iter().skip(at).find(stands);
        let above = lines.iter().take(at + 1).rev().find(stands);
        let found = if up { above.or(below) } else { below.or(above) };
        if let Some(line) = found {
            self.selected = line.key();
        }
    }

    /// Selects a setting.
    pub fn select_setting(&mut self, key: &str) {
        if let Some(field) = FIELDS.iter().find(|field| field.key == key) {
            self.selected = field.key;
        }
    }

    /// Selects the first line of the section before or after.
    pub fn section(&mut self, forward: bool) {
        let lines = self.lines();
        let heads = lines.iter().enumerate().filter(|(_, line)| matches!(line, Line::Head(_))).map(|(at, _)| at);
        let starts: Vec<usize> = std::iter::once(0).chain(heads.map(|at| at + 1)).collect();
        let at = self.at();
        let to = if forward { starts.iter().find(|to| **to > at) } else { starts.iter().rev().find(|to| **to < at) };
        if let Some(to) = to {
            self.select(*to, false);
        }
    }

    /// Gives a setting another value.
    pub fn set(&mut self, key: &str, text: &str) {
        self.draft.set(key, text);
        self.hold();
    }

    /// Gives a setting the preset's value.
    pub fn reset(&mut self, key: &str) {
        self.draft.reset(key);
        self.hold();
    }

    /// Takes at most so many questions of each kind.
    ///
    /// # Errors
    /// In words, for what is no number, and while something of the recipe does not hold.
    pub fn limit(&mut self, text: &str) -> Result<(), String> {
        let limit = limit_of(text)?;
        let mut recipe = self.draft.recipe().cloned().ok_or("mend what is marked first, then set a limit")?;
        recipe.limit(limit);
        self.draft.replace(&recipe);
        self.limit = Some(limit);
        self.hold();
        Ok(())
    }

    /// The session's name: as typed, else the first that is free.
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.free.clone())
    }

    /// Names the session; nothing typed takes the first name that is free.
    pub fn call(&mut self, name: &str) {
        self.name = Some(name.trim().to_string()).filter(|name| !name.is_empty());
        self.hold();
    }

    /// The names that are taken by now.
    pub fn take(&mut self, taken: Vec<String>) {
        if taken != self.taken {
            self.taken = taken;
            self.hold();
        }
    }

    /// What is wrong with a name for a session.
    pub fn name_fault(&self, name: &str) -> Option<String> {
        if name.is_empty() {
            return None;
        }
        match SessionName::new(name) {
            Err(error) => Some(error.to_string()),
            Ok(_) if self.taken.iter().any(|taken| taken == name) => {
                Some(format!("there is a session `{name}` already"))
            }
            Ok(_) => None,
        }
    }

    /// Everything that keeps the run from being begun.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.draft.faults().iter().chain(&self.further)
    }

    /// What is wrong with a setting, or with the name (`=name`).
    pub fn fault(&self, key: &str) -> Option<&Fault> {
        self.faults().find(|fault| fault.keys.contains(&key))
    }

    /// The recipe, where nothing is wrong.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn ready(&self) -> Result<&Recipe, String> {
        if let Some(fault) = self.faults().next() {
            return Err(fault.text.clone());
        }
        self.draft.recipe().ok_or_else(|| "this is no recipe yet".to_string())
    }

    /// The name that a file of this recipe gets at first.
    pub fn file_name(&self) -> String {
        format!("{}.toml", self.name())
    }

    /// Holds the name and what this version can do against the recipe.
    fn hold(&mut self) {
        self.further.clear();
        if let Some(recipe) = self.draft.recipe() {
            self.free = free_name(&self.taken, &self.stem, recipe.arm);
            let refused =
                supported(recipe).and_then(|()| supported_teacher(recipe)).err().map(|error| error.to_string());
            if let Some(text) = refused {
                let keys = FIELDS.iter().map(|field| field.key).filter(|key| text.starts_with(key)).collect();
                self.further.push(Fault { keys, text });
            }
        }
        if let Some(text) = self.name.as_deref().and_then(|name| self.name_fault(name)) {
            self.further.push(Fault { keys: vec!["=name"], text });
        }
    }
}

/// A limit as it is typed.
///
/// # Errors
/// In words, for what is no number above 0.
pub fn limit_of(text: &str) -> Result<usize, String> {
    match text.trim().parse::<u32>() {
        Ok(limit) if limit > 0 => Ok(limit as usize),
        _ => Err("write a whole number above 0: at most so many questions of each kind".to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::recipe::Loaded;

    fn form() -> Form {
        Form::preset("demo", &["demo-1".to_string(), "demo-3".to_string()]).unwrap()
    }

    #[test]
    fn a_preset_is_ready_at_once_and_has_a_free_name() {
        let form = form();
        assert_eq!((form.name().as_str(), form.ready().is_ok()), ("demo-2", true));
        assert!(matches!(form.selected(), Some(Line::Start)));
        let settings = form.lines().iter().filter(|line| matches!(line, Line::Setting(_))).count();
        assert_eq!(settings, FIELDS.len());
    }

    #[test]
    fn a_fault_stands_at_its_setting_and_keeps_the_run_from_beginning() {
        let mut form = form();
        form.set("grpo.mini_batch", "5");
        assert!(form.fault("grpo.prompts").unwrap().text.contains("must divide"));
        assert!(form.ready().unwrap_err().contains("grpo.mini_batch is 5"));
        form.reset("grpo.mini_batch");
        form.set("evaluate.bench", "[\"svamp\"]");
        assert!(form.fault("evaluate.bench").unwrap().text.contains("is for questions from files"));
        form.reset("evaluate.bench");
        for (name, why) in [("a b", "not allowed"), ("demo-3", "already")] {
            form.call(name);
            assert!(form.fault("=name").unwrap().text.contains(why));
        }
        form.call("");
        form.set("arm", "raw-hard");
        assert_eq!((form.name().as_str(), form.ready().is_ok()), ("demo-raw-hard-1", true));
    }

    #[test]
    fn searching_and_what_differs_narrow_the_lines_down() {
        let mut form = form();
        form.search = "warm".into();
        assert!(form.lines().iter().all(|line| !matches!(line, Line::Start)));
        assert!(matches!(form.selected(), Some(Line::Setting(field)) if field.key == "sft.warmup_ratio"));
        form.step(1);
        assert!(matches!(form.selected(), Some(Line::Setting(field)) if field.key == "grpo.warmup_steps"));
        (form.search, form.only) = (String::new(), true);
        assert!(form.lines().is_empty() && form.selected().is_none());
        form.set("seed", "4");
        assert_eq!(form.lines().len(), 2);
    }

    #[test]
    fn headings_are_passed_over_both_ways() {
        let mut form = form();
        for _ in 0..4 {
            form.step(1);
        }
        assert!(matches!(form.selected(), Some(Line::Setting(field)) if field.key == "seed"));
        form.step(-1);
        assert!(matches!(form.selected(), Some(Line::Limit)));
        form.section(true);
        form.section(true);
        assert!(matches!(form.selected(), Some(Line::Setting(field)) if field.key == "student.path"));
        form.section(false);
        assert!(matches!(form.selected(), Some(Line::Setting(field)) if field.key == "seed"));
        form.step(isize::MAX);
        assert!(matches!(form.selected(), Some(Line::Setting(field)) if field.key == "gates.diagnosis"));
    }

    #[test]
    fn a_limit_becomes_settings_and_a_saved_file_is_the_same_run() {
        let mut form = form();
        assert!(form.limit("none").is_err());
        form.limit("20").unwrap();
        assert_eq!(form.draft.text("data.train"), "20");
        let loaded = Loaded::parse(&form.draft.to_toml().unwrap(), "x").unwrap();
        assert_eq!((loaded.extends, &loaded.recipe), (Some("demo"), form.ready().unwrap()));
    }

    #[test]
    fn the_recipe_of_a_session_names_the_next_one() {
        let mut recipe = Recipe::preset("demo").unwrap();
        recipe.arm = crate::recipe::Arm::Neutral;
        let form = Form::again("demo-neutral-12", &recipe, &[]).unwrap();
        assert_eq!((form.name().as_str(), form.draft.changed()), ("demo-neutral-1", 1));
    }
}
