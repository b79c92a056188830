//! Decisions as they are written, taken back and restored. Nothing is ever removed: an undo is a decision too, and the way
//! back from it is the redo.
//!
//! What belongs together is taken back together: trace, scores and bridge of a question are one scope, each diagnosis is
//! its own ([`ProductId::scope`]). Within a scope decisions are a stack, so that a value is only ever restored over the
//! value that replaced it. A new decision ends the redo of its own scopes, not of others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::act::Request;
use super::desk::Desk;
use super::error::ReviewError;
use super::product::{Product, ProductId};
use super::{Applied, trained};
use crate::session::records::{Decided, DecidedChange, DecisionKind, ReviewDecision};
use crate::session::{Author, Batch, Session, SessionError, Value};

/// What a request wants changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// In words.
    pub line: String,
    /// What the researcher should know.
    pub notes: Vec<String>,
    after: BTreeMap<ProductId, Product>,
}

impl Changes {
    pub fn of(line: String) -> Self {
        Self { line, ..Self::default() }
    }

    pub fn one(line: String, id: ProductId, product: Product) -> Self {
        Self { line, notes: Vec::new(), after: BTreeMap::from([(id, product)]) }
    }

    pub fn put(&mut self, id: ProductId, product: Product) {
        self.after.insert(id, product);
    }

    pub fn holds(&self, id: &ProductId) -> bool {
        self.after.contains_key(id)
    }

    pub fn is_empty(&self) -> bool {
        self.after.is_empty()
    }

    /// The product where it is one, else their number.
    pub fn named(&self) -> String {
        match self.after.keys().next() {
            Some(id) if self.after.len() == 1 => id.to_string(),
            _ => format!("{} products", self.after.len()),
        }
    }
}

/// Who decides: as named, else the user's account.
pub fn author(by: Option<&str>) -> Author {
    let named = by.map(str::to_string).filter(|name| !name.trim().is_empty());
    let name = named.or_else(|| std::env::var("USER").ok().filter(|name| !name.is_empty()));
    Author::Researcher(name.unwrap_or_else(|| "researcher".into()))
}

/// Signs the changes and writes them with their decision, as one frame.
pub(super) fn record(desk: &Desk<'_>, request: &Request, changes: Changes) -> Result<Applied, ReviewError> {
    let decided = Decided { by: author(request.by.as_deref()), at: now(), reason: request.reason.clone() };
    let Changes { line, notes, after } = changes;
    let mut changed = Vec::new();
    for (id, mut product) in after {
        let before = Product::read(desk.session, &id)?;
        if before.as_ref() == Some(&product) {
            continue;
        }
        product.sign(decided.clone());
        changed.push((id, before, product));
    }
    if changed.is_empty() {
        return Err(ReviewError::Nothing("it stands so already".into()));
    }
    write(desk, ReviewDecision { decided, line, kind: DecisionKind::Made, changes: Vec::new() }, changed, notes)
}

type Changed = Vec<(ProductId, Option<Product>, Product)>;

fn write(
    desk: &Desk<'_>,
    mut decision: ReviewDecision,
    changed: Changed,
    mut notes: Vec<String>,
) -> Result<Applied, ReviewError> {
    let number = last(desk.session)? + 1;
    let said = match &decision.decided.reason {
        Some(reason) => format!("{}: {reason}", decision.line),
        None => decision.line.clone(),
    };
    let mut batch = Batch::new(decision.decided.by.clone()).because(said);
    let mut products = Vec::new();
    for (id, before, after) in changed {
        let (value, old) = (after.value(), before.map(|product| product.value()));
        after.put(&mut batch, &id.key);
        let before = way_back(old.unwrap_or_default(), &value);
        decision.changes.push(DecidedChange { product: id.to_string(), before, left: hash(&value) });
        products.push(id);
    }
    batch.put(&key(number), &decision);
    desk.session.write(batch)?;
    for stage in trained::stages(desk.session, &products)? {
        notes.push(format!("{stage} has trained on it as it was before; that stage does not change"));
    }
    Ok(Applied { decision: number, line: decision.line, products, notes })
}

/// Takes back the last decision, or the last one in a product's scope.
pub(super) fn undo(desk: &Desk<'_>, request: &Request, of: Option<&ProductId>) -> Result<Applied, ReviewError> {
    let stacks = Stacks::of(desk.session)?;
    let Some((origin, entries)) = stacks.next(|stack| stack.done.last(), |entry| entry.origin, of) else {
        return Err(ReviewError::Nothing("there is no decision left to take back".into()));
    };
    restore(desk, request, &entries, DecisionKind::Undo(origin))
}

/// Restores what was last taken back.
pub(super) fn redo(desk: &Desk<'_>, request: &Request, of: Option<&ProductId>) -> Result<Applied, ReviewError> {
    let stacks = Stacks::of(desk.session)?;
    let Some((_, entries)) = stacks.next(|stack| stack.undone.last(), |entry| entry.holder, of) else {
        return Err(ReviewError::Nothing("there is nothing to restore".into()));
    };
    let origin = entries.first().map_or(0, |(_, entry)| entry.origin);
    restore(desk, request, &entries, DecisionKind::Redo(origin))
}

