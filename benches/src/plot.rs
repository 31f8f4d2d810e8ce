//! An SVG plot of the cost of a list over the number of pods, with logarithmic axes.

use std::fmt::Write;

/// A line of the plot.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// Number of pods, and milliseconds.
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 480.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 250.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 50.0;
/// Colours that people with colour blindness can distinguish (Okabe and Ito's palette).
const COLOURS: [&str; 8] = [
    "#000000", "#e69f00", "#56b4e9", "#009e73", "#8a7a00", "#0072b2", "#d55e00", "#cc79a7",
];

/// Returns the plot as SVG.
pub(crate) fn svg(title: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|line| line.points.iter().copied());
    let (x_min, x_max) = decades(all().map(|(x, _)| x));
    let (y_min, y_max) = decades(all().map(|(_, y)| y));
    let x = |value: f64| LEFT + (value.log10() - x_min) / (x_max - x_min) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - (value.log10() - y_min) / (y_max - y_min) * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{title}</text>\n"
    );
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for decade in x_min as i32..=x_max as i32 {
        let at = x(10_f64.powi(decade));
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{bottom}\" stroke=\"#dddddd\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 18.0,
            count(decade),
        );
    }
    for decade in y_min as i32..=y_max as i32 {
        let at = y(10_f64.powi(decade));
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\" stroke=\"#dddddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{} ms</text>",
            LEFT - 6.0,
            at + 4.0,
            10_f64.powi(decade),
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">pods</text>",
        (LEFT + right) / 2.0,
        HEIGHT - 12.0,
    );
    for (at, line) in lines.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        // After the last colour, they repeat with dashes.
        let dashes = if at < COLOURS.len() {
            ""
        } else {
            " stroke-dasharray=\"6 4\""
        };
        let points: Vec<String> = line
            .points
            .iter()
            .map(|&(pods, ms)| format!("{:.1},{:.1}", x(pods), y(ms)))
            .collect();
        let legend = TOP + 18.0 * at as f64;
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>\n\
             <line x1=\"{:.1}\" y1=\"{legend:.1}\" x2=\"{:.1}\" y2=\"{legend:.1}\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            points.join(" "),
            right + 14.0,
            right + 34.0,
            right + 40.0,
            legend + 4.0,
            line.name,
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Returns the powers of ten around values, as exponents.
fn decades(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|value| *value > 0.0) {
        min = min.min(value.log10().floor());
        max = max.max(value.log10().ceil());
    }
    if min.is_finite() && max > min {
        (min, max)
    } else {
        (0.0, 1.0)
    }
}

fn count(decade: i32) -> String {
    match decade {
        0..3 => format!("{}", 10_u64.pow(decade.unsigned_abs())),
        3..6 => format!("{}k", 10_u64.pow(decade.unsigned_abs() - 3)),
        _ => format!("{}M", 10_u64.pow(decade.unsigned_abs().saturating_sub(6))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_within_the_frame() {
        let line = |name: &str, points: &[(f64, f64)]| Line {
            name: name.to_owned(),
            points: points.to_vec(),
        };
        let text = svg(
            "Cost",
            &[
                line("page 1", &[(1e3, 0.05), (5e5, 0.06)]),
                line("search", &[(1e3, 0.1), (5e5, 8.0)]),
            ],
        );
        assert_eq!(text.matches("<polyline").count(), 2);
        for points in text.split("points=\"").skip(1) {
            for point in points.split('"').next().unwrap_or_default().split(' ') {
                let (x, y) = point.split_once(',').unwrap_or_default();
                let (x, y): (f64, f64) = (x.parse().unwrap_or(-1.0), y.parse().unwrap_or(-1.0));
                assert!(
                    (LEFT..=WIDTH - RIGHT).contains(&x) && (TOP..=HEIGHT - BOTTOM).contains(&y),
                    "{point}"
                );
            }
        }
        assert!(!text.contains("dasharray"));
        assert!(text.contains(">1k<") && text.contains(">1M<"), "{text}");
    }

    #[test]
    fn lines_beyond_the_colours_are_dashed() {
        let line = Line {
            name: "page".to_owned(),
            points: vec![(1e3, 0.05)],
        };
        let text = svg("Many", &vec![line; COLOURS.len() + 2]);
        assert_eq!(text.matches("dasharray").count(), 4, "two lines and their names");
    }

    #[test]
    fn nothing_to_draw_is_no_error() {
        assert!(svg("Nothing", &[]).ends_with("</svg>\n"));
    }
}
