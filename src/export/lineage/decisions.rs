//! Who wrote and changed the records behind a text. The audit log is the journal itself, so nothing can be missing.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::session::{AuditEntry, AuditFilter, Result, Session};

/// One change of one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// When, unix milliseconds.
    pub millis: u64,
    /// Number of the journal's frame; changes that were made together share it.
    pub frame: u64,
    /// Who: `pipeline`, `rule`, `researcher Ada`.
    pub by: String,
    /// Whether it was a person.
    pub by_researcher: bool,
    /// Why, where it was said.
    pub reason: Option<String>,
    /// Table and key of the record.
    pub record: String,
    /// What changed, in words.
    pub what: String,
}

/// Every change of these records (`table/key` each), oldest first. The journal is read once for each question they belong
/// to, which for a text is one.
pub(super) fn of_records(session: &Session, records: &[String]) -> Result<Vec<Decision>> {
    let question = |record: &str| record.rsplit('/').next().unwrap_or_default().to_owned();
    let mut questions: Vec<String> = records.iter().map(|record| question(record)).collect();
    questions.sort();
    questions.dedup();
    let mut decisions: Vec<(usize, Decision)> = Vec::new();
    for of in questions {
        let table = |record: &String| Some(record.split_once('/')?.0.to_owned());
        let tables = records.iter().filter(|record| question(record) == of).filter_map(table).collect();
        let filter = AuditFilter { tables, question: Some(of), ..AuditFilter::default() };
        for entry in session.audit(filter)? {
            let entry = entry?;
            let name = format!("{}/{}", entry.table, entry.key);
            if let Some(place) = records.iter().position(|record| *record == name) {
                decisions.push((place, decision(&name, &entry)));
            }
        }
    }
    decisions.sort_by_key(|(place, decision)| (decision.frame, *place));
    Ok(decisions.into_iter().map(|(_, decision)| decision).collect())
}

fn decision(record: &str, entry: &AuditEntry) -> Decision {
    let what = match (&entry.before, &entry.after) {
        (_, None) => "removed".to_owned(),
        (None, Some(after)) => match after.json()["status"].as_str() {
            Some(status) => format!("written, {status}"),
            None => "written".to_owned(),
        },
        (Some(before), Some(after)) => changed(&before.json(), &after.json()),
    };
    Decision {
        millis: entry.millis,
        frame: entry.sequence,
        by: entry.author.to_string(),
        by_researcher: matches!(entry.author, crate::session::Author::Researcher(_)),
        reason: entry.reason.clone(),
        record: record.to_owned(),
        what,
    }
}

/// `proposed → approved; changed: text, attempts`.
fn changed(before: &Value, after: &Value) -> String {
    let status = |value: &Value| value["status"].as_str().map(str::to_owned);
    let mut parts = Vec::new();
    match (status(before), status(after)) {
        (Some(was), Some(is)) if was != is => parts.push(format!("{was} → {is}")),
        _ => {}
    }
    let fields = |value: &Value| value.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let mut names = fields(before);
    names.extend(fields(after).into_iter().filter(|name| before.get(name).is_none()));
    // The status is told above, and who decided stands beside.
    names.retain(|name| {
        !["status", "reason", "decided"].contains(&name.as_str()) && before.get(name) != after.get(name)
    });
    if !names.is_empty() {
        parts.push(format!("changed: {}", names.join(", ")));
    }
    if parts.is_empty() { "written again, unchanged".into() } else { parts.join("; ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::changed;

    #[test]
    fn a_change_is_told_by_its_status_and_its_fields() {
        let was = json!({ "text": "a", "status": "proposed" });
        let is = json!({ "text": "b", "status": "approved", "extra": 1 });
        assert_eq!(changed(&was, &is), "proposed → approved; changed: text, extra");
        assert_eq!(changed(&was, &was), "written again, unchanged");
        assert_eq!(
            changed(&is, &json!({ "text": "b", "extra": 1, "status": "review", "reason": "r" })),
            "approved → review"
        );
    }
}
