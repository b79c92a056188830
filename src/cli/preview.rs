//! `footbridge preview`: what SFT trains on, exactly as it is rendered, the trained tokens marked.

use super::args::{PreviewArgs, PreviewOf};
use super::exit::{Exit, Failure};
use super::out;
use crate::export::marks::beside_marks;
use crate::export::preview::{Mix, Part, Preview, PreviewError, Shown, Wanted, preview};
use crate::pipeline::begun::recipe_of;
use crate::session::Sessions;
use crate::workbench::probe::{ColourLevel, Surroundings};

/// Around trained tokens where there is no colour.
const MARKS: [&str; 2] = ["⟦", "⟧"];

/// Prints the mixes and the texts.
pub fn run(args: &PreviewArgs) -> Result<Exit, Failure> {
    let PreviewOf::Sft = args.what;
    let session = Sessions::at(&args.sessions.path).open_read_only(&args.name).map_err(Failure::usage)?;
    let wanted = Wanted { stage: args.stage.as_deref(), id: args.id.as_deref(), limit: args.limit };
    let found = preview(&session, &recipe_of(&session)?, &wanted).map_err(|error| match error {
        PreviewError::Session(error) => Failure::failed(error),
        error => Failure::usage(error),
    })?;
    if args.json {
        let _ = out::json_line(&serde_json::to_string(&found).map_err(Failure::failed)?)?;
        return Ok(Exit::Done);
    }
    let around = Surroundings::read();
    let colour = around.stdout_terminal && around.colours() > ColourLevel::None;
    let _ = out::painted(&show(&found, colour))?;
    Ok(Exit::Done)
}

/// The page in pieces, each with whether it is to stand out. Without colour the trained tokens stand in ⟦ ⟧, and where
/// a text has such brackets of its own they get a backslash ([`beside_marks`]).
pub fn show(found: &Preview, colour: bool) -> Vec<(String, bool)> {
    let mut page = Vec::new();
    for mix in &found.mixes {
        page.push((mix_lines(mix), false));
    }
    if found.mixes.is_empty() {
        page.push(("no stage of this session has training texts yet\n".to_owned(), false));
    }
    if !found.texts.is_empty() {
        let how = if colour { "stand out" } else { "stand in ⟦ ⟧" };
        page.push((format!("\ntrained tokens {how}; everything else is only read\n"), false));
    }
    for text in &found.texts {
        page.push((head(text), false));
        for piece in &text.pieces {
            match piece.part {
                Part::Trained if colour => page.push((piece.text.clone(), true)),
                Part::Trained => {
                    page.push((format!("{}{}{}", MARKS[0], beside_marks(&piece.text, MARKS), MARKS[1]), false))
                }
                Part::Read if colour => page.push((piece.text.clone(), false)),
                Part::Read => page.push((beside_marks(&piece.text, MARKS), false)),
                Part::Cut => page.push((format!("\n--- behind the longest text, cut off ---\n{}", piece.text), false)),
            }
        }
        page.push(("\n".to_owned(), false));
    }
    page
}

fn head(text: &Shown) -> String {
    let Shown { id, key, kind, tokens, trained, recorded, .. } = text;
    let differs = if *trained == *recorded as usize {
        String::new()
    } else {
        format!("; the run counted {recorded}, so its tokenizer or template was another one")
    };
    format!("\n== {id} ({key}, {kind}): {tokens} tokens, {trained} of them trained{differs}\n")
}

fn mix_lines(mix: &Mix) -> String {
    let mut lines = format!("{:<24}{:>7} texts {:>9} trained tokens\n", mix.stage, mix.texts, mix.tokens);
    for kind in &mix.kinds {
        let share = 100.0 * kind.share;
        lines.push_str(&format!("  {:<22}{:>7} texts {:>9} {share:>6.1} %\n", kind.kind, kind.texts, kind.tokens));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::preview::Piece;

    fn found(pieces: &[(Part, &str)]) -> Preview {
        let pieces = pieces.iter().map(|(part, text)| Piece { part: *part, text: (*text).to_string() }).collect();
        let text = Shown {
            id: "i1/medium/q".into(),
            key: "1-sft-medium/000000".into(),
            kind: "medium".into(),
            question: "q".into(),
            tokens: 5,
            trained: 2,
            recorded: 3,
            pieces,
        };
        Preview { session: "s".into(), mixes: Vec::new(), texts: vec![text] }
    }

    #[test]
    fn marks_are_unambiguous_without_colour_and_absent_with_it() {
        let found = found(&[(Part::Read, "a ⟦\\"), (Part::Trained, "b⟧"), (Part::Cut, "c")]);
        let plain: String = show(&found, false).into_iter().map(|(text, _)| text).collect();
        assert!(plain.contains("a \\⟦\\\\⟦b\\⟧⟧\n--- behind the longest text, cut off ---\nc\n"), "{plain}");
        assert!(plain.contains("the run counted 3"));
        let coloured = show(&found, true);
        assert_eq!(coloured.iter().filter(|(_, out)| *out).map(|(text, _)| text.as_str()).collect::<Vec<_>>(), ["b⟧"]);
    }
}
