//! Exact arithmetic for final answers: rational functions of named atoms, with roots of whole numbers.
//!
//! A value is a fraction of two polynomials with rational coefficients. Atoms are variables, π, and whatever else stands
//! for itself; primes with broken exponents are roots, so √12 is 2·3^½. Two values are equal where cross-multiplying
//! makes the same polynomial: nothing is rounded, so nothing unequal is taken for equal. What grows beyond the bounds
//! below, or beyond 128 bits, has no value here and is compared as it is spelt.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Most terms of a polynomial.
const TERMS: usize = 64;
/// Largest whole exponent that is multiplied out.
const POWER: i128 = 64;
/// Largest number whose prime factors are looked for.
const FACTORED: i128 = 1_000_000_000_000;
/// Longest spelling inside a name: names stand in names, once per term.
const SPELT: usize = 1024;

/// A rational number in lowest terms, the denominator positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ratio {
    top: i128,
    bottom: i128,
}

impl Ratio {
    pub(super) const ZERO: Ratio = Ratio { top: 0, bottom: 1 };
    pub(super) const ONE: Ratio = Ratio { top: 1, bottom: 1 };

    pub(super) fn new(top: i128, bottom: i128) -> Option<Self> {
        if bottom == 0 || top == i128::MIN || bottom == i128::MIN {
            return None;
        }
        let divisor = gcd(top.unsigned_abs(), bottom.unsigned_abs());
        let divisor = i128::try_from(divisor).ok()?.max(1) * bottom.signum();
        Some(Self { top: top / divisor, bottom: bottom / divisor })
    }

    pub(super) fn whole(self) -> Option<i128> {
        (self.bottom == 1).then_some(self.top)
    }

    fn add(self, other: Self) -> Option<Self> {
        let top = self.top.checked_mul(other.bottom)?.checked_add(other.top.checked_mul(self.bottom)?)?;
        Self::new(top, self.bottom.checked_mul(other.bottom)?)
    }

