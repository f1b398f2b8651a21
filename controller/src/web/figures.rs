//! How numbers, sizes, rates and ages are written in each language.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::profile::Language;

/// Ages of less than this many of a unit are told in the unit below.
const UNITS: [(i64, &str, &str); 4] = [
    (86_400, "d", "j"),
    (3_600, "h", "h"),
    (60, "min", "min"),
    (1, "s", "s"),
];

impl Language {
    /// 3,274 or 3 274, with a space that does not break.
    pub fn number(self, number: u64) -> String {
        let digits = number.to_string();
        let separator = match self {
            Self::En => ',',
            Self::Fr => '\u{202f}',
        };
        let mut text = String::with_capacity(digits.len() * 2);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(separator);
            }
            text.push(digit);
        }
        text
    }

    /// One digit after the point below ten, none above.
    pub fn rough(self, number: f64) -> String {
        let text = match number.abs() < 9.95 {
            true => format!("{number:.1}"),
            false => return self.number(number.round() as u64),
        };
        self.decimal(&text)
    }

    pub fn percent(self, part: f64) -> String {
        format!("{}\u{202f}%", self.rough(part * 100.0))
    }

    /// Bytes in the units that disks are sold by.
    pub fn bytes(self, bytes: u64) -> String {
        self.scaled(bytes as f64, ["B", "kB", "MB", "GB", "TB", "PB"])
    }

    pub fn bits_per_second(self, bits: f64) -> String {
        self.scaled(
            bits,
            ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s"],
        )
    }

    /// How long something lasted, in its largest unit.
    pub fn span(self, span: TimeDelta) -> String {
        let seconds = span.num_seconds().max(0);
        let (length, english, french) = UNITS
            .into_iter()
            .find(|(length, ..)| seconds >= *length)
            .unwrap_or((1, "s", "s"));
        let unit = match self {
            Self::En => english,
            Self::Fr => french,
        };
        format!(
            "{}\u{202f}{unit}",
            self.number((seconds / length).unsigned_abs())
        )
    }

    /// How long something lasted, in its two largest units.
    pub fn length(self, length: TimeDelta) -> String {
        let seconds = length.num_seconds().max(0);
        let at = UNITS.iter().position(|(unit, ..)| seconds >= *unit);
        let first = self.span(length);
        let rest = at.and_then(|at| {
            let (unit, ..) = UNITS[at];
            let (next, ..) = *UNITS.get(at + 1)?;
            let rest = seconds % unit;
            (rest >= next).then(|| self.span(TimeDelta::seconds(rest)))
        });
        match rest {
            Some(rest) => format!("{first} {rest}"),
            None => first,
        }
    }

    /// How long ago something was, or will be.
    pub fn ago(self, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        let span = self.span((now - at).abs());
        match (self, at > now) {
            (Self::En, false) => format!("{span} ago"),
            (Self::En, true) => format!("in {span}"),
            (Self::Fr, false) => format!("il y a {span}"),
            (Self::Fr, true) => format!("dans {span}"),
        }
    }

    fn scaled(self, mut number: f64, units: [&str; 6]) -> String {
        let mut unit = 0;
        while number >= 999.5 && unit + 1 < units.len() {
            number /= 1000.0;
            unit += 1;
        }
        let figure = match unit {
            0 => self.number(number.round() as u64),
            _ => self.three_digits(number),
        };
        format!("{figure}\u{202f}{}", units[unit])
    }

    fn three_digits(self, number: f64) -> String {
        let decimals = match number {
            below_ten if below_ten < 9.995 => 2,
            below_hundred if below_hundred < 99.95 => 1,
            _ => 0,
        };
        self.decimal(&format!("{number:.decimals$}"))
    }

    fn decimal(self, text: &str) -> String {
        match self {
            Self::En => text.to_owned(),
            Self::Fr => text.replace('.', ","),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_as_the_language_does() {
        let numbers = [
            (0, "0", "0"),
            (999, "999", "999"),
            (3274, "3,274", "3 274"),
            (1_000_000, "1,000,000", "1 000 000"),
        ];
        for (number, english, french) in numbers {
            assert_eq!(Language::En.number(number), english);
            assert_eq!(Language::Fr.number(number).replace('\u{202f}', " "), french);
        }
    }

    #[test]
    fn sizes_have_three_digits_at_most() {
        let plain = |text: String| text.replace('\u{202f}', " ");
        assert_eq!(plain(Language::En.bytes(999)), "999 B");
        assert_eq!(plain(Language::En.bytes(14_640_000_000)), "14.6 GB");
        assert_eq!(plain(Language::En.bytes(999_600)), "1.00 MB");
        assert_eq!(plain(Language::Fr.bytes(1_440)), "1,44 kB");
        assert_eq!(
            plain(Language::En.bits_per_second(318_000_000.0)),
            "318 Mbit/s"
        );
        assert_eq!(plain(Language::En.percent(0.071)), "7.1 %");
        assert_eq!(plain(Language::Fr.percent(0.56)), "56 %");
    }

    #[test]
    fn lengths_are_told_in_their_two_largest_units() {
        let plain = |text: String| text.replace('\u{202f}', " ");
        let lengths = [
            (0, "0 s", "0 s"),
            (59, "59 s", "59 s"),
            (60, "1 min", "1 min"),
            (22_320, "6 h 12 min", "6 h 12 min"),
            (3_601, "1 h", "1 h"),
            (183_600, "2 d 3 h", "2 j 3 h"),
            (172_860, "2 d", "2 j"),
        ];
        for (seconds, english, french) in lengths {
            let length = TimeDelta::seconds(seconds);
            assert_eq!(plain(Language::En.length(length)), english);
            assert_eq!(plain(Language::Fr.length(length)), french);
        }
    }

    #[test]
    fn ages_are_told_in_their_largest_unit() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let plain = |text: String| text.replace('\u{202f}', " ");
        let ages = [
            (0, "0 s ago", "il y a 0 s"),
            (59, "59 s ago", "il y a 59 s"),
            (61, "1 min ago", "il y a 1 min"),
            (7_200, "2 h ago", "il y a 2 h"),
            (172_800, "2 d ago", "il y a 2 j"),
            (-90, "in 1 min", "dans 1 min"),
        ];
        for (seconds, english, french) in ages {
            let at = now - TimeDelta::seconds(seconds);
            assert_eq!(plain(Language::En.ago(at, now)), english);
            assert_eq!(plain(Language::Fr.ago(at, now)), french);
        }
    }
}
