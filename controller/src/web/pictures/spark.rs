//! A small line without axes: how something went, at a glance.

use askama::Template;

use super::point;

const HEIGHT: f64 = 20.0;

#[derive(Debug, Clone, Template)]
#[template(path = "pictures/spark.html")]
pub struct Spark {
    area: String,
    rim: String,
}

impl Spark {
    /// Values from the oldest to the newest; where one is missing there is a gap. None: nothing is known.
    pub fn of(values: &[Option<f64>]) -> Option<Self> {
        let largest = values.iter().flatten().copied().fold(0.0, f64::max);
        values.iter().flatten().next()?;
        let step = 100.0 / (values.len().max(2) - 1) as f64;
        let height = |value: f64| match largest > 0.0 {
            true => HEIGHT - 1.0 - value / largest * (HEIGHT - 2.0),
            false => HEIGHT - 1.0,
        };
        let mut spark = Self {
            area: String::new(),
            rim: String::new(),
        };
        let mut from: Option<f64> = None;
        for (at, value) in values.iter().enumerate() {
            let x = at as f64 * step;
            match (value, from) {
                (Some(value), None) => {
                    point(&mut spark.area, 'M', x, HEIGHT);
                    point(&mut spark.area, 'L', x, height(*value));
                    point(&mut spark.rim, 'M', x, height(*value));
                    from = Some(x);
                }
                (Some(value), Some(_)) => {
                    point(&mut spark.area, 'L', x, height(*value));
                    point(&mut spark.rim, 'L', x, height(*value));
                }
                (None, Some(_)) => {
                    point(&mut spark.area, 'L', x - step, HEIGHT);
                    spark.area.push('Z');
                    from = None;
                }
                (None, None) => {}
            }
        }
        if from.is_some() {
            point(
                &mut spark.area,
                'L',
                (values.len() - 1) as f64 * step,
                HEIGHT,
            );
            spark.area.push('Z');
        }
        Some(spark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_in_what_is_known_are_gaps_in_the_line() {
        let spark = Spark::of(&[Some(1.0), Some(2.0), None, Some(4.0), Some(0.0)]).unwrap();

        assert_eq!(spark.rim, "M0.0 14.5L25.0 10.0M75.0 1.0L100.0 19.0");
        assert_eq!(spark.area.matches('Z').count(), 2);
        assert!(Spark::of(&[None, None]).is_none() && Spark::of(&[]).is_none());
        assert!(
            Spark::of(&[Some(0.0), Some(0.0)])
                .unwrap()
                .rim
                .ends_with("100.0 19.0")
        );
    }
}
