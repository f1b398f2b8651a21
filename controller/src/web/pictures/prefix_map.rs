//! A prefix as squares, each a part of it of equal size: how full it is, what is reserved.

use askama::Template;

const COLUMNS: usize = 16;
/// From one square to the next, to the right and down.
const ACROSS: usize = 20;
const DOWN: usize = 14;

/// One part of a prefix.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// As it is written, for the tooltip.
    pub prefix: String,
    pub used: u64,
    pub size: u64,
    /// All or some of it is given to nobody.
    pub is_reserved: bool,
}

#[derive(Template)]
#[template(path = "pictures/prefix_map.html")]
pub struct PrefixMap {
    label: String,
    squares: Vec<Square>,
    height: usize,
    width: usize,
}

struct Square {
    x: usize,
    y: usize,
    shade: usize,
    is_reserved: bool,
    title: String,
}

impl PrefixMap {
    /// `title` says what a part holds.
    pub fn of(label: String, parts: &[Part], title: impl Fn(&Part) -> String) -> Self {
        let square = |(at, part): (usize, &Part)| Square {
            x: at % COLUMNS * ACROSS,
            y: at / COLUMNS * DOWN,
            shade: shade(part.used, part.size),
            is_reserved: part.is_reserved,
            title: title(part),
        };
        Self {
            label,
            squares: parts.iter().enumerate().map(square).collect(),
            height: parts.len().div_ceil(COLUMNS) * DOWN,
            width: COLUMNS * ACROSS,
        }
    }
}

/// Empty is paper, and whoever holds anything is seen.
fn shade(used: u64, size: u64) -> usize {
    if used == 0 {
        return 0;
    }
    let quarter = u128::from(used) * 4 / u128::from(size.max(1));
    usize::try_from(quarter).map_or(4, |quarter| (quarter + 1).min(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_seen_and_a_full_part_is_darkest() {
        let shades = [
            (0, 256, 0),
            (1, 256, 1),
            (64, 256, 2),
            (128, 256, 3),
            (192, 256, 4),
            (256, 256, 4),
            (1, 0, 4),
        ];
        for (used, size, expected) in shades {
            assert_eq!(shade(used, size), expected, "{used} of {size}");
        }
    }
}
