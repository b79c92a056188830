//! How sure a number is: intervals for shares, means and differences, all at 95 %.

/// Two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % interval for a share of `k` in `n`, as (low, high) within [0, 1]. Without observations: (0, 1).
pub fn wilson(k: u64, n: u64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (n as f64, k.min(n) as f64 / n as f64);
    let z2 = Z * Z;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // At the ends the formula gives the end itself; rounding must not step over it.
    let low = if p == 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if p == 1.0 { 1.0 } else { (centre + half).min(1.0) };
    (low, high)
}

/// Mean and its normal 95 % interval, as (mean, low, high); the deviation divides by n − 1. One value stands alone:
/// (v, v, v); none gives (0, 0, 0).
pub fn mean_interval(values: &[f64]) -> (f64, f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0, 0.0);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if values.len() == 1 {
        return (mean, mean, mean);
    }
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = Z * (variance / n).sqrt();
    (mean, mean - half, mean + half)
}

/// A difference of two means over the same questions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Mean of `after − before`.
    pub mean: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Questions that both sides answered.
    pub n: usize,
}

impl Difference {
    /// The interval leaves 0 out.
    pub fn is_clear(&self) -> bool {
        self.n > 0 && (self.low > 0.0 || self.high < 0.0)
    }
}

/// Paired bootstrap: mean of `after − before` with a 95 % percentile interval over resampled questions.
///
/// `pairs` holds (before, after) of the same question, so what both sides share cancels. The same seed gives the same
/// interval. Costs `resamples × pairs` steps; 2,000 resamples are plenty. Without pairs everything is 0.
pub fn paired_bootstrap(pairs: &[(f64, f64)], resamples: u32, seed: u64) -> Difference {
    paired_bootstrap_of_means(&[pairs], resamples, seed)
}

/// [`paired_bootstrap`] of the plain mean over several sets of questions, each resampled within itself: the mean over
/// benchmarks of different size (reading.md, row 6). Sets without pairs are passed over.
pub fn paired_bootstrap_of_means(sets: &[&[(f64, f64)]], resamples: u32, seed: u64) -> Difference {
    let differences = |pairs: &&[(f64, f64)]| pairs.iter().map(|(before, after)| after - before).collect();
    let sets: Vec<Vec<f64>> = sets.iter().filter(|pairs| !pairs.is_empty()).map(differences).collect();
    let Some(count) = Some(sets.len() as f64).filter(|n| *n > 0.0) else {
        return Difference { mean: 0.0, low: 0.0, high: 0.0, n: 0 };
    };
    let n = sets.iter().map(Vec::len).sum();
    let mean = sets.iter().map(|set| set.iter().sum::<f64>() / set.len() as f64).sum::<f64>() / count;
    let mut random = SplitMix(seed);
    let mut resampled =
        |set: &Vec<f64>| (0..set.len()).map(|_| set[random.below(set.len())]).sum::<f64>() / set.len() as f64;
    let mut means: Vec<f64> =
        (0..resamples.max(1)).map(|_| sets.iter().map(&mut resampled).sum::<f64>() / count).collect();
    means.sort_by(f64::total_cmp);
    Difference { mean, low: quantile(&means, 0.025), high: quantile(&means, 0.975), n }
}

/// Quantile of sorted values, linear between neighbours; 0 for none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share * last as f64;
    let (below, rest) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * rest
}

/// SplitMix64: enough randomness to resample, and the same on every machine.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform below `n`; the bias of the multiplication is under n / 2⁶⁴.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}
