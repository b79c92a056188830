//! Settings that are a number or a word: TOML has no null, so `"mean"` and `"off"` say what `None` is.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written<W> {
    Number(f64),
    Word(W),
}

/// `None` is written `"mean"`: compute it from the session.
pub mod mean {
    use super::*;
    use crate::recipe::types::MeanWord;

    /// Writes the number or the word.
    pub fn serialize<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        value.map_or(Written::Word(MeanWord::Mean), Written::Number).serialize(to)
    }

    /// Reads the number or the word.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        Ok(match Written::<MeanWord>::deserialize(from)? {
            Written::Number(number) => Some(number),
            Written::Word(MeanWord::Mean) => None,
        })
    }
}

/// `None` is written `"off"`: not applied.
pub mod off {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum OffWord {
        Off,
    }

    /// Writes the number or the word.
    pub fn serialize<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        value.map_or(Written::Word(OffWord::Off), Written::Number).serialize(to)
    }

    /// Reads the number or the word.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        Ok(match Written::<OffWord>::deserialize(from)? {
            Written::Number(number) => Some(number),
            Written::Word(OffWord::Off) => None,
        })
    }
}
