//! Llama 3's `tokenizer.model` as a `tokenizer.json`, for folders that hold only the original file.
//!
//! The file lists tokens as base64 with their ranks; a token's rank is its id, and of two possible merges the one with
//! the lower resulting rank goes first. A `tokenizer.json` wants the merges spelt out: every way to make a token of two
//! others, in order of the token's rank. Special tokens and their ids come from `tokenizer_config.json`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::error::StudentError;

/// How Llama 3 cuts text before merging.
const PIECES: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// A special token that only Llama 3's vocabulary has; other vocabularies cut text in other ways.
const OF_LLAMA_3: &str = "<|begin_of_text|>";

fn fault(message: impl Into<String>) -> StudentError {
    StudentError::TokenizerModel(message.into())
}

/// The `tokenizer.json` of a `tokenizer.model` in tiktoken's format and the `tokenizer_config.json` beside it.
///
/// # Errors
/// [`StudentError::TokenizerModel`] with the line, for another format (SentencePiece), another vocabulary than Llama
/// 3's, or where the special tokens are not named.
pub fn tokenizer_json(model: &[u8], settings: &[u8]) -> Result<Vec<u8>, StudentError> {
    let tokens = tokens(model)?;
    let ranks: HashMap<&[u8], u32> = (0..).zip(&tokens).map(|(rank, token)| (token.as_slice(), rank)).collect();
    if ranks.len() != tokens.len() {
        return Err(fault("a token stands in it twice"));
    }
    let added = special_tokens(settings, tokens.len())?;
    let letters = byte_letters();
    let spell = |bytes: &[u8]| -> String { bytes.iter().map(|b| letters[usize::from(*b)]).collect() };
    let vocabulary: Map<String, Value> = (0_u32..).zip(&tokens).map(|(rank, t)| (spell(t), rank.into())).collect();
    let merges: Vec<Value> =
        tokens.iter().flat_map(|t| splits(t, &ranks)).map(|(a, b)| json!([spell(a), spell(b)])).collect();
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    let cut = json!({"type": "Split", "pattern": {"Regex": PIECES}, "behavior": "Isolated", "invert": false});
    let value = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added, "normalizer": null,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [cut, byte_level]},
        "post_processor": byte_level, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": true,
            "vocab": vocabulary, "merges": merges},
    });
    serde_json::to_vec(&value).map_err(|e| fault(e.to_string()))
}

/// The tokens by rank.
fn tokens(model: &[u8]) -> Result<Vec<Vec<u8>>, StudentError> {
    let other = "it is not in tiktoken's format (a SentencePiece model?); give the folder a tokenizer.json, which \
                 transformers writes with AutoTokenizer.from_pretrained(…).save_pretrained(…)";
    let text = std::str::from_utf8(model).map_err(|_| fault(other))?;
    let mut tokens = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        let parts = line.split_once(' ').and_then(|(token, rank)| Some((base64(token)?, rank.parse::<usize>().ok()?)));
        let Some((token, rank)) = parts.filter(|(token, _)| !token.is_empty()) else {
            let line = index + 1;
            return Err(fault(if line == 1 { other.to_owned() } else { format!("line {line} is no token and rank") }));
        };
        if rank != tokens.len() {
            return Err(fault(format!("line {} has rank {rank}, expected is {}", index + 1, tokens.len())));
        }
        tokens.push(token);
    }
    if tokens.is_empty() { Err(fault("it is empty")) } else { Ok(tokens) }
}

/// Entries of `added_tokens`, ascending; their ids must continue the ranks.
fn special_tokens(settings: &[u8], first: usize) -> Result<Vec<Value>, StudentError> {
    let settings: Value =
        serde_json::from_slice(settings).map_err(|e| StudentError::json("tokenizer_config.json", &e))?;
    let named = settings.get("added_tokens_decoder").and_then(Value::as_object);
    let missing = "tokenizer_config.json does not name the special tokens (added_tokens_decoder) that go with it; give \
                   the folder a tokenizer.json";
    let mut added = Vec::new();
    for (id, token) in named.ok_or_else(|| fault(missing))? {
        let (Ok(id), Some(content)) = (id.parse::<usize>(), token.get("content").and_then(Value::as_str)) else {
            return Err(fault(format!("the special token {id} of tokenizer_config.json has no number or no content")));
        };
        added.push((id, content));
    }
    added.sort_unstable();
    if added.iter().enumerate().any(|(n, (id, _))| *id != first + n) {
        return Err(fault(format!("the special tokens of tokenizer_config.json do not continue its {first} tokens")));
    }
    if !added.iter().any(|(_, content)| *content == OF_LLAMA_3) {
        return Err(fault("it is not Llama 3's vocabulary; give the folder a tokenizer.json"));
    }
    let entry = |(id, content): &(usize, &str)| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
               "normalized": false, "special": true})
    };
    Ok(added.iter().map(entry).collect())
}