    fn times(self, other: Self) -> Option<Self> {
        Self::new(self.top.checked_mul(other.top)?, self.bottom.checked_mul(other.bottom)?)
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A product of atoms with rational exponents, none of them zero.
type Product = BTreeMap<String, Ratio>;

/// A sum of products with coefficients, none of them zero.
type Sum = BTreeMap<Vec<(String, Ratio)>, Ratio>;

/// A fraction of sums.
#[derive(Clone, Debug)]
pub(super) struct Value {
    top: Sum,
    bottom: Sum,
}

impl Value {
    pub(super) fn number(ratio: Ratio) -> Self {
        let mut top = Sum::new();
        if ratio != Ratio::ZERO {
            top.insert(Vec::new(), ratio);
        }
        Self { top, bottom: one() }
    }

    pub(super) fn whole(number: i128) -> Self {
        Self::number(Ratio { top: number, bottom: 1 })
    }

    pub(super) fn atom(name: String) -> Self {
        Self { top: Sum::from([(vec![(name, Ratio::ONE)], Ratio::ONE)]), bottom: one() }
    }

    pub(super) fn add(&self, other: &Self) -> Option<Self> {
        if self.bottom == other.bottom {
            return Some(Self { top: plus(&self.top, &other.top)?, bottom: self.bottom.clone() });
        }
        let top = plus(&product(&self.top, &other.bottom)?, &product(&other.top, &self.bottom)?)?;
        Some(Self { top, bottom: product(&self.bottom, &other.bottom)? })
    }

    pub(super) fn negative(&self) -> Option<Self> {
        self.times(&Self::whole(-1))
    }

    pub(super) fn times(&self, other: &Self) -> Option<Self> {
        Some(Self { top: product(&self.top, &other.top)?, bottom: product(&self.bottom, &other.bottom)? })
    }

    pub(super) fn over(&self, other: &Self) -> Option<Self> {
        if other.top.is_empty() {
            return None;
        }
        Some(Self { top: product(&self.top, &other.bottom)?, bottom: product(&self.bottom, &other.top)? })
    }

    /// The rational number it is, if it is one.
    pub(super) fn ratio(&self) -> Option<Ratio> {
        let single = |sum: &Sum| match sum.iter().next() {
            None => Some(Ratio::ZERO),
            Some((atoms, ratio)) if sum.len() == 1 && atoms.is_empty() => Some(*ratio),
            _ => None,
        };
        let (top, bottom) = (single(&self.top)?, single(&self.bottom)?);
        top.times(Ratio::new(bottom.bottom, bottom.top)?)
    }

    pub(super) fn power(&self, exponent: Ratio) -> Option<Self> {
        if let Some(whole) = exponent.whole() {
            if whole.abs() > POWER {
                return None;
            }
            let mut result = Self::whole(1);
            for _ in 0..whole.abs() {
                result = result.times(self)?;
            }
            return if whole < 0 { Self::whole(1).over(&result) } else { Some(result) };
        }
        // A root of a rational number that is not negative; of anything else it is not multiplied out.
        let ratio = self.ratio()?;
        if ratio.top < 0 {
            return None;
        }
        let root = |number: i128| root(number, exponent);
        root(ratio.top)?.over(&root(ratio.bottom)?)
    }

    /// Equal as rational functions.
    pub(super) fn equals(&self, other: &Self) -> Option<bool> {
        Some(product(&self.top, &other.bottom)? == product(&other.top, &self.bottom)?)
    }

    /// A spelling that is the same for the same sums and no others, to name what holds this value inside.
    pub(super) fn spelt(&self) -> Option<String> {
        let mut text = String::new();
        for sum in [&self.top, &self.bottom] {
            for (atoms, ratio) in sum {
                write!(text, "{}:{}", ratio.top, ratio.bottom).ok()?;
                for (name, exponent) in atoms {
                    // Names hold anything; their length says where they end.
                    write!(text, "*{}'{name}^{}:{}", name.len(), exponent.top, exponent.bottom).ok()?;
                }
                text.push('+');
                if text.len() > SPELT {
                    return None;
                }
            }
            text.push('/');
        }
        Some(text)
    }
}

fn one() -> Sum {
    Sum::from([(Vec::new(), Ratio::ONE)])
}

/// A whole number to a broken power: its primes, each to a power between 0 and 1, and what is whole before them.
fn root(number: i128, exponent: Ratio) -> Option<Value> {
    if number == 0 {
        return (exponent.top > 0).then(|| Value::whole(0));
    }
    let mut value = Value::whole(1);
    for (prime, count) in primes(number)? {
        let whole_power = exponent.times(Ratio::new(count, 1)?)?;
        let floor = whole_power.top.div_euclid(whole_power.bottom);
        value = value.times(&Value::whole(prime).power(Ratio::new(floor, 1)?)?)?;
        let rest = whole_power.add(Ratio::new(-floor, 1)?)?;
        if rest != Ratio::ZERO {
            let atoms = vec![(prime.to_string(), rest)];
            value = value.times(&Value { top: Sum::from([(atoms, Ratio::ONE)]), bottom: one() })?;
        }
    }
    Some(value)
}

/// The prime factors of a positive number with their counts.
fn primes(mut number: i128) -> Option<Vec<(i128, i128)>> {
    if !(1..=FACTORED).contains(&number) {
        return None;
    }
    let mut found = Vec::new();
    let mut divisor = 2;
    while divisor * divisor <= number {
        let mut count = 0;
        while number % divisor == 0 {
            number /= divisor;
            count += 1;
        }
        if count > 0 {
            found.push((divisor, count));
        }
        divisor += if divisor == 2 { 1 } else { 2 };
    }
    if number > 1 {
        found.push((number, 1));
    }
    Some(found)
}

fn plus(one: &Sum, other: &Sum) -> Option<Sum> {
    let mut sum = one.clone();
    for (atoms, ratio) in other {
        put(&mut sum, atoms.clone(), *ratio)?;
    }
    (sum.len() <= TERMS).then_some(sum)
}

fn put(sum: &mut Sum, atoms: Vec<(String, Ratio)>, ratio: Ratio) -> Option<()> {
    let total = sum.get(&atoms).copied().unwrap_or(Ratio::ZERO).add(ratio)?;
    if total == Ratio::ZERO {
        sum.remove(&atoms);
    } else {
        sum.insert(atoms, total);
    }
    Some(())
}

fn product(one: &Sum, other: &Sum) -> Option<Sum> {
    let mut sum = Sum::new();
    for (left, a) in one {
        for (right, b) in other {
            let (atoms, factor) = joined(left, right)?;
            put(&mut sum, atoms, a.times(*b)?.times(factor)?)?;
            if sum.len() > TERMS {
                return None;
            }
        }
    }
    Some(sum)
}

/// The product of two products; roots of primes that have become whole turn into a factor.
fn joined(left: &[(String, Ratio)], right: &[(String, Ratio)]) -> Option<(Vec<(String, Ratio)>, Ratio)> {
    let mut atoms: Product = left.iter().cloned().collect();
    let mut factor = Ratio::ONE;
    for (name, exponent) in right {
        let total = atoms.get(name).copied().unwrap_or(Ratio::ZERO).add(*exponent)?;
        atoms.insert(name.clone(), total);
    }
    for (name, exponent) in &mut atoms {
        let Ok(prime) = name.parse::<i128>() else { continue };
        let floor = exponent.top.div_euclid(exponent.bottom);
        let steps = u32::try_from(floor).ok()?;
        factor = factor.times(Ratio::new(prime.checked_pow(steps)?, 1)?)?;
        *exponent = exponent.add(Ratio::new(-floor, 1)?)?;
    }
    atoms.retain(|_, exponent| *exponent != Ratio::ZERO);
    Some((atoms.into_iter().collect(), factor))
}
