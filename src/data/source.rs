//! One door to questions: a benchmark by its name, or any file with its fields mapped, checked as a whole before one
//! question of it is used.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::benchmarks::Benchmark;
use super::error::{DataError, Place};
use super::mapping::{self, Mapping};
use super::pick::Pick;
use super::rows::{Fields, Format, Rows};
use crate::domain::{AskKind, Question, Verifier};
use crate::recipe::{DataRecipe, MapRecipe};

/// The word for no training questions.
pub const NONE: &str = "none";

/// What to open, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSpec {
    /// A benchmark's name (`gsm8k`, `math-500`, …) or the path of a file.
    pub what: String,
    /// Where the files of benchmarks lie.
    pub folder: PathBuf,
    /// Which field is what, for files that are no benchmarks; `auto` recognises it.
    pub map: MapRecipe,
    /// Which rows of SVAMP are the benchmark.
    pub svamp: String,
    /// The verifier that golds are normalised for; the benchmark's own, or `gsm8k-strict`, where none is named.
    pub verifier: Option<Verifier>,
    /// Use at most this many questions, from the first on.
    pub limit: Option<usize>,
}

impl SourceSpec {
    /// A benchmark or file with everything else as recipes have it by default.
    pub fn new(what: impl Into<String>) -> Self {
        let data = DataRecipe::default();
        Self {
            what: what.into(),
            folder: data.folder.into(),
            map: data.map,
            svamp: data.svamp,
            verifier: None,
            limit: None,
        }
    }

    /// The training questions of a recipe, judged by its verifier.
    ///
    /// # Errors
    /// The verifier's name is none.
    pub fn training(data: &DataRecipe) -> Result<Self, DataError> {
        let verifier: Verifier =
            data.verifier.parse().map_err(|error| DataError::Asked(format!("data.verifier: {error}")))?;
        Ok(Self { map: data.map.clone(), verifier: Some(verifier), ..Self::benchmark(&data.source, data) })
    }

    /// A benchmark (or file) that a recipe is evaluated on, judged by the benchmark's own verifier. `data.map` is the
    /// training file's; where there is none (`none`), it is that of the files that are evaluated on.
    pub fn benchmark(what: &str, data: &DataRecipe) -> Self {
        let spec = Self { folder: PathBuf::from(&data.folder), svamp: data.svamp.clone(), ..Self::new(what) };
        if data.source == NONE { Self { map: data.map.clone(), ..spec } } else { spec }
    }
}

/// Questions, and what they were read from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The benchmark's name, or the file's name without its ending.
    pub name: String,
    /// The benchmark, where it is one.
    pub benchmark: Option<&'static Benchmark>,
    /// The file.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// SHA-256 of the file's bytes, in hex.
    pub sha256: String,
    /// Which field is what, in words.
    pub layout: String,
    /// The names of the fields of the first row.
    pub fields: Vec<String>,
    /// Rows in the file, before any are picked.
    pub rows: usize,
    /// The questions, in the order of the file; never empty.
    pub questions: Vec<Question>,
    /// Where each question stands in the file.
    pub places: Vec<Place>,
    /// Questions whose text was met before: the question, and the first one, as indices into `questions`.
    pub doubled: Vec<(usize, usize)>,
    /// How they are asked.
    pub ask: AskKind,
    /// What their golds are normalised for and answers are judged by.
    pub verifier: Verifier,
    /// What should be said beside every figure from these questions: other counts, unknown files, doubled questions.
    pub notes: Vec<String>,
}

