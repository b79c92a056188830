//! `steps.json`: the step of every token, and D of every step.

use footbridge::domain::Message;
use serde_json::Value;

use super::fixtures::*;

fn owners(value: &Value) -> Vec<Option<usize>> {
    value.as_array().unwrap().iter().map(|v| usize::try_from(v.as_i64().unwrap()).ok()).collect()
}

#[test]
fn tokens_fall_into_steps_and_difficulty_holds() {
    let file = root().join("steps.json");
    let all = json(&file);
    for folder in checkpoints() {
        let rows = all[name(&folder)].as_array().unwrap_or_else(|| panic!("steps.json lacks {}", name(&folder)));
        let student = student(&folder);
        for row in rows {
            let label = format!("{}: {}", name(&folder), row["question"]);
            let text = |key: &str| row[key].as_str().unwrap().to_owned();
            let messages = [Message::user(text("question")), Message::assistant(text("content"))];
            let chat = student.encode_chat(&messages).unwrap();
            assert_eq!(chat.text, text("text"), "{label}");
            assert_eq!(chat.ids, ids(&row["ids"]), "{label}");
            let offsets: Vec<(usize, usize)> =
                row["char_offsets"].as_array().unwrap().iter().map(places).map(|o| (o[0], o[1])).collect();
            assert_eq!(chat.offsets, offsets, "{label}: offsets");
            let begin = row["content_start"].as_u64().unwrap() as usize;
            assert_eq!((chat.contents[1].start, chat.contents[1].trimmed), (begin, 0), "{label}");
            assert_eq!(chat.contents[1].end as u64, row["content_end"].as_u64().unwrap(), "{label}");

            let steps = row["steps"].as_array().unwrap();
            let starts: Vec<usize> = steps.iter().map(|s| s["span_start"].as_u64().unwrap() as usize - begin).collect();
            assert_eq!(chat.step_of_token(1, &starts), owners(&row["step_of_token"]), "{label}: step of token");

            let nll = student.score(std::slice::from_ref(&chat)).unwrap().remove(0);
            let content: Vec<f32> = chat
                .trained
                .iter()
                .zip(&nll)
                .filter(|(p, _)| places(&row["nll_positions"]).contains(p))
                .map(|(_, v)| *v)
                .collect();
            assert_close(&format!("{label}: NLL"), &content, &numbers(&row["nll"]), 1e-4);
            let owner = chat.step_of_token(1, &starts);
            for (i, want) in steps.iter().enumerate() {
                let mine = chat.trained.iter().zip(&nll).filter(|(p, _)| owner[**p] == Some(i));
                let mine: Vec<f64> = mine.map(|(_, v)| f64::from(*v)).collect();
                assert_eq!(mine.len() as u64, want["tokens"].as_u64().unwrap(), "{label}: tokens of step {i}");
                let (d, expected) = (mine.iter().sum::<f64>() / mine.len() as f64, want["D"].as_f64().unwrap());
                assert!((d - expected).abs() < 1e-4, "{label}: D of step {i} is {d}, want {expected}");
            }
        }
    }
}

#[test]
fn steps_of_a_trimmed_content_are_counted_in_the_content_as_given() {
    for folder in checkpoints() {
        let student = student(&folder);
        let content = " \n First.\nSecond.";
        let chat = student.encode_chat(&[Message::user("q"), Message::assistant(content)]).unwrap();
        let span = chat.contents[1];
        let shown: String = chat.text.chars().skip(span.start).take(span.end - span.start).collect();
        assert_eq!(shown, content.chars().skip(span.trimmed).collect::<String>());
        let second = content.find("\nSecond").unwrap();
        let owner = chat.step_of_token(1, &[0, second]);
        let first_of_second = owner.iter().position(|o| *o == Some(1)).unwrap();
        let at = chat.offsets[first_of_second].0;
        assert!(at >= span.start + second - span.trimmed);
        assert!(owner.contains(&Some(0)) && owner.iter().rposition(|o| *o == Some(0)).unwrap() < first_of_second);
    }
}
