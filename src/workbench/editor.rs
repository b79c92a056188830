//! The researcher's own editor: a text goes out in a file, comes back changed, and the file is gone.

use std::process::Command;

use super::text::printable;

/// Lets the researcher edit a text in `$VISUAL` or `$EDITOR`; waits until the program has ended.
///
/// # Errors
/// In words: no editor is set, it can't be started, it failed, the file can't be read back as text.
pub fn edit(text: &str, extension: &str) -> Result<String, String> {
    let editor = ["VISUAL", "EDITOR"].into_iter().find_map(|name| std::env::var(name).ok().filter(|e| !e.is_empty()));
    let editor = editor.ok_or("there is no editor to open; set EDITOR")?;
    let stamp = jiff::Timestamp::now().as_microsecond();
    let path = std::env::temp_dir().join(format!("footbridge-{}-{stamp}.{extension}", std::process::id()));
    let outcome = with_file(&editor, &path, text);
    // What is left of it is in the answer, or was not wanted.
    drop(std::fs::remove_file(&path));
    outcome
}

fn with_file(editor: &str, path: &std::path::Path, text: &str) -> Result<String, String> {
    let told = |what: &str, error: std::io::Error| format!("{}: {what}: {error}", path.display());
    let mut file = std::fs::File::create_new(path).map_err(|error| told("cannot be written", error))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|error| told("cannot be written", error))?;
    drop(file);
    let mut words = editor.split_whitespace();
    let program = words.next().ok_or("EDITOR is empty; set it to a program")?;
    let status = Command::new(program)
        .args(words)
        .arg(path)
        .status()
        .map_err(|error| format!("the editor `{}` cannot be started: {error}; set EDITOR", printable(program)))?;
    if !status.success() {
        return Err(format!("the editor `{}` ended with {status}; nothing is changed", printable(program)));
    }
    let edited = std::fs::read(path).map_err(|error| told("cannot be read back", error))?;
    let edited =
        String::from_utf8(edited).map_err(|_| format!("{}: what came back is not UTF-8 text", path.display()))?;
    // Editors end the last line; the text had no line end there.
    Ok(if text.ends_with('\n') { edited } else { edited.trim_end_matches('\n').to_string() })
}