/// Opens a benchmark or a file.
///
/// # Errors
/// What is wrong and where; a file is read as a whole or not at all.
pub fn open(spec: &SourceSpec) -> Result<Source, DataError> {
    let mut notes = Vec::new();
    let (named, path) = find(spec, &mut notes)?;
    let Rows { format, sha256, rows } = Rows::read(&path)?;
    let benchmark = recognised(named, &path, &sha256, rows.len(), &mut notes)?;
    let fields: Vec<String> = rows.first().map(|(_, row)| row.keys().cloned().collect()).unwrap_or_default();
    let total = rows.len();
    let rows = picked(spec, benchmark, &path, rows)?;
    let mapping = mapping_of(spec, benchmark.is_some(), &path, &rows)?;
    let verifier = spec.verifier.or(benchmark.map(|b| b.verifier)).unwrap_or(match mapping.ask() {
        AskKind::Choice => Verifier::Choice,
        _ => Verifier::Gsm8kStrict,
    });
    let ask = ask_of(spec, benchmark, &mapping, verifier)?;
    let name = match benchmark {
        Some(benchmark) => benchmark.name.to_owned(),
        None => path.file_stem().map_or_else(|| "row".to_owned(), |stem| stem.to_string_lossy().into_owned()),
    };
    let (mut questions, mut places) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for (place, row) in &rows {
        let question = mapping.question(row, verifier, ask);
        let mut question = question.map_err(|reason| DataError::At { path: path.clone(), place: *place, reason })?;
        if question.id.is_empty() {
            question.id = format!("{name}-{:05}", place.number());
        }
        questions.push(question);
        places.push(*place);
    }
    unique_ids(&path, &questions, &places)?;
    let doubled = doubles(&questions);
    said_of_doubles(spec, benchmark.is_some(), &path, &doubled, &places, &mut notes)?;
    let limit = spec.limit.unwrap_or(usize::MAX);
    questions.truncate(limit);
    places.truncate(limit);
    let doubled = doubled.into_iter().filter(|(again, _)| *again < limit).collect();
    let layout = mapping.describe();
    Ok(Source {
        name,
        benchmark,
        path,
        format,
        sha256,
        layout,
        fields,
        rows: total,
        questions,
        places,
        doubled,
        ask,
        verifier,
        notes,
    })
}

/// The file to open; a benchmark's name comes before a file of that name.
fn find(spec: &SourceSpec, notes: &mut Vec<String>) -> Result<(Option<&'static Benchmark>, PathBuf), DataError> {
    let Some(benchmark) = Benchmark::named(&spec.what) else {
        let path = PathBuf::from(&spec.what);
        if path.extension().is_none() && path.components().count() == 1 && !path.exists() {
            let names = Benchmark::names();
            return Err(DataError::Asked(format!(
                "`{}` is neither a file nor a benchmark; the benchmarks are {names}",
                spec.what
            )));
        }
        return Ok((None, path));
    };
    let places = benchmark.places();
    let mut found = places.iter().map(|place| spec.folder.join(place)).filter(|path| path.is_file());
    let Some(path) = found.next() else {
        let known = places.join(" or ");
        return Err(DataError::Absent { name: benchmark.name, folder: spec.folder.clone(), known });
    };
    let others: Vec<String> = found.filter(|other| *other != path).map(|path| path.display().to_string()).collect();
    if !others.is_empty() {
        notes.push(format!("taken from {}; there are also {}", path.display(), others.join(", ")));
    }
    Ok((Some(benchmark), path))
}

/// Which benchmark a file is, with its count held against the published one.
fn recognised(
    named: Option<&'static Benchmark>,
    path: &Path,
    sha256: &str,
    rows: usize,
    notes: &mut Vec<String>,
) -> Result<Option<&'static Benchmark>, DataError> {
    let by_hash = Benchmark::of_hash(sha256);
    let Some(benchmark) = named else {
        let Some((benchmark, _)) = by_hash else {
            if let Some(like) =
                super::benchmarks::by_path(path).and_then(|b| b.published.filter(|n| *n != rows).map(|n| (b, n)))
            {
                let (benchmark, published) = like;
                notes.push(format!(
                    "lies where {} does, which has {published} rows; this file has {rows}",
                    benchmark.name
                ));
            }
            return Ok(None);
        };
        notes.push(format!("recognised by its hash as {}", benchmark.name));
        return Ok(Some(benchmark));
    };
    if let Some(published) = benchmark.published.filter(|published| *published != rows) {
        let reason = format!(
            "holds {rows} rows, and {} has {published}; it is cut short or another file (reading.md, row 5). Fetch it \
             again, or name the file itself to use it as it is",
            benchmark.title
        );
        return Err(DataError::File { path: path.to_owned(), reason });
    }
    if by_hash.is_none_or(|(other, _)| other != benchmark) {
        notes.push(format!("a file of {} that is not known: N = {rows}, sha256 {sha256}", benchmark.title));
    }
    Ok(Some(benchmark))
}

