//! Pictures drawn on the server: shapes reckoned from figures, coloured by the stylesheet alone.
//!
//! Each is a template of its own in `templates/pictures/`, with its figures in words for those who do not see it.
//! Everything lies in a box of a hundred by something, which the page stretches: labels are text beside it.

pub mod evidence;
pub mod histogram;
pub mod meter;
pub mod prefix_map;
pub mod spark;
pub mod throughput;
pub mod topology;

use std::fmt::Write;

/// A point as SVG writes it, to a tenth: more is not seen.
fn point(path: &mut String, command: char, x: f64, y: f64) {
    // Writing to a String does not fail.
    write!(path, "{command}{x:.1} {y:.1}").expect("a String takes whatever is written");
}

/// The next of 1, 2, 5, 10, 20, … that is not below: axes end at such numbers.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let magnitude = 10f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let fits = steps
        .into_iter()
        .find(|step| step * magnitude >= value * (1.0 - 1e-9));
    fits.unwrap_or(10.0) * magnitude
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers_that_are_not_below() {
        for (value, end) in [
            (0.0, 1.0),
            (1.0, 1.0),
            (1.1, 2.0),
            (499.0, 500.0),
            (501.0, 1000.0),
            (0.03, 0.05),
        ] {
            assert!((round_up(value) - end).abs() < end * 1e-6, "{value}");
        }
    }
}
