//! Products as lists, and one product with everything a decision needs.

use std::fmt::Write as _;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use crate::cli::exit::{Exit, Failure};
use crate::cli::out::{self, Pipe};
use crate::domain::diff::{Piece, words};
use crate::pipeline::begun::recipe_of;
use crate::pipeline::review::{Desk, Filter, Product, ProductId, check, list as products};
use crate::session::records::{Asked, BridgedTrace, Recycled, Scores};
use crate::session::{AuditEntry, AuditFilter, Session, show_time};
use crate::workbench::text::{fit, printable};

/// Columns of the longest cell in a list.
const CELL: usize = 72;

/// Prints a line per product.
pub fn list(session: &Session, filter: &Filter, json: bool) -> Result<Exit, Failure> {
    let found = products(session, filter).map_err(Failure::failed)?;
    if json {
        for (id, product) in &found {
            if out::json_line(&as_json(id, product).to_string())? == Pipe::Closed {
                break;
            }
        }
        return Ok(Exit::Done);
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["product", "status", "by", "what"]);
    for (id, product) in &found {
        let by = product.decided().map(|decided| decided.by.to_string()).unwrap_or_default();
        let what = product.status().reason().map_or_else(|| gist(product), str::to_string);
        let cells = [id.to_string(), product.status().name().into(), by, what.replace('\n', " ")];
        table.add_row(cells.map(|cell| fit(&printable(&cell), CELL, "…")));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let products = if found.len() == 1 { "product" } else { "products" };
    let _ = out::stdout(&format!("{}\n{} {products}", lines.join("\n"), found.len()))?;
    Ok(Exit::Done)
}

fn as_json(id: &ProductId, product: &Product) -> Value {
    json!({
        "product": id.to_string(),
        "question": id.question(),
        "iteration": id.iteration(),
        "status": product.status().name(),
        "reason": product.status().reason(),
        "decided": product.decided(),
        "what": gist(product),
    })
}

/// A product in a few words.
fn gist(product: &Product) -> String {
    match product {
        Product::Trace(trace) => format!("by {}, attempt {}", trace.teacher, trace.attempts),
        Product::Scores(scores) => format!("{} steps", scores.steps.len()),
        Product::Bridge(bridge) => {
            let actions: Vec<&str> = bridge.steps.iter().map(|step| step.action.as_str()).collect();
            format!("{}; {} local", actions.join(" "), bridge.bridged.locals.len())
        }
        Product::Recycled(recycled) => match &recycled.diagnosis {
            Some(diagnosis) => format!("{}: {}", diagnosis.error_type, diagnosis.first_error),
            None => "no diagnosis".into(),
        },
    }
}

/// Says that there is no such product, and which one is like it.
pub fn missing(session: &Session, id: &ProductId) -> Failure {
    let filter = Filter { kind: Some(id.kind), ..Filter::default() };
    let known = products(session, &filter).unwrap_or_default();
    let away = |known: &ProductId| strsim::damerau_levenshtein(&known.key, &id.key);
    let near = known.iter().map(|(known, _)| known).min_by_key(|known| away(known));
    let near = near.map_or(String::new(), |near| format!("; the nearest is {near}"));
    Failure::usage(format!("there is no {id}{near}; `footbridge review list {}` names all", session.name()))
}

/// Prints one product with its checks and its history.
pub fn one(session: &Session, id: &ProductId, json: bool) -> Result<Exit, Failure> {
    let product = Product::read(session, id).map_err(Failure::failed)?;
    let product = product.ok_or_else(|| missing(session, id))?;
    let recipe = recipe_of(session)?;
    let desk = Desk::new(session, &recipe).map_err(Failure::usage)?;
    let checks = check(&desk, id, &product).err().map(|fault| fault.to_string());
    let filter =
        AuditFilter { table: Some(id.kind.table().into()), key_prefix: Some(id.key.clone()), ..AuditFilter::default() };
    let entries = session.audit(filter).map_err(Failure::failed)?;
    let history: Result<Vec<AuditEntry>, _> = entries.filter(|e| e.as_ref().is_ok_and(|e| e.key == id.key)).collect();
    let history = history.map_err(Failure::failed)?;
    if json {
        let mut document = as_json(id, &product);
        document["checks"] = json!({ "passed": checks.is_none(), "fault": checks });
        document["record"] = product.value();
        document["history"] = history.iter().map(AuditEntry::json).collect();
        let _ = out::json_line(&document.to_string())?;
        return Ok(Exit::Done);
    }
    let mut text = head(session, id, &product, checks.as_deref())?;
    text.push_str(&body(session, id, &product)?);
    text.push_str("\nhistory\n");
    for entry in history {
        let [time, _, author, _, _, before, after, changed, reason, _] = entry.row();
        let before = if before.is_empty() { String::new() } else { format!("{before} → ") };
        let _ = writeln!(text, "  {time}  {author}: {before}{after} ({changed}) {reason}");
    }
    let _ = out::stdout(&text)?;
    Ok(Exit::Done)
}

fn head(session: &Session, id: &ProductId, product: &Product, fault: Option<&str>) -> Result<String, Failure> {
    let asked = session.get::<Asked>(&format!("train/{}", id.question())).map_err(Failure::failed)?;
    let mut text = format!("{id}: {}", product.status().name());
    if let Some(reason) = product.status().reason() {
        let _ = write!(text, " ({reason})");
    }
    if let Some(decided) = product.decided() {
        let why = decided.reason.as_ref().map_or(String::new(), |why| format!(": {why}"));
        let _ = write!(text, "\ndecided by {} at {}{why}", decided.by, show_time(decided.at));
    }
    let _ = writeln!(text, "\nchecks: {}", fault.unwrap_or("passed"));
    if let Some(Asked { question, .. }) = asked {
        let _ = writeln!(text, "\nquestion\n{}\ngold: {}", indented(&question.text), question.gold);
    }
    Ok(text)
}

fn body(session: &Session, id: &ProductId, product: &Product) -> Result<String, Failure> {
    Ok(match product {
        Product::Trace(trace) => format!("\ntrace by {}\n{}", trace.teacher, indented(&trace.text)),
        Product::Scores(scores) => format!("\nsteps\n{}", steps(scores, None)),
        Product::Bridge(bridge) => {
            let scores = session.get::<Scores>(&id.key).map_err(Failure::failed)?;
            let mut text = scores.map_or(String::new(), |s| format!("\nsteps\n{}", steps(&s, Some(bridge))));
            let _ = write!(text, "\nbridged\n{}", indented(&bridge.bridged.text));
            for local in &bridge.bridged.locals {
                let _ = write!(text, "\nlocal sample of step {}\n{}", local.step + 1, indented(&local.target));
            }
            text
        }
        Product::Recycled(recycled) => failure(recycled),
    })
}

/// Each step with scores, decision, and what the bridge made of it.
fn steps(scores: &Scores, bridge: Option<&BridgedTrace>) -> String {
    let mut text = String::new();
    let figure = |score: Option<f64>| score.map_or("?".into(), |score| score.to_string());
    for (i, step) in scores.steps.iter().enumerate() {
        let of = &step.scores;
        let (importance, jumpiness) = (figure(of.importance), figure(of.jumpiness));
        let _ = write!(text, "  {}. I {importance}  J {jumpiness}  D {:.3}", i + 1, of.difficulty);
        match bridge.and_then(|bridge| bridge.steps.get(i)) {
            None => {
                let _ = writeln!(text, "\n{}", indented(&step.text));
            }
            Some(made) => {
                let _ = writeln!(text, "  → {}: {}", made.action.as_str(), made.reason);
                let _ = writeln!(text, "{}", indented(&beside(&step.text, &made.text)));
            }
        }
    }
    text
}

/// What was taken out in `[- -]`, what was put in in `{+ +}`.
fn beside(before: &str, after: &str) -> String {
    let piece = |piece| match piece {
        Piece::Same(text) => text,
        Piece::Gone(text) => marked("[-", &text, "-]"),
        Piece::New(text) => marked("{+", &text, "+}"),
    };
    words(before, after).into_iter().map(piece).collect()
}

/// The mark around a text, and the white space at its end behind the mark.
fn marked(open: &str, text: &str, close: &str) -> String {
    let own = text.trim_end();
    format!("{open}{own}{close}{}", &text[own.len()..])
}

fn failure(recycled: &Recycled) -> String {
    let response = &recycled.response;
    let marked = recycled.excerpt.and_then(|at| {
        let (before, error) = (response.get(..at.start)?, response.get(at.start..at.end)?);
        Some(format!("{before}>>{error}<<{}", response.get(at.end..)?))
    });
    let mut text = format!(
        "\nnear-miss: rollout {}, score {:.3}{}\n{}\n",
        recycled.near_miss,
        recycled.score,
        if recycled.repetition { ", repeats itself" } else { "" },
        indented(&marked.unwrap_or_else(|| response.clone()))
    );
    let fields = recycled.diagnosis.as_ref().and_then(|d| serde_json::to_value(d).ok());
    let fields = fields.as_ref().and_then(Value::as_object).into_iter().flatten();
    for (name, value) in fields {
        let _ = writeln!(text, "{name}\n{}", indented(value.as_str().unwrap_or_default()));
    }
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