/// The ways to make a token of two others, by their ranks.
fn splits<'a>(token: &'a [u8], ranks: &HashMap<&[u8], u32>) -> Vec<(&'a [u8], &'a [u8])> {
    let halves = (1..token.len()).map(|at| token.split_at(at));
    let mut ways: Vec<_> = halves.filter_map(|(a, b)| Some(((*ranks.get(a)?, *ranks.get(b)?), (a, b)))).collect();
    ways.sort_unstable_by_key(|(ranks, _)| *ranks);
    ways.into_iter().map(|(_, way)| way).collect()
}

/// The letter that stands for each byte in byte-level vocabularies: printable Latin-1 for itself, the others from U+0100 on.
fn byte_letters() -> [char; 256] {
    let mut letters = ['\0'; 256];
    let mut next = 0x100;
    for (byte, letter) in (0_u32..).zip(&mut letters) {
        let shown = matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
        *letter = char::from_u32(if shown { byte } else { next }).unwrap_or_default();
        next += u32::from(!shown);
    }
    letters
}

/// The bytes of standard base64 with padding; `None` where it is none.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut held, mut bits) = (0_u32, 0);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        (held, bits) = (held << 6 | u32::from(value), bits + 6);
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::student::Tokenizer;

    /// Every byte, then ` a`, `ab`, ` ab`.
    fn model() -> String {
        let all: Vec<Vec<u8>> =
            (0..=255_u8).map(|b| vec![b]).chain([b" a".to_vec(), b"ab".to_vec(), b" ab".to_vec()]).collect();
        let digits: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
        let encode = |bytes: &[u8]| -> String {
            let word = bytes.iter().fold(0_u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - bytes.len()));
            (0..4).map(|i| if i > bytes.len() { '=' } else { digits[(word >> (18 - 6 * i)) as usize & 63] }).collect()
        };
        all.iter().enumerate().map(|(rank, token)| format!("{} {rank}\n", encode(token))).collect()
    }

    fn settings(content: &str, id: usize) -> String {
        json!({"added_tokens_decoder": {id.to_string(): {"content": content, "special": true}}}).to_string()
    }

    #[test]
    fn ranks_become_merges() {
        let made = tokenizer_json(model().as_bytes(), settings(OF_LLAMA_3, 259).as_bytes()).unwrap();
        let value: Value = serde_json::from_slice(&made).unwrap();
        assert_eq!(value["model"]["merges"], json!([["Ġ", "a"], ["a", "b"], ["Ġ", "ab"], ["Ġa", "b"]]));
        let tokenizer = Tokenizer::from_bytes(&made).unwrap();
        assert_eq!(tokenizer.encode("b ab é").unwrap(), [98, 258, 32, 0xc3, 0xa9]);
        assert_eq!(tokenizer.decode(&[98, 258, 32, 0xc3, 0xa9]).unwrap(), "b ab é");
        assert_eq!(tokenizer.id(OF_LLAMA_3), Some(259));
    }

    #[test]
    fn other_files_are_refused_by_what_they_lack() {
        let good = settings(OF_LLAMA_3, 259);
        let cases: [(&[u8], &str, &str); 8] = [
            (b"\x0a\x0e\xff<unk>", &good, "SentencePiece"),
            (b"hello", &good, "SentencePiece"),
            (b"", &good, "it is empty"),
            (b"QQ== 0\nQg== 2\n", &good, "line 2 has rank 2, expected is 1"),
            (b"QQ== 0\nQQ== 1\n", &good, "twice"),
            (b"QQ== 0\n?? 1\n", &good, "line 2 is no token"),
            (b"QQ== 0\n", "{}", "added_tokens_decoder"),
            (b"QQ== 0\n", &good, "do not continue its 1 tokens"),
        ];
        for (model, settings, part) in cases {
            let error = tokenizer_json(model, settings.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("tokenizer.model: ") && error.contains(part), "{error:?} lacks {part:?}");
        }
        let other = tokenizer_json(b"QQ== 0\n", settings("<|endoftext|>", 1).as_bytes()).unwrap_err().to_string();
        assert!(other.contains("not Llama 3's"), "{other}");
    }
}
