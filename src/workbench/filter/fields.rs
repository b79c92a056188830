//! What rows have: names, kinds, values. A pane implements [`Fields`] over its rows.

/// What kind of values a field has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers, for comparisons.
    Number,
    /// Any text; a row may have several.
    Text,
    /// One or several of these words.
    Words(Vec<String>),
}

/// A field that rows have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, as it is written in a filter.
    pub name: String,
    /// The kind of its values.
    pub kind: Kind,
}

impl Field {
    /// A field of numbers.
    pub fn number(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: Kind::Number }
    }

    /// A field of text.
    pub fn text(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: Kind::Text }
    }

    /// A field with one or several of these words.
    pub fn words<W: Into<String>>(name: impl Into<String>, words: impl IntoIterator<Item = W>) -> Self {
        Self { name: name.into(), kind: Kind::Words(words.into_iter().map(Into::into).collect()) }
    }
}

/// Rows that can be filtered.
pub trait Fields {
    /// The fields they have; values are asked for by the index in here.
    fn fields(&self) -> &[Field];

    /// How many rows there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A row's value of a field of numbers.
    fn number(&self, row: usize, field: usize) -> Option<f64>;

    /// Whether one of a row's values of a field of text or words fits. Without values none does.
    fn any(&self, row: usize, field: usize, fits: &mut dyn FnMut(&str) -> bool) -> bool;

    /// The text in which free words are looked for.
    fn text(&self, row: usize) -> &str;
}

/// The name that is nearest to another, if one is near at all.
pub(super) fn nearest<'a>(to: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let to = to.to_lowercase();
    let near = |name: &str| {
        let begins = !to.is_empty() && name.starts_with(&to);
        if begins { 0 } else { distance(&to, name) }
    };
    names
        .map(|name| (near(name), name))
        .filter(|(far, name)| *far <= 1 + name.len() / 3)
        .min_by_key(|(far, _)| *far)
        .map(|(_, name)| name)
}

/// Letters to change, add or take away from one word to the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_where_one_is_near() {
        let names = ["band", "steps", "action", "error"];
        let near = |to: &str| nearest(to, names.iter().copied());
        assert_eq!(
            [near("bnad"), near("step"), near("ACTION"), near("err"), near("zebra")],
            [Some("band"), Some("steps"), Some("action"), Some("error"), None]
        );
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
