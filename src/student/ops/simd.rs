//! Vector instructions without `unsafe`: a loop written over slices is compiled once for each instruction set and the
//! best one the processor has is chosen at run time (`macerator`), so it vectorises in a portable binary.
//!
//! Every reduction here adds in an order that depends only on the length of its input. A row's result therefore never
//! depends on the rows beside it; the sampler and the scores rely on that.

/// Defines a function whose body is compiled for every instruction set. Reference arguments carry the lifetime `'a`.
macro_rules! simd {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident : $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name<'a>($($arg: $ty),*) $(-> $ret)? {
            struct Op<'a> { $($arg: $ty,)* lifetime: std::marker::PhantomData<&'a ()> }
            impl<'a> macerator::WithSimd for Op<'a> {
                type Output = crate::student::ops::simd::ret!($($ret)?);
                #[inline(always)]
                fn with_simd<S: macerator::Simd>(self) -> Self::Output {
                    let Self { $($arg,)* lifetime: _ } = self;
                    $body
                }
            }
            macerator::AutoArch::new().dispatch(Op { $($arg,)* lifetime: std::marker::PhantomData })
        }
    };
}
/// The written return type, or unit.
macro_rules! ret {
    () => {
        ()
    };
    ($ty:ty) => {
        $ty
    };
}
pub(crate) use {ret, simd};

/// Partial sums kept side by side in a reduction.
const LANES: usize = 16;

/// e^x within about 2 units in the last place, without branches; 0 below −87.3.
///
/// Splits x into n·ln 2 + r with |r| ≤ ln 2 / 2, takes a polynomial of degree 6 for e^r (Cephes `expf`) and puts n into
/// the exponent bits.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    /// 1.5 · 2^23: adding it rounds to the nearest integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.3, 88.3);
    let shifted = clamped.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-0.693_359_4, clamped);
    let r = n.mul_add(2.121_944_4e-4, r);
    let mut p = 1.987_569_1e-4_f32;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p.mul_add(r, c);
    }
    let y = (p * r).mul_add(r, r) + 1.0;
    let power = f32::from_bits(shifted.to_bits().wrapping_sub(0x4B40_0000 - 127) << 23);
    if x < -87.3 { 0.0 } else { y * power }
}

/// Inner product.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut acc = [0.0_f32; LANES];
    let (a, a_tail) = a.as_chunks::<LANES>();
    let (b, b_tail) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            acc[i] = a[i].mul_add(b[i], acc[i]);
        }
    }
    let mut sum = fold(acc);
    for (a, b) in a_tail.iter().zip(b_tail) {
        sum = a.mul_add(*b, sum);
    }
    sum
}

/// Largest value; −∞ for an empty slice. A NaN is passed over.
#[inline(always)]
pub fn max(x: &[f32]) -> f32 {
    let mut acc = [f32::NEG_INFINITY; LANES];
    let (x, tail) = x.as_chunks::<LANES>();
    for x in x {
        for i in 0..LANES {
            acc[i] = if x[i] > acc[i] { x[i] } else { acc[i] };
        }
    }
    let best = acc.into_iter().fold(f32::NEG_INFINITY, |m, v| if v > m { v } else { m });
    tail.iter().fold(best, |m, &v| if v > m { v } else { m })
}

/// Replaces every x by e^(x − shift) and gives their sum.
#[inline(always)]
pub fn exp_in_place(x: &mut [f32], shift: f32) -> f32 {
    let mut acc = [0.0_f32; LANES];
    let (x, tail) = x.as_chunks_mut::<LANES>();
    for x in x {
        for i in 0..LANES {
            x[i] = exp(x[i] - shift);
            acc[i] += x[i];
        }
    }
    let mut sum = fold(acc);
    for x in tail {
        *x = exp(*x - shift);
        sum += *x;
    }
    sum
}

/// Σ e^(x − shift) without keeping the terms.
#[inline(always)]
pub fn exp_sum(x: &[f32], shift: f32) -> f32 {
    let mut acc = [0.0_f32; LANES];
    let (x, tail) = x.as_chunks::<LANES>();
    for x in x {
        for i in 0..LANES {
            acc[i] += exp(x[i] - shift);
        }
    }
    tail.iter().fold(fold(acc), |sum, x| sum + exp(x - shift))
}

