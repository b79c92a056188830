//! The order of rows: a permutation of their indices, sorted by a key.

/// Puts rows into the order of a key: least first, or greatest first when `down`. Rows with equal keys stay in the order
/// they have, and rows without a key come last either way. The key of each row is taken once.
pub fn sort<K: Ord>(order: &mut [u32], down: bool, key: impl Fn(u32) -> Option<K>) {
    let mut keyed: Vec<(Option<K>, u32)> = order.iter().map(|&row| (key(row), row)).collect();
    keyed.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) if down => b.cmp(a),
        (Some(a), Some(b)) => a.cmp(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    for (place, (_, row)) in order.iter_mut().zip(keyed) {
        *place = row;
    }
}

/// A number as a key of [`sort`]; `None` of what is no number.
pub fn number(value: f64) -> Option<i64> {
    let bits = (value + 0.0).to_bits() as i64;
    (!value.is_nan()).then_some(bits ^ (((bits >> 63) as u64) >> 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_stably_and_gaps_come_last() {
        let values = [Some(0.5), None, Some(-1.0), Some(0.5), Some(f64::NAN), Some(0.0), Some(-0.0)];
        let sorted = |down| {
            let mut order: Vec<u32> = (0..7).collect();
            sort(&mut order, down, |row| values[row as usize].and_then(number));
            order
        };
        assert_eq!(sorted(false), [2, 5, 6, 0, 3, 1, 4]);
        assert_eq!(sorted(true), [0, 3, 5, 6, 2, 1, 4]);
    }
}
