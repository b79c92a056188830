//! Prompts: what the built-in ones carry, what a template may not do and where that is told, folders and sessions.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use footbridge::domain::{Question, Role};
use footbridge::pipeline::teaching::{keep_prompts, prompts_of};
use footbridge::recipe::Recipe;
use footbridge::session::records::{PromptChange, Status, Trace};
use footbridge::session::{Author, Batch, NewSession, Sessions};
use footbridge::teacher::{PromptKind, PromptSet, Prompts};

fn question() -> Question {
    Question { id: "q".into(), text: "THE QUESTION".into(), gold: "4711".into(), ..Question::default() }
}

fn with(file: &str, text: &str) -> Result<Prompts, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(file), text).unwrap();
    let found = Prompts::standard().unwrap().overridden(folder.path());
    found.map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

#[test]
fn the_teachers_prompts_carry_their_inputs_and_ask_for_their_form() {
    let (prompts, question) = (Prompts::standard().unwrap(), question());
    let steps: Vec<String> = ["FIRST", "SECOND", "THIRD"].map(String::from).to_vec();
    let edit = |kind| prompts.stepwise(kind, &question, "BEFORE", "STEP").unwrap();
    let cases = [
        (prompts.trace(&question).unwrap(), vec!["THE QUESTION", "#### 42"], vec!["4711"]),
        (
            prompts.importance(&question, &steps, 1).unwrap(),
            vec!["THE QUESTION", "4711", "FIRST\nSECOND\nTHIRD", "FIRST\nTHIRD", "0, 0.25, 0.5, 0.75, 1"],
            vec![],
        ),
        (
            prompts.jumpiness(&question, &steps, 1).unwrap(),
            vec!["THE QUESTION", "FIRST", "SECOND", "0, 0.25, 0.5, 0.75, 1"],
            vec!["THIRD", "4711"],
        ),
        (edit(PromptKind::Compress), vec!["BEFORE", "STEP", "NOTHING"], vec!["4711"]),
        (edit(PromptKind::Expand), vec!["THE QUESTION", "BEFORE", "STEP"], vec!["4711"]),
        (edit(PromptKind::Localize), vec!["THE QUESTION", "BEFORE", "STEP"], vec!["4711"]),
        (
            prompts.diagnosis(&question, "WRONG", Some("RIGHT")).unwrap(),
            vec!["THE QUESTION", "4711", "WRONG", "RIGHT", "first_error", "short_correct_reasoning", "120"],
            vec![],
        ),
    ];
    for (messages, holds, lacks) in cases {
        let roles: Vec<Role> = messages.iter().map(|message| message.role).collect();
        assert_eq!(roles, [Role::System, Role::User]);
        let all = format!("{}\n{}", messages[0].content, messages[1].content);
        for part in holds {
            assert!(all.contains(part), "{part} is not in {all}");
        }
        for part in lacks {
            assert!(!all.contains(part), "{part} is in {all}");
        }
    }
    let alone = prompts.diagnosis(&question, "WRONG", None).unwrap();
    assert!(!alone[1].content.contains("right solution"), "{}", alone[1].content);
}

#[test]
fn a_template_that_does_not_work_is_told_with_file_and_line() {
    let cases = [
        ("local.j2", "{{ question }}\n{{ prefix }} {{ gold }}", "local.j2:2: there is no variable `gold`"),
        ("local.j2", "{{ question }}", "local.j2:1: the template never uses `prefix`"),
        ("repair.j2", "\n{{ diagnosis.correct_next_step }}", "repair.j2:2: there is no variable `diagnosis.correct"),
        ("question.j2", "a\nb\n{% include 'question' %}", "question.j2:3: `include` is not for prompts"),
        ("question.j2", "{% import 'a' as b %}", "question.j2:1: `import` is not for prompts"),
        ("question.j2", "{% extends 'a' %}", "question.j2:1: `extends` is not for prompts"),
        ("question.j2", "\n{% for a in question %}{% endfor %}", "question.j2:2: `for` is not for prompts"),
        ("question.j2", "{% set a = question %}", "question.j2:1: `set` is not for prompts"),
        ("question.j2", "{% macro a() %}{% endmacro %}", "question.j2:1: `macro` is not for prompts"),
        ("question.j2", "{{ question() }}", "question.j2:1: `(` is not for prompts"),
        ("question.j2", "{{ question|upper }}", "question.j2:1: `|` is not for prompts"),
        ("question.j2", "{{ question * 9 }}", "question.j2:1: `*` is not for prompts"),
        ("question.j2", "{{ question ~ question }}", "question.j2:1: `~` is not for prompts"),
        ("question.j2", "{{ question.upper }}", "question.j2:1: there is no variable `question.upper`"),
        ("question.j2", "a\n{{ question ", "question.j2:2: a tag is never closed"),
        ("question.j2", "{{ question }}\n{% if question %}", "question.j2:"),
        ("question.j2", "{{ question }}{# open", "question.j2:1: a comment {# is never closed"),
        ("question.j2", "{# system #}\na\n{# user #}\n{{ question }}", "question.j2:1: what the student is asked"),
        ("trace.j2", "a\n{# user #}\n{{ question }}", "trace.j2:2: there is text above the first turn"),
        ("trace.j2", "{# user #}\n{{ question }}\n{# user #}\nb", "trace.j2:1: a prompt has one"),
        ("trace.j2", "{# system #}\na\n{# user #}\n{{ question }}\n{{ x }}", "trace.j2:5: there is no variable `x`"),
        ("qestion.j2", "{{ question }}", "qestion.j2: no prompt has this name; the nearest is question.j2"),
        ("question.txt", "{{ question }}", "question.txt: no prompt has this name; the nearest is question.j2"),
    ];
    for (file, text, told) in cases {
        let error = with(file, text).unwrap_err();
        assert!(error.starts_with(told), "{text:?}: {error}");
    }
    let long = format!("{{{{ question }}}}{}", " ".repeat(100_000));
    assert!(with("question.j2", &long).unwrap_err().contains("at most"));
}

