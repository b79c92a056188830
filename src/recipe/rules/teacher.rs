//! What the settings of a model teacher owe each other. What could be a secret is never shown.

use super::Broken;
use crate::recipe::types::TeacherRecipe;

/// The relations that do not hold.
pub(in crate::recipe) fn broken(teacher: &TeacherRecipe) -> Vec<Broken> {
    let model = (teacher.kind == "openai").then(|| api(teacher)).into_iter().flatten();
    [key(teacher), price(teacher), extra(teacher), local(teacher), replay(teacher)]
        .into_iter()
        .flatten()
        .chain(model)
        .collect()
}

fn api(teacher: &TeacherRecipe) -> impl Iterator<Item = Broken> {
    let url = &teacher.base_url;
    let secret = url.contains(['?', '#', '@']);
    let address = match url.as_str() {
        "" => Some(
            "teacher.base_url is empty; teacher.kind \"openai\" needs the address of its API, as in \"http://localhost:8000/v1\"",
        ),
        _ if secret => Some(
            "teacher.base_url has a user name, a query or a fragment; leave them out, and name the variable of the key in teacher.api_key_env",
        ),
        _ => None,
    };
    let model = teacher.model.trim().is_empty().then_some(
        "teacher.model is empty; teacher.kind \"openai\" needs the model's name at its API, as in \"qwen-plus\"",
    );
    let address = address.map(|text| Broken { keys: &["teacher.base_url", "teacher.kind"], text: text.into() });
    let model = model.map(|text| Broken { keys: &["teacher.model", "teacher.kind"], text: text.into() });
    address.into_iter().chain(model)
}

/// A key pasted in the place of its variable would be written into the session.
fn key(teacher: &TeacherRecipe) -> Option<Broken> {
    let part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let name = &teacher.api_key_env;
    let good = name.chars().all(part) && !name.starts_with(|c: char| c.is_ascii_digit());
    (!good).then(|| Broken {
        keys: &["teacher.api_key_env"],
        text: "teacher.api_key_env must be the name of an environment variable (A to Z, digits, _), as in \
               \"OPENAI_API_KEY\", and never the key itself"
            .into(),
    })
}

fn local(teacher: &TeacherRecipe) -> Option<Broken> {
    (teacher.kind == "local" && teacher.path.trim().is_empty()).then(|| Broken {
        keys: &["teacher.path", "teacher.kind"],
        text: "teacher.path is empty; teacher.kind \"local\" needs its model: a Hugging Face folder, a hub id, or session:checkpoint".into(),
    })
}

fn replay(teacher: &TeacherRecipe) -> Option<Broken> {
    (teacher.kind == "replay" && teacher.replay.trim().is_empty()).then(|| Broken {
        keys: &["teacher.replay", "teacher.kind"],
        text:
            "teacher.replay is empty; teacher.kind \"replay\" needs a recording (`footbridge teacher export` makes one)"
                .into(),
    })
}

fn price(teacher: &TeacherRecipe) -> Option<Broken> {
    (teacher.budget.is_some() && teacher.price_in == 0.0 && teacher.price_out == 0.0).then(|| Broken {
        keys: &["teacher.budget"],
        text: "teacher.budget counts money, and teacher.price_in and teacher.price_out are 0; set the prices of a \
               million tokens, or use teacher.budget_tokens"
            .into(),
    })
}

fn extra(teacher: &TeacherRecipe) -> Option<Broken> {
    let object = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| value.is_object());
    (!teacher.extra_body.is_empty() && !object(&teacher.extra_body)).then(|| Broken {
        keys: &["teacher.extra_body"],
        text: "teacher.extra_body must be a JSON object, as in '{\"enable_thinking\": false}'".into(),
    })
}
