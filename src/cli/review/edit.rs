//! A new text for a product: from the command line, from a file, or from the researcher's editor.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::args::{SessionArg, TextArgs};
use super::reading;
use crate::cli::exit::Failure;
use crate::pipeline::review::{Act, Product, ProductId};
use crate::session::Session;

/// What an edit of this product asks for.
pub fn act(
    session: &SessionArg,
    product: ProductId,
    (step, field): (Option<usize>, Option<String>),
    text: &TextArgs,
) -> Result<Act, Failure> {
    let open = reading(session)?;
    let read = Product::read(&open, &product).map_err(Failure::failed)?;
    let missing = || Failure::usage(format!("there is no {product}; `footbridge review list {}`", session.name));
    match read.ok_or_else(missing)? {
        Product::Trace(trace) => {
            let text = written(&open, text, &trace.text, "txt")?;
            Ok(Act::EditTrace { question: product.key, text })
        }
        Product::Bridge(bridge) => {
            let step = step.ok_or_else(|| Failure::usage("say which step: --step N, from 1"))?;
            let old = step.checked_sub(1).and_then(|at| bridge.steps.get(at)).map_or("", |step| step.text.as_str());
            let text = written(&open, text, old, "txt")?;
            Ok(Act::EditStep { question: product.key, step, text })
        }
        Product::Recycled(recycled) => {
            let known = serde_json::to_value(&recycled.diagnosis).map_err(Failure::failed)?;
            let fields = match field {
                Some(name) => {
                    let text = written(&open, text, known[&name].as_str().unwrap_or_default(), "txt")?;
                    BTreeMap::from([(name, text)])
                }
                None => {
                    let old = serde_json::to_string_pretty(&known).map_err(Failure::failed)?;
                    let text = written(&open, text, &old, "json")?;
                    serde_json::from_str(&text)
                        .map_err(|error| Failure::usage(format!("a diagnosis is a JSON object of texts: {error}")))?
                }
            };
            Ok(Act::EditDiagnosis { product, fields })
        }
        Product::Scores(_) => Err(Failure::usage("scores are set one by one: `footbridge review set-score`")),
    }
}

/// The new text, from wherever it comes.
fn written(session: &Session, from: &TextArgs, old: &str, ending: &str) -> Result<String, Failure> {
    if let Some(text) = &from.text {
        return Ok(text.clone());
    }
    if let Some(file) = &from.file {
        return read(file);
    }
    let editor = ["VISUAL", "EDITOR"].into_iter().find_map(|name| std::env::var(name).ok().filter(|e| !e.is_empty()));
    let editor = editor.ok_or_else(|| {
        Failure::usage("there is no editor to open; set EDITOR, or give the text with --text or --file")
    })?;
    let path = session.dir().join(format!("edit-{}.{ending}", std::process::id()));
    let outcome = edited(&editor, &path, old);
    // What is left of it is in the session, or was not wanted.
    drop(std::fs::remove_file(&path));
    let text = outcome?;
    if text.trim() == old.trim() {
        return Err(Failure::usage("the text was left as it is; nothing is decided"));
    }
    Ok(text)
}

fn edited(editor: &str, path: &Path, old: &str) -> Result<String, Failure> {
    let told = |what: &str, error: std::io::Error| Failure::failed(format!("{}: {what}: {error}", path.display()));
    std::fs::write(path, old).map_err(|error| told("cannot be written", error))?;
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let status =
        Command::new(program).args(words).arg(path).status().map_err(|error| {
            Failure::usage(format!("the editor `{program}` cannot be started: {error}; set EDITOR"))
        })?;
    if !status.success() {
        return Err(Failure::usage(format!("the editor `{program}` ended with {status}; nothing is decided")));
    }
    read(path)
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}
