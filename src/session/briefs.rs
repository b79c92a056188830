//! What lists need to know of a group of rollouts, without its texts.
//!
//! A brief is written in the same batch as its group, under the same key ([`Record::BRIEF`]), so the two cannot part:
//! a frame is in the journal and in the store as a whole or not at all. Groups of sessions that were written before
//! there were briefs are read themselves.

use std::iter::Peekable;

use serde::{Deserialize, Serialize};

use super::records::RolloutGroup;
use super::{Keys, Record, Result, Scan, Session};
use crate::domain::{Finish, GroupOutcome, Provenance};
use crate::recipe::SamplingRecipe;

/// A group of rollouts without its texts. Key: as the group's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RolloutBrief {
    /// Question id.
    pub question: String,
    /// What they were measured with.
    pub provenance: Provenance,
    /// How they were drawn.
    pub sampling: SamplingRecipe,
    /// Number of rollouts, n.
    pub n: u32,
    /// Number of right ones, k.
    pub correct: u32,
    /// Number from which an answer could be read.
    pub parsed: u32,
    /// Number that ran out of new tokens.
    pub cut: u32,
    /// Tokens generated over all of them.
    pub tokens: u64,
}

impl Record for RolloutBrief {
    const TABLE: &'static str = "rollouts-brief";
    const VERSION: u32 = 1;
}

impl RolloutBrief {
    /// The brief of a group.
    pub fn of(group: &RolloutGroup) -> Self {
        let count =
            |of: &dyn Fn(&crate::domain::Rollout) -> bool| group.rollouts.iter().filter(|r| of(r)).count() as u32;
        Self {
            question: group.question.clone(),
            provenance: group.provenance.clone(),
            sampling: group.sampling,
            n: group.n(),
            correct: group.correct(),
            parsed: count(&|r| r.answer.is_some()),
            cut: count(&|r| r.finish == Finish::Length),
            tokens: group.tokens(),
        }
    }

    /// ρ of eq. 3; 0 of an empty group.
    pub fn rho(&self) -> f64 {
        f64::from(self.correct) / f64::from(self.n.max(1))
    }

    /// All-zero, mixed or all-one (eq. 14); `None` of an empty group.
    pub fn outcome(&self) -> Option<GroupOutcome> {
        GroupOutcome::of(self.correct, self.n)
    }
}

/// Briefs of groups in order of their keys. Made by [`Session::rollout_briefs`]; holds one at a time.
pub struct RolloutBriefs<'a> {
    session: &'a Session,
    groups: Keys<'a>,
    briefs: Peekable<Scan<'a, RolloutBrief>>,
}

impl Session {
    /// A brief of every group of rollouts whose key begins with `prefix`, in order of their keys.
    pub fn rollout_briefs(&self, prefix: &str) -> RolloutBriefs<'_> {
        let groups = self.keys::<RolloutGroup>(prefix);
        RolloutBriefs { session: self, groups, briefs: self.scan(prefix).peekable() }
    }
}

impl RolloutBriefs<'_> {
    fn brief(&mut self, key: &str) -> Result<Option<RolloutBrief>> {
        let earlier = |item: &Result<(String, RolloutBrief)>| matches!(item, Ok((at, _)) if at.as_str() < key);
        while self.briefs.next_if(earlier).is_some() {}
        let here = |item: &Result<(String, RolloutBrief)>| item.as_ref().map_or(true, |(at, _)| at == key);
        match self.briefs.next_if(here) {
            Some(item) => item.map(|(_, brief)| Some(brief)),
            None => Ok(self.session.get::<RolloutGroup>(key)?.map(|group| RolloutBrief::of(&group))),
        }
    }
}

impl Iterator for RolloutBriefs<'_> {
    type Item = Result<(String, RolloutBrief)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let key = match self.groups.next()? {
                Ok(key) => key,
                Err(e) => return Some(Err(e)),
            };
            match self.brief(&key) {
                Ok(Some(brief)) => return Some(Ok((key, brief))),
                Ok(None) => {}
                Err(e) => return Some(Err(e)),
            }
        }
    }
}
