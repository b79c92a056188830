//! `footbridge sessions list|show|rename|rm|check|repair`. Every function gives the text to print.

use serde_json::{Value, json};

use comfy_table::{Table, presets};

use crate::session::{Activity, Result, SessionSummary, Sessions, show_size, show_time};
use crate::workbench::text::printable;

/// One line per session: name, what it is doing, how far it has come, size, last change.
pub fn list(sessions: &Sessions) -> Result<String> {
    let all = sessions.list()?;
    if all.is_empty() && !sessions.root().exists() {
        let folder = sessions.root().display();
        return Ok(format!("no sessions in {folder}, for there is no such folder; `footbridge demo` makes it"));
    }
    if all.is_empty() {
        return Ok(format!("no sessions in {}; `footbridge demo` makes one", sessions.root().display()));
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["session", "activity", "state", "size", "changed"]);
    for session in all {
        let SessionSummary { name, activity, line, bytes, changed } = session;
        table.add_row([name, activity_text(&activity), printable(&line), show_size(bytes), show_time(changed)]);
    }
    Ok(table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n"))
}

/// [`list`], or the same as JSON.
pub fn list_as(sessions: &Sessions, json: bool) -> Result<String> {
    if !json {
        return list(sessions);
    }
    let all: Vec<Value> = sessions
        .list()?
        .iter()
        .map(|s| {
            json!({
                "name": s.name,
                "activity": activity_text(&s.activity),
                "state": s.line,
                "bytes": s.bytes,
                "changed": s.changed,
            })
        })
        .collect();
    Ok(format!("{:#}", Value::from(all)))
}

/// [`show`], or the same as JSON.
pub fn show_as(sessions: &Sessions, name: &str, json: bool) -> Result<String> {
    if !json {
        return show(sessions, name);
    }
    let summary = sessions.summary(name)?;
    let session = sessions.open_read_only(name)?;
    let tables: serde_json::Map<String, Value> =
        session.tables()?.into_iter().map(|(table, records)| (table, Value::from(records))).collect();
    let meta = session.meta();
    Ok(format!(
        "{:#}",
        json!({
            "name": name,
            "activity": activity_text(&summary.activity),
            "state": summary.line,
            "bytes": summary.bytes,
            "changed": summary.changed,
            "created": meta.created,
            "seed": meta.seed,
            "program": meta.program,
            "frames": session.sequence(),
            "journal_bytes": session.journal_bytes(),
            "records": tables,
            "checkpoints": session.checkpoints().list()?,
        })
    ))
}

/// One session: what it is, how far it has come, its tables and checkpoints. Also while a run holds it.
pub fn show(sessions: &Sessions, name: &str) -> Result<String> {
    let summary = sessions.summary(name)?;
    let session = sessions.open_read_only(name)?;
    let meta = session.meta();
    let mut lines = vec![
        format!("session      {name}"),
        format!("folder       {}", session.dir().display()),
        format!("activity     {}", activity_text(&summary.activity)),
        format!("state        {}", if summary.line.is_empty() { "-".to_owned() } else { printable(&summary.line) }),
        format!(
            "created      {} by footbridge {}, seed {}",
            show_time(meta.created),
            printable(&meta.program),
            meta.seed
        ),
        format!("changed      {}", show_time(summary.changed)),
        format!("size         {}", show_size(summary.bytes)),
        format!("journal      {} frames, {}", session.sequence(), show_size(session.journal_bytes())),
    ];
    for (table, count) in session.tables()? {
        lines.push(format!("records      {count:>8} {table}"));
    }
    for id in session.checkpoints().list()? {
        let what = match session.checkpoints().manifest(&id) {
            Ok(m) => format!("{}, {}", show_size(m.files.iter().map(|f| f.bytes).sum()), show_time(m.created)),
            Err(e) => e.to_string(),
        };
        lines.push(format!("checkpoint   {id} ({what})"));
    }
    Ok(lines.join("\n"))
}

/// Gives a session another name.
pub fn rename(sessions: &Sessions, old: &str, new: &str) -> Result<String> {
    sessions.rename(old, new)?;
    Ok(format!("session `{old}` is called `{new}` now"))
}

/// Removes a session for good; without `yes` it is an error that says what would go.
pub fn rm(sessions: &Sessions, name: &str, yes: bool) -> Result<String> {
    let bytes = sessions.remove(name, yes)?;
    Ok(format!("session `{name}` is removed ({})", show_size(bytes)))
}

/// Verifies journal, store and checkpoints. The flag says whether all is well; if not, the exit code is 1.
pub fn check(sessions: &Sessions, name: &str) -> Result<(String, bool)> {
    sessions.check(name).map(|report| (report.to_string(), report.is_sound()))
}

/// Cuts the journal behind its last good frame and makes the store anew from it, where that is needed.
pub fn repair(sessions: &Sessions, name: &str) -> Result<String> {
    sessions.repair(name).map(|report| report.to_string())
}

fn activity_text(activity: &Activity) -> String {
    match activity {
        Activity::Running(holder) => format!("running ({holder})"),
        Activity::Stopped => "stopped".to_owned(),
        Activity::Done => "done".to_owned(),
        Activity::Unreadable(why) => format!("unreadable: {}", printable(why)),
    }
}
