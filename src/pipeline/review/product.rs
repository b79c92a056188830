//! The four products of a teacher, as one thing that can be named, read, judged and written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::session::records::{BridgedTrace, Decided, Recycled, Scores, Status, Trace};
use crate::session::{Batch, Record, Session, SessionError, Value};

/// Which product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A solution of a question.
    Trace,
    /// I, J and D of its steps.
    Scores,
    /// The bridged trace.
    Bridge,
    /// The diagnosis of a failure.
    Recycled,
}

impl Kind {
    /// In the order in which a run makes them.
    pub const ALL: [Kind; 4] = [Kind::Trace, Kind::Scores, Kind::Bridge, Kind::Recycled];

    /// The table its records lie in; also the word for it.
    pub fn table(self) -> &'static str {
        match self {
            Kind::Trace => Trace::TABLE,
            Kind::Scores => Scores::TABLE,
            Kind::Bridge => BridgedTrace::TABLE,
            Kind::Recycled => Recycled::TABLE,
        }
    }
}

/// Names a product as lineages do: `bridge/train-0042`, `recycled/1/train-0042`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProductId {
    /// Which product.
    pub kind: Kind,
    /// Key of its record.
    pub key: String,
}

impl ProductId {
    /// A product by the key of its record.
    pub fn new(kind: Kind, key: impl Into<String>) -> Self {
        Self { kind, key: key.into() }
    }

    /// The question it belongs to.
    pub fn question(&self) -> &str {
        match self.kind {
            Kind::Recycled => self.key.split_once('/').map_or(&self.key, |(_, question)| question),
            _ => &self.key,
        }
    }

    /// The iteration that made it.
    pub fn iteration(&self) -> u32 {
        let of = self.key.split_once('/').filter(|_| self.kind == Kind::Recycled);
        of.and_then(|(iteration, _)| iteration.parse().ok()).unwrap_or(1)
    }

    /// What is undone and redone together: trace, scores and bridge of a question follow from each other, each diagnosis
    /// stands alone.
    pub fn scope(&self) -> String {
        match self.kind {
            Kind::Recycled => self.to_string(),
            _ => format!("question/{}", self.key),
        }
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.table(), self.key)
    }
}

impl FromStr for ProductId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = text.split_once('/').and_then(|(table, key)| {
            let kind = Kind::ALL.into_iter().find(|kind| kind.table() == table)?;
            let whole = !key.is_empty() && (kind != Kind::Recycled || key.contains('/'));
            whole.then(|| Self::new(kind, key))
        });
        known.ok_or_else(|| {
            format!(
                "`{text}` names no product; they are trace/QUESTION, scores/QUESTION, bridge/QUESTION and \
                 recycled/ITERATION/QUESTION"
            )
        })
    }
}

impl TryFrom<String> for ProductId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ProductId> for String {
    fn from(id: ProductId) -> Self {
        id.to_string()
    }
}

/// A product's record.
#[derive(Clone, Debug, PartialEq)]
pub enum Product {
    /// A solution.
    Trace(Trace),
    /// Its scores.
    Scores(Scores),
    /// The bridged trace.
    Bridge(BridgedTrace),
    /// A diagnosed failure.
    Recycled(Recycled),
}

macro_rules! each {
    ($product:expr, $record:ident => $what:expr) => {
        match $product {
            Product::Trace($record) => $what,
            Product::Scores($record) => $what,
            Product::Bridge($record) => $what,
            Product::Recycled($record) => $what,
        }
    };
}

impl Product {
    /// Reads a product; `None` where there is none.
    pub fn read(session: &Session, id: &ProductId) -> Result<Option<Self>, SessionError> {
        Ok(match id.kind {
            Kind::Trace => session.get(&id.key)?.map(Self::Trace),
            Kind::Scores => session.get(&id.key)?.map(Self::Scores),
            Kind::Bridge => session.get(&id.key)?.map(Self::Bridge),
            Kind::Recycled => session.get(&id.key)?.map(Self::Recycled),
        })
    }

    /// Every product of a kind, in order of the keys.
    pub fn all(session: &Session, kind: Kind) -> Result<Vec<(ProductId, Self)>, SessionError> {
        fn of<R: Record>(
            session: &Session,
            kind: Kind,
            product: impl Fn(R) -> Product,
        ) -> Result<Vec<(ProductId, Product)>, SessionError> {
            let named = |item: Result<(String, R), SessionError>| {
                item.map(|(key, record)| (ProductId::new(kind, key), product(record)))
            };
            session.scan::<R>("").map(named).collect()
        }
        match kind {
            Kind::Trace => of(session, kind, Self::Trace),
            Kind::Scores => of(session, kind, Self::Scores),
            Kind::Bridge => of(session, kind, Self::Bridge),
            Kind::Recycled => of(session, kind, Self::Recycled),
        }
    }

    /// Where it stands.
    pub fn status(&self) -> &Status {
        each!(self, record => &record.status)
    }

    /// Who decided last, if anybody did.
    pub fn decided(&self) -> Option<&Decided> {
        each!(self, record => record.decided.as_ref())
    }

    /// Puts it elsewhere.
    pub fn stand(&mut self, status: Status) {
        each!(self, record => record.status = status);
    }

    /// Says who decided so.
    pub fn sign(&mut self, decided: Decided) {
        each!(self, record => record.decided = Some(decided));
    }

    /// Adds it to a batch.
    pub fn put(&self, batch: &mut Batch, key: &str) {
        each!(self, record => drop(batch.put(key, record)));
    }

    /// As JSON.
    pub fn value(&self) -> Value {
        // A record that was read or built here writes as JSON; should one not, its `put` says why.
        each!(self, record => serde_json::to_value(record).unwrap_or_default())
    }

    /// From JSON.
    ///
    /// # Errors
    /// What does not read.
    pub fn from_value(kind: Kind, value: Value) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            Kind::Trace => Self::Trace(serde_json::from_value(value)?),
            Kind::Scores => Self::Scores(serde_json::from_value(value)?),
            Kind::Bridge => Self::Bridge(serde_json::from_value(value)?),
            Kind::Recycled => Self::Recycled(serde_json::from_value(value)?),
        })
    }

    /// What a person would search it by: its texts and reasons.
    pub fn words(&self) -> String {
        let mut words = match self {
            Self::Trace(trace) => trace.text.clone(),
            Self::Scores(scores) => scores.steps.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join("\n"),
            Self::Bridge(bridge) => {
                let steps = bridge.steps.iter().map(|s| format!("{} {}", s.action.as_str(), s.reason));
                format!("{}\n{}", bridge.bridged.text, steps.collect::<Vec<_>>().join("\n"))
            }
            Self::Recycled(recycled) => {
                let fields = recycled.diagnosis.as_ref().and_then(|d| serde_json::to_value(d).ok());
                let fields = fields.as_ref().and_then(Value::as_object).map(|fields| {
                    let texts = fields.values().filter_map(Value::as_str);
                    texts.collect::<Vec<_>>().join("\n")
                });
                format!("{}\n{}", recycled.response, fields.unwrap_or_default())
            }
        };
        if let Some(reason) = self.status().reason() {
            words.push('\n');
            words.push_str(reason);
        }
        words
    }
}
