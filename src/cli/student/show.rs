//! What can be said of a student without reading its weights.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::super::exit::Failure;
use crate::pipeline::locate::Place;
use crate::pipeline::memory::{self, Demand, available::available, parameters, plan, size};
use crate::pipeline::teaching::local_shape;
use crate::recipe::Recipe;
use crate::student::RopeScaling;
use crate::student::adapter::Adapter;

/// A student, described.
#[derive(Debug, Serialize)]
pub struct Shown {
    student: String,
    /// Of an adapter: what it is, and over which base.
    #[serde(skip_serializing_if = "Option::is_none")]
    adapter: Option<String>,
    family: &'static str,
    parameters: u64,
    tied: bool,
    /// Bytes of the stored weights by number type.
    stored: BTreeMap<String, u64>,
    layers: usize,
    hidden: usize,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    intermediate: usize,
    vocabulary: usize,
    tokens: usize,
    context: usize,
    rope: String,
    template_sha256: String,
    end_of_turn: Vec<(u32, String)>,
    pad: (u32, String),
    threads: usize,
    memory: Vec<MomentShown>,
    available: Option<u64>,
    #[serde(skip)]
    plan: String,
}

#[derive(Debug, Serialize)]
struct MomentShown {
    moment: &'static str,
    bytes: u64,
    parts: BTreeMap<&'static str, u64>,
}

/// Describes the student that `word` finds, for a run of `recipe` on `threads` threads.
pub fn of((word, place): (&str, &Place), recipe: Option<&str>, threads: usize) -> Result<Shown, Failure> {
    let recipe = recipe.map_or_else(|| Ok(Recipe::default()), Recipe::find).map_err(Failure::usage)?;
    let (student, stored) = place.hollow().map_err(Failure::usage)?;
    let c = &student.config;
    let rope = match c.rope_scaling {
        RopeScaling::None => format!("base {}", c.rope_theta),
        RopeScaling::Linear { factor } => format!("base {}, linear ×{factor}", c.rope_theta),
        RopeScaling::Llama3 { factor, original, .. } => {
            format!("base {}, llama3 ×{factor} beyond {original}", c.rope_theta)
        }
    };
    let teacher = local_shape(&recipe, threads).map_err(Failure::usage)?;
    let plan = plan(c, &Demand::of(&recipe, c, threads).taught_by(teacher.as_ref(), &recipe));
    let moments = plan.moments.iter().map(|moment| MomentShown {
        moment: moment.name,
        bytes: moment.bytes(),
        parts: moment.parts.iter().map(|part| (part.what, part.bytes)).collect(),
    });
    let name = |id: u32| (id, student.tokenizer.name(id).unwrap_or_default());
    Ok(Shown {
        student: word.to_owned(),
        adapter: place.adapter().map(Adapter::describe),
        family: c.family.model_type(),
        parameters: parameters(c),
        tied: c.tied,
        stored,
        layers: c.layers,
        hidden: c.hidden_size,
        heads: c.heads,
        kv_heads: c.kv_heads,
        head_dim: c.head_dim,
        intermediate: c.intermediate_size,
        vocabulary: c.vocab_size,
        tokens: student.tokenizer.len(),
        context: c.max_positions,
        rope,
        template_sha256: hex::encode(Sha256::digest(student.template.source().as_bytes())),
        end_of_turn: student.end_of_turn.iter().map(|id| name(*id)).collect(),
        pad: name(student.pad),
        threads,
        memory: moments.collect(),
        available: available(),
        plan: plan.moments.iter().map(|moment| format!("            {moment}\n")).collect(),
    })
}

impl Shown {
    /// As one JSON document.
    pub fn json(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(Failure::failed)
    }

    /// As lines for people.
    pub fn text(&self) -> String {
        let tied = if self.tied { "tied embeddings" } else { "an output matrix of its own" };
        let stored: Vec<String> =
            self.stored.iter().map(|(kind, bytes)| format!("{kind}, {}", memory::size(*bytes))).collect();
        let named = |(id, name): &(u32, String)| format!("{name} ({id})");
        let ends: Vec<String> = self.end_of_turn.iter().map(named).collect();
        let there = self.available.map_or_else(|| "not known".to_owned(), size);
        format!(
            "student     {}\n{}family      {}\nparameters  {}, {tied}\nstored as   {}\nshape       {} layers of {}, {} \
             heads of {} ({} for keys and values), feed-forward {}\nvocabulary  {} rows, {} tokens\ncontext     {} \
             tokens, rotary {}\ntemplate    sha256 {}\nend of turn {}\npad         {}\nmemory      of a run on {} \
             threads at the longest texts its recipe allows; available: {there}\n{}",
            self.student,
            self.adapter.as_ref().map(|adapter| format!("adapter     {adapter}\n")).unwrap_or_default(),
            self.family,
            crate::workbench::text::count(self.parameters),
            stored.join(" + "),
            self.layers,
            self.hidden,
            self.heads,
            self.head_dim,
            self.kv_heads,
            self.intermediate,
            self.vocabulary,
            self.tokens,
            self.context,
            self.rope,
            &self.template_sha256[..12],
            ends.join(", "),
            named(&self.pad),
            self.threads,
            self.plan,
        )
    }
}
