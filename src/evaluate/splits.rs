//! Splits in the order of every report: `test` first, `dev` last, the others as they come.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The split that chooses the checkpoint; it is shown, and is part of no mean (reading.md, row 7).
pub const DEV: &str = "dev";
const TEST: &str = "test";

/// A value per split, in the order of reports. In JSON an object in that order.
#[derive(Clone, Debug, PartialEq)]
pub struct BySplit<T>(Vec<(String, T)>);

impl<T> BySplit<T> {
    /// The value of a split.
    pub fn get(&self, split: &str) -> Option<&T> {
        self.iter().find(|(name, _)| *name == split).map(|(_, value)| value)
    }

    /// Name and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Name and value of the splits that are reported and not chosen by.
    pub fn reported(&self) -> impl Iterator<Item = (&str, &T)> {
        self.iter().filter(|(name, _)| *name != DEV)
    }

    /// The first of the reported splits, by name: the one that a single figure is told of.
    pub fn lead(&self) -> Option<&str> {
        self.reported().next().map(|(name, _)| name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for BySplit<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> FromIterator<(String, T)> for BySplit<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(items: I) -> Self {
        let mut items: Vec<(String, T)> = items.into_iter().collect();
        items.sort_by_key(|(split, _)| rank(split));
        Self(items)
    }
}

/// What splits are ordered by; equals keep their order.
fn rank(split: &str) -> (bool, bool) {
    (split == DEV, split != TEST)
}

impl<T: Serialize> Serialize for BySplit<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for BySplit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

/// Reads an object in the order in which it is written.
struct InOrder<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
    type Value = BySplit<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from split to value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = map.next_entry()? {
            items.push(item);
        }
        Ok(items.into_iter().collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn test_comes_first_and_dev_last_also_in_json() {
        let splits: BySplit<u32> = ["dev", "b", "test", "c"].map(|s| (s.to_string(), 1)).into_iter().collect();
        assert_eq!(serde_json::to_string(&splits).unwrap(), r#"{"test":1,"b":1,"c":1,"dev":1}"#);
        assert_eq!(splits.reported().map(|(s, _)| s).collect::<Vec<_>>(), ["test", "b", "c"]);
        assert_eq!(splits.lead(), Some("test"));
        let read: BySplit<u32> = serde_json::from_str(r#"{"dev":1,"b":1,"c":1,"test":1}"#).unwrap();
        assert_eq!(read, splits);
        let named: BySplit<u32> = serde_json::from_str(r#"{"svamp":1,"dev":1,"mawps":1}"#).unwrap();
        assert_eq!(named.iter().map(|(s, _)| s).collect::<Vec<_>>(), ["svamp", "mawps", "dev"]);
        assert_eq!(named.lead(), Some("svamp"));
    }
}
