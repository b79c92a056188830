use std::collections::HashSet;

use footbridge::{
    data::world::pretrain::Phase,
    domain::{Diagnosis, Question, Role},
    teacher::{PromptKind, PromptSet, Prompts, pretraining::PretrainStream},
};

fn question(text: &str) -> Question {
    Question { id: "q".into(), text: text.into(), gold: "3".into(), ..Question::default() }
}

fn diagnosis() -> Diagnosis {
    Diagnosis {
        first_error: "1 + 2 = 4".into(),
        error_type: "calculation error".into(),
        why_wrong: "1 + 2 is 3.".into(),
        missing_knowledge: "Sums.".into(),
        minimal_fix: "Compute 1 + 2 again.".into(),
        correct_next_step: "1 + 2 = 3".into(),
        short_correct_reasoning: "1 + 2 = 3\n#### 3".into(),
    }
}

#[test]
fn the_world_is_asked_in_its_own_words() {
    let prompts = Prompts::world().unwrap();
    let q = question("How many?");
    assert_eq!(prompts.ask(&q).unwrap()[0].content, "How many?");
    assert_eq!(prompts.local(&q, "").unwrap(), "How many?\nWrite the next step.");
    assert_eq!(prompts.local(&q, "a\nb\n").unwrap(), "How many?\nSteps :\na\nb\nWrite the next step.");
    assert_eq!(prompts.diagnose(&q, "x\n").unwrap(), "How many?\nAnswer :\nx\nFind the first error.");
    assert_eq!(
        prompts.diagnosis_target(&diagnosis()).unwrap(),
        "Error type : calculation error.\nFirst error : 1 + 2 = 4\nWhy : 1 + 2 is 3."
    );
    assert_eq!(
        prompts.repair(&q, "a\n", &diagnosis()).unwrap(),
        "How many?\nSteps :\na\nWrong step : 1 + 2 = 4\nHint : Compute 1 + 2 again.\nWrite the right next step."
    );
    assert_eq!(prompts.new_trace(&q).unwrap(), "How many?\nSolve it again with short steps.");
}

#[test]
fn both_wordings_carry_everything_they_are_given() {
    for set in [PromptSet::World, PromptSet::Standard] {
        let prompts = Prompts::new(set).unwrap();
        let q = question("THE QUESTION");
        assert!(prompts.student(&q).unwrap().contains("THE QUESTION"));
        let local = prompts.local(&q, "THE PREFIX").unwrap();
        assert!(local.contains("THE QUESTION") && local.contains("THE PREFIX"));
        let diagnose = prompts.diagnose(&q, "THE RESPONSE").unwrap();
        assert!(diagnose.contains("THE QUESTION") && diagnose.contains("THE RESPONSE"));
        let repair = prompts.repair(&q, "THE PREFIX", &diagnosis()).unwrap();
        for part in ["THE QUESTION", "THE PREFIX", "1 + 2 = 4", "Compute 1 + 2 again."] {
            assert!(repair.contains(part), "{repair}");
        }
        for answer in ["1 + 2 = 3", "#### 3", "Sums."] {
            assert!(!repair.contains(answer) && !diagnose.contains(answer));
        }
        let target = prompts.diagnosis_target(&diagnosis()).unwrap();
        assert!(["calculation error", "1 + 2 = 4", "1 + 2 is 3."].iter().all(|part| target.contains(part)));
    }
}

#[test]
fn templates_in_values_stay_text() {
    let prompts = Prompts::world().unwrap();
    let q = question("{{ diagnosis }} {% raw %} <b>");
    assert_eq!(prompts.student(&q).unwrap(), "{{ diagnosis }} {% raw %} <b>");
}

#[test]
fn hashes_name_the_wording() {
    let (world, standard) = (Prompts::world().unwrap(), Prompts::standard().unwrap());
    let mut seen = HashSet::new();
    for prompts in [&world, &standard] {
        for kind in PromptKind::ALL {
            // Boxes and letters are asked for in one wording only.
            let shared = matches!(kind, PromptKind::QuestionBoxed | PromptKind::QuestionChoice);
            if shared && prompts.set() == PromptSet::World {
                assert_eq!(prompts.hash(kind), standard.hash(kind));
                continue;
            }
            let hash = prompts.hash(kind);
            assert!(hash.len() == 12 && hash.chars().all(|c| c.is_ascii_hexdigit()));
            assert!(seen.insert(hash));
        }
    }
    assert_eq!(world.student_hash(), Prompts::world().unwrap().hash(PromptKind::Question));
}

#[test]
fn pretraining_conversations_are_one_question_and_one_answer() {
    for phase in [Phase::Learn, Phase::Settle] {
        for conversation in PretrainStream::new(phase, 3).unwrap().take(500) {
            let roles: Vec<Role> = conversation.messages.iter().map(|message| message.role).collect();
            assert_eq!(roles, [Role::User, Role::Assistant]);
            assert!(conversation.messages.iter().all(|message| !message.content.is_empty()));
        }
    }
}
