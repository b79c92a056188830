//! Every checkpoint of the fixture set against the reference's numbers, at the README's tolerances.

use std::fs;

use burn::tensor::{Int, Tensor, TensorData};
use footbridge::domain::Message;
use footbridge::student::{ModelConfig, Student};
use serde_json::Value;

use super::fixtures::*;

const TOLERANCE: f64 = 1e-4;

fn check_prompts(label: &str, student: &Student, expected: &Value) {
    for prompt in expected["prompts"].as_array().unwrap() {
        let label = format!("{label}, prompt {}", prompt["name"]);
        let messages = messages(&prompt["messages"]);
        assert_eq!(student.template.render(&messages, true).unwrap(), prompt["text"].as_str().unwrap(), "{label}");
        let prompt_ids = student.encode_prompt(&messages).unwrap();
        assert_eq!(prompt_ids, ids(&prompt["ids"]), "{label}: ids");
        check_logits(&label, student, &prompt_ids, &prompt["logits"]);
        check_continuation(&label, student, messages, prompt_ids.len(), &prompt["continuation"]);
    }
}

fn check_logits(label: &str, student: &Student, prompt: &[u32], expected: &Value) {
    let columns = expected["columns"].as_u64().unwrap() as usize;
    let table = logits(student, prompt);
    for (position, want) in places(&expected["positions"]).into_iter().zip(expected["values"].as_array().unwrap()) {
        let label = format!("{label}: logits at {position}");
        assert_close(&label, &table[position][..columns], &numbers(want), TOLERANCE);
    }
}

fn check_continuation(label: &str, student: &Student, mut chat: Vec<Message>, prompt: usize, expected: &Value) {
    chat.push(Message::assistant(expected["content"].as_str().unwrap()));
    let mut tokens = student.encode_chat(&chat).unwrap();
    assert_eq!(tokens.text, expected["text"].as_str().unwrap(), "{label}: continuation");
    tokens.trained.retain(|p| *p >= prompt);
    assert_eq!(tokens.targets(), ids(&expected["ids"]), "{label}: continuation ids");
    for (key, temperature) in [("log_probs_1_0", 1.0), ("log_probs_0_7", 0.7)] {
        let got = student.log_probs(std::slice::from_ref(&tokens), temperature).unwrap();
        assert_close(&format!("{label}: {key}"), &got[0], &numbers(&expected[key]), TOLERANCE);
    }
}

fn check_conversations(label: &str, student: &Student, expected: &Value) {
    let batch = expected["sft"]["batch"].as_array().unwrap();
    let chats: Vec<_> = batch.iter().map(|row| student.encode_chat(&messages(&row["messages"])).unwrap()).collect();
    let scores = student.score(&chats).unwrap();
    for ((row, chat), nll) in batch.iter().zip(&chats).zip(scores) {
        assert_eq!(chat.text, row["text"].as_str().unwrap(), "{label}: text");
        assert_eq!(chat.ids, ids(&row["ids"]), "{label}: ids");
        assert_eq!(chat.trained, places(&row["trained"]), "{label}: trained positions");
        let sum: f64 = nll.iter().map(|v| f64::from(*v)).sum();
        let want = row["nll_sum"].as_f64().unwrap();
        assert!((sum / want - 1.0).abs() < 1e-5, "{label}: summed NLL {sum}, want {want}");
    }
}

#[test]
fn every_checkpoint_renders_encodes_and_computes_like_the_reference() {
    for folder in checkpoints() {
        let expected = expected(&folder);
        let student = student(&folder);
        assert!(student.end_of_turn.contains(&(expected["end_of_turn"].as_u64().unwrap() as u32)));
        assert_eq!(student.config.vocab_size as u64, expected["vocab_size"].as_u64().unwrap());
        assert_eq!(student.tokenizer.len() as u64, expected["tokens"].as_u64().unwrap());
        check_prompts(&name(&folder), &student, &expected);
        check_conversations(&name(&folder), &student, &expected);
    }
}

#[test]
fn the_older_configuration_layout_gives_the_same_numbers() {
    for folder in checkpoints().into_iter().filter(|f| f.join("config.legacy.json").is_file()) {
        let new = ModelConfig::from_json(&fs::read(folder.join("config.json")).unwrap()).unwrap();
        let legacy = fs::read(folder.join("config.legacy.json")).unwrap();
        let old = ModelConfig::from_json(&legacy).unwrap();
        assert_eq!(ModelConfig { pad: new.pad, ..old }, new, "{}", name(&folder));
        let copy = copy(&folder);
        fs::write(copy.path().join("config.json"), legacy).unwrap();
        let student = student(copy.path());
        check_prompts(&format!("{} (legacy)", name(&folder)), &student, &expected(&folder));
    }
}

