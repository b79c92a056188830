//! A smaller run of the same recipe.

use super::types::Recipe;

impl Recipe {
    /// At most so many questions of each kind: training, dev, every benchmark or generated bank.
    pub fn limit(&mut self, limit: usize) {
        let most = |count: &mut usize| *count = if *count == 0 { limit } else { limit.min(*count) };
        let data = &mut self.data;
        data.dev = data.dev.min(limit);
        most(&mut data.train);
        most(&mut self.evaluate.limit);
        if data.source == "world" {
            data.test = data.test.min(limit);
            data.ood = data.ood.min(limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_holds_for_every_kind_of_question() {
        let mut recipe = Recipe::default();
        recipe.limit(12);
        assert_eq!((recipe.data.train, recipe.data.dev, recipe.evaluate.limit), (12, 12, 12));
        recipe.data.train = 5;
        recipe.limit(7);
        assert_eq!((recipe.data.train, recipe.data.dev, recipe.evaluate.limit), (5, 7, 7));
    }
}