#[test]
fn what_a_template_may_do() {
    let asked = |text: &str| with("question.j2", text).unwrap().student(&question()).unwrap();
    assert_eq!(asked("{{ question }}"), "THE QUESTION");
    assert_eq!(asked("{# user #}\n{{question}} {# aside #}!\n"), "THE QUESTION !");
    assert_eq!(
        asked("{% if question == 'x' %}a{% elif not question %}b{% else %}{{ question }}{% endif %}"),
        "THE QUESTION"
    );
    assert_eq!(asked("{{ question }} {{ '{{' }} \\frac{1}{2}"), "THE QUESTION {{ \\frac{1}{2}");
}

#[test]
fn prompt_files_cannot_read_other_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret.txt"), "SECRET").unwrap();
    for name in ["secret.txt", "../secret.txt", "/etc/hostname"] {
        for way in ["{% include 'X' %}", "{% import 'X' as x %}", "{% from 'X' import x %}", "{% extends 'X' %}"] {
            let text = format!("{{{{ question }}}}{}", way.replace('X', name));
            assert!(with("question.j2", &text).is_err(), "{text}");
        }
    }
    let prompts = Prompts::standard().unwrap();
    let question = Question { text: "{% include 'local' %}{{ gold }}".into(), ..question() };
    assert!(prompts.student(&question).unwrap().starts_with("{% include 'local' %}{{ gold }}"));
    assert!(prompts.trace(&question).unwrap()[1].content.contains("{% include 'local' %}{{ gold }}"));
}

#[cfg(unix)]
#[test]
fn a_link_is_no_prompt() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, "{{ question }} SECRET").unwrap();
    let prompts = folder.path().join("prompts");
    fs::create_dir(&prompts).unwrap();
    std::os::unix::fs::symlink(&elsewhere, prompts.join("question.j2")).unwrap();
    let error = Prompts::standard().unwrap().overridden(&prompts).unwrap_err().to_string();
    assert!(error.ends_with("a prompt is a plain file, not a link or a folder"), "{error}");
}

#[test]
fn files_of_a_folder_take_the_place_of_built_in_prompts() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("trace.j2"), "Solve {{ question }}").unwrap();
    fs::write(folder.path().join(".hidden"), "{% nonsense").unwrap();
    fs::write(folder.path().join("README.md"), "about these").unwrap();
    let built_in = Prompts::standard().unwrap();
    let prompts = Prompts::standard().unwrap().overridden(folder.path()).unwrap();
    assert_eq!(prompts.trace(&question()).unwrap()[0].content, "Solve THE QUESTION");
    for kind in PromptKind::ALL {
        assert_eq!(prompts.hash(kind) == built_in.hash(kind), kind != PromptKind::Trace, "{kind:?}");
    }
    let missing = Prompts::standard().unwrap().overridden(Path::new("no/such/folder")).unwrap_err();
    assert!(missing.to_string().starts_with("no/such/folder: cannot be read"), "{missing}");
}

