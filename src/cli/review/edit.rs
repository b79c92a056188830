//! A new text for a product: from the command line, from a file, or from the researcher's editor.

use std::collections::BTreeMap;
use std::path::Path;

use super::args::{SessionArg, TextArgs};
use super::reading;
use crate::cli::exit::Failure;
use crate::pipeline::review::{Act, Product, ProductId};
use crate::workbench::editor;

/// What an edit of this product asks for.
pub fn act(
    session: &SessionArg,
    product: ProductId,
    (step, field): (Option<usize>, Option<String>),
    text: &TextArgs,
) -> Result<Act, Failure> {
    let open = reading(session)?;
    let read = Product::read(&open, &product).map_err(Failure::failed)?;
    let read = read.ok_or_else(|| super::show::missing(&open, &product))?;
    // Said of another kind of product, they would be passed over and the whole be replaced.
    if step.is_some() && !matches!(read, Product::Bridge(_)) {
        return Err(Failure::usage(format!("{product} has no steps to edit; --step is for bridged traces")));
    }
    if field.is_some() && !matches!(read, Product::Recycled(_)) {
        return Err(Failure::usage(format!("{product} has no fields; --field is for diagnoses")));
    }
    match read {
        Product::Trace(trace) => {
            let text = written(text, &trace.text, "txt")?;
            Ok(Act::EditTrace { question: product.key, text })
        }
        Product::Bridge(bridge) => {
            let step = step.ok_or_else(|| Failure::usage("say which step: --step N, from 1"))?;
            let old = step.checked_sub(1).and_then(|at| bridge.steps.get(at)).map_or("", |step| step.text.as_str());
            let text = written(text, old, "txt")?;
            Ok(Act::EditStep { question: product.key, step, text })
        }
        Product::Recycled(recycled) => {
            let known = serde_json::to_value(&recycled.diagnosis).map_err(Failure::failed)?;
            let fields = match field {
                Some(name) => {
                    let text = written(text, known[&name].as_str().unwrap_or_default(), "txt")?;
                    BTreeMap::from([(name, text)])
                }
                None => {
                    let old = serde_json::to_string_pretty(&known).map_err(Failure::failed)?;
                    let text = written(text, &old, "json")?;
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
fn written(from: &TextArgs, old: &str, ending: &str) -> Result<String, Failure> {
    if let Some(text) = &from.text {
        return Ok(text.clone());
    }
    if let Some(file) = &from.file {
        return read(file);
    }
    let text = editor::edit(old, ending)
        .map_err(|why| Failure::usage(format!("{why}; the text can also be given with --text or --file")))?;
    if text.trim() == old.trim() {
        return Err(Failure::usage("the text was left as it is; nothing is decided"));
    }
    Ok(text)
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}
