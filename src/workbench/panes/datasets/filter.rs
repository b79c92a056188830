//! Which members of a set are shown, and in which order. Typed words: `kind:local question:train-0042 words of the text`.

use super::read::{Row, Set};
use crate::session::Session;
use crate::session::records::Prepared;
use crate::workbench::jobs::Cancel;
use crate::workbench::widgets::table::sort;

/// By what members are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As the set has them.
    #[default]
    Set,
    /// By kind.
    Kind,
    /// By trained tokens, most first.
    Tokens,
    /// By id.
    Id,
}

impl Order {
    /// The one after this.
    pub fn next(self) -> Self {
        match self {
            Order::Set => Order::Kind,
            Order::Kind => Order::Tokens,
            Order::Tokens => Order::Id,
            Order::Id => Order::Set,
        }
    }
}

/// What is looked for; everything must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    kinds: Vec<String>,
    questions: Vec<String>,
    words: Vec<String>,
}

impl Filter {
    /// Reads what was typed.
    ///
    /// # Errors
    /// In words, for a field that there is not.
    pub fn read(typed: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        for word in typed.split_whitespace().map(str::to_lowercase) {
            match word.split_once(':') {
                Some(("kind", kind)) => filter.kinds.push(kind.to_string()),
                Some(("question", question)) => filter.questions.push(question.to_string()),
                Some((field, _)) if field.chars().all(|c| c.is_ascii_lowercase()) && !field.is_empty() => {
                    return Err(format!("`{field}:` is no field; there are kind: and question:, other words are text"));
                }
                _ => filter.words.push(word),
            }
        }
        Ok(filter)
    }

    /// Whether everything fits it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a member fits as far as its row says; the text is another matter.
    fn fits(&self, row: &Row) -> bool {
        let kind = self.kinds.is_empty() || self.kinds.iter().any(|kind| row.kind.name().starts_with(kind.as_str()));
        kind && self.questions.iter().all(|question| row.question.to_lowercase().contains(question.as_str()))
    }

    /// Whether the words stand in any of these texts.
    fn said<'a>(&self, texts: impl Iterator<Item = &'a str> + Clone) -> bool {
        let mut lower: Option<Vec<String>> = None;
        self.words.iter().all(|word| {
            let lower = lower.get_or_insert_with(|| texts.clone().map(str::to_lowercase).collect());
            lower.iter().any(|text| text.contains(word.as_str()))
        })
    }
}

/// Places of the members that fit, in the order asked for. Reads the texts where words are looked for.
///
/// # Errors
/// In words.
pub fn visible(
    session: &Session,
    set: &Set,
    questions: &std::collections::HashMap<String, String>,
    filter: &Filter,
    order: Order,
    cancel: &Cancel,
) -> Result<Vec<u32>, String> {
    let mut places = Vec::new();
    for (at, row) in set.rows.iter().enumerate() {
        if at.is_multiple_of(512) {
            cancel.check()?;
        }
        if !filter.fits(row) {
            continue;
        }
        let question = questions.get(&row.question).map(String::as_str).unwrap_or_default();
        let known = [row.id.as_str(), question];
        let fits = filter.said(known.into_iter()) || {
            let recorded;
            let text = match set.texts.get(at) {
                Some(text) => Some(text),
                None => {
                    recorded = session.get::<Prepared>(&row.key).map_err(|error| error.to_string())?;
                    recorded.as_ref()
                }
            };
            text.is_some_and(|text| {
                let contents = text.sample.messages.iter().map(|message| message.content.as_str());
                filter.said(known.into_iter().chain(contents))
            })
        };
        if fits {
            places.push(at as u32);
        }
    }
    let row = |at: u32| &set.rows[at as usize];
    match order {
        Order::Set => {}
        Order::Kind => sort(&mut places, false, |at| Some(row(at).kind.name())),
        Order::Tokens => sort(&mut places, true, |at| row(at).tokens),
        Order::Id => sort(&mut places, false, |at| Some(row(at).id.as_str())),
    }
    Ok(places)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::read::Kind;
    use super::*;
    use crate::domain::SampleKind;

    #[test]
    fn fields_and_words_are_told_apart() {
        let filter = Filter::read("kind:local Question:train-0042 three Geese 3:4").unwrap();
        assert_eq!((filter.kinds.len(), filter.questions.len(), filter.words.len()), (1, 1, 3));
        assert!(Filter::read("band:hard").unwrap_err().contains("kind: and question:"));
        assert!(Filter::read("  ").unwrap().is_empty());
        let row = Row {
            id: "i1/local/train-0042/03".into(),
            key: "1-sft-bridged/000007".into(),
            kind: Kind::Text(SampleKind::Local),
            question: "train-0042".into(),
            tokens: Some(9),
        };
        assert!(filter.fits(&row) && !Filter::read("kind:medium").unwrap().fits(&row));
        assert!(filter.said(["Three geese", "3:4 of them"].into_iter()));
        assert!(!filter.said(["three geese"].into_iter()));
    }
}
