//! The world's tokenizer: a token per word with the space before it, digits one by one, about 350 in all.
//!
//! The list is closed. Whatever the world, its teacher or its prompts can say is in it, and the tests hold it to that
//! from both sides: nothing said is missing, nothing listed is never said (but the role name `system`, which belongs
//! to chats).

use serde_json::{Value, json};

use super::words::{ACTIVITIES, ITEMS, NAMES, OBJECTS, PLACES};

/// Ends a document; pads.
pub const END_OF_TEXT: &str = "<|endoftext|>";
/// Begins a turn.
pub const TURN_START: &str = "<|im_start|>";
/// Ends a turn.
pub const TURN_END: &str = "<|im_end|>";
/// Stands for whatever the world never says.
pub const UNKNOWN: &str = "[UNK]";

/// How text falls apart: words, single digits, runs of `#` and other signs, each with one space before it; line breaks.
pub const PATTERN: &str = r" ?[A-Za-z]+| ?[0-9]| ?#+| ?[^\sA-Za-z0-9#]|\n| ";

/// Chats in ChatML, without a system turn of their own.
pub const CHAT_TEMPLATE: &str = "{%- for message in messages %}\
    {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}\
    {%- endfor %}\
    {%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}";

/// Words that open a line, besides names.
const OPENING: &str = "A Answer Compute Each Error Find First Here Hint In Let Looking One Solve Some Steps The There \
    They This Together We What When Why Write Wrong";

/// Words inside a line, besides names and things.
const INSIDE: &str = "A After All Compute Each How In On One Stop The Then There They This Together Use We When Which \
    Write a again all also and another answer are as at away back bags be before bill box boxes brought but buys \
    calculation can careful change check comes cost costs count cut day days did do does dollars done doubles each \
    end equal error extra fewer final find finds finish first floor for from get gets gives going group groups had \
    half has have here hold holds in into is it keep keeps last left line loose loses many means misread missing \
    more need needs next no not now number numbers of off on one only open operation out part parts pay pays pick \
    picked pile piles problem put puts question result right sale sell sells shop short so sold sorts split step \
    steps still stop take takes tells than that the there they thing third this times to together triples twice two \
    type us use we were what which with write wrong";

/// Signs with a space before them.
const SPACED_SIGNS: &str = "+ - * / = ( ) : ####";
/// Signs without.
const SIGNS: &str = ". , ? ####";
/// Names of the speakers, which follow the start of a turn.
const ROLES: &str = "user assistant system";

/// Every token in order of id: the special ones first.
pub fn tokens() -> Vec<String> {
    let mut tokens: Vec<String> =
        [END_OF_TEXT, TURN_START, TURN_END, UNKNOWN, "\n"].into_iter().map(str::to_owned).collect();
    let mut add = |token: String| {
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    };
    let bare = [ROLES, SIGNS, OPENING].into_iter().flat_map(str::split_whitespace).chain(NAMES);
    bare.for_each(|word| add(word.to_owned()));
    let plural = |word: &&str| format!("{word}s");
    let spaced = [SPACED_SIGNS, INSIDE].into_iter().flat_map(str::split_whitespace).chain(NAMES).chain(OBJECTS);
    let spaced = spaced.chain(ITEMS).chain(PLACES);
    let spaced = spaced.chain(ACTIVITIES.iter().flat_map(|activity| [activity.verb, activity.unit, activity.whole]));
    spaced.for_each(|word| add(format!(" {word}")));
    ITEMS.iter().chain(&PLACES).map(plural).for_each(|word| add(format!(" {word}")));
    for digit in 0..=9 {
        add(digit.to_string());
        add(format!(" {digit}"));
    }
    tokens
}

/// `tokenizer.json`: whole words looked up, put together again by writing them one after the other.
pub fn tokenizer_json() -> Value {
    let specials = [END_OF_TEXT, TURN_START, TURN_END, UNKNOWN];
    let added: Vec<Value> = specials.iter().enumerate().map(|(id, content)| added_token(id, content)).collect();
    let vocabulary: serde_json::Map<String, Value> =
        tokens().into_iter().enumerate().map(|(id, token)| (token, json!(id))).collect();
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": {
            "type": "Split",
            "pattern": { "Regex": PATTERN },
            "behavior": "Isolated",
            "invert": false
        },
        "post_processor": null,
        "decoder": { "type": "Fuse" },
        "model": { "type": "WordLevel", "vocab": vocabulary, "unk_token": UNKNOWN }
    })
}

fn added_token(id: usize, content: &str) -> Value {
    json!({
        "id": id,
        "content": content,
        "single_word": false,
        "lstrip": false,
        "rstrip": false,
        "normalized": false,
        "special": true
    })
}

/// `tokenizer_config.json`, the chat template included.
pub fn tokenizer_config_json() -> Value {
    json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": null,
        "eos_token": TURN_END,
        "pad_token": END_OF_TEXT,
        "unk_token": UNKNOWN,
        "clean_up_tokenization_spaces": false,
        "model_max_length": MAX_POSITIONS,
        "chat_template": CHAT_TEMPLATE
    })
}

/// Longest context in tokens.
const MAX_POSITIONS: usize = 1024;

/// `config.json`: a Qwen2 of some 490,000 parameters.
pub fn config_json() -> Value {
    json!({
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "vocab_size": tokens().len(),
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "hidden_act": "silu",
        "max_position_embeddings": MAX_POSITIONS,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "rope_scaling": null,
        "tie_word_embeddings": true,
        "use_sliding_window": false,
        "attention_dropout": 0.0,
        "initializer_range": 0.02,
        "bos_token_id": null,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "torch_dtype": "float32",
        "use_cache": true
    })
}

/// `generation_config.json`.
pub fn generation_config_json() -> Value {
    json!({ "eos_token_id": [2, 0], "pad_token_id": 0, "do_sample": true, "temperature": 0.7, "top_p": 0.9 })
}

/// The small files of a student of this world, by name, as they are written to disk.
pub fn files() -> [(&'static str, String); 4] {
    [
        ("config.json", config_json()),
        ("generation_config.json", generation_config_json()),
        ("tokenizer.json", tokenizer_json()),
        ("tokenizer_config.json", tokenizer_config_json()),
    ]
    .map(|(name, value)| (name, format!("{value:#}\n")))
}