#[test]
fn a_session_keeps_its_prompts_and_a_change_there_has_another_hash() {
    let home = tempfile::tempdir().unwrap();
    let recipe = Recipe::preset("demo").unwrap().to_toml();
    let session = Sessions::at(home.path()).create("s", &NewSession { recipe: &recipe, seed: 1 }).unwrap();
    let begun = keep_prompts(&session, Prompts::world().unwrap()).unwrap();
    let folder = session.dir().join("prompts");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), PromptKind::ALL.len());
    assert_eq!(begun.set(), PromptSet::World);
    // Another program's built-in prompts don't change the session.
    let resumed = prompts_of(&session, Prompts::standard().unwrap()).unwrap();
    for kind in PromptKind::ALL {
        assert_eq!(resumed.source(kind), begun.source(kind));
    }
    fs::write(folder.join("local.j2"), "{{ question }} {{ prefix }} next:").unwrap();
    let changed = keep_prompts(&session, Prompts::world().unwrap()).unwrap();
    assert_ne!(changed.hash(PromptKind::Local), begun.hash(PromptKind::Local));
    assert_eq!(changed.student_hash(), begun.student_hash());
    fs::write(folder.join("local.j2"), "{{ question }}").unwrap();
    assert!(prompts_of(&session, Prompts::world().unwrap()).unwrap_err().to_string().contains("local.j2:1:"));
}

fn footbridge(args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_footbridge")).args(args).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_verb_lists_shows_renders_and_checks() {
    let (code, listed, _) = footbridge(&["prompts", "list"]);
    assert_eq!(code, Some(0));
    for kind in PromptKind::ALL {
        assert!(listed.lines().any(|line| line.trim_start().starts_with(kind.name())), "{listed}");
    }
    let (code, shown, _) = footbridge(&["prompts", "show", "trace"]);
    assert_eq!((code, shown.trim_end()), (Some(0), Prompts::world().unwrap().source(PromptKind::Trace).trim_end()));
    let (code, rendered, told) = footbridge(&["prompts", "render", "diagnosis", "--text", "What is 40 + 2?"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        rendered.starts_with("[system]\n") && rendered.contains("\n[user]\n") && rendered.contains("What is 40 + 2?")
    );
    let (code, rendered, told) = footbridge(&["prompts", "render", "importance", "--question", "train-0001"]);
    assert!(code == Some(0) && rendered.contains("The step that is taken out:"), "{told}");
    let (code, _, told) = footbridge(&["prompts", "show", "importence"]);
    assert_eq!((code, told.trim()), (Some(2), "error: there is no prompt `importence`; the nearest is `importance`"));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("expand.j2"), "{{ step }}\n{{ nothing }}").unwrap();
    let (code, _, told) = footbridge(&["prompts", "check", &folder.path().display().to_string()]);
    assert!(code == Some(2) && told.contains("expand.j2:2: there is no variable `nothing`"), "{told}");
}

#[test]
fn the_verb_changes_a_prompt_of_a_session() {
    let home = tempfile::tempdir().unwrap();
    let recipe = Recipe::preset("demo").unwrap().to_toml();
    let sessions = Sessions::at(home.path());
    let session = sessions.create("s", &NewSession { recipe: &recipe, seed: 1 }).unwrap();
    let begun = keep_prompts(&session, Prompts::world().unwrap()).unwrap();
    let trace = Trace {
        question: "q".into(),
        text: "2 = 2\n#### 2".into(),
        teacher: "t".into(),
        attempts: 1,
        prompts: [("trace".to_string(), begun.hash(PromptKind::Trace))].into(),
        status: Status::Approved,
        decided: None,
    };
    let mut batch = Batch::new(Author::Pipeline);
    batch.put("q", &trace);
    session.write(batch).unwrap();
    drop(session);
    let file = home.path().join("new.j2");
    let set = |name: &str, text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        let (file, home) = (file.display().to_string(), home.path().display().to_string());
        let args = ["prompts", "set", "s", name, &file, "--sessions-dir", &home];
        footbridge(&[&args, more].concat())
    };
    let local = "{{ question }} {{ prefix }} and so on";
    let (code, said, told) = set("local", local, &["--as", "ada"]);
    assert!(code == Some(0) && said.starts_with("the prompt local is "), "{said}{told}");
    let session = sessions.open_read_only("s").unwrap();
    let change = session.get::<PromptChange>("local").unwrap().unwrap();
    assert_eq!((change.text.as_str(), change.decided.by.to_string()), (local, "researcher ada".to_string()));
    assert_eq!(prompts_of(&session, Prompts::world().unwrap()).unwrap().source(PromptKind::Local), local);
    drop(session);
    let trace = begun.source(PromptKind::Trace).to_string() + "\nBe brief.";
    for (name, text, why) in [
        ("local", local, "says that already"),
        ("local", "{{ nothing }}", "new.j2:1: there is no variable `nothing`"),
        ("locale", local, "the nearest is `local`"),
        ("trace", trace.as_str(), "was used: 1 traces; those stay as they are, and what comes after differs; --yes"),
    ] {
        let (code, said, told) = set(name, text, &[]);
        assert!(code == Some(2) && said.is_empty() && told.contains(why), "{name}: {code:?} {said}{told}");
        assert_eq!(told.trim().lines().count(), 1, "{told}");
    }
    assert_eq!(set("trace", &trace, &["--yes"]).0, Some(0));
}
