use std::{collections::BTreeSet, sync::Arc};

use footbridge::{
    data::world::{
        Bank, Problem, Split,
        base::BASE,
        corrupt::wrong_answer,
        diagnose::diagnose,
        dice::Dice,
        pretrain::Phase,
        trace::{every_line, plain_trace},
        vocabulary::{TURN_END, TURN_START, UNKNOWN, files, tokens},
    },
    teacher::{Prompts, RuleTeacher, Teacher, pretraining::PretrainStream},
};
use tokenizers::Tokenizer;

use super::world;

fn tokenizer() -> Tokenizer {
    let [_, _, (_, tokenizer), _] = files();
    Tokenizer::from_bytes(tokenizer).unwrap()
}

/// Everything the world, its teacher and its prompts can say.
fn everything_said() -> Vec<String> {
    let mut said = Vec::new();
    for phase in [Phase::Learn, Phase::Settle] {
        let conversations = PretrainStream::new(phase, 8).unwrap().take(6000);
        said.extend(conversations.flat_map(|conversation| conversation.messages).map(|message| message.content));
    }
    let mut dice = Dice::new(8, &["vocabulary"]);
    for (bank, longest) in [(Bank::A, 5), (Bank::B, 2), (Bank::C, 2)] {
        for round in 0..3000 {
            let problem = Problem::draw(&mut dice, bank, 1 + round % longest);
            said.extend(every_line(&problem).into_iter().map(|line| line.text));
            said.push(plain_trace(&problem));
            let found = diagnose(&problem, &wrong_answer(&problem, &mut dice)).unwrap();
            // These follow a label and a space wherever they are said.
            let labelled =
                [found.error_type, found.first_error, found.why_wrong, found.missing_knowledge, found.minimal_fix];
            said.extend(labelled.map(|text| format!(" {text}")));
            said.extend([found.correct_next_step, found.short_correct_reasoning]);
            said.push(problem.text);
        }
    }
    said
}

#[test]
fn everything_said_is_encoded_without_loss_and_every_token_is_needed() {
    let tokenizer = tokenizer();
    let mut used = BTreeSet::new();
    for text in everything_said() {
        let encoding = tokenizer.encode(text.as_str(), false).unwrap();
        let ids = encoding.get_ids();
        assert!(!encoding.get_tokens().iter().any(|token| token == UNKNOWN), "{text:?} {:?}", encoding.get_tokens());
        assert_eq!(tokenizer.decode(ids, true).unwrap(), text);
        used.extend(ids.iter().copied());
    }
    let beside = ["<|endoftext|>", TURN_START, TURN_END, UNKNOWN, "user", "assistant", "system"];
    let unused: Vec<String> = tokens()
        .into_iter()
        .enumerate()
        .filter(|(id, token)| !used.contains(&(*id as u32)) && !beside.contains(&token.as_str()))
        .map(|(_, token)| token)
        .collect();
    assert!(unused.is_empty(), "listed but never said: {unused:?}");
}

#[test]
fn lessons_from_real_looking_failures_are_encoded_too() {
    let (tokenizer, prompts, world) = (tokenizer(), Prompts::world().unwrap(), Arc::new(world()));
    let teacher = RuleTeacher::new(world.clone(), 1);
    let mut dice = Dice::new(8, &["lessons"]);
    for problem in world.problems(Split::Train) {
        let question = problem.question();
        let response = wrong_answer(problem, &mut dice);
        let found = teacher.diagnose(&question, &response, None, 0).unwrap();
        let texts = [
            prompts.local(&question, &plain_trace(problem)).unwrap(),
            prompts.local(&question, "").unwrap(),
            prompts.diagnose(&question, &response).unwrap(),
            prompts.diagnosis_target(&found).unwrap(),
            prompts.repair(&question, "", &found).unwrap(),
            prompts.repair(&question, &response, &found).unwrap(),
            prompts.new_trace(&question).unwrap(),
        ];
        for text in texts {
            let encoding = tokenizer.encode(text.as_str(), false).unwrap();
            assert!(!encoding.get_tokens().iter().any(|token| token == UNKNOWN), "{text}");
            assert_eq!(tokenizer.decode(encoding.get_ids(), true).unwrap(), text);
        }
    }
}

#[test]
fn digits_are_single_tokens_and_turns_are_special() {
    let tokenizer = tokenizer();
    let encoding = tokenizer.encode("<|im_start|>user\nAda has 120 nuts.<|im_end|>\n", false).unwrap();
    let expected = [TURN_START, "user", "\n", "Ada", " has", " 1", "2", "0", " nuts", ".", TURN_END, "\n"];
    assert_eq!(encoding.get_tokens(), expected);
    let foreign = tokenizer.encode("Natalia\tsold", false).unwrap();
    assert_eq!(foreign.get_tokens(), [UNKNOWN, UNKNOWN, UNKNOWN]);
}

#[test]
fn tokens_are_distinct_and_few() {
    let tokens = tokens();
    assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), tokens.len());
    assert!((300..360).contains(&tokens.len()), "{}", tokens.len());
    assert_eq!(tokenizer().get_vocab_size(true), tokens.len());
}

#[test]
fn the_checked_in_base_has_this_vocabulary() {
    let checked_in = [BASE.config, BASE.generation_config, BASE.tokenizer, BASE.tokenizer_config];
    for ((name, made), stored) in files().iter().zip(checked_in) {
        assert!(made.as_bytes() == stored, "{name} is not what the code makes: run `footbridge world pretrain` again");
    }
}