/// The rows that the recipe asks for.
fn picked(
    spec: &SourceSpec,
    benchmark: Option<&'static Benchmark>,
    path: &Path,
    rows: Vec<(Place, Fields)>,
) -> Result<Vec<(Place, Fields)>, DataError> {
    let (rule, key) = match benchmark {
        Some(benchmark) if benchmark.name == "svamp" => (&spec.svamp, "data.svamp"),
        Some(_) => return Ok(rows),
        None => (&spec.map.rows, "data.map.rows"),
    };
    let rows = if benchmark.is_none() { filtered(&spec.map.filter, path, rows)? } else { rows };
    let pick: Pick = rule.parse().map_err(|error| DataError::Asked(format!("{key}: {error}")))?;
    let count = rows.len();
    let Some(places) = pick.of(count) else {
        let reason = format!("has {count} rows, and {key} asks for \"{pick}\"");
        return Err(DataError::File { path: path.to_owned(), reason });
    };
    let mut places = places.into_iter().peekable();
    let wanted = |at: usize| places.next_if_eq(&at).is_some();
    let mut wanted = wanted;
    Ok(rows.into_iter().enumerate().filter(|(at, _)| wanted(*at)).map(|(_, row)| row).collect())
}

/// The rows whose field has the value that `data.map.filter` names.
fn filtered(filter: &str, path: &Path, rows: Vec<(Place, Fields)>) -> Result<Vec<(Place, Fields)>, DataError> {
    if filter == "none" {
        return Ok(rows);
    }
    let Some((name, wanted)) = filter.split_once('=') else {
        return Err(DataError::Asked(format!("data.map.filter is {filter:?}; it must be \"none\" or \"field=value\"")));
    };
    let (name, wanted) = (name.trim(), wanted.trim());
    let mut kept = Vec::new();
    for (place, row) in rows {
        let Some(value) = row.get(name) else {
            let reason = format!(
                "missing field `{name}`, by which data.map.filter chooses; the row has {}",
                mapping::names(&row)
            );
            return Err(DataError::At { path: path.to_owned(), place, reason });
        };
        let told = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if told == wanted {
            kept.push((place, row));
        }
    }
    if kept.is_empty() {
        let reason = format!("no row has `{wanted}` in `{name}`, which data.map.filter asks for");
        return Err(DataError::File { path: path.to_owned(), reason });
    }
    Ok(kept)
}

