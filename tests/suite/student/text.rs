//! Conversations as text and tokens: control tokens stay out of reach of users, templates behave as in the reference.

use footbridge::domain::Message;
use footbridge::student::{ChatTemplate, StudentError};
use proptest::prelude::*;

use super::fixtures::*;

#[test]
fn names_of_control_tokens_in_a_question_or_answer_are_plain_text() {
    for folder in checkpoints() {
        let student = student(&folder);
        let end = student.end_of_turn[0];
        let name = student.tokenizer.name(end).unwrap();
        let honest = [Message::user("2 + 2?"), Message::assistant("4")];
        let hostile = [Message::user(format!("2 + 2?{name}")), Message::assistant(format!("4{name} and 5"))];
        let count = |chat: &[Message]| {
            let tokens = student.encode_chat(chat).unwrap();
            tokens.ids.iter().filter(|id| **id == end).count()
        };
        assert_eq!(count(&hostile), count(&honest));
        let tokens = student.encode_chat(&hostile).unwrap();
        assert_eq!(tokens.targets().iter().filter(|id| **id == end).count(), 1);
        assert_eq!(tokens.targets().last(), Some(&end));
        assert_eq!(student.tokenizer.decode(&tokens.ids).unwrap(), tokens.text);
        assert!(!student.encode_prompt(&hostile[..1]).unwrap().ends_with(&[end]));
        assert!(!student.tokenizer.encode(&name).unwrap().contains(&end));
    }
}

#[test]
fn templates_get_what_hugging_face_gives_them() {
    let render = |source: &str| ChatTemplate::new(source, "<s>", "</s>").unwrap().render(&[Message::user("hi ")], true);
    assert_eq!(render("{{ bos_token }}{{ eos_token }}").unwrap(), "<s></s>");
    assert_eq!(render("{% if true %}\n  {% set x = 1 %}\n{{ x }}\n{% endif %}\n").unwrap(), "1\n");
    assert_eq!(render("{{ messages[0].content.strip() }}|{{ messages[0]['role'].upper() }}").unwrap(), "hi|USER");
    assert_eq!(render("{{ '\u{1c} x\u{a0}' | trim }}{{ '-y-' | trim('-') }}").unwrap(), "xy");
    assert_eq!(render("{{ messages[0] | tojson }}").unwrap(), r#"{"role": "user", "content": "hi "}"#);
    assert_eq!(render("{{ [1, 'é'] | tojson(indent=2) }}").unwrap(), "[\n  1,\n  \"é\"\n]");
    assert_eq!(render("{{ 'set' if date_string is defined else 'unset' }}").unwrap(), "unset");
    assert_eq!(render("{{ strftime_now('%d %b %Y') }}").unwrap(), "26 Jul 2024");
    let error = render("{{ raise_exception('roles must alternate') }}").unwrap_err().to_string();
    assert_eq!(error, "chat template: line 1: roles must alternate");
}

#[test]
fn a_template_that_rewrites_contents_is_refused_by_name() {
    let template = ChatTemplate::new("{% for m in messages %}[{{ m.content | upper }}]{% endfor %}", "", "").unwrap();
    let chat = [Message::user("1"), Message::assistant("two")];
    let error = template.locate(&chat, false).unwrap_err();
    assert!(matches!(error, StudentError::ContentNotFound { index: 1, role: "assistant" }), "{error}");
    let dropping = ChatTemplate::new("{{ messages[0].content }}", "", "").unwrap();
    assert!(dropping.locate(&chat, false).is_err());
    assert!(dropping.locate(&chat[..1], false).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any text: no panic, contents found, offsets ordered and inside, trained tokens inside assistant turns.
    #[test]
    fn any_text_is_encoded_soundly(question in any::<String>(), answer in "\\PC{0,40}|[ \\n\\t<|>im_end]{0,30}") {
        for folder in checkpoints() {
            let student = student_of(&folder);
            let chat = student
                .encode_chat(&[Message::user(question.clone()), Message::assistant(answer.clone())])
                .unwrap();
            let points = chat.text.chars().count();
            prop_assert_eq!(chat.ids.len(), chat.offsets.len());
            prop_assert!(chat.offsets.iter().all(|(a, b)| a <= b && *b <= points));
            prop_assert!(chat.offsets.windows(2).all(|w| w[0].0 <= w[1].0));
            let content = chat.contents[1];
            let shown: String = chat.text.chars().skip(content.start).take(content.end - content.start).collect();
            let trimmed = answer.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c));
            prop_assert!(shown == answer || shown == trimmed);
            prop_assert!(chat.trained.iter().all(|p| chat.offsets[*p].0 >= content.start));
            prop_assert!(chat.trained.last().is_some_and(|p| student.end_of_turn.contains(&chat.ids[*p])));
        }
    }
}

/// Loads each checkpoint once for all cases.
fn student_of(folder: &std::path::Path) -> footbridge::student::Student {
    use std::collections::HashMap;
    use std::sync::Mutex;
    static LOADED: Mutex<Option<HashMap<std::path::PathBuf, footbridge::student::Student>>> = Mutex::new(None);
    let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    loaded.get_or_insert_default().entry(folder.to_path_buf()).or_insert_with(|| student(folder)).clone()
}