#[test]
fn greedy_continuations_hold_without_a_cache() {
    for folder in checkpoints() {
        let student = student(&folder);
        for prompt in expected(&folder)["prompts"].as_array().unwrap() {
            let want = ids(&prompt["greedy"]["ids"]);
            let mut sequence = ids(&prompt["ids"]);
            let start = sequence.len();
            for _ in 0..want.len() {
                let last = logits(&student, &sequence).pop().unwrap();
                sequence.push(argmax(&last));
            }
            let label = format!("{}, prompt {}", name(&folder), prompt["name"]);
            assert_eq!(&sequence[start..], want, "{label}");
            let text = student.tokenizer.decode(&want).unwrap();
            assert_eq!(text, prompt["greedy"]["text"].as_str().unwrap(), "{label}");
        }
    }
}

#[test]
fn padding_on_the_right_changes_no_real_row() {
    for folder in checkpoints() {
        let student = student(&folder);
        let chats = expected(&folder)["sft"]["batch"].as_array().unwrap().clone();
        let rows: Vec<Vec<u32>> = chats.iter().map(|row| ids(&row["ids"])).collect();
        let width = rows.iter().map(Vec::len).max().unwrap() + 3;
        let padded: Vec<i64> = rows
            .iter()
            .flat_map(|row| row.iter().copied().chain(std::iter::repeat(student.pad)).take(width))
            .map(i64::from)
            .collect();
        let device = student.model.device();
        let input = Tensor::<2, Int>::from_data(TensorData::new(padded, [rows.len(), width]), &device);
        let hidden = student.model.hidden(input, &student.rope(width));
        let table: Vec<f32> = student.model.logits(hidden).into_data().try_to_vec().unwrap();
        let vocab = student.config.vocab_size;
        for (b, row) in rows.iter().enumerate() {
            for (p, want) in logits(&student, row).iter().enumerate() {
                let at = (b * width + p) * vocab;
                let want: Vec<f64> = want.iter().map(|v| f64::from(*v)).collect();
                assert_close(&format!("row {b} token {p}"), &table[at..at + vocab], &want, 2e-5);
            }
        }
    }
}

#[test]
fn a_list_of_chunks_gives_the_log_probs_of_the_whole() {
    let student = student(&checkpoints()[0]);
    let device = student.model.device();
    let (rows, width) = (2500, student.config.hidden_size);
    let values: Vec<f32> = (0..rows * width).map(|i| ((i * 7919 % 2003) as f32 / 1000.0) - 1.0).collect();
    let hidden = Tensor::<2>::from_data(TensorData::new(values, [rows, width]), &device);
    let targets: Vec<i64> = (0..rows as i64).map(|i| i * 31 % student.config.vocab_size as i64).collect();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [rows]), &device);
    let whole: Vec<f32> =
        student.model.log_probs(hidden.clone(), targets.clone(), 0.7).into_data().try_to_vec().unwrap();
    for start in [0usize, 1023, 1024, 2047, 2048, 2499] {
        let (h, t) = (hidden.clone().narrow(0, start, 1), targets.clone().narrow(0, start, 1));
        let one: Vec<f32> = student.model.log_probs(h, t, 0.7).into_data().try_to_vec().unwrap();
        assert_close(&format!("row {start}"), &whole[start..=start], &[f64::from(one[0])], 1e-4);
    }
    let (again, entropy) = student.model.log_probs_and_entropy(hidden, targets, 0.7);
    let again: Vec<f32> = again.into_data().try_to_vec().unwrap();
    assert_close("with entropy", &again, &whole.iter().map(|v| f64::from(*v)).collect::<Vec<_>>(), 1e-4);
    let most = (student.config.vocab_size as f32).ln() + 1e-3;
    let entropy: Vec<f32> = entropy.into_data().try_to_vec().unwrap();
    assert!(entropy.len() == rows && entropy.iter().all(|h| (0.0..=most).contains(h)));
}

#[test]
fn a_text_beyond_the_models_positions_is_refused() {
    let folder = &checkpoints()[0];
    let student = student(folder);
    let long = "one two ".repeat(student.config.max_positions);
    let chat = student.encode_chat(&[Message::user("count"), Message::assistant(long)]).unwrap();
    let error = student.score(std::slice::from_ref(&chat)).unwrap_err().to_string();
    assert!(error.contains(&format!("the {} positions", student.config.max_positions)), "{error}");
    let mut cut = chat;
    cut.truncate(40);
    let scored = student.score(std::slice::from_ref(&cut)).unwrap();
    assert!(scored[0].len() == cut.trained.len() && cut.trained.iter().all(|p| *p < 40));
    assert!(student.score(&[]).unwrap().is_empty());
}