/// Both halves of a head, `a` and `b`, turned by their angles and scaled. Read whole before anything is written: so that
/// it becomes vector instructions whatever may overlap.
#[inline(always)]
pub fn turn((a, b): (&[f32], &[f32]), (cos, sin): (&[f32], &[f32]), scale: f32, (low, high): (&mut [f32], &mut [f32])) {
    let ((a, a_tail), (b, b_tail)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let ((cos, cos_tail), (sin, sin_tail)) = (cos.as_chunks::<LANES>(), sin.as_chunks::<LANES>());
    let ((low, low_tail), (high, high_tail)) = (low.as_chunks_mut::<LANES>(), high.as_chunks_mut::<LANES>());
    for (((a, b), (cos, sin)), (low, high)) in a.iter().zip(b).zip(cos.iter().zip(sin)).zip(low.iter_mut().zip(high)) {
        let (mut left, mut right) = ([0.0; LANES], [0.0; LANES]);
        for i in 0..LANES {
            left[i] = (a[i] * cos[i] - b[i] * sin[i]) * scale;
            right[i] = (b[i] * cos[i] + a[i] * sin[i]) * scale;
        }
        (*low, *high) = (left, right);
    }
    let tails = a_tail.iter().zip(b_tail).zip(cos_tail.iter().zip(sin_tail));
    for (((a, b), (cos, sin)), (low, high)) in tails.zip(low_tail.iter_mut().zip(high_tail)) {
        *low = (a * cos - b * sin) * scale;
        *high = (b * cos + a * sin) * scale;
    }
}

/// Adds the lanes pairwise, halving their number each time.
#[inline(always)]
fn fold(mut acc: [f32; LANES]) -> f32 {
    let mut n = LANES / 2;
    while n > 0 {
        for i in 0..n {
            acc[i] += acc[i + n];
        }
        n /= 2;
    }
    acc[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    simd! {
        fn vector_exp(x: &'a mut [f32]) {
            for x in x.iter_mut() {
                *x = exp(*x);
            }
        }
    }

    #[test]
    fn exp_is_close_everywhere_and_the_same_alone_and_in_a_row() {
        let inputs: Vec<f32> = (-9_000..=8_800).map(|i| i as f32 / 100.0).collect();
        let mut row = inputs.clone();
        vector_exp(&mut row);
        for (x, y) in inputs.iter().zip(&row) {
            let exact = f64::from(*x).exp();
            assert!(
                (f64::from(*y) - exact).abs() <= 4e-7 * exact || (*x < -87.2 && *y == 0.0),
                "exp({x}) = {y}, expected {exact}"
            );
            let mut alone = [*x];
            vector_exp(&mut alone);
            assert_eq!(alone[0].to_bits(), y.to_bits(), "exp({x})");
        }
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
    }

    #[test]
    fn halves_are_turned_by_their_angles_and_back() {
        for half in [1, 8, 16, 19, 32] {
            let of = |k: f32| (0..half).map(|i| (i as f32 * k).sin()).collect::<Vec<f32>>();
            let (a, b, sin) = (of(0.7), of(1.3), of(0.2));
            let cos: Vec<f32> = sin.iter().map(|s| (1.0 - s * s).sqrt()).collect();
            let (mut low, mut high) = (vec![0.0; half], vec![0.0; half]);
            turn((&a, &b), (&cos, &sin), 2.0, (&mut low, &mut high));
            for i in 0..half {
                assert_eq!(low[i], (a[i] * cos[i] - b[i] * sin[i]) * 2.0);
                assert_eq!(high[i], (b[i] * cos[i] + a[i] * sin[i]) * 2.0);
            }
            // By the same angle the other way: the halves change places.
            let (mut c, mut d) = (vec![0.0; half], vec![0.0; half]);
            turn((&high, &low), (&cos, &sin), 0.5, (&mut d, &mut c));
            assert!(c.iter().zip(&a).chain(d.iter().zip(&b)).all(|(got, want)| (got - want).abs() < 1e-5));
        }
    }

    #[test]
    fn reductions_match_plain_sums() {
        for n in [0, 1, 15, 16, 17, 33, 100] {
            let x: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin()).collect();
            let exact: f64 = x.iter().map(|v| f64::from(*v) * f64::from(*v)).sum();
            assert!((f64::from(dot(&x, &x)) - exact).abs() < 1e-4);
            assert_eq!(max(&x), x.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            let mut y = x.clone();
            let sum = exp_in_place(&mut y, 0.5);
            assert_eq!(sum, exp_sum(&x, 0.5));
        }
    }
}
