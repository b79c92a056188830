//! The layouts in which folders come: where the template stands, where special tokens and end-of-turn tokens are named.

use std::fs;
use std::path::Path;

use footbridge::domain::Message;
use footbridge::student::StudentFiles;
use footbridge::student::speech::Speech;
use serde_json::{Value, json};

use super::fixtures::{checkpoints, copy, json as read_json, name, student};

fn edit(folder: &Path, file: &str, change: impl FnOnce(&mut Value)) {
    let path = folder.join(file);
    let mut value = if path.exists() { read_json(&path) } else { json!({}) };
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

/// Takes the template out of wherever it stands.
fn template_of(folder: &Path) -> String {
    let file = folder.join("chat_template.jinja");
    if let Ok(text) = fs::read_to_string(&file) {
        fs::remove_file(file).unwrap();
        return text;
    }
    let mut text = String::new();
    edit(folder, "tokenizer_config.json", |settings| {
        text = settings.as_object_mut().unwrap().shift_remove("chat_template").unwrap().as_str().unwrap().to_owned();
    });
    text
}

#[test]
fn a_template_is_found_in_every_place_and_the_nearest_one_counts() {
    let chat = [Message::user("What is 7 times 8?")];
    for folder in checkpoints() {
        let want = student(&folder).template.render(&chat, true).unwrap();
        let copy = copy(&folder);
        let template = template_of(copy.path());
        let check = |place: &str| {
            let loaded = student(copy.path());
            assert_eq!(loaded.template.render(&chat, true).unwrap(), want, "{}: {place}", name(&folder));
            let saved = tempfile::tempdir().unwrap();
            loaded.save(&saved.path().join("out")).unwrap();
            let again = student(&saved.path().join("out"));
            assert_eq!(again.template.render(&chat, true).unwrap(), want, "{}: {place}, saved", name(&folder));
        };
        let list = json!([{"name": "tool_use", "template": "no"}, {"name": "default", "template": template}]);
        edit(copy.path(), "tokenizer_config.json", |settings| settings["chat_template"] = list);
        check("a list in tokenizer_config.json");
        edit(copy.path(), "tokenizer_config.json", |settings| settings["chat_template"] = "no".into());
        edit(copy.path(), "chat_template.json", |file| file["chat_template"] = template.clone().into());
        check("chat_template.json");
        edit(copy.path(), "chat_template.json", |file| file["chat_template"] = "no".into());
        fs::write(copy.path().join("chat_template.jinja"), &template).unwrap();
        check("chat_template.jinja");
    }
}

#[test]
fn end_of_turn_tokens_are_gathered_from_every_file() {
    for folder in checkpoints() {
        let copy = copy(&folder);
        let first = student(&folder);
        let (own, other, third) = (first.end_of_turn[0], 7, 9);
        let own_name = first.tokenizer.name(own).unwrap();
        // Named as an object, in the older file beside.
        edit(copy.path(), "tokenizer_config.json", |settings| {
            settings.as_object_mut().unwrap().shift_remove("eos_token");
        });
        edit(copy.path(), "special_tokens_map.json", |map| map["eos_token"] = json!({"content": own_name}));
        edit(copy.path(), "generation_config.json", |generation| generation["eos_token_id"] = json!([other, own]));
        edit(copy.path(), "config.json", |config| config["eos_token_id"] = json!([third, 1_000_000]));
        assert_eq!(student(copy.path()).end_of_turn, [own, other, third], "{}", name(&folder));
        edit(copy.path(), "generation_config.json", |generation| generation["eos_token_id"] = other.into());
        edit(copy.path(), "config.json", |config| config["eos_token_id"] = Value::Null);
        assert_eq!(student(copy.path()).end_of_turn, [own, other], "{}", name(&folder));
        fs::remove_file(copy.path().join("generation_config.json")).unwrap();
        assert_eq!(student(copy.path()).end_of_turn, [own], "{}", name(&folder));
    }
}

#[test]
fn a_text_shown_without_weights_is_rendered_as_with_them() {
    for folder in checkpoints() {
        let copy = copy(&folder);
        let names = ["bos_token", "eos_token"];
        let settings = fs::read(copy.path().join("tokenizer_config.json")).unwrap();
        let settings: Value = serde_json::from_slice(&settings).unwrap();
        edit(copy.path(), "special_tokens_map.json", |map| names.iter().for_each(|n| map[*n] = settings[*n].clone()));
        edit(copy.path(), "tokenizer_config.json", |settings| {
            names.iter().for_each(|name| drop(settings.as_object_mut().unwrap().shift_remove(*name)));
        });
        let chat = [Message::user("2 + 2"), Message::assistant("4")];
        let shown = Speech::new(&StudentFiles::read(copy.path()).unwrap()).unwrap().encode_chat(&chat).unwrap();
        let trained = student(copy.path()).encode_chat(&chat).unwrap();
        assert_eq!((shown.text, shown.ids), (trained.text, trained.ids), "{}", name(&folder));
    }
}
