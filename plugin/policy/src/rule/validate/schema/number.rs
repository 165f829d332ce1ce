//! Exact arithmetic on JSON numbers: what is a multiple, and which of two is the larger.
//!
//! Binary fractions call 0.3 no multiple of 0.1, and take 2^53 + 1 for an even number.

use std::cmp::Ordering;

use serde_json::Number;

/// What a number has to be below, without its sign, to fit 64 bits.
pub(super) const WIDEST: f64 = 18_446_744_073_709_551_616.0;
/// From here floating-point numbers leave out integers.
pub(super) const INEXACT: f64 = 9_007_199_254_740_992.0;

/// Whether it came as an integer of more than 64 bits, whose last digits are lost.
pub(super) fn is_too_wide(number: &Number) -> bool {
    number.is_f64() && number.as_f64().is_none_or(|float| float.abs() >= WIDEST)
}

/// What a number has to be a multiple of (JSON Schema Validation, section 6.2.1).
#[derive(Debug)]
pub(super) struct Divisor {
    pub(super) written: f64,
    decimal: Option<Decimal>,
    /// Where it is an integer.
    whole: Option<u64>,
}

impl Divisor {
    pub(super) fn new(written: f64) -> Self {
        let whole = written.fract() == 0.0 && (1.0..INEXACT).contains(&written);
        Self {
            written,
            decimal: Decimal::of_float(written),
            whole: whole.then_some(written as u64),
        }
    }

    /// Whether the number is a multiple, both read as the decimals that they are written as.
    pub(super) fn divides(&self, number: &Number) -> bool {
        if let (Some(number), Some(whole)) = (magnitude(number), self.whole) {
            return number.is_multiple_of(whole);
        }
        match (Decimal::of(number), self.decimal) {
            (Some(number), Some(divisor)) => number.is_multiple_of(divisor),
            _ => false,
        }
    }
}

/// An integer without its sign.
fn magnitude(number: &Number) -> Option<u64> {
    number
        .as_u64()
        .or_else(|| number.as_i64().map(i64::unsigned_abs))
}

/// A bound of numbers, made ready to be compared with.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) written: Number,
    /// Where 64 bits with a sign hold it.
    whole: Option<i64>,
    /// Where it is exact.
    float: Option<f64>,
}

impl Bound {
    pub(super) fn new(written: Number) -> Self {
        let float = written.as_f64();
        Self {
            whole: written.as_i64(),
            float: float.filter(|float| written.is_f64() || float.abs() < INEXACT),
            written,
        }
    }

    /// On which side of the bound a number is.
    pub(super) fn side(&self, number: &Number) -> Ordering {
        if let (Some(number), Some(bound)) = (number.as_i64(), self.whole) {
            return number.cmp(&bound);
        }
        if number.is_f64()
            && let (Some(number), Some(bound)) = (number.as_f64(), self.float)
            && let Some(side) = number.partial_cmp(&bound)
        {
            return side;
        }
        order(number, &self.written)
    }
}

/// `digits` times ten to the power of `exponent`; the sign is of no account.
#[derive(Clone, Copy, Debug)]
struct Decimal {
    digits: u64,
    exponent: i32,
}

impl Decimal {
    fn of(number: &Number) -> Option<Self> {
        match magnitude(number) {
            Some(digits) => Some(Self {
                digits,
                exponent: 0,
            }),
            None => Self::of_float(number.as_f64()?),
        }
    }

    fn of_float(number: f64) -> Option<Self> {
        // The shortest digits that are this number: what a person would write.
        let text = format!("{:e}", number.abs());
        let (mantissa, exponent) = text.split_once('e')?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse().ok()?;
        let exponent: i32 = exponent.parse().ok()?;
        Some(Self {
            digits,
            exponent: exponent - i32::try_from(fraction.len()).ok()?,
        })
    }

    fn is_multiple_of(self, divisor: Self) -> bool {
        if self.digits == 0 {
            return true;
        }
        let (number, step) = (u128::from(self.digits), u128::from(divisor.digits));
        if step == 0 {
            return false;
        }
        let shift = self.exponent - divisor.exponent;
        match u32::try_from(shift) {
            Ok(shift) => (number % step * power_of_ten(shift, step)).is_multiple_of(step),
            // A step larger than any number here divides none of them.
            Err(_) => 10_u128
                .checked_pow(shift.unsigned_abs())
                .and_then(|scale| step.checked_mul(scale))
                .is_some_and(|step| number.is_multiple_of(step)),
        }
    }
}

/// 10 to the power of `exponent`, modulo a number of 64 bits.
fn power_of_ten(exponent: u32, modulus: u128) -> u128 {
    let (mut power, mut square, mut left) = (1 % modulus, 10 % modulus, exponent);
    while left > 0 {
        if left % 2 == 1 {
            power = power * square % modulus;
        }
        square = square * square % modulus;
        left /= 2;
    }
    power
}

/// Which number is the larger; 1 and 1.0 are equal.
pub(super) fn order(a: &Number, b: &Number) -> Ordering {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        // At least one has a fraction, or is past 2^127: rounding the other does not bring it across.
        _ => a
            .as_f64()
            .unwrap_or(0.0)
            .total_cmp(&b.as_f64().unwrap_or(0.0)),
    }
}

/// Below 2^127, which every float below can be exactly.
const WHOLE_BELOW: f64 = 1.7e38;

fn whole(number: &Number) -> Option<i128> {
    if let Some(number) = number.as_i64() {
        return Some(number.into());
    }
    if let Some(number) = number.as_u64() {
        return Some(number.into());
    }
    let float = number.as_f64()?;
    (float.fract() == 0.0 && float.abs() < WHOLE_BELOW).then_some(float as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn multiples_are_those_of_the_decimals() {
        let check = |text: &str, divisor: f64, expected: bool| {
            assert_eq!(
                Divisor::new(divisor).divides(&number(text)),
                expected,
                "{text} by {divisor}"
            );
        };
        for (text, divisor) in [
            ("0", 3.0),
            ("-0.0", 0.01),
            ("0.3", 0.1),
            ("19.99", 0.01),
            ("-19.99", 0.01),
            ("1e300", 7e-3),
            ("0.0075", 0.0001),
            ("1e-7", 1e-8),
            ("9007199254740992", 2.0),
            ("18446744073709551614", 2.0),
            ("4.5", 1.5),
            ("1e308", 1e-308),
        ] {
            check(text, divisor, text != "1e300");
        }
        for (text, divisor) in [
            ("0.35", 0.1),
            ("19.995", 0.01),
            ("9007199254740993", 2.0),
            ("18446744073709551615", 2.0),
            ("1", 1e300),
            ("1e-300", 1.0),
            ("35", 1.5),
            ("1e308", 0.123_456_789),
            ("7", 0.0),
        ] {
            check(text, divisor, false);
        }
    }

    #[test]
    fn order_is_exact_and_total() {
        let ascending = [
            "-1e40",
            "-1e30",
            "-9223372036854775808",
            "-1.5",
            "-1",
            "0",
            "0.5",
            "9007199254740992",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "1e40",
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(order(&number(a), &number(b)), i.cmp(&j), "{a} {b}");
                assert_eq!(Bound::new(number(b)).side(&number(a)), i.cmp(&j), "{a} {b}");
            }
        }
        assert_eq!(order(&number("1"), &number("1.0")), Ordering::Equal);
        assert_eq!(order(&number("-0.0"), &number("0")), Ordering::Equal);
        assert_eq!(order(&number("1e2"), &number("100")), Ordering::Equal);
    }
}
