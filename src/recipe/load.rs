//! Reading recipes: a TOML file over a preset over the defaults.
//!
//! A file is read against the table of [`fields`](super::fields) rather than by serde alone, so that every wrong name
//! and value is found in one reading, with its line. Tables merge setting by setting; a list replaces a list.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    error::{Problem, RecipeError},
    fields::{FIELDS, Field, field},
    nearest, presets, rules,
    settings::{self, Settings},
    types::Recipe,
};

/// A recipe and what it stands on.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The recipe, complete and valid.
    pub recipe: Recipe,
    /// The preset it extends; `None` stands on the defaults.
    pub extends: Option<&'static str>,
    /// How many settings the file names.
    pub named: usize,
}

impl Recipe {
    /// A built-in recipe: `demo`, `paper-qwen2.5-0.5b` or `paper-llama-3.2-1b`.
    ///
    /// # Errors
    /// [`RecipeError::UnknownPreset`], with the nearest name.
    pub fn preset(name: &str) -> Result<Self, RecipeError> {
        let unknown =
            || RecipeError::UnknownPreset { name: name.to_owned(), nearest: nearest::preset(name).to_owned() };
        let text = presets::text(name).ok_or_else(unknown)?;
        Loaded::parse(text, &format!("preset {name}")).map(|loaded| loaded.recipe)
    }

    /// Reads a recipe file.
    ///
    /// # Errors
    /// The file cannot be read, or what is wrong in it, everything with its line.
    pub fn load(path: &Path) -> Result<Self, RecipeError> {
        Loaded::read(path).map(|loaded| loaded.recipe)
    }

    /// A preset by its name, or else a recipe file by its path.
    ///
    /// # Errors
    /// As [`Recipe::load`]; a bare word that is neither file nor preset is answered with the nearest preset.
    pub fn find(preset_or_path: &str) -> Result<Self, RecipeError> {
        Loaded::find(preset_or_path).map(|loaded| loaded.recipe)
    }

    /// The default of every setting, as a preset or file without `extends` starts from.
    fn base(extends: Option<&str>) -> Result<Self, RecipeError> {
        extends.map_or_else(|| Ok(Self::default()), Self::preset)
    }
}

impl Loaded {
    /// Reads a recipe file.
    ///
    /// # Errors
    /// As [`Recipe::load`].
    pub fn read(path: &Path) -> Result<Self, RecipeError> {
        let unreadable = |cause| RecipeError::Unreadable { path: path.to_owned(), cause };
        let text = fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&text, &path.display().to_string())
    }

    /// A preset by its name, or else a recipe file by its path.
    ///
    /// # Errors
    /// As [`Recipe::find`].
    pub fn find(preset_or_path: &str) -> Result<Self, RecipeError> {
        if let Some(text) = presets::text(preset_or_path) {
            return Self::parse(text, &format!("preset {preset_or_path}"));
        }
        let path = Path::new(preset_or_path);
        let bare = path.extension().is_none_or(|ending| ending != "toml") && path.components().count() < 2;
        if bare && !path.exists() {
            Recipe::preset(preset_or_path)?;
        }
        Self::read(path)
    }

    /// Reads the text of a recipe; `file` is named in its problems.
    ///
    /// # Errors
    /// [`RecipeError::Invalid`] with every problem found.
    pub fn parse(text: &str, file: &str) -> Result<Self, RecipeError> {
        let mut reader =
            Reader { text, file, extends: None, values: Settings::new(), lines: BTreeMap::new(), problems: Vec::new() };
        reader.document();
        if !reader.problems.is_empty() {
            return Err(reader.invalid());
        }
        let named = reader.values.len();
        let mut values = settings::flatten(&Recipe::base(reader.extends)?);
        values.append(&mut reader.values);
        let recipe = settings::assemble(&values);
        let recipe = match recipe {
            Ok(recipe) => recipe,
            Err(cause) => {
                reader.report(None, cause.to_string());
                return Err(reader.invalid());
            }
        };
        for broken in rules::broken(&recipe) {
            let line = broken.keys.iter().find_map(|key| reader.lines.get(key)).copied();
            reader.report(line, broken.text);
        }
        if reader.problems.is_empty() {
            Ok(Self { recipe, extends: reader.extends, named })
        } else {
            Err(reader.invalid())
        }
    }
}

