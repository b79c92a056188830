//! What may be spent. A call reserves the most it could take before it is made and settles for what it took; the sum of
//! both never passes the budget.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::teacher::{TeacherError, Usage};

/// Prices of a million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prices {
    /// Of tokens read.
    pub read: f64,
    /// Of tokens written.
    pub written: f64,
}

impl Prices {
    /// Money for tokens read and written.
    pub fn of(self, (read, written): (u64, u64)) -> f64 {
        (read as f64 * self.read + written as f64 * self.written) / 1e6
    }
}

/// The two limits; `None` sets none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Money.
    pub money: Option<f64>,
    /// Tokens read and written.
    pub tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    money: f64,
    tokens: u64,
    held_money: f64,
    held_tokens: u64,
}

/// The budget of a session.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    prices: Prices,
    sums: Mutex<Sums>,
    freed: Notify,
}

impl Budget {
    /// A budget of which `earlier` is spent already.
    pub fn new(limits: Limits, prices: Prices, earlier: &Usage) -> Self {
        let sums = Sums { money: earlier.cost, tokens: earlier.tokens(), ..Sums::default() };
        Self { limits, prices, sums: Mutex::new(sums), freed: Notify::new() }
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves the most a call could take. Waits while only calls under way stand between it and the budget.
    ///
    /// # Errors
    /// [`TeacherError::BudgetSpent`] where what is left would not do even with no other call under way.
    pub async fn reserve(self: &Arc<Self>, most: (u64, u64)) -> Result<Hold, TeacherError> {
        let (money, tokens) = (self.prices.of(most), most.0 + most.1);
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            freed.as_mut().enable();
            {
                let mut sums = self.sums();
                self.spent(&sums, money, tokens)?;
                let fits = self.limits.money.is_none_or(|limit| sums.money + sums.held_money + money <= limit)
                    && self.limits.tokens.is_none_or(|limit| sums.tokens + sums.held_tokens + tokens <= limit);
                if fits {
                    sums.held_money += money;
                    sums.held_tokens += tokens;
                    return Ok(Hold { budget: self.clone(), money, tokens });
                }
            }
            freed.await;
        }
    }

    fn spent(&self, sums: &Sums, money: f64, tokens: u64) -> Result<(), TeacherError> {
        if let Some(limit) = self.limits.money.filter(|limit| sums.money + money > *limit) {
            return Err(TeacherError::BudgetSpent(format!(
                "the teacher's budget is spent: {:.4} of {limit}, and the next call may take {money:.4}; raise \
                 teacher.budget, then resume",
                sums.money
            )));
        }
        if let Some(limit) = self.limits.tokens.filter(|limit| sums.tokens + tokens > *limit) {
            return Err(TeacherError::BudgetSpent(format!(
                "the teacher's budget is spent: {} of {limit} tokens, and the next call may take {tokens}; raise \
                 teacher.budget_tokens, then resume",
                sums.tokens
            )));
        }
        Ok(())
    }
}

/// A reservation; dropped without being settled, it took nothing.
#[derive(Debug)]
pub struct Hold {
    budget: Arc<Budget>,
    money: f64,
    tokens: u64,
}

impl Hold {
    /// Puts what was taken in the place of what was reserved; gives its money.
    pub fn settle(self, took: (u64, u64)) -> f64 {
        let money = self.budget.prices.of(took);
        let mut sums = self.budget.sums();
        sums.money += money;
        sums.tokens += took.0 + took.1;
        drop(sums);
        money
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut sums = self.budget.sums();
        sums.held_money -= self.money;
        sums.held_tokens -= self.tokens;
        drop(sums);
        self.budget.freed.notify_waiters();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn budget(money: Option<f64>, tokens: Option<u64>) -> Arc<Budget> {
        let earlier = Usage { prompt_tokens: 100, cost: 1.0, ..Usage::default() };
        let prices = Prices { read: 1e6, written: 2e6 };
        Arc::new(Budget::new(Limits { money, tokens }, prices, &earlier))
    }

    #[test]
    fn calls_wait_for_those_under_way_and_stop_at_the_limit() {
        let budget = budget(Some(10.0), None);
        let first = budget.reserve((2, 2)).now_or_never().unwrap().unwrap();
        assert!(budget.reserve((2, 2)).now_or_never().is_none(), "1 spent, 6 held: 6 more may fit later");
        let mut waiting = Box::pin(budget.reserve((2, 2)));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert_eq!(first.settle((1, 1)), 3.0);
        let second = waiting.now_or_never().unwrap().unwrap();
        second.settle((2, 2));
        let error = budget.reserve((1, 0)).now_or_never().unwrap().unwrap_err();
        assert!(matches!(&error, TeacherError::BudgetSpent(text) if text.contains("10.0000 of 10")), "{error}");
    }

    #[test]
    fn a_dropped_hold_took_nothing_and_tokens_are_counted_too() {
        let budget = budget(None, Some(130));
        drop(budget.reserve((10, 20)).now_or_never().unwrap().unwrap());
        budget.reserve((10, 20)).now_or_never().unwrap().unwrap().settle((10, 5));
        assert!(budget.reserve((10, 10)).now_or_never().unwrap().is_err());
        assert!(budget.reserve((10, 5)).now_or_never().unwrap().is_ok());
    }
}
