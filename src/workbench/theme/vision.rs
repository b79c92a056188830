//! How well colours are read and told apart: contrast by WCAG 2.1, dichromats' vision by Machado, Oliveira and Fernandes
//! (2009), distances in Oklab.

use super::ink::Rgb;

/// Whose eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eyes {
    /// Three kinds of cones.
    Usual,
    /// Without the cones for long waves: red is dark.
    Protanopia,
    /// Without the cones for middle waves: red and green are alike.
    Deuteranopia,
}

impl Eyes {
    /// All of them.
    pub const ALL: [Eyes; 3] = [Eyes::Usual, Eyes::Protanopia, Eyes::Deuteranopia];

    /// Linear light as these eyes see it (severity 1.0 of the paper's table).
    fn matrix(self) -> [[f64; 3]; 3] {
        match self {
            Eyes::Usual => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            Eyes::Protanopia => {
                [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
            }
            Eyes::Deuteranopia => {
                [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
            }
        }
    }
}

/// sRGB to linear light, each 0 to 1.
fn linear(Rgb(r, g, b): Rgb) -> [f64; 3] {
    [r, g, b].map(|value| match f64::from(value) / 255.0 {
        low if low <= 0.04045 => low / 12.92,
        high => ((high + 0.055) / 1.055).powf(2.4),
    })
}

fn times(matrix: [[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(v).map(|(m, x)| m * x).sum())
}

/// Relative luminance, 0 to 1.
pub fn luminance(colour: Rgb) -> f64 {
    let [r, g, b] = linear(colour);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Contrast of two colours, 1 to 21. Text wants 4.5 (AA) or 7 (AAA), lines and bars want 3.
pub fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Distance of two colours for these eyes, in Oklab: 0 for the same, 1 for black and white; from about 0.1 on they are told
/// apart at a glance.
pub fn distance(a: Rgb, b: Rgb, eyes: Eyes) -> f64 {
    let (a, b) = (oklab(a, eyes), oklab(b, eyes));
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

fn oklab(colour: Rgb, eyes: Eyes) -> [f64; 3] {
    const CONES: [[f64; 3]; 3] = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ];
    const AXES: [[f64; 3]; 3] = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ];
    let seen = times(eyes.matrix(), linear(colour)).map(|value| value.clamp(0.0, 1.0));
    times(AXES, times(CONES, seen).map(f64::cbrt))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Rgb = Rgb(0, 0, 0);
    const WHITE: Rgb = Rgb(255, 255, 255);

    #[test]
    fn contrast_is_wcags() {
        assert!((contrast(BLACK, WHITE) - 21.0).abs() < 1e-9);
        // WCAG's well-known example: the lightest grey that is read on white.
        assert!((contrast(WHITE, Rgb(0x76, 0x76, 0x76)) - 4.54).abs() < 0.005);
    }

    #[test]
    fn red_and_green_come_close_for_those_who_mix_them_up() {
        let (red, green) = (Rgb(0xb0, 0x60, 0x20), Rgb(0x60, 0x80, 0x20));
        assert!(distance(red, green, Eyes::Usual) > 2.0 * distance(red, green, Eyes::Deuteranopia));
        for eyes in Eyes::ALL {
            assert!((distance(BLACK, WHITE, eyes) - 1.0).abs() < 1e-3, "{eyes:?}");
        }
    }
}
