//! Text to token ids and back, with the place of every token in the text as given.
//!
//! Special tokens are recognised only where the chat template wrote them: the name of a control token inside a
//! question or an answer is plain text. Ids never get extra begin tokens, because the template writes them itself.
//!
//! Deviation from the reference: a control token is what the file marks as special, and also any added token whose name
//! has the form `<|…|>`; Qwen2.5 leaves six of those unmarked (`<|fim_prefix|>`, `<|repo_name|>`, …). Other added
//! tokens (`<tool_call>`, `<think>`) are a model's own words and are recognised everywhere.

use std::ops::Range;

use regex::Regex;
use tokenizers::AddedToken;

use super::config::ModelConfig;
use super::error::StudentError;

/// Token ids with the code points each of them covers, `start..end` in the text as given (before normalisation).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// The ids.
    pub ids: Vec<u32>,
    /// Per token its first code point and the one behind its last.
    pub offsets: Vec<(usize, usize)>,
}

/// A `tokenizer.json`.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// Matches the special tokens, the longest first; `None` where there are none.
    specials: Option<Regex>,
    highest: (String, u32),
}

fn failed(error: impl std::fmt::Display) -> StudentError {
    StudentError::Tokenizer(error.to_string())
}

/// Whether a name has the form of a control token.
fn is_control(name: &str) -> bool {
    name.len() > 4 && name.starts_with("<|") && name.ends_with("|>")
}

impl Tokenizer {
    /// Reads the bytes of a `tokenizer.json`. Padding and truncation it may ask for are switched off.
    ///
    /// # Errors
    /// [`StudentError::Tokenizer`] if it is malformed.
    pub fn from_bytes(json: &[u8]) -> Result<Self, StudentError> {
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(failed)?;
        inner.with_padding(None);
        inner.with_truncation(None).map_err(failed)?;
        inner.set_encode_special_tokens(true);
        let unmarked = inner.get_added_tokens_decoder().into_values().filter(|t| !t.special && is_control(&t.content));
        let marked: Vec<AddedToken> = unmarked.map(|token| token.special(true)).collect();
        inner.add_special_tokens(marked).map_err(failed)?;
        let added = inner.get_added_tokens_decoder();
        let mut names: Vec<&str> = added.values().filter(|t| t.special).map(|t| t.content.as_str()).collect();
        names.sort_by_key(|name| (std::cmp::Reverse(name.len()), *name));
        let pattern = names.iter().map(|name| regex::escape(name)).collect::<Vec<_>>().join("|");
        let specials = if names.is_empty() { None } else { Some(Regex::new(&pattern).map_err(failed)?) };
        let vocabulary = inner.get_vocab(true);
        let highest = vocabulary.into_iter().max_by_key(|(_, id)| *id).unwrap_or_default();
        Ok(Self { inner, specials, highest })
    }

    /// Number of tokens, special ones included.
    pub fn len(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// Whether it knows no token at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The token with the highest id, and that id.
    pub fn highest(&self) -> (&str, u32) {
        (&self.highest.0, self.highest.1)
    }

    /// Checks that the model has a row for every token.
    ///
    /// # Errors
    /// [`StudentError::TokenizerTooLarge`].
    pub fn fits(&self, config: &ModelConfig) -> Result<(), StudentError> {
        let (token, id) = (self.highest.0.clone(), self.highest.1);
        let vocab = config.vocab_size;
        if (id as usize) < vocab { Ok(()) } else { Err(StudentError::TokenizerTooLarge { token, id, vocab }) }
    }

    /// Id of a token by its exact name, for example `<|im_end|>`.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Name of a token; `None` for ids beyond the vocabulary.
    pub fn name(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Ids of plain text; names of special tokens in it are text.
    ///
    /// # Errors
    /// [`StudentError::Tokenizer`] if the tokenizer fails on the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, StudentError> {
        Ok(self.plain(text)?.ids)
    }

    /// Like [`Tokenizer::encode`], with offsets.
    ///
    /// # Errors
    /// [`StudentError::Tokenizer`] if the tokenizer fails on the text.
    pub fn plain(&self, text: &str) -> Result<Encoded, StudentError> {
        let encoding = self.inner.encode_char_offsets(text, false).map_err(failed)?;
        Ok(Encoded { ids: encoding.get_ids().to_vec(), offsets: encoding.get_offsets().to_vec() })
    }

    /// Encodes a rendered chat in which only the bytes outside `contents` (sorted, disjoint) may hold special tokens.
    ///
    /// Where no content names a special token this is what the reference tokenizer gives for the whole text.
    ///
    /// # Errors
    /// [`StudentError::Tokenizer`] if the tokenizer fails on the text.
    pub fn encode_rendered(&self, text: &str, contents: &[Range<usize>]) -> Result<Encoded, StudentError> {
        let mut out = Encoded::default();
        let (mut done, mut points) = (0, 0);
        for special in self.specials_outside(text, contents) {
            points = self.append(&mut out, &text[done..special.start], points)?;
            let name = &text[special.clone()];
            let id = self.id(name).ok_or_else(|| failed(format!("special token {name:?} has no id")))?;
            let width = name.chars().count();
            out.ids.push(id);
            out.offsets.push((points, points + width));
            points += width;
            done = special.end;
        }
        self.append(&mut out, &text[done..], points)?;
        Ok(out)
    }

    /// Byte ranges of the special tokens in the parts of `text` that are not `contents`.
    pub fn specials_outside(&self, text: &str, contents: &[Range<usize>]) -> Vec<Range<usize>> {
        let Some(specials) = &self.specials else { return Vec::new() };
        let starts = std::iter::once(0).chain(contents.iter().map(|c| c.end));
        let ends = contents.iter().map(|c| c.start).chain(std::iter::once(text.len()));
        starts
            .zip(ends)
            .flat_map(|(a, b)| specials.find_iter(&text[a..b]).map(move |m| a + m.start()..a + m.end()))
            .collect()
    }

    /// Text of ids. Special tokens show their names; ids beyond the vocabulary and broken UTF-8 do no harm.
    ///
    /// # Errors
    /// [`StudentError::Tokenizer`] if the tokenizer fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String, StudentError> {
        self.inner.decode(ids, false).map_err(failed)
    }

    /// Appends plain text that begins at code point `from`; returns the code point behind it.
    fn append(&self, out: &mut Encoded, text: &str, from: usize) -> Result<usize, StudentError> {
        if text.is_empty() {
            return Ok(from);
        }
        let part = self.plain(text)?;
        out.ids.extend(part.ids);
        out.offsets.extend(part.offsets.into_iter().map(|(a, b)| (from + a, from + b)));
        Ok(from + text.chars().count())
    }
}
