//! One line of the table: a figure, its limit in the same run, and the goal.

use std::time::Duration;

/// What was measured, beside its limit.
#[derive(Debug)]
pub(super) struct Row {
    /// The name that `--row` takes.
    pub name: &'static str,
    /// What was done.
    pub what: String,
    /// How fast.
    pub measured: Figure,
    /// How fast this machine does it with no product around it.
    pub limit: Figure,
    /// What that is.
    pub limit_is: String,
    /// What was to be reached.
    pub goal: Goal,
}

/// A number with its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Figure {
    /// So many a second; more is better.
    PerSecond(f64),
    /// It took so long; less is better.
    Time(Duration),
    /// It takes so much memory; less is better.
    Bytes(u64),
}

/// What was to be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    /// At least this part of the limit.
    ShareOfLimit(f64),
    /// At most the limit so many times, and so much more.
    TimesLimit(f64, Duration),
    /// At least so much, at most so long or so many bytes, whatever the limit is.
    Absolute(Figure),
}

impl Figure {
    /// In the unit that JSON gives: a second, seconds, bytes.
    pub(super) fn value(self) -> f64 {
        match self {
            Self::PerSecond(rate) => rate,
            Self::Time(time) => time.as_secs_f64(),
            Self::Bytes(bytes) => bytes as f64,
        }
    }

    /// That unit's name.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::PerSecond(_) => "per_second",
            Self::Time(_) => "seconds",
            Self::Bytes(_) => "bytes",
        }
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::PerSecond(rate) => write!(f, "{}/s", thousands(rate)),
            Self::Time(time) if time >= Duration::from_secs(1) => write!(f, "{:.2} s", time.as_secs_f64()),
            Self::Time(time) => write!(f, "{:.2} ms", time.as_secs_f64() * 1_000.0),
            Self::Bytes(bytes) => write!(f, "{:.1} MB", bytes as f64 / 1e6),
        }
    }
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::ShareOfLimit(share) => write!(f, "at least {share} of it"),
            Self::TimesLimit(times, Duration::ZERO) => write!(f, "at most {times}x"),
            Self::TimesLimit(times, more) => write!(f, "at most {times}x + {} ms", more.as_millis()),
            Self::Absolute(figure @ Figure::PerSecond(_)) => write!(f, "at least {figure}"),
            Self::Absolute(Figure::Bytes(bytes)) => write!(f, "at most {} MB", bytes / 1_000_000),
            Self::Absolute(Figure::Time(time)) if time < Duration::from_secs(1) => {
                write!(f, "at most {} ms", time.as_millis())
            }
            Self::Absolute(Figure::Time(time)) => write!(f, "at most {} s", time.as_secs()),
        }
    }
}

impl Row {
    /// The figure over its limit.
    pub(super) fn ratio(&self) -> f64 {
        self.measured.value() / self.limit.value()
    }

    /// True where the goal was reached.
    pub(super) fn is_met(&self) -> bool {
        let (measured, limit) = (self.measured.value(), self.limit.value());
        match self.goal {
            Goal::ShareOfLimit(share) => measured >= share * limit,
            Goal::TimesLimit(times, more) => measured <= times * limit + more.as_secs_f64(),
            Goal::Absolute(Figure::PerSecond(rate)) => measured >= rate,
            Goal::Absolute(figure) => measured <= figure.value(),
        }
    }
}

/// A count with its thousands apart.
fn thousands(count: f64) -> String {
    let digits = format!("{count:.0}");
    let mut apart = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(measured: Figure, limit: Figure, goal: Goal) -> Row {
        Row { name: "a", what: String::new(), measured, limit, limit_is: String::new(), goal }
    }

    #[test]
    fn goals_are_judged_by_their_kind() {
        let ms = |ms| Figure::Time(Duration::from_millis(ms));
        let share = Goal::ShareOfLimit(0.5);
        assert!(row(Figure::PerSecond(5.0), Figure::PerSecond(10.0), share).is_met());
        assert!(!row(Figure::PerSecond(4.9), Figure::PerSecond(10.0), share).is_met());
        let times = Goal::TimesLimit(2.0, Duration::from_millis(1));
        assert!(row(ms(5), ms(2), times).is_met());
        assert!(!row(ms(6), ms(2), times).is_met());
        assert!(row(ms(99), ms(1), Goal::Absolute(ms(100))).is_met());
        assert!(!row(Figure::PerSecond(1.0), Figure::PerSecond(1.0), Goal::Absolute(Figure::PerSecond(2.0))).is_met());
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(Figure::PerSecond(1_234_567.4).to_string(), "1,234,567/s");
        assert_eq!(Figure::PerSecond(999.0).to_string(), "999/s");
        assert_eq!(Figure::Time(Duration::from_micros(1_500)).to_string(), "1.50 ms");
        assert_eq!(Figure::Bytes(61_500_000).to_string(), "61.5 MB");
    }
}
