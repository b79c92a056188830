//! pass@k, unbiased (reading.md, row 10).

/// `1 − C(n−c, k) / C(n, k)`: the chance that at least one of `k` samples is right, when `c` of the `n` drawn are.
///
/// Computed as a product, which neither overflows nor cancels; 1 where fewer than `k` samples are wrong. Without samples,
/// or with `k` = 0, it is 0. Counts over `n` are read as `n`.
pub fn pass_at_k(n: u64, c: u64, k: u64) -> f64 {
    let c = c.min(n);
    if n == 0 || k == 0 {
        return 0.0;
    }
    if n - c < k {
        return 1.0;
    }
    let all_wrong: f64 = (n - c + 1..=n).map(|i| 1.0 - k as f64 / i as f64).product();
    1.0 - all_wrong
}
