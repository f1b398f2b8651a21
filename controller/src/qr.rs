//! QR codes: a configuration goes from a screen into a phone.
//!
//! Where the text comes from, and who may see the picture of a secret, is not this module's matter.

use fast_qr::convert::Builder;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder, QRCode};

/// The light border that scanners look for, in modules.
const QUIET_ZONE: usize = 4;
/// Large enough to stay sharp on a dense screen, small enough for the largest code to fit on one.
const MODULE_PX: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text of {length} bytes is too long for a QR code, which holds at most 2953")]
pub struct TooLong {
    length: usize,
}

/// A scalable picture, without any style or script of its own.
pub fn svg(text: &str) -> Result<String, TooLong> {
    let code = encode(text)?;
    Ok(SvgBuilder::default().margin(QUIET_ZONE).to_str(&code))
}

/// A black and white picture, one bit per pixel.
pub fn png(text: &str) -> Result<Vec<u8>, TooLong> {
    let code = encode(text)?;
    let side_px = (code.size + 2 * QUIET_ZONE) * MODULE_PX;
    let mut picture = Vec::new();
    write_png(&mut picture, side_px, &pixels(&code, side_px))
        .expect("memory takes any write, and the pixels fill the picture");
    Ok(picture)
}

/// Lines for a terminal, two rows of modules in each, black on white whatever the terminal's colours are.
pub fn terminal(text: &str) -> Result<String, TooLong> {
    let code = encode(text)?;
    let side = code.size + 2 * QUIET_ZONE;
    let dark = |x: usize, y: usize| is_dark(&code, x * MODULE_PX, y * MODULE_PX);
    let mut lines = String::new();
    for y in (0..side).step_by(2) {
        lines.push_str("\x1b[30;107m");
        lines.extend((0..side).map(|x| match (dark(x, y), dark(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        }));
        lines.push_str("\x1b[0m\n");
    }
    Ok(lines)
}

/// The lowest error correction: a screen is clean, and fewer modules scan better than robust ones.
fn encode(text: &str) -> Result<QRCode, TooLong> {
    QRBuilder::new(text)
        .ecl(ECL::L)
        .build()
        .map_err(|_| TooLong { length: text.len() })
}

/// Rows of whole bytes, highest bit first; a set bit is white.
fn pixels(code: &QRCode, side_px: usize) -> Vec<u8> {
    let row_bytes = side_px.div_ceil(8);
    let mut pixels = vec![0xff; row_bytes * side_px];
    for (y, row) in pixels.chunks_exact_mut(row_bytes).enumerate() {
        for x in (0..side_px).filter(|x| is_dark(code, *x, y)) {
            row[x / 8] &= !(0x80 >> (x % 8));
        }
    }
    pixels
}

fn is_dark(code: &QRCode, x_px: usize, y_px: usize) -> bool {
    let module = |px: usize| {
        (px / MODULE_PX)
            .checked_sub(QUIET_ZONE)
            .filter(|at| *at < code.size)
    };
    module(x_px)
        .zip(module(y_px))
        .is_some_and(|(x, y)| code[y][x].value())
}

fn write_png(out: &mut Vec<u8>, side_px: usize, pixels: &[u8]) -> Result<(), png::EncodingError> {
    let side_px = u32::try_from(side_px).expect("the largest code has 185 modules a side");
    let mut encoder = png::Encoder::new(out, side_px, side_px);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture as rows of dark or light, with its side.
    fn read(picture: &[u8]) -> (usize, Vec<bool>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(picture))
            .read_info()
            .unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(info.width, info.height);
        let side = info.width as usize;
        let dark = (0..side * side)
            .map(|at| (at % side, at / side))
            .map(|(x, y)| bytes[y * info.line_size + x / 8] & (0x80 >> (x % 8)) == 0)
            .collect();
        (side, dark)
    }

    #[test]
    fn the_picture_shows_each_module_and_a_light_border() {
        let text = "a configuration\nof some lines\n";
        let code = encode(text).unwrap();

        let (side, dark) = read(&png(text).unwrap());

        assert_eq!(side, (code.size + 8) * MODULE_PX);
        for (at, dark) in dark.into_iter().enumerate() {
            let (x, y) = (at % side / MODULE_PX, at / side / MODULE_PX);
            let inside = |at: usize| (4..4 + code.size).contains(&at);
            let expected = inside(x) && inside(y) && code[y - 4][x - 4].value();
            assert_eq!(dark, expected, "module {x}, {y}");
        }
    }

    #[test]
    fn the_drawing_has_a_border_and_nothing_a_strict_policy_would_stop() {
        let code = encode("text").unwrap();

        let drawing = svg("text").unwrap();

        let side = code.size + 8;
        assert!(drawing.starts_with(&format!("<svg viewBox=\"0 0 {side} {side}\"")));
        assert!(drawing.contains("d=\"M4,4"), "{drawing}");
        for word in ["style", "script", "href"] {
            assert!(!drawing.contains(word), "{word}");
        }
    }

    #[test]
    fn text_that_no_code_can_hold_is_refused() {
        let longest = "x".repeat(2953);
        assert!(svg(&longest).is_ok());
        assert!(png(&longest).is_ok());

        let too_long = "x".repeat(2954);
        assert_eq!(svg(&too_long), Err(TooLong { length: 2954 }));
        assert_eq!(png(&too_long), Err(TooLong { length: 2954 }));
    }
}