/// Goes the way back of some scopes of one decision.
fn restore(
    desk: &Desk<'_>,
    request: &Request,
    entries: &[(String, Entry)],
    kind: DecisionKind,
) -> Result<Applied, ReviewError> {
    let mut changed = Vec::new();
    let holders: BTreeSet<u64> = entries.iter().map(|(_, entry)| entry.holder).collect();
    for holder in holders {
        let held = |scope: &str| entries.iter().any(|(s, entry)| entry.holder == holder && s == scope);
        for change in read(desk.session, holder)?.changes {
            let id: ProductId = change.product.parse().map_err(ReviewError::Unfit)?;
            if !held(&id.scope()) {
                continue;
            }
            let now = desk.product(&id)?;
            let value = now.value();
            if hash(&value) != change.left {
                return Err(ReviewError::ChangedSince(id));
            }
            let before = Product::from_value(id.kind, gone_back(value, &change.before))
                .map_err(|error| ReviewError::Unfit(format!("{id} as it was does not read: {error}")))?;
            changed.push((id, Some(now), before));
        }
    }
    let (verb, origin) = match kind {
        DecisionKind::Redo(origin) => ("restored", origin),
        DecisionKind::Undo(origin) => ("took back", origin),
        DecisionKind::Made => ("", 0),
    };
    let line = format!("{verb} decision {origin}: {}", read(desk.session, origin)?.line);
    let decided = Decided { by: author(request.by.as_deref()), at: now(), reason: request.reason.clone() };
    write(desk, ReviewDecision { decided, line, kind, changes: Vec::new() }, changed, Vec::new())
}

/// A decision in a scope's stack: the one that was made, and the one whose way back leads there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    origin: u64,
    holder: u64,
}

#[derive(Debug, Default)]
struct Stack {
    done: Vec<Entry>,
    undone: Vec<Entry>,
}

/// What is in force and what was taken back, by scope.
struct Stacks(BTreeMap<String, Stack>);

impl Stacks {
    /// Reads every decision once.
    fn of(session: &Session) -> Result<Self, ReviewError> {
        let mut stacks: BTreeMap<String, Stack> = BTreeMap::new();
        for item in session.scan::<ReviewDecision>("") {
            let (key, decision) = item?;
            let holder = key.parse().unwrap_or_default();
            let ids = decision.changes.iter().filter_map(|change| change.product.parse::<ProductId>().ok());
            let scopes: BTreeSet<String> = ids.map(|id| id.scope()).collect();
            for scope in scopes {
                let stack = stacks.entry(scope).or_default();
                match decision.kind {
                    DecisionKind::Made => {
                        stack.done.push(Entry { origin: holder, holder });
                        stack.undone.clear();
                    }
                    DecisionKind::Undo(origin) => {
                        stack.done.pop();
                        stack.undone.push(Entry { origin, holder });
                    }
                    DecisionKind::Redo(origin) => {
                        stack.undone.pop();
                        stack.done.push(Entry { origin, holder });
                    }
                }
            }
        }
        Ok(Self(stacks))
    }

    /// The latest entry by `rank` among the tops, and all scopes whose top it is. With a product, only its scope is
    /// looked at.
    fn next(
        &self,
        top: impl Fn(&Stack) -> Option<&Entry>,
        rank: impl Fn(&Entry) -> u64,
        of: Option<&ProductId>,
    ) -> Option<(u64, Vec<(String, Entry)>)> {
        let of = of.map(ProductId::scope);
        let scopes = self.0.iter().filter(|(scope, _)| of.as_ref().is_none_or(|of| of == *scope));
        let tops: Vec<(String, Entry)> =
            scopes.filter_map(|(scope, stack)| top(stack).map(|entry| (scope.clone(), *entry))).collect();
        let latest = tops.iter().map(|(_, entry)| rank(entry)).max()?;
        Some((latest, tops.into_iter().filter(|(_, entry)| rank(entry) == latest).collect()))
    }
}

/// Number of the last decision; 0 before the first.
fn last(session: &Session) -> Result<u64, SessionError> {
    let mut last = 0;
    for key in session.keys::<ReviewDecision>("") {
        last = key?.parse().unwrap_or(last);
    }
    Ok(last)
}

fn read(session: &Session, number: u64) -> Result<ReviewDecision, ReviewError> {
    let decision = session.get::<ReviewDecision>(&key(number))?;
    decision.ok_or_else(|| ReviewError::Nothing(format!("decision {number} is not in this session")))
}

fn key(number: u64) -> String {
    format!("{number:08}")
}

/// The fields of `before` that differ in `after`; `null` for those it did not have.
fn way_back(before: Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return Value::Null };
    let added = after.keys().filter(|name| !before.contains_key(*name)).map(|name| (name.clone(), Value::Null));
    let mut fields: serde_json::Map<String, Value> = added.collect();
    fields.extend(before.into_iter().filter(|(name, value)| after.get(name) != Some(value)));
    Value::Object(fields)
}

/// `value` with the fields of `way`.
fn gone_back(mut value: Value, way: &Value) -> Value {
    if let (Value::Object(fields), Value::Object(way)) = (&mut value, way) {
        for (name, old) in way {
            match old {
                Value::Null => drop(fields.remove(name)),
                old => drop(fields.insert(name.clone(), old.clone())),
            }
        }
    }
    value
}

fn hash(value: &Value) -> String {
    hex::encode(&Sha256::digest(value.to_string())[..8])
}

/// Unix time in milliseconds.
pub(in crate::pipeline) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}
