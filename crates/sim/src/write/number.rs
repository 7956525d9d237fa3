//! Numbers as text, faster than `write!` with a precision.

/// Appends a number rounded to some decimals, all of them written.
///
/// Good for magnitudes below 10^12, which everything here is.
pub(super) fn push_fixed(out: &mut String, value: f64, decimals: u32) {
    let unit = 10_u64.pow(decimals);
    let scaled = (value.abs() * unit as f64).round() as u64;
    if value < 0.0 && scaled > 0 {
        out.push('-');
    }
    push_digits(out, scaled / unit, 1);
    if decimals > 0 {
        out.push('.');
        push_digits(out, scaled % unit, decimals as usize);
    }
}

/// Appends digits, with zeros before them up to a width.
fn push_digits(out: &mut String, mut value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while value > 0 || digits.len() - start < width {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.push_str(std::str::from_utf8(&digits[start..]).expect("digits are ASCII"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_the_formatter_writes() {
        let mut dice = crate::Dice::new(9);
        for _ in 0..10_000 {
            let value = dice.between(-1_000.0, 1_000.0);
            let mut text = String::new();
            push_fixed(&mut text, value, 4);
            assert_eq!(text, format!("{value:.4}"));
        }
        let mut text = String::new();
        push_fixed(&mut text, -0.00001, 2);
        push_fixed(&mut text, 7.0, 0);
        assert_eq!(text, "0.007");
    }
}