/// Which field is what: recognised, then as the recipe says.
fn mapping_of(spec: &SourceSpec, benchmark: bool, path: &Path, rows: &[(Place, Fields)]) -> Result<Mapping, DataError> {
    let Some((place, first)) = rows.first() else { return Err(DataError::Empty { path: path.to_owned() }) };
    let recognised = Mapping::recognise(first);
    if let (true, Some(mapping)) = (benchmark, &recognised) {
        return Ok(mapping.clone());
    }
    let map = &spec.map;
    let given = |name: &str| (name != "auto" && name != "none").then(|| name.to_owned());
    let mut mapping = match (recognised, given(&map.question).is_some() && given(&map.answer).is_some()) {
        // Two named fields are a mapping; of what was recognised only an id still holds.
        (recognised, true) => Mapping { id: recognised.and_then(|m| m.id), ..Mapping::default() },
        (Some(mapping), false) => mapping,
        (None, false) => {
            let missing = ["question", "answer"].into_iter().filter(|name| !first.contains_key(*name));
            let missing: Vec<String> = missing.map(|name| format!("`{name}`")).collect();
            let reason = format!(
                "missing field {}; the row has {}; say which are which by data.map.question and data.map.answer",
                missing.join(" and "),
                mapping::names(first)
            );
            return Err(DataError::At { path: path.to_owned(), place: *place, reason });
        }
    };
    if let Some(fields) = given(&map.question) {
        mapping.question = fields.split('+').map(|name| name.trim().to_owned()).collect();
    }
    if let Some(name) = given(&map.answer) {
        mapping.answer = name;
    }
    for (slot, said) in
        [(&mut mapping.solution, &map.solution), (&mut mapping.choices, &map.choices), (&mut mapping.id, &map.id)]
    {
        match said.as_str() {
            "auto" => {}
            "none" => *slot = None,
            name => *slot = Some(name.to_owned()),
        }
    }
    Ok(mapping)
}

fn ask_of(
    spec: &SourceSpec,
    benchmark: Option<&'static Benchmark>,
    mapping: &Mapping,
    verifier: Verifier,
) -> Result<AskKind, DataError> {
    if let Some(benchmark) = benchmark {
        return Ok(benchmark.ask);
    }
    match spec.map.ask.as_str() {
        "auto" if mapping.choices.is_some() => Ok(AskKind::Choice),
        "auto" if matches!(verifier, Verifier::Math | Verifier::Hendrycks) => Ok(AskKind::Boxed),
        "auto" => Ok(AskKind::Answer),
        word => AskKind::ALL.into_iter().find(|ask| ask.name() == word).ok_or_else(|| {
            DataError::Asked(format!("data.map.ask is {word:?}; it must be auto, answer, boxed or choice"))
        }),
    }
}

fn unique_ids(path: &Path, questions: &[Question], places: &[Place]) -> Result<(), DataError> {
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for (question, place) in questions.iter().zip(places) {
        if let Some(first) = seen.insert(&question.id, *place) {
            let reason = format!(
                "the id {} was used on {first} already; give each row its own, or set data.map.id = \"none\" to number them",
                mapping::quoted(&question.id)
            );
            return Err(DataError::At { path: path.to_owned(), place: *place, reason });
        }
    }
    Ok(())
}

/// Each question whose text was met before, with the first of that text.
fn doubles(questions: &[Question]) -> Vec<(usize, usize)> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let again = questions.iter().enumerate().filter_map(|(at, question)| {
        let first = *seen.entry(question.text.trim()).or_insert(at);
        (first != at).then_some((at, first))
    });
    again.collect()
}

/// Doubled questions are counted twice in every figure: noted for benchmarks, which are as they are; otherwise refused
/// unless the recipe keeps them.
fn said_of_doubles(
    spec: &SourceSpec,
    benchmark: bool,
    path: &Path,
    doubled: &[(usize, usize)],
    places: &[Place],
    notes: &mut Vec<String>,
) -> Result<(), DataError> {
    const SHOWN: usize = 3;
    let Some((again, first)) = doubled.first().copied() else { return Ok(()) };
    let place = |at: usize| places.get(at).copied().unwrap_or(Place::Row(at + 1));
    if benchmark || spec.map.duplicates == "keep" {
        let pairs: Vec<String> = doubled
            .iter()
            .take(SHOWN)
            .map(|(again, first)| format!("{} as {}", place(*again), place(*first)))
            .collect();
        let more = if doubled.len() > SHOWN { ", …" } else { "" };
        notes.push(format!("{} questions are there more than once ({}{more})", doubled.len(), pairs.join(", ")));
        return Ok(());
    }
    let more = match doubled.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more such questions)"),
    };
    let reason =
        format!("the same question as on {}{more}; leave one out, or set data.map.duplicates = \"keep\"", place(first));
    Err(DataError::At { path: path.to_owned(), place: place(again), reason })
}