/// One file while it is read.
struct Reader<'t> {
    text: &'t str,
    file: &'t str,
    extends: Option<&'static str>,
    values: Settings,
    lines: BTreeMap<&'static str, usize>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn document(&mut self) {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let line = error.span().map(|span| self.line(span.start));
            let place = error.span().and_then(|span| self.text.get(span)).filter(|place| !place.trim().is_empty());
            let place = place.map(|place| format!(", at {:?}", shorter(place))).unwrap_or_default();
            self.report(line, format!("this is not TOML: {}{place}", plain(error.message())));
        }
        if errors.is_empty() {
            self.table("", table.get_ref());
        }
    }

    fn table(&mut self, section: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key =
                if section.is_empty() { name.get_ref().to_string() } else { format!("{section}.{}", name.get_ref()) };
            let line = self.line(name.span().start);
            match (field(&key), value.get_ref()) {
                (Some(field), value) => self.setting(field, line, value),
                (None, value) if key == "extends" => self.extends(line, value),
                (None, DeValue::Table(table)) if is_section(&key) => self.table(&key, table),
                (None, _) if is_section(&key) => {
                    self.report(Some(line), format!("{key} is a section; write [{key}] and its settings beneath"));
                }
                (None, _) => self.unknown(&key, line),
            }
        }
    }

    fn setting(&mut self, field: &'static Field, line: usize, value: &DeValue<'_>) {
        let json = json(value);
        if let Some(value) = field.takes.accept(&json) {
            self.values.insert(field.key, value);
            self.lines.insert(field.key, line);
        } else {
            let words = field.takes.words();
            let list = json.as_array().map(Vec::as_slice).unwrap_or_default();
            let wrong = list.iter().filter_map(Value::as_str).find(|word| !words.contains(word)).or(json.as_str());
            self.report(Some(line), rules::misfit(field, &found(value), wrong));
        }
    }

    fn extends(&mut self, line: usize, value: &DeValue<'_>) {
        let known = value.as_str().and_then(|name| presets::names().find(|preset| *preset == name));
        if known.is_none() {
            let nearest = nearest::preset(value.as_str().unwrap_or_default());
            let text = format!("extends is {}; it must name a preset, and the nearest is \"{nearest}\"", found(value));
            self.report(Some(line), text);
        }
        self.extends = known;
    }

    fn unknown(&mut self, key: &str, line: usize) {
        let text = format!("there is no setting {}; the nearest is {}", shown(key), nearest::name(key));
        self.report(Some(line), text);
    }

    fn report(&mut self, line: Option<usize>, text: String) {
        self.problems.push(Problem { file: self.file.to_owned(), line, text });
    }

    /// The problems in the order of the file.
    fn invalid(mut self) -> RecipeError {
        self.problems.sort_by_key(|problem| problem.line);
        RecipeError::Invalid(self.problems)
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }
}

pub(super) fn is_section(key: &str) -> bool {
    FIELDS.iter().any(|field| field.key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
}

/// The value without its places; what JSON cannot say (dates, infinity, huge integers) becomes null and fits nowhere.
pub(super) fn json(value: &DeValue<'_>) -> Value {
    let item = |item: &Spanned<DeValue<'_>>| json(item.get_ref());
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(switch) => Value::from(*switch),
        DeValue::Array(list) => list.iter().map(item).collect(),
        DeValue::Datetime(_) | DeValue::Table(_) => Value::Null,
    }
}

/// The value as a message shows it: on one line, not too long, no control characters.
fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{:?}", shorter(text)),
        DeValue::Integer(number) => shorter(&number.to_string()),
        DeValue::Float(number) => shorter(&number.to_string()),
        DeValue::Boolean(switch) => switch.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        DeValue::Array(list) => {
            shorter(&format!("[{}]", list.iter().map(|item| found(item.get_ref())).collect::<Vec<_>>().join(", ")))
        }
        DeValue::Table(_) => "a section".into(),
    }
}

/// A name as a message shows it: bare where it is one, else quoted and escaped.
pub(super) fn shown(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if key.chars().all(bare) { shorter(key) } else { format!("{:?}", shorter(key)) }
}

/// Foreign words on one line without control characters.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// At most 60 characters of it.
pub(super) fn shorter(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
