//! The tokenizer and the chat templates of the published models, where the folder of public data lies beside the
//! source (skipped with a message where it does not; `FOOTBRIDGE_DATA` names another place).

use std::fs;
use std::path::{Path, PathBuf};

use footbridge::domain::Message;
use footbridge::student::{ChatTemplate, Tokenizer};
use serde_json::Value;

use super::fixtures::{ids, json, places};

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn data(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FOOTBRIDGE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = root.join(part);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn the_published_qwen_tokenizer_cuts_texts_like_the_reference() {
    let Some(folder) = data("qwen2.5_tokenizer") else { return };
    let tokenizer = Tokenizer::from_bytes(&fs::read(folder.join("tokenizer.json")).unwrap()).unwrap();
    let expected = json(&folder.join("expected.json"));
    assert_eq!(tokenizer.len() as u64, expected["size_with_added"].as_u64().unwrap());
    let rows = expected["rows"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let text = row["text"].as_str().unwrap();
        let encoded = tokenizer.encode_rendered(text, &[]).unwrap();
        assert_eq!(encoded.ids, ids(&row["ids"]), "{text:?}");
        let pair = |v: &Value| (places(v)[0], places(v)[1]);
        let offsets: Vec<_> = row["char_offsets"].as_array().unwrap().iter().map(pair).collect();
        assert_eq!(encoded.offsets, offsets, "{text:?}");
        assert_eq!(tokenizer.decode(&encoded.ids).unwrap(), row["decoded"].as_str().unwrap());
    }
}

#[test]
fn the_published_templates_render_and_give_their_contents_back() {
    let chat = [Message::user(" What is 7 × 8?\n"), Message::assistant("56\n"), Message::user("")];
    for (file, bos, eos) in [
        ("qwen2.5_tokenizer/chat_template.qwen2_5.jinja", "", "<|im_end|>"),
        ("llama3_tokenizer/chat_template.llama3_2.jinja", "<|begin_of_text|>", "<|eot_id|>"),
    ] {
        let Some(path) = data(file) else { continue };
        let template = ChatTemplate::new(&fs::read_to_string(path).unwrap(), bos, eos).unwrap();
        let rendered = template.locate(&chat, true).unwrap();
        let shown: Vec<&str> = rendered.contents.iter().map(|range| &rendered.text[range.clone()]).collect();
        if bos.is_empty() {
            assert_eq!(shown, [" What is 7 × 8?\n", "56\n", ""]);
            assert!(rendered.text.starts_with("<|im_start|>system\nYou are Qwen"));
            assert!(rendered.text.ends_with("<|im_end|>\n<|im_start|>assistant\n"));
        } else {
            assert_eq!(shown, ["What is 7 × 8?", "56", ""]);
            assert_eq!(rendered.trimmed, [1, 0, 0]);
            let head = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n\
                        Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n<|eot_id|>";
            assert!(rendered.text.starts_with(head), "{}", rendered.text);
        }
    }
}
