//! A table taken off the screen: what a pane shows, as rows that can be saved as CSV, Markdown or JSON.

use serde_json::{Map, Value};

/// What a pane shows, as a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    /// What it is, also the beginning of the file's name: `questions`.
    pub name: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows as long as the columns. Numbers stay numbers, so that JSON and CSV keep them exact.
    pub rows: Vec<Vec<Value>>,
}

impl Sheet {
    /// The text of a file of this name: `.csv`, `.md` or `.json`.
    ///
    /// # Errors
    /// In words, for a name that ends in something else.
    pub fn written_as(&self, path: &str) -> Result<String, String> {
        match path.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).as_deref() {
            Some("csv") => self.csv(),
            Some("md" | "markdown") => Ok(self.markdown()),
            Some("json") => {
                serde_json::to_string_pretty(&self.json()).map(|text| text + "\n").map_err(|e| e.to_string())
            }
            _ => Err(format!("{path}: end the name in .csv, .md or .json, which says what is written")),
        }
    }

    fn csv(&self) -> Result<String, String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.columns).map_err(|e| e.to_string())?;
        for row in &self.rows {
            writer.write_record(row.iter().map(plain)).map_err(|e| e.to_string())?;
        }
        let bytes = writer.into_inner().map_err(|e| e.to_string())?;
        String::from_utf8(bytes).map_err(|e| e.to_string())
    }

    fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let cell = |text: &str| text.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ");
        let numeric = |column: usize| {
            let mut cells =
                self.rows.iter().filter_map(|row| row.get(column)).filter(|value| !value.is_null()).peekable();
            cells.peek().is_some() && cells.all(Value::is_number)
        };
        let rules = (0..self.columns.len()).map(|column| if numeric(column) { "---:" } else { "---" }.to_string());
        let mut text = line(self.columns.iter().map(|name| cell(name)).collect()) + &line(rules.collect());
        for row in &self.rows {
            text += &line(row.iter().map(|value| cell(&plain(value))).collect());
        }
        text
    }

    fn json(&self) -> Value {
        let object = |row: &Vec<Value>| -> Value {
            let pairs = self.columns.iter().cloned().zip(row.iter().cloned());
            Value::Object(pairs.collect::<Map<String, Value>>())
        };
        Value::Array(self.rows.iter().map(object).collect())
    }
}

/// A value without quotes; nothing where there is none.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sheet() -> Sheet {
        let columns = ["id", "rho", "question"].map(String::from).to_vec();
        let rows =
            vec![vec![json!("q1"), json!(0.1), json!("a, \"b\" | c\nd")], vec![json!("q2"), Value::Null, json!("")]];
        Sheet { name: "questions".into(), columns, rows }
    }

    #[test]
    fn the_three_forms_keep_what_is_in_the_cells() {
        assert_eq!(sheet().written_as("a.csv").unwrap(), "id,rho,question\nq1,0.1,\"a, \"\"b\"\" | c\nd\"\nq2,,\n");
        let markdown = "| id | rho | question |\n| --- | ---: | --- |\n| q1 | 0.1 | a, \"b\" \\| c d |\n| q2 |  |  |\n";
        assert_eq!(sheet().written_as("x/a.MD").unwrap(), markdown);
        let json: Value = serde_json::from_str(&sheet().written_as("a.json").unwrap()).unwrap();
        assert_eq!(json[0], json!({"id": "q1", "rho": 0.1, "question": "a, \"b\" | c\nd"}));
        assert!(sheet().written_as("a.xls").unwrap_err().contains(".csv, .md or .json"));
    }
}
